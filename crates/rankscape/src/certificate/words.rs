//! The partial products that a class rests on, in any arithmetic, and the class that their ranks give.
//!
//! Nothing here is shared with the code that classifies: that counts eigenvalues, this asks the two questions of
//! `docs/inertia.md`, section 4.

use crate::critical::CriticalClass;
use crate::evidence::Quantity;
use crate::linalg::Linear;

/// All quantities that a critical point in double precision rests on, in order.
pub(super) fn all_quantities(depth: usize) -> Vec<Quantity> {
    let mut out = vec![Quantity::Inputs, Quantity::Output, Quantity::Residual, Quantity::Comparison, Quantity::Target];
    out.extend(intervals(depth).filter(|&at| at != (0, depth)).map(|(i, j)| Quantity::Seen { i, j }));
    out.extend(gaps(depth).map(|(s, t)| Quantity::Wrapped { depth, s, t }));
    out.extend(given_quantities(depth));
    out
}

/// Those of the factors as given.
pub(super) fn given_quantities(depth: usize) -> impl Iterator<Item = Quantity> {
    intervals(depth).map(|(i, j)| Quantity::Given { i, j })
}

/// `P(j,i)`, with `X` where `i = 0`.
pub(super) fn seen(depth: usize, i: usize, j: usize) -> Quantity {
    if (i, j) == (0, depth) { Quantity::Output } else { Quantity::Seen { i, j } }
}

/// `0 <= i < j <= h`.
fn intervals(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..depth).flat_map(move |i| (i + 1..=depth).map(move |j| (i, j)))
}

/// `(s, t)` with `0 <= t <= s - 2` and `s <= h`.
fn gaps(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..depth).flat_map(move |t| (t + 2..=depth).map(move |s| (s, t)))
}

/// The products of a point.
pub(super) struct Words<M> {
    layers: Vec<M>,
    /// `P(k,0) A` for `k = 0, ..., h`.
    from_input: Vec<M>,
    /// `P(h,k)` for `k = 1, ..., h - 1`, by `k - 1`.
    after: Vec<M>,
    /// `G`, of the shape of `W A`.
    residual: M,
}

impl<M: Linear> Words<M> {
    /// `residual(W A)` is `G`.
    pub(super) fn new(layers: Vec<M>, inputs: M, residual: impl FnOnce(&M) -> M) -> Self {
        let mut from_input = vec![inputs];
        for layer in &layers {
            from_input.push(layer.times(&from_input[from_input.len() - 1]));
        }
        let mut after: Vec<M> = Vec::new();
        for layer in layers.iter().skip(1).rev() {
            after.push(after.last().map_or_else(|| layer.clone(), |above| above.times(layer)));
        }
        after.reverse();
        let residual = residual(&from_input[layers.len()]);
        Self { layers, from_input, after, residual }
    }

    pub(super) fn depth(&self) -> usize {
        self.layers.len()
    }

    pub(super) fn residual(&self) -> &M {
        &self.residual
    }

    /// `W A`.
    pub(super) fn output(&self) -> &M {
        &self.from_input[self.depth()]
    }

    /// `P(h,k)`; `None` for the identity.
    pub(super) fn after(&self, k: usize) -> Option<&M> {
        self.after.get(k.wrapping_sub(1))
    }

    /// `P(h,k)' G (P(k-1,0) A)'`.
    pub(super) fn gradient(&self, k: usize) -> M {
        let back =
            self.after(k).map_or_else(|| self.residual.clone(), |after| after.transposed().times(&self.residual));
        back.times(&self.from_input[k - 1].transposed())
    }

    /// The product whose rank a quantity is; `None` where it is not that of one of these products.
    pub(super) fn matrix(&self, quantity: Quantity) -> Option<M> {
        match quantity {
            Quantity::Output => Some(self.output().clone()),
            Quantity::Inputs => Some(self.from_input[0].clone()),
            Quantity::Residual => Some(self.residual.clone()),
            Quantity::Seen { i: 0, j } => Some(self.from_input[j].clone()),
            Quantity::Seen { i, j } | Quantity::Given { i, j } => {
                let first = self.layers[i].clone();
                Some(self.layers[i + 1..j].iter().fold(first, |product, layer| layer.times(&product)))
            }
            Quantity::Wrapped { s, t, .. } => {
                let back = self.residual.transposed();
                let back = self.after(s).map_or_else(|| back.clone(), |after| back.times(after));
                Some(if t == 0 { back } else { self.from_input[t].times(&back) })
            }
            _ => None,
        }
    }
}

/// What the class is read from.
pub(super) struct Ranks<'a> {
    /// `d_0, ..., d_h`, with the rank of `X` in place of `d_0`.
    pub(super) widths: &'a [usize],
    /// `rank G`.
    pub(super) residual: usize,
    /// `rank P(j,i)`, with `X` where `i = 0`; `None` where it is not clear.
    pub(super) seen: &'a dyn Fn(usize, usize) -> Option<usize>,
    /// `rank P(t,0) G' P(h,s)`; `None` where it is not clear.
    pub(super) wrapped: &'a dyn Fn(usize, usize) -> Option<usize>,
    /// Some omitted singular value is larger than some captured one.
    pub(super) omitted_larger: bool,
}

impl Ranks<'_> {
    /// The class of a critical point, by `docs/inertia.md`, section 4; `None` where a rank that it needs is not clear.
    pub(super) fn class(&self) -> Option<CriticalClass> {
        let depth = self.widths.len() - 1;
        let e = (self.seen)(0, depth)?;
        let narrowest = self.widths.iter().copied().min().unwrap_or(0);
        if depth == 1 || self.residual == 0 || (!self.omitted_larger && e == narrowest) {
            return Some(CriticalClass::GlobalMinimum);
        }
        if self.omitted_larger {
            return Some(CriticalClass::StrictSaddle);
        }
        let mut strict = Some(false);
        for (s, t) in gaps(depth) {
            let bridge = if t + 1 == s - 1 { Some(self.widths[t + 1]) } else { (self.seen)(t + 1, s - 1) };
            // A factor that is clearly absent settles the pair whatever the other.
            let (through, spare) = ((self.wrapped)(s, t).map(|w| w > 0), bridge.map(|r| r > e));
            match (through, spare) {
                (Some(true), Some(true)) => return Some(CriticalClass::StrictSaddle),
                (Some(false), _) | (_, Some(false)) => {}
                _ => strict = None,
            }
        }
        strict.map(|_| CriticalClass::NonStrictSaddle)
    }
}
