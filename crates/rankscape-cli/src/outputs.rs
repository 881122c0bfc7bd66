//! Outputs of a run, and why one is not written. There is one guard of all: none replaces an input, another output, or a file that exists without `--force`.
//!
//! It reads the arguments as they were given, so a new option is guarded as soon as its value is called FILE: an output if
//! its name is in [`OUTPUTS`], an input otherwise.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use rankscape::InputError;
use rankscape::critical::CriticalClass;
use rankscape_io::{are_linked, is_device, output_target};

use crate::given::Given;

/// Options that name a file to write.
const OUTPUTS: [&str; 5] = ["save", "leave", "near", "certificate", "report"];

/// Values that are files to read.
const FILES: [&str; 6] = ["FILE", "NAME|FILE", "FILE|DIR", "DIR|FILE", "Q0", "Q1"];

/// Extensions of pickles.
const PICKLES: [&str; 6] = ["pt", "pth", "ckpt", "bin", "pkl", "pickle"];

/// The schema of a document, and the number of bytes within which it stands.
const SCHEMA: &[u8] = b"\"rankscape.";
const HEAD: u64 = 64;

/// A file of the run and the option that names it.
struct Named {
    option: String,
    path: PathBuf,
}

/// Refuses a run whose outputs would replace something; nothing has been read or written yet.
pub(crate) fn check(command: &Command, matches: &ArgMatches) -> Result<(), InputError> {
    let given = Given::new(command, matches);
    let (inputs, outputs) = files(&given);
    let streams: Vec<&Named> = inputs.iter().filter(|input| is_standard_input(&input.path)).collect();
    if let [first, second, ..] = streams.as_slice() {
        return Err(InputError::new("standard input can be read only once")
            .value(format!("{} and {}", first.option, second.option))
            .hint("give one of them as a file"));
    }
    if given.has("force") && outputs.is_empty() && !given.has("out") {
        return Err(InputError::new("--force does nothing here: no output is named"));
    }
    for (at, output) in outputs.iter().enumerate() {
        check_output(output, &inputs, &outputs[..at], given.has("force"), given.has("quiet"))?;
    }
    let documents = given.path("out").map(|folder| documents(&given, &folder)).unwrap_or_default();
    for document in documents {
        let taken = inputs.iter().chain(&outputs).find(|other| same(&other.path, &document));
        if let Some(other) = taken {
            return Err(InputError::new(format!(
                "the document of this run would replace the file of {}",
                other.option
            ))
            .file(document.display())
            .hint("choose another folder for --out"));
        }
        if document.exists() && !given.has("force") && !is_document(&document) {
            return Err(InputError::new(
                "a file that is no document of rankscape has the name of the document of this run",
            )
            .file(document.display())
            .hint("choose another folder for --out, or say --force to replace it"));
        }
    }
    Ok(())
}

fn files(given: &Given<'_>) -> (Vec<Named>, Vec<Named>) {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for (argument, values) in given.arguments() {
        let is_file = argument.get_value_names().unwrap_or_default().iter().any(|name| FILES.contains(&name.as_str()));
        let id = argument.get_id().as_str();
        let option =
            if argument.is_positional() { "the argument".to_owned() } else { format!("--{}", id.replace('_', "-")) };
        for value in values.into_iter().filter(|_| is_file) {
            let named = |path: &str| Named { option: option.clone(), path: PathBuf::from(path) };
            let is_output = OUTPUTS.contains(&id) && !argument.is_positional();
            if is_output || (id == "start" && !Path::new(&value).exists()) {
                outputs.push(named(&value));
            } else if !value.starts_with("example:") {
                match value.split_once(',').filter(|_| id == "data" && !Path::new(&value).exists()) {
                    Some((x, y)) => inputs.extend([named(x.trim()), named(y.trim())]),
                    None => inputs.push(named(&value)),
                }
            }
        }
    }
    (inputs, outputs)
}

fn check_output(
    output: &Named,
    inputs: &[Named],
    others: &[Named],
    force: bool,
    quiet: bool,
) -> Result<(), InputError> {
    let path = &output.path;
    let error = |problem: &str| InputError::new(problem).file(path.display());
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    // A start set has a form of its own, under any name.
    let is_start = output.option == "--start";
    if PICKLES.contains(&extension.as_str()) && !is_start {
        return Err(error("Python pickles are not written")
            .value(format!("{} {}", output.option, path.display()))
            .hint("write .safetensors: in Python, safetensors.torch.load_file(name) gives the same dictionary"));
    }
    if is_standard_output(path) && !quiet {
        return Err(error("standard output has the answer already").hint("add --quiet, or name a file"));
    }
    if is_device(path) {
        return Ok(());
    }
    let both = |other: &Named| format!("{} and {} name the same", output.option, other.option);
    // What lies in a folder that is read may be read.
    let inside = |input: &Named| input.path.is_dir() && output_target(path).is_file() && in_folder(path, &input.path);
    if let Some(input) = inputs.iter().find(|input| same(&input.path, path) || inside(input)) {
        return Err(error("the output would overwrite an input").value(both(input)).hint("choose another name"));
    }
    if let Some(other) = others.iter().find(|other| same(&other.path, path)) {
        return Err(error("two outputs would overwrite each other").value(both(other)).hint("choose another name"));
    }
    if output_target(path).is_file() && !force && !is_start {
        return Err(error("the file exists already").hint("choose another name, or say --force to replace it"));
    }
    Ok(())
}

/// The documents that a verb may write into the folder.
fn documents(given: &Given<'_>, folder: &Path) -> Vec<PathBuf> {
    let mut names = vec![given.verb()];
    if given.verb() == "critical" {
        names.extend(["strata", "construct"]);
    }
    if given.has("dry_run") {
        names.push("cost");
    }
    names.into_iter().map(|name| folder.join(format!("{name}.json"))).collect()
}

/// The file itself, not one behind a link, is a document that an earlier run wrote.
fn is_document(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    !path.is_symlink() && read.is_ok() && head.windows(SCHEMA.len()).any(|part| part == SCHEMA)
}

fn in_folder(path: &Path, folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| identity(path).parent() == Some(&folder))
}

/// Two names of one file, also through links.
fn same(a: &Path, b: &Path) -> bool {
    identity(a) == identity(b) || are_linked(a, b)
}

/// The file behind a name, whether it is there or not.
fn identity(path: &Path) -> PathBuf {
    let target = output_target(path);
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let there = target.canonicalize().ok();
    let folder = || folder.canonicalize().ok().zip(target.file_name()).map(|(folder, name)| folder.join(name));
    there.or_else(folder).unwrap_or_else(|| target.clone())
}

fn is_standard_output(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

fn is_standard_input(path: &Path) -> bool {
    ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path == Path::new(name))
}

/// Why a point of this class has no path to write.
pub(crate) fn why_no_path(class: CriticalClass) -> &'static str {
    match class {
        CriticalClass::GlobalMinimum => "nothing is lower",
        CriticalClass::Undecided => "the class is undecided",
        _ => "no path was found that rounding errors allow",
    }
}
