//! Input that comes only once: `-` and `/dev/stdin`, pipes, process substitution. A reader looks at a file several times, so
//! what came through is kept while it reads.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::atomic::is_device;
use super::format::{open_problem, read_error};
use super::rows::ARRAY_LIMIT;
use rankscape::error::{InputError, Result};

thread_local! {
    static KEPT: RefCell<BTreeMap<PathBuf, Arc<[u8]>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Holds what came through a pipe, until it is dropped.
pub(super) struct Kept(Option<PathBuf>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            KEPT.with_borrow_mut(|kept| kept.remove(&path));
        }
    }
}

/// Reads a pipe whole and keeps it as long as the value that is returned; of a file on a disk nothing is kept.
pub(super) fn keep(path: &Path) -> Result<Kept> {
    if !is_stream(path) || kept(path).is_some() {
        return Ok(Kept(None));
    }
    let bytes = read_stream(path)?;
    KEPT.with_borrow_mut(|kept| kept.insert(path.to_owned(), bytes));
    Ok(Kept(Some(path.to_owned())))
}

/// What came through a pipe that is being read.
pub(super) fn kept(path: &Path) -> Option<Arc<[u8]>> {
    KEPT.with_borrow(|kept| kept.get(path).cloned())
}

/// The name is that of standard input, a pipe or a device.
pub(super) fn is_stream(path: &Path) -> bool {
    path == Path::new("-") || is_device(path)
}

pub(super) fn read_stream(path: &Path) -> Result<Arc<[u8]>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(ARRAY_LIMIT + 1).read_to_end(&mut bytes)
    } else {
        let file = File::open(path).map_err(|error| InputError::new(open_problem(&error)).file(path.display()))?;
        file.take(ARRAY_LIMIT + 1).read_to_end(&mut bytes)
    };
    read.map_err(|error| read_error(&error).file(path.display()))?;
    if bytes.is_empty() {
        return Err(InputError::new("nothing came through").file(path.display()));
    }
    if bytes.len() as u64 > ARRAY_LIMIT {
        return Err(InputError::new("more came through than is held in memory")
            .value(format!("at most {ARRAY_LIMIT} bytes"))
            .hint("store it in a file")
            .file(path.display()));
    }
    Ok(bytes.into())
}
