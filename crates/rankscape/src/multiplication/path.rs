//! Paths of factorizations, as pieces that can be evaluated anywhere.

use super::factors::Factors;
use super::motion::Motion;
use crate::linalg::Matrix;

/// A piece of a path, over `0 <= t <= 1`.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Every factor moves along a line.
    Line {
        /// At `t = 0`.
        from: Factors,
        /// At `t = 1`.
        to: Factors,
    },
    /// `W_k(t) = X_k(t) Y_{k-1}(t)` with a frame `Y_i X_i = I` at every inner node, so the product is
    /// `X_h Y_0` at all times.
    Frames {
        /// `X_h`.
        left: Matrix,
        /// `Y_0`.
        right: Matrix,
        /// One motion for each inner node, from node 1.
        motions: Vec<Motion>,
        /// Run from `t = 1` to `t = 0`.
        reversed: bool,
    },
}

impl Piece {
    /// The matrices at time `t`, `W_1` first.
    pub fn at(&self, t: f64) -> Vec<Matrix> {
        match self {
            Self::Line { from, to } => from
                .matrices()
                .iter()
                .zip(to.matrices())
                .map(|(a, b)| {
                    let mut now = a.scaled(1.0 - t);
                    now.add_scaled(t, b);
                    now
                })
                .collect(),
            Self::Frames { left, right, motions, reversed } => {
                let time = if *reversed { 1.0 - t } else { t };
                let mut before = right.clone();
                let mut out = Vec::with_capacity(motions.len() + 1);
                for motion in motions {
                    let (x, y) = motion.at(time);
                    out.push(&x * &before);
                    before = y;
                }
                out.push(left * &before);
                out
            }
        }
    }
}

/// A continuous path of factors.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    like: Factors,
    pieces: Vec<Piece>,
    /// Where a path of matrices is lifted: its knots, and the piece along which it leaves the first.
    lifted: Option<(usize, Vec<Matrix>)>,
}

impl Path {
    pub(super) fn new(like: Factors, pieces: Vec<Piece>) -> Self {
        Self { like, pieces, lifted: None }
    }

    /// A lift of the path of matrices between `knots`, which begins with piece `start`.
    pub(super) fn lifting(self, start: usize, knots: Vec<Matrix>) -> Self {
        Self { lifted: Some((start, knots)), ..self }
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The factors at `0 <= t <= 1`; every piece takes the same time.
    pub fn at(&self, t: f64) -> Factors {
        let count = self.pieces.len();
        let place = t.clamp(0.0, 1.0) * count as f64;
        let which = (place.floor() as usize).min(count.saturating_sub(1));
        match self.pieces.get(which) {
            Some(piece) => self.like.with_matrices(piece.at(place - which as f64)),
            None => self.like.clone(),
        }
    }

    /// The times `0, 1/n, ..., 1` with the factors there.
    pub fn samples(&self, n: usize) -> impl Iterator<Item = (f64, Factors)> + '_ {
        (0..=n).map(move |k| {
            let t = k as f64 / n.max(1) as f64;
            (t, self.at(t))
        })
    }

    /// The matrix that the product is to be at time `t`: on the path of matrices that is lifted, `None` inside a fiber.
    pub fn wanted(&self, t: f64) -> Option<Matrix> {
        let (start, knots) = self.lifted.as_ref()?;
        let last = knots.len() - 1;
        let place = (t.clamp(0.0, 1.0) * self.pieces.len() as f64 - *start as f64).clamp(0.0, last as f64);
        let knot = (place.floor() as usize).min(last - 1);
        let mut now = knots[knot].scaled(1.0 - (place - knot as f64));
        now.add_scaled(place - knot as f64, &knots[knot + 1]);
        Some(now)
    }

    /// `max_t ||mu(theta(t)) - f(t)||_F` over `n + 1` times, with `f` the path of matrices that is lifted, or else `product` at all times.
    pub fn error(&self, product: &Matrix, n: usize) -> f64 {
        if self.lifted.is_none() {
            return self.product_error(product, n);
        }
        let off = |(t, factors): (f64, Factors)| {
            self.wanted(t).map_or(0.0, |wanted| (&factors.product() - &wanted).frobenius_norm())
        };
        self.samples(n).map(off).fold(0.0, f64::max)
    }

    /// `max_t ||mu(theta(t)) - W||_F` over `n + 1` times.
    pub fn product_error(&self, product: &Matrix, n: usize) -> f64 {
        self.samples(n).map(|(_, factors)| (&factors.product() - product).frobenius_norm()).fold(0.0, f64::max)
    }
}
