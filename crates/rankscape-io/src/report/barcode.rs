//! The barcode as a drawing in characters.

use crate::documents::BarDocument;

/// One line a bar: nodes as dots, arrows as dashes, the multiplicity behind.
///
/// ```
/// use rankscape_io::documents::BarDocument;
/// use rankscape_io::report::draw_barcode;
/// let bars = [BarDocument { from: 0, to: 2, multiplicity: 2 }, BarDocument { from: 1, to: 1, multiplicity: 3 }];
/// let lines = draw_barcode(&bars, 2);
/// assert_eq!(lines, ["0   1   2", "o---o---o  x 2", "    o      x 3"]);
/// ```
pub fn draw_barcode(bars: &[BarDocument], depth: usize) -> Vec<String> {
    let header: Vec<String> = (0..=depth).map(|node| format!("{node:<4}")).collect();
    let mut lines = vec![header.concat().trim_end().to_owned()];
    for bar in bars {
        let mut line = " ".repeat(4 * bar.from);
        line.push('o');
        line.push_str(&"---o".repeat(bar.to - bar.from));
        lines.push(format!("{line:<width$}  x {}", bar.multiplicity, width = 4 * depth + 1));
    }
    lines
}
