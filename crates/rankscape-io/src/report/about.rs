//! What the command says of itself in words: the self-test, the tolerances.

use super::counted;
use crate::documents::{DoctorDocument, ToleranceTableDocument};

/// `doctor` in words.
pub fn doctor_text(document: &DoctorDocument) -> String {
    let mut lines = vec![format!(
        "rankscape {}, {}, processor features: {}",
        document.run.version,
        counted(document.run.threads, "thread"),
        document.features.join(" ")
    )];
    for check in &document.checks {
        lines.push(format!("{}  {} ({})", if check.ok { "ok    " } else { "FAILED" }, check.name, check.detail));
    }
    lines.push(if document.ok { "All checks hold.".to_owned() } else { "Some checks failed.".to_owned() });
    lines.join("\n") + "\n"
}

/// `tolerances` in words.
pub fn tolerances_text(document: &ToleranceTableDocument) -> String {
    let wide = |length: usize, name: &String| length.max(name.len());
    let names = document.tolerances.iter().map(|tolerance| &tolerance.name).fold(0, wide);
    let mut text = "Set one with --tolerance NAME=VALUE. Those with unit u multiply the unit roundoff of the type of the weights.\n\n".to_owned();
    text += &format!("{:names$}  {:>7} {}  {}\n", "name", "default", " ", "meaning");
    for tolerance in &document.tolerances {
        let (name, default) = (&tolerance.name, short(tolerance.default));
        text += &format!("{name:names$}  {default:>7} {}  {}\n", tolerance.unit, tolerance.meaning);
    }
    text
}

/// Small numbers as powers of ten.
fn short(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-3 { format!("{number:e}") } else { number.to_string() }
}
