//! An output metric `M = C' C`, folded into the last layer and the targets: `C W_h` and `C Y`.

use crate::data::TriangularFactor;
use crate::error::{InputError, Result};
use crate::evidence::Movement;
use crate::linalg::{Matrix, spectral_norm, symmetric_eigen, triangular_factor};

pub(crate) fn times_vector(matrix: &Matrix, vector: &[f64]) -> Vec<f64> {
    (matrix * &Matrix::from_fn(vector.len(), 1, |i, _| vector[i])).column(0).to_vec()
}

/// `C = sqrt(M)` and its inverse.
#[derive(Debug, Clone)]
pub struct OutputMetric {
    root: Matrix,
    inverse: Matrix,
}

impl OutputMetric {
    /// Of a symmetric positive definite `M`.
    pub(super) fn new(metric: &Matrix) -> Result<Self> {
        let (root, inverse) = square_root(metric)?;
        Ok(Self { root, inverse })
    }

    /// `C`.
    pub fn root(&self) -> &Matrix {
        &self.root
    }

    /// `C^-1`.
    pub fn inverse(&self) -> &Matrix {
        &self.inverse
    }

    /// An error unless the network has as many outputs.
    pub(super) fn check(&self, outputs: usize) -> Result<()> {
        check_output_factor(&self.root, outputs)
    }
}

/// The data with `C Y` in place of `Y`.
pub(super) fn with_outputs_times(mut factor: TriangularFactor, c: Option<&Matrix>) -> TriangularFactor {
    if let Some(c) = c {
        let inputs = factor.inputs;
        let (xy, yy) = (factor.xy().times_transpose(c), factor.yy().times_transpose(c));
        factor.r.set_block(0, inputs, &xy);
        factor.r.set_block(inputs, inputs, &triangular_factor(yy));
        let size = spectral_norm(c);
        factor.moved[1] = Movement { likely: size * factor.moved[1].likely, possible: size * factor.moved[1].possible };
    }
    factor
}

pub(super) fn apply_output_factor(c: &Matrix, matrices: &mut [Matrix], biases: &mut [Option<Vec<f64>>]) -> Result<()> {
    let Some(last) = matrices.last_mut() else { return Ok(()) };
    check_output_factor(c, last.nrows())?;
    *last = c * last;
    if let Some(Some(bias)) = biases.last_mut() {
        *bias = times_vector(c, bias);
    }
    Ok(())
}

fn check_output_factor(c: &Matrix, outputs: usize) -> Result<()> {
    if outputs == c.nrows() {
        return Ok(());
    }
    Err(InputError::new("the output metric does not fit the outputs")
        .array("output metric")
        .value(format!("{} x {}, the network has {outputs} outputs", c.nrows(), c.ncols()))
        .hint("give a symmetric d_h x d_h matrix"))
}

/// `C = sqrt(M)` and its inverse, for a symmetric positive definite `M`.
pub(super) fn square_root(metric: &Matrix) -> Result<(Matrix, Matrix)> {
    let wrong = |problem: &str| InputError::new(problem.to_owned()).array("output metric");
    let (rows, cols) = metric.shape();
    if rows != cols {
        return Err(wrong("the output metric is not square").value(format!("{rows} x {cols}")));
    }
    let skew = (metric - &metric.transpose()).max_abs();
    if skew > 1e3 * f64::EPSILON * metric.max_abs() {
        return Err(wrong("the output metric is not symmetric").value(format!("entries differ by {skew:e}")));
    }
    let eigen = symmetric_eigen(metric).ok_or_else(|| wrong("an entry of the output metric is not finite"))?;
    let largest = eigen.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let singular = eigen.values.iter().filter(|&&v| v <= rows as f64 * f64::EPSILON * largest).count();
    if singular > 0 {
        return Err(wrong("the output metric is not positive definite")
            .value(format!("{singular} of {rows} eigenvalues are not positive, the smallest is {:e}", eigen.values[0]))
            .hint("drop the outputs without weight"));
    }
    let power = |p: f64| {
        let scaled: Vec<f64> = eigen.values.iter().map(|v| v.powf(p)).collect();
        eigen.vectors.scale_columns(&scaled).times_transpose(&eigen.vectors)
    };
    Ok((power(0.5), power(-0.5)))
}
