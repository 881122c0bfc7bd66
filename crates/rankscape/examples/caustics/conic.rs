//! The squared distance from `u` to the ellipse `(x / a)^2 + (y / b)^2 = 1`: its critical points, proved real or not.

use rankscape::homotopy::{Krawczyk, PathOutcome, Point, Program, TrackOptions, enclose, track};
use rankscape::linalg::scalar::C64;
use rankscape::{InputError, Tolerances};

/// Lagrange's equations in `(x, y, l)` with parameters `u`, the curvatures being the doubles they are.
fn lagrange([p, q]: [f64; 2]) -> Result<Program, InputError> {
    Program::new(3, 2, |z, u| {
        let (x, y, l) = (z[0], z[1], z[2]);
        vec![x - u[0] + l * (p * x), y - u[1] + l * (q * y), p * x * x + q * y * y - 1.0]
    })
}

/// An ellipse with half axes `a` and `b`, and all critical points for one generic complex target.
pub(crate) struct Conic {
    equations: Program,
    generic: [C64; 2],
    points: Vec<Point>,
    tolerances: Tolerances,
}

fn real(x: f64) -> C64 {
    C64::new(x, 0.0)
}

impl Conic {
    /// The critical points are known at the centre of an ellipse (the ends of the axes), and at one point of a circle.
    pub(crate) fn new(a: f64, b: f64) -> Result<Self, InputError> {
        let (equations, tolerances) = (lagrange([1.0 / (a * a), 1.0 / (b * b)])?, Tolerances::default());
        let generic = [C64::new(0.37, 0.81), C64::new(-0.59, 0.43)];
        let at = |x: f64, y: f64, l: f64| Point { chart: Vec::new(), x: vec![real(x), real(y), real(l)] };
        let (start, known) = if a == b {
            ([real(a), real(0.0)], vec![at(a, 0.0, 0.0), at(-a, 0.0, -2.0 * a * a)])
        } else {
            let (on_x, on_y) = (-a * a, -b * b);
            ([real(0.0); 2], vec![at(a, 0.0, on_x), at(-a, 0.0, on_x), at(0.0, b, on_y), at(0.0, -b, on_y)])
        };
        let mut conic = Self { equations, generic: start, points: known, tolerances };
        conic.points = conic.follow(generic)?;
        conic.generic = generic;
        Ok(conic)
    }

    fn follow(&self, end: [C64; 2]) -> Result<Vec<Point>, InputError> {
        let moving = self.equations.between(&self.generic, &end)?;
        let results = track(&moving, &self.points, &TrackOptions::new(&self.tolerances));
        let arrived = results.into_iter().filter(|result| result.outcome == PathOutcome::Arrived);
        Ok(arrived.map(|result| result.point).collect())
    }

    /// Number of complex critical points for generic `u`: the ED degree.
    pub(crate) fn degree(&self) -> usize {
        self.points.len()
    }

    /// Number of real critical points at `u`; `None` where some point cannot be certified, as on the caustic.
    pub(crate) fn real_points(&self, u: [f64; 2]) -> Option<usize> {
        let end = u.map(real);
        let mut found = self.follow(end).ok()?;
        for z in found.iter_mut().flat_map(|point| &mut point.x) {
            if z.im.abs() <= self.tolerances.real_candidate {
                z.im = 0.0;
            }
        }
        let enclosures = enclose(&self.equations.at(&end).ok()?, &found);
        let certified = enclosures.iter().filter(|one| one.krawczyk == Krawczyk::Certified).count();
        (certified == self.degree()).then(|| enclosures.iter().filter(|one| one.is_real).count())
    }

    /// Where the number of real critical points changes on the ray from the centre in direction `angle`, by bisection of
    /// `[0, reach]`, to `width`; `None` if it is the same at both ends.
    pub(crate) fn caustic(&self, angle: f64, reach: f64, width: f64) -> Option<f64> {
        let count = |s: f64| self.real_points([s * angle.cos(), s * angle.sin()]);
        // Off the centre, which is on the caustic of a circle.
        let (mut low, mut high) = (0.001 * reach, reach);
        let inside = count(low)?;
        if count(high)? == inside {
            return None;
        }
        while high - low > width {
            let middle = low + 0.49 * (high - low);
            match count(middle) {
                Some(found) if found == inside => low = middle,
                Some(_) => high = middle,
                None => return Some(middle),
            }
        }
        Some(0.5 * (low + high))
    }
}

/// The caustic of an ellipse in closed form: `(a u_1)^(2/3) + (b u_2)^(2/3) = (a^2 - b^2)^(2/3)`, as the distance from the
/// centre in direction `angle`.
pub(crate) fn evolute(a: f64, b: f64, angle: f64) -> f64 {
    let root = |x: f64| x.abs().powf(2.0 / 3.0);
    (a * a - b * b).abs() / (root(a * angle.cos()) + root(b * angle.sin())).powf(1.5)
}
