//! Arrays in JSON: nested lists of numbers or of strings such as `"3/7"`.
//!
//! An array is exact when each of its entries is an integer literal or a fraction in quotes.

use std::path::Path;

use num_bigint::BigInt;
use num_traits::Zero;
use serde_json::Value;

use super::array::{Array, ElementType, index_of, is_rounded, rounded};
use super::file::read_limited;
use super::json_text::name_before;
pub(super) use super::json_text::{Members, last_name, members_of, syntax_error, syntax_error_at, unambiguous};
use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::linalg::exact::{Rational, rational_to_f64};

/// Largest JSON file that is read, in bytes.
pub const JSON_LIMIT: u64 = 1 << 28;

/// Most entries of a JSON text that are read: values of its lists and objects, each of which takes far more memory than text.
pub const JSON_ENTRIES_LIMIT: usize = 1 << 22;

/// Longest integer that is read, in digits.
const DIGITS_LIMIT: usize = 10_000;

/// The text without the byte-order mark that some editors put first.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// An error if the text has more entries than are held in memory. Commas are counted, since every value but the first of a list
/// or an object follows one.
pub(super) fn check_entries(bytes: &[u8]) -> Result<()> {
    let commas = bytes.iter().filter(|&&byte| byte == b',').count();
    if commas >= JSON_ENTRIES_LIMIT {
        return Err(InputError::new("the JSON text has too many entries")
            .value(format!("{} entries, at most {JSON_ENTRIES_LIMIT} are read", commas + 1))
            .hint("store large arrays as .npz or .safetensors"));
    }
    Ok(())
}

/// The bytes of a JSON file that is not too large.
pub(super) fn read_text(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_limited(path, JSON_LIMIT)?;
    check_entries(&bytes).map_err(|error| error.file(path.display()))?;
    Ok(bytes)
}

/// The arrays of a JSON text in order.
fn arrays(path: &Path, bytes: &[u8], gaps: bool) -> Result<Vec<Array>> {
    let members = members_of(bytes).map_err(|error| {
        let found = syntax_error(bytes, &error).file(path.display());
        let name = if found.kind == ErrorKind::NotFinite { name_before(bytes, &error) } else { None };
        InputError { array: name, ..found }
    })?;
    members
        .into_iter()
        .map(|(name, value)| read_array(&name, &value, gaps).map_err(|error| error.array(&name).file(path.display())))
        .collect()
}

/// The members of the object that is the whole document, as they stand there.
pub(super) fn members(path: &Path) -> Result<Members> {
    let bytes = read_text(path)?;
    let bytes = without_mark(&bytes);
    members_of(bytes).map_err(|error| syntax_error(bytes, &error).file(path.display()))
}

/// The matrix that is the whole document, or the members of an object; with `gaps`, null is NaN.
pub(super) fn read_bare_or_named(path: &Path, name: &str, gaps: bool) -> Result<Vec<Array>> {
    let bytes = read_text(path)?;
    let bytes = without_mark(&bytes);
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[') {
        return arrays(path, bytes, gaps);
    }
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| syntax_error(bytes, &error.into()).file(path.display()))?;
    Ok(vec![read_array(name, &value, gaps).map_err(|error| error.array(name).file(path.display()))?])
}

struct Reader {
    shape: Vec<usize>,
    values: Vec<f64>,
    exact: Option<Vec<Rational>>,
    /// The first whole number that double precision does not have, and its place.
    rounded: Option<(usize, Rational)>,
    /// An entry may be null.
    gaps: bool,
}

/// The array of nested lists.
pub(super) fn array_of(name: &str, value: &Value) -> Result<Array> {
    read_array(name, value, false)
}

fn read_array(name: &str, value: &Value, gaps: bool) -> Result<Array> {
    let mut shape = Vec::new();
    let mut level = value;
    while let Value::Array(list) = level {
        shape.push(list.len());
        match list.first() {
            Some(first) => level = first,
            None => break,
        }
    }
    let mut reader = Reader { shape, values: Vec::new(), exact: Some(Vec::new()), rounded: None, gaps };
    reader.descend(value, 0)?;
    let Reader { shape, values, exact, rounded: first, .. } = reader;
    if let (Some((at, number)), None) = (first, &exact) {
        return Err(rounded(number, &index_of(at, &shape)));
    }
    Ok(Array { name: name.to_owned(), shape, values, element: ElementType::Text, exact })
}

impl Reader {
    fn descend(&mut self, value: &Value, depth: usize) -> Result<()> {
        match value {
            Value::Array(list) => {
                if depth >= self.shape.len() || list.len() != self.shape[depth] {
                    let expected = self.shape.get(depth).copied().unwrap_or(0);
                    return Err(InputError::new("the rows have different lengths")
                        .value(format!(
                            "{} entries after rows of {expected}, near entry {}",
                            list.len(),
                            self.values.len()
                        ))
                        .hint("a matrix is a list of rows of equal length"));
                }
                list.iter().try_for_each(|entry| self.descend(entry, depth + 1))
            }
            _ if depth < self.shape.len() => Err(InputError::new("numbers and lists are mixed at one level")
                .hint("a matrix is a list of rows of equal length")),
            Value::Number(number) => self.push(&number.to_string(), false),
            Value::String(text) => self.push(text, true),
            Value::Null if self.gaps => {
                self.exact = None;
                self.values.push(f64::NAN);
                Ok(())
            }
            other => {
                let (found, kind) = match other {
                    Value::Object(_) => ("an object", ErrorKind::Invalid),
                    Value::Null => ("null", ErrorKind::Missing),
                    _ => ("true or false", ErrorKind::Invalid),
                };
                Err(self.bad_entry(found).kind(kind))
            }
        }
    }

    fn push(&mut self, text: &str, quoted: bool) -> Result<()> {
        if let Some(exact) = parse_rational(text).map_err(|error| error.value(format!("entry {:?}", self.here())))? {
            self.values.push(if text.contains('/') {
                rational_to_f64(&exact)
            } else {
                text.parse().unwrap_or(f64::NAN)
            });
            let double = self.values.last().and_then(|value| Rational::from_float(*value));
            if self.rounded.is_none() && exact.is_integer() && double.is_none_or(|double| double != exact) {
                self.rounded = Some((self.values.len() - 1, exact.clone()));
            }
            if let Some(list) = &mut self.exact {
                list.push(exact);
            }
        } else {
            if quoted {
                let short: String = text.chars().take(40).collect();
                return Err(self.bad_entry(&format!("\"{short}\"")));
            }
            self.exact = None;
            let value = text.parse().unwrap_or(f64::NAN);
            if is_rounded(text, value) {
                let short: String = text.chars().take(40).collect();
                return Err(rounded(short, &self.here()));
            }
            self.values.push(value);
        }
        let last = self.values.last().copied().unwrap_or(f64::NAN);
        // The digits before an exponent; a fraction is zero where its numerator is.
        let digits = text.split(['e', 'E', '/']).next().unwrap_or(text);
        let vanishes = last == 0.0 && digits.contains(|digit| ('1'..='9').contains(&digit));
        if last.is_finite() && !vanishes {
            return Ok(());
        }
        let short: String = text.chars().take(40).collect();
        let place = format!("{short} at {:?}", self.index(self.values.len() - 1));
        Err(if vanishes {
            let small = InputError::new("a number is too small for double precision");
            small.value(place).hint("write 0 if it is meant to vanish")
        } else {
            InputError::new("a number is too large for double precision").value(place)
        })
    }

    fn bad_entry(&self, found: &str) -> InputError {
        InputError::new("an entry is not a number")
            .value(format!("{found} at {:?}", self.here()))
            .hint("entries are numbers, or fractions in quotes such as \"3/7\"")
    }

    fn here(&self) -> Vec<usize> {
        self.index(self.values.len())
    }

    fn index(&self, at: usize) -> Vec<usize> {
        index_of(at, &self.shape)
    }
}

/// The exact value of an integer or a fraction; `None` for other text.
pub(super) fn parse_rational(text: &str) -> Result<Option<Rational>> {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let (numerator, denominator) = (numerator.trim(), denominator.trim());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(numerator.strip_prefix(['-', '+']).unwrap_or(numerator)) || !digits(denominator) {
        return Ok(None);
    }
    if text.len() > DIGITS_LIMIT {
        return Err(InputError::new("a number has too many digits"));
    }
    let (Ok(numerator), Ok(denominator)) = (numerator.parse::<BigInt>(), denominator.parse::<BigInt>()) else {
        return Ok(None);
    };
    if denominator.is_zero() {
        return Err(InputError::new("a fraction has the denominator zero"));
    }
    Ok(Some(Rational::new(numerator, denominator)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(text: &str) -> Result<Array> {
        array_of("A", &serde_json::from_str(text).unwrap())
    }

    #[test]
    fn integers_and_fractions_are_exact_and_a_decimal_point_is_not() {
        let exact = array(r#"[[1, "-3/6"], [123456789012345678901, "7"]]"#).unwrap();
        assert_eq!(exact.shape, [2, 2]);
        assert_eq!(exact.exact.unwrap()[1].to_string(), "-1/2");
        assert_eq!(exact.values[1], -0.5);
        for text in ["[[1, 2.0]]", "[[1, 2e0]]"] {
            assert!(array(text).unwrap().exact.is_none(), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_none_are_quoted_with_their_place() {
        for (text, word) in [
            ("{\"W\": [1,\n NaN]}", "NaN at line 2"),
            ("{\"W\": [-Infinity, 1]}", "-Infinity at line 1"),
            ("{\"W\": [1, nan]}", "nan at line 1"),
            ("{\"W\": [1, -inf]}", "-inf at line 1"),
        ] {
            let Err(error) = members_of(text.as_bytes()) else { panic!("{text} was read") };
            let message = syntax_error(text.as_bytes(), &error).to_string();
            assert!(message.contains(word), "{text}: {message}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.json");
        for text in ["{\"W\": [[1, 2]]}", "[[1, 2]]"] {
            std::fs::write(&path, format!("\u{feff}{text}")).unwrap();
            assert_eq!(read_bare_or_named(&path, "W", false).unwrap()[0].values, [1.0, 2.0]);
        }
    }

    #[test]
    fn bad_entries_are_named_with_their_place() {
        for (text, part) in [
            ("[[1, 2], [3]]", "different lengths"),
            ("[[1, 2], 3]", "mixed"),
            ("[[1, [2]]]", "different lengths"),
            ("[[1, null]]", "null at [0, 1]"),
            (r#"[["x"]]"#, "\"x\" at [0, 0]"),
            (r#"[["1/0"]]"#, "denominator zero"),
            ("[[9007199254740993, 0.5]]", "9007199254740993 at index [0, 0]"),
            ("[[0.5, 9007199254740993]]", "would be rounded"),
            ("[[1, 9007199254740993.0]]", "9007199254740993.0 at index [0, 1]"),
            ("[[1, -9007199254740994.5]]", "-9007199254740994.5 at index [0, 1]"),
            ("[[1e999]]", "too large"),
        ] {
            let message = array(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
