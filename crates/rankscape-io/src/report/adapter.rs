//! A checkpoint of adapters as text: a table, what it means for each update, then what is no part of one.

use super::counted;
use crate::documents::{AdapterDocument, OpenAnswer, OverlapDocument, PairDocument};
use crate::words::Words as _;

/// Share of the energy `sum s_i^2` that decides which ranks would do.
const MOST: f64 = 0.9;
const NEARLY_ALL: f64 = 0.99;

/// Standard deviations from chance at which an overlap is called more, or less.
const SPREADS: f64 = 3.0;
/// Chance that deviates by less than this leaves no choice.
const CERTAIN: f64 = 1e-9;

/// The document of `adapter` as text.
pub fn adapter_text(document: &AdapterDocument) -> String {
    let mut rows = vec![
        ["update", "in > r > out", "scaling", "ranks", "largest", "stable", "entropy", "balance", "here"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(document.pairs.iter().map(row));
    let mut lines = table(&rows);
    lines.push(String::new());
    lines.extend(
        grouped(document.pairs.iter().map(|pair| (pair.says.clone(), String::new())))
            .map(|(says, names)| format!("{} x  {says}", names.len())),
    );
    lines.push(String::new());
    let verdicts = document.pairs.iter().map(|pair| (verdict(pair), pair.title()));
    lines.extend(grouped(verdicts).map(|(verdict, names)| format!("{}: {verdict}", short_list(&names))));
    let overlaps = document.pairs.iter().filter_map(|pair| Some((pair, pair.overlap.as_ref()?)));
    lines.extend(overlaps.map(|(pair, found)| overlap(&pair.title(), found)));
    lines.extend(document.pairs.iter().filter_map(balanced));
    if !document.unknown.is_empty() {
        lines.push(format!("{}, no part of an update:", counted(document.unknown.len(), "other tensor")));
        lines.extend(document.unknown.iter().map(|other| {
            let method = other.method.map_or_else(String::new, |method| format!(": {method}"));
            format!("  {} {:?}{method}", other.name, other.shape)
        }));
    }
    lines.extend(document.notes.iter().map(|note| format!("Note  {note}")));
    lines.join("\n") + "\n"
}

fn row(pair: &PairDocument) -> Vec<String> {
    let [out, inputs] = pair.shapes.product;
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let ranks = [pair.ranks.a.as_ref(), pair.ranks.b.as_ref(), Some(&pair.ranks.product), pair.ranks.update.as_ref()];
    let ranks: Vec<String> = ranks
        .into_iter()
        .flatten()
        .map(|rank| if rank.clear { rank.rank.to_string() } else { format!("{}?", rank.rank) })
        .collect();
    let submersion = pair.differential.as_ref().and_then(|differential| differential.submersion);
    let here = match (submersion, pair.locally_open.as_ref().map(|open| open.verdict.0)) {
        (Some(true), _) => "submersion",
        (_, Some(OpenAnswer::Yes)) => "open",
        (_, Some(OpenAnswer::No)) => "not open",
        (_, None) => pair.method.0.word(),
        (_, Some(OpenAnswer::Undecided)) => "undecided",
    };
    let largest = pair.singular_values.as_ref().map(|values| values.first().copied().unwrap_or(0.0));
    vec![
        pair.title(),
        match &pair.shapes.b {
            Some(_) => format!("{inputs} > {} > {out}", inner(pair)),
            None => format!("{inputs} > {out}"),
        },
        pair.scaling.map_or_else(|| "unknown".to_owned(), |scaling| format!("{}", (scaling * 1e4).round() / 1e4)),
        ranks.join(" "),
        largest.map_or_else(|| "unknown".to_owned(), |largest| format!("{largest:.3e}")),
        number(pair.stable_rank),
        number(pair.entropy_rank),
        pair.balance_defect.map_or_else(|| "-".to_owned(), |defect| format!("{defect:.1e}")),
        here.to_owned(),
    ]
}

/// The inner width of a pair: what `A` and `B` share.
fn inner(pair: &PairDocument) -> usize {
    pair.barcode
        .as_ref()
        .map_or(0, |bars| bars.iter().filter(|bar| bar.from <= 1 && bar.to >= 1).map(|bar| bar.multiplicity).sum())
}

/// What a practitioner acts on.
fn verdict(pair: &PairDocument) -> String {
    if let Some(reason) = &pair.undetermined {
        return format!("the change of the weight is not known: {reason}");
    }
    let zero = |rank: &Option<crate::documents::SupportDocument>| rank.as_ref().is_some_and(|r| r.clear && r.rank == 0);
    let rank = pair.ranks.update.as_ref().unwrap_or(&pair.ranks.product);
    match (zero(&pair.ranks.a), zero(&pair.ranks.b)) {
        (_, true) if rank.rank == 0 => return "B is zero, never trained".to_owned(),
        (true, _) if rank.rank == 0 => return "A is zero, never trained".to_owned(),
        _ => {}
    }
    if !rank.clear {
        return "its rank is within the rounding of the stored type: not decided".to_owned();
    }
    let values = pair.singular_values.as_deref().unwrap_or(&[]);
    let directions = values.len();
    let (Some(most), Some(nearly)) = (energy_rank(values, MOST), energy_rank(values, NEARLY_ALL)) else {
        return "the weight does not change".to_owned();
    };
    let energy = format!("nine tenths of the energy in {most} of {directions}");
    match nearly < directions {
        true => format!("{energy}: rank {nearly} would do, with 1 % of the energy lost at most"),
        false => format!("{energy}: all {directions} directions are in use"),
    }
}

/// The least number of directions with this share of the energy.
fn energy_rank(values: &[f64], share: f64) -> Option<usize> {
    let largest = *values.first().filter(|&&value| value > 0.0)?;
    let total: f64 = values.iter().map(|value| (value / largest).powi(2)).sum();
    let mut sum = 0.0;
    let enough = |value: &f64| {
        sum += (value / largest).powi(2);
        sum >= share * total
    };
    values.iter().position(enough).map(|at| at + 1)
}

fn overlap(title: &str, found: &OverlapDocument) -> String {
    let against = |value: f64, mean: f64, spread: f64| {
        // Full spaces overlap in all of them.
        if spread < CERTAIN {
            return format!("{value:.3} (as it must be)");
        }
        let word = match (value - mean) / spread {
            z if z > SPREADS => "more than chance",
            z if z < -SPREADS => "less than chance",
            _ => "as by chance",
        };
        format!("{value:.3} ({word}: {mean:.3} +- {spread:.3})")
    };
    let stronger = found.amplification.map_or_else(String::new, |a| format!("; amplification {a:.2}"));
    let unsure = match found.angle_error {
        error if error > 0.1 => format!("; the leading directions are not sharply defined (angle error {error:.1e})"),
        _ => String::new(),
    };
    format!(
        "Overlap  {title}: with the {} of the base, left {}, right {}{stronger}{unsure}",
        counted(found.directions, "leading direction"),
        against(found.left, found.left_of_random, found.left_spread),
        against(found.right, found.right_of_random, found.right_spread),
    )
}

fn balanced(pair: &PairDocument) -> Option<String> {
    let found = pair.balanced.as_ref()?;
    Some(match (found.defect_after, found.product_error) {
        (Some(after), Some(error)) => {
            format!("Balanced  {}: defect {after:.1e}, product kept to {error:.1e}", pair.title())
        }
        _ => format!("Kept  {}: {}", pair.title(), found.reason),
    })
}

/// Texts in the order of their first use, each with the names it is about.
fn grouped(items: impl Iterator<Item = (String, String)>) -> impl Iterator<Item = (String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (text, name) in items {
        match groups.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(name),
            None => groups.push((text, vec![name])),
        }
    }
    groups.into_iter()
}

/// The first names, and how many more.
fn short_list(names: &[String]) -> String {
    match names.len() {
        0..=3 => names.join(", "),
        count => format!("{}, {} and {} more", names[0], names[1], count - 2),
    }
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
