//! The ladder of critical values as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use std::collections::BTreeMap;
use std::sync::Arc;

use num_bigint::BigUint;
use serde::{Serialize, Serializer};
use serde_json::{Map, Number, Value, json};

use super::point::EvidenceDocument;
use super::{Normalization, RunDocument};
use rankscape::critical::{Descent, Ladder, Rung};
use rankscape::tolerance::Tolerances;

/// Descents listed at most, in multiples of the rungs that may be listed.
const DESCENTS_PER_RUNG: usize = 16;

/// What the document says beside the ladder.
#[derive(Debug, Clone, Default)]
pub struct CriticalInputs {
    /// Digest of the weights, where their widths were used.
    pub weights_digest: Option<String>,
    /// Digest of the data or the target.
    pub data_digest: String,
    /// Number of samples; of columns, for a target.
    pub samples: u64,
    /// A target was given in place of samples.
    pub from_target: bool,
    /// What the readers decided.
    pub notes: Vec<String>,
    /// What the loss is divided by.
    pub normalization: Normalization,
    /// Seed.
    pub seed: u64,
    /// Tolerances used.
    pub tolerances: Tolerances,
    /// Rungs listed at most.
    pub most: usize,
    /// List the descents between listed rungs.
    pub graph: bool,
}

/// `rankscape.critical/1`.
#[derive(Debug, Clone, Serialize)]
pub struct CriticalDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub widths: Vec<usize>,
    pub bottleneck_rank: usize,
    pub filling: bool,
    pub samples: Option<u64>,
    pub data_rank: usize,
    pub effective_bottleneck_rank: Option<usize>,
    pub normalization: &'static str,
    pub spectrum: Vec<f64>,
    pub levels: Option<Vec<LevelDocument>>,
    pub rungs: RungsDocument,
    pub rungs_total: Option<Number>,
    pub global_minimum: f64,
    pub value_at_origin: f64,
    pub global_minima: Option<GlobalMinimaDocument>,
    pub bad_local_minima: BadLocalMinimaDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph: Option<GraphDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_total: Option<usize>,
    pub evidence: EvidenceDocument,
    pub tolerances: Map<String, Value>,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// A distinct positive singular value.
#[derive(Debug, Clone, Serialize)]
pub struct LevelDocument {
    pub value: f64,
    pub multiplicity: usize,
}

/// The listed rungs; written as a list of [`RungDocument`], one made at a time.
#[derive(Debug, Clone)]
pub struct RungsDocument {
    rungs: Arc<[Rung]>,
    factor: f64,
}

impl RungsDocument {
    /// The rungs.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RungDocument> {
        self.rungs.iter().map(|rung| rung_document(rung, self.factor))
    }

    /// The loss at one of them.
    pub fn value(&self, at: usize) -> Option<f64> {
        self.rungs.get(at).map(|rung| self.factor * rung.value)
    }
}

impl Serialize for RungsDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A rung.
#[derive(Debug, Clone, Serialize)]
pub struct RungDocument {
    pub value: f64,
    pub rank: usize,
    pub pattern: Vec<usize>,
    pub captured: Vec<usize>,
    pub index_in_function_space: usize,
    pub multiplicity: usize,
    pub dimension: DimensionDocument,
    pub is_global_minimum: bool,
    pub classes: &'static str,
}

/// Dimensions of a family.
#[derive(Debug, Clone, Serialize)]
pub struct DimensionDocument {
    pub function_space: usize,
    pub parameters: usize,
}

/// The set of global minimizers.
#[derive(Debug, Clone, Serialize)]
pub struct GlobalMinimaDocument {
    pub dimension: usize,
    pub components: Number,
    pub tie_at_cut: bool,
    pub splitting_nodes: Vec<usize>,
}

/// Whether other local minima can exist.
#[derive(Debug, Clone, Serialize)]
pub struct BadLocalMinimaDocument {
    pub verdict: &'static str,
    pub reason: &'static str,
}

/// The descents between listed rungs; written as a list of [`DescentDocument`], one made at a time.
#[derive(Debug, Clone)]
pub struct GraphDocument {
    ladder: Ladder,
    rungs: Arc<[Rung]>,
    most: usize,
    factor: f64,
}

impl GraphDocument {
    /// The descents.
    pub fn descents(&self) -> impl Iterator<Item = DescentDocument> {
        self.ladder.descents(&self.rungs).take(self.most).map(|descent| descent_document(&descent, self.factor))
    }
}

impl Serialize for GraphDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.descents())
    }
}

/// A descent between listed rungs.
#[derive(Debug, Clone, Serialize)]
pub struct DescentDocument {
    pub from: usize,
    pub to: usize,
    pub kind: &'static str,
    pub gives_up: Option<usize>,
    pub gains: usize,
    pub decrease: f64,
}

impl CriticalDocument {
    /// The document of a ladder; values are multiplied by the normalization.
    pub fn new(ladder: &Ladder, inputs: &CriticalInputs) -> Self {
        let architecture = ladder.architecture();
        let levels = ladder.levels();
        let clear = levels.is_clear();
        let factor = inputs.normalization.factor(inputs.samples, architecture.outputs());
        let rungs: Arc<[Rung]> = if clear { ladder.lowest(inputs.most).into() } else { Arc::default() };
        let graph = (inputs.graph && clear).then(|| GraphDocument {
            ladder: ladder.clone(),
            rungs: Arc::clone(&rungs),
            most: inputs.most.saturating_mul(DESCENTS_PER_RUNG),
            factor,
        });
        let mut digest = BTreeMap::from([("data", inputs.data_digest.clone())]);
        digest.extend(inputs.weights_digest.clone().map(|weights| ("weights", weights)));
        let minima = ladder.bad_local_minima();
        Self {
            schema: "rankscape.critical/1",
            seed: inputs.seed,
            digest,
            widths: architecture.widths().to_vec(),
            bottleneck_rank: architecture.bottleneck_rank(),
            filling: architecture.is_filling(),
            samples: (!inputs.from_target).then_some(inputs.samples),
            data_rank: levels.data_rank,
            effective_bottleneck_rank: clear.then(|| ladder.effective_bottleneck()),
            normalization: inputs.normalization.name(),
            spectrum: levels.spectrum.clone(),
            levels: clear.then(|| {
                let level =
                    |l: &rankscape::critical::Level| LevelDocument { value: l.value, multiplicity: l.multiplicity };
                levels.levels.iter().map(level).collect()
            }),
            graph_total: graph.as_ref().map(|_| ladder.descents_total(&rungs)),
            graph,
            rungs: RungsDocument { rungs, factor },
            rungs_total: clear.then(|| integer(&ladder.rungs_total())),
            global_minimum: factor * ladder.global_minimum(),
            value_at_origin: factor * ladder.value_at_origin(),
            global_minima: clear.then(|| {
                let found = ladder.global_minima();
                GlobalMinimaDocument {
                    dimension: found.dimension,
                    components: integer(&found.components),
                    tie_at_cut: found.tie_at_cut,
                    splitting_nodes: found.splitting_nodes,
                }
            }),
            bad_local_minima: BadLocalMinimaDocument { verdict: minima.name(), reason: minima.reason() },
            evidence: EvidenceDocument::from(&levels.evidence),
            tolerances: inputs
                .tolerances
                .entries()
                .iter()
                .map(|&(name, value)| (name.to_owned(), json!(value)))
                .collect(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }

    /// Something that was asked for is undecided.
    pub fn is_undecided(&self) -> bool {
        self.rungs_total.is_none()
    }
}

fn rung_document(rung: &Rung, factor: f64) -> RungDocument {
    RungDocument {
        is_global_minimum: rung.is_global_minimum(),
        value: factor * rung.value,
        rank: rung.rank,
        pattern: rung.pattern.clone(),
        captured: rung.captured.clone(),
        index_in_function_space: rung.index_in_function_space,
        multiplicity: rung.multiplicity,
        dimension: DimensionDocument { function_space: rung.family_dimension, parameters: rung.parameter_dimension },
        classes: rung.classes.name(),
    }
}

fn descent_document(descent: &Descent, factor: f64) -> DescentDocument {
    DescentDocument {
        from: descent.from,
        to: descent.to,
        kind: descent.kind.name(),
        gives_up: descent.gives_up,
        gains: descent.gains,
        decrease: factor * descent.decrease,
    }
}

/// A JSON integer of any size.
fn integer(value: &BigUint) -> Number {
    value.to_string().parse().unwrap_or_else(|_| Number::from(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rankscape::architecture::Architecture;
    use rankscape::data::{TriangularFactor, Whitening};
    use rankscape::linalg::Matrix;
    use rankscape::work::{Step, counted};

    #[test]
    fn no_more_rungs_are_made_than_are_listed() {
        // 2^60 rungs and one.
        let values: Vec<f64> = (0..60).map(|k| 100.0 + f64::from(k)).collect();
        let target = TriangularFactor::from_target(&Matrix::from_diagonal(60, 60, &values));
        let tolerances = Tolerances::default();
        let widths = Architecture::new(vec![60, 60, 60]).unwrap();
        let ladder = Ladder::new(widths, &Whitening::new(&target, &tolerances), None, &tolerances).unwrap();
        let inputs = CriticalInputs { most: 20, graph: true, ..CriticalInputs::default() };
        let (text, work) = counted(|| crate::documents::to_json(&CriticalDocument::new(&ladder, &inputs)));
        // Those listed, and the one that the set of global minimizers is read off.
        assert_eq!(work.of(Step::Rung), 21);
        assert_eq!(text.matches("\"is_global_minimum\"").count(), 20);
        let mut rungs = ladder.rungs();
        assert_eq!(rungs.by_ref().take(20).count(), 20);
        assert!(rungs.pushes() <= 3 * 20 + 1, "{}", rungs.pushes());
    }
}
