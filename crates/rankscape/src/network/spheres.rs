//! The gradient of a normalized network, whose factors before the last count by their directions alone.

use super::normalized::NormalizedNetwork;

/// A gradient on spheres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SphericalGradient {
    /// Its norm in the parameters as given.
    pub norm: f64,
    /// `max_k c_k ||grad_k||_F / (||P(h,k)||_2 ||P(k-1,0) X||_2 (||W X||_F + ||Y||_F))` at the unit factors, with `0/0 = 0`; `c_k` is the norm of factor `k` as
    /// given, and 1 for the last.
    pub relative: f64,
}

impl NormalizedNetwork {
    /// The gradient of `l(W_h W_{h-1}/||W_{h-1}|| ... W_1/||W_1||)` at factors with these norms before the last, where this is the network with the
    /// factors divided by their norms. With `g_k` the gradient of the plain product there and `V_k` the unit factor, it is
    /// `(g_k - <g_k, V_k> V_k) / ||W_k||`, and `g_h` for the last factor.
    pub fn gradient_on_spheres(&self, norms: &[f64]) -> SphericalGradient {
        let (given, z) = (self.given(), self.target_scale());
        let sizes = given.block_sizes(given.output().frobenius_norm() + self.target_norm(), 0.0);
        let (mut norm, mut relative) = (0.0_f64, 0.0_f64);
        for (k, (part, layer)) in given.gradient().iter().zip(given.layers()).enumerate() {
            let mut part = part.clone();
            let square = layer.dot(layer);
            if k < norms.len() && square > 0.0 {
                part.add_scaled(-part.dot(layer) / square, layer);
            }
            let length = part.frobenius_norm();
            norm = norm.hypot(length * (z / self.layer_scales()[k]) * z / norms.get(k).copied().unwrap_or(1.0));
            if length > 0.0 {
                relative = relative.max(length / sizes[k]);
            }
        }
        SphericalGradient { norm, relative }
    }
}
