//! The layout of documents: a member of an object a line, lists on one line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// A document as JSON text; lists of numbers take no more room than they need.
pub fn to_json(document: &impl Serialize) -> String {
    let mut out = Vec::new();
    match write_json(document, &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(error) => format!("{{\"error\": \"{error}\"}}"),
    }
}

/// Writes a document as the text of [`to_json`], without holding that text.
///
/// # Errors
/// If the writer fails.
pub fn write_json(document: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Layout::default());
    document.serialize(&mut serializer).map_err(io::Error::from)
}

#[derive(Default)]
struct Layout {
    depth: usize,
    has_members: bool,
}

impl Layout {
    fn new_line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.has_members = false;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.has_members {
            self.new_line(writer)?;
        }
        self.has_members = true;
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.has_members = true;
        self.new_line(writer)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_lines_and_lists_do_not() {
        let document = serde_json::json!({"a": [[1, 2], [3, 4]], "b": {}, "c": [{"d": null}, {"e": "f"}], "g": []});
        let text = to_json(&document);
        let expected = r#"{
  "a": [[1, 2], [3, 4]],
  "b": {},
  "c": [{
    "d": null
  }, {
    "e": "f"
  }],
  "g": []
}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), document);
    }
}
