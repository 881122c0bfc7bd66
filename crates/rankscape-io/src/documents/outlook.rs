//! What a point has learned, what is missing from it, and weights to go on from.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use serde::Serialize;

use rankscape::diagnosis::Diagnosis;
use rankscape::escape::Leave;

/// What is learned, what there is room for, and the next plateaus.
#[derive(Debug, Clone, Serialize)]
pub struct OutlookDocument {
    pub learned: Vec<usize>,
    pub excess: Vec<ExcessDocument>,
    pub room: usize,
    pub ahead: Vec<AheadDocument>,
    pub wider: Option<f64>,
    pub value_at_origin: f64,
}

/// A missing direction of which the product has far more than all, or the opposite.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ExcessDocument {
    pub direction: usize,
    pub share: f64,
}

/// A missing direction: what learning it lowers the loss by, and the plateau that it leads to.
#[derive(Debug, Clone, Serialize)]
pub struct AheadDocument {
    pub learn: usize,
    pub forget: Option<usize>,
    pub decrease: f64,
    pub value: f64,
    pub below_now: f64,
}

/// The weights that `--leave` writes: what is at them, and how gradient descent goes on from there.
#[derive(Debug, Clone, Serialize)]
pub struct LeaveDocument {
    pub to: &'static str,
    pub loss: f64,
    pub decrease: f64,
    pub lambda_max: f64,
    pub step: f64,
    pub steps: usize,
    pub file: String,
}

impl OutlookDocument {
    /// Values are multiplied by `factor`. One layer has no plateaus: nothing is ahead but its least loss.
    pub(super) fn new(diagnosis: &Diagnosis, factor: f64) -> Self {
        let found = &diagnosis.outlook;
        let steps = if diagnosis.architecture.depth() == 1 { Vec::new() } else { found.steps() };
        let last = steps.len().saturating_sub(1);
        let mut value = found.value;
        let ahead = steps.into_iter().enumerate().map(|(at, (learn, forget, decrease))| {
            let least = diagnosis.global_minimum;
            value = if at == last { least } else { (value - decrease).max(least) };
            AheadDocument {
                learn: learn + 1,
                forget: forget.map(|index| index + 1),
                decrease: factor * decrease,
                value: factor * value,
                below_now: factor * (diagnosis.loss - value),
            }
        });
        let ahead = ahead.collect();
        let excess = found.excess.iter().map(|&(i, share)| ExcessDocument { direction: i + 1, share });
        Self {
            excess: excess.collect(),
            learned: found.captured.iter().map(|index| index + 1).collect(),
            room: found.room,
            ahead,
            wider: found.wider.map(|value| factor * value),
            value_at_origin: factor * found.value_at_origin,
        }
    }
}

impl LeaveDocument {
    /// In a loss of `factor` times the sum; a step is one for that loss.
    pub(super) fn new(found: &Leave, factor: f64, file: String) -> Self {
        Self {
            to: found.to.name(),
            loss: factor * found.loss,
            decrease: factor * found.decrease,
            lambda_max: factor * found.lambda_max,
            step: found.step / factor,
            steps: found.steps,
            file,
        }
    }
}
