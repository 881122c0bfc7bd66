//! Weight decay: the strength `l` of `(l/2) sum_k ||W_k||_F^2`, added to the sum loss.

use num_traits::Signed;

use super::normalized::NormalizedNetwork;
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, rational_to_f64};

/// `l > 0` of `(l/2) sum_k ||W_k||_F^2`, in double precision and, where it was given so, over the rationals.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightDecay {
    strength: f64,
    exact: Option<Rational>,
}

impl WeightDecay {
    /// In double precision.
    ///
    /// # Errors
    /// If the strength is not a positive number.
    ///
    /// ```
    /// use rankscape::network::WeightDecay;
    /// assert_eq!(WeightDecay::new(0.5).unwrap().strength(), 0.5);
    /// assert!(WeightDecay::new(-1.0).is_err() && WeightDecay::new(f64::NAN).is_err());
    /// ```
    pub fn new(strength: f64) -> Result<Self> {
        match strength {
            strength if strength.is_normal() && strength > 0.0 => Ok(Self { strength, exact: None }),
            strength if strength > 0.0 => Err(not_representable(&format!("{strength:e}"))),
            strength => Err(not_positive(&strength.to_string())),
        }
    }

    /// Over the rationals.
    ///
    /// # Errors
    /// If the strength is not positive or beyond double precision.
    pub fn exact(strength: Rational) -> Result<Self> {
        let nearest = rational_to_f64(&strength);
        if !strength.is_positive() {
            return Err(not_positive(&strength.to_string()));
        }
        if !nearest.is_normal() {
            return Err(not_representable(&strength.to_string()));
        }
        Ok(Self { strength: nearest, exact: Some(strength) })
    }

    /// `l`.
    pub fn strength(&self) -> f64 {
        self.strength
    }

    /// `l` over the rationals, where it is known so.
    pub fn rational(&self) -> Option<&Rational> {
        self.exact.as_ref()
    }
}

fn not_representable(value: &str) -> InputError {
    InputError::new("the weight decay is beyond double precision")
        .array("--weight-decay")
        .value(value)
        .hint("scale X and Y so that it is of ordinary size")
}

fn not_positive(value: &str) -> InputError {
    InputError::new("a weight decay is a number that is not negative, and 0 is none")
        .array("--weight-decay")
        .value(value)
        .hint("it multiplies 1/2 sum ||W_k||^2 beside the sum loss; see docs/decay.md for that of other units")
}

/// A gradient with weight decay.
#[derive(Debug, Clone)]
pub struct DecayedGradient {
    /// Its norm in the parameters as given.
    pub norm: f64,
    /// `max_k ||grad_k||_F / (||P(h,k)||_2 ||P(k-1,0) X||_2 (||W X||_F + ||Y||_F) + l ||W_k||_F)`, with `0/0 = 0`.
    pub relative: f64,
}

impl NormalizedNetwork {
    /// The gradient of `L + (l/2) sum ||W_k||^2`, for a network without biases and output factor.
    pub fn gradient_with_decay(&self, decay: f64) -> DecayedGradient {
        let (given, z) = (self.given(), self.target_scale());
        let size = given.output().frobenius_norm() + self.target_norm();
        let sizes = given.block_sizes(size, 0.0);
        let (mut norm, mut relative) = (0.0_f64, 0.0_f64);
        for (((part, layer), c), size) in
            given.gradient().iter().zip(given.layers()).zip(self.layer_scales()).zip(sizes)
        {
            // In the scaled copy L is divided by z^2 and the layer by c.
            let pull = layer.scaled(decay * (c / z) * (c / z));
            let whole: Matrix = part + &pull;
            let length = whole.frobenius_norm();
            norm = norm.hypot(length * (z / c) * z);
            if length > 0.0 {
                relative = relative.max(length / (size + pull.frobenius_norm()));
            }
        }
        DecayedGradient { norm, relative }
    }
}
