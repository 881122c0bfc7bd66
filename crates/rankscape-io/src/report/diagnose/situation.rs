//! Which situation the point is in, and the sentence that answers "where am I?".

use super::super::numbers::{digits, number, percent};
use super::scale::{is_convex, is_exact, is_least, is_zero};
use crate::documents::{DiagnoseDocument, Progress, SupportDocument};
use crate::words::Word;
use rankscape::critical::CriticalClass;

/// Up to this part of what the network can explain the rest of the loss is its last.
const LAST: f64 = 0.01;
/// Beyond this part of it the loss is not close to the least, however short the way is.
const FAR: f64 = 0.5;
/// A loss above that of zero weights by less than this part of it is not worth a word.
const ABOVE: f64 = 0.01;

/// What a person whose training has stalled wants to know first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Situation {
    /// A global minimum.
    Best,
    /// Beside a global minimum.
    NearBest,
    /// Exactly at a saddle.
    AtSaddle,
    /// Stalled beside a saddle.
    BesideSaddle,
    /// Moving, with a saddle nearby.
    Passing,
    /// Nothing is near.
    Descending,
    /// A local minimum or maximum.
    Extremum,
    /// Some rank is not clear.
    Undecided,
}

impl Situation {
    pub(super) fn of(document: &DiagnoseDocument) -> Self {
        let near = document.near.as_ref().map(|near| near.nearest_class.0);
        let moving = document.stall.as_ref().is_none_or(|stall| stall.verdict == Word(Progress::Moving));
        match (document.class.0, near) {
            (CriticalClass::GlobalMinimum, _) => Self::Best,
            (CriticalClass::StrictSaddle | CriticalClass::NonStrictSaddle, _) => Self::AtSaddle,
            (CriticalClass::LocalMinimum | CriticalClass::LocalMaximum, _) => Self::Extremum,
            (CriticalClass::NotCritical, Some(CriticalClass::GlobalMinimum)) => Self::NearBest,
            (CriticalClass::NotCritical, Some(CriticalClass::Undecided)) => Self::Undecided,
            (CriticalClass::NotCritical, Some(_)) if moving => Self::Passing,
            (CriticalClass::NotCritical, Some(_)) => Self::BesideSaddle,
            (CriticalClass::NotCritical, None) => Self::Descending,
            (CriticalClass::Undecided, _) => Self::Undecided,
        }
    }

    pub(super) fn sentence(self, document: &DiagnoseDocument) -> String {
        let left = falls(document);
        match self {
            Self::Best if is_zero(document, document.loss.least()) => {
                let how = if is_exact(document) { "exactly" } else { "to rounding" };
                format!("At the best that this network can reach: it fits the data {how}.")
            }
            Self::Best => "At the best that this network can reach: no weights have a lower loss.".into(),
            Self::NearBest => match left {
                None if is_exact(document) => {
                    "At the best that this network can reach, as far as double precision tells: nothing is to gain."
                        .into()
                }
                None => "At the best that this network can reach, to rounding: nothing is to gain.".into(),
                Some(left) if document.loss.above() > FAR * range(document) => {
                    still(document, Some(left), ": a global minimum is near, but the loss is still far above it")
                }
                Some(left) if document.loss.above() > LAST * range(document) => {
                    format!(
                        "Close to the best that this network can reach, but not there: the loss can still fall {left}."
                    )
                }
                Some(_) if is_zero(document, document.loss.least()) => {
                    "So near an exact fit that nothing is to gain but the last of the loss.".into()
                }
                Some(_) => {
                    let left = percent(document.loss.above() / document.loss.now());
                    format!(
                        "So near the best that this network can reach that nothing is to gain but {left} of the loss."
                    )
                }
            },
            Self::AtSaddle => match left {
                None => "At a saddle, but nothing is to gain beyond rounding.".into(),
                Some(left) => {
                    format!("Stalled at a saddle: the gradient is zero, yet the loss can still fall {left}.")
                }
            },
            Self::BesideSaddle => match left {
                None => "Stalled beside a saddle, but nothing is to gain beyond rounding.".into(),
                Some(left) => format!("Stalled beside a saddle: the loss can still fall {left}."),
            },
            Self::Passing => still(document, left, ": a saddle is near, but the loss is already falling away from it"),
            Self::Descending => still(document, left, ""),
            Self::Extremum => match document.class.0 {
                CriticalClass::LocalMinimum => "At a local minimum.".into(),
                _ => "At a local maximum.".into(),
            },
            Self::Undecided => undecided(document),
        }
    }
}

fn still(document: &DiagnoseDocument, left: Option<String>, beside: &str) -> String {
    let left = left.map_or_else(String::new, |left| format!(" The loss can still fall {left}."));
    let origin = document.outlook().value_at_origin;
    if document.loss.now() > (1.0 + ABOVE) * origin && document.outlook().room > 0 {
        let bias = if document.centred { " and the best output bias" } else { "" };
        return format!(
            "Still descending, but the loss is above the {} of zero weights{bias}: the product is too large or has the wrong sign, from a large start or too long steps.{left}",
            number(origin)
        );
    }
    let why = if is_convex(document) { ": one layer has no plateaus" } else { beside };
    format!("Still descending; nothing is wrong{why}.{left}")
}

/// From the loss of zero weights to the least.
fn range(document: &DiagnoseDocument) -> f64 {
    document.outlook().value_at_origin - document.loss.least()
}

/// How far the loss can fall; `None` where that is rounding.
fn falls(document: &DiagnoseDocument) -> Option<String> {
    let loss = &document.loss;
    let all = is_zero(document, loss.least());
    let how = || if all { "to 0".to_owned() } else { format!("by {}", percent(loss.above() / loss.now())) };
    (!is_least(document)).then(how)
}

/// Which rank is not clear, and what would settle it.
fn undecided(document: &DiagnoseDocument) -> String {
    let Some(support) = document.evidence.rests_on.iter().find(|support| !support.clear) else {
        return "Undecided: the readings of the ranks contradict one another. Weights trained further, or stored with more \
                digits, would settle it."
            .into();
    };
    format!(
        "Undecided: {}. Weights stored with more digits, or trained further, would settle it; --tolerance moves the threshold.",
        because(support)
    )
}

fn because(support: &SupportDocument) -> String {
    let threshold = digits(support.tolerance, 2);
    let quantity = &support.quantity;
    let value = [support.above, support.below].into_iter().flatten().min_by(|a, b| {
        let far = |x: &f64| (x / support.tolerance).ln().abs();
        far(a).total_cmp(&far(b))
    });
    match value {
        Some(value) => format!(
            "the {quantity} is not clear, a singular value of {} is too near the threshold {threshold}",
            digits(value, 2)
        ),
        None => format!("the {quantity} is not clear"),
    }
}
