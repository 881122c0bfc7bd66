//! The product map at a point in a dozen lines.

use super::{counted, draw_barcode};
use crate::documents::{MapDocument, Property};
use crate::words::Word;

/// Bars drawn at most.
const BARS: usize = 8;

/// The document of `map` as text.
pub fn map_text(document: &MapDocument) -> String {
    let widths: Vec<String> = document.widths.iter().map(ToString::to_string).collect();
    let filling = if document.filling { "every matrix is a product" } else { "products have bounded rank" };
    let mut lines =
        vec![format!("Map        {}: bottleneck rank {} ({filling})", widths.join("-"), document.bottleneck_rank)];
    let found = &document.differential;
    if let Some(rank) = found.rank {
        lines.push(format!("Rank       the differential has rank {rank} of {}", found.max_rank));
        if found.submersion == Some(true) {
            let bounded = if document.filling { "" } else { ", of this rank at most" };
            lines.push(format!(
                "           a submersion: every small change of the product{bounded}, is one of the layers"
            ));
        }
    }
    if let Some(fiber) = &document.fiber {
        let signs: Vec<String> = fiber.component.signs.iter().map(|s| format!("{s:+}")).collect();
        let label = if signs.is_empty() { String::new() } else { format!("; here the signs {}", signs.join(" ")) };
        lines.push(format!(
            "Fiber      the weights with this product: {}, dimension {}{label}",
            counted(&fiber.components, "component"),
            fiber.dimension
        ));
    }
    lines.extend(verdicts(document));
    lines.push(format!(
        "Balance    defect {:.3e} (0: neighbouring layers share their singular values)",
        document.balance_defect
    ));
    lines.extend(learning(document));
    if let Some(bars) = &document.barcode {
        let depth = document.widths.len() - 1;
        lines.push(
            "Barcode    the directions that the layers pass on, from where one starts to where it ends".to_owned(),
        );
        lines.extend(draw_barcode(bars, depth).into_iter().take(BARS + 1).map(|line| format!("           {line}")));
        if bars.len() > BARS {
            lines.push(format!("           and {}", counted(bars.len() - BARS, "more bar")));
        }
    }
    let doubtful = document.evidence.rests_on.iter().filter(|support| !support.clear).count();
    let clear = match doubtful {
        0 => "every rank is clear".to_owned(),
        _ => format!("not clear: {}", counted(doubtful, "rank")),
    };
    lines.push(format!("Evidence   {}; {clear}", document.evidence.grade));
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

/// Openness and lift properties. What is undecided for the reason that openness is takes one line.
fn verdicts(document: &MapDocument) -> Vec<String> {
    let (open, lift) = (&document.locally_open, &document.lift);
    let mut lines = vec![
        format!("Open       {}: {}", open.verdict, open.reason),
        "           (open: every product nearby is the product of weights nearby)".to_owned(),
        "Lift       what weights that are critical for a loss of the product say of the product, whatever the loss"
            .to_owned(),
    ];
    let mut likewise = Vec::new();
    for (name, found) in [
        ("local minimum => local minimum", &lift.local_local),
        ("local minimum => stationary", &lift.local_1),
        ("local minimum => zero gradient", &lift.local_ambient),
        ("1-critical => stationary", &lift.one_1),
        ("2-critical => stationary", &lift.two_1),
        ("3-critical => stationary", &lift.three_1),
    ] {
        if found.verdict == Word(Property::Undecided) && found.reason == open.reason {
            likewise.push(name);
        } else {
            lines.push(format!("           {name}: {} ({})", found.verdict, found.reason));
        }
    }
    if let Some(k) = document.least_k {
        lines.push(format!(
            "           the least k for which k-critical (no fall up to order k) implies stationary: {k}"
        ));
    }
    if !likewise.is_empty() {
        lines.push(format!("           undecided for the same reason: {}", likewise.join("; ")));
    }
    lines
}

fn learning(document: &MapDocument) -> Vec<String> {
    let found = &document.learning_coefficient;
    let local = match (found.local.lambda, found.local.lower, found.local.upper) {
        (Some(lambda), ..) => format!("here {lambda}"),
        (None, Some(lower), Some(upper)) => format!("here between {lower} and {upper}"),
        _ => "here undecided".to_owned(),
    };
    let Some(global) = found.global.as_ref() else { return Vec::new() };
    vec![
        format!("Learning   coefficient {} (multiplicity {}); {local}", global.lambda, global.multiplicity),
        "           (of singular learning theory, where this product is the truth)".to_owned(),
    ]
}
