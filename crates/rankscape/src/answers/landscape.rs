//! What is there for data and widths: every critical value, what lies over one, a point of it.

use std::sync::Arc;

use num_bigint::BigUint;

use super::Answer;
use crate::critical::{
    self, CapturedChoice, CapturedFamily, Constructed, Descent, Ladder, Request, Rung, Stratum, StratumFacts,
    TargetBlocks, family_of,
};
use crate::error::Result;
use crate::evidence::{Evidence, Grade, Quantity};
use crate::linalg::Matrix;
use crate::problem::Landscape;

/// Descents listed at most, in multiples of the rungs that may be listed.
const DESCENTS_PER_RUNG: usize = 16;

/// Partial sums that are remembered to count strata.
const COUNTED_STATES: usize = 200_000;

/// All critical values.
#[derive(Debug, Clone)]
pub struct CriticalAnswer {
    /// The ladder.
    pub ladder: Ladder,
    /// The lowest rungs; none where the singular values of the target are not clear.
    pub rungs: Arc<[Rung]>,
    /// The number of descents between them, where those are listed.
    pub descents_total: Option<usize>,
    most_descents: usize,
}

/// The ladder of critical values, with at most `most` rungs listed; `graph`: with the descents between them.
///
/// # Errors
/// If the data do not fit the widths, or a value is not representable.
pub fn critical(landscape: &Landscape, most: usize, graph: bool) -> Result<CriticalAnswer> {
    let ladder = landscape_ladder(landscape)?;
    let clear = ladder.levels().is_clear();
    let rungs: Arc<[Rung]> = if clear { ladder.lowest(most).into() } else { Arc::default() };
    let descents_total = (graph && clear).then(|| ladder.descents_total(&rungs));
    Ok(CriticalAnswer { ladder, rungs, descents_total, most_descents: most.saturating_mul(DESCENTS_PER_RUNG) })
}

fn landscape_ladder(landscape: &Landscape) -> Result<Ladder> {
    let data = landscape.data();
    let widths = landscape.architecture().clone();
    let ladder = Ladder::new(widths, &data.whitening, data.exact.as_ref(), landscape.tolerances())?;
    Ok(ladder.with_free_parameters(landscape.free_parameters()))
}

/// The captured set of the global minima.
///
/// # Errors
/// As [`critical()`].
pub fn global_minima(landscape: &Landscape) -> Result<CapturedChoice> {
    let lowest = landscape_ladder(landscape)?.lowest(1).pop();
    Ok(CapturedChoice::Pattern(lowest.map(|rung| rung.pattern).unwrap_or_default()))
}

impl CriticalAnswer {
    /// The singular values are clear, so that there is a list of rungs.
    pub fn is_clear(&self) -> bool {
        self.ladder.levels().is_clear()
    }

    /// The listed descents, one made at a time.
    pub fn descents(&self) -> impl Iterator<Item = Descent> + '_ {
        self.ladder.descents(&self.rungs).take(self.most_descents)
    }
}

impl Answer for CriticalAnswer {
    fn is_undecided(&self) -> bool {
        !self.is_clear()
    }
}

/// All kinds of critical points over one captured set.
#[derive(Debug, Clone)]
pub struct StrataAnswer {
    /// The family.
    pub family: CapturedFamily,
    /// The captured directions, 1-based.
    pub captured: Vec<usize>,
    /// Those listed, in order, each with what is known of it.
    pub listed: Vec<(Stratum, StratumFacts)>,
    /// How many there are; `None` where there are too many to count.
    pub total: Option<BigUint>,
    /// The decisions about the data.
    pub evidence: Evidence,
}

/// The strata over one captured set, at most `most` of them listed.
///
/// # Errors
/// If there is no such set.
pub fn strata(landscape: &Landscape, choice: &CapturedChoice, most: usize) -> Result<StrataAnswer> {
    let (widths, data) = (landscape.architecture(), landscape.data());
    let (captured, family) = family_of(widths, &data.whitening, data.exact.as_ref(), choice, landscape.tolerances())?;
    let known = |stratum: Stratum| {
        let facts = family.facts(&stratum)?;
        Some((stratum, facts))
    };
    let listed = family.list(most).into_iter().filter_map(known).collect();
    Ok(StrataAnswer {
        captured,
        listed,
        total: family.count(COUNTED_STATES),
        evidence: evidence_of_data(landscape),
        family,
    })
}

/// The decisions about the data.
fn evidence_of_data(landscape: &Landscape) -> Evidence {
    let whitening = &landscape.data().whitening;
    let mut evidence = Evidence::new(Grade::Numerical);
    evidence.rest_on(Quantity::Inputs, whitening.rank);
    evidence.rest_on(Quantity::Target, TargetBlocks::new(whitening, landscape.tolerances()).rank);
    evidence
}

impl Answer for StrataAnswer {
    fn is_undecided(&self) -> bool {
        !self.evidence.is_clear()
    }
}

/// Which point to construct.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ConstructRequest {
    /// A point of a stratum.
    OfStratum(Request),
    /// The point of a captured set with these surplus blocks.
    WithSurplus(CapturedChoice, Vec<Matrix>),
}

/// A constructed critical point.
#[derive(Debug, Clone)]
pub struct ConstructAnswer {
    /// The point and what was found there.
    pub point: Constructed,
    /// `L` there.
    pub value: f64,
    /// What its class rests on; the decisions about the data where it is not critical.
    pub evidence: Evidence,
}

/// Constructs a critical point and checks it without a look at how it was made.
///
/// # Errors
/// If there is no such set or stratum.
pub fn construct(landscape: &Landscape, request: &ConstructRequest) -> Result<ConstructAnswer> {
    let (widths, data, tolerances) = (landscape.architecture(), landscape.data(), landscape.tolerances());
    let whitening = &data.whitening;
    // The ladder refuses data whose values leave the range of double precision.
    landscape_ladder(landscape)?;
    let point = match request {
        ConstructRequest::OfStratum(request) => {
            critical::construct(widths, whitening, data.exact.as_ref(), request, tolerances)?
        }
        ConstructRequest::WithSurplus(captured, blocks) => {
            critical::construct_with_surplus(widths, whitening, captured, blocks, tolerances)?
        }
    };
    let values = whitening.singular_values();
    let omitted = (1..=values.len()).filter(|index| !point.captured.contains(index)).map(|i| values[i - 1].powi(2));
    let value = whitening.floor + 0.5 * omitted.sum::<f64>();
    let found = point.check.found.as_ref();
    let evidence = found.map_or_else(|| evidence_of_data(landscape), |found| found.evidence.clone());
    Ok(ConstructAnswer { point, value, evidence })
}
