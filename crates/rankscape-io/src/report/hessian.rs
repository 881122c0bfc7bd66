//! The spectrum of the Hessian in a dozen lines.

use super::numbers::number;
use super::{counted, in_words};
use crate::documents::{DirectionKind, HessianSpectrumDocument, Normalization};
use crate::words::{Word, Words as _};
use rankscape::critical::CriticalClass;
use rankscape::hessian::{InertiaMethod, Part, SpectrumMethod};

/// Eigenvalues shown at each end.
const SHOWN: usize = 4;

/// The document of `hessian` as text.
pub fn hessian_text(document: &HessianSpectrumDocument) -> String {
    let mut lines = vec![what(document), point(document), inertia(document)];
    lines.extend(ends(document));
    lines.extend(list(document));
    lines.push(format!("Trace      {}", number(document.trace)));
    lines.extend(alignment(document));
    lines.extend(orbit(document));
    lines.extend(vectors(document));
    lines.extend(evidence(document));
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

fn what(document: &HessianSpectrumDocument) -> String {
    let widths: Vec<String> = document.widths.iter().map(ToString::to_string).collect();
    let part = match (document.part.0, document.layer) {
        (_, Some(layer)) => format!("diagonal block of layer {layer}"),
        (Part::GaussNewton, _) => "Gauss-Newton part of the Hessian".to_owned(),
        (Part::Residual, _) => "residual part of the Hessian".to_owned(),
        (Part::Full, _) => "Hessian of the loss in the weights as given".to_owned(),
    };
    let unit = if document.normalization.0 == Normalization::Sum {
        String::new()
    } else {
        format!(" ({})", document.normalization)
    };
    format!("Matrix     {part}{unit}, {1} x {1}; network {0}", widths.join("-"), document.parameters)
}

fn point(document: &HessianSpectrumDocument) -> String {
    let class = match document.class.0 {
        CriticalClass::NotCritical => "not a critical point".to_owned(),
        CriticalClass::Undecided => "a critical point whose class is undecided".to_owned(),
        _ => format!("a {}", in_words(document.class)),
    };
    format!("Point      {class}")
}

fn inertia(document: &HessianSpectrumDocument) -> String {
    let how = match document.method.0 {
        InertiaMethod::ClosedForm => "from ranks, in closed form",
        InertiaMethod::Elimination => "by elimination over the rationals",
        InertiaMethod::Numerical => "counted from eigenvalues",
    };
    match (document.index, document.nullity, document.positive) {
        (Some(index), Some(nullity), Some(positive)) => {
            format!("Signs      {index} negative (the index), {nullity} zero (the nullity), {positive} positive; {how}")
        }
        _ if document.evidence.rests_on.is_empty() => {
            "Signs      not counted: off critical points they need all eigenvalues (--all)".to_owned()
        }
        _ => "Signs      undecided: see the evidence".to_owned(),
    }
}

fn ends(document: &HessianSpectrumDocument) -> Vec<String> {
    let value = |v: Option<f64>| v.map_or("not converged".to_owned(), number);
    let how = match document.spectrum_method.0 {
        SpectrumMethod::ClosedForm => "in closed form",
        SpectrumMethod::Blocks => "from small blocks",
        SpectrumMethod::Dense => "from the dense matrix",
        SpectrumMethod::Krylov => "by Lanczos iterations",
    };
    // Ends that the signs show to be zero are.
    let flat = |others: Option<usize>| others == Some(0) && document.nullity.is_some_and(|count| count > 0);
    let end = |found, flat| if flat { "0".to_owned() } else { value(found) };
    let smallest = end(document.extremes.lambda_min, flat(document.index));
    let largest = end(document.extremes.lambda_max, flat(document.positive));
    vec![format!("Spectrum   from {smallest} to {largest}, {how}")]
}

fn list(document: &HessianSpectrumDocument) -> Option<String> {
    let values = document.eigenvalues.as_ref()?;
    // What is counted as zero is shown as zero; the document has the numbers.
    let kernel = document.index.zip(document.nullity).map_or(0..0, |(index, nullity)| index..index + nullity);
    let shown: Vec<String> =
        values.iter().enumerate().map(|(k, &v)| number(if kernel.contains(&k) { 0.0 } else { v })).collect();
    let text = if values.len() <= 2 * SHOWN {
        shown.join(", ")
    } else {
        format!("{}, ..., {}", shown[..SHOWN].join(", "), shown[values.len() - SHOWN..].join(", "))
    };
    Some(format!("Values     {text}"))
}

fn alignment(document: &HessianSpectrumDocument) -> Option<String> {
    let found = document.alignment.as_ref()?;
    let count = |kind: DirectionKind| -> usize {
        found.directions.iter().filter(|d| d.kind == Word(kind)).map(|d| d.multiplicity).sum()
    };
    let named: Vec<String> = DirectionKind::ALL
        .iter()
        .filter(|&&kind| count(kind) > 0)
        .map(|&kind| format!("{} {}", count(kind), kind.word().replace('_', " ")))
        .collect();
    Some(format!("Aligned    one set of bases makes all diagonal (defect {:.1e}): {}", found.defect, named.join(", ")))
}

fn orbit(document: &HessianSpectrumDocument) -> Option<String> {
    let found = document.orbit.as_ref()?;
    let everywhere =
        found.bound_on_orbit.map(|bound| format!("the smallest is at most {} on the orbit", number(bound)));
    let balanced = found
        .balanced_curvature_bound
        .as_ref()
        .map(|bound| format!("at most {} at balanced strict saddles of these data", number(bound.value)));
    let parts: Vec<String> = everywhere.into_iter().chain(balanced).collect();
    (!parts.is_empty()).then(|| format!("Orbit      {}", parts.join("; ")))
}

fn vectors(document: &HessianSpectrumDocument) -> Option<String> {
    let found = document.vectors.as_ref()?;
    let shape = match found.first() {
        Some(vector) if vector.parts.is_some() => " as sums of matrices of rank one",
        _ => "",
    };
    Some(format!("Vectors    {} smallest{shape}, in the document (--json)", found.len()))
}

fn evidence(document: &HessianSpectrumDocument) -> Option<String> {
    let evidence = Some(&document.evidence).filter(|evidence| !evidence.rests_on.is_empty())?;
    let unclear: Vec<&str> = evidence.rests_on.iter().filter(|s| !s.clear).map(|s| s.quantity.as_str()).collect();
    let doubt = match unclear.as_slice() {
        [] => "all clear".to_owned(),
        [first, ..] => format!("{} not clear, {first} among them", unclear.len()),
    };
    Some(format!(
        "Evidence   of the signs: {}; rests on {}, {doubt}",
        evidence.grade,
        counted(evidence.rests_on.len(), "decision")
    ))
}
