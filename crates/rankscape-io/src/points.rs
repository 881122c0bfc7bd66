//! Real critical points of quadratic losses as arrays of an NPZ file.
//!
//! `id` and `complete` have an entry an instance; `instance` (counted from 0), `value`, `index` (-1 where it is undecided) and
//! `radius` one a point, in the order of the document: by instance, then by value. `W` holds the matrices, points x m x n; with
//! several sizes there is one array a size, `W_2x3` say, each with the points of that size in the same order.

use std::collections::BTreeMap;
use std::path::Path;

use super::atomic::{is_device, write_atomically};
use super::documents::{PointDocument, SolutionDocument, SolveDocument};
use super::npy::header_bytes;
use super::write::npz_archive;
use rankscape::error::{InputError, Result};

/// The index of a point for which it is undecided.
const UNDECIDED: i64 = -1;

/// An error unless points can be written to this file, so that nothing is solved in vain.
///
/// # Errors
/// If the extension is not `.npz`.
pub fn check_points_file(path: &Path) -> Result<()> {
    let is_npz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
    if is_npz || is_device(path) {
        return Ok(());
    }
    let wrong = InputError::new("points are saved as NPZ only").array("save").file(path.display());
    Err(wrong.hint("give a name that ends in .npz; the document has the points as text"))
}

/// Writes the real critical points of all instances; the file appears whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_points(path: &Path, document: &SolveDocument) -> Result<()> {
    let bytes = npz_archive(arrays(&document.instances)).map_err(|error| error.file(path.display()))?;
    write_atomically(path, &bytes)
}

/// Names and NPY files.
fn arrays(instances: &[SolutionDocument]) -> Vec<(String, Vec<u8>)> {
    let points: Vec<(usize, &PointDocument)> =
        instances.iter().enumerate().flat_map(|(at, found)| found.real.iter().map(move |point| (at, point))).collect();
    let ids: Vec<&str> = instances.iter().map(|found| found.id.as_str()).collect();
    let list = |numbers: &mut dyn Iterator<Item = f64>| doubles(&[points.len()], numbers);
    let mut arrays = vec![
        ("id", texts(&ids)),
        ("complete", integers(instances.iter().map(|found| i64::from(found.complete == Some(true))))),
        ("instance", integers(points.iter().map(|(at, _)| *at as i64))),
        ("value", list(&mut points.iter().map(|(_, point)| point.value))),
        ("index", integers(points.iter().map(|(_, point)| point.index.map_or(UNDECIDED, |index| index as i64)))),
        ("radius", list(&mut points.iter().map(|(_, point)| point.radius))),
    ]
    .into_iter()
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .collect::<Vec<_>>();
    let mut sizes: BTreeMap<(usize, usize), Vec<&PointDocument>> = BTreeMap::new();
    instances.iter().for_each(|found| sizes.entry((found.m, found.n)).or_default().extend(&found.real));
    let single = sizes.len() == 1;
    for ((m, n), points) in sizes {
        let name = if single { "W".to_owned() } else { format!("W_{m}x{n}") };
        let mut entries = points.iter().flat_map(|point| point.w.iter().flatten().copied());
        arrays.push((name, doubles(&[points.len(), m, n], &mut entries)));
    }
    arrays
}

fn doubles(shape: &[usize], numbers: &mut dyn Iterator<Item = f64>) -> Vec<u8> {
    header_bytes("<f8", shape).into_iter().chain(numbers.flat_map(f64::to_le_bytes)).collect()
}

fn integers(numbers: impl ExactSizeIterator<Item = i64>) -> Vec<u8> {
    header_bytes("<i8", &[numbers.len()]).into_iter().chain(numbers.flat_map(i64::to_le_bytes)).collect()
}

/// Texts of equal width, four bytes a character, filled with zeros.
fn texts(texts: &[&str]) -> Vec<u8> {
    let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
    let filled = |text: &&str| {
        let characters: Vec<u32> = text.chars().map(u32::from).collect();
        let rest = vec![0; width - characters.len()];
        characters.into_iter().chain(rest).flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
    };
    header_bytes(&format!("<U{width}"), &[texts.len()]).into_iter().chain(texts.iter().flat_map(filled)).collect()
}
