//! Taylor coefficients of the product map along a line.

use super::factors::FactorChain;
use crate::error::{InputError, Result};
use crate::linalg::Algebra;

/// `C_0, ..., C_h` with `mu(theta + t D) = sum_k t^k C_k`: `C_0` is the product, `C_1` the differential at `D`.
///
/// # Errors
/// If the widths differ.
pub fn taylor_coefficients<F: FactorChain>(point: &F, direction: &F) -> Result<Vec<F::Matrix>> {
    same_widths(point.architecture().widths(), direction.architecture().widths())?;
    let mut pairs = point.matrices().iter().zip(direction.matrices());
    let first = pairs.next().map(|(w, d)| vec![w.clone(), d.clone()]).unwrap_or_default();
    Ok(pairs.fold(first, |coefficients, (w, d)| next_coefficients(&coefficients, w, d)))
}

/// Coefficients of `(w + t d) sum_k t^k c_k`.
fn next_coefficients<M: Algebra>(old: &[M], w: &M, d: &M) -> Vec<M> {
    let last = old.len() - 1;
    let inner = (1..=last).map(|k| w.times(&old[k]).plus(&d.times(&old[k - 1])));
    std::iter::once(w.times(&old[0])).chain(inner).chain([d.times(&old[last])]).collect()
}

fn same_widths(a: &[usize], b: &[usize]) -> Result<()> {
    if a == b {
        return Ok(());
    }
    Err(InputError::new("point and direction have different widths").value(format!("{a:?} and {b:?}")))
}

#[cfg(test)]
mod tests {
    use super::super::factors::{ExactFactors, Factors};
    use super::*;
    use crate::linalg::exact::RationalMatrix;
    use crate::random::Stream;

    #[test]
    fn coefficients_sum_to_the_product_on_the_line() {
        for (trial, widths) in [vec![2, 3], vec![3, 1, 2], vec![2, 3, 4, 2, 1]].into_iter().enumerate() {
            let mut stream = Stream::new(61, trial as u64);
            let mut draw = || {
                ExactFactors::new(
                    widths
                        .windows(2)
                        .map(|d| {
                            RationalMatrix::from_fn(d[1], d[0], |_, _| {
                                num_rational::Ratio::from_integer(stream.integer(-4, 4).into())
                            })
                        })
                        .collect(),
                )
                .unwrap()
            };
            let (point, direction) = (draw(), draw());
            let coefficients = taylor_coefficients(&point, &direction).unwrap();
            assert_eq!(coefficients.len(), widths.len());
            let moved: Vec<RationalMatrix> =
                point.matrices().iter().zip(direction.matrices()).map(|(w, d)| &(&(w + d) + d) + d).collect();
            let product = ExactFactors::new(moved).unwrap();
            let zero = RationalMatrix::zeros(widths[widths.len() - 1], widths[0]);
            let sum = coefficients.iter().rev().fold(zero, |sum, c| &(&(&sum + &sum) + &sum) + c);
            assert_eq!(sum, product.partial(widths.len() - 1, 0));
            let floating =
                |f: &ExactFactors| Factors::new(f.matrices().iter().map(RationalMatrix::to_matrix).collect()).unwrap();
            let found = taylor_coefficients(&floating(&point), &floating(&direction)).unwrap();
            for (a, b) in found.iter().zip(&coefficients) {
                assert_eq!(a, &b.to_matrix());
            }
        }
    }
}
