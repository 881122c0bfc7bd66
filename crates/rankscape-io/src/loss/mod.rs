//! Losses out of files: `--loss NAME` with its parameters, or `--loss FILE.json` with both; samples that are kept whole.
//!
//! `spec` is what was asked for, `kept` holds all numbers of the samples, `targets` makes observations of them, `data` puts the
//! loss and the observations together, `point` adds weights. A square loss whose entries are all there is the one that needs no
//! samples: it goes the usual way.

mod data;
mod kept;
mod point;
mod spec;
mod targets;

pub use data::ReadLossData;
pub use point::{AnyLandscape, AnyPoint, ReadLossLandscape, ReadLossPoint};
pub use spec::{LOSS_NAMES, LossOptions, LossSpec};
