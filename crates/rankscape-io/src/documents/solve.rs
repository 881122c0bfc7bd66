//! All critical points of quadratic losses as a document.

use serde::Serialize;

use super::RunDocument;
use super::numbers::finite;
use crate::words::{Word, words};
use rankscape::determinantal::DistanceCriticalPoint;
use rankscape::evidence::Grade;
use rankscape::quadratic::{
    Completeness, Crossing, Instance, Metric, MetricKind, Minimum, RealPoint, Segment, Solution, TraceTest,
    WhitenedTarget,
};

/// All critical points of quadratic losses (exit code 3 if anything is not certified).
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SolveDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.solve/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 of what went in.
    pub digest: DigestDocument,
    /// Answers in the order of the instances; with a segment, both ends of each.
    pub instances: Vec<SolutionDocument>,
    /// With --segment: what happens between the two targets, for each instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<SegmentDocument>>,
    /// Times and facts of the host; all else is the same between runs.
    pub run: RunDocument,
}

/// What went in.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DigestDocument {
    /// Digest of sizes, metrics and targets, in order.
    pub instances: String,
    /// Digests of the two matrices of --segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<[String; 2]>,
}

/// All critical points of one instance.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SolutionDocument {
    /// Name of the instance.
    pub id: String,
    /// Number of rows.
    pub m: usize,
    /// Number of columns.
    pub n: usize,
    /// Rank of the matrices.
    pub r: usize,
    /// What kind of metric it is.
    pub metric: MetricDocument,
    /// Distinct certified complex critical points of rank r.
    pub n_complex: usize,
    /// Most isolated critical points that a theorem allows for this metric; null where none does.
    pub expected: Option<usize>,
    /// True if proved that no critical point is missing; null if unknown.
    pub complete: Option<bool>,
    /// The same in words.
    pub completeness: Word<CompletenessWord>,
    /// The theorem, or why the count is not proved.
    pub reason: String,
    /// The trace test: evidence, not proof; null where none was made, where it speaks of more points than n_complex, or where the indices of
    /// the real points contradict it.
    pub trace: Option<TraceDocument>,
    /// Critical points that monodromy finds for generic targets of the same metric: evidence, not proof; null where it
    /// was not run or found fewer than n_complex.
    pub generic_count: Option<usize>,
    /// Real critical points that are certified. Where complete is null there may be others.
    pub n_real: usize,
    /// Those of n_real with index 0; null if an index is undecided. Where complete is null there may be others.
    pub n_minima: Option<usize>,
    /// The count is proved, and every real point has its index.
    pub certified: bool,
    /// The certified real critical points, the lowest value first. Where complete is null a lower one may be missing.
    pub real: Vec<PointDocument>,
    /// The least value found on the matrices of rank at most r; null if no point was found at all.
    pub minimum: Option<MinimumDocument>,
    /// Distance of the target to the ED discriminant, where the metric is a product: in the norm of the loss, the
    /// square root of h; null otherwise.
    pub discriminant: Option<DiscriminantDocument>,
    /// All critical points by the singular values of the whitened target, where the metric is a product; null
    /// otherwise.
    pub families: Option<Vec<FamilyDocument>>,
    /// What happened to the paths.
    pub paths: PathsDocument,
}

words! {
    /// Whether no critical point is missing.
    pub enum CompletenessWord {
        /// A theorem says so.
        Proved = "proved",
        /// It is not known.
        Unknown = "unknown",
    }
}

words! {
    /// Kinds of metrics.
    pub enum MetricWord {
        /// Positive definite.
        Definite = "definite",
        /// A metric on rows times one on columns.
        Product = "product",
        /// The same up to rounding.
        ProductUpToRounding = "product_up_to_rounding",
        /// With a kernel.
        Singular = "singular",
    }
}

/// What kind of metric it is.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MetricDocument {
    /// Definite; a metric on rows times one on columns, exactly or only up to rounding; or singular.
    pub kind: Word<MetricWord>,
    /// Dimension of the kernel of phi; 0 unless singular.
    pub kernel: usize,
    /// Entries (row, column) of weight zero, counted from 0.
    pub unobserved: Vec<[usize; 2]>,
}

/// A trace test.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TraceDocument {
    /// Relative second difference of the sum of the points.
    pub residual: Option<f64>,
    /// The residual is at most the tolerance `trace`, and the metric is given by weights of which no minor is small but not zero (tolerance
    /// `weights_minor`): only then would missing points show.
    pub passed: bool,
    /// Number of points summed.
    pub points: usize,
}

/// A certified real critical point.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PointDocument {
    /// h at the point, without a factor 1/2.
    pub value: f64,
    /// Negative eigenvalues of the Hessian on the matrices of rank r; null if undecided.
    pub index: Option<usize>,
    /// The matrix, m rows of n numbers.
    #[serde(rename = "W")]
    pub w: Vec<Vec<f64>>,
    /// Largest proved error of an entry.
    pub radius: f64,
}

/// The least value found on the matrices of rank at most r.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MinimumDocument {
    /// h there, without a factor 1/2.
    pub value: f64,
    /// Rank of the matrix, at most r; numerical where the grade is sampled.
    pub rank: usize,
    /// The matrix, m rows of n numbers.
    #[serde(rename = "W")]
    pub w: Vec<Vec<f64>>,
    /// False if a descent was still falling there: lower values may lie further out, and there may be no minimum.
    pub attained: bool,
    /// Exact if it is the target itself, certified if no critical point is missing and the metric is definite, sampled if only descents from a
    /// few starts say that nothing is lower.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["exact", "certified", "sampled"])))]
    pub grade: Word<Grade>,
}

/// How far the target is from the ED discriminant, where the metric is a product; in the norm of the loss.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiscriminantDocument {
    /// Distance to the nearest target with two equal singular values; null if there is none.
    pub distance: Option<f64>,
    /// The two singular values that meet, counted from 1.
    pub pair: Option<[usize; 2]>,
    /// Distance to the targets without a unique best approximation.
    pub minimum_distance: Option<f64>,
    /// Singular values of the whitened target, in which the loss is a squared Frobenius distance.
    pub spectrum: Vec<f64>,
}

/// Critical points that the singular values of the target give, where the metric is a product.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FamilyDocument {
    /// How many of each distinct positive singular value are kept.
    pub pattern: Vec<usize>,
    /// Dimension of the product of Grassmannians; 0 for an isolated point.
    pub dimension: usize,
    /// h there, without a factor 1/2.
    pub value: f64,
    /// Negative eigenvalues of the Hessian on the matrices of rank r.
    pub index: usize,
}

/// What happened to the paths.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathsDocument {
    /// Paths of the last start set.
    pub followed: usize,
    /// Paths that stalled.
    pub stalled: usize,
    /// Endpoints without a certificate.
    pub uncertified: usize,
    /// Start sets that were followed.
    pub rounds: usize,
    /// Steps of all paths.
    pub steps: u64,
}

/// What happens between two targets.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SegmentDocument {
    /// Name of the instance.
    pub id: String,
    /// All critical points at the first target.
    pub start: SolutionDocument,
    /// All critical points at the second target.
    pub end: SolutionDocument,
    /// Changes of the number of real critical points, in order.
    pub crossings: Vec<CrossingDocument>,
    /// Intervals (from, to) in which the real points could not be followed.
    pub undecided: Vec<[f64; 2]>,
    /// Targets solved on the way.
    pub solved: usize,
    /// The weakest grade of the counts that were compared; null if no two neighbouring counts are known.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["certified", "numerical", null])))]
    pub grade: Option<Word<Grade>>,
}

/// A change of the number of real critical points.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CrossingDocument {
    /// Parameter with the count `before`.
    pub low: f64,
    /// Parameter with the count `after`.
    pub high: f64,
    /// Real critical points at `low`.
    pub before: usize,
    /// Real critical points at `high`.
    pub after: usize,
    /// The two that meet, on the side where they are real.
    pub pair: Option<Vec<PointDocument>>,
    /// Certified if both counts are proved; numerical if one rests on monodromy and a trace test.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["certified", "numerical"])))]
    pub grade: Word<Grade>,
}

impl MetricDocument {
    pub(super) fn new(kind: MetricKind, instance: &Instance) -> Self {
        let (kind, kernel) = match kind {
            MetricKind::Definite => (MetricWord::Definite, 0),
            MetricKind::Product { exact: true } => (MetricWord::Product, 0),
            MetricKind::Product { exact: false } => (MetricWord::ProductUpToRounding, 0),
            MetricKind::Singular { kernel } => (MetricWord::Singular, kernel),
        };
        let zeros = match &instance.metric {
            Metric::Weights(weights) => (0..weights.len()).filter(|&e| weights[e] == 0.0).collect(),
            Metric::Map(_) => Vec::new(),
        };
        Self {
            kind: Word(kind),
            kernel,
            unobserved: zeros.iter().map(|e| [e / instance.cols, e % instance.cols]).collect(),
        }
    }
}

impl From<TraceTest> for TraceDocument {
    fn from(test: TraceTest) -> Self {
        Self { residual: finite(test.residual), passed: test.passed, points: test.points }
    }
}

fn point(point: &RealPoint, cols: usize) -> PointDocument {
    PointDocument {
        value: point.value,
        index: point.index,
        w: point.w.chunks(cols).map(<[f64]>::to_vec).collect(),
        radius: point.radius,
    }
}

impl SolutionDocument {
    /// The answer to an instance.
    pub fn new(solution: &Solution, instance: &Instance) -> Self {
        let (complete, completeness, reason) = match &solution.complete {
            Completeness::Proved { theorem } => (Some(true), CompletenessWord::Proved, (*theorem).to_owned()),
            Completeness::Unknown { reason, .. } => (None, CompletenessWord::Unknown, reason.clone()),
        };
        let (trace, generic_count) = match solution.complete {
            Completeness::Unknown { trace, generic, .. } => (trace, generic),
            Completeness::Proved { .. } => (None, None),
        };
        let whitened = solution.whitened.as_ref();
        let paths = solution.paths;
        Self {
            id: solution.id.clone(),
            m: instance.rows,
            n: instance.cols,
            r: instance.rank,
            metric: MetricDocument::new(solution.kind, instance),
            n_complex: solution.n_complex,
            expected: solution.expected,
            complete,
            completeness: Word(completeness),
            reason,
            trace: trace.map(TraceDocument::from),
            generic_count,
            n_real: solution.n_real(),
            n_minima: solution.n_minima(),
            certified: solution.certified,
            real: solution.real.iter().map(|found| point(found, instance.cols)).collect(),
            minimum: solution.minimum.as_ref().map(|found| MinimumDocument::new(found, instance.cols)),
            discriminant: whitened.map(DiscriminantDocument::new),
            families: whitened.map(|whitened| whitened.families.iter().map(FamilyDocument::new).collect()),
            paths: PathsDocument {
                followed: paths.followed,
                stalled: paths.stalled,
                uncertified: paths.uncertified,
                rounds: paths.rounds,
                steps: solution.work.steps,
            },
        }
    }
}

impl MinimumDocument {
    fn new(found: &Minimum, cols: usize) -> Self {
        Self {
            value: found.value,
            rank: found.rank,
            w: found.w.chunks(cols).map(<[f64]>::to_vec).collect(),
            attained: found.attained,
            grade: Word(found.grade),
        }
    }
}

impl DiscriminantDocument {
    fn new(whitened: &WhitenedTarget) -> Self {
        let found = &whitened.discriminant;
        Self {
            distance: finite(found.distance),
            pair: found.pair.map(|(i, j)| [i, j]),
            minimum_distance: finite(found.minimum_distance),
            spectrum: found.spectrum.clone(),
        }
    }
}

impl FamilyDocument {
    fn new(family: &DistanceCriticalPoint) -> Self {
        // The distance has a factor 1/2 that h has not.
        let value = 2.0 * family.value;
        Self { pattern: family.pattern.clone(), dimension: family.dimension, value, index: family.index }
    }
}

impl SegmentDocument {
    /// The segment from the target of `start` to that of `end`.
    pub fn new(segment: &Segment, start: &Instance, end: &Instance) -> Self {
        let crossing = |crossing: &Crossing| CrossingDocument {
            low: crossing.low,
            high: crossing.high,
            before: crossing.before,
            after: crossing.after,
            pair: crossing.pair.as_ref().map(|pair| pair.iter().map(|found| point(found, start.cols)).collect()),
            grade: Word(crossing.grade),
        };
        Self {
            id: start.id.clone(),
            start: SolutionDocument::new(&segment.start, start),
            end: SolutionDocument::new(&segment.end, end),
            crossings: segment.crossings.iter().map(crossing).collect(),
            undecided: segment.undecided.iter().map(|&(low, high)| [low, high]).collect(),
            solved: segment.solved,
            grade: segment.grade.map(Word),
        }
    }

    fn is_undecided(&self) -> bool {
        !(self.undecided.is_empty() && self.start.certified && self.end.certified)
    }
}

impl SolveDocument {
    /// The document of the answers, in the order of the instances, whose digest is `digest`.
    pub fn new(instances: &[Instance], found: &[Solution], seed: u64, digest: String) -> Self {
        let solutions = found.iter().zip(instances).map(|(one, instance)| SolutionDocument::new(one, instance));
        Self {
            schema: "rankscape.solve/1",
            seed,
            digest: DigestDocument { instances: digest, segment: None },
            instances: solutions.collect(),
            segments: None,
            run: RunDocument::default(),
        }
    }

    /// The same for moving targets; both ends are instances like any other.
    pub fn of_segments(
        found: &[(Instance, Instance, Segment)],
        seed: u64,
        digest: String,
        ends: Option<[String; 2]>,
    ) -> Self {
        let segments: Vec<SegmentDocument> =
            found.iter().map(|(start, end, segment)| SegmentDocument::new(segment, start, end)).collect();
        let both = segments.iter().flat_map(|segment| {
            [("0", &segment.start), ("1", &segment.end)]
                .map(|(t, one)| SolutionDocument { id: format!("{}, t = {t}", one.id), ..one.clone() })
        });
        Self {
            schema: "rankscape.solve/1",
            seed,
            digest: DigestDocument { instances: digest, segment: ends },
            instances: both.collect(),
            segments: Some(segments),
            run: RunDocument::default(),
        }
    }

    /// Something is not certified.
    pub fn is_undecided(&self) -> bool {
        self.instances.iter().any(|found| !found.certified)
            || self.segments.iter().flatten().any(SegmentDocument::is_undecided)
    }
}
