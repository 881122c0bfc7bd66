//! A point in double precision and its data, enclosed: products, their singular values, gradient, and the smallest loss.

use super::claim::{CheckedClaim, GRADIENT};
use super::enclosure::{singular_values, squared_distance_from_rank};
use super::precise::Precise;
use super::statement::{Criticality, ReducedData};
use super::words::{Words, all_quantities};
use crate::critical::CriticalClass;
use crate::evidence::{Grade, Quantity};
use crate::linalg::interval::Interval;
use crate::linalg::{Matrix, vector_norm};
use crate::multiplication::Factors;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Up to this many multiplications products are enclosed.
const LARGEST_EFFORT: usize = 10_000_000_000;

/// Whoever decided first did so in double precision: a singular value that it saw on one side of a tolerance is on that side of
/// the tolerance up to this factor.
pub(super) const FIRST_DECISION: f64 = 2.0;

const ONE: Interval = Interval { low: 1.0, high: 1.0 };

/// The point and its data in units of powers of two, with the singular values of every product.
pub(super) struct EnclosedPoint {
    pub(super) words: Words<Precise>,
    spectra: Vec<(Quantity, Vec<Interval>)>,
    target: Precise,
    /// `||Y||`, with the part that no product reaches.
    target_norm: Interval,
    /// The unit of `W A` in that of `G`, `Z` and `||Y||`.
    pub(super) product_unit: Interval,
    /// In the scales of layers and data.
    terms: Terms,
    /// What relative errors of size 1 of the entries of the layers can move `W A` by.
    moved: f64,
    /// `d_0, ..., d_h` with the rank of `X` in place of `d_0`, and as they are.
    pub(super) widths: Vec<usize>,
    pub(super) all_widths: Vec<usize>,
}

impl EnclosedPoint {
    /// `None` when it is too large.
    pub(super) fn new(point: &Factors, data: &ReducedData) -> Option<Self> {
        let mut widths = point.architecture().widths().to_vec();
        let rank = data.inputs.ncols();
        let widest = widths.iter().copied().max().unwrap_or(0).max(rank);
        let entries = point.architecture().parameters() + widths[0] * rank;
        if 4 * widths.len() * entries * widest > LARGEST_EFFORT {
            return None;
        }
        let all_widths = widths.clone();
        widths[0] = rank;
        let (layers, exponents): (Vec<Precise>, Vec<i32>) = point.matrices().iter().map(Precise::power_scaled).unzip();
        let (inputs, of_inputs) = Precise::power_scaled(&data.inputs);
        let (target, of_target) = Precise::power_scaled(&data.target);
        let (norm, of_norm) = Precise::power_scaled(&Matrix::from_rows(&[vec![data.norm]]));
        let of_product = exponents.iter().sum::<i32>() + of_inputs;
        // The largest unit of those that are there.
        let present = |m: &Precise, exponent| (m.norm().high > 0.0).then_some(exponent);
        let there = layers.iter().all(|layer| layer.norm().high > 0.0).then_some(of_product);
        let unit = [there, present(&target, of_target), present(&norm, of_norm)].into_iter().flatten().max();
        let below = |exponent: i32| (exponent - unit.unwrap_or(exponent)).min(0);
        let target = target.shrunk(below(of_target));
        let absolute = |m: &Precise| m.middle().map(f64::abs);
        let rows = inputs.middle().transpose();
        let rows: Vec<f64> = (0..rows.ncols()).map(|j| vector_norm(rows.column(j))).collect();
        let terms = Terms { layers: layers.iter().map(absolute).collect(), rows };
        let moved = Precise::new(&terms.before(layers.len())).shrunk(below(of_product)).norm().high * (1.0 + 1e-6);
        let words = Words::new(layers, inputs, |output| output.shrunk(below(of_product)).minus(&target));
        let target_norm = norm.shrunk(below(of_norm)).norm();
        let product_unit = Precise::new(&Matrix::identity(1)).shrunk(below(of_product)).norm();
        let mut point =
            Self { words, spectra: Vec::new(), target, target_norm, product_unit, terms, moved, widths, all_widths };
        let distinct = |at: &Quantity| !matches!(at, Quantity::Seen { i: 1.., .. });
        let all = all_quantities(point.words.depth()).into_iter().filter(distinct);
        point.spectra = all
            .filter_map(|at| match at {
                Quantity::Target => Some((at, singular_values(&point.target))),
                _ => Some((at, singular_values(&point.words.matrix(at)?))),
            })
            .collect();
        Some(point)
    }

    /// Singular values of a product.
    pub(super) fn values(&self, quantity: Quantity) -> &[Interval] {
        // Behind the first layer nothing is seen through the data.
        let key = match quantity {
            Quantity::Seen { i, j } if i > 0 => Quantity::Given { i, j },
            other => other,
        };
        self.spectra.iter().find(|(at, _)| *at == key).map_or(&[], |(_, values)| values)
    }

    fn norm(&self, quantity: Quantity) -> Interval {
        self.values(quantity).first().copied().unwrap_or(Interval::point(0.0))
    }

    pub(super) fn depth(&self) -> usize {
        self.words.depth()
    }

    /// `||W_k||` for the layers from the first to the last, times `||A||` if that is among them.
    fn size(&self, layers: std::ops::Range<usize>, with_inputs: bool) -> Interval {
        let start = if with_inputs { self.norm(Quantity::Inputs) } else { ONE };
        layers.fold(start, |size, k| size * self.norm(Quantity::Given { i: k, j: k + 1 }))
    }

    /// The size of the terms of `G`: `||W_h|| ... ||W_1|| ||A|| + ||Y||`.
    fn residual_size(&self) -> Interval {
        self.size(0..self.depth(), true) * self.product_unit + self.target_norm
    }

    /// What a residual that counts as zero must be small beside: `||Y||`; only where that is zero, the terms of `W A`.
    fn stake(&self) -> Interval {
        if self.target_norm.high > 0.0 { self.target_norm } else { self.residual_size() }
    }

    /// What the tolerance of a rank is relative to.
    pub(super) fn scale(&self, quantity: Quantity) -> Interval {
        match quantity {
            Quantity::Inputs => self.norm(Quantity::Inputs),
            Quantity::Output => self.size(0..self.depth(), true),
            Quantity::Seen { i, j } => self.size(i..j, i == 0),
            Quantity::Given { i, j } => self.size(i..j, false),
            Quantity::Wrapped { s, t, .. } => self.size(0..t, t > 0) * self.size(s..self.depth(), false) * self.stake(),
            _ => self.stake(),
        }
    }

    pub(super) fn gradient(&self, stated: Criticality, tolerances: &Tolerances) -> Gradient {
        let depth = self.depth();
        let vanishing = stated.vanishing;
        let whole = self.residual_size();
        let terms_before = |k: usize| self.size(0..k, true).smaller(enclosed(self.terms.before(k).frobenius_norm()));
        let before = |k: usize| measured(self.norm(Quantity::Seen { i: 0, j: k }), terms_before(k), vanishing);
        let output = measured(self.words.output().norm(), terms_before(depth), vanishing);
        let size = output * self.product_unit + self.target_norm;
        let evaluation = relative_rounding(UNIT_ROUNDOFF, &self.all_widths, tolerances);
        let mut found = Gradient { relative: Interval::point(0.0), rounding: Interval::point(0.0), evaluation };
        for k in 1..=depth {
            let block = self.words.gradient(k).norm();
            let factors = self.size(k..depth, false);
            let above = if k < depth {
                let terms = factors.smaller(enclosed(self.terms.after(k).frobenius_norm()));
                measured(self.norm(Quantity::Given { i: k, j: depth }), terms, vanishing)
            } else {
                ONE
            };
            let below = if k == 1 { self.norm(Quantity::Inputs) } else { before(k - 1) };
            found.relative = found.relative.larger(block.ratio(above * below * size));
            found.rounding = found.rounding.larger(block.ratio(factors * self.size(0..k - 1, true) * whole));
        }
        found
    }

    /// What is proved about the class, where the gradient is as claimed: `Some(false)` refutes it.
    pub(super) fn proof(
        &self,
        class: CriticalClass,
        curvature: Option<Interval>,
        stated: Criticality,
        tolerances: &Tolerances,
    ) -> Option<(bool, String)> {
        match class {
            CriticalClass::NotCritical => Some((true, "the gradient is above the threshold".to_owned())),
            CriticalClass::StrictSaddle => {
                let lowest = curvature.filter(|curvature| curvature.high < 0.0)?;
                Some((true, format!("the smallest eigenvalue of the Hessian is at most {:e}", lowest.high)))
            }
            CriticalClass::GlobalMinimum => self.lowest(stated, tolerances),
            _ => None,
        }
    }

    /// The loss against a lower bound of its smallest value, both in units of `1/2 ||Y||^2`.
    fn lowest(&self, stated: Criticality, tolerances: &Tolerances) -> Option<(bool, String)> {
        let rank = self.widths.iter().copied().min().unwrap_or(0);
        let reachable = squared_distance_from_rank(&singular_values(&self.target), rank);
        let gap = (self.words.residual().norm().squared() - reachable).non_negative();
        let allowed = tolerances.certificate_minimum.max(stated.threshold * stated.threshold);
        let excess = gap.ratio(self.target_norm.squared());
        let found =
            |side: &str, value: f64| format!("the loss is {side} {value:e} times 1/2 ||Y||^2 above the smallest value");
        if excess.high <= allowed {
            return Some((true, found("at most", excess.high)));
        }
        // Rounding the entries to their type moves W X by this: then the point stands for one beside it.
        let rounding = self.moved * relative_rounding(stated.unit_roundoff, &self.widths, tolerances);
        let unexplained = allowed * self.target_norm.squared().high + rounding * rounding;
        (gap.low > unexplained).then(|| (false, found("at least", excess.low)))
    }
}

/// What the type of the entries leaves open of a sum of products of this size.
pub(super) fn relative_rounding(unit_roundoff: f64, widths: &[usize], tolerances: &Tolerances) -> f64 {
    let widest = widths.iter().copied().max().unwrap_or(1).max(1) as f64;
    tolerances.rank * unit_roundoff * widest.sqrt()
}

/// The terms that are added up in the products: absolute values of the layers, and the norms of the rows of `A`.
struct Terms {
    layers: Vec<Matrix>,
    rows: Vec<f64>,
}

impl Terms {
    /// `|W_k| ... |W_1| r`.
    fn before(&self, k: usize) -> Matrix {
        let rows = Matrix::from_column_major(self.rows.len(), 1, &self.rows);
        self.layers[..k].iter().fold(rows, |product, layer| layer * &product)
    }

    /// `|W_h| ... |W_{k+1}|` for `k < h`.
    fn after(&self, k: usize) -> Matrix {
        self.layers[k + 1..].iter().fold(self.layers[k].clone(), |product, layer| layer * &product)
    }
}

/// A sum of terms without signs, computed in double precision.
fn enclosed(sum: f64) -> Interval {
    Interval::relatively_around(sum, 1e-9)
}

/// The norm of a product, or the size of its terms where it is less than `vanishing` times that; both where enclosures do not
/// tell.
fn measured(norm: Interval, terms: Interval, vanishing: f64) -> Interval {
    let limit = Interval::point(vanishing) * terms;
    if norm.low >= limit.high {
        norm
    } else if norm.high < limit.low {
        terms
    } else {
        norm.hull(terms)
    }
}

/// The gradient beside the terms that cancel in it.
pub(super) struct Gradient {
    /// `gradient.relative`.
    pub(super) relative: Interval,
    /// The same with norms of factors in place of norms of products.
    rounding: Interval,
    /// What `gradient.relative` is off by where it is evaluated in double precision.
    pub(super) evaluation: f64,
}

impl Gradient {
    /// A gradient within rounding errors of a limit counts as on both sides of it.
    pub(super) fn check(&self, stated: Criticality, claimed: CriticalClass) -> CheckedClaim {
        let Self { relative, rounding, evaluation: slack } = self;
        let zero = relative.high <= stated.threshold + slack || rounding.high <= FIRST_DECISION * stated.rounding;
        let other = relative.low > stated.threshold - slack && rounding.low > stated.rounding / FIRST_DECISION;
        let (claimed, opposite) = if claimed == CriticalClass::NotCritical { (other, zero) } else { (zero, other) };
        let found = format!(
            "relative gradient in [{:.4e}, {:.4e}], threshold {:e}",
            relative.low, relative.high, stated.threshold
        );
        let holds = if claimed { Some(true) } else { opposite.then_some(false) };
        CheckedClaim::graded(GRADIENT, holds, Grade::Certified, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Whitening;
    use crate::network::NormalizedNetwork;
    use crate::random::Stream;

    fn matrix(rows: &[&[f64]]) -> Matrix {
        Matrix::from_rows(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn large_weights_that_the_data_do_not_see_do_not_make_a_minimum() {
        let w = matrix(&[&[1e8, 0.0], &[0.0, 0.0]]);
        let point = Factors::new(vec![w.clone(), w]).unwrap();
        let seen = matrix(&[&[0.0], &[1.0]]);
        let data = ReducedData { inputs: seen.clone(), target: seen, floor: 0.0, norm: 1.0 };
        let found = EnclosedPoint::new(&point, &data).unwrap();
        let stated = Criticality::of(&point, UNIT_ROUNDOFF, &Tolerances::default());
        let (holds, text) = found.lowest(stated, &Tolerances::default()).unwrap();
        assert!(!holds && text.contains("at least 9.99"), "{text}");
    }

    #[test]
    fn the_enclosure_contains_the_relative_gradient_and_is_narrow() {
        let mut stream = Stream::new(93, 0);
        let tolerances = Tolerances::default();
        for depth in 1..5 {
            let layers = (0..depth).map(|_| stream.normal_matrix(3, 3)).collect();
            let point = Factors::new(layers).unwrap();
            let (x, y) = (stream.normal_matrix(3, 3), stream.normal_matrix(3, 3));
            let rest = Matrix::from_diagonal(1, 1, &[1.0]);
            let whitening = Whitening::from_blocks(&x, &y, &rest, &tolerances);
            let network = NormalizedNetwork::new(&point, &whitening);
            let stated = Criticality::of(&point, UNIT_ROUNDOFF, &tolerances);
            let found = EnclosedPoint::new(&point, &ReducedData::of(&whitening)).unwrap().gradient(stated, &tolerances);
            let relative = network.relative_gradient(UNIT_ROUNDOFF, &tolerances);
            let Interval { low, high } = found.relative;
            assert!(low <= relative * (1.0 + 1e-12) && relative <= high * (1.0 + 1e-12), "{depth}");
            assert!(high - low < 1e-11 * relative, "{low} {high} {relative}");
        }
    }
}
