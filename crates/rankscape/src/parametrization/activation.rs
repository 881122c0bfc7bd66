//! Activation functions, one a layer.

use std::fmt;

use crate::error::{InputError, Result};

/// A function of one number that a layer applies to every entry.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// `t`.
    Identity,
    /// `tanh t`.
    Tanh,
    /// `1 / (1 + exp(-t))`.
    Sigmoid,
    /// `log(1 + exp t)`.
    Softplus,
    /// `t` for `t > 0`, else `exp t - 1`.
    Elu,
    /// `t^3`.
    Cubic,
    /// `max(t, 0)`.
    Relu,
    /// `t` for `t > 0`, else `slope t`.
    LeakyRelu(f64),
}

impl Activation {
    /// Names without a number in them.
    pub const NAMES: [&'static str; 7] = ["identity", "tanh", "sigmoid", "softplus", "elu", "cubic", "relu"];

    /// By its name; `leaky_relu_0.1` has the slope 0.1.
    ///
    /// ```
    /// use rankscape::parametrization::Activation;
    /// assert_eq!(Activation::from_name("leaky_relu_0.1"), Some(Activation::LeakyRelu(0.1)));
    /// assert_eq!(Activation::from_name("gelu"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "identity" => Self::Identity,
            "tanh" => Self::Tanh,
            "sigmoid" => Self::Sigmoid,
            "softplus" => Self::Softplus,
            "elu" => Self::Elu,
            "cubic" => Self::Cubic,
            "relu" => Self::Relu,
            _ => {
                let slope: f64 = name.strip_prefix("leaky_relu_")?.parse().ok()?;
                Self::LeakyRelu(slope).finite()?
            }
        })
    }

    fn finite(self) -> Option<Self> {
        matches!(self, Self::LeakyRelu(slope) if slope.is_finite()).then_some(self)
    }

    /// The value at `t`.
    pub fn value(self, t: f64) -> f64 {
        match self {
            Self::Identity => t,
            Self::Tanh => t.tanh(),
            Self::Sigmoid if t >= 0.0 => 1.0 / (1.0 + (-t).exp()),
            Self::Sigmoid => t.exp() / (1.0 + t.exp()),
            Self::Softplus => t.max(0.0) + (-t.abs()).exp().ln_1p(),
            Self::Elu if t > 0.0 => t,
            Self::Elu => t.exp_m1(),
            Self::Cubic => t * t * t,
            Self::Relu => t.max(0.0),
            Self::LeakyRelu(slope) => {
                if t > 0.0 {
                    t
                } else {
                    slope * t
                }
            }
        }
    }

    /// The derivative at `t`; `None` at a kink.
    pub fn slope(self, t: f64) -> Option<f64> {
        Some(match self {
            Self::Identity => 1.0,
            // 1 / cosh^2 keeps its digits where 1 - tanh^2 cancels.
            Self::Tanh => 4.0 * (-2.0 * t.abs()).exp() / (1.0 + (-2.0 * t.abs()).exp()).powi(2),
            Self::Sigmoid => (-t.abs()).exp() / (1.0 + (-t.abs()).exp()).powi(2),
            Self::Softplus => Self::Sigmoid.value(t),
            Self::Elu => t.min(0.0).exp(),
            Self::Cubic => 3.0 * t * t,
            Self::Relu => return Self::LeakyRelu(0.0).slope(t),
            Self::LeakyRelu(slope) if t != 0.0 || slope == 1.0 => {
                if t > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Self::LeakyRelu(_) => return None,
        })
    }

    /// `sigma(s) < sigma(t)` wherever `s < t`.
    pub fn is_strictly_monotone(self) -> bool {
        match self {
            Self::Relu => false,
            Self::LeakyRelu(slope) => slope > 0.0,
            _ => true,
        }
    }
}

/// One activation for each layer, the last included.
///
/// # Errors
/// If there are fewer or more.
pub(crate) fn check_count(activations: &[Activation], layers: usize) -> Result<()> {
    if activations.len() == layers {
        return Ok(());
    }
    Err(InputError::new("there must be one activation for each layer, the last included")
        .array("--activations")
        .value(format!("{} for {layers} layers", activations.len())))
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity"),
            Self::Tanh => f.write_str("tanh"),
            Self::Sigmoid => f.write_str("sigmoid"),
            Self::Softplus => f.write_str("softplus"),
            Self::Elu => f.write_str("elu"),
            Self::Cubic => f.write_str("cubic"),
            Self::Relu => f.write_str("relu"),
            Self::LeakyRelu(slope) => write!(f, "leaky_relu_{slope}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_values() {
        for name in Activation::NAMES.into_iter().chain(["leaky_relu_0.1", "leaky_relu_-0.3"]) {
            let activation = Activation::from_name(name).unwrap();
            assert_eq!(activation.to_string(), name);
            for t in [-30.0, -2.5, -0.3, 0.7, 4.0, 25.0] {
                let step = 1e-6;
                let differences = (activation.value(t + step) - activation.value(t - step)) / (2.0 * step);
                let slope = activation.slope(t).unwrap();
                assert!((slope - differences).abs() < 1e-7 * (1.0 + slope.abs()), "{name} at {t}");
            }
        }
        assert!(Activation::Tanh.slope(300.0).unwrap() > 0.0);
        assert_eq!(Activation::Relu.slope(0.0), None);
    }
}
