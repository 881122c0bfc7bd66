//! Paths that leave a point, by name, as a document.

use serde::Serialize;

use super::RunDocument;
use super::certificate::CertificateDigest;
use super::path::{EscapeDocument, escape_document, loss_escape_document};
use super::point::TolerancesDocument;
use crate::words::Word;
use rankscape::answers::{EscapeAnswer, LossDiagnosis};
use rankscape::certificate::Sense;
use rankscape::critical::CriticalClass;
use rankscape::escape::{ConstructedPath, Construction};
use rankscape::tolerance::Tolerances;

/// Paths theta + sum_k t^k A_k that leave a point, by name, each with what it predicts and what was
/// measured. Losses are those of L, never normalized.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EscapeVerbDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.escape/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format of the files.
    pub digest: CertificateDigest,
    /// d_0, ..., d_h. A constant feature for a first-layer bias counts in d_0.
    #[cfg_attr(feature = "schema", schemars(length(min = 2), inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// What the point is.
    pub class: Word<CriticalClass>,
    /// Whether the loss falls or rises along the paths.
    pub sense: Word<Sense>,
    /// The path that is reported; of an ascent, coefficient and decrease have the other sign. Null where there is none.
    #[cfg_attr(feature = "schema", schemars(extend("allOf" = [{ "properties": {
        "certificate": { "type": "object" },
    } }])))]
    pub escape: Option<EscapeDocument>,
    /// Every construction that was asked for.
    pub constructions: Vec<ConstructionDocument>,
    /// A point of the same function that is not critical; null where there is none or it was not asked for.
    pub same_function: Option<SameFunctionDocument>,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the reader of the files decided and what should be known of the answer.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

/// What one construction predicts and what was measured.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConstructionDocument {
    /// Its name; docs/escape.md says whose it is.
    pub name: Word<Construction>,
    /// Its hypotheses hold here.
    pub applies: bool,
    /// The hypothesis that fails.
    pub reason: Option<&'static str>,
    /// Predicted order of the first change.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub order: Option<usize>,
    /// The largest order that it can have, where it states one.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub order_bound: Option<usize>,
    /// Predicted coefficient of that order.
    pub predicted_coefficient: Option<f64>,
    /// The coefficient found; null where the path is no polynomial (a rotation).
    pub coefficient: Option<f64>,
    /// The end of the path.
    pub t: Option<f64>,
    /// Predicted change of the loss at the end, where the construction states it.
    pub predicted_change: Option<f64>,
    /// The change measured.
    pub change: Option<f64>,
}

/// A point of the same function that is not critical.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SameFunctionDocument {
    /// Euclidean distance of the factors.
    pub distance: f64,
    /// ||W' X - W X||_F.
    pub product_error: f64,
    /// Relative gradient at the point.
    pub gradient_before: f64,
    /// Relative gradient at the other point.
    pub gradient_after: f64,
}

/// What the document says beside the paths.
#[derive(Debug, Clone)]
pub struct EscapeInputs {
    /// Digests of weights and data.
    pub digest: CertificateDigest,
    /// Seed.
    pub seed: u64,
    /// Tolerances used.
    pub tolerances: Tolerances,
    /// What the readers decided, and what was written.
    pub notes: Vec<String>,
}

impl EscapeVerbDocument {
    /// The document of the answer.
    pub fn new(found: &EscapeAnswer, inputs: &EscapeInputs) -> Self {
        let EscapeAnswer { diagnosis, sense, chosen, constructions, same_function } = found;
        let lowest_order = diagnosis.escape.as_ref().and_then(|escape| escape.lowest_order);
        let lowest_order = lowest_order.filter(|_| *sense == Sense::Descent);
        Self {
            schema: "rankscape.escape/1",
            seed: inputs.seed,
            digest: inputs.digest.clone(),
            widths: diagnosis.architecture.widths().to_vec(),
            class: Word(diagnosis.class),
            sense: Word(*sense),
            escape: chosen.as_ref().map(|escape| EscapeDocument { lowest_order, ..escape_document(escape, 1.0) }),
            constructions: constructions.iter().map(|(name, result)| construction(*name, result.as_ref())).collect(),
            same_function: same_function.as_ref().map(|same| SameFunctionDocument {
                distance: same.distance,
                product_error: same.product_error,
                gradient_before: same.gradients.0,
                gradient_after: same.gradients.1,
            }),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}

impl EscapeVerbDocument {
    /// The document of a point of another loss: the path of its diagnosis.
    pub fn of_loss(found: &LossDiagnosis, inputs: &EscapeInputs) -> Self {
        Self {
            schema: "rankscape.escape/1",
            seed: inputs.seed,
            digest: inputs.digest.clone(),
            widths: found.architecture.widths().to_vec(),
            class: Word(found.class),
            sense: Word(Sense::Descent),
            escape: found.escape.as_ref().map(|escape| loss_escape_document(escape, 1.0)),
            constructions: Vec::new(),
            same_function: None,
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}

fn construction(name: Construction, result: Result<&ConstructedPath, &&'static str>) -> ConstructionDocument {
    let found = result.ok();
    let prediction = found.map(|found| found.prediction);
    ConstructionDocument {
        name: Word(name),
        applies: found.is_some(),
        reason: result.err().copied(),
        order: prediction.map(|p| p.order),
        order_bound: prediction.and_then(|p| p.order_bound),
        predicted_coefficient: prediction.map(|p| p.coefficient),
        coefficient: found.and_then(|found| found.coefficient),
        t: found.map(|found| found.t),
        predicted_change: prediction.and_then(|p| p.change),
        change: found.map(|found| found.measured),
    }
}
