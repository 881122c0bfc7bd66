//! LU factorization of small complex systems, one system per lane, each with its own row order.

use num_traits::Zero;

use super::scalar::{Complex, Real, Ring};

/// `P A = L U` by partial pivoting in every lane; the pivot is the entry of largest `|re| + |im|`.
#[derive(Debug, Clone)]
pub struct LaneLu<R> {
    size: usize,
    /// `L` below the diagonal, the reciprocals of the pivots on it, `U` above, row by row.
    factors: Vec<Complex<R>>,
    /// Row of the input that came to position `i` in `lane`, at `i * LANES + lane`.
    order: Vec<usize>,
    scratch: Vec<Complex<R>>,
}

impl<R: Real> LaneLu<R> {
    /// Space for systems of this size.
    pub fn new(size: usize) -> Self {
        Self {
            size,
            factors: vec![Complex::zero(); size * size],
            order: vec![0; size * R::LANES],
            scratch: vec![Complex::zero(); size],
        }
    }

    /// Factors `a`, given row by row. A singular lane gets infinite or undefined entries, which its user sees as a
    /// correction that is not finite.
    #[inline(always)]
    pub fn factor(&mut self, a: &[Complex<R>]) {
        let n = self.size;
        self.factors.copy_from_slice(a);
        for i in 0..n {
            for lane in 0..R::LANES {
                self.order[i * R::LANES + lane] = i;
            }
        }
        for k in 0..n {
            self.bring_pivot_up(k);
            let (done, rest) = self.factors.split_at_mut((k + 1) * n);
            let pivot_row = &mut done[k * n..];
            let inverse = pivot_row[k].reciprocal();
            pivot_row[k] = inverse;
            for row in rest.chunks_exact_mut(n) {
                let factor = row[k] * inverse;
                row[k] = factor;
                let minus = -factor;
                for j in k + 1..n {
                    row[j] = row[j].add_product(minus, pivot_row[j]);
                }
            }
        }
    }

    #[inline(always)]
    fn bring_pivot_up(&mut self, k: usize) {
        let n = self.size;
        let mut best = self.factors[k * n + k].norm_one();
        let mut rows = [k; super::scalar::WIDTH];
        for i in k + 1..n {
            let size = self.factors[i * n + k].norm_one();
            for lane in 0..R::LANES {
                if size.get(lane) > best.get(lane) {
                    best.copy_lane(lane, &size);
                    rows[lane] = i;
                }
            }
        }
        for lane in 0..R::LANES {
            let row = rows[lane];
            if row != k {
                self.order.swap(k * R::LANES + lane, row * R::LANES + lane);
                for j in 0..n {
                    let upper = self.factors[k * n + j];
                    let lower = self.factors[row * n + j];
                    self.factors[k * n + j].copy_lane(lane, &lower);
                    self.factors[row * n + j].copy_lane(lane, &upper);
                }
            }
        }
    }

    /// Replaces `b` by the solution of `A x = b`.
    #[inline(always)]
    pub fn solve(&mut self, b: &mut [Complex<R>]) {
        let n = self.size;
        for i in 0..n {
            for lane in 0..R::LANES {
                let from = self.order[i * R::LANES + lane];
                self.scratch[i].copy_lane(lane, &b[from]);
            }
        }
        for i in 0..n {
            let mut sum = self.scratch[i];
            for j in 0..i {
                sum = sum.add_product(-self.factors[i * n + j], b[j]);
            }
            b[i] = sum;
        }
        for i in (0..n).rev() {
            let mut sum = b[i];
            for j in i + 1..n {
                sum = sum.add_product(-self.factors[i * n + j], b[j]);
            }
            b[i] = sum * self.factors[i * n + i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::scalar::{C64, DoubleDouble, Lanes};
    use crate::random::Stream;

    fn residual<R: Real>(tolerance: f64) {
        let n = 6;
        let mut stream = Stream::new(1, 2);
        let mut draw = |count: usize| -> Vec<Complex<R>> {
            let mut out = vec![Complex::zero(); count];
            for z in &mut out {
                (0..R::LANES).for_each(|lane| z.set(lane, C64::new(stream.normal(), stream.normal())));
            }
            out
        };
        let (mut a, b) = (draw(n * n), draw(n));
        a[0] = Complex::zero();
        let mut lu = LaneLu::new(n);
        lu.factor(&a);
        let mut x = b.clone();
        lu.solve(&mut x);
        for i in 0..n {
            let row = (0..n).fold(-b[i], |sum, j| sum.add_product(a[i * n + j], x[j]));
            (0..R::LANES).for_each(|lane| assert!(row.norm_one().get(lane) < tolerance));
        }
    }

    #[test]
    fn every_lane_solves_its_own_system() {
        residual::<Lanes<false>>(1e-12);
        residual::<f64>(1e-12);
        residual::<DoubleDouble>(1e-28);
    }
}
