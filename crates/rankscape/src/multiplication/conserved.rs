//! Conserved quantities of gradient flow: `W_{k+1}' W_{k+1} - W_k W_k'` at every inner node.
//!
//! The law of a symmetric `L_k` at each node is dependent on the others, to first order at a point, exactly when
//! `L_k W_k = W_k L_{k-1}` for all `k`, with `L_0 = 0` and `L_h = 0`.

use super::factors::Factors;
use crate::linalg::{Matrix, rank};
use crate::tolerance::Tolerances;

/// Number of independent laws for two factors, `n x r` and `r x m`, of full joint rank: `r (r + 1) / 2` if `r <= n + m`, else
/// `(n + m) r - (n + m)(n + m - 1) / 2`.
///
/// ```
/// assert_eq!(rankscape::multiplication::conserved_laws_of_two(3, 2, 1), 3);
/// assert_eq!(rankscape::multiplication::conserved_laws_of_two(1, 3, 1), 5);
/// ```
pub fn conserved_laws_of_two(n: usize, r: usize, m: usize) -> usize {
    let ends = (n + m).min(r);
    ends * r - ends * ends.saturating_sub(1) / 2
}

/// Largest number of laws for which [`conserved_laws`] forms their differentials.
const MOST_LAWS: usize = 600;

/// Number of laws whose differentials at the point are independent; `None` when there are more than 600 laws or the
/// rank is not clear.
pub fn conserved_laws(factors: &Factors, tolerances: &Tolerances) -> Option<usize> {
    let widths = factors.architecture().widths();
    let h = factors.depth();
    let laws: usize = widths[1..h].iter().map(|d| d * (d + 1) / 2).sum();
    if laws > MOST_LAWS {
        return None;
    }
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(laws);
    for k in 1..h {
        for i in 0..widths[k] {
            for j in i..widths[k] {
                let law = Matrix::from_fn(widths[k], widths[k], |a, b| {
                    f64::from(u8::from((a, b) == (i, j))) + f64::from(u8::from((a, b) == (j, i)))
                });
                let mut gradient = factors
                    .with_matrices(factors.matrices().iter().map(|w| Matrix::zeros(w.nrows(), w.ncols())).collect());
                *gradient.layer_mut(k) = (&law * factors.layer(k)).scaled(-1.0);
                *gradient.layer_mut(k + 1) = factors.layer(k + 1) * &law;
                rows.push(gradient.to_vector());
            }
        }
    }
    if rows.is_empty() {
        return Some(0);
    }
    let decision = rank(&Matrix::from_rows(&rows), tolerances);
    decision.clear.then_some(decision.rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn formula_for_two_factors_is_the_rank_of_the_differentials() {
        let mut stream = Stream::new(81, 0);
        for n in 1..4 {
            for m in 1..4 {
                for r in 1..8 {
                    let factors = Factors::new(vec![stream.normal_matrix(r, m), stream.normal_matrix(n, r)]).unwrap();
                    let found = conserved_laws(&factors, &Tolerances::default());
                    assert_eq!(found, Some(conserved_laws_of_two(n, r, m)), "{n} {r} {m}");
                }
            }
        }
    }
}
