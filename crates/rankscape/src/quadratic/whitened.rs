//! Coordinates in which a product metric is the Frobenius norm: there Eckart and Young give every critical point.

use super::instance::Metric;
use super::loss::{Loss, MetricKind};
use crate::determinantal::{DistanceCriticalPoint, EckartYoung, EckartYoungDiscriminant, eckart_young_discriminant};
use crate::linalg::{Matrix, symmetric_eigen};
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
    /// `None` unless the metric is a product over the rationals, and at full rank, where nothing degenerates.
    pub(super) fn new(loss: &Loss, tolerances: &Tolerances) -> Option<Self> {
        let target = whitened(loss).filter(|_| !loss.is_full_rank())?;
        let discriminant = eckart_young_discriminant(&target, loss.shape().r);
        let spectrum = &discriminant.spectrum;
        let unit = UNIT_ROUNDOFF * (loss.shape().n as f64).sqrt() * spectrum.first().copied().unwrap_or(0.0);
        let grouped = EckartYoung::new(spectrum, tolerances.rank * unit, tolerances.tie * unit);
        let families = grouped.critical_points(loss.shape().r, MOST_FAMILIES);
        Some(Self { discriminant, families, blocks: grouped.blocks })
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
            causes.push(format!("repeats singular values, {}", repeated.join(", ")));
        }
        if zeros > 0 {
            causes.push(format!("has {zeros} singular values zero, which no critical point of rank {rank} keeps"));
        }
        let families: Vec<&DistanceCriticalPoint> =
            self.families.iter().filter(|family| family.dimension > 0).collect();
        let named: Vec<String> = families.iter().take(4).map(|family| self.grassmannian(family)).collect();
        let more = if families.len() > named.len() { ", ..." } else { "" };
        let list = if named.is_empty() { String::new() } else { format!(": {}{more}", named.join(", ")) };
        Some(format!(
            "the whitened target {}; isolated critical points: {}, of which {certified} are certified; families: {}{list}",
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

/// `R^(1/2) Q C^(1/2)` for the metric `R (x) C`, up to transposition.
fn whitened(loss: &Loss) -> Option<Matrix> {
    if loss.kind != (MetricKind::Product { exact: true }) {
        return None;
    }
    let instance = loss.instance();
    if let Metric::Weights(weights) = &instance.metric {
        let entry = |e: usize| weights[e].sqrt() * instance.target[e];
        return Some(Matrix::from_fn(instance.rows, instance.cols, |i, j| entry(i * instance.cols + j)));
    }
    let (m, n) = (loss.shape().m, loss.shape().n);
    let entries = m * n;
    let mid =
        |row: usize, col: usize| 0.5 * loss.form[row * entries + col].low + 0.5 * loss.form[row * entries + col].high;
    let best = (0..entries).max_by(|&e, &f| mid(e, e).total_cmp(&mid(f, f)))?;
    let (b, c) = (best / n, best % n);
    let scale = mid(best, best).sqrt();
    let rows = inverse_root(&Matrix::from_fn(m, m, |i, k| mid(i * n + c, k * n + c) / scale))?;
    let cols = inverse_root(&Matrix::from_fn(n, n, |j, l| mid(b * n + j, b * n + l) / scale))?;
    let linear = |i: usize, j: usize| 0.5 * loss.linear[i * n + j].low + 0.5 * loss.linear[i * n + j].high;
    let back = loss.norm_unit;
    // b = R Q C, so R^(-1/2) b C^(-1/2) is what is wanted.
    let target = &(&rows * &Matrix::from_fn(m, n, linear)) * &cols;
    Some(Matrix::from_fn(m, n, |i, j| back * target[(i, j)]))
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
