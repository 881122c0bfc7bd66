//! The diagnosis in ten to twenty lines.

use super::{counted, draw_barcode, in_words};
use crate::io::documents::{DiagnoseDocument, EvidenceDocument, NearDocument, StallDocument};

/// Bars drawn at most.
const BARS: usize = 6;

/// The diagnosis as text; `leave_file` is where the escaped weights were written, if anywhere.
pub fn diagnose_text(document: &DiagnoseDocument, leave_file: Option<&str>) -> String {
    let mut lines = vec![network(document), loss(document), verdict(document)];
    lines.extend(origin(document));
    lines.extend(document.near.as_ref().map(near));
    lines.extend(document.stall.as_ref().map(stall));
    lines.extend(captured(document));
    lines.push(hessian(document));
    lines.extend(way_out(document, leave_file));
    lines.push(map(document));
    lines.extend(bars(document));
    lines.push(evidence(document));
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

fn network(document: &DiagnoseDocument) -> String {
    let widths: Vec<String> = document.widths.iter().map(ToString::to_string).collect();
    let filling = if document.filling { "every matrix is a product" } else { "products have bounded rank" };
    format!(
        "Network    {}: bottleneck rank {} ({filling}); {}, X of rank {}",
        widths.join("-"),
        document.bottleneck_rank,
        counted(document.samples, "sample"),
        document.data_rank
    )
}

fn loss(document: &DiagnoseDocument) -> String {
    let loss = &document.loss;
    let share = if loss.gap > 0.0 && loss.global_minimum > 0.0 {
        format!(" ({} above it)", percent(loss.gap / loss.global_minimum))
    } else {
        String::new()
    };
    let unit = match document.normalization {
        "sum" => String::new(),
        other => format!(" ({other})"),
    };
    format!(
        "Loss       {}{unit}; global minimum {}; gap {}{share}",
        number(loss.value),
        number(loss.global_minimum),
        number(loss.gap)
    )
}

fn verdict(document: &DiagnoseDocument) -> String {
    let gradient = &document.gradient;
    let numbers = match gradient.relative {
        0.0 => "gradient zero".to_owned(),
        relative => format!("relative gradient {relative:.1e}, threshold {:.1e}", gradient.threshold),
    };
    let what = match document.class {
        "global_minimum" => "a global minimum",
        "local_minimum" => "a local minimum that is not global",
        "local_maximum" => "a local maximum",
        "strict_saddle" => "a strict saddle: some direction has negative curvature",
        "non_strict_saddle" => "a non-strict saddle: no direction has negative curvature, yet it is no minimum",
        "not_critical" => "not a critical point",
        _ => "undecided: the ranks are not clear, see the evidence",
    };
    format!("Verdict    This point is {what} ({numbers}).")
}

fn origin(document: &DiagnoseDocument) -> Option<String> {
    let text = match document.origin? {
        "pure" => "pure: the product itself is critical among all matrices the network can make",
        _ => "spurious: the factorization makes it critical, not the function space",
    };
    Some(format!("Origin     {text}"))
}

fn near(near: &NearDocument) -> String {
    let index = near.index.map_or_else(String::new, |index| format!(", index {index}"));
    let mut text = format!(
        "Near       The nearest critical point is {} at relative distance {:.2e}, of rank {} and loss {}{index}",
        named(near.nearest_class),
        near.distance,
        near.rank,
        number(near.value)
    );
    match (near.nearest_class, &near.strict, &near.non_strict) {
        ("strict_saddle", _, Some(flat)) => text += &format!("; a non-strict saddle at {:.2e}", flat.distance),
        ("non_strict_saddle", Some(strict), _) => text += &format!("; a strict saddle at {:.2e}", strict.distance),
        _ => {}
    }
    text + "."
}

fn named(class: &str) -> String {
    match class {
        "global_minimum" => "a global minimum".to_owned(),
        "undecided" => "a critical point whose class is undecided".to_owned(),
        other => format!("a {}", in_words(other)),
    }
}

fn stall(stall: &StallDocument) -> String {
    let what = match stall.verdict {
        "moving" => "the curvature moves it on",
        _ => "the curvature does not move it on soon",
    };
    let steps = stall.steps.map_or_else(String::new, |steps| format!("; one e-fold takes {steps:.0} steps"));
    format!(
        "Stall      {}: {what} (most negative curvature {:.1e} of the curvature scale{steps}).",
        stall.verdict, stall.rho
    )
}

fn captured(document: &DiagnoseDocument) -> Option<String> {
    let near = document.near.as_ref().map(|near| &near.captured);
    let (set, who) = match (&document.captured, near) {
        (Some(set), _) => (set, "It captures"),
        (None, Some(set)) => (set, "That point captures"),
        (None, None) => return None,
    };
    let total = document.spectrum.iter().filter(|&&s| s > 0.0).count();
    let reachable = document.bottleneck_rank.min(document.data_rank);
    let next = document.spectrum.iter().enumerate().find(|(k, s)| !set.contains(&(k + 1)) && **s > 0.0);
    let next = match next {
        Some((k, s)) if set.len() < reachable => {
            format!("; the largest one missing is {} (value {})", k + 1, number(*s))
        }
        _ => String::new(),
    };
    let what = match set.len() {
        0 => format!("none of {}", counted(total, "singular direction")),
        1 => format!("singular direction {} of {total}", ranges(set)),
        _ => format!("singular directions {} of {total}", ranges(set)),
    };
    Some(format!("Captured   {who} {what}{next}"))
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
pub(super) fn way(kind: &str) -> &'static str {
    match kind {
        "negative_curvature" => "Follow a direction of negative curvature",
        "kernels" => "Open the layers through their kernels (the product stays), then step down in one of them",
        "output_bias" => "Move the output bias to its best value",
        "omitted_direction" => "Feed the largest missing direction in all layers at once",
        "gradient" => "Go down the gradient",
        _ => "Follow the path of the construction",
    }
}

fn way_out(document: &DiagnoseDocument, file: Option<&str>) -> Vec<String> {
    let Some(escape) = &document.escape else {
        return vec![match document.class {
            "global_minimum" => "Leave      Nothing is lower.".to_owned(),
            _ => "Leave      No path found.".to_owned(),
        }];
    };
    let how = way(escape.kind);
    let file = match file {
        Some(file) => format!("Weights at that t are in {file}."),
        None => "--leave FILE writes the weights at that t.".to_owned(),
    };
    vec![
        format!("Leave      {how}: at t = {:.4} the loss is {} lower", escape.t, number(escape.decrease)),
        format!("           (its first change is of order {}). {file}", escape.order),
    ]
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

fn evidence(document: &DiagnoseDocument) -> String {
    evidence_line(&document.evidence)
}

/// Grade, number of decisions, and what is not clear.
pub(super) fn evidence_line(evidence: &EvidenceDocument) -> String {
    let unclear: Vec<&str> = evidence.rests_on.iter().filter(|s| !s.clear).map(|s| s.quantity.as_str()).collect();
    let doubt = match unclear.as_slice() {
        [] => "all clear".to_owned(),
        [first, ..] => format!("{} not clear, {first} among them", unclear.len()),
    };
    format!("Evidence   {}; rests on {}, {doubt}", evidence.grade, counted(evidence.rests_on.len(), "decision"))
}

/// Six significant digits, without an exponent where that is readable.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e9).contains(&size) {
        let digits = (5 - size.log10().floor() as i32).clamp(0, 8) as usize;
        let text = format!("{value:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{value:.5e}")
    }
}

fn percent(share: f64) -> String {
    if share < 1e-3 { format!("{:.1e} of it", share) } else { format!("{:.1}%", 100.0 * share) }
}

/// `1-5, 7` for a sorted list.
pub(super) fn ranges(indices: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &index in indices {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => parts.push((index, index)),
        }
    }
    let part = |&(a, b): &(usize, usize)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_joined_into_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1-3, 5, 7-8");
    }

    #[test]
    fn numbers_have_six_digits_at_every_size() {
        assert_eq!(
            [number(0.0), number(523_342.800_48), number(0.5), number(1.0e-7), number(-2.0e12)],
            ["0", "523343", "0.5", "1.00000e-7", "-2.00000e12"]
        );
    }
}
