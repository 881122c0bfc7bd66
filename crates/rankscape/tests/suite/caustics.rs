//! Caustics with a closed form: the evolute of an ellipse, and a plane of targets of weighted rank-one approximation.

#[path = "../../examples/caustics/conic.rs"]
mod conic;

use conic::{Conic, evolute};
use rankscape::Tolerances;
use rankscape::quadratic::{Instance, Metric, SegmentOptions, Shape, Solver, StartSet, TargetSpace};

#[test]
fn the_caustic_of_an_ellipse_is_its_evolute_and_that_of_a_circle_a_point() {
    for (a, b) in [(1.5, 1.0), (0.7, 2.0)] {
        let ellipse = Conic::new(a, b).unwrap();
        assert_eq!(ellipse.degree(), 4);
        for ray in 0..24 {
            let angle = 0.1 + 0.26 * f64::from(ray);
            let (found, known) = (ellipse.caustic(angle, 6.0, 1e-9).unwrap(), evolute(a, b, angle));
            // Certificates in double precision end within about 1e-8 of the caustic.
            assert!((found - known).abs() < 1e-7, "{a} {b} {angle}: {found} {known}");
            let count = |s: f64| ellipse.real_points([s * angle.cos(), s * angle.sin()]);
            assert_eq!((count(0.99 * known), count(1.01 * known)), (Some(4), Some(2)));
        }
    }
    let circle = Conic::new(1.0, 1.0).unwrap();
    assert_eq!(circle.degree(), 2);
    for ray in 0..24 {
        assert_eq!(circle.caustic(0.1 + 0.26 * f64::from(ray), 6.0, 1e-9), None);
    }
    assert_eq!(circle.real_points([0.0, 0.0]), None, "every point of the circle is critical");
}

/// Weights `[[1, w], [w, 1]]` and targets `diag(p, q)`: the critical points of rank one are `diag(p, 0)`, `diag(0, q)`, and
/// those with off-diagonal entries `b = c` or `b = -c`, `b^2 = |a d|`, where `(1 - w^2) a = p -+ w q`, `(1 - w^2) d = q -+ w p` and `a d`
/// has the sign of `b c`. For `p, q > 0` and `w < 1` there are four real ones if `w < p / q < 1 / w`, and two outside. Three points
/// meet there, which certificates can tell apart down to a distance of about 1e-7 in the parameter, so a change may be isolated
/// less well than elsewhere.
#[test]
fn segments_meet_the_caustic_of_a_weighted_metric_where_its_closed_form_is() {
    let start = StartSet::shipped(Shape { m: 2, n: 2, r: 1 }).unwrap();
    let solver = Solver::new(start, Tolerances::default(), 1).unwrap();
    let diagonal = |p: f64, q: f64| vec![p, 0.0, 0.0, q];
    let segment = |w: f64, from: (f64, f64), to: (f64, f64)| {
        let instance = Instance {
            id: "w".into(),
            rows: 2,
            cols: 2,
            rank: 1,
            metric: Metric::Weights(vec![1.0, w, w, 1.0]),
            target: diagonal(from.0, from.1),
            convention: TargetSpace::Metric,
        };
        solver.segment(&instance, &diagonal(to.0, to.1), SegmentOptions::default()).unwrap()
    };
    for w in [0.25, 0.5, 0.8] {
        // p runs from 0.1 to 9.9 while q = 3: in at p = 3 w, out at p = 3 / w unless that is too far.
        let found = segment(w, (0.1, 3.0), (9.9, 3.0));
        let known: Vec<f64> = [3.0 * w, 3.0 / w].iter().filter(|&&p| p < 9.9).map(|p| (p - 0.1) / 9.8).collect();
        assert!(found.undecided.is_empty(), "{w}: {:?}", found.undecided);
        assert_eq!(found.crossings.len(), known.len(), "{w}");
        // The lowest value at diag(9.9, 3), with diag(9.9, 0), is 9; diag(0, 3) has 98.01.
        assert!(found.end.real.iter().any(|point| (point.value - 98.01).abs() < 1e-9), "{w}");
        for (crossing, t) in found.crossings.iter().zip(&known) {
            assert!(crossing.high - crossing.low <= SegmentOptions::default().coarse_width);
            assert!(crossing.low <= t + 1e-12 && t - 1e-12 <= crossing.high, "{w}: {t} {crossing:?}");
            assert_eq!(crossing.before.min(crossing.after), 2);
            assert_eq!(crossing.before.max(crossing.after), 4);
        }
    }
    // Equal weights: the two lines meet in p = q, where singular values repeat, and the count is two on both sides.
    let found = segment(1.0, (0.1, 3.0), (2.7, 3.0));
    assert!(found.crossings.is_empty() && found.undecided.is_empty());
}
