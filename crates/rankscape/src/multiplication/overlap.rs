//! How much of an update lies in the leading singular directions of the weight that it is added to.
//!
//! Let `D = s B A` have rank `k`, with singular vectors `U_D`, `V_D` (`k` columns each), and let `U`, `V` be the `k` leading singular vectors of the
//! base weight `W_0` (`out x in`). Then
//!
//! ```text
//! left  = ||U' U_D||_F^2 / k,      right = ||V' V_D||_F^2 / k,      amplification = ||D||_F / ||U_D' W_0 V_D||_F.
//! ```
//!
//! `left` and `right` are mean squared cosines of the principal angles: 1 when the spaces agree, `k / out` and `k / in` on average for a
//! random space. The amplification compares the update with the part of the base weight that it acts on (`[@Hu2022]`, section 7).

use super::update::Update;
use crate::error::{InputError, Result};
use crate::linalg::{LargeMatrix, Matrix, leading_singular};
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// The overlap of an update with a base weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    /// `k`, the rank of the update.
    pub directions: usize,
    /// Mean squared cosine of the angles between the column spaces.
    pub left: f64,
    /// Mean squared cosine of the angles between the row spaces.
    pub right: f64,
    /// `||D||_F / ||U_D' W_0 V_D||_F`; `None` where the base weight vanishes there.
    pub amplification: Option<f64>,
    /// The `k` leading singular values of the base weight.
    pub base_values: Vec<f64>,
    /// Bound on the sine of the angle between the leading directions and those computed: residual over gap, at most 1.
    pub angle_error: f64,
}

impl Overlap {
    /// Compares an update of rank `rank` with `base`. `None` for a zero update.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn new(
        update: &Update,
        rank: usize,
        base: &LargeMatrix,
        tolerances: &Tolerances,
        seed: u64,
    ) -> Result<Option<Self>> {
        let shape = update.shape();
        if base.shape() != shape {
            return Err(InputError::new("the base weight must have the shape of the update")
                .value(format!("{:?}, expected {shape:?}", base.shape())));
        }
        let update = update.triples(rank);
        if update.s.first().is_none_or(|&first| first == 0.0) {
            return Ok(None);
        }
        let found = leading_singular(base, rank, tolerances.overlap, &mut Stream::new(seed, 0));
        let cosine = |base: &Matrix, update: &Matrix| {
            base.columns(0, rank).transpose_times(update).frobenius_norm().powi(2) / rank as f64
        };
        let seen = base.times(&update.v);
        let seen = update.u.transpose_times(&seen).frobenius_norm();
        let size = update.s.iter().copied().fold(0.0, f64::hypot);
        let values = &found.svd.s;
        let gap = values[rank - 1] - values.get(rank).copied().unwrap_or(0.0) - found.residual;
        let whole = rank == shape.0.min(shape.1);
        Ok(Some(Self {
            directions: rank,
            left: cosine(&found.svd.u, &update.u),
            right: cosine(&found.svd.v, &update.v),
            amplification: (seen > 0.0).then(|| size / seen),
            base_values: values[..rank].to_vec(),
            angle_error: match gap > 0.0 {
                true => (found.residual / gap).min(1.0),
                false => f64::from(u8::from(!whole)),
            },
        }))
    }
}

/// Mean and standard deviation of the overlap of a random space of `k` directions with a fixed one, in `n` dimensions:
/// `k / n` and `sqrt(2) (n - k) / (n sqrt((n - 1) (n + 2)))`.
pub fn overlap_by_chance(k: usize, n: usize) -> (f64, f64) {
    let (k, n) = (k as f64, n as f64);
    let spread = if n > 1.0 { 2.0_f64.sqrt() * (n - k) / (n * ((n - 1.0) * (n + 2.0)).sqrt()) } else { 0.0 };
    (k / n, spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::svd;

    #[test]
    fn overlap_is_one_inside_the_leading_space_and_zero_outside() {
        let mut stream = Stream::new(99, 0);
        let (u, v) = (svd(&stream.normal_matrix(40, 30)).u, svd(&stream.normal_matrix(50, 30)).u);
        let values: Vec<f64> = (0..30).map(|k| 0.8_f64.powi(k)).collect();
        let base = u.scale_columns(&values).times_transpose(&v);
        let large = LargeMatrix::double(40, 50, base.to_rows().concat());
        let of = |from: usize, scaling: f64| {
            let mix = Stream::new(99, 1).normal_matrix(3, 3);
            let a = &mix * &v.columns(from, from + 3).transpose();
            let update = Update::low_rank(u.columns(from, from + 3), a).unwrap().scaled(scaling);
            Overlap::new(&update, 3, &large, &Tolerances::default(), 0).unwrap().unwrap()
        };
        let inside = of(0, 2.0);
        assert!((inside.left - 1.0).abs() < 1e-12 && (inside.right - 1.0).abs() < 1e-12, "{inside:?}");
        assert!(inside.angle_error < 1e-6);
        let outside = of(10, 2.0);
        assert!(outside.left < 1e-12 && outside.right < 1e-12, "{outside:?}");
        assert!(outside.amplification.unwrap() > inside.amplification.unwrap());
        assert!((of(0, 4.0).amplification.unwrap() / inside.amplification.unwrap() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn chance_is_what_random_spaces_show() {
        let (k, n, trials) = (3, 12, 2000);
        let mut stream = Stream::new(31, 0);
        let draws: Vec<f64> = (0..trials)
            .map(|_| {
                let q = svd(&stream.normal_matrix(n, k)).u;
                q.block(0, 0, k, k).frobenius_norm().powi(2) / k as f64
            })
            .collect();
        let mean = draws.iter().sum::<f64>() / f64::from(trials);
        let spread = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(trials)).sqrt();
        let (expected, deviation) = overlap_by_chance(k, n);
        assert!(
            (mean - expected).abs() < 0.01 && (spread / deviation - 1.0).abs() < 0.1,
            "{mean} {spread} {deviation}"
        );
    }
}
