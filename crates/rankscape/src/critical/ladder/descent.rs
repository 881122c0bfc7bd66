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

/// The descents between the lowest rungs, by the rung they leave, made one at a time.
///
/// A descent reaches a lower rung, which is therefore in the list, unless the two values are equal but for rounding.
#[derive(Debug, Clone)]
pub struct Descents<'a> {
    ladder: &'a Ladder,
    rungs: &'a [Rung],
    positions: HashMap<&'a [usize], usize>,
    multiplicities: Vec<usize>,
    /// Position in the spectrum where each level starts.
    starts: Vec<usize>,
    /// The rung that is left, counted from 1, and what is still to try there.
    from: usize,
    moves: std::vec::IntoIter<Move>,
    lookups: usize,
}

/// The level that is gained, and the one that is given up, if any.
type Move = (usize, Option<usize>);

/// Squares of levels that differ by at most this, relative to the sum of all, may order two rungs by their rounding errors.
const TIED: f64 = 1e-12;

impl Ladder {
    /// Descents between `rungs`, the lowest ones as [`Ladder::lowest`] gives them.
    pub fn descents<'a>(&'a self, rungs: &'a [Rung]) -> Descents<'a> {
        let starts = self.levels().multiplicities().scan(0, |next, m| {
            *next += m;
            Some(*next - m)
        });
        Descents {
            ladder: self,
            rungs,
            positions: positions(rungs),
            starts: starts.collect(),
            multiplicities: self.levels().multiplicities().collect(),
            from: 0,
            moves: Vec::new().into_iter(),
            lookups: 0,
        }
    }

    /// How many there are. Those that lower the loss by more than rounding errors are counted without being looked for.
    pub fn descents_total(&self, rungs: &[Rung]) -> usize {
        let squares = self.levels().relative_squares();
        let sizes = squares.iter().zip(self.levels().multiplicities());
        let tied = TIED * sizes.map(|(square, m)| square * m as f64).sum::<f64>();
        let worth = |&(gained, given_up): &Move| squares[gained] - given_up.map_or(0.0, |level| squares[level]);
        let multiplicities: Vec<usize> = self.levels().multiplicities().collect();
        let known = positions(rungs);
        let of_rung = |rung: &Rung| {
            let listed = |step: &Move| worth(step) > tied || known.contains_key(after(rung, *step).as_slice());
            self.moves(rung, &multiplicities).filter(listed).count()
        };
        rungs.iter().map(of_rung).sum()
    }

    /// What every descent from a rung gains and gives up.
    fn moves<'a>(&'a self, rung: &'a Rung, multiplicities: &'a [usize]) -> impl Iterator<Item = Move> + 'a {
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

fn positions(rungs: &[Rung]) -> HashMap<&[usize], usize> {
    rungs.iter().enumerate().map(|(at, rung)| (rung.pattern.as_slice(), at)).collect()
}

/// The pattern that a move leads to.
fn after(rung: &Rung, (gained, given_up): Move) -> Vec<usize> {
    let mut pattern = rung.pattern.clone();
    pattern[gained] += 1;
    given_up.into_iter().for_each(|level| pattern[level] -= 1);
    pattern
}

impl Descents<'_> {
    /// How often a rung was looked for in the list so far.
    pub fn lookups(&self) -> usize {
        self.lookups
    }
}

impl Iterator for Descents<'_> {
    type Item = Descent;

    fn next(&mut self) -> Option<Descent> {
        loop {
            let Some((gained, given_up)) = self.moves.next() else {
                let rung = self.rungs.get(self.from)?;
                self.moves = self.ladder.moves(rung, &self.multiplicities).collect::<Vec<Move>>().into_iter();
                self.from += 1;
                continue;
            };
            let from = self.from - 1;
            let rung = &self.rungs[from];
            self.lookups += 1;
            if let Some(&to) = self.positions.get(after(rung, (gained, given_up)).as_slice()) {
                return Some(Descent {
                    from,
                    to,
                    kind: given_up.map_or(DescentKind::RankRaising, |_| DescentKind::Rotation),
                    gives_up: given_up.map(|level| self.starts[level] + rung.pattern[level]),
                    gains: self.starts[gained] + rung.pattern[gained] + 1,
                    decrease: rung.value - self.rungs[to].value,
                });
            }
        }
    }
}
