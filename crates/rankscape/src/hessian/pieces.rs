//! The constant matrices that the Hessian at a point is made of.

use crate::linalg::Matrix;
use crate::loss::Loss;
use crate::network::Network;

/// For a block of parameters `b` of layer `k`, which acts on the feature `Phi_b` (`F_{k-1}`, or the row of ones for a
/// bias), the Hessian has the entries
///
/// - `(M_k' M_l) (x) (Phi_b Phi_c')` for blocks `b`, `c` of layers `k`, `l`: the Gauss-Newton part of the square loss,
///   `M_k = P(h,k)`;
/// - `(B_l Phi_b')[p, j] * P(l-1,k)[q, i]` for the entry `(i, j)` of `b` and the entry `(p, q)` of a factor `c` of a
///   later layer `l`: the residual part, `B_l = P(h,l)' grad l(F_h)`.
///
/// None of these has the number of samples as a size once the data are a triangular factor.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    /// Shape of every block.
    pub(super) shapes: Vec<(usize, usize)>,
    /// Layer of every block, counted from 0.
    pub(super) layers: Vec<usize>,
    /// `Phi_b`; `None` is the identity.
    pub(super) features: Vec<Option<Matrix>>,
    /// `M_k`, one a layer, with the output factor at the last; `None` is the identity.
    pub(super) after: Vec<Option<Matrix>>,
    /// `B_l Phi_b'` at `[b][l]` for the factors `l` after the layer of `b`.
    cross: Vec<Vec<Option<Matrix>>>,
    /// `P(l-1,k)` at `[k][l - k - 2]` for layers `l >= k + 2`; for `l = k + 1` it is the identity.
    between: Vec<Vec<Matrix>>,
    /// Number of outputs and of columns of the residual.
    pub(super) residual: (usize, usize),
}

impl Pieces {
    pub(super) fn new(network: &Network<impl Loss>, output_factor: Option<&Matrix>) -> Self {
        let factors = network.layers();
        let depth = factors.len();
        let layers = network.layer_of_blocks();
        let features: Vec<Option<Matrix>> = (0..layers.len()).map(|b| network.feature(b).cloned()).collect();
        let mut after: Vec<Option<Matrix>> = vec![output_factor.cloned()];
        let mut product: Option<Matrix> = None;
        for layer in factors[1..].iter().rev() {
            product = Some(product.map_or_else(|| layer.clone(), |p| &p * layer));
            after.push(product.clone());
        }
        after.reverse();
        let backward: Vec<Matrix> = (0..depth)
            .map(|l| match output_factor.filter(|_| l + 1 == depth) {
                Some(c) => c.transpose_times(network.backward(l)),
                None => network.backward(l).clone(),
            })
            .collect();
        let cross = (0..layers.len())
            .map(|b| {
                (0..depth)
                    .map(|l| {
                        let feature = features[b].as_ref();
                        let product =
                            || feature.map_or_else(|| backward[l].clone(), |f| backward[l].times_transpose(f));
                        (l > layers[b]).then(product)
                    })
                    .collect()
            })
            .collect();
        let between = (0..depth).map(|k| products_from(factors, k)).collect();
        Self { shapes: network.blocks(), layers, features, after, cross, between, residual: network.output().shape() }
    }

    /// `B_l Phi_b'` for a factor `l` after the layer of block `b`.
    pub(super) fn cross(&self, l: usize, b: usize) -> Option<&Matrix> {
        self.cross[b][l].as_ref()
    }

    /// `P(l-1,k)` for layers `l > k`, counted from 0; `None` is the identity.
    pub(super) fn between(&self, k: usize, l: usize) -> Option<&Matrix> {
        (l > k + 1).then(|| &self.between[k][l - k - 2])
    }

    /// Number of factors.
    pub(super) fn depth(&self) -> usize {
        self.after.len()
    }
}

/// `W_{k+2}`, `W_{k+3} W_{k+2}`, ... up to the layer before the last, `k` counted from 0.
fn products_from(factors: &[Matrix], k: usize) -> Vec<Matrix> {
    let mut out: Vec<Matrix> = Vec::new();
    for layer in factors.iter().take(factors.len() - 1).skip(k + 1) {
        out.push(out.last().map_or_else(|| layer.clone(), |p| layer * p));
    }
    out
}
