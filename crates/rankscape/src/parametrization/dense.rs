//! Ranks and gradients by a Jacobian that is formed: for maps whose rank does not follow from that of products.

use super::map::{Parametrization, jacobian, parameters, random_point};
use crate::error::{InputError, Result};
use crate::evidence::{Movement, RankDecision, Truth};
use crate::linalg::{Matrix, singular_values, vector_norm};
use crate::random::Stream;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Most entries of a Jacobian that is formed, and most numbers on its shorter side.
const LARGEST: (usize, usize) = (1 << 25, 4096);
/// Points at which the generic rank is looked for.
const DRAWS: u64 = 3;

/// The Jacobian at a point with the decision of its rank.
#[derive(Debug, Clone)]
pub struct DenseRank {
    /// The Jacobian.
    pub jacobian: Matrix,
    /// Its rank.
    pub decision: RankDecision,
    /// Bounds of the norms of its blocks.
    pub sizes: Vec<f64>,
}

/// The norms of the blocks of a Jacobian.
fn block_norms(map: &dyn Parametrization, jacobian: &Matrix) -> Vec<f64> {
    let mut from = 0;
    let norm = |(rows, columns): (usize, usize)| {
        let to = from + rows * columns;
        let norm = vector_norm(&(from..to).map(|j| vector_norm(jacobian.column(j))).collect::<Vec<f64>>());
        from = to;
        norm
    };
    map.blocks().into_iter().map(norm).collect()
}

/// The rank of the Jacobian at parameters stored with this unit roundoff `u`; `None` where the map is not differentiable.
///
/// Rounding errors are relative to the largest of [`Parametrization::sizes`], `s`: a singular value counts as zero when it is at most
/// `tolerances.rank * 2^-53 * sqrt(larger dimension) * s`, and storing the parameters has moved it by about `h u s`.
///
/// # Errors
/// If the Jacobian has more entries than are formed.
pub fn dense_rank(
    map: &dyn Parametrization,
    point: &[Matrix],
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Result<Option<DenseRank>> {
    let (rows, columns) = map.shape();
    let (predictions, parameters) = (rows.saturating_mul(columns), parameters(map));
    if predictions.saturating_mul(parameters) > LARGEST.0 || predictions.min(parameters) > LARGEST.1 {
        return Err(InputError::new("the Jacobian of this map is too large to be formed")
            .value(format!("{predictions} predictions, {parameters} parameters"))
            .hint(format!(
                "it may have {} entries and {} on its shorter side: take a part of the samples; linear, normalized and skip maps form none",
                LARGEST.0, LARGEST.1
            )));
    }
    let Some(jacobian) = jacobian(map, point).filter(Matrix::is_finite) else { return Ok(None) };
    let sizes = map.sizes(point).unwrap_or_else(|| block_norms(map, &jacobian));
    let scale = sizes.iter().copied().fold(0.0, f64::max);
    if !scale.is_finite() {
        return Ok(None);
    }
    let computed = tolerances.relative_rounding(UNIT_ROUNDOFF, jacobian.larger_dimension()) * scale;
    let moved = Movement::from(map.blocks().len() as f64 * unit_roundoff * scale);
    let values = singular_values(&jacobian);
    let decision = RankDecision::of_stored(&values, computed, moved, scale, tolerances);
    Ok(Some(DenseRank { jacobian, decision, sizes }))
}

/// The largest rank of the Jacobian at a few random points, which is that of almost every point where the map is analytic. `None` where
/// it is differentiable at none.
///
/// # Errors
/// As [`dense_rank`].
pub fn generic_rank(map: &dyn Parametrization, seed: u64, tolerances: &Tolerances) -> Result<Option<RankDecision>> {
    let mut best: Option<RankDecision> = None;
    for draw in 0..DRAWS {
        let point = random_point(map, &mut Stream::new(seed, draw));
        let Some(found) = dense_rank(map, &point, UNIT_ROUNDOFF, tolerances)? else { continue };
        let order = |decision: &RankDecision| (decision.rank, decision.clear);
        if best.as_ref().is_none_or(|best| order(best) < order(&found.decision)) {
            best = Some(found.decision);
        }
    }
    Ok(best)
}

/// Whether the gradient of `1/2 ||F - Y||_F^2` counts as zero at a point with this Jacobian: every block `J_k' (F - Y)` is at most the
/// threshold of criticality times `||J_k||_F (||F||_F + ||Y||_F)`, or what rounding errors make of it. `None` where the map is not defined.
pub fn criticality(
    map: &dyn Parametrization,
    point: &[Matrix],
    found: &DenseRank,
    (target, target_norm): (&Matrix, f64),
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Option<Truth> {
    let value = map.value(point)?;
    let gradient = map.transposed_times(point, &(&value - target))?;
    let size = value.frobenius_norm() + target_norm;
    let threshold = tolerances.critical_threshold(unit_roundoff);
    let rounding = UNIT_ROUNDOFF * (found.jacobian.larger_dimension() as f64).sqrt();
    let mut blocks = gradient.iter().zip(block_norms(map, &found.jacobian)).zip(&found.sizes);
    let vanishes = |((block, norm), bound): ((&Matrix, f64), &f64)| {
        block.frobenius_norm() <= (threshold * norm).max(rounding * bound) * size
    };
    Some(Truth::from(blocks.all(vanishes)))
}
