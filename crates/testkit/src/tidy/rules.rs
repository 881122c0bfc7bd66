//! Rules on single files and on pairs of a document and the code it describes.

use std::collections::BTreeMap;

use super::mask::code_only;
use super::text::{Finding, Source};

/// Source files of more than 500 lines that stay so, each with the reason.
pub const LONG_FILES: &[(&str, &str)] = &[];

/// A longer source file needs an entry in [`LONG_FILES`].
pub(super) const MOST_LINES: usize = 500;

/// Rust source under `crates/`.
pub fn is_source(file: &Source) -> bool {
    file.path.starts_with("crates/") && file.path.ends_with(".rs")
}

fn lines(file: &Source) -> impl Iterator<Item = (usize, &str)> {
    file.text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The path of a file below `src` of a crate.
fn in_crate<'a>(file: &'a Source, name: &str) -> Option<&'a str> {
    file.path.strip_prefix("crates/")?.strip_prefix(name)?.strip_prefix("/src/")
}

/// Every Rust file of a crate is declared by the file above it, so none is forgotten by the compiler; each crate has one
/// binary of integration tests, `tests/suite`.
pub fn declared(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_source(file)) {
        let Some((folder, name)) = file.path.strip_suffix(".rs").and_then(|path| path.rsplit_once('/')) else {
            continue;
        };
        let (folder, name) =
            if name == "mod" { folder.rsplit_once('/').unwrap_or((folder, name)) } else { (folder, name) };
        let place = folder.split('/').nth(2).unwrap_or_default();
        let is_root = match place {
            "src" => folder.ends_with("/src") && ["lib", "main"].contains(&name),
            "tests" => folder.ends_with("/tests/suite") && name == "main",
            _ => name == "main" || folder.split('/').count() == 3,
        };
        if is_root {
            continue;
        }
        let parents = ["/lib.rs", "/main.rs", "/mod.rs", ".rs"].map(|end| format!("{folder}{end}"));
        let declaration = format!("mod {name};");
        let is_declared = |parent: &&Source| {
            let code = code_only(&parent.text);
            code.lines().any(|line| line.trim_start_matches("pub ").trim_start_matches("pub(crate) ") == declaration)
        };
        if !files.iter().filter(|other| parents.contains(&other.path)).any(|parent| is_declared(&parent)) {
            let message = format!("no file above it says `{declaration}`, so it is not compiled; declare it");
            findings.push(Finding::new(&file.path, 1, message));
        }
    }
    findings
}

/// Every Rust file starts with `//!` documentation.
pub fn module_docs(files: &[Source]) -> Vec<Finding> {
    let documented = |file: &&Source| {
        let first = file.text.lines().find(|line| !line.trim().is_empty());
        first.is_some_and(|line| line.starts_with("//!"))
    };
    let message = "no module documentation; say in a first line `//! ...` what this file is about";
    files
        .iter()
        .filter(|file| is_source(file))
        .filter(|file| !documented(file))
        .map(|file| Finding::new(&file.path, 1, message))
        .collect()
}

/// No source file is over-long unless `exceptions` says why, and no exception is out of date.
pub fn file_length(files: &[Source], exceptions: &[(&str, &str)]) -> Vec<Finding> {
    let source = |file: &&Source| [".rs", ".py", ".js"].iter().any(|end| file.path.ends_with(end));
    let excepted = |path: &str| exceptions.iter().any(|(name, _)| *name == path);
    let long: BTreeMap<&str, usize> = files
        .iter()
        .filter(source)
        .map(|file| (file.path.as_str(), file.text.lines().count()))
        .filter(|&(_, count)| count > MOST_LINES)
        .collect();
    let too_long = long.iter().filter(|(path, _)| !excepted(path)).map(|(path, count)| {
        let message =
            format!("{count} lines, more than {MOST_LINES}; split the file, or add it to LONG_FILES with the reason");
        Finding::new(path, MOST_LINES + 1, message)
    });
    let stale = exceptions.iter().filter(|(path, _)| !long.contains_key(path)).map(|(path, _)| {
        Finding::new(path, 1, format!("listed in LONG_FILES but not longer than {MOST_LINES} lines; remove the entry"))
    });
    too_long.chain(stale).collect()
}

/// Every citation (a key after an at sign, in square brackets) has an entry in the bibliography, and no key stands in square
/// brackets without its at sign.
pub fn citations(bibliography: &Source, files: &[Source]) -> Vec<Finding> {
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_:.-".contains(c);
    let keys: Vec<&str> = bibliography
        .text
        .lines()
        .filter_map(|line| line.strip_prefix('@')?.split_once('{')?.1.strip_suffix(','))
        .map(str::trim)
        .collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs") || file.path.ends_with(".md")) {
        for (number, line) in lines(file) {
            for (at, mark) in line.match_indices("[@") {
                let key =
                    line[at + mark.len()..].split(|c| !is_key(c)).next().unwrap_or("").trim_end_matches(['.', ':']);
                if !key.is_empty() && !keys.contains(&key) {
                    let message =
                        format!("citation key `{key}` is not in {}; add the entry or mend the key", bibliography.path);
                    findings.push(Finding::new(&file.path, number, message));
                }
            }
            for (at, mark) in line.match_indices('[') {
                let inside = &line[at + mark.len()..];
                let key = inside.split([',', ';', ']']).next().unwrap_or("");
                if inside.contains(']') && keys.contains(&key) {
                    let message =
                        format!("the citation of `{key}` lacks its at sign, so that no rule reads it; add it");
                    findings.push(Finding::new(&file.path, number, message));
                }
            }
        }
    }
    findings
}

/// No file names a folder of one machine.
pub fn machine_paths(files: &[Source]) -> Vec<Finding> {
    const FOLDERS: [&str; 5] = ["home", "root", "work", "tmp", "Users"];
    let inside = |c: char| c.is_alphanumeric() || "_-./:~)}>*".contains(c);
    let ends = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-');
    let names_machine = |line: &str| {
        let unix = FOLDERS.iter().any(|folder| {
            let path = format!("/{folder}");
            line.match_indices(&path).any(|(at, _)| {
                let before = line[..at].chars().next_back().unwrap_or(' ');
                let after = line[at + path.len()..].chars().next().unwrap_or(' ');
                !inside(before) && ends(after)
            })
        });
        let drive = line.match_indices(":\\").any(|(at, _)| {
            let mut before = line[..at].chars().rev();
            let letter = before.next().is_some_and(|c| c.is_ascii_uppercase());
            letter && !before.next().is_some_and(char::is_alphanumeric)
        });
        unix || drive
    };
    let message =
        "absolute path of a machine; use a path from the root of the project, or a temporary folder made on the spot";
    let mut findings = Vec::new();
    for file in files {
        findings.extend(
            lines(file)
                .filter(|(_, line)| names_machine(line))
                .map(|(number, _)| Finding::new(&file.path, number, message)),
        );
    }
    findings
}

/// Serialization is derived in `rankscape-io` only.
pub fn serialization_derives(files: &[Source]) -> Vec<Finding> {
    let watched = |file: &&Source| ["rankscape", "rankscape-cli"].iter().any(|name| in_crate(file, name).is_some());
    let message = "serialization is derived outside `rankscape-io`; keep the type plain and give it a document there";
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_source(file)).filter(watched) {
        let code = code_only(&file.text);
        for (at, _) in code.match_indices("derive(") {
            let list = code[at..].split(')').next().unwrap_or("");
            if list.contains("Serialize") || list.contains("Deserialize") {
                findings.push(Finding::new(&file.path, code[..at].matches('\n').count() + 1, message));
            }
        }
    }
    findings
}

/// `docs/accuracy.md` has a section, with the right default, for every tolerance, and none for others. A section is a
/// heading that is the name in code quotes, followed by a line `Default: ` with the number in code quotes.
pub fn accuracy_entries(code: &Source, page: &Source) -> Vec<Finding> {
    let quoted = |text: &str| text.split('`').nth(1).map(str::to_owned);
    let declared: Vec<(usize, String, f64)> = lines(code)
        .skip_while(|(_, line)| line.trim() != "tolerances! {")
        .skip(1)
        .take_while(|(_, line)| line.trim() != "}")
        .filter_map(|(number, line)| {
            let (name, value) = line.trim().strip_suffix(';')?.split_once(" = ")?;
            Some((number, name.to_owned(), value.parse().ok()?))
        })
        .collect();
    let mut sections: Vec<(usize, String, Option<f64>)> = Vec::new();
    for (number, line) in lines(page) {
        if line.starts_with('#') && line.contains('`') {
            sections.push((number, quoted(line).unwrap_or_default(), None));
        } else if line.starts_with("Default: ")
            && let Some(section) = sections.last_mut()
        {
            section.2 = quoted(line).and_then(|text| text.parse().ok());
        }
    }
    let mut findings = Vec::new();
    if declared.is_empty() {
        findings.push(Finding::new(&code.path, 1, "no block `tolerances! {` was found; mend the rule that reads it"));
    }
    for (number, name, value) in &declared {
        match sections.iter().find(|(_, section, _)| section == name) {
            None => {
                let message =
                    format!("tolerance `{name}` has no section in {}; write what it bounds and what not", page.path);
                findings.push(Finding::new(&code.path, *number, message));
            }
            Some((at, _, default)) if *default != Some(*value) => {
                let message =
                    format!("the default of `{name}` is {value:e}; write it on a line `Default: ` in code quotes");
                findings.push(Finding::new(&page.path, *at, message));
            }
            Some(_) => {}
        }
    }
    for (at, name, _) in sections.iter().filter(|(_, name, _)| !declared.iter().any(|(_, other, _)| other == name)) {
        findings.push(Finding::new(&page.path, *at, format!("there is no tolerance `{name}`; remove the section")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Vec<Source> {
        vec![Source::new(path, text)]
    }

    #[test]
    fn file_without_module_docs_fails() {
        assert_eq!(module_docs(&one("crates/a/src/b.rs", "fn f() {}")).len(), 1);
        assert_eq!(module_docs(&one("crates/a/tests/b.rs", "\n//! About.\nfn f() {}")).len(), 0);
    }

    #[test]
    fn file_that_no_other_declares_fails() {
        let files = [
            Source::new("crates/a/src/lib.rs", "pub mod b;\n#[cfg(test)]\nmod c;"),
            Source::new("crates/a/src/b/mod.rs", "pub(crate) mod d;"),
            Source::new("crates/a/src/b/d.rs", ""),
            Source::new("crates/a/src/c.rs", "// mod e;"),
            Source::new("crates/a/src/c/e.rs", ""),
            Source::new("crates/a/tests/suite/main.rs", "mod f;"),
            Source::new("crates/a/tests/suite/f.rs", ""),
            Source::new("crates/a/tests/g.rs", ""),
            Source::new("crates/a/benches/h.rs", ""),
        ];
        let found: Vec<String> = declared(&files).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["crates/a/src/c/e.rs", "crates/a/tests/g.rs"]);
    }

    #[test]
    fn long_file_fails_unless_excepted_and_stale_exceptions_fail() {
        let long = one("crates/a/src/b.rs", &"x\n".repeat(501));
        assert_eq!(file_length(&long, &[]).len(), 1);
        assert_eq!(file_length(&long, &[("crates/a/src/b.rs", "one table")]).len(), 0);
        let short = one("crates/a/src/b.rs", "x\n");
        assert!(file_length(&short, &[("crates/a/src/b.rs", "one table")])[0].message.contains("remove the entry"));
    }

    #[test]
    fn citation_without_an_entry_fails_with_its_line() {
        let bibliography = Source::new("docs/references.bib", "@article{TKB,\n title = {x},\n}\n");
        let open = "[@";
        let text = format!("//! Known {open}TKB, Theorem 4].\n//! Unknown {open}Nobody2099].");
        let found = citations(&bibliography, &one("crates/a/src/b.rs", &text));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].message.contains("Nobody2099")), (2, true));
    }

    #[test]
    fn key_in_square_brackets_without_its_at_sign_fails() {
        let bibliography = Source::new("docs/references.bib", "@article{TKB,\n title = {x},\n}\n");
        for (inside, count) in [("TKB", 1), ("TKB, Table 2", 1), ("TKBs", 0), ("other", 0)] {
            assert_eq!(citations(&bibliography, &one("docs/a.md", &format!("[{inside}]"))).len(), count, "{inside}");
        }
    }

    #[test]
    fn path_of_a_machine_fails_and_look_alikes_pass() {
        for folder in ["home/me/x", "root", "work/y", "tmp/z.txt", "Users/me"] {
            assert_eq!(machine_paths(&one("a.md", &format!("see `/{folder}` there"))).len(), 1, "{folder}");
        }
        assert_eq!(machine_paths(&one("a.md", &format!("open {}:\\data", 'C'))).len(), 1);
        let fine = "https://example.org/home/x and src/work/y, ./tmp, /rooted, /homes and std::env::temp_dir()";
        assert_eq!(machine_paths(&one("a.md", fine)), []);
    }

    #[test]
    fn serialization_outside_io_fails() {
        let text = "//! x\n#[derive(Debug,\n    Serialize)]\nstruct A;";
        let found = serialization_derives(&one("crates/rankscape/src/data.rs", text));
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [2]);
        assert_eq!(serialization_derives(&one("crates/rankscape-io/src/documents.rs", text)), []);
        assert_eq!(serialization_derives(&one("crates/testkit/src/oracles.rs", text)), []);
    }

    #[test]
    fn tolerance_without_section_or_with_another_default_fails() {
        let code = Source::new("t.rs", "tolerances! {\n    /// Doc.\n    rank = 32.0;\n    tie = 1e-3;\n}\n");
        let page = |text: &str| Source::new("a.md", text);
        assert_eq!(accuracy_entries(&code, &page("## `rank`\nDefault: `32.0`.\n## `tie`\nDefault: `1e-3` (u).\n")), []);
        let found = accuracy_entries(&code, &page("## `rank`\nDefault: `31`.\n## `gap`\nDefault: `1`.\n"));
        let messages: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert!(messages[0].starts_with("a.md:1: the default of `rank`"));
        assert!(messages[1].starts_with("t.rs:4: tolerance `tie` has no section"));
        assert!(messages[2].starts_with("a.md:3: there is no tolerance `gap`"));
    }
}
