//! The layer table of `ARCHITECTURE.md` and the imports it allows.

use std::collections::BTreeMap;

use super::mask::code_only;
use super::text::{Finding, Source, is_word, line_of, words};

const SRC: &str = "crates/rankscape/src/";
const BEGIN: &str = "<!-- layers:begin -->";
const END: &str = "<!-- layers:end -->";

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    layer: usize,
    beside: Vec<String>,
    exists: bool,
    line: usize,
}

/// The layer table: `| layer | module | also uses | today | owns |` between two marks.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    rows: BTreeMap<String, Row>,
}

impl Layers {
    /// Reads the table from the page; also returns what is wrong with it.
    pub fn parse(page: &Source) -> (Self, Vec<Finding>) {
        let mut layers = Self::default();
        let mut findings = Vec::new();
        let mut inside = false;
        for (number, line) in page.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
            if line == BEGIN || line == END {
                inside = line == BEGIN;
            }
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            if !inside || !line.starts_with('|') || cells[0] == "layer" || cells[0].starts_with('-') {
                continue;
            }
            let mut complain = |message: String| findings.push(Finding::new(&page.path, number, message));
            let (Ok(layer), 5) = (cells[0].parse(), cells.len()) else {
                complain("a row of the layer table needs: layer number, `module`, also uses, today, owns".to_owned());
                continue;
            };
            let names = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
            let exists = match cells[3] {
                "yes" => true,
                "planned" => false,
                other => {
                    complain(format!("column today says `{other}`; write yes or planned"));
                    continue;
                }
            };
            for name in names(cells[1]) {
                let row = Row { layer, beside: names(cells[2]), exists, line: number };
                if layers.rows.insert(name.clone(), row).is_some() {
                    complain(format!("module `{name}` has two rows; keep one"));
                }
            }
        }
        if layers.rows.is_empty() {
            findings.push(Finding::new(&page.path, 1, format!("no layer table between {BEGIN} and {END}; add it")));
        }
        (layers, findings)
    }

    /// What forbids `user` to import `used`, if anything does.
    fn objection(&self, user: &str, used: &str) -> Option<String> {
        let (from, to) = (self.rows.get(user)?, self.rows.get(used)?);
        if user == used || to.layer < from.layer {
            return None;
        }
        if to.layer > from.layer {
            return Some(format!(
                "`{user}` (layer {}) uses `{used}` (layer {}), which lies above it; move the code down, or pass what is \
                 needed as an argument",
                from.layer, to.layer
            ));
        }
        let listed = from.beside.iter().any(|name| name == used);
        (!listed).then(|| {
            format!(
                "`{user}` uses `{used}` in the same layer {} without an entry; list it under `also uses` in \
                 ARCHITECTURE.md, unless an invariant there forbids it",
                from.layer
            )
        })
    }
}

/// The imports inside the library obey the table, and the table tells the truth about which modules exist.
pub fn layering(page: &Source, files: &[Source]) -> Vec<Finding> {
    let (layers, mut findings) = Layers::parse(page);
    let modules: Vec<(&Source, Vec<&str>)> = files
        .iter()
        .filter_map(|file| {
            let path = file.path.strip_prefix(SRC)?.strip_suffix(".rs")?;
            let parts: Vec<&str> = path.split('/').filter(|part| *part != "mod").collect();
            (parts != ["lib"]).then_some((file, parts))
        })
        .collect();
    let exports = files.iter().find(|file| file.path == format!("{SRC}lib.rs")).map(|lib| exports(&lib.text));
    let exports = exports.unwrap_or_default();

    for (name, row) in &layers.rows {
        let found = modules.iter().any(|(_, parts)| parts[0] == name);
        if found != row.exists {
            let say = if found { "exists; write yes" } else { "does not exist; write planned" };
            findings.push(Finding::new(&page.path, row.line, format!("module `{name}` {say} in column today")));
        }
    }
    for (file, parts) in &modules {
        let user = parts[0];
        if !layers.rows.contains_key(user) {
            let message = format!("module `{user}` has no row in the layer table of ARCHITECTURE.md; add one");
            findings.push(Finding::new(&file.path, 1, message));
            continue;
        }
        for (line, name) in uses(&code_only(&file.text), parts.len()) {
            // A module and a function of the root may share a name; a path leads through the module.
            let used = exports.get(&name).filter(|_| !layers.rows.contains_key(&name)).unwrap_or(&name);
            if let Some(message) = layers.objection(user, used) {
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings.dedup();
    findings
}

/// Names that the root re-exports, with the module they come from.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let code = code_only(lib);
    let mut found = BTreeMap::new();
    for statement in code.split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let path = path.trim().trim_start_matches("crate::");
        let Some((module, rest)) = path.split_once("::") else { continue };
        for name in words(rest) {
            found.insert(name.to_owned(), module.to_owned());
        }
    }
    found
}

/// Line and first name of every path from the root of the crate: `crate::name`, `crate::{name::.., name}`, or as many
/// `super::` as the file is deep.
fn uses(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for prefix in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in code.match_indices(&prefix) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if is_word(before) || before == ':' {
                continue;
            }
            let start = at + prefix.len();
            let rest = &code[start..];
            if let Some(group) = rest.strip_prefix('{') {
                for (offset, name) in group_heads(group) {
                    found.push((line_of(code, start + 1 + offset), name));
                }
            } else if let Some(name) = words(rest).next().filter(|name| rest.starts_with(name)) {
                found.push((line_of(code, at), name.to_owned()));
            }
        }
    }
    found
}

/// First names of the items of a `{...}` group, up to its closing brace.
fn group_heads(group: &str) -> Vec<(usize, String)> {
    let (mut depth, mut expects, mut found) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects = true,
            _ if expects && is_word(c) => {
                found.extend(words(&group[at..]).next().map(|name| (at, name.to_owned())));
                expects = false;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
<!-- layers:begin -->
| layer | module | also uses | today | owns |
|---|---|---|---|---|
| 0 | `error` | | yes | errors |
| 0 | `tolerance` | `error` | yes | bounds |
| 1 | `linalg` | | yes | ranks |
| 2 | `flow` | | planned | descent |
<!-- layers:end -->
";

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let page = Source::new("ARCHITECTURE.md", TABLE);
        let mut sources = vec![
            Source::new("crates/rankscape/src/lib.rs", "pub use linalg::{Matrix, deep::Rank};"),
            Source::new("crates/rankscape/src/error.rs", ""),
            Source::new("crates/rankscape/src/tolerance.rs", "use crate::error::Error;"),
            Source::new("crates/rankscape/src/linalg/mod.rs", "use crate::{error, tolerance::Tolerances};"),
        ];
        sources.extend(files.iter().map(|(path, text)| Source::new(*path, *text)));
        layering(&page, &sources).iter().map(ToString::to_string).collect()
    }

    fn single(files: &[(&str, &str)]) -> String {
        let all = findings(files);
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    #[test]
    fn downward_and_listed_sideways_imports_pass() {
        assert_eq!(findings(&[]), [""; 0]);
    }

    #[test]
    fn upward_import_fails_in_every_spelling() {
        for text in [
            "\nuse crate::linalg::Matrix;",
            "\nfn f() { crate::linalg::rank(); }",
            "\nuse crate::{error::Error, linalg};",
            "\nuse crate::Matrix;",
            "\nuse crate::Rank;",
        ] {
            let found = single(&[("crates/rankscape/src/error/more.rs", text)]);
            assert!(
                found.starts_with("crates/rankscape/src/error/more.rs:2: `error` (layer 0) uses `linalg`"),
                "{found}"
            );
        }
        let found = single(&[("crates/rankscape/src/error/more.rs", "use super::super::linalg::Matrix;")]);
        assert!(found.contains("lies above"), "{found}");
    }

    #[test]
    fn sideways_import_that_is_not_listed_fails() {
        let found = single(&[("crates/rankscape/src/error/more.rs", "use crate::tolerance::Tolerances;")]);
        assert!(found.contains("same layer 0 without an entry"), "{found}");
    }

    #[test]
    fn comments_may_point_upward() {
        assert_eq!(findings(&[("crates/rankscape/src/error/more.rs", "//! See [`crate::linalg`].")]), [""; 0]);
    }

    #[test]
    fn module_without_a_row_fails() {
        let found = single(&[("crates/rankscape/src/extra.rs", "")]);
        assert!(found.starts_with("crates/rankscape/src/extra.rs:1: module `extra` has no row"), "{found}");
    }

    #[test]
    fn table_that_is_behind_the_code_fails() {
        let found = single(&[("crates/rankscape/src/flow.rs", "")]);
        assert!(found.starts_with("ARCHITECTURE.md:7: module `flow` exists; write yes"), "{found}");
    }

    #[test]
    fn page_without_a_table_fails() {
        let page = Source::new("ARCHITECTURE.md", "nothing");
        assert!(layering(&page, &[])[0].message.contains("no layer table"));
    }
}
