//! The NPY format: a text header with type, order and shape, then the numbers.
//!
//! Own parser: a header is untrusted input, and the limits on its size and on the sizes it declares are ours.

use std::io::Read;

use half::f16;

use super::array::{ElementType, entry_count, rounded, shape_text};
use super::format::read_error;
use rankscape::error::{InputError, Result};

const MAGIC: &[u8] = b"\x93NUMPY";
const HEADER_LIMIT: usize = 1 << 20;

/// How one number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    kind: Kind,
    pub(super) bytes: usize,
    big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Truth,
}

/// Why a stored number cannot be read as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A whole number that double precision does not have.
    Rounded(String),
    /// A truth value that is neither 0 nor 1.
    NoTruth(u8),
}

impl Flaw {
    /// The error for a number at this index.
    pub(super) fn error(self, index: &[usize]) -> InputError {
        match self {
            Self::Rounded(number) => rounded(number, index),
            Self::NoTruth(byte) => InputError::new("a truth value is stored as another byte than 0 and 1")
                .value(format!("byte {byte} at index {index:?}, counted from 0"))
                .hint("the file is damaged, or its numbers are of another type: write it again"),
        }
    }
}

/// What the header of an NPY array says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) layout: Layout,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<usize>,
    /// Bytes of the header, with magic string and length.
    pub(super) header_bytes: u64,
}

impl Header {
    /// Reads the header; the reader is then at the first number.
    pub(super) fn read(reader: &mut dyn Read) -> Result<Self> {
        let mut fixed = [0; 8];
        read_exactly(reader, &mut fixed)?;
        if !fixed.starts_with(MAGIC) {
            return Err(InputError::new("this is not an NPY array").value(format!("first bytes {:02x?}", &fixed[..6])));
        }
        let (length, prefix) = if fixed[6] == 1 {
            let mut size = [0; 2];
            read_exactly(reader, &mut size)?;
            (usize::from(u16::from_le_bytes(size)), 10)
        } else {
            let mut size = [0; 4];
            read_exactly(reader, &mut size)?;
            (u32::from_le_bytes(size) as usize, 12)
        };
        if length > HEADER_LIMIT {
            return Err(InputError::new("the NPY header is too long")
                .value(format!("{length} bytes, at most {HEADER_LIMIT} are read")));
        }
        let mut text = vec![0; length];
        read_exactly(reader, &mut text)?;
        let mut header = parse_header(&String::from_utf8_lossy(&text))?;
        header.header_bytes = prefix + length as u64;
        Ok(header)
    }

    /// Bytes of all numbers.
    pub(super) fn data_bytes(&self) -> Result<u64> {
        let count = entry_count(&self.shape)?;
        count.checked_mul(self.layout.bytes).map(|bytes| bytes as u64).ok_or_else(|| {
            InputError::new("the declared shape is too large").value(format!("shape {}", shape_text(&self.shape)))
        })
    }
}

fn read_exactly(reader: &mut dyn Read, target: &mut [u8]) -> Result<()> {
    reader.read_exact(target).map_err(|error| read_error(&error))
}

impl Layout {
    /// From a type string such as `<f8`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut letters = text.chars();
        let (order, kind) = (letters.next().unwrap_or(' '), letters.next().unwrap_or(' '));
        let bytes: usize = letters.as_str().parse().unwrap_or(0);
        let kind = match (kind, bytes) {
            ('f', 2 | 4 | 8) => Kind::Float,
            ('i', 1 | 2 | 4 | 8) => Kind::Signed,
            ('u', 1 | 2 | 4 | 8) => Kind::Unsigned,
            ('b', 1) => Kind::Truth,
            ('O', _) => return Err(object_array(text)),
            (kind, bytes) => return Err(other_type(text, kind, bytes)),
        };
        let big_endian = match order {
            '>' => true,
            '<' | '|' | '=' => false,
            _ => return Err(InputError::new("the byte order is not known").value(format!("dtype '{text}'"))),
        };
        Ok(Self { kind, bytes, big_endian })
    }

    pub(super) fn element(self) -> ElementType {
        match (self.kind, self.bytes) {
            (Kind::Float, 2) => ElementType::F16,
            (Kind::Float, 4) => ElementType::F32,
            (Kind::Float, _) => ElementType::F64,
            _ => ElementType::Integer,
        }
    }

    /// The place of the first number in `bytes` that cannot be read as it is, and what it is.
    pub(super) fn first_flaw(self, bytes: &[u8]) -> Option<(usize, Flaw)> {
        if self.kind == Kind::Truth {
            let at = bytes.iter().position(|&byte| byte > 1)?;
            return Some((at, Flaw::NoTruth(bytes[at])));
        }
        self.first_rounded(bytes).map(|(at, number)| (at, Flaw::Rounded(number)))
    }

    /// The first whole number that double precision does not have.
    fn first_rounded(self, bytes: &[u8]) -> Option<(usize, String)> {
        let raw = |raw: &[u8; 8]| if self.big_endian { raw.iter().rev().copied().collect() } else { raw.to_vec() };
        let number = |raw: Vec<u8>| -> [u8; 8] { raw.try_into().unwrap_or_default() };
        let numbers = || bytes.as_chunks::<8>().0.iter().map(raw).map(number);
        match (self.kind, self.bytes) {
            (Kind::Signed, 8) => {
                let mut numbers = numbers().map(i64::from_le_bytes).enumerate();
                numbers
                    .find(|(_, value)| *value as f64 as i128 != i128::from(*value))
                    .map(|(at, v)| (at, v.to_string()))
            }
            (Kind::Unsigned, 8) => {
                let mut numbers = numbers().map(u64::from_le_bytes).enumerate();
                numbers
                    .find(|(_, value)| *value as f64 as u128 != u128::from(*value))
                    .map(|(at, v)| (at, v.to_string()))
            }
            _ => None,
        }
    }

    /// Appends the numbers stored in `bytes`, a multiple of the size of one.
    pub(super) fn decode(self, bytes: &[u8], target: &mut Vec<f64>) {
        match (self.kind, self.bytes) {
            (Kind::Float, 2) => self.each(bytes, target, |raw| f16::from_le_bytes(raw).to_f64()),
            (Kind::Float, 4) => self.each(bytes, target, |raw| f64::from(f32::from_le_bytes(raw))),
            (Kind::Float, _) => self.each(bytes, target, f64::from_le_bytes),
            (Kind::Signed, 1) => self.each(bytes, target, |raw| f64::from(i8::from_le_bytes(raw))),
            (Kind::Signed, 2) => self.each(bytes, target, |raw| f64::from(i16::from_le_bytes(raw))),
            (Kind::Signed, 4) => self.each(bytes, target, |raw| f64::from(i32::from_le_bytes(raw))),
            (Kind::Signed, _) => self.each(bytes, target, |raw| i64::from_le_bytes(raw) as f64),
            (Kind::Unsigned | Kind::Truth, 1) => self.each(bytes, target, |[byte]| f64::from(byte)),
            (Kind::Unsigned | Kind::Truth, 2) => self.each(bytes, target, |raw| f64::from(u16::from_le_bytes(raw))),
            (Kind::Unsigned | Kind::Truth, 4) => self.each(bytes, target, |raw| f64::from(u32::from_le_bytes(raw))),
            (Kind::Unsigned | Kind::Truth, _) => self.each(bytes, target, |raw| u64::from_le_bytes(raw) as f64),
        }
    }

    fn each<const N: usize>(self, bytes: &[u8], target: &mut Vec<f64>, decode: impl Fn([u8; N]) -> f64) {
        let (numbers, _) = bytes.as_chunks::<N>();
        if self.big_endian {
            target.extend(numbers.iter().map(|&raw| {
                let mut raw = raw;
                raw.reverse();
                decode(raw)
            }));
        } else {
            target.extend(numbers.iter().map(|&raw| decode(raw)));
        }
    }
}

/// The refusal of a type, with a line that converts it where one does.
fn other_type(text: &str, kind: char, bytes: usize) -> InputError {
    let hint = match (kind, bytes) {
        ('V', 2) => {
            "bfloat16 is stored like this: (a.view(\"uint16\").astype(\"uint32\") << 16).view(\"float32\") gives its numbers"
        }
        ('V', _) => "short types of ml_dtypes are stored like this: convert with .astype(\"float32\") before saving",
        ('c', _) => "complex numbers have no place in these networks",
        ('f' | 'U' | 'S', _) => {
            "convert with .astype(\"float64\"); float16, float32, float64, integers and booleans are read"
        }
        _ => "float16, float32, float64, integers and booleans are read",
    };
    InputError::new("numbers of this type are not read").value(format!("dtype '{text}'")).hint(hint)
}

fn object_array(text: &str) -> InputError {
    InputError::new("object arrays are not read, since they hold pickled Python objects")
        .value(format!("dtype '{text}'"))
        .hint("save plain numbers: numpy.asarray(a, dtype=float)")
}

/// Parses `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse_header(text: &str) -> Result<Header> {
    let malformed =
        || InputError::new("the NPY header cannot be read").value(text.trim().chars().take(80).collect::<String>());
    let value_of = |key: &str| -> Option<&str> {
        let at = [format!("'{key}'"), format!("\"{key}\"")]
            .iter()
            .find_map(|quoted| text.find(quoted.as_str()).map(|start| start + quoted.len()))?;
        Some(text[at..].trim_start().strip_prefix(':')?.trim_start())
    };
    let descr = value_of("descr").ok_or_else(malformed)?;
    let quote = descr.chars().next().ok_or_else(malformed)?;
    if quote == '[' || quote == '(' {
        if descr.contains("'|O") || descr.contains("'O") {
            return Err(object_array(descr.chars().take(40).collect::<String>().as_str()));
        }
        return Err(InputError::new("structured arrays are not read").hint("save one plain array for each field"));
    }
    if quote != '\'' && quote != '"' {
        return Err(malformed());
    }
    let descr = descr[1..].split(quote).next().ok_or_else(malformed)?;
    let order = value_of("fortran_order").ok_or_else(malformed)?;
    let fortran_order = order.starts_with("True");
    if !fortran_order && !order.starts_with("False") {
        return Err(malformed());
    }
    let shape = value_of("shape").and_then(|shape| shape.strip_prefix('(')).ok_or_else(malformed)?;
    let shape = shape.split_once(')').ok_or_else(malformed)?.0;
    let sizes: Option<Vec<usize>> = shape
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.trim_end_matches('L').parse().ok())
        .collect();
    let shape = sizes.ok_or_else(malformed)?;
    Ok(Header { layout: Layout::parse(descr)?, fortran_order, shape, header_bytes: 0 })
}

/// The header of a C-ordered array, as NumPy writes it.
pub(super) fn header_bytes(descr: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let sizes = if shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let padded = (text.len() + 11).next_multiple_of(64) - 11;
    text.extend(std::iter::repeat_n(' ', padded - text.len()));
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_header_reads_back() {
        for shape in [vec![], vec![5], vec![3, 4], vec![2, 3, 4]] {
            let bytes = header_bytes("<f4", &shape);
            assert_eq!(bytes.len() % 64, 0);
            let header = Header::read(&mut bytes.as_slice()).unwrap();
            assert_eq!((header.shape, header.fortran_order, header.layout.bytes), (shape, false, 4));
            assert_eq!(header.header_bytes, bytes.len() as u64);
        }
    }

    #[test]
    fn every_numeric_type_is_decoded_in_both_byte_orders() {
        let cases: [(&str, &[u8], f64); 8] = [
            ("<f2", &[0x00, 0x3e], 1.5),
            (">f2", &[0x3e, 0x00], 1.5),
            (">f4", &[0x3f, 0xc0, 0, 0], 1.5),
            ("<f8", &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5),
            ("|i1", &[0xff], -1.0),
            (">i2", &[0xff, 0xfe], -2.0),
            ("<u4", &[1, 1, 0, 0], 257.0),
            ("|b1", &[1], 1.0),
        ];
        for (descr, bytes, expected) in cases {
            let mut values = Vec::new();
            Layout::parse(descr).unwrap().decode(bytes, &mut values);
            assert_eq!(values, [expected], "{descr}");
        }
    }

    #[test]
    fn object_structured_and_complex_arrays_are_refused_by_name() {
        for (descr, problem) in
            [("'|O'", "object arrays"), ("[('a', '<f8')]", "structured"), ("'<c16'", "numbers of this type")]
        {
            let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}");
            assert!(parse_header(&text).unwrap_err().problem.starts_with(problem), "{descr}");
        }
    }

    #[test]
    fn truth_is_0_or_1() {
        let truth = Layout::parse("|b1").unwrap();
        assert_eq!(truth.first_flaw(&[0, 1, 1]), None);
        assert_eq!(truth.first_flaw(&[0, 1, 255]), Some((2, Flaw::NoTruth(255))));
        assert_eq!(Layout::parse("|u1").unwrap().first_flaw(&[7]), None);
    }

    #[test]
    fn whole_numbers_that_doubles_do_not_have_are_found() {
        let first = |descr: &str, values: &[u64], big: bool| {
            let bytes: Vec<u8> =
                values.iter().flat_map(|v| if big { v.to_be_bytes() } else { v.to_le_bytes() }).collect();
            Layout::parse(descr).unwrap().first_rounded(&bytes)
        };
        let odd = (1 << 53) + 1;
        assert_eq!(first("<i8", &[1, 1 << 60, odd], false), Some((2, odd.to_string())));
        assert_eq!(first(">u8", &[odd], true), Some((0, odd.to_string())));
        assert_eq!(first("<u8", &[u64::MAX], false), Some((0, u64::MAX.to_string())));
        assert_eq!(first("<i8", &[i64::MAX as u64], false), Some((0, i64::MAX.to_string())));
        assert_eq!(first("<i8", &[1 << 53, u64::MAX, i64::MIN as u64], false), None);
        assert_eq!(first("<f8", &[odd], false), None);
    }
}
