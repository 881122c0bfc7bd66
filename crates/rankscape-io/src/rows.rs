//! Rows of a matrix that pass by, a few at a time.

use std::io::Read;

use super::array::{ElementType, entry_count, index_of};
use super::format::read_error;
use super::npy::Layout;
use rankscape::error::{InputError, Result};

/// Largest array that is held in memory as a whole, in bytes of double precision.
pub const ARRAY_LIMIT: u64 = 1 << 33;

/// A matrix whose rows come in order.
pub(super) trait RowSource {
    /// Replaces `target` by the next `count` rows; all of them are there, or it is an error.
    fn next_rows(&mut self, count: usize, target: &mut Vec<f64>) -> Result<()>;
}

/// An open table whose rows come in order.
pub(super) trait TableRows {
    /// Names of the columns.
    fn names(&self) -> &[String];
    /// The names stand in the file.
    fn has_header(&self) -> bool;
    /// The shortest type among the columns.
    fn element(&self) -> ElementType;
    /// What the reader decided and the user should know.
    fn notes(&self) -> Vec<String>;
    /// A value that is missing in these columns becomes NaN from now on.
    fn allow_gaps(&mut self, columns: &[usize]);
    /// Reads the next row into `target`, finite numbers only but for such gaps; `false` at the end.
    fn next_row(&mut self, target: &mut Vec<f64>) -> Result<bool>;
}

/// Rows that are decoded as they are read.
pub(super) struct EncodedRows<R> {
    reader: R,
    layout: Layout,
    cols: usize,
    bytes: Vec<u8>,
    rows: usize,
}

impl<R: Read> EncodedRows<R> {
    pub(super) fn new(reader: R, layout: Layout, cols: usize) -> Self {
        Self { reader, layout, cols, bytes: Vec::new(), rows: 0 }
    }
}

impl<R: Read> RowSource for EncodedRows<R> {
    fn next_rows(&mut self, count: usize, target: &mut Vec<f64>) -> Result<()> {
        self.bytes.resize(count * self.cols * self.layout.bytes, 0);
        self.reader.read_exact(&mut self.bytes).map_err(|error| read_error(&error))?;
        target.clear();
        if let Some((at, flaw)) = self.layout.first_flaw(&self.bytes) {
            return Err(flaw.error(&[self.rows + at / self.cols, at % self.cols]));
        }
        self.layout.decode(&self.bytes, target);
        self.rows += count;
        Ok(())
    }
}

/// Rows of numbers in memory.
pub(super) struct StoredRows<'a> {
    pub(super) values: &'a [f64],
    pub(super) cols: usize,
}

impl RowSource for StoredRows<'_> {
    fn next_rows(&mut self, count: usize, target: &mut Vec<f64>) -> Result<()> {
        let (next, rest) = self.values.split_at(self.values.len().min(count * self.cols));
        target.clear();
        target.extend_from_slice(next);
        self.values = rest;
        Ok(())
    }
}

/// Reads all numbers of an array; the memory grows with what is really there, not with what a header declares.
pub(super) fn decode_all(reader: &mut dyn Read, layout: Layout, shape: &[usize], fortran: bool) -> Result<Vec<f64>> {
    let count = entry_count(shape)?;
    check_limit(count)?;
    let mut values = Vec::new();
    let mut bytes = vec![0; layout.bytes << 13];
    let mut left = count;
    while left > 0 {
        let part = left.min(1 << 13);
        let bytes = &mut bytes[..part * layout.bytes];
        reader.read_exact(bytes).map_err(|error| read_error(&error))?;
        if let Some((at, flaw)) = layout.first_flaw(bytes) {
            let mut index = index_of(values.len() + at, &if fortran { reversed(shape) } else { shape.to_vec() });
            if fortran {
                index.reverse();
            }
            return Err(flaw.error(&index));
        }
        layout.decode(bytes, &mut values);
        left -= part;
    }
    Ok(values)
}

fn reversed(shape: &[usize]) -> Vec<usize> {
    shape.iter().rev().copied().collect()
}

/// An error if so many numbers are more than is held in memory.
pub(super) fn check_limit(count: usize) -> Result<()> {
    if count as u64 > ARRAY_LIMIT / 8 {
        return Err(InputError::new("the array is declared larger than the limit")
            .value(format!("{count} numbers; at most {} are held in memory", ARRAY_LIMIT / 8)));
    }
    Ok(())
}

/// The values of an array in Fortran order, row by row.
pub(super) fn from_fortran_order(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let [rows, cols] = *shape else { return values.to_vec() };
    (0..rows * cols).map(|at| values[at % cols * rows + at / cols]).collect()
}
