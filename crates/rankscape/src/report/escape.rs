//! Paths that leave a point as text.

use super::diagnose::way;
use super::in_words;
use crate::io::documents::EscapeVerbDocument;

/// The document of `escape` as text.
pub fn escape_text(document: &EscapeVerbDocument) -> String {
    let mut lines = vec![format!("Point        {}", in_words(document.class))];
    if let Some(escape) = &document.escape {
        let how = if document.sense == "descent" { "falls" } else { "rises" };
        lines.push(format!(
            "Path         {}: L {how} first at order {}, coefficient {:.6e}; at t = {:.4} by {:.6e}",
            way(escape.kind),
            escape.order,
            escape.coefficient,
            escape.t,
            escape.decrease.abs()
        ));
    }
    for found in &document.constructions {
        lines.push(match (found.order, found.predicted_coefficient, found.change) {
            (Some(order), Some(coefficient), Some(change)) => {
                let bound = found.order_bound.map_or_else(String::new, |bound| format!(" (at most {bound})"));
                format!("{:<12} order {order}{bound}, coefficient {coefficient:.6e}; change {change:.6e}", found.name)
            }
            _ => format!("{:<12} does not apply: {}", found.name, found.reason.unwrap_or("")),
        });
    }
    if let Some(same) = &document.same_function {
        lines.push(format!(
            "Same         function at distance {:.3e}, product off by {:.1e}; relative gradient {:.1e} instead of {:.1e}",
            same.distance, same.product_error, same.gradient_after, same.gradient_before
        ));
    }
    if document.escape.is_none() && document.same_function.is_none() {
        let lowest = document.sense == "descent" && document.class == "global_minimum";
        let why = if lowest { "Nothing is lower." } else { "No path was found." };
        lines.push(format!("Path         {why}"));
    }
    lines.extend(document.notes.iter().map(|note| format!("Note         {note}")));
    lines.join("\n") + "\n"
}
