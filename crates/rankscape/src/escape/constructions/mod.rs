//! The paths of the literature, by name, each with the change of the loss that it predicts.
//!
//! All are built in whitened, normalized coordinates (`A = I`), where the loss is `1/2 ||W - Z||^2` up to a constant and
//! `G = W - Z`; predictions are those of `L` in the parameters as given.

mod chains;
mod orders;

use super::ascent;
use super::change::Steps;
use super::numerical::{Judgement, WhiteLandscape, as_given};
use super::{Escape, EscapeKind, EscapePath, LossOnPath};
use crate::data::Whitening;
use crate::linalg::Matrix;
use crate::multiplication::RankProfile;
use crate::network::NormalizedNetwork;

/// A construction of the literature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Construction {
    /// Rotates a captured singular direction towards a larger omitted one; the rank stays (`[@ZL]`, Proposition 3.1).
    Rotation,
    /// Raises the rank by one, with `eps_2 = eps_1^2` (`[@ZL]`, Proposition 3.2).
    RankOne,
    /// The rotation at some level of a deep network (`[@ZL]`, Theorem 4.1).
    DeepRotation,
    /// The rank-one step in the last two layers of a deep network (`[@ZL]`, Theorem 4.2).
    DeepRankOne,
    /// A second-order path of a degenerate point of two layers (`[@LO]`, Theorem 8).
    SecondOrder,
    /// A chain through null vectors of the single layers (`[@LO]`, Lemma 19).
    Chain,
    /// Through the kernels of the partial products (`[@TKB]`, Proposition 9).
    Kernels,
    /// An ascent: a row of the last layer grows, or, where the output is zero, as few layers as make it non-zero move
    /// (`[@ZL]`, Proposition 3.3, and beyond it).
    Ascent,
}

impl Construction {
    /// The descents, in the order in which they are tried.
    pub const DESCENTS: [Self; 7] = [
        Self::Rotation,
        Self::RankOne,
        Self::DeepRotation,
        Self::DeepRankOne,
        Self::SecondOrder,
        Self::Chain,
        Self::Kernels,
    ];

    /// Name on the command line and in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotation => "zl-3.1",
            Self::RankOne => "zl-3.2",
            Self::DeepRotation => "zl-4.1",
            Self::DeepRankOne => "zl-4.2",
            Self::SecondOrder => "lo-8",
            Self::Chain => "lo-19",
            Self::Kernels => "tkb-9",
            Self::Ascent => "ascent",
        }
    }

    /// The descent with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::DESCENTS.into_iter().find(|construction| construction.name() == name)
    }
}

/// What a construction says about the loss along its path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Order of the first change, in the parameter of the construction.
    pub order: usize,
    /// Its coefficient.
    pub coefficient: f64,
    /// Change of the loss at the end of the path, where the construction states all of it.
    pub change: Option<f64>,
    /// The largest order that the construction can have, where it states one.
    pub order_bound: Option<usize>,
}

/// A construction carried out at a point.
#[derive(Debug, Clone)]
pub struct Constructed {
    /// Which.
    pub construction: Construction,
    /// What it predicts.
    pub prediction: Prediction,
    /// The path in the parameters as given. A rotation is not a polynomial: its path is the line to its end.
    pub path: EscapePath,
    /// The loss along the path.
    pub loss: LossOnPath,
    /// The end of the path.
    pub t: f64,
    /// `L(theta(t)) - L(theta)`, from the path alone.
    pub measured: f64,
    /// The coefficient found at the predicted order; `None` for a rotation.
    pub coefficient: Option<f64>,
}

impl Constructed {
    /// The path as an escape; of an ascent coefficient and decrease have the other sign. The order of a rotation is that of its
    /// line, 1 or 2.
    pub fn to_escape(&self) -> Escape {
        let curved = self.coefficient.is_none();
        let (order, coefficient) =
            if curved { line_order(&self.loss) } else { (self.prediction.order, self.prediction.coefficient) };
        let mut loss = self.loss.clone();
        for lower in &mut loss.coefficients[1..order] {
            *lower = 0.0;
        }
        Escape {
            order,
            lowest_order: None,
            coefficient: self.coefficient.unwrap_or(coefficient),
            t: self.t,
            decrease: -self.measured,
            path: self.path.clone(),
            loss,
            kind: EscapeKind::Construction(self.construction),
            exact: None,
        }
    }
}

/// First order at which the loss changes along a line: the first coefficient is zero at critical points.
fn line_order(loss: &LossOnPath) -> (usize, f64) {
    (2, loss.coefficients[2])
}

/// A construction in whitened coordinates, before it is scaled.
pub(super) struct Draft {
    pub steps: Steps<Matrix>,
    pub prediction: Prediction,
    /// The end of the path where the construction fixes it.
    pub end: Option<f64>,
    /// The steps are those of the end only.
    pub curved: bool,
}

/// What every construction works on.
pub(super) struct Site<'a> {
    pub ground: WhiteLandscape<'a>,
    pub ranks: RankProfile,
    pub judgement: Judgement<'a>,
    /// Singular values up to this count as zero.
    pub zero: f64,
}

/// Carries out a construction at a critical point, or says why it does not apply there.
///
/// # Errors
/// The hypothesis that fails.
pub fn construct(
    construction: Construction,
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> std::result::Result<Constructed, &'static str> {
    if whitening.rank.rank == 0 {
        return Err("X is zero: the loss does not depend on the weights");
    }
    let zero = judgement.tolerances.escape_zero * judgement.tolerances.critical_threshold(judgement.unit_roundoff);
    let draft = match construction {
        Construction::Ascent => ascent::ascent(network.whitened(), zero, judgement.seed),
        _ => descent(construction, network, judgement, zero),
    }?;
    scaled(construction, draft, network, whitening).ok_or("the path cannot be represented")
}

fn descent(
    construction: Construction,
    network: &NormalizedNetwork,
    judgement: Judgement<'_>,
    zero: f64,
) -> std::result::Result<Draft, &'static str> {
    let ground = WhiteLandscape::new(network, judgement).ok_or("the residual is zero: nothing is lower")?;
    let site = Site { ranks: ground.ranks(judgement), ground, judgement, zero };
    let depth = site.ground.factors.depth();
    match construction {
        Construction::Rotation | Construction::RankOne | Construction::SecondOrder if depth != 2 => {
            Err("it is stated for two layers")
        }
        Construction::DeepRotation | Construction::DeepRankOne if depth < 2 => Err("it needs two layers"),
        Construction::Rotation | Construction::DeepRotation => orders::rotation(&site),
        Construction::RankOne | Construction::DeepRankOne => orders::rank_one(&site),
        Construction::SecondOrder => chains::second_order(&site),
        Construction::Chain => chains::chain(&site),
        Construction::Kernels => kernels(&site),
        Construction::Ascent => Err("it does not descend"),
    }
}

fn kernels(site: &Site<'_>) -> std::result::Result<Draft, &'static str> {
    let found = site.ground.kernel_path(site.judgement, 2);
    let found = found.ok_or("no layer has a gradient along the kernels: rank W X is the largest possible")?;
    let prediction = Prediction { order: found.order, coefficient: found.coefficient, change: None, order_bound: None };
    Ok(Draft { steps: found.steps, prediction, end: None, curved: false })
}

/// The construction in the parameters as given.
fn scaled(
    construction: Construction,
    draft: Draft,
    network: &NormalizedNetwork,
    whitening: &Whitening,
) -> Option<Constructed> {
    let path = as_given(&draft.steps, network, whitening)?;
    let loss = LossOnPath::new(network, &path);
    let z = network.target_scale();
    let mut prediction = draft.prediction;
    prediction.coefficient *= z * z;
    let rises = prediction.coefficient > 0.0;
    let t = draft.end.unwrap_or_else(|| {
        if rises { ascent::end(&loss) } else { loss.best_step(loss.natural_step(prediction.order)) }
    });
    prediction.change = prediction.change.map(|change| change * z * z);
    let measured = loss.change(t);
    let coefficient = (!draft.curved).then(|| loss.coefficients.get(prediction.order).copied()).flatten();
    Some(Constructed { construction, prediction, path, loss, t, measured, coefficient })
}

/// A point of the same function that is not critical (`theta_3` of Figure 1 of `[@TKB]`): the perturbation of the path through the
/// kernels, without its last step. The path is linear and the product stays along all of it.
pub fn same_function(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> Option<EscapePath> {
    let found = WhiteLandscape::new(network, judgement)?.kernel_path(judgement, 2)?;
    as_given(&vec![(1, found.perturbation)], network, whitening)
}
