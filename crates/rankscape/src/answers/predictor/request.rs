//! What is asked of a map and what is answered, and what all maps need for it.

use crate::answers::Answer;
use crate::critical::Origin;
use crate::data::ExactMoments;
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, Truth};
use crate::linalg::Matrix;
use crate::parametrization::{Activation, Filters};
use crate::problem::{Data, Layers, WhitenedData};
use crate::tolerance::Tolerances;

/// Which map.
#[derive(Debug, Clone, PartialEq)]
pub enum MapKind {
    /// `W_h ... W_1 X`.
    Linear,
    /// `W_h W_{h-1}/||W_{h-1}|| ... W_1/||W_1|| X`.
    Normalized,
    /// `F_k = sigma_k(W_k F_{k-1})`.
    Pyramidal(Vec<Activation>),
    /// Products of filters on signals of a size.
    Filters(Filters, Option<usize>),
    /// `(I + W_h) ... (I + W_1) X`.
    Residual,
    /// `(I + W_h ... W_1) X`.
    IdentityPlusProduct,
    /// `(W_{h-1} ... W_1 + W_h) X`.
    ProductPlusMatrix,
}

/// What the map is evaluated on.
#[derive(Debug, Clone)]
pub enum PredictorData {
    /// Unit vectors: `X = I`, and one impulse for circulant filters.
    Units,
    /// Samples or a target; `true` where `Y` is that of the square loss, and not left out.
    Factor(Data, bool),
    /// Samples as columns, for maps that are not linear in them.
    Samples(Matrix, Option<Matrix>),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct PredictorRequest {
    /// The map.
    pub map: MapKind,
    /// The blocks of parameters.
    pub layers: Layers,
    /// The data.
    pub data: PredictorData,
    /// Seed of the points at which a generic rank is looked for.
    pub seed: u64,
    /// Tolerances.
    pub tolerances: Tolerances,
}

/// Whether generic parameters reach all predictions nearby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regime {
    /// The generic rank is the number of predictions.
    Overparametrised,
    /// It is smaller.
    Underparametrised,
}

impl Regime {
    /// Lower-case name, as in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overparametrised => "overparametrised",
            Self::Underparametrised => "underparametrised",
        }
    }
}

/// The rank of the Jacobian of predictions.
#[derive(Debug, Clone)]
pub struct PredictorAnswer {
    /// Number of predictions: outputs times samples.
    pub predictions: u64,
    /// Number of parameters.
    pub parameters: usize,
    /// The map is defined here; a normalized one is not where a factor before the last is zero.
    pub defined: bool,
    /// Rank at the weights; `None` where it is not clear, or the map is not differentiable.
    pub rank: Option<usize>,
    /// Rank at generic parameters.
    pub generic_rank: Option<usize>,
    /// By the generic rank.
    pub regime: Option<Regime>,
    /// The gradient of the square loss counts as zero; `None` without targets.
    pub critical: Option<Truth>,
    /// Pure or spurious in the space of predictions; `None` off critical points and where undecided.
    pub origin: Option<Origin>,
    /// The decisions.
    pub evidence: Evidence,
    /// How the generic rank was found.
    pub generic_grade: Grade,
}

impl Answer for PredictorAnswer {
    fn is_undecided(&self) -> bool {
        let origin = match self.critical {
            Some(Truth::Yes) => self.origin.is_none(),
            Some(Truth::Undecided) => true,
            _ => false,
        };
        self.rank.is_none() || self.generic_rank.is_none() || origin
    }
}

/// The origin of a critical point: pure where the rank is the generic one, or where all predictions that the data allow can be reached
/// (`filling`) and the gradient in that space is zero; spurious at other points. `None` where a rank, or what it takes, is not known.
pub(super) fn origin(
    rank: Option<usize>,
    generic: Option<usize>,
    filling: bool,
    least: impl FnOnce() -> Result<Truth>,
) -> Result<Option<Origin>> {
    let (Some(rank), Some(generic)) = (rank, generic) else { return Ok(None) };
    if rank == generic {
        return Ok(Some(Origin::Pure));
    }
    let pure = least()?;
    Ok(match (filling, pure) {
        (true, Truth::Yes) => Some(Origin::Pure),
        // The reachable predictions may have a boundary or cross themselves here.
        (false, Truth::Yes) | (true, Truth::Undecided) | (false, Truth::Undecided) => None,
        (_, Truth::No) => Some(Origin::Spurious),
    })
}

pub(super) fn regime(generic: Option<usize>, predictions: u64) -> Option<Regime> {
    let reached = |generic: usize| generic as u64 == predictions;
    generic.map(|generic| if reached(generic) { Regime::Overparametrised } else { Regime::Underparametrised })
}

pub(super) fn parameters(layers: &[Matrix]) -> usize {
    layers.iter().map(|layer| layer.nrows() * layer.ncols()).sum()
}

pub(super) fn misfit(layer: usize, problem: &str, shape: (usize, usize)) -> InputError {
    InputError::new(problem).array(format!("W{}", layer + 1)).value(format!("shape ({}, {})", shape.0, shape.1))
}

/// Data of a map that is linear in them.
pub(super) struct Reduced {
    pub(super) data: WhitenedData,
    pub(super) has_target: bool,
}

impl Reduced {
    /// The data of a map with so many inputs and outputs; `units` are those that stand for none.
    pub(super) fn new(
        request: &PredictorRequest,
        (inputs, outputs): (usize, usize),
        units: impl FnOnce() -> Result<Data>,
    ) -> Result<Self> {
        let (data, has_target) = match &request.data {
            PredictorData::Factor(data, has_target) => (data.clone(), *has_target),
            PredictorData::Samples(inputs, targets) => {
                let rows = targets.as_ref().unwrap_or(inputs).transpose();
                (Data::samples(&inputs.transpose(), &rows)?, targets.is_some())
            }
            PredictorData::Units => (units()?, false),
        };
        let data = data.whiten(None, &request.tolerances)?;
        let found = (data.whitening.basis.nrows(), data.whitening.target.nrows());
        let fits = found.0 == inputs && (!has_target || found.1 == outputs);
        if !fits {
            return Err(InputError::new("the data do not fit the map")
                .array("data")
                .value(format!("{} inputs and {} outputs; the map has {inputs} and {outputs}", found.0, found.1)));
        }
        Ok(Self { data, has_target })
    }

    pub(super) fn moments(&self) -> Option<&ExactMoments> {
        self.data.exact.as_ref()
    }
}
