//! Class and inertia of a critical point in double precision.

use super::class::{CriticalClass, CriticalPoint, Findings};
use crate::data::Whitening;
use crate::evidence::{Evidence, Grade, Movement, Quantity, RankDecision, Truth};
use crate::hessian::{PairCounts, StringRanks, inertia_at_critical_point};
use crate::linalg::{Inertia, Matrix, power_of_two_near, singular_values};
use crate::multiplication::{Factors, RankProfile};
use crate::network::{NormalizedNetwork, SquareNetwork};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Classifies a point at which the gradient is taken to be zero; its entries are known up to `unit_roundoff`, or up to
/// its relative gradient where that is larger.
pub fn classify(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> CriticalPoint {
    let (sizes, noise) = sizes_and_noise(network, unit_roundoff, tolerances);
    let inputs = network.given().layers()[0].ncols();
    let sizes =
        Sizes::new(network.whitened(), &sizes, whitening, noise, tolerances).with_terms(network.size_of_terms());
    let found = classified(network.whitened(), whitening, inputs, sizes, noise, tolerances);
    match network.criticality(unit_roundoff, tolerances) {
        // Rounding errors hide whether the gradient is zero.
        Truth::Undecided => CriticalPoint { class: CriticalClass::Undecided, inertia: None, ..found },
        Truth::Yes | Truth::No => found,
    }
}

/// All ranks of a critical point whose data have positive rank; `None` when the factors are not finite.
pub(crate) fn string_ranks(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Option<StringRanks> {
    let (sizes, noise) = sizes_and_noise(network, unit_roundoff, tolerances);
    let sizes =
        Sizes::new(network.whitened(), &sizes, whitening, noise, tolerances).with_terms(network.size_of_terms());
    let factors = Factors::new(network.whitened().layers().to_vec()).ok()?;
    Some(ranks_at(network.whitened(), &factors, &sizes, noise, tolerances).0)
}

/// Sizes that rounding errors of the whitened factors are relative to, and the relative size of errors of entries.
pub(super) fn sizes_and_noise(
    network: &NormalizedNetwork,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> (Vec<f64>, f64) {
    let mut sizes = vec![0.0; network.given().layers().len()];
    // Whitening the first factor can cancel: its errors are relative to what was multiplied.
    sizes[0] = network.given().layer_norms()[0] * network.given().input_norm();
    let gradient = network.relative_gradient(unit_roundoff, tolerances);
    let noise = unit_roundoff.max(gradient.min(tolerances.critical_threshold(unit_roundoff)));
    (sizes, noise)
}

/// Classifies a point of a network in whitened coordinates (`A = I`), at any scale, where rounding errors of `W_k` are
/// relative to at least `sizes[k - 1]`; `inputs` is `d_0`, which may exceed the rank of `X`.
pub(super) fn classify_with_sizes(
    network: &SquareNetwork,
    whitening: &Whitening,
    inputs: usize,
    sizes: &[f64],
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> CriticalPoint {
    let sizes = Sizes::new(network, sizes, whitening, unit_roundoff, tolerances);
    classified(network, whitening, inputs, sizes, unit_roundoff, tolerances)
}

fn classified(
    network: &SquareNetwork,
    whitening: &Whitening,
    inputs: usize,
    sizes: Sizes,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> CriticalPoint {
    let rho = whitening.rank.rank;
    let mut evidence = Evidence::new(Grade::Numerical);
    evidence.rest_on(Quantity::Inputs, whitening.rank);
    let flat = (inputs - rho) * network.layers().first().map_or(0, Matrix::nrows);
    if rho == 0 {
        let zero = network.layers().iter().skip(1).map(|w| w.nrows() * w.ncols()).sum::<usize>() + flat;
        return constant_loss(zero, evidence);
    }
    let (ranks, residual) = match Factors::new(network.layers().to_vec()) {
        Ok(factors) => ranks_at(network, &factors, &sizes, unit_roundoff, tolerances),
        Err(_) => return undecided(evidence),
    };
    let depth = network.layers().len();
    let rank = ranks.profile().product_rank();
    let kept = &singular_values(network.output())[..rank];
    let omitted_values = singular_values(network.residual());
    let (pairs, comparison) = compare(kept, &omitted_values[..residual.rank], &sizes, tolerances);
    evidence.rest_on(Quantity::Output, *ranks.profile().decision(0, depth));
    evidence.rest_on(Quantity::Residual, residual);
    evidence.rest_on(Quantity::Comparison, comparison);
    evidence.rest_on(Quantity::Target, whitening.target_rank);
    // W X = P_S Z: what is captured and what is omitted make up the target.
    let all_found = rank + residual.rank == whitening.target_rank.rank;
    let spectrum_clear = evidence.is_clear() && all_found;
    rest_on_strings(&mut evidence, &ranks);
    let inertia = if depth == 1 { Some(one_layer(network)) } else { inertia_at_critical_point(&ranks, pairs) };
    let findings = Findings {
        rank,
        effective_bottleneck: network.layers().iter().map(Matrix::nrows).min().unwrap_or(0).min(rho),
        residual_is_zero: residual.rank == 0,
        pairs,
        spectrum_clear,
        all_clear: evidence.is_clear() && all_found,
        inertia: inertia.map(|found| Inertia { zero: found.zero + flat, ..found }),
    };
    CriticalPoint {
        class: if depth == 1 { CriticalClass::GlobalMinimum } else { findings.class() },
        rank,
        inertia: findings.inertia.filter(|_| findings.all_clear || depth == 1),
        residual_is_zero: findings.residual_is_zero,
        tie: sizes.tie(tolerances),
        evidence,
    }
}

/// Norms and the sizes of errors.
struct Sizes {
    norms: Vec<f64>,
    /// Size of the terms that are added up in `W X`: their rounding errors are relative to it.
    terms: f64,
    /// `||Y||`: whitening the target can cancel, so its errors are relative to all of `Y`.
    target: f64,
    /// `tolerances.rank * sqrt(largest width)`.
    factor: f64,
    unit_roundoff: f64,
    /// How far storing the data can have moved the target.
    moved: Movement,
    /// `||W X - Z||_F`.
    residual_norm: f64,
}

impl Sizes {
    fn new(
        network: &SquareNetwork,
        sizes: &[f64],
        whitening: &Whitening,
        unit_roundoff: f64,
        tolerances: &Tolerances,
    ) -> Self {
        let norms: Vec<f64> = network.layer_norms().iter().zip(sizes).map(|(norm, &size)| norm.max(size)).collect();
        let widest = network.layers().iter().map(Matrix::larger_dimension).max().unwrap_or(1) as f64;
        let scale = power_of_two_near(whitening.target_norm);
        let Movement { likely, possible } = whitening.moved;
        Self {
            terms: norms.iter().product::<f64>(),
            target: whitening.target_norm / scale,
            factor: tolerances.rank * widest.sqrt(),
            unit_roundoff,
            moved: Movement { likely: likely / scale, possible: possible / scale },
            residual_norm: network.residual().frobenius_norm(),
            norms,
        }
    }

    /// The terms of the product are known to be no larger than this.
    fn with_terms(mut self, terms: f64) -> Self {
        self.terms = self.terms.min(terms);
        self
    }

    /// Size of the errors of the residual: those of the weights and, in double precision, those of the data.
    fn residual_error(&self) -> f64 {
        self.factor * (self.unit_roundoff * self.terms + UNIT_ROUNDOFF.min(self.unit_roundoff) * self.target)
    }

    /// What a residual that counts as zero must be small beside: the target. Only a target of zero has no size of its own.
    fn stake(&self) -> f64 {
        if self.target > 0.0 { self.target } else { self.terms }
    }

    /// Captured and omitted values that differ by at most this count as equal.
    fn tie(&self, tolerances: &Tolerances) -> f64 {
        self.residual_error() / tolerances.rank * tolerances.tie
    }

    /// Rank of the residual times the factors `involved`.
    fn decide(&self, values: &[f64], involved: &[&[f64]], tolerances: &Tolerances) -> RankDecision {
        let size: f64 = involved.iter().copied().flatten().product();
        let alone = involved.iter().all(|part| part.is_empty());
        let weights = if alone { 0.0 } else { self.factor * self.unit_roundoff * self.residual_norm };
        let computed = size * (self.residual_error() + weights);
        let moved = if alone {
            self.moved
        } else {
            Movement { likely: size * self.moved.likely, possible: size * self.moved.possible }
        };
        RankDecision::of_stored(values, computed, moved, size * self.stake(), tolerances)
    }
}

fn ranks_at(
    network: &SquareNetwork,
    factors: &Factors,
    sizes: &Sizes,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> (StringRanks, RankDecision) {
    let depth = factors.depth();
    let profile = RankProfile::with_sizes(factors, &sizes.norms, unit_roundoff, tolerances);
    let residual = sizes.decide(&singular_values(network.residual()), &[], tolerances);
    let after: Vec<Matrix> =
        (0..=depth).map(|s| if s == 0 { Matrix::zeros(0, 0) } else { factors.partial(depth, s) }).collect();
    let mut wrapped_from = network.residual().transpose();
    let mut rows: Vec<Matrix> = vec![wrapped_from.clone()];
    for layer in &network.layers()[..depth - 1] {
        wrapped_from = layer * &wrapped_from;
        rows.push(wrapped_from.clone());
    }
    let ranks = StringRanks::new(profile, |s, t| {
        let involved = [&sizes.norms[..t], &sizes.norms[s..]];
        sizes.decide(&singular_values(&(&rows[t] * &after[s])), &involved, tolerances)
    });
    (ranks, residual)
}

/// Counts pairs and reports the decision which differences are zero as if it were a rank.
fn compare(kept: &[f64], omitted: &[f64], sizes: &Sizes, tolerances: &Tolerances) -> (PairCounts, RankDecision) {
    let mut differences: Vec<f64> = kept.iter().flat_map(|a| omitted.iter().map(move |b| (a - b).abs())).collect();
    differences.sort_by(|x, y| y.total_cmp(x));
    // Both values of a difference move.
    let moved = Movement { likely: 2.0 * sizes.moved.likely, possible: 2.0 * sizes.moved.possible };
    let decision = RankDecision::of_stored(&differences, sizes.tie(tolerances), moved, sizes.stake(), tolerances);
    (PairCounts::new(kept, omitted, decision.tolerance), decision)
}

fn rest_on_strings(evidence: &mut Evidence, ranks: &StringRanks) {
    let depth = ranks.profile().depth();
    for ((i, j), decision) in ranks.profile().decisions().filter(|&(at, _)| at != (0, depth)) {
        evidence.rest_on(Quantity::Seen { i, j }, *decision);
    }
    for ((s, t), decision) in ranks.wrapped_decisions() {
        evidence.rest_on(Quantity::Wrapped { depth, s, t }, *decision);
    }
}

fn one_layer(network: &SquareNetwork) -> Inertia {
    let (rows, cols) = network.target().shape();
    Inertia { negative: 0, zero: 0, positive: rows * cols }
}

fn constant_loss(parameters: usize, evidence: Evidence) -> CriticalPoint {
    CriticalPoint {
        class: CriticalClass::GlobalMinimum,
        rank: 0,
        inertia: Some(Inertia { zero: parameters, ..Inertia::default() }),
        residual_is_zero: true,
        tie: 0.0,
        evidence,
    }
}

fn undecided(evidence: Evidence) -> CriticalPoint {
    CriticalPoint {
        class: CriticalClass::Undecided,
        rank: 0,
        inertia: None,
        residual_is_zero: false,
        tie: 0.0,
        evidence,
    }
}
