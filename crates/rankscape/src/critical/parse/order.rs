//! The categories of critical points of `[@ZL]`, which their descent arguments rest on.

use super::level::LevelForm;

/// Category of a critical point that is not a global minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Two layers: a smaller singular value is captured while a larger one is not.
    NonOptimal,
    /// Two layers: the largest are captured, and `W_2` has neither full rank nor columns outside the captured ones.
    Optimal,
    /// Three or more layers: non-optimal with `A_(k,1)` fixed, at the smallest such `k`.
    DeepNonOptimal {
        /// The level.
        k: usize,
    },
    /// Three or more layers: optimal and not a global minimum in the last two factors, the others fixed.
    DeepOptimal,
    /// Neither.
    Other {
        /// The largest `q` such that `(W_h, ..., W_q)` is a global minimum with the other factors fixed and `A_(h,q)` is
        /// of optimal order: the class that `[@ZL]` leave open. `None`: a point that their division does not mention.
        open: Option<usize>,
    },
}

impl Order {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::NonOptimal => "non_optimal",
            Self::Optimal => "optimal",
            Self::DeepNonOptimal { .. } => "deep_non_optimal",
            Self::DeepOptimal => "deep_optimal",
            Self::Other { .. } => "other",
        }
    }

    /// The category of a critical point that is not a global minimum, from its forms at all levels; `widths` are
    /// `d_0, ..., d_h`. `None` for one layer.
    pub(super) fn new(levels: &[LevelForm], widths: &[usize]) -> Option<Self> {
        let last = levels.last()?;
        let skips = levels.iter().find(|level| level.pattern.skips()).map(|level| level.k);
        let deep = levels.len() > 1;
        if let Some(k) = skips {
            return Some(if deep { Self::DeepNonOptimal { k } } else { Self::NonOptimal });
        }
        if in_optimal_order(last, widths) && !is_minimum(last, widths) {
            return Some(if deep { Self::DeepOptimal } else { Self::Optimal });
        }
        let open = (2..=levels.len())
            .rev()
            .find(|&q| is_minimum(&levels[q - 1], widths) && in_optimal_order(&levels[q - 2], widths));
        Some(Self::Other { open })
    }
}

/// `(W_h, ..., W_{k+1})` is a global minimum with `A_(k,1)` fixed: the largest values are captured, as many as there are
/// or as fit through `d_{k+1}, ..., d_h`.
fn is_minimum(level: &LevelForm, widths: &[usize]) -> bool {
    let most = widths[level.k + 1..].iter().copied().min().unwrap_or(0).min(level.positive());
    !level.pattern.skips() && level.captured.iter().sum::<usize>() == most
}

/// `rank A_(h,k+2)` is less than the widths `d_{k+1}, ..., d_h` allow, and for some `j` the values before number `j` are
/// captured and `p_j = rank - sum_{i<j} m_i`.
fn in_optimal_order(level: &LevelForm, widths: &[usize]) -> bool {
    let most = widths[level.k + 1..].iter().copied().min().unwrap_or(0);
    level.rank() < most && !level.captured.is_empty() && !level.pattern.skips() && level.zero_captured == 0
}
