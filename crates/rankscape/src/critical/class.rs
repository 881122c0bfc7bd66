//! Classes of critical points and the rules that assign them.

use std::fmt;

use crate::evidence::Evidence;
use crate::hessian::PairCounts;
use crate::linalg::Inertia;

/// What a point is for the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CriticalClass {
    /// No point has a smaller loss.
    GlobalMinimum,
    /// A local minimum that is not global.
    LocalMinimum,
    /// A local maximum.
    LocalMaximum,
    /// A saddle with a direction of negative curvature.
    StrictSaddle,
    /// A saddle whose Hessian is positive semidefinite.
    NonStrictSaddle,
    /// The gradient is not zero.
    NotCritical,
    /// The rank decisions do not settle it.
    Undecided,
}

impl CriticalClass {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::GlobalMinimum,
        Self::LocalMinimum,
        Self::LocalMaximum,
        Self::StrictSaddle,
        Self::NonStrictSaddle,
        Self::NotCritical,
        Self::Undecided,
    ];

    /// The class with this name in documents.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::GlobalMinimum => "global_minimum",
            Self::LocalMinimum => "local_minimum",
            Self::LocalMaximum => "local_maximum",
            Self::StrictSaddle => "strict_saddle",
            Self::NonStrictSaddle => "non_strict_saddle",
            Self::NotCritical => "not_critical",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for CriticalClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().replace("non_strict", "non-strict").replace('_', " "))
    }
}

/// Who makes a critical point: the function space or the factorization (`[@TKB]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The product is a smooth point of the function space and critical for the loss restricted to it.
    Pure,
    /// The factorization makes it critical.
    Spurious,
}

impl Origin {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Spurious => "spurious",
        }
    }
}

/// A critical point of the square loss and what is known about it.
#[derive(Debug, Clone)]
pub struct CriticalPoint {
    /// Its class.
    pub class: CriticalClass,
    /// `e`, the rank of the whitened product, `rank W X`.
    pub rank: usize,
    /// Inertia in the parameters as given, when the ranks settle it.
    pub inertia: Option<Inertia>,
    /// `W X = Y` as far as any product reaches: the whitened residual is zero.
    pub residual_is_zero: bool,
    /// Singular values of the target that differ by at most this counted as equal, in the scale in which the point was
    /// classified; 0 over the rationals.
    pub tie: f64,
    /// What the verdict rests on.
    pub evidence: Evidence,
}

/// What the rules need to know about a critical point.
pub(super) struct Findings {
    pub rank: usize,
    pub effective_bottleneck: usize,
    pub residual_is_zero: bool,
    pub pairs: PairCounts,
    /// The decisions behind the fields above are clear.
    pub spectrum_clear: bool,
    /// Inertia in the parameters as given, if the ranks are consistent.
    pub inertia: Option<Inertia>,
    /// All decisions are clear.
    pub all_clear: bool,
}

impl Findings {
    /// The class of a critical point, for any data, widths and depth (`[@Achour2024]` for their data):
    /// a global minimum captures everything or the best of its rank at full rank; a point that omits a larger value
    /// than one it captures is a strict saddle; any other is a strict saddle exactly when its index is positive.
    pub(super) fn class(&self) -> CriticalClass {
        if !self.spectrum_clear {
            return CriticalClass::Undecided;
        }
        let top = self.pairs.omitted_larger == 0;
        if self.residual_is_zero || (top && self.rank == self.effective_bottleneck) {
            return CriticalClass::GlobalMinimum;
        }
        if !top {
            return CriticalClass::StrictSaddle;
        }
        match self.inertia {
            Some(inertia) if self.all_clear && inertia.negative > 0 => CriticalClass::StrictSaddle,
            Some(_) if self.all_clear => CriticalClass::NonStrictSaddle,
            _ => CriticalClass::Undecided,
        }
    }
}
