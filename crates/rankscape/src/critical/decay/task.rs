//! Data for which all critical points with weight decay are known in closed form, and how they are recognized.

use crate::data::{ExactMoments, Whitening};
use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, RationalMatrix, rational_to_f64, root_to_f64};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

use num_traits::{Pow, Signed, Zero};

/// Why the critical points are known. On the range of the inputs:
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Task {
    /// `X X' = c I`.
    Orthonormal {
        /// `c`.
        square: f64,
    },
    /// `Y X' = s O X X'` with orthonormal columns of `O`: an autoencoder, up to a scale and a rotation of its outputs.
    Isometric {
        /// `s`.
        ratio: f64,
    },
    /// `Y X' = 0`: nothing can be learned.
    Unrelated,
}

impl Task {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Orthonormal { .. } => "orthonormal",
            Self::Isometric { .. } => "isometric",
            Self::Unrelated => "unrelated",
        }
    }
}

/// A recognized task.
#[derive(Debug, Clone)]
pub(super) struct Recognized {
    pub(super) task: Task,
    /// How far the data are from it, relative; 0 over the rationals.
    pub(super) defect: f64,
    /// The number of the task over the rationals, where the data are: `c` or `s^2`.
    pub(super) exact: Option<Rational>,
}

/// How far the data are from every task with a closed form, where they are of none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unrecognized {
    /// `1 - (smallest / largest)` over the positive singular values of `X`.
    pub spread: f64,
    /// `||Z'Z - s^2 S^2||_F / ||Y||^2`, with the best `s`.
    pub rotation: f64,
    /// What both were compared with.
    pub tolerance: f64,
}

/// The task of these data; exact moments decide exactly.
pub(super) fn recognize(
    whitening: &Whitening,
    exact: Option<&ExactMoments>,
    tolerances: &Tolerances,
) -> Result<Recognized, Unrecognized> {
    let unrelated = Recognized { task: Task::Unrelated, defect: 0.0, exact: None };
    if whitening.target_rank.rank == 0 {
        return Ok(unrelated);
    }
    let scales = &whitening.scales;
    let largest = scales.first().copied().unwrap_or(0.0);
    let spread = 1.0 - scales.last().copied().unwrap_or(0.0) / largest;
    let (rotation, ratio) = distance_from_isometry(whitening, largest);
    if let Some(moments) = exact {
        let found = orthonormal(moments).or_else(|| isometric(moments));
        return found.ok_or(Unrecognized { spread, rotation, tolerance: 0.0 });
    }
    let size = whitening.basis.nrows().max(whitening.target.nrows());
    let computed = tolerances.isotropy * UNIT_ROUNDOFF * (size as f64).sqrt();
    let tolerance = computed.max(tolerances.stored_gap * whitening.rank.tolerance / largest);
    if spread <= tolerance {
        let mean = scales.iter().map(|scale| scale / largest).sum::<f64>() / scales.len() as f64 * largest;
        return Ok(Recognized { task: Task::Orthonormal { square: mean * mean }, defect: spread, exact: None });
    }
    if rotation <= tolerance {
        return Ok(Recognized { task: Task::Isometric { ratio }, defect: rotation, exact: None });
    }
    Err(Unrecognized { spread, rotation, tolerance })
}

/// `||Z'Z - s^2 S^2||_F / ||Y||^2` and the best `s`.
fn distance_from_isometry(whitening: &Whitening, largest: f64) -> (f64, f64) {
    // Both in units of their own, so that no square overflows.
    let target = whitening.target.scaled(1.0 / whitening.target_norm);
    let squares: Vec<f64> = whitening.scales.iter().map(|scale| (scale / largest).powi(2)).collect();
    let squares = Matrix::from_diagonal(squares.len(), squares.len(), &squares);
    let gram = target.transpose_times(&target);
    let along = gram.entries().zip(squares.entries()).map(|(a, b)| a * b).sum::<f64>();
    let square = along / squares.frobenius_norm().powi(2);
    let rest = (&gram - &squares.scaled(square)).frobenius_norm();
    (rest, square.sqrt() * whitening.target_norm / largest)
}

/// `(X X')^2 = c X X'`.
fn orthonormal(moments: &ExactMoments) -> Option<Recognized> {
    let xx = &moments.xx;
    let square = multiple(&(xx * xx), xx)?;
    let task = Task::Orthonormal { square: rational_to_f64(&square) };
    Some(Recognized { task, defect: 0.0, exact: Some(square) })
}

/// `X Y' Y X' = s^2 (X X')^2`.
fn isometric(moments: &ExactMoments) -> Option<Recognized> {
    let square = multiple(&(&moments.yx.transpose() * &moments.yx), &(&moments.xx * &moments.xx))?;
    let task = Task::Isometric { ratio: root_to_f64(&square) };
    Some(Recognized { task, defect: 0.0, exact: Some(square) })
}

/// The positive number by which `whole` is a multiple of `part`.
fn multiple(whole: &RationalMatrix, part: &RationalMatrix) -> Option<Rational> {
    let at = part.entries().iter().position(|entry| !entry.is_zero())?;
    let factor = &whole.entries()[at] / &part.entries()[at];
    let equal = whole.entries().iter().zip(part.entries()).all(|(a, b)| *a == &factor * b);
    (equal && factor.is_positive()).then_some(factor)
}

impl Recognized {
    /// `x`, through which a direction with this singular value is seen.
    pub(super) fn input_scale(&self, singular_value: f64) -> f64 {
        match self.task {
            Task::Orthonormal { square } => square.sqrt(),
            Task::Isometric { ratio } => singular_value / ratio,
            Task::Unrelated => 1.0,
        }
    }

    /// `ln (l / (x s (s/x)^{(h-2)/h}))`, the relative decay of a direction.
    pub(super) fn log_relative_decay(&self, decay: f64, singular_value: f64, depth: usize) -> f64 {
        let (s, x) = (singular_value.ln(), self.input_scale(singular_value).ln());
        let h = depth as f64;
        decay.ln() - x - s - (h - 2.0) / h * (s - x)
    }

    /// The singular value whose relative decay is this.
    pub(super) fn singular_value_at(&self, log_relative: f64, decay: f64, depth: usize) -> f64 {
        let h = depth as f64;
        match self.task {
            Task::Orthonormal { square } => (h / (2.0 * h - 2.0) * (decay.ln() - log_relative - square.ln() / h)).exp(),
            Task::Isometric { ratio } => (0.5 * (decay.ln() - log_relative + 2.0 / h * ratio.ln())).exp(),
            Task::Unrelated => f64::INFINITY,
        }
    }

    /// Over the rationals: a symmetric matrix `A`, a power `k` and a number `R` such that the eigenvalues of `A^k` above `R`
    /// are those of the directions with `l` below a threshold. The threshold times `x^{(h-2)/h} ...` to the power `h` is
    /// rational: `constant`. See `docs/decay.md`.
    pub(super) fn exact_comparison(
        &self,
        moments: &ExactMoments,
        decay: &Rational,
        constant: &Rational,
        depth: usize,
    ) -> Option<(RationalMatrix, usize, Rational)> {
        let number = self.exact.as_ref()?;
        let decay = Pow::pow(decay, depth) / constant;
        match self.task {
            // l^h < y^{2h-2} c^{-(h-2)} constant, with y^2 the eigenvalues of Y X' X Y'.
            Task::Orthonormal { .. } => {
                let gram = &moments.yx * &moments.yx.transpose();
                Some((gram, depth - 1, decay * Pow::pow(number, depth - 2)))
            }
            // l^h < s^{2h-2} (x^2)^h constant, with x^2 the eigenvalues of X X'.
            Task::Isometric { .. } => Some((moments.xx.clone(), depth, decay / Pow::pow(number, depth - 1))),
            Task::Unrelated => None,
        }
    }
}
