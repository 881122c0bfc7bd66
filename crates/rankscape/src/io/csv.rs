//! Comma-separated numbers: a matrix, or samples with columns `x*` and `y*`.

use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::array::{Array, ElementType, not_finite};
use super::file::{OpenFile, open};
use super::table::TableRows;
use crate::error::{InputError, Result};

/// An open table.
pub(super) struct Table {
    reader: Reader<OpenFile>,
    names: Vec<String>,
    /// A first record that is data: the table has no header.
    first: Option<StringRecord>,
    record: StringRecord,
    rows: u64,
}

impl Table {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (file, _) = open(path)?;
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(file);
        let mut table = Self { reader, names: Vec::new(), first: None, record: StringRecord::new(), rows: 0 };
        let mut head = StringRecord::new();
        if !table.reader.read_record(&mut head).map_err(|error| unreadable(&error))? {
            return Err(InputError::new("the file is empty"));
        }
        if head.iter().all(|field| field.parse::<f64>().is_ok()) {
            table.names = (0..head.len()).map(|at| format!("column {at}")).collect();
            table.first = Some(head);
        } else {
            let named = |field: &str| field.trim_start_matches('\u{feff}').trim_matches('"').to_owned();
            table.names = head.iter().map(named).collect();
        }
        Ok(table)
    }
}

impl TableRows for Table {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn has_header(&self) -> bool {
        self.first.is_none()
    }

    fn element(&self) -> ElementType {
        ElementType::Text
    }

    fn next_row(&mut self, target: &mut Vec<f64>) -> Result<bool> {
        match self.first.take() {
            Some(first) => self.record = first,
            None => {
                if !self.reader.read_record(&mut self.record).map_err(|error| unreadable(&error))? {
                    return Ok(false);
                }
            }
        }
        if self.record.len() != self.names.len() {
            return Err(InputError::new("the rows have different lengths").value(format!(
                "{} fields in row {}, counted from 0, and {} columns",
                self.record.len(),
                self.rows,
                self.names.len()
            )));
        }
        target.clear();
        for (field, name) in self.record.iter().zip(&self.names) {
            let value: f64 = field.parse().map_err(|_| {
                InputError::new("an entry is not a number").array(name).value(format!(
                    "\"{}\" in row {}, counted from 0",
                    field.chars().take(40).collect::<String>(),
                    self.rows
                ))
            })?;
            if !value.is_finite() {
                return Err(not_finite(value, &[self.rows as usize, target.len()]).array(name));
            }
            target.push(value);
        }
        self.rows += 1;
        Ok(true)
    }
}

fn unreadable(error: &csv::Error) -> InputError {
    InputError::new(format!("the table cannot be read: {error}"))
}

/// The numbers of a table as one matrix; a header is skipped.
pub(super) fn read_matrix(path: &Path, name: &str) -> Result<Array> {
    let read = || {
        let mut table = Table::open(path)?;
        let (mut values, mut row, mut rows) = (Vec::new(), Vec::new(), 0);
        while table.next_row(&mut row)? {
            values.extend_from_slice(&row);
            rows += 1;
        }
        let shape = vec![rows, table.names.len()];
        Ok(Array { name: name.to_owned(), shape, values, element: ElementType::Text, exact: None })
    };
    read().map_err(|error: InputError| error.file(path.display()))
}
