//! Weights to go on training from: off the plateau, and not onto the next one.
//!
//! A straight step from a saddle to the lowest point of its line ends beside the next saddle, where training stalls again. A
//! departure starts *every* direction that is still missing and that the narrowest layer has room for, at a share of its full
//! size, and gives the layers a balanced factorization of that product, in the hidden directions that the given layers use
//! already. So no missing direction is left at zero, where gradient descent would leave it for ever, and the largest
//! curvature stays that of a balanced minimum.

use crate::critical::distinct_blocks;
use crate::data::Whitening;
use crate::linalg::{Matrix, Svd, svd};
use crate::multiplication::{Factors, product_svd};

/// Where a departure leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Destination {
    /// Past the next rung: every missing direction is started.
    #[default]
    Next,
    /// To a global minimum.
    Minimum,
}

impl Destination {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Minimum => "minimum",
        }
    }
}

/// The rung at which a point is, and what is missing from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// Captured directions, counted from 0, ascending.
    pub captured: Vec<usize>,
    /// Missing directions that there is room for, largest first.
    pub additions: Vec<usize>,
    /// Where there is no room: a captured direction and a larger missing one that takes its place.
    pub swaps: Vec<(usize, usize)>,
    /// Number of directions that the widths and the data leave room for.
    pub room: usize,
    /// Loss at this rung.
    pub value: f64,
    /// Loss at the next rung: with the largest missing direction, or the first swap.
    pub next: f64,
    /// Smallest value of the loss over the architecture.
    pub minimum: f64,
    /// The same with one more unit in the narrowest layer, where a hidden layer is what limits the rank.
    pub wider: Option<f64>,
    /// Loss of the zero map.
    pub value_at_origin: f64,
    /// Missing directions of which the product has half as much again or more, or half or more with the wrong sign; with their
    /// shares `u_i' W v_i / s_i`.
    pub excess: Vec<(usize, f64)>,
    /// What each addition, then each swap, lowers the loss by.
    gains: Vec<f64>,
}

impl Outlook {
    /// From the set of captured directions; singular values up to `negligible` count as captured by everything.
    pub fn new(whitening: &Whitening, captured: &[usize], bottleneck_rank: usize, negligible: f64) -> Self {
        let values = whitening.singular_values();
        let room = bottleneck_rank.min(whitening.rank.rank);
        let worth = |i: usize| 0.5 * values[i] * values[i];
        let best = values.iter().take(room).take_while(|&&s| s > negligible).count();
        let incoming: Vec<usize> = (0..best).filter(|i| !captured.contains(i)).collect();
        let additions = incoming[..incoming.len().min(room.saturating_sub(captured.len()))].to_vec();
        let outgoing = captured.iter().rev().filter(|&&i| i >= best).copied();
        let swaps: Vec<(usize, usize)> = outgoing
            .zip(incoming[additions.len()..].iter().copied())
            .filter(|&(out, into)| values[into] - values[out] > negligible)
            .collect();
        let value_at_origin = whitening.minimum_at_rank(0);
        let value = (value_at_origin - captured.iter().map(|&i| worth(i)).sum::<f64>()).max(whitening.floor);
        let added = additions.iter().map(|&i| worth(i));
        let gains: Vec<f64> = added.chain(swaps.iter().map(|&(out, into)| worth(into) - worth(out))).collect();
        let minimum = whitening.minimum_at_rank(room);
        Self {
            captured: captured.to_vec(),
            additions,
            swaps,
            room: best.max(captured.len()),
            value,
            next: (value - gains.first().copied().unwrap_or(0.0)).max(minimum),
            minimum,
            wider: (room < values.len()).then(|| whitening.minimum_at_rank(room + 1)),
            value_at_origin,
            excess: Vec::new(),
            gains,
        }
    }

    /// The missing directions: what is learned, what is forgotten for it, what that lowers the loss by.
    pub fn steps(&self) -> Vec<(usize, Option<usize>, f64)> {
        let added = self.additions.iter().map(|&i| (i, None));
        let swapped = self.swaps.iter().map(|&(out, into)| (into, Some(out)));
        added.chain(swapped).zip(&self.gains).map(|((learn, forget), &gain)| (learn, forget, gain)).collect()
    }

    /// Number of directions that the best product has and this rung has not.
    pub fn missing(&self) -> usize {
        self.additions.len() + self.swaps.len()
    }

    /// Whether a loss is past the next rung: below its value, or, where that is the minimum, within `share` of the gap above. Where
    /// nothing is missing the gap is that of `before`, the loss of the point itself.
    pub fn is_passed(&self, loss: f64, before: f64, share: f64) -> bool {
        match self.missing() {
            0 => loss - self.minimum <= share * (before - self.minimum),
            1 => loss - self.minimum <= share * (self.value - self.minimum),
            _ => loss < self.next,
        }
    }
}

/// Singular directions of the target, turned inside every block of equal values to those that a product uses, and the share of
/// each that the product has.
#[derive(Debug, Clone)]
pub struct SingularDirections {
    left: Matrix,
    right: Matrix,
    values: Vec<f64>,
    /// `u_i' W v_i / s_i`.
    pub shares: Vec<f64>,
}

impl SingularDirections {
    /// `product` is whitened and divided by `scale`; singular values up to `zero` are left out, those that differ by `tie` at
    /// most are equal.
    pub fn new(product: &Matrix, whitening: &Whitening, scale: f64, zero: f64, tie: f64) -> Self {
        let Svd { u, s, v } = &whitening.spectrum;
        let blocks = distinct_blocks(s, zero, tie);
        let count = blocks.last().map_or(0, |block| block.end);
        let (mut left, mut right) = (u.columns(0, count), v.columns(0, count));
        let mut shares = Vec::with_capacity(count);
        for block in blocks {
            let (u, v) = (u.columns(block.start, block.end), v.columns(block.start, block.end));
            let overlap = (&u.transpose_times(product) * &v).scaled(scale / s[block.start]);
            if block.len() == 1 {
                shares.push(overlap[(0, 0)]);
                continue;
            }
            // On the captured part the overlap is a projection, so its singular vectors turn both sides alike.
            let turn = svd(&overlap).u;
            left.set_block(0, block.start, &(&u * &turn));
            right.set_block(0, block.start, &(&v * &turn));
            let turned = &turn.transpose_times(&overlap) * &turn;
            shares.extend((0..block.len()).map(|i| turned[(i, i)]));
        }
        Self { left, right, values: s[..count].to_vec(), shares }
    }

    /// Directions whose share is one up to a half, `most` of them at most, nearest to one first kept; ascending.
    pub fn learned(&self, most: usize) -> Vec<usize> {
        let error = |i: usize| (self.shares[i] - 1.0).abs();
        let mut learned: Vec<usize> = (0..self.shares.len()).filter(|&i| error(i) < 0.5).collect();
        learned.sort_by(|&a, &b| error(a).total_cmp(&error(b)));
        learned.truncate(most);
        learned.sort_unstable();
        learned
    }

    /// Those of `directions` of which the product has half as much again or more, or half or more with the wrong sign; with
    /// their shares.
    pub fn excess(&self, directions: impl Iterator<Item = usize>) -> Vec<(usize, f64)> {
        let known = directions.filter_map(|i| Some((i, *self.shares.get(i)?)));
        known.filter(|(_, share)| *share >= 1.5 || *share <= -0.5).collect()
    }

    /// The whitened product in which every missing direction has its `share`, as a left and a right factor of full rank;
    /// a swap has turned so far that it has that share of its gain.
    fn started(&self, outlook: &Outlook, share: f64) -> (Matrix, Matrix) {
        let gain = 1.0 - (1.0 - share) * (1.0 - share);
        let (sine, cosine) = (gain.sqrt(), (1.0 - gain).max(0.0).sqrt());
        let one = |i: usize, size: f64| vec![(i, size)];
        let swapped = |i: usize| outlook.swaps.iter().find(|(out, _)| *out == i).map(|&(_, into)| into);
        let kept = outlook.captured.iter().map(|&i| match swapped(i) {
            Some(into) => (vec![(i, cosine), (into, sine)], 1.0),
            None => (one(i, 1.0), 1.0),
        });
        let started = outlook.additions.iter().map(|&i| (one(i, 1.0), share));
        let columns: Vec<_> = kept.chain(started).collect();
        let mut left = Matrix::zeros(self.left.nrows(), columns.len());
        let mut right = Matrix::zeros(self.right.nrows(), columns.len());
        for (at, (parts, share)) in columns.iter().enumerate() {
            for &(i, weight) in parts {
                for (entry, u) in left.column_mut(at).iter_mut().zip(self.left.column(i)) {
                    *entry += share * weight * self.values[i] * u;
                }
                for (entry, v) in right.column_mut(at).iter_mut().zip(self.right.column(i)) {
                    *entry += weight * v;
                }
            }
        }
        (left, right)
    }
}

/// Factors to go on from.
#[derive(Debug, Clone)]
pub struct Departure {
    /// Shaped as given.
    pub factors: Factors,
    /// `C_1, ..., C_{h-1}`: orthonormal bases of what the hidden layers use.
    pub frames: Vec<Matrix>,
}

impl Departure {
    /// `W_k = C_k S^{1/h} C_{k-1}'`, where `C_h S C_0'` is the singular value decomposition of the product with every missing
    /// direction started, in the coordinates as given. `C_k` is the orthonormal frame nearest to `W_k C_{k-1}`. What `W_1` does
    /// outside the column space of `X` stays. Where that product is zero, since the target is, `W_1` is zero on the column space
    /// of `X` and the other layers stay. `None` where the numbers leave double precision.
    pub fn new(
        factors: &Factors,
        whitening: &Whitening,
        directions: &SingularDirections,
        outlook: &Outlook,
        share: f64,
    ) -> Option<Self> {
        let (left, right) = directions.started(outlook, share);
        let rank = left.ncols();
        let first = &factors.matrices()[0];
        let unseen = first - &(first * &whitening.basis).times_transpose(&whitening.basis);
        if rank == 0 {
            let matrices = std::iter::once(unseen).chain(factors.matrices()[1..].iter().cloned()).collect();
            let hidden = factors.architecture().widths()[1..factors.depth()].iter();
            let frames = hidden.map(|&width| Matrix::identity(width)).collect();
            return Some(Self { factors: factors.with_matrices(matrices), frames });
        }
        let inverse: Vec<f64> = whitening.scales.iter().map(|s| 1.0 / s).collect();
        let product = Factors::new(vec![right.transpose().scale_columns(&inverse), left]).ok()?;
        let Svd { u, s, v } = product_svd(&product, rank);
        let depth = factors.depth();
        let root: Vec<f64> = s.iter().map(|s| s.powf(1.0 / depth as f64)).collect();
        let mut frames = vec![&whitening.basis * &v];
        for layer in &factors.matrices()[..depth - 1] {
            let polar = svd(&(layer * &frames[frames.len() - 1]));
            frames.push(polar.u.times_transpose(&polar.v));
        }
        frames.push(u);
        let layer = |k: usize| frames[k + 1].scale_columns(&root).times_transpose(&frames[k]);
        let mut matrices: Vec<Matrix> = (0..depth).map(layer).collect();
        matrices[0].add_scaled(1.0, &unseen);
        let finite = matrices.iter().all(Matrix::is_finite);
        let frames = frames[1..depth].to_vec();
        finite.then(|| Self { factors: factors.with_matrices(matrices), frames })
    }

    /// The network of the frames alone: gradient descent from the departure never leaves it, since units outside are zero on
    /// both sides.
    pub fn reduced(&self) -> Option<Factors> {
        let matrices = self.factors.matrices();
        let depth = matrices.len();
        let layer = |k: usize| {
            let inner = if k == 0 { matrices[0].clone() } else { &matrices[k] * &self.frames[k - 1] };
            if k + 1 == depth { inner } else { self.frames[k].transpose_times(&inner) }
        };
        Factors::new((0..depth).map(layer).collect()).ok()
    }
}
