//! The point at which constructions are tried.

use crate::escape::judgement::Judgement;
use crate::escape::numerical::WhiteLandscape;
use crate::multiplication::RankProfile;

/// What every construction works on.
pub(super) struct Site<'a> {
    pub ground: WhiteLandscape<'a>,
    pub ranks: RankProfile,
    pub judgement: Judgement<'a>,
    /// Singular values up to this count as zero.
    pub zero: f64,
}
