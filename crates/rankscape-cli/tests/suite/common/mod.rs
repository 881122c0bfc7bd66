//! Runs of the command in a folder of their own, and the files they read.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use testkit::oracles::Rows;

/// What a run of the command left behind.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs the command inside `folder`.
pub fn rankscape(folder: &Path, arguments: &[&str]) -> Run {
    let output = Command::cargo_bin("rankscape").unwrap().current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let run = Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert!(!format!("{run:?}").contains("panicked"), "{arguments:?}: {run:?}");
    run
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The schema of the documents called `name`.
pub fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join(format!("docs/schema/{name}.schema.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A document obeys the schema called `name`.
#[track_caller]
pub fn assert_valid(name: &str, document: &Value) {
    let schema = schema(name);
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}

/// The arguments, with `--force` where they name an output: many runs write the same name.
pub fn forced<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let writes = arguments.iter().any(|argument| ["--save", "--leave", "--near", "--certificate"].contains(argument));
    arguments.iter().copied().chain(writes.then_some("--force")).collect()
}

/// The document of a run that ends with `code` and without a message; it obeys the schema that it names.
#[track_caller]
pub fn answer(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let run = rankscape(folder, &forced(&[arguments, &["--json"]].concat()));
    assert!(run.code == code && run.stderr.is_empty(), "{arguments:?}: {run:?}");
    let document = run.json();
    let name = document["schema"].as_str().and_then(|schema| schema.split(['.', '/']).nth(1)).unwrap();
    assert_valid(name, &document);
    document
}

/// A run was refused with a message that has all the parts.
#[track_caller]
pub fn assert_refused(run: &Run, parts: &[&str]) {
    assert_eq!(run.code, 2, "{run:?}");
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} is not in {}", run.stderr);
    }
}

/// The document of `diagnose --json` on `w.json` and `d.json` with more arguments, after an exit with `code`.
pub fn diagnosed(folder: &Path, more: &[&str], code: i32) -> Value {
    let arguments = [&["diagnose", "--json", "--weights", "w.json", "--data", "d.json"], more].concat();
    let run = rankscape(folder, &forced(&arguments));
    assert_eq!(run.code, code, "{run:?}");
    assert!(run.stderr.is_empty(), "{run:?}");
    run.json()
}

/// Names of what lies in a folder, sorted.
pub fn listing(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Rows and columns exchanged; `rows` must not be empty.
pub fn transposed(rows: &Rows) -> Rows {
    (0..rows[0].len()).map(|j| rows.iter().map(|row| row[j]).collect()).collect()
}

/// The entries are integers.
pub fn are_integers(rows: &Rows) -> bool {
    rows.iter().flatten().all(|entry| entry.fract() == 0.0)
}

/// Rows as JSON, integers without a decimal point.
pub fn json_rows(rows: &Rows) -> String {
    let row = |row: &Vec<f64>| {
        let entry = |x: &f64| if x.fract() == 0.0 { format!("{x:.0}") } else { format!("{x:?}") };
        format!("[{}]", row.iter().map(entry).collect::<Vec<_>>().join(", "))
    };
    format!("[{}]", rows.iter().map(row).collect::<Vec<_>>().join(", "))
}

/// Named matrices as a JSON object.
pub fn json_arrays(arrays: &[(String, String)]) -> String {
    let members: Vec<String> = arrays.iter().map(|(name, text)| format!("\"{name}\": {text}")).collect();
    format!("{{{}}}", members.join(", "))
}

/// Writes matrices `W1`, ..., `Wh`.
pub fn put_weights(folder: &Path, name: &str, factors: &[Rows]) {
    let arrays: Vec<(String, String)> =
        factors.iter().enumerate().map(|(k, rows)| (format!("W{}", k + 1), json_rows(rows))).collect();
    std::fs::write(folder.join(name), json_arrays(&arrays)).unwrap();
}

/// Writes samples, a row each; `x` and `y` have them as columns.
pub fn put_samples(folder: &Path, name: &str, x: &Rows, y: &Rows) {
    let arrays = [("X".to_owned(), json_rows(&transposed(x))), ("Y".to_owned(), json_rows(&transposed(y)))];
    std::fs::write(folder.join(name), json_arrays(&arrays)).unwrap();
}

/// The numbers agree up to `tolerance` times the larger of 1 and the expected one.
#[track_caller]
pub fn assert_close(found: &Value, expected: f64, tolerance: f64, what: &str) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{what}: {found}"));
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{what}: {found} {expected}");
}
