//! Facts about orbits of two-layer critical points, and the places where the printed list of eigenvalues is not right.

use super::orthogonal;
use num_traits::Zero;
use rankscape::Tolerances;
use rankscape::hessian::HessianOperator;
use rankscape::hessian::orbit::{
    balanced_curvature_bound, bound_near_balance, bound_on_orbit, canonical_point, imbalance, interval_on_orbit,
    on_orbit, orbit_norm,
};
use rankscape::linalg::{Matrix, spectral_norm, symmetric_eigenvalues};
use rankscape::network::SquareNetwork;
use rankscape::random::Stream;
use testkit::exact;
use testkit::grid::Grid;
use testkit::reference::Network;
use testkit::scalar::{Rational, Scalar};

fn eigenvalues(w: &Matrix, s: &Matrix, z: &Matrix) -> Vec<f64> {
    let network = SquareNetwork::new(vec![s.clone(), w.clone()], None, z.clone());
    symmetric_eigenvalues(&HessianOperator::new(&network, vec![1.0; 2]).to_dense()).unwrap()
}

struct Point {
    w: Matrix,
    s: Matrix,
    z: Matrix,
    kept: Vec<f64>,
    omitted: f64,
    units: usize,
}

/// A canonical point with random kept directions and spare units, zeros among the kept values.
fn draw(stream: &mut Stream) -> Point {
    let pick = |stream: &mut Stream, low: i64, high: i64| stream.integer(low, high) as usize;
    let (m, n, k) = (pick(stream, 1, 4), pick(stream, 1, 4), pick(stream, 1, 4));
    let values: Vec<f64> = (0..m.min(n)).map(|_| [0.0, 0.5, 1.0, 2.0, 2.0][pick(stream, 0, 4)]).collect();
    let value = |i: usize| values.get(i).copied().unwrap_or(0.0);
    let (u, v) = (orthogonal(stream, m), orthogonal(stream, n));
    let mut chosen: Vec<usize> = (0..m).filter(|_| stream.integer(0, 1) == 0).take(k).collect();
    chosen.sort_by(|&a, &b| value(b).total_cmp(&value(a)));
    let (mut w, mut s) = (Matrix::zeros(m, k), Matrix::zeros(k, n));
    for (j, &i) in chosen.iter().enumerate() {
        w.set_block(0, j, &u.columns(i, i + 1));
        if i < n {
            s.set_block(j, 0, &v.columns(i, i + 1).transpose().scaled(value(i)));
        }
    }
    let q = chosen.len();
    for j in (0..n).filter(|&j| value(j) == 0.0) {
        let c = stream.normal_matrix(k - q, 1).scaled(stream.integer(0, 1) as f64);
        let old = s.block(q, 0, k - q, n);
        s.set_block(q, 0, &(&old + &(&c * &v.columns(j, j + 1).transpose())));
    }
    let omitted = (0..m).filter(|i| !chosen.contains(i)).map(value).fold(0.0, f64::max);
    let z = &(&u * &Matrix::from_diagonal(m, n, &values)) * &v.transpose();
    Point { w, s, z, kept: chosen.iter().map(|&i| value(i)).collect(), omitted, units: k }
}

#[test]
fn canonical_points_are_recovered_from_anywhere_on_the_orbit() {
    let tolerances = Tolerances::default();
    for seed in 0..1500 {
        let mut stream = Stream::new(81, seed);
        let point = draw(&mut stream);
        let a = stream.normal_matrix(point.units, point.units);
        if orbit_norm(&a) > 30.0 {
            continue;
        }
        let (w, s) = on_orbit(&point.w, &point.s, &a).unwrap();
        let found = canonical_point(&w, &s, &point.z, &tolerances).unwrap();
        let what = format!("seed {seed}: {found:?}");
        let (back_w, back_s) = on_orbit(&found.w, &found.s, &found.a).unwrap();
        assert!((&back_w - &w).max_abs() < 1e-10 && (&back_s - &s).max_abs() < 1e-9, "{what}");
        let q = point.kept.len();
        assert!(
            found.kept.len() == q && found.kept.iter().zip(&point.kept).all(|(a, b)| (a - b).abs() < 1e-10),
            "{what}"
        );
        let gram = found.w.transpose_times(&found.w);
        let projection = Matrix::from_fn(point.units, point.units, |i, j| f64::from(u8::from(i == j && i < q)));
        assert!((&gram - &projection).max_abs() < 1e-12, "{what}");
        // Rows of C_0'V_0' are orthogonal to the kept directions, and the target sends them to zero.
        let spare = found.s.block(q, 0, point.units - q, point.z.ncols());
        assert!(found.s.block(0, 0, q, point.z.ncols()).times_transpose(&spare).max_abs() < 1e-9, "{what}");
        assert!(point.z.times_transpose(&spare).max_abs() < 1e-9, "{what}");
    }
}

#[test]
fn bounds_along_an_orbit_and_near_balance_hold() {
    let tolerances = Tolerances::default();
    let (mut used, mut sharp) = (0, 0);
    for seed in 0..1500 {
        let mut stream = Stream::new(82, seed);
        let point = draw(&mut stream);
        let lambda = eigenvalues(&point.w, &point.s, &point.z)[0];
        let mut a = stream.normal_matrix(point.units, point.units);
        if seed % 3 == 0 {
            // Near balance: the scaling that balances kept units, and a small step.
            let root = |i: usize| point.kept.get(i).map_or(1.0, |s| s.max(0.25).sqrt());
            a = &Matrix::from_fn(point.units, point.units, |i, j| if i == j { root(i) } else { 0.0 }) + &a.scaled(0.05);
        }
        if orbit_norm(&a) > 30.0 {
            continue;
        }
        let (w, s) = on_orbit(&point.w, &point.s, &a).unwrap();
        let here = eigenvalues(&w, &s, &point.z)[0];
        let what = format!("seed {seed}: {lambda} {here}");
        let (low, high) = interval_on_orbit(lambda.min(0.0), &a);
        assert!(low - 1e-9 <= here && here <= high + 1e-9, "{what} in {low} {high}");
        let error = spectral_norm(&(&(&w * &s) - &point.z));
        assert!((error - point.omitted).abs() < 1e-9, "{what}");
        if let Some(bound) = bound_on_orbit(&w, &s, &point.z, &tolerances) {
            assert!((bound + error).abs() < 1e-9 && here <= bound + 1e-9, "{what}: {bound}");
            used += 1;
        }
        let bound = bound_near_balance(&w, &s, &point.z).unwrap();
        assert!(here <= bound + 1e-9, "{what}: {bound}");
        let smallest = if point.kept.len() < point.units { 0.0 } else { point.kept[point.units - 1] };
        let linear = smallest - error + 0.5 * imbalance(&w, &s);
        assert!(bound <= linear + 1e-9, "{what}: {bound} {linear}");
        sharp += usize::from(error > 0.0 && (bound - linear).abs() < 1e-9);
    }
    assert!(used > 50 && sharp > 20, "{used} {sharp}");
}

#[test]
fn the_least_curvature_of_balanced_strict_saddles_is_met_and_not_undercut() {
    for seed in 0..400 {
        let mut stream = Stream::new(83, seed);
        let (size, units) = (stream.integer(1, 4) as usize, stream.integer(1, 5) as usize);
        let mut values: Vec<f64> =
            (0..size).map(|_| [0.0, 1.0, 2.0, 2.0, 3.5, 5.0][stream.integer(0, 5) as usize]).collect();
        values.sort_by(|a, b| b.total_cmp(a));
        let z = Matrix::from_diagonal(size, size, &values);
        let mut least: Option<f64> = None;
        let at = |captured: &[usize]| {
            let (mut w, mut s) = (Matrix::zeros(size, units), Matrix::zeros(units, size));
            for (j, &i) in captured.iter().enumerate() {
                (w[(i, j)], s[(j, i)]) = (values[i].sqrt(), values[i].sqrt());
            }
            eigenvalues(&w, &s, &z)[0]
        };
        for mask in 0..1_usize << size {
            let captured: Vec<usize> = (0..size).filter(|i| mask >> i & 1 == 1).collect();
            if captured.len() > units || captured.iter().any(|&i| values[i] == 0.0) {
                continue;
            }
            let smallest = at(&captured);
            if smallest < -1e-9 {
                least = Some(least.map_or(smallest, |l| l.max(smallest)));
            }
        }
        let found = balanced_curvature_bound(&values, units, 1e-9);
        assert_eq!(found.is_some(), least.is_some(), "{values:?} {units}");
        if let (Some(found), Some(least)) = (found, least) {
            assert!((found.value - least).abs() < 1e-9, "{values:?} {units}: {found:?} {least}");
            let captured: Vec<usize> = found.captured.iter().map(|i| i - 1).collect();
            assert!((at(&captured) - least).abs() < 1e-9, "{values:?} {units}: {found:?}");
        }
    }
}

/// How often `value` is an eigenvalue, and how many are smaller, over the rationals.
fn count(w: &[Vec<i64>], s: &[Vec<i64>], z: &[Vec<i64>], value: i64) -> (usize, usize) {
    let grid = |rows: &[Vec<i64>]| {
        Grid::from_rows(&rows.iter().map(|row| row.iter().map(|&x| Rational::integer(x)).collect()).collect::<Vec<_>>())
    };
    let (w, s, z) = (grid(w), grid(s), grid(z));
    let network = Network::new(vec![s, w], Grid::identity(z.cols()), z);
    assert!(network.gradient().iter().all(Zero::is_zero), "not critical");
    let hessian = network.hessian();
    let shifted = hessian.sub(&Grid::identity(hessian.rows()).scale(&Rational::integer(value)));
    let found = exact::inertia(&shifted);
    (found.zero, found.negative)
}

#[test]
fn the_smallest_eigenvalue_has_the_smallest_kept_value_in_it() {
    // Z = diag(3, 2, 1), kept 2 and 1: p = 1. With lambda_k = 1 (38) gives -2; with lambda_p = 2 (36) gives -0.85.
    let z = [vec![3, 0, 0], vec![0, 2, 0], vec![0, 0, 1]];
    let w = [vec![0, 0], vec![1, 0], vec![0, 1]];
    let s = [vec![0, 2, 0], vec![0, 0, 1]];
    assert_eq!(count(&w, &s, &z, -2), (1, 0));
}

#[test]
fn a_canonical_point_with_fewer_columns_than_units_can_be_a_global_minimum() {
    // Z = diag(1, 0), k = m = 2, q = 1: Theorem 3.3(c) calls it a strict saddle; W S = Z.
    let z = [vec![1, 0], vec![0, 0]];
    assert_eq!(count(&[vec![1, 0], vec![0, 0]], &[vec![1, 0], vec![0, 0]], &z, 0).1, 0);
}

#[test]
fn spare_units_against_null_directions_have_eigenvalue_zero() {
    // m = 1, n = 2, k = 2, q = 1, C_0 = 0: B.2 counts the eigenvalue 1 twice, once by "Lemma B.3" for the spare unit.
    let (w, s, z) = ([vec![1, 0]], [vec![1, 0], vec![0, 0]], [vec![1, 0]]);
    let found: Vec<usize> = [0, 1, 2].iter().map(|&value| count(&w, &s, &z, value).0).collect();
    assert_eq!(found, [4, 1, 1]);
}

#[test]
fn eigenvectors_do_not_lift_where_spare_units_carry_something() {
    // The same with C_0 = 1: the eigenvalue 1 that Lemma B.7 lifts is gone, 1 + omega = 2 has taken its place.
    let (w, s, z) = ([vec![1, 0]], [vec![1, 0], vec![0, 1]], [vec![1, 0]]);
    let found: Vec<usize> = [0, 1, 2].iter().map(|&value| count(&w, &s, &z, value).0).collect();
    assert_eq!(found, [4, 0, 2]);
}

#[test]
fn kept_directions_against_spare_units_give_zeros() {
    // m = n = 1, k = 2, q = 1: B.2 has 2 (k - q)^2 = 2 more eigenvalues of the form of Lemma B.5, 0 and 2.
    let (w, s, z) = ([vec![1, 0]], [vec![1], vec![0]], [vec![1]]);
    assert_eq!([count(&w, &s, &z, 0).0, count(&w, &s, &z, 2).0], [3, 1]);
}

#[test]
fn neighbouring_values_do_not_bound_the_curvature_of_balanced_saddles() {
    // Values 4, 3, 1 and two units: the remark after Theorem 4.3 takes 4 - 3; the saddle that keeps 3 and omits 4 also
    // keeps 1, and has -3. The least is 3 - 1.
    let found = balanced_curvature_bound(&[4.0, 3.0, 1.0], 2, 0.0).unwrap();
    assert_eq!((found.value, found.captured), (-2.0, vec![1, 3]));
}
