//! Strata over a rung and constructed critical points as documents.

use num_bigint::BigUint;
use serde::Serialize;

use super::digests::DataDigest;
use super::numbers::{Integer, Rows};
use super::point::{EvidenceDocument, bars};
use super::{BarDocument, RunDocument};
use crate::words::Word;
use rankscape::critical::{CapturedFamily, Constructed, CriticalClass, CyclicBar, Gauge, Stratum, TargetBlocks};
use rankscape::data::Whitening;
use rankscape::evidence::{Evidence, Grade};
use rankscape::tolerance::Tolerances;

/// Factors are in the document up to this many parameters.
const INLINE_PARAMETERS: usize = 2000;

/// What a document says beside its answer.
#[derive(Debug, Clone)]
pub struct FamilyInputs<'a> {
    /// `d_0, ..., d_h`.
    pub widths: &'a [usize],
    /// The data.
    pub whitening: &'a Whitening,
    /// Digest of the data or the target.
    pub data_digest: String,
    /// Seed.
    pub seed: u64,
    /// Tolerances used.
    pub tolerances: &'a Tolerances,
}

impl FamilyInputs<'_> {
    /// The decisions about the data.
    fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::new(Grade::Numerical);
        evidence.rest_on("rank X", self.whitening.rank);
        evidence.rest_on("rank of the whitened target", TargetBlocks::new(self.whitening, self.tolerances).rank);
        evidence
    }
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
    /// `None` when the stratum is not one of the family.
    pub fn new(number: Option<usize>, stratum: &Stratum, family: &CapturedFamily) -> Option<Self> {
        let facts = family.facts(stratum)?;
        let bar = |b: CyclicBar| BarDocument { from: b.from, to: b.to, multiplicity: b.multiplicity };
        Some(Self {
            number,
            barcode: bars(&stratum.barcode()),
            wrapped: stratum.wrapped().map(bar).collect(),
            class: Word(facts.class),
            index: facts.inertia.negative,
            nullity: facts.inertia.zero,
            dimension: facts.dimension,
        })
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
    /// The document of the strata that are listed, in order, of `total` in all.
    pub fn new(
        inputs: &FamilyInputs<'_>,
        family: &CapturedFamily,
        captured: &[usize],
        listed: &[Stratum],
        total: Option<&BigUint>,
    ) -> Self {
        let strata = listed.iter().enumerate();
        Self {
            schema: "rankscape.strata/1",
            seed: inputs.seed,
            digest: DataDigest { data: inputs.data_digest.clone().into() },
            widths: inputs.widths.to_vec(),
            data_rank: inputs.whitening.rank.rank,
            spectrum: inputs.whitening.singular_values().to_vec(),
            captured: captured.to_vec(),
            pattern: family.pattern().to_vec(),
            rank: family.rank(),
            dimension_of_products: family.product_dimension(),
            strata: strata.filter_map(|(k, stratum)| StratumDocument::new(Some(k + 1), stratum, family)).collect(),
            strata_total: total.map(Integer::from),
            evidence: EvidenceDocument::from(&inputs.evidence()),
            notes: Vec::new(),
            run: RunDocument::default(),
        }
    }

    /// A decision about the data is not clear.
    pub fn is_undecided(&self) -> bool {
        self.evidence.rests_on.iter().any(|support| !support.clear)
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
    pub fn new(inputs: &FamilyInputs<'_>, found: &Constructed, gauge: Gauge, saved: Option<String>) -> Self {
        let values = inputs.whitening.singular_values();
        let omitted = (1..=values.len()).filter(|index| !found.captured.contains(index)).map(|i| values[i - 1].powi(2));
        let check = &found.check;
        let point = check.found.as_ref();
        let evidence = point.map_or_else(|| inputs.evidence(), |point| point.evidence.clone());
        let parameters = found.factors.architecture().parameters();
        Self {
            schema: "rankscape.construct/1",
            seed: inputs.seed,
            digest: DataDigest { data: inputs.data_digest.clone().into() },
            widths: inputs.widths.to_vec(),
            data_rank: inputs.whitening.rank.rank,
            spectrum: values.to_vec(),
            captured: found.captured.clone(),
            pattern: found.family.pattern().to_vec(),
            rank: found.family.rank(),
            value: inputs.whitening.floor + 0.5 * omitted.sum::<f64>(),
            gauge: Word(gauge),
            stratum: StratumDocument::new(None, &found.stratum, &found.family),
            check: CheckDocument {
                holds: check.holds,
                critical: check.critical,
                gradient: check.gradient,
                class: point.map(|point| point.class).filter(|&c| c != CriticalClass::Undecided).map(Word),
                index: point.and_then(|point| point.inertia).map(|inertia| inertia.negative),
                nullity: point.and_then(|point| point.inertia).map(|inertia| inertia.zero),
                strings_agree: check.strings.as_ref().map(|strings| *strings == found.stratum),
            },
            factors: (parameters <= INLINE_PARAMETERS).then(|| factors_json(found)),
            saved,
            evidence: EvidenceDocument::from(&evidence),
            notes: Vec::new(),
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
