//! Numbers separated by commas, semicolons or tabs: a matrix, or samples with columns `x*` and `y*`.

use std::io::{Read, Seek};
use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::array::{Array, ElementType, is_rounded, not_finite, rounded};
use super::file::{OpenFile, open};
use super::format::read_error;
use super::rows::TableRows;
use rankscape::error::{ErrorKind, InputError, Result};

/// Longest first line that is looked at, in bytes.
const LINE_LIMIT: u64 = 1 << 20;

/// What stands for a value that is missing.
const MISSING: [&str; 7] = ["", "NA", "N/A", "null", "NULL", "None", "missing"];

/// An open table.
pub(super) struct Table {
    reader: Reader<OpenFile>,
    names: Vec<String>,
    /// A first record that is data: the table has no header.
    first: Option<StringRecord>,
    has_header: bool,
    /// The first field of each row is an index.
    has_index: bool,
    /// Columns in which values may be missing.
    gaps: Vec<usize>,
    record: StringRecord,
    rows: u64,
    notes: Vec<String>,
}

impl Table {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, false)
    }

    /// With `gaps`, values may be missing in all columns.
    fn open_with(path: &Path, gaps: bool) -> Result<Self> {
        let (mut file, _) = open(path)?;
        let delimiter = delimiter(&mut file)?;
        let mut builder = ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).trim(csv::Trim::All).delimiter(delimiter);
        let mut table = Self {
            reader: reader.from_reader(file),
            names: Vec::new(),
            first: None,
            has_header: true,
            has_index: false,
            gaps: Vec::new(),
            record: StringRecord::new(),
            rows: 0,
            notes: Vec::new(),
        };
        let mut head = StringRecord::new();
        if !table.reader.read_record(&mut head).map_err(|error| unreadable(&error))? {
            return Err(InputError::new("the file is empty"));
        }
        if gaps {
            table.gaps = (0..head.len()).collect();
        }
        table.take_head(head)?;
        Ok(table)
    }

    /// The first row: names of the columns, or numbers.
    fn take_head(&mut self, head: StringRecord) -> Result<()> {
        let is_number = |field: &str| field.parse::<f64>().is_ok();
        let counts_up = |from: usize| head.iter().skip(from).zip(0_usize..).all(|(field, at)| field == at.to_string());
        let is_value = |field: &str| is_number(field) || (!self.gaps.is_empty() && MISSING.contains(&field));
        if head.iter().any(is_number) && head.iter().all(is_value) {
            if head.len() > 2 && counts_up(0) {
                return Err(InputError::new("the first row may be a sample, or names of columns as pandas gives them")
                    .value(head.iter().collect::<Vec<_>>().join(", "))
                    .hint("remove the row if it has names (pandas: to_csv with header=False); write 0.0 for its 0 if it is a sample"));
            }
            if head.len() > 1 && counts_up(0) {
                let text = head.iter().collect::<Vec<_>>().join(", ");
                self.notes.push(format!("the first row, {text}, is taken as a sample and not as names of columns"));
            }
            self.names = (0..head.len()).map(|at| format!("column {at}")).collect();
            (self.first, self.has_header) = (Some(head), false);
            return Ok(());
        }
        let named_by_number = head.len() > 1 && head[0].is_empty() && counts_up(1);
        if !named_by_number && head.iter().all(|field| is_number(field) || MISSING.contains(&field)) {
            let at = head.iter().position(|field| !is_number(field)).unwrap_or(0);
            return Err(missing(&head[at]).value(format!("\"{}\" in row 0, column {at}, counted from 0", &head[at])));
        }
        let named = |field: &str| field.trim_start_matches(['\u{feff}', '#', ' ']).trim_matches('"').to_owned();
        self.names = head.iter().map(named).collect();
        if self.names.len() > 1 && ["", "Unnamed: 0"].contains(&self.names[0].as_str()) {
            self.names.remove(0);
            self.take_index();
        }
        Ok(())
    }

    fn take_index(&mut self) {
        self.has_index = true;
        self.notes.push("the first column has no name and is taken as an index of the rows: not used".to_owned());
    }

    /// An index has whole numbers or words.
    fn check_index(&self) -> Result<()> {
        let field = self.record.get(0).unwrap_or_default();
        if field.parse::<f64>().is_ok_and(|value| value.fract() != 0.0 || !value.is_finite()) {
            return Err(InputError::new(
                "the first column has no name, and it does not look like an index of the rows",
            )
            .value(format!("\"{field}\" in row {}, counted from 0", self.rows))
            .hint("give the column a name, or remove it"));
        }
        Ok(())
    }

    fn number(&self, field: &str, at: usize) -> Result<f64> {
        let name = &self.names[at];
        let row = self.rows;
        let quoted = || format!("\"{}\" in row {row}, counted from 0", field.chars().take(40).collect::<String>());
        if MISSING.contains(&field) {
            let error = || missing(field).array(name).value(quoted());
            return if self.gaps.contains(&at) { Ok(f64::NAN) } else { Err(error()) };
        }
        let value: f64 = field.parse().map_err(|_| {
            let error = InputError::new("an entry is not a number").array(name).value(quoted());
            let has_comma = field.replacen(',', ".", 1).parse::<f64>().is_ok();
            if has_comma { error.hint("write decimal points, not commas") } else { error }
        })?;
        if value.is_nan() && self.gaps.contains(&at) {
            return Ok(f64::NAN);
        }
        if !value.is_finite() {
            return Err(not_finite(value, &[row as usize, at]).array(name));
        }
        if is_rounded(field, value) {
            return Err(rounded(field, &[row as usize, at]).array(name));
        }
        Ok(value)
    }
}

impl TableRows for Table {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn has_header(&self) -> bool {
        self.has_header
    }

    fn element(&self) -> ElementType {
        ElementType::Text
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn allow_gaps(&mut self, columns: &[usize]) {
        self.gaps = columns.to_vec();
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
        // R's write.table has no name for the names of the rows.
        if self.rows == 0 && self.has_header && !self.has_index && self.record.len() == self.names.len() + 1 {
            self.take_index();
        }
        let skipped = usize::from(self.has_index);
        if self.record.len() != self.names.len() + skipped {
            return Err(InputError::new("the rows have different lengths").value(format!(
                "{} fields in row {}, counted from 0, and {} columns",
                self.record.len(),
                self.rows,
                self.names.len() + skipped
            )));
        }
        if self.has_index {
            self.check_index()?;
        }
        target.clear();
        for at in 0..self.names.len() {
            target.push(self.number(&self.record[at + skipped], at)?);
        }
        self.rows += 1;
        Ok(true)
    }
}

/// The separator, by the first line that is not empty; the file is then at its beginning again.
fn delimiter(file: &mut OpenFile) -> Result<u8> {
    let mut bytes = Vec::new();
    file.take(LINE_LIMIT).read_to_end(&mut bytes).map_err(|error| read_error(&error))?;
    file.rewind().map_err(|error| read_error(&error))?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let outside: String = line.split('"').step_by(2).collect();
    let found = ['\t', ';', ','].into_iter().find(|&separator| outside.trim().contains(separator));
    if found.is_none() && outside.trim_start_matches(['#', ' ']).split_whitespace().count() > 1 {
        return Err(InputError::new("the fields of a row are separated by spaces")
            .value(format!("\"{}\"", line.trim().chars().take(40).collect::<String>()))
            .hint("separate them by commas, for example numpy.savetxt(name, a, delimiter=\",\")"));
    }
    Ok(found.map_or(b',', |separator| separator as u8))
}

fn missing(field: &str) -> InputError {
    let problem = if field.is_empty() { "a value is missing" } else { "a value is missing: the entry is no number" };
    InputError::new(problem).kind(ErrorKind::Missing).hint("remove the row or fill the value")
}

fn unreadable(error: &csv::Error) -> InputError {
    InputError::new(format!("the table cannot be read: {error}"))
}

/// The numbers of a table as one matrix; a header is skipped. With `gaps`, values that are missing are NaN.
pub(super) fn read_matrix(path: &Path, name: &str, gaps: bool) -> Result<Array> {
    let read = || {
        let mut table = Table::open_with(path, gaps)?;
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
