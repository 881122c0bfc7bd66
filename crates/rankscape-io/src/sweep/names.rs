//! Names of the files in the directory of a sweep.

use std::fs;
use std::path::{Path, PathBuf};

use crate::atomic::output_target;

/// The plan.
pub(super) const PLAN: &str = "plan.json";
/// The file that settles into how many shards the plan is cut.
pub(super) const CUTTING: &str = "cutting";
/// What the names of all shards begin with.
pub(super) const SHARD: &str = "shard-";

/// Names and cuttings of the shards in a directory, by cutting.
pub(super) fn shard_files(path: &Path) -> Vec<(String, u64)> {
    let names = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let shards = |name: String| {
        let shards = name.strip_prefix(SHARD)?.strip_suffix(".json")?.split_once("-of-")?.1.parse().ok()?;
        Some((name, shards))
    };
    let mut found: Vec<(String, u64)> = names.filter_map(|name| shards(name.into_string().ok()?)).collect();
    found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    found
}

/// A name for a damaged shard that no file has.
pub(super) fn free_name(path: &Path) -> PathBuf {
    let name =
        |k: u64| path.with_extension(if k == 1 { "json.damaged".to_owned() } else { format!("json.damaged-{k}") });
    (1..).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(1))
}

/// The file has a name that a sweep in this directory gives to its own.
pub(super) fn is_own(directory: &Path, file: &Path) -> bool {
    let target = output_target(file);
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let here = folder.canonicalize().ok().zip(directory.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    let name = target.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    here && ([PLAN, CUTTING].contains(&name.as_str()) || name.starts_with(SHARD))
}
