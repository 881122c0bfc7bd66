//! The answer to "where am I?" for a normalized network `nu = W_h W_{h-1}/||W_{h-1}|| ... W_1/||W_1||` (`[@TKB]`, 3.4).
//!
//! With `p(theta)` the factors before the last divided by their norms, `theta` is critical for `l o nu` exactly where `p(theta)` is for the plain
//! product, with the same class, index, nullity and function (`docs/predictor.md`, 4). Nothing is defined where such a factor is zero.

use super::{Diagnosis, Settings, diagnose};
use crate::critical::CriticalClass;
use crate::error::{InputError, Result};
use crate::hessian::Extremes;
use crate::linalg::{End, Extreme, Matrix, SymmetricOperator, extreme_eigenpairs, symmetric_eigen};
use crate::network::SphericalGradient;
use crate::parametrization::{norms_before_last, to_linear};
use crate::problem::Problem;
use crate::random::Stream;

/// Up to this many parameters the Hessian is formed.
const DENSE_PARAMETERS: usize = 400;
/// Most applications of the Hessian.
const BUDGET: usize = 4000;

/// Everything about one point of a normalized network.
#[derive(Debug, Clone)]
pub struct NormalizedDiagnosis {
    /// That of the plain product at the factors divided by their norms; where the map is not defined, at the factors as given, whose ranks it
    /// says.
    pub plain: Diagnosis,
    /// What belongs to the normalized network alone; `None` where a factor before the last is zero.
    pub spherical: Option<Spherical>,
}

/// What a normalized network has of its own.
#[derive(Debug, Clone)]
pub struct Spherical {
    /// The gradient in the parameters as given.
    pub gradient: SphericalGradient,
    /// Ends of the spectrum of the Hessian in the parameters as given.
    pub extremes: Extremes,
}

/// Diagnoses the point of a problem as that of a normalized network.
///
/// # Errors
/// If there are biases or an output metric, or the loss is not representable.
pub fn diagnose_normalized(problem: &Problem, settings: Settings) -> Result<NormalizedDiagnosis> {
    if problem.has_biases() || !problem.is_plain() {
        return Err(InputError::new("a normalized network is diagnosed without biases and without an output metric")
            .array("--parametrization")
            .hint("leave them out; for an output bias alone, centre X and Y"));
    }
    let given = problem.factors().matrices();
    let (Some(norms), Some(layers)) = (norms_before_last(given), to_linear(given)) else {
        return Ok(NormalizedDiagnosis { plain: diagnose(problem, settings)?, spherical: None });
    };
    let biases = vec![None; layers.len()];
    let unit = problem.with_parameters(layers, biases)?;
    let plain = diagnose(&unit, settings)?;
    let mut gradient = unit.network().gradient_on_spheres(&norms);
    if plain.critical {
        // At a critical point whose gradient is nothing but rounding errors.
        gradient.relative = gradient.relative.min(plain.gradient_relative);
    }
    let operator = SphericalHessian::new(&unit, norms);
    let extremes = operator.extremes(&plain, problem, settings.seed);
    Ok(NormalizedDiagnosis { plain, spherical: Some(Spherical { gradient, extremes }) })
}

impl NormalizedDiagnosis {
    /// The class; undecided where the map is not defined.
    pub fn class(&self) -> CriticalClass {
        if self.spherical.is_some() { self.plain.class } else { CriticalClass::Undecided }
    }
}

/// `D p' H D p + sum_k D^2 <g_k, W_k/||W_k||>`, with `H` the Hessian and `g` the gradient of the plain product at `p(theta)`.
///
/// With `V = W/||W||`, `D p d = (d - <d, V> V)/||W||` and
/// `D^2 <g, p> d = -(<g, V> (d - 3 <d, V> V) + <d, V> g + <d, g> V)/||W||^2`.
struct SphericalHessian<'a> {
    problem: &'a Problem,
    norms: Vec<f64>,
    /// `V_k` and `g_k`, each row by row.
    units: Vec<Vec<f64>>,
    gradients: Vec<Vec<f64>>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl<'a> SphericalHessian<'a> {
    fn new(problem: &'a Problem, norms: Vec<f64>) -> Self {
        let rows = |matrix: &Matrix| matrix.to_rows().concat();
        let units = problem.factors().matrices().iter().map(rows).collect();
        let gradients = problem.given().gradient().iter().map(rows).collect();
        Self { problem, norms, units, gradients }
    }

    /// `D p d`, which is symmetric.
    fn tangential(&self, x: &[f64]) -> Vec<f64> {
        let mut out = Vec::with_capacity(x.len());
        let mut at = 0;
        for (k, unit) in self.units.iter().enumerate() {
            let part = &x[at..at + unit.len()];
            at += unit.len();
            match self.norms.get(k) {
                Some(norm) => {
                    let along = dot(part, unit);
                    out.extend(part.iter().zip(unit).map(|(x, v)| (x - along * v) / norm));
                }
                None => out.extend_from_slice(part),
            }
        }
        out
    }

    fn extremes(&self, plain: &Diagnosis, problem: &Problem, seed: u64) -> Extremes {
        let tolerances = problem.tolerances();
        let (mut smallest, largest) = match self.dense() {
            Some(ends) => ends,
            None => {
                let start = Stream::new(seed, 0).normal_vector(self.dimension());
                let ends = [End::Largest, End::Smallest];
                let [largest, smallest] = extreme_eigenpairs(self, ends, tolerances.krylov, BUDGET, start);
                (smallest, largest)
            }
        };
        // A Krylov method finds the smallest positive eigenvalue of a semidefinite operator with a large kernel.
        match plain.inertia {
            Some(inertia) if inertia.negative == 0 && inertia.zero > 0 => {
                smallest = Extreme { value: 0.0, residual: 0.0, converged: true, ..smallest };
            }
            Some(inertia) if inertia.negative > 0 => smallest.converged &= smallest.value < 0.0,
            _ => {}
        }
        Extremes { smallest, largest }
    }

    fn dense(&self) -> Option<(Extreme, Extreme)> {
        let size = self.dimension();
        if size > DENSE_PARAMETERS {
            return None;
        }
        let mut matrix = Matrix::zeros(size, size);
        for j in 0..size {
            let mut unit = vec![0.0; size];
            unit[j] = 1.0;
            matrix.column_mut(j).copy_from_slice(&self.apply(&unit));
        }
        let matrix = (&matrix + &matrix.transpose()).scaled(0.5);
        let eigen = symmetric_eigen(&matrix)?;
        let scale = eigen.values.iter().map(|value| value.abs()).fold(0.0, f64::max);
        let pick = |k: usize| Extreme {
            value: eigen.values[k],
            vector: eigen.vectors.column(k).to_vec(),
            residual: 0.0,
            scale,
            converged: true,
            applications: size,
        };
        Some((pick(0).measured(self, 1.0), pick(size - 1).measured(self, 1.0)))
    }
}

impl SymmetricOperator for SphericalHessian<'_> {
    fn dimension(&self) -> usize {
        self.units.iter().map(Vec::len).sum()
    }

    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let mut out = self.tangential(&self.problem.given().hessian().apply(&self.tangential(x)));
        let mut at = 0;
        for ((unit, gradient), norm) in self.units.iter().zip(&self.gradients).zip(&self.norms) {
            let part = &x[at..at + unit.len()];
            let (radial, along, across) = (dot(gradient, unit), dot(part, unit), dot(part, gradient));
            for (i, entry) in out[at..at + unit.len()].iter_mut().enumerate() {
                let bent = radial * (part[i] - 3.0 * along * unit[i]) + along * gradient[i] + across * unit[i];
                *entry -= bent / (norm * norm);
            }
            at += unit.len();
        }
        out
    }
}
