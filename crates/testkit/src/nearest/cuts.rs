//! Representations of the closed chain of arrows, and the cuts that make their long composites vanish.
//!
//! Beside the captured part a point is a list of *spare* blocks `Z_1, ..., Z_h` between spare spaces of the nodes
//! `0..=h`; the transposed residual leads from node `h` back to node 0 and is fixed. The point is critical iff every
//! composite of `h` arrows of this cycle vanishes.

use crate::grid::Dense;
use crate::jacobi;
use crate::random::Draw;

/// Most cuts before a try is given up.
const CUTS: usize = 60;

/// The arrows of the cycle: `arrows[0]` is the fixed one from node `h` to node 0, `arrows[k]` leads from `k - 1` to `k`.
#[derive(Debug, Clone)]
pub(super) struct Spares {
    pub arrows: Vec<Dense>,
    /// Singular values up to this are rounding.
    pub rounding: f64,
}

/// `length` arrows in a row from node `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path {
    pub start: usize,
    pub length: usize,
}

impl Spares {
    fn nodes(&self) -> usize {
        self.arrows.len()
    }

    /// The arrow that the path takes in step `step`, counted from 1.
    fn arrow(&self, path: Path, step: usize) -> usize {
        (path.start + step) % self.nodes()
    }

    /// Dimension of the space at a node.
    pub(super) fn width(&self, node: usize) -> usize {
        self.arrows[node].rows()
    }

    /// Orthonormal basis of the image of the first `steps` arrows of a path.
    fn image(&self, path: Path, steps: usize) -> Dense {
        (1..=steps).fold(Dense::identity(self.width(path.start)), |basis, step| {
            self.range(&self.arrows[self.arrow(path, step)].matmul(&basis))
        })
    }

    /// Orthonormal basis of what the arrows after the first `steps` read: the complement of the kernel of their product.
    fn reading(&self, path: Path, steps: usize) -> Dense {
        let end = self.arrow(path, path.length);
        (steps + 1..=path.length).rev().fold(Dense::identity(self.width(end)), |basis, step| {
            self.range(&self.arrows[self.arrow(path, step)].transpose().matmul(&basis))
        })
    }

    /// Orthonormal basis of the range.
    fn range(&self, matrix: &Dense) -> Dense {
        let (sizes, vectors) = jacobi::right_singular(&matrix.transpose());
        let rank = sizes.iter().filter(|&&size| size > self.rounding).count();
        vectors.columns(&(0..rank).collect::<Vec<_>>())
    }

    /// Whether the composite along a path vanishes.
    pub(super) fn vanishes(&self, path: Path) -> bool {
        self.image(path, path.length).cols() == 0
    }

    /// Cuts at random until all the paths vanish, in any order: one cut can open another. `None` if that is not possible.
    pub(super) fn cut(&self, paths: &[Path], draw: &mut Draw) -> Option<Self> {
        let mut cut = self.clone();
        for _ in 0..CUTS {
            let open: Vec<Path> = paths.iter().copied().filter(|&path| !cut.vanishes(path)).collect();
            if open.is_empty() {
                return Some(cut);
            }
            cut.cut_path(open[draw.size(0, open.len() - 1)], draw)?;
        }
        None
    }

    /// Cuts one path at an inner node: some directions of what the rest of the path reads there are taken
    /// from what arrives; what still arrives is no longer read.
    fn cut_path(&mut self, path: Path, draw: &mut Draw) -> Option<()> {
        if path.length == 1 {
            let arrow = self.arrow(path, 1);
            self.arrows[arrow] = Dense::zeros(self.arrows[arrow].rows(), self.arrows[arrow].cols());
            return (arrow != 0).then_some(());
        }
        if path.length == 0 {
            return None;
        }
        let step = draw.size(1, path.length - 1);
        let (into, out_of) = (self.arrow(path, step), self.arrow(path, step + 1));
        let (before, after) = (self.image(path, step - 1), self.reading(path, step + 1));
        // What the rest of the path reads at the node, strongest first: by what arrives or by what leaves.
        let read = self.reading(path, step);
        let arriving = self.arrows[into].matmul(&before);
        let leaving = after.transpose().matmul(&self.arrows[out_of]);
        let order = if draw.chance(0.5) {
            jacobi::right_singular(&arriving.transpose().matmul(&read)).1
        } else {
            let weakest_last = jacobi::right_singular(&leaving.matmul(&read)).1;
            weakest_last.columns(&(0..read.cols()).rev().collect::<Vec<_>>())
        };
        let kept = match (into, out_of) {
            (0, _) => read.cols(),
            (_, 0) => 0,
            _ => draw.size(0, read.cols()),
        };
        let dropped = read.matmul(&order.columns(&(kept..read.cols()).collect::<Vec<_>>()));
        if into != 0 {
            let lost = dropped.matmul(&dropped.transpose()).matmul(&arriving).matmul(&before.transpose());
            self.arrows[into] = self.arrows[into].sub(&lost);
        }
        if out_of != 0 {
            let arrived = self.image(path, step);
            let forgotten = after.matmul(&leaving).matmul(&arrived).matmul(&arrived.transpose());
            self.arrows[out_of] = self.arrows[out_of].sub(&forgotten);
        }
        Some(())
    }
}

/// The paths that vanish at every critical point.
pub(super) fn critical_paths(depth: usize) -> Vec<Path> {
    (0..=depth).map(|start| Path { start, length: depth }).collect()
}

/// Paths whose vanishing makes a critical point that captures the largest values a non-strict saddle: for all inner
/// nodes `a <= b` the path from `a` to `b` or the one from `b + 1` around to `a - 1`, chosen at random where both can
/// vanish.
pub(super) fn non_strict_paths(spares: &Spares, draw: &mut Draw) -> Vec<Path> {
    let depth = spares.nodes() - 1;
    let mut paths = critical_paths(depth);
    for a in 1..depth {
        for b in a..depth {
            let inner = Path { start: a, length: b - a };
            let around = Path { start: b + 1, length: depth - 1 - (b - a) };
            let (only_around, only_inner) = (a == b, around.length == 1);
            let pick_inner = only_inner || (!only_around && draw.chance(0.5));
            paths.push(if pick_inner { inner } else { around });
        }
    }
    paths
}
