//! A quadratic loss on matrices as its user gives it, checked and brought to the form the solver works in.

use super::family::ComplexLoss;
use super::kernel::Shape;
use crate::error::{InputError, Result};
use crate::linalg::exact::rational_from_f64;
use crate::linalg::interval::Interval;
use crate::linalg::scalar::C64;
use crate::linalg::{Matrix, symmetric_eigenvalues};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};
use num_traits::Zero;

/// The inner product in which distance is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// `phi`, `mn x mn`, row by row; `vec` takes the rows of a matrix one after the other.
    Map(Vec<f64>),
    /// `h = sum_ij weights_ij (P - Q)_ij^2`, `m x n`, row by row; zeros mean that an entry is not observed.
    Weights(Vec<f64>),
}

/// What `phi` is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// `h(P) = ||phi vec(P - Q)||^2`.
    Metric,
    /// `h(P) = ||phi vec(P) - q||^2`.
    Image,
}

/// One problem: all critical points of `h` on the `rows x cols` matrices of rank `rank`.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Name that comes back with the answer.
    pub id: String,
    /// Rows `m`.
    pub rows: usize,
    /// Columns `n`.
    pub cols: usize,
    /// Rank `r`, at most `min(m, n)`.
    pub rank: usize,
    /// The metric.
    pub metric: Metric,
    /// `Q` or `q`, `mn` numbers.
    pub target: Vec<f64>,
    /// What `phi` is applied to.
    pub convention: Convention,
}

/// What is known about the number of complex critical points before solving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Any positive definite metric: at most the generic ED degree, with equality for generic ones.
    Definite,
    /// A metric on rows times a metric on columns: at most `C(min, r)` (Eckart and Young).
    Product {
        /// Exactly so, over the rationals; otherwise only up to rounding, and then nothing follows.
        exact: bool,
    },
    /// Not definite: the loss does not see some directions.
    Singular {
        /// Dimension of the kernel of `phi`.
        kernel: usize,
    },
}

/// An instance in the solver's form: `m <= n`, `h = scale (w' A w - 2 b' w) + constant` for `W = unit * w`.
#[derive(Debug, Clone)]
pub struct Loss {
    pub(super) shape: Shape,
    pub(super) transposed: bool,
    /// `A`, `mn x mn`, in the solver's order of entries.
    pub(super) form: Vec<Interval>,
    /// `b`.
    pub(super) linear: Vec<Interval>,
    /// Power of two by which solutions are multiplied on the way back.
    pub(super) unit: f64,
    /// Power of two by which the metric was divided.
    pub(super) metric_unit: f64,
    /// Definite, product or singular.
    pub kind: MetricKind,
    instance: Instance,
}

fn bad(array: &str, problem: impl Into<String>) -> InputError {
    InputError::new(problem).array(array)
}

fn check_list(name: &str, list: &[f64], expected: usize, formula: &str) -> Result<()> {
    if list.len() != expected {
        return Err(bad(name, format!("the list must have {formula} = {expected} numbers")).value(list.len()));
    }
    match list.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(bad(name, "every number must be finite").value(format!("{} at position {at}", list[at]))),
        None => Ok(()),
    }
}

impl Instance {
    /// Checks sizes, rank, lengths and numbers.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn check(&self) -> Result<()> {
        let (m, n) = (self.rows, self.cols);
        if m == 0 || n == 0 || m * n > 144 {
            return Err(bad("m, n", "a matrix must have between 1 and 144 entries").value(format!("{m} x {n}")));
        }
        if self.rank == 0 || self.rank > m.min(n) {
            return Err(bad("r", "the rank must lie between 1 and the smaller size").value(self.rank));
        }
        check_list("q", &self.target, m * n, "m*n")?;
        match &self.metric {
            Metric::Map(phi) => check_list("phi", phi, m * n * m * n, "(m*n)^2"),
            Metric::Weights(weights) => {
                check_list("weights", weights, m * n, "m*n")?;
                if let Some(at) = weights.iter().position(|&w| w < 0.0) {
                    return Err(bad("weights", "weights must not be negative")
                        .value(format!("{} at position {at}", weights[at])));
                }
                if self.convention == Convention::Image {
                    return Err(bad("convention", "weights go with the convention `metric`")
                        .value("image")
                        .hint("give phi, or write the target in the units of the matrix"));
                }
                Ok(())
            }
        }
    }

    /// Sizes with the smaller one first, as start sets have them, and the rank.
    pub fn shape(&self) -> Shape {
        Shape { m: self.rows.min(self.cols), n: self.rows.max(self.cols), r: self.rank }
    }

    /// `h(P)`, without a factor 1/2, for `P` row by row.
    pub fn value(&self, point: &[f64]) -> f64 {
        let entries = self.target.len();
        match (&self.metric, self.convention) {
            (Metric::Weights(weights), _) => {
                weights.iter().zip(point).zip(&self.target).map(|((w, p), q)| w * (p - q) * (p - q)).sum()
            }
            (Metric::Map(phi), Convention::Metric) => {
                let difference: Vec<f64> = point.iter().zip(&self.target).map(|(p, q)| p - q).collect();
                let row = |row: &[f64]| row.iter().zip(&difference).map(|(a, d)| a * d).sum::<f64>().powi(2);
                phi.chunks(entries).map(row).sum()
            }
            (Metric::Map(phi), Convention::Image) => {
                let row = |row: &[f64]| row.iter().zip(point).map(|(a, p)| a * p).sum::<f64>();
                phi.chunks(entries).zip(&self.target).map(|(a, q)| (row(a) - q).powi(2)).sum()
            }
        }
    }

    /// Checks the instance and brings it to the solver's form.
    ///
    /// # Errors
    /// If a list has the wrong length or a number that is not finite, the rank is out of range, a weight is negative,
    /// or the metric is zero.
    pub fn prepare(&self, tolerances: &Tolerances) -> Result<Loss> {
        self.check()?;
        let (form, linear) = self.normal_equations();
        let largest = |list: &[Interval]| list.iter().fold(0.0f64, |acc, x| acc.max(x.magnitude()));
        let (size, target) = (largest(&form), largest(&linear));
        if !(size > 0.0 && size.is_finite() && target.is_finite()) {
            let field = if matches!(self.metric, Metric::Map(_)) { "phi" } else { "weights" };
            return Err(bad(field, "the metric must not vanish, nor overflow").value(size));
        }
        let transposed = self.rows > self.cols;
        let (m, n) = (self.rows.min(self.cols), self.rows.max(self.cols));
        let power = |x: f64| if x > 0.0 { x.log2().round().clamp(-1000.0, 1000.0).exp2() } else { 1.0 };
        let (metric_unit, unit) = (power(size), power(target / size));
        let place = |e: usize| if transposed { (e % n) * m + e / n } else { e };
        let entries = m * n;
        let form: Vec<Interval> = form.into_iter().map(|x| divided(x, metric_unit)).collect();
        let kind = self.kind(&form, tolerances);
        Ok(Loss {
            shape: Shape { m, n, r: self.rank },
            transposed,
            form: (0..entries * entries).map(|e| form[place(e / entries) * entries + place(e % entries)]).collect(),
            linear: (0..entries).map(|e| divided(linear[place(e)], metric_unit * unit)).collect(),
            unit,
            metric_unit,
            kind,
            instance: self.clone(),
        })
    }

    /// Enclosures of `A = phi' phi` and of `b`, exact when everything is an integer of moderate size.
    fn normal_equations(&self) -> (Vec<Interval>, Vec<Interval>) {
        let entries = self.target.len();
        let phi = match &self.metric {
            Metric::Map(phi) => phi,
            Metric::Weights(weights) => return diagonal_equations(weights, &self.target),
        };
        let product =
            |i: usize, j: usize| sum_of_products((0..entries).map(|k| (phi[k * entries + i], phi[k * entries + j])));
        let mut form = vec![Interval::point(0.0); entries * entries];
        for i in 0..entries {
            for j in i..entries {
                form[i * entries + j] = product(i, j);
                form[j * entries + i] = form[i * entries + j];
            }
        }
        let linear = (0..entries).map(|i| match self.convention {
            Convention::Image => sum_of_products((0..entries).map(|k| (phi[k * entries + i], self.target[k]))),
            Convention::Metric => {
                let row = &form[i * entries..][..entries];
                if row.iter().all(|x| x.low == x.high) {
                    sum_of_products(row.iter().zip(&self.target).map(|(a, &q)| (a.low, q)))
                } else {
                    row.iter()
                        .zip(&self.target)
                        .fold(Interval::point(0.0), |acc, (&a, &q)| acc + a * Interval::point(q))
                }
            }
        });
        let linear = linear.collect();
        (form, linear)
    }

    fn kind(&self, form: &[Interval], tolerances: &Tolerances) -> MetricKind {
        let entries = self.target.len();
        let mid = |e: usize| 0.5 * (form[e].low + form[e].high);
        let kernel = match &self.metric {
            Metric::Weights(weights) => weights.iter().filter(|&&w| w == 0.0).count(),
            Metric::Map(_) => {
                let values = symmetric_eigenvalues(&Matrix::from_fn(entries, entries, |i, j| mid(i * entries + j)));
                let values = values.unwrap_or_default();
                let largest = values.last().copied().unwrap_or(0.0);
                let limit = tolerances.metric_rank * UNIT_ROUNDOFF * entries as f64 * largest;
                values.iter().filter(|&&value| value <= limit).count()
            }
        };
        if kernel > 0 {
            return MetricKind::Singular { kernel };
        }
        let limit = tolerances.metric_product * UNIT_ROUNDOFF;
        if !self.is_product(mid, |minor, pivot| minor.abs() <= limit * pivot * pivot) {
            return MetricKind::Definite;
        }
        let exact = form.iter().all(|x| x.low == x.high)
            && self.is_product(|e| rational_from_f64(mid(e)).unwrap_or_default(), |minor, _| minor.is_zero());
        MetricKind::Product { exact }
    }

    /// `A = R (x) C` makes `A[ij, kl] A[bc, bc] = A[ic, kc] A[bj, bl]`; `(b, c)` is the largest diagonal entry.
    fn is_product<T>(&self, entry: impl Fn(usize) -> T, vanishes: impl Fn(T, T) -> bool) -> bool
    where
        T: Clone + PartialOrd + std::ops::Mul<Output = T> + std::ops::Sub<Output = T>,
    {
        let (n, entries) = (self.cols, self.target.len());
        let at = |i: usize, k: usize, j: usize, l: usize| entry((i * n + j) * entries + k * n + l);
        let mut best = 0;
        for e in 1..entries {
            if entry(e * entries + e) > entry(best * entries + best) {
                best = e;
            }
        }
        let (b, c) = (best / n, best % n);
        let pivot = at(b, b, c, c);
        (0..entries * entries).all(|e| {
            let (ij, kl) = (e / entries, e % entries);
            let (i, j, k, l) = (ij / n, ij % n, kl / n, kl % n);
            vanishes(entry(e) * pivot.clone() - at(i, k, c, c) * at(b, b, j, l), pivot.clone())
        })
    }
}

fn diagonal_equations(weights: &[f64], target: &[f64]) -> (Vec<Interval>, Vec<Interval>) {
    let entries = target.len();
    let mut form = vec![Interval::point(0.0); entries * entries];
    (0..entries).for_each(|i| form[i * entries + i] = Interval::point(weights[i]));
    (form, weights.iter().zip(target).map(|(&w, &q)| sum_of_products(std::iter::once((w, q)))).collect())
}

/// The interval divided by a power of two: exact unless an end leaves the range of normal numbers.
fn divided(x: Interval, by: f64) -> Interval {
    let (low, high) = (x.low / by, x.high / by);
    let inexact = |end: f64, from: f64| from != 0.0 && end.abs() < f64::MIN_POSITIVE;
    Interval {
        low: if inexact(low, x.low) { low.next_down() } else { low },
        high: if inexact(high, x.high) { high.next_up() } else { high },
    }
}

/// `sum a b`, exact when all are integers and no partial sum can exceed 2^53.
fn sum_of_products(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Interval {
    let exact = pairs.clone().all(|(a, b)| a.fract() == 0.0 && b.fract() == 0.0)
        && pairs.clone().map(|(a, b)| (a * b).abs()).sum::<f64>() < 9.0e15;
    if exact {
        return Interval::point(pairs.map(|(a, b)| a * b).sum());
    }
    pairs.fold(Interval::point(0.0), |acc, (a, b)| acc + Interval::point(a) * Interval::point(b))
}

impl Loss {
    /// Sizes and rank, with `m <= n`.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The instance this came from.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Midpoints, as a complex loss that happens to be real.
    pub(super) fn as_complex(&self) -> ComplexLoss {
        let mid = |x: &Interval| C64::new(0.5 * x.low + 0.5 * x.high, 0.0);
        ComplexLoss {
            shape: self.shape,
            form: self.form.iter().map(mid).collect(),
            linear: self.linear.iter().map(mid).collect(),
        }
    }

    /// The same loss with another power of two as the unit of solutions.
    pub(super) fn in_unit(&self, unit: f64) -> Self {
        let factor = self.unit / unit;
        let scaled = |x: &Interval| Interval { low: x.low * factor, high: x.high * factor };
        Self { unit, linear: self.linear.iter().map(scaled).collect(), ..self.clone() }
    }

    /// A matrix of the user in the solver's coordinates.
    pub(super) fn to_solver(&self, w: &[f64]) -> Vec<f64> {
        let Shape { m, n, .. } = self.shape;
        let at = |e: usize| if self.transposed { w[(e % n) * m + e / n] } else { w[e] };
        (0..m * n).map(|e| at(e) / self.unit).collect()
    }

    /// A matrix in the solver's coordinates, in the user's shape and units.
    pub(super) fn to_user(&self, w: &[f64]) -> Vec<f64> {
        let Shape { m, n, .. } = self.shape;
        let at = |e: usize| if self.transposed { w[(e % m) * n + e / m] } else { w[e] };
        (0..m * n).map(|e| at(e) * self.unit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(rows: usize, cols: usize, metric: Metric) -> Instance {
        let target = (0..rows * cols).map(|i| i as f64 - 2.0).collect();
        Instance { id: "t".into(), rows, cols, rank: 1, metric, target, convention: Convention::Metric }
    }

    #[test]
    fn kinds_of_metrics_are_told_apart() {
        let kind = |weights: &[f64]| {
            instance(2, 2, Metric::Weights(weights.to_vec())).prepare(&Tolerances::default()).unwrap().kind
        };
        assert_eq!(kind(&[1.0, 1.0, 1.0, 1.0]), MetricKind::Product { exact: true });
        assert_eq!(kind(&[1.0, 2.0, 3.0, 6.0]), MetricKind::Product { exact: true });
        assert_eq!(kind(&[0.1, 0.3, 0.7, 2.1]), MetricKind::Product { exact: false });
        assert_eq!(kind(&[1.0, 2.0, 3.0, 4.0]), MetricKind::Definite);
        assert_eq!(kind(&[1.0, 0.0, 3.0, 4.0]), MetricKind::Singular { kernel: 1 });
    }

    #[test]
    fn bad_instances_are_named() {
        let good = instance(2, 2, Metric::Weights(vec![1.0; 4]));
        let broken = |change: &dyn Fn(&mut Instance)| {
            let mut instance = good.clone();
            change(&mut instance);
            instance.prepare(&Tolerances::default()).unwrap_err().to_string()
        };
        assert!(broken(&|i| i.target[1] = f64::NAN).contains("array q"));
        assert!(broken(&|i| i.rank = 3).contains("array r"));
        assert!(broken(&|i| i.metric = Metric::Map(vec![1.0; 15])).contains("(m*n)^2 = 16"));
        assert!(broken(&|i| i.metric = Metric::Weights(vec![1.0, 1.0, -1.0, 1.0])).contains("negative"));
        assert!(broken(&|i| i.metric = Metric::Weights(vec![0.0; 4])).contains("vanish"));
    }

    #[test]
    fn integer_data_give_exact_normal_equations() {
        let phi: Vec<f64> = (0..16).map(|i| f64::from((i * 7 + 3) % 11 - 5)).collect();
        let loss = instance(2, 2, Metric::Map(phi)).prepare(&Tolerances::default()).unwrap();
        assert!(loss.form.iter().chain(&loss.linear).all(|x| x.low == x.high));
    }
}
