//! Descents from rung to rung: rotations towards a larger singular direction, and new directions while the rank can
//! grow; each with a path of parameters along which the loss falls strictly.

use std::collections::HashMap;
use std::f64::consts::FRAC_PI_2;

use super::{Ladder, Rung};
use crate::data::Whitening;
use crate::linalg::Matrix;

/// How a descent leaves its rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DescentKind {
    /// A captured direction turns into a larger omitted one; the rank stays (`[@TKB, Theorem 28]`, proof).
    Rotation,
    /// An omitted direction is added; the rank grows by one.
    RankRaising,
}

impl DescentKind {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::RankRaising => "rank_raising",
        }
    }
}

/// A descent between two rungs of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descent {
    /// Position of the rung it leaves.
    pub from: usize,
    /// Position of the rung it reaches, of smaller value.
    pub to: usize,
    /// How it leaves.
    pub kind: DescentKind,
    /// 1-based index into the spectrum of the direction that is given up.
    pub gives_up: Option<usize>,
    /// 1-based index into the spectrum of the direction that is gained.
    pub gains: usize,
    /// By how much the loss falls.
    pub decrease: f64,
}

/// Descents between the lowest rungs.
#[derive(Debug, Clone, PartialEq)]
pub struct Descents {
    /// Some or all, by the rung they leave.
    pub listed: Vec<Descent>,
    /// How many there are.
    pub total: usize,
    /// How often a rung was looked for in the list.
    pub lookups: usize,
}

/// Squares of levels that differ by at most this, relative to the sum of all, may order two rungs by their rounding errors.
const TIED: f64 = 1e-12;

impl Ladder {
    /// Descents between `rungs`, the lowest ones as [`Ladder::lowest`] gives them; at most `most` are listed, all are counted.
    ///
    /// A descent reaches a lower rung, which is therefore in the list: those that are only counted are not looked for, unless
    /// the two values are equal but for rounding.
    pub fn descents(&self, rungs: &[Rung], most: usize) -> Descents {
        let positions: HashMap<&[usize], usize> =
            rungs.iter().enumerate().map(|(at, rung)| (rung.pattern.as_slice(), at)).collect();
        let multiplicities: Vec<usize> = self.levels().multiplicities().collect();
        let squares = self.levels().relative_squares();
        let tied = TIED * squares.iter().zip(&multiplicities).map(|(square, &m)| square * m as f64).sum::<f64>();
        let starts: Vec<usize> = multiplicities
            .iter()
            .scan(0, |next, m| {
                *next += m;
                Some(*next - m)
            })
            .collect();
        let mut out = Descents { listed: Vec::new(), total: 0, lookups: 0 };
        for (from, rung) in rungs.iter().enumerate() {
            let mut pattern = rung.pattern.clone();
            for (gained, given_up) in self.moves(rung, &multiplicities) {
                let worth = squares[gained] - given_up.map_or(0.0, |level| squares[level]);
                if out.listed.len() >= most && worth > tied {
                    out.total += 1;
                    continue;
                }
                pattern.copy_from_slice(&rung.pattern);
                pattern[gained] += 1;
                given_up.into_iter().for_each(|level| pattern[level] -= 1);
                out.lookups += 1;
                let Some(&to) = positions.get(pattern.as_slice()) else { continue };
                out.total += 1;
                if out.listed.len() < most {
                    out.listed.push(Descent {
                        from,
                        to,
                        kind: given_up.map_or(DescentKind::RankRaising, |_| DescentKind::Rotation),
                        gives_up: given_up.map(|level| starts[level] + rung.pattern[level]),
                        gains: starts[gained] + rung.pattern[gained] + 1,
                        decrease: rung.value - rungs[to].value,
                    });
                }
            }
        }
        out
    }

    /// The level that is gained and the one that is given up, if any, of every descent from a rung.
    fn moves<'a>(
        &'a self,
        rung: &'a Rung,
        multiplicities: &'a [usize],
    ) -> impl Iterator<Item = (usize, Option<usize>)> + 'a {
        let levels = multiplicities.len();
        let open = (0..levels).filter(|&i| rung.pattern[i] < multiplicities[i]);
        open.flat_map(move |gained| {
            let lower = (gained + 1..levels).filter(|&j| rung.pattern[j] > 0).map(Some);
            let grows = (rung.rank < self.effective_bottleneck()).then_some(None);
            lower.chain(grows).map(move |given_up| (gained, given_up))
        })
    }

    /// The weights `W_1, ..., W_h` on the path of a descent at `t`, from 0 (over `rung`, the one it leaves) to 1.
    ///
    /// One hidden unit for each captured direction carries it through the inner layers. A rotation turns the last one,
    /// `u(t) = cos(pi t/2) u_j + sin(pi t/2) u_i`, so the loss falls by `1/2 (s_i^2 - s_j^2) sin^2(pi t/2)`. A new
    /// direction grows in one more unit, by a factor `t` in each layer, so the loss falls by
    /// `1/2 s_i^2 (1 - (1 - t^h)^2)`.
    pub fn descend(&self, rung: &Rung, descent: &Descent, whitening: &Whitening, t: f64) -> Vec<Matrix> {
        let spectrum = &whitening.spectrum;
        let kept: Vec<usize> = rung.captured.iter().filter(|&&k| Some(k) != descent.gives_up).map(|k| k - 1).collect();
        let left = |k: usize| spectrum.u.columns(k, k + 1);
        let gained = left(descent.gains - 1);
        let (moving, growth) = match descent.gives_up {
            Some(lost) => {
                let (sine, cosine) = (FRAC_PI_2 * t).sin_cos();
                let mut turned = left(lost - 1).scaled(cosine);
                turned.add_scaled(sine, &gained);
                (turned, 1.0)
            }
            None => (gained, t),
        };
        let widths = self.architecture().widths();
        let mut directions = Matrix::zeros(widths[widths.len() - 1], kept.len() + 1);
        for (at, &k) in kept.iter().enumerate() {
            directions.set_block(0, at, &left(k));
        }
        directions.set_block(0, kept.len(), &moving);
        let unit = |at: usize| if at == kept.len() { growth } else { 1.0 };
        let inverse: Vec<f64> = whitening.scales.iter().map(|s| 1.0 / s).collect();
        let read =
            &directions.transpose_times(&whitening.target) * &whitening.basis.scale_columns(&inverse).transpose();
        let depth = self.architecture().depth();
        (1..=depth)
            .map(|k| {
                let mut layer = Matrix::zeros(widths[k], widths[k - 1]);
                if k == 1 {
                    layer.set_block(0, 0, &Matrix::from_fn(read.nrows(), read.ncols(), |i, j| unit(i) * read[(i, j)]));
                } else if k == depth {
                    let columns: Vec<f64> = (0..=kept.len()).map(unit).collect();
                    layer.set_block(0, 0, &directions.scale_columns(&columns));
                } else {
                    (0..=kept.len()).for_each(|i| layer[(i, i)] = unit(i));
                }
                layer
            })
            .collect()
    }
}
