//! A yes, a no or an undecided, with its reason.

use super::barcode::Barcode;
use super::rank_profile::RankProfile;
use crate::evidence::Truth;

/// Whether a property holds at a point, and why. Undecided is a value, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it does.
    pub holds: Truth,
    /// One sentence without the final full stop.
    pub reason: String,
}

impl Verdict {
    pub(super) fn yes(reason: impl Into<String>) -> Self {
        Self { holds: Truth::Yes, reason: reason.into() }
    }

    pub(super) fn no(reason: impl Into<String>) -> Self {
        Self { holds: Truth::No, reason: reason.into() }
    }

    pub(super) fn undecided(reason: impl Into<String>) -> Self {
        Self { holds: Truth::Undecided, reason: reason.into() }
    }

    pub(super) fn of(holds: bool, yes: impl Into<String>, no: impl Into<String>) -> Self {
        if holds { Self::yes(yes) } else { Self::no(no) }
    }

    /// The verdict of `decide` if the ranks contradict nothing and those of the pairs `(i, j)` in `used` are clear.
    pub(super) fn guarded(
        profile: &RankProfile,
        used: impl IntoIterator<Item = (usize, usize)>,
        decide: impl FnOnce() -> Self,
    ) -> Self {
        if Barcode::new(profile).is_none() {
            return Self::undecided(
                "the rank decisions contradict one another: an interval would occur a negative number of times",
            );
        }
        let doubtful = used.into_iter().filter(|&(i, j)| i < j).find(|&(i, j)| !profile.decision(i, j).clear);
        match doubtful {
            None => decide(),
            Some((i, j)) => {
                let d = profile.decision(i, j);
                let value = |v: Option<f64>| v.map_or_else(|| "none".into(), |v| format!("{v:.3e}"));
                Self::undecided(format!(
                    "the rank of W{j}...W{} is not clear: {} or fewer, singular values {} and {} around the tolerance {:.3e}",
                    i + 1,
                    d.rank,
                    value(d.above),
                    value(d.below),
                    d.tolerance
                ))
            }
        }
    }
}
