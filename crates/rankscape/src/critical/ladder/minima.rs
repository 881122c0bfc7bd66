//! The set of global minimizers, and whether other local minima can exist.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::Ladder;
use super::rung::Rung;

impl Ladder {
    /// The set of global minimizers.
    pub fn global_minima(&self) -> GlobalMinima {
        GlobalMinima::new(self)
    }

    /// Whether a local minimum can be one without being global.
    pub fn bad_local_minima(&self) -> BadLocalMinima {
        BadLocalMinima::of_square_loss()
    }
}

/// The set of global minimizers in parameter space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalMinima {
    /// Its dimension, flat directions included.
    pub dimension: usize,
    /// Number of its path components.
    pub components: BigUint,
    /// Equal singular values lie on both sides of the cut: the best products form a Grassmannian.
    pub tie_at_cut: bool,
    /// Inner nodes as narrow as the best product has rank; each has a sign that no path changes on its own.
    pub splitting_nodes: Vec<usize>,
}

impl GlobalMinima {
    /// One component for each choice of signs at the splitting nodes; with a tie at the cut a loop in the Grassmannian
    /// turns all signs at once, which joins them in pairs (`docs/ladder.md`).
    pub(super) fn new(ladder: &Ladder) -> Self {
        let rung = Rung::new(ladder, ladder.top(ladder.effective_bottleneck), &mut BTreeMap::new());
        let depth = ladder.architecture.depth();
        let widths = ladder.architecture.widths();
        let splitting_nodes: Vec<usize> = (1..depth).filter(|&i| widths[i] == rung.rank && rung.rank > 0).collect();
        let tie_at_cut = rung.family_dimension > 0;
        let signs = splitting_nodes.len().saturating_sub(usize::from(tie_at_cut));
        Self {
            dimension: rung.parameter_dimension,
            components: BigUint::from(2u32).pow(u32::try_from(signs).unwrap_or(u32::MAX)),
            tie_at_cut,
            splitting_nodes,
        }
    }
}

/// Whether local minima that are not global can exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadLocalMinima {
    /// A theorem excludes them, for the reason given.
    Impossible(&'static str),
    /// The loss and the architecture allow them, for the reason given.
    Possible(&'static str),
    /// There is one, for the reason given.
    Exists(&'static str),
}

impl BadLocalMinima {
    /// Of the square loss they are impossible, whatever the data, the widths and the depth: a critical point that omits
    /// a larger singular value than one it captures, or is not of full rank, is a saddle (`[@Zhang2019]`,
    /// `[@TKB, Proposition 9]`), and at full rank the others are best approximations. Other losses on matrices of bounded rank may have them
    /// (`[@TKB, Proposition 10]`), which is what [`Possible`](Self::Possible) is for.
    pub fn of_square_loss() -> Self {
        Self::Impossible(
            "every local minimum of the square loss of a linear network is global, for any data, widths and depth: a \
             critical point that misses a larger singular value than one it has can rotate towards it, and one whose \
             rank can still grow is a saddle",
        )
    }

    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Impossible(_) => "impossible",
            Self::Possible(_) => "possible",
            Self::Exists(_) => "exists",
        }
    }

    /// Why.
    pub fn reason(self) -> &'static str {
        let (Self::Impossible(reason) | Self::Possible(reason) | Self::Exists(reason)) = self;
        reason
    }
}
