//! Moves along the fiber of the product map: a path, balanced weights, factors of a given product.

use super::Answer;
use super::map::evidence;
use crate::error::Result;
use crate::evidence::{Evidence, Grade, Truth};
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;
use crate::multiplication::{
    self, Balance, Connection, Factors, MapPoint, Openness, Path, RankProfile, Reach, balance_defect, lift_path,
    product_difference, reach_order, toward_balance,
};
use crate::tolerance::Tolerances;

/// Times at which the product along a path is compared with the one wanted.
const CHECKED_TIMES: usize = 1000;

/// Points on the way to the infimum of the defect, each with a quarter of the epsilon before.
const QUARTERS: i32 = 6;

/// Whether two factorizations of one matrix are joined by a path.
#[derive(Debug, Clone)]
pub struct ConnectAnswer {
    /// The path, or the proof that there is none.
    pub connection: Connection,
    /// Largest distance of the product along the path from the one wanted, where there is a path.
    pub product_error: Option<f64>,
    /// What it rests on.
    pub evidence: Evidence,
    /// Products, ranks, signs and the answer are exact; a path is in double precision.
    pub exact: bool,
}

/// A path inside the fiber between two factorizations of one matrix.
///
/// # Errors
/// If the products differ or the widths do.
pub fn connect(first: &MapPoint, second: &MapPoint, tolerances: &Tolerances) -> Result<ConnectAnswer> {
    Ok(ConnectAnswer::new(multiplication::connect(first, second, tolerances)?, first, second, tolerances))
}

/// A path of factors over a path of matrices through `knots`.
///
/// # Errors
/// If the ends are not the products, or the path leaves the matrices of their rank.
pub fn lift(first: &MapPoint, second: &MapPoint, knots: &[Matrix], tolerances: &Tolerances) -> Result<ConnectAnswer> {
    Ok(ConnectAnswer::new(lift_path(first, second, knots, tolerances)?, first, second, tolerances))
}

impl ConnectAnswer {
    fn new(connection: Connection, first: &MapPoint, second: &MapPoint, tolerances: &Tolerances) -> Self {
        let first = first.alike(second, tolerances);
        let mut evidence = evidence(&first);
        let path = if let Connection::Path(path) = &connection { Some(path) } else { None };
        let lifted = path.is_some_and(|path| path.wanted(0.0).is_some());
        if lifted {
            evidence.grade = Grade::Numerical;
        }
        Self {
            product_error: path.map(|path| path.error(&first.product(), CHECKED_TIMES)),
            exact: !lifted && first.grade() == Grade::Exact,
            evidence,
            connection,
        }
    }

    /// The path, where there is one.
    pub fn path(&self) -> Option<&Path> {
        if let Connection::Path(path) = &self.connection { Some(path) } else { None }
    }
}

impl Answer for ConnectAnswer {
    fn is_undecided(&self) -> bool {
        matches!(self.connection, Connection::Undecided { .. })
    }
}

/// Balanced weights with the same product.
#[derive(Debug, Clone)]
pub struct BalanceAnswer {
    /// The balanced factors, or why there are none.
    pub balance: Balance,
    /// Where the orbit has no balanced point: points on the way to the one outside it.
    pub toward: Vec<TowardBalance>,
    /// What it rests on.
    pub evidence: Evidence,
}

/// A point of the orbit on the way to the infimum of the defect: the part that does not carry the product times `epsilon`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TowardBalance {
    /// The factor.
    pub epsilon: f64,
    /// The balance defect there.
    pub defect: f64,
    /// How far the product is off.
    pub product_error: f64,
}

/// Rounds factors to what a file holds.
pub type Rounding<'a> = &'a dyn Fn(&Factors) -> Result<Factors>;

/// Balanced factors with the same product, where there are any; as they are stored where a rounding is given.
///
/// # Errors
/// If the rounding fails.
pub fn balance_factors(factors: &Factors, profile: &RankProfile, stored: Option<Rounding<'_>>) -> Result<Balance> {
    let balance = multiplication::balance(factors, profile);
    let rounded = balance.factors.as_ref().zip(stored).map(|(found, round)| round(found)).transpose()?;
    Ok(match rounded {
        Some(rounded) => balance.stored(rounded, factors),
        None => balance,
    })
}

/// Balanced weights with the same product; where they are to be stored, the numbers are those of the rounded ones.
///
/// # Errors
/// If the rounding fails.
pub fn balance(point: &MapPoint, stored: Option<Rounding<'_>>) -> Result<BalanceAnswer> {
    let balance = balance_factors(point.factors(), point.profile(), stored)?;
    let at = |epsilon: f64| {
        let found = toward_balance(point.factors(), point.profile(), epsilon)?;
        let (defect, product_error) = (balance_defect(&found), product_difference(&found, point.factors()));
        Some(TowardBalance { epsilon, defect, product_error })
    };
    let toward = if balance.possible.holds == Truth::No {
        (0..QUARTERS).filter_map(|k| at(0.25_f64.powi(k))).collect()
    } else {
        Vec::new()
    };
    Ok(BalanceAnswer { balance, toward, evidence: evidence(point) })
}

impl Answer for BalanceAnswer {
    fn is_undecided(&self) -> bool {
        !self.balance.possible.holds.is_decided()
    }
}

/// Factors near the given ones whose product is a given matrix.
#[derive(Debug, Clone)]
pub struct ReachAnswer {
    /// The factors, or why there are none.
    pub reach: Reach,
    /// The power of the distance of the target by which the distance of the factors grows.
    pub order: Option<f64>,
    /// Local openness at the point.
    pub openness: Openness,
    /// The grade of the ranks that decide openness.
    pub grade: Grade,
    /// What it rests on.
    pub evidence: Evidence,
}

/// Factors near the given ones whose product is `target`, whose exact value is known or not.
///
/// # Errors
/// If the target has other widths than the product.
pub fn reach(
    point: &MapPoint,
    target: &Matrix,
    exact: Option<&RationalMatrix>,
    tolerances: &Tolerances,
) -> Result<ReachAnswer> {
    let reach = multiplication::reach(point, target, exact, tolerances)?;
    let order = reach_order(point, target, tolerances)?;
    let mut evidence = evidence(point);
    evidence.grade = reach.grade;
    Ok(ReachAnswer { reach, order, openness: Openness::new(point.profile()), grade: point.grade(), evidence })
}

impl Answer for ReachAnswer {
    fn is_undecided(&self) -> bool {
        self.reach.undecided
    }
}
