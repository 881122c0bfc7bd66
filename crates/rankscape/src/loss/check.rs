//! Whether a loss of one's own keeps what it says.

use super::{Loss, SharedLoss};
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::random::Stream;

/// Points at which a loss is looked at.
const POINTS: u64 = 4;
/// Step of the differences, relative to the size of the outputs.
const STEP: f64 = 1e-5;
/// Largest relative difference of slopes that differences of values leave.
const AGREES: f64 = 1e-4;

/// Looks at a loss at a few random outputs of this shape: slopes beside differences of values, curvature beside differences of
/// slopes, and the claimed convexity at middle points.
///
/// # Errors
/// With what disagrees, and by how much.
pub fn check_loss(loss: &SharedLoss, (rows, columns): (usize, usize)) -> Result<()> {
    for point in 0..POINTS {
        let mut stream = Stream::new(point, 0);
        let size = 10.0_f64.powi(point as i32 - 1);
        let outputs = stream.normal_matrix(rows, columns).scaled(size);
        let direction = stream.normal_matrix(rows, columns);
        let direction = direction.scaled(1.0 / direction.frobenius_norm());
        let step = STEP * size;
        let at = |t: f64| &outputs + &direction.scaled(t);
        let (up, down) = (at(step), at(-step));
        let gradient = loss.gradient(&outputs);
        if gradient.shape() != outputs.shape() {
            let (m, n) = gradient.shape();
            return Err(disagreement("the gradient of the loss does not have the shape of the outputs")
                .value(format!("{m} x {n}, the outputs are {rows} x {columns}")));
        }
        let slope = gradient.dot(&direction);
        let measured = (loss.value(&up) - loss.value(&down)) / (2.0 * step);
        // Differences of values lose the digits that the value has and its change has not.
        let noise = loss.value(&outputs).abs() * f64::EPSILON / step;
        if !((slope - measured).abs() <= AGREES * gradient.frobenius_norm() + 8.0 * noise) {
            return Err(disagreement("the slopes of the loss disagree with its values")
                .value(format!("{slope:e} by its gradient, {measured:e} by differences of its values")));
        }
        let curved = loss.hessian_times(&outputs, &direction);
        let differences = (&loss.gradient(&up) - &loss.gradient(&down)).scaled(0.5 / step);
        let noise = gradient.frobenius_norm() * f64::EPSILON / step;
        let bound = 0.05 * (curved.frobenius_norm() + differences.frobenius_norm()) + 8.0 * noise;
        if !((&curved - &differences).frobenius_norm() <= bound) && loss.is_twice_differentiable(&outputs, 10.0 * STEP)
        {
            return Err(disagreement("the second derivatives of the loss disagree with its slopes").value(format!(
                "{:e} by its Hessian, {:e} by differences of its gradient",
                curved.frobenius_norm(),
                differences.frobenius_norm()
            )));
        }
        let curvature = loss.curvature(&outputs);
        let again = loss.curved(&curvature, &direction);
        if !((&again - &curved).frobenius_norm() <= 1e-9 * curved.frobenius_norm()) {
            return Err(disagreement("the Hessian of the loss is not the one of its curvature").value(format!(
                "{:e} by hessian_times, {:e} by curved",
                curved.frobenius_norm(),
                again.frobenius_norm()
            )));
        }
        if let Some(diagonal) = loss.diagonal(&outputs) {
            let unit = Matrix::from_fn(rows, columns, |i, j| f64::from(u8::from((i, j) == (0, 0))));
            let (stated, found) = (diagonal[(0, 0)], loss.curved(&curvature, &unit)[(0, 0)]);
            if !((stated - found).abs() <= 1e-9 * found.abs()) {
                return Err(disagreement("the diagonal of the Hessian of the loss is another one")
                    .value(format!("{stated:e} at the first entry, {found:e} by its Hessian")));
            }
        }
        if let Some(bound) = loss.hessian_lipschitz(&outputs, step) {
            let change = (&loss.hessian_times(&up, &direction) - &curved).frobenius_norm();
            let rounding = 64.0 * f64::EPSILON * curved.frobenius_norm();
            if !(change <= bound * step + rounding) {
                return Err(disagreement("the Hessian of the loss changes faster than it says")
                    .value(format!("{:e} by differences, at most {bound:e} by hessian_lipschitz", change / step)));
            }
        }
        if loss.convexity().is_convex() {
            let other = stream.normal_matrix(rows, columns).scaled(size);
            let (a, b) = (loss.value(&outputs), loss.value(&other));
            let middle = loss.value(&(&outputs + &other).scaled(0.5));
            if !(middle <= 0.5 * (a + b) + 64.0 * f64::EPSILON * (a.abs() + b.abs())) {
                return Err(disagreement("the loss is said to be convex, and is not")
                    .value(format!("{middle} half way between points with {a} and {b}")));
            }
        }
    }
    Ok(())
}

fn disagreement(problem: &str) -> InputError {
    InputError::new(problem)
        .array("loss")
        .hint("mend the loss; rankscape::loss::Loss says what each function must give")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::loss::{Convexity, Entry, EntrywiseLoss, Infimum};

    /// A loss with a wrong slope, a wrong curvature, or a shape that is not convex.
    #[derive(Debug)]
    struct Wrong(EntrywiseLoss, &'static str);

    impl Loss for Wrong {
        fn value(&self, outputs: &Matrix) -> f64 {
            if self.1 == "convexity" { -self.0.value(outputs) } else { self.0.value(outputs) }
        }

        fn gradient(&self, outputs: &Matrix) -> Matrix {
            let factor = match self.1 {
                "slope" => 1.1,
                "convexity" => -1.0,
                _ => 1.0,
            };
            self.0.gradient(outputs).scaled(factor)
        }

        fn hessian_times(&self, outputs: &Matrix, direction: &Matrix) -> Matrix {
            let factor = match self.1 {
                "curvature" => 2.0,
                "convexity" => -1.0,
                _ => 1.0,
            };
            self.0.hessian_times(outputs, direction).scaled(factor)
        }

        fn smoothness(&self, outputs: &Matrix) -> f64 {
            self.0.smoothness(outputs)
        }

        fn convexity(&self) -> Convexity {
            Convexity::Convex
        }

        fn infimum(&self) -> Infimum {
            Infimum::Unknown
        }
    }

    #[test]
    fn a_loss_that_does_not_keep_what_it_says_is_refused() {
        let targets = Matrix::from_rows(&[vec![1.0, -0.5], vec![0.3, 0.7]]);
        for entry in [Entry::Square, Entry::Huber(1.0), Entry::PseudoHuber(0.1), Entry::LogCosh, Entry::Power(3.0)] {
            let loss = EntrywiseLoss::new(entry, targets.clone(), None);
            check_loss(&(Arc::new(loss) as SharedLoss), (2, 2)).unwrap();
        }
        for (flaw, part) in
            [("slope", "slopes"), ("curvature", "second derivatives"), ("convexity", "convex, and is not")]
        {
            let loss = Wrong(EntrywiseLoss::new(Entry::LogCosh, targets.clone(), None), flaw);
            let error = check_loss(&(Arc::new(loss) as SharedLoss), (2, 2)).unwrap_err();
            assert!(error.problem.contains(part), "{error}");
        }
    }
}
