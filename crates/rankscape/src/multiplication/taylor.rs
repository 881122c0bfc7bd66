//! Taylor coefficients of the product map along a line.

use super::factors::{ExactFactors, Factors};
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;

/// `C_0, ..., C_h` with `mu(theta + t D) = sum_k t^k C_k`: `C_0` is the product, `C_1` the differential at `D`.
///
/// # Errors
/// If the widths differ.
pub fn taylor_coefficients(point: &Factors, direction: &Factors) -> Result<Vec<Matrix>> {
    same_widths(point.architecture().widths(), direction.architecture().widths())?;
    let mut pairs = point.matrices().iter().zip(direction.matrices());
    let mut out: Vec<Matrix> = pairs.next().map(|(w, d)| vec![w.clone(), d.clone()]).unwrap_or_default();
    for (w, d) in pairs {
        out = next_coefficients(&out, |c| w * c, |c| d * c, |a, b| &a + &b);
    }
    Ok(out)
}

/// The same over the rationals.
///
/// # Errors
/// If the widths differ.
pub fn exact_taylor_coefficients(point: &ExactFactors, direction: &ExactFactors) -> Result<Vec<RationalMatrix>> {
    same_widths(point.architecture().widths(), direction.architecture().widths())?;
    let mut pairs = point.matrices().iter().zip(direction.matrices());
    let mut out: Vec<RationalMatrix> = pairs.next().map(|(w, d)| vec![w.clone(), d.clone()]).unwrap_or_default();
    for (w, d) in pairs {
        out = next_coefficients(&out, |c| w * c, |c| d * c, |a, b| &a + &b);
    }
    Ok(out)
}

/// Coefficients of `(w + t d) sum_k t^k c_k`.
fn next_coefficients<T>(old: &[T], w: impl Fn(&T) -> T, d: impl Fn(&T) -> T, add: impl Fn(T, T) -> T) -> Vec<T> {
    let last = old.len() - 1;
    let inner = (1..=last).map(|k| add(w(&old[k]), d(&old[k - 1])));
    std::iter::once(w(&old[0])).chain(inner).chain([d(&old[last])]).collect()
}

fn same_widths(a: &[usize], b: &[usize]) -> Result<()> {
    if a == b {
        return Ok(());
    }
    Err(InputError::new("point and direction have different widths").value(format!("{a:?} and {b:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let coefficients = exact_taylor_coefficients(&point, &direction).unwrap();
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
