//! Directions at the two ends of a network: where the strings of a critical point begin and end.

use num_traits::Zero;

use super::random::orthogonal;
use crate::critical::blocks::runs;
use crate::data::ExactMoments;
use crate::data::Whitening;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::linalg::{Matrix, orthonormal_complement, power_of_two_near};
use crate::random::Stream;

/// Output columns and input rows, both in the order captured, omitted positive, zero.
///
/// With `W = sum u_a R_a` over the captured ones, `R_a = u_a' Y X^+`, `W X = P_S Y X^+ X`. A row `rho_b` of an omitted
/// direction and its column `y_b` satisfy `rho_b X (W X - Y)' y_c = 0` for other omitted `c`, and not for `c = b`; zero
/// rows `n` satisfy `n X Y' = 0`, zero columns `u` satisfy `u' Y X^+ X = 0`.
pub(super) struct Frame<M> {
    /// `d_h x d_h`.
    pub outputs: M,
    /// `rank X x d_0`.
    pub inputs: M,
    /// Combinations of these rows vanish on the data: `d_0 - rank X` at least, `x d_0`.
    pub unseen: M,
    pub captured: usize,
    pub omitted: usize,
}

/// Where the directions of an end frame come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Directions<'a> {
    /// 0-based captured indices, then the omitted positive ones.
    pub captured: &'a [usize],
    pub omitted: &'a [usize],
    /// Omitted directions are to be mixed: `rho_b X (W X - Y)' y_b` must be the same for all.
    pub mixed: bool,
}

impl Frame<Matrix> {
    /// The frame of whitened data. `blocks` are turned by random rotations if a stream is given.
    pub(super) fn numerical(
        whitening: &Whitening,
        blocks: &[std::ops::Range<usize>],
        directions: Directions<'_>,
        turn: Option<&mut Stream>,
    ) -> Self {
        let Directions { captured, omitted, mixed } = directions;
        let positive = captured.len() + omitted.len();
        let spectrum = &whitening.spectrum;
        let (mut u, mut v) = (spectrum.u.columns(0, positive), spectrum.v.columns(0, positive));
        if let Some(stream) = turn {
            for block in blocks.iter().filter(|block| block.len() > 1) {
                let rotation = orthogonal(stream, block.len());
                for side in [&mut u, &mut v] {
                    let turned = &side.columns(block.start, block.end) * &rotation;
                    side.set_block(0, block.start, &turned);
                }
            }
        }
        let largest = spectrum.s.first().copied().filter(|_| positive > 0).unwrap_or(0.0);
        let unit = power_of_two_near(largest);
        let smallest = omitted.iter().map(|&b| spectrum.s[b]).fold(f64::INFINITY, f64::min);
        let share = |b: usize| if mixed { (smallest / spectrum.s[b]).sqrt() } else { 1.0 };
        let (zero_outputs, zero_inputs) = (orthonormal_complement(&u), orthonormal_complement(&v));
        let (rows, rho) = (u.nrows(), v.nrows());
        let mut outputs = Matrix::zeros(rows, rows);
        let mut inputs = Matrix::zeros(rho, rho);
        for (place, &index) in captured.iter().chain(omitted).enumerate() {
            let kept = place < captured.len();
            let (left, right) = if kept { (1.0, spectrum.s[index]) } else { (share(index), unit * share(index)) };
            outputs.set_block(0, place, &u.columns(index, index + 1).scaled(left));
            inputs.set_block(place, 0, &v.columns(index, index + 1).transpose().scaled(right));
        }
        outputs.set_block(0, positive, &zero_outputs);
        inputs.set_block(positive, 0, &zero_inputs.transpose().scaled(unit));
        let shrink: Vec<f64> = whitening.scales.iter().map(|s| 1.0 / s).collect();
        let inputs = inputs.scale_columns(&shrink).times_transpose(&whitening.basis);
        let first = whitening.scales.first().copied().unwrap_or(1.0);
        let unseen = orthonormal_complement(&whitening.basis).transpose().scaled(unit / power_of_two_near(first));
        Self { outputs, inputs, unseen, captured: captured.len(), omitted: omitted.len() }
    }
}

/// Inputs and outputs together up to which a construction over the rationals is tried.
const LARGEST_EXACT: usize = 60;

/// The whitened target over the rationals, where its left singular vectors are unit vectors.
#[derive(Debug, Clone)]
pub(super) struct DiagonalTarget {
    /// Outputs in the order of non-increasing singular values.
    pub order: Vec<usize>,
    /// Squared positive singular values, in that order.
    pub squares: Vec<Rational>,
    /// `Y X^+` up to a change that `X` does not see.
    map: RationalMatrix,
}

impl DiagonalTarget {
    /// `None` where `Y X^+ X Y'` is not diagonal, or the data are large.
    pub(super) fn new(data: &ExactMoments) -> Option<Self> {
        if data.yx.nrows() + data.yx.ncols() > LARGEST_EXACT {
            return None;
        }
        let map = &data.yx * &data.xx.generalized_inverse()?;
        let sigma = &map * &data.yx.transpose();
        let size = sigma.nrows();
        if (0..size).any(|i| (0..size).any(|j| i != j && !sigma[(i, j)].is_zero())) {
            return None;
        }
        let mut order: Vec<usize> = (0..size).collect();
        order.sort_by(|&i, &j| sigma[(j, j)].cmp(&sigma[(i, i)]));
        let squares = order.iter().map(|&i| sigma[(i, i)].clone()).filter(|value| !value.is_zero()).collect();
        Some(Self { order, squares, map })
    }

    /// Ranges of equal singular values.
    pub(super) fn blocks(&self) -> Vec<std::ops::Range<usize>> {
        runs(&self.squares, PartialEq::eq)
    }

    /// The frame of exact data.
    pub(super) fn frame(&self, data: &ExactMoments, directions: Directions<'_>) -> Option<Frame<RationalMatrix>> {
        let Directions { captured, omitted, mixed } = directions;
        let (size, inputs, positive) = (self.order.len(), data.xx.ncols(), self.squares.len());
        let places: Vec<usize> = captured.iter().chain(omitted).copied().chain(positive..size).collect();
        let outputs = RationalMatrix::from_fn(size, size, |i, j| {
            if i == self.order[places[j]] { Rational::from_integer(1.into()) } else { Rational::zero() }
        });
        let zero_rows = self.zero_rows(data)?;
        let inputs = RationalMatrix::from_fn(positive + zero_rows.nrows(), inputs, |i, j| {
            let Some(&index) = places[..positive].get(i) else { return zero_rows[(i - positive, j)].clone() };
            let entry = self.map[(self.order[index], j)].clone();
            if mixed && i >= captured.len() { entry / &self.squares[index] } else { entry }
        });
        let unseen = &RationalMatrix::identity(data.xx.ncols()) - &(&data.xx * &data.xx.generalized_inverse()?);
        Some(Frame { outputs, inputs, unseen, captured: captured.len(), omitted: omitted.len() })
    }

    /// A basis of the rows `n` on the independent inputs with `n X Y' = 0`.
    fn zero_rows(&self, data: &ExactMoments) -> Option<RationalMatrix> {
        let seen = data.xx.independent_columns();
        let positive: Vec<usize> = self.order[..self.squares.len()].to_vec();
        let cross = RationalMatrix::from_fn(positive.len(), seen.len(), |i, j| data.yx[(positive[i], seen[j])].clone());
        let pivots = cross.independent_columns();
        let free: Vec<usize> = (0..seen.len()).filter(|j| !pivots.contains(j)).collect();
        let solved = &cross.select_columns(&pivots).inverse()? * &cross.select_columns(&free);
        Some(RationalMatrix::from_fn(free.len(), data.xx.ncols(), |i, j| {
            let Some(at) = seen.iter().position(|&s| s == j) else { return Rational::zero() };
            if at == free[i] {
                return Rational::from_integer(1.into());
            }
            pivots.iter().position(|&p| p == at).map_or_else(Rational::zero, |p| -solved[(p, i)].clone())
        }))
    }
}
