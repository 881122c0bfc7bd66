//! Coordinates in which a product metric is the Frobenius norm: there Eckart and Young give every critical point.

use super::chart;
use super::kernel::Shape;
use super::loss::{MetricKind, QuadraticLoss};
use crate::determinantal::{DistanceCriticalPoint, EckartYoung, EckartYoungDiscriminant, eckart_young_discriminant};
use crate::homotopy::Point;
use crate::linalg::interval::Interval;
use crate::linalg::scalar::C64;
use crate::linalg::{Matrix, svd, symmetric_eigen};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Most families that are listed.
const MOST_FAMILIES: usize = 1000;

/// The critical points of a loss whose metric is a product over the rationals, by the singular values of its target.
///
/// Floating point: singular values that differ by at most the tolerance `tie` count as equal.
#[derive(Debug, Clone, PartialEq)]
pub struct WhitenedTarget {
    /// Distance to the nearest target with two equal singular values, in the norm of the loss; and the singular values.
    pub discriminant: EckartYoungDiscriminant,
    /// All critical points of the rank asked for, isolated ones and families; at most 1000.
    pub families: Vec<DistanceCriticalPoint>,
    blocks: Vec<(f64, usize)>,
}

impl WhitenedTarget {
    pub(super) fn new(loss: &QuadraticLoss, coordinates: &WhiteCoordinates, tolerances: &Tolerances) -> Self {
        let discriminant = eckart_young_discriminant(&coordinates.target.scaled(loss.norm_unit), loss.shape().r);
        let spectrum = &discriminant.spectrum;
        // Whitening multiplies rounding errors by the condition number at most.
        let size = (loss.shape().n as f64).sqrt() * spectrum.first().copied().unwrap_or(0.0);
        let unit = UNIT_ROUNDOFF * size * loss.condition;
        let grouped = EckartYoung::new(spectrum, tolerances.rank * unit, tolerances.tie * unit);
        let families = grouped.critical_points(loss.shape().r, MOST_FAMILIES);
        Self { discriminant, families, blocks: grouped.blocks }
    }

    /// Isolated critical points.
    pub fn isolated(&self) -> usize {
        self.families.iter().filter(|family| family.dimension == 0).count()
    }

    /// What repeated and zero singular values do to the count; `None` if there are neither.
    pub(super) fn degenerate_reason(&self, certified: usize, rank: usize) -> Option<String> {
        let zeros = self.discriminant.spectrum.len() - self.blocks.iter().map(|block| block.1).sum::<usize>();
        let repeated: Vec<String> = self
            .blocks
            .iter()
            .filter(|block| block.1 > 1)
            .map(|(value, count)| format!("{value:.6} ({count} times)"))
            .collect();
        if repeated.is_empty() && zeros == 0 {
            return None;
        }
        let mut causes = Vec::new();
        if !repeated.is_empty() {
            causes.push(format!("repeats singular values up to rounding errors, {}", repeated.join(", ")));
        }
        if zeros > 0 {
            let values = if zeros == 1 { "value" } else { "values" };
            causes.push(format!(
                "has {zeros} singular {values} zero up to rounding errors, which no critical point of rank {rank} keeps"
            ));
        }
        let families: Vec<&DistanceCriticalPoint> =
            self.families.iter().filter(|family| family.dimension > 0).collect();
        let named: Vec<String> = families.iter().take(4).map(|family| self.grassmannian(family)).collect();
        let more = if families.len() > named.len() { ", ..." } else { "" };
        let list = if named.is_empty() { String::new() } else { format!(": {}{more}", named.join(", ")) };
        Some(format!(
            "the whitened target {}; if they are so, isolated critical points: {}, of which {certified} are certified; families: {}{list}",
            causes.join(" and "),
            self.isolated(),
            families.len(),
        ))
    }

    fn grassmannian(&self, family: &DistanceCriticalPoint) -> String {
        let moving = family.pattern.iter().zip(&self.blocks).filter(|&(&kept, &(_, count))| kept > 0 && kept < count);
        let factors: Vec<String> = moving.map(|(kept, (_, count))| format!("Gr({kept}, {count})")).collect();
        format!("{} of dimension {}", factors.join(" x "), family.dimension)
    }
}

/// The metric `R (x) C` of the solver and its whitened target `R^(1/2) Q C^(1/2)`, in the solver's units.
pub(super) struct WhiteCoordinates {
    /// `R^(-1/2)`
    rows: Matrix,
    /// `C^(-1/2)`
    cols: Matrix,
    target: Matrix,
}

impl WhiteCoordinates {
    /// `None` unless the metric is a product over the rationals, and at full rank, where nothing degenerates.
    pub(super) fn new(loss: &QuadraticLoss) -> Option<Self> {
        if loss.kind != (MetricKind::Product { exact: true }) || loss.is_full_rank() {
            return None;
        }
        let Shape { m, n, .. } = loss.shape();
        let entries = m * n;
        let mid = |x: &Interval| 0.5 * x.low + 0.5 * x.high;
        let form = |row: usize, col: usize| mid(&loss.form[row * entries + col]);
        let best = (0..entries).max_by(|&e, &f| form(e, e).total_cmp(&form(f, f)))?;
        let (b, c) = (best / n, best % n);
        let scale = form(best, best).sqrt();
        let rows = inverse_root(&Matrix::from_fn(m, m, |i, k| form(i * n + c, k * n + c) / scale))?;
        let cols = inverse_root(&Matrix::from_fn(n, n, |j, l| form(b * n + j, b * n + l) / scale))?;
        // b = R Q C, so R^(-1/2) b C^(-1/2) is what is wanted.
        let target = &(&rows * &Matrix::from_fn(m, n, |i, j| mid(&loss.linear[i * n + j]))) * &cols;
        Some(Self { rows, cols, target })
    }

    /// The points of Eckart and Young, `R^(-1/2) sum_S s_k u_k v_k' C^(-1/2)` for all `r` of the positive singular values,
    /// before rounding.
    pub(super) fn points(&self, shape: Shape) -> Vec<Point> {
        let Shape { m, n, r } = shape;
        let svd = svd(&self.target);
        let complex = |value: f64| C64::new(value, 0.0);
        let point = |chosen: &[usize]| {
            let u = Matrix::from_fn(m, r, |i, a| svd.u.column(chosen[a])[i]);
            let v = Matrix::from_fn(r, n, |a, j| svd.s[chosen[a]] * svd.v.column(chosen[a])[j]);
            let (x, y) = (&self.rows * &u, &v * &self.cols);
            let x: Vec<C64> = (0..m * r).map(|e| complex(x[(e / r, e % r)])).collect();
            let y: Vec<C64> = (0..r * n).map(|e| complex(y[(e / n, e % n)])).collect();
            chart::point(shape, &x, &y)
        };
        let sets = (0_u32..1 << m).filter(|set| set.count_ones() as usize == r);
        let chosen = sets.map(|set| (0..m).filter(|&k| set >> k & 1 == 1).collect::<Vec<usize>>());
        chosen.filter(|chosen| chosen.iter().all(|&k| svd.s[k] > 0.0)).map(|chosen| point(&chosen)).collect()
    }
}

/// `A^(-1/2)` of a positive definite matrix.
fn inverse_root(a: &Matrix) -> Option<Matrix> {
    let eigen = symmetric_eigen(a)?;
    if eigen.values.iter().any(|&value| value <= 0.0) {
        return None;
    }
    let term = |i: usize, j: usize, k: usize| {
        let column = eigen.vectors.column(k);
        column[i] * column[j] / eigen.values[k].sqrt()
    };
    let size = a.nrows();
    Some(Matrix::from_fn(size, size, |i, j| (0..size).map(|k| term(i, j, k)).sum()))
}
