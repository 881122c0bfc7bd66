//! The answer to "where am I?": everything about one point of the square loss, put together; `losses` for those that are not the square one.

mod losses;

pub use losses::{LossDiagnosis, diagnose_loss};

mod decay;

pub use decay::{DecayDiagnosis, diagnose_with_decay};

mod normalized;

pub use normalized::{NormalizedDiagnosis, Spherical, diagnose_normalized};

use crate::architecture::Architecture;
use crate::critical::{Analysis, CriticalClass, Near, Origin, Stall, global_minimum, minimum_of_wider, near, stall};
use crate::error::{InputError, Result};
use crate::escape::{Destination, Escape, Leave, Outlook, bias_decrease, leave_to, outlook, way_out};
use crate::evidence::{Evidence, Truth};
use crate::hessian::{Extremes, extremes};
use crate::linalg::Inertia;
use crate::multiplication::{Barcode, Differential, RankProfile};
use crate::parallel::pool;
use crate::problem::{GivenParameters, Problem};

/// How to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Seed of the Krylov methods.
    pub seed: u64,
    /// Threads; the answer does not depend on them.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, threads: 1 }
    }
}

/// Everything about one point.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The widths.
    pub architecture: Architecture,
    /// The last layer has a bias, so X and Y are centred.
    pub centred: bool,
    /// `L`.
    pub loss: f64,
    /// Smallest value of the loss over the architecture.
    pub global_minimum: f64,
    /// `||grad L||` in the parameters as given.
    pub gradient_norm: f64,
    /// See [`crate::network::NormalizedNetwork::measured_gradient`]; 0 at a critical point whose gradient is nothing but the rounding
    /// errors of its evaluation.
    pub gradient_relative: f64,
    /// The threshold that `gradient_relative` was compared with.
    pub gradient_threshold: f64,
    /// Unit roundoff of the type in which the weights were stored.
    pub unit_roundoff: f64,
    /// The gradient counts as zero.
    pub critical: bool,
    /// Ranks of the partial products of the factors as given: at a critical point up to the rounding errors that its gradient
    /// may have, elsewhere as they are stored.
    pub rank_profile: RankProfile,
    /// `None` when the rank decisions contradict one another.
    pub barcode: Option<Barcode>,
    /// Rank of the differential of the product map.
    pub differential: Differential,
    /// Pure or spurious; `None` off critical points or where undecided.
    pub origin: Option<Origin>,
    /// First-order stationarity of `W` on the function space.
    pub stationary_in_function_space: Truth,
    /// The class.
    pub class: CriticalClass,
    /// Singular values of the whitened target, non-increasing.
    pub spectrum: Vec<f64>,
    /// 1-based captured directions; `None` when `W X` is not a spectral projection.
    pub captured: Option<Vec<usize>>,
    /// The critical point nearby, at a point that is not critical.
    pub near: Option<Near>,
    /// Whether training stalls, at a point that is not critical.
    pub stall: Option<Stall>,
    /// Ends of the spectrum of the Hessian.
    pub extremes: Extremes,
    /// Inertia of the Hessian at critical points, where settled.
    pub inertia: Option<Inertia>,
    /// A path that leaves; `None` at minima and where the class is undecided.
    pub escape: Option<Escape>,
    /// What is learned, what is missing, and the plateaus ahead.
    pub outlook: Outlook,
    /// What the loss falls by in addition when a path of weights is followed, as the output bias goes to its best value:
    /// `n/2 ||b_h - b*||^2`; 0 where the path is that of the bias itself.
    pub bias_decrease: f64,
    /// What the verdict rests on.
    pub evidence: Evidence,
}

impl Diagnosis {
    /// The directions that the point, or the critical point beside it, captures.
    fn learned(&self) -> Option<&[usize]> {
        learned(self.captured.as_ref(), self.near.as_ref())
    }
}

fn learned<'a>(captured: Option<&'a Vec<usize>>, near: Option<&'a Near>) -> Option<&'a [usize]> {
    captured.or(near.map(|near| &near.found.nearest.captured)).map(Vec::as_slice)
}

/// Diagnoses the point of a problem.
///
/// # Errors
/// If the loss is not representable.
pub fn diagnose(problem: &Problem, settings: Settings) -> Result<Diagnosis> {
    let Settings { seed, threads } = settings;
    let tolerances = problem.tolerances();
    let analysis = Analysis::new(problem);
    let (critical, inertia) = (analysis.is_critical(), analysis.inertia());
    let rank_profile = analysis.rank_profile();
    let given = problem.given();
    let search = || analysis.point().is_none().then(|| near(problem, seed)).flatten();
    let ends = || extremes(&given.hessian(), inertia, tolerances, seed);
    let (near, extremes) = match pool(threads.min(2)) {
        Some(pool) => pool.join(search, ends),
        None => (search(), ends()),
    };
    let global_minimum = global_minimum(problem);
    let loss = problem.loss();
    // No rounding error of the loss undercuts its smallest value.
    let loss = if loss.is_nan() { loss } else { loss.max(global_minimum) };
    let exactly_zero = problem.exact().is_some() && critical;
    let threshold = tolerances.critical_threshold(problem.unit_roundoff());
    let relative = given.measured_gradient();
    let relative = Some(relative).filter(|&r| !critical || (r <= threshold && !exactly_zero));
    let gradient_norm = if exactly_zero { 0.0 } else { given.gradient_norm() };
    if !(loss.is_finite() && gradient_norm.is_finite()) {
        return Err(InputError::new("the loss or its gradient is too large for double precision")
            .value(loss)
            .hint("scale X, Y or the weights"));
    }
    let stall = (!critical).then(|| stall(problem, &extremes, near.as_ref())).flatten();
    let escape = way_out(problem, &analysis, &extremes, near.as_ref(), seed);
    let captured = analysis.captured().map(|found| found.indices);
    let mut outlook = outlook(problem, learned(captured.as_ref(), near.as_ref()));
    outlook.wider = outlook.wider.and_then(|_| minimum_of_wider(problem));
    let mut evidence = analysis.evidence();
    rank_profile.rest_as_given(&mut evidence);
    Ok(Diagnosis {
        architecture: problem.factors().architecture().clone(),
        centred: problem.output_bias().is_some(),
        loss,
        global_minimum,
        gradient_norm,
        gradient_relative: relative.unwrap_or(0.0),
        gradient_threshold: threshold,
        unit_roundoff: problem.unit_roundoff(),
        critical,
        barcode: Barcode::new(&rank_profile),
        differential: Differential::new(&rank_profile),
        origin: analysis.origin(&rank_profile),
        stationary_in_function_space: analysis.is_stationary_in_function_space(&rank_profile),
        class: analysis.class(),
        spectrum: problem.whitening().spectrum.s.clone(),
        captured,
        outlook,
        bias_decrease: escape.as_ref().map_or(0.0, |escape| bias_decrease(problem, escape)),
        escape,
        near,
        stall,
        extremes,
        inertia,
        evidence,
        rank_profile,
    })
}

/// Weights that have left a diagnosed point; see [`leave_to`].
///
/// # Errors
/// If `stored` fails.
pub fn leave(
    problem: &Problem,
    found: &Diagnosis,
    to: Destination,
    settings: Settings,
    stored: &dyn Fn(GivenParameters) -> Result<GivenParameters>,
) -> Result<Option<Leave>> {
    leave_to(problem, (found.class, found.loss), found.learned(), to, settings.seed, stored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Matrix;
    use crate::problem::Data;
    use crate::random::Stream;
    use crate::work::{Step, counted};

    /// Layers 3 x 3 beside a diagonal target: all zero; spare parts that are rotations, zero in every third layer; zero in two layers, which is strict; a global minimum; a point that still moves.
    fn chains(depth: usize) -> [Vec<Matrix>; 5] {
        let mut stream = Stream::new(41, depth as u64);
        let layers = |one: &mut dyn FnMut(usize) -> Matrix| (0..depth).map(one).collect::<Vec<_>>();
        let captured = |k: usize| Matrix::from_diagonal(3, 3, &[if k == 0 { 3.0 } else { 1.0 }, 0.0, 0.0]);
        let spare = |k: usize| {
            let mut layer = captured(k);
            let (sin, cos) = (k as f64).sin_cos();
            layer.set_block(1, 1, &Matrix::from_fn(2, 2, |i, j| [[cos, -sin], [sin, cos]][i][j]));
            layer
        };
        let cut = |k: usize| k == 1 || k == depth / 2;
        let strict = layers(&mut |k| if cut(k) { captured(k) } else { spare(k) });
        let thirds = layers(&mut |k| if k.is_multiple_of(3) { captured(k) } else { spare(k) });
        let moving = layers(&mut |_| &Matrix::identity(3) + &stream.normal_matrix(3, 3).scaled(0.1));
        let minimum = layers(&mut |k| if k == 0 { target() } else { Matrix::identity(3) });
        [layers(&mut |_| Matrix::zeros(3, 3)), thirds, strict, minimum, moving]
    }

    /// A minimum and a strict saddle: one network, one gradient, whatever is asked of them.
    #[test]
    fn network_and_gradient_of_a_point_are_made_once() {
        let [.., strict, minimum, _] = chains(12);
        for matrices in [strict, minimum] {
            let problem = Problem::new(matrices, Data::target(target())).unwrap();
            let (found, work) = counted(|| diagnose(&problem, Settings::default()).unwrap());
            assert!(found.critical, "{}", found.class);
            assert_eq!((work.of(Step::Network), work.of(Step::Gradient)), (1, 1), "{}", found.class);
            let (_, again) = counted(|| diagnose(&problem, Settings::default()).unwrap());
            assert_eq!((again.of(Step::Network), again.of(Step::Gradient)), (0, 0), "{}", found.class);
        }
    }

    fn target() -> Matrix {
        Matrix::from_diagonal(3, 3, &[3.0, 2.0, 1.0])
    }

    #[test]
    fn work_grows_at_most_with_the_square_of_the_depth() {
        let work = |depth: usize| {
            chains(depth).map(|matrices| {
                let problem = Problem::new(matrices, Data::target(target())).unwrap();
                let (found, work) = counted(|| diagnose(&problem, Settings::default()).unwrap());
                (found.class.to_string(), work.of(Step::Product) + work.of(Step::Decomposition))
            })
        };
        let (short, long) = (work(12), work(36));
        for ((class, before), (same, after)) in short.iter().zip(&long) {
            assert_eq!(class, same);
            assert!(*after <= 9 * before, "{class}: {before} for 12 layers, {after} for 36");
        }
    }
}
