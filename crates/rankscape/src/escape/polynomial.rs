//! Polynomials whose coefficients are matrices, in double precision or over the rationals.

use crate::linalg::Algebra;

/// A polynomial in `t` whose coefficients are matrices of one shape, constant first; `None` stands for zero.
pub(super) type Polynomial<M> = Vec<Option<M>>;

/// `a * b` for polynomials of matrices.
pub(super) fn polynomial_times<M: Algebra>(a: &Polynomial<M>, b: &Polynomial<M>) -> Polynomial<M> {
    let mut out: Polynomial<M> = vec![None; (a.len() + b.len()).saturating_sub(1)];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            if let (Some(x), Some(y)) = (x, y) {
                add_to(&mut out[i + j], x.times(y));
            }
        }
    }
    out
}

/// `a + b` for polynomials of matrices.
pub(super) fn polynomial_plus<M: Algebra>(mut a: Polynomial<M>, b: Polynomial<M>) -> Polynomial<M> {
    a.resize(a.len().max(b.len()), None);
    for (place, term) in a.iter_mut().zip(b) {
        if let Some(term) = term {
            add_to(place, term);
        }
    }
    a
}

pub(super) fn add_to<M: Algebra>(place: &mut Option<M>, term: M) {
    *place = Some(match place.take() {
        Some(sum) => sum.plus(&term),
        None => term,
    });
}

/// Coefficients of `tr(a(t)' b(t))`.
pub(super) fn inner_products<M: Algebra>(a: &Polynomial<M>, b: &Polynomial<M>) -> Vec<M::Number> {
    (0..(a.len() + b.len()).saturating_sub(1))
        .map(|power| {
            let pairs = (power.saturating_sub(b.len().saturating_sub(1))..a.len().min(power + 1))
                .filter_map(|i| a[i].as_ref().zip(b[power - i].as_ref()));
            M::sum_of_inner(pairs)
        })
        .collect()
}
