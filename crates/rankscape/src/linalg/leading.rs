//! Leading singular triples of a large matrix by a block Krylov method.
//!
//! From a random block the space of `A'A` grows block by block, orthonormal throughout; the singular triples of `A` on that
//! space are the estimates (`[@MuscoMusco2015]`). Every estimate comes with its residual, so an estimate that has not converged says so.

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

/// Blocks after which the search stops.
const BLOCKS: usize = 30;

/// The `count` leading singular triples and the next value, until the residual is at most `tolerance` times the largest
/// singular value, or the budget of 30 blocks is spent. A small matrix is decomposed as a whole.
pub fn leading_singular(a: &Matrix, count: usize, tolerance: f64, stream: &mut Stream) -> Leading {
    let (rows, cols) = a.shape();
    let size = rows.min(cols);
    let count = count.min(size);
    let wanted = (count + 1).min(size);
    let block = (count + SPARE).min(size);
    if size <= 4 * block || a.max_abs() == 0.0 {
        let found = svd(a);
        let residual = f64::EPSILON * found.s.first().copied().unwrap_or(0.0);
        return Leading { svd: leading_of(&found, wanted), residual };
    }
    let mut basis = thin_qr(&stream.normal_matrix(cols, block)).0;
    let mut image = a * &basis;
    let mut last = image.clone();
    let mut blocks = 1;
    loop {
        let found = on_space(&basis, &image, wanted);
        let residual = residual(a, &found, count);
        let largest = found.s.first().copied().unwrap_or(0.0);
        if residual <= tolerance * largest || blocks >= BLOCKS || basis.ncols() + block > size {
            return Leading { svd: found, residual };
        }
        for _ in 0..2 {
            let next = orthonormal_to(&basis, a.transpose_times(&last));
            if basis.ncols() + next.ncols() > size {
                break;
            }
            last = a * &next;
            basis = beside(&basis, &next);
            image = beside(&image, &last);
            blocks += 1;
        }
    }
}

/// Triples of `A` restricted to the space of `basis`, from `image = A basis`.
fn on_space(basis: &Matrix, image: &Matrix, wanted: usize) -> Svd {
    let Svd { u, s, v } = leading_of(&svd(image), wanted);
    Svd { u, s, v: basis * &v }
}

fn residual(a: &Matrix, found: &Svd, count: usize) -> f64 {
    let back = a.transpose_times(&found.u.columns(0, count));
    let off = &back - &found.v.columns(0, count).scale_columns(&found.s[..count]);
    (0..count).map(|i| off.column(i).iter().map(|x| x * x).sum::<f64>().sqrt()).fold(0.0, f64::max)
}

/// Orthonormal basis of the part of the block outside the space; twice, so that it is orthogonal to rounding.
fn orthonormal_to(basis: &Matrix, block: Matrix) -> Matrix {
    let once = thin_qr(&(&block - &(basis * &basis.transpose_times(&block)))).0;
    thin_qr(&(&once - &(basis * &basis.transpose_times(&once)))).0
}

fn beside(left: &Matrix, right: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(left.nrows(), left.ncols() + right.ncols());
    out.set_block(0, 0, left);
    out.set_block(0, left.ncols(), right);
    out
}

fn leading_of(found: &Svd, wanted: usize) -> Svd {
    let wanted = wanted.min(found.s.len());
    Svd { u: found.u.columns(0, wanted), s: found.s[..wanted].to_vec(), v: found.v.columns(0, wanted) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let found = leading_singular(&a, 3, 1e-9, &mut stream);
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
        let zero = leading_singular(&Matrix::zeros(300, 200), 2, 1e-9, &mut Stream::new(98, 9));
        assert!(zero.svd.s == [0.0; 3] && zero.residual == 0.0);
    }
}
