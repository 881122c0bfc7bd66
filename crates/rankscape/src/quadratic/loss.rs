//! An instance in the form the solver works in: small side first, rows and columns scaled, coefficients as enclosures.

use super::family::{ComplexLoss, Family};
use super::instance::{Instance, Metric};
use super::kernel::Shape;
use super::normal_equations::{NormalEquations, power_of_two};
use crate::determinantal::degrees;
use crate::error::Result;
use crate::linalg::exact::{Rational, RationalMatrix, rational_from_f64};
use crate::linalg::interval::Interval;
use crate::linalg::scalar::C64;
use crate::linalg::{Matrix, singular_values};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

/// What is known about the number of complex critical points before solving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Any positive definite metric: at most the generic ED degree of nondegenerate points, with equality for generic ones.
    Definite,
    /// A metric on rows times a metric on columns: at most `C(min, r)` (Eckart and Young).
    Product {
        /// Exactly so, over the rationals; otherwise only up to rounding, and then it is like any other definite metric.
        exact: bool,
    },
    /// Not definite, over the rationals: the loss does not see some directions. With a kernel so large that `phi` has a rank below
    /// the dimension of the rank-`r` matrices: at most a sum of polar degrees of isolated points (`QuadraticLoss::bound`);
    /// otherwise at most the generic ED degree.
    Singular {
        /// Dimension of the kernel of `phi`.
        kernel: usize,
    },
}

/// `h = scale (w' A w - 2 b' w) + constant` for the solver's `w`; entry `e` of the matrix is `units[e] w[e]`.
///
/// The units are powers of two and of the form `row * column`, so multiplying by them keeps ranks and loses no digit.
#[derive(Debug, Clone)]
pub struct QuadraticLoss {
    pub(super) shape: Shape,
    transposed: bool,
    /// `A`, `mn x mn`, in the solver's order of entries.
    pub(super) form: Vec<Interval>,
    /// `b`.
    pub(super) linear: Vec<Interval>,
    /// Powers of two by which the entries of solutions are multiplied on the way back.
    units: Vec<f64>,
    /// Square root of the unit of `h`.
    pub(super) norm_unit: f64,
    /// Condition number of `A` after scaling (floating point), at most about `10^32`: more cannot be told from singular.
    pub(super) condition: f64,
    /// Definite, product or singular. A metric whose smallest eigenvalue is clear of rounding errors counts as definite without a
    /// proof, on which no count of critical points rests.
    pub kind: MetricKind,
    instance: Instance,
}

impl Instance {
    /// Checks the instance and brings it to the solver's form.
    ///
    /// # Errors
    /// If a list has the wrong length or a number that is not finite, the rank is out of range, a weight is negative, the
    /// metric is zero, or the loss leaves the range of double precision.
    pub fn prepare(&self, tolerances: &Tolerances) -> Result<QuadraticLoss> {
        self.check()?;
        let NormalEquations { form, linear, solution, norm } = NormalEquations::new(self)?;
        let transposed = self.rows > self.cols;
        let (m, n) = (self.rows.min(self.cols), self.rows.max(self.cols));
        let place = |e: usize| if transposed { (e % n) * m + e / n } else { e };
        let entries = m * n;
        let at = |row: usize, col: usize| form[place(row) * entries + place(col)];
        let scales = balancing_scales(m, n, |e| at(e, e).high);
        let form = (0..entries * entries).map(|e| (e / entries, e % entries));
        let form = form.map(|(row, col)| rescaled(at(row, col), scales[row] + scales[col]));
        let form: Vec<Interval> = form.collect();
        let linear: Vec<Interval> = (0..entries).map(|e| rescaled(linear[place(e)], scales[e])).collect();
        let metric_unit = nearest_exponent(&form).unwrap_or(0);
        let unit = nearest_exponent(&linear).map_or(0, |exponent| exponent - metric_unit);
        let form: Vec<Interval> = form.into_iter().map(|x| rescaled(x, -metric_unit)).collect();
        let by_user: Vec<i32> = (0..entries).map(|e| scales[position(e, (m, n), transposed)]).collect();
        let (condition, clearly_definite) = self.conditioning(&by_user, tolerances);
        let mut loss = QuadraticLoss {
            shape: Shape { m, n, r: self.rank },
            transposed,
            linear: linear.into_iter().map(|x| rescaled(x, -metric_unit - unit)).collect(),
            units: scales.iter().map(|scale| power_of_two(scale + unit + solution)).collect(),
            norm_unit: power_of_two(unit + norm) * power_of_two(metric_unit).sqrt(),
            condition,
            kind: MetricKind::Definite,
            form,
            instance: self.clone(),
        };
        loss.kind = loss.metric_kind(clearly_definite, tolerances);
        Ok(loss)
    }

    /// Condition number of `A` with entry `e` of the matrix in units of `2^scales[e]`, and whether its smallest eigenvalue is clear of
    /// rounding errors. From `phi`, whose singular values have digits that the eigenvalues of `phi' phi` have lost.
    fn conditioning(&self, scales: &[i32], tolerances: &Tolerances) -> (f64, bool) {
        let entries = self.entries();
        let (smallest, largest) = match &self.metric {
            Metric::Weights(weights) => {
                let roots = weights.iter().zip(scales).map(|(w, &scale)| w.sqrt() * power_of_two(scale));
                roots.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), x| (low.min(x), high.max(x)))
            }
            Metric::Map(phi) if phi.len() < entries * entries => (0.0, 1.0),
            Metric::Map(phi) => {
                let size = phi.iter().fold(0.0f64, |size, x| size.max(x.abs()));
                let entry = |i: usize, e: usize| phi[i * entries + e] / size * power_of_two(scales[e]);
                let values = singular_values(&Matrix::from_fn(phi.len() / entries, entries, entry));
                (values.last().copied().unwrap_or(0.0), values.first().copied().unwrap_or(0.0))
            }
        };
        let rounding = UNIT_ROUNDOFF * largest;
        ((largest / smallest.max(rounding)).powi(2), smallest > tolerances.metric_rank * entries as f64 * rounding)
    }

    /// Dimension of the kernel of the metric, over the rationals.
    pub(super) fn kernel_dimension(&self) -> usize {
        let entries = self.entries();
        match &self.metric {
            Metric::Weights(weights) => weights.iter().filter(|&&w| w == 0.0).count(),
            Metric::Map(phi) => entries - self.rational(phi).rank(),
        }
    }

    fn rational(&self, phi: &[f64]) -> RationalMatrix {
        let entries = self.entries();
        RationalMatrix::from_fn(phi.len() / entries, entries, |i, j| rational(phi[i * entries + j]))
    }

    /// The metric is one on rows times one on columns, over the rationals: `A[ij, kl] A[00, 00] = A[i0, k0] A[0j, 0l]`.
    fn is_product(&self) -> bool {
        let (n, entries) = (self.cols, self.entries());
        let form = match &self.metric {
            Metric::Weights(weights) => RationalMatrix::from_fn(entries, entries, |row, col| {
                if row == col { rational(weights[row]) } else { Rational::zero() }
            }),
            Metric::Map(phi) => {
                let phi = self.rational(phi);
                &phi.transpose() * &phi
            }
        };
        (0..entries * entries).all(|e| {
            let (row, col) = (e / entries, e % entries);
            &form[(row, col)] * &form[(0, 0)] == &form[(row / n * n, col / n * n)] * &form[(row % n, col % n)]
        })
    }
}

/// The exact value of a number that was checked to be finite.
fn rational(x: f64) -> Rational {
    rational_from_f64(x).unwrap_or_default()
}

/// `2^exponent` times the interval: exact unless an end leaves the range of normal numbers.
fn rescaled(x: Interval, exponent: i32) -> Interval {
    let factor = power_of_two(exponent);
    let (low, high) = (x.low * factor, x.high * factor);
    let inexact = |end: f64, from: f64| from != 0.0 && end.abs() < f64::MIN_POSITIVE;
    Interval {
        low: if inexact(low, x.low) { low.next_down() } else { low },
        high: if inexact(high, x.high) { high.next_up() } else { high },
    }
}

/// The power of two nearest to the largest number, by its exponent; `None` for zeros.
fn nearest_exponent(list: &[Interval]) -> Option<i32> {
    let largest = list.iter().fold(0.0f64, |acc, x| acc.max(x.magnitude()));
    (largest > 0.0).then(|| largest.log2().round() as i32)
}

/// Exponents `a_i + b_j` of two for which `4^(a_i + b_j)` times the diagonal is as near to one as rows and columns allow: least
/// squares for the logarithms, over the entries that are not zero.
fn balancing_scales(m: usize, n: usize, diagonal: impl Fn(usize) -> f64) -> Vec<i32> {
    /// Sweeps over rows and columns: one where no weight is zero, a few more otherwise.
    const SWEEPS: usize = 8;
    let logs: Vec<Option<f64>> =
        (0..m * n).map(|e| Some(diagonal(e)).filter(|&x| x > 0.0).map(|x| -0.5 * x.log2())).collect();
    let (mut rows, mut cols) = (vec![0.0; m], vec![0.0; n]);
    let mean = |terms: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = terms.fold((0.0, 0), |(sum, count), x| (sum + x, count + 1));
        sum / f64::from(count.max(1))
    };
    for _ in 0..SWEEPS {
        for i in 0..m {
            rows[i] = mean(&mut (0..n).filter_map(|j| logs[i * n + j].map(|x| x - cols[j])));
        }
        for j in 0..n {
            cols[j] = mean(&mut (0..m).filter_map(|i| logs[i * n + j].map(|x| x - rows[i])));
        }
    }
    (0..m * n).map(|e| rows[e / n].round() as i32 + cols[e % n].round() as i32).collect()
}

/// Where the solver has entry `e` of the user's matrix, for `m <= n`.
fn position(e: usize, (m, n): (usize, usize), transposed: bool) -> usize {
    if transposed { (e % m) * n + e / m } else { e }
}

impl QuadraticLoss {
    /// Without a proof where the smallest eigenvalue is clear of rounding errors; else over the rationals.
    fn metric_kind(&self, clearly_definite: bool, tolerances: &Tolerances) -> MetricKind {
        let kernel = if clearly_definite { 0 } else { self.instance.kernel_dimension() };
        if kernel > 0 {
            return MetricKind::Singular { kernel };
        }
        if !self.is_nearly_product(tolerances.metric_product * UNIT_ROUNDOFF) {
            return MetricKind::Definite;
        }
        MetricKind::Product { exact: self.instance.is_product() }
    }

    /// `A = R (x) C` if the diagonal has rank one and the correlations are those of `R` times those of `C`.
    fn is_nearly_product(&self, limit: f64) -> bool {
        let Shape { m, n, .. } = self.shape;
        let entries = m * n;
        let mid = |row: usize, col: usize| {
            let x = self.form[row * entries + col];
            0.5 * x.low + 0.5 * x.high
        };
        let root: Vec<f64> = (0..entries).map(|e| mid(e, e).sqrt()).collect();
        let correlation = |row: usize, col: usize| mid(row, col) / (root[row] * root[col]);
        let near = |a: f64, b: f64, size: f64| (a - b).abs() <= limit * size;
        let diagonal = (0..entries).all(|e| {
            let product = root[e / n * n] * root[e % n];
            near(root[e] * root[0], product, product)
        });
        diagonal
            && (0..entries * entries).all(|e| {
                let (row, col) = (e / entries, e % entries);
                let product = correlation(row / n * n, col / n * n) * correlation(row % n, col % n);
                near(correlation(row, col), product, 1.0)
            })
    }

    /// Sizes and rank, with `m <= n`.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The loss vanishes on a set of positive dimension, or nowhere: the rank `rho` of `phi` is below the dimension
    /// `d = r (m + n - r)` of the rank-`r` matrices.
    pub fn vanishes_on_families(&self) -> bool {
        self.seen() < self.shape.dimension()
    }

    /// The rank of `phi`.
    fn seen(&self) -> usize {
        let MetricKind::Singular { kernel } = self.kind else { return self.shape.entries() };
        self.shape.entries() - kernel
    }

    /// Most isolated critical points that a loss of this kind can have, the points of a start set being `generic`.
    ///
    /// With `p_0, p_1, ...` the polar degrees, their sum `generic` the generic ED degree, and `rho` the rank of `phi`: `C(m, r)` for a
    /// product, `sum_{j > d - rho} p_j` where `rho < d`, and `generic` for all others (`docs/quadratic.md`).
    pub(super) fn bound(&self, generic: usize) -> Option<usize> {
        let Shape { m, n, r } = self.shape;
        let fibre = self.shape.dimension().checked_sub(self.seen()).filter(|&fibre| fibre > 0);
        match (self.kind, fibre) {
            (MetricKind::Product { exact: true }, _) => degrees(m, n, r).ok()?.unit.to_usize(),
            (_, Some(fibre)) => degrees(m, n, r).ok()?.polar_degrees.iter().skip(fibre + 1).sum::<BigInt>().to_usize(),
            _ => Some(generic),
        }
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

    /// The constant family of all losses that the enclosures of the coefficients allow: what is certified.
    pub(super) fn enclosed(&self) -> Family {
        let radius = |x: &Interval| {
            let mid = 0.5 * x.low + 0.5 * x.high;
            if x.low == x.high { 0.0 } else { (x.high - mid).max(mid - x.low).next_up() }
        };
        let radii = |list: &[Interval]| list.iter().map(radius).collect();
        Family::around(&self.as_complex(), radii(&self.form), radii(&self.linear))
    }

    /// The same loss in the units of another one with the same metric.
    pub(super) fn in_units_of(&self, other: &Self) -> Self {
        let factor = self.units[0] / other.units[0];
        let scaled = |x: &Interval| Interval { low: x.low * factor, high: x.high * factor };
        Self { units: other.units.clone(), linear: self.linear.iter().map(scaled).collect(), ..self.clone() }
    }

    /// A matrix of the user in the solver's coordinates.
    pub(super) fn to_solver(&self, w: &[f64]) -> Vec<f64> {
        let Shape { m, n, .. } = self.shape;
        let at = |e: usize| if self.transposed { w[(e % n) * m + e / n] } else { w[e] };
        (0..m * n).map(|e| at(e) / self.units[e]).collect()
    }

    /// A matrix in the solver's coordinates, in the user's shape and units.
    pub(super) fn to_user(&self, w: &[f64]) -> Vec<f64> {
        let Shape { m, n, .. } = self.shape;
        let place = |e: usize| position(e, (m, n), self.transposed);
        (0..m * n).map(|e| w[place(e)] * self.units[place(e)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quadratic::TargetSpace;

    fn instance(rows: usize, cols: usize, metric: Metric) -> Instance {
        let target = (0..rows * cols).map(|i| i as f64 - 2.0).collect();
        Instance { id: "t".into(), rows, cols, rank: 1, metric, target, convention: TargetSpace::Metric }
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
        assert!(broken(&|i| i.metric = Metric::Map(vec![1.0; 15])).contains("15 numbers: 3 rows and 3 more"));
        let image = |i: &mut Instance| {
            (i.metric, i.convention) = (Metric::Map(vec![1.0; 12]), TargetSpace::Image);
        };
        assert!(broken(&image).contains("one for each row of phi, k = 3"));
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
