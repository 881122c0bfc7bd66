//! The result of checking a certificate as text.

use crate::documents::VerifyDocument;
use crate::words::Word;
use rankscape::evidence::Grade;

/// The document of `verify` as text: what is claimed, then each check.
pub fn verify_text(document: &VerifyDocument) -> String {
    let verdict = match document.valid {
        Some(true) => "valid",
        Some(false) => "NOT VALID",
        None => "undecided: nothing fails, but not every claim can be decided",
    };
    let mut lines = vec![
        format!("Certificate  {verdict}"),
        format!("Claim        {}", document.what),
        format!("Checked      {}", how(document.evidence.grade)),
    ];
    for check in &document.evidence.checks {
        let mark = match check.holds {
            Some(true) => "holds",
            Some(false) => "FAILS",
            None => "not proved",
        };
        let how = if check.holds == Some(true) { format!(" ({})", check.grade) } else { String::new() };
        lines.push(format!("{mark:<12} {}: {}{how}", check.claim, check.found));
    }
    lines.extend(document.warnings.iter().map(|warning| format!("{:<12} {warning}", "warning")));
    lines.extend(not_compared(document));
    lines.join("\n") + "\n"
}

/// The numbers in the certificate were checked; whether they are those of a file is another question.
fn not_compared(document: &VerifyDocument) -> Option<String> {
    let options: Vec<&str> = document
        .not_compared
        .iter()
        .map(|&name| if name == "weights" { "--weights FILE" } else { "--data FILE (or --target FILE)" })
        .collect();
    let names = document.not_compared.join(" and the ");
    (!options.is_empty())
        .then(|| format!("{:<12} the {names} that it names by digest: give {}", "not compared", options.join(" and ")))
}

fn how(grade: Word<Grade>) -> &'static str {
    match grade.0 {
        Grade::Exact => "in exact arithmetic",
        Grade::Certified => "with intervals",
        Grade::Numerical | Grade::Sampled => "in part decided again in double precision, not proved",
    }
}
