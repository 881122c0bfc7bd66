//! Paths over the rationals: every coefficient of the path, of the loss along it and the decrease at the end are exact.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use super::change::{Landscape, Steps};
use super::kernels::{KernelPath, Spaces, kernel_path};
use super::path::{EscapePath, LossOnPath};
use super::products::Products;
use super::{Escape, EscapeKind};
use crate::critical::{ExactData, ExactSquareNetwork};
use crate::linalg::exact::{Rational, RationalMatrix, rational_from_f64, rational_to_f64};
use crate::linalg::{Algebra as _, Matrix};
use crate::multiplication::{ExactFactors, Factors};
use crate::random::Stream;

/// A non-strict saddle cannot be left at a lower order.
const LEAST_ORDER: usize = 3;

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
    factors: &'a ExactFactors,
    data: &'a ExactData,
    network: &'a ExactSquareNetwork<'a>,
}

/// A path over the rationals along which the loss falls.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactEscape {
    /// `A_k`.
    pub path: EscapePath<ExactFactors>,
    /// Lowest `k` with a non-zero coefficient of `t^k`.
    pub order: usize,
    /// Coefficients of `t^1, t^2, ...` of the change of the loss.
    pub change: Vec<Rational>,
    /// Where the decrease is measured.
    pub t: Rational,
    /// `L(theta) - L(theta(t))`.
    pub decrease: Rational,
}

impl<'a> ExactPoint<'a> {
    /// The point of `network`, which was made of `factors` and `data`.
    pub fn new(factors: &'a ExactFactors, data: &'a ExactData, network: &'a ExactSquareNetwork<'a>) -> Self {
        Self { factors, data, network }
    }

    pub(super) fn landscape(&self) -> Landscape<'_, RationalMatrix> {
        Landscape { layers: self.factors.matrices(), gram: Some(&self.data.xx), gradient: self.network.gradient() }
    }

    /// Coefficients of `t^0, t^1, ...` of `L(theta(t)) - L(theta)`; the first is zero.
    ///
    /// With `D_k` the common denominator of `W_k` and its steps, and `N` their product, all is made of integers: layers and
    /// steps times `D_k`, `N Q g` and `Q S`, with `Q` the common denominator of both, give `N^2 Q` times the change.
    pub fn change(&self, path: &EscapePath<ExactFactors>) -> Vec<Rational> {
        let layers = self.factors.matrices();
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
        let common = num_integer::lcm(gradient.common_denominator(), self.data.xx.common_denominator());
        let (gradient, gram) = (gradient.times_integer(&common), self.data.xx.times_integer(&common));
        let landscape = Landscape { layers: &whole, gram: Some(&gram), gradient: &gradient };
        let scale = Rational::from_integer(&product * &product * common);
        let divided = |c: Rational| if scale.is_one() { c } else { c / &scale };
        landscape.change(&steps).into_iter().map(divided).collect()
    }

    /// The path of lowest order through the kernels of the layers, out of a point with `rank W X` below the bottleneck
    /// and a gradient in matrix space that is not zero.
    pub fn through_kernels(&self, seed: u64) -> Option<Escape> {
        let found = self.kernel_path(seed, LEAST_ORDER)?;
        let path = self.path_of(&found.steps)?;
        self.finish(path, EscapeKind::Kernels)
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

    pub(super) fn kernel_path(&self, seed: u64, least: usize) -> Option<KernelPath<RationalMatrix>> {
        let (u, v) = self.ends()?;
        kernel_path(&self.landscape(), &mut self.spaces(seed), &u, &v, least)
    }

    fn spaces(&self, seed: u64) -> ExactSpaces<'a> {
        ExactSpaces {
            widths: self.factors.architecture().widths(),
            products: Products::new(self.factors.matrices()),
            xx: &self.data.xx,
            seed,
            stream: Stream::new(seed, 0),
            known: BTreeMap::new(),
        }
    }

    /// Unit vectors `u`, `v` with `u' g v` the largest entry of `g`.
    pub(super) fn ends(&self) -> Option<(RationalMatrix, RationalMatrix)> {
        let g = self.network.gradient();
        let (rows, cols) = g.shape();
        let places = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        let (i, j) = places.max_by(|a, b| g[*a].abs().cmp(&g[*b].abs()))?;
        (!g[(i, j)].is_zero()).then(|| (unit(rows, i), unit(cols, j)))
    }

    pub(super) fn path_of(&self, steps: &Steps<RationalMatrix>) -> Option<EscapePath<ExactFactors>> {
        let layers = self.factors.matrices();
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

/// Column `at` of the identity.
pub(super) fn unit(size: usize, at: usize) -> RationalMatrix {
    RationalMatrix::identity(size).select_columns(&[at])
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

/// Null spaces over the rationals, each computed once.
struct ExactSpaces<'a> {
    widths: &'a [usize],
    products: Products<'a, RationalMatrix>,
    xx: &'a RationalMatrix,
    seed: u64,
    stream: Stream,
    known: BTreeMap<(bool, usize, usize), Option<RationalMatrix>>,
}

impl ExactSpaces<'_> {
    /// `P(k, a)`, for `a = 0` times `X X'`.
    fn seen(&mut self, k: usize, a: usize) -> RationalMatrix {
        let product = self.products.partial(k, a);
        if a == 0 { product * self.xx } else { product.clone() }
    }
}

impl Spaces<RationalMatrix> for ExactSpaces<'_> {
    fn rank(&mut self, a: usize, k: usize) -> usize {
        match (a, k) {
            (0, 0) => self.xx.rank(),
            _ if a == k => self.widths[a],
            _ => self.seen(k, a).rank(),
        }
    }

    fn draw_again(&mut self) {
        self.stream = Stream::new(self.seed, 0);
    }

    fn left(&mut self, k: usize, a: usize) -> Option<RationalMatrix> {
        if let Some(known) = self.known.get(&(true, k, a)) {
            return known.clone();
        }
        let basis = Some(self.seen(k, a).transpose().kernel()).filter(|basis| basis.ncols() > 0);
        self.known.entry((true, k, a)).or_insert(basis).clone()
    }

    fn right(&mut self, b: usize, k: usize) -> Option<RationalMatrix> {
        let products = &mut self.products;
        let kernel = || Some(products.partial(b, k).kernel()).filter(|basis| basis.ncols() > 0);
        self.known.entry((false, b, k)).or_insert_with(kernel).clone()
    }

    /// With small integers that are not zero.
    fn combination(&mut self, basis: &RationalMatrix) -> RationalMatrix {
        let column = RationalMatrix::from_fn(basis.ncols(), 1, |_, _| {
            let sign = if self.stream.uniform() < 0.5 { -1 } else { 1 };
            Rational::from_integer((sign * self.stream.integer(1, 2)).into())
        });
        basis * &column
    }

    fn layer_size(&self, _k: usize) -> f64 {
        1.0
    }

    fn vanishes(&self, m: &RationalMatrix, _size: f64) -> bool {
        m.is_zero()
    }
}
