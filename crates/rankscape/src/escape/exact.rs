//! Paths over the rationals: every coefficient of the path, of the loss along it and the decrease at the end are exact.

use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use super::change::{Landscape, Steps};
use super::descent::{Escape, EscapeKind, ExactEscape};
use super::least_order::{Crossing, NullSpaces, least_path};
use super::path::{EscapePath, LossOnPath};
use crate::linalg::exact::{Rational, RationalMatrix, rational_from_f64, rational_to_f64};
use crate::linalg::{Algebra as _, Matrix};
use crate::multiplication::{ExactFactors, Factors};
use crate::network::ExactSquareNetwork;

/// Binary digits to which the entries of a direction in double precision are rounded, until the rounded path does.
const DIGITS: [i32; 4] = [6, 12, 24, 52];

/// Binary digits of `t`.
const DIGITS_OF_STEP: i32 = 8;

/// How often a step that does not lower the loss is halved.
const HALVINGS: usize = 200;

/// Share of the decrease in double precision that a rounded path must keep.
const SHARE: f64 = 0.9;

/// A point of the square loss over the rationals.
#[derive(Debug, Clone, Copy)]
pub struct ExactPoint<'a> {
    network: &'a ExactSquareNetwork,
}

impl<'a> ExactPoint<'a> {
    /// The point of a network.
    pub fn new(network: &'a ExactSquareNetwork) -> Self {
        Self { network }
    }

    pub(super) fn landscape(&self) -> Landscape<'_, RationalMatrix> {
        Landscape {
            layers: self.network.factors().matrices(),
            gram: Some(&self.network.data().xx),
            gradient: self.network.gradient(),
        }
    }

    /// Coefficients of `t^0, t^1, ...` of `L(theta(t)) - L(theta)`; the first is zero.
    ///
    /// With `D_k` the common denominator of `W_k` and its steps, and `N` their product, all is made of integers: layers and
    /// steps times `D_k`, `N Q g` and `Q S`, with `Q` the common denominator of both, give `N^2 Q` times the change.
    pub fn change(&self, path: &EscapePath<ExactFactors>) -> Vec<Rational> {
        let layers = self.network.factors().matrices();
        let denominators: Vec<BigInt> = (0..layers.len())
            .map(|k| {
                let steps = path.terms.iter().map(|(_, step)| step.matrices()[k].common_denominator());
                steps.fold(layers[k].common_denominator(), num_integer::lcm)
            })
            .collect();
        let whole: Vec<RationalMatrix> = layers.iter().zip(&denominators).map(|(w, d)| w.times_integer(d)).collect();
        let steps: Steps<RationalMatrix> = path
            .terms
            .iter()
            .map(|(power, step)| {
                let nonzero = |(m, d): (&RationalMatrix, &BigInt)| (!m.is_zero()).then(|| m.times_integer(d));
                (*power, step.matrices().iter().zip(&denominators).map(nonzero).collect())
            })
            .collect();
        let product: BigInt = denominators.iter().product();
        let gradient = self.network.gradient().times_integer(&product);
        let common = num_integer::lcm(gradient.common_denominator(), self.network.data().xx.common_denominator());
        let (gradient, gram) = (gradient.times_integer(&common), self.network.data().xx.times_integer(&common));
        let landscape = Landscape { layers: &whole, gram: Some(&gram), gradient: &gradient };
        let scale = Rational::from_integer(&product * &product * common);
        let divided = |c: Rational| if scale.is_one() { c } else { c / &scale };
        landscape.change(&steps).into_iter().map(divided).collect()
    }

    /// The path of the lowest order out of a non-strict saddle.
    pub fn of_least_order(&self) -> Option<Escape> {
        let ranks = self.network.string_ranks(self.network.data().xx.rank());
        let crossing = Crossing::least(&ranks)?;
        let mut spaces = ExactSpaces { factors: self.network.factors(), xx: &self.network.data().xx };
        let steps = least_path(&self.landscape(), &mut spaces, &crossing)?;
        let found = self.finish(self.path_of(&steps)?, EscapeKind::LeastOrder)?;
        Some(Escape { lowest_order: Some(crossing.order()), ..found })
    }

    /// Minus the gradient, whose slope is known exactly where double precision sees nothing but its rounding errors.
    pub fn downhill(&self) -> Option<Escape> {
        let blocks = self.network.gradient_blocks();
        let largest = blocks.iter().flat_map(RationalMatrix::entries).map(Signed::abs).max()?;
        if largest.is_zero() {
            return None;
        }
        let scale = -largest.recip();
        let steps = blocks.iter().map(|block| block.scaled_by(&scale)).collect();
        self.finish(EscapePath::line(ExactFactors::new(steps).ok()?), EscapeKind::Gradient)
    }

    pub(super) fn path_of(&self, steps: &Steps<RationalMatrix>) -> Option<EscapePath<ExactFactors>> {
        let layers = self.network.factors().matrices();
        let terms = steps.iter().map(|(power, steps)| {
            let matrix = |(step, layer): (&Option<RationalMatrix>, &RationalMatrix)| {
                step.clone().unwrap_or_else(|| RationalMatrix::zeros(layer.nrows(), layer.ncols()))
            };
            Some((*power, ExactFactors::new(steps.iter().zip(layers).map(matrix).collect()).ok()?))
        });
        Some(EscapePath { terms: terms.collect::<Option<_>>()? })
    }

    /// The path in double precision with its entries rounded to few binary digits, as long as the order stays and most of
    /// the decrease does.
    pub fn rounded(&self, escape: &Escape) -> Option<Escape> {
        DIGITS.iter().find_map(|&digits| {
            let terms = escape.path.terms.iter().map(|(power, step)| {
                let largest = step.matrices().iter().map(Matrix::max_abs).fold(0.0, f64::max);
                let matrices = step.matrices().iter().map(|m| rounded_matrix(m, largest, digits));
                Some((*power, ExactFactors::new(matrices.collect::<Option<_>>()?).ok()?))
            });
            let path = EscapePath { terms: terms.collect::<Option<_>>()? };
            let found = self.finish(path, escape.kind)?;
            (found.order == escape.order && found.decrease >= SHARE * escape.decrease).then_some(found)
        })
    }

    /// The loss along a path and its best step; `None` if the loss does not fall.
    pub(super) fn finish(&self, path: EscapePath<ExactFactors>, kind: EscapeKind) -> Option<Escape> {
        let change = self.change(&path);
        let order = change.iter().position(|c| !c.is_zero()).filter(|&order| change[order].is_negative())?;
        let loss = LossOnPath { coefficients: change.iter().map(rational_to_f64).collect() };
        let mut t = rounded_number(loss.best_step(loss.natural_step(order)), DIGITS_OF_STEP)?;
        let mut decrease = -value_at(&change, &t);
        // The polynomial in double precision may mislead about a step; a small enough one lowers the loss.
        for _halving in 0..HALVINGS {
            if decrease.is_positive() {
                break;
            }
            t /= Rational::from_integer(2.into());
            decrease = -value_at(&change, &t);
        }
        let terms = path.terms.iter().map(|(power, step)| {
            Some((*power, Factors::new(step.matrices().iter().map(RationalMatrix::to_matrix).collect()).ok()?))
        });
        let floating = EscapePath { terms: terms.collect::<Option<_>>()? };
        decrease.is_positive().then(|| Escape {
            order,
            lowest_order: None,
            coefficient: rational_to_f64(&change[order]),
            t: rational_to_f64(&t),
            decrease: rational_to_f64(&decrease),
            path: floating,
            loss,
            kind,
            exact: Some(ExactEscape { path, order, change: change[1..].to_vec(), t, decrease }),
        })
    }
}

/// `sum_k c_k t^k`.
pub(super) fn value_at(coefficients: &[Rational], t: &Rational) -> Rational {
    coefficients.iter().rev().fold(Rational::zero(), |sum, c| sum * t + c)
}

/// The number rounded to so many binary digits.
fn rounded_number(value: f64, digits: i32) -> Option<Rational> {
    if value == 0.0 {
        return Some(Rational::zero());
    }
    let unit = 2.0_f64.powi(value.abs().log2().floor() as i32 - digits);
    rational_from_f64((value / unit).round() * unit)
}

/// The entries as multiples of one power of two, `digits` binary digits below the largest.
fn rounded_matrix(matrix: &Matrix, largest: f64, digits: i32) -> Option<RationalMatrix> {
    if largest == 0.0 || !largest.is_finite() {
        return RationalMatrix::from_matrix(matrix);
    }
    let unit = 2.0_f64.powi(largest.log2().floor() as i32 - digits);
    RationalMatrix::from_matrix(&matrix.map(|x| (x / unit).round() * unit))
}

/// Null spaces over the rationals.
struct ExactSpaces<'a> {
    factors: &'a ExactFactors,
    xx: &'a RationalMatrix,
}

impl NullSpaces<RationalMatrix> for ExactSpaces<'_> {
    fn not_reached(&mut self, k: usize) -> Option<RationalMatrix> {
        let reached = &self.factors.partial(k, 0) * self.xx;
        Some(reached.transpose().kernel()).filter(|basis| basis.ncols() > 0)
    }

    fn not_seen(&mut self, k: usize) -> Option<RationalMatrix> {
        let depth = self.factors.architecture().depth();
        Some(self.factors.partial(depth, k).kernel()).filter(|basis| basis.ncols() > 0)
    }

    fn partial(&self, j: usize, i: usize) -> RationalMatrix {
        self.factors.partial(j, i)
    }

    /// Unit vectors at the largest entry.
    fn largest_pair(&self, m: &RationalMatrix) -> (RationalMatrix, RationalMatrix) {
        let (rows, cols) = m.shape();
        let places = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        let (i, j) = places.max_by(|a, b| m[*a].abs().cmp(&m[*b].abs())).unwrap_or((0, 0));
        (unit(rows, i), unit(cols, j))
    }
}

/// Column `at` of the identity.
fn unit(size: usize, at: usize) -> RationalMatrix {
    RationalMatrix::identity(size).select_columns(&[at])
}
