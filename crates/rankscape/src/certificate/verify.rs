//! Checking a certificate: every number that it claims is computed again from the point, the data and the path.

use num_traits::{Signed, Zero};

use super::class::grounds_check;
use super::floating::verify_floating;
use super::ring::{Ring, Series};
use super::table::{Ground, Table};
use super::{Certificate, PathClaim, Sense, Statement};
use crate::critical::{CriticalClass, ExactData, ExactSquareNetwork};
use crate::diagnosis::rest_as_given;
use crate::escape::EscapePath;
use crate::evidence::{Evidence, Grade};
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::{ExactFactors, RankProfile};
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

fn verify_exact(statement: &Statement<ExactFactors, ExactData, Rational>) -> Verification {
    let Statement { point, data, path, .. } = statement;
    let widths = point.architecture().widths();
    let (inputs, outputs) = (point.architecture().inputs(), point.architecture().outputs());
    let shape = [(data.xx.shape(), (inputs, inputs)), (data.yx.shape(), (outputs, inputs))];
    let mut checks =
        vec![shapes(widths, &shape, path.as_ref().map(|claim| &claim.path), |step| step.architecture().widths())];
    if checks[0].holds == Some(true) {
        checks.push(check("the data are second moments", are_moments(data), "X X' symmetric, ||Y||^2 not negative"));
        checks.extend(class_checks(statement));
        if let Some(claim) = path {
            let ground = exact_ground(point, data);
            let series = ground_series(&ground, |x: &Rational| x.clone());
            let coefficients = twice(series.twice_change(&exact_series(&claim.path)));
            let change = ground.twice_change(&exact_steps(&claim.path, &claim.t)).unwrap_or_else(Rational::zero);
            checks.extend(exact_path_checks(claim, &coefficients, &change));
        }
    }
    Verification { checks }
}

fn are_moments(data: &ExactData) -> bool {
    data.xx == data.xx.transpose() && data.xx.inertia().negative == 0 && !data.yy.is_negative()
}

/// Gradient, class and ranks, again from the point and the data.
fn class_checks(statement: &Statement<ExactFactors, ExactData, Rational>) -> Vec<Check> {
    let Statement { point, data, class, rests_on, .. } = statement;
    let Ok(network) = ExactSquareNetwork::new(point, data) else { return Vec::new() };
    let critical = network.is_critical();
    let found = if critical { "the gradient is zero" } else { "the gradient is not zero" };
    let undecided = |claim, found: &str| Check { claim, holds: None, grade: Grade::Exact, found: found.to_owned() };
    if *class == CriticalClass::Undecided {
        return vec![undecided(CLASS, "nothing is claimed")];
    }
    let again = if critical { network.classify() } else { None };
    let class = match &again {
        _ if !critical || *class == CriticalClass::NotCritical => {
            check(CLASS, !critical && *class == CriticalClass::NotCritical, found)
        }
        Some(found) => check(CLASS, found.class == *class, format!("{}, rank W X = {}", found.class, found.rank)),
        None => return vec![undecided(CLASS, "the point is too large to compare singular values")],
    };
    let mut evidence = again.map_or_else(|| Evidence::new(Grade::Exact), |found| found.evidence);
    rest_as_given(&RankProfile::exact(point), &mut evidence);
    vec![class, grounds_check(rests_on, &evidence, Grade::Exact)]
}

fn exact_path_checks(claim: &PathClaim<ExactFactors, Rational>, twice: &[Rational], change: &Rational) -> Vec<Check> {
    let two = Rational::from_integer(2.into());
    let first = twice.iter().position(|c| !c.is_zero());
    let at_order = twice.get(claim.order).cloned().unwrap_or_else(Rational::zero) / &two;
    let decrease = -change.clone() / &two;
    let order = first.map_or("the loss does not change".to_owned(), |k| format!("the loss first changes at order {k}"));
    vec![
        check("the order of the first change", first == Some(claim.order), order),
        check("its coefficient", at_order == claim.coefficient, at_order.to_string()),
        check("its sign", has_sign(claim.sense, &-&at_order), claim.sense.name()),
        check("the step t is positive", claim.t.is_positive(), claim.t.to_string()),
        check(DECREASE, decrease == claim.decrease, decrease.to_string()),
        check("the sign of the decrease", has_sign(claim.sense, &decrease), claim.sense.name()),
    ]
}

fn has_sign(sense: Sense, decrease: &Rational) -> bool {
    match sense {
        Sense::Descent => decrease.is_positive(),
        Sense::Ascent => decrease.is_negative(),
    }
}

pub(super) fn twice<T: Clone + Zero>(series: Option<Series<T>>) -> Vec<T> {
    series.map_or_else(Vec::new, |Series(terms)| terms.into_iter().map(|x| x.unwrap_or_else(T::zero)).collect())
}

fn exact_table(m: &RationalMatrix) -> Table<Rational> {
    Table::from_fn(m.nrows(), m.ncols(), |i, j| Some(m[(i, j)].clone()).filter(|x| !x.is_zero()))
}

pub(super) fn exact_ground(point: &ExactFactors, data: &ExactData) -> Ground<Rational> {
    Ground {
        layers: point.matrices().iter().map(exact_table).collect(),
        inputs: None,
        gram: Some(exact_table(&data.xx)),
        target: exact_table(&data.yx),
    }
}

/// `A_1 t + A_2 t^2 + ...` at a number.
pub(super) fn exact_steps(path: &EscapePath<ExactFactors>, t: &Rational) -> Vec<Table<Rational>> {
    let Some((_, first)) = path.terms.first() else { return Vec::new() };
    let layers = first.matrices().iter().enumerate();
    layers
        .map(|(k, m)| {
            Table::from_fn(m.nrows(), m.ncols(), |i, j| {
                let terms = path.terms.iter().map(|(power, step)| {
                    (0..*power).fold(step.matrices()[k][(i, j)].clone(), |product, _| product * t)
                });
                Some(terms.sum::<Rational>()).filter(|x| !x.is_zero())
            })
        })
        .collect()
}

/// The same as polynomials.
pub(super) fn exact_series(path: &EscapePath<ExactFactors>) -> Vec<Table<Series<Rational>>> {
    let Some((_, first)) = path.terms.first() else { return Vec::new() };
    let layers = first.matrices().iter().enumerate();
    layers
        .map(|(k, m)| {
            Table::from_fn(m.nrows(), m.ncols(), |i, j| {
                let mut out: Vec<Option<Rational>> = Vec::new();
                for (power, step) in &path.terms {
                    out.resize(power + 1, None);
                    out[*power] = Some(step.matrices()[k][(i, j)].clone()).filter(|x| !x.is_zero());
                }
                out.iter().any(Option::is_some).then_some(Series(out))
            })
        })
        .collect()
}

pub(super) fn ground_series<T: Ring>(ground: &Ground<T>, copy: impl Fn(&T) -> T) -> Ground<Series<T>> {
    let table = |m: &Table<T>| m.map(|x| Series(vec![Some(copy(x))]));
    Ground {
        layers: ground.layers.iter().map(table).collect(),
        inputs: ground.inputs.as_ref().map(table),
        gram: ground.gram.as_ref().map(table),
        target: table(&ground.target),
    }
}
