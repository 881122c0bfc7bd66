//! All critical points of quadratic losses as a document.

use serde::Serialize;

use super::RunDocument;
use rankscape::determinantal::DistanceCriticalPoint;
use rankscape::error::InputError;
use rankscape::quadratic::{
    Completeness, Cost, Crossing, Instance, Metric, MetricKind, RealPoint, Segment, Shape, Solution, TraceTest,
    WhitenedTarget,
};

/// `rankscape.solve/1`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/solve.schema.json describes every field")]
pub struct SolveDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: DigestDocument,
    pub instances: Vec<SolutionDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<SegmentDocument>>,
    pub run: RunDocument,
}

/// What went in.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "docs/schema/solve.schema.json describes every field")]
pub struct DigestDocument {
    pub instances: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<[String; 2]>,
}

/// All critical points of one instance.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/solve.schema.json describes every field")]
pub struct SolutionDocument {
    pub id: String,
    pub m: usize,
    pub n: usize,
    pub r: usize,
    pub metric: MetricDocument,
    pub n_complex: usize,
    pub expected: Option<usize>,
    /// True when proved, null when unknown.
    pub complete: Option<bool>,
    /// `proved` or `unknown`.
    pub completeness: &'static str,
    pub reason: String,
    pub trace: Option<TraceDocument>,
    pub generic_count: Option<usize>,
    pub n_real: usize,
    pub n_minima: Option<usize>,
    pub certified: bool,
    pub real: Vec<PointDocument>,
    pub discriminant: Option<DiscriminantDocument>,
    pub families: Option<Vec<FamilyDocument>>,
    pub paths: PathsDocument,
}

/// What kind of metric it is.
#[derive(Debug, Clone, Serialize)]
pub struct MetricDocument {
    pub kind: &'static str,
    pub kernel: usize,
    pub unobserved: Vec<[usize; 2]>,
}

/// A trace test.
#[derive(Debug, Clone, Serialize)]
pub struct TraceDocument {
    pub residual: f64,
    pub passed: bool,
    pub points: usize,
}

/// A certified real critical point.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/solve.schema.json describes every field")]
pub struct PointDocument {
    pub value: f64,
    pub index: Option<usize>,
    #[serde(rename = "W")]
    pub w: Vec<Vec<f64>>,
    pub radius: f64,
}

/// How far the target is from the ED discriminant, where the metric is a product; in the norm of the loss.
#[derive(Debug, Clone, Serialize)]
pub struct DiscriminantDocument {
    pub distance: f64,
    pub pair: Option<[usize; 2]>,
    pub minimum_distance: f64,
    pub spectrum: Vec<f64>,
}

/// Critical points that the singular values of the target give, where the metric is a product.
#[derive(Debug, Clone, Serialize)]
pub struct FamilyDocument {
    /// How many of each distinct positive singular value are kept.
    pub pattern: Vec<usize>,
    /// 0: an isolated point.
    pub dimension: usize,
    /// `h` there.
    pub value: f64,
    /// Negative eigenvalues of the Hessian on the matrices of this rank.
    pub index: usize,
}

/// What happened to the paths.
#[derive(Debug, Clone, Serialize)]
pub struct PathsDocument {
    pub followed: usize,
    pub stalled: usize,
    pub uncertified: usize,
    pub rounds: usize,
    pub steps: u64,
}

/// What happens between two targets.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/solve.schema.json describes every field")]
pub struct SegmentDocument {
    pub id: String,
    pub start: SolutionDocument,
    pub end: SolutionDocument,
    pub crossings: Vec<CrossingDocument>,
    pub undecided: Vec<[f64; 2]>,
    pub solved: usize,
    pub grade: Option<&'static str>,
}

/// A change of the number of real critical points.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/solve.schema.json describes every field")]
pub struct CrossingDocument {
    pub low: f64,
    pub high: f64,
    pub before: usize,
    pub after: usize,
    pub pair: Option<Vec<PointDocument>>,
    pub grade: &'static str,
}

/// `rankscape.cost/1`: what `--dry-run` answers.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/cost.schema.json describes every field")]
pub struct CostsDocument {
    pub schema: &'static str,
    pub costs: Vec<CostDocument>,
    pub seconds: f64,
    pub run: RunDocument,
}

/// The cost of the instances of one shape.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/cost.schema.json describes every field")]
pub struct CostDocument {
    pub m: usize,
    pub n: usize,
    pub r: usize,
    pub instances: u64,
    pub paths: usize,
    pub seconds: f64,
    pub start_seconds: f64,
}

impl MetricDocument {
    pub(super) fn new(kind: MetricKind, instance: &Instance) -> Self {
        let (kind, kernel) = match kind {
            MetricKind::Definite => ("definite", 0),
            MetricKind::Product { exact: true } => ("product", 0),
            MetricKind::Product { exact: false } => ("product_up_to_rounding", 0),
            MetricKind::Singular { kernel } => ("singular", kernel),
        };
        let zeros = match &instance.metric {
            Metric::Weights(weights) => (0..weights.len()).filter(|&e| weights[e] == 0.0).collect(),
            Metric::Map(_) => Vec::new(),
        };
        Self { kind, kernel, unobserved: zeros.iter().map(|e| [e / instance.cols, e % instance.cols]).collect() }
    }
}

impl From<TraceTest> for TraceDocument {
    fn from(test: TraceTest) -> Self {
        Self { residual: test.residual, passed: test.passed, points: test.points }
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
            Completeness::Proved { theorem } => (Some(true), "proved", (*theorem).to_owned()),
            Completeness::Unknown { reason, .. } => (None, "unknown", reason.clone()),
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
            completeness,
            reason,
            trace: trace.map(TraceDocument::from),
            generic_count,
            n_real: solution.n_real(),
            n_minima: solution.n_minima(),
            certified: solution.certified,
            real: solution.real.iter().map(|found| point(found, instance.cols)).collect(),
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

impl DiscriminantDocument {
    fn new(whitened: &WhitenedTarget) -> Self {
        let found = &whitened.discriminant;
        Self {
            distance: found.distance,
            pair: found.pair.map(|(i, j)| [i, j]),
            minimum_distance: found.minimum_distance,
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
            grade: crossing.grade.name(),
        };
        Self {
            id: start.id.clone(),
            start: SolutionDocument::new(&segment.start, start),
            end: SolutionDocument::new(&segment.end, end),
            crossings: segment.crossings.iter().map(crossing).collect(),
            undecided: segment.undecided.iter().map(|&(low, high)| [low, high]).collect(),
            solved: segment.solved,
            grade: segment.grade.map(rankscape::evidence::Grade::name),
        }
    }

    fn is_undecided(&self) -> bool {
        !(self.undecided.is_empty() && self.start.certified && self.end.certified)
    }
}

impl SolveDocument {
    /// Answers in the order of the instances.
    pub fn new(instances: Vec<SolutionDocument>, seed: u64, digest: DigestDocument) -> Self {
        Self { schema: "rankscape.solve/1", seed, digest, instances, segments: None, run: RunDocument::default() }
    }

    /// Something is not certified.
    pub fn is_undecided(&self) -> bool {
        self.instances.iter().any(|found| !found.certified)
            || self.segments.iter().flatten().any(SegmentDocument::is_undecided)
    }
}

impl CostsDocument {
    /// The cost of so many instances of each shape.
    ///
    /// # Errors
    /// If a shape is not affordable at all.
    pub fn new(shapes: &[(Shape, u64)], cost: impl Fn(Shape) -> Result<Cost, InputError>) -> Result<Self, InputError> {
        let one = |&(shape, instances): &(Shape, u64)| {
            let found = cost(shape)?;
            Ok(CostDocument {
                m: shape.m,
                n: shape.n,
                r: shape.r,
                instances,
                paths: found.paths,
                seconds: found.seconds * instances as f64,
                start_seconds: found.start_seconds,
            })
        };
        let costs: Vec<CostDocument> = shapes.iter().map(one).collect::<Result<_, InputError>>()?;
        // The sum of no terms of an iterator is minus zero.
        let seconds = costs.iter().fold(0.0, |total, cost| total + cost.seconds + cost.start_seconds);
        Ok(Self { schema: "rankscape.cost/1", costs, seconds, run: RunDocument::default() })
    }
}
