//! A point as the captured projection and spare blocks, and the cuts of these that make it critical.

use super::rung::Rung;
use super::wide::Wide;
use crate::linalg::{Matrix, inverse, orthonormal_complement, orthonormal_completion, svd, thin_qr};
use crate::random::Stream;
use crate::tolerance::UNIT_ROUNDOFF;

/// Singular values of spare blocks below this part of the largest are rounding errors.
const ROUNDING: f64 = 512.0 * UNIT_ROUNDOFF;
/// Cuts of a point before a try is given up.
const CUTS: usize = 60;
/// How often the paths are gone through to take rounding errors away: each disturbs the others a little.
const SWEEPS: usize = 3;
/// A cut is the cheapest of up to so many random ones.
const TRIES: i64 = 6;

/// The arrows of the cyclic quiver on the spare parts: the first is `G'`, fixed, the `k`-th one `Z_k`.
pub(super) type Arrows = Vec<Matrix>;

/// Captured factors and spare parts of a point. With any spare blocks whose compositions of `h` arrows are zero
/// [`Split::assemble`] gives a critical point of the rung (docs/near.md).
pub(super) struct Split {
    /// `h` factors of rank `e` whose product is `T`.
    captured: Vec<Matrix>,
    /// Orthonormal bases of `V_k`.
    images: Vec<Matrix>,
    /// Orthonormal bases of `C_k`; at the ends by the singular vectors of `G'`.
    pub(super) spare: Vec<Matrix>,
    /// Their dual bases, which are zero on `V_k`.
    dual: Vec<Matrix>,
    /// The arrows of the point.
    pub(super) arrows: Arrows,
    /// Rank of `G'`.
    pub(super) wrap_rank: usize,
}

impl Split {
    /// `None` where the product is singular on the captured directions.
    pub(super) fn new(layers: &[Matrix], rung: &Rung) -> Option<Self> {
        let (h, e) = (layers.len(), rung.rank());
        let mut forward = vec![rung.right.clone()];
        let mut backward = vec![rung.left.transpose()];
        for k in 0..h {
            forward.push(&layers[k] * &forward[k]);
            backward.push(&backward[k] * &layers[h - 1 - k]);
        }
        backward.reverse();
        let solve = if e == 0 { Matrix::zeros(0, 0) } else { inverse(&(&backward[0] * &rung.right))? };
        let kept = &rung.left.transpose_times(&rung.target) * &rung.right;
        let captured = (0..h).map(|k| {
            let image = if k + 1 == h { &rung.left } else { &forward[k + 1] };
            let read = if k == 0 { kept.times_transpose(&rung.right) } else { backward[k].clone() };
            if k + 1 == h { image * &read } else { &(image * &solve) * &read }
        });
        let captured = captured.collect();

        let (first, last) = (orthonormal_complement(&rung.right), orthonormal_complement(&rung.left));
        let wrap = &first.transpose_times(&rung.wrap_left) * &(&rung.wrap_right * &last);
        let found = svd(&wrap);
        let mut spare = vec![&first * &orthonormal_completion(&found.u)];
        let mut images = vec![rung.right.clone()];
        let mut dual = vec![spare[0].transpose()];
        for k in 1..h {
            images.push(thin_qr(&forward[k]).0);
            spare.push(orthonormal_complement(&thin_qr(&backward[k].transpose()).0));
            let both = beside(&images[k], &spare[k]);
            dual.push(inverse(&both)?.block(e, 0, both.nrows() - e, both.nrows()));
        }
        images.push(rung.left.clone());
        spare.push(&last * &orthonormal_completion(&found.v));
        dual.push(spare[h].transpose());

        let wrap_rank = rung.wrap_left.ncols();
        let values = &found.s[..wrap_rank.min(found.s.len())];
        let mut arrows = vec![Matrix::from_diagonal(wrap.nrows(), wrap.ncols(), values)];
        arrows.extend((0..h).map(|k| &(&dual[k + 1] * &layers[k]) * &spare[k]));
        Some(Self { captured, images, spare, dual, arrows, wrap_rank })
    }

    /// The layers with other spare blocks.
    pub(super) fn assemble(&self, arrows: &[Matrix]) -> Vec<Matrix> {
        let part = |k: usize| &(&self.spare[k + 1] * &arrows[k + 1]) * &self.dual[k];
        self.captured.iter().enumerate().map(|(k, captured)| captured + &part(k)).collect()
    }

    /// Bases of all nodes in which captured and spare directions are apart, at the inner ones those that the arrows reach
    /// strongly and weakly too.
    pub(super) fn bases(&self, arrows: &[Matrix]) -> Vec<Matrix> {
        let last = self.spare.len() - 1;
        let order = |k: usize| match k {
            0 => self.spare[0].clone(),
            k if k == last => self.spare[k].clone(),
            k => &self.spare[k] * &orthonormal_completion(&svd(&arrows[k]).u),
        };
        (0..=last).map(|k| beside(&self.images[k], &order(k))).collect()
    }
}

fn beside(a: &Matrix, b: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(a.nrows(), a.ncols() + b.ncols());
    out.set_block(0, 0, a);
    out.set_block(0, a.ncols(), b);
    out
}

/// `length` consecutive arrows from node `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) start: usize,
    pub(super) length: usize,
}

/// Paths of which one is zero.
pub(super) type Requirement = Vec<Path>;

/// At every critical point: all compositions of `h` arrows are zero.
pub(super) fn critical(depth: usize) -> Vec<Requirement> {
    (0..=depth).map(|start| vec![Path { start, length: depth }]).collect()
}

/// At non-strict ones, also one of the two compositions between every two arrows `i > j` of `1..h`.
pub(super) fn non_strict(depth: usize) -> Vec<Requirement> {
    let pivots = (1..depth).flat_map(|a| (a..depth).map(move |b| (a, b)));
    let tightened = pivots.map(|(a, b)| {
        let inner = Path { start: a, length: b - a };
        let around = Path { start: b + 1, length: depth - 1 - (b - a) };
        // No arrow at all and G' alone are never zero.
        [(inner, b > a), (around, around.length > 1)]
            .into_iter()
            .filter(|&(_, can)| can)
            .map(|(path, _)| path)
            .collect()
    });
    critical(depth).into_iter().chain(tightened).collect()
}

/// Spare blocks on the way to be cut, in double-double: parts of the size of the noise say which directions are cut.
#[derive(Clone)]
pub(super) struct Cut {
    arrows: Vec<Wide>,
    /// What counts as zero of each arrow.
    rounding: Vec<f64>,
}

impl Cut {
    /// `growth`: how much rounding errors have grown.
    pub(super) fn new(arrows: &[Matrix], growth: f64) -> Self {
        let rounding = arrows.iter().map(|arrow| ROUNDING * growth.max(1.0) * arrow.frobenius_norm()).collect();
        Self { arrows: arrows.iter().map(Wide::from).collect(), rounding }
    }

    pub(super) fn arrows(&self) -> Arrows {
        self.arrows.iter().map(Wide::rounded).collect()
    }

    /// Cuts at random until of each requirement one path is zero. A cut can open another one, so that their order does not
    /// matter.
    pub(super) fn until(&self, requirements: &[Requirement], stream: &mut Stream) -> Option<Self> {
        let mut cut = self.clone();
        for _ in 0..CUTS {
            let open: Vec<&Requirement> = requirements
                .iter()
                .filter(|any| !any.iter().any(|&path| cut.image(path, path.length).ncols() == 0))
                .collect();
            if open.is_empty() {
                return Some(cut);
            }
            let mut cheapest: Option<(f64, Self)> = None;
            for _ in 0..stream.integer(1, TRIES) {
                let any = open[pick(stream, 0, open.len() - 1)];
                let path = any[pick(stream, 0, any.len() - 1)];
                let mut tried = cut.clone();
                if tried.cut(path, stream).is_some() {
                    let price = tried
                        .arrows
                        .iter()
                        .zip(&cut.arrows)
                        .map(|(a, b)| a.minus(b).frobenius_norm())
                        .fold(0.0, f64::hypot);
                    if cheapest.as_ref().is_none_or(|(least, _)| price < *least) {
                        cheapest = Some((price, tried));
                    }
                }
            }
            cut = cheapest?.1;
        }
        None
    }

    /// What rounding errors have left where all of these paths are zero is taken away: of what an arrow makes of the image of those
    /// before it, all that is off the image of the whole.
    pub(super) fn without_rounding_errors(&self, paths: &[Path]) -> Self {
        let mut out = self.clone();
        for _ in 0..SWEEPS {
            for &path in paths {
                let mut basis = Wide::identity(out.arrows[path.start % out.arrows.len()].nrows());
                for step in 1..=path.length {
                    let arrow = out.arrow(path, step);
                    let moved = out.arrows[arrow].times(&basis);
                    let image = moved.range(out.rounding[arrow]);
                    if arrow != 0 {
                        let lost = moved.minus(&image.times(&image.transpose_times(&moved)));
                        out.arrows[arrow] = out.arrows[arrow].minus(&lost.times_transpose(&basis));
                    }
                    basis = image;
                }
            }
        }
        out
    }

    /// For each requirement a path that is zero; `None` if one has none.
    pub(super) fn zeros(&self, requirements: &[Requirement]) -> Option<Vec<Path>> {
        let zero = |any: &Requirement| any.iter().copied().find(|&path| self.image(path, path.length).ncols() == 0);
        requirements.iter().map(zero).collect()
    }

    /// The arrow that a path takes in a step, counted from 1.
    fn arrow(&self, path: Path, step: usize) -> usize {
        (path.start + step) % self.arrows.len()
    }

    /// Orthonormal basis of the image of the first `steps` arrows of a path.
    fn image(&self, path: Path, steps: usize) -> Wide {
        let width = self.arrows[path.start % self.arrows.len()].nrows();
        (1..=steps).fold(Wide::identity(width), |basis, step| {
            let arrow = self.arrow(path, step);
            self.arrows[arrow].times(&basis).range(self.rounding[arrow])
        })
    }

    /// Orthonormal basis of what the arrows after the first `steps` read: the complement of the kernel of their product.
    fn reading(&self, path: Path, steps: usize) -> Wide {
        let width = self.arrows[self.arrow(path, path.length)].nrows();
        (steps + 1..=path.length).rev().fold(Wide::identity(width), |basis, step| {
            let arrow = self.arrow(path, step);
            self.arrows[arrow].transpose_times(&basis).range(self.rounding[arrow])
        })
    }

    /// Cuts a path at an inner node: some directions of what the rest of it reads there are taken from what arrives; what
    /// still arrives is no longer read.
    fn cut(&mut self, path: Path, stream: &mut Stream) -> Option<()> {
        if path.length <= 1 {
            let arrow = self.arrow(path, path.length);
            self.arrows[arrow] = self.arrows[arrow].zeros_like();
            return (path.length == 1 && arrow != 0).then_some(());
        }
        let step = pick(stream, 1, path.length - 1);
        let (into, out_of) = (self.arrow(path, step), self.arrow(path, step + 1));
        let (before, after) = (self.image(path, step - 1), self.reading(path, step + 1));
        let read = self.reading(path, step);
        let arriving = self.arrows[into].times(&before);
        let leaving = after.transpose_times(&self.arrows[out_of]);
        // Strongest first: by what arrives or by what leaves.
        let order = if stream.uniform() < 0.5 {
            orthonormal_completion(&svd(&read.transpose_times(&arriving).rounded()).u)
        } else {
            let weakest_last = orthonormal_completion(&svd(&leaving.times(&read).rounded()).v);
            Matrix::from_fn(weakest_last.nrows(), weakest_last.ncols(), |i, j| {
                weakest_last[(i, weakest_last.ncols() - 1 - j)]
            })
        };
        let kept = match (into, out_of) {
            (0, _) => read.ncols(),
            (_, 0) => 0,
            _ => pick(stream, 0, read.ncols()),
        };
        let dropped = read.times(&Wide::from(&order.columns(kept, read.ncols())).orthonormal());
        if into != 0 {
            let lost = dropped.times(&dropped.transpose_times(&arriving)).times_transpose(&before);
            self.arrows[into] = self.arrows[into].minus(&lost);
        }
        if out_of != 0 {
            let arrived = self.image(path, step);
            let lost = after.times(&leaving).times(&arrived).times_transpose(&arrived);
            self.arrows[out_of] = self.arrows[out_of].minus(&lost);
        }
        Some(())
    }
}

fn pick(stream: &mut Stream, low: usize, high: usize) -> usize {
    stream.integer(low as i64, high as i64) as usize
}
