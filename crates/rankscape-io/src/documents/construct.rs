//! Strata over a rung and constructed critical points as documents.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use std::collections::BTreeMap;
use std::str::FromStr;

use num_bigint::BigUint;
use serde::Serialize;
use serde_json::{Number, Value};

use super::numbers::{float_rows, rational_rows};
use super::point::{EvidenceDocument, bars};
use super::{BarDocument, RunDocument};
use rankscape::critical::{CapturedFamily, Constructed, CriticalClass, CyclicBar, Gauge, Stratum, TargetBlocks};
use rankscape::data::Whitening;
use rankscape::evidence::{Evidence, Grade, Quantity};
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
        evidence.rest_on(Quantity::Inputs, self.whitening.rank);
        evidence.rest_on(Quantity::Target, TargetBlocks::new(self.whitening, self.tolerances).rank);
        evidence
    }
}

/// One stratum.
#[derive(Debug, Clone, Serialize)]
pub struct StratumDocument {
    pub number: Option<usize>,
    pub barcode: Vec<BarDocument>,
    pub wrapped: Vec<BarDocument>,
    pub class: &'static str,
    pub index: usize,
    pub nullity: usize,
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
            class: facts.class.name(),
            index: facts.inertia.negative,
            nullity: facts.inertia.zero,
            dimension: facts.dimension,
        })
    }
}

/// `rankscape.strata/1`.
#[derive(Debug, Clone, Serialize)]
pub struct StrataDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub widths: Vec<usize>,
    pub data_rank: usize,
    pub spectrum: Vec<f64>,
    pub captured: Vec<usize>,
    pub pattern: Vec<usize>,
    pub rank: usize,
    pub dimension_of_products: usize,
    pub strata: Vec<StratumDocument>,
    pub strata_total: Option<Number>,
    pub evidence: EvidenceDocument,
    pub notes: Vec<String>,
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
            digest: [("data", inputs.data_digest.clone())].into(),
            widths: inputs.widths.to_vec(),
            data_rank: inputs.whitening.rank.rank,
            spectrum: inputs.whitening.singular_values().to_vec(),
            captured: captured.to_vec(),
            pattern: family.pattern().to_vec(),
            rank: family.rank(),
            dimension_of_products: family.product_dimension(),
            strata: strata.filter_map(|(k, stratum)| StratumDocument::new(Some(k + 1), stratum, family)).collect(),
            strata_total: total.and_then(|total| Number::from_str(&total.to_string()).ok()),
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
pub struct CheckDocument {
    pub holds: Option<bool>,
    pub critical: bool,
    pub gradient: f64,
    pub class: Option<&'static str>,
    pub index: Option<usize>,
    pub nullity: Option<usize>,
    pub strings_agree: Option<bool>,
}

/// `rankscape.construct/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ConstructDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub widths: Vec<usize>,
    pub data_rank: usize,
    pub spectrum: Vec<f64>,
    pub captured: Vec<usize>,
    pub pattern: Vec<usize>,
    pub rank: usize,
    pub value: f64,
    pub gauge: &'static str,
    pub stratum: Option<StratumDocument>,
    pub check: CheckDocument,
    pub factors: Option<Vec<Value>>,
    pub saved: Option<String>,
    pub evidence: EvidenceDocument,
    pub notes: Vec<String>,
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
            digest: [("data", inputs.data_digest.clone())].into(),
            widths: inputs.widths.to_vec(),
            data_rank: inputs.whitening.rank.rank,
            spectrum: values.to_vec(),
            captured: found.captured.clone(),
            pattern: found.family.pattern().to_vec(),
            rank: found.family.rank(),
            value: inputs.whitening.floor + 0.5 * omitted.sum::<f64>(),
            gauge: gauge_name(gauge),
            stratum: StratumDocument::new(None, &found.stratum, &found.family),
            check: CheckDocument {
                holds: check.holds,
                critical: check.critical,
                gradient: check.gradient,
                class: point
                    .map(|point| point.class)
                    .filter(|&c| c != CriticalClass::Undecided)
                    .map(CriticalClass::name),
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

fn gauge_name(gauge: Gauge) -> &'static str {
    match gauge {
        Gauge::Canonical => "canonical",
        Gauge::Balanced => "balanced",
        Gauge::Random => "random",
    }
}

fn factors_json(found: &Constructed) -> Vec<Value> {
    match &found.exact {
        Some(exact) => exact.matrices().iter().map(rational_rows).collect(),
        None => found.factors.matrices().iter().map(float_rows).collect(),
    }
}
