//! Moves a critical point along the symmetries of the critical set towards another point.
//!
//! With `g_k` invertible at the inner nodes and `(g_0, g_h)` that fix the captured product and the residual, the
//! factors `g_k W_k g_{k-1}^{-1}` are critical again, with the same ranks of all composites, hence of the same class.
//! So every step of the walk is a critical point whatever the step, and no tolerance decides that.

use super::frame::Frame;
use super::ridge;
use crate::grid::Dense;
use crate::jacobi;

/// Most accepted or refused steps of one walk.
const STEPS: usize = 80;
/// A symmetry that moves the point by less than this, relative to the norm of all weights, moves rounding only.
const ROUNDING: f64 = 1e-11;
/// Most that a walk may blow up the rounding of its start.
const GROWTH: f64 = 1e4;

/// A point on its way, in the coordinates of a frame.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    frame: Frame,
    captured: Vec<usize>,
    start: Vec<Dense>,
    point: Vec<Dense>,
    /// The group element that has led from the start to the point, one matrix a node, and its inverse.
    element: Vec<(Dense, Dense)>,
    /// Rounding of the entries of the start.
    rounding: f64,
    /// `||theta - theta*||`.
    pub distance: f64,
}

/// One infinitesimal symmetry: matrices at some of the nodes.
#[derive(Debug, Clone)]
enum Symmetry {
    /// Any matrix at an inner node.
    Inner { node: usize, matrix: Dense },
    /// Matrices at the two ends.
    Ends { first: Dense, last: Dense },
    /// Rotation of a captured direction and an omitted one with the same singular value.
    Tie { captured: usize, omitted: usize },
}

impl Walk {
    pub(super) fn new(frame: &Frame, captured: &[usize], point: Vec<Dense>) -> Self {
        let distance = distance(frame, &point);
        let element = frame.widths().into_iter().map(|n| (Dense::identity(n), Dense::identity(n))).collect();
        let rounding = 1e-15 * norm(&entries(frame, frame.factors.clone()));
        Self {
            frame: frame.clone(),
            captured: captured.to_vec(),
            start: point.clone(),
            point,
            element,
            rounding,
            distance,
        }
    }

    /// The point as weights.
    pub(super) fn weights(&self, network: &crate::reference::Network<f64>) -> Vec<Dense> {
        self.frame.leave(network, &self.point)
    }

    /// Walks until the distance stops falling (Levenberg and Marquardt).
    pub(super) fn go(&mut self, bases: &[Dense]) {
        let symmetries = symmetries(&self.frame, &self.captured, bases);
        let mut damping = 1e-4_f64;
        let mut slow = 0;
        let mut system = None;
        for _ in 0..STEPS {
            let (jacobian, residual, sizes) = system.take().unwrap_or_else(|| self.linearized(&symmetries));
            let weights: Vec<f64> = sizes.iter().map(|size| damping.sqrt() * size).collect();
            let step = ridge::damped(&jacobian, &residual, &weights);
            match self.moved(&symmetries, &step) {
                Some(moved) => {
                    slow = if moved.distance > 0.9999 * self.distance { slow + 1 } else { 0 };
                    *self = moved;
                    damping = (0.1 * damping).max(1e-20);
                    if slow >= 3 || self.distance == 0.0 {
                        return;
                    }
                }
                None if damping > 1e4 => return,
                None => {
                    damping *= 30.0;
                    system = Some((jacobian, residual, sizes));
                }
            }
        }
    }

    /// Derivatives of the entries of theta*, one column for each symmetry, the entries of `theta* - theta`, and the
    /// norms of the columns. What moves nothing but rounding counts as large, lest the walk blow rounding up.
    fn linearized(&self, symmetries: &[Symmetry]) -> (Dense, Vec<f64>, Vec<f64>) {
        let columns: Vec<Vec<f64>> = symmetries.iter().map(|symmetry| self.derivative(symmetry)).collect();
        let residual = residual(&self.frame, &self.point);
        let scale = norm(&entries(&self.frame, self.frame.factors.clone()));
        let size = |column: &Vec<f64>| {
            let norm = norm(column);
            if norm > ROUNDING * scale { norm } else { scale.max(f64::MIN_POSITIVE) }
        };
        let sizes = columns.iter().map(size).collect();
        (Dense::from_fn(residual.len(), columns.len(), |i, j| columns[j][i]), residual, sizes)
    }

    fn derivative(&self, symmetry: &Symmetry) -> Vec<f64> {
        let h = self.point.len();
        let mut steps: Vec<Dense> =
            self.point.iter().map(|factor| Dense::zeros(factor.rows(), factor.cols())).collect();
        match symmetry {
            Symmetry::Inner { node, matrix } => {
                steps[node - 1] = matrix.matmul(&self.point[node - 1]);
                steps[*node] = self.point[*node].matmul(matrix).scale(&-1.0);
            }
            Symmetry::Ends { first, last } => {
                steps[0] = self.point[0].matmul(first).scale(&-1.0);
                steps[h - 1] = steps[h - 1].add(&last.matmul(&self.point[h - 1]));
            }
            Symmetry::Tie { captured, omitted } => {
                let skew = |n: usize| skew(n, *captured, *omitted);
                steps[0] = self.point[0].matmul(&skew(self.point[0].cols())).scale(&-1.0);
                steps[h - 1] = steps[h - 1].add(&skew(self.point[h - 1].rows()).matmul(&self.point[h - 1]));
            }
        }
        entries(&self.frame, steps)
    }

    /// The point after a step, if it is nearer and the rounding of the start has not grown to its distance.
    fn moved(&self, symmetries: &[Symmetry], step: &[f64]) -> Option<Self> {
        let widths = self.frame.widths();
        let h = self.point.len();
        let mut elements: Vec<Dense> = widths.iter().map(|&width| Dense::identity(width)).collect();
        let mut moved = self.clone();
        for (symmetry, &length) in symmetries.iter().zip(step) {
            match symmetry {
                Symmetry::Inner { node, matrix } => elements[*node] = elements[*node].add(&matrix.scale(&length)),
                Symmetry::Ends { first, last } => {
                    elements[0] = elements[0].add(&first.scale(&length));
                    elements[h] = elements[h].add(&last.scale(&length));
                }
                // In turned coordinates the captured set is made of coordinates again: theta turns back instead.
                Symmetry::Tie { captured, omitted } => turn(&mut moved.frame, *captured, *omitted, length),
            }
        }
        let inverses: Vec<Dense> = elements.iter().map(Dense::inverse).collect::<Option<_>>()?;
        for ((forth, back), (step, inverse)) in moved.element.iter_mut().zip(elements.iter().zip(&inverses)) {
            (*forth, *back) = (step.matmul(forth), back.matmul(inverse));
        }
        // From the start in one go, so that the rounding of one step is not blown up by the next ones.
        let factor = |k: usize| moved.element[k + 1].0.matmul(&self.start[k]).matmul(&moved.element[k].1);
        moved.point = (0..h).map(factor).collect();
        let growth = (0..h).map(|k| moved.element[k + 1].0.norm() * moved.element[k].1.norm()).fold(0.0, f64::max);
        moved.distance = distance(&moved.frame, &moved.point);
        let harmless = growth < GROWTH && growth * self.rounding < 1e-4 * moved.distance;
        (harmless && moved.distance < self.distance).then_some(moved)
    }
}

/// Generators of the symmetries: at inner nodes the elementary matrices in the given bases, at the ends what commutes
/// with the residual.
fn symmetries(frame: &Frame, captured: &[usize], bases: &[Dense]) -> Vec<Symmetry> {
    let widths = frame.widths();
    let h = frame.factors.len();
    let unit = |n: usize, i: usize, j: usize| Dense::from_fn(n, n, |a, b| f64::from(u8::from((a, b) == (i, j))));
    let mut found = Vec::new();
    for (node, basis) in (1..h).zip(bases) {
        let Some(inverse) = basis.inverse() else { continue };
        for i in 0..widths[node] {
            for j in 0..widths[node] {
                let matrix = basis.matmul(&unit(widths[node], i, j)).matmul(&inverse);
                found.push(Symmetry::Inner { node, matrix });
            }
        }
    }
    let positive = frame.values.len();
    let free = |n: usize| (0..n).filter(|i| !captured.contains(i)).collect::<Vec<_>>();
    let omitted = |i: usize| i < positive;
    let (first, last) = (widths[0], widths[h]);
    let ends = |a: Dense, b: Dense| Symmetry::Ends { first: a, last: b };
    for &i in &free(last) {
        for &j in &free(last) {
            if omitted(i) && omitted(j) {
                let ratio = frame.values[i] / frame.values[j];
                found.push(ends(unit(first, i, j).scale(&ratio), unit(last, i, j)));
            } else if !omitted(i) {
                found.push(ends(Dense::zeros(first, first), unit(last, i, j)));
            }
        }
    }
    for &i in &free(first) {
        found.extend(
            free(first).into_iter().filter(|&j| !omitted(j)).map(|j| ends(unit(first, i, j), Dense::zeros(last, last))),
        );
    }
    for &a in captured {
        let tied = |b: &usize| !captured.contains(b) && frame.blocks[*b] == frame.blocks[a];
        found.extend((0..positive).filter(tied).map(|b| Symmetry::Tie { captured: a, omitted: b }));
    }
    found
}

/// Bases of the inner nodes: the captured part, then the spare part by the size of what arrives in it.
pub(super) fn bases(captured: &[Dense], spare: &[Dense], arrows: &[Dense]) -> Vec<Dense> {
    let orthonormal = |matrix: &Dense| {
        let vectors = jacobi::right_singular(&matrix.transpose()).1;
        vectors.columns(&(0..matrix.cols()).collect::<Vec<_>>())
    };
    let node = |k: usize| {
        let order = jacobi::right_singular(&arrows[k + 1].transpose()).1;
        orthonormal(&captured[k]).beside(&spare[k].matmul(&order))
    };
    (0..captured.len()).map(node).collect()
}

fn skew(n: usize, i: usize, j: usize) -> Dense {
    let sign = |a: usize, b: usize| f64::from(u8::from((a, b) == (i, j))) - f64::from(u8::from((a, b) == (j, i)));
    Dense::from_fn(n, n, sign)
}

/// Turns the singular vectors of two equal values.
fn turn(frame: &mut Frame, i: usize, j: usize, angle: f64) {
    let rotation = |n: usize| {
        let (sin, cos) = angle.sin_cos();
        let mut matrix = Dense::identity(n).add(&skew(n, i, j).scale(&sin));
        matrix[(i, i)] = cos;
        matrix[(j, j)] = cos;
        matrix
    };
    let (right, left) = (rotation(frame.unwhiten.rows()), rotation(frame.left.rows()));
    let last = frame.factors.len() - 1;
    frame.unwhiten = right.transpose().matmul(&frame.unwhiten);
    frame.left = frame.left.matmul(&left);
    frame.factors[0] = frame.factors[0].matmul(&right);
    frame.factors[last] = left.transpose().matmul(&frame.factors[last]);
}

/// `theta* - theta`, all entries in coordinates in which the Frobenius norm is that of the weights as given.
fn residual(frame: &Frame, point: &[Dense]) -> Vec<f64> {
    entries(frame, point.iter().zip(&frame.factors).map(|(a, b)| a.sub(b)).collect())
}

fn entries(frame: &Frame, mut steps: Vec<Dense>) -> Vec<f64> {
    steps[0] = steps[0].matmul(&frame.unwhiten);
    steps.iter().flat_map(|step| step.entries().iter().copied()).collect()
}

fn distance(frame: &Frame, point: &[Dense]) -> f64 {
    norm(&residual(frame, point))
}

fn norm(entries: &[f64]) -> f64 {
    entries.iter().map(|entry| entry * entry).sum::<f64>().sqrt()
}
