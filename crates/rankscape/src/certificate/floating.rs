//! Checking a path in double precision: exactly where the size permits, since every number is a rational, and with intervals
//! beyond.

use super::claim::{CheckedClaim, DECREASE, Verification, shapes};
use super::class::class_checks;
use super::path::loss_series;
use super::series::Series;
use super::sparse::{MatrixLoss, SparseMatrix};
use super::statement::{Criticality, FloatingStatement, PathClaim, ReducedData, Sense, Statement};
use crate::critical::CriticalClass;
use crate::evidence::{Grade, Truth};
use crate::linalg::exact::Dyadic;
use crate::linalg::interval::Interval;
use crate::linalg::scalar::Ring;
use crate::linalg::{Matrix, power_of_two_near};
use crate::multiplication::Factors;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Up to this many multiplications numbers in double precision are evaluated exactly.
const EXACT_MULTIPLICATIONS: usize = 4_000_000;

/// An enclosure this narrow, relative to its value, has more digits than the coefficient that it is compared with.
const TIGHT: f64 = 1e-12;

/// A few times what double precision resolves at its lower end.
const SUBNORMAL: f64 = 16.0 * f64::from_bits(1);

fn widths_of(factors: &Factors) -> &[usize] {
    factors.architecture().widths()
}

pub(super) fn verify_floating(statement: &FloatingStatement, tolerances: &Tolerances) -> Verification {
    let Statement { point, data, path, criticality, .. } = statement;
    let rho = data.inputs.ncols();
    let (inputs, outputs) = (point.architecture().inputs(), point.architecture().outputs());
    let shape = [[data.inputs.shape(), (inputs, rho)], [data.target.shape(), (outputs, rho)]];
    let fits = shapes(widths_of(point), &shape, path.as_ref().map(|claim| &claim.path), widths_of);
    if fits.holds() != Truth::Yes {
        return Verification::new(vec![fits], Vec::new());
    }
    let mut checks = vec![fits, data_check(data)];
    let stated = criticality.unwrap_or_else(|| Criticality::of(point, UNIT_ROUNDOFF, tolerances));
    let found = path.as_ref().map(|claim| Along::evaluate(statement, claim));
    let curvature = path.as_ref().zip(found.as_ref()).and_then(|(claim, found)| found.curvature(claim));
    let (of_class, warnings) = class_checks(statement, stated, curvature, tolerances);
    checks.extend(of_class);
    if let Some((claim, found)) = path.as_ref().zip(found) {
        checks.push(order_fits(statement.class, claim));
        checks.extend(found.checks(claim, tolerances));
    }
    Verification::new(checks, warnings)
}

/// `[X X' X Y'; Y X' Y Y']` is positive semidefinite for the data of any `A` and `Z` whose floor is not negative: it is that of
/// `[A; Z]` and of a part of `Y` of squared norm `2 floor` that no input reaches.
fn data_check(data: &ReducedData) -> CheckedClaim {
    let sum =
        |m: &Matrix| m.entries().fold(Interval::point(0.0), |sum, x| sum + Interval::point(x) * Interval::point(x));
    let ReducedData { floor, norm, .. } = data;
    let size = data.target.max_abs().max(*norm);
    let unit = power_of_two_near(size);
    // Squares that underflow or overflow are not compared digit by digit.
    let square = Interval::point(norm / unit) * Interval::point(norm / unit);
    let twice = (2.0 * (floor / unit)) / unit;
    let parts = sum(&data.target.map(|x| x / unit)) + Interval::around(twice, 1e-12 * twice);
    let slack = 1e-12 + f64::MIN_POSITIVE / unit / unit;
    let agree = parts.low - slack <= square.high && square.low <= parts.high + slack;
    let holds = *floor >= 0.0 && *norm >= 0.0 && agree;
    let found = format!("floor {floor:e}, not negative; ||Z||^2 + 2 floor = ||Y||^2 with ||Y|| = {norm:e}: {agree}");
    CheckedClaim::exact("the data are second moments", holds, found)
}

/// A descent of order 1 needs a gradient, one of order 2 negative curvature; from a global minimum there is none.
fn order_fits(class: CriticalClass, claim: &PathClaim<Factors, f64>) -> CheckedClaim {
    let least = match class {
        _ if claim.sense == Sense::Ascent => 1,
        CriticalClass::NonStrictSaddle => 3,
        CriticalClass::StrictSaddle => 2,
        CriticalClass::GlobalMinimum | CriticalClass::LocalMinimum => usize::MAX,
        _ => 1,
    };
    let found = format!("a {} of order {} from a point of class {class}", claim.sense.name(), claim.order);
    CheckedClaim::exact("class and order fit together", claim.order >= least, found)
}

/// The change of the loss along a path.
struct Along {
    /// Enclosures of the coefficients, constant first.
    coefficients: Vec<Interval>,
    /// Encloses `L(theta) - L(theta(t))`; `None` where `t` is not positive.
    decrease: Option<Interval>,
    grade: Grade,
}

impl Along {
    fn evaluate(statement: &FloatingStatement, claim: &PathClaim<Factors, f64>) -> Self {
        let highest = claim.path.terms.last().map_or(1, |(power, _)| *power);
        let degree = highest * statement.point.depth() + 1;
        let size = statement.data.inputs.ncols() * statement.point.architecture().parameters();
        if size.saturating_mul(3 * degree) <= EXACT_MULTIPLICATIONS {
            Self::exact(statement, claim)
        } else {
            Self::intervals(statement, claim)
        }
    }

    fn exact(statement: &FloatingStatement, claim: &PathClaim<Factors, f64>) -> Self {
        let number = |x: f64| Dyadic::new(x).filter(|_| x != 0.0);
        let (coefficients, decrease) = evaluate(statement, claim, number, |x| Interval::of_rational(&x.to_rational()));
        Self { coefficients, decrease, grade: Grade::Exact }
    }

    fn intervals(statement: &FloatingStatement, claim: &PathClaim<Factors, f64>) -> Self {
        let number = |x: f64| (x != 0.0).then(|| Interval::point(x));
        let (coefficients, decrease) = evaluate(statement, claim, number, |x| *x);
        Self { coefficients, decrease, grade: Grade::Certified }
    }

    /// Encloses `<A_1, H A_1> / ||A_1||^2` on a straight path.
    fn curvature(&self, claim: &PathClaim<Factors, f64>) -> Option<Interval> {
        let [(1, direction)] = &claim.path.terms[..] else { return None };
        let second = *self.coefficients.get(2)?;
        let square = |x: f64| Interval::point(x) * Interval::point(x);
        let size = direction.to_vector().into_iter().fold(Interval::point(0.0), |sum, x| sum + square(x));
        // Only an upper bound that is negative says something.
        let high = (2.0 * second.high / size.high).next_up();
        (second.high < 0.0 && high < 0.0).then_some(Interval { low: f64::NEG_INFINITY, high })
    }

    fn checks(&self, claim: &PathClaim<Factors, f64>, tolerances: &Tolerances) -> Vec<CheckedClaim> {
        let Some(decrease) = self.decrease else {
            return vec![CheckedClaim::exact("the step t is positive", false, claim.t.to_string())];
        };
        let at_order = self.coefficients.get(claim.order).copied().unwrap_or(Interval::point(0.0));
        let agrees = |found: Interval, claimed: f64| {
            let slack = tolerances.certificate_match * claimed.abs() + SUBNORMAL;
            let inside = found.low - slack <= claimed && claimed <= found.high + slack;
            let known = (found.width()).is_finite() && (!inside || found.width() <= slack);
            known.then_some(inside)
        };
        let sign = |decrease: Interval| {
            let (falls, rises) = (decrease.low > 0.0, decrease.high < 0.0);
            let known = falls || rises || (decrease.low == 0.0 && decrease.high == 0.0);
            known.then_some(if claim.sense == Sense::Descent { falls } else { rises })
        };
        let text = |interval: Interval| format!("in [{:e}, {:e}]", interval.low, interval.high);
        let graded = |claim, holds, found: String| CheckedClaim::graded(claim, holds, self.grade, found);
        let sense = || claim.sense.name().to_owned();
        vec![
            self.order_check(claim, tolerances),
            graded("its coefficient", agrees(at_order, claim.coefficient), text(at_order)),
            graded("its sign", sign(-at_order), sense()),
            graded(DECREASE, agrees(decrease, claim.decrease), text(decrease)),
            graded("the sign of the decrease", sign(decrease), sense()),
        ]
    }

    /// Lower orders count as rounding errors where they change the loss by little.
    fn order_check(&self, claim: &PathClaim<Factors, f64>, tolerances: &Tolerances) -> CheckedClaim {
        let lower = self.coefficients.iter().take(claim.order).enumerate();
        let lower: f64 = lower.map(|(k, c)| c.magnitude() * claim.t.powi(k as i32)).sum();
        let reached = claim.order < self.coefficients.len();
        let negligible = lower <= tolerances.certificate_lower * claim.decrease.abs();
        // Lower orders that are wide enclosures of zero say nothing.
        let width: f64 = self
            .coefficients
            .iter()
            .take(claim.order)
            .enumerate()
            .map(|(k, c)| {
                let inner = if c.contains(0.0) { 0.0 } else { c.low.abs().min(c.high.abs()) };
                inner * claim.t.powi(k as i32)
            })
            .sum();
        let refuted = width > tolerances.certificate_lower * claim.decrease.abs();
        let holds = if !reached || refuted { Some(false) } else { negligible.then_some(true) };
        let found = format!("lower orders change the loss by at most {lower:e} at t");
        CheckedClaim::graded("the order of the first change, up to rounding", holds, self.grade, found)
    }
}

/// The coefficient at the order of the path, where an enclosure gives it to more digits than double precision: near critical points
/// its terms cancel.
pub(super) fn coefficient(statement: &FloatingStatement) -> Option<f64> {
    let claim = statement.path.as_ref()?;
    let found = *Along::evaluate(statement, claim).coefficients.get(claim.order)?;
    let narrow = found.width() <= TIGHT * found.magnitude();
    narrow.then_some(0.5 * found.low + 0.5 * found.high)
}

/// Enclosures of the coefficients of the loss along a path and of its decrease at `t`, in any arithmetic.
fn evaluate<T: Ring>(
    statement: &FloatingStatement,
    claim: &PathClaim<Factors, f64>,
    number: impl Fn(f64) -> Option<T>,
    enclose: impl Fn(&T) -> Interval,
) -> (Vec<Interval>, Option<Interval>) {
    let table = |m: &Matrix| SparseMatrix::from_fn(m.nrows(), m.ncols(), |i, j| number(m[(i, j)]));
    let ground = MatrixLoss {
        layers: statement.point.matrices().iter().map(table).collect(),
        inputs: Some(table(&statement.data.inputs)),
        gram: None,
        target: table(&statement.data.target),
    };
    let half = |x: Option<T>| x.map_or(Interval::point(0.0), |x| enclose(&x).halved());
    let decrease =
        number(claim.t).filter(|_| claim.t > 0.0).map(|t| -half(ground.twice_change(&steps_at(claim, &t, &number))));
    let series = loss_series(&ground, T::clone).twice_change(&series_steps(claim, &number));
    let coefficients = series.map_or_else(Vec::new, |Series(terms)| terms.into_iter().map(half).collect());
    (coefficients, decrease)
}

/// One table a layer, each entry from those of the terms of a path.
fn step_tables<T: Ring>(
    claim: &PathClaim<Factors, f64>,
    entry: impl Fn(&mut dyn Iterator<Item = (usize, f64)>) -> Option<T>,
) -> Vec<SparseMatrix<T>> {
    let Some((_, first)) = claim.path.terms.first() else { return Vec::new() };
    let layers = first.matrices().iter().enumerate();
    let terms = |k: usize, i, j| claim.path.terms.iter().map(move |(power, step)| (*power, step.matrices()[k][(i, j)]));
    layers.map(|(k, m)| SparseMatrix::from_fn(m.nrows(), m.ncols(), |i, j| entry(&mut terms(k, i, j)))).collect()
}

/// `A_1 t + A_2 t^2 + ...` at a number.
fn steps_at<T: Ring>(
    claim: &PathClaim<Factors, f64>,
    t: &T,
    number: &impl Fn(f64) -> Option<T>,
) -> Vec<SparseMatrix<T>> {
    let power = |exponent: usize| (1..exponent).fold(t.clone(), |product, _| product * t.clone());
    step_tables(claim, |terms| {
        let terms = terms.filter_map(|(exponent, x)| Some(number(x)? * power(exponent)));
        terms.reduce(|sum, x| sum + x)
    })
}

/// The same as polynomials.
fn series_steps<T: Ring>(
    claim: &PathClaim<Factors, f64>,
    number: &impl Fn(f64) -> Option<T>,
) -> Vec<SparseMatrix<Series<T>>> {
    step_tables(claim, |terms| {
        let mut out: Vec<Option<T>> = Vec::new();
        for (power, x) in terms {
            out.resize(power + 1, None);
            out[power] = number(x);
        }
        out.iter().any(Option::is_some).then_some(Series(out))
    })
}

#[cfg(test)]
mod tests {
    use num_traits::One as _;

    use super::super::Reduction;
    use super::super::path::{exact_loss, exact_series, exact_steps, twice};
    use super::*;
    use crate::data::ExactMoments;
    use crate::escape::EscapePath;
    use crate::linalg::exact::{Rational, RationalMatrix, rational_from_f64};
    use crate::multiplication::ExactFactors;
    use crate::random::Stream;

    fn rational(m: &Matrix) -> RationalMatrix {
        RationalMatrix::from_fn(m.nrows(), m.ncols(), |i, j| rational_from_f64(m[(i, j)]).unwrap())
    }

    fn exactly(factors: &Factors) -> ExactFactors {
        ExactFactors::new(factors.matrices().iter().map(rational).collect()).unwrap()
    }

    fn statement(point: Factors, inputs: Matrix, target: Matrix) -> FloatingStatement {
        let data = ReducedData { norm: target.frobenius_norm(), inputs, target, floor: 0.0 };
        let class = CriticalClass::StrictSaddle;
        Statement {
            point,
            data,
            class,
            rests_on: Vec::new(),
            criticality: None,
            reduction: Reduction::default(),
            path: None,
        }
    }

    fn claim(terms: Vec<(usize, Factors)>, t: f64) -> PathClaim<Factors, f64> {
        let path = EscapePath { terms };
        PathClaim { path, sense: Sense::Descent, order: 2, coefficient: -1.0, t, decrease: 1.0 }
    }

    fn contains(found: Interval, exact: &Rational) -> bool {
        let end = |x: f64| rational_from_f64(x).unwrap();
        end(found.low) <= *exact && *exact <= end(found.high)
    }

    #[test]
    fn enclosures_contain_what_rational_arithmetic_finds() {
        let mut stream = Stream::new(92, 0);
        for trial in 0..40 {
            let widths = [3, 2, 4, 2];
            let depth = 1 + trial % 3;
            let mut draw = |size: f64| {
                let layers = (0..depth).map(|k| stream.normal_matrix(widths[k + 1], widths[k]).scaled(size));
                Factors::new(layers.collect()).unwrap()
            };
            let point = draw(1.0);
            let claim = claim(vec![(1, draw(1e3)), (1 + depth, draw(1e-3))], 0.3);
            let (inputs, target) = (stream.normal_matrix(3, 2), stream.normal_matrix(widths[depth], 2));
            let (a, z) = (rational(&inputs), rational(&target));
            let data = ExactMoments { xx: &a * &a.transpose(), yx: &z * &a.transpose(), yy: z.squared_norm() };
            let exact_path =
                EscapePath { terms: claim.path.terms.iter().map(|(power, step)| (*power, exactly(step))).collect() };
            let ground = exact_loss(&exactly(&point), &data);
            let series = loss_series(&ground, Rational::clone).twice_change(&exact_series(&exact_path));
            let coefficients = twice(series);
            let t = rational_from_f64(claim.t).unwrap();
            let change = ground.twice_change(&exact_steps(&exact_path, &t)).unwrap();
            let half = Rational::one() / (Rational::one() + Rational::one());
            let statement = statement(point, inputs, target);
            for found in [Along::exact(&statement, &claim), Along::intervals(&statement, &claim)] {
                assert_eq!(found.coefficients.len(), coefficients.len());
                for (enclosure, exact) in found.coefficients.iter().zip(&coefficients) {
                    assert!(contains(*enclosure, &(exact * &half)), "{trial} {enclosure:?} {exact}");
                }
                let decrease = found.decrease.unwrap();
                assert!(contains(decrease, &(-&change * &half)), "{trial} {decrease:?} {change}");
                assert!(decrease.width() <= 1e-9 * decrease.magnitude(), "{trial} {decrease:?}");
            }
        }
    }

    /// `diag(0.1, 0)` and `diag(0.7, 0)` with the target `diag(0.1 * 0.7, 1)`: the residual of the first entry is rounded to zero.
    fn rounded_saddle(t: f64) -> (FloatingStatement, PathClaim<Factors, f64>) {
        let diagonal = |a: f64, b: f64| Matrix::from_diagonal(2, 2, &[a, b]);
        let pair = |first, second| Factors::new(vec![first, second]).unwrap();
        let point = pair(diagonal(0.1, 0.0), diagonal(0.7, 0.0));
        let mut claim = claim(vec![(1, pair(diagonal(1.0, 1.0), diagonal(0.0, 1.0)))], t);
        claim.coefficient = -1.0 + 0.5 * 0.49;
        claim.decrease = -claim.coefficient * t * t;
        (statement(point, diagonal(1.0, 1.0), diagonal(0.1 * 0.7, 1.0)), claim)
    }

    fn holds(checks: &[CheckedClaim], claim: &str) -> Truth {
        checks.iter().find(|check| check.claim() == claim).unwrap().holds()
    }

    #[test]
    fn a_decrease_below_the_rounding_is_not_proved() {
        let tolerances = Tolerances::default();
        let (point, wide) = rounded_saddle(1e-4);
        let checks = Along::intervals(&point, &wide).checks(&wide, &tolerances);
        assert!(checks.iter().all(|check| check.holds() == Truth::Yes), "{checks:#?}");
        let (point, narrow) = rounded_saddle(1e-17);
        let checks = Along::intervals(&point, &narrow).checks(&narrow, &tolerances);
        assert_eq!(holds(&checks, "the sign of the decrease"), Truth::Undecided, "{checks:#?}");
        assert_eq!(holds(&checks, DECREASE), Truth::Undecided);
        assert_eq!(holds(&checks, "the order of the first change, up to rounding"), Truth::Undecided);
        let exact = Along::exact(&point, &narrow).checks(&narrow, &tolerances);
        assert!(holds(&exact, "the sign of the decrease").is_decided());
        // The direction is one of negative curvature all the same.
        assert!(Along::intervals(&point, &narrow).curvature(&narrow).unwrap().high < -0.5);
    }

    #[test]
    fn what_overflows_is_not_proved() {
        let tolerances = Tolerances::default();
        for t in [1e150, 1e300] {
            let (point, mut claim) = rounded_saddle(t);
            claim.decrease = 1.0;
            let checks = Along::intervals(&point, &claim).checks(&claim, &tolerances);
            assert_ne!(holds(&checks, "the sign of the decrease"), Truth::Yes, "{checks:#?}");
            assert_ne!(holds(&checks, DECREASE), Truth::Yes, "{checks:#?}");
        }
    }
}
