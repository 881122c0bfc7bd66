//! `A = phi' phi` and `b` of an instance in units near one, as enclosures of the numbers given.

use super::instance::{Instance, Metric, TargetSpace};
use crate::error::{InputError, Result};
use crate::linalg::interval::Interval;
use crate::linalg::scalar::{two_product, two_sum};

/// Nonzero numbers of one list may be this many powers of two apart, so that no product of two of them underflows.
const WIDEST_SPAN: i32 = 400;
/// Critical points and their values stay within these powers of two, in which doubles are precise.
const LARGEST_EXPONENT: i32 = 1015;

/// The scaled equations and the units that were taken out.
pub(super) struct NormalEquations {
    /// `A`, `mn x mn`, row by row, in the user's order of entries.
    pub(super) form: Vec<Interval>,
    /// `b`.
    pub(super) linear: Vec<Interval>,
    /// `W = 2^solution` times the solution of the scaled problem.
    pub(super) solution: i32,
    /// `sqrt(h) = 2^norm` times that of the scaled problem.
    pub(super) norm: i32,
}

impl NormalEquations {
    /// # Errors
    /// If the metric is zero, a list spans too many powers of two, or critical points or their values leave the range of
    /// doubles.
    pub(super) fn new(instance: &Instance) -> Result<Self> {
        let (field, numbers) = match &instance.metric {
            Metric::Map(phi) => ("phi", phi),
            Metric::Weights(weights) => ("weights", weights),
        };
        let (metric, metric_exponent) = scaled(field, numbers)?;
        let Some(metric_exponent) = metric_exponent else {
            return Err(InputError::new("the metric must not vanish").array(field).value(0));
        };
        let (target, target_exponent) = scaled("q", &instance.target)?;
        let target_exponent = target_exponent.unwrap_or(0);
        let (form, linear, phi_exponent) = match &instance.metric {
            // An even power, which has a root.
            Metric::Weights(_) => {
                let odd = metric_exponent.rem_euclid(2);
                let weights: Vec<f64> = metric.iter().map(|w| w * power_of_two(odd)).collect();
                let (form, linear) = diagonal(&weights, &target);
                (form, linear, (metric_exponent - odd) / 2)
            }
            Metric::Map(_) => {
                let (form, linear) = dense(&metric, &target, instance);
                (form, linear, metric_exponent)
            }
        };
        let (solution, norm) = match instance.convention {
            TargetSpace::Metric => (target_exponent, target_exponent + phi_exponent),
            TargetSpace::Image => (target_exponent - phi_exponent, target_exponent),
        };
        let found = Self { form, linear, solution, norm };
        found.check_range(&target, numbers.len() / instance.entries())?;
        Ok(found)
    }

    /// Every critical value is at most `h(0)`, since `h(W) = h(0) - ||phi vec W||^2` where `W` is critical along the line
    /// through zero.
    fn check_range(&self, target: &[f64], rows: usize) -> Result<()> {
        // A scaled target is zero, or has an entry between one and two; `LARGEST_EXPONENT` leaves room for 2^8 rows of `phi`.
        let room = 2 * (target.len().ilog2() as i32 + 2) + (rows.ilog2() as i32 - 7).max(0);
        let fits = |exponent: i32, room: i32| -LARGEST_EXPONENT <= exponent && exponent + room <= LARGEST_EXPONENT;
        if target.iter().all(|&q| q == 0.0) || (fits(2 * self.norm, room) && fits(self.solution, 60)) {
            return Ok(());
        }
        let reason = "the loss or its critical points are outside the range of double precision";
        Err(InputError::new(reason)
            .array("q")
            .value(format!("h(0) is about 10^{:.0}", 2.0 * f64::from(self.norm) * std::f64::consts::LOG10_2))
            .hint("divide phi or q by a power of ten: critical points and the root of h are linear in q"))
    }
}

/// The list divided by the power of two that brings its largest entry into `[1, 2)`, and that power; `None` for zeros.
fn scaled(field: &str, list: &[f64]) -> Result<(Vec<f64>, Option<i32>)> {
    let largest = list.iter().fold(0.0f64, |acc, x| acc.max(x.abs()));
    if largest == 0.0 {
        return Ok((list.to_vec(), None));
    }
    let exponent = exponent_of(largest);
    let smallest = |x: &&f64| **x != 0.0 && exponent_of(**x) < exponent - WIDEST_SPAN;
    if let Some(small) = list.iter().find(smallest) {
        return Err(InputError::new("nonzero numbers may differ by a factor of 10^120 at most")
            .array(field)
            .value(format!("{small:e} beside {largest:e}"))
            .hint("write zero for what is negligible"));
    }
    // In two steps: neither factor leaves the range of normal numbers.
    let (first, second) = (-exponent / 2, -exponent - -exponent / 2);
    Ok((list.iter().map(|x| x * power_of_two(first) * power_of_two(second)).collect(), Some(exponent)))
}

/// `floor(log2 |x|)` of a nonzero number.
fn exponent_of(x: f64) -> i32 {
    let bits = |x: f64| ((x.to_bits() >> 52) & 0x7ff) as i32;
    // A subnormal number is brought among the normal ones first.
    if bits(x) == 0 { bits(x * power_of_two(60)) - 1083 } else { bits(x) - 1023 }
}

/// `2^exponent` for exponents of normal numbers, -1022 to 1023.
pub(super) fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + i64::from(exponent)) as u64) << 52)
}

/// `phi' phi` and `phi' q` or `phi' phi vec Q` for scaled numbers.
fn dense(phi: &[f64], target: &[f64], instance: &Instance) -> (Vec<Interval>, Vec<Interval>) {
    let entries = instance.entries();
    let column = |i: usize| phi.iter().skip(i).step_by(entries).copied();
    let mut form = vec![Interval::point(0.0); entries * entries];
    for i in 0..entries {
        for j in i..entries {
            form[i * entries + j] = sum_of_products(column(i).zip(column(j)));
            form[j * entries + i] = form[i * entries + j];
        }
    }
    let linear = |i: usize| match instance.convention {
        TargetSpace::Image => sum_of_products(column(i).zip(target.iter().copied())),
        TargetSpace::Metric => {
            let row = &form[i * entries..][..entries];
            if row.iter().all(|x| x.low == x.high) {
                sum_of_products(row.iter().zip(target).map(|(a, &q)| (a.low, q)))
            } else {
                row.iter().zip(target).fold(Interval::point(0.0), |acc, (&a, &q)| acc + a * Interval::point(q))
            }
        }
    };
    let linear = (0..entries).map(linear).collect();
    (form, linear)
}

fn diagonal(weights: &[f64], target: &[f64]) -> (Vec<Interval>, Vec<Interval>) {
    let entries = target.len();
    let mut form = vec![Interval::point(0.0); entries * entries];
    (0..entries).for_each(|i| form[i * entries + i] = Interval::point(weights[i]));
    (form, weights.iter().zip(target).map(|(&w, &q)| sum_of_products(std::iter::once((w, q)))).collect())
}

/// `sum a b`, a point where double-double arithmetic makes no error (integers of moderate size, say), and otherwise the
/// rounded sum and its neighbours. The numbers must be so large that products and their rounding errors are normal.
fn sum_of_products(pairs: impl Iterator<Item = (f64, f64)>) -> Interval {
    let (mut sum, mut rest, mut doubt) = (0.0f64, 0.0f64, 0.0f64);
    for (a, b) in pairs {
        let (product, tail) = two_product(a, b);
        let (next, carry) = two_sum(sum, product);
        let (low, first) = two_sum(tail, carry);
        let (low, second) = two_sum(rest, low);
        (sum, rest) = (next, low);
        let lost = first.abs() + second.abs();
        if lost > 0.0 {
            doubt = (doubt + lost.next_up()).next_up();
        }
    }
    let (value, lost) = two_sum(sum, rest);
    if doubt == 0.0 && lost == 0.0 {
        return Interval::point(value);
    }
    let spread = (doubt + lost.abs()).next_up();
    Interval { low: (value - spread).next_down(), high: (value + spread).next_up() }
}
