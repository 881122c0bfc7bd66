//! Leading singular triples of a large matrix by a block Krylov method.
//!
//! Block Golub-Kahan bidiagonalization with full orthogonalization: from a random block the spaces of `A'A` and `A A'` grow block by
//! block, with orthonormal bases `V`, `U` and `A V = U T`, `A' U = V T' + N L E'` for a small block-bidiagonal `T`. The singular triples
//! of `T` give the estimates (`[@MuscoMusco2015]`), and the last block their residuals: nothing large is decomposed.

use super::krylov::vector_norm;
use super::large::LargeMatrix;
use super::matrix::Matrix;
use super::qr::thin_qr;
use super::svd::{Svd, svd};
use crate::random::Stream;

/// Leading singular triples, and how far to trust them.
#[derive(Debug, Clone)]
pub struct Leading {
    /// The triples; one more value than was asked for where there is one, for the gap.
    pub svd: Svd,
    /// `max_i ||A'u_i - s_i v_i||` over the triples that were asked for; `A v_i = s_i u_i` holds to rounding.
    pub residual: f64,
}

/// Columns of a block beyond those asked for: they carry the convergence past the gap.
const SPARE: usize = 8;

/// Numbers of blocks at which the estimates are looked at; the search stops at the last.
const LOOKS: [usize; 8] = [2, 4, 6, 9, 13, 18, 24, 30];

/// Share of a block that must be left outside a space for one projection to be orthogonal to about `1e-13`.
const ENOUGH: f64 = 1e-3;

/// Blocks that there is room for at first.
const FIRST: usize = 8;

/// Approximations of the `count` leading singular triples and the next value, until the residual is at most `tolerance` times the largest
/// singular value, or the budget of 30 blocks is spent. A small matrix is decomposed as a whole.
pub fn leading_singular(a: &LargeMatrix, count: usize, tolerance: f64, stream: &mut Stream) -> Leading {
    let (rows, cols) = a.shape();
    let size = rows.min(cols);
    let count = count.min(size);
    let wanted = (count + 1).min(size);
    let block = (count + SPARE).min(size);
    if size <= 8 * block {
        let found = svd(&a.to_matrix());
        let residual = f64::EPSILON * found.s.first().copied().unwrap_or(0.0);
        return Leading { svd: leading_of(&found, wanted), residual };
    }
    let mut spaces = Spaces::new(a, &thin_qr(&stream.normal_matrix(cols, block)).0);
    let (mut look, mut seen) = (LOOKS[0], None);
    loop {
        let blocks = spaces.blocks();
        let last = (blocks + 1) * block > size || blocks >= LOOKS[LOOKS.len() - 1];
        if last || blocks >= look {
            let small = svd(&spaces.projected());
            let residual = spaces.residual(&small, count);
            // What rounding leaves of a residual does not go away.
            let enough = tolerance.max(8.0 * a.unit_roundoff()) * small.s[0];
            if last || residual <= enough || small.s[0] == 0.0 {
                let residual = residual.max(a.unit_roundoff() * small.s[0]);
                return Leading { svd: spaces.triples(leading_of(&small, wanted)), residual };
            }
            look = next_look(blocks, residual / enough, seen);
            seen = Some((blocks, residual / enough));
        }
        spaces.grow(a);
    }
}

/// The next number of blocks at which the estimates may be good enough, by how fast the residual fell: looks that cannot succeed
/// cost a decomposition for nothing.
fn next_look(blocks: usize, excess: f64, seen: Option<(usize, f64)>) -> usize {
    let rate = seen.map_or(f64::NEG_INFINITY, |(before, old)| (excess / old).ln() / (blocks - before) as f64);
    // Krylov methods speed up: a look is worth it where the rate so far needs to double.
    let promising = |look: usize| excess.ln() + 2.0 * rate * (look - blocks) as f64 <= 0.0;
    let later = LOOKS.into_iter().filter(|&look| look > blocks);
    later.clone().find(|&look| promising(look)).or(later.max()).unwrap_or(blocks + 1)
}

/// Orthonormal blocks `V_k`, `U_k` with `A V_k = U_{k-1} L_{k-1}' + U_k R_k` and `A' U_k = V_k R_k' + V_{k+1} L_k`.
struct Spaces {
    /// The first columns are the blocks.
    v: Matrix,
    u: Matrix,
    /// Columns of a block.
    block: usize,
    /// `R_k`, one a block.
    diagonal: Vec<Matrix>,
    /// `L_k` between consecutive blocks.
    beside: Vec<Matrix>,
    /// `V_{k+1}` and `L_k` of the last block.
    next: (Matrix, Matrix),
}

impl Spaces {
    fn new(a: &LargeMatrix, start: &Matrix) -> Self {
        let ((rows, cols), block) = (a.shape(), start.ncols());
        let (mut v, mut u) = (Matrix::zeros(cols, FIRST * block), Matrix::zeros(rows, FIRST * block));
        let (first, r) = thin_qr(&a.times(start));
        v.set_block(0, 0, start);
        u.set_block(0, 0, &first);
        let next = orthonormal_to(&v, block, a.transpose_times(&first));
        Self { v, u, block, diagonal: vec![r], beside: Vec::new(), next }
    }

    fn blocks(&self) -> usize {
        self.diagonal.len()
    }

    fn size(&self) -> usize {
        self.blocks() * self.block
    }

    fn grow(&mut self, a: &LargeMatrix) {
        let size = self.size();
        if size + self.block > self.v.ncols() {
            (self.v, self.u) = (twice_as_wide(&self.v), twice_as_wide(&self.u));
        }
        let (u, r) = orthonormal_to(&self.u, size, a.times(&self.next.0));
        self.v.set_block(0, size, &self.next.0);
        self.u.set_block(0, size, &u);
        self.diagonal.push(r);
        let next = orthonormal_to(&self.v, size + self.block, a.transpose_times(&u));
        self.beside.push(std::mem::replace(&mut self.next, next).1);
    }

    /// `T = U' A V`: `R_k` on the diagonal, `L_k'` beside it.
    fn projected(&self) -> Matrix {
        let mut t = Matrix::zeros(self.size(), self.size());
        for (k, r) in self.diagonal.iter().enumerate() {
            t.set_block(k * self.block, k * self.block, r);
        }
        for (k, l) in self.beside.iter().enumerate() {
            t.set_block(k * self.block, (k + 1) * self.block, &l.transpose());
        }
        t
    }

    /// `A' u_i - s_i v_i = V_{k+1} L_k` times the last block of the small left vector.
    fn residual(&self, small: &Svd, count: usize) -> f64 {
        let off = &self.next.1 * &small.u.block(self.size() - self.block, 0, self.block, count);
        (0..count).map(|i| vector_norm(off.column(i))).fold(0.0, f64::max)
    }

    fn triples(&self, small: Svd) -> Svd {
        let size = self.size();
        Svd { u: &self.u.columns(0, size) * &small.u, s: small.s, v: &self.v.columns(0, size) * &small.v }
    }
}

/// The matrix with room for as many more columns.
fn twice_as_wide(matrix: &Matrix) -> Matrix {
    let mut wide = Matrix::zeros(matrix.nrows(), 2 * matrix.ncols());
    wide.set_block(0, 0, matrix);
    wide
}

/// Orthonormal basis `Q` of the part of the block outside the first `count` columns of `space`, and `R`. Where little of a column
/// is left, what rounding leaves along the space is taken off once more.
fn orthonormal_to(space: &Matrix, count: usize, mut block: Matrix) -> (Matrix, Matrix) {
    let before = (0..block.ncols()).map(|j| vector_norm(block.column(j))).fold(0.0, f64::max);
    space.project_out_block(count, &mut block);
    let (mut once, first) = thin_qr(&block);
    let left = (0..first.ncols()).map(|j| first[(j, j)].abs()).fold(f64::INFINITY, f64::min);
    if left >= ENOUGH * before {
        return (once, first);
    }
    space.project_out_block(count, &mut once);
    let (q, second) = thin_qr(&once);
    (q, &second * &first)
}

fn leading_of(found: &Svd, wanted: usize) -> Svd {
    let wanted = wanted.min(found.s.len());
    Svd { u: found.u.columns(0, wanted), s: found.s[..wanted].to_vec(), v: found.v.columns(0, wanted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large(m: &Matrix) -> LargeMatrix {
        LargeMatrix::double(m.nrows(), m.ncols(), m.to_rows().concat())
    }

    /// A matrix with known singular values, the later ones slowly decaying.
    fn planted(rows: usize, cols: usize, values: &[f64], stream: &mut Stream) -> (Matrix, Matrix, Matrix) {
        let u = thin_qr(&stream.normal_matrix(rows, values.len())).0;
        let v = thin_qr(&stream.normal_matrix(cols, values.len())).0;
        (u.scale_columns(values).times_transpose(&v), u, v)
    }

    #[test]
    fn triples_of_a_planted_matrix_are_found_with_their_gap() {
        for (case, (rows, cols)) in [(150, 220), (220, 150), (9, 200), (6, 5)].into_iter().enumerate() {
            let mut stream = Stream::new(98, case as u64);
            let values: Vec<f64> = (0..rows.min(cols)).map(|k| 10.0 / (1.0 + k as f64)).collect();
            let (a, u, v) = planted(rows, cols, &values, &mut stream);
            let found = leading_singular(&large(&a), 3, 1e-9, &mut stream);
            assert_eq!(found.svd.s.len(), 4);
            for (x, y) in found.svd.s[..3].iter().zip(&values) {
                assert!((x - y).abs() < 1e-10, "{x} {y}");
            }
            assert!(found.residual <= 1e-8 && (found.svd.s[3] - values[3]).abs() < 1e-2);
            for (q, planted) in [(&found.svd.u, &u), (&found.svd.v, &v)] {
                let cosines = svd(&planted.columns(0, 3).transpose_times(&q.columns(0, 3))).s;
                assert!(cosines[2] > 1.0 - 1e-12, "{cosines:?}");
            }
        }
        let zero = leading_singular(&large(&Matrix::zeros(300, 200)), 2, 1e-9, &mut Stream::new(98, 9));
        assert!(zero.svd.s == [0.0; 3] && zero.residual == 0.0);
    }
}
