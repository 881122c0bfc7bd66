//! Index and nullity of a critical point of the square loss, from ranks and singular values: the formula that
//! `docs/inertia.md` proves.

use crate::grid::Dense;
use crate::jacobi;

/// Numbers of negative, zero and positive eigenvalues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inertia {
    /// Index.
    pub negative: usize,
    /// Nullity.
    pub zero: usize,
    /// Number of positive eigenvalues.
    pub positive: usize,
}

impl Inertia {
    /// Counts eigenvalues; those of absolute value at most `tolerance` are zero.
    pub fn of_eigenvalues(values: &[f64], tolerance: f64) -> Self {
        let negative = values.iter().filter(|&&value| value < -tolerance).count();
        let positive = values.iter().filter(|&&value| value > tolerance).count();
        Self { negative, zero: values.len() - negative - positive, positive }
    }
}

/// The ranks that decide the inertia, in whitened coordinates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks {
    /// Number of factors.
    pub depth: usize,
    /// `plain[i][j]` = rank of `W_j ... W_{i+1}` for `i <= j`; `plain[i][i]` is the width of node `i`.
    pub plain: Vec<Vec<usize>>,
    /// `wrapped[s][t]` = rank of `P(t,0) G' P(h,s)`.
    pub wrapped: Vec<Vec<usize>>,
}

impl Ranks {
    /// Tabulates two rank functions; `plain` is asked for `i <= j`, `wrapped` for `t < s`.
    pub fn tabulate(
        depth: usize,
        plain: impl Fn(usize, usize) -> usize,
        wrapped: impl Fn(usize, usize) -> usize,
    ) -> Self {
        let table = |entry: &dyn Fn(usize, usize) -> usize| -> Vec<Vec<usize>> {
            (0..=depth).map(|i| (0..=depth).map(|j| entry(i, j)).collect()).collect()
        };
        Self {
            depth,
            plain: table(&|i, j| if i <= j { plain(i, j) } else { 0 }),
            wrapped: table(&|s, t| if t < s { wrapped(s, t) } else { 0 }),
        }
    }

    /// Ranks of given whitened factors (the first one times `U_x S_x`) and residual `G = W - Z`, by singular values
    /// above the absolute `tolerance`.
    pub fn of_factors(factors: &[Dense], residual: &Dense, tolerance: f64) -> Self {
        let h = factors.len();
        let width = |i: usize| if i == 0 { factors[0].cols() } else { factors[i - 1].rows() };
        let chain = |i: usize, j: usize| {
            factors[i..j].iter().fold(Dense::identity(width(i)), |product, factor| factor.matmul(&product))
        };
        Self::tabulate(
            h,
            |i, j| jacobi::rank(&chain(i, j), tolerance),
            |s, t| jacobi::rank(&chain(0, t).matmul(&residual.transpose()).matmul(&chain(s, h)), tolerance),
        )
    }

    /// Number of strings `[s..h, 0..t]`.
    fn wrapping(&self, s: usize, t: usize) -> usize {
        let below = |t: usize| if s == 0 { 0 } else { self.wrapped[s - 1][t] };
        // Out of range is zero, and so is everything with t >= s - 1 at a critical point.
        (self.wrapped[s][t] + below(t + 1)) - (below(t) + self.wrapped[s][t + 1])
    }

    /// Inertia of the Hessian in whitened parameters, `d_1 rho + sum d_k d_{k-1}` of them.
    ///
    /// `kept` are the singular values of the whitened target that the product captures, `omitted` the other positive
    /// ones; `same` decides whether two of them are equal.
    pub fn inertia(&self, kept: &[f64], omitted: &[f64], same: impl Fn(f64, f64) -> bool) -> Inertia {
        let h = self.depth;
        let r = &self.plain;
        let e = r[0][h];
        assert_eq!(e, kept.len(), "the captured set does not have the rank of the product");
        let pairs = || kept.iter().flat_map(|&a| omitted.iter().map(move |&b| (a, b)));
        let above = pairs().filter(|&(a, b)| b > a && !same(a, b)).count();
        let tied = pairs().filter(|&(a, b)| same(a, b)).count();

        let types: Vec<(usize, usize)> = (2..=h).flat_map(|s| (0..=s - 2).map(move |t| (s, t))).collect();
        let mut linked = 0;
        for &(s, t) in &types {
            linked += self.wrapping(s, t) * (r[t + 1][s - 1] - e);
        }
        for (a, &(s, t)) in types.iter().enumerate() {
            for &(s2, t2) in &types[..a] {
                if t2 + 1 >= s || s2 <= t + 1 {
                    linked -= self.wrapping(s, t) * self.wrapping(s2, t2);
                }
            }
        }

        let from_input = |t: usize| (r[0][t] + self.wrapped[h][t + 1]) - (self.wrapped[h][t] + r[0][t + 1]);
        let to_output = |s: usize| (r[s][h] + self.wrapped[s - 1][0]) - (self.wrapped[s][0] + r[s - 1][h]);
        let mut free = 0;
        for t in 0..h {
            for s in 1..=(t + 1).min(h) {
                free += from_input(t) * to_output(s);
            }
        }

        let parameters: usize = (1..=h).map(|k| r[k][k] * r[k - 1][k - 1]).sum();
        let negative = above + linked;
        let positive = e * e + e * (r[0][0] + r[h][h] - 2 * e) - (above + tied) + linked + free;
        Inertia { negative, zero: parameters - negative - positive, positive }
    }
}

/// Inertia of the Hessian at a critical point of the square loss, by the closed form: whitens, decides all ranks by
/// singular values above the absolute `tolerance`, counts, and adds the directions that the data do not see.
pub fn of_critical_point(weights: &[Dense], x: &Dense, y: &Dense, tolerance: f64) -> Inertia {
    let rho = jacobi::rank(x, tolerance);
    let frame = jacobi::right_singular(x).1.columns(&(0..rho).collect::<Vec<_>>());
    let target = y.matmul(&frame);
    let mut whitened = weights.to_vec();
    whitened[0] = weights[0].matmul(x).matmul(&frame);
    let product = crate::reference::product(&whitened);
    let residual = product.sub(&target);
    let positive = |matrix: &Dense| -> Vec<f64> {
        jacobi::singular_values(matrix).into_iter().filter(|&value| value > tolerance).collect()
    };
    let same = |a: f64, b: f64| (a - b).abs() <= tolerance;
    let ranks = Ranks::of_factors(&whitened, &residual, tolerance);
    let mut inertia = ranks.inertia(&positive(&product), &positive(&residual), same);
    inertia.zero += weights[0].rows() * (x.rows() - rho);
    inertia
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_of_two_layers_has_one_negative_direction_per_hidden_unit_and_singular_value() {
        // Z = diag(2, 1), widths 2, 3, 2, all factors zero.
        let ranks = Ranks::tabulate(
            2,
            |i, j| if i == j { [2, 3, 2][i] } else { 0 },
            |s, t| if (s, t) == (2, 0) { 2 } else { 0 },
        );
        let inertia = ranks.inertia(&[], &[2.0, 1.0], |a, b| a == b);
        assert_eq!(inertia, Inertia { negative: 6, zero: 0, positive: 6 });
    }
}
