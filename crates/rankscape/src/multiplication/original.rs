//! The change of the original weight, where loading an adapter does more than add its product.
//!
//! ```text
//! principal part          the base keeps W - U_r S_r V_r'      (PiSSA)     change = D - U_r S_r V_r'
//! leading columns         the base keeps W - s Q Q' W, Q the   (OLoRA)     change = D - s Q Q' W
//!                         basis of the first r columns
//! leading rows            the base keeps W - s W Q Q', Q the   (OLoRA of   change = D - s W Q Q'
//!                         basis of the first r rows            a Conv1D)
//! smallest part           the base loses its r smallest        (KaSA)      change = D - U_- S_- V_-'
//!                         singular parts
//! lengths                 rows (columns) of W + D are brought  (DoRA)      change = diag(m / n) (W + D) - W
//!                         to the lengths m
//! ```
//!
//! with `D` what the tensors of the adapter give and `s` the scaling of the pair. Each needs the original weight.

use super::update::Update;
use crate::linalg::{LargeMatrix, Matrix, Svd, leading_singular, svd};
use crate::random::Stream;

/// What loading an adapter takes off the base weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// The `r` largest singular parts.
    Principal(usize),
    /// The scaling of the pair times the projection on the space of the first `r` columns.
    LeadingColumns(usize),
    /// The same of a weight that is stored transposed: the projection on the space of the first `r` rows.
    LeadingRows(usize),
    /// The `r` smallest singular parts.
    Smallest(usize),
}

/// Lengths that the rows, or the columns, of the updated weight are brought to.
#[derive(Debug, Clone, PartialEq)]
pub struct Lengths {
    /// One a row, or one for each run of columns of equal width; runs of a convolution are its channels.
    pub values: Vec<f64>,
    /// They are those of the columns.
    pub of_columns: bool,
}

/// Weights with more rows and more columns are not decomposed as a whole, and their dense changes not formed.
pub const DENSE_LIMIT: usize = 2048;

/// Singular values on the two sides of a cut must differ by this part of the largest, or the part cut off is not defined
/// in single precision, which the libraries use.
const CUT: f64 = 1e-5;

/// The change of the original weight `base` by `update`, `scaling` included, with what is removed and the lengths; a reason where it
/// is not determined.
pub fn change_of_original(
    update: &Update,
    scaling: f64,
    removed: Option<Removed>,
    lengths: Option<&Lengths>,
    base: &LargeMatrix,
) -> Result<Update, String> {
    let change = match removed {
        Some(removed) => without(update, &removed_part(removed, scaling, base)?)?,
        None => update.clone(),
    };
    match lengths {
        Some(lengths) => with_lengths(&change, lengths, base),
        None => Ok(change),
    }
}

fn too_large((rows, cols): (usize, usize)) -> bool {
    rows.min(cols) > DENSE_LIMIT
}

/// `L R - P`.
fn without(update: &Update, part: &(Matrix, Matrix)) -> Result<Update, String> {
    let Update::LowRank(factors) = update else {
        return Err("the update is no low-rank pair".to_owned());
    };
    let (left, right) = (factors.layer(2), factors.layer(1));
    let q = left.ncols();
    let mut l = Matrix::zeros(left.nrows(), q + part.0.ncols());
    l.set_block(0, 0, left);
    l.set_block(0, q, &part.0.scaled(-1.0));
    let mut r = Matrix::zeros(q + part.1.nrows(), right.ncols());
    r.set_block(0, 0, right);
    r.set_block(q, 0, &part.1);
    Update::low_rank(l, r).map_err(|error| error.to_string())
}

/// The removed part as `L R`.
fn removed_part(removed: Removed, scaling: f64, base: &LargeMatrix) -> Result<(Matrix, Matrix), String> {
    let size = base.shape().0.min(base.shape().1);
    match removed {
        Removed::Principal(rank) => {
            let rank = rank.min(size);
            let found = leading(base, rank)?;
            cut(&found.s, rank)?;
            Ok((found.u.columns(0, rank).scale_columns(&found.s[..rank]), found.v.columns(0, rank).transpose()))
        }
        Removed::LeadingColumns(rank) => {
            let rank = rank.min(size);
            let columns = svd(&base.columns(0, rank));
            if columns.s.last().is_none_or(|&last| last <= CUT * columns.s[0]) {
                return Err(format!("the first {rank} columns of the base weight are not independent"));
            }
            let right = base.transpose_times(&columns.u).transpose();
            Ok((columns.u.scaled(scaling), right))
        }
        Removed::LeadingRows(rank) => {
            let rank = rank.min(size);
            // Products with units are exact.
            let units = Matrix::from_fn(base.shape().0, rank, |i, j| f64::from(u8::from(i == j)));
            let rows = svd(&base.transpose_times(&units));
            if rows.s.last().is_none_or(|&last| last <= CUT * rows.s[0]) {
                return Err(format!("the first {rank} rows of the base weight are not independent"));
            }
            Ok((base.times(&rows.u).scaled(scaling), rows.u.transpose()))
        }
        Removed::Smallest(rank) => {
            if too_large(base.shape()) {
                return Err(format!("the smallest singular parts of a weight beyond {DENSE_LIMIT} are not computed"));
            }
            if rank >= size {
                return Err(format!("the base weight has no {} singular parts", rank + 1));
            }
            let found = svd(&base.to_matrix());
            let kept = size - rank;
            cut(&found.s, kept)?;
            let left = found.u.columns(kept, size).scale_columns(&found.s[kept..size]);
            Ok((left, found.v.columns(kept, size).transpose()))
        }
    }
}

fn cut(values: &[f64], rank: usize) -> Result<(), String> {
    let (Some(above), Some(below)) = (rank.checked_sub(1).map(|last| values[last]), values.get(rank)) else {
        return Ok(());
    };
    if above - below <= CUT * values[0] {
        return Err(format!("singular values {rank} and {} of the base weight are too close", rank + 1));
    }
    Ok(())
}

/// The leading triples to single precision at least.
fn leading(base: &LargeMatrix, rank: usize) -> Result<Svd, String> {
    if !too_large(base.shape()) {
        return Ok(svd(&base.to_matrix()));
    }
    let found = leading_singular(base, rank, 1e-7, &mut Stream::new(0, 1));
    let gap = found.svd.s[rank - 1] - found.svd.s.get(rank).copied().unwrap_or(0.0);
    if found.residual > 1e-4 * gap {
        return Err("the leading singular parts of the base weight did not converge".to_owned());
    }
    Ok(found.svd)
}

fn with_lengths(change: &Update, lengths: &Lengths, base: &LargeMatrix) -> Result<Update, String> {
    if too_large(base.shape()) {
        return Err(format!("dense changes of weights beyond {DENSE_LIMIT} x {DENSE_LIMIT} are not formed"));
    }
    let original = base.to_matrix();
    let moved = &original + &change.to_matrix();
    let (rows, cols) = moved.shape();
    let (count, along) = (lengths.values.len(), if lengths.of_columns { cols } else { rows });
    let runs = if lengths.of_columns { count > 0 && cols.is_multiple_of(count) } else { count == rows };
    if !runs {
        return Err(format!("there are {count} lengths for {along} rows or columns"));
    }
    let width = along / count.max(1);
    let norm = |k: usize| {
        let of_run = |i: usize| moved[(i / width, k * width + i % width)];
        let run: Vec<f64> = match lengths.of_columns {
            true => (0..rows * width).map(of_run).collect(),
            false => (0..cols).map(|j| moved[(k, j)]).collect(),
        };
        crate::linalg::vector_norm(&run)
    };
    let norms: Vec<f64> = (0..count).map(norm).collect();
    if let Some(k) = norms.iter().position(|&norm| norm == 0.0) {
        return Err(format!("row or column {k} of the updated weight is zero and cannot be brought to a length"));
    }
    let factor = |i: usize, j: usize| {
        let k = if lengths.of_columns { j / width } else { i };
        lengths.values[k] / norms[k]
    };
    let changed = Matrix::from_fn(rows, cols, |i, j| factor(i, j) * moved[(i, j)] - original[(i, j)]);
    Ok(Update::Dense(changed, original.frobenius_norm()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tolerance::Tolerances;

    fn large(m: &Matrix) -> LargeMatrix {
        LargeMatrix::double(m.nrows(), m.ncols(), m.to_rows().concat())
    }

    fn off(a: &Matrix, b: &Matrix) -> f64 {
        (a - b).frobenius_norm()
    }

    #[test]
    fn what_was_removed_and_added_again_is_no_change() {
        let mut stream = Stream::new(66, 0);
        let w = stream.normal_matrix(6, 8);
        let found = svd(&w);
        let principal =
            Update::low_rank(found.u.columns(0, 2).scale_columns(&found.s[..2]), found.v.columns(0, 2).transpose());
        let smallest =
            Update::low_rank(found.u.columns(4, 6).scale_columns(&found.s[4..]), found.v.columns(4, 6).transpose());
        let q = svd(&w.columns(0, 2)).u;
        let columns = Update::low_rank(q.clone(), q.transpose_times(&w));
        for (update, removed) in [
            (principal, Removed::Principal(2)),
            (smallest, Removed::Smallest(2)),
            (columns, Removed::LeadingColumns(2)),
        ] {
            let change = change_of_original(&update.unwrap(), 1.0, Some(removed), None, &large(&w)).unwrap();
            assert_eq!(change.spectrum(2.0_f64.powi(-24), &Tolerances::default()).rank.rank, 0, "{removed:?}");
        }
    }

    #[test]
    fn changes_are_those_of_the_loaded_weight() {
        let mut stream = Stream::new(66, 1);
        let (w, l, r) = (stream.normal_matrix(6, 8), stream.normal_matrix(6, 2), stream.normal_matrix(2, 8));
        let update = Update::low_rank(l.clone(), r.clone()).unwrap();
        let found = svd(&w);
        let loaded = &(&w - &found.truncated(3)) + &(&l * &r);
        let change = change_of_original(&update, 2.0, Some(Removed::Principal(3)), None, &large(&w)).unwrap();
        assert!(off(&change.to_matrix(), &(&loaded - &w)) < 1e-12);
        let q = svd(&w.columns(0, 2)).u;
        let loaded = &(&w - &(&q * &q.transpose_times(&w)).scaled(2.0)) + &(&l * &r);
        let change = change_of_original(&update, 2.0, Some(Removed::LeadingColumns(2)), None, &large(&w)).unwrap();
        assert!(off(&change.to_matrix(), &(&loaded - &w)) < 1e-12);
        let q = svd(&w.transpose().columns(0, 2)).u;
        let loaded = &(&w - &(&(&w * &q) * &q.transpose()).scaled(2.0)) + &(&l * &r);
        let change = change_of_original(&update, 2.0, Some(Removed::LeadingRows(2)), None, &large(&w)).unwrap();
        assert!(off(&change.to_matrix(), &(&loaded - &w)) < 1e-12);
        for of_columns in [false, true] {
            let count = if of_columns { 8 } else { 6 };
            let values: Vec<f64> = (0..count).map(|k| 1.0 + f64::from(k)).collect();
            let lengths = Lengths { values: values.clone(), of_columns };
            let change = change_of_original(&update, 1.0, None, Some(&lengths), &large(&w)).unwrap();
            let after = &w + &change.to_matrix();
            let after = if of_columns { after } else { after.transpose() };
            for (k, value) in values.iter().enumerate() {
                assert!((crate::linalg::vector_norm(after.column(k)) - value).abs() < 1e-12);
            }
        }
        let lengths = Lengths { values: vec![3.0, 0.5], of_columns: true };
        let change = change_of_original(&update, 1.0, None, Some(&lengths), &large(&w)).unwrap();
        let after = &w + &change.to_matrix();
        for (k, value) in lengths.values.iter().enumerate() {
            let channel = after.columns(4 * k, 4 * k + 4);
            assert!((channel.frobenius_norm() - value).abs() < 1e-12, "channel {k}");
        }
        let tied = Matrix::identity(5);
        let update = Update::low_rank(Matrix::zeros(5, 1), Matrix::zeros(1, 5)).unwrap();
        assert!(change_of_original(&update, 1.0, Some(Removed::Principal(1)), None, &large(&tied)).is_err());
        assert!(
            change_of_original(&update, 1.0, Some(Removed::LeadingColumns(1)), None, &large(&Matrix::zeros(5, 5)))
                .is_err()
        );
    }
}
