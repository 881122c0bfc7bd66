//! Points and landscapes of losses other than the square: first where one is and what to do.

use super::diagnose::{details_lines, sure};
use super::numbers::{digits, number};
use super::{counted, in_words};
use crate::documents::{
    BadLocalMinimaDocument, CriticalDocument, DiagnoseDocument, GradedValueDocument, LocalMinimumDocument,
    Normalization, SeparabilityDocument,
};
use crate::words::Word;
use rankscape::critical::CriticalClass;
use rankscape::evidence::Grade;
use rankscape::riemannian::{BadMinima, SeparabilityKind};

pub(super) fn entry(label: &str, text: &str) -> String {
    format!("{label:<11}{text}")
}

/// The diagnosis of a point of another loss than the square as text.
pub fn loss_point_text(document: &DiagnoseDocument, details: bool) -> String {
    let mut lines = vec![sentence(document), String::new()];
    lines.push(entry("Loss", &value(document)));
    lines.extend(least(document));
    let attained = document.loss.infimum_attained;
    lines.extend(document.separability.as_ref().map(|found| separable_line(found, attained)));
    lines.push(entry("Class", &class(document)));
    lines.push(entry("Curvature", &curvature(document)));
    lines.extend(down(document));
    lines.push(entry("Sure", &sure(document)));
    lines.extend(document.notes.iter().map(|note| entry("Note", note)));
    if details {
        lines.push(String::new());
        lines.extend(details_lines(document));
    }
    lines.join("\n") + "\n"
}

/// Where the point is and what to do.
fn sentence(document: &DiagnoseDocument) -> String {
    let separated = document.separability.as_ref().is_some_and(|found| found.kind.0 != SeparabilityKind::None);
    match document.class.0 {
        CriticalClass::NotCritical if separated && document.loss.infimum_attained == Some(false) => {
            "Not at a critical point, and there is no minimum to reach: train on and stop by your own rule, for the weights grow \
             without bound."
                .to_owned()
        }
        CriticalClass::NotCritical => "Not at a critical point: the gradient leads down, train on.".to_owned(),
        CriticalClass::GlobalMinimum => "At a global minimum: no weights of these widths have less loss; stop.".to_owned(),
        CriticalClass::LocalMinimum => match (document.loss.gap, document.loss.gap_at_most) {
            (Some(gap), _) => format!(
                "At a local minimum that is {} above the global one: training does not leave it; start again elsewhere or widen \
                 the layers.",
                number(gap)
            ),
            (None, Some(gap)) => format!(
                "At a local minimum, at most {} above the least: whether it is the global one is open; `rankscape minima` \
                 looks for lower ones.",
                number(gap)
            ),
            (None, None) => "At a local minimum: `rankscape minima` looks for lower ones.".to_owned(),
        },
        CriticalClass::StrictSaddle => {
            "At a strict saddle: a step along the direction of negative curvature lowers the loss; --leave FILE writes weights that have taken it.".to_owned()
        }
        CriticalClass::NonStrictSaddle => {
            "At a non-strict saddle: flat to second order, a curved path through the kernels of the layers lowers the loss; \
             --leave FILE writes weights that have taken it."
                .to_owned()
        }
        CriticalClass::LocalMaximum => "At a local maximum: every step leads down.".to_owned(),
        CriticalClass::Undecided => {
            format!("At a critical point whose class is undecided: {}.", document.reason.unwrap_or_default())
        }
    }
}

fn unit(normalization: Word<Normalization>) -> &'static str {
    match normalization.0 {
        Normalization::Sum => "",
        Normalization::Mean => " a sample",
        Normalization::Mse => " (mean squared error)",
    }
}

fn value(document: &DiagnoseDocument) -> String {
    let widths: Vec<String> = document.widths.iter().map(ToString::to_string).collect();
    let data = match document.samples {
        Some(samples) => format!("on {}", counted(samples, "sample")),
        None => "for this target".to_owned(),
    };
    let loss = &document.loss;
    format!("{}{} ({}) of {} {data}", number(loss.now()), unit(document.normalization), loss.kind, widths.join("-"))
}

/// The global minimum, or what is known of it.
fn least(document: &DiagnoseDocument) -> Vec<String> {
    let loss = &document.loss;
    let mut lines = Vec::new();
    if let (Some(least), Some(gap)) = (loss.global_minimum, loss.gap) {
        lines.push(entry(
            "Least",
            &format!("{} with these widths: the loss is {} above it", number(least), number(gap)),
        ));
    } else if let (Some(bound), Some(gap)) = (&loss.lower_bound, loss.gap_at_most) {
        lines.push(entry("Bound", &format!("{}: the loss is at most {} above it", bounded(bound), number(gap))));
    }
    if loss.infimum_attained == Some(false) {
        lines.push(entry("", "the infimum is not attained: no weights have it"));
    }
    lines
}

fn bounded(bound: &GradedValueDocument) -> String {
    let grade = if bound.grade.0 == Grade::Certified { "certified" } else { "to rounding errors" };
    format!("no matrix of any rank has less than {} ({grade})", number(bound.value))
}

/// What separability means for training; `attained`: the infimum over the architecture is.
fn separable(found: &SeparabilityDocument, attained: Option<bool>) -> String {
    let how = match found.kind.0 {
        SeparabilityKind::Strict => "strictly: some matrix answers all samples right",
        SeparabilityKind::Partial => "partially: some matrix answers some samples right and ties on the others",
        SeparabilityKind::None => return "no: the infimum over all matrices is attained".to_owned(),
    };
    let then = match attained {
        Some(false) => ", so the loss has no minimum and weights grow without bound",
        _ => "; whether one of the rank that is allowed does is not decided",
    };
    format!("{how}{then}")
}

fn class(document: &DiagnoseDocument) -> String {
    let reason = document.reason.map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}{reason}", in_words(document.class))
}

fn curvature(document: &DiagnoseDocument) -> String {
    let hessian = &document.hessian;
    let ends = match (hessian.lambda_min, hessian.lambda_max) {
        (Some(low), Some(high)) => format!("from {} to {}", digits(low, 3), digits(high, 3)),
        _ => "not found to the accuracy asked for".to_owned(),
    };
    match (hessian.index, hessian.nullity) {
        (Some(index), Some(nullity)) => {
            format!("{ends}; {} of descent, {nullity} flat", counted(index, "direction"))
        }
        _ if document.critical => format!("{ends}; how many directions lead down is undecided"),
        _ => ends,
    }
}

fn down(document: &DiagnoseDocument) -> Option<String> {
    let escape = document.escape.as_ref()?;
    let text = format!(
        "a path of order {} lowers the loss by {} at t = {}",
        escape.order,
        number(escape.decrease),
        digits(escape.t, 4)
    );
    Some(entry("Down", &text))
}

/// The landscape of another loss than the square as text.
pub fn loss_landscape_text(document: &CriticalDocument) -> String {
    let bad = &document.bad_local_minima;
    let widths: Vec<String> = document.widths.iter().map(ToString::to_string).collect();
    let mut lines = vec![bad_sentence(bad.verdict.0), String::new()];
    let data = document.samples.map_or_else(|| "a target".to_owned(), |samples| counted(samples, "sample"));
    lines.push(entry("Loss", &format!("{} of {} on {data}", document.loss, widths.join("-"))));
    lines.push(bad_line(bad));
    match (document.global_minimum, &document.lower_bound) {
        (Some(least), _) => lines.push(entry("Least", &format!("{}{}", number(least), unit(document.normalization)))),
        (None, Some(bound)) => lines.push(entry("Bound", &bounded(bound))),
        (None, None) => {}
    }
    if document.infimum_attained == Some(false) {
        lines.push(entry("", "the infimum is not attained: no weights have it"));
    }
    lines.extend(document.separability.as_ref().map(|found| separable_line(found, document.infimum_attained)));
    let level = document.level.map(|level| format!("below a loss of {} every critical point is global", number(level)));
    lines.extend(level.map(|text| entry("Level", &text)));
    lines.extend(minima_table(document.minima.as_deref().unwrap_or_default(), bad.place()));
    lines.extend(document.notes.iter().map(|note| entry("Note", note)));
    lines.join("\n") + "\n"
}

pub(super) fn bad_sentence(verdict: BadMinima) -> String {
    match verdict {
        BadMinima::Impossible => "Every local minimum is global: gradient descent that comes to rest at one is done.",
        BadMinima::Possible => "Local minima that are not global are not excluded; none was found.",
        BadMinima::Exists => "There are local minima that are not global: the start decides where training ends.",
    }
    .to_owned()
}

/// What is said of a loss whose samples can be separated, or cannot.
pub(super) fn separable_line(found: &SeparabilityDocument, attained: Option<bool>) -> String {
    entry("Separable", &separable(found, attained))
}

/// What is said of the lower bound.
pub(super) fn bound_line(bound: &GradedValueDocument) -> String {
    entry("Bound", &bounded(bound))
}

/// Whether there are local minima that are not global, and why.
pub(super) fn bad_line(found: &BadLocalMinimaDocument) -> String {
    let verdict = match found.verdict.0 {
        BadMinima::Exists => "exist",
        verdict => verdict.name(),
    };
    entry("Bad minima", &format!("{verdict}: {}", found.reason))
}

/// Minima that a text shows.
const SHOWN: usize = 12;

/// One line for each minimum, the lowest first.
pub(super) fn minima_table(minima: &[LocalMinimumDocument], witness: Option<usize>) -> Vec<String> {
    if minima.is_empty() {
        return vec![entry("Minima", "no start ended in one")];
    }
    let head = format!("{:>16}  {:>4}  {:>12}  {:>6}  {:>6}", "value", "rank", "lambda_min", "hits", "proved");
    let mut lines = vec![entry("Minima", &head)];
    for (at, minimum) in minima.iter().take(SHOWN).enumerate() {
        let lowest = minimum.lambda_min.map_or_else(|| "-".to_owned(), |value| digits(value, 3));
        let mark = if witness == Some(at) { "  above the lowest: a bad one" } else { "" };
        let proved = if minimum.certified { "yes" } else { "no" };
        let value = digits(minimum.value, 10);
        let row = format!("{value:>16}  {:>4}  {lowest:>12}  {:>6}  {proved:>6}{mark}", minimum.rank, minimum.hits);
        lines.push(entry("", &row));
    }
    if minima.len() > SHOWN {
        lines.push(entry("", &format!("and {} more, in the document (--json)", minima.len() - SHOWN)));
    }
    lines
}
