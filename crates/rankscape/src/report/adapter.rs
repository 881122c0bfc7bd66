//! A checkpoint of adapters as a table: a line for each pair, then what is not part of one.

use super::counted;
use crate::io::documents::{AdapterDocument, PairDocument};

/// The document of `adapter` as text.
pub fn adapter_text(document: &AdapterDocument) -> String {
    let mut rows = vec![
        ["pair", "A x B", "scaling", "ranks", "largest", "stable", "entropy", "balance", "here"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(document.pairs.iter().map(row));
    let mut lines = table(&rows);
    let mut legend: Vec<(&str, usize)> = Vec::new();
    for pair in &document.pairs {
        match legend.iter_mut().find(|(says, _)| *says == pair.says) {
            Some((_, count)) => *count += 1,
            None => legend.push((&pair.says, 1)),
        }
    }
    lines.push(String::new());
    lines.extend(legend.into_iter().map(|(says, count)| format!("{count} x  {says}")));
    let overlaps = document.pairs.iter().filter_map(|pair| Some((pair, pair.overlap.as_ref()?)));
    lines.extend(overlaps.map(|(pair, found)| {
        let stronger = found.amplification.map_or_else(String::new, |a| format!("; amplification {a:.2}"));
        format!(
            "Overlap  {}: with the {} of the base, left {:.3} (random {:.3}), right {:.3} (random {:.3}){stronger}",
            pair.name,
            counted(found.directions, "leading direction"),
            found.left,
            found.left_of_random,
            found.right,
            found.right_of_random
        )
    }));
    lines.extend(document.pairs.iter().filter_map(balanced));
    if !document.unknown.is_empty() {
        lines.push(format!("{}, no part of a pair:", counted(document.unknown.len(), "other tensor")));
        lines.extend(document.unknown.iter().map(|other| format!("  {} {:?}", other.name, other.shape)));
    }
    lines.extend(document.notes.iter().map(|note| format!("Note  {note}")));
    lines.join("\n") + "\n"
}

fn row(pair: &PairDocument) -> Vec<String> {
    let [out, inputs] = pair.shapes.product;
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let ranks = [&pair.ranks.a, &pair.ranks.b, &pair.ranks.product]
        .map(|rank| if rank.clear { rank.rank.to_string() } else { format!("{}?", rank.rank) });
    let here = match (pair.differential.submersion, pair.locally_open.verdict) {
        (Some(true), _) => "submersion",
        (_, "yes") => "open",
        (_, "no") => "not open",
        _ => "undecided",
    };
    let name = match &pair.adapter {
        Some(adapter) => format!("{} [{adapter}]", pair.name),
        None => pair.name.clone(),
    };
    vec![
        name,
        format!("{inputs} > {} > {out}", pair.shapes.a[0]),
        format!("{}", (pair.scaling * 1e4).round() / 1e4),
        ranks.join(" "),
        format!("{:.3e}", pair.singular_values.first().copied().unwrap_or(0.0)),
        number(pair.stable_rank),
        number(pair.entropy_rank),
        format!("{:.1e}", pair.balance_defect),
        here.to_owned(),
    ]
}

fn balanced(pair: &PairDocument) -> Option<String> {
    let found = pair.balanced.as_ref()?;
    Some(match (found.defect_after, found.product_error) {
        (Some(after), Some(error)) => {
            format!("Balanced  {}: defect {after:.1e}, product kept to {error:.1e}", pair.name)
        }
        _ => format!("Kept  {}: {}", pair.name, found.reason),
    })
}

/// Columns as wide as their longest entry.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..columns).map(|j| rows.iter().map(|row| row[j].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
