//! The diagnosis of a point of a normalized network in words.

use super::in_words;
use super::losses::entry;
use super::numbers::number;
use crate::documents::DiagnoseDocument;
use rankscape::critical::CriticalClass;

/// `diagnose --parametrization normalized` in words.
pub fn normalized_text(document: &DiagnoseDocument) -> String {
    let shown = |value: Option<f64>| value.map_or_else(|| "not defined".to_owned(), number);
    let counted = |value: Option<usize>| value.map_or_else(|| "undecided".to_owned(), |count| count.to_string());
    let least =
        document.loss.global_minimum.map_or_else(String::new, |least| format!("; the least is {}", number(least)));
    let (gradient, hessian) = (&document.gradient, &document.hessian);
    let mut lines = vec![sentence(document), String::new()];
    lines.push(entry("Loss", &format!("{}{least}", shown(document.loss.value))));
    lines.push(entry(
        "Gradient",
        &format!("{}, relative {} of {}", shown(gradient.norm), shown(gradient.relative), number(gradient.threshold)),
    ));
    lines.push(entry(
        "Hessian",
        &format!(
            "from {} to {}; index {}, nullity {}",
            shown(hessian.lambda_min),
            shown(hessian.lambda_max),
            counted(hessian.index),
            counted(hessian.nullity)
        ),
    ));
    lines.extend(document.notes.iter().map(|note| entry("Note", note)));
    lines.join("\n") + "\n"
}

fn sentence(document: &DiagnoseDocument) -> String {
    match (document.loss.value, document.class.0) {
        (None, _) => "The normalized network is not defined here: a factor before the last is zero.".to_owned(),
        (_, CriticalClass::NotCritical) => "At no critical point of the normalized network.".to_owned(),
        (_, CriticalClass::Undecided) => "The class of this point of the normalized network is undecided.".to_owned(),
        _ => format!("At a {} of the normalized network.", in_words(document.class)),
    }
}
