//! Checking a certificate: every number that it claims is computed again from the point, the data and the path.

use super::Certificate;
use super::exact::verify_exact;
use super::floating::verify_floating;
use crate::escape::EscapePath;
use crate::evidence::Grade;
use crate::tolerance::Tolerances;

/// One claim and whether it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What is claimed.
    pub claim: &'static str,
    /// Whether it holds; `None` where that is not decided.
    pub holds: Option<bool>,
    /// How: exactly, proved by intervals, or decided a second time in double precision and not proved.
    pub grade: Grade,
    /// The numbers found.
    pub found: String,
}

/// The result of checking a certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// Every check.
    pub checks: Vec<Check>,
    /// Tolerances that are looser than usual, or that leave the verdict no meaning.
    pub warnings: Vec<String>,
}

impl Verification {
    /// False when a check fails; `None` when none fails but one is not decided.
    pub fn valid(&self) -> Option<bool> {
        if self.checks.iter().any(|check| check.holds == Some(false)) {
            return Some(false);
        }
        self.checks.iter().all(|check| check.holds.is_some()).then_some(true)
    }

    /// The weakest grade among the checks.
    pub fn grade(&self) -> Grade {
        self.checks.iter().map(|check| check.grade).max().unwrap_or(Grade::Exact)
    }
}

pub(super) const CLASS: &str = "the class of the point";
pub(super) const TOLERANCES: &str = "the tolerances";
pub(super) const GRADIENT: &str = "the gradient of that class";
pub(super) const GROUNDS: &str = "the ranks that the class rests on";
pub(super) const DECREASE: &str = "the decrease at t";

impl Certificate {
    /// Checks every claim.
    pub fn verify(&self, tolerances: &Tolerances) -> Verification {
        match self {
            Self::Exact(statement) => verify_exact(statement),
            Self::Floating(statement) => verify_floating(statement, tolerances),
        }
    }
}

/// A claim that is decided exactly.
pub(super) fn check(claim: &'static str, holds: bool, found: impl Into<String>) -> Check {
    Check { claim, holds: Some(holds), grade: Grade::Exact, found: found.into() }
}

/// Rows and columns.
pub(super) type Shape = (usize, usize);

/// The data fit the point and every term of the path does; nothing else can be asked otherwise.
pub(super) fn shapes<F>(
    widths: &[usize],
    data: &[(Shape, Shape)],
    path: Option<&EscapePath<F>>,
    of: impl Fn(&F) -> &[usize],
) -> Check {
    let fits = data.iter().all(|(found, expected)| found == expected);
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
    check("point, data and path fit together", fits && ascending && same, found)
}

/// What is missing, unknown or out of place among stated names.
pub(super) fn differs(stated: &[&str], expected: &[String]) -> Option<String> {
    if let Some(missing) = expected.iter().find(|name| !stated.contains(&name.as_str())) {
        return Some(format!("the {missing} is not stated"));
    }
    if let Some(unknown) = stated.iter().find(|name| !expected.iter().any(|known| known == *name)) {
        return Some(format!("the class does not rest on {unknown}"));
    }
    (stated.len() != expected.len() || stated.iter().zip(expected).any(|(a, b)| a != b))
        .then(|| "a rank is stated twice, or they are out of order".to_owned())
}
