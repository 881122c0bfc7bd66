//! One critical point of a chosen family and stratum, checked.
//!
//! With end frames (output columns `u`, input rows `R`) and bases `B_k` of the inner nodes, a critical point is
//! `W_k = B_k A_k B_{k-1}^{-1}`, where `A_k` moves every string along: `A_k = diag(I_e, Z_k)` with a surplus block `Z_k` of
//! zeros and ones. This is the deep form of `docs/construct.md`, and for two layers that of `[@ZL]` Theorem 1. Over the
//! rationals wherever `Y X^+ X Y'` is diagonal, since then no singular vector is irrational.

mod assemble;
mod check;
mod choice;
mod frame;
mod random;
mod surplus;

pub use check::PointCheck;
pub use choice::StratumChoice;
pub use surplus::construct_with_surplus;

use std::ops::Range;

use super::blocks::TargetBlocks;
use super::strata::{CapturedFamily, Stratum, StratumFacts};
use crate::architecture::Architecture;
use crate::data::ExactMoments;
use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;
use crate::multiplication::{ExactFactors, Factors, RankProfile, balance};
use crate::random::Stream;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};
use assemble::{add_unseen, assemble, continue_unseen};
use frame::{DiagonalTarget, Directions, Frame};
use random::RandomMatrix;

/// Which directions the product captures.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CapturedChoice {
    /// 1-based indices into the non-increasing singular values of the whitened target.
    Indices(Vec<usize>),
    /// How many of each distinct positive singular value; inside a block the first ones.
    Pattern(Vec<usize>),
}

/// Which point of the stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// Unit bases at the inner nodes: the first factor carries the singular values.
    Canonical,
    /// `W_{k+1}' W_{k+1} = W_k W_k'`; only points without surplus have it.
    Balanced,
    /// A random point of the stratum: random bases, end vectors and rotations inside blocks of equal singular values.
    Random,
}

/// What is to be constructed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The captured directions.
    pub captured: CapturedChoice,
    /// The stratum.
    pub stratum: StratumChoice,
    /// The gauge.
    pub gauge: Gauge,
    /// Fill the part of `W_1` that the data do not see with random numbers instead of zeros.
    pub unseen: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// Most strata to look at.
    pub max: usize,
}

/// A constructed critical point.
#[derive(Debug, Clone)]
pub struct Constructed {
    /// The factors, in the coordinates of the data.
    pub factors: Factors,
    /// Their exact values, where the construction is rational.
    pub exact: Option<ExactFactors>,
    /// 1-based captured indices.
    pub captured: Vec<usize>,
    /// The family.
    pub family: CapturedFamily,
    /// The stratum.
    pub stratum: Stratum,
    /// What holds at all points of the stratum.
    pub facts: StratumFacts,
    /// What was found at the point.
    pub check: PointCheck,
}

/// Constructs a critical point of the square loss and checks it.
///
/// `exact` are the exact second moments of the same data, where known.
///
/// # Errors
/// If the widths do not fit the data, or there is no such family, stratum or gauge: which condition fails.
pub fn construct(
    architecture: &Architecture,
    whitening: &Whitening,
    exact: Option<&ExactMoments>,
    request: &Request,
    tolerances: &Tolerances,
) -> Result<Constructed> {
    let exact = exact.filter(|_| request.gauge != Gauge::Balanced);
    let chosen = Chosen::new(architecture, whitening, exact, &request.captured, tolerances)?;
    let Chosen { diagonal, blocks, captured, family } = chosen;
    let omitted: Vec<usize> = blocks.iter().cloned().flatten().filter(|index| !captured.contains(index)).collect();
    let stratum = request.stratum.resolve(&family, request.max)?;
    let facts = family.facts(&stratum).ok_or_else(|| InputError::new("the strings do not fit the widths"))?;
    let directions = Directions { captured: &captured, omitted: &omitted, mixed: request.gauge == Gauge::Random };
    let random = request.gauge == Gauge::Random;
    let mut stream = Stream::new(request.seed, 0);
    let exact_frame = diagonal.as_ref().and_then(|(data, target)| target.frame(data, directions));
    let (factors, exact_factors) = match exact_frame {
        Some(frame) => {
            let found = ExactFactors::new(point(&stratum, &frame, request, &mut stream))?;
            let rounded: Vec<Matrix> = found.matrices().iter().map(RationalMatrix::to_matrix).collect();
            (Factors::new(rounded)?, Some(found))
        }
        None => {
            let turn = random.then_some(&mut stream);
            let frame = Frame::numerical(whitening, &blocks, directions, turn);
            (Factors::new(point(&stratum, &frame, request, &mut stream))?, None)
        }
    };
    let factors = if request.gauge == Gauge::Balanced { balanced(&factors, request, tolerances)? } else { factors };
    let data = exact.filter(|_| exact_factors.is_some());
    let check = PointCheck::new(&factors, exact_factors.as_ref().zip(data), whitening, (&stratum, &facts), tolerances)?;
    let captured = captured.iter().map(|index| index + 1).collect();
    Ok(Constructed { factors, exact: exact_factors, captured, family, stratum, facts, check })
}

/// The family of critical points that capture given directions, and the 1-based captured indices.
///
/// # Errors
/// As [`construct`], but for stratum and gauge.
pub fn family_of(
    architecture: &Architecture,
    whitening: &Whitening,
    exact: Option<&ExactMoments>,
    captured: &CapturedChoice,
    tolerances: &Tolerances,
) -> Result<(Vec<usize>, CapturedFamily)> {
    let chosen = Chosen::new(architecture, whitening, exact, captured, tolerances)?;
    Ok((chosen.captured.iter().map(|index| index + 1).collect(), chosen.family))
}

/// A captured set and the family that it belongs to.
struct Chosen<'a> {
    diagonal: Option<(&'a ExactMoments, DiagonalTarget)>,
    blocks: Vec<Range<usize>>,
    /// 0-based, increasing.
    captured: Vec<usize>,
    family: CapturedFamily,
}

impl<'a> Chosen<'a> {
    fn new(
        architecture: &Architecture,
        whitening: &Whitening,
        exact: Option<&'a ExactMoments>,
        choice: &CapturedChoice,
        tolerances: &Tolerances,
    ) -> Result<Self> {
        fits(architecture, whitening)?;
        let diagonal = exact.and_then(|data| Some((data, DiagonalTarget::new(data)?)));
        let blocks = match &diagonal {
            Some((_, diagonal)) => diagonal.blocks(),
            None => TargetBlocks::new(whitening, tolerances).blocks,
        };
        let captured = captured_indices(choice, &blocks, whitening)?;
        let count = |block: &Range<usize>| captured.iter().filter(|index| block.contains(index)).count();
        let multiplicities: Vec<usize> = blocks.iter().map(Range::len).collect();
        let pattern: Vec<usize> = blocks.iter().map(count).collect();
        let data_rank = diagonal.as_ref().map_or(whitening.rank.rank, |(data, _)| data.xx.rank());
        let family = CapturedFamily::new(architecture, data_rank, &multiplicities, &pattern)?;
        Ok(Self { diagonal, blocks, captured, family })
    }
}

fn point<M: RandomMatrix>(stratum: &Stratum, frame: &Frame<M>, request: &Request, stream: &mut Stream) -> Vec<M> {
    let random = request.gauge == Gauge::Random;
    let mut factors = assemble(stratum, frame, random.then_some(&mut *stream));
    if request.gauge == Gauge::Balanced {
        continue_unseen(&mut factors, stratum, frame);
    }
    if request.unseen {
        add_unseen(&mut factors, frame, stream);
    }
    factors
}

fn fits(architecture: &Architecture, whitening: &Whitening) -> Result<()> {
    let (inputs, outputs) = (whitening.basis.nrows(), whitening.target.nrows());
    if (architecture.inputs(), architecture.outputs()) == (inputs, outputs) {
        return Ok(());
    }
    Err(InputError::new("the data do not fit the widths")
        .array("widths")
        .value(format!("{:?}, data with {inputs} inputs and {outputs} outputs", architecture.widths()))
        .hint("the first width is the number of columns of X, the last that of Y"))
}

/// 0-based, increasing.
fn captured_indices(choice: &CapturedChoice, blocks: &[Range<usize>], whitening: &Whitening) -> Result<Vec<usize>> {
    let positive = blocks.last().map_or(0, |block| block.end);
    let size = whitening.singular_values().len();
    match choice {
        CapturedChoice::Indices(indices) => {
            let mut captured = Vec::new();
            for &index in indices {
                let wrong = |problem: String| InputError::new(problem).array("captured").value(index);
                if index == 0 || index > size {
                    return Err(wrong(format!("captured directions are numbered from 1 to {size}")));
                }
                if index > positive {
                    return Err(wrong(format!(
                        "singular value number {index} of the whitened target is zero: capturing it changes nothing"
                    ))
                    .hint(format!("the positive ones are numbers 1 to {positive}")));
                }
                if captured.contains(&(index - 1)) {
                    return Err(wrong("a captured direction is given twice".into()));
                }
                captured.push(index - 1);
            }
            captured.sort_unstable();
            Ok(captured)
        }
        CapturedChoice::Pattern(pattern) => {
            if pattern.len() != blocks.len() || pattern.iter().zip(blocks).any(|(p, block)| *p > block.len()) {
                let multiplicities: Vec<usize> = blocks.iter().map(ExactSizeIterator::len).collect();
                return Err(InputError::new("the pattern does not fit the singular values")
                    .array("captured")
                    .value(format!("{pattern:?}"))
                    .hint(format!("give one number for each distinct positive value, at most {multiplicities:?}")));
            }
            Ok(pattern.iter().zip(blocks).flat_map(|(p, block)| block.start..block.start + p).collect())
        }
    }
}

fn balanced(factors: &Factors, request: &Request, tolerances: &Tolerances) -> Result<Factors> {
    let profile = RankProfile::new(factors, UNIT_ROUNDOFF, tolerances);
    let found = balance(factors, &profile);
    found.factors.ok_or_else(|| {
        let unseen = if request.unseen { ", and ask for no random part outside the data" } else { "" };
        InputError::new(format!("there is no balanced point: {}", found.possible.reason))
            .array("gauge")
            .value("balanced")
            .hint(format!(
                "the surplus of a balanced point consists of strings [1..h], one for each input direction that the data do not \
                 see at most: choose the minimal stratum{unseen}"
            ))
    })
}
