//! The modules of a crate, as its files make them, and the file that a path in the code leads to.

use std::collections::BTreeMap;
use std::ops::Range;

use super::mask::{blank_all, code_only, without_tests};
use super::text::{Source, is_word, line_of};

/// Re-exports followed on the way to a name; more are a circle of re-exports.
const MOST_STEPS: usize = 16;

/// A name that a `use` brings into a module.
#[derive(Debug)]
struct Import {
    name: String,
    path: Vec<String>,
    exported: bool,
    line: usize,
}

/// One file with what it imports; tests inside it are left out.
#[derive(Debug)]
struct Module {
    file: String,
    imports: Vec<Import>,
    /// The code without comments, literals, tests and imports; lines stay where they are.
    code: String,
}

/// The modules of one crate by their path from its root.
#[derive(Debug, Default)]
pub(super) struct Modules {
    modules: BTreeMap<Vec<String>, Module>,
}

/// A line of one file that needs another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) path: String,
    pub(super) used: String,
}

impl Modules {
    /// The modules of the crate in a folder like `crates/rankscape`.
    pub(super) fn of_crate(files: &[Source], folder: &str) -> Self {
        let src = format!("{folder}/src/");
        let modules = files.iter().filter_map(|file| {
            let path = file.path.strip_prefix(&src)?.strip_suffix(".rs")?;
            let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
            if parts.last().is_some_and(|last| last == "mod") || ["lib", "main"].contains(&path) {
                parts.pop();
            }
            Some((parts, Module::read(file)))
        });
        Self { modules: modules.collect() }
    }

    /// Every use of another file: a private import, and a path or a re-exported name in the code.
    pub(super) fn uses(&self) -> Vec<Use> {
        let mut found = Vec::new();
        for (place, module) in &self.modules {
            let imported = module
                .imports
                .iter()
                .filter(|import| !import.exported || mentions(&module.code, &import.name))
                .map(|import| (import.line, import.path.clone()));
            for (line, path) in imported.chain(paths(&module.code)) {
                let Some((used, true)) = self.resolve(place, &path, MOST_STEPS) else { continue };
                if used != *place {
                    let used = self.modules[&used].file.clone();
                    found.push(Use { file: module.file.clone(), line, path: path.join("::"), used });
                }
            }
        }
        found
    }

    /// The module that a path leads to, and whether it names an item there; nothing if it leaves the crate or stays.
    fn resolve(&self, place: &[String], path: &[String], steps: usize) -> Option<(Vec<String>, bool)> {
        let steps = steps.checked_sub(1)?;
        let mut here = place.to_vec();
        for (at, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => here.clear(),
                "self" => {}
                "super" => {
                    here.pop()?;
                }
                name => {
                    let child: Vec<String> = here.iter().cloned().chain([name.to_owned()]).collect();
                    let is_child = self.modules.contains_key(&child);
                    let is_last = at + 1 == path.len();
                    let import = self.modules.get(&here)?.imports.iter().find(|import| import.name == name);
                    match import {
                        Some(import) if is_last || !is_child => {
                            let rest = import.path.iter().chain(&path[at + 1..]).cloned().collect::<Vec<_>>();
                            return self.resolve(&here, &rest, steps);
                        }
                        _ if is_child => here = child,
                        _ if at == 0 => return None,
                        _ => return Some((here, true)),
                    }
                }
            }
        }
        Some((here, false))
    }
}

impl Module {
    fn read(file: &Source) -> Self {
        let mut code = without_tests(&code_only(&file.text));
        let mut imports = Vec::new();
        for range in statements(&code) {
            let before = code[..range.start].rsplit(['\n', ';', '{', '}']).next().unwrap_or_default();
            let exported = before.trim_start().starts_with("pub");
            let line = line_of(&code, range.start);
            let tree = &code[range.start + "use ".len()..range.end];
            for (path, name) in branches(tree) {
                imports.push(Import { name, path, exported, line });
            }
        }
        blank_all(&mut code, statements);
        blank_all(&mut code, declarations);
        Self { file: file.path.clone(), imports, code }
    }
}

/// The `use` statements, each from its first word to its semicolon.
fn statements(code: &str) -> Vec<Range<usize>> {
    let starts = code.match_indices("use ").map(|(at, _)| at);
    starts
        .filter(|&at| !code[..at].chars().next_back().is_some_and(is_word))
        .map(|at| at..code[at..].find(';').map_or(code.len(), |length| at + length))
        .collect()
}

/// The paths of a tree of imports, each with the name it gets.
fn branches(tree: &str) -> Vec<(Vec<String>, String)> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).collect();
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let name = if name.is_empty() { path.last().cloned().unwrap_or_default() } else { name.trim().to_owned() };
        return vec![(path, name)];
    };
    let stem = &tree[..open];
    let inside = tree[open + 1..].rsplit_once('}').map_or("", |(inside, _)| inside);
    let (mut depth, mut from, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[from..]);
    parts
        .iter()
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| branches(&format!("{stem}{}", part.trim())))
        .collect()
}

/// The declarations of other files, `mod name;`, each from its first word to its semicolon.
fn declarations(code: &str) -> Vec<Range<usize>> {
    let starts = code.match_indices("mod ").filter(|&(at, _)| !code[..at].chars().next_back().is_some_and(is_word));
    let ends = starts.filter_map(|(at, _)| Some((at, at + code[at..].find([';', '{'])?)));
    ends.filter(|&(_, end)| code[end..].starts_with(';')).map(|(at, end)| at..end).collect()
}

/// Whether code names an item: a type or constant anywhere, a function where it is called and is no method.
fn mentions(code: &str, name: &str) -> bool {
    let is_function = name.chars().next().is_some_and(char::is_lowercase);
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (code[..at].chars().next_back(), code[at + name.len()..].chars().next());
        let stands_alone = !before.is_some_and(|c| is_word(c) || c == '.') && !after.is_some_and(is_word);
        stands_alone && (!is_function || (after == Some('(') && !code[..at].ends_with("fn ")))
    })
}

/// Line and segments of every path of at least two segments.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut end = 0;
    for (at, _) in code.match_indices("::") {
        if at < end {
            continue;
        }
        let start = code[..at].rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
        let length = code[start..].find(|c| !is_word(c) && c != ':').unwrap_or(code.len() - start);
        end = start + length;
        let path: Vec<String> =
            code[start..end].split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if start < at && path.len() > 1 {
            found.push((line_of(code, start), path));
        }
    }
    found
}
