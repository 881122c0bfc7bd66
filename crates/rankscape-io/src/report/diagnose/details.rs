//! What the theory says of the point, for `--details`.

use super::super::counted;
use super::super::numbers::{digits, number, percent, ranges};
use super::scale::entry;
use crate::documents::{DiagnoseDocument, EscapeDocument, EvidenceDocument};
use crate::report::draw_barcode;
use crate::words::Word;
use rankscape::critical::Origin;
use rankscape::escape::EscapeKind;

/// Bars drawn at most.
const BARS: usize = 6;

pub(in crate::report) fn lines(document: &DiagnoseDocument) -> Vec<String> {
    let mut lines = vec![network(document), gradient(document)];
    lines.extend(origin(document));
    lines.extend(captured(document));
    lines.extend(spectrum(document));
    lines.push(hessian(document));
    lines.extend(near(document));
    lines.extend(stall(document));
    lines.extend(path(document));
    lines.push(map(document));
    lines.extend(bars(document));
    lines.extend(ranks(document));
    lines
}

fn network(document: &DiagnoseDocument) -> String {
    let filling = if document.filling { "every matrix is a product" } else { "products have bounded rank" };
    let data = document.data_rank.map_or_else(String::new, |rank| format!("; X of rank {rank}"));
    entry("Network", &format!("bottleneck rank {} ({filling}){data}", document.bottleneck_rank))
}

fn gradient(document: &DiagnoseDocument) -> String {
    let gradient = &document.gradient;
    let critical = if document.critical { "counts as zero" } else { "is not zero" };
    entry(
        "Gradient",
        &format!(
            "{critical}: relative {:.1e}, threshold {:.1e}; norm {}",
            gradient.share(),
            gradient.threshold,
            digits(gradient.length(), 3)
        ),
    )
}

fn origin(document: &DiagnoseDocument) -> Option<String> {
    let text = match document.origin?.0 {
        Origin::Pure => "pure: the product itself is critical among all matrices the network can make",
        Origin::Spurious => "spurious: the factorization makes it critical, not the function space",
    };
    Some(entry("Origin", text))
}

fn captured(document: &DiagnoseDocument) -> Option<String> {
    let total = document.spectrum.iter().flatten().filter(|&&s| s > 0.0).count();
    let set = document.captured.as_ref()?;
    let what = if set.is_empty() { "none".to_owned() } else { ranges(set) };
    Some(entry(
        "Captured",
        &format!("{what} of {}: W X is the projection of the target to them", counted(total, "singular direction")),
    ))
}

fn spectrum(document: &DiagnoseDocument) -> Option<String> {
    let spectrum = document.spectrum.as_ref()?;
    let shown: Vec<String> = spectrum.iter().take(8).map(|&s| number(s)).collect();
    let more = if spectrum.len() > shown.len() { ", ..." } else { "" };
    Some(entry("Spectrum", &format!("of the whitened target: {}{more}", shown.join(", "))))
}

fn near(document: &DiagnoseDocument) -> Option<String> {
    let near = document.near.as_ref()?;
    let bound = format!("no critical point of this rung is nearer than {}", percent(near.lower_bound));
    Some(entry("Near", &format!("{}; loss there {}, rank {}", bound, number(near.value), near.rank)))
}

fn stall(document: &DiagnoseDocument) -> Option<String> {
    let stall = document.stall.as_ref()?;
    Some(entry("Stall", &format!("rho {}: {}", digits(stall.rho, 2), stall.verdict)))
}

fn hessian(document: &DiagnoseDocument) -> String {
    let hessian = &document.hessian;
    let value = |v: Option<f64>| v.map_or("not converged".to_owned(), number);
    let inertia = match (hessian.index, hessian.nullity) {
        (Some(index), Some(nullity)) => format!("; index {index}, nullity {nullity}"),
        _ if document.critical => "; index undecided".to_owned(),
        _ => String::new(),
    };
    format!("Hessian    eigenvalues from {} to {}{inertia}", value(hessian.lambda_min), value(hessian.lambda_max))
}

/// What to do along a path of this kind.
pub(in crate::report) fn way(kind: Word<EscapeKind>) -> &'static str {
    match kind.0 {
        EscapeKind::NegativeCurvature => "Follow a direction of negative curvature",
        EscapeKind::Kernels => {
            "Open the layers through their kernels (the product stays), then step down in one of them"
        }
        EscapeKind::LeastOrder => "String the fewest bars of the barcode together, a rank-one step for each link",
        EscapeKind::OutputBias => "Move the output bias to its best value",
        EscapeKind::OmittedDirection => "Feed the largest missing direction in all layers at once",
        EscapeKind::Gradient => "Go down the gradient",
        EscapeKind::Construction(_) => "Follow the path of the construction",
    }
}

fn path(document: &DiagnoseDocument) -> Option<String> {
    let escape = document.escape.as_ref()?;
    let (how, t) = (way(escape.kind), digits(escape.t, 4));
    let certified = if document.outlook.is_some() { "; --certificate FILE stores it for verify" } else { "" };
    Some(entry(
        "Path down",
        &format!(
            "{how}: first change of order {}{}, at t = {t} lower by {}{certified}",
            escape.order,
            lowest(escape),
            number(escape.decrease)
        ),
    ))
}

/// How the order compares with the lowest one, where that is more than the class says.
pub(in crate::report) fn lowest(escape: &EscapeDocument) -> String {
    match escape.lowest_order {
        Some(lowest) if lowest < escape.order => format!(", where {lowest} is possible"),
        Some(lowest) if lowest > 2 => ", the lowest of all paths".to_owned(),
        _ => String::new(),
    }
}

/// The decisions that are not clear, each with its numbers.
fn ranks(document: &DiagnoseDocument) -> Vec<String> {
    let unclear = document.evidence.rests_on.iter().filter(|support| !support.clear);
    let value = |v: Option<f64>| v.map_or("none".to_owned(), |v| digits(v, 3));
    unclear
        .map(|support| {
            let (above, below) = (value(support.above), value(support.below));
            let threshold = digits(support.tolerance, 2);
            entry(
                "Not clear",
                &format!("{}: values {above} above and {below} below the threshold {threshold}", support.quantity),
            )
        })
        .collect()
}

fn map(document: &DiagnoseDocument) -> String {
    let d = &document.differential;
    match (d.rank, d.submersion) {
        (Some(rank), Some(submersion)) => format!(
            "Map        the differential of the product has rank {rank} of {}: {}",
            d.max_rank,
            if submersion { "a submersion" } else { "not a submersion" }
        ),
        _ => "Map        rank of the differential undecided: the ranks of the factors are not clear".to_owned(),
    }
}

fn bars(document: &DiagnoseDocument) -> Vec<String> {
    let near = document.near.as_ref().and_then(|near| near.barcode.as_ref());
    let (bars, whose) = match (near, &document.barcode) {
        (Some(bars), _) => (bars, Some("Barcode    at the critical point nearby:")),
        (None, Some(bars)) if document.differential.rank.is_none() => {
            (bars, Some("Barcode    of ranks that are not all clear:"))
        }
        (None, Some(bars)) => (bars, None),
        (None, None) => return vec!["Barcode    undecided: the ranks contradict one another".to_owned()],
    };
    let label = if whose.is_some() { "           " } else { "Barcode    " };
    let mut lines: Vec<String> = whose.map(str::to_owned).into_iter().collect();
    let drawn = draw_barcode(&bars[..bars.len().min(BARS)], document.widths.len() - 1);
    let indent = |(k, line): (usize, String)| format!("{}{line}", if k == 0 { label } else { "           " });
    lines.extend(drawn.into_iter().enumerate().map(indent));
    if bars.len() > BARS {
        lines.push(format!("           and {} more", bars.len() - BARS));
    }
    lines
}

/// Grade, number of decisions, and what is not clear.
pub(in crate::report) fn evidence_line(evidence: &EvidenceDocument) -> String {
    let unclear: Vec<&str> = evidence.rests_on.iter().filter(|s| !s.clear).map(|s| s.quantity.as_str()).collect();
    let doubt = match unclear.as_slice() {
        [] => "all clear".to_owned(),
        [first, ..] => format!("{} not clear, {first} among them", unclear.len()),
    };
    format!("Evidence   {}; rests on {}, {doubt}", evidence.grade, counted(evidence.rests_on.len(), "decision"))
}
