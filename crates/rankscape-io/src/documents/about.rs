//! What the command says of itself as documents: the self-test, the tolerances.

use serde::Serialize;

use super::RunDocument;
use rankscape::answers::SelfCheck;
use rankscape::tolerance::Tolerances;

/// One check of the self-test.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelfCheckDocument {
    /// What holds.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// The number that was compared.
    pub detail: String,
}

/// Is this build sound on this machine? (exit code 0 if it is, 1 otherwise)
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DoctorDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.doctor/1")))]
    pub schema: &'static str,
    /// Every check held.
    pub ok: bool,
    /// Instruction sets of the processor that the arithmetic can use.
    pub features: Vec<String>,
    /// The checks.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub checks: Vec<SelfCheckDocument>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ToleranceDocument {
    /// Its name.
    pub name: String,
    /// `u` where it multiplies the unit roundoff of the type in which arrays were stored, else `1`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["u", "1"])))]
    pub unit: &'static str,
    /// Its default.
    pub default: f64,
    /// What it bounds.
    pub meaning: String,
}

/// Every tolerance: what is bounded, in which unit, and the default.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ToleranceTableDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.tolerances/1")))]
    pub schema: &'static str,
    /// Every tolerance.
    pub tolerances: Vec<ToleranceDocument>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
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
