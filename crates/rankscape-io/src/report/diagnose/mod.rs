//! The diagnosis for somebody whose training has stalled: first the answer, then where, why, what lies ahead and what to do.
//!
//! `situation` reads the case off the document and says it in a sentence; `ahead` has the missing directions and the commands;
//! `details` what the theory says, for `--details`.

mod ahead;
mod details;
mod scale;
mod situation;

pub(super) use details::{evidence_line, lines as details_lines, lowest, way};
pub use scale::DiagnoseText;

use super::numbers::{digits, percent, ranges};
use super::{counted, in_words};
use crate::documents::{DiagnoseDocument, NearDocument, Normalization};
use crate::words::Word;
use rankscape::critical::CriticalClass;
use rankscape::evidence::Grade;
use scale::{continued, entry, is_convex, is_least, said};
use situation::Situation;

/// The diagnosis as text.
pub fn diagnose_text(document: &DiagnoseDocument, options: DiagnoseText<'_>) -> String {
    let situation = Situation::of(document);
    let mut lines = vec![situation.sentence(document), String::new()];
    lines.push(entry("Loss", &loss(document)));
    lines.extend(whereabouts(document, situation).iter().enumerate().map(|(k, line)| continued(k, "Where", line)));
    lines.extend(why(document).map(|text| entry("Why", &text)));
    lines.extend(ahead::table(document));
    lines.extend(ahead::to_do(document, situation, options));
    lines.push(entry("Sure", &sure(document)));
    lines.extend(document.notes.iter().map(|note| entry("Note", note)));
    if options.details {
        lines.push(String::new());
        lines.extend(details::lines(document));
    }
    lines.join("\n") + "\n"
}

fn loss(document: &DiagnoseDocument) -> String {
    let widths: Vec<String> = document.widths.iter().map(ToString::to_string).collect();
    let widths = widths.join("-");
    let unit = match document.normalization.0 {
        Normalization::Sum => "",
        Normalization::Mean => " a sample",
        Normalization::Mse => " (mean squared error)",
    };
    let data = match document.samples {
        Some(samples) => format!("on {}", counted(samples, "sample")),
        None => "for this target".to_owned(),
    };
    let loss = &document.loss;
    let (now, least) = (said(document, loss.now()), said(document, loss.least()));
    if is_least(document) {
        return format!("{now}{unit} now, and no weights of {widths} have less {data}");
    }
    format!("{now}{unit} now; the least that {widths} can reach {data} is {least}")
}

/// Where the point is, in one or two lines.
fn whereabouts(document: &DiagnoseDocument, situation: Situation) -> Vec<String> {
    let hessian = &document.hessian;
    let ends = match (hessian.lambda_min, hessian.lambda_max) {
        (Some(low), Some(high)) => format!("from {} to {}", digits(low, 3), digits(high, 3)),
        _ => "not found to the accuracy asked for".to_owned(),
    };
    let own = format!("curvature at the point itself: {ends}");
    let gradient = format!("relative gradient {}", digits(document.gradient.share(), 2));
    match (situation, &document.near) {
        (Situation::Best, _) => vec![format!("a global minimum; {own}")],
        (Situation::AtSaddle, _) => vec![at_saddle(document), own],
        (Situation::Undecided, None) if document.critical => vec![format!("a critical point ({gradient}); {own}")],
        (_, Some(near)) => vec![beside(near), own],
        (_, None) if is_convex(document) => {
            vec![format!("one layer: the loss is convex; {gradient}"), own]
        }
        (_, None) => {
            let same = if document.outlook().room == 0 { "" } else { " with the same directions learned" };
            vec![format!("no critical point{same} lies within a tenth of the length of the weights; {gradient}"), own]
        }
    }
}

fn at_saddle(document: &DiagnoseDocument) -> String {
    let index = document.hessian.index.map_or_else(|| "some".to_owned(), |index| index.to_string());
    match document.class.0 {
        CriticalClass::StrictSaddle if index == "1" => {
            "at a strict saddle: 1 direction of descent, found by the second derivative".into()
        }
        CriticalClass::StrictSaddle => {
            format!("at a strict saddle: {index} directions of descent, found by the second derivative")
        }
        CriticalClass::NonStrictSaddle => {
            let order = document.escape.as_ref().map_or(3, |escape| escape.order);
            format!("at a non-strict saddle: flat to second order, the loss falls at order {order} of a curved path")
        }
        _ => format!("at a {}", in_words(document.class)),
    }
}

/// The critical points nearby; distances are shares of the length of the vector of all weights.
fn beside(near: &NearDocument) -> String {
    let index = |index: Option<usize>| match index {
        Some(1) => ", with 1 direction of descent".to_owned(),
        Some(count) => format!(", with {count} directions of descent"),
        None => String::new(),
    };
    let curvature =
        |value: Option<f64>| value.map_or_else(String::new, |v| format!(" (curvature there down to {})", digits(v, 3)));
    // At rank zero the weights may be next to nothing: then others are the measure.
    let whole =
        if near.rank == 0 { "of the length of weights that fit the data" } else { "of the length of the weights" };
    let far = |distance: f64| format!("at a distance of {} {whole}", percent(distance));
    match (&near.strict, &near.non_strict) {
        _ if near.nearest_class == Word(CriticalClass::GlobalMinimum) => {
            format!("a global minimum {}", far(near.distance))
        }
        (Some(strict), other) => {
            let other = other.as_ref().map_or_else(String::new, |flat| {
                format!("; a non-strict saddle, flat to second order, at {}", percent(flat.distance))
            });
            let (index, curvature) = (index(strict.index), curvature(strict.lambda_min));
            format!("a strict saddle {}{index}{curvature}{other}", far(strict.distance))
        }
        (None, Some(flat)) => format!("a non-strict saddle, flat to second order, {}", far(flat.distance)),
        (None, None) => format!("a {} {}", in_words(near.nearest_class), far(near.distance)),
    }
}

/// How many of the directions that fit are learned, or why there are none.
fn why(document: &DiagnoseDocument) -> Option<String> {
    let outlook = document.outlook();
    if outlook.room == 0 {
        return Some(nothing_to_learn(document));
    }
    if is_convex(document) {
        return None;
    }
    let learned = match outlook.learned.as_slice() {
        [] => "none is learned".to_owned(),
        [one] => format!("1 is learned (direction {one})"),
        many => format!("{} are learned ({})", many.len(), ranges(many)),
    };
    let fits = match (outlook.room, document.bottleneck_rank) {
        (room, bottleneck) if room < bottleneck => format!("the data have {} to learn", counted(room, "direction")),
        (room, _) => format!("the narrowest layer has room for {} of the data", counted(room, "direction")),
    };
    let worse = outlook.ahead.iter().filter(|step| step.forget.is_some()).count();
    let worse = match worse {
        0 => String::new(),
        1 => "; 1 of them takes the place of a better one".to_owned(),
        count => format!("; {count} of them take the places of better ones"),
    };
    Some(format!("{fits}; {learned}{worse}{}", excess(document)))
}

/// Directions of which the product has too much, or the opposite.
fn excess(document: &DiagnoseDocument) -> String {
    let of_sign = |positive: bool| -> (Vec<usize>, f64) {
        let found = document.outlook().excess.iter().filter(|found| (found.share > 0.0) == positive);
        let most = found.clone().map(|found| found.share.abs()).fold(0.0, f64::max);
        (found.map(|found| found.direction).collect(), most)
    };
    let mut text = String::new();
    for (positive, one, many) in
        [(true, "overshoots", "overshoot"), (false, "has the wrong sign", "have the wrong sign")]
    {
        let (directions, most) = of_sign(positive);
        let most = digits(most, 2);
        match directions.as_slice() {
            [] => {}
            [direction] => text += &format!("; 1 {one} (direction {direction}, {most} times its size)"),
            all => text += &format!("; {} {many} ({}; up to {most} times their size)", all.len(), ranges(all)),
        }
    }
    text
}

/// What the data lack where no direction can be learned.
fn nothing_to_learn(document: &DiagnoseDocument) -> String {
    let targets_are_zero = document.outlook().value_at_origin == 0.0;
    match (document.data_rank, document.centred) {
        (Some(0), false) => "all inputs are zero, so the loss does not depend on the weights".to_owned(),
        (Some(0), true) => "all inputs are equal, so the output bias alone can give what the weights can".to_owned(),
        (_, false) if targets_are_zero => "all targets are zero, so the least is where the product is zero".to_owned(),
        (_, true) if targets_are_zero => {
            "all targets are equal, so the output bias alone fits them, and the least is where the product is zero"
                .to_owned()
        }
        (_, centred) => {
            let bias = if centred { ", and the output bias the mean of the targets" } else { "" };
            format!("the inputs do not predict the targets, so the least is where the product is zero{bias}")
        }
    }
}

/// How sure the answer is.
pub(super) fn sure(document: &DiagnoseDocument) -> String {
    let evidence = &document.evidence;
    let unclear = evidence.rests_on.iter().filter(|support| !support.clear).count();
    let total = evidence.rests_on.len();
    let how = match evidence.grade.0 {
        Grade::Exact => "exact arithmetic: a proof",
        Grade::Certified => "certified by interval arithmetic",
        Grade::Numerical | Grade::Sampled => "double precision",
    };
    let ranks = match unclear {
        0 if total == 1 => "the one decision on ranks is clear".to_owned(),
        0 => format!("all {} on ranks clear", counted(total, "decision")),
        _ => format!("{unclear} of {} on ranks not clear (--details)", counted(total, "decision")),
    };
    format!("{how}; {ranks}. The file holds matrices only: no activations between the layers are assumed")
}
