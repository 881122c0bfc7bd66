//! The hypotheses of pyramidal networks in words.

use super::losses::entry;
use super::numbers::number;
use crate::documents::{HypothesisDocument, OpenHere, PyramidDocument};

/// `pyramid` in words.
pub fn pyramid_text(document: &PyramidDocument) -> String {
    let mut lines = vec![sentence(document), String::new()];
    lines.extend(document.hypotheses.iter().map(demand));
    let jacobian = &document.jacobian;
    let rank = jacobian.rank.map_or_else(|| "undecided".to_owned(), |rank| rank.to_string());
    lines.push(entry("Jacobian", &format!("rank {rank} of {}", jacobian.max_rank)));
    lines.extend(document.loss.map(|loss| entry("Loss", &number(loss))));
    lines.extend(document.output_gradient_norm.map(|norm| {
        let bound = document
            .bound
            .map_or_else(String::new, |bound| format!(", at most {} by that of the first layer", number(bound)));
        entry("Gradient", &format!("{} in the predictions{bound}", number(norm)))
    }));
    lines.extend(document.notes.iter().map(|note| entry("Note", note)));
    lines.join("\n") + "\n"
}

fn sentence(document: &PyramidDocument) -> String {
    match (document.local_minima_are_global, document.locally_open.0) {
        (true, _) => "Every local minimum at these weights is global: the map to the predictions is locally open, and the loss is convex.",
        (false, OpenHere::Yes) => "The map to the predictions is locally open here, but the loss is not known to be convex.",
        (false, OpenHere::Undecided) => "The theorem does not apply here: a hypothesis that it needs fails or is undecided.",
    }
    .to_owned()
}

fn demand(found: &HypothesisDocument) -> String {
    let holds = match found.holds {
        Some(true) => "holds",
        Some(false) => "fails",
        None => "undecided",
    };
    let margin = found.margin.map_or_else(String::new, |margin| format!(", margin {}", number(margin)));
    let needed = if found.needed { "" } else { " (not needed)" };
    entry(holds, &format!("{}{margin}{needed}", found.name.replace('_', " ")))
}
