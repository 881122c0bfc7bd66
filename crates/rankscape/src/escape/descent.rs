//! Paths along which the loss falls.

use super::construction::Construction;
use super::path::{EscapePath, LossOnPath, NetworkAlongPath};
use crate::linalg::exact::Rational;
use crate::multiplication::ExactFactors;
use crate::network::NormalizedNetwork;

/// A path along which the loss falls, and by how much.
#[derive(Debug, Clone)]
pub struct Escape {
    /// Lowest `k` with a non-zero coefficient of `t^k`: 1 at non-critical points, 2 at strict saddles.
    pub order: usize,
    /// The lowest order of any path out of the point; `None` where that is not known.
    pub lowest_order: Option<usize>,
    /// That coefficient; negative.
    pub coefficient: f64,
    /// Where on the path the decrease is measured.
    pub t: f64,
    /// `L(theta) - L(theta(t)) > 0`.
    pub decrease: f64,
    /// `A_k`, in the parameters as given.
    pub path: EscapePath,
    /// Coefficients of `L(theta(t))`, constant first; those below the order are zero.
    pub loss: LossOnPath,
    /// What the path is.
    pub kind: EscapeKind,
    /// The same in rational arithmetic, for exact input.
    pub exact: Option<ExactEscape>,
}

impl Escape {
    /// The path up to the best step; coefficients of the loss below `order` are rounding errors of the gradient and become
    /// zero, but count for the decrease. `None` when the loss does not fall.
    pub(crate) fn new(network: &NormalizedNetwork, path: EscapePath, kind: EscapeKind, order: usize) -> Option<Self> {
        let mut loss = LossOnPath::new(network, &path);
        let as_it_is = loss.clone();
        // A path of steps that underflow changes nothing.
        let coefficient = *loss.coefficients.get(order)?;
        for coefficient in &mut loss.coefficients[1..order] {
            *coefficient = 0.0;
        }
        let t = loss.confirmed_step(&as_it_is, &NetworkAlongPath::new(network, &path), order)?;
        let decrease = -as_it_is.change(t);
        let falls = coefficient < 0.0 && decrease > 0.0;
        falls.then_some(Self { order, lowest_order: None, coefficient, t, decrease, path, loss, kind, exact: None })
    }
}

/// What a direction of escape is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscapeKind {
    /// Minus the gradient.
    Gradient,
    /// An eigenvector of the most negative curvature.
    NegativeCurvature,
    /// Rank one in every layer: feeds the largest omitted singular direction through units that carry little.
    OmittedDirection,
    /// The output bias moves to its best value.
    OutputBias,
    /// The layers are opened through their kernels, which keeps the product, and one of them steps down.
    Kernels,
    /// Rank one in the layers that string the fewest bars of the barcode together: of the lowest order there is.
    LeastOrder,
    /// A construction of the literature.
    Construction(Construction),
}

impl EscapeKind {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::NegativeCurvature => "negative_curvature",
            Self::OmittedDirection => "omitted_direction",
            Self::OutputBias => "output_bias",
            Self::Kernels => "kernels",
            Self::LeastOrder => "least_order",
            Self::Construction(construction) => construction.name(),
        }
    }
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
