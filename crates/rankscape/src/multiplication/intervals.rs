//! Bases of all spaces in which a tuple of factors is a direct sum of intervals.
//!
//! Going through the nodes from the left, every interval alive has a vector at every node since its birth. At each arrow
//! the older intervals keep their images; a class of equally old ones is turned so that some images are independent of
//! those of the older and the others lie in their span; the latter lose the older ones' share at all nodes since their
//! birth, so that the arrow kills them. (An older interval may be subtracted from a younger one because it exists
//! wherever the younger does.)

use super::rank_profile::RankProfile;
use crate::linalg::{Matrix, inverse, orthonormal_complement, pseudo_inverse, svd};

/// An interval with its place in the bases.
#[derive(Debug, Clone)]
pub(super) struct Interval {
    /// First node.
    pub(super) from: usize,
    /// Last node.
    pub(super) to: usize,
    /// Vectors at the nodes `from..=to`.
    vectors: Vec<Vec<f64>>,
}

impl Interval {
    pub(super) fn alive(&self, node: usize) -> bool {
        self.from <= node && node <= self.to
    }
}

/// Bases adapted to the intervals.
#[derive(Debug, Clone)]
pub(super) struct IntervalBasis {
    /// All intervals, by birth.
    pub(super) intervals: Vec<Interval>,
    /// Columns of basis `i`: the intervals alive at node `i`, in order.
    pub(super) bases: Vec<Matrix>,
    /// Their inverses.
    pub(super) inverses: Vec<Matrix>,
}

impl IntervalBasis {
    /// Bases for `matrices` (some widths may be 0) whose ranks are those of `rank(i, j)`, `rank(i, i)` the width. `None` when
    /// the ranks contradict the matrices.
    pub(super) fn new(matrices: &[Matrix], rank: impl Fn(usize, usize) -> usize) -> Option<Self> {
        let h = matrices.len();
        let mut intervals: Vec<Interval> = births(0, &Matrix::identity(rank(0, 0)));
        for (i, matrix) in matrices.iter().enumerate() {
            let mut images = Matrix::zeros(matrix.nrows(), 0);
            for born in 0..=i {
                let older = born.checked_sub(1).map_or(0, |b| rank(b, i + 1));
                let survive = rank(born, i + 1).checked_sub(older)?;
                images = advance(&mut intervals, born, i, matrix, images, survive)?;
            }
            let span = svd(&images).u;
            intervals.extend(births(i + 1, &orthonormal_complement(&span)));
        }
        let bases: Vec<Matrix> = (0..=h).map(|i| basis(&intervals, i, rank(i, i))).collect();
        if bases.iter().any(|b| b.nrows() != b.ncols()) {
            return None;
        }
        let inverses = bases.iter().map(inverse).collect::<Option<_>>()?;
        Some(Self { intervals, bases, inverses })
    }

    /// Intervals alive at a node, in the order of the basis.
    pub(super) fn at(&self, node: usize) -> Vec<&Interval> {
        self.intervals.iter().filter(|interval| interval.alive(node)).collect()
    }
}

/// Ranks of the reduced tuple: those of the whole less the rank of the product.
pub(super) fn reduced_rank(profile: &RankProfile) -> impl Fn(usize, usize) -> usize + '_ {
    let e = profile.product_rank();
    move |i, j| profile.rank(i, j).saturating_sub(e)
}

fn births(node: usize, columns: &Matrix) -> Vec<Interval> {
    (0..columns.ncols()).map(|j| Interval { from: node, to: node, vectors: vec![columns.column(j).to_vec()] }).collect()
}

fn basis(intervals: &[Interval], node: usize, width: usize) -> Matrix {
    let columns: Vec<&Vec<f64>> =
        intervals.iter().filter(|b| b.alive(node)).map(|b| &b.vectors[node - b.from]).collect();
    Matrix::from_fn(width, columns.len(), |i, j| columns[j][i])
}

/// Takes the class born at `born` and alive at node `i` through `matrix`; gives the images of all survivors so far.
fn advance(
    intervals: &mut [Interval],
    born: usize,
    i: usize,
    matrix: &Matrix,
    images: Matrix,
    survive: usize,
) -> Option<Matrix> {
    let class: Vec<usize> =
        (0..intervals.len()).filter(|&b| intervals[b].from == born && intervals[b].to == i).collect();
    if class.len() < survive {
        return None;
    }
    let at_node = |list: &[Interval], ids: &[usize], node: usize| {
        let rows = list[ids[0]].vectors[node - list[ids[0]].from].len();
        Matrix::from_fn(rows, ids.len(), |r, c| list[ids[c]].vectors[node - list[ids[c]].from][r])
    };
    if class.is_empty() {
        return Some(images);
    }
    let span = svd(&images).u;
    let image = matrix * &at_node(intervals, &class, i);
    let remainder = &image - &(&span * &span.transpose_times(&image));
    let turn = full_right_basis(&remainder, class.len());
    for node in born..=i {
        let turned = &at_node(intervals, &class, node) * &turn;
        for (c, &b) in class.iter().enumerate() {
            intervals[b].vectors[node - born] = turned.column(c).to_vec();
        }
    }
    let image = &image * &turn;
    let elders: Vec<usize> =
        (0..intervals.len()).filter(|&b| intervals[b].from < born && intervals[b].to == i + 1).collect();
    let shares = &pseudo_inverse(&images, elders.len()) * &image.columns(survive, class.len());
    for (c, &b) in class[survive..].iter().enumerate() {
        for node in born..=i {
            for (e, &elder) in elders.iter().enumerate() {
                let offset = node - intervals[elder].from;
                let source = intervals[elder].vectors[offset].clone();
                let target = &mut intervals[b].vectors[node - born];
                target.iter_mut().zip(&source).for_each(|(x, y)| *x -= shares[(e, c)] * y);
            }
        }
    }
    let mut all = Matrix::zeros(image.nrows(), images.ncols() + survive);
    all.set_block(0, 0, &images);
    all.set_block(0, images.ncols(), &image.columns(0, survive));
    for (c, &b) in class[..survive].iter().enumerate() {
        intervals[b].to = i + 1;
        intervals[b].vectors.push(image.column(c).to_vec());
    }
    Some(all)
}

/// Orthogonal matrix whose columns are right singular vectors, largest singular value first.
fn full_right_basis(a: &Matrix, size: usize) -> Matrix {
    let v = svd(a).v;
    let rest = orthonormal_complement(&v);
    let mut out = Matrix::zeros(size, size);
    out.set_block(0, 0, &v);
    out.set_block(0, v.ncols(), &rest);
    out
}
