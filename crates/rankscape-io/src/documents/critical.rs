//! The ladder of critical values as a document.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::decay::{ClosedForm, DecayRungDocument, ThresholdDocument, WitnessDocument};
use super::digests::{Digest, LadderDigest};
use super::landscape::{GradedValueDocument, LocalMinimumDocument, SeparabilityDocument};
use super::numbers::Integer;
use super::point::{EvidenceDocument, TolerancesDocument};
use super::{Normalization, RunDocument};
use crate::words::Word;
use rankscape::answers::CriticalAnswer;
use rankscape::critical::{BadLocalMinima, DecayRung, Descent, DescentKind, Levels, Rung, RungClasses};
use rankscape::riemannian::BadMinima;
use rankscape::tolerance::Tolerances;

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
}

/// Every critical value of the square loss L = 1/2 ||W_h ... W_1 X - Y||_F^2 for given data and widths, or of
/// L + (l/2) sum ||W_k||_F^2 with weight decay l, or what is known of the landscape of another loss. Values are those of L,
/// multiplied by what `normalization` says. Undecided answers are null, and so is what is said of the square loss only.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CriticalDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.critical/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format of the files.
    pub digest: LadderDigest,
    /// d_0, ..., d_h. A constant feature for a first-layer bias counts in d_0.
    #[cfg_attr(feature = "schema", schemars(length(min = 2), inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// r = min d_i, the largest rank of a product.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub bottleneck_rank: usize,
    /// r = min(d_0, d_h): every matrix is a product.
    pub filling: bool,
    /// Number of samples; null for a target.
    pub samples: Option<u64>,
    /// Which loss.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::loss::LOSS_NAMES)))]
    pub loss: &'static str,
    /// Rank of X: centred with an output bias, with the constant feature for a first-layer bias; null for other losses than
    /// the square.
    pub data_rank: Option<usize>,
    /// min(rank X, d_1, ..., d_h): the largest rank of W X on critical points; null if a decision is not clear.
    pub effective_bottleneck_rank: Option<usize>,
    /// What is reported: L, L / n, or 2 L / (n d_h).
    pub normalization: Word<Normalization>,
    /// Singular values of the whitened target, non-increasing; null for other losses than the square.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 0))))]
    pub spectrum: Option<Vec<f64>>,
    /// Distinct positive singular values, decreasing; null if a decision is not clear.
    pub levels: Option<Vec<LevelDocument>>,
    /// l of (l/2) sum ||W_k||^2 beside the sum loss; null without --weight-decay. With it, values are those of the whole.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub weight_decay: Option<f64>,
    /// Why all critical points with weight decay are known; null where they are not, and without decay.
    pub closed_form: Option<Word<ClosedForm>>,
    /// For every place in `levels` the decays at which a direction is lost; null without decay, empty without closed form.
    pub thresholds: Option<Vec<ThresholdDocument>>,
    /// Rungs of lowest value, up to --max of them, sorted by value; empty if a decision is not clear. With weight decay a rung
    /// is a captured pattern with its roots.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<AnyRungDocument>"))]
    pub rungs: RungsDocument,
    /// Number of all rungs, an integer of any size; null if a decision is not clear.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub rungs_total: Option<Integer>,
    /// Smallest value of the loss; null where it is not known or not attained.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub global_minimum: Option<f64>,
    /// No matrix, of whatever rank, has a smaller loss; null for the square loss, whose global minimum is known.
    pub lower_bound: Option<GradedValueDocument>,
    /// The infimum over the architecture is the loss of some weights; null where undecided.
    pub infimum_attained: Option<bool>,
    /// Every critical point with a smaller loss is a global minimum; null where no such level is known. For one output or
    /// one input it is the loss of the zero map, where the infimum is attained.
    pub level: Option<f64>,
    /// How far the samples can be separated; null where undecided, and for losses that are not of margins.
    pub separability: Option<SeparabilityDocument>,
    /// Local minima that were found on matrices of rank at most r, lowest first; null for the square loss.
    pub minima: Option<Vec<LocalMinimumDocument>>,
    /// Loss of the zero map.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub value_at_origin: f64,
    /// The set of global minimizers; null if a decision is not clear.
    pub global_minima: Option<GlobalMinimaDocument>,
    /// With weight decay: the least height that any path of weights from the origin to the best minimum (that of least rank,
    /// if several are as good) has to climb above the origin; 0 where a path need not climb. Null where undecided, and
    /// without decay.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub barrier: Option<f64>,
    /// Whether local minima that are not global can exist.
    pub bad_local_minima: BadLocalMinimaDocument,
    /// With --graph: descents between listed rungs, up to sixteen for each rung that --max allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<DescentDocument>>"))]
    pub graph: Option<GraphDocument>,
    /// With --graph: how many descents there are between listed rungs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_total: Option<usize>,
    /// How strong the verdict is and what it rests on.
    pub evidence: EvidenceDocument,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the readers of files decided and the user should know.
    pub notes: Vec<String>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}

/// A distinct positive singular value.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LevelDocument {
    /// The singular value.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub value: f64,
    /// How often it occurs.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub multiplicity: usize,
}

/// The listed rungs; written as a list of [`AnyRungDocument`], one made at a time.
#[derive(Debug, Clone)]
pub struct RungsDocument {
    pub(super) rungs: Listed,
    pub(super) factor: f64,
}

/// Rungs of the one kind or the other.
#[derive(Debug, Clone)]
pub(super) enum Listed {
    Plain(Arc<[Rung]>),
    Decayed(Arc<[DecayRung]>),
}

impl RungsDocument {
    /// No rungs.
    pub(super) fn none() -> Self {
        Self { rungs: Listed::Plain(Arc::new([])), factor: 1.0 }
    }

    /// The rungs of the loss without decay.
    pub fn plain(&self) -> impl ExactSizeIterator<Item = RungDocument> {
        let rungs: &[Rung] = if let Listed::Plain(rungs) = &self.rungs { rungs } else { &[] };
        rungs.iter().map(|rung| rung_document(rung, self.factor))
    }

    /// The rungs with weight decay.
    pub fn decayed(&self) -> impl ExactSizeIterator<Item = DecayRungDocument> {
        let rungs: &[DecayRung] = if let Listed::Decayed(rungs) = &self.rungs { rungs } else { &[] };
        rungs.iter().map(|rung| DecayRungDocument::new(rung, self.factor))
    }

    /// The loss at one of them.
    pub fn value(&self, at: usize) -> Option<f64> {
        let value = match &self.rungs {
            Listed::Plain(rungs) => rungs.get(at).map(|rung| rung.value),
            Listed::Decayed(rungs) => rungs.get(at).map(|rung| rung.value),
        };
        value.map(|value| self.factor * value)
    }
}

impl Serialize for RungsDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.rungs {
            Listed::Plain(_) => serializer.collect_seq(self.plain().map(AnyRungDocument::Plain)),
            Listed::Decayed(_) => serializer.collect_seq(self.decayed().map(AnyRungDocument::Decayed)),
        }
    }
}

/// A rung, without or with weight decay.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum AnyRungDocument {
    /// Without.
    Plain(RungDocument),
    /// With weight decay.
    Decayed(DecayRungDocument),
}

/// A rung.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RungDocument {
    /// Loss at its points.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub value: f64,
    /// e = p_1 + ... + p_q, the rank of W X.
    pub rank: usize,
    /// p_1, ..., p_q, one for each entry of `levels`.
    pub pattern: Vec<usize>,
    /// 1-based places in `spectrum`, the lowest ones inside a block of equal values; one product of many where
    /// dimension.function_space is positive.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub captured: Vec<usize>,
    /// Index of the loss on the matrices of rank exactly e.
    pub index_in_function_space: usize,
    /// Components of the set of critical whitened products; an isolated product counts as one. The set is connected.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub multiplicity: usize,
    /// Dimensions of the family.
    pub dimension: DimensionDocument,
    /// Its points are the global minima.
    pub is_global_minimum: bool,
    /// Classes that occur over it: global minima only, strict saddles only, non-strict saddles only, or both kinds of
    /// saddles.
    pub classes: Word<RungClasses>,
}

/// Dimensions of a family.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DimensionDocument {
    /// Of the set of critical whitened products, sum p_i (m_i - p_i).
    pub function_space: usize,
    /// Of the set of critical parameters over it, flat directions included.
    pub parameters: usize,
}

/// The set of global minimizers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GlobalMinimaDocument {
    /// Its dimension, flat directions included.
    pub dimension: usize,
    /// Number of its path components, an integer of any size.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub components: Integer,
    /// Equal singular values lie on both sides of the cut, so the best product is not unique.
    pub tie_at_cut: bool,
    /// Inner nodes as narrow as the best product has rank.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub splitting_nodes: Vec<usize>,
}

/// Whether other local minima can exist.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BadLocalMinimaDocument {
    /// Whether they can, or one was found.
    pub verdict: Word<BadMinima>,
    /// Why, in one sentence.
    #[cfg_attr(feature = "schema", schemars(extend("minLength" = 1)))]
    pub reason: &'static str,
    /// One that exists: a critical point with weight decay, or its 0-based place in `minima` of a loss; null where none is known.
    pub witness: Option<AnyWitness>,
}

/// A local minimum that is not global.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AnyWitness {
    /// Its place in `minima`, counted from 0.
    Place(usize),
    /// A critical point with weight decay.
    Point(WitnessDocument),
}

impl BadLocalMinimaDocument {
    /// The place of the witness in `minima`.
    pub(crate) fn place(&self) -> Option<usize> {
        match self.witness {
            Some(AnyWitness::Place(place)) => Some(place),
            _ => None,
        }
    }
}

impl From<BadLocalMinima> for BadLocalMinimaDocument {
    fn from(found: BadLocalMinima) -> Self {
        let verdict = match found {
            BadLocalMinima::Impossible(_) => BadMinima::Impossible,
            BadLocalMinima::Possible(_) => BadMinima::Possible,
            BadLocalMinima::Exists(_) => BadMinima::Exists,
        };
        Self { verdict: Word(verdict), reason: found.reason(), witness: None }
    }
}

/// The descents between listed rungs; written as a list of [`DescentDocument`], one made at a time.
#[derive(Debug, Clone)]
pub struct GraphDocument {
    answer: CriticalAnswer,
    factor: f64,
}

impl GraphDocument {
    /// The descents.
    pub fn descents(&self) -> impl Iterator<Item = DescentDocument> {
        self.answer.descents().map(|descent| descent_document(&descent, self.factor))
    }
}

impl Serialize for GraphDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.descents())
    }
}

/// A descent between listed rungs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DescentDocument {
    /// 0-based place in `rungs` of the rung it leaves.
    pub from: usize,
    /// 0-based place in `rungs` of the rung it reaches.
    pub to: usize,
    /// A captured direction rotates into a larger one, or a new direction is added.
    pub kind: Word<DescentKind>,
    /// 1-based place in `spectrum` of the direction given up; null if the rank grows.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub gives_up: Option<usize>,
    /// 1-based place in `spectrum` of the direction gained.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub gains: usize,
    /// By how much the loss falls.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub decrease: f64,
}

impl CriticalDocument {
    /// The document of the answer; values are multiplied by the normalization.
    pub fn new(found: &CriticalAnswer, inputs: &CriticalInputs) -> Self {
        let ladder = &found.ladder;
        let architecture = ladder.architecture();
        let levels = ladder.levels();
        let clear = found.is_clear();
        let factor = inputs.normalization.factor(inputs.samples, architecture.outputs());
        let graph = found.descents_total.map(|_| GraphDocument { answer: found.clone(), factor });
        let minima = ladder.bad_local_minima();
        Self {
            schema: "rankscape.critical/1",
            seed: inputs.seed,
            digest: LadderDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().map(Digest::from),
            },
            widths: architecture.widths().to_vec(),
            bottleneck_rank: architecture.bottleneck_rank(),
            filling: architecture.is_filling(),
            samples: (!inputs.from_target).then_some(inputs.samples),
            loss: "square",
            data_rank: Some(levels.data_rank),
            effective_bottleneck_rank: clear.then(|| ladder.effective_bottleneck()),
            normalization: Word(inputs.normalization),
            spectrum: Some(levels.spectrum.clone()),
            levels: clear.then(|| level_documents(levels)),
            graph_total: found.descents_total,
            graph,
            weight_decay: None,
            closed_form: None,
            thresholds: None,
            barrier: None,
            rungs: RungsDocument { rungs: Listed::Plain(Arc::clone(&found.rungs)), factor },
            rungs_total: clear.then(|| Integer::from(&ladder.rungs_total())),
            global_minimum: Some(factor * ladder.global_minimum()),
            lower_bound: None,
            infimum_attained: Some(true),
            level: None,
            separability: None,
            minima: None,
            value_at_origin: factor * ladder.value_at_origin(),
            global_minima: clear.then(|| {
                let found = ladder.global_minima();
                GlobalMinimaDocument {
                    dimension: found.dimension,
                    components: Integer::from(&found.components),
                    tie_at_cut: found.tie_at_cut,
                    splitting_nodes: found.splitting_nodes,
                }
            }),
            bad_local_minima: minima.into(),
            evidence: EvidenceDocument::from(&levels.evidence),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}

pub(super) fn level_documents(levels: &Levels) -> Vec<LevelDocument> {
    levels.levels.iter().map(|l| LevelDocument { value: l.value, multiplicity: l.multiplicity }).collect()
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
        classes: Word(rung.classes),
    }
}

fn descent_document(descent: &Descent, factor: f64) -> DescentDocument {
    DescentDocument {
        from: descent.from,
        to: descent.to,
        kind: Word(descent.kind),
        gives_up: descent.gives_up,
        gains: descent.gains,
        decrease: factor * descent.decrease,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rankscape::answers::critical;
    use rankscape::architecture::Architecture;
    use rankscape::linalg::Matrix;
    use rankscape::problem::{Data, Landscape};
    use rankscape::work::{Step, counted};

    #[test]
    fn no_more_rungs_are_made_than_are_listed() {
        // 2^60 rungs and one.
        let values: Vec<f64> = (0..60).map(|k| 100.0 + f64::from(k)).collect();
        let target = Data::target(Matrix::from_diagonal(60, 60, &values));
        let widths = Architecture::new(vec![60, 60, 60]).unwrap();
        let landscape = Landscape::new(widths, &target, None, &Tolerances::default()).unwrap();
        let made = || {
            let answer = critical(&landscape, 20, true).unwrap();
            (crate::documents::to_json(&CriticalDocument::new(&answer, &CriticalInputs::default())), answer.ladder)
        };
        let ((text, ladder), work) = counted(made);
        // Those listed, and the one that the set of global minimizers is read off.
        assert_eq!(work.of(Step::Rung), 21);
        assert_eq!(text.matches("\"is_global_minimum\"").count(), 20);
        let mut rungs = ladder.rungs();
        assert_eq!(rungs.by_ref().take(20).count(), 20);
        assert!(rungs.pushes() <= 3 * 20 + 1, "{}", rungs.pushes());
    }
}
