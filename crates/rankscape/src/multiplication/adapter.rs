//! Low-rank adapters: the update `scaling * B A` of a weight, with `A` of shape `r x in` and `B` of shape `out x r`.
//!
//! A pair is the two-factor point `W_1 = A`, `W_2 = B`; everything comes from cores of size `r`, the product is not formed.
//! The gradients are `grad_A = s B' G` and `grad_B = s G A'` with `G` the gradient of the loss at the updated weight.
//!
//! Ranks are those of the pair as stored ([`RankProfile::stored`]): only what rounding to the stored type can have moved
//! is in doubt.

use super::barcode::Barcode;
use super::differential::Differential;
use super::factors::Factors;
use super::lift::LiftProperties;
use super::openness::Openness;
use super::orbit::balance_defect;
use super::rank_profile::RankProfile;
use crate::error::{InputError, Result};
use crate::evidence::{RankDecision, Truth};
use crate::tolerance::Tolerances;

/// What the product map says of one adapter pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// `d_0 = in`, `d_1 = r`, `d_2 = out`.
    pub widths: [usize; 3],
    /// Ranks of `A`, `B` and `B A`.
    pub profile: RankProfile,
    /// Intervals; `None` when the rank decisions contradict one another.
    pub barcode: Option<Barcode>,
    /// Singular values of `scaling * B A`, non-increasing, as many as the smallest width.
    pub singular_values: Vec<f64>,
    /// `||B A||_F^2 / ||B A||_2^2`; `None` for a zero product.
    pub stable_rank: Option<f64>,
    /// `exp(- sum p_i ln p_i)` with `p_i = s_i / sum_j s_j`; `None` for a zero product.
    pub entropy_rank: Option<f64>,
    /// `||B'B - A A'||_F / (||A||_F^2 + ||B||_F^2)`.
    pub balance_defect: f64,
    /// Rank of the differential.
    pub differential: Differential,
    /// Local openness.
    pub openness: Openness,
    /// Lift properties.
    pub lift: LiftProperties,
    /// What it means, in one sentence.
    pub says: String,
}

impl Adapter {
    /// Analyses the pair `(A, B)`, stored in a type with this unit roundoff.
    ///
    /// # Errors
    /// If there are not two factors, or the scaling is not finite.
    ///
    /// ```
    /// use rankscape::evidence::Truth;
    /// use rankscape::multiplication::{Adapter, Factors};
    /// use rankscape::{Matrix, Tolerances};
    /// let a = Matrix::from_rows(&[vec![1.0, 0.0, 2.0]]);
    /// let fresh = Factors::new(vec![a, Matrix::zeros(4, 1)]).unwrap();
    /// let fresh = Adapter::new(&fresh, 2.0, 2f64.powi(-24), &Tolerances::default()).unwrap();
    /// assert_eq!(fresh.openness.verdict.holds, Truth::No);
    /// assert_eq!(fresh.says, "B is zero: the product map is not open here; only the gradient of B can be non-zero");
    /// ```
    pub fn new(factors: &Factors, scaling: f64, unit_roundoff: f64, tolerances: &Tolerances) -> Result<Self> {
        let [a, b] = factors.matrices() else {
            return Err(InputError::new("an adapter pair has two factors").value(factors.depth()));
        };
        if !scaling.is_finite() {
            return Err(InputError::new("the scaling of an adapter must be finite").value(scaling));
        }
        let profile = RankProfile::stored(factors, unit_roundoff, tolerances);
        let mut singular_values: Vec<f64> =
            profile.product_singular_values().iter().map(|value| value * scaling.abs()).collect();
        singular_values.truncate(factors.architecture().bottleneck_rank());
        let openness = Openness::new(&profile);
        let differential = Differential::new(&profile);
        Ok(Self {
            widths: [a.ncols(), a.nrows(), b.nrows()],
            barcode: Barcode::new(&profile),
            stable_rank: stable_rank(&singular_values),
            entropy_rank: entropy_rank(&singular_values),
            balance_defect: balance_defect(factors),
            says: says(&profile, scaling, differential, &openness),
            lift: LiftProperties::new(&profile),
            singular_values,
            differential,
            openness,
            profile,
        })
    }

    /// The decisions on the ranks of `A`, `B` and `B A`.
    pub fn ranks(&self) -> [&RankDecision; 3] {
        [self.profile.decision(0, 1), self.profile.decision(1, 2), self.profile.decision(0, 2)]
    }
}

/// `sum s_i^2 / max s_i^2`.
pub fn stable_rank(values: &[f64]) -> Option<f64> {
    let largest = *values.first().filter(|&&value| value > 0.0)?;
    Some(values.iter().map(|value| (value / largest).powi(2)).sum())
}

/// `exp` of the entropy of the singular values.
pub fn entropy_rank(values: &[f64]) -> Option<f64> {
    let largest = *values.first().filter(|&&value| value > 0.0)?;
    let sum: f64 = values.iter().map(|value| value / largest).sum();
    let entropy: f64 = values.iter().map(|value| value / largest / sum).filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum();
    Some(entropy.exp())
}

fn says(profile: &RankProfile, scaling: f64, differential: Differential, openness: &Openness) -> String {
    if scaling == 0.0 {
        return "the scaling is zero: the update is zero whatever A and B are, and so are both gradients for every loss".to_owned();
    }
    let (a, b, product) = (profile.rank(0, 1), profile.rank(1, 2), profile.rank(0, 2));
    let r = profile.widths().iter().copied().min().unwrap_or(0);
    let open = match openness.verdict.holds {
        Truth::Undecided => return format!("undecided: {}", openness.verdict.reason),
        Truth::Yes => "is open here",
        Truth::No => "is not open here",
    };
    let map = format!("the product map {open}");
    match (a, b) {
        (0, 0) => format!("A and B are zero: {map}; both gradients are zero for every loss"),
        (_, 0) => format!("B is zero: {map}; only the gradient of B can be non-zero"),
        (0, _) => format!("A is zero: {map}; only the gradient of A can be non-zero"),
        _ if differential.submersion => format!(
            "the product has rank {product} of {r}: the product map is a submersion, so training moves the update freely among matrices of rank at most {r}"
        ),
        _ if openness.verdict.holds == Truth::Yes => format!(
            "the product has rank {product} of {r}: {map} but not a submersion, so {} at second order only",
            match differential.max_rank - differential.rank {
                1 => "1 direction is reached".to_owned(),
                missing => format!("{missing} directions are reached"),
            }
        ),
        _ => format!(
            "A has rank {a}, B has rank {b} and the product {product} of {r}: {map}, so a local minimum of the pair need not be one of the update"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Matrix, singular_values};
    use crate::random::Stream;

    const SINGLE: f64 = 1.0 / 16_777_216.0;

    fn pair(a: &Matrix, b: &Matrix) -> Factors {
        Factors::new(vec![a.clone(), b.clone()]).unwrap()
    }

    fn adapter(a: &Matrix, b: &Matrix) -> Adapter {
        Adapter::new(&pair(a, b), 0.5, SINGLE, &Tolerances::default()).unwrap()
    }

    #[test]
    fn values_are_those_of_the_formed_product() {
        for (case, (r, inputs, outputs)) in [(3, 10, 7), (4, 3, 9), (5, 6, 4), (2, 2, 2)].into_iter().enumerate() {
            let mut stream = Stream::new(95, case as u64);
            let (a, b) = (stream.normal_matrix(r, inputs), stream.normal_matrix(outputs, r));
            let found = adapter(&a, &b);
            let dense = singular_values(&(&b * &a).scaled(0.5));
            assert_eq!(found.singular_values.len(), r.min(inputs).min(outputs));
            for (x, y) in found.singular_values.iter().zip(&dense) {
                assert!((x - y).abs() < 1e-13 * dense[0]);
            }
            let frobenius = (&b * &a).frobenius_norm() * 0.5;
            assert!((found.stable_rank.unwrap() - (frobenius / dense[0]).powi(2)).abs() < 1e-12);
            let entropy = found.entropy_rank.unwrap();
            assert!(entropy >= 1.0 && entropy <= dense.len() as f64 + 1e-12);
            assert!(found.differential.submersion && found.says.contains("submersion"), "{}", found.says);
        }
    }

    #[test]
    fn coarse_types_decide_what_their_rounding_cannot_change() {
        let mut stream = Stream::new(97, 0);
        let rounded = |m: &Matrix| m.map(|x| half::bf16::from_f64(x).to_f64());
        let (a, b) = (stream.normal_matrix(8, 300), stream.normal_matrix(200, 8));
        let coarse =
            |a: &Matrix, b: &Matrix| Adapter::new(&pair(a, b), 1.0, 1.0 / 256.0, &Tolerances::default()).unwrap();
        let found = coarse(&rounded(&a), &rounded(&b));
        assert!(found.differential.submersion && found.profile.is_clear(), "{}", found.says);
        assert!(coarse(&rounded(&a), &Matrix::zeros(200, 8)).profile.is_clear());
        // Rank 3 before rounding; the stored pair has rank 8, made of rounding errors.
        let thin = &stream.normal_matrix(200, 3) * &stream.normal_matrix(3, 8);
        let found = coarse(&rounded(&a), &rounded(&thin));
        assert!(!found.profile.is_clear() && found.says.starts_with("undecided"), "{}", found.says);
        assert_eq!(found.ranks().map(|decision| (decision.rank, decision.clear)), [(8, true), (8, false), (8, false)]);
        let single = thin.map(|x| f64::from(x as f32));
        let found = Adapter::new(&pair(&a, &single), 1.0, SINGLE, &Tolerances::default()).unwrap();
        assert_eq!(found.ranks().map(|decision| (decision.rank, decision.clear)), [(8, true), (3, true), (3, true)]);
    }

    #[test]
    fn sentences_name_what_is_zero_or_deficient() {
        let mut stream = Stream::new(96, 0);
        let (a, b) = (stream.normal_matrix(2, 5), stream.normal_matrix(4, 2));
        assert!(adapter(&Matrix::zeros(2, 5), &b).says.starts_with("A is zero"));
        let none = adapter(&Matrix::zeros(2, 5), &Matrix::zeros(4, 2));
        assert!(none.says.starts_with("A and B are zero") && none.stable_rank.is_none());
        assert_eq!(none.openness.verdict.holds, Truth::Yes, "open, with a square root");
        let line = &stream.normal_matrix(4, 1) * &stream.normal_matrix(1, 2);
        assert!(adapter(&a, &line).says.contains("need not be one of the update"));
        assert!(Adapter::new(&pair(&a, &b), f64::NAN, SINGLE, &Tolerances::default()).is_err());
        let alone = Factors::new(vec![a]).unwrap();
        assert!(Adapter::new(&alone, 1.0, SINGLE, &Tolerances::default()).is_err());
    }
}
