//! The spectrum of the Hessian at the point of a problem: eigenvalues, their ends, index and nullity.

use super::aligned::{AlignedSpectrum, SpectrumKind};
use super::extremes::{extremes, rounding_of_eigenvalues};
use super::findings::{
    Eigenvector, EigenvectorShape, HessianFindings, InertiaMethod, LARGEST_DENSE, LARGEST_LISTED, SpectrumMethod,
    SpectrumRequest,
};
use super::layer::layer_block;
use super::operator::{HessianOperator, Part};
use super::orbit::orbit_findings;
use super::parts::{inertia_by_elimination, inertia_of_gauss_newton};
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, Quantity, RankDecision};
use crate::linalg::{Inertia, Matrix, SymmetricOperator, symmetric_eigen, symmetric_eigenvalues};
use crate::loss::Loss;
use crate::problem::Problem;
use crate::tolerance::Tolerances;

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
        return check_size(layer_block(problem, &operator, layer)?, false);
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
    let lost = found.ends.0.is_none() && !problem.given().gradient_norm().is_finite();
    check_size(found, lost)
}

/// Eigenvalues of the Hessian of any loss, from the dense matrix or by iteration; `known` is the inertia with what it rests on.
///
/// # Errors
/// If more is asked for than can be computed, or the Hessian is beyond double precision.
pub fn spectrum_of<L: Loss>(
    operator: &HessianOperator<'_, L>,
    request: SpectrumRequest,
    known: Option<(Inertia, Evidence)>,
    tolerances: &Tolerances,
    seed: u64,
) -> Result<HessianFindings> {
    let inertia = known.as_ref().map(|(inertia, _)| *inertia);
    let mut found = HessianFindings::of_size(operator.dimension());
    by_computing(operator, request, inertia, (tolerances, seed), &mut found)?;
    if found.diagonal.is_empty() {
        found.diagonal = diagonal_by_columns(operator);
        found.trace = found.diagonal.iter().sum();
    }
    count_signs(&mut found, tolerances);
    if let Some((inertia, evidence)) = known {
        (found.inertia, found.evidence) = (Some(inertia), evidence);
        forget_lost_end(&mut found, tolerances);
    }
    check_size(found, false)
}

/// Columns that are applied at once.
const COLUMNS: usize = 64;

/// The diagonal, a few unit vectors at a time.
fn diagonal_by_columns<L: Loss>(operator: &HessianOperator<'_, L>) -> Vec<f64> {
    let size = operator.dimension();
    let part = |from: usize| {
        let count = COLUMNS.min(size - from);
        let units = Matrix::from_fn(size, count, |i, j| f64::from(u8::from(i == from + j)));
        let image = operator.apply_matrix(&units);
        (0..count).map(|j| image[(from + j, j)]).collect::<Vec<f64>>()
    };
    (0..size).step_by(COLUMNS).flat_map(part).collect()
}

/// Refuses findings that are beyond double precision, or that were `lost` to numbers that are.
fn check_size(found: HessianFindings, lost: bool) -> Result<HessianFindings> {
    let large = [&found.trace]
        .into_iter()
        .chain(&found.diagonal)
        .chain(found.eigenvalues.iter().flatten())
        .find(|entry| !entry.is_finite())
        .copied();
    match large.or(lost.then_some(f64::INFINITY)) {
        Some(large) => Err(InputError::new("the Hessian is too large for double precision")
            .value(large)
            .hint("scale X, Y or the weights")),
        None => Ok(found),
    }
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
        spectrum: AlignedSpectrum::new(operator, tolerances),
        diagonal: operator.diagonal(),
        trace: operator.trace(),
        ..HessianFindings::of_size(size)
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
    } else {
        by_computing(operator, request, inertia, (tolerances, seed), &mut found)?;
    }
    Ok(found)
}

/// Eigenvalues of the dense matrix where they are to be listed, and else the two ends by iteration.
fn by_computing<L: Loss>(
    operator: &HessianOperator<'_, L>,
    request: SpectrumRequest,
    inertia: Option<Inertia>,
    (tolerances, seed): (&Tolerances, u64),
    found: &mut HessianFindings,
) -> Result<()> {
    let size = found.size;
    if size <= LARGEST_LISTED || request.all {
        if size > LARGEST_DENSE {
            return Err(InputError::new("all eigenvalues of a Hessian of this size need a point that is aligned")
                .value(format!("{size} parameters"))
                .hint(format!(
                    "leave out --all for the two ends; a dense Hessian has up to {LARGEST_DENSE} parameters"
                )));
        }
        dense(operator, request.vectors, found);
        return Ok(());
    }
    let ends = extremes(operator, inertia, tolerances, seed);
    found.spectrum_method = SpectrumMethod::Krylov;
    found.ends =
        (ends.smallest.converged.then_some(ends.smallest.value), ends.largest.converged.then_some(ends.largest.value));
    found.residual = Some(ends.smallest.residual.max(ends.largest.residual));
    if request.vectors > 0 && !ends.smallest.vector.is_empty() {
        found.vectors = vec![as_blocks(operator, ends.smallest.value, &ends.smallest.vector)];
    }
    Ok(())
}

/// Eigenvalues of the dense matrix; there are none where an entry is not finite.
fn dense<L: Loss>(operator: &HessianOperator<'_, L>, vectors: usize, found: &mut HessianFindings) {
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

fn as_blocks<L: Loss>(operator: &HessianOperator<'_, L>, value: f64, vector: &[f64]) -> Eigenvector {
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
pub(super) fn count_signs(found: &mut HessianFindings, tolerances: &Tolerances) {
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
