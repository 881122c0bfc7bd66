//! What solving would cost, as a document.

use serde::Serialize;

use super::RunDocument;
use rankscape::error::InputError;
use rankscape::quadratic::{Cost, Shape};
use rankscape::riemannian::MinimaRequest;

/// What --dry-run answers: what it would cost, right to a factor of about three.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CostsDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.cost/1")))]
    pub schema: &'static str,
    /// One for each size and rank.
    pub costs: Vec<CostDocument>,
    /// Seconds of one thread in all, those of `costs` together; for `ed` without weights there is nothing to estimate.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub seconds: f64,
    /// Times and facts of the host; all else is the same between runs.
    pub run: RunDocument,
}

/// The cost of the instances of one shape, or of starts on one.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CostDocument {
    /// The smaller size.
    pub m: usize,
    /// The larger size.
    pub n: usize,
    /// Rank of the matrices.
    pub r: usize,
    /// Number of instances.
    pub instances: u64,
    /// Paths of one instance; for `minima` its starts.
    pub paths: usize,
    /// Seconds of one thread for the instances.
    pub seconds: f64,
    /// Seconds of one thread for the start set; 0 if it ships.
    pub start_seconds: f64,
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

    /// The cost of so many starts on matrices of this shape.
    pub fn of_starts((rows, cols): (usize, usize), request: &MinimaRequest, seconds: f64) -> Self {
        let cost = CostDocument {
            m: rows.min(cols),
            n: rows.max(cols),
            r: request.rank,
            instances: 1,
            paths: request.starts,
            seconds,
            start_seconds: 0.0,
        };
        Self { schema: "rankscape.cost/1", costs: vec![cost], seconds, run: RunDocument::default() }
    }
}
