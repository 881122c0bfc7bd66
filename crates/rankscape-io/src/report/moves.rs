//! Moves along the fiber of the product map in words.

use super::counted;
use crate::documents::{BalanceDocument, ConnectDocument, ReachDocument};

/// `connect` in words.
pub fn connect_text(document: &ConnectDocument) -> String {
    let mut text = format!("Connected  {}: {}\n", said(document.connected), document.reason);
    if let (Some(pieces), Some(error)) = (document.path, document.max_product_error) {
        text += &format!("Path       {}; the product is kept to {error:.3e}\n", counted(pieces, "piece"));
    }
    if let Some(signs) = &document.separated {
        text += &format!("Signs      first {:?}, second {:?}\n", signs.first, signs.second);
    }
    text + &evidence(document.evidence.grade, &document.notes)
}

/// `balance` in words; `unwritten` is the file that was to hold balanced weights that do not exist.
pub fn balance_text(document: &BalanceDocument, unwritten: Option<&str>) -> String {
    let mut text = format!("Possible   {}: {}\n", said(document.possible), document.reason);
    text += &format!("Defect     {:.3e} before", document.defect_before);
    if let (Some(after), Some(error)) = (document.defect_after, document.product_error) {
        text += &format!(", {after:.3e} after; the product is kept to {error:.3e}");
    }
    text += "\n";
    if !document.toward.is_empty() {
        text += "Toward     the balanced point outside the orbit (the weights that a change of basis leads to), without end:\n";
    }
    for point in &document.toward {
        text += &format!("           step {}: defect {:.3e}\n", point.epsilon, point.defect);
    }
    if let Some(file) = unwritten {
        text += &format!("Save       {file} is not written: there is nothing balanced to write\n");
    }
    text + &evidence(document.evidence.grade, &document.notes)
}

/// `reach` in words.
pub fn reach_text(document: &ReachDocument) -> String {
    let mut text = format!("Reached    {}", said(Some(document.reached)));
    if !document.reason.is_empty() {
        text += &format!(": {}", document.reason);
    }
    text += &format!("\nTarget     at distance {:.3e}\n", document.distance_target);
    if let (Some(distance), Some(error)) = (document.distance_factors, document.product_error) {
        let relative = document.relative_error.map_or_else(String::new, |error| format!(", {error:.1e} of its size"));
        text += &format!("Factors    at distance {distance:.3e}; the product is off by {error:.3e}{relative}\n");
    }
    if let Some(order) = document.order {
        text += &format!("Order      {order:.2}: the distance of the factors against that of the target\n");
    }
    let open = &document.locally_open;
    text += &format!("Open       {}, {}: {}\n", open.openness.verdict, open.grade, open.openness.reason);
    text + &evidence(document.evidence.grade, &document.notes)
}

/// Grade of the answer, and what else is to be said of it.
fn evidence(grade: impl std::fmt::Display, notes: &[String]) -> String {
    notes.iter().fold(format!("Evidence   {grade}\n"), |text, note| text + &format!("Note       {note}\n"))
}

fn said(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "undecided",
    }
}
