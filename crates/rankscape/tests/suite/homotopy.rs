//! The tracker and the certificates on a family whose paths are known: `x^2 = c(t)`.

use rankscape::Tolerances;
use rankscape::homotopy::{
    Krawczyk, ParameterHomotopy, PathOutcome, Point, Program, TrackOptions, enclose, enclose_in_double_double, track,
    track_in_double_double,
};
use rankscape::linalg::scalar::C64;

/// `x^2 - c` with `c` on the way from `start` to `end`.
fn square_root(start: C64, end: C64) -> ParameterHomotopy {
    let program = Program::new(1, 1, |x, c| vec![x[0] * x[0] - c[0]]).unwrap();
    program.between(&[start], &[end]).unwrap()
}

fn from_one_to(end: C64) -> ParameterHomotopy {
    square_root(C64::new(1.0, 0.0), end)
}

/// `x^2 - c`.
fn standing_still(c: f64) -> ParameterHomotopy {
    square_root(C64::new(c, 0.0), C64::new(c, 0.0))
}

fn starts() -> Vec<Point> {
    [1.0, -1.0].map(|re| Point { chart: vec![], x: vec![C64::new(re, 0.0)] }).to_vec()
}

fn options() -> TrackOptions {
    TrackOptions::new(&Tolerances::default())
}

#[test]
fn both_roots_arrive_in_double_and_in_double_double() {
    let family = from_one_to(C64::new(-3.0, 4.0));
    for results in [track(&family, &starts(), &options()), track_in_double_double(&family, &starts(), &options())] {
        for (result, sign) in results.iter().zip([1.0, -1.0]) {
            assert_eq!(result.outcome, PathOutcome::Arrived);
            assert!((result.point.x[0] - C64::new(sign, 2.0 * sign)).norm_one() < 1e-14);
        }
    }
}

#[test]
fn paths_are_alike_whatever_runs_beside_them() {
    let family = from_one_to(C64::new(-3.0, 4.0));
    let many: Vec<Point> = starts().into_iter().cycle().take(23).collect();
    let together = track(&family, &many, &options());
    for (result, start) in together.iter().zip(&many) {
        assert_eq!(*result, track(&family, std::slice::from_ref(start), &options())[0]);
    }
    assert_eq!(together.len(), 23);
}

#[test]
fn singular_endpoints_are_reported_and_not_dropped() {
    for end in [C64::new(0.0, 0.0), C64::new(-1.0, 0.0)] {
        // To -1 the straight path meets the double root half-way.
        let results = track(&from_one_to(end), &starts(), &options());
        assert!(results.iter().all(|result| result.outcome == PathOutcome::Stalled), "{results:?}");
        let singular = 1.0 / (1.0 - end.re);
        assert!(results.iter().all(|result| (result.t - singular).abs() < 1e-6));
    }
}

#[test]
fn paths_that_stand_still_take_a_first_step_and_one_to_the_end() {
    let still = standing_still(2.25);
    let start = [Point { chart: vec![], x: vec![C64::new(1.5, 0.0)] }];
    for results in [track(&still, &start, &options()), track_in_double_double(&still, &start, &options())] {
        assert_eq!((results[0].outcome, results[0].work.steps), (PathOutcome::Arrived, 2));
    }
}

#[test]
fn steps_are_counted_exactly() {
    let work = track(&from_one_to(C64::new(-3.0, 4.0)), &starts()[..1], &options())[0].work;
    assert_eq!((work.steps, work.rejected, work.recentred), (7, 0, 0), "{work:?}");
}

#[test]
fn simple_roots_are_certified_and_double_roots_are_not() {
    let near = |re: f64| Point { chart: vec![], x: vec![C64::new(re, 0.0)] };
    let two = standing_still(2.0);
    for found in [enclose(&two, &[near(1.41425)]), enclose_in_double_double(&two, &[near(1.41425)])] {
        assert_eq!((found[0].krawczyk, found[0].is_real), (Krawczyk::Certified, true));
        assert!((found[0].point.x[0].re - std::f64::consts::SQRT_2).abs() <= found[0].radius[0]);
        assert!(found[0].radius[0] < 1e-14);
    }
    let zero = standing_still(0.0);
    assert_eq!(enclose(&zero, &[near(1e-3)])[0].krawczyk, Krawczyk::Failed);
    // A negative number has no real root, and none is certified.
    let minus = standing_still(-2.0);
    assert_eq!(enclose(&minus, &[near(0.3)])[0].krawczyk, Krawczyk::Failed);
}
