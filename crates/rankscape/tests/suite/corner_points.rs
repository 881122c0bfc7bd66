//! Corners of a diagnosis: signs over the rationals off critical points, targets of rank zero, ties and cancellation in
//! single precision, products that cancel.

use crate::points::{exact_point, grid, matrix, samples};
use rankscape::answers::{self, Diagnosis, Settings, SpectrumAnswer, diagnose};
use rankscape::certificate::Certificate;
use rankscape::critical::CriticalClass;
use rankscape::evidence::{Grade, Truth};
use rankscape::hessian::{InertiaMethod, LARGEST_RATIONAL, Part, SpectrumRequest};
use rankscape::linalg::Matrix;
use rankscape::multiplication::{Factors, MapPoint, reach};
use rankscape::problem::{Parameters, Problem};
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::grid::{Dense, Grid};
use testkit::random::Draw;
use testkit::reference::{Network, product};
use testkit::scalar::{Rational, Scalar};

/// Unit roundoff of f32.
const SINGLE: f64 = 1.0 / 16_777_216.0;

/// Against the dense rational Hessian of the test kit and its own elimination.
#[test]
fn signs_off_critical_points_of_exact_input_are_exact() {
    let (mut off, mut flat) = (0, 0);
    for seed in 0..150 {
        let mut draw = Draw::new(81, seed);
        let depth = draw.size(1, 3);
        let widths: Vec<usize> = (0..=depth).map(|_| draw.size(1, 3)).collect();
        let samples = draw.size(1, 3);
        let mut sparse = |rows, cols| {
            Grid::from_fn(rows, cols, |_, _| Rational::integer(if draw.chance(0.4) { 0 } else { draw.integer(-2, 2) }))
        };
        let weights: Vec<_> = widths.windows(2).map(|pair| sparse(pair[1], pair[0])).collect();
        let network = Network::new(weights, sparse(widths[0], samples), sparse(widths[depth], samples));
        let hessian = network.hessian();
        assert!(hessian.rows() <= LARGEST_RATIONAL);
        let expected = testkit::exact::inertia(&hessian);
        let at = format!("seed {seed} {network:?}");
        let found = answers::hessian(&exact_point(&network), SpectrumRequest::default(), Settings::default());
        let SpectrumAnswer { class, findings: found, .. } = found.unwrap();
        let inertia = found.inertia.unwrap();
        assert_eq!(
            (inertia.negative, inertia.zero, inertia.positive),
            (expected.negative, expected.zero, expected.positive),
            "{at}"
        );
        assert_eq!(found.evidence.grade, Grade::Exact, "{at}");
        let values = found.eigenvalues.unwrap();
        let zeros = values.iter().filter(|value| **value == 0.0).count();
        assert_eq!(zeros, expected.zero, "{at}: {values:?}");
        if class == CriticalClass::NotCritical {
            assert_eq!(found.inertia_method, InertiaMethod::Elimination, "{at}");
            off += 1;
            flat += usize::from(expected.zero > 0);
        }
        let request = SpectrumRequest { part: Part::Residual, ..SpectrumRequest::default() };
        let rest = answers::hessian(&exact_point(&network), request, Settings::default()).unwrap();
        // The rest is the Hessian minus J'J, which is the Hessian where the residual is zero.
        let fitted = Network { y: network.y.add(&network.residual()), ..network.clone() };
        let residual_part = hessian.sub(&fitted.hessian());
        let expected = testkit::exact::inertia(&residual_part);
        let inertia = rest.findings.inertia.unwrap();
        assert_eq!((inertia.negative, inertia.positive), (expected.negative, expected.positive), "{at}");
    }
    println!("off {off} flat {flat}");
    assert!(off >= 80 && flat >= 40, "{off} {flat}");
}

/// `Y` orthogonal to `X`: the whitened target is zero, and in double precision it is not.
#[test]
fn what_exact_data_show_to_be_zero_is_printed_as_zero() {
    let column =
        |entries: &[(i64, i64)]| Grid::from_fn(entries.len(), 1, |i, _| Rational::ratio(entries[i].0, entries[i].1));
    // Rows of X are equal and sum against Y to zero; W2 W1 = 0 in fractions that double precision rounds.
    let x = Grid::from_fn(2, 3, |_, j| Rational::integer([1, 1, 0][j]));
    let y = Grid::from_fn(2, 3, |i, j| Rational::integer([[1, -1, 3], [0, 0, 1]][i][j]));
    let w1 = column(&[(1, 3), (1, 7)]).matmul(&column(&[(1, 1), (1, 1)]).transpose());
    let w2 = column(&[(1, 1), (0, 1)]).matmul(&column(&[(3, 10), (-7, 10)]).transpose());
    let network = Network::new(vec![w1, w2], x, y);
    let found = diagnose(&exact_point(&network), Settings::default()).unwrap();
    assert_eq!(found.class, CriticalClass::GlobalMinimum);
    assert!(found.spectrum.iter().all(|value| *value == 0.0), "{:?}", found.spectrum);
    assert_eq!(found.captured, Some(vec![]));
}

fn point(weights: &[Dense], y: &Dense) -> Problem {
    let matrices: Vec<Matrix> = weights.iter().map(matrix).collect();
    let x = Dense::identity(weights[0].cols());
    Problem::new(Parameters::from(matrices).stored_in(SINGLE), samples(&x, y, None)).unwrap()
}

fn single(m: &Dense) -> Dense {
    Dense::from_fn(m.rows(), m.cols(), |i, j| f64::from(m[(i, j)] as f32))
}

fn diagnosis_in_single(problem: &Problem) -> Diagnosis {
    diagnose(problem, Settings::default()).unwrap()
}

/// Two singular values closer than f32 can tell: one class, one set of captured directions.
#[test]
fn values_that_the_class_takes_for_equal_are_one_block_of_the_captured_set() {
    for (case, distance) in [0.0, 3e-9, 3e-8, 1e-7].into_iter().enumerate() {
        let mut draw = Draw::new(82, case as u64);
        let angle = 0.1 + draw.uniform();
        let y = Dense::from_fn(3, 3, |i, j| if i == j { [1.0 + distance, 1.0, 0.2][i] } else { 0.0 });
        let u = Dense::from_fn(3, 1, |i, _| [angle.cos(), angle.sin(), 0.0][i]);
        let found = diagnosis_in_single(&point(&[single(&u.transpose().matmul(&y)), single(&u)], &y));
        assert_eq!(found.class, CriticalClass::GlobalMinimum, "{distance:e}");
        assert_eq!(found.captured, Some(vec![1]), "{distance:e}");
    }
}

/// `W_h ... W_1 = 0` before rounding to f32, and `Y = 0`: a global minimum whose gradient is rounding errors over rounding
/// errors. The norm of what cancels is that of the factors.
#[test]
fn products_that_vanish_in_single_precision_have_a_small_relative_gradient() {
    let mut largest = 0.0_f64;
    for seed in 0..200 {
        let mut draw = Draw::new(83, seed);
        let (inputs, hidden, outputs) = (draw.size(1, 4), draw.size(2, 5), draw.size(1, 4));
        let mut normal = |rows, cols| Dense::from_fn(rows, cols, |_, _| draw.normal());
        // W_1 has rank one with the column u, and the rows of W_2 are orthogonal to it.
        let (u, v) = (normal(hidden, 1), normal(1, inputs));
        let free = normal(outputs, hidden);
        let share = free.matmul(&u).scale(&(1.0 / u.dot(&u)));
        let weights = [single(&u.matmul(&v)), single(&free.sub(&share.matmul(&u.transpose())))];
        let y = Dense::zeros(outputs, inputs);
        let at = format!("seed {seed}");
        let stored = point(&weights, &y);
        let found = diagnosis_in_single(&stored);
        assert!(
            found.critical && found.gradient_relative <= found.gradient_threshold,
            "{at}: {}",
            found.gradient_relative
        );
        assert_eq!((found.class, found.captured.as_deref()), (CriticalClass::GlobalMinimum, Some(&[][..])), "{at}");
        largest = largest.max(found.gradient_relative);
        let verified =
            Certificate::new(&stored, &found, &Tolerances::default()).unwrap().verify(&Tolerances::default());
        assert_ne!(verified.valid(), Truth::No, "{at}: {verified:#?}");
        // A target far above the rounding errors.
        let seen = product(&weights).add(&normal(outputs, inputs));
        assert!(!diagnosis_in_single(&point(&weights, &seen)).critical, "{at}");
    }
    println!("largest relative gradient {largest:e}");
}

/// Large factors that cancel: a "yes" means that the product is the target, not that rounding could hide it.
#[test]
fn a_target_counts_as_reached_only_when_the_error_is_small_beside_it() {
    let tolerances = Tolerances::default();
    let (mut reached, mut refused) = (0, 0);
    for seed in 0..200 {
        let mut draw = Draw::new(84, seed);
        let size = 10.0_f64.powi(draw.integer(0, 9) as i32);
        let u = Dense::from_fn(3, 1, |_, _| draw.normal());
        let free = Dense::from_fn(2, 3, |_, _| draw.normal());
        let across = free.sub(&free.matmul(&u).scale(&(1.0 / u.dot(&u))).matmul(&u.transpose()));
        let line = Dense::from_fn(1, 2, |_, _| draw.normal());
        let weights = [u.matmul(&line).scale(&size), across.scale(&size)];
        let factors = Factors::new(weights.iter().map(matrix).collect()).unwrap();
        let target = Dense::from_fn(2, 2, |_, _| 1e-3 * draw.normal());
        let point = MapPoint::stored(factors, UNIT_ROUNDOFF, &tolerances);
        let found = reach(&point, &matrix(&target), None, &tolerances).unwrap();
        let Some(factors) = found.factors else {
            refused += 1;
            continue;
        };
        let all: Vec<Dense> = factors.matrices().iter().map(grid).collect();
        let error = product(&all).sub(&target);
        let (error, wanted) = (error.dot(&error).sqrt(), target.dot(&target).sqrt());
        let allowed = tolerances.reach_product * (wanted + found.distance_target);
        assert!(error <= allowed, "seed {seed} size {size:e}: {error:e} of {wanted:e}");
        assert!(found.relative_error.unwrap() * wanted <= allowed, "seed {seed} size {size:e}");
        reached += 1;
    }
    println!("reached {reached} refused {refused}");
    assert!(reached >= 60 && refused >= 20, "{reached} {refused}");
}
