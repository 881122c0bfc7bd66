//! What the text needs beside the document, and how numbers of a document are said: in the scale of the loss of the zero map.

use super::super::numbers::{self, loss_value};
use crate::documents::DiagnoseDocument;
use crate::words::Word;
use rankscape::evidence::Grade;

/// What the text needs beside the document.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiagnoseText<'a> {
    /// The command up to here, to be copied: `rankscape diagnose --weights ... --data ...`.
    pub command: &'a str,
    /// Name for a file past the next plateau.
    pub next: &'a str,
    /// Name for a file at the least.
    pub best: &'a str,
    /// Add ranks, barcode, map and spectrum.
    pub details: bool,
}

/// A line with its label.
pub(super) fn entry(label: &str, text: &str) -> String {
    format!("{label:<11}{text}")
}

pub(super) fn continued(at: usize, label: &str, text: &str) -> String {
    entry(if at == 0 { label } else { "" }, text)
}

/// What counts as nothing beside the loss of the zero map.
pub(super) fn is_rounding(document: &DiagnoseDocument, value: f64) -> bool {
    numbers::is_rounding(value, scale(document))
}

/// The loss of the zero map; where that is zero, the loss now.
pub(super) fn scale(document: &DiagnoseDocument) -> f64 {
    let origin = document.outlook().value_at_origin;
    if origin > 0.0 { origin } else { document.loss.now() }
}

pub(super) fn is_exact(document: &DiagnoseDocument) -> bool {
    document.evidence.grade == Word(Grade::Exact)
}

/// A loss is zero: exactly, or to rounding.
pub(super) fn is_zero(document: &DiagnoseDocument, value: f64) -> bool {
    if is_exact(document) { value == 0.0 } else { is_rounding(document, value) }
}

/// Nothing is lower than the loss now. The least is an irrational number in general, which exact arithmetic has rounded too.
pub(super) fn is_least(document: &DiagnoseDocument) -> bool {
    let loss = &document.loss;
    if loss.least() == 0.0 { is_zero(document, loss.above()) } else { is_rounding(document, loss.above()) }
}

pub(super) fn said(document: &DiagnoseDocument, value: f64) -> String {
    loss_value(value, scale(document), is_exact(document))
}

/// One layer: the loss is convex.
pub(super) fn is_convex(document: &DiagnoseDocument) -> bool {
    document.widths.len() == 2
}
