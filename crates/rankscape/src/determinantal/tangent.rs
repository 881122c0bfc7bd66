//! Tangent and normal spaces and cones at a point, also at a singular one.
//!
//! Let `W` have rank `s <= r` with singular bases `U` (`m x s`) and `V` (`n x s`), `P = U U'`, `Q = V V'`. Then
//!
//! - tangent space of the stratum: `{xi : (I-P) xi (I-Q) = 0}`, normal space `{xi : xi = (I-P) xi (I-Q)}`;
//! - tangent cone of `M_r`: `{xi : rank (I-P) xi (I-Q) <= r - s}`;
//! - its polar cone: the normal space if `s = r`, else `{0}`, because the tangent cone spans everything (if `M_r` is not
//!   everything; if it is, the tangent cone is everything);
//! - limiting normal cone: `{G : G'U = 0, G V = 0, rank G <= min(m,n) - r}`.
//!
//! Members are told by distances, so that the caller sets the tolerance.

use super::variety::DeterminantalVariety;
use crate::linalg::{Matrix, svd};

/// A point of the variety with its singular bases.
#[derive(Debug, Clone)]
pub struct PointOnVariety {
    variety: DeterminantalVariety,
    u: Matrix,
    v: Matrix,
}

impl PointOnVariety {
    /// The point `matrix`, whose rank was decided to be `rank`; the rank is cut to that of the variety.
    pub fn new(variety: DeterminantalVariety, matrix: &Matrix, rank: usize) -> Self {
        let rank = rank.min(variety.rank());
        let found = svd(matrix);
        Self { variety, u: found.u.columns(0, rank), v: found.v.columns(0, rank) }
    }

    /// Rank of the point.
    pub fn rank(&self) -> usize {
        self.u.ncols()
    }

    /// The variety is smooth at the point.
    pub fn is_smooth(&self) -> bool {
        self.rank() == self.variety.rank() || self.variety.is_everything()
    }

    /// `(I-P) xi (I-Q)`, the projection to the normal space of the stratum.
    pub fn normal_part(&self, xi: &Matrix) -> Matrix {
        let left = xi - &(&self.u * &self.u.transpose_times(xi));
        &left - &(&left * &self.v).times_transpose(&self.v)
    }

    /// Projection to the tangent space of the stratum.
    pub fn tangent_part(&self, xi: &Matrix) -> Matrix {
        xi - &self.normal_part(xi)
    }

    /// A nearest point of the tangent cone of the variety: the tangent part and the `r - s` leading singular triples of
    /// the normal part.
    pub fn tangent_cone_part(&self, xi: &Matrix) -> Matrix {
        let normal = self.normal_part(xi);
        let spare = self.variety.rank() - self.rank();
        &(xi - &normal) + &svd(&normal).truncated(spare)
    }

    /// Distance to the tangent cone.
    pub fn distance_to_tangent_cone(&self, xi: &Matrix) -> f64 {
        (xi - &self.tangent_cone_part(xi)).frobenius_norm()
    }

    /// Distance to the polar of the tangent cone, `{G : <G, xi> <= 0 for all tangent xi}`. A matrix `W` is first-order
    /// stationary for a loss with gradient `G` iff `-G` lies in it.
    pub fn distance_to_polar_cone(&self, g: &Matrix) -> f64 {
        if self.rank() == self.variety.rank() && !self.variety.is_everything() {
            return self.tangent_part(g).frobenius_norm();
        }
        g.frobenius_norm()
    }

    /// A nearest point of the limiting normal cone.
    pub fn limiting_normal_part(&self, g: &Matrix) -> Matrix {
        let (m, n) = self.variety.shape();
        svd(&self.normal_part(g)).truncated(m.min(n) - self.variety.rank())
    }

    /// Distance to the limiting normal cone.
    pub fn distance_to_limiting_normal_cone(&self, g: &Matrix) -> f64 {
        (g - &self.limiting_normal_part(g)).frobenius_norm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn cases() -> impl Iterator<Item = (DeterminantalVariety, Matrix, usize, Stream)> {
        (0..200).map(|case| {
            let mut stream = Stream::new(91, case);
            let (m, n) = (stream.integer(1, 5) as usize, stream.integer(1, 5) as usize);
            let r = stream.integer(0, m.min(n) as i64) as usize;
            let s = stream.integer(0, r as i64) as usize;
            let w = &stream.normal_matrix(m, s) * &stream.normal_matrix(s, n);
            (DeterminantalVariety::new(m, n, r).unwrap(), w, s, stream)
        })
    }

    #[test]
    fn velocities_of_curves_in_the_variety_lie_in_the_tangent_cone() {
        for (variety, w, s, mut stream) in cases() {
            let point = PointOnVariety::new(variety, &w, s);
            let (m, n) = variety.shape();
            // W(t) = (I + t A) W (I + t B) + t C D with rank C D <= r - s.
            let (a, b) = (stream.normal_matrix(m, m), stream.normal_matrix(n, n));
            let spare = variety.rank() - s;
            let jump = &stream.normal_matrix(m, spare) * &stream.normal_matrix(spare, n);
            let velocity = &(&(&a * &w) + &(&w * &b)) + &jump;
            assert!(point.distance_to_tangent_cone(&velocity) < 1e-12);
            let any = stream.normal_matrix(m, n);
            let part = point.tangent_cone_part(&any);
            assert!(point.distance_to_tangent_cone(&part) < 1e-12);
            assert!(variety.distance(&(&w + &part.scaled(1e-5))) < 1e-8 * (1.0 + part.max_abs()).powi(2) * 10.0);
        }
    }

    #[test]
    fn tangent_space_has_the_dimension_of_the_stratum_and_cones_are_polar() {
        for (variety, w, s, mut stream) in cases() {
            let point = PointOnVariety::new(variety, &w, s);
            let (m, n) = variety.shape();
            let trace: f64 = (0..m * n)
                .map(|at| {
                    let unit = Matrix::from_fn(m, n, |i, j| f64::from(u8::from(i * n + j == at)));
                    unit.dot(&point.tangent_part(&unit))
                })
                .sum();
            assert!((trace - (s * (m + n - s)) as f64).abs() < 1e-10);
            let g = stream.normal_matrix(m, n);
            let normal = point.normal_part(&g);
            if point.is_smooth() && !variety.is_everything() {
                assert!(point.distance_to_polar_cone(&normal) < 1e-12);
            } else {
                assert!((point.distance_to_polar_cone(&g) - g.frobenius_norm()).abs() < 1e-12);
            }
            let limiting = point.limiting_normal_part(&g);
            assert!(limiting.transpose_times(&w).max_abs() < 1e-12 && (&limiting * &w.transpose()).max_abs() < 1e-12);
            assert!(point.distance_to_limiting_normal_cone(&limiting) < 1e-12);
        }
    }

    #[test]
    fn distances_to_strata_are_those_of_the_singular_values() {
        let w = Matrix::from_diagonal(3, 4, &[3.0, 2.0, 0.5]);
        let variety = DeterminantalVariety::new(3, 4, 2).unwrap();
        assert!((variety.distance(&w) - 0.5).abs() < 1e-15);
        assert!((variety.distance_to_singular(&w).unwrap() - 4.25_f64.sqrt()).abs() < 1e-15);
        assert_eq!(variety.strata().iter().map(|s| s.dimension).collect::<Vec<_>>(), [0, 6, 10]);
        assert!(DeterminantalVariety::new(3, 4, 4).is_err());
    }
}
