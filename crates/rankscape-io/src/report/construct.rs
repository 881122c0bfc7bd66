//! Strata, constructed and parsed points in a few lines.

use super::{counted, draw_barcode, in_words};
use crate::documents::{BarDocument, ConstructDocument, ParseDocument, StrataDocument, StratumDocument};

/// The document of `strata` as a table.
pub fn strata_text(document: &StrataDocument) -> String {
    let total = document.strata_total.as_ref().map_or("an unknown number of".to_owned(), ToString::to_string);
    let mut lines = vec![
        format!("Captured   {} of {}", set(&document.captured), spectrum(&document.spectrum)),
        format!("Strata     {total}, {} listed", document.strata.len()),
        format!(
            "{:>8}  {:<18} {:>6} {:>8} {:>10}  wrapping strings, barcode",
            "number", "class", "index", "nullity", "dimension"
        ),
    ];
    for stratum in &document.strata {
        lines.push(format!(
            "{:>8}  {:<18} {:>6} {:>8} {:>10}  {}",
            stratum.number.map_or(String::new(), |number| number.to_string()),
            in_words(stratum.class),
            stratum.index,
            stratum.nullity,
            stratum.dimension,
            strings(stratum)
        ));
    }
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

/// The document of `construct`.
pub fn construct_text(document: &ConstructDocument) -> String {
    let mut lines = vec![
        format!("Captured   {} of {}", set(&document.captured), spectrum(&document.spectrum)),
        format!("Value      {}", document.value),
    ];
    if let Some(stratum) = &document.stratum {
        lines.push(format!(
            "Stratum    {}, index {}, nullity {}, dimension {}",
            in_words(stratum.class),
            stratum.index,
            stratum.nullity,
            stratum.dimension
        ));
        lines.push(format!("Strings    {} (wrapping ~, barcode -)", strings(stratum)));
        let depth = document.widths.len() - 1;
        lines.extend(draw_barcode(&stratum.barcode, depth).into_iter().map(|line| format!("           {line}")));
    }
    let check = &document.check;
    let verdict = match check.holds {
        Some(true) => "holds",
        Some(false) => "fails",
        None => "undecided",
    };
    lines.push(format!("Check      {verdict}: relative gradient {:.1e}, {}", check.gradient, document.evidence.grade));
    lines.extend(document.saved.iter().map(|file| format!("Saved      {file}")));
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

/// The document of `parse`.
pub fn parse_text(document: &ParseDocument) -> String {
    let mut lines = vec![format!("Class      {}", in_words(document.class)), format!("Parsed     {}", document.reason)];
    if let Some(captured) = &document.captured {
        lines.push(format!("Captured   {}{}", set(captured), of_spectrum(&document.spectrum)));
    }
    lines.extend(document.order.iter().map(|order| format!("Order      {}: {}", order.name, order.reason)));
    for level in document.levels.iter().flatten() {
        let zero = format!("{} of {}", level.pbar, counted(level.mbar, "zero value"));
        lines.push(format!("Level {}    p = {} of m = {}, and {zero}", level.k, list(&level.p), list(&level.m)));
    }
    if let Some(deep) = &document.deep {
        let shape = |z: &Vec<Vec<f64>>| format!("{} x {}", z.len(), z.first().map_or(0, Vec::len));
        let shapes: Vec<String> = deep.z.iter().map(shape).collect();
        lines.push(format!(
            "Deep form  S = {}, surplus blocks Z_k of shapes {}",
            set(&deep.captured),
            shapes.join(", ")
        ));
    }
    lines.extend(document.reconstruction_error.map(|error| format!("Error      {error:.1e} when put together again")));
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

fn set(captured: &[usize]) -> String {
    let names: Vec<String> = captured.iter().map(ToString::to_string).collect();
    format!("{{{}}}", names.join(","))
}

/// The first numbers of a list.
fn list(counts: &[usize]) -> String {
    let shown: Vec<String> = counts.iter().take(6).map(ToString::to_string).collect();
    let more = if counts.len() > 6 { ", ..." } else { "" };
    format!("[{}{more}]", shown.join(", "))
}

/// Without data there is no spectrum to choose from.
fn of_spectrum(values: &[f64]) -> String {
    if values.is_empty() { String::new() } else { format!(" of {}", spectrum(values)) }
}

fn spectrum(values: &[f64]) -> String {
    let names: Vec<String> = values.iter().take(6).map(|value| format!("{value:.4}")).collect();
    let more = if values.len() > 6 { format!(", ... ({} values)", values.len()) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// `3~0, 0-2 x2`: strings that wrap through the residual, then the bars of the factors.
fn strings(stratum: &StratumDocument) -> String {
    let name = |bar: &BarDocument, link: char| {
        let times = if bar.multiplicity > 1 { format!(" x{}", bar.multiplicity) } else { String::new() };
        format!("{}{link}{}{times}", bar.from, bar.to)
    };
    let wrapped = stratum.wrapped.iter().map(|bar| name(bar, '~'));
    wrapped.chain(stratum.barcode.iter().map(|bar| name(bar, '-'))).collect::<Vec<_>>().join(", ")
}
