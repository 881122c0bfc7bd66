//! Proof that a local minimum lies near a point that floating point has found.

use super::curvature::curved_products;
use super::space::FunctionSpace;
use crate::linalg::interval::certified_inertia;
use crate::linalg::{Matrix, orthonormal_complement, svd, symmetric_eigenvalues};
use crate::loss::Loss;
use crate::tolerance::UNIT_ROUNDOFF;

/// Most coordinates of a chart whose Hessian is enclosed.
const LARGEST: usize = 150;
/// Radii that are tried, in parts of the smallest singular value of the factors: curvatures jump within the larger ones.
const RADII: [f64; 3] = [1e-3, 1e-6, 1e-9];
/// Errors of `exp`, `tanh` and powers, and of a few operations around them, in units of roundoff.
const ELEMENTARY: f64 = 16.0;

/// Proves that exactly one critical point of the loss on matrices of this rank lies near `V = L R` in the chart
/// `(L + S)(R + C N')`, `N` an orthonormal basis of the complement of the rows of `R`, and that it is an isolated local minimum.
///
/// With a gradient of norm at most `epsilon` in the chart, a Hessian of least eigenvalue at least `mu` and of Lipschitz constant `K`
/// within `rho = 5 epsilon / mu`, and `K rho <= mu / 2`, the loss is strongly convex in that ball with `mu / 2` and higher on its border than
/// in its centre. `inputs` are those that the space was made of.
pub(super) fn encloses_minimum(
    space: &FunctionSpace,
    inputs: Option<&Matrix>,
    (matrix, offset): (&Matrix, Option<&Matrix>),
    rank: usize,
) -> bool {
    let size = rank * (matrix.nrows() + matrix.ncols() - rank) + offset.map_or(0, Matrix::nrows);
    if size > LARGEST || rank == 0 {
        return false;
    }
    Chart::new(space, inputs, (matrix, offset), rank).is_some_and(|chart| chart.has_minimum())
}

struct Chart<'a> {
    space: &'a FunctionSpace,
    left: Matrix,
    right: Matrix,
    /// `N'`.
    normal: Matrix,
    outputs: Matrix,
    slopes: Matrix,
    has_offset: bool,
    /// Smallest singular value of the factors.
    least: f64,
    /// `||A - B' X||_F`, with the `B` that leads from `V` to `W`.
    features_error: f64,
}

impl<'a> Chart<'a> {
    fn new(
        space: &'a FunctionSpace,
        inputs: Option<&Matrix>,
        (matrix, offset): (&Matrix, Option<&Matrix>),
        rank: usize,
    ) -> Option<Self> {
        let found = svd(matrix);
        let roots: Vec<f64> = found.s[..rank].iter().map(|value| value.sqrt()).collect();
        let rows = found.v.columns(0, rank);
        let left = found.u.columns(0, rank).scale_columns(&roots);
        let right = rows.scale_columns(&roots).transpose();
        let outputs = space.outputs_of(&(&left * &right), offset);
        let slopes = space.loss().gradient(&outputs);
        Some(Self {
            space,
            least: *roots.last()?,
            normal: orthonormal_complement(&rows).transpose(),
            left,
            right,
            outputs,
            slopes,
            has_offset: offset.is_some(),
            features_error: space.features_error(inputs),
        })
    }

    fn has_minimum(&self) -> bool {
        let hessian = self.hessian();
        let Some(eigenvalues) = symmetric_eigenvalues(&hessian) else { return false };
        let mu = 0.5 * eigenvalues.first().copied().unwrap_or(0.0);
        if !(mu > 0.0) {
            return false;
        }
        let gradient = self.gradient_norm();
        let fits = |bounds: &Bounds| {
            let rho = 5.0 * (gradient + bounds.gradient_error) / mu;
            rho <= bounds.radius && bounds.lipschitz * rho <= 0.5 * mu
        };
        let bounds = RADII.iter().filter_map(|part| Bounds::new(self, part * self.least)).find(fits);
        bounds.is_some_and(|bounds| {
            let size = hessian.nrows();
            let shifted: Vec<f64> = (&hessian - &Matrix::identity(size).scaled(mu)).entries().collect();
            let errors = vec![bounds.hessian_error + UNIT_ROUNDOFF * mu; size * size];
            certified_inertia(&shifted, &errors, size).is_some_and(|inertia| inertia.positive == size)
        })
    }

    /// Directions of the coordinates: entries of `S`, of `C`, and of the offset.
    fn images(&self) -> Vec<Matrix> {
        let features = self.space.features();
        let (rows, rank) = self.left.shape();
        let unit = |i: usize| Matrix::from_fn(rows, 1, |a, _| f64::from(u8::from(a == i)));
        let (of_rows, of_normal) = (&self.right * features, &self.normal * features);
        let row_of = |matrix: &Matrix, k: usize| matrix.block(k, 0, 1, matrix.ncols());
        let mut images = Vec::new();
        for k in 0..rank {
            images.extend((0..rows).map(|i| &unit(i) * &row_of(&of_rows, k)));
            let left = self.left.columns(k, k + 1);
            images.extend((0..self.normal.nrows()).map(|j| &left * &row_of(&of_normal, j)));
        }
        if let Some(ones) = self.space.offset_row().filter(|_| self.has_offset) {
            images.extend((0..rows).map(|i| &unit(i) * ones));
        }
        images
    }

    fn hessian(&self) -> Matrix {
        let (rows, columns) = (self.left.nrows(), self.normal.nrows());
        let products = curved_products(self.space.loss(), &self.outputs, &self.images());
        let bend = self.slopes.times_transpose(self.space.features()).times_transpose(&self.normal);
        let (block, rank) = (rows + columns, self.left.ncols());
        let bent = |a: usize, b: usize| {
            let same = a / block == b / block && a / block < rank;
            let (i, j) = (a.min(b) % block, a.max(b) % block);
            if same && i < rows && j >= rows { bend[(i, j - rows)] } else { 0.0 }
        };
        let entry = |a: usize, b: usize| products[(a, b)] + bent(a, b);
        Matrix::from_fn(products.nrows(), products.nrows(), |a, b| entry(a.max(b), a.min(b)))
    }

    fn gradient_norm(&self) -> f64 {
        let slopes = self.slopes.times_transpose(self.space.features());
        let on_left = slopes.times_transpose(&self.right).frobenius_norm();
        let on_right = self.left.transpose_times(&slopes).times_transpose(&self.normal).frobenius_norm();
        let ones = self.space.offset_row().filter(|_| self.has_offset);
        let on_offset = ones.map_or(0.0, |ones| self.slopes.times_transpose(ones).frobenius_norm());
        on_left.hypot(on_right).hypot(on_offset)
    }
}

/// Bounds within a radius in the chart, with rounding errors.
struct Bounds {
    radius: f64,
    /// Of the Hessian within the radius.
    lipschitz: f64,
    gradient_error: f64,
    /// Of every entry.
    hessian_error: f64,
}

impl Bounds {
    /// `None` where the loss gives no Lipschitz constant of its Hessian.
    fn new(chart: &Chart<'_>, radius: f64) -> Option<Self> {
        let loss = chart.space.loss();
        let (outputs, slopes) = (chart.outputs.frobenius_norm(), chart.slopes.frobenius_norm());
        // Every sum has at most as many terms as there are outputs.
        let sums =
            ELEMENTARY * UNIT_ROUNDOFF * (chart.outputs.nrows() * chart.outputs.ncols() + chart.left.ncols()) as f64;
        let factors = chart.left.frobenius_norm().hypot(chart.right.frobenius_norm()) + 2.0 * radius;
        let features = chart.space.features().frobenius_norm() + chart.features_error;
        // The rows of A and the columns of E are orthonormal up to rounding errors.
        let reach = (1.01 + chart.features_error) * factors.hypot(1.0);
        let outputs_error = chart.features_error * factors * factors + sums * (factors * factors * features + outputs);
        let within = reach * radius + outputs_error;
        let third = loss.hessian_lipschitz(&chart.outputs, within)?;
        let curvature = loss.smoothness(&chart.outputs) + third * within;
        let slopes_error = curvature * outputs_error + sums * (loss.gradient_size(&chart.outputs) + slopes);
        let all_slopes = slopes + slopes_error;
        let reach_error = chart.features_error * factors + sums * factors * features;
        Some(Self {
            radius,
            lipschitz: third * reach.powi(3) + 3.0 * curvature * reach,
            gradient_error: slopes_error * reach + all_slopes * reach_error,
            hessian_error: reach * reach * (third * outputs_error + sums * curvature)
                + 2.0 * reach * curvature * reach_error
                + slopes_error * features
                + all_slopes * (chart.features_error + sums * features),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Entry, EntrywiseLoss, SharedLoss, SoftmaxLoss};
    use crate::random::Stream;
    use crate::riemannian::{End, descend};
    use crate::tolerance::Tolerances;
    use std::sync::Arc;

    const ENTRIES: [Entry; 8] = [
        Entry::Square,
        Entry::Huber(0.5),
        Entry::PseudoHuber(0.5),
        Entry::LogCosh,
        Entry::Power(2.5),
        Entry::Power(3.0),
        Entry::Power(4.0),
        Entry::Logistic,
    ];

    fn losses(stream: &mut Stream, rows: usize, columns: usize) -> Vec<SharedLoss> {
        let targets = stream.normal_matrix(rows, columns);
        let weights = Matrix::from_fn(rows, columns, |_, _| stream.uniform());
        let mut losses: Vec<SharedLoss> = Vec::new();
        for entry in ENTRIES {
            let targets = if entry == Entry::Logistic { targets.map(f64::signum) } else { targets.clone() };
            losses.push(Arc::new(EntrywiseLoss::new(entry, targets, Some(weights.clone()))));
        }
        losses.push(Arc::new(SoftmaxLoss::new(weights)));
        losses
    }

    #[test]
    fn no_hessian_changes_faster_than_said() {
        let mut stream = Stream::new(1, 0);
        for loss in losses(&mut stream, 3, 4) {
            for radius in [1e-6, 1e-3, 0.3] {
                let (centre, direction) = (stream.normal_matrix(3, 4), stream.normal_matrix(3, 4));
                let moved = &centre + &direction.scaled(radius / direction.frobenius_norm());
                let Some(bound) = loss.hessian_lipschitz(&centre, radius) else { continue };
                for _ in 0..50 {
                    let along = stream.normal_matrix(3, 4);
                    let change = &loss.hessian_times(&moved, &along) - &loss.hessian_times(&centre, &along);
                    let most = bound * radius * along.frobenius_norm();
                    let rounding = 1e-14 * loss.smoothness(&centre) * along.frobenius_norm();
                    assert!(change.frobenius_norm() <= most + rounding, "{loss:?} {radius}");
                }
            }
        }
    }

    #[test]
    fn minima_are_enclosed_and_other_points_are_not() {
        let mut stream = Stream::new(2, 0);
        let inputs = stream.normal_matrix(4, 40);
        for loss in losses(&mut stream, 3, 40) {
            for offset in [false, true] {
                let space = FunctionSpace::new(&loss, Some(&inputs), (3, 40), offset, &Tolerances::default());
                let (rows, columns) = space.shape();
                let start = vec![stream.normal_matrix(1, columns), stream.normal_matrix(rows, 1)];
                let start = space.network(start, None);
                let found = descend(start.clone(), 1e-13, |_| false);
                assert_eq!(found.end, End::Critical);
                let [before, after] = [&start, &found.network].map(|network| {
                    let matrix = &network.layers()[1] * &network.layers()[0];
                    let offset = network.bias_columns().into_iter().flatten().next();
                    encloses_minimum(&space, Some(&inputs), (&matrix, offset.as_ref()), 1)
                });
                assert!(!before && after, "{loss:?} {offset}");
            }
        }
    }
}
