//! The ranks `r_ij` of all partial products, without forming a wide product.

use std::borrow::Cow;

use super::factors::{ExactFactors, Factors};
use crate::evidence::{Evidence, Quantity, RankDecision};
use crate::linalg::{Matrix, power_of_two_near, singular_values, triangular_factor, triangular_factor_of};
use crate::tolerance::{Storage, Tolerances, UNIT_ROUNDOFF};

/// `r_ij = rank W_j ... W_{i+1}` for `0 <= i <= j <= h`; `r_ii = d_i`.
#[derive(Debug, Clone, PartialEq)]
pub struct RankProfile {
    widths: Vec<usize>,
    /// Entry `[i][j - i - 1]` for `i < j`.
    decisions: Vec<Vec<RankDecision>>,
    /// Singular values of the product; empty when none were computed.
    product_values: Vec<f64>,
}

impl RankProfile {
    /// Adds the decisions to evidence, as ranks of the partial products of the factors as given.
    pub(crate) fn rest_as_given(&self, evidence: &mut Evidence) {
        for ((i, j), decision) in self.decisions() {
            evidence.rest_on(Quantity::Given { i, j }, *decision);
        }
    }

    /// Ranks in double precision.
    ///
    /// A singular value of `P(j, i)` counts as zero when it is at most
    /// `tolerances.rank * u * sqrt(largest width) * prod ||W_k||_2`, the size of the rounding errors that entries
    /// with unit roundoff `u` bring. Partial products are kept as cores no larger than the narrowest width passed,
    /// so a pair 4096 x 16 x 4096 costs two thin QR factorizations and three decompositions of size 16. A chain of `h`
    /// factors of width `d` costs `h (h - 1) / 2` products, each one factor times the range of the last, and as many
    /// decompositions without vectors beside those of the factors: `O(h^2 d^3)`, nine tenths of it in the decompositions.
    pub fn new(factors: &Factors, unit_roundoff: f64, tolerances: &Tolerances) -> Self {
        Self::with_sizes(factors, &vec![0.0; factors.depth()], unit_roundoff, tolerances)
    }

    /// The same where rounding errors of `W_k` are relative to at least `sizes[k - 1]` instead of `||W_k||_2` alone, as
    /// when a factor that should vanish was computed.
    pub fn with_sizes(factors: &Factors, sizes: &[f64], unit_roundoff: f64, tolerances: &Tolerances) -> Self {
        let relative = relative_rounding(factors, unit_roundoff, tolerances);
        Self::decided_by(factors, sizes, UNMOVED, |values, scale, _| {
            RankDecision::from_singular_values(values, relative * scale, tolerances.rank_gap, scale)
        })
    }

    /// Ranks of weights as a file stores them: their only error is the rounding of each entry to a type with this unit
    /// roundoff `u`.
    ///
    /// It moves an entry by at most `u |x|`, or half the distance `2 m` of the subnormal numbers of the type where that is more
    /// ([`Storage`]): `W_k` by at most `e_k = (u^2 ||W_k||_F^2 + m^2 d_k d_{k-1})^{1/2}`, and a singular value of `P(j, i)` by
    /// at most `prod (||W_k||_2 + e_k) - prod ||W_k||_2` (Weyl). Values are clearly not zero from `stored_gap` times
    /// that, and from `rank_gap` times the rounding errors of the arithmetic. For coarse types this is much less than
    /// what [`RankProfile::new`] leaves in doubt, but it does not cover points that are only near the one meant, as a
    /// checkpoint is near a critical point. Values that either error can have made count as zero up to
    /// `stored_zero * prod ||W_k||_2`, and are in doubt beyond.
    pub fn stored(factors: &Factors, unit_roundoff: f64, tolerances: &Tolerances) -> Self {
        let relative = relative_rounding(factors, UNIT_ROUNDOFF, tolerances);
        let storage = Storage::of_roundoff(unit_roundoff);
        Self::decided_by(factors, &vec![0.0; factors.depth()], storage, |values, scale, moved| {
            RankDecision::of_stored(values, relative * scale, moved.into(), scale, tolerances)
        })
    }

    /// `decide(values, scale, moved)` with the product of the norms, and how far storing the entries can have moved a singular
    /// value.
    fn decided_by(
        factors: &Factors,
        sizes: &[f64],
        storage: Storage,
        decide: impl Fn(&[f64], f64, f64) -> RankDecision,
    ) -> Self {
        let widths = factors.architecture().widths().to_vec();
        let layers: Vec<Layer> = factors
            .matrices()
            .iter()
            .zip(sizes)
            .enumerate()
            .map(|(k, (matrix, &size))| Layer::new(matrix, size, storage, 0 < k && k + 1 < widths.len() - 1))
            .collect();
        let (decisions, mut values): (Vec<_>, Vec<_>) =
            (0..layers.len()).map(|i| ranks_from(factors.matrices(), &layers, i, &decide)).unzip();
        Self { widths, decisions, product_values: values.swap_remove(0) }
    }

    /// Ranks over the rationals.
    pub fn exact(factors: &ExactFactors) -> Self {
        let widths = factors.architecture().widths().to_vec();
        let depth = factors.architecture().depth();
        let decisions = (0..depth)
            .map(|i| {
                let mut product = factors.matrices()[i].clone();
                let mut row = vec![RankDecision::exact(product.rank())];
                for matrix in &factors.matrices()[i + 1..] {
                    product = matrix * &product;
                    row.push(RankDecision::exact(product.rank()));
                }
                row
            })
            .collect();
        Self { widths, decisions, product_values: Vec::new() }
    }

    /// A profile from known ranks; `decide(i, j)` for `i < j`.
    pub fn from_decisions(widths: &[usize], mut decide: impl FnMut(usize, usize) -> RankDecision) -> Self {
        let depth = widths.len() - 1;
        let decisions = (0..depth).map(|i| (i + 1..=depth).map(|j| decide(i, j)).collect()).collect();
        Self { widths: widths.to_vec(), decisions, product_values: Vec::new() }
    }

    /// Number of factors.
    pub fn depth(&self) -> usize {
        self.widths.len() - 1
    }

    /// The widths `d_0, ..., d_h`.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// `r_ij`, with `r_ii = d_i`, and 0 for `j < i`.
    pub fn rank(&self, i: usize, j: usize) -> usize {
        match i.cmp(&j) {
            std::cmp::Ordering::Equal => self.widths[i],
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Less => self.decisions[i][j - i - 1].rank,
        }
    }

    /// The decision behind `r_ij`, for `i < j`.
    pub fn decision(&self, i: usize, j: usize) -> &RankDecision {
        &self.decisions[i][j - i - 1]
    }

    /// All decisions as `((i, j), decision)` with `i < j`.
    pub fn decisions(&self) -> impl Iterator<Item = ((usize, usize), &RankDecision)> {
        self.decisions
            .iter()
            .enumerate()
            .flat_map(|(i, row)| row.iter().enumerate().map(move |(k, d)| ((i, i + k + 1), d)))
    }

    /// Rank of the whole product.
    pub fn product_rank(&self) -> usize {
        self.rank(0, self.depth())
    }

    /// Singular values of the product, non-increasing, at least as many as the smallest width (the rest are zero). Empty
    /// for a profile that was not computed in double precision.
    pub fn product_singular_values(&self) -> &[f64] {
        &self.product_values
    }

    /// Every decision is clear.
    pub fn is_clear(&self) -> bool {
        self.decisions().all(|(_, decision)| decision.clear)
    }
}

/// Entries that no type has moved.
const UNMOVED: Storage = Storage { unit_roundoff: 0.0, smallest: 0.0 };

/// `tolerances.rank * u * sqrt(largest width)`.
fn relative_rounding(factors: &Factors, unit_roundoff: f64, tolerances: &Tolerances) -> f64 {
    let largest = factors.architecture().widths().iter().copied().max().unwrap_or(1);
    tolerances.relative_rounding(unit_roundoff, largest)
}

/// `tolerances.rank * u * sqrt(largest width) * prod ||W_k||_F` in double precision: rounding errors of the product.
pub(super) fn rounding_of_product(factors: &Factors, tolerances: &Tolerances) -> f64 {
    let size: f64 = factors.matrices().iter().map(Matrix::frobenius_norm).product();
    relative_rounding(factors, UNIT_ROUNDOFF, tolerances) * size
}

/// A factor, divided by a power of two so that no product of norms overflows, with the cores that stand for it at the
/// two ends of a partial product.
struct Layer {
    /// The whole factor, where it stands between others; a core of it elsewhere.
    matrix: Option<Matrix>,
    /// `R` of `W = Q R` when tall: replaces `W` at the left end.
    left: Option<Matrix>,
    /// `L` of `W = L Q'` when wide: replaces `W` at the right end.
    right: Option<Matrix>,
    /// Singular values.
    values: Vec<f64>,
    /// Spectral norm, or the size if larger.
    norm: f64,
    /// Spectral norm and how far storing the entries can have moved the matrix.
    norm_before_storage: f64,
    /// What the factor was divided by.
    divisor: f64,
}

impl Layer {
    /// `between`: the factor has neighbours on both sides.
    fn new(matrix: &Matrix, size: f64, storage: Storage, between: bool) -> Self {
        let (rows, cols) = matrix.shape();
        let largest = matrix.max_abs();
        let divisor = power_of_two_near(largest.max(size));
        // Squares of the entries neither overflow nor vanish: the core alone needs to be scaled.
        let moderate = largest < MODERATE && (largest * MODERATE > 1.0 || largest == 0.0);
        let core = || match moderate {
            true => triangular_factor_of(matrix).scaled(1.0 / divisor),
            false => triangular_factor_of(&matrix.scaled(1.0 / divisor)),
        };
        let left = (rows > cols).then(core);
        let right = (rows < cols).then(|| core().transpose());
        let whole = (between || rows == cols).then(|| matrix.scaled(1.0 / divisor));
        let values = left.as_ref().or(right.as_ref()).or(whole.as_ref()).map(singular_values).unwrap_or_default();
        let norm = values.first().copied().unwrap_or(0.0).max(size / divisor);
        let frobenius = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        let scaled = Storage { smallest: storage.smallest / divisor, ..storage };
        let norm_before_storage = norm + scaled.movement(frobenius, (rows * cols) as f64);
        Self { matrix: whole, left, right, values, norm, norm_before_storage, divisor }
    }

    /// What stands for the factor at the left end of a product.
    fn left<'a>(&'a self, whole: &'a Matrix) -> Cow<'a, Matrix> {
        self.stand_in(self.left.as_ref(), whole)
    }

    /// What stands for the factor at the right end of a product.
    fn right<'a>(&'a self, whole: &'a Matrix) -> Cow<'a, Matrix> {
        self.stand_in(self.right.as_ref(), whole)
    }

    fn stand_in<'a>(&'a self, core: Option<&'a Matrix>, whole: &'a Matrix) -> Cow<'a, Matrix> {
        match core.or(self.matrix.as_ref()) {
            Some(matrix) => Cow::Borrowed(matrix),
            None => Cow::Owned(whole.scaled(1.0 / self.divisor)),
        }
    }
}

/// Entries up to this, and no smaller than its reciprocal, are factored without being scaled.
const MODERATE: f64 = 1e120;

/// Decisions for `P(i+1, i), ..., P(h, i)` and the singular values of the last. `core` has the singular values of
/// `P(j-1, i)` and its column space.
fn ranks_from(
    factors: &[Matrix],
    layers: &[Layer],
    i: usize,
    decide: &impl Fn(&[f64], f64, f64) -> RankDecision,
) -> (Vec<RankDecision>, Vec<f64>) {
    let mut scale = layers[i].norm;
    let mut scale_before_storage = layers[i].norm_before_storage;
    let mut divisor = layers[i].divisor;
    let mut values = layers[i].values.clone();
    let mut out = vec![decide(&values, scale, scale_before_storage - scale).scaled(divisor)];
    let mut core = if i + 1 < layers.len() { layers[i].right(&factors[i]) } else { Cow::Owned(Matrix::zeros(0, 0)) };
    for (j, layer) in layers.iter().enumerate().skip(i + 1) {
        scale *= layer.norm;
        scale_before_storage *= layer.norm_before_storage;
        divisor *= layer.divisor;
        let product = layer.left(&factors[j]).as_ref() * core.as_ref();
        values = singular_values(&product);
        out.push(decide(&values, scale, scale_before_storage - scale).scaled(divisor));
        if let (true, Some(whole)) = (j + 1 < layers.len(), &layer.matrix) {
            // A core stands for a tall factor only at the end of a product.
            let next = if layer.left.is_some() { whole * core.as_ref() } else { product };
            let wide = next.nrows() < next.ncols();
            core = Cow::Owned(if wide { triangular_factor(next.transpose()).transpose() } else { next });
        }
    }
    values.iter_mut().for_each(|value| *value *= divisor);
    (out, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn ranks_agree_with_those_of_the_formed_products() {
        let mut stream = Stream::new(1, 0);
        for widths in [vec![3, 2, 5, 4], vec![6, 1, 6], vec![2, 5, 2, 5, 2], vec![4, 4]] {
            let matrices: Vec<Matrix> = widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect();
            let factors = Factors::new(matrices).unwrap();
            let profile = RankProfile::new(&factors, UNIT_ROUNDOFF, &Tolerances::default());
            for ((i, j), decision) in profile.decisions() {
                assert_eq!(decision.rank, crate::linalg::rank(&factors.partial(j, i), &Tolerances::default()).rank);
                assert!(decision.clear);
            }
        }
    }

    #[test]
    fn stored_weights_of_coarse_types_have_clear_ranks_where_points_near_them_have_not() {
        let brain = (f64::powi(2.0, -8), (|x| half::bf16::from_f64(x).to_f64()) as fn(f64) -> f64);
        let half = (f64::powi(2.0, -11), (|x| half::f16::from_f64(x).to_f64()) as fn(f64) -> f64);
        let cases = [(brain, vec![1024, 8, 1024]), (brain, vec![60, 6, 60]), (half, vec![200, 4, 80, 20])];
        for (case, ((unit_roundoff, round), widths)) in cases.into_iter().enumerate() {
            let mut stream = Stream::new(3, case as u64);
            let draw = |d: &[usize]| stream.normal_matrix(d[1], d[0]).map(round);
            let factors = Factors::new(widths.windows(2).map(draw).collect()).unwrap();
            let exact = RankProfile::new(&factors, UNIT_ROUNDOFF, &Tolerances::default());
            let stored = RankProfile::stored(&factors, unit_roundoff, &Tolerances::default());
            assert!(stored.is_clear(), "{widths:?}");
            for ((i, j), decision) in exact.decisions() {
                assert_eq!(decision.rank, stored.rank(i, j));
            }
            assert!(!RankProfile::new(&factors, unit_roundoff, &Tolerances::default()).is_clear());
        }
    }

    #[test]
    fn clear_ranks_are_no_larger_than_before_the_weights_were_stored() {
        let half = f64::powi(2.0, -8);
        for case in 0..300 {
            let mut stream = Stream::new(4, case);
            let widths: Vec<usize> = (0..4).map(|_| stream.integer(1, 6) as usize).collect();
            let meant: Vec<Matrix> = widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect();
            let stored: Vec<Matrix> = meant.iter().map(|m| m.map(|x| half::bf16::from_f64(x).to_f64())).collect();
            let (meant, stored) = (Factors::new(meant).unwrap(), Factors::new(stored).unwrap());
            let profile = RankProfile::stored(&stored, half, &Tolerances::default());
            for ((i, j), decision) in profile.decisions() {
                let before = singular_values(&meant.partial(j, i));
                let after = singular_values(&stored.partial(j, i));
                let moved = before.iter().zip(&after).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
                let certain = after.iter().filter(|&&value| value > moved).count();
                assert!(!decision.clear || decision.rank <= certain, "{widths:?} {i}:{j} moved {moved:e}");
            }
        }
    }

    #[test]
    fn ranks_survive_scales_whose_product_is_one() {
        let mut stream = Stream::new(2, 0);
        let factors = Factors::new(vec![
            stream.normal_matrix(3, 4).scaled(1e200),
            stream.normal_matrix(2, 3).scaled(1e200),
            stream.normal_matrix(4, 2).scaled(1e-300),
        ])
        .unwrap();
        let profile = RankProfile::new(&factors, UNIT_ROUNDOFF, &Tolerances::default());
        assert_eq!((profile.rank(0, 1), profile.rank(0, 2), profile.product_rank()), (3, 2, 2));
    }
}
