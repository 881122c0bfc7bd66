//! What a point has learned, what is missing from it, and weights to go on from.

use serde::Serialize;

use crate::words::Word;
use rankscape::diagnosis::Diagnosis;
use rankscape::escape::{Destination, Leave};

/// What is learned, what there is room for, and the next plateaus.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutlookDocument {
    /// 1-based singular directions that the point captures, or the critical point beside it; else those of which the
    /// product has the share one up to a half.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub learned: Vec<usize>,
    /// Missing directions of which the product has half as much again or more, or half or more with the wrong sign.
    pub excess: Vec<ExcessDocument>,
    /// How many directions the widths and the data leave room for.
    pub room: usize,
    /// The missing directions, largest first, then those that can only take the place of a captured one. Empty for one
    /// layer, which has no plateaus.
    pub ahead: Vec<AheadDocument>,
    /// Smallest loss with one more unit in the narrowest layer; null where no hidden layer limits the rank.
    pub wider: Option<f64>,
    /// Loss of the zero map.
    pub value_at_origin: f64,
}

/// Where there are no singular directions to learn.
pub(super) static NOTHING: OutlookDocument = OutlookDocument {
    learned: Vec::new(),
    excess: Vec::new(),
    room: 0,
    ahead: Vec::new(),
    wider: None,
    value_at_origin: 0.0,
};

/// A missing direction of which the product has far more than all, or the opposite.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExcessDocument {
    /// 1-based singular direction.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub direction: usize,
    /// u' W v / s: 1 where the direction is learned.
    pub share: f64,
}

/// A missing direction: what learning it lowers the loss by, and the plateau that it leads to.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AheadDocument {
    /// 1-based index of the missing direction.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub learn: usize,
    /// 1-based index of the captured direction whose place it takes; null where there is room.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub forget: Option<usize>,
    /// What learning it lowers the loss by: half the square of its singular value, less that of the forgotten one.
    pub decrease: f64,
    /// Loss at the plateau to which this and all before it lead.
    pub value: f64,
    /// By how much that plateau is below the loss now; negative where the loss is below it already.
    pub below_now: f64,
}

/// The weights that `--leave` writes: what is at them, and how gradient descent goes on from there.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeaveDocument {
    /// Where they lead: past the next rung, or to a global minimum.
    pub to: Word<Destination>,
    /// L at the weights written.
    pub loss: f64,
    /// L(theta) minus that.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub decrease: f64,
    /// Largest eigenvalue of the Hessian there.
    pub lambda_max: f64,
    /// 1 / max(lambda_max, h s^(2h-2) ||X||_2^2) with s = ||Z S_x^-1||_2^(1/h): a step of plain gradient descent on the
    /// loss as reported.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub step: f64,
    /// So many such steps pass the next rung: the captured set with the largest missing direction that there is room
    /// for, or with the best exchange; a minimum counts within a hundredth of the gap above it.
    pub steps: usize,
    /// The file.
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
            to: Word(found.to),
            loss: factor * found.loss,
            decrease: factor * found.decrease,
            lambda_max: factor * found.lambda_max,
            step: found.step / factor,
            steps: found.steps,
            file,
        }
    }
}
