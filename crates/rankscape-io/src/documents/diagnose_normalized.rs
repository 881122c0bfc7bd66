//! The diagnosis of a point of a normalized network as a document.

use super::diagnose::{DiagnoseDocument, GradientDocument, HessianDocument, LossDocument, ParametrizationName};
use super::inputs::DiagnoseInputs;
use crate::words::Word;
use rankscape::answers::NormalizedDiagnosis;
use rankscape::critical::CriticalClass;

/// Where it comes from.
const MEANING: &str = "class, index and nullity are those of the plain product at the factors divided by their norms; nearest points and \
                       paths are not given for normalized networks";
/// Where it is not defined.
const UNDEFINED: &str =
    "a factor before the last is zero: the normalized network is not defined here; ranks are those of the factors";

impl DiagnoseDocument {
    /// The document of a point of a normalized network; losses, gradients and eigenvalues are multiplied by the normalization.
    pub fn normalized(found: &NormalizedDiagnosis, inputs: &DiagnoseInputs) -> Self {
        let mut document = Self::new(&found.plain, inputs);
        let outputs = found.plain.architecture.outputs();
        let factor = inputs.normalization.factor(inputs.samples, outputs);
        document.parametrization = Word(ParametrizationName::Normalized);
        document.near = None;
        document.stall = None;
        document.escape = None;
        document.outlook = None;
        document.notes = inputs.notes.clone();
        match &found.spherical {
            Some(own) => {
                document.gradient = GradientDocument {
                    norm: Some(factor * own.gradient.norm),
                    relative: Some(own.gradient.relative),
                    threshold: found.plain.gradient_threshold,
                };
                document.hessian = HessianDocument::new(&own.extremes, found.plain.inertia, factor);
                document.notes.push(MEANING.to_owned());
            }
            None => {
                document.loss = LossDocument { value: None, gap: None, gap_at_most: None, ..document.loss };
                document.gradient =
                    GradientDocument { norm: None, relative: None, threshold: found.plain.gradient_threshold };
                document.hessian =
                    HessianDocument { lambda_min: None, lambda_max: None, index: None, nullity: None, residual: 0.0 };
                document.critical = false;
                document.class = Word(CriticalClass::Undecided);
                document.origin = None;
                document.stationary_in_function_space = None;
                document.captured = None;
                document.notes.push(UNDEFINED.to_owned());
            }
        }
        document
    }
}
