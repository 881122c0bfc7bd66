//! Paths that leave a point as text.

use super::diagnose::{lowest, way};
use super::in_words;
use crate::documents::EscapeVerbDocument;
use crate::words::Word;
use rankscape::certificate::Sense;
use rankscape::critical::CriticalClass;
use rankscape::escape::Construction;

/// The document of `escape` as text.
pub fn escape_text(document: &EscapeVerbDocument) -> String {
    let mut lines = vec![format!("Point        {}", in_words(document.class))];
    if let Some(escape) = &document.escape {
        let how = if document.sense == Word(Sense::Descent) { "falls" } else { "rises" };
        lines.push(format!(
            "Path         {}: L {how} first at order {}{}, coefficient {:.6e}; at t = {:.4} by {:.6e}",
            way(escape.kind),
            escape.order,
            lowest(escape),
            escape.coefficient,
            escape.t,
            escape.decrease.abs()
        ));
    }
    for found in &document.constructions {
        if let (Some(order), Some(coefficient), Some(change)) = (found.order, found.predicted_coefficient, found.change)
        {
            let bound = found.order_bound.map_or_else(String::new, |bound| format!(" (at most {bound})"));
            let source = source(found.name);
            lines.push(format!(
                "{:<12} order {order}{bound}, coefficient {coefficient:.6e}; change {change:.6e}{source}",
                found.name
            ));
        }
    }
    lines.extend(others(document));
    if let Some(same) = &document.same_function {
        lines.push(format!(
            "Same         function at distance {:.3e}, product off by {:.1e}; relative gradient {:.1e} instead of {:.1e}",
            same.distance, same.product_error, same.gradient_after, same.gradient_before
        ));
    }
    if document.escape.is_none() && document.same_function.is_none() {
        let lowest = document.sense == Word(Sense::Descent) && document.class == Word(CriticalClass::GlobalMinimum);
        let why = if lowest { "Nothing is lower." } else { "No path was found." };
        lines.push(format!("Path         {why}"));
    }
    lines.extend(document.notes.iter().map(|note| format!("Note         {note}")));
    lines.join("\n") + "\n"
}

/// Where a construction is stated.
fn source(name: Word<Construction>) -> &'static str {
    match name.0 {
        Construction::Rotation => " (Zhou and Liang, Proposition 3.1)",
        Construction::RankOne => " (Zhou and Liang, Proposition 3.2)",
        Construction::DeepRotation => " (Zhou and Liang, Theorem 4.1)",
        Construction::DeepRankOne => " (Zhou and Liang, Theorem 4.2)",
        Construction::SecondOrder => " (Learning deep models, Theorem 8)",
        Construction::Chain => " (Learning deep models, Lemma 19)",
        Construction::Kernels => " (Trager, Kohn and Bruna, Proposition 9)",
        Construction::Ascent => "",
    }
}

/// The constructions that do not apply, in one line.
fn others(document: &EscapeVerbDocument) -> Option<String> {
    let others: Vec<String> =
        document.constructions.iter().filter(|found| !found.applies).map(|found| found.name.to_string()).collect();
    if others.is_empty() {
        return None;
    }
    let why = match document.class.0 {
        CriticalClass::NotCritical => "they start at critical points",
        _ => "--json says why",
    };
    Some(format!("{:<12} {}: constructions of the literature (docs/escape.md); {why}", "Not here", others.join(", ")))
}
