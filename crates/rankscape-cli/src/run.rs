//! A run of the command: its common options, and how an answer leaves it.

use std::cell::RefCell;
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use rankscape::InputError;
use rankscape::answers::Settings;
use rankscape_io::documents::{Document, ErrorDocument, RunDocument, to_json, write_json};
use rankscape_io::write_atomically_by;

use crate::arguments::CommonOptions;
use crate::progress::{Progress, Waiting};

/// Answered.
pub(crate) const ANSWERED: u8 = 0;
/// Internal failure.
pub(crate) const FAILED: u8 = 1;
/// Bad usage or bad input.
pub(crate) const BAD_INPUT: u8 = 2;
/// Answered, but something that was asked for is undecided.
pub(crate) const UNDECIDED: u8 = 3;
/// A verification failed.
pub(crate) const FAILED_CHECK: u8 = 4;

/// What a verb answers: the text for standard output and the exit code.
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) code: u8,
}

/// What all verbs share.
pub(crate) struct Run<'a> {
    pub(crate) common: &'a CommonOptions,
    started: Instant,
    waiting: RefCell<Option<Waiting>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(common: &'a CommonOptions, started: Instant) -> Self {
        Self { common, started, waiting: RefCell::new(Waiting::new(common)) }
    }

    /// A bar for so many pieces of work.
    pub(crate) fn progress(&self, total: u64) -> Progress {
        self.waiting.take();
        Progress::new(self.common, total)
    }

    pub(crate) fn seed(&self) -> u64 {
        self.common.seed
    }

    pub(crate) fn threads(&self) -> usize {
        self.common.thread_count()
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings { seed: self.seed(), threads: self.threads() }
    }

    /// The outcome of a verb: the document into the folder of `--out`, and document, text or nothing for standard output. A
    /// document may be long, so its text is not held: it goes to the file and to standard output as it is made.
    pub(crate) fn finish<D: Document>(
        &self,
        mut document: D,
        text: impl FnOnce(&D) -> String,
        code: u8,
    ) -> Result<Outcome, InputError> {
        self.waiting.take();
        *document.run() = RunDocument {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seconds: self.started.elapsed().as_secs_f64(),
            threads: self.threads(),
        };
        let lines = |out: &mut dyn Write| {
            write_json(&document, &mut &mut *out)?;
            out.write_all(b"\n")
        };
        if let Some(folder) = &self.common.out {
            make_folder(folder)?;
            write_atomically_by(&folder.join(format!("{}.json", D::NAME)), |file| lines(file))?;
        }
        if self.common.json {
            let mut out = BufWriter::new(std::io::stdout().lock());
            let code = written(lines(&mut out).and_then(|()| out.flush()), code);
            return Ok(Outcome { text: String::new(), code });
        }
        Ok(Outcome { text: if self.common.quiet { String::new() } else { text(&document) }, code })
    }
}

/// [`UNDECIDED`] or [`ANSWERED`].
pub(crate) fn code_of(undecided: bool) -> u8 {
    if undecided { UNDECIDED } else { ANSWERED }
}

/// This command as it was typed, without these options, to be copied; words with blanks or signs of the shell are quoted.
pub(crate) fn command_without(options: &[&str]) -> String {
    let flags = ["--details", "--force", "--quiet", "--no-progress"];
    let mut words = vec!["rankscape".to_owned()];
    let mut arguments = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = arguments.next() {
        let name = word.split('=').next().unwrap_or_default();
        if options.contains(&name) {
            if !word.contains('=') {
                arguments.next();
            }
        } else if !flags.contains(&name) {
            words.push(quoted(word));
        }
    }
    words.join(" ")
}

fn quoted(word: String) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Prints the answer. A reader that closed the pipe is no failure.
pub(crate) fn print(text: &str, code: u8) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let text = if wants_colour() { with_bold_labels(text) } else { text.to_owned() };
    ExitCode::from(written(out.write_all(text.as_bytes()).and_then(|()| out.flush()), code))
}

/// Standard output is a terminal that shows colours, and nobody objects (NO_COLOR).
fn wants_colour() -> bool {
    let says_no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    std::io::stdout().is_terminal() && !says_no && !is_dumb
}

/// The first line and the labels before two blanks in bold.
fn with_bold_labels(text: &str) -> String {
    let bold = |words: &str| format!("\x1b[1m{words}\x1b[0m");
    let line = |(number, line): (usize, &str)| match line.split_once("  ") {
        _ if number == 0 => bold(line.trim_end()) + "\n",
        Some((label, rest)) if label.starts_with(char::is_uppercase) => format!("{}  {rest}", bold(label)),
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').enumerate().map(line).collect()
}

/// The exit code once standard output was written to, or was not.
fn written(result: std::io::Result<()>, code: u8) -> u8 {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("rankscape: standard output cannot be written: {error}");
            FAILED
        }
        _ => code,
    }
}

/// Bad input: one message on standard error, and the error document under `--json`.
pub(crate) fn bad_input(error: &InputError, json: bool) -> ExitCode {
    eprintln!("rankscape: {error}");
    let document = if json { to_json(&ErrorDocument::from(error)) + "\n" } else { String::new() };
    print(&document, BAD_INPUT)
}

/// Bad usage, or a request for help or the version.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && wants_json {
        // The first paragraph says what is wrong; usage and help follow.
        let message = error.to_string();
        let lines: Vec<&str> = message.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let problem = lines.join(" ");
        return bad_input(&InputError::new(problem.trim_start_matches("error: ")).hint("see rankscape --help"), true);
    }
    // The message cannot be printed when standard error is closed; the code still tells.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { BAD_INPUT } else { ANSWERED })
}

fn make_folder(folder: &Path) -> Result<(), InputError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| InputError::new(format!("the folder cannot be made: {error}")).file(folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_and_labels_are_bold_and_nothing_else_changes() {
        let text = "Stalled.\n\nLoss       5 now\n           more\nrankscape  x\n";
        let found = with_bold_labels(text);
        assert_eq!(found, "\x1b[1mStalled.\x1b[0m\n\n\x1b[1mLoss\x1b[0m       5 now\n           more\nrankscape  x\n");
        assert_eq!(found.replace("\x1b[1m", "").replace("\x1b[0m", ""), text);
    }
}
