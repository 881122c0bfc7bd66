//! Descents from many starts on factors of bounded rank, and the distinct ends of them.

use rayon::prelude::*;

use super::certified::AllCriticalPoints;
use super::convex::{ConvexBound, separates};
use super::curvature::{spectrum_on_manifold, zero_of};
use super::enclosure::encloses_minimum;
use super::newton::{End, descend, in_blocks, natural_size};
use super::space::FunctionSpace;
use crate::hessian::{HessianOperator, extremes};
use crate::linalg::{Matrix, singular_values, svd};
use crate::loss::{Infimum, Loss, SharedLoss};
use crate::network::Network;
use crate::parallel::pool;
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// A local minimum on matrices of bounded rank.
#[derive(Debug, Clone)]
pub struct LocalMinimum {
    /// The loss.
    pub value: f64,
    /// Norm of the gradient on the manifold beside the size of its terms.
    pub gradient: f64,
    /// Smallest eigenvalue of the Hessian on matrices of this rank, in the metric of `W`; `None` where the manifold is too large.
    pub lambda_min: Option<f64>,
    /// A local minimum is proved to lie here, by bounds of all rounding errors or in a list that is certified.
    pub certified: bool,
    /// It is an isolated local minimum: the smallest eigenvalue is clear of zero.
    pub isolated: bool,
    /// `W`; what the loss cannot see is zero.
    pub product: Matrix,
    /// The offset, where there is one.
    pub offset: Option<Vec<f64>>,
    /// Its rank.
    pub rank: usize,
    /// Starts that ended here.
    pub hits: usize,
}

/// Descents that left for infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtInfinity {
    /// The value that they approach, about.
    pub value: f64,
    /// How many.
    pub hits: usize,
}

/// What the starts have found.
pub(super) struct Found {
    pub(super) minima: Vec<LocalMinimum>,
    pub(super) at_infinity: Vec<AtInfinity>,
    /// Of those, how many separate all samples.
    pub(super) separated: usize,
    pub(super) unfinished: usize,
}

/// A margin beyond which a term of a loss of margins is nothing beside 1.
const SATURATED: f64 = 36.0;

/// A direction of negative curvature that is clear of rounding errors.
fn saddle_direction(network: &Network<SharedLoss>, tolerances: &Tolerances, seed: u64) -> Option<Vec<Matrix>> {
    let ones = vec![1.0; network.blocks().len()];
    let ends = extremes(&HessianOperator::new(network, ones), None, tolerances, seed);
    let largest = ends.largest.value.abs().max(ends.smallest.value.abs());
    let is_saddle = ends.smallest.value < -tolerances.flat_curvature * largest && !ends.smallest.vector.is_empty();
    is_saddle.then(|| in_blocks(&network.blocks(), &ends.smallest.vector))
}

/// Where a start ended.
pub(super) enum Ended {
    At {
        matrix: Matrix,
        offset: Option<Matrix>,
        value: f64,
        gradient: f64,
    },
    AtInfinity(f64),
    /// All samples are answered right: the loss goes to this value along the ray.
    Separated(f64),
    Unfinished,
}

/// The problem whose minima are looked for.
pub(super) struct Search<'a> {
    pub(super) space: &'a FunctionSpace,
    /// `X`, of which the space was made.
    pub(super) inputs: Option<&'a Matrix>,
    pub(super) rank: usize,
    pub(super) bound: &'a ConvexBound,
    pub(super) tolerances: &'a Tolerances,
    pub(super) seed: u64,
}

/// Joins values that are approached and are about the same.
fn add_at_infinity(infinite: &mut Vec<AtInfinity>, value: f64, hits: usize) {
    let close = |other: &&mut AtInfinity| (other.value - value).abs() <= 1e-3 * value.abs().max(1e-3);
    match infinite.iter_mut().find(close) {
        Some(other) => {
            other.hits += hits;
            other.value = other.value.min(value);
        }
        None => infinite.push(AtInfinity { value, hits }),
    }
}

/// Norms of matrices up to this part of the outputs count as zero.
const ZERO: f64 = 1e-10;
/// `gradient.relative` at which a descent ends.
const CRITICAL: f64 = 1e-13;
/// Saddles that a descent leaves before it is given up.
const SADDLES: usize = 8;

impl Search<'_> {
    /// Where the starts end.
    pub(super) fn ends(&self, starts: usize, threads: usize) -> Vec<Ended> {
        let one = |k: usize| self.end(k);
        match pool(threads.min(starts)) {
            Some(pool) => pool.install(|| (0..starts).into_par_iter().with_min_len(4).map(one).collect()),
            None => (0..starts).map(one).collect(),
        }
    }

    fn start(&self, k: usize) -> Network<SharedLoss> {
        let (outputs, inputs) = self.space.shape();
        let minimiser = self.bound.minimiser.as_ref();
        if let (0, Some((matrix, offset))) = (k, minimiser) {
            let found = svd(matrix);
            let roots: Vec<f64> = found.s.iter().take(self.rank).map(|value| value.sqrt()).collect();
            let left = found.u.columns(0, roots.len()).scale_columns(&roots);
            let right = found.v.columns(0, roots.len()).scale_columns(&roots).transpose();
            return self.space.network(vec![right, left], offset.clone());
        }
        let typical = minimiser.map_or(0.0, |(matrix, _)| matrix.frobenius_norm());
        let size = if typical > 0.0 { typical / ((outputs * inputs) as f64).sqrt() } else { 1.0 };
        // Entries of a product of normal factors have variance r s^4.
        let scale = [1.0, 0.2, 3.0][k % 3] * (size / (self.rank as f64).sqrt()).sqrt();
        let mut stream = Stream::new(self.seed, k as u64);
        let factors = vec![
            stream.normal_matrix(self.rank, inputs).scaled(scale),
            stream.normal_matrix(outputs, self.rank).scaled(scale),
        ];
        self.space.network(factors, minimiser.and_then(|(_, offset)| offset.clone()))
    }

    /// Descends, and leaves the saddles on its way.
    fn end(&self, k: usize) -> Ended {
        let mut network = self.start(k);
        let separated = |network: &Network<SharedLoss>| separates(network.loss(), network.output());
        for _ in 0..SADDLES {
            let found = descend(network, CRITICAL, separated);
            match found.end {
                End::AtInfinity => {
                    return match self.space.loss().infimum() {
                        Infimum::AtLeast(value) if separated(&found.network) => Ended::Separated(value),
                        _ => Ended::AtInfinity(found.network.value()),
                    };
                }
                End::Unfinished => return Ended::Unfinished,
                End::Critical => {}
            }
            match saddle_direction(&found.network, self.tolerances, self.seed) {
                Some(direction) => {
                    let size: f64 = found.network.layers().iter().map(Matrix::frobenius_norm).fold(0.0, f64::hypot);
                    let step = 0.1 * size.max(1e-3 * natural_size(&found.network));
                    let ends = [step, -step].map(|t| found.network.moved(t, &direction));
                    let [a, b] = ends;
                    network = if a.value() <= b.value() { a } else { b };
                }
                None => {
                    let network = found.network;
                    let [right, left] = network.layers() else { return Ended::Unfinished };
                    return Ended::At {
                        matrix: left * right,
                        offset: network.bias_columns().into_iter().flatten().next(),
                        value: network.value(),
                        gradient: network.measured_gradient(),
                    };
                }
            }
        }
        Ended::Unfinished
    }

    /// Ends that are the same are one; lowest first.
    pub(super) fn distinct(&self, ends: Vec<Ended>) -> Found {
        let mut seen: Vec<(Matrix, Option<Matrix>, f64, f64, usize)> = Vec::new();
        let mut infinite: Vec<AtInfinity> = Vec::new();
        let (mut unfinished, mut separated) = (0, 0);
        for end in ends {
            separated += usize::from(matches!(end, Ended::Separated(_)));
            match end {
                Ended::Unfinished => unfinished += 1,
                Ended::AtInfinity(value) | Ended::Separated(value) => add_at_infinity(&mut infinite, value, 1),
                Ended::At { matrix, offset, value, gradient } => {
                    let same = |other: &(Matrix, Option<Matrix>, f64, f64, usize)| {
                        let far = (&other.0 - &matrix).frobenius_norm();
                        let size = matrix.frobenius_norm().max(other.0.frobenius_norm());
                        far <= self.tolerances.same_minimum * size + self.zero_matrix()
                    };
                    match seen.iter_mut().find(|other| same(other)) {
                        Some(other) => {
                            other.4 += 1;
                            if value < other.2 {
                                (other.0, other.1, other.2, other.3) = (matrix, offset, value, gradient);
                            }
                        }
                        None => seen.push((matrix, offset, value, gradient, 1)),
                    }
                }
            }
        }
        let mut minima: Vec<LocalMinimum> = seen
            .into_iter()
            .map(|(matrix, offset, value, gradient, hits)| {
                self.minimum(&matrix, offset.as_ref(), value, gradient, hits)
            })
            .collect();
        // Where no spectrum was computed nothing is known of it, and it stays.
        let is_flat = |minimum: &LocalMinimum| minimum.lambda_min.is_some() && !minimum.isolated;
        let on_the_way = |minimum: &LocalMinimum| is_flat(minimum) && self.is_saturated(minimum);
        let gone: Vec<LocalMinimum> = minima.extract_if(.., |minimum| on_the_way(minimum)).collect();
        for minimum in gone {
            add_at_infinity(&mut infinite, minimum.value, minimum.hits);
        }
        minima.sort_by(|a, b| a.value.total_cmp(&b.value));
        infinite.sort_by(|a, b| a.value.total_cmp(&b.value));
        Found { minima, at_infinity: infinite, separated, unfinished }
    }

    /// Matrices up to this norm are zero.
    fn zero_matrix(&self) -> f64 {
        ZERO * self.space.loss().output_size()
    }

    /// Some margins are so large that nothing is left of their terms.
    fn is_saturated(&self, minimum: &LocalMinimum) -> bool {
        let (matrix, offset) = (self.space.reduced(&minimum.product), minimum.offset.as_ref());
        let offset = offset.map(|offset| Matrix::from_column_major(offset.len(), 1, offset));
        let offset = offset.and_then(|offset| self.space.reduced_offset(&minimum.product, &offset));
        let margins = self.space.loss().margins(&self.space.outputs_of(&matrix, offset.as_ref()));
        margins.is_some_and(|margins| margins.values.iter().any(|&margin| margin > SATURATED))
    }

    /// Marks the minima of a complete list, and adds those that no start found.
    pub(super) fn certify(&self, minima: &mut Vec<LocalMinimum>, all: &AllCriticalPoints) {
        for (value, product) in all.minima() {
            let size = product.frobenius_norm();
            let is_near = |minimum: &&mut LocalMinimum| {
                (&minimum.product - &product).frobenius_norm() <= self.tolerances.same_minimum * size
            };
            match minima.iter_mut().find(is_near) {
                Some(minimum) => minimum.certified |= all.exact,
                None => {
                    let missed = self.minimum(&self.space.reduced(&product), None, value, 0.0, 0);
                    minima.push(LocalMinimum { certified: missed.certified || all.exact, ..missed });
                }
            }
        }
        minima.sort_by(|a, b| a.value.total_cmp(&b.value));
    }

    fn minimum(
        &self,
        matrix: &Matrix,
        offset: Option<&Matrix>,
        value: f64,
        gradient: f64,
        hits: usize,
    ) -> LocalMinimum {
        let values = singular_values(matrix);
        let largest = values.first().copied().unwrap_or(0.0);
        let zero = (1e-8 * largest).max(self.zero_matrix());
        let rank = values.iter().take_while(|&&value| value > zero).count().min(self.rank);
        let spectrum = if rank == self.rank { spectrum_on_manifold(self.space, matrix, offset, rank) } else { None };
        let smallest = spectrum.as_ref().and_then(|values| values.first().copied());
        let isolated =
            spectrum.as_deref().zip(smallest).is_some_and(|(values, least)| least > zero_of(values, self.tolerances));
        let certified = isolated && encloses_minimum(self.space, self.inputs, (matrix, offset), rank);
        let (product, offset) = self.space.as_given(matrix, offset);
        let offset = offset.map(|offset| offset.column(0).to_vec());
        LocalMinimum { value, gradient, lambda_min: smallest, certified, isolated, product, offset, rank, hits }
    }
}
