//! Formats of files, as their first bytes tell, and what stops reading.

use std::io;

use rankscape::error::InputError;

/// Formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Safetensors,
    Npz,
    Npy,
    Json,
    Csv,
    Parquet,
}

/// The format by the first bytes; `None` for a pickle.
pub(super) fn format_by_content(bytes: &[u8]) -> Option<Format> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    Some(match bytes {
        [0x80, 2..=5, ..] if bytes.get(8) != Some(&b'{') => return None,
        [b'P', b'K', ..] => Format::Npz,
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Format::Npy,
        [b'P', b'A', b'R', b'1', ..] => Format::Parquet,
        _ if bytes.get(8) == Some(&b'{') && bytes[..8].contains(&0) => Format::Safetensors,
        _ if first.is_some_and(|byte| b"{[".contains(byte)) => Format::Json,
        _ => Format::Csv,
    })
}

/// Why a file cannot be opened.
pub(super) fn open_problem(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "the file does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "the file may not be read".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    }
}

/// The error for reading that failed in the middle.
pub(super) fn read_error(error: &io::Error) -> InputError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            InputError::new("the file ends too early").hint("it is truncated: copy or write it again")
        }
        _ => InputError::new(format!("the file is damaged or cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_show_in_their_first_bytes() {
        for (bytes, format) in [
            (&b"PK\x03\x04"[..], Some(Format::Npz)),
            (b"\x93NUMPY\x01\x00", Some(Format::Npy)),
            (b"\x28\0\0\0\0\0\0\0{\"W1\"", Some(Format::Safetensors)),
            (b"\x80\x02\0\0\0\0\0\0{\"W1\"", Some(Format::Safetensors)),
            (b" {\"X\": 1}", Some(Format::Json)),
            (b"\xef\xbb\xbf[[1]]", Some(Format::Json)),
            (b"x1,y1\n1,2", Some(Format::Csv)),
            (b"\x80\x04\x95", None),
        ] {
            assert_eq!(format_by_content(bytes), format, "{bytes:?}");
        }
    }
}
