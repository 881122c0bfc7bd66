//! Versioned documents: what the commands answer, field by field as JSON.
//!
//! Every document carries its schema, the seed and the digests of its inputs; times and facts of the host sit in the
//! `run` block, so that all else is the same, byte for byte, between runs. Numbers that are undefined are null.

mod about;
mod adapter;
mod certificate;
mod construct;
mod cost;
mod critical;
mod critical_decay;
mod decay;
mod diagnose;
mod diagnose_decay;
mod diagnose_normalized;
mod digests;
mod ed;
mod error;
mod escape;
mod fiber;
mod flow;
mod hessian;
mod inputs;
mod itinerary;
mod landscape;
mod layout;
mod loss;
mod map;
mod minima;
mod numbers;
mod outlook;
mod parse;
mod path;
mod point;
mod predictor;
mod pyramid;
mod quantity;
mod run;
#[cfg(feature = "schema")]
mod schema;
mod solve;
mod sweep;
mod verify;

pub use about::{DoctorDocument, SelfCheckDocument, ToleranceDocument, ToleranceTableDocument};
pub use adapter::{
    AdapterDigest, AdapterDocument, BalancedDocument, ExpertDocument, MagnitudeDocument, OverlapDocument, PairDocument,
    ProductDocument, RanksDocument, ShapesDocument, UnknownDocument, UpdateView,
};
pub use certificate::{CertificateDigest, CertificateDocument, MadeFrom, certificate_json, certificate_says};
pub use construct::{CheckDocument, ConstructDocument, FamilyInputs, StrataDocument, StratumDocument};
pub use cost::{CostDocument, CostsDocument};
pub use critical::{
    AnyRungDocument, AnyWitness, BadLocalMinimaDocument, CriticalDocument, CriticalInputs, DescentDocument,
    GlobalMinimaDocument, GraphDocument, RungDocument,
};
pub use decay::{ClosedForm, DecayDimensionDocument, DecayRungDocument, ThresholdDocument, WitnessDocument};
pub use diagnose::{DiagnoseDocument, HessianDocument, NearDocument, ParametrizationName, Progress, StallDocument};
pub use digests::{DataDigest, Digest, LadderDigest, PointDigest, WeightsDigest};
pub use ed::{EdDocument, WeightedDocument};
pub use error::ErrorDocument;
pub use escape::{EscapeInputs, EscapeVerbDocument};
pub use fiber::{
    BalanceDocument, ConnectDigest, ConnectDocument, GradedOpennessDocument, ReachDigest, ReachDocument, path_json,
};
pub use flow::{
    ConservedDocument, EventKind, FlowDocument, FlowEventDocument, FlowInputs, FlowLevelDocument, FlowPointDocument,
    MethodName, StopReason,
};
pub use hessian::{
    AlignmentDocument, BalancedCurvatureDocument, DirectionDocument, DirectionKind, DistinctDocument, ExtremesDocument,
    HessianSpectrumDocument, OrbitDocument, PartDocument, VectorDocument,
};
pub use inputs::{DiagnoseInputs, Normalization};
pub use itinerary::{
    CheckpointFile, ItineraryDocument, ItineraryInputs, ItineraryPointDocument, NextPlateauDocument, VisitDocument,
};
pub use landscape::{AtInfinityDocument, GradedValueDocument, LocalMinimumDocument, SeparabilityDocument};
pub use layout::{to_json, write_json};
pub use map::{Knowledge, MapDocument};
pub use minima::{InfimumDocument, MinimaDocument, MinimaInputs};
pub use numbers::{Entry, Integer, Rows};
pub use outlook::{AheadDocument, LeaveDocument, OutlookDocument};
pub use parse::{DeepDocument, LevelDocument, OrderDocument, ParseDocument, ParseInputs};
pub use path::{EscapeCertificate, EscapeDocument, PathDocument, TermDocument};
pub use point::{
    BarDocument, DifferentialDocument, EvidenceDocument, LiftDocument, OpenAnswer, OpennessDocument, Property,
    RanksOfProducts, SupportDocument, TolerancesDocument, VerdictDocument,
};
pub use predictor::{MapName, PredictorDigest, PredictorDocument, PredictorInputs};
pub use pyramid::{HypothesisDocument, JacobianDocument, OpenHere, PyramidDocument, PyramidInputs};
pub(crate) use quantity::stated_quantity;
pub use run::RunDocument;
#[cfg(feature = "schema")]
pub use schema::{schema_name, schemas};
pub use solve::{
    CompletenessWord, CrossingDocument, DigestDocument as SolveDigestDocument, MetricWord, MinimumDocument,
    PointDocument, SegmentDocument, SolutionDocument, SolveDocument,
};
pub use sweep::{CellDocument, SweepDocument};

pub use verify::VerifyDocument;

use serde::Serialize;

/// A whole document: what a verb answers.
pub trait Document: Serialize {
    /// The name of its schema, `rankscape.NAME/1`, and of its file.
    const NAME: &'static str;

    /// What differs between two runs that answer the same.
    fn run(&mut self) -> &mut RunDocument;
}

macro_rules! documents {
    ($($name:literal: $document:ty),+ $(,)?) => {
        $(impl Document for $document {
            const NAME: &'static str = $name;

            fn run(&mut self) -> &mut RunDocument {
                &mut self.run
            }
        })+
    };
}

documents! {
    "adapter": AdapterDocument,
    "balance": BalanceDocument,
    "connect": ConnectDocument,
    "construct": ConstructDocument,
    "cost": CostsDocument,
    "critical": CriticalDocument,
    "diagnose": DiagnoseDocument,
    "doctor": DoctorDocument,
    "ed": EdDocument,
    "escape": EscapeVerbDocument,
    "flow": FlowDocument,
    "hessian": HessianSpectrumDocument,
    "itinerary": ItineraryDocument,
    "map": MapDocument,
    "minima": MinimaDocument,
    "parse": ParseDocument,
    "predictor": PredictorDocument,
    "pyramid": PyramidDocument,
    "reach": ReachDocument,
    "solve": SolveDocument,
    "strata": StrataDocument,
    "sweep": SweepDocument,
    "tolerances": ToleranceTableDocument,
    "verify": VerifyDocument,
}
