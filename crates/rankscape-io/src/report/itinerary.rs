//! A stored run in words.

use super::numbers::{number, ranges};
use super::{counted, in_words};
use crate::documents::{ItineraryDocument, ItineraryPointDocument, NextPlateauDocument, Progress, VisitDocument};
use crate::words::Word;
use rankscape::critical::CriticalClass;

/// `itinerary` in words.
pub fn itinerary_text(document: &ItineraryDocument) -> String {
    let mut lines = vec![first_line(document), String::new()];
    lines.extend(document.visits.iter().flat_map(visit));
    if let Some(last) = document.points.last().filter(|last| !last.rests) {
        let ahead = document.ahead.as_ref().map_or_else(String::new, |ahead| format!("; {}", next(ahead)));
        lines.push(format!("Now        at step {} the loss is {} and falls{ahead}", last.step, number(last.loss)));
    }
    lines.push(String::new());
    lines.extend(table(&document.points));
    let (missing, notes) = (&document.unreadable, &document.notes);
    if !(missing.is_empty() && notes.is_empty()) {
        lines.push(String::new());
    }
    lines.extend(missing.iter().map(|reason| format!("Left out   {reason}")));
    lines.extend(notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

fn first_line(document: &ItineraryDocument) -> String {
    let saddles = document.visits.iter().filter(|visit| visit.class.0 != CriticalClass::GlobalMinimum).count();
    let ends = document.points.last().is_some_and(|point| point.rests);
    let minimum = document.visits.last().is_some_and(|visit| visit.class.0 == CriticalClass::GlobalMinimum) && ends;
    let visited = match saddles {
        0 => "visits no saddle that its checkpoints show".to_owned(),
        count => format!("visits {}", counted(count, "saddle")),
    };
    let end = match (minimum, ends) {
        (true, _) => " and ends at a global minimum",
        (false, true) => " and is still at the last one",
        (false, false) => " and goes on",
    };
    format!("The run {visited}{end}.")
}

fn visit(visit: &VisitDocument) -> [String; 2] {
    let when = match (visit.from_step, visit.to_step) {
        (from, to) if from == to => format!("at step {from}"),
        (from, to) => format!("from step {from} to {to}"),
    };
    let head = format!("Plateau    {when}: loss {} with {}", number(visit.value), directions(&visit.captured));
    let ahead = visit.ahead.as_ref().map_or_else(String::new, |ahead| format!("; {}", next(ahead)));
    [head, format!("           {}{ahead}", why(visit))]
}

fn directions(captured: &[usize]) -> String {
    match captured {
        [] => "no direction".to_owned(),
        [one] => format!("direction {one}"),
        several => format!("directions {}", ranges(several)),
    }
}

/// What the plateau is, and why it takes its time.
fn why(visit: &VisitDocument) -> String {
    let class = in_words(visit.class);
    let reason = match (visit.class.0, visit.lambda_min) {
        (CriticalClass::GlobalMinimum, _) => return format!("a {class}: nothing is lower"),
        (CriticalClass::NonStrictSaddle, _) => {
            " without negative curvature: the start out of it has no rate of its own".to_owned()
        }
        (CriticalClass::StrictSaddle, Some(lambda)) => format!(" with curvature down to {}", number(lambda)),
        _ => String::new(),
    };
    let steps = visit.steps.map_or_else(String::new, |steps| {
        format!(": a deviation grows by a factor e in {} steps of descent", number(steps))
    });
    format!("a {class}{reason}{steps}")
}

fn next(ahead: &NextPlateauDocument) -> String {
    format!("next is direction {}, loss {}", ahead.learn, number(ahead.value))
}

/// A line for each checkpoint, columns as wide as their longest entry.
fn table(points: &[ItineraryPointDocument]) -> Vec<String> {
    let head = ["step", "loss", "captured", "next to", "distance", "state"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(points.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let padded = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(padded).collect()
}

fn row(point: &ItineraryPointDocument) -> [String; 6] {
    let captured = if point.captured.is_empty() { "none".to_owned() } else { ranges(&point.captured) };
    let stalled = point.stall.as_ref().map(|stall| stall.verdict == Word(Progress::Stalled));
    let state = match (point.rests, stalled) {
        (true, _) => "rests",
        (false, Some(true)) => "stalled, between plateaus",
        (false, _) => "moves",
    };
    [
        point.step.to_string(),
        number(point.loss),
        captured,
        point.nearest_class.map_or_else(|| "no critical point".to_owned(), in_words),
        point.distance.map_or_else(String::new, number),
        state.to_owned(),
    ]
}
