//! Gradient and Hessian of a quadratic loss in coordinates of the rank-`r` matrices, over any ring.
//!
//! A point is `W = X Y` with `X = X_0 + N xi` (`m x r`; the chart is `[X_0, N]`, an invertible `m x m` matrix) and
//! `Y` (`r x n`). For the loss `w' A w - 2 b' w` (`w` the rows of `W`, `A` symmetric) and `G = A w - b`, half of the
//! gradient is `N' G Y'` for `xi` and `X' G` for `Y`, and half of the Hessian is the symmetric Jacobian of those. `A` is
//! contracted with `X` and with `Y` once, which costs `2 m^2 n^2 r` products; everything else reuses the two results.

use crate::linalg::scalar::Ring;

/// Sizes of a problem with `m <= n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub m: usize,
    /// Columns.
    pub n: usize,
    /// Rank.
    pub r: usize,
}

impl Shape {
    /// Dimension of the rank-`r` matrices, `r (m + n - r)`.
    pub fn dimension(self) -> usize {
        self.r * (self.m + self.n - self.r)
    }

    /// Number of entries of a matrix.
    pub fn entries(self) -> usize {
        self.m * self.n
    }

    /// `sum (-1)^index` over the real critical points of a generic loss with a definite metric: the Euler characteristic of the
    /// real Grassmannian, 0 for even `m` and odd `r`, else `C(m / 2, r / 2)` of the rounded halves.
    ///
    /// It is that of the squared Frobenius distance, whose indices count inversions, and does not change along a path of losses
    /// on which no point loses rank. Proved for `m < n` and for rank one (`docs/quadratic.md`).
    ///
    /// ```
    /// use rankscape::quadratic::Shape;
    /// assert_eq!(Shape { m: 3, n: 3, r: 1 }.alternating_sum(), 1);
    /// assert_eq!(Shape { m: 2, n: 5, r: 1 }.alternating_sum(), 0);
    /// assert_eq!(Shape { m: 4, n: 5, r: 2 }.alternating_sum(), 2);
    /// ```
    pub fn alternating_sum(self) -> i64 {
        if self.m.is_multiple_of(2) && !self.r.is_multiple_of(2) {
            return 0;
        }
        let (of, chosen) = (self.m as i64 / 2, self.r as i64 / 2);
        (0..chosen).fold(1, |product, k| product * (of - k) / (k + 1))
    }

    /// Numbers in `xi`.
    pub(super) fn slopes(self) -> usize {
        self.r * (self.m - self.r)
    }
}

/// Data of one evaluation and its intermediate results.
#[derive(Debug, Clone)]
pub(super) struct Kernel<C> {
    pub(super) shape: Shape,
    /// `A`, `mn x mn`, row by row.
    pub(super) form: Vec<C>,
    /// `b`.
    pub(super) linear: Vec<C>,
    /// `X`, `m x r`.
    pub(super) x: Vec<C>,
    /// `Y`, `r x n`.
    pub(super) y: Vec<C>,
    /// `X Y` of the last gradient matrix, `m x n`.
    pub(super) w: Vec<C>,
    /// `G`, `m x n`.
    pub(super) g: Vec<C>,
    /// `sum_k A[ij, kl] X[k, b]` at `[(ij), (b, l)]`.
    with_x: Vec<C>,
    /// `sum_l A[ij, kl] Y[b, l]` at `[(ij), (k, b)]`.
    with_y: Vec<C>,
    gy: Vec<C>,
    cross: Vec<C>,
    square: Vec<C>,
    half: Vec<C>,
}

impl<C: Ring + Copy> Kernel<C> {
    pub(super) fn new(shape: Shape) -> Self {
        let Shape { m, n, r } = shape;
        let space = |len: usize| vec![C::zero(); len];
        Self {
            shape,
            form: space(m * n * m * n),
            linear: space(m * n),
            x: space(m * r),
            y: space(r * n),
            w: space(m * n),
            g: space(m * n),
            with_x: space(m * n * r * n),
            with_y: space(m * n * m * r),
            gy: space(m * r),
            cross: space(m * r * r * n),
            square: space(m * r * m * r),
            half: space(m * r * m * r),
        }
    }

    /// `X = X_0 + N xi` and `Y` from the coordinates.
    #[inline(always)]
    fn place(&mut self, chart: &[C], at: &[C]) {
        let Shape { m, r, .. } = self.shape;
        let (base, normal) = chart.split_at(m * r);
        let (xi, y) = at.split_at(self.shape.slopes());
        for i in 0..m {
            for a in 0..r {
                self.x[i * r + a] = dot_strided(base[i * r + a], &normal[i * (m - r)..][..m - r], xi, a, r);
            }
        }
        self.y.copy_from_slice(y);
    }

    /// `X`, `Y`, `X Y` and `G = A (X Y) - b` at the coordinates `at`.
    #[inline(always)]
    pub(super) fn gradient_matrix(&mut self, chart: &[C], at: &[C]) {
        let Shape { m, n, r } = self.shape;
        let entries = m * n;
        self.place(chart, at);
        self.w.fill(C::zero());
        add_product(&self.x, &self.y, &mut self.w, (m, r, n));
        for row in 0..entries {
            self.g[row] = dot(-self.linear[row], &self.form[row * entries..][..entries], &self.w);
        }
    }

    /// The two blocks of the half gradient from `G`.
    #[inline(always)]
    pub(super) fn gradient(&mut self, chart: &[C], value: &mut [C]) {
        let Shape { m, n, r } = self.shape;
        let normal = &chart[m * r..];
        let (for_xi, for_y) = value.split_at_mut(self.shape.slopes());
        times_transpose(&self.g, &self.y, &mut self.gy, (m, n, r));
        transpose_times(normal, &self.gy, for_xi, (m, m - r, r));
        transpose_times(&self.x, &self.g, for_y, (m, r, n));
    }

    /// Half gradient and half Hessian (row by row, symmetric) at the coordinates `at`.
    #[inline(always)]
    pub(super) fn hessian(&mut self, chart: &[C], at: &[C], value: &mut [C], jac: &mut [C]) {
        self.place(chart, at);
        self.contract();
        let (entries, width) = (self.shape.entries(), self.shape.r * self.shape.n);
        for row in 0..entries {
            self.g[row] = dot(-self.linear[row], &self.with_x[row * width..][..width], &self.y);
        }
        self.gradient(chart, value);
        self.hessian_in_y(jac);
        self.hessian_mixed(chart, jac);
        self.hessian_in_xi(chart, jac);
    }

    #[inline(always)]
    fn contract(&mut self) {
        let Shape { m, n, r } = self.shape;
        let entries = m * n;
        for row in 0..entries {
            let form = &self.form[row * entries..][..entries];
            for b in 0..r {
                for l in 0..n {
                    let mut sum = C::zero();
                    for k in 0..m {
                        sum = sum.add_product(form[k * n + l], self.x[k * r + b]);
                    }
                    self.with_x[(row * r + b) * n + l] = sum;
                }
                for k in 0..m {
                    self.with_y[(row * m + k) * r + b] = dot(C::zero(), &form[k * n..][..n], &self.y[b * n..][..n]);
                }
            }
        }
    }

    #[inline(always)]
    fn hessian_in_y(&self, jac: &mut [C]) {
        let Shape { m, n, r } = self.shape;
        let (first, size, width) = (self.shape.slopes(), self.shape.dimension(), r * n);
        for a in 0..r {
            for j in 0..n {
                let row = a * n + j;
                for col in row..width {
                    let mut sum = C::zero();
                    for i in 0..m {
                        sum = sum.add_product(self.x[i * r + a], self.with_x[(i * n + j) * width + col]);
                    }
                    jac[(first + row) * size + first + col] = sum;
                    jac[(first + col) * size + first + row] = sum;
                }
            }
        }
    }

    #[inline(always)]
    fn hessian_mixed(&mut self, chart: &[C], jac: &mut [C]) {
        let Shape { m, n, r } = self.shape;
        let (slopes, size, width) = (self.shape.slopes(), self.shape.dimension(), r * n);
        for i in 0..m {
            for a in 0..r {
                for col in 0..width {
                    // The derivative of Y in G Y' contributes G itself on the diagonal blocks.
                    let mut sum = if col / n == a { self.g[i * n + col % n] } else { C::zero() };
                    for j in 0..n {
                        sum = sum.add_product(self.y[a * n + j], self.with_x[(i * n + j) * width + col]);
                    }
                    self.cross[(i * r + a) * width + col] = sum;
                }
            }
        }
        let normal = &chart[m * r..];
        for c in 0..m - r {
            for a in 0..r {
                for col in 0..width {
                    let mut sum = C::zero();
                    for i in 0..m {
                        sum = sum.add_product(normal[i * (m - r) + c], self.cross[(i * r + a) * width + col]);
                    }
                    let row = c * r + a;
                    jac[row * size + slopes + col] = sum;
                    jac[(slopes + col) * size + row] = sum;
                }
            }
        }
    }

    #[inline(always)]
    fn hessian_in_xi(&mut self, chart: &[C], jac: &mut [C]) {
        let Shape { m, n, r } = self.shape;
        let (co, size, mr) = (m - r, self.shape.dimension(), m * r);
        let normal = &chart[mr..];
        for i in 0..m {
            for a in 0..r {
                for col in 0..mr {
                    let mut sum = C::zero();
                    for j in 0..n {
                        sum = sum.add_product(self.y[a * n + j], self.with_y[(i * n + j) * mr + col]);
                    }
                    self.square[(i * r + a) * mr + col] = sum;
                }
            }
        }
        for c in 0..co {
            for a in 0..r {
                for col in 0..mr {
                    let mut sum = C::zero();
                    for i in 0..m {
                        sum = sum.add_product(normal[i * co + c], self.square[(i * r + a) * mr + col]);
                    }
                    self.half[(c * r + a) * mr + col] = sum;
                }
            }
        }
        for row in 0..co * r {
            for e in 0..co {
                for b in 0..r {
                    let mut sum = C::zero();
                    for k in 0..m {
                        sum = sum.add_product(normal[k * co + e], self.half[row * mr + k * r + b]);
                    }
                    jac[row * size + e * r + b] = sum;
                }
            }
        }
    }

    /// `A` times the first-order change of `X Y`, added to `out`, from the contractions of the last Hessian.
    #[inline(always)]
    pub(super) fn add_form_times_change(&self, dx: &[C], dy: &[C], out: &mut [C]) {
        let Shape { m, n, r } = self.shape;
        for (row, out) in out.iter_mut().enumerate() {
            *out = dot(*out, &self.with_x[row * r * n..][..r * n], dy);
            *out = dot(*out, &self.with_y[row * m * r..][..m * r], dx);
        }
    }
}

/// `start + sum a_i b_i`.
#[inline(always)]
pub(super) fn dot<C: Ring + Copy>(start: C, a: &[C], b: &[C]) -> C {
    let mut sum = start;
    for (&a, &b) in a.iter().zip(b) {
        sum = sum.add_product(a, b);
    }
    sum
}

/// `start + sum a_i b[i, col]` for `b` with rows of length `width`.
#[inline(always)]
pub(super) fn dot_strided<C: Ring + Copy>(start: C, a: &[C], b: &[C], col: usize, width: usize) -> C {
    let mut sum = start;
    for (i, &a) in a.iter().enumerate() {
        sum = sum.add_product(a, b[i * width + col]);
    }
    sum
}

/// `out += a b` for `a` of `rows x inner` and `b` of `inner x cols`.
#[inline(always)]
pub(super) fn add_product<C: Ring + Copy>(a: &[C], b: &[C], out: &mut [C], (rows, inner, cols): (usize, usize, usize)) {
    for i in 0..rows {
        for j in 0..cols {
            out[i * cols + j] = dot_strided(out[i * cols + j], &a[i * inner..][..inner], b, j, cols);
        }
    }
}

/// `out = a' b` for `a` of `inner x rows` and `b` of `inner x cols`.
#[inline(always)]
pub(super) fn transpose_times<C: Ring + Copy>(a: &[C], b: &[C], out: &mut [C], sizes: (usize, usize, usize)) {
    out.fill(C::zero());
    add_transpose_times(a, b, out, sizes);
}

/// `out += a' b`.
#[inline(always)]
pub(super) fn add_transpose_times<C: Ring + Copy>(a: &[C], b: &[C], out: &mut [C], sizes: (usize, usize, usize)) {
    let (inner, rows, cols) = sizes;
    for i in 0..rows {
        for j in 0..cols {
            let mut sum = out[i * cols + j];
            for k in 0..inner {
                sum = sum.add_product(a[k * rows + i], b[k * cols + j]);
            }
            out[i * cols + j] = sum;
        }
    }
}

/// `out = a b'` for `a` of `rows x inner` and `b` of `cols x inner`.
#[inline(always)]
pub(super) fn times_transpose<C: Ring + Copy>(a: &[C], b: &[C], out: &mut [C], sizes: (usize, usize, usize)) {
    out.fill(C::zero());
    add_times_transpose(a, b, out, sizes);
}

/// `out += a b'`.
#[inline(always)]
pub(super) fn add_times_transpose<C: Ring + Copy>(a: &[C], b: &[C], out: &mut [C], sizes: (usize, usize, usize)) {
    let (rows, inner, cols) = sizes;
    for i in 0..rows {
        for j in 0..cols {
            out[i * cols + j] = dot(out[i * cols + j], &a[i * inner..][..inner], &b[j * inner..][..inner]);
        }
    }
}
