//! Local minima on matrices of bounded rank as text.

use super::counted;
use super::losses::{bad_line, bad_sentence, bound_line, entry, minima_table, separable_line};
use super::numbers::number;
use crate::documents::{CostDocument, CostsDocument, MinimaDocument};

/// First what the starts found, then a table of the minima and what is known of the least.
pub fn minima_text(document: &MinimaDocument) -> String {
    let bad = &document.bad_local_minima;
    let mut lines = vec![bad_sentence(bad.verdict.0), String::new()];
    let data = document.samples.map_or_else(|| "a target".to_owned(), |samples| counted(samples, "sample"));
    let offset = if document.offset { ", with constant outputs" } else { "" };
    lines.push(entry(
        "Matrices",
        &format!(
            "{} x {} of rank at most {}{offset}; {} on {data}",
            document.rows, document.cols, document.rank, document.loss
        ),
    ));
    lines.push(bad_line(bad));
    match (&document.global_minimum, &document.lower_bound) {
        (Some(least), _) => lines.push(entry("Least", &format!("{} ({})", number(least.value), least.grade))),
        (None, Some(bound)) => lines.push(bound_line(bound)),
        (None, None) => {}
    }
    if document.infimum.attained == Some(false) {
        let value = document.infimum.value.map_or_else(String::new, |value| format!(" {}", number(value)));
        lines.push(entry("Infimum", &format!("the infimum{value} is not attained: no matrix has it")));
    }
    let attained = document.infimum.attained;
    lines.extend(document.separability.as_ref().map(|found| separable_line(found, attained)));
    lines.extend(minima_table(&document.minima, bad.place()));
    for one in &document.at_infinity {
        let text = format!("{} left for infinity, toward {}", counted(one.hits, "start"), number(one.value));
        lines.push(entry("", &text));
    }
    if document.unfinished > 0 {
        lines.push(entry("", &format!("{} had not come to rest", counted(document.unfinished, "start"))));
    }
    lines.extend(document.notes.iter().map(|note| entry("Note", note)));
    lines.join("\n") + "\n"
}

/// What the starts would cost.
pub fn minima_cost_text(document: &CostsDocument) -> String {
    let line = |cost: &CostDocument| {
        let (m, n, r) = (cost.m, cost.n, cost.r);
        format!(
            "{m} x {n} of rank {r}: {}, about {:.3} s of one thread; nothing was done",
            counted(cost.paths, "start"),
            cost.seconds
        )
    };
    document.costs.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}
