//! One typed answer for every verb: a request in, an answer out.
//!
//! Every shell (the command, a document, another language) calls these and nothing below them; no answer reads a file, and
//! no shell computes. Documents are conversions of these answers.

mod adapter;
mod decay;
mod doctor;
mod escape;
mod flow;
mod hessian;
mod itinerary;
mod landscape;
mod losses;
mod map;
mod moves;
mod predictor;
mod pyramid;
mod quadratic;

use crate::critical::CriticalClass;
pub use crate::critical::{Parsed, parse};
pub use crate::diagnosis::{Diagnosis, NormalizedDiagnosis, Settings, diagnose, diagnose_normalized, leave};
pub use crate::quadratic::cost;
pub use adapter::{OriginalWeight, Undetermined, UpdateAnswer, UpdateRequest, adapter};
pub use decay::{DecayAnswer, DecayDiagnosis, critical_with_decay, diagnose_with_decay, hessian_with_decay};
pub use doctor::{SelfCheck, doctor};
pub use escape::{EscapeAnswer, EscapeRequest, SameFunction, Wanted, escape};
pub use flow::{FlowAnswer, FlowRequest, Motion, follow};
pub use hessian::{SpectrumAnswer, hessian};
pub use itinerary::ItineraryAnswer;
pub use landscape::{
    ConstructAnswer, ConstructRequest, CriticalAnswer, StrataAnswer, construct, critical, global_minima, strata,
};
pub use losses::{
    LossDiagnosis, LossEscape, LossLandscape, critical_loss, diagnose_loss, hessian_loss, minima, minima_cost,
};
pub use map::{MapAnswer, Witness, Witnesses, map};
pub use moves::{
    BalanceAnswer, ConnectAnswer, ReachAnswer, Rounding, TowardBalance, balance, balance_factors, connect, lift, reach,
};
pub use predictor::{MapKind, PredictorAnswer, PredictorData, PredictorRequest, Regime, predictor};
pub use pyramid::{Pyramid, PyramidFindings, pyramid};
pub use quadratic::{DegreeAnswer, ed, segments, shapes, solve};

/// What every answer says of itself.
pub trait Answer {
    /// Something that was asked for is undecided.
    fn is_undecided(&self) -> bool;
}

impl Answer for Diagnosis {
    fn is_undecided(&self) -> bool {
        self.class == CriticalClass::Undecided
            || self.near.as_ref().is_some_and(|near| near.found.class == CriticalClass::Undecided)
            || (self.critical && (self.inertia.is_none() || self.barcode.is_none()))
    }
}

impl Answer for NormalizedDiagnosis {
    fn is_undecided(&self) -> bool {
        self.class() == CriticalClass::Undecided
            || (self.plain.critical && (self.plain.inertia.is_none() || self.plain.barcode.is_none()))
    }
}

impl Answer for Parsed {
    fn is_undecided(&self) -> bool {
        self.critical.as_ref().is_some_and(|point| point.undecided)
    }
}
