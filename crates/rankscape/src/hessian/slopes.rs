//! Checks of derivatives by the slope of the Taylor remainder.
//!
//! Along a line the remainder after the terms of order `k` falls like `t^(k+1)`. Its slope in a logarithmic plot is
//! therefore 2 for a right gradient and 3 for a right gradient and Hessian.

use super::operator::HessianOperator;
use crate::linalg::{Matrix, SymmetricOperator};
use crate::loss::Loss;
use crate::network::Network;
use crate::tolerance::UNIT_ROUNDOFF;

/// Remainders along a line and their slope.
#[derive(Debug, Clone, PartialEq)]
pub struct TaylorSlope {
    /// Slope between the two smallest steps that stand clear of rounding; `None` when there are none, as when the
    /// remainder is identically zero.
    pub slope: Option<f64>,
    /// The steps `t`, decreasing.
    pub steps: Vec<f64>,
    /// `|f(t) - sum_k derivatives[k] t^k / k!|`.
    pub remainders: Vec<f64>,
}

/// Steps are halved this many times.
const HALVINGS: i32 = 40;
/// Remainders this many times larger than the rounding errors of the value count.
const CLEAR: f64 = 1e3;

impl TaylorSlope {
    /// Of a function of one variable whose first derivatives at 0 are claimed to be `derivatives`, from the value on.
    ///
    /// ```
    /// use rankscape::hessian::TaylorSlope;
    /// let right = TaylorSlope::new(f64::exp, &[1.0, 1.0]);
    /// let wrong = TaylorSlope::new(f64::exp, &[1.0, 1.1]);
    /// assert!((right.slope.unwrap() - 2.0).abs() < 0.05 && (wrong.slope.unwrap() - 1.0).abs() < 0.05);
    /// ```
    pub fn new(value: impl Fn(f64) -> f64, derivatives: &[f64]) -> Self {
        let steps: Vec<f64> = (0..=HALVINGS).map(|k| 2.0_f64.powi(-k)).collect();
        let mut remainders = Vec::with_capacity(steps.len());
        let mut clear = Vec::with_capacity(steps.len());
        for &t in &steps {
            let (mut term, mut sum, mut size) = (1.0, 0.0, 0.0_f64);
            for (k, derivative) in derivatives.iter().enumerate() {
                term *= if k == 0 { 1.0 } else { t / k as f64 };
                sum += derivative * term;
                size = size.max((derivative * term).abs());
            }
            let found = value(t);
            remainders.push((found - sum).abs());
            clear.push((found - sum).abs() > CLEAR * UNIT_ROUNDOFF * size.max(found.abs()));
        }
        let counted = clear.iter().take_while(|&&c| c).count();
        let slope = remainders[..counted].windows(2).last().map(|pair| (pair[0] / pair[1]).log2());
        Self { slope, steps, remainders }
    }
}

/// The remainder of first order of the loss along a direction, one matrix a block: slope 2 if the gradient is right.
pub fn check_gradient(network: &Network<impl Loss + Clone>, direction: &[Matrix]) -> TaylorSlope {
    let first = pairing(network.gradient(), direction);
    TaylorSlope::new(|t| network.moved(t, direction).value(), &[network.value(), first])
}

/// The remainder of second order of the loss along a direction, one matrix a block: slope 3 if gradient and Hessian are
/// right.
pub fn check_hessian(network: &Network<impl Loss + Clone>, direction: &[Matrix]) -> TaylorSlope {
    let first = pairing(network.gradient(), direction);
    let vector: Vec<f64> =
        direction.iter().flat_map(|block| block.transpose().entries().collect::<Vec<f64>>()).collect();
    let image = HessianOperator::new(network, vec![1.0; direction.len()]).apply(&vector);
    let second = image.iter().zip(&vector).map(|(x, y)| x * y).sum();
    TaylorSlope::new(|t| network.moved(t, direction).value(), &[network.value(), first, second])
}

fn pairing(a: &[Matrix], b: &[Matrix]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x.dot(y)).sum()
}
