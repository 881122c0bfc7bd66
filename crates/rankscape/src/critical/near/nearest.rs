//! The point nearest to the start where the words of a pattern are zero: sequential quadratic programming.
//!
//! Each step solves `min ||x - start||` under the linearized equations, so a fixed point is a point of the stratum from which
//! the start lies in a normal direction. The multipliers come from conjugate gradients on `J J'`, started from those before.

use super::linearization::{Blocks, Linearization};
use super::rung::{Coordinates, Rung};
use super::word::Word;
use crate::linalg::Matrix;

/// Steps towards the nearest point, and Newton steps onto the stratum at the end.
const STEPS: usize = 40;
const LANDING_STEPS: usize = 25;
/// Iterations of the linear solver in one step.
const INNER: usize = 400;
/// A step of this part of the distance ends the search for the nearest point.
const SETTLED: f64 = 2e-3;
/// Relative accuracy of the multipliers.
const ACCURACY: f64 = 1e-3;

/// A point of a stratum.
pub(super) struct Landed {
    pub(super) layers: Vec<Matrix>,
    /// `||x - start||` in the coordinates of the search.
    pub(super) distance: f64,
}

/// What a search costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Patterns whose nearest point was searched.
    pub patterns: usize,
    /// Patterns that a lower bound of the distance ruled out.
    pub pruned: usize,
    /// Steps of sequential quadratic programming and of Newton's method.
    pub steps: usize,
    /// Applications of a linearization with its transpose.
    pub iterations: usize,
}

pub(super) struct Solver<'a> {
    pub(super) coordinates: &'a Coordinates,
    pub(super) rung: &'a Rung,
    pub(super) words: &'a [Word],
    pub(super) work: Work,
}

impl Solver<'_> {
    /// The nearest point; `None` where the steps do not converge or lead farther away than `limit`.
    pub(super) fn solve(&mut self, limit: f64) -> Option<Landed> {
        let mut x = self.coordinates.start.clone();
        let mut multipliers: Option<Blocks> = None;
        for step in 0..STEPS {
            let here = Linearization::new(self.coordinates, self.rung, self.words, &x);
            let value = here.value();
            let defect = norm(&value);
            let moved = difference(&x, &self.coordinates.start);
            let right_side = subtracted(here.apply(&moved), &value);
            let start = multipliers.take().unwrap_or_else(|| zeros(&value));
            let found = self.multipliers(&here, &right_side, start, damping(defect, &self.coordinates.norms));
            let towards = here.adjoint(&found);
            let goal: Vec<Matrix> = self.coordinates.start.iter().zip(&towards).map(|(a, b)| a + b).collect();
            let length = self.coordinates.distance(&goal);
            if !length.is_finite() || (step == 0 && length > 2.0 * limit) {
                return None;
            }
            let leap = difference(&goal, &x);
            let size = self.weighted(&leap);
            let price = 2.0 * norm(&found);
            let merit = |point: &[Matrix]| {
                let value = Linearization::new(self.coordinates, self.rung, self.words, point).value();
                0.5 * self.coordinates.distance(point).powi(2) + price * norm(&value)
            };
            let before = 0.5 * self.weighted(&moved).powi(2) + price * defect;
            let mut t = 1.0;
            let mut next = along(&x, &leap, t);
            while t > 0.02 && merit(&next) > before * (1.0 + 1e-12) {
                t *= 0.5;
                next = along(&x, &leap, t);
            }
            drop(here);
            x = next;
            multipliers = Some(found);
            if t * size <= SETTLED * length {
                break;
            }
        }
        self.land(x, limit)
    }

    /// Newton steps of minimal norm onto the stratum.
    fn land(&mut self, mut x: Vec<Matrix>, limit: f64) -> Option<Landed> {
        let size = self.coordinates.size();
        let mut best = f64::INFINITY;
        for _ in 0..LANDING_STEPS {
            let here = Linearization::new(self.coordinates, self.rung, self.words, &x);
            let value = here.value();
            let defect = norm(&value);
            if !defect.is_finite() || defect > 10.0 * best {
                return None;
            }
            if defect <= 1e-15 * size || (defect <= 1e-12 * size && defect > 0.5 * best) {
                best = defect.min(best);
                break;
            }
            best = defect.min(best);
            let found = self.multipliers(&here, &value, zeros(&value), damping(defect, &self.coordinates.norms));
            let step = here.adjoint(&found);
            x = along(&x, &step, -1.0);
        }
        let distance = self.coordinates.distance(&x);
        (best <= 1e-9 * size && distance <= limit).then_some(Landed { layers: x, distance })
    }

    /// Solves `(J J' + damping^2) m = b`.
    fn multipliers(&mut self, here: &Linearization<'_>, b: &[Matrix], start: Blocks, damping: f64) -> Blocks {
        self.work.steps += 1;
        let operator = |m: &[Matrix]| {
            let mut image = here.apply(&here.adjoint(m));
            add(&mut image, damping * damping, m);
            image
        };
        let mut m = start;
        let mut rest = if norm(&m) > 0.0 { subtracted(b.to_vec(), &operator(&m)) } else { b.to_vec() };
        let mut direction = rest.clone();
        let mut square = dot(&rest, &rest);
        let goal = (ACCURACY * norm(b)).powi(2);
        for _ in 0..INNER {
            if square <= goal || !square.is_finite() {
                break;
            }
            let image = operator(&direction);
            self.work.iterations += 1;
            let curvature = dot(&direction, &image);
            if curvature <= 0.0 {
                break;
            }
            let t = square / curvature;
            add(&mut m, t, &direction);
            add(&mut rest, -t, &image);
            let next = dot(&rest, &rest);
            let ratio = next / square;
            for (d, r) in direction.iter_mut().zip(&rest) {
                *d = d.scaled(ratio);
                d.add_scaled(1.0, r);
            }
            square = next;
        }
        m
    }

    fn weighted(&self, direction: &[Matrix]) -> f64 {
        direction.iter().zip(&self.coordinates.weights).map(|(d, w)| w * d.frobenius_norm()).fold(0.0, f64::hypot)
    }
}

/// Singular values of the linearization that the defect alone can have made must not be divided by.
fn damping(defect: f64, norms: &[f64]) -> f64 {
    let size = norms.iter().copied().fold(0.0, f64::max);
    1e-9 + (0.03 * defect / size).min(0.03)
}

fn along(x: &[Matrix], step: &[Matrix], t: f64) -> Vec<Matrix> {
    let mut out = x.to_vec();
    add(&mut out, t, step);
    out
}

fn difference(a: &[Matrix], b: &[Matrix]) -> Vec<Matrix> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn subtracted(mut a: Blocks, b: &[Matrix]) -> Blocks {
    add(&mut a, -1.0, b);
    a
}

fn add(a: &mut [Matrix], t: f64, b: &[Matrix]) {
    a.iter_mut().zip(b).for_each(|(a, b)| a.add_scaled(t, b));
}

fn zeros(like: &[Matrix]) -> Blocks {
    like.iter().map(|m| Matrix::zeros(m.nrows(), m.ncols())).collect()
}

fn dot(a: &[Matrix], b: &[Matrix]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.dot(b)).sum()
}

fn norm(a: &[Matrix]) -> f64 {
    a.iter().map(Matrix::frobenius_norm).fold(0.0, f64::hypot)
}
