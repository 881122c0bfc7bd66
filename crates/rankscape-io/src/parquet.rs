//! Parquet files whose columns are numbers.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::array::{ElementType, not_finite, rounded};
use super::file::{OpenFile, open};
use super::rows::TableRows;
use rankscape::error::{ErrorKind, InputError, Result};

#[cfg(panic = "abort")]
compile_error!("the Parquet reader turns panics of its decoder into errors: build with `--profile parquet`");

/// Rows that are decoded at a time.
const PORTION: usize = 1024;

/// An open file; its row groups are read one after the other, a portion of rows at a time.
pub(super) struct ParquetTable {
    reader: SerializedFileReader<File>,
    names: Vec<String>,
    element: ElementType,
    /// Columns in which values may be missing.
    gaps: Vec<usize>,
    /// The next row group.
    group: usize,
    /// Readers of the columns of the current row group.
    columns: Vec<ColumnReader>,
    /// Rows of the group that have not been decoded.
    left: usize,
    /// Decoded numbers, by column.
    portion: Vec<Vec<f64>>,
    /// The next row of the portion.
    at: usize,
    /// Rows before the portion.
    rows: usize,
}

impl ParquetTable {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (OpenFile::File(file), length) = open(path)? else {
            return Err(InputError::new("Parquet is read from files only").hint("store it in a file first"));
        };
        let reader = SerializedFileReader::new(file).map_err(|error| unreadable(&error))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        if let Some(chunk) = reader
            .metadata()
            .row_groups()
            .iter()
            .flat_map(|group| group.columns())
            .find(|chunk| !lies_within(chunk, length))
        {
            return Err(damaged().array(chunk.column_path().string()));
        }
        let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
        let mut element = ElementType::F64;
        for column in schema.columns() {
            if is_single(column)? {
                element = ElementType::F32;
            }
        }
        let (columns, portion) = (Vec::new(), vec![Vec::new(); names.len()]);
        Ok(Self { reader, names, element, gaps: Vec::new(), group: 0, columns, left: 0, portion, at: 0, rows: 0 })
    }

    /// Decodes the next portion; `false` at the end of the file.
    fn advance(&mut self) -> Result<bool> {
        self.rows += self.at;
        self.at = 0;
        while self.left == 0 {
            if self.group == self.reader.num_row_groups() {
                return Ok(false);
            }
            let group = self.reader.get_row_group(self.group).map_err(|error| unreadable(&error))?;
            self.left = usize::try_from(group.metadata().num_rows()).map_err(|_| damaged())?;
            self.columns = (0..self.names.len())
                .map(|column| group.get_column_reader(column))
                .collect::<std::result::Result<_, _>>()
                .map_err(|error| unreadable(&error))?;
            self.group += 1;
        }
        let count = self.left.min(PORTION);
        for (at, ((reader, name), target)) in
            self.columns.iter_mut().zip(&self.names).zip(&mut self.portion).enumerate()
        {
            target.clear();
            let place = Place { before: self.rows, gaps: self.gaps.contains(&at) };
            // The library panics on some damaged pages; a table that failed is not read again.
            let decoded = catch_unwind(AssertUnwindSafe(|| decode(reader, count, place, target)));
            decoded.unwrap_or_else(|_| Err(damaged())).map_err(|error| error.array(name))?;
        }
        self.left -= count;
        Ok(true)
    }
}

impl TableRows for ParquetTable {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn has_header(&self) -> bool {
        true
    }

    fn element(&self) -> ElementType {
        self.element
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn allow_gaps(&mut self, columns: &[usize]) {
        self.gaps = columns.to_vec();
    }

    fn next_row(&mut self, target: &mut Vec<f64>) -> Result<bool> {
        if self.portion.first().is_none_or(|column| column.len() == self.at) && !self.advance()? {
            return Ok(false);
        }
        target.clear();
        for (at, (column, name)) in self.portion.iter().zip(&self.names).enumerate() {
            let value = column[self.at];
            if !(value.is_finite() || value.is_nan() && self.gaps.contains(&at)) {
                return Err(not_finite(value, &[self.rows + self.at, at]).array(name));
            }
            target.push(value);
        }
        self.at += 1;
        Ok(true)
    }
}

/// The library takes these numbers of the footer on trust.
fn lies_within(chunk: &ColumnChunkMetaData, length: u64) -> bool {
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let (start, size) = (u64::try_from(start), u64::try_from(chunk.compressed_size()));
    matches!((start, size), (Ok(start), Ok(size)) if start.checked_add(size).is_some_and(|end| end <= length))
}

/// The column holds numbers, one in each row; are they in single precision?
fn is_single(column: &ColumnDescriptor) -> Result<bool> {
    let refused = |problem: &str, value: String| {
        Err(InputError::new(problem)
            .array(column.path().string())
            .value(value)
            .hint("keep columns of type double, float, boolean or integer, one number in each row"))
    };
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return refused("a column is nested", format!("{} levels", column.path().parts().len()));
    }
    let plain = match column.logical_type_ref() {
        None => matches!(
            column.converted_type(),
            ConvertedType::NONE
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64
                | ConvertedType::UINT_8
                | ConvertedType::UINT_16
        ),
        Some(LogicalType::Integer(integer)) => integer.is_signed || integer.bit_width < 32,
        Some(_) => false,
    };
    let physical = column.physical_type();
    if !plain || !matches!(physical, Type::DOUBLE | Type::FLOAT | Type::INT32 | Type::INT64 | Type::BOOLEAN) {
        return refused("a column does not hold numbers of a type that is read", format!("type {physical}"));
    }
    Ok(physical == Type::FLOAT)
}

/// Where numbers of a column stand.
#[derive(Clone, Copy)]
struct Place {
    /// So many rows were read already.
    before: usize,
    /// Values may be missing.
    gaps: bool,
}

/// Appends the next `count` numbers of a column; those that are missing, where they may be, as NaN.
fn decode(reader: &mut ColumnReader, count: usize, place: Place, target: &mut Vec<f64>) -> Result<()> {
    match reader {
        ColumnReader::DoubleColumnReader(reader) => append(reader, count, place, target, |value| value),
        ColumnReader::FloatColumnReader(reader) => append(reader, count, place, target, f64::from),
        ColumnReader::Int32ColumnReader(reader) => append(reader, count, place, target, f64::from),
        ColumnReader::Int64ColumnReader(reader) => {
            let (first, mut large) = (target.len(), None);
            append(reader, count, place, target, |value| {
                if value as f64 as i128 != i128::from(value) {
                    large = large.or(Some(value));
                }
                value as f64
            })?;
            let is_large = |value: i64| target[first..].iter().position(|&double| double == value as f64);
            large.map_or(Ok(()), |value| Err(rounded(value, &[place.before + is_large(value).unwrap_or(0)])))
        }
        ColumnReader::BoolColumnReader(reader) => append(reader, count, place, target, f64::from),
        _ => Err(InputError::new("a column does not hold numbers of a type that is read")),
    }
}

fn append<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    place: Place,
    target: &mut Vec<f64>,
    mut number: impl FnMut(T::T) -> f64,
) -> Result<()> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    while levels.len() < count {
        let found = reader.read_records(count - levels.len(), Some(&mut levels), None, &mut values);
        let (records, ..) = found.map_err(|error| unreadable(&error))?;
        if records == 0 {
            return Err(InputError::new("the file ends too early").hint("it is truncated: copy or write it again"));
        }
        // A column without missing values has no levels.
        levels.resize(values.len().max(levels.len()), 1);
    }
    if values.len() < levels.len() {
        if place.gaps {
            let mut values = values.into_iter();
            let entry = |level: &i16| if *level == 0 { f64::NAN } else { values.next().map_or(f64::NAN, &mut number) };
            target.extend(levels.iter().map(entry));
            return Ok(());
        }
        let row = place.before + levels.iter().position(|&level| level == 0).unwrap_or(0);
        return Err(InputError::new("a value is missing")
            .kind(ErrorKind::Missing)
            .value(format!("null in row {row}, counted from 0"))
            .hint("remove the row or fill the value"));
    }
    target.extend(values.into_iter().map(number));
    Ok(())
}

fn damaged() -> InputError {
    InputError::new("the Parquet file is damaged").hint("copy or write it again")
}

fn unreadable(error: &ParquetError) -> InputError {
    InputError::new(format!("the Parquet file cannot be read: {error}"))
}
