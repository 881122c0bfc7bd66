//! The squared distance from `u` to the ellipse `(x / a)^2 + (y / b)^2 = 1`: its critical points, proved real or not.

use rankscape::Tolerances;
use rankscape::homotopy::{Enclosed, Krawczyk, PathOutcome, Place, Point, System, TrackOptions, enclose, track};
use rankscape::linalg::scalar::{Ball, C64, Complex, Real, Ring};

/// Lagrange's equations `x - u_1 + l x / a^2`, `y - u_2 + l y / b^2`, `(x / a)^2 + (y / b)^2 - 1` in `(x, y, l)`, with `u` on
/// a straight way.
struct Lagrange {
    curvature: [f64; 2],
    start: [C64; 2],
    change: [C64; 2],
}

struct Work<R> {
    target: [Complex<R>; 2],
    series: Vec<[Complex<R>; 3]>,
}

impl System for Lagrange {
    type Work<R: Real> = Work<R>;

    fn size(&self) -> usize {
        3
    }

    fn chart_len(&self) -> usize {
        0
    }

    fn groups(&self) -> &[(usize, f64)] {
        &[(3, f64::MIN_POSITIVE)]
    }

    fn workspace<R: Real>(&self) -> Work<R> {
        Work { target: [Complex::zero(); 2], series: Vec::new() }
    }

    #[inline(always)]
    fn jacobian<R: Real>(
        &self,
        work: &mut Work<R>,
        at: Place<'_, R>,
        value: &mut [Complex<R>],
        jac: &mut [Complex<R>],
    ) {
        for k in 0..2 {
            work.target[k] = Complex::splat(self.start[k]).add_scaled(at.t, Complex::splat(self.change[k]));
        }
        self.value(work, at.chart, at.x, value);
        jac.fill(Complex::zero());
        for k in 0..2 {
            let curvature = Complex::splat(C64::new(self.curvature[k], 0.0));
            let normal = curvature * at.x[k];
            jac[3 * k + k] = Complex::splat(C64::new(1.0, 0.0)).add_product(curvature, at.x[2]);
            jac[3 * k + 2] = normal;
            jac[6 + k] = normal + normal;
        }
    }

    #[inline(always)]
    fn value<R: Real>(&self, work: &mut Work<R>, _: &[Complex<R>], x: &[Complex<R>], value: &mut [Complex<R>]) {
        value[2] = -Complex::splat(C64::new(1.0, 0.0));
        for k in 0..2 {
            let normal = Complex::splat(C64::new(self.curvature[k], 0.0)) * x[k];
            value[k] = (x[k] - work.target[k]).add_product(normal, x[2]);
            value[2] = value[2].add_product(normal, x[k]);
        }
    }

    #[inline(always)]
    fn series_start<R: Real>(&self, work: &mut Work<R>, _: &[Complex<R>], start: &[Complex<R>]) {
        work.series = vec![[start[0], start[1], start[2]]];
    }

    #[inline(always)]
    fn series_residual<R: Real>(&self, work: &mut Work<R>, _: &[Complex<R>], order: usize, out: &mut [Complex<R>]) {
        out[2] = Complex::zero();
        for k in 0..2 {
            out[k] = if order == 1 { -Complex::splat(self.change[k]) } else { Complex::zero() };
            for p in 1..order {
                let normal = Complex::splat(C64::new(self.curvature[k], 0.0)) * work.series[p][k];
                out[k] = out[k].add_product(normal, work.series[order - p][2]);
                out[2] = out[2].add_product(normal, work.series[order - p][k]);
            }
        }
    }

    #[inline(always)]
    fn series_extend<R: Real>(&self, work: &mut Work<R>, _: &[Complex<R>], _: usize, coefficient: &[Complex<R>]) {
        work.series.push([coefficient[0], coefficient[1], coefficient[2]]);
    }

    fn chart_distance(&self, _: &[C64]) -> f64 {
        0.0
    }

    fn recentre(&self, _: &mut [C64], _: &mut [C64]) {}
}

/// Certificates are for `u = start`, with the curvatures as the doubles they are.
impl Enclosed for Lagrange {
    type Balls<R: Real> = ();

    fn balls<R: Real>(&self) {}

    #[inline(always)]
    fn value_on<R: Real>(&self, (): &mut (), _: &[Ball<R>], x: &[Ball<R>], value: &mut [Ball<R>]) {
        value[2] = -Ball::point(C64::new(1.0, 0.0));
        for k in 0..2 {
            let normal = Ball::point(C64::new(self.curvature[k], 0.0)) * x[k];
            value[k] = (x[k] - Ball::point(self.start[k])).add_product(normal, x[2]);
            value[2] = value[2].add_product(normal, x[k]);
        }
    }

    #[inline(always)]
    fn jacobian_on<R: Real>(&self, (): &mut (), _: &[Ball<R>], x: &[Ball<R>], jac: &mut [Ball<R>]) {
        jac.fill(Ball::zero());
        for k in 0..2 {
            let curvature = Ball::point(C64::new(self.curvature[k], 0.0));
            let normal = curvature * x[k];
            jac[3 * k + k] = Ball::point(C64::new(1.0, 0.0)).add_product(curvature, x[2]);
            jac[3 * k + 2] = normal;
            jac[6 + k] = normal + normal;
        }
    }
}

/// An ellipse with half axes `a` and `b`, and all critical points for one generic complex target.
pub(crate) struct Conic {
    curvature: [f64; 2],
    generic: [C64; 2],
    points: Vec<Point>,
    tolerances: Tolerances,
}

fn real(x: f64) -> C64 {
    C64::new(x, 0.0)
}

impl Conic {
    /// The critical points are known at the centre of an ellipse (the ends of the axes), and at one point of a circle.
    pub(crate) fn new(a: f64, b: f64) -> Self {
        let (curvature, tolerances) = ([1.0 / (a * a), 1.0 / (b * b)], Tolerances::default());
        let generic = [C64::new(0.37, 0.81), C64::new(-0.59, 0.43)];
        let at = |x: f64, y: f64, l: f64| Point { chart: Vec::new(), x: vec![real(x), real(y), real(l)] };
        let (start, known) = if a == b {
            ([real(a), real(0.0)], vec![at(a, 0.0, 0.0), at(-a, 0.0, -2.0 * a * a)])
        } else {
            let (on_x, on_y) = (-a * a, -b * b);
            ([C64::zero(); 2], vec![at(a, 0.0, on_x), at(-a, 0.0, on_x), at(0.0, b, on_y), at(0.0, -b, on_y)])
        };
        let mut conic = Self { curvature, generic: start, points: known, tolerances };
        conic.points = conic.follow(generic);
        conic.generic = generic;
        conic
    }

    fn system(&self, start: [C64; 2], end: [C64; 2]) -> Lagrange {
        Lagrange { curvature: self.curvature, start, change: [end[0] - start[0], end[1] - start[1]] }
    }

    fn follow(&self, end: [C64; 2]) -> Vec<Point> {
        let results = track(&self.system(self.generic, end), &self.points, &TrackOptions::new(&self.tolerances));
        let arrived = results.into_iter().filter(|result| result.outcome == PathOutcome::Arrived);
        arrived.map(|result| result.point).collect()
    }

    /// Number of complex critical points for generic `u`: the ED degree.
    pub(crate) fn degree(&self) -> usize {
        self.points.len()
    }

    /// Number of real critical points at `u`; `None` where some point cannot be certified, as on the caustic.
    pub(crate) fn real_points(&self, u: [f64; 2]) -> Option<usize> {
        let end = u.map(real);
        let mut found = self.follow(end);
        for z in found.iter_mut().flat_map(|point| &mut point.x) {
            if z.im.abs() <= self.tolerances.real_candidate {
                z.im = 0.0;
            }
        }
        let enclosures = enclose(&self.system(end, end), &found);
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
