//! The paths of the literature, by name, each with the change of the loss that it predicts.
//!
//! All are built in whitened, normalized coordinates (`A = I`), where the loss is `1/2 ||W - Z||^2` up to a constant and
//! `G = W - Z`; predictions are those of `L` in the parameters as given.

mod chains;
mod orders;
mod site;

use super::ascent;
use super::construction::{Construction, Draft, Prediction};
use super::descent::{Escape, EscapeKind};
use super::judgement::Judgement;
use super::numerical::{WhiteLandscape, as_given};
use super::path::{EscapePath, LossOnPath, NetworkAlongPath};
use crate::data::Whitening;
use crate::network::NormalizedNetwork;
use site::Site;

/// A construction carried out at a point.
#[derive(Debug, Clone)]
pub struct ConstructedPath {
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

impl ConstructedPath {
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

/// Carries out a construction at a critical point, or says why it does not apply there.
///
/// # Errors
/// The hypothesis that fails.
pub fn construct(
    construction: Construction,
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> std::result::Result<ConstructedPath, &'static str> {
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
) -> Option<ConstructedPath> {
    let path = as_given(&draft.steps, network, whitening)?;
    let loss = LossOnPath::new(network, &path);
    let z = network.target_scale();
    let mut prediction = draft.prediction;
    prediction.coefficient *= z * z;
    let rises = prediction.coefficient > 0.0;
    let along = NetworkAlongPath::new(network, &path);
    let t = match draft.end {
        Some(end) => end,
        None if rises => ascent::end(&loss),
        None => loss.confirmed_step(&loss, &along, prediction.order)?,
    };
    prediction.change = prediction.change.map(|change| change * z * z);
    let measured = loss.change(t);
    if !along.confirms(t, measured) {
        return None;
    }
    let coefficient = (!draft.curved).then(|| loss.coefficients.get(prediction.order).copied()).flatten();
    Some(ConstructedPath { construction, prediction, path, loss, t, measured, coefficient })
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
