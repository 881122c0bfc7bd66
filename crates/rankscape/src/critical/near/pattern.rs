//! Ranks read off the gaps of a perturbed point.

use crate::critical::blocks::distinct_blocks;
use crate::critical::captured::Captured;
use crate::data::Whitening;
use crate::linalg::{Matrix, singular_values, spectral_norm, svd};
use crate::multiplication::partial_product;
use crate::tolerance::Tolerances;

/// Noise levels at which the gaps are read, relative to the size of a product.
const LEVELS: [f64; 8] = [7e-2, 2e-2, 6e-3, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8];

/// A composite of factors whose rank is part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Composite {
    /// `P(j, i)`, with `i < j`.
    Straight { j: usize, i: usize },
    /// `P(t, 0) G' P(h, s)`, with `t <= s - 2`.
    Wrapped { s: usize, t: usize },
}

/// The rank of every composite where a gap tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RankPattern {
    pub(super) ranks: Vec<(Composite, usize)>,
    /// Whether every composite has a rank.
    pub(super) complete: bool,
}

/// A composite with its singular values and the product of the sizes of its factors.
struct Measured {
    composite: Composite,
    values: Vec<f64>,
    size: f64,
}

impl RankPattern {
    /// The distinct readings, from the highest noise level (lowest ranks) to the lowest.
    pub(super) fn readings(
        layers: &[Matrix],
        residual: &Matrix,
        rank: usize,
        sizes: &[f64],
        tolerances: &Tolerances,
    ) -> Vec<Self> {
        let measured = measure(layers, residual, sizes);
        let mut readings: Vec<Self> = Vec::new();
        for level in LEVELS {
            let reading = Self::at_level(&measured, level, rank, tolerances.near_gap);
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
        readings
    }

    fn at_level(measured: &[Measured], level: f64, rank: usize, gap: f64) -> Self {
        let mut ranks = Vec::new();
        for Measured { composite, values, size } in measured {
            let threshold = level * size;
            let settled = if matches!(composite, Composite::Straight { .. }) { rank } else { 0 };
            let count = values.iter().take_while(|&&value| value > threshold).count().max(settled);
            let above = count.checked_sub(1).map_or(f64::INFINITY, |last| values[last]);
            let below = values.get(count).copied().unwrap_or(0.0);
            // Beyond what the product settles, a rank is read only where the values keep off the noise level too.
            if above >= gap * below && (count == settled || above >= 3.0 * threshold) {
                ranks.push((*composite, count));
            }
        }
        let complete = ranks.len() == measured.len();
        Self { ranks, complete }
    }

    /// The layers with those that the pattern says vanish set to zero.
    pub(super) fn with_exact_zeros(&self, mut layers: Vec<Matrix>) -> Vec<Matrix> {
        for (k, layer) in layers.iter_mut().enumerate() {
            if self.ranks.contains(&(Composite::Straight { j: k + 1, i: k }, 0)) {
                *layer = Matrix::zeros(layer.nrows(), layer.ncols());
            }
        }
        layers
    }

    /// Whether every rank that the pattern keeps beyond the captured `rank` exceeds what a relative change `noise` of one
    /// factor could have made. The captured part itself is settled by the product.
    pub(super) fn survives(
        &self,
        layers: &[Matrix],
        residual: &Matrix,
        sizes: &[f64],
        rank: usize,
        noise: f64,
    ) -> bool {
        let depth = layers.len();
        self.ranks.iter().all(|&(composite, kept)| {
            let (value, size, settled) = match composite {
                Composite::Straight { j, i } => {
                    (partial_product(layers, j, i), sizes[i..j].iter().product::<f64>(), rank)
                }
                Composite::Wrapped { s, t } => {
                    let size = sizes[..t].iter().chain(&sizes[s..depth]).product::<f64>();
                    (wrapped(layers, residual, s, t), size * spectral_norm(residual), 0)
                }
            };
            kept <= settled || singular_values(&value)[kept - 1] >= noise * size
        })
    }

    /// The layers with every factor truncated to the rank that the pattern gives it.
    pub(super) fn snap(&self, mut layers: Vec<Matrix>) -> Vec<Matrix> {
        for (k, layer) in layers.iter_mut().enumerate() {
            let single = Composite::Straight { j: k + 1, i: k };
            let rank = self.ranks.iter().find(|(composite, _)| *composite == single).map(|(_, rank)| *rank);
            if let Some(rank) = rank.filter(|&rank| rank < layer.nrows().min(layer.ncols())) {
                *layer = svd(layer).truncated(rank);
            }
        }
        layers
    }
}

fn measure(layers: &[Matrix], residual: &Matrix, sizes: &[f64]) -> Vec<Measured> {
    let depth = layers.len();
    let mut out = Vec::new();
    for i in 0..depth {
        for j in i + 1..=depth {
            if (i, j) != (0, depth) {
                let size = sizes[i..j].iter().product();
                out.push(Measured {
                    composite: Composite::Straight { j, i },
                    values: singular_values(&partial_product(layers, j, i)),
                    size,
                });
            }
        }
    }
    let largest = spectral_norm(residual);
    for t in 0..depth {
        for s in t + 2..=depth {
            if (s, t) != (depth, 0) {
                let product = wrapped(layers, residual, s, t);
                let size = sizes[..t].iter().chain(&sizes[s..]).product::<f64>() * largest;
                out.push(Measured { composite: Composite::Wrapped { s, t }, values: singular_values(&product), size });
            }
        }
    }
    out
}

/// `P(t, 0) G' P(h, s)`.
pub(super) fn wrapped(layers: &[Matrix], residual: &Matrix, s: usize, t: usize) -> Matrix {
    let depth = layers.len();
    let right =
        if s == depth { residual.transpose() } else { residual.transpose_times(&partial_product(layers, depth, s)) };
    if t == 0 { right } else { &partial_product(layers, t, 0) * &right }
}

/// A spectral projection `P_S Z` of the target near a product.
pub(super) struct Projection {
    pub(super) captured: Captured,
    /// `P_S Z - Z` over the positive singular values alone: what is left of values that count as zero is noise, and wrapped
    /// ranks are read relative to this.
    pub(super) residual: Matrix,
    /// Whether no direction is half captured.
    pub(super) settled: bool,
}

/// The spectral projection `P_S Z` nearest to a whitened product: in every block of equal singular values the overlap
/// `U_i' W V_i / s_i` has singular values near 0 or near 1; where one is near neither, the captured set is not settled.
pub(super) fn nearest_projection(
    w: &Matrix,
    whitening: &Whitening,
    scale: f64,
    tolerances: &Tolerances,
) -> Option<Projection> {
    let spectrum = &whitening.spectrum;
    let values: Vec<f64> = spectrum.s.iter().map(|s| s / scale).collect();
    let tie = tolerances.tie_threshold(w.larger_dimension(), values[0]);
    let target = whitening.target.scaled(1.0 / scale);
    let mut settled = true;
    let mut indices = Vec::new();
    let mut projection = Matrix::zeros(w.nrows(), w.ncols());
    let mut residual = projection.clone();
    for block in distinct_blocks(&values, tie, tie) {
        let left = spectrum.u.columns(block.start, block.end);
        let right = spectrum.v.columns(block.start, block.end);
        let overlap = svd(&(&left.transpose_times(w) * &right).scaled(1.0 / values[block.start]));
        settled &= overlap.s.iter().all(|&share| share <= 0.25 || (share - 1.0).abs() <= 0.25);
        let count = overlap.s.iter().filter(|&&share| share > 0.5).count();
        let inside = &left * &overlap.u.columns(0, count);
        let outside = &left * &overlap.u.columns(count, block.len());
        projection.add_scaled(1.0, &(&inside * &inside.transpose_times(&target)));
        residual.add_scaled(-1.0, &(&outside * &outside.transpose_times(&target)));
        indices.extend((block.start..block.start + count).map(|k| k + 1));
    }
    let distance = (w - &projection).frobenius_norm() / target.frobenius_norm();
    let captured = Captured { indices, distance, projection };
    (distance <= tolerances.near_distance).then_some(Projection { captured, residual, settled })
}
