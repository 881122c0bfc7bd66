//! Rules that keep the workspace in the shape that `ARCHITECTURE.md` describes.
//!
//! Each rule is a function from texts to [`Finding`]s, so it is tested on small examples; [`check`] applies all of
//! them to the files of the workspace.

mod layers;
mod manifests;
mod mask;
mod modules;
mod pages;
mod rings;
mod rules;
mod text;

use std::path::{Path, PathBuf};
use std::process::Command;

pub use layers::{Layers, layering};
pub use manifests::dependencies;
pub use mask::code_only;
pub use pages::{named_paths, theorems};
pub use rings::rings;
pub use rules::{
    LONG_FILES, accuracy_entries, citations, declared, file_length, is_source, machine_paths, module_docs,
    serialization_derives,
};
pub use text::{Finding, Source};

/// The root of the workspace.
pub fn workspace_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All text files of the workspace that version control knows or would take; without version control, all text files
/// outside build folders.
pub fn workspace_files(root: &Path) -> Vec<Source> {
    let listed = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .ok()
        .filter(|output| output.status.success() && !output.stdout.is_empty());
    let mut paths: Vec<String> = match listed {
        Some(output) => String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect(),
        None => {
            let mut found = Vec::new();
            walk(root, "", &mut found);
            found
        }
    };
    paths.sort();
    paths.dedup();
    let read = |path: String| {
        let bytes = std::fs::read(root.join(&path)).ok()?;
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
        Some(Source { path, text })
    };
    paths.into_iter().filter_map(read).collect()
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    const SKIPPED: [&str; 5] = [".git", "target", ".venv", "node_modules", "__pycache__"];
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !SKIPPED.contains(&name.as_str()) => {
                walk(&entry.path(), &format!("{path}/"), found);
            }
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
}

/// All rules on the given files.
pub fn check(files: &[Source]) -> Vec<Finding> {
    let text_of = |path: &str| files.iter().find(|file| file.path == path);
    let mut findings = Vec::new();
    match text_of("ARCHITECTURE.md") {
        Some(page) => findings.extend(layering(page, files)),
        None => findings.push(Finding::new("ARCHITECTURE.md", 1, "the page with the layer table is missing")),
    }
    match text_of("docs/references.bib") {
        Some(bibliography) => findings.extend(citations(bibliography, files)),
        None => findings.push(Finding::new("docs/references.bib", 1, "the bibliography is missing")),
    }
    match (text_of("crates/rankscape/src/tolerance.rs"), text_of("docs/accuracy.md")) {
        (Some(code), Some(page)) => findings.extend(accuracy_entries(code, page)),
        _ => findings.push(Finding::new("docs/accuracy.md", 1, "the page or the tolerances it describes are missing")),
    }
    match text_of("docs/theorems.md") {
        Some(page) => findings.extend(theorems(page)),
        None => findings.push(Finding::new("docs/theorems.md", 1, "the index of theorems is missing")),
    }
    let root = workspace_root();
    findings.extend(named_paths(files, |path| root.join(path).exists()));
    findings.extend(rings(files));
    findings.extend(dependencies(files));
    findings.extend(declared(files));
    findings.extend(module_docs(files));
    findings.extend(file_length(files, LONG_FILES));
    findings.extend(machine_paths(files));
    findings.extend(serialization_derives(files));
    findings.sort();
    findings
}
