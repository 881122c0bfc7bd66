//! Versioned documents: what the commands answer, field by field as JSON.
//!
//! Every document carries its schema, the seed and the digests of its inputs; times and facts of the host sit in the
//! `run` block, so that all else is the same, byte for byte, between runs. Numbers that are undefined are null.

mod adapter;
mod certificate;
mod construct;
mod critical;
mod diagnose;
mod doctor;
mod ed;
mod error;
mod escape;
mod fiber;
mod hessian;
mod layout;
mod map;
mod numbers;
mod outlook;
mod parse;
mod point;
mod quantity;
mod solve;
mod sweep;
mod verify;

pub use adapter::{
    AdapterDocument, AdapterQuestion, BalancedDocument, ExpertDocument, MagnitudeDocument, OverlapDocument,
    PairDocument, ProductDocument, RanksDocument, ShapesDocument, UnknownDocument,
};
pub use certificate::{CertificateDigest, CertificateDocument, MadeFrom, certificate_json, certificate_says};
pub use construct::{CheckDocument, ConstructDocument, FamilyInputs, StrataDocument, StratumDocument};
pub use critical::{
    BadLocalMinimaDocument, CriticalDocument, CriticalInputs, DescentDocument, GlobalMinimaDocument, GraphDocument,
    RungDocument,
};
pub use diagnose::{
    DiagnoseDocument, DiagnoseInputs, EscapeDocument, HessianDocument, NearDocument, Normalization, StallDocument,
};
pub use doctor::{Check, DoctorDocument};
pub use ed::{EdDocument, WeightedDocument};
pub use error::ErrorDocument;
pub use escape::{EscapeInputs, EscapeVerbDocument, SameFunction};
pub use fiber::{BalanceDocument, ConnectDocument, GradedOpennessDocument, ReachDocument, path_json};
pub use hessian::{
    AlignmentDocument, BalancedCurvatureDocument, DirectionDocument, DistinctDocument, ExtremesDocument,
    HessianSpectrumDocument, OrbitDocument, PartDocument, VectorDocument,
};
pub use layout::{to_json, write_json};
pub use map::MapDocument;
pub use outlook::{AheadDocument, LeaveDocument, OutlookDocument};
pub use parse::{DeepDocument, LevelDocument, OrderDocument, ParseDocument, ParseInputs};
pub use point::{
    BarDocument, DifferentialDocument, EvidenceDocument, LiftDocument, OpennessDocument, SupportDocument,
    VerdictDocument,
};
pub(crate) use quantity::stated_quantity;
pub use solve::{
    CostDocument, CostsDocument, CrossingDocument, DigestDocument as SolveDigestDocument, PointDocument,
    SegmentDocument, SolutionDocument, SolveDocument,
};
pub use sweep::{CellDocument, SweepDocument};

pub use verify::VerifyDocument;

use serde::Serialize;

/// What differs between two runs that answer the same.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunDocument {
    /// Version of the program.
    pub version: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Threads that were allowed.
    pub threads: usize,
}
