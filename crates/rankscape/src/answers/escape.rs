//! Paths that leave a point, by name.

use super::Answer;
use crate::certificate::{Certificate, Sense};
use crate::critical::CriticalClass;
use crate::diagnosis::{Diagnosis, Settings, diagnose};
use crate::error::{InputError, Result};
use crate::escape::{
    ConstructedPath, Construction, Escape, EscapeKind, EscapePath, Judgement, construct, same_function,
};
use crate::linalg::Matrix;
use crate::multiplication::{Factors, product_difference};
use crate::network::NormalizedNetwork;
use crate::problem::Problem;

/// Which paths are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// Every descent of the literature; the best path is the one of the diagnosis.
    Best,
    /// One construction.
    One(Construction),
    /// A path along which the loss rises.
    Ascent,
    /// Weights with the same function that are not critical.
    SameFunction,
}

impl Wanted {
    /// The construction of this name, or the best one.
    ///
    /// # Errors
    /// If there is none.
    pub fn from_name(name: &str) -> Result<Self> {
        if name == "best" {
            return Ok(Self::Best);
        }
        Construction::from_name(name).map(Self::One).ok_or_else(|| {
            let names: Vec<&str> = Construction::DESCENTS.iter().map(|construction| construction.name()).collect();
            InputError::new("there is no construction of this name")
                .value(name)
                .hint(format!("the names are {}, best", names.join(", ")))
        })
    }

    fn constructions(self) -> Vec<Construction> {
        match self {
            Self::Best => Construction::DESCENTS.to_vec(),
            Self::One(construction) => vec![construction],
            Self::Ascent => vec![Construction::Ascent],
            Self::SameFunction => Vec::new(),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct EscapeRequest {
    /// Which paths.
    pub wanted: Wanted,
    /// The path is to be certified, so it must be one of factors: a step of the output bias alone is none.
    pub certified: bool,
}

/// The paths of a point.
#[derive(Debug, Clone)]
pub struct EscapeAnswer {
    /// What the point is.
    pub diagnosis: Diagnosis,
    /// Descent or ascent.
    pub sense: Sense,
    /// The path that is reported; `None` where there is none.
    pub chosen: Option<Escape>,
    /// Every construction that was tried, or why it does not apply.
    pub constructions: Vec<(Construction, std::result::Result<ConstructedPath, &'static str>)>,
    /// The end of a path that keeps the function, where that was asked for and the point is critical.
    pub same_function: Option<SameFunction>,
}

/// The end of the path along which the function stays, and what was measured there.
#[derive(Debug, Clone)]
pub struct SameFunction {
    /// The factors.
    pub end: Factors,
    /// `||theta - theta'||`.
    pub distance: f64,
    /// `||W X - W' X||_F`.
    pub product_error: f64,
    /// Relative gradient at the point, and at the end.
    pub gradients: (f64, f64),
}

/// How far along the path that keeps the function its end lies.
const STEP: f64 = 0.25;

impl SameFunction {
    fn new(problem: &Problem, path: &EscapePath) -> Self {
        let (start, whitening) = (problem.factors(), problem.whitening());
        let end = path.at(start, STEP);
        let relative = |factors: &Factors| {
            let network = NormalizedNetwork::new(factors, whitening);
            network.relative_gradient(problem.unit_roundoff(), problem.tolerances())
        };
        let inputs = whitening.inputs();
        let product_error = match (on_inputs(&end, &inputs), on_inputs(start, &inputs)) {
            (Some(after), Some(before)) => product_difference(&after, &before),
            // No input direction is left.
            _ => 0.0,
        };
        Self {
            distance: end.moved(-1.0, start).norm(),
            product_error,
            gradients: (relative(start), relative(&end)),
            end,
        }
    }
}

/// The factors of `W X`; `None` where `X` has rank zero.
fn on_inputs(factors: &Factors, inputs: &Matrix) -> Option<Factors> {
    let mut matrices = factors.matrices().to_vec();
    matrices[0] = &matrices[0] * inputs;
    Factors::new(matrices).ok()
}

/// Paths out of the point of a problem.
///
/// # Errors
/// If the loss is not representable.
pub fn escape(problem: &Problem, request: EscapeRequest, settings: Settings) -> Result<EscapeAnswer> {
    let diagnosis = diagnose(problem, settings)?;
    let (network, whitening) = (problem.network(), problem.whitening());
    let judgement = Judgement::of(problem, settings.seed);
    let try_one = |name: Construction| {
        if name != Construction::Ascent && !diagnosis.critical {
            return (name, Err("the point is not critical"));
        }
        (name, construct(name, network, whitening, judgement))
    };
    let constructions: Vec<_> = request.wanted.constructions().into_iter().map(try_one).collect();
    let chosen = match request.wanted {
        Wanted::SameFunction => None,
        Wanted::Best => {
            let is_stored = |escape: &Escape| !request.certified || escape.kind != EscapeKind::OutputBias;
            diagnosis.escape.clone().filter(is_stored)
        }
        Wanted::One(_) | Wanted::Ascent => {
            constructions.iter().find_map(|(_, result)| result.as_ref().ok()).map(ConstructedPath::to_escape)
        }
    };
    let kept = (request.wanted == Wanted::SameFunction && diagnosis.critical)
        .then(|| same_function(network, whitening, judgement))
        .flatten();
    Ok(EscapeAnswer {
        sense: if request.wanted == Wanted::Ascent { Sense::Ascent } else { Sense::Descent },
        chosen,
        constructions,
        same_function: kept.map(|path| SameFunction::new(problem, &path)),
        diagnosis,
    })
}

impl EscapeAnswer {
    /// Where the path that is reported ends, or the one that keeps the function.
    ///
    /// # Errors
    /// If there is no path.
    pub fn end(&self, problem: &Problem) -> Result<Factors> {
        let kept = self.same_function.as_ref().map(|same| same.end.clone());
        let reached = || self.chosen.as_ref().map(|escape| escape.path.at(problem.factors(), escape.t));
        kept.or_else(reached).ok_or_else(|| self.no_path())
    }

    /// The certificate of the path that is reported.
    ///
    /// # Errors
    /// If there is no path.
    pub fn certificate(&self, problem: &Problem) -> Result<Certificate> {
        let escape = self.chosen.as_ref().ok_or_else(|| self.no_path())?;
        Ok(Certificate::of(problem, &self.diagnosis, Some(escape), self.sense, problem.tolerances()))
    }

    fn no_path(&self) -> InputError {
        InputError::new("there is no path to write").value(format!("class {}", self.diagnosis.class.name()))
    }
}

impl Answer for EscapeAnswer {
    fn is_undecided(&self) -> bool {
        let nothing = self.chosen.is_none() && self.same_function.is_none();
        nothing && self.diagnosis.class != CriticalClass::GlobalMinimum
    }
}
