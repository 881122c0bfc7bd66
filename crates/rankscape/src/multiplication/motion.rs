//! How one frame `(X, Y)` with `Y X = I` moves to standard position inside the set of all such frames.
//!
//! Three motions, each keeping `Y X = I` at every time: `Y` to the pseudo-inverse of `X` along a line; `X` to its orthogonal
//! polar factor along the line of its positive part; the orthonormal frame to the first coordinate directions by
//! rotations of coordinate planes, all at once. Where `X` is square the last direction keeps the sign of `det X`.

use crate::linalg::{Matrix, svd};

/// A motion of a frame over `0 <= t <= 1`, as plain data.
#[derive(Debug, Clone, PartialEq)]
pub enum Motion {
    /// `X` stays, `Y(t) = (1 - t) Y_0 + t Y_1`, where `(Y_1 - Y_0) X = 0`.
    Straighten {
        /// `X`.
        x: Matrix,
        /// `Y_0`.
        from: Matrix,
        /// `Y_1`.
        to: Matrix,
    },
    /// `X(t) = A diag((1 - t) s + t) B'`, `Y(t)` its pseudo-inverse.
    Normalize {
        /// Orthonormal columns.
        a: Matrix,
        /// Positive.
        s: Vec<f64>,
        /// Orthogonal.
        b: Matrix,
    },
    /// `X(t) = R_n(t a_n) ... R_1(t a_1) Q`, `Y(t) = X(t)'`.
    Rotate {
        /// Orthonormal columns.
        q: Matrix,
        /// `(p, q, a)`: rotation by `a` in the plane of coordinates `p` and `q`, `R_1` first.
        rotations: Vec<(usize, usize, f64)>,
    },
}

impl Motion {
    /// The frame `(X, Y)` at time `t`.
    pub fn at(&self, t: f64) -> (Matrix, Matrix) {
        match self {
            Self::Straighten { x, from, to } => {
                let mut y = from.scaled(1.0 - t);
                y.add_scaled(t, to);
                (x.clone(), y)
            }
            Self::Normalize { a, s, b } => {
                let now: Vec<f64> = s.iter().map(|s| (1.0 - t) * s + t).collect();
                let back: Vec<f64> = now.iter().map(|s| 1.0 / s).collect();
                (a.scale_columns(&now).times_transpose(b), b.scale_columns(&back).times_transpose(a))
            }
            Self::Rotate { q, rotations } => {
                let mut x = q.clone();
                for &(p, q, angle) in rotations {
                    rotate(&mut x, p, q, t * angle);
                }
                let y = x.transpose();
                (x, y)
            }
        }
    }

    /// The three motions that bring a frame to standard position.
    pub(super) fn to_standard(x: &Matrix, y: &Matrix) -> [Self; 3] {
        let found = svd(x);
        let reciprocals: Vec<f64> = found.s.iter().map(|s| 1.0 / s).collect();
        let straight = found.v.scale_columns(&reciprocals).times_transpose(&found.u);
        let q = found.u.times_transpose(&found.v);
        let rotations = rotations_to_standard(q.clone());
        [
            Self::Straighten { x: x.clone(), from: y.clone(), to: straight },
            Self::Normalize { a: found.u, s: found.s, b: found.v },
            Self::Rotate { q, rotations },
        ]
    }
}

fn rotate(x: &mut Matrix, p: usize, q: usize, angle: f64) {
    let (sin, cos) = angle.sin_cos();
    for j in 0..x.ncols() {
        let (a, b) = (x[(p, j)], x[(q, j)]);
        x[(p, j)] = cos * a + sin * b;
        x[(q, j)] = cos * b - sin * a;
    }
}

/// Rotations that bring orthonormal columns to the first coordinate directions, up to the sign of the last one when the
/// matrix is square.
fn rotations_to_standard(mut q: Matrix) -> Vec<(usize, usize, f64)> {
    let mut rotations = Vec::new();
    for j in 0..q.ncols() {
        for p in (j + 1..q.nrows()).rev() {
            let angle = q[(p, j)].atan2(q[(j, j)]);
            let last = p == j + 1;
            if angle != 0.0 && (q[(p, j)] != 0.0 || last) {
                rotate(&mut q, j, p, angle);
                rotations.push((j, p, angle));
            }
        }
    }
    rotations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{determinant_sign, pseudo_inverse};
    use crate::random::Stream;

    #[test]
    fn frames_stay_frames_and_end_in_standard_position() {
        for trial in 0..60 {
            let mut stream = Stream::new(51, trial);
            let (d, e) = ((trial % 5 + 1) as usize, (trial % 7) as usize % ((trial % 5 + 1) as usize) + 1);
            let x = stream.normal_matrix(d, e);
            let mut y = pseudo_inverse(&x, e);
            let complement = crate::linalg::orthonormal_complement(&svd(&x).u);
            y = &y + &stream.normal_matrix(e, d - e).times_transpose(&complement);
            let mut last = (x.clone(), y.clone());
            for motion in Motion::to_standard(&x, &y) {
                let start = motion.at(0.0);
                assert!((&start.0 - &last.0).max_abs() < 1e-12 * (1.0 + last.0.max_abs()));
                assert!((&start.1 - &last.1).max_abs() < 1e-10 * (1.0 + last.1.max_abs()));
                for step in 0..=20 {
                    let (x, y) = motion.at(f64::from(step) / 20.0);
                    assert!((&(&y * &x) - &Matrix::identity(e)).max_abs() < 1e-11 * (1.0 + y.max_abs()));
                }
                last = motion.at(1.0);
            }
            let mut standard = Matrix::from_fn(d, e, |i, j| f64::from(u8::from(i == j)));
            if d == e && determinant_sign(&x) < 0 {
                standard[(d - 1, e - 1)] = -1.0;
            }
            assert!((&last.0 - &standard).max_abs() < 1e-13, "{:?}", last.0);
        }
    }
}
