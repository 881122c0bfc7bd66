//! Criticality of first, second and third order of the square loss, in the two readings of the third.
//!
//! With gradient `g`, Hessian `H` and third derivative `T` at the point, a smooth curve `c` through it has
//! `(L o c)''' = T[c',c',c'] + 3 c''H c' + g'c'''`. Read with kernels (`[@MML]` Proposition 2.1 (iii)) a point is 3-critical when `g = 0`, `H` is non-negative
//! and `T[v,v,v] = 0` for every `v` in the kernel of `H`. Read with curves (`[@MML]` Definition 2.4 (v)) all of `(L o c)'''` vanish: the acceleration
//! `c''` is free, so that is `g = 0`, `H = 0` and `T = 0`. The second is much stronger: a minimum with a positive Hessian is 3-critical by
//! the first reading only.

use super::{EscapePath, LossOnPath};
use crate::linalg::{Matrix, symmetric_eigen};
use crate::multiplication::Factors;
use crate::network::NormalizedNetwork;
use crate::random::Stream;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Which derivatives vanish or are non-negative at a point.
#[derive(Debug, Clone, PartialEq)]
pub struct CriticalityOrder {
    /// The gradient vanishes.
    pub first: bool,
    /// And the Hessian is non-negative.
    pub second: bool,
    /// And the third derivative vanishes on the kernel of the Hessian.
    pub third_on_kernel: bool,
    /// And the third derivative of the loss along every smooth curve vanishes.
    pub third_on_curves: bool,
    /// A curve that shows why the first of these that fails does; `None` where all hold.
    pub witness: Option<WitnessCurve>,
}

/// The curve `theta + t v + t^2/2 a`.
#[derive(Debug, Clone, PartialEq)]
pub struct WitnessCurve {
    /// `v`.
    pub velocity: Factors,
    /// `a`; zero unless only the reading with curves fails.
    pub acceleration: Factors,
    /// Which derivative of the loss along the curve at `t = 0` is looked at.
    pub order: usize,
    /// Its value: not zero at order 1 and 3, negative at order 2.
    pub derivative: f64,
}

/// Largest number of parameters for which the dense Hessian is formed.
const MOST_PARAMETERS: usize = 1000;

/// Random directions on which a cubic form is evaluated; a form that is not zero vanishes on one with probability 0.
const DIRECTIONS: u64 = 8;

/// Criticality of the loss after the product map at `factors`, the point of `network`; evidence `sampled` for the third order. `None` for more than 1,000
/// parameters, or where the eigenvalues are not found.
///
/// Eigenvalues, and coefficients of third order, count as zero at `tolerances.rank * u * sqrt(parameters)` times the
/// largest eigenvalue, or coefficient of the loss along the line.
pub fn criticality_order(
    network: &NormalizedNetwork,
    factors: &Factors,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Option<CriticalityOrder> {
    let count = factors.architecture().parameters();
    if count > MOST_PARAMETERS {
        return None;
    }
    let none =
        CriticalityOrder { first: false, second: false, third_on_kernel: false, third_on_curves: false, witness: None };
    let still = factors.with_vector(&vec![0.0; count]);
    let curve = |velocity: &Factors, order: usize, derivative: f64| {
        Some(WitnessCurve { velocity: velocity.clone(), acceleration: still.clone(), order, derivative })
    };
    if !network.is_critical(unit_roundoff, tolerances) {
        let gradient: Vec<f64> = network.gradient().iter().flat_map(|block| block.to_rows().concat()).collect();
        let slope = gradient.iter().map(|x| x * x).sum();
        return Some(CriticalityOrder { witness: curve(&factors.with_vector(&gradient), 1, slope), ..none });
    }
    let eigen = symmetric_eigen(&network.hessian().to_dense())?;
    let largest = eigen.values.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
    let relative = tolerances.relative_rounding(UNIT_ROUNDOFF, count);
    let direction = |j: usize| factors.with_vector(eigen.vectors.column(j));
    let lowest = (0..count).min_by(|&i, &j| eigen.values[i].total_cmp(&eigen.values[j]))?;
    if eigen.values[lowest] < -relative * largest {
        let witness = curve(&direction(lowest), 2, eigen.values[lowest]);
        return Some(CriticalityOrder { first: true, witness, ..none });
    }
    let kernel: Vec<usize> = (0..count).filter(|&j| eigen.values[j].abs() <= relative * largest).collect();
    let mut stream = Stream::new(0, 0);
    let mut cubic = |basis: &[usize]| {
        (0..DIRECTIONS).find_map(|_| {
            let velocity = combination(factors, &eigen.vectors, basis, &mut stream)?;
            let c = LossOnPath::new(network, &EscapePath::line(velocity.clone())).coefficients;
            let size = c.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
            let third = c.get(3).copied().unwrap_or(0.0);
            (third.abs() > relative * size).then_some((velocity, 6.0 * third))
        })
    };
    if let Some((velocity, derivative)) = cubic(&kernel) {
        let witness = curve(&velocity, 3, derivative);
        return Some(CriticalityOrder { first: true, second: true, witness, ..none });
    }
    let bent = (0..count).find(|j| !kernel.contains(j));
    let witness = bent.map(|j| bent_curve(network, &direction(j), eigen.values[j]));
    Some(CriticalityOrder {
        first: true,
        second: true,
        third_on_kernel: true,
        third_on_curves: witness.is_none(),
        witness,
    })
}

/// A curve whose acceleration is along its velocity, an eigenvector of the Hessian: `6 c_3 + 3 lambda` or `6 c_3 - 3 lambda`, whichever is larger.
fn bent_curve(network: &NormalizedNetwork, velocity: &Factors, eigenvalue: f64) -> WitnessCurve {
    let third =
        6.0 * LossOnPath::new(network, &EscapePath::line(velocity.clone())).coefficients.get(3).copied().unwrap_or(0.0);
    let sign = if third * eigenvalue < 0.0 { -1.0 } else { 1.0 };
    let entries: Vec<f64> = velocity.to_vector().iter().map(|x| sign * x).collect();
    WitnessCurve {
        acceleration: velocity.with_vector(&entries),
        velocity: velocity.clone(),
        order: 3,
        derivative: third + 3.0 * sign * eigenvalue,
    }
}

/// A random unit combination of eigenvectors; `None` for none.
fn combination(factors: &Factors, vectors: &Matrix, basis: &[usize], stream: &mut Stream) -> Option<Factors> {
    if basis.is_empty() {
        return None;
    }
    let mut entries = vec![0.0; vectors.nrows()];
    for &j in basis {
        let weight = stream.normal();
        entries.iter_mut().zip(vectors.column(j)).for_each(|(entry, x)| *entry += weight * x);
    }
    let size = crate::linalg::vector_norm(&entries);
    Some(factors.with_vector(&entries.iter().map(|x| x / size).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Whitening;
    use crate::loss::{Loss as _, SquareLoss};

    fn order(target: &[Vec<f64>], layers: Vec<Matrix>) -> (CriticalityOrder, Factors, SquareLoss) {
        let y = Matrix::from_rows(target);
        let (m, n) = y.shape();
        let tolerances = Tolerances::default();
        let white = Whitening::from_blocks(&Matrix::identity(n), &y.transpose(), &Matrix::zeros(m, m), &tolerances);
        let factors = Factors::new(layers).unwrap();
        let network = NormalizedNetwork::new(&factors, &white);
        let found = criticality_order(&network, &factors, UNIT_ROUNDOFF, &tolerances).unwrap();
        (found, factors, SquareLoss::new(y))
    }

    fn flags(found: &CriticalityOrder) -> [bool; 4] {
        [found.first, found.second, found.third_on_kernel, found.third_on_curves]
    }

    /// The derivative along the witness, by finite differences of the loss itself.
    fn check(found: &CriticalityOrder, factors: &Factors, loss: &SquareLoss) {
        let Some(curve) = &found.witness else { return };
        let at = |t: f64| {
            let moved = factors.moved(t, &curve.velocity).moved(0.5 * t * t, &curve.acceleration);
            loss.value(&moved.product())
        };
        let h = 1e-2;
        let difference = match curve.order {
            1 => (at(h) - at(-h)) / (2.0 * h),
            2 => (at(h) - 2.0 * at(0.0) + at(-h)) / (h * h),
            _ => (at(2.0 * h) - 2.0 * at(h) + 2.0 * at(-h) - at(-2.0 * h)) / (2.0 * h * h * h),
        };
        assert!((difference / curve.derivative - 1.0).abs() < 0.05, "{difference} {curve:?}");
    }

    #[test]
    fn orders_of_known_points_and_their_witness_curves() {
        let one = |x: f64| Matrix::from_rows(&[vec![x]]);
        let zero = || one(0.0);
        for (target, layers, expected) in [
            // Not critical; a minimum; the origin of two, three and four factors.
            (2.0, vec![one(1.0), one(1.0)], [false; 4]),
            (1.0, vec![one(1.0), one(1.0)], [true, true, true, false]),
            (1.0, vec![zero(), zero()], [true, false, false, false]),
            (1.0, vec![zero(), zero(), zero()], [true, true, false, false]),
            (1.0, vec![zero(), zero(), zero(), zero()], [true; 4]),
            // One layer at its minimum.
            (1.0, vec![one(1.0)], [true, true, true, false]),
        ] {
            let (found, factors, loss) = order(&[vec![target]], layers);
            assert_eq!(flags(&found), expected, "{factors:?}");
            assert_eq!(found.witness.is_none(), expected[3]);
            check(&found, &factors, &loss);
        }
        let target = [vec![2.0, 0.0], vec![0.0, 1.0]];
        let captured = Matrix::from_rows(&[vec![0.0, 0.0], vec![0.0, 1.0]]);
        let (found, factors, loss) = order(&target, vec![captured.clone(), captured]);
        assert_eq!(flags(&found), [true, false, false, false]);
        check(&found, &factors, &loss);
    }
}
