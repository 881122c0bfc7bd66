//! Tables of text.

/// Columns of equal width: the first to the left, the others to the right.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |k: usize| rows.iter().map(|row| row[k].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let cell = |k: usize, text: &String| match k {
        0 => format!("{text:<width$}", width = widths[k]),
        _ => format!("{text:>width$}", width = widths[k]),
    };
    let line = |row: &[String; N]| row.iter().enumerate().map(|(k, text)| cell(k, text)).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| line(row).trim_end().to_owned()).collect()
}
