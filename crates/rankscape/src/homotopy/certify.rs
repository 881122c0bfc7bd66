//! Certificates: a polydisc that contains exactly one solution, by Krawczyk's operator.
//!
//! Let `x` be a point, `C` an approximate inverse of the Jacobian there, `D` the polydisc of radii `rho` around `x`, and
//! `J(D)` an enclosure of the Jacobian on `D`. If `|C F(x)|_i + sum_j |I - C J(D)|_ij rho_j < rho_i` for every `i`, then
//! `z -> z - C F(z)` maps `D` into its interior and contracts, so `D` contains exactly one solution, and it is
//! nondegenerate. If the system is real and `x` is real, `D` is its own conjugate, so that solution is real.

use num_traits::Zero;

use super::system::{Point, System};
use crate::linalg::LaneLu;
use crate::linalg::scalar::{Ball, Complex, DoubleDouble, Lanes, Real, Ring, Vectorized, vectorized};

/// How often the polydiscs that fail the test are widened and tried again.
const INFLATIONS: usize = 2;

/// What Krawczyk's test found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Krawczyk {
    /// Exactly one solution in the polydisc, nondegenerate.
    Certified,
    /// The test did not succeed; nothing is known.
    Failed,
}

/// A polished point with a polydisc around it.
#[derive(Debug, Clone)]
pub struct Enclosure {
    /// Chart and centre of the polydisc.
    pub point: Point,
    /// Radius in every coordinate.
    pub radius: Vec<f64>,
    /// Whether the polydisc is proved to hold exactly one solution.
    pub krawczyk: Krawczyk,
    /// Every centre coordinate is real, and so is the chart; then the solution of a system with real coefficients is.
    pub is_real: bool,
    /// Enclosure of the Jacobian on the polydisc, for real points: midpoints (real parts) and radii.
    pub jacobian: Option<(Vec<f64>, Vec<f64>)>,
}

/// Polishes each point by Newton's method and tries to certify it as a solution at `t = 0`, in lanes of doubles.
///
/// What is certified holds for every system that the coefficients at the start enclose ([`System::start`]).
pub fn enclose<S: System>(system: &S, points: &[Point]) -> Vec<Enclosure> {
    vectorized(InLanes { system, points })
}

/// [`enclose`] in double-double, one point at a time.
pub fn enclose_in_double_double<S: System>(system: &S, points: &[Point]) -> Vec<Enclosure> {
    let mut space = Space::<S, DoubleDouble>::new(system);
    points.iter().flat_map(|point| space.enclose(std::slice::from_ref(point), 6)).collect()
}

struct InLanes<'a, S> {
    system: &'a S,
    points: &'a [Point],
}

impl<S: System> Vectorized for InLanes<'_, S> {
    type Output = Vec<Enclosure>;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> Vec<Enclosure> {
        let mut space = Space::<S, Lanes<FUSED>>::new(self.system);
        let mut out = Vec::with_capacity(self.points.len());
        for group in self.points.chunks(crate::linalg::scalar::WIDTH) {
            out.extend(space.enclose(group, 2));
        }
        out
    }
}

struct Space<'a, S: System, R: Real> {
    system: &'a S,
    evaluation: S::Scratch<Complex<R>>,
    balls: S::Scratch<Ball<R>>,
    lu: LaneLu<R>,
    chart: Vec<Complex<R>>,
    x: Vec<Complex<R>>,
    value: Vec<Complex<R>>,
    jac: Vec<Complex<R>>,
    inverse: Vec<Complex<R>>,
    ball_chart: Vec<Ball<R>>,
    ball_x: Vec<Ball<R>>,
    ball_value: Vec<Ball<R>>,
    ball_jac: Vec<Ball<R>>,
    reach: Vec<R>,
}

impl<'a, S: System, R: Real> Space<'a, S, R> {
    fn new(system: &'a S) -> Self {
        let size = system.size();
        let space = |len: usize| vec![Complex::zero(); len];
        let balls = |len: usize| vec![Ball::zero(); len];
        Self {
            system,
            evaluation: system.start(),
            balls: system.start(),
            lu: LaneLu::new(size),
            chart: space(system.chart_len()),
            x: space(size),
            value: space(size),
            jac: space(size * size),
            inverse: space(size * size),
            ball_chart: balls(system.chart_len()),
            ball_x: balls(size),
            ball_value: balls(size),
            ball_jac: balls(size * size),
            reach: vec![R::zero(); size],
        }
    }

    /// Certifies up to `LANES` points after `polish` Newton iterations.
    #[inline(always)]
    fn enclose(&mut self, points: &[Point], polish: usize) -> Vec<Enclosure> {
        for lane in 0..R::LANES {
            // Idle lanes repeat the last point.
            let point = &points[lane.min(points.len() - 1)];
            self.chart.iter_mut().zip(&point.chart).for_each(|(z, &value)| z.set(lane, value));
            self.x.iter_mut().zip(&point.x).for_each(|(z, &value)| z.set(lane, value));
        }
        for _ in 0..polish {
            self.system.evaluate(&mut self.evaluation, &self.chart, &self.x, &mut self.value, Some(&mut self.jac));
            self.lu.factor(&self.jac);
            self.lu.solve(&mut self.value);
            self.x.iter_mut().zip(&self.value).for_each(|(x, &change)| *x = *x - change);
        }
        self.invert();
        let first = self.choose_radii();
        let mut inside = self.contracts(&first);
        for _ in 0..INFLATIONS {
            if inside.iter().all(|&lane| lane) {
                break;
            }
            self.inflate(&inside);
            inside = self.contracts(&first);
        }
        (0..points.len()).map(|lane| self.result(lane, inside[lane])).collect()
    }

    /// An approximate inverse of the Jacobian of the last iteration, column by column.
    #[inline(always)]
    fn invert(&mut self) {
        let n = self.system.size();
        for (col, column) in self.inverse.chunks_exact_mut(n).enumerate() {
            column.fill(Complex::zero());
            column[col].re = R::splat(1.0);
            self.lu.solve(column);
        }
    }

    /// Bounds of `|C F(x)|`; sets radii to twice that, or to a few rounding errors of the coordinate.
    #[inline(always)]
    fn choose_radii(&mut self) -> Vec<R> {
        let n = self.system.size();
        self.ball_chart.iter_mut().zip(&self.chart).for_each(|(ball, &z)| *ball = Ball::new(z, R::zero()));
        self.ball_x.iter_mut().zip(&self.x).for_each(|(ball, &z)| *ball = Ball::new(z, R::zero()));
        self.system.evaluate(&mut self.balls, &self.ball_chart, &self.ball_x, &mut self.ball_value, None);
        let mut first = vec![R::zero(); n];
        for (i, first) in first.iter_mut().enumerate() {
            let mut sum = Ball::zero();
            for j in 0..n {
                sum = sum.add_product(Ball::new(self.inverse[j * n + i], R::zero()), self.ball_value[j]);
            }
            *first = sum.magnitude();
            let rounding = self.x[i].norm_one() * R::splat(8.0 * R::ROUNDOFF) + R::splat(1e-290);
            self.ball_x[i].radius = (*first + *first).max(rounding);
        }
        first
    }

    /// Widens the polydiscs that are not mapped into their interior to twice the image: a coordinate near zero needs a
    /// radius that the others decide.
    #[inline(always)]
    fn inflate(&mut self, inside: &[bool]) {
        for (ball, reach) in self.ball_x.iter_mut().zip(&self.reach) {
            for lane in (0..R::LANES).filter(|&lane| !inside[lane]) {
                let wider = (2.0 * reach.get(lane)).max(ball.radius.get(lane));
                ball.radius.set(lane, wider);
            }
        }
    }

    /// Lanes in which the polydisc is mapped into its interior. The image has radius `reach`.
    #[inline(always)]
    fn contracts(&mut self, first: &[R]) -> Vec<bool> {
        let n = self.system.size();
        let jacobian = Some(self.ball_jac.as_mut_slice());
        self.system.evaluate(&mut self.balls, &self.ball_chart, &self.ball_x, &mut self.ball_value, jacobian);
        let one = Ball::new(Complex::new(R::splat(1.0), R::zero()), R::zero());
        let up = R::splat(1.0 + 64.0 * f64::EPSILON);
        let mut inside = vec![true; R::LANES];
        for i in 0..n {
            let mut reach = first[i];
            for j in 0..n {
                let mut entry = if i == j { one } else { Ball::zero() };
                for k in 0..n {
                    entry = entry.add_product(Ball::new(-self.inverse[k * n + i], R::zero()), self.ball_jac[k * n + j]);
                }
                reach = (reach + entry.magnitude() * self.ball_x[j].radius) * up;
            }
            for (lane, inside) in inside.iter_mut().enumerate() {
                // False also when either is not a number.
                *inside &= reach.get(lane) < self.ball_x[i].radius.get(lane);
            }
            self.reach[i] = reach;
        }
        inside
    }

    fn result(&self, lane: usize, inside: bool) -> Enclosure {
        let read = |list: &[Complex<R>]| list.iter().map(|z| z.get(lane)).collect::<Vec<_>>();
        let point = Point { chart: read(&self.chart), x: read(&self.x) };
        // The centre may carry more digits than a double: the radius takes them up.
        let radius = self.ball_x.iter().zip(&self.x).map(|(ball, x)| {
            (ball.radius.get(lane) + x.re.rest(lane).abs() + x.im.rest(lane).abs()) * (1.0 + 8.0 * f64::EPSILON)
        });
        let is_real =
            point.chart.iter().chain(&point.x).all(|z| z.im == 0.0) && self.x.iter().all(|x| x.im.rest(lane) == 0.0);
        let jacobian = is_real.then(|| {
            let mid = self.ball_jac.iter().map(|ball| ball.mid.re.get(lane)).collect();
            // The imaginary part of the midpoint, if any, and its lower digits belong to the radius.
            let radius = self.ball_jac.iter().map(|ball| {
                let lost = ball.mid.im.get(lane).abs() + ball.mid.im.rest(lane).abs() + ball.mid.re.rest(lane).abs();
                (ball.radius.get(lane) + lost) * (1.0 + 8.0 * f64::EPSILON)
            });
            (mid, radius.collect())
        });
        let krawczyk = if inside { Krawczyk::Certified } else { Krawczyk::Failed };
        Enclosure { radius: radius.collect(), point, krawczyk, is_real, jacobian }
    }
}
