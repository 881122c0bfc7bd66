//! What can be said again about the class of a point in double precision: what intervals prove, and what is decided a second
//! time on ranks and only repeated.

use super::enclosure::{Enclosed, distance_from_rank, enclosed, larger, norm, ratio, root, spectral, squared_norm};
use super::verify::{CLASS, Check, GRADIENT, GROUNDS, check};
use super::{Criticality, ReducedData, Statement};
use crate::critical::{CriticalClass, classify};
use crate::data::Whitening;
use crate::diagnosis::{profile_as_given, rest_as_given};
use crate::evidence::{Evidence, Grade};
use crate::hessian::NormalizedNetwork;
use crate::linalg::Matrix;
use crate::linalg::interval::Interval;
use crate::multiplication::Factors;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Up to this many multiplications intervals are used.
const INTERVAL_MULTIPLICATIONS: usize = 1_000_000_000;

/// The claims about the point. `curvature` encloses `<A_1, H A_1> / ||A_1||^2` with the Hessian `H`, where a path is straight.
pub(super) fn class_checks(
    statement: &Statement<Factors, ReducedData, f64>,
    criticality: Criticality,
    curvature: Option<Interval>,
    tolerances: &Tolerances,
) -> Vec<Check> {
    let Statement { point, data, class, .. } = statement;
    let whitening = whitened(data, tolerances);
    let network = NormalizedNetwork::new(point, &whitening);
    let claimed_critical = *class != CriticalClass::NotCritical;
    let bounds = Balanced::new(&network, point, data).map(|balanced| balanced.bounds(criticality, tolerances));
    let gradient = gradient_check(bounds.as_ref(), criticality, claimed_critical);
    let critical = gradient.holds.map(|holds| holds == claimed_critical).unwrap_or_else(|| {
        network.relative_gradient(criticality.unit_roundoff, tolerances) <= criticality.threshold
            || network.is_critical(criticality.unit_roundoff, tolerances)
    });
    // Where intervals do not decide, the second decision starts from rounded numbers, as the first one did.
    let again = Decided::new(&network, point, &whitening, critical, criticality, tolerances);
    let known = bounds.as_ref().filter(|_| gradient.holds == Some(true));
    let proof = known.and_then(|bounds| proof(*class, bounds, curvature, criticality, tolerances));
    vec![
        threshold_check(criticality, tolerances),
        gradient,
        again.class_check(*class, proof),
        again.grounds_check(&statement.rests_on),
    ]
}

/// The whitening of `L = 1/2 ||W A - Z||^2 + floor`.
fn whitened(data: &ReducedData, tolerances: &Tolerances) -> Whitening {
    let rows = data.inputs.ncols().max(1);
    let padded = |m: &Matrix| {
        let mut out = Matrix::zeros(rows, m.nrows());
        out.set_block(0, 0, &m.transpose());
        out
    };
    let rest = Matrix::from_diagonal(1, 1, &[(2.0 * data.floor.max(0.0)).sqrt()]);
    Whitening::from_blocks(&padded(&data.inputs), &padded(&data.target), &rest, tolerances)
}

fn threshold_check(stated: Criticality, tolerances: &Tolerances) -> Check {
    let expected = tolerances.critical_threshold(stated.unit_roundoff);
    Check {
        claim: "the threshold of criticality",
        holds: (stated.threshold <= expected).then_some(true),
        grade: Grade::Exact,
        found: format!("{:e}; {expected:e} at a unit roundoff of {:.2e}", stated.threshold, stated.unit_roundoff),
    }
}

fn gradient_check(bounds: Option<&Bounds>, stated: Criticality, claimed: bool) -> Check {
    let Some(bounds) = bounds else {
        let found = "the point is too large for intervals, or its scales are too far apart".to_owned();
        return Check { claim: GRADIENT, holds: None, grade: Grade::Numerical, found };
    };
    let Bounds { relative, critical, .. } = bounds;
    let found =
        format!("relative gradient in [{:.1e}, {:.1e}], threshold {:e}", relative.low, relative.high, stated.threshold);
    Check { claim: GRADIENT, holds: critical.map(|critical| critical == claimed), grade: Grade::Certified, found }
}

/// What intervals prove about the class, where the gradient is as claimed: `Some(false)` refutes it.
fn proof(
    class: CriticalClass,
    bounds: &Bounds,
    curvature: Option<Interval>,
    stated: Criticality,
    tolerances: &Tolerances,
) -> Option<(bool, String)> {
    match class {
        CriticalClass::NotCritical => Some((true, "the gradient is above the threshold".to_owned())),
        CriticalClass::StrictSaddle => {
            let lowest = curvature.filter(|curvature| curvature.high < 0.0)?;
            Some((true, format!("the smallest eigenvalue of the Hessian is at most {:e}", lowest.high)))
        }
        CriticalClass::GlobalMinimum => {
            let allowed = tolerances.certificate_minimum.max(stated.threshold * stated.threshold);
            let excess = bounds.excess;
            let found = |side: &str, value: f64| format!("{side} {value:e} 1/2 ||Y||^2 above the smallest value");
            if excess.high <= allowed {
                return Some((true, found("at most", excess.high)));
            }
            (excess.low > allowed).then(|| (false, found("at least", excess.low)))
        }
        _ => None,
    }
}

/// The class and its grounds, decided a second time from the numbers in the certificate.
struct Decided {
    class: CriticalClass,
    evidence: Evidence,
}

impl Decided {
    fn new(
        network: &NormalizedNetwork,
        point: &Factors,
        whitening: &Whitening,
        critical: bool,
        stated: Criticality,
        tolerances: &Tolerances,
    ) -> Self {
        let mut evidence = Evidence::new(Grade::Numerical);
        let mut class = CriticalClass::NotCritical;
        if critical {
            let found = classify(network, whitening, stated.unit_roundoff, tolerances);
            (class, evidence) = (found.class, found.evidence);
        } else {
            evidence.rest_on("rank X", whitening.rank);
        }
        rest_as_given(&profile_as_given(point, critical, stated.unit_roundoff, tolerances), &mut evidence);
        Self { class, evidence }
    }

    fn class_check(&self, claimed: CriticalClass, proof: Option<(bool, String)>) -> Check {
        let (again, decided) = (self.class, self.class != CriticalClass::Undecided);
        let (holds, grade, found) = match proof {
            _ if claimed == CriticalClass::Undecided => (None, Grade::Numerical, "nothing is claimed".to_owned()),
            Some((false, found)) => (Some(false), Grade::Certified, found),
            _ if decided && again != claimed => (Some(false), Grade::Numerical, format!("decided again: {again}")),
            Some((true, found)) => (Some(true), Grade::Certified, found),
            None if decided => (Some(true), Grade::Numerical, format!("decided again on ranks, not proved: {again}")),
            None => (None, Grade::Numerical, "the ranks do not settle it".to_owned()),
        };
        Check { claim: CLASS, holds, grade, found }
    }

    fn grounds_check(&self, stated: &[(String, usize)]) -> Check {
        grounds_check(stated, &self.evidence, Grade::Numerical)
    }
}

/// Every decision that is stated was taken again with the same rank.
pub(super) fn grounds_check(stated: &[(String, usize)], evidence: &Evidence, grade: Grade) -> Check {
    let again = |quantity: &str| evidence.rests_on.iter().find(|found| found.quantity == quantity);
    for (quantity, rank) in stated {
        match again(quantity) {
            None => return Check { grade, ..check(GROUNDS, false, format!("the class does not rest on {quantity}")) },
            Some(found) if found.decision.rank != *rank => {
                return Check { grade, ..check(GROUNDS, false, format!("{quantity} = {}", found.decision.rank)) };
            }
            Some(_) => {}
        }
    }
    Check { grade, ..check(GROUNDS, true, format!("{} ranks, decided again", stated.len())) }
}

/// What intervals say about a point.
struct Bounds {
    /// The relative gradient.
    relative: Interval,
    /// The gradient counts as zero.
    critical: Option<bool>,
    /// `(L - min L) / (1/2 ||Y||^2)`, where the smallest value is bounded below.
    excess: Interval,
}

/// The point and its data, divided by powers of two without rounding.
struct Balanced {
    layers: Vec<Enclosed>,
    inputs: Enclosed,
    target: Enclosed,
    /// The square of the part of `Y` that no product reaches.
    rest: Interval,
    widths: Vec<usize>,
}

impl Balanced {
    /// `None` when it is too large, or a number would be rounded.
    fn new(network: &NormalizedNetwork, point: &Factors, data: &ReducedData) -> Option<Self> {
        let widths = point.architecture().widths().to_vec();
        let columns = data.inputs.ncols();
        let widest = widths.iter().copied().max().unwrap_or(0).max(columns);
        let target = data.target.nrows().min(columns).pow(2) * widest;
        if 4 * (point.architecture().parameters() * widest + target) > INTERVAL_MULTIPLICATIONS {
            return None;
        }
        let z = network.target_scale();
        let layers = point.matrices().iter().zip(network.layer_scales());
        let inverse = Interval::point(1.0 / z);
        Some(Self {
            layers: layers.map(|(w, scale)| divided(w, *scale)).collect::<Option<_>>()?,
            inputs: divided(&data.inputs, network.input_scale())?,
            target: divided(&data.target, z)?,
            rest: (Interval::point(data.floor) + Interval::point(data.floor)) * inverse * inverse,
            widths,
        })
    }

    fn bounds(&self, stated: Criticality, tolerances: &Tolerances) -> Bounds {
        let depth = self.layers.len();
        let mut forward = vec![self.inputs.clone()];
        for layer in &self.layers {
            forward.push(layer.times(&forward[forward.len() - 1]));
        }
        let residual = forward[depth].minus(&self.target);
        let target_norm = root(squared_norm(&self.target) + self.rest);
        let layer_norms: Vec<Interval> = self.layers.iter().map(spectral).collect();
        let input_norm = spectral(&self.inputs);
        let one = Interval::point(1.0);
        let product = |skip: Option<usize>| {
            let others = layer_norms.iter().enumerate().filter(|(k, _)| Some(*k) != skip);
            others.fold(input_norm, |product, (_, norm)| product * *norm)
        };
        let whole = product(None) + target_norm;
        let widest = self.widths.iter().copied().max().unwrap_or(1);
        let vanishing = tolerances.vanishing_product(stated.unit_roundoff, widest);
        let below_layer =
            |norm, k: usize| measured(norm, layer_norms[..k].iter().fold(input_norm, |p, n| p * *n), vanishing);
        let size = below_layer(norm(&forward[depth]), depth) + target_norm;
        let (mut relative, mut rounding) = (Interval::point(0.0), Interval::point(0.0));
        let mut backward = residual.clone();
        let mut after: Option<Enclosed> = None;
        for k in (0..depth).rev() {
            let gradient = norm(&backward.times(&forward[k].transpose()));
            let factors = layer_norms[k + 1..].iter().fold(one, |p, n| p * *n);
            let above = after.as_ref().map_or(one, |after| measured(spectral(after), factors, vanishing));
            let below = if k == 0 { input_norm } else { below_layer(spectral(&forward[k]), k) };
            relative = larger(relative, ratio(gradient, above * below * size));
            rounding = larger(rounding, ratio(gradient, product(Some(k)) * whole));
            backward = self.layers[k].transpose().times(&backward);
            after = Some(after.map_or_else(|| self.layers[k].clone(), |after| after.times(&self.layers[k])));
        }
        let noise = tolerances.rank * UNIT_ROUNDOFF * (widest as f64).sqrt();
        let below = relative.high <= stated.threshold || rounding.high <= noise;
        let above = relative.low > stated.threshold && rounding.low > noise;
        let rank = self.widths.iter().copied().min().unwrap_or(0);
        let distance = distance_from_rank(&self.target, rank);
        let square = squared_norm(&residual);
        let gap = if distance.high == 0.0 { square } else { square - distance * distance };
        // A target that is nothing beside the rounding errors of the product has no size of its own.
        let unit = measured(target_norm, product(None), vanishing);
        let high = if gap.high.is_nan() { f64::INFINITY } else { gap.high.max(0.0) };
        let excess = ratio(Interval { low: gap.low.max(0.0), high }, unit * unit);
        Bounds { relative, critical: (below || above).then_some(below), excess }
    }
}

/// The norm of a product, or the product of the norms of its factors where it is at most `vanishing` times that; both where
/// intervals do not tell.
fn measured(norm: Interval, factors: Interval, vanishing: f64) -> Interval {
    let limit = Interval::point(vanishing) * factors;
    if norm.low > limit.high {
        return norm;
    }
    if norm.high <= limit.low {
        factors
    } else {
        Interval { low: norm.low.min(factors.low), high: norm.high.max(factors.high) }
    }
}

/// `m` divided by a power of two; `None` when a number would be rounded.
fn divided(m: &Matrix, scale: f64) -> Option<Enclosed> {
    let scaled = m.map(|x| x / scale);
    m.entries().zip(scaled.entries()).all(|(x, y)| y * scale == x).then(|| enclosed(&scaled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn verified(scale: f64, class: CriticalClass, values: &[f64; 2]) -> Vec<Check> {
        let diagonal = |values: &[f64]| Matrix::from_diagonal(2, 2, values);
        let tolerances = Tolerances::default();
        let second = values.map(|value| f64::from(u8::from(value != 0.0)));
        let layers = vec![diagonal(values).scaled(scale), diagonal(&second).scaled(1.0 / scale)];
        let data = ReducedData { inputs: diagonal(&[1.0, 1.0]), target: diagonal(&[0.3, 0.1]), floor: 0.0 };
        let criticality = Criticality { unit_roundoff: UNIT_ROUNDOFF, threshold: 1e-12 };
        let point = Factors::new(layers).unwrap();
        let statement =
            Statement { point, data, class, rests_on: Vec::new(), criticality: Some(criticality), path: None };
        class_checks(&statement, criticality, None, &tolerances)
    }

    fn of<'a>(checks: &'a [Check], claim: &str) -> &'a Check {
        checks.iter().find(|check| check.claim == claim).unwrap()
    }

    #[test]
    fn a_global_minimum_is_proved_at_any_scale_and_another_class_is_refuted() {
        use CriticalClass::{GlobalMinimum, NonStrictSaddle, NotCritical, StrictSaddle};
        for scale in [1.0, 2.0_f64.powi(400), 2.0_f64.powi(-400)] {
            let minimum = verified(scale, GlobalMinimum, &[0.3, 0.1]);
            assert_eq!((of(&minimum, CLASS).holds, of(&minimum, CLASS).grade), (Some(true), Grade::Certified));
            assert_eq!(of(&minimum, GRADIENT).holds, Some(true));
            let saddle = verified(scale, GlobalMinimum, &[0.3, 0.0]);
            assert_eq!((of(&saddle, CLASS).holds, of(&saddle, CLASS).grade), (Some(false), Grade::Certified));
            assert_eq!(of(&verified(scale, StrictSaddle, &[0.3, 0.1]), CLASS).holds, Some(false));
            assert_eq!(of(&verified(scale, NonStrictSaddle, &[0.3, 0.0]), CLASS).holds, Some(false));
            let off = verified(scale, GlobalMinimum, &[0.3, 0.1 + 1e-9]);
            assert_eq!((of(&off, GRADIENT).holds, of(&off, CLASS).holds), (Some(false), Some(false)));
            let off = verified(scale, NotCritical, &[0.3, 0.1 + 1e-9]);
            assert_eq!((of(&off, CLASS).holds, of(&off, CLASS).grade), (Some(true), Grade::Certified));
        }
    }

    #[test]
    fn the_enclosure_contains_the_relative_gradient() {
        let mut stream = Stream::new(93, 0);
        let tolerances = Tolerances::default();
        for depth in 1..5 {
            let layers = (0..depth).map(|_| stream.normal_matrix(3, 3)).collect();
            let point = Factors::new(layers).unwrap();
            let data =
                ReducedData { inputs: stream.normal_matrix(3, 3), target: stream.normal_matrix(3, 3), floor: 0.5 };
            let network = NormalizedNetwork::new(&point, &whitened(&data, &tolerances));
            let stated = Criticality { unit_roundoff: UNIT_ROUNDOFF, threshold: 1e-12 };
            let found = Balanced::new(&network, &point, &data).unwrap().bounds(stated, &tolerances);
            let relative = network.relative_gradient(UNIT_ROUNDOFF, &tolerances);
            assert!(found.relative.low <= relative && relative <= found.relative.high * (1.0 + 1e-12), "{depth}");
            assert!(
                found.relative.low > 0.2 * relative && found.relative.high < 1.01 * relative,
                "{:?} {relative}",
                found.relative
            );
            assert_eq!(found.critical, Some(false));
        }
    }
}
