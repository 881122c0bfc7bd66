//! The ladder of critical values in ten to twenty lines.

use super::counted;
use super::diagnose::evidence_line;
use super::numbers::{loss_value, number, ranges};
use crate::documents::{CriticalDocument, Integer, Normalization, RungDocument};
use crate::words::Word;
use rankscape::critical::RungClasses;
use rankscape::evidence::Grade;

/// Distinct singular values shown at most.
const LEVELS: usize = 8;

/// The document of `critical` as text, with up to `rows` rungs.
pub fn critical_text(document: &CriticalDocument, rows: usize) -> String {
    let mut lines = vec![network(document), spectrum(document), minimum(document)];
    lines.extend(rungs(document, rows));
    lines.push(format!("Minima     bad local minima are {}", document.bad_local_minima.verdict));
    lines.extend(graph(document, rows));
    lines.push(evidence_line(&document.evidence));
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

pub(super) fn network(document: &CriticalDocument) -> String {
    let widths: Vec<String> = document.widths.iter().map(ToString::to_string).collect();
    let reach = document
        .effective_bottleneck_rank
        .map_or_else(|| "rank of W X undecided".to_owned(), |rank| format!("W X has rank at most {rank}"));
    let data = match document.samples {
        Some(samples) => {
            let rank = document.data_rank.map_or_else(String::new, |rank| format!(", X of rank {rank}"));
            format!("{}{rank}", counted(samples, "sample"))
        }
        None => "a target in place of data".to_owned(),
    };
    format!("Network    {}: {reach}; {data}", widths.join("-"),)
}

pub(super) fn spectrum(document: &CriticalDocument) -> String {
    let Some(levels) = &document.levels else {
        let values: Vec<String> = document.spectrum.iter().flatten().take(LEVELS).map(|&value| number(value)).collect();
        let more = if document.spectrum.as_ref().map_or(0, Vec::len) > LEVELS { ", ..." } else { "" };
        return format!(
            "Spectrum   {}{more}: which values are zero or equal is undecided, see the evidence",
            values.join(", ")
        );
    };
    if levels.is_empty() {
        return "Spectrum   zero: no weights lower the loss".to_owned();
    }
    let shown = levels.iter().take(LEVELS).map(|level| match level.multiplicity {
        1 => number(level.value),
        m => format!("{} (x {m})", number(level.value)),
    });
    let more = if levels.len() > LEVELS { ", ..." } else { "" };
    let shown: Vec<String> = shown.collect();
    format!("Spectrum   {}: {}{more}", counted(levels.len(), "distinct positive value"), shown.join(", "))
}

pub(super) fn minimum(document: &CriticalDocument) -> String {
    let unit = match document.normalization {
        Word(Normalization::Sum) => String::new(),
        other => format!(" ({other})"),
    };
    let set = document.global_minima.as_ref().map_or_else(String::new, |set| {
        let tie = if set.tie_at_cut { "; the best product is not unique" } else { "" };
        format!(", on a set of dimension {} with {}{tie}", set.dimension, counted(&set.components, "component"))
    });
    match document.global_minimum {
        Some(value) => format!("Minimum    {}{unit}{set}", said(document, value)),
        None => "Minimum    undecided".to_owned(),
    }
}

pub(super) fn said(document: &CriticalDocument, value: f64) -> String {
    loss_value(value, document.value_at_origin, document.evidence.grade == Word(Grade::Exact))
}

fn rungs(document: &CriticalDocument, rows: usize) -> Vec<String> {
    let Some(total) = &document.rungs_total else { return vec!["Rungs      undecided".to_owned()] };
    let mut lines = vec![
        format!("Rungs      {total} in all, the lowest:"),
        format!("{:>16}  {:>5}  {:>6}  {:>9}  {:<14}  captured", "value", "rank", "index*", "dimension", "points are"),
    ];
    let shown = document.rungs.plain().len().min(rows);
    lines.extend(document.rungs.plain().take(rows).map(|rung| line(document, &rung)));
    if *total > Integer::from(shown) {
        lines.push("             ...".to_owned());
    }
    lines.push("           * directions of descent among products of the same rank, not among weights".to_owned());
    lines
}

fn line(document: &CriticalDocument, rung: &RungDocument) -> String {
    let classes = match rung.classes.0 {
        RungClasses::GlobalMinimum => "global minima",
        RungClasses::Strict => "strict saddles",
        RungClasses::Both => "saddles, mixed",
    };
    let captured = if rung.captured.is_empty() { "nothing".to_owned() } else { ranges(&rung.captured) };
    let family = match rung.dimension.function_space {
        0 => String::new(),
        d => format!(", one of a family of dimension {d}"),
    };
    format!(
        "{:>16}  {:>5}  {:>6}  {:>9}  {:<14}  {captured}{family}",
        said(document, rung.value),
        rung.rank,
        rung.index_in_function_space,
        rung.dimension.parameters,
        classes
    )
}

/// How many descents there are, and those between the rungs shown.
fn graph(document: &CriticalDocument, rows: usize) -> Vec<String> {
    let Some((found, total)) = document.graph.as_ref().zip(document.graph_total) else { return Vec::new() };
    let (mut listed, mut rotations) = (0, 0);
    let mut shown = Vec::new();
    let value = |rung: usize| document.rungs.value(rung).map(|value| said(document, value)).unwrap_or_default();
    for descent in found.descents() {
        listed += 1;
        rotations += usize::from(descent.gives_up.is_some());
        if descent.from < rows && descent.to < rows {
            let by = match descent.gives_up {
                Some(lost) => format!("turning direction {lost} into {}", descent.gains),
                None => format!("adding direction {}", descent.gains),
            };
            let (from, to, decrease) = (value(descent.from), value(descent.to), number(descent.decrease));
            shown.push(format!("{from:>16}  {to:>16}  {decrease:>16}  {by}"));
        }
    }
    let all = if listed < total { format!(", {listed} listed") } else { String::new() };
    let mut lines = vec![format!(
        "Graph      {} between listed rungs{all}: {}, {} to a larger rank",
        counted(total, "descent"),
        counted(rotations, "rotation"),
        listed - rotations
    )];
    if listed > 0 {
        lines.push(format!("{:>16}  {:>16}  {:>16}  by", "from", "to", "falls by"));
    }
    lines.extend(shown);
    lines
}
