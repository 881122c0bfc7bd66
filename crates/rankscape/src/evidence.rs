//! How strong a finding is, and what it rests on.

use std::fmt;

use crate::tolerance::Tolerances;

/// Grade of a finding, from strongest to weakest. A report never mixes grades in one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Rational arithmetic.
    Exact,
    /// Interval arithmetic, with the hypotheses of a theorem checked.
    Certified,
    /// Floating point, with a stated residual and gap.
    Numerical,
    /// Random trials.
    Sampled,
}

impl Grade {
    /// Lower-case name, as in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Certified => "certified",
            Self::Numerical => "numerical",
            Self::Sampled => "sampled",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far storing the entries in a shorter type can have moved singular values.
///
/// An array of whole numbers in a floating-point type was hardly rounded, but nobody knows: its values are not moved in
/// `likely`, so that rounding explains no small value away, and they are in `possible`, so that none counts as clearly there.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Movement {
    /// Values up to this count as zero.
    pub likely: f64,
    /// Values up to this may be zero.
    pub possible: f64,
}

impl From<f64> for Movement {
    fn from(bound: f64) -> Self {
        Self { likely: bound, possible: bound }
    }
}

/// A rank and what it was decided on.
///
/// `above` and `below` are the singular values on the two sides of the cut (`None` where there is none). The decision
/// is `clear` when neither lies in the band between `tolerance` and `rank_gap` times `tolerance`. Exact ranks have a
/// tolerance of zero and no singular values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankDecision {
    /// Number of singular values above the tolerance.
    pub rank: usize,
    /// Smallest singular value that was kept.
    pub above: Option<f64>,
    /// Largest singular value that was dropped.
    pub below: Option<f64>,
    /// Singular values up to this count as zero (absolute).
    pub tolerance: f64,
    /// The size that the tolerance is relative to.
    pub scale: f64,
    /// No singular value is too close to the tolerance.
    pub clear: bool,
}

impl RankDecision {
    /// A rank from rational arithmetic.
    pub fn exact(rank: usize) -> Self {
        Self { rank, above: None, below: None, tolerance: 0.0, scale: 0.0, clear: true }
    }

    /// Decides the rank from singular values in non-increasing order.
    ///
    /// Where even the scale is within `gap` times the tolerance, only a matrix of zeros has a clear rank.
    ///
    /// ```
    /// use rankscape::evidence::RankDecision;
    /// let decision = RankDecision::from_singular_values(&[2.0, 1e-3, 1e-17], 1e-14, 1e3, 2.0);
    /// assert_eq!((decision.rank, decision.clear), (2, true));
    /// assert!(!RankDecision::from_singular_values(&[2.0, 1e-13], 1e-14, 1e3, 2.0).clear);
    /// assert!(!RankDecision::from_singular_values(&[2.0, 1.0], 3.0, 1e3, 2.0).clear);
    /// ```
    pub fn from_singular_values(values: &[f64], tolerance: f64, gap: f64, scale: f64) -> Self {
        let rank = values.iter().take_while(|&&value| value > tolerance).count();
        let above = rank.checked_sub(1).map(|last| values[last]);
        let below = values.get(rank).copied();
        let clear = match above {
            Some(value) => value > gap * tolerance,
            None => gap * tolerance < scale || below.is_none_or(|value| value == 0.0),
        };
        Self { rank, above, below, tolerance, scale, clear }
    }

    /// Decides the rank of a matrix whose entries were stored in a coarser type than they are computed with.
    ///
    /// `computed` bounds the rounding errors of the computation, `moved` how far rounding the entries can have moved a
    /// singular value. Values are clearly not zero from `rank_gap` times the first and `stored_gap` times the second. Those
    /// that either can have made count as zero up to `stored_zero` times the scale, and are in doubt beyond.
    pub fn of_stored(values: &[f64], computed: f64, moved: Movement, scale: f64, tolerances: &Tolerances) -> Self {
        let zero = computed.max(moved.likely.min(tolerances.stored_zero * scale));
        let clear = (tolerances.rank_gap * computed).max(tolerances.stored_gap * moved.possible);
        Self::from_singular_values(values, zero, clear / zero.max(f64::MIN_POSITIVE), scale)
    }

    /// The same decision for the matrix times `factor`.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.above = self.above.map(|value| value * factor);
        self.below = self.below.map(|value| value * factor);
        self.tolerance *= factor;
        self.scale *= factor;
        self
    }
}

/// Whether a statement holds, where that may be undecided. Nothing turns undecided into a yes or a no: there is no negation
/// and no conversion to `bool`; [`Truth::known`] is where a caller says what undecided means to it.
///
/// What has no truth at all, because it is not defined where it is asked, is an `Option` that is `None`.
///
/// ```
/// use rankscape::evidence::Truth;
/// assert_eq!(Truth::Yes.and(Truth::Undecided), Truth::Undecided);
/// assert_eq!(Truth::No.and(Truth::Undecided), Truth::No);
/// assert_eq!(Truth::Undecided.known(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It is not decided.
    Undecided,
}

impl Truth {
    /// The answer, where there is one.
    pub fn known(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Undecided => None,
        }
    }

    /// It is known whether it holds.
    pub fn is_decided(self) -> bool {
        self != Self::Undecided
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Undecided,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl From<Option<bool>> for Truth {
    fn from(known: Option<bool>) -> Self {
        known.map_or(Self::Undecided, Self::from)
    }
}

/// What a decision is about: the rank of a product of a network of `h` layers and its data, where nothing else is said. With
/// `P(j,i) = W_j ... W_{i+1}` and the gradient `G` of the loss at the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quantity {
    /// `X`.
    Inputs,
    /// `W X`, with all layers.
    Output,
    /// `P(j,i)`, times `X` where `i = 0`.
    Seen {
        /// The layers follow this node.
        i: usize,
        /// The last layer.
        j: usize,
    },
    /// The whitened `G`.
    Residual,
    /// How many differences of captured and omitted singular values are not zero.
    Comparison,
    /// The whitened target.
    Target,
    /// `P(t,0) G' P(h,s)`.
    Wrapped {
        /// `h`.
        depth: usize,
        /// The layers of the second product follow this node.
        s: usize,
        /// The last layer of the first product.
        t: usize,
    },
    /// `P(j,i)` of the factors as they were given.
    Given {
        /// The layers follow this node.
        i: usize,
        /// The last layer.
        j: usize,
    },
    /// `P(j,i)` of a point of the product map.
    Product {
        /// The layers follow this node.
        i: usize,
        /// The last layer.
        j: usize,
    },
    /// `P(h,k)`, the layers after one.
    After {
        /// `h`.
        depth: usize,
        /// `k`.
        layer: usize,
    },
    /// `P(k-1,0) X`, what a layer gets.
    Before {
        /// `k`.
        layer: usize,
    },
    /// How many positive singular values of the target are distinct.
    DistinctSingularValues,
    /// How many singular values of the target are above the one that has a single layer value with this weight decay.
    Fold,
    /// How many are above the one that is as good captured as not.
    Worth,
    /// How many eigenvalues of the Hessian are not zero.
    Eigenvalues,
    /// The matrix whose signs are counted.
    Matrix,
    /// The derivative of the predictions.
    Predictions,
}

/// One decision that a verdict rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    /// What was decided.
    pub quantity: Quantity,
    /// The decision.
    pub decision: RankDecision,
}

/// Grade and supports of a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The weakest grade among the parts.
    pub grade: Grade,
    /// The decisions that the verdict rests on.
    pub rests_on: Vec<Support>,
}

impl Evidence {
    /// Evidence without supports yet.
    pub fn new(grade: Grade) -> Self {
        Self { grade, rests_on: Vec::new() }
    }

    /// Adds one decision.
    pub fn rest_on(&mut self, quantity: Quantity, decision: RankDecision) {
        self.rests_on.push(Support { quantity, decision });
    }

    /// All decisions are clear.
    pub fn is_clear(&self) -> bool {
        self.rests_on.iter().all(|support| support.decision.clear)
    }
}
