//! Losses by name.

use std::sync::Arc;

use super::{Entry, EntrywiseLoss, MetricLoss, SharedLoss, SoftmaxLoss};
use crate::error::{InputError, Result};
use crate::linalg::{Matrix, symmetric_eigenvalues};

/// A loss and its parameters, before it has seen targets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum LossKind {
    /// `1/2 ||F - Y||^2`.
    Square,
    /// `1/2 r' K r`, `r` the entries of `W - Y` row by row; for a target only.
    FullQuadratic {
        /// `K`, symmetric positive semidefinite, of size `d_h d_0`.
        metric: Matrix,
    },
    /// `1/2 sum M_ij (F_ij - Y_ij)^2`.
    Quadratic {
        /// `M`, of the shape of `F` (`d_h x n`), not negative.
        weights: Matrix,
    },
    /// See [`Entry::Huber`].
    Huber {
        /// Where the loss stops to be quadratic.
        delta: f64,
    },
    /// See [`Entry::PseudoHuber`].
    PseudoHuber {
        /// Where the loss stops to be quadratic, about.
        delta: f64,
    },
    /// See [`Entry::LogCosh`].
    LogCosh,
    /// `1/p sum |F_ij - Y_ij|^p`.
    Power {
        /// At least 2.
        p: f64,
    },
    /// `sum log(1 + exp(-y f))`; targets are 1 or -1, or 1 or 0.
    Logistic,
    /// Cross-entropy of the softmax of every column.
    Softmax {
        /// Every target becomes `(1 - smoothing) T + smoothing / d_h`.
        smoothing: f64,
        /// One weight a class, or 1.
        class_weights: Option<Vec<f64>>,
    },
    /// A loss of the caller's ([`Loss`](super::Loss)).
    Own,
}

/// What a loss is compared with: samples are columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Observations {
    /// `Y`, of shape `d_h x n`; for the softmax a column of probabilities a sample, a unit vector for a label.
    pub targets: Matrix,
    /// Entries with weight 0 were not observed; their targets are never looked at.
    pub weights: Option<Matrix>,
}

impl LossKind {
    /// Name in documents and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Square => "square",
            Self::FullQuadratic { .. } => "full_quadratic",
            Self::Quadratic { .. } => "quadratic",
            Self::Huber { .. } => "huber",
            Self::PseudoHuber { .. } => "pseudo_huber",
            Self::LogCosh => "logcosh",
            Self::Power { .. } => "pnorm",
            Self::Logistic => "logistic",
            Self::Softmax { .. } => "softmax",
            Self::Own => "own",
        }
    }

    /// The loss beside these targets; weights of the observations multiply those of the loss.
    ///
    /// # Errors
    /// If a parameter, a target or a weight is not what the loss is defined for.
    pub fn on(&self, observations: Observations) -> Result<SharedLoss> {
        let Observations { targets, weights } = observations;
        check_weights(weights.as_ref(), &targets)?;
        let entry = match self {
            Self::FullQuadratic { metric } => return full_quadratic(metric, targets, weights.as_ref()),
            Self::Softmax { smoothing, class_weights } => {
                return softmax(*smoothing, class_weights.as_deref(), targets, weights.as_ref());
            }
            Self::Quadratic { weights: of_loss } => {
                check_weights(Some(of_loss), &targets)?;
                let product = |i, j| of_loss[(i, j)] * weights.as_ref().map_or(1.0, |weights| weights[(i, j)]);
                let product = Matrix::from_fn(targets.nrows(), targets.ncols(), product);
                check_targets(&targets, Some(&product))?;
                return Ok(Arc::new(EntrywiseLoss::new(Entry::Square, targets, Some(product))));
            }
            Self::Own => {
                return Err(InputError::new("a loss of one's own is given as such, not made from targets")
                    .hint("rankscape::problem::LossData::with_loss takes it"));
            }
            Self::Square => Entry::Square,
            Self::Huber { delta } => Entry::Huber(positive("delta", *delta)?),
            Self::PseudoHuber { delta } => Entry::PseudoHuber(positive("delta", *delta)?),
            Self::LogCosh => Entry::LogCosh,
            Self::Power { p } => Entry::Power(power(*p)?),
            Self::Logistic => Entry::Logistic,
        };
        check_targets(&targets, weights.as_ref())?;
        let targets = if entry == Entry::Logistic { signs(&targets, weights.as_ref())? } else { targets };
        Ok(Arc::new(EntrywiseLoss::new(entry, targets, weights)))
    }
}

fn positive(name: &str, value: f64) -> Result<f64> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(InputError::new("the parameter of the loss must be a positive number").array(name).value(value))
}

fn power(p: f64) -> Result<f64> {
    if p >= 2.0 && p.is_finite() {
        return Ok(p);
    }
    Err(InputError::new("the power of the loss must be at least 2: below that it is not twice differentiable")
        .array("p")
        .value(p)
        .hint("pseudo_huber with a small delta is close to the sum of absolute values"))
}

fn check_weights(weights: Option<&Matrix>, targets: &Matrix) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    let text = |shape: (usize, usize)| format!("{} x {}", shape.0, shape.1);
    if weights.shape() != targets.shape() {
        return Err(InputError::new("the weights of the loss do not have the shape of the outputs")
            .array("weights")
            .value(format!(
                "{}, the outputs are {} (outputs x samples)",
                text(weights.shape()),
                text(targets.shape())
            )));
    }
    match find(weights, |weight, _| !(weight >= 0.0 && weight.is_finite())) {
        Some((i, j)) => Err(InputError::new("a weight of the loss is negative or not finite")
            .array("weights")
            .value(format!("{} at output {i} of sample {j}, counted from 0", weights[(i, j)]))
            .hint("a weight is a number that is not negative; 0 leaves an entry out")),
        None => Ok(()),
    }
}

fn check_targets(targets: &Matrix, weights: Option<&Matrix>) -> Result<()> {
    match find(targets, |target, at| !target.is_finite() && is_observed(weights, at)) {
        Some((i, j)) => Err(InputError::new("a target is not finite")
            .array("Y")
            .value(format!("{} at output {i} of sample {j}, counted from 0", targets[(i, j)]))
            .hint("an entry that was not observed has weight 0")),
        None => Ok(()),
    }
}

fn is_observed(weights: Option<&Matrix>, at: (usize, usize)) -> bool {
    weights.is_none_or(|weights| weights[at] != 0.0)
}

fn find(matrix: &Matrix, is: impl Fn(f64, (usize, usize)) -> bool) -> Option<(usize, usize)> {
    (0..matrix.ncols()).find_map(|j| (0..matrix.nrows()).find(|&i| is(matrix[(i, j)], (i, j))).map(|i| (i, j)))
}

/// Targets 1 and -1 as they are, or 1 and 0 as 1 and -1.
fn signs(targets: &Matrix, weights: Option<&Matrix>) -> Result<Matrix> {
    let wrong = |target: f64, at: (usize, usize)| is_observed(weights, at) && ![-1.0, 0.0, 1.0].contains(&target);
    if let Some((i, j)) = find(targets, wrong) {
        return Err(InputError::new("a target of the logistic loss is 1 or -1, or 1 or 0")
            .array("Y")
            .value(format!("{} at output {i} of sample {j}, counted from 0", targets[(i, j)]))
            .hint("for more classes than two use softmax"));
    }
    let is = |value: f64| find(targets, |target, at| target == value && is_observed(weights, at));
    match (is(0.0), is(-1.0)) {
        (Some((i, j)), Some(_)) => Err(InputError::new("the targets of the logistic loss mix 0 and -1")
            .array("Y")
            .value(format!("0 at output {i} of sample {j}, counted from 0"))
            .hint("write the negative class as -1 everywhere, or as 0 everywhere; weight 0 leaves an entry out")),
        _ => Ok(targets.map(|target| if target > 0.0 { 1.0 } else { -1.0 })),
    }
}

fn full_quadratic(metric: &Matrix, targets: Matrix, weights: Option<&Matrix>) -> Result<SharedLoss> {
    let size = targets.nrows() * targets.ncols();
    if metric.shape() != (size, size) {
        return Err(InputError::new("the metric does not have one row and one column for every entry of the target")
            .array("metric_rowmajor_vec")
            .value(format!("{} x {}, the target has {size} entries", metric.nrows(), metric.ncols())));
    }
    if weights.is_some_and(|weights| weights.entries().any(|weight| weight != 1.0)) {
        return Err(InputError::new("a full metric and weights of single entries do not go together")
            .hint("multiply the rows and columns of the metric by the roots of the weights"));
    }
    check_targets(&targets, None)?;
    let scale = metric.max_abs();
    let asymmetric = |entry: f64, (i, j): (usize, usize)| !((entry - metric[(j, i)]).abs() <= 1e-12 * scale);
    if let Some((i, j)) = find(metric, asymmetric) {
        return Err(InputError::new("the metric is not symmetric").array("metric_rowmajor_vec").value(format!(
            "{} at ({i}, {j}) and {} at ({j}, {i})",
            metric[(i, j)],
            metric[(j, i)]
        )));
    }
    let least = symmetric_eigenvalues(metric).and_then(|values| values.first().copied()).unwrap_or(f64::NAN);
    if !(least >= -1e-12 * size as f64 * scale) {
        return Err(InputError::new("the metric has a negative eigenvalue, so the loss is not bounded below")
            .array("metric_rowmajor_vec")
            .value(least));
    }
    Ok(Arc::new(MetricLoss::new(metric.clone(), targets)))
}

fn softmax(
    smoothing: f64,
    class_weights: Option<&[f64]>,
    mut targets: Matrix,
    weights: Option<&Matrix>,
) -> Result<SharedLoss> {
    let classes = targets.nrows();
    if !(0.0..=1.0).contains(&smoothing) {
        return Err(InputError::new("label smoothing is a number from 0 to 1").array("smoothing").value(smoothing));
    }
    if classes < 2 {
        return Err(InputError::new("the softmax needs two classes at least: with one every loss is 0")
            .array("labels")
            .value(format!("{classes} outputs"))
            .hint("use logistic for one output with labels 0 and 1"));
    }
    if let Some(of_classes) = class_weights {
        if of_classes.len() != classes {
            return Err(InputError::new("there is not one weight for every class")
                .array("class_weights")
                .value(format!("{} weights, {classes} classes", of_classes.len())));
        }
        if let Some(weight) = of_classes.iter().find(|weight| !(**weight >= 0.0 && weight.is_finite())) {
            return Err(InputError::new("the weight of a class is negative or not finite")
                .array("class_weights")
                .value(weight));
        }
    }
    check_targets(&targets, weights)?;
    if let Some((k, j)) = find(&targets, |target, at| target < 0.0 && is_observed(weights, at)) {
        return Err(InputError::new("a target of the softmax is a probability, which is not negative")
            .array("Y")
            .value(format!("{} at output {k} of sample {j}, counted from 0", targets[(k, j)]))
            .hint("labels are one whole number a sample, or one column of probabilities a class"));
    }
    for j in 0..targets.ncols() {
        let of_sample = weights.map_or(1.0, |weights| weights[(0, j)]);
        let observed = of_sample != 0.0;
        if let Some(weights) = weights
            && weights.column(j).iter().any(|&weight| weight != of_sample)
        {
            return Err(InputError::new("the softmax has one weight for a sample, not one for every output")
                .array("weights")
                .value(format!("those of sample {j}, counted from 0, differ")));
        }
        let sum: f64 = targets.column(j).iter().sum();
        if observed && !((sum - 1.0).abs() <= 1e-6) {
            return Err(InputError::new("the targets of a sample do not sum to 1")
                .array("Y")
                .value(format!("{sum} for sample {j}, counted from 0"))
                .hint("labels are one whole number a sample, or one column of probabilities a class"));
        }
        for (k, target) in targets.column_mut(j).iter_mut().enumerate() {
            let smoothed =
                if smoothing == 0.0 { *target } else { (1.0 - smoothing) * *target + smoothing / classes as f64 };
            let of_class = class_weights.map_or(1.0, |weights| weights[k]);
            *target = if observed { of_sample * of_class * smoothed } else { 0.0 };
        }
    }
    Ok(Arc::new(SoftmaxLoss::new(targets)))
}
