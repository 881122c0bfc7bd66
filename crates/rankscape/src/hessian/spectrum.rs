//! The spectrum of the Hessian at the point of a problem: eigenvalues, their ends, index and nullity.

use super::aligned::{RankOne, Spectrum, SpectrumKind};
use super::extremes::{extremes, rounding_of_eigenvalues};
use super::layer::layer_block;
use super::operator::{HessianOperator, Part};
use super::orbit::{OrbitFindings, orbit_findings};
use super::parts::{inertia_by_elimination, inertia_of_gauss_newton};
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, Quantity, RankDecision};
use crate::linalg::{Inertia, Matrix, SymmetricOperator, symmetric_eigen, symmetric_eigenvalues};
use crate::problem::Problem;
use crate::tolerance::Tolerances;

/// Up to this many parameters all eigenvalues are listed.
pub const LARGEST_LISTED: usize = 2000;
/// Up to this many parameters a dense Hessian is formed when all eigenvalues are asked for.
pub const LARGEST_DENSE: usize = 10_000;
/// What is asked for beside index, nullity and the ends of the spectrum.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpectrumRequest {
    /// The Hessian or a part of it.
    pub part: Part,
    /// Only the diagonal block of this layer, counted from 1.
    pub layer: Option<usize>,
    /// All eigenvalues even beyond [`LARGEST_LISTED`] parameters.
    pub all: bool,
    /// Eigenvectors of this many smallest eigenvalues.
    pub vectors: usize,
}

/// Where index and nullity come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InertiaMethod {
    /// A theorem that needs ranks only.
    ClosedForm,
    /// Elimination over the rationals.
    Elimination,
    /// Counted from computed eigenvalues.
    Numerical,
}

impl InertiaMethod {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClosedForm => "closed_form",
            Self::Elimination => "elimination",
            Self::Numerical => "numerical",
        }
    }
}

/// Where eigenvalues come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpectrumMethod {
    /// A formula.
    ClosedForm,
    /// Blocks of the size of the depth.
    Blocks,
    /// The dense matrix.
    Dense,
    /// Lanczos iterations: the two ends only.
    Krylov,
}

impl SpectrumMethod {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClosedForm => "closed_form",
            Self::Blocks => "blocks",
            Self::Dense => "dense",
            Self::Krylov => "krylov",
        }
    }
}

/// The shape in which an eigenvector is known.
#[derive(Debug, Clone, PartialEq)]
pub enum EigenvectorShape {
    /// A sum of matrices of rank one, at most two a layer.
    RankOne(Vec<RankOne>),
    /// One matrix a block of parameters: the factors, then the biases that exist.
    Blocks(Vec<Matrix>),
}

/// A unit eigenvector in the parameters as given.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenvector {
    /// Its eigenvalue.
    pub value: f64,
    /// The vector.
    pub shape: EigenvectorShape,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct HessianFindings {
    /// Number of rows of the matrix that was asked for.
    pub size: usize,
    /// All eigenvalues, non-decreasing, where they were computed and asked for.
    pub eigenvalues: Option<Vec<f64>>,
    /// The complete spectrum with multiplicities, at aligned points.
    pub spectrum: Option<Spectrum>,
    /// Smallest and largest eigenvalue; `None` where an iteration did not converge, and for a smallest one that the index
    /// proves to be negative and rounding errors hide.
    pub ends: (Option<f64>, Option<f64>),
    /// Residual of the two ends: an eigenvalue lies within this distance. Zero for formulas, not known for dense ones.
    pub residual: Option<f64>,
    /// Index, nullity and number of positive eigenvalues; `None` if undecided.
    pub inertia: Option<Inertia>,
    /// Where they come from.
    pub inertia_method: InertiaMethod,
    /// Where the eigenvalues come from.
    pub spectrum_method: SpectrumMethod,
    /// What index and nullity rest on.
    pub evidence: Evidence,
    /// The diagonal.
    pub diagonal: Vec<f64>,
    /// The trace.
    pub trace: f64,
    /// Eigenvectors of the smallest eigenvalues, where asked for.
    pub vectors: Vec<Eigenvector>,
    /// Facts about the orbit, where they apply.
    pub orbit: Option<OrbitFindings>,
}

/// Eigenvalues of the Hessian of `L` in the parameters as given, and its index and nullity: `at_critical_point` is the inertia that a
/// theorem gives at critical points, and what it rests on.
///
/// # Errors
/// If there is no such layer, or more is asked for than can be computed.
pub fn spectrum_at(
    problem: &Problem,
    request: SpectrumRequest,
    at_critical_point: Option<(Option<Inertia>, Evidence)>,
    seed: u64,
) -> Result<HessianFindings> {
    let tolerances = problem.tolerances();
    let operator = problem.given().hessian().part(request.part);
    if let Some(layer) = request.layer {
        return layer_block(problem, &operator, layer);
    }
    let is_critical = at_critical_point.is_some();
    let theorem = match request.part {
        Part::Full => at_critical_point,
        Part::GaussNewton => Some(inertia_of_gauss_newton(problem, operator.dimension())),
        Part::Residual => None,
    };
    let method = if theorem.is_some() { InertiaMethod::ClosedForm } else { InertiaMethod::Elimination };
    let known = theorem.or_else(|| inertia_by_elimination(problem, request.part, operator.dimension()));
    let inertia = known.as_ref().and_then(|(inertia, _)| *inertia);
    let mut found = eigenvalues(&operator, request, inertia, tolerances, seed)?;
    if let Some(spectrum) = &mut found.spectrum {
        let edges: Vec<f64> = std::iter::once(problem.given().input_scale())
            .chain(problem.given().layer_scales().iter().copied())
            .collect();
        spectrum.report_scaled(&edges, problem.given().target_scale());
    }
    if request.part == Part::Full && is_critical {
        found.orbit = orbit_findings(problem);
    }
    match known {
        Some((inertia, evidence)) => {
            (found.inertia, found.evidence, found.inertia_method) = (inertia, evidence, method);
            forget_lost_end(&mut found, tolerances);
            put_exact_zeros(&mut found);
        }
        None => count_signs(&mut found, tolerances),
    }
    if !(found.trace.is_finite() && found.diagonal.iter().all(|entry| entry.is_finite())) {
        return Err(InputError::new("the Hessian is too large for double precision")
            .value(found.trace)
            .hint("scale X, Y or the weights"));
    }
    Ok(found)
}

/// Eigenvalues by the best method there is, with everything else that needs the operator alone.
fn eigenvalues(
    operator: &HessianOperator<'_>,
    request: SpectrumRequest,
    inertia: Option<Inertia>,
    tolerances: &Tolerances,
    seed: u64,
) -> Result<HessianFindings> {
    let size = operator.dimension();
    let mut found = HessianFindings {
        size,
        eigenvalues: None,
        spectrum: Spectrum::new(operator, tolerances),
        ends: (None, None),
        residual: Some(0.0),
        inertia: None,
        inertia_method: InertiaMethod::ClosedForm,
        spectrum_method: SpectrumMethod::ClosedForm,
        evidence: Evidence::new(Grade::Numerical),
        diagonal: operator.diagonal(),
        trace: operator.trace(),
        vectors: Vec::new(),
        orbit: None,
    };
    let listed = size <= LARGEST_LISTED || request.all;
    if let Some(spectrum) = &found.spectrum {
        let (first, last) = (spectrum.families.first(), spectrum.families.last());
        found.ends = (first.map(|family| family.value), last.map(|family| family.value));
        found.spectrum_method = match spectrum.kind {
            SpectrumKind::ClosedForm => SpectrumMethod::ClosedForm,
            SpectrumKind::Blocks => SpectrumMethod::Blocks,
        };
        found.eigenvalues = listed.then(|| spectrum.values());
        let vectors = if request.vectors > 0 { spectrum.vectors(request.vectors) } else { None };
        found.vectors = vectors
            .into_iter()
            .flatten()
            .map(|v| Eigenvector { value: v.value, shape: EigenvectorShape::RankOne(v.parts) })
            .collect();
    } else if listed {
        if size > LARGEST_DENSE {
            return Err(InputError::new("all eigenvalues of a Hessian of this size need a point that is aligned")
                .value(format!("{size} parameters"))
                .hint(format!(
                    "leave out --all for the two ends; a dense Hessian has up to {LARGEST_DENSE} parameters"
                )));
        }
        dense(operator, request.vectors, &mut found);
    } else {
        let ends = extremes(operator, inertia, tolerances, seed);
        found.spectrum_method = SpectrumMethod::Krylov;
        found.ends = (
            ends.smallest.converged.then_some(ends.smallest.value),
            ends.largest.converged.then_some(ends.largest.value),
        );
        found.residual = Some(ends.smallest.residual.max(ends.largest.residual));
        if request.vectors > 0 && !ends.smallest.vector.is_empty() {
            found.vectors = vec![as_blocks(operator, ends.smallest.value, &ends.smallest.vector)];
        }
    }
    Ok(found)
}

/// Eigenvalues of the dense matrix; there are none where an entry is not finite.
fn dense(operator: &HessianOperator<'_>, vectors: usize, found: &mut HessianFindings) {
    found.spectrum_method = SpectrumMethod::Dense;
    found.residual = None;
    let matrix = operator.to_dense();
    found.eigenvalues = if vectors > 0 {
        symmetric_eigen(&matrix).map(|eigen| {
            let pairs = eigen.values.iter().enumerate().take(vectors);
            found.vectors = pairs.map(|(k, &value)| as_blocks(operator, value, eigen.vectors.column(k))).collect();
            eigen.values
        })
    } else {
        symmetric_eigenvalues(&matrix)
    };
    let values = found.eigenvalues.as_deref().unwrap_or_default();
    found.ends = (values.first().copied(), values.last().copied());
}

fn as_blocks(operator: &HessianOperator<'_>, value: f64, vector: &[f64]) -> Eigenvector {
    let mut offset = 0;
    let block = |&(rows, cols): &(usize, usize)| {
        let part = &vector[offset..offset + rows * cols];
        offset += rows * cols;
        Matrix::from_fn(rows, cols, |i, j| part[i * cols + j])
    };
    Eigenvector { value, shape: EigenvectorShape::Blocks(operator.shapes().iter().map(block).collect()) }
}

/// A smallest eigenvalue that the index proves to be negative is not reported where rounding errors of the largest hide it:
/// those of a formula are relative to the eigenvalue itself, those of the dense matrix are not.
fn forget_lost_end(found: &mut HessianFindings, tolerances: &Tolerances) {
    let noise = match (found.spectrum_method, found.ends.1) {
        (SpectrumMethod::Dense, Some(largest)) => rounding_of_eigenvalues(found.size, largest.abs(), tolerances),
        _ => 0.0,
    };
    let negative = found.inertia.is_some_and(|inertia| inertia.negative > 0);
    found.ends.0 = found.ends.0.filter(|&smallest| !negative || smallest < -noise);
}

/// Eigenvalues that exact input shows to be zero are zero.
fn put_exact_zeros(found: &mut HessianFindings) {
    let Some(inertia) = found.inertia.filter(|_| found.evidence.grade == Grade::Exact) else { return };
    let kernel = inertia.negative..inertia.negative + inertia.zero;
    for values in found.eigenvalues.iter_mut() {
        values.iter_mut().enumerate().filter(|(at, _)| kernel.contains(at)).for_each(|(_, value)| *value = 0.0);
    }
    if let Some(spectrum) = &mut found.spectrum {
        spectrum.put_zeros(&kernel);
    }
    let is_zero = |at: usize| kernel.contains(&at).then_some(0.0);
    found.ends = (is_zero(0).or(found.ends.0), found.size.checked_sub(1).and_then(is_zero).or(found.ends.1));
}

/// Index and nullity from all eigenvalues, where no theorem gives them: which ones are zero is a decision with a gap.
fn count_signs(found: &mut HessianFindings, tolerances: &Tolerances) {
    found.inertia_method = InertiaMethod::Numerical;
    let values = match (&found.spectrum, &found.eigenvalues) {
        (_, Some(values)) => values.clone(),
        (Some(spectrum), None) => spectrum.values(),
        (None, None) => return,
    };
    let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let largest = sizes.first().copied().unwrap_or(0.0);
    let zero = rounding_of_eigenvalues(found.size, largest, tolerances);
    let decision = RankDecision::from_singular_values(&sizes, zero, tolerances.rank_gap, largest);
    found.evidence.rest_on(Quantity::Eigenvalues, decision);
    found.inertia = decision.clear.then(|| Inertia::from_eigenvalues(&values, zero));
}
