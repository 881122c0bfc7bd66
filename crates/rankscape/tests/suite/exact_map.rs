//! The product map at integer and rational points: decisions over the rationals against those in double precision.

use crate::points::rational;
use num_traits::{Signed, Zero};
use rankscape::evidence::{Grade, Truth};
use rankscape::linalg::exact::{Rational, RationalMatrix};
use rankscape::multiplication::{
    Connection, ExactFactors, LiftProperties, MapPoint, Openness, balance, connect, first_order_witness, reach,
    second_order_witness, taylor_coefficients, unreachable_direction,
};
use rankscape::random::Stream;
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::Draw;
use testkit::barcode::Chain;

fn draw(seed: u64, case: u64) -> MapPoint {
    let chain = Chain::<testkit::Rational>::draw(&mut Draw::new(seed, case), 4, 4);
    point(chain.factors.iter().map(rational).collect())
}

/// A chain whose inner widths are the rank of its product: every inner node doubles the components of its fiber.
fn draw_split(case: u64) -> MapPoint {
    let mut draws = Draw::new(123, case);
    let depth = draws.size(2, 4);
    let bars = [(0, 0, draws.size(0, 2)), (depth, depth, draws.size(0, 2)), (0, depth, draws.size(1, 3))];
    let chain = Chain::<testkit::Rational>::with_barcode(&mut draws, depth, &bars);
    point(chain.factors.iter().map(rational).collect())
}

fn point(matrices: Vec<RationalMatrix>) -> MapPoint {
    MapPoint::exact(ExactFactors::new(matrices).unwrap()).unwrap()
}

fn integers(rows: &[&[i64]]) -> RationalMatrix {
    RationalMatrix::from_integers(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>())
}

fn stored(point: &MapPoint) -> MapPoint {
    MapPoint::stored(point.factors().clone(), UNIT_ROUNDOFF, &Tolerances::default())
}

fn integer(value: i64) -> Rational {
    Rational::from_integer(value.into())
}

/// An integer matrix of determinant 1 or -1.
fn unimodular(size: usize, stream: &mut Stream) -> RationalMatrix {
    let mut out = RationalMatrix::identity(size);
    for _ in 0..2 * size {
        let mut place = || stream.integer(0, size as i64 - 1) as usize;
        let (i, j) = (place(), place());
        let mut step = RationalMatrix::identity(size);
        step[(i, j)] = integer(if i == j { -1 } else { stream.integer(-1, 1) });
        out = &step * &out;
    }
    out
}

/// The point moved by unimodular matrices at its inner nodes: another factorization of its product.
fn moved(point: &MapPoint, stream: &mut Stream) -> MapPoint {
    let mut matrices = point.rational().unwrap().matrices().to_vec();
    for k in 1..matrices.len() {
        let g = unimodular(matrices[k].ncols(), stream);
        matrices[k - 1] = &g * &matrices[k - 1];
        matrices[k] = &matrices[k] * &g.inverse().unwrap();
    }
    self::point(matrices)
}

#[test]
fn exact_and_floating_verdicts_agree_on_integer_tuples() {
    let tolerances = Tolerances::default();
    let (mut joined, mut separated, mut reached, mut balanced) = (0, 0, 0, 0);
    for case in 0..400 {
        let mut stream = Stream::new(121, case);
        let exact = if case % 4 == 0 { draw_split(case) } else { draw(120, case) };
        let float = stored(&exact);
        for ((i, j), decision) in float.profile().decisions() {
            assert!(decision.clear, "case {case} {i}:{j}");
            assert_eq!(decision.rank, exact.profile().rank(i, j), "case {case} {i}:{j}");
        }
        assert_eq!(LiftProperties::new(exact.profile()), LiftProperties::new(float.profile()), "case {case}");
        assert_eq!(Openness::new(exact.profile()), Openness::new(float.profile()), "case {case}");
        let found = [&exact, &float].map(|p| balance(p.factors(), p.profile()).possible);
        assert_eq!(found[0], found[1], "case {case}");
        balanced += usize::from(found[0].holds == Truth::Yes);

        let other = moved(&exact, &mut stream);
        match connect(&exact, &other, &tolerances).unwrap() {
            Connection::Path(path) => {
                joined += 1;
                let size = exact.product().frobenius_norm().max(1.0);
                let error = path.product_error(&exact.product(), 20);
                assert!(error < 1e-6 * size, "case {case}: {error:e}");
                assert!(matches!(connect(&float, &stored(&other), &tolerances).unwrap(), Connection::Path(_)));
            }
            Connection::Separated { nodes, first, second } => {
                separated += 1;
                let Connection::Separated { nodes: same, first: a, second: b } =
                    connect(&float, &stored(&other), &tolerances).unwrap()
                else {
                    panic!("case {case}")
                };
                let relative = |x: &[i8], y: &[i8]| x.iter().zip(y).map(|(x, y)| x * y).collect::<Vec<_>>();
                assert_eq!((nodes, relative(&first, &second)), (same, relative(&a, &b)), "case {case}");
            }
            other => panic!("case {case}: {other:?}"),
        }

        let product = exact.rational().unwrap().partial(exact.profile().depth(), 0);
        let step = RationalMatrix::from_fn(product.nrows(), product.ncols(), |_, _| {
            Rational::new(stream.integer(-1, 1).into(), 4096.into())
        });
        let target = &product + &step;
        let by_exact = reach(&exact, &target.to_matrix(), Some(&target), &tolerances).unwrap();
        let by_float = reach(&float, &target.to_matrix(), None, &tolerances).unwrap();
        assert_eq!(by_exact.factors.is_some(), by_float.factors.is_some(), "case {case}");
        assert_eq!(by_exact.reason, by_float.reason, "case {case}");
        let impossible = target.rank() > exact.factors().architecture().bottleneck_rank();
        assert_eq!(by_exact.grade, if impossible { Grade::Exact } else { Grade::Numerical }, "case {case}");
        reached += usize::from(by_exact.factors.is_some());
    }
    assert!(
        joined > 250 && separated > 50 && reached > 50 && balanced > 30,
        "{joined} {separated} {reached} {balanced}"
    );
}

#[test]
fn exact_witnesses_are_critical_over_the_rationals() {
    let mut seen = [0; 3];
    for case in 0..700 {
        let at = draw(122, case);
        let (factors, profile) = (at.rational().unwrap(), at.profile());
        let (h, lift) = (profile.depth(), LiftProperties::new(profile));
        let witnesses = [first_order_witness(factors, profile), second_order_witness(factors, profile)];
        for (order, (witness, verdict)) in witnesses.iter().zip([&lift.one_1, &lift.two_1]).enumerate() {
            assert_eq!(witness.is_some(), verdict.holds == Truth::No, "case {case}");
            let Some(witness) = witness else { continue };
            seen[order] += 1;
            let g = &witness.gradient;
            assert!(!g.is_zero() && g.entries().iter().all(Rational::is_integer) && !witness.curvature.is_negative());
            for k in 1..=h {
                let block = &(&factors.partial(h, k).transpose() * g) * &factors.partial(k - 1, 0).transpose();
                assert!(block.is_zero(), "case {case}: the gradient of layer {k}");
            }
        }
        if let [_, Some(witness)] = &witnesses {
            assert_eq!(hessian(factors, &witness.gradient, &witness.curvature).inertia().negative, 0, "case {case}");
        }
        let direction = unreachable_direction(factors, profile);
        let openness = Openness::new(profile);
        assert_eq!(direction.is_some(), openness.verdict.holds == Truth::No, "case {case}");
        let Some(direction) = direction else { continue };
        seen[2] += 1;
        let node = openness.nodes.iter().find(|node| !node.passes()).unwrap();
        assert_eq!(direction.rank() as i64, node.have + 1, "case {case}");
        assert!((&factors.partial(h, node.node).transpose() * &direction).is_zero(), "case {case}");
        assert!((&direction * &factors.partial(node.node, 0).transpose()).is_zero(), "case {case}");
        assert!((&factors.partial(h, 0) + &direction).rank() <= factors.architecture().bottleneck_rank());
    }
    assert!(seen[0] > 100 && seen[1] > 10 && seen[2] > 20, "{seen:?}");
}

/// Hessian of `D -> 2 <G, C_2(D)> + c ||C_1(D)||^2` by polarization.
fn hessian(factors: &ExactFactors, gradient: &RationalMatrix, curvature: &Rational) -> RationalMatrix {
    let sizes: Vec<usize> = factors.matrices().iter().map(|m| m.entries().len()).collect();
    let count: usize = sizes.iter().sum();
    let form = |units: &[usize]| {
        let mut at = 0;
        let matrices = factors.matrices().iter().map(|m| {
            let start = at;
            at += m.entries().len();
            let hits = |i, j| units.iter().filter(|&&unit| unit == start + i * m.ncols() + j).count();
            RationalMatrix::from_fn(m.nrows(), m.ncols(), |i, j| integer(hits(i, j) as i64))
        });
        let direction = ExactFactors::new(matrices.collect()).unwrap();
        let c = taylor_coefficients(factors, &direction).unwrap();
        let bend = c.get(2).map_or_else(Rational::zero, |c| gradient.dot(c));
        bend * integer(2) + curvature * c[1].squared_norm()
    };
    let alone: Vec<Rational> = (0..count).map(|a| form(&[a])).collect();
    let mut out = RationalMatrix::zeros(count, count);
    for a in 0..count {
        for b in 0..a {
            out[(a, b)] = form(&[a, b]) - &alone[a] - &alone[b];
            out[(b, a)] = out[(a, b)].clone();
        }
        out[(a, a)] = &alone[a] * integer(2);
    }
    out
}

/// Determinant 1 with entries near `2^30`: singular values `2^31` and `2^-31`.
fn nearly_singular() -> RationalMatrix {
    let n = 1 << 30;
    integers(&[&[n, n + 1], &[n - 1, n]])
}

#[test]
fn a_tiny_determinant_is_decided_over_the_rationals_only() {
    let tolerances = Tolerances::default();
    let flip = integers(&[&[-1, 0], &[0, 1]]);
    let shear = integers(&[&[1, 3], &[0, 1]]);
    let first = point(vec![nearly_singular(), RationalMatrix::identity(2)]);
    assert_ne!(stored(&first).profile().product_rank(), 2);
    let by = |g: &RationalMatrix| point(vec![g * &nearly_singular(), g.inverse().unwrap()]);
    let answer = connect(&first, &by(&flip), &tolerances).unwrap();
    assert_eq!(answer, Connection::Separated { nodes: vec![1], first: vec![1], second: vec![-1] });
    let float = connect(&stored(&first), &stored(&by(&flip)), &tolerances).unwrap();
    assert!(!matches!(float, Connection::Separated { .. }), "{float:?}");
    let answer = connect(&first, &by(&shear), &tolerances).unwrap();
    assert!(matches!(answer, Connection::Path(_) | Connection::Connected { .. }), "{answer:?}");
    assert_eq!(balance(first.factors(), first.profile()).possible.holds, Truth::Yes);
    let float = stored(&first);
    assert_ne!(balance(float.factors(), float.profile()).possible.holds, Truth::Yes);
}

#[test]
fn integers_beyond_double_precision_are_compared_over_the_rationals() {
    let tolerances = Tolerances::default();
    let large = 1 << 53;
    let at = |value: i64| point(vec![integers(&[&[value]]), RationalMatrix::identity(1)]);
    let error = connect(&at(large), &at(large + 1), &tolerances).unwrap_err().to_string();
    assert!(
        error.contains("different products")
            && error.contains("largest difference 1, over the rationals, in row 1, column 1"),
        "{error}"
    );
    assert!(matches!(connect(&stored(&at(large)), &at(large + 1), &tolerances), Ok(Connection::Path(_))));
    let third = Rational::new(1.into(), 3.into());
    let fraction = point(vec![integers(&[&[3]]), RationalMatrix::from_fn(1, 1, |_, _| third.clone())]);
    assert!(matches!(connect(&at(1), &fraction, &tolerances), Ok(Connection::Path(_))));
    // Rank 2 over the rationals, 1 after rounding: no product of the middle width 1.
    let target = integers(&[&[large, large + 1], &[large + 1, large + 2]]);
    let narrow = point(vec![integers(&[&[large, large]]), integers(&[&[1], &[1]])]);
    let found = reach(&narrow, &target.to_matrix(), Some(&target), &tolerances).unwrap();
    assert_eq!((found.grade, found.factors), (Grade::Exact, None));
    assert!(found.reason.contains("rank 2"), "{}", found.reason);
    assert_eq!(reach(&narrow, &target.to_matrix(), None, &tolerances).unwrap().grade, Grade::Numerical);
}
