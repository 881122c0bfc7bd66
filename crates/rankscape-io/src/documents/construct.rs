//! Strata over a rung and constructed critical points as documents.

use serde::Serialize;

use super::digests::DataDigest;
use super::numbers::{Integer, Rows};
use super::point::{EvidenceDocument, bars};
use super::{BarDocument, RunDocument};
use crate::words::Word;
use rankscape::answers::{ConstructAnswer, StrataAnswer};
use rankscape::critical::{Constructed, CriticalClass, CyclicBar, Gauge, Stratum, StratumFacts};
use rankscape::problem::Landscape;

/// Factors are in the document up to this many parameters.
const INLINE_PARAMETERS: usize = 2000;

/// What a document says beside its answer.
#[derive(Debug, Clone)]
pub struct FamilyInputs<'a> {
    /// Widths and data.
    pub landscape: &'a Landscape,
    /// Digest of the data or the target.
    pub data_digest: String,
    /// Seed.
    pub seed: u64,
    /// What the readers decided.
    pub notes: Vec<String>,
}

/// One stratum.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StratumDocument {
    /// Place in the list of strata, from 1; null where it was not looked up.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub number: Option<usize>,
    /// Barcode of the whitened factors; both ends included.
    pub barcode: Vec<BarDocument>,
    /// Strings that wrap through the residual: from node s to h and on from 0 to t.
    pub wrapped: Vec<BarDocument>,
    /// The class.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["global_minimum", "strict_saddle", "non_strict_saddle"])))]
    pub class: Word<CriticalClass>,
    /// Negative eigenvalues of the Hessian.
    pub index: usize,
    /// Zero eigenvalues, flat directions of the data included.
    pub nullity: usize,
    /// Dimension of the set of all points of the stratum.
    pub dimension: usize,
}

impl StratumDocument {
    fn new(number: Option<usize>, stratum: &Stratum, facts: &StratumFacts) -> Self {
        let bar = |b: CyclicBar| BarDocument { from: b.from, to: b.to, multiplicity: b.multiplicity };
        Self {
            number,
            barcode: bars(&stratum.barcode()),
            wrapped: stratum.wrapped().map(bar).collect(),
            class: Word(facts.class),
            index: facts.inertia.negative,
            nullity: facts.inertia.zero,
            dimension: facts.dimension,
        }
    }
}

/// All strata of critical points over one captured set.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StrataDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.strata/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format.
    pub digest: DataDigest,
    /// Widths d0, ..., dh.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// Rank of X.
    pub data_rank: usize,
    /// Singular values of the whitened target, non-increasing.
    pub spectrum: Vec<f64>,
    /// Captured directions, 1-based into the spectrum.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub captured: Vec<usize>,
    /// How many of each distinct positive singular value are captured.
    pub pattern: Vec<usize>,
    /// Rank of the whitened product.
    pub rank: usize,
    /// Dimension of the set of critical products of the family.
    pub dimension_of_products: usize,
    /// The strata, the one without surplus first.
    pub strata: Vec<StratumDocument>,
    /// Number of all strata; null where counting would take too much memory.
    pub strata_total: Option<Integer>,
    /// Grade and supports of the verdicts.
    pub evidence: EvidenceDocument,
    /// What the reader of the files decided and what should be known of the answer.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

impl StrataDocument {
    /// The document of the answer.
    pub fn new(found: &StrataAnswer, inputs: &FamilyInputs<'_>) -> Self {
        let StrataAnswer { family, captured, listed, total, evidence } = found;
        let whitening = &inputs.landscape.data().whitening;
        let strata = listed.iter().enumerate();
        Self {
            schema: "rankscape.strata/1",
            seed: inputs.seed,
            digest: DataDigest { data: inputs.data_digest.clone().into() },
            widths: inputs.landscape.architecture().widths().to_vec(),
            data_rank: whitening.rank.rank,
            spectrum: whitening.singular_values().to_vec(),
            captured: captured.clone(),
            pattern: family.pattern().to_vec(),
            rank: family.rank(),
            dimension_of_products: family.product_dimension(),
            strata: strata.map(|(k, (stratum, facts))| StratumDocument::new(Some(k + 1), stratum, facts)).collect(),
            strata_total: total.as_ref().map(Integer::from),
            evidence: EvidenceDocument::from(evidence),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}

/// What was found at the point.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckDocument {
    /// Everything found is as asked; null if something is undecided.
    pub holds: Option<bool>,
    /// The gradient counts as zero.
    pub critical: bool,
    /// Relative gradient; 0 if exactly zero.
    pub gradient: f64,
    /// The class found; null if undecided.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["global_minimum", "strict_saddle", "non_strict_saddle", null])))]
    pub class: Option<Word<CriticalClass>>,
    /// Negative eigenvalues found.
    pub index: Option<usize>,
    /// Zero eigenvalues found.
    pub nullity: Option<usize>,
    /// The ranks found are those of the stratum; null if not clear.
    pub strings_agree: Option<bool>,
}

/// One critical point of a chosen family and stratum, checked.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConstructDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.construct/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format.
    pub digest: DataDigest,
    /// Widths d0, ..., dh.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// Rank of X.
    pub data_rank: usize,
    /// Singular values of the whitened target, non-increasing.
    pub spectrum: Vec<f64>,
    /// Captured directions, 1-based into the spectrum.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub captured: Vec<usize>,
    /// How many of each distinct positive singular value are captured.
    pub pattern: Vec<usize>,
    /// Rank of the whitened product.
    pub rank: usize,
    /// Loss at the point, 1/2 ||W X - Y||^2.
    pub value: f64,
    /// Which point of the stratum.
    pub gauge: Word<Gauge>,
    /// The stratum and what holds at all its points.
    pub stratum: Option<StratumDocument>,
    /// What was found at the point.
    pub check: CheckDocument,
    /// W1, ..., Wh by rows, up to 2000 parameters; exact numbers are integers or fractions as text.
    pub factors: Option<Vec<Rows>>,
    /// File that the weights were written to.
    pub saved: Option<String>,
    /// Grade and supports of the verdicts.
    pub evidence: EvidenceDocument,
    /// What the reader of the files decided and what should be known of the answer.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

impl ConstructDocument {
    /// The document of a constructed point.
    pub fn new(answer: &ConstructAnswer, inputs: &FamilyInputs<'_>, gauge: Gauge, saved: Option<String>) -> Self {
        let found = &answer.point;
        let whitening = &inputs.landscape.data().whitening;
        let check = &found.check;
        let point = check.found.as_ref();
        let parameters = found.factors.architecture().parameters();
        let facts = found.family.facts(&found.stratum);
        Self {
            schema: "rankscape.construct/1",
            seed: inputs.seed,
            digest: DataDigest { data: inputs.data_digest.clone().into() },
            widths: inputs.landscape.architecture().widths().to_vec(),
            data_rank: whitening.rank.rank,
            spectrum: whitening.singular_values().to_vec(),
            captured: found.captured.clone(),
            pattern: found.family.pattern().to_vec(),
            rank: found.family.rank(),
            value: answer.value,
            gauge: Word(gauge),
            stratum: facts.map(|facts| StratumDocument::new(None, &found.stratum, &facts)),
            check: CheckDocument {
                holds: check.holds.known(),
                critical: check.critical,
                gradient: check.gradient,
                class: point.map(|point| point.class).filter(|&c| c != CriticalClass::Undecided).map(Word),
                index: point.and_then(|point| point.inertia).map(|inertia| inertia.negative),
                nullity: point.and_then(|point| point.inertia).map(|inertia| inertia.zero),
                strings_agree: check.strings.as_ref().map(|strings| *strings == found.stratum),
            },
            factors: (parameters <= INLINE_PARAMETERS).then(|| factors_json(found)),
            saved,
            evidence: EvidenceDocument::from(&answer.evidence),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}

fn factors_json(found: &Constructed) -> Vec<Rows> {
    match &found.exact {
        Some(exact) => exact.matrices().iter().map(Rows::from).collect(),
        None => found.factors.matrices().iter().map(Rows::from).collect(),
    }
}
