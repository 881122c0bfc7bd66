//! What the command says of itself as documents: the self-test, the tolerances.

use serde::Serialize;

use super::RunDocument;
use rankscape::answers::SelfCheck;
use rankscape::tolerance::Tolerances;

/// One check of the self-test.
#[derive(Debug, Clone, Serialize)]
pub struct SelfCheckDocument {
    /// What holds.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// The number that was compared.
    pub detail: String,
}

/// `rankscape.doctor/1`.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorDocument {
    /// `rankscape.doctor/1`.
    pub schema: &'static str,
    /// Every check held.
    pub ok: bool,
    /// Instruction sets of the processor that the arithmetic can use.
    pub features: Vec<String>,
    /// The checks.
    pub checks: Vec<SelfCheckDocument>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

impl DoctorDocument {
    /// The document of a self-test on a processor with these features.
    pub fn new(checks: &[SelfCheck], features: Vec<String>) -> Self {
        let check = |check: &SelfCheck| SelfCheckDocument {
            name: check.name.clone(),
            ok: check.ok,
            detail: check.detail.clone(),
        };
        Self {
            schema: "rankscape.doctor/1",
            ok: checks.iter().all(|check| check.ok),
            features,
            checks: checks.iter().map(check).collect(),
            run: RunDocument::default(),
        }
    }
}

/// One tolerance.
#[derive(Debug, Clone, Serialize)]
pub struct ToleranceDocument {
    /// Its name.
    pub name: String,
    /// `u` where it multiplies the unit roundoff of the type in which arrays were stored, else `1`.
    pub unit: &'static str,
    /// Its default.
    pub default: f64,
    /// What it bounds.
    pub meaning: String,
}

/// `rankscape.tolerances/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ToleranceTableDocument {
    /// `rankscape.tolerances/1`.
    pub schema: &'static str,
    /// Every tolerance.
    pub tolerances: Vec<ToleranceDocument>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

impl ToleranceTableDocument {
    /// The document of all tolerances.
    #[allow(clippy::new_without_default, reason = "a document is made, not defaulted")]
    pub fn new() -> Self {
        let one = |((name, default), meaning): ((&str, f64), &String)| {
            let (unit, meaning) = meaning.strip_prefix("(u) ").map_or(("1", meaning.as_str()), |rest| ("u", rest));
            ToleranceDocument { name: name.to_owned(), unit, default, meaning: meaning.replace('`', "") }
        };
        let tolerances = Tolerances::default().entries().into_iter().zip(&Tolerances::meanings()).map(one).collect();
        Self { schema: "rankscape.tolerances/1", tolerances, run: RunDocument::default() }
    }
}
