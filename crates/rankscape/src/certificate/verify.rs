//! Checking a certificate: every number that it claims is computed again from the point, the data and the path.

use num_traits::{Signed, Zero};

use super::ring::{Dyadic, Ring, Series};
use super::table::{Ground, Table};
use super::{Certificate, PathClaim, ReducedData, Sense, Statement};
use crate::critical::{ExactData, ExactSquareNetwork};
use crate::escape::EscapePath;
use crate::evidence::Grade;
use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, RationalMatrix, rational_to_f64};
use crate::linalg::interval::Interval;
use crate::multiplication::{ExactFactors, Factors};
use crate::tolerance::Tolerances;

/// Up to this many multiplications numbers in double precision are evaluated exactly.
const EXACT_MULTIPLICATIONS: usize = 4_000_000;

/// One claim and whether it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What is claimed.
    pub claim: &'static str,
    /// Whether it holds; `None` where it cannot be checked again.
    pub holds: Option<bool>,
    /// The numbers found.
    pub found: String,
}

/// The result of checking a certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// Every check.
    pub checks: Vec<Check>,
    /// How the loss was evaluated: exactly or with intervals.
    pub grade: Grade,
}

impl Verification {
    /// False when a check fails; `None` when none fails but the claims about the path, or about the class where there is no
    /// path, cannot be decided.
    pub fn valid(&self) -> Option<bool> {
        if self.checks.iter().any(|check| check.holds == Some(false)) {
            return Some(false);
        }
        let path = self.checks.iter().filter(|check| check.claim != CLASS).all(|check| check.holds.is_some());
        let class_only = !self.checks.iter().any(|check| check.claim == DECREASE);
        let class = self.checks.iter().any(|check| check.claim == CLASS && check.holds.is_some());
        (path && (class || !class_only)).then_some(true)
    }
}

/// The claims that decide whether a certificate says anything.
const CLASS: &str = "the class of the point";
const DECREASE: &str = "the decrease at t";

impl Certificate {
    /// Checks every claim.
    pub fn verify(&self, tolerances: &Tolerances) -> Verification {
        match self {
            Self::Exact(statement) => verify_exact(statement),
            Self::Floating(statement) => verify_floating(statement, tolerances),
        }
    }
}

fn check(claim: &'static str, holds: bool, found: impl Into<String>) -> Check {
    Check { claim, holds: Some(holds), found: found.into() }
}

fn widths_of(factors: &Factors) -> &[usize] {
    factors.architecture().widths()
}

/// Rows and columns.
type Shape = (usize, usize);

/// The data fit the point and every term of the path does; nothing else can be asked otherwise.
fn shapes<F>(
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
    let Statement { point, data, class, path } = statement;
    let widths = point.architecture().widths();
    let (inputs, outputs) = (point.architecture().inputs(), point.architecture().outputs());
    let shape = [(data.xx.shape(), (inputs, inputs)), (data.yx.shape(), (outputs, inputs))];
    let mut checks =
        vec![shapes(widths, &shape, path.as_ref().map(|claim| &claim.path), |step| step.architecture().widths())];
    if checks[0].holds == Some(true) {
        checks.push(check("the data are second moments", are_moments(data), "X X' symmetric, ||Y||^2 not negative"));
        checks.extend(class_checks(point, data, *class));
        if let Some(claim) = path {
            let ground = exact_ground(point, data);
            let series = ground_series(&ground, |x: &Rational| x.clone());
            let coefficients = twice(series.twice_change(&exact_series(&claim.path)));
            let change = ground.twice_change(&exact_steps(&claim.path, &claim.t)).unwrap_or_else(Rational::zero);
            checks.extend(exact_path_checks(claim, &coefficients, &change));
        }
    }
    Verification { checks, grade: Grade::Exact }
}

fn are_moments(data: &ExactData) -> bool {
    data.xx == data.xx.transpose() && data.xx.inertia().negative == 0 && !data.yy.is_negative()
}

/// Gradient and class, again from the point and the data.
fn class_checks(point: &ExactFactors, data: &ExactData, class: crate::critical::CriticalClass) -> Vec<Check> {
    use crate::critical::CriticalClass;
    let claim = CLASS;
    let Ok(network) = ExactSquareNetwork::new(point, data) else { return Vec::new() };
    if class == CriticalClass::Undecided {
        return vec![Check { claim, holds: None, found: "undecided".to_owned() }];
    }
    let critical = network.is_critical();
    if !critical || class == CriticalClass::NotCritical {
        let found = if critical { "the gradient is zero" } else { "the gradient is not zero" };
        return vec![check(claim, !critical && class == CriticalClass::NotCritical, found)];
    }
    vec![match network.classify() {
        Some(found) => check(claim, found.class == class, format!("{}, rank W X = {}", found.class, found.rank)),
        None => Check { claim, holds: None, found: "the point is too large to compare singular values".to_owned() },
    }]
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
        check("its sign", has_sign(claim.sense, -rational_to_f64(&at_order)), claim.sense.name()),
        check("the step t is positive", claim.t.is_positive(), claim.t.to_string()),
        check(DECREASE, decrease == claim.decrease, decrease.to_string()),
        check("the sign of the decrease", has_sign(claim.sense, rational_to_f64(&decrease)), claim.sense.name()),
    ]
}

fn has_sign(sense: Sense, decrease: f64) -> bool {
    match sense {
        Sense::Descent => decrease > 0.0,
        Sense::Ascent => decrease < 0.0,
    }
}

fn verify_floating(statement: &Statement<Factors, ReducedData, f64>, tolerances: &Tolerances) -> Verification {
    let Statement { point, data, class, path } = statement;
    let widths = widths_of(point);
    let rho = data.inputs.ncols();
    let (inputs, outputs) = (point.architecture().inputs(), point.architecture().outputs());
    let shape = [(data.inputs.shape(), (inputs, rho)), (data.target.shape(), (outputs, rho))];
    let mut checks = vec![shapes(widths, &shape, path.as_ref().map(|claim| &claim.path), widths_of)];
    checks.push(Check { claim: CLASS, holds: None, found: format!("{class}: decided on numbers in double precision") });
    let fits = checks[0].holds == Some(true);
    let Some(claim) = path.as_ref().filter(|_| fits) else { return Verification { checks, grade: Grade::Numerical } };
    let highest = claim.path.terms.last().map_or(1, |(power, _)| *power);
    let degree = highest * point.depth() + 1;
    let multiplications = 3 * rho * point.architecture().parameters() * degree;
    if multiplications <= EXACT_MULTIPLICATIONS {
        let exact = |x: f64| Dyadic::new(x).filter(|_| x != 0.0);
        let enclose = |x: &Dyadic| around(&x.to_rational());
        checks.extend(floating_path_checks(statement, claim, exact, enclose, tolerances));
        return Verification { checks, grade: Grade::Exact };
    }
    let interval = |x: f64| (x != 0.0).then(|| Interval::point(x));
    checks.extend(floating_path_checks(statement, claim, interval, |x| *x, tolerances));
    Verification { checks, grade: Grade::Certified }
}

/// The enclosure of a rational.
fn around(value: &Rational) -> Interval {
    let near = rational_to_f64(value);
    if value.is_zero() { Interval::point(0.0) } else { Interval { low: near.next_down(), high: near.next_up() } }
}

fn floating_path_checks<T: Ring>(
    statement: &Statement<Factors, ReducedData, f64>,
    claim: &PathClaim<Factors, f64>,
    number: impl Fn(f64) -> Option<T>,
    enclose: impl Fn(&T) -> Interval,
    tolerances: &Tolerances,
) -> Vec<Check> {
    let table = |m: &Matrix| Table::from_fn(m.nrows(), m.ncols(), |i, j| number(m[(i, j)]));
    let ground = Ground {
        layers: statement.point.matrices().iter().map(table).collect(),
        inputs: Some(table(&statement.data.inputs)),
        gram: None,
        target: table(&statement.data.target),
    };
    let half = |x: Option<T>| x.map_or(Interval::point(0.0), |x| enclose(&x) * Interval::point(0.5));
    let along = |k: usize, place: (usize, usize)| {
        claim.path.terms.iter().map(move |(power, step)| (*power, step.layer(k)[place]))
    };
    let power = |t: &T, exponent: usize| (1..exponent).fold(t.clone(), |product, _| product.times(t));
    let at_t = |t: &T, k: usize, place: (usize, usize)| {
        let terms = along(k, place).filter_map(|(exponent, x)| Some(number(x)?.times(&power(t, exponent))));
        terms.fold(None, |sum: Option<T>, x| Some(sum.map_or(x.clone(), |sum| sum.plus(&x))))
    };
    let steps = |entry: &dyn Fn(usize, (usize, usize)) -> Option<T>| -> Vec<Table<T>> {
        let layers = statement.point.matrices().iter().enumerate();
        layers.map(|(k, m)| Table::from_fn(m.nrows(), m.ncols(), |i, j| entry(k + 1, (i, j)))).collect()
    };
    let Some(t) = number(claim.t).filter(|_| claim.t > 0.0) else {
        return vec![check("the step t is positive", false, claim.t.to_string())];
    };
    let change = half(ground.twice_change(&steps(&|k, place| at_t(&t, k, place))));
    let decrease = Interval::point(0.0) - change;

    let series = ground_series(&ground, T::clone);
    let layers = statement.point.matrices().iter().enumerate();
    let series_steps: Vec<Table<Series<T>>> = layers
        .map(|(k, m)| {
            Table::from_fn(m.nrows(), m.ncols(), |i, j| {
                let mut out: Vec<Option<T>> = Vec::new();
                for (power, x) in along(k + 1, (i, j)) {
                    out.resize(power + 1, None);
                    out[power] = number(x);
                }
                out.iter().any(Option::is_some).then_some(Series(out))
            })
        })
        .collect();
    let coefficients: Vec<Interval> =
        series.twice_change(&series_steps).map_or_else(Vec::new, |Series(terms)| terms.into_iter().map(half).collect());
    floating_checks(claim, &coefficients, decrease, tolerances)
}

fn floating_checks(
    claim: &PathClaim<Factors, f64>,
    coefficients: &[Interval],
    decrease: Interval,
    tolerances: &Tolerances,
) -> Vec<Check> {
    let zero = Interval::point(0.0);
    let at_order = coefficients.get(claim.order).copied().unwrap_or(zero);
    let lower: f64 = coefficients
        .iter()
        .take(claim.order)
        .enumerate()
        .fold(0.0, |sum, (k, c)| sum + c.magnitude() * claim.t.powi(k as i32));
    let agrees = |found: Interval, claimed: f64| {
        let slack = tolerances.certificate_match * claimed.abs();
        let inside = found.low - slack <= claimed && claimed <= found.high + slack;
        if inside && found.high - found.low > slack { None } else { Some(inside) }
    };
    let sign = |decrease: Interval| {
        let known = decrease.low > 0.0 || decrease.high < 0.0 || (decrease.low == 0.0 && decrease.high == 0.0);
        known.then(|| has_sign(claim.sense, decrease.low))
    };
    let text = |interval: Interval| format!("in [{:e}, {:e}]", interval.low, interval.high);
    let negligible = lower <= tolerances.certificate_lower * claim.decrease.abs();
    let down = Interval::point(0.0) - at_order;
    vec![
        check(
            "the order of the first change, up to rounding",
            negligible && claim.order >= 1 && claim.order < coefficients.len(),
            format!("lower orders change the loss by at most {lower:e} at t"),
        ),
        Check { claim: "its coefficient", holds: agrees(at_order, claim.coefficient), found: text(at_order) },
        Check { claim: "its sign", holds: sign(down), found: claim.sense.name().to_owned() },
        Check { claim: DECREASE, holds: agrees(decrease, claim.decrease), found: text(decrease) },
        Check { claim: "the sign of the decrease", holds: sign(decrease), found: claim.sense.name().to_owned() },
    ]
}

fn twice<T: Clone + Zero>(series: Option<Series<T>>) -> Vec<T> {
    series.map_or_else(Vec::new, |Series(terms)| terms.into_iter().map(|x| x.unwrap_or_else(T::zero)).collect())
}

fn exact_table(m: &RationalMatrix) -> Table<Rational> {
    Table::from_fn(m.nrows(), m.ncols(), |i, j| Some(m[(i, j)].clone()).filter(|x| !x.is_zero()))
}

fn exact_ground(point: &ExactFactors, data: &ExactData) -> Ground<Rational> {
    Ground {
        layers: point.matrices().iter().map(exact_table).collect(),
        inputs: None,
        gram: Some(exact_table(&data.xx)),
        target: exact_table(&data.yx),
    }
}

/// `A_1 t + A_2 t^2 + ...` at a number.
fn exact_steps(path: &EscapePath<ExactFactors>, t: &Rational) -> Vec<Table<Rational>> {
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
fn exact_series(path: &EscapePath<ExactFactors>) -> Vec<Table<Series<Rational>>> {
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

fn ground_series<T: Ring>(ground: &Ground<T>, copy: impl Fn(&T) -> T) -> Ground<Series<T>> {
    let table = |m: &Table<T>| m.map(|x| Series(vec![Some(copy(x))]));
    Ground {
        layers: ground.layers.iter().map(table).collect(),
        inputs: ground.inputs.as_ref().map(table),
        gram: ground.gram.as_ref().map(table),
        target: table(&ground.target),
    }
}
