//! Witnesses: losses and targets that show where a property of the product map fails.
//!
//! Let `a` be the first layer with `P(h,a)` onto and `b` the last with `P(b-1,0)` one-to-one. Where the differential is not
//! onto, `b < a`; take `u` orthogonal to `Col P(h,a-1)`, `v` with `P(b,0) v = 0`, and `G = u v'`. Every block
//! `P(h,k)' G P(k-1,0)'` of the gradient of `<G, mu>` vanishes: for `k < a` on the left, for `k > b` on the right.
//!
//! Its second-order term along `D` is `sum (u'P(h,j)) D_j P(j-1,i) D_i (P(i-1,0) v)` over `i <= b < a <= j`. Where the criterion of
//! second order fails for all these pairs, `T = P(a-1,b)` has the column space of `A = P(a-1,0)` and the row space of
//! `B = P(h,b)`. With generalized inverses and `M = A^- T B^-` then `A M B = T`, hence `P(j-1,0) M P(h,i) = P(j-1,i)`, and the term is
//! `(u'C) M (C v)` with `C = sum_k P(h,k) D_k P(k-1,0)`, at least `-||u|| ||v|| ||M|| ||C||^2`. So the Hessian of
//! `<G, mu - W> + c/2 ||mu - W||^2` is non-negative for `c = 2 ||u|| ||v|| ||M||_F`.
//!
//! Nothing here is irrational but that root: over the rationals `u` and `v` are integer vectors of kernels, and `c` is rounded up.

use crate::evidence::Truth;
use num_bigint::BigInt;
use num_traits::Zero;

use super::factors::{FactorChain, partial_product};
use super::frames::null_basis;
use super::lift::LiftProperties;
use super::openness::Openness;
use super::rank_profile::RankProfile;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::linalg::{Algebra, Matrix, power_of_two_near, pseudo_inverse, svd};

/// The loss `l(M) = <G, M - W> + c/2 ||M - W||_F^2`, whose gradient at `W` is `G`.
#[derive(Debug, Clone, PartialEq)]
pub struct QuadraticWitness<M = Matrix, N = f64> {
    /// `G`, not zero: `W` is not stationary. Of norm 1 in double precision, of integers over the rationals.
    pub gradient: M,
    /// `c >= 0`; an integer over the rationals.
    pub curvature: N,
}

/// The witness over the numbers of the factors.
type WitnessOf<F> = QuadraticWitness<<F as FactorChain>::Matrix, <<F as FactorChain>::Matrix as Algebra>::Number>;

/// Where first-order critical does not imply stationary: a linear loss whose gradient is normal to the image of the
/// differential. `None` where the implication holds or is undecided.
pub fn first_order_witness<F: FactorChain<Matrix: Kernels>>(
    factors: &F,
    profile: &RankProfile,
) -> Option<WitnessOf<F>> {
    first_order(&F::Matrix::of_moderate_size(factors.matrices()).0, profile)
}

/// Where second-order critical does not imply stationary: `G = u v'` out of sight of every pair of layers, and a
/// curvature that makes the second-order form non-negative. `None` where the implication holds or is undecided.
pub fn second_order_witness<F: FactorChain<Matrix: Kernels>>(
    factors: &F,
    profile: &RankProfile,
) -> Option<WitnessOf<F>> {
    let (matrices, scales) = F::Matrix::of_moderate_size(factors.matrices());
    let QuadraticWitness { gradient, curvature } = second_order(&matrices, profile)?;
    Some(QuadraticWitness { gradient, curvature: scales.into_iter().fold(curvature, |c, scale| c / scale) })
}

/// Where the map is not open: a direction `D`, in double precision of norm 1 and over the rationals of integers, such that `W + eps D` has rank at most `r` and yet, for small
/// `eps != 0`, is the product of no factors near the point.
///
/// At a failing node `i` write `A = P(h,i)`, `B = P(i,0)`, `f = d_i - s_i - t_i + rho`. Take `D = U V'` with `f + 1` independent
/// columns each, `U` orthogonal to `Col A` and `B V = 0`. Suppose `A' B' = W + eps D` with `A'` near `A` and `B'` near `B`, and
/// let `E` span `Row B`, `F` span `Col A`. Then `F'A'` keeps rank `s` and `B'E` rank `t`, while
/// `F'A'B'E = F'WE` has rank `rho`, `F'A'(B'V) = 0` and `(U'A')(B'E) = 0`. So `B'V` lies in `Ker F'A'`, of dimension
/// `d_i - s`, and `U'A'` kills its subspace `Ker F'A' n Col B'E`, of dimension `t - rho`: the product
/// `(U'A')(B'V) = eps (U'U)(V'V)`, invertible, would have rank at most `d_i - s - (t - rho) = f`, a contradiction.
pub fn unreachable_direction<F: FactorChain<Matrix: Kernels>>(factors: &F, profile: &RankProfile) -> Option<F::Matrix> {
    unreachable(&F::Matrix::of_moderate_size(factors.matrices()).0, profile).map(F::Matrix::of_unit_norm)
}

/// What a witness needs beyond the operations of a field, for matrices whose ranks are known.
pub trait Kernels: Algebra {
    /// The matrices, in double precision each divided by a power of two near its largest entry, and what they were divided by.
    fn of_moderate_size(matrices: &[Self]) -> (Vec<Self>, Vec<Self::Number>);
    /// Divided by the norm in double precision; as it is over the rationals, which have no roots.
    #[must_use]
    fn of_unit_norm(self) -> Self;
    /// Basis of the vectors orthogonal to the columns.
    fn normals(&self, rank: usize) -> Self;
    /// `A^-` with `A A^- A = A`.
    fn generalized_inverse(&self, rank: usize) -> Option<Self>;
    /// A number whose square is at least this one.
    fn root_above(square: &Self::Number) -> Self::Number;
}

impl Kernels for Matrix {
    fn of_moderate_size(matrices: &[Self]) -> (Vec<Self>, Vec<f64>) {
        let by_power = |matrix: &Matrix| {
            let scale = power_of_two_near(matrix.max_abs());
            (matrix.scaled(1.0 / scale), scale)
        };
        matrices.iter().map(by_power).unzip()
    }
    fn of_unit_norm(self) -> Self {
        self.scaled(1.0 / self.frobenius_norm())
    }
    fn normals(&self, rank: usize) -> Self {
        null_basis(&svd(self).u.columns(0, rank))
    }
    fn generalized_inverse(&self, rank: usize) -> Option<Self> {
        Some(pseudo_inverse(self, rank))
    }
    fn root_above(square: &f64) -> f64 {
        square.sqrt()
    }
}

impl Kernels for RationalMatrix {
    fn of_moderate_size(matrices: &[Self]) -> (Vec<Self>, Vec<Rational>) {
        (matrices.to_vec(), Vec::new())
    }
    fn of_unit_norm(self) -> Self {
        self
    }
    fn normals(&self, _: usize) -> Self {
        self.transpose().kernel()
    }
    fn generalized_inverse(&self, _: usize) -> Option<Self> {
        self.generalized_inverse()
    }
    fn root_above(square: &Rational) -> Rational {
        let whole = square.ceil().to_integer();
        let root = whole.sqrt();
        let short = &root * &root < whole;
        Rational::from_integer(root + BigInt::from(u8::from(short)))
    }
}

/// `u`, `v` and the layers `a`, `b` of the module's introduction.
struct Hidden<M> {
    u: M,
    v: M,
    a: usize,
    b: usize,
}

impl<M: Kernels> Hidden<M> {
    /// `None` where the differential is onto.
    fn new(matrices: &[M], profile: &RankProfile) -> Option<Self> {
        let (widths, h) = (profile.widths(), profile.depth());
        let a = (1..=h).find(|&k| profile.rank(k, h) == widths[h])?;
        let b = (1..=h).rev().find(|&k| profile.rank(0, k - 1) == widths[0])?;
        if a <= b {
            return None;
        }
        let left = partial_product(matrices, h, a - 1).normals(profile.rank(a - 1, h));
        let right = partial_product(matrices, b, 0).transposed().normals(profile.rank(0, b));
        Some(Self { u: leading(&left, 1), v: leading(&right, 1), a, b })
    }

    fn gradient(&self) -> M {
        self.u.times(&self.v.transposed())
    }
}

/// The first `count` columns.
fn leading<M: Algebra>(matrix: &M, count: usize) -> M {
    M::from_fn(matrix.shape().0, count, |i, j| matrix.entry(i, j))
}

fn first_order<M: Kernels>(matrices: &[M], profile: &RankProfile) -> Option<QuadraticWitness<M, M::Number>> {
    if LiftProperties::new(profile).one_1.holds != Truth::No {
        return None;
    }
    let hidden = Hidden::new(matrices, profile)?;
    Some(QuadraticWitness { gradient: hidden.gradient(), curvature: M::Number::zero() })
}

fn second_order<M: Kernels>(matrices: &[M], profile: &RankProfile) -> Option<QuadraticWitness<M, M::Number>> {
    if LiftProperties::new(profile).two_1.holds != Truth::No {
        return None;
    }
    let h = profile.depth();
    let hidden = Hidden::new(matrices, profile)?;
    let Hidden { a, b, .. } = hidden;
    let left = partial_product(matrices, a - 1, 0).generalized_inverse(profile.rank(0, a - 1))?;
    let right = partial_product(matrices, h, b).generalized_inverse(profile.rank(b, h))?;
    let through = if b + 1 < a { left.times(&partial_product(matrices, a - 1, b)) } else { left };
    let middle = through.times(&right);
    let square = M::number(4.0) * hidden.u.inner(&hidden.u) * hidden.v.inner(&hidden.v) * middle.inner(&middle);
    Some(QuadraticWitness { gradient: hidden.gradient(), curvature: M::root_above(&square) })
}

fn unreachable<M: Kernels>(matrices: &[M], profile: &RankProfile) -> Option<M> {
    let openness = Openness::new(profile);
    if openness.verdict.holds != Truth::No {
        return None;
    }
    let node = openness.nodes.iter().find(|node| !node.passes())?;
    let count = usize::try_from(node.have).ok()? + 1;
    let (i, h) = (node.node, profile.depth());
    let left = partial_product(matrices, h, i).normals(profile.rank(i, h));
    let right = partial_product(matrices, i, 0).transposed().normals(profile.rank(0, i));
    Some(leading(&left, count).times(&leading(&right, count).transposed()))
}
