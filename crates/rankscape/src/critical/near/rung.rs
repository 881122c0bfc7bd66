//! The rungs next to a point, in the coordinates of the search.

use std::ops::Range;

use crate::critical::blocks::distinct_blocks;
use crate::data::Whitening;
use crate::linalg::{Matrix, orthonormal_complement, spectral_norm, svd, symmetric_eigen, thin_qr};
use crate::multiplication::Factors;
use crate::network::NormalizedNetwork;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Most directions that are tried both ways, those with the most even shares.
const OPEN_DIRECTIONS: usize = 5;
/// A layer that Newton steps made this much smaller is zero.
const CLEARED: f64 = 1e-11;
/// A layer that is lighter than the heaviest by more than this counts as this much lighter: it moves for next to nothing.
const LIGHTEST: f64 = 1.0 / (1u64 << 50) as f64;

/// The coordinates of the search: the factors as given, each divided by a power of two, the first on the column space of
/// `X` only (elsewhere no critical point makes it move), the last without the output factor `C`.
pub(super) struct Coordinates {
    pub(super) start: Vec<Matrix>,
    /// How much a change of each layer weighs: `||d theta|| = unit * hypot(weight_k ||d W_k||)`; the largest is 1.
    pub(super) weights: Vec<f64>,
    /// Size of a layer in the parameters as given for weight one.
    pub(super) unit: f64,
    /// Norms of the layers; those that are far below the size natural for the product count with that part of it.
    pub(super) norms: Vec<f64>,
    /// `s = ||Z S_x^-1||_2^(1/h)` in the scale of the layers.
    pub(super) natural: f64,
    /// `(S_x, C)` in the scale of the search.
    inputs: Vec<f64>,
    output: Option<(Matrix, Matrix)>,
}

impl Coordinates {
    pub(super) fn new(
        factors: &Factors,
        network: &NormalizedNetwork,
        whitening: &Whitening,
        output: Option<(Matrix, Matrix)>,
    ) -> Self {
        let depth = factors.depth();
        let mut start = network.given().layers().to_vec();
        start[0] = &start[0] * &whitening.basis;
        if let Some((_, inverse)) = &output {
            start[depth - 1] = inverse * &start[depth - 1];
        }
        let unit = network.layer_scales().iter().copied().fold(0.0, f64::max);
        let weights = network.layer_scales().iter().map(|scale| (scale / unit).max(LIGHTEST)).collect();
        let inputs: Vec<f64> = whitening.scales.iter().map(|s| s / network.input_scale()).collect();
        let mut found = Self { start, weights, unit, norms: Vec::new(), natural: 0.0, inputs, output };
        found.natural = spectral_norm(&found.given(network.whitened().target())).powf(1.0 / depth as f64);
        found.norms = found.start.iter().map(|w| spectral_norm(w).max(1e-8 * found.natural)).collect();
        found
    }

    /// `C^-1 W S_x^-1` for a whitened `W`: the product of the layers as given.
    fn given(&self, whitened: &Matrix) -> Matrix {
        let inverse: Vec<f64> = self.inputs.iter().map(|s| 1.0 / s).collect();
        let product = whitened.scale_columns(&inverse);
        self.output.as_ref().map_or(product.clone(), |(_, inverse)| inverse * &product)
    }

    /// The skew matrices of a rotation of two singular directions, in the coordinates as given.
    fn rotation(&self, a: &Direction, b: &Direction) -> (Matrix, Matrix) {
        let skew = |a: &Matrix, b: &Matrix| &b.times_transpose(a) - &a.times_transpose(b);
        let inverse: Vec<f64> = self.inputs.iter().map(|s| 1.0 / s).collect();
        let first =
            skew(&a.right, &b.right).transpose().scale_columns(&self.inputs).transpose().scale_columns(&inverse);
        let last = skew(&a.left, &b.left);
        (first, self.output.as_ref().map_or(last.clone(), |(c, inverse)| &(inverse * &last) * c))
    }

    /// What a change of one of the layers with these indices does to their product at most, a unit of distance.
    pub(super) fn sensitivity(&self, first: Range<usize>, second: Range<usize>) -> f64 {
        let indices: Vec<usize> = first.chain(second).collect();
        let others = |k: usize| indices.iter().filter(|&&l| l != k).map(|&l| self.norms[l]).product::<f64>();
        let largest = indices.iter().map(|&k| others(k) / self.weights[k]).fold(0.0, f64::max);
        if indices.is_empty() { 1.0 } else { largest }
    }

    /// `||start||`, with no layer far below the size natural for the product.
    pub(super) fn size(&self) -> f64 {
        self.norms.iter().zip(&self.weights).map(|(norm, weight)| weight * norm).fold(0.0, f64::hypot)
    }

    /// The start with this part of what the layers `i` and `j`, counted from 1, have beyond `rank` taken away.
    pub(super) fn cut(&self, layers: [usize; 2], rank: usize, part: f64) -> Vec<Matrix> {
        let mut out = self.start.clone();
        for k in layers {
            let kept = svd(&out[k - 1]).truncated(rank);
            let rest = &out[k - 1] - &kept;
            out[k - 1].add_scaled(-part, &rest);
        }
        out
    }

    /// Layers that are nothing but rounding errors are zero: of their own size or, where the product captures nothing, of the
    /// size of all.
    pub(super) fn clear(&self, layers: &mut [Matrix], rank: usize) {
        for ((layer, norm), weight) in layers.iter_mut().zip(&self.norms).zip(&self.weights) {
            let size = layer.frobenius_norm();
            if size <= CLEARED * norm || (rank == 0 && weight * size <= UNIT_ROUNDOFF * self.size()) {
                *layer = Matrix::zeros(layer.nrows(), layer.ncols());
            }
        }
    }

    /// `||x - start||`.
    pub(super) fn distance(&self, layers: &[Matrix]) -> f64 {
        let moved = layers.iter().zip(&self.start).zip(&self.weights);
        moved.map(|((a, b), weight)| weight * (a - b).frobenius_norm()).fold(0.0, f64::hypot)
    }
}

/// What the points of a rung are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Global minima, because everything is captured.
    Everything,
    /// Global minima, because the best of full rank is captured.
    BestOfFullRank,
    /// Strict saddles with no spare part: every point with this product is critical.
    FullRank,
    /// Strict saddles that omit a larger value than one they capture.
    NotTop,
    /// Saddles of both classes.
    Top,
}

/// One captured set, with the matrices that its critical points are made of.
pub(super) struct Rung {
    pub(super) kind: Kind,
    /// 1-based captured directions.
    pub(super) captured: Vec<usize>,
    /// `C^-1 P_S Z S_x^-1`: what the product is at every critical point.
    pub(super) target: Matrix,
    /// Orthonormal bases of its column and row space.
    pub(super) left: Matrix,
    pub(super) right: Matrix,
    /// `S_x (Z - P_S Z)' C = wrap_left wrap_right`, the arrow `G'` up to its sign, which closes the cycle.
    pub(super) wrap_left: Matrix,
    pub(super) wrap_right: Matrix,
    /// Orthonormal basis of the column space of `wrap_left`.
    pub(super) wrap_basis: Matrix,
    /// `||G'||_2`, or 1 if it is zero.
    pub(super) wrap_norm: f64,
    /// `P_S Z`.
    pub(super) projection: Matrix,
    /// `Z` without the values that count as zero.
    pub(super) cleaned: Matrix,
    /// Rotations of a captured and an omitted direction of equal values, as matrices to the right of the first factor and to
    /// the left of the last one: `P_S Z` is one member of a family, that the product is next to.
    pub(super) ties: Vec<(Matrix, Matrix)>,
    /// Orthonormal bases that hold the column and the row space of `G'`, whatever member of the family it is taken from.
    pub(super) spare_inputs: Matrix,
    pub(super) spare_outputs: Matrix,
    /// Where there are ties, orthonormal bases of what no member of the family of products reads, and of what none writes.
    pub(super) never_captured: Option<(Matrix, Matrix)>,
}

impl Rung {
    pub(super) fn rank(&self) -> usize {
        self.captured.len()
    }
}

/// A singular direction of the target, turned inside its block of equal values to where the product is.
struct Direction {
    left: Matrix,
    right: Matrix,
    value: f64,
    block: usize,
    share: f64,
}

/// The rungs that the product is next to, nearest first: a direction is captured whose share `u' W v / s` is large; where the
/// share lies between `tolerances.near_share` and one minus that, both ways are tried.
pub(super) fn rungs(
    coordinates: &Coordinates,
    network: &NormalizedNetwork,
    whitening: &Whitening,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Vec<Rung> {
    let layers = network.whitened().layers();
    let bottleneck = layers.iter().map(Matrix::nrows).min().unwrap_or(0).min(whitening.rank.rank);
    let directions = directions(network, whitening, unit_roundoff, tolerances);
    let everything = layers.len() == 1;
    let surely = |d: &Direction| everything || d.share > 1.0 - tolerances.near_share;
    let mut open: Vec<usize> = (0..directions.len())
        .filter(|&k| !surely(&directions[k]) && directions[k].share >= tolerances.near_share)
        .collect();
    open.sort_by(|&a, &b| (directions[a].share - 0.5).abs().total_cmp(&(directions[b].share - 0.5).abs()));
    let settled = open.split_off(open.len().min(OPEN_DIRECTIONS));
    let sure: Vec<bool> = (0..directions.len())
        .map(|k| surely(&directions[k]) || (settled.contains(&k) && directions[k].share > 0.5))
        .collect();
    let mut sets: Vec<Vec<bool>> = (0..1usize << open.len())
        .map(|choice| {
            let chosen = |k: usize| open.iter().position(|&o| o == k).is_some_and(|at| choice >> at & 1 == 1);
            (0..directions.len()).map(|k| sure[k] || chosen(k)).collect()
        })
        .collect();
    sets.retain(|set| set.iter().filter(|&&captured| captured).count() <= bottleneck);
    let gap = |set: &[bool]| -> f64 {
        let parts = directions.iter().zip(set);
        parts.map(|(d, &captured)| ((d.share - f64::from(u8::from(captured))) * d.value).powi(2)).sum()
    };
    sets.sort_by(|a, b| gap(a).total_cmp(&gap(b)));
    sets.iter().map(|set| rung(coordinates, &directions, set, bottleneck)).collect()
}

fn directions(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Vec<Direction> {
    let spectrum = &whitening.spectrum;
    let product = network.whitened().output();
    let values: Vec<f64> = spectrum.s.iter().map(|s| s / network.target_scale()).collect();
    let largest = values.first().copied().unwrap_or(0.0);
    let tie = tolerances.tie_threshold(product.larger_dimension(), largest);
    // Values that the rounding of stored weights hides cannot be told from zero.
    let size = (product.larger_dimension() as f64).sqrt();
    let hidden = (tolerances.rank * unit_roundoff * size).min(tolerances.near_hidden) * largest;
    let mut out = Vec::new();
    for (at, block) in distinct_blocks(&values, tie.max(hidden).max(f64::MIN_POSITIVE), tie).into_iter().enumerate() {
        let left = spectrum.u.columns(block.start, block.end);
        let right = spectrum.v.columns(block.start, block.end);
        let overlap = (&left.transpose_times(product) * &right).scaled(1.0 / values[block.start]);
        let symmetric = (&overlap + &overlap.transpose()).scaled(0.5);
        let Some(eigen) = symmetric_eigen(&symmetric) else { continue };
        for (k, index) in (0..block.len()).rev().zip(block.clone()) {
            let turn = eigen.vectors.columns(k, k + 1);
            let share = eigen.values[k];
            out.push(Direction { left: &left * &turn, right: &right * &turn, value: values[index], block: at, share });
        }
    }
    out
}

fn rung(coordinates: &Coordinates, directions: &[Direction], set: &[bool], bottleneck: usize) -> Rung {
    let (rows, cols) = (coordinates.start[coordinates.start.len() - 1].nrows(), coordinates.inputs.len());
    let pick =
        |wanted: bool| directions.iter().zip(set).filter(move |(_, captured)| **captured == wanted).map(|(d, _)| d);
    let stack = |columns: Vec<&Matrix>, rows: usize| {
        let mut out = Matrix::zeros(rows, columns.len());
        columns.iter().enumerate().for_each(|(k, column)| out.set_block(0, k, column));
        out
    };
    let values = |wanted: bool| pick(wanted).map(|d| d.value).collect::<Vec<f64>>();
    let left = |wanted: bool| stack(pick(wanted).map(|d| &d.left).collect(), rows);
    let right = |wanted: bool| stack(pick(wanted).map(|d| &d.right).collect(), cols);
    let projection = left(true).scale_columns(&values(true)).times_transpose(&right(true));
    let rest = left(false).scale_columns(&values(false)).times_transpose(&right(false));
    let captured: Vec<usize> = set.iter().enumerate().filter(|(_, captured)| **captured).map(|(k, _)| k + 1).collect();
    let rank = captured.len();
    let target = coordinates.given(&projection);
    let found = svd(&target);
    let before = |a: &[f64], b: &Matrix| b.transpose().scale_columns(a).transpose();
    let wrap_right = left(false).transpose();
    let wrap_right = coordinates.output.as_ref().map_or(wrap_right.clone(), |(c, _)| &wrap_right * c);
    let omitted = pick(false).map(|d| d.block).min();
    let top = omitted.is_none_or(|first| pick(true).all(|d| d.block <= first));
    let kind = match (omitted, rank == bottleneck) {
        (None, _) => Kind::Everything,
        (_, true) if top => Kind::BestOfFullRank,
        (_, true) => Kind::FullRank,
        (_, false) if top => Kind::Top,
        (_, false) => Kind::NotTop,
    };
    let wrap_left = before(&coordinates.inputs, &right(false).scale_columns(&values(false)));
    let norm = spectral_norm(&(&wrap_left * &wrap_right));
    let tied = |a: &Direction| {
        pick(false).filter({
            let block = a.block;
            move |b| b.block == block
        })
    };
    let ties: Vec<(Matrix, Matrix)> = pick(true).flat_map(|a| tied(a).map(|b| coordinates.rotation(a, b))).collect();
    // Directions that some member of the family captures, or omits.
    let some = |wanted: bool| {
        let with_all_of_their_blocks = move |d: &&Direction| pick(wanted).any(|other| other.block == d.block);
        directions.iter().filter(with_all_of_their_blocks)
    };
    let inverse: Vec<f64> = coordinates.inputs.iter().map(|s| 1.0 / s).collect();
    let lefts = |wanted: bool| stack(some(wanted).map(|d| &d.left).collect(), rows);
    let rights = |wanted: bool| stack(some(wanted).map(|d| &d.right).collect(), cols);
    let written = |a: Matrix| coordinates.output.as_ref().map_or(a.clone(), |(_, inverse)| inverse * &a);
    let read_back = |a: Matrix| coordinates.output.as_ref().map_or(a.clone(), |(c, _)| c.transpose_times(&a));
    let never = |a: &Matrix| orthonormal_complement(&thin_qr(a).0);
    Rung {
        kind,
        spare_inputs: thin_qr(&before(&coordinates.inputs, &rights(false))).0,
        spare_outputs: thin_qr(&read_back(lefts(false))).0,
        never_captured: (!ties.is_empty())
            .then(|| (never(&before(&inverse, &rights(true))), never(&written(lefts(true))))),
        ties,
        wrap_basis: thin_qr(&wrap_left).0,
        wrap_norm: if norm > 0.0 { norm } else { 1.0 },
        left: found.u.columns(0, rank),
        right: found.v.columns(0, rank),
        wrap_left,
        wrap_right,
        cleaned: &projection + &rest,
        captured: lowest_of_blocks(directions, set),
        projection,
        target,
    }
}

/// The lowest indices inside every block of equal values.
fn lowest_of_blocks(directions: &[Direction], set: &[bool]) -> Vec<usize> {
    let mut out = Vec::new();
    for (k, direction) in directions.iter().enumerate() {
        let first = directions.iter().position(|d| d.block == direction.block).unwrap_or(k);
        let count = directions.iter().zip(set).filter(|(d, captured)| **captured && d.block == direction.block).count();
        if k - first < count {
            out.push(k + 1);
        }
    }
    out
}
