//! Constructed critical points against dense Hessians: every stratum of small networks over the rationals, random strata of
//! random networks in double precision, and the dimension of strata against the rank of their tangent map.

use crate::points::{grid, matrix, whitening};
use rankscape::architecture::Architecture;
use rankscape::critical::{
    CapturedChoice, CapturedFamily, Constructed, CriticalClass, Gauge, Ladder, Request, StratumChoice, TargetBlocks,
    construct, construct_with_surplus,
};
use rankscape::data::ExactMoments;
use rankscape::data::{TriangularFactor, Whitening};
use rankscape::evidence::Truth;
use rankscape::linalg::exact::RationalMatrix;
use rankscape::linalg::{Matrix, orthonormal_complement, singular_values};
use rankscape::multiplication::balance_defect;
use rankscape::tolerance::Tolerances;
use testkit::grid::{Dense, Grid};
use testkit::inertia::Inertia;
use testkit::random::Draw;
use testkit::random_matrix::RandomMatrix;
use testkit::reference::Network;
use testkit::scalar::{Rational, Scalar};

fn request(captured: CapturedChoice, stratum: StratumChoice, gauge: Gauge, seed: u64) -> Request {
    Request { captured, stratum, gauge, unseen: false, seed, max: 100_000 }
}

fn whitening_of_target(y: &Matrix) -> Whitening {
    Whitening::new(&TriangularFactor::from_target(y), &Tolerances::default())
}

fn exact_grid(matrix: &RationalMatrix) -> Grid<Rational> {
    Grid::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)].clone())
}

/// All patterns `p_i <= m_i` with at most `most` in all.
fn patterns(multiplicities: &[usize], most: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for &m in multiplicities {
        all = all.into_iter().flat_map(|p: Vec<usize>| (0..=m).map(move |k| [p.clone(), vec![k]].concat())).collect();
    }
    all.retain(|p| p.iter().sum::<usize>() <= most);
    all
}

fn assert_inertia(found: &Constructed, dense: Inertia, what: &str) {
    let facts = &found.facts.inertia;
    assert_eq!((facts.negative, facts.zero, facts.positive), (dense.negative, dense.zero, dense.positive), "{what}");
    assert!(found.facts.dimension <= dense.zero, "{what}: a stratum is no larger than the kernel of the Hessian");
    let expected = match found.facts.class {
        CriticalClass::StrictSaddle => dense.negative > 0,
        _ => dense.negative == 0,
    };
    assert!(expected, "{what}");
}

#[test]
fn every_stratum_of_small_networks_has_an_exact_point_with_the_inertia_and_the_ranks_of_the_stratum() {
    let mut strata = 0;
    for (widths, diagonal) in [
        (vec![2, 2, 2, 2], vec![2, 1]),
        (vec![2, 2, 2, 2], vec![1, 1]),
        (vec![2, 2, 2, 2], vec![2, 0]),
        (vec![2, 2, 2, 2], vec![0, 0]),
        (vec![3, 2, 2], vec![3, 3]),
        (vec![2, 1, 1, 1, 2], vec![1, 2]),
        (vec![2, 3], vec![1, 0]),
    ] {
        let (d0, dh) = (widths[0], widths[widths.len() - 1]);
        let rows: Vec<Vec<i64>> =
            (0..dh).map(|i| (0..d0).map(|j| if i == j { diagonal[i] } else { 0 }).collect()).collect();
        let y = RationalMatrix::from_integers(&rows);
        let data = ExactMoments::of_target(&y);
        let white = whitening_of_target(&y.to_matrix());
        let architecture = Architecture::new(widths.clone()).unwrap();
        let multiplicities = TargetBlocks::new(&white, &Tolerances::default()).multiplicities();
        for pattern in patterns(&multiplicities, architecture.bottleneck_rank()) {
            let Ok(family) = CapturedFamily::new(&architecture, d0, &multiplicities, &pattern) else { continue };
            for (number, stratum) in family.list(usize::MAX).into_iter().enumerate() {
                for gauge in [Gauge::Canonical, Gauge::Random] {
                    let request = request(
                        CapturedChoice::Pattern(pattern.clone()),
                        StratumChoice::Number(number + 1),
                        gauge,
                        number as u64,
                    );
                    let what = format!("{widths:?} {diagonal:?} {request:?} {stratum:?}");
                    let found =
                        construct(&architecture, &white, Some(&data), &request, &Tolerances::default()).unwrap();
                    assert_eq!((found.check.holds, &found.stratum), (Truth::Yes, &stratum), "{what} {found:#?}");
                    let factors: Vec<_> = found.exact.as_ref().unwrap().matrices().iter().map(exact_grid).collect();
                    let network = Network::new(factors, Grid::identity(d0), exact_grid(&y));
                    assert!(network.gradient().iter().all(|g| *g == Rational::integer(0)), "{what}");
                    if gauge == Gauge::Canonical || number % 5 == 0 {
                        assert_inertia(&found, testkit::exact::inertia(&network.hessian()), &what);
                    }
                }
                strata += 1;
            }
        }
    }
    assert_eq!(strata, 126);
}

/// A random problem: target spectrum with repeated and zero values, data of any rank.
fn problem(draw: &mut Draw) -> (Vec<usize>, Dense, Dense) {
    let depth = draw.size(1, 5);
    let widths: Vec<usize> = (0..=depth).map(|_| draw.size(1, if depth > 3 { 3 } else { 5 })).collect();
    let (d0, dh) = (widths[0], widths[depth]);
    let rho = if draw.chance(0.3) { draw.size(0, d0) } else { d0 };
    let n = rho + draw.size(usize::from(rho == 0), 2);
    let mut values: Vec<f64> = (0..rho.min(dh)).map(|_| 0.5 * draw.integer(0, 4) as f64).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    let frame = |draw: &mut Draw, n: usize| f64::orthogonal(draw, n);
    let z = frame(draw, dh).matmul(&Grid::diagonal(dh, rho, &values)).matmul(&frame(draw, rho));
    let stretch: Vec<f64> = (0..rho).map(|_| 0.5 + draw.uniform()).collect();
    let samples = frame(draw, n);
    let x = frame(draw, d0).matmul(&Grid::diagonal(d0, n, &stretch)).matmul(&samples.transpose());
    let y = z.beside(&Grid::draw(draw, dh, n - rho)).matmul(&samples.transpose());
    (widths, x, y)
}

#[test]
fn random_points_of_random_strata_are_what_was_asked_for() {
    let tolerances = Tolerances::default();
    let (mut points, mut undecided) = (0, 0);
    for seed in 0..400 {
        let mut draw = Draw::new(31, seed);
        let (widths, x, y) = problem(&mut draw);
        let white = whitening(&x, &y);
        let architecture = Architecture::new(widths.clone()).unwrap();
        let multiplicities = TargetBlocks::new(&white, &tolerances).multiplicities();
        let rho = white.rank.rank;
        let mut all = patterns(&multiplicities, architecture.bottleneck_rank().min(rho));
        all.retain(|pattern| CapturedFamily::new(&architecture, rho, &multiplicities, pattern).is_ok());
        let pattern = all[draw.size(0, all.len() - 1)].clone();
        let family = CapturedFamily::new(&architecture, rho, &multiplicities, &pattern).unwrap();
        let number = draw.size(1, family.list(200).len());
        let gauge = if draw.chance(0.7) { Gauge::Random } else { Gauge::Canonical };
        let mut request = request(CapturedChoice::Pattern(pattern), StratumChoice::Number(number), gauge, seed);
        request.unseen = draw.chance(0.5);
        let found = construct(&architecture, &white, None, &request, &tolerances).unwrap();
        let what = format!("seed {seed} {widths:?} {request:?}");
        assert_ne!(found.check.holds, Truth::No, "{what} {found:#?}");
        undecided += usize::from(!found.check.holds.is_decided());
        points += 1;
        let network = Network::new(found.factors.matrices().iter().map(grid).collect(), x, y);
        assert!(network.gradient().iter().all(|g| g.abs() < 1e-12), "{what}");
        if network.parameters() <= 45 {
            assert_inertia(&found, Inertia::of_eigenvalues(&network.spectrum(), 1e-8), &what);
        }
    }
    assert!(undecided * 50 <= points, "{undecided} of {points} undecided");
}

/// Rank of the tangent map of a stratum at a point: all `xi_k W_k - W_k xi_{k-1}` with `xi` at the ends keeping `W` and
/// `G'`, and rotations inside blocks of equal singular values.
fn tangent_rank(factors: &[Matrix], z: &Matrix, turns: &[(Matrix, Matrix)]) -> usize {
    let h = factors.len();
    let width = |k: usize| if k == 0 { factors[0].ncols() } else { factors[k - 1].nrows() };
    let product = factors[1..].iter().fold(factors[0].clone(), |p, w| w * &p);
    let wrap = (&product - z).transpose();
    let (d0, dh) = (width(0), width(h));
    let unit = |n: usize, at: usize| Matrix::from_fn(n, n, |i, j| f64::from(u8::from(i * n + j == at)));
    let flat = |m: &Matrix| m.to_rows().concat();
    // Columns: the equations xi_0 G' = G' xi_h and xi_h W = W xi_0 on the ends.
    let (zero0, zeroh) = (Matrix::zeros(d0, d0), Matrix::zeros(dh, dh));
    let ends: Vec<(Matrix, Matrix)> = (0..d0 * d0)
        .map(|at| (unit(d0, at), zeroh.clone()))
        .chain((0..dh * dh).map(|at| (zero0.clone(), unit(dh, at))))
        .collect();
    let equations: Vec<Vec<f64>> = ends
        .iter()
        .map(|(a, b)| [flat(&(&(a * &wrap) - &(&wrap * b))), flat(&(&(b * &product) - &(&product * a)))].concat())
        .collect();
    let system = Matrix::from_rows(&equations);
    let found = rankscape::linalg::svd(&system);
    let rank = found.s.iter().filter(|&&s| s > 1e-9).count();
    let kernel = orthonormal_complement(&found.u.columns(0, rank));
    let mut moves: Vec<Vec<Matrix>> = Vec::new();
    let zeros = || (0..=h).map(|k| Matrix::zeros(width(k), width(k))).collect::<Vec<_>>();
    for c in 0..kernel.ncols() {
        let mut xi = zeros();
        for (r, (a, b)) in ends.iter().enumerate() {
            xi[0].add_scaled(kernel[(r, c)], a);
            xi[h].add_scaled(kernel[(r, c)], b);
        }
        moves.push(xi);
    }
    for (a, b) in turns {
        let mut xi = zeros();
        (xi[0], xi[h]) = (a.clone(), b.clone());
        moves.push(xi);
    }
    for k in 1..h {
        for at in 0..width(k).pow(2) {
            let mut xi = zeros();
            xi[k] = unit(width(k), at);
            moves.push(xi);
        }
    }
    let rows: Vec<Vec<f64>> = moves
        .iter()
        .map(|xi| (0..h).flat_map(|k| flat(&(&(&xi[k + 1] * &factors[k]) - &(&factors[k] * &xi[k])))).collect())
        .collect();
    singular_values(&Matrix::from_rows(&rows)).iter().filter(|&&s| s > 1e-8).count()
}

#[test]
fn dimension_of_a_stratum_is_the_rank_of_its_tangent_map() {
    let tolerances = Tolerances::default();
    for seed in 0..150 {
        let mut draw = Draw::new(32, seed);
        let depth = draw.size(1, 4);
        let widths: Vec<usize> = (0..=depth).map(|_| draw.size(1, 4)).collect();
        let (d0, dh) = (widths[0], widths[depth]);
        let mut values: Vec<f64> = (0..d0.min(dh)).map(|_| draw.integer(0, 3) as f64).collect();
        values.sort_by(|a, b| b.total_cmp(a));
        let z = Matrix::from_diagonal(dh, d0, &values);
        let white = whitening_of_target(&z);
        let blocks = TargetBlocks::new(&white, &tolerances);
        let architecture = Architecture::new(widths.clone()).unwrap();
        let mut all = patterns(&blocks.multiplicities(), architecture.bottleneck_rank());
        all.retain(|pattern| CapturedFamily::new(&architecture, d0, &blocks.multiplicities(), pattern).is_ok());
        let pattern = all[draw.size(0, all.len() - 1)].clone();
        let family = CapturedFamily::new(&architecture, d0, &blocks.multiplicities(), &pattern).unwrap();
        let number = draw.size(1, family.list(100).len());
        let request = request(CapturedChoice::Pattern(pattern), StratumChoice::Number(number), Gauge::Random, seed);
        let found = construct(&architecture, &white, None, &request, &tolerances).unwrap();
        // Rotations inside the blocks, which for a diagonal target are rotations of coordinates at both ends.
        let mut turns = Vec::new();
        for block in &blocks.blocks {
            for i in block.clone() {
                for j in i + 1..block.end {
                    let turn = |n: usize| {
                        Matrix::from_fn(n, n, |r, c| f64::from(i8::from((r, c) == (i, j)) - i8::from((r, c) == (j, i))))
                    };
                    turns.push((turn(d0), turn(dh)));
                }
            }
        }
        let rank = tangent_rank(found.factors.matrices(), &z, &turns);
        assert_eq!(rank, found.facts.dimension, "seed {seed} {widths:?} {values:?} {:?}", found.stratum);
    }
}

#[test]
fn balanced_points_are_balanced_and_exist_without_surplus_only_where_x_has_full_row_rank() {
    let tolerances = Tolerances::default();
    let z = Matrix::from_diagonal(3, 3, &[3.0, 2.0, 1.0]);
    let white = whitening_of_target(&z);
    let architecture = Architecture::new(vec![3, 2, 3, 3]).unwrap();
    let ask = |stratum| request(CapturedChoice::Indices(vec![1, 3]), stratum, Gauge::Balanced, 0);
    let found = construct(&architecture, &white, None, &ask(StratumChoice::Minimal), &tolerances).unwrap();
    assert_eq!((found.check.holds, found.facts.class), (Truth::Yes, CriticalClass::StrictSaddle));
    assert!(balance_defect(&found.factors) < 1e-14);
    let error = construct(&architecture, &white, None, &ask(StratumChoice::Generic), &tolerances).unwrap_err();
    assert!(error.to_string().contains("only the closure of the orbit contains a balanced point"), "{error}");
}

/// An input that the data do not see carries a string `[1..h]`, and all factors have a rank above that of `W X`.
#[test]
fn balanced_points_have_a_surplus_where_inputs_are_not_seen() {
    let tolerances = Tolerances::default();
    let x = Dense::from_fn(3, 4, |i, j| if i == j && i < 2 { 1.0 } else { 0.0 });
    let y = Dense::from_fn(3, 4, |i, j| if i == j { [3.0, 1.0, 0.0][i] } else { 0.0 });
    let white = whitening(&x, &y);
    let architecture = Architecture::new(vec![3, 2, 2, 3]).unwrap();
    let ask = |number, gauge| request(CapturedChoice::Indices(vec![1]), StratumChoice::Number(number), gauge, 0);
    let build = |number, gauge| construct(&architecture, &white, None, &ask(number, gauge), &tolerances);
    let (mut balanced, mut refused) = (0, 0);
    for number in 1.. {
        let Ok(canonical) = build(number, Gauge::Canonical) else { break };
        let strings = canonical.stratum.strings();
        let surplus: usize = strings.iter().filter(|s| s.from != s.to && !s.wraps()).map(|s| s.multiplicity).sum();
        let through: usize = strings.iter().filter(|s| (s.from, s.to) == (1, 3)).map(|s| s.multiplicity).sum();
        let wide = strings.iter().any(|s| s.wraps() && (s.from, s.to) != (3, 0));
        if surplus == through && !wide {
            let found = build(number, Gauge::Balanced).unwrap();
            assert_eq!(found.check.holds, Truth::Yes, "{:?}", found.check);
            assert!(balance_defect(&found.factors) < 1e-14);
            assert_eq!(singular_values(found.factors.layer(2)).iter().filter(|s| **s > 1e-9).count(), 1 + through);
            balanced += 1;
        } else {
            assert!(build(number, Gauge::Balanced).unwrap_err().to_string().contains("no balanced point"));
            refused += 1;
        }
    }
    assert_eq!((balanced, refused), (2, 5));
}

#[test]
fn extreme_scales_of_the_target_change_nothing() {
    for scale in [1e-150, 1e150] {
        let z = Matrix::from_diagonal(3, 3, &[3.0 * scale, 2.0 * scale, 2.0 * scale]);
        let white = whitening_of_target(&z);
        let architecture = Architecture::new(vec![3, 3, 3, 3]).unwrap();
        for gauge in [Gauge::Canonical, Gauge::Balanced, Gauge::Random] {
            let stratum = if gauge == Gauge::Balanced { StratumChoice::Minimal } else { StratumChoice::Generic };
            let ask = request(CapturedChoice::Pattern(vec![0, 1]), stratum, gauge, 1);
            let found = construct(&architecture, &white, None, &ask, &Tolerances::default()).unwrap();
            assert_eq!(found.check.holds, Truth::Yes, "{scale} {gauge:?} {:#?}", found.check);
        }
    }
}

#[test]
fn what_cannot_be_built_is_refused_with_the_condition_that_fails() {
    use rankscape::multiplication::Bar;
    let white = whitening_of_target(&Matrix::from_diagonal(3, 3, &[2.0, 1.0, 0.0]));
    let says = |widths: &[usize], captured: CapturedChoice, stratum: StratumChoice| {
        let architecture = Architecture::new(widths.to_vec()).unwrap();
        let ask = request(captured, stratum, Gauge::Canonical, 0);
        construct(&architecture, &white, None, &ask, &Tolerances::default()).unwrap_err().to_string()
    };
    let indices = |list: &[usize]| CapturedChoice::Indices(list.to_vec());
    let minimal = || StratumChoice::Minimal;
    assert!(says(&[3, 1, 3], indices(&[1, 2]), minimal()).contains("smallest of rank X and the widths is 1"));
    assert!(
        says(&[3, 3, 3], indices(&[3]), minimal()).contains("singular value number 3 of the whitened target is zero")
    );
    assert!(says(&[3, 3, 3], indices(&[4]), minimal()).contains("numbered from 1 to 3"));
    assert!(says(&[3, 3, 3], indices(&[1, 1]), minimal()).contains("given twice"));
    assert!(says(&[3, 3], indices(&[1]), minimal()).contains("one layer"));
    assert!(says(&[2, 2, 3], indices(&[1]), minimal()).contains("do not fit the widths"));
    assert!(says(&[3, 3, 3], CapturedChoice::Pattern(vec![2, 0]), minimal()).contains("at most [1, 1]"));
    assert!(says(&[3, 3, 3], indices(&[1]), StratumChoice::Number(999)).contains("there are only"));
    let bars = |list: &[(usize, usize, usize)]| {
        let bars = list.iter().map(|&(from, to, multiplicity)| Bar { from, to, multiplicity }).collect();
        StratumChoice::Barcode(bars, None)
    };
    assert!(
        says(&[3, 1, 3], indices(&[1]), bars(&[(0, 2, 1), (0, 0, 2)]))
            .contains("bars through node 2 must be as many as its width, 3")
    );
    assert!(
        says(&[3, 1, 3], indices(&[1]), bars(&[(0, 0, 3), (1, 1, 1), (2, 2, 3)]))
            .contains("bars 0-2 must be as many as the captured directions")
    );
    assert!(
        says(&[3, 3, 3], indices(&[]), bars(&[(0, 1, 3), (2, 2, 3)]))
            .contains("its own pair of bars 0-t, s-2 with t <= s - 2 (found at most 0 pairs)")
    );
    let ranks = StratumChoice::Ranks(vec![(0, 1, 1), (1, 2, 3), (0, 2, 0)], None);
    assert!(
        says(&[3, 3, 3], indices(&[]), ranks)
            .contains("r(1,1) - r(0,1) - r(1,2) + r(0,2) >= 0 fails (found 3 - 1 - 3 + 0 = -1)")
    );
}

#[test]
fn barcodes_ranks_and_numbers_name_the_same_stratum() {
    let white = whitening_of_target(&Matrix::from_diagonal(2, 2, &[2.0, 1.0]));
    let architecture = Architecture::new(vec![2, 2, 2, 2]).unwrap();
    let family = CapturedFamily::new(&architecture, 2, &[1, 1], &[1, 0]).unwrap();
    for (number, stratum) in family.list(usize::MAX).into_iter().enumerate() {
        let wrapped = Some(stratum.wrapped().collect::<Vec<_>>());
        let pairs = (0..3).flat_map(|i| (i + 1..=3).map(move |j| (i, j)));
        let ranks = pairs.map(|(i, j)| (i, j, stratum.partial_rank(i, j))).collect();
        for choice in [
            StratumChoice::Number(number + 1),
            StratumChoice::Barcode(stratum.barcode().bars, wrapped.clone()),
            StratumChoice::Ranks(ranks, wrapped),
        ] {
            let ask = request(CapturedChoice::Indices(vec![1]), choice, Gauge::Canonical, 0);
            let found = construct(&architecture, &white, None, &ask, &Tolerances::default()).unwrap();
            assert_eq!(found.stratum, stratum);
            assert_eq!(matrix(&grid(found.factors.layer(1))), *found.factors.layer(1));
        }
    }
}

/// The block `C_0' V_0'` of two layers, blocks of a deep network, and blocks that leave the critical points.
#[test]
fn given_surplus_blocks_make_a_critical_point_or_are_refused() {
    let tolerances = Tolerances::default();
    let white = whitening_of_target(&Matrix::from_diagonal(3, 3, &[2.0, 1.0, 0.0]));
    let build = |widths: &[usize], blocks: &[Matrix]| {
        let architecture = Architecture::new(widths.to_vec()).unwrap();
        construct_with_surplus(&architecture, &white, &CapturedChoice::Indices(vec![1]), blocks, &tolerances)
    };
    let rows = |rows: &[[f64; 3]]| Matrix::from_rows(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>());
    let found = build(&[3, 3, 3], &[rows(&[[0.0, 0.0, 5.0], [0.0, 0.0, 1.0]]), Matrix::zeros(3, 2)]).unwrap();
    assert_eq!((found.check.holds, found.stratum.partial_rank(0, 1)), (Truth::Yes, 2));
    let column = rows(&[[0.0, 1.0, 0.0]]).transpose();
    let null_column = rows(&[[0.0, 0.0, 1.0]]).transpose();
    let deep = [rows(&[[0.0, 3.0, 1.0]]), Matrix::zeros(1, 1), null_column];
    let found = build(&[3, 2, 2, 3], &deep).unwrap();
    assert_eq!((found.check.holds, found.stratum.wrapped_rank(3, 1)), (Truth::Yes, 1));
    let says = |widths: &[usize], blocks: &[Matrix]| build(widths, blocks).unwrap_err().to_string();
    let wrong = [rows(&[[0.0, 1.0, 0.0]]), Matrix::zeros(3, 1)];
    assert!(says(&[3, 2, 3], &wrong).contains("not critical: the gradient is largest at W2"));
    assert!(says(&[3, 2, 3], &[rows(&[[0.0, 1.0, 0.0]]), column]).contains("change the product"));
    assert!(says(&[3, 3, 3], &wrong).contains("2 x 3 is needed"));
}

/// Values that differ by rounding are one to the ladder and to the construction alike, also where most of `Y` is out of
/// the reach of `X`, so that what counts as zero is wider than a tie.
#[test]
fn patterns_of_the_ladder_are_constructed_however_near_the_values_are() {
    let tolerances = Tolerances::default();
    let architecture = Architecture::new(vec![3, 2, 3]).unwrap();
    let mut tied = 0;
    for unreached in [0.0, 1e4] {
        for bits in 20..54 {
            let y = Matrix::from_diagonal(3, 3, &[2.0 + 2.0_f64.powi(-bits), 2.0, 1.0]);
            let rest = Matrix::identity(3).scaled(unreached);
            let white = Whitening::from_blocks(&Matrix::identity(3), &y.transpose(), &rest, &tolerances);
            let ladder = Ladder::new(architecture.clone(), &white, None, &tolerances).unwrap();
            let levels: Vec<usize> = ladder.levels().multiplicities().collect();
            assert_eq!(levels, TargetBlocks::new(&white, &tolerances).multiplicities(), "{unreached} {bits}");
            tied += usize::from(levels == [2, 1]);
            for rung in ladder.lowest(usize::MAX) {
                let request =
                    request(CapturedChoice::Pattern(rung.pattern), StratumChoice::Minimal, Gauge::Canonical, 0);
                construct(&architecture, &white, None, &request, &tolerances).unwrap();
            }
        }
    }
    assert!((1..68).contains(&tied), "{tied} of 68 are tied");
}
