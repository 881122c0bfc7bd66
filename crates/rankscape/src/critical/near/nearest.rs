//! The point nearest to the start where the words of a pattern are zero.
//!
//! Newton steps of minimal norm lead from the start onto the stratum; from there the distance to the start goes down along the
//! stratum: steps along conjugate tangential directions, each followed by Newton steps back. Linear systems are solved
//! for the multipliers of the equations, by preconditioned conjugate gradients on `J J'`.

use super::linearization::{Blocks, Linearization};
use super::rung::{Coordinates, Rung};
use super::word::Word;
use crate::linalg::Matrix;

/// Steps along the stratum, and Newton steps onto it.
const STEPS: usize = 60;
const LANDING_STEPS: usize = 40;
const RETURN_STEPS: usize = 8;
/// Iterations of the linear solver in one step.
const INNER: usize = 100;
/// The search ends where the tangential part of the way to the start, or the gain of a step, is at most this part of it.
const TANGENTIAL: f64 = 1e-2;
pub(super) const GAIN: f64 = 1e-4;
/// Singular values of the linearization below this are left to the Newton steps after a step along the stratum.
const TANGENTIAL_DAMPING: f64 = 1e-5;
/// A stratum whose normal distance exceeds the best one by this factor is given up.
const HOPELESS: f64 = 1.2;
/// Relative accuracy of the multipliers.
const ACCURACY: f64 = 1e-3;
/// A landing is exact, good enough for a step along the stratum, or has failed: the defect against the size, and against the
/// distance from the start.
const EXACT: f64 = 1e-15;
const FEASIBLE: f64 = 1e-4;
const FAILED: f64 = 1e-10;

/// A point of a stratum.
pub(super) struct Landed {
    pub(super) layers: Vec<Matrix>,
    /// `||x - start||` in the coordinates of the search.
    pub(super) distance: f64,
    /// Its zeros are exact, whatever the size of the layers.
    pub(super) is_exact: bool,
}

/// What a search costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NearWork {
    /// Patterns whose nearest point was searched.
    pub patterns: usize,
    /// Patterns that a lower bound of the distance ruled out.
    pub pruned: usize,
    /// Linear systems solved.
    pub steps: usize,
    /// Iterations of conjugate gradients.
    pub iterations: usize,
}

pub(super) struct Solver<'a> {
    pub(super) coordinates: &'a Coordinates,
    pub(super) rung: &'a Rung,
    pub(super) words: &'a [Word],
    pub(super) work: NearWork,
}

impl Solver<'_> {
    /// A point of the stratum that Newton steps reach from `start`; `None` where they leave the ball of radius `limit`.
    pub(super) fn reach(&mut self, start: Vec<Matrix>, limit: f64) -> Option<Landed> {
        let (layers, _) = self.land(start, LANDING_STEPS, FEASIBLE, limit)?;
        let distance = self.coordinates.distance(&layers);
        Some(Landed { layers, distance, is_exact: false })
    }

    /// The nearest point that steps along the stratum reach, to `FEASIBLE`; `None` where it is not within `limit`.
    pub(super) fn approach(&mut self, from: Landed, limit: f64) -> Option<Landed> {
        let Landed { layers: mut x, mut distance, .. } = from;
        let mut previous: Option<(Vec<Matrix>, Vec<Matrix>)> = None;
        let mut reach = 1.0;
        for _ in 0..STEPS {
            let here = Linearization::new(self.coordinates, self.rung, self.words, &x);
            let way = difference(&self.coordinates.start, &x);
            let multipliers = self.multipliers(&here, &here.apply(&way), TANGENTIAL_DAMPING);
            let tangent = difference(&way, &here.adjoint(&multipliers));
            drop(here);
            let square = self.inner(&tangent, &tangent);
            let normal = (distance * distance - square).max(0.0).sqrt();
            if normal > HOPELESS * limit {
                return None;
            }
            if square.sqrt() <= TANGENTIAL * distance {
                break;
            }
            let mut direction = tangent.clone();
            if let Some((before, old)) = &previous {
                let ratio = self.inner(&tangent, &difference(&tangent, before)) / self.inner(before, before);
                add(&mut direction, ratio.max(0.0), old);
                if self.inner(&direction, &tangent) <= 0.0 {
                    direction.clone_from(&tangent);
                }
            }
            let mut next = None;
            for _ in 0..6 {
                let trial = self.land(along(&x, &direction, reach), RETURN_STEPS, FEASIBLE, f64::INFINITY);
                next = trial.map(|(y, _)| (self.coordinates.distance(&y), y)).filter(|(d, _)| *d < distance);
                if next.is_some() {
                    break;
                }
                reach /= 3.0;
            }
            let Some((shorter, y)) = next else { break };
            let gain = distance - shorter;
            (x, distance) = (y, shorter);
            if gain <= GAIN * distance {
                break;
            }
            previous = Some((tangent, direction));
            reach = (1.5 * reach).min(2.0);
        }
        (distance <= limit).then_some(Landed { layers: x, distance, is_exact: false })
    }

    /// The same point with all digits.
    pub(super) fn settle(&mut self, from: Landed) -> Option<Landed> {
        let (mut layers, defect) = self.land(from.layers, LANDING_STEPS, EXACT, f64::INFINITY)?;
        self.coordinates.clear(&mut layers, self.rung.rank());
        let distance = self.coordinates.distance(&layers);
        (defect <= FAILED * self.coordinates.size()).then_some(Landed { layers, distance, is_exact: false })
    }

    /// Newton steps of minimal norm onto the stratum until the defect is `wanted` relative to the distance from the start (or
    /// to the size where `wanted` is exact), or no smaller any more; the last point with its defect.
    fn land(&mut self, start: Vec<Matrix>, steps: usize, wanted: f64, limit: f64) -> Option<(Vec<Matrix>, f64)> {
        let mut x = start;
        let mut here = Linearization::new(self.coordinates, self.rung, self.words, &x).value();
        let mut defect = norm(&here);
        for _ in 0..steps {
            let scale =
                if wanted > EXACT { self.coordinates.distance(&x).max(defect) } else { self.coordinates.size() };
            if defect <= wanted * scale || !defect.is_finite() {
                break;
            }
            let linear = Linearization::new(self.coordinates, self.rung, self.words, &x);
            let multipliers = self.multipliers(&linear, &here, self.damping(defect));
            let step = linear.adjoint(&multipliers);
            let mut t = 1.0;
            let mut next = along(&x, &step, -t);
            let mut value = Linearization::new(self.coordinates, self.rung, self.words, &next).value();
            while norm(&value) >= defect && t > 0.1 {
                t *= 0.5;
                next = along(&x, &step, -t);
                value = Linearization::new(self.coordinates, self.rung, self.words, &next).value();
            }
            drop(linear);
            let smaller = norm(&value);
            if smaller >= defect || smaller.is_nan() {
                break;
            }
            let slow = smaller > 0.5 * defect && defect <= FAILED * self.coordinates.size();
            (x, here, defect) = (next, value, smaller);
            if slow {
                break;
            }
            if self.coordinates.distance(&x) > limit {
                return None;
            }
        }
        let done = defect <= FAILED * self.coordinates.size()
            || defect <= 10.0 * wanted.max(FEASIBLE) * self.coordinates.distance(&x);
        done.then_some((x, defect))
    }

    /// Singular values of the linearization that the defect alone can have made must not be divided by.
    fn damping(&self, defect: f64) -> f64 {
        1e-9 + (0.1 * defect / self.coordinates.size()).min(0.1)
    }

    fn inner(&self, a: &[Matrix], b: &[Matrix]) -> f64 {
        let parts = a.iter().zip(b).zip(&self.coordinates.weights);
        parts.map(|((a, b), weight)| weight * weight * a.dot(b)).sum()
    }

    /// Solves `(J J' + damping^2) m = b`.
    fn multipliers(&mut self, here: &Linearization<'_>, b: &[Matrix], damping: f64) -> Blocks {
        self.work.steps += 1;
        let operator = |m: &[Matrix]| {
            let mut image = here.apply(&here.adjoint(m));
            add(&mut image, damping * damping, m);
            image
        };
        let approximate = here.preconditioners();
        let precondition =
            |r: &[Matrix]| -> Blocks { r.iter().zip(&approximate).map(|(r, p)| p.apply(r, damping)).collect() };
        let mut m: Blocks = b.iter().map(|block| Matrix::zeros(block.nrows(), block.ncols())).collect();
        let mut rest = b.to_vec();
        let mut conditioned = precondition(&rest);
        let mut direction = conditioned.clone();
        let mut square = dot(&rest, &conditioned);
        let goal = ACCURACY * norm(b);
        for _ in 0..INNER {
            if norm(&rest) <= goal || !square.is_finite() || square <= 0.0 {
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
            conditioned = precondition(&rest);
            let next = dot(&rest, &conditioned);
            let ratio = next / square;
            for (d, r) in direction.iter_mut().zip(&conditioned) {
                *d = d.scaled(ratio);
                d.add_scaled(1.0, r);
            }
            square = next;
        }
        m
    }
}

fn along(x: &[Matrix], step: &[Matrix], t: f64) -> Vec<Matrix> {
    let mut out = x.to_vec();
    add(&mut out, t, step);
    out
}

fn difference(a: &[Matrix], b: &[Matrix]) -> Vec<Matrix> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn add(a: &mut [Matrix], t: f64, b: &[Matrix]) {
    a.iter_mut().zip(b).for_each(|(a, b)| a.add_scaled(t, b));
}

fn dot(a: &[Matrix], b: &[Matrix]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.dot(b)).sum()
}

fn norm(a: &[Matrix]) -> f64 {
    a.iter().map(Matrix::frobenius_norm).fold(0.0, f64::hypot)
}
