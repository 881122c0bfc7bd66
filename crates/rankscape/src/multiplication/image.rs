//! The image of the differential: an orthonormal basis, and what is missing.
//!
//! The image is `sum_k Col P(h,k) (x) Row P(k-1,0)`. The column spaces grow with `k`, the row spaces shrink, so
//! orthonormal bases `u_a`, `v_b` adapted to the two flags give an orthonormal basis of the image: with
//! `grade(u) = min{k : u in Col P(h,k)}` and `grade(v) = max{k : v in Row P(k-1,0)}`, all `u v'` with
//! `grade(u) <= grade(v)`.

use super::factors::Factors;
use super::rank_profile::RankProfile;
use crate::linalg::{Matrix, power_of_two_near, svd};

/// Orthonormal bases adapted to the column spaces of `P(h,k)` and the row spaces of `P(k-1,0)`.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferentialImage {
    /// Orthogonal, `d_h x d_h`; grades do not decrease along the columns.
    pub left: Matrix,
    /// `min{k : u in Col P(h,k)}`, from 1 to `h`.
    pub left_grades: Vec<usize>,
    /// Orthogonal, `d_0 x d_0`; grades do not increase along the columns.
    pub right: Matrix,
    /// `max{k : v in Row P(k-1,0)}`, from 1 to `h`.
    pub right_grades: Vec<usize>,
}

impl DifferentialImage {
    /// Bases for `factors` with the ranks of `profile`. Costs of order `(d_0^3 + d_h^3) h`.
    pub fn new(factors: &Factors, profile: &RankProfile) -> Self {
        let h = factors.depth();
        let mut lefts = vec![Matrix::identity(factors.architecture().outputs())];
        for matrix in factors.matrices()[1..].iter().rev() {
            lefts.push(normalized(&lefts[lefts.len() - 1] * matrix));
        }
        lefts.reverse();
        let mut rights = vec![Matrix::identity(factors.architecture().inputs())];
        for matrix in &factors.matrices()[..h - 1] {
            rights.push(normalized(matrix * &rights[rights.len() - 1]));
        }
        let left_ranks = (1..=h).map(|k| profile.rank(k, h));
        let (left, left_places) = flag(lefts.iter().cloned().zip(left_ranks));
        let right_ranks = (1..=h).rev().map(|k| profile.rank(0, k - 1));
        let (right, right_places) = flag(rights.iter().rev().map(Matrix::transpose).zip(right_ranks));
        Self {
            left,
            left_grades: left_places.iter().map(|place| place + 1).collect(),
            right,
            right_grades: right_places.iter().map(|place| h - place).collect(),
        }
    }

    /// `u_a v_b'` belongs to the basis of the image.
    pub fn contains(&self, a: usize, b: usize) -> bool {
        self.left_grades[a] <= self.right_grades[b]
    }

    /// Dimension of the image.
    pub fn rank(&self) -> usize {
        self.pairs(true).count()
    }

    /// The basis of the image: pairs `(a, b)` that stand for `u_a v_b'`.
    pub fn basis(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.pairs(true)
    }

    /// Pairs outside the image. Where `rank W < r`, or the network is filling, the tangent cone of the matrices of rank
    /// at most `r` spans all matrices and these are its missing directions; where `rank W = r` they span the normal
    /// space and no tangent direction is missing.
    pub fn missing(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.pairs(false)
    }

    fn pairs(&self, inside: bool) -> impl Iterator<Item = (usize, usize)> + '_ {
        let columns = self.right_grades.len();
        (0..self.left_grades.len())
            .flat_map(move |a| (0..columns).map(move |b| (a, b)))
            .filter(move |&(a, b)| self.contains(a, b) == inside)
    }

    /// The matrix `u_a v_b'`.
    pub fn direction(&self, a: usize, b: usize) -> Matrix {
        self.left.columns(a, a + 1).times_transpose(&self.right.columns(b, b + 1))
    }

    /// Orthogonal projection of a matrix onto the image.
    pub fn project(&self, xi: &Matrix) -> Matrix {
        let inner = &self.left.transpose_times(xi) * &self.right;
        let kept =
            Matrix::from_fn(inner.nrows(), inner.ncols(), |a, b| if self.contains(a, b) { inner[(a, b)] } else { 0.0 });
        (&self.left * &kept).times_transpose(&self.right)
    }
}

fn normalized(a: Matrix) -> Matrix {
    a.scaled(1.0 / power_of_two_near(a.max_abs()))
}

/// Orthonormal basis adapted to growing column spaces of the given ranks, with the place where each vector enters.
fn flag(spaces: impl Iterator<Item = (Matrix, usize)>) -> (Matrix, Vec<usize>) {
    let mut basis = Matrix::zeros(0, 0);
    let mut places = Vec::new();
    for (place, (space, rank)) in spaces.enumerate() {
        let known = places.len();
        if place == 0 {
            basis = Matrix::zeros(space.nrows(), 0);
        }
        if rank <= known {
            continue;
        }
        let once = &space - &(&basis * &basis.transpose_times(&space));
        let fresh = svd(&once).u.columns(0, rank - known);
        let twice = svd(&(&fresh - &(&basis * &basis.transpose_times(&fresh)))).u;
        let mut wider = Matrix::zeros(space.nrows(), rank);
        wider.set_block(0, 0, &basis);
        wider.set_block(0, known, &twice);
        basis = wider;
        places.resize(rank, place);
    }
    (basis, places)
}
