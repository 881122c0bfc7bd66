//! The layer value of one captured direction: one equation in one unknown, in units in which only the depth and the
//! relative decay are left.
//!
//! A direction with singular value `s` of the whitened target, seen through inputs of size `x`, has at a critical point
//! `w^{h-2} x (s - x w^h) = l`. With `w = (s/x)^{1/h} t` and the relative decay `d = l / (x s (s/x)^{(h-2)/h})` this is
//! `t^{h-2} (1 - t^h) = d`, solved here in `p = -ln t^h`, where nothing overflows: `ln(1 - e^{-p}) - p (h-2)/h = ln d`.

/// Most steps of Newton's method; it is monotone, and near the fold each step halves the error.
const STEPS: usize = 200;

/// Which solution of its equation a captured direction has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RootKind {
    /// The larger one, or the only one of networks with one or two layers.
    Large,
    /// The smaller one.
    Small,
    /// Both in one.
    Fold,
}

impl RootKind {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Large => "large",
            Self::Small => "small",
            Self::Fold => "fold",
        }
    }
}

/// A root, by `p = -ln t^h`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Root(f64);

impl Root {
    /// `q = t^h`, the share of the singular value that is learned.
    pub(super) fn share(self) -> f64 {
        (-self.0).exp()
    }

    /// `1 - q`.
    fn rest(self) -> f64 {
        -(-self.0).exp_m1()
    }

    /// `ln t`.
    pub(super) fn log_layer_value(self, depth: usize) -> f64 {
        -self.0 / depth as f64
    }

    /// What the direction adds to `L`, in units of `s^2`: `(1-q)(1 + (h-1) q)/2`.
    pub(super) fn value(self, depth: usize) -> f64 {
        0.5 * self.rest() * (1.0 + (depth as f64 - 1.0) * self.share())
    }

    /// The same minus what it adds when it is not captured: `q ((h-2) - (h-1) q)/2`.
    pub(super) fn gain(self, depth: usize) -> f64 {
        let q = self.share();
        let (two, one) = (depth as f64 - 2.0, depth as f64 - 1.0);
        0.5 * q * (two - one * q)
    }
}

/// The roots for one depth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Equation {
    depth: usize,
}

impl Equation {
    pub(super) fn new(depth: usize) -> Self {
        Self { depth }
    }

    /// `(h-2)/h`.
    fn slope(self) -> f64 {
        (self.depth as f64 - 2.0) / self.depth as f64
    }

    /// Where two roots meet.
    pub(super) fn fold_root(self) -> Root {
        let h = self.depth as f64;
        Root(((2.0 * h - 2.0) / (h - 2.0)).ln())
    }

    /// Logarithm of the relative decay at which the last root vanishes: `((h-2)/(2h-2))^{(h-2)/h} h/(2h-2)`, for `h >= 2`.
    pub(super) fn log_fold(self) -> f64 {
        let h = self.depth as f64;
        power_log((h - 2.0) / (2.0 * h - 2.0), self.slope()) + (h / (2.0 * h - 2.0)).ln()
    }

    /// Logarithm of the relative decay up to which a direction is worth capturing:
    /// `((h-2)/(h-1))^{(h-2)/h} / (h-1)`, for `h >= 2`.
    pub(super) fn log_worth(self) -> f64 {
        let h = self.depth as f64;
        power_log((h - 2.0) / (h - 1.0), self.slope()) - (h - 1.0).ln()
    }

    /// The root with the larger layer value; `log_decay` is at most that of the fold.
    pub(super) fn large(self, log_decay: f64) -> Root {
        match self.depth {
            // 1/t - 1 = d.
            1 => Root(log_decay.exp().ln_1p()),
            // 1 - t^2 = d.
            2 => Root(-(-log_decay.min(0.0).exp()).ln_1p()),
            // ln(1 - e^{-p}) <= ln p, so this is left of the root.
            _ => self.newton(log_decay, log_decay.exp().min(self.fold_root().0)),
        }
    }

    /// The root with the smaller layer value, for `h >= 3`.
    pub(super) fn small(self, log_decay: f64) -> Root {
        // ln(1 - e^{-p}) <= 0, so this is right of the root.
        self.newton(log_decay, (-log_decay / self.slope()).max(self.fold_root().0))
    }

    /// Newton's method for a concave function from a point where it is too small: no step passes the root.
    fn newton(self, log_decay: f64, start: f64) -> Root {
        let fold = self.fold_root().0;
        let mut p = start;
        for _ in 0..STEPS {
            let excess = -self.slope() * p + (-(-p).exp_m1()).ln() - log_decay;
            let derivative = -self.slope() + 1.0 / p.exp_m1();
            let step = excess / derivative;
            // Rounding errors may push it over the fold, or back. There is no step from where t is 1 in double precision.
            let next = if start < fold { (p - step).min(fold) } else { (p - step).max(fold) };
            if !step.is_finite() || (next - p).abs() <= f64::EPSILON * p || excess >= 0.0 {
                break;
            }
            p = next;
        }
        Root(p)
    }
}

/// `e ln b`, with `0 ln 0 = 0`.
fn power_log(base: f64, exponent: f64) -> f64 {
    if exponent == 0.0 { 0.0 } else { exponent * base.ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_solve_the_equation_for_every_depth_and_decay() {
        for depth in 1..=40 {
            let equation = Equation::new(depth);
            let fold = if depth == 1 { 3.0 } else { equation.log_fold() };
            for below in [1e-9, 1e-6, 1e-3, 0.1, 0.5, 1.0, 3.0, 10.0, 25.0] {
                let log_decay = fold - below;
                let large = equation.large(log_decay);
                let rest = large.rest().ln() + (depth as f64 - 2.0) * large.log_layer_value(depth);
                assert!((rest - log_decay).abs() < 1e-12 * (1.0 + log_decay.abs()), "{depth} {below}");
                if depth > 2 {
                    let small = equation.small(log_decay);
                    let rest = small.rest().ln() + (depth as f64 - 2.0) * small.log_layer_value(depth);
                    assert!((rest - log_decay).abs() < 1e-12 * (1.0 + log_decay.abs()), "{depth} {below}");
                    assert!(
                        small.share() < equation.fold_root().share() && equation.fold_root().share() < large.share()
                    );
                }
            }
        }
    }

    #[test]
    fn rational_cases_are_met() {
        // h = 3: s = 2, l = 1 has w = 1 where the direction just pays; s = 4, l = 3 has it at the fold.
        let relative = |s: f64, l: f64, h: f64| (l / s.powf((2.0 * h - 2.0) / h)).ln();
        assert!((Equation::new(3).log_worth() - relative(2.0, 1.0, 3.0)).abs() < 1e-15);
        assert!((Equation::new(3).log_fold() - relative(4.0, 3.0, 3.0)).abs() < 1e-15);
        assert!((Equation::new(4).log_worth() - relative(1.5, 0.5, 4.0)).abs() < 1e-15);
        assert!((Equation::new(4).log_fold() - relative(3.0, 2.0, 4.0)).abs() < 1e-15);
        assert_eq!((Equation::new(2).log_fold(), Equation::new(2).log_worth()), (0.0, 0.0));
        // At its worth a captured direction costs as much as an omitted one; s = 9, l = 8 has w = 1.
        let tie = Equation::new(3).large(relative(2.0, 1.0, 3.0));
        assert!(tie.gain(3).abs() < 1e-15 && (tie.value(3) - 0.5).abs() < 1e-15);
        let one = Equation::new(3).small(relative(9.0, 8.0, 3.0));
        assert!((one.share() * 9.0 - 1.0).abs() < 1e-14);
    }

    #[test]
    fn tiny_decays_neither_overflow_nor_lose_the_roots() {
        let equation = Equation::new(3);
        let (large, small) = (equation.large(-1000.0), equation.small(-1000.0));
        assert_eq!(large.share(), 1.0);
        assert!((small.log_layer_value(3) + 1000.0).abs() < 1e-9);
        assert_eq!(small.gain(3), 0.0);
    }
}
