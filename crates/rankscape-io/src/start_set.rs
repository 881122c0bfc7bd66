//! Start sets in files: the generic solution that `--start` keeps between runs.

use std::path::Path;

use super::atomic::write_atomically;
use rankscape::error::{InputError, Result};
use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::{Shape, StartSet};

/// Reads a start set.
///
/// # Errors
/// If the file cannot be read or is not a whole start set.
pub fn read_start_set(path: &Path) -> Result<StartSet> {
    let bytes = std::fs::read(path)
        .map_err(|error| InputError::new("the start set cannot be read").value(error).file(path.display()))?;
    StartSet::from_bytes(&bytes).map_err(|error| error.file(path.display()))
}

/// Writes a start set under a temporary name and renames it.
///
/// # Errors
/// If the file cannot be written.
pub fn write_start_set(path: &Path, set: &StartSet) -> Result<()> {
    write_atomically(path, &set.to_bytes())
}

/// The start set of `path` if the file is there; else the shipped or a new one, which is then kept at `path`.
///
/// # Errors
/// If the file is there but damaged or for another shape, or cannot be written, or the shape is not affordable.
pub fn start_set_at(
    path: Option<&Path>,
    shape: Shape,
    seed: u64,
    tracking: &TrackOptions,
    workers: &Workers,
) -> Result<StartSet> {
    match path {
        Some(path) if path.exists() => {
            let set = read_start_set(path)?;
            if set.loss.shape == shape {
                Ok(set)
            } else {
                let Shape { m, n, r } = set.loss.shape;
                Err(InputError::new("the start set is for another size or rank")
                    .value(format!("{m} x {n} of rank {r}"))
                    .file(path.display()))
            }
        }
        Some(path) => {
            let set = StartSet::obtain(shape, seed, tracking, workers)?;
            write_start_set(path, &set)?;
            Ok(set)
        }
        None => StartSet::obtain(shape, seed, tracking, workers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rankscape::Tolerances;

    #[test]
    fn second_run_reads_what_the_first_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("start.bin");
        let tracking = TrackOptions::new(&Tolerances::default());
        let shape = Shape { m: 2, n: 5, r: 1 };
        let first = start_set_at(Some(&path), shape, 3, &tracking, &Workers::none()).unwrap();
        let second = start_set_at(Some(&path), shape, 4, &tracking, &Workers::none()).unwrap();
        assert_eq!((second.seed, &second.loss), (3, &first.loss));
        let other = Shape { m: 2, n: 2, r: 1 };
        assert!(start_set_at(Some(&path), other, 3, &tracking, &Workers::none()).is_err());
        std::fs::write(&path, b"rubbish").unwrap();
        let error = read_start_set(&path).unwrap_err().to_string();
        assert!(error.contains("start.bin") && error.contains("not a start set"), "{error}");
    }
}
