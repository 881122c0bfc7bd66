//! What `critical` says with weight decay: which directions are lost at which decay, the rungs, the minima.

use super::counted;
use super::critical::{minimum, network, said, spectrum};
use super::diagnose::evidence_line;
use super::in_words;
use super::numbers::{number, ranges};
use crate::documents::{AnyWitness, CriticalDocument, DecayRungDocument, DiagnoseDocument, Integer, ThresholdDocument};
use rankscape::critical::{CriticalClass, RootKind};

/// A decay is called the one of a threshold when they agree to this.
const SAME: f64 = 1e-12;

/// Directions shown at most.
const DIRECTIONS: usize = 8;

/// The document of `critical --weight-decay` as text, with up to `rows` rungs.
pub fn decay_text(document: &CriticalDocument, rows: usize) -> String {
    let decay = document.weight_decay.unwrap_or(0.0);
    let mut lines = vec![network(document), spectrum(document), beside(decay), minimum(document)];
    lines.extend(thresholds(document, decay));
    lines.extend(rungs(document, rows));
    lines.push(minima(document));
    lines.extend(barrier(document));
    lines.push(evidence_line(&document.evidence));
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

fn beside(decay: f64) -> String {
    format!("Decay      {} times 1/2 sum ||W_k||^2, beside the sum loss", number(decay))
}

fn thresholds(document: &CriticalDocument, decay: f64) -> Vec<String> {
    let Some(thresholds) = document.thresholds.as_ref().filter(|found| !found.is_empty() && found[0].fold.is_some())
    else {
        return Vec::new();
    };
    let mut lines =
        vec![format!("{:>16}  {:>14}  {:>14}  with this decay", "singular value", "pays up to", "gone from")];
    let shown = |value: Option<f64>| value.map(number).unwrap_or_default();
    lines.extend(thresholds.iter().take(DIRECTIONS).map(|one| {
        format!("{:>16}  {:>14}  {:>14}  {}", number(one.sigma), shown(one.worth), shown(one.fold), fate(one, decay))
    }));
    if thresholds.len() > DIRECTIONS {
        lines.push("             ...".to_owned());
    }
    lines
}

fn fate(one: &ThresholdDocument, decay: f64) -> &'static str {
    let (fold, worth) = (one.fold.unwrap_or(f64::INFINITY), one.worth.unwrap_or(f64::INFINITY));
    let at = |threshold: f64| (decay / threshold - 1.0).abs() <= SAME;
    match () {
        () if at(fold) => "just lost",
        () if at(worth) => "as good captured as not",
        () if decay < worth => "worth capturing",
        () if decay < fold => "can be captured, better not",
        () => "lost",
    }
}

fn rungs(document: &CriticalDocument, rows: usize) -> Vec<String> {
    let Some(total) = &document.rungs_total else { return vec!["Rungs      undecided".to_owned()] };
    let mut lines = vec![
        format!("Rungs      {total} in all, the lowest:"),
        format!("{:>16}  {:>5}  {:>5}  {:>9}  {:<17}  captured", "value", "rank", "index", "dimension", "points are"),
    ];
    let shown = document.rungs.decayed().len().min(rows);
    lines.extend(document.rungs.decayed().take(rows).map(|rung| line(document, &rung)));
    if *total > Integer::from(shown) {
        lines.push("             ...".to_owned());
    }
    lines
}

fn line(document: &CriticalDocument, rung: &DecayRungDocument) -> String {
    let value = said(document, rung.value);
    let class = in_words(rung.class);
    format!(
        "{value:>16}  {:>5}  {:>5}  {:>9}  {class:<17}  {}",
        rung.rank,
        rung.index,
        rung.dimension.parameters,
        captured(rung)
    )
}

/// `1-2; 4 small`.
fn captured(rung: &DecayRungDocument) -> String {
    let (Some(captured), Some(roots)) = (&rung.captured, &rung.roots) else {
        return "not known by directions".to_owned();
    };
    if captured.is_empty() {
        return "nothing".to_owned();
    }
    let of = |kind: RootKind| {
        let indices: Vec<usize> =
            captured.iter().zip(roots).filter(|(_, root)| root.0 == kind).map(|(&index, _)| index).collect();
        let word = if kind == RootKind::Large { String::new() } else { format!(" {}", kind.name()) };
        (!indices.is_empty()).then(|| ranges(&indices) + &word)
    };
    let parts = [RootKind::Large, RootKind::Fold, RootKind::Small].into_iter().filter_map(of);
    parts.collect::<Vec<_>>().join("; ")
}

fn minima(document: &CriticalDocument) -> String {
    let verdict = document.bad_local_minima.verdict;
    let Some(AnyWitness::Point(witness)) = &document.bad_local_minima.witness else {
        return format!("Minima     bad local minima are {verdict}");
    };
    let which = match witness.captured.as_slice() {
        [] => "the origin".to_owned(),
        captured => format!("one that captures {}", ranges(captured)),
    };
    format!(
        "Minima     bad local minima exist: {which} is one, {} above the best",
        said(document, witness.above_minimum)
    )
}

fn barrier(document: &CriticalDocument) -> Option<String> {
    let height = document.barrier.filter(|&height| height > 0.0)?;
    let best = document
        .global_minima
        .as_ref()
        .map_or_else(String::new, |set| format!(" ({})", counted(&set.components, "component")));
    Some(format!("Barrier    every path from the origin to the best{best} climbs at least {}", said(document, height)))
}

/// The diagnosis of a point with weight decay as text.
pub fn decay_diagnosis_text(document: &DiagnoseDocument) -> String {
    let loss = &document.loss;
    let known = loss.global_minimum.is_some();
    let sentence = match (document.class.0, known) {
        (CriticalClass::GlobalMinimum, _) => "At the best that this network can reach with this weight decay.",
        (CriticalClass::LocalMinimum, true) => "At a local minimum that is not the best.",
        (CriticalClass::LocalMinimum, false) => "At a local minimum; whether it is the best is undecided.",
        (CriticalClass::StrictSaddle, _) => "At a strict saddle of the loss with weight decay.",
        (CriticalClass::NonStrictSaddle, _) => "At a non-strict saddle: a direction is just about to be lost.",
        (CriticalClass::NotCritical, _) => "At no critical point of the loss with weight decay.",
        (CriticalClass::LocalMaximum | CriticalClass::Undecided, _) => "At a critical point whose class is undecided.",
    };
    let least = match (loss.global_minimum, loss.gap) {
        (Some(minimum), Some(gap)) => format!("the least is {}, {} below", number(minimum), number(gap)),
        _ => "the least is not known".to_owned(),
    };
    let shown = |value: Option<f64>| value.map_or_else(|| "not found".to_owned(), number);
    let counted = |value: Option<usize>| value.map_or_else(|| "undecided".to_owned(), |count| count.to_string());
    let hessian = &document.hessian;
    let mut lines = vec![
        sentence.to_owned(),
        String::new(),
        beside(document.weight_decay.unwrap_or(0.0)),
        format!("Loss       {} with decay; {least}", number(loss.now())),
        format!(
            "Gradient   {}, relative {} of {}",
            number(document.gradient.length()),
            number(document.gradient.share()),
            number(document.gradient.threshold)
        ),
    ];
    if let (Some(captured), Some(values), Some(roots)) = (&document.captured, &document.layer_values, &document.roots) {
        let list = captured.iter().zip(values).zip(roots).map(|((index, value), root)| match root.0 {
            RootKind::Large => format!("{index} ({})", number(*value)),
            kind => format!("{index} ({}, {})", number(*value), kind.name()),
        });
        let list: Vec<String> = list.collect();
        let list = if list.is_empty() { "nothing".to_owned() } else { list.join(", ") };
        lines.push(format!("Captured   {list}"));
    }
    lines.push(format!(
        "Hessian    from {} to {}; index {}, nullity {}",
        shown(hessian.lambda_min),
        shown(hessian.lambda_max),
        counted(hessian.index),
        counted(hessian.nullity)
    ));
    lines.push(evidence_line(&document.evidence));
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}
