//! What the pages say of the tree is true: files exist, and so do the tests that stand for the theorems.

use super::text::{Finding, Source};

const FOLDERS: [&str; 5] = ["crates/", "docs/", "oracles/", "examples/", "scripts/"];

/// Every path in code quotes on a page, from the root of the workspace, is that of a file or folder; a list in braces
/// stands for one path each, and `file::name` for a function of the file.
pub fn named_paths(files: &[Source], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in files.iter().filter(|file| file.path.ends_with(".md")) {
        for (number, name) in quoted(page) {
            let path = name.split_whitespace().next().unwrap_or_default();
            let (path, function) = path.split_once("::").map_or((path, None), |(path, name)| (path, Some(name)));
            if !FOLDERS.iter().any(|folder| path.starts_with(folder)) {
                continue;
            }
            for path in expanded(path) {
                if !exists(&path) {
                    let message = format!("there is no `{path}`; mend the path");
                    findings.push(Finding::new(&page.path, number, message));
                } else if let Some(function) = function
                    && !files.iter().any(|file| file.path == path && file.text.contains(&format!("fn {function}(")))
                {
                    let message = format!("`{path}` has no function `{function}`; mend the name");
                    findings.push(Finding::new(&page.path, number, message));
                }
            }
        }
    }
    findings
}

/// Every row of the index of theorems names a statement, its proof, a file and at least one test, as `file::test`.
pub fn theorems(page: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let rows =
        page.text.lines().enumerate().filter(|(_, line)| line.starts_with("| ") && !line.starts_with("| statement"));
    for (index, line) in rows {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let complete = cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty());
        if !complete || !cells[2].contains("crates/") || !cells[3].contains(".rs::") {
            let message = "a theorem needs: statement, proof, `crates/...` file, `file::test`";
            findings.push(Finding::new(&page.path, index + 1, message));
        }
    }
    findings
}

/// What stands in code quotes within one line, outside blocks of code.
fn quoted(page: &Source) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        inside ^= line.trim_start().starts_with("```");
        if !inside {
            found.extend(line.split('`').skip(1).step_by(2).map(|name| (index + 1, name)));
        }
    }
    found
}

/// The paths that a list in braces stands for.
fn expanded(path: &str) -> Vec<String> {
    match path.split_once('{').and_then(|(stem, rest)| Some((stem, rest.split_once('}')?))) {
        Some((stem, (list, end))) => list.split(',').map(|part| format!("{stem}{}{end}", part.trim())).collect(),
        None => vec![path.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let code = Source::new("crates/a/src/b.rs", "#[test]\nfn it_holds() {}\n");
        let page = Source::new("docs/a.md", text);
        let exists = |path: &str| ["crates/a/src/b.rs", "crates/a/src/", "docs/a.md"].contains(&path);
        named_paths(&[code, page], exists).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn paths_that_exist_pass_and_others_fail_with_their_line() {
        assert_eq!(messages("`crates/a/src/b.rs`, `crates/a/src/` and `docs/a.md --flag`; `src/c.rs`"), [""; 0]);
        assert_eq!(messages("```sh\nls `docs/z`\n```"), [""; 0]);
        let found = messages("one\nsee `crates/a/src/{b,c}.rs`");
        assert_eq!(found, ["docs/a.md:2: there is no `crates/a/src/c.rs`; mend the path"]);
    }

    #[test]
    fn functions_that_a_file_lacks_fail() {
        assert_eq!(messages("`crates/a/src/b.rs::it_holds`"), [""; 0]);
        let found = messages("`crates/a/src/b.rs::it_fails`");
        assert!(found.len() == 1 && found[0].contains("has no function `it_fails`"), "{found:?}");
    }

    #[test]
    fn a_theorem_without_a_test_fails() {
        let row = |test: &str| {
            let head = "| statement | proof | file | test |\n|---|---|---|---|\n";
            let row = format!("| one is one | [a.md](a.md), 1 | `crates/a/src/b.rs` | {test} |\n");
            theorems(&Source::new("docs/theorems.md", head.to_owned() + &row)).len()
        };
        assert_eq!((row("`crates/a/src/b.rs::it_holds`"), row(""), row("none")), (0, 1, 1));
    }
}
