//! Convex functions of one number.

/// A convex function of one output `f` beside its target `y`: of the residual `t = f - y`, or of the margin `y f` for
/// [`Entry::Logistic`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Entry {
    /// `t^2 / 2`.
    Square,
    /// `t^2 / 2` for `|t| <= delta`, else `delta (|t| - delta / 2)`.
    Huber(f64),
    /// `delta^2 (sqrt(1 + (t / delta)^2) - 1)`.
    PseudoHuber(f64),
    /// `log cosh t`.
    LogCosh,
    /// `|t|^p / p` with `p >= 2`.
    Power(f64),
    /// `log(1 + exp(-y f))` with `y = 1` or `-1`.
    Logistic,
}

impl Entry {
    /// The value.
    pub fn value(self, f: f64, y: f64) -> f64 {
        let t = f - y;
        match self {
            Self::Square => 0.5 * t * t,
            Self::Huber(delta) if t.abs() <= delta => 0.5 * t * t,
            Self::Huber(delta) => delta * (t.abs() - 0.5 * delta),
            // sqrt(1 + s^2) - 1 = s^2 / (sqrt(1 + s^2) + 1) without cancellation.
            Self::PseudoHuber(delta) => t * (t / (1.0_f64.hypot(t / delta) + 1.0)),
            // log cosh t = |t| + log(1 + exp(-2 |t|)) - log 2; for small t the half square of tanh(t / 2) without cancellation.
            Self::LogCosh if t.abs() < 1.0 => {
                let s = (0.5 * t).sinh();
                (2.0 * s * s).ln_1p()
            }
            Self::LogCosh => t.abs() + (-2.0 * t.abs()).exp().ln_1p() - std::f64::consts::LN_2,
            Self::Power(p) => t.abs().powf(p) / p,
            Self::Logistic => softplus(-y * f),
        }
    }

    /// The derivative in `f`.
    pub fn slope(self, f: f64, y: f64) -> f64 {
        let t = f - y;
        match self {
            Self::Square => t,
            Self::Huber(delta) => t.clamp(-delta, delta),
            Self::PseudoHuber(delta) => t / 1.0_f64.hypot(t / delta),
            Self::LogCosh => t.tanh(),
            Self::Power(p) => t.abs().powf(p - 1.0).copysign(t),
            Self::Logistic => -y * sigmoid(-y * f),
        }
    }

    /// The second derivative in `f`; at a kink that of the flat side.
    pub fn curvature(self, f: f64, y: f64) -> f64 {
        let t = f - y;
        match self {
            Self::Square => 1.0,
            Self::Huber(delta) => f64::from(u8::from(t.abs() < delta)),
            Self::PseudoHuber(delta) => 1.0_f64.hypot(t / delta).powi(-3),
            Self::LogCosh => t.cosh().powi(-2),
            Self::Power(2.0) => 1.0,
            Self::Power(p) => (p - 1.0) * t.abs().powf(p - 2.0),
            Self::Logistic => sigmoid(y * f) * sigmoid(-y * f),
        }
    }

    /// The largest second derivative, where there is one.
    pub fn largest_curvature(self) -> Option<f64> {
        match self {
            Self::Square | Self::Huber(_) | Self::PseudoHuber(_) | Self::LogCosh | Self::Power(2.0) => Some(1.0),
            Self::Power(_) => None,
            Self::Logistic => Some(0.25),
        }
    }

    /// A bound of the slope of the second derivative within `radius` of `f`; `None` where it may jump there.
    pub fn curvature_slope(self, f: f64, y: f64, radius: f64) -> Option<f64> {
        let far = (f - y).abs();
        match self {
            Self::Square | Self::Power(2.0) => Some(0.0),
            Self::Huber(delta) => ((far - delta).abs() > radius).then_some(0.0),
            // 3 s (1 + s^2)^(-5/2) is largest at s = 1/2.
            Self::PseudoHuber(delta) => Some(1.5 * 1.25_f64.powf(-2.5) / delta),
            // 2 tanh t / cosh^2 t is largest at tanh^2 t = 1/3.
            Self::LogCosh => Some(4.0 / (3.0 * 3.0_f64.sqrt())),
            Self::Power(p) if p >= 3.0 => Some((p - 1.0) * (p - 2.0) * (far + radius).powf(p - 3.0)),
            Self::Power(p) => (far > radius).then(|| (p - 1.0) * (p - 2.0) * (far - radius).powf(p - 3.0)),
            Self::Logistic => Some(LARGEST_SKEW),
        }
    }

    /// `inf_f value(f) - v f`; minus infinity where it falls without bound.
    pub fn infimum_beside(self, v: f64, y: f64) -> f64 {
        let outside = f64::NEG_INFINITY;
        match self {
            Self::Square => -0.5 * v * v - v * y,
            Self::Huber(delta) if v.abs() <= delta => -0.5 * v * v - v * y,
            // delta sqrt(delta^2 - v^2) - delta^2 without cancellation.
            Self::PseudoHuber(delta) if v.abs() <= delta => {
                let root = ((delta - v) * (delta + v)).sqrt();
                -delta * v * (v / (delta + root)) - v * y
            }
            Self::LogCosh if v.abs() < 1.0 => -(v * v.atanh() + 0.5 * (-v * v).ln_1p()) - v * y,
            Self::LogCosh if v.abs() == 1.0 => -std::f64::consts::LN_2 - v * y,
            Self::Power(p) => {
                let q = p / (p - 1.0);
                -v.abs().powf(q) / q - v * y
            }
            Self::Logistic => {
                let a = -y * v;
                if (0.0..=1.0).contains(&a) { entropy(a) + entropy(1.0 - a) } else { outside }
            }
            Self::Huber(_) | Self::PseudoHuber(_) | Self::LogCosh => outside,
        }
    }

    /// Where the second derivative jumps, as a distance of `f` from its target.
    pub fn kink(self) -> Option<f64> {
        match self {
            Self::Huber(delta) => Some(delta),
            _ => None,
        }
    }

    /// The value at the best output is taken there; that of [`Entry::Logistic`] lies at infinity.
    pub fn attains_its_infimum(self) -> bool {
        self != Self::Logistic
    }
}

/// The largest value of `p (1 - p) (1 - 2 p)`, `1 / (6 sqrt 3)`, at `p = 1/2 - 1/sqrt 12`.
pub(super) const LARGEST_SKEW: f64 = 0.096_225_044_864_937_63;

/// `-a log a`.
pub(super) fn entropy(a: f64) -> f64 {
    if a > 0.0 { -a * a.ln() } else { 0.0 }
}

/// `log(1 + exp(x))`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `1 / (1 + exp(-x))`, to full relative accuracy at both ends.
fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Entry; 7] = [
        Entry::Square,
        Entry::Huber(0.7),
        Entry::PseudoHuber(0.7),
        Entry::LogCosh,
        Entry::Power(2.0),
        Entry::Power(3.5),
        Entry::Logistic,
    ];

    #[test]
    fn derivatives_are_those_of_the_value() {
        let step = 1e-5;
        for entry in ALL {
            for (f, y) in [(0.4, 1.0), (-2.0, 1.0), (5.0, -1.0), (1.2, -1.0), (40.0, 1.0)] {
                let slope = (entry.value(f + step, y) - entry.value(f - step, y)) / (2.0 * step);
                let curvature = (entry.slope(f + step, y) - entry.slope(f - step, y)) / (2.0 * step);
                assert!((slope - entry.slope(f, y)).abs() <= 1e-8 * (1.0 + slope.abs()), "{entry:?} at {f}");
                let found = entry.curvature(f, y);
                assert!((curvature - found).abs() <= 1e-6 * (1.0 + found), "{entry:?} at {f}: {curvature} {found}");
            }
        }
    }

    /// Fenchel: `value(f) - f slope(f)` is the infimum beside that slope, and no more beside any other.
    #[test]
    fn infima_beside_a_slope_are_reached_where_the_slope_is() {
        for entry in ALL {
            for (f, y) in [(0.3, 1.0), (-2.0, 1.0), (5.0, -1.0), (1.2, -1.0)] {
                let v = entry.slope(f, y);
                let reached = entry.value(f, y) - v * f;
                let found = entry.infimum_beside(v, y);
                assert!((reached - found).abs() <= 1e-12 * (1.0 + reached.abs()), "{entry:?}: {reached} {found}");
                let other = entry.infimum_beside(0.9 * v, y);
                assert!(other <= entry.value(f, y) - 0.9 * v * f + 1e-12, "{entry:?}");
            }
        }
        assert_eq!(Entry::Huber(1.0).infimum_beside(1.5, 0.0), f64::NEG_INFINITY);
        assert_eq!(Entry::Logistic.infimum_beside(0.5, 1.0), f64::NEG_INFINITY);
    }

    #[test]
    fn large_arguments_stay_finite_and_small_ones_accurate() {
        assert_eq!(Entry::Logistic.value(-1e6, 1.0), 1e6);
        assert_eq!(Entry::LogCosh.value(1e6, 0.0), 1e6 - std::f64::consts::LN_2);
        assert_eq!(Entry::LogCosh.value(1e-9, 0.0), 0.5e-18);
        assert_eq!(Entry::PseudoHuber(1.0).value(1e-9, 0.0), 0.5e-18);
    }
}
