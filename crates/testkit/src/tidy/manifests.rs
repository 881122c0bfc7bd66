//! Every dependency that a crate declares is one that it uses.

use super::mask::{code_only, without_tests};
use super::text::{Finding, Source, is_word};

/// Dependencies are named in the code under `src`, outside its tests; those of development in tests, benchmarks, examples or tests inside `src`.
pub fn dependencies(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in files.iter().filter(|file| file.path.starts_with("crates/") && file.path.ends_with("/Cargo.toml")) {
        let folder = manifest.path.trim_end_matches("Cargo.toml");
        let code: Vec<(&str, String)> = files
            .iter()
            .filter(|file| file.path.starts_with(folder) && file.path.ends_with(".rs"))
            .map(|file| (&file.path[folder.len()..], code_only(&file.text)))
            .collect();
        let mut section = "";
        for (number, line) in manifest.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
            if line.starts_with('[') {
                section = line;
                continue;
            }
            let folders: &[&str] = match section {
                "[dependencies]" => &["src/"],
                "[dev-dependencies]" => &["src/", "tests/", "benches/", "examples/"],
                _ => continue,
            };
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default().replace('-', "_");
            let for_tests = section == "[dev-dependencies]";
            let is_named = |(path, code): &(&str, String)| {
                let code = if for_tests { code.clone() } else { without_tests(code) };
                folders.iter().any(|folder| path.starts_with(folder)) && leads_a_path(&code, &name)
            };
            if !name.is_empty() && !name.starts_with('#') && !code.iter().any(is_named) {
                let message = format!("no file of {} names `{name}`; remove the dependency", folders.join(", "));
                findings.push(Finding::new(&manifest.path, number, message));
            }
        }
    }
    findings
}

/// Whether a path in the code begins with a name.
fn leads_a_path(code: &str, name: &str) -> bool {
    code.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| is_word(c) || c == ':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependency_that_no_code_names_fails() {
        let manifest = "[dependencies]\nnum-traits.workspace = true\nserde = { version = \"1\" }\n\n[dev-dependencies]\ntempfile = \"3\"\nzip = \"9\"\n";
        let files = [
            Source::new("crates/a/Cargo.toml", manifest),
            Source::new(
                "crates/a/src/lib.rs",
                "use num_traits::Zero; // serde::\nfn f(serde: u8) -> u8 { crate::serde::g() }\n#[cfg(test)]\nmod tests {\n    use serde::Deserialize;\n}",
            ),
            Source::new("crates/a/tests/suite/main.rs", "use serde::Serialize;\nfn f() { tempfile::tempdir(); }"),
            Source::new("crates/b/src/lib.rs", "use zip::read;"),
        ];
        let found: Vec<String> = dependencies(&files).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/a/Cargo.toml:3: no file of src/ names `serde`"), "{found:?}");
        assert!(found[1].starts_with("crates/a/Cargo.toml:7:") && found[1].contains("`zip`"), "{found:?}");
    }
}
