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

/// Paths of which one has to vanish.
pub(super) type Requirement = Vec<Path>;

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

    /// Cuts at random until of each requirement one path vanishes; `None` if that is not possible. One cut can open
    /// another, so the order does not matter. Each cut is the cheapest of a random number of random ones.
    pub(super) fn cut(&self, requirements: &[Requirement], draw: &mut Draw) -> Option<Self> {
        let mut cut = self.clone();
        for _ in 0..CUTS {
            let met = |any: &Requirement| any.iter().any(|&path| cut.vanishes(path));
            let open: Vec<&Requirement> = requirements.iter().filter(|any| !met(any)).collect();
            if open.is_empty() {
                return Some(cut);
            }
            let tries: Vec<Self> = (0..draw.size(1, 6))
                .filter_map(|_| {
                    let any = open[draw.size(0, open.len() - 1)];
                    let mut cut = cut.clone();
                    cut.cut_path(any[draw.size(0, any.len() - 1)], draw)?;
                    Some(cut)
                })
                .collect();
            cut = tries.into_iter().min_by(|a, b| a.difference(&cut).total_cmp(&b.difference(&cut)))?;
        }
        None
    }

    /// Sum of the squares of what is different.
    fn difference(&self, other: &Self) -> f64 {
        self.arrows.iter().zip(&other.arrows).map(|(a, b)| a.sub(b).norm().powi(2)).sum()
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

/// What holds at every critical point: all composites of `h` arrows vanish.
pub(super) fn critical(depth: usize) -> Vec<Requirement> {
    (0..=depth).map(|start| vec![Path { start, length: depth }]).collect()
}

/// What holds at a non-strict saddle that captures the largest values: for all inner nodes `a <= b` the path from `a` to
/// `b` vanishes or the one from `b + 1` around to `a - 1`.
pub(super) fn non_strict(depth: usize) -> Vec<Requirement> {
    let mut requirements = critical(depth);
    for a in 1..depth {
        for b in a..depth {
            let inner = Path { start: a, length: b - a };
            let around = Path { start: b + 1, length: depth - 1 - (b - a) };
            // A path of no arrow does not vanish, nor does that of the residual alone.
            let possible = [(inner, b > a), (around, around.length > 1)];
            requirements.push(possible.into_iter().filter(|&(_, possible)| possible).map(|(path, _)| path).collect());
        }
    }
    requirements
}
