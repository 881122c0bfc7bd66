//! Claims, what checking them found, and the verdict.

use super::statement::{StatedQuantity, StatedRank};
use crate::escape::EscapePath;
use crate::evidence::{Grade, Quantity, Truth};

pub(super) const CLASS: &str = "the class of the point";
pub(super) const TOLERANCES: &str = "the tolerances";
pub(super) const GRADIENT: &str = "the gradient of that class";
pub(super) const GROUNDS: &str = "the ranks that the class rests on";
pub(super) const DECREASE: &str = "the decrease at t";

/// What the check of a claim found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Numbers and their meaning.
    Text(String),
    /// The class rests on a rank that is not stated.
    NotStated(Quantity),
    /// A rank is stated that the class does not rest on.
    Unfounded(StatedQuantity),
    /// A rank is other than stated: it lies between these.
    Rank {
        /// Of what.
        quantity: Quantity,
        /// The smallest that it can be.
        least: usize,
        /// The largest that it can be.
        most: usize,
    },
    /// No enclosure of the singular values is known.
    NotEnclosed(Quantity),
}

impl From<String> for Finding {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Finding {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// One claim and whether it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedClaim {
    claim: &'static str,
    holds: Truth,
    grade: Grade,
    found: Finding,
}

impl CheckedClaim {
    /// A claim that is decided exactly.
    pub fn exact(claim: &'static str, holds: bool, found: impl Into<Finding>) -> Self {
        Self::graded(claim, holds, Grade::Exact, found)
    }

    pub(super) fn graded(
        claim: &'static str,
        holds: impl Into<Truth>,
        grade: Grade,
        found: impl Into<Finding>,
    ) -> Self {
        Self { claim, holds: holds.into(), grade, found: found.into() }
    }

    /// What is claimed.
    pub fn claim(&self) -> &'static str {
        self.claim
    }

    /// Whether it holds.
    pub fn holds(&self) -> Truth {
        self.holds
    }

    /// How: exactly, proved by intervals, or decided a second time in double precision and not proved.
    pub fn grade(&self) -> Grade {
        self.grade
    }

    /// What was found.
    pub fn found(&self) -> &Finding {
        &self.found
    }
}

/// The result of checking a certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    claims: Vec<CheckedClaim>,
    warnings: Vec<String>,
}

impl Verification {
    pub(super) fn new(claims: Vec<CheckedClaim>, warnings: Vec<String>) -> Self {
        Self { claims, warnings }
    }

    /// Adds claims that were checked elsewhere.
    pub fn extend(&mut self, claims: impl IntoIterator<Item = CheckedClaim>) {
        self.claims.extend(claims);
    }

    /// Every claim.
    pub fn claims(&self) -> &[CheckedClaim] {
        &self.claims
    }

    /// Tolerances that are looser than usual, or that leave the verdict no meaning.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// All claims hold.
    pub fn valid(&self) -> Truth {
        self.claims.iter().fold(Truth::Yes, |all, claim| all.and(claim.holds))
    }

    /// The weakest grade among the claims.
    pub fn grade(&self) -> Grade {
        self.claims.iter().map(|claim| claim.grade).max().unwrap_or(Grade::Exact)
    }
}

/// The data, found and expected rows and columns, fit the point and every term of the path does; nothing else can be asked otherwise.
pub(super) fn shapes<F>(
    widths: &[usize],
    data: &[[(usize, usize); 2]],
    path: Option<&EscapePath<F>>,
    of: impl Fn(&F) -> &[usize],
) -> CheckedClaim {
    let fits = data.iter().all(|[found, expected]| found == expected);
    let terms = path.map_or(&[][..], |path| &path.terms);
    let powers: Vec<usize> = terms.iter().map(|(power, _)| *power).collect();
    let ascending = powers.first().is_none_or(|&first| first >= 1) && powers.windows(2).all(|p| p[0] < p[1]);
    let same = terms.iter().all(|(_, step)| of(step) == widths);
    let found = match (fits, ascending, same) {
        (true, true, true) => format!("widths {widths:?}"),
        (false, ..) => "the data do not fit the widths of the point".to_owned(),
        (_, false, _) => format!("the powers of the path are {powers:?}, not ascending from 1"),
        _ => "the path has other widths than the point".to_owned(),
    };
    CheckedClaim::exact("point, data and path fit together", fits && ascending && same, found)
}

/// What is missing, unknown or out of place among stated ranks.
pub(super) fn misstated(stated: &[StatedRank], expected: &[Quantity]) -> Option<Finding> {
    let known = |at: &StatedRank| at.quantity.known();
    if let Some(missing) = expected.iter().find(|quantity| !stated.iter().any(|at| known(at) == Some(**quantity))) {
        return Some(Finding::NotStated(*missing));
    }
    if let Some(unknown) = stated.iter().find(|at| !known(at).is_some_and(|quantity| expected.contains(&quantity))) {
        return Some(Finding::Unfounded(unknown.quantity.clone()));
    }
    (stated.len() != expected.len() || stated.iter().zip(expected).any(|(a, b)| known(a) != Some(*b)))
        .then(|| "a rank is stated twice, or they are out of order".into())
}
