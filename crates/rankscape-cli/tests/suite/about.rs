//! What the command says of itself: tolerances, completions, the manual page, examples in its help.

use crate::common::{answer, assert_refused, rankscape};
use rankscape::Tolerances;

const VERBS: [&str; 19] = [
    "diagnose",
    "critical",
    "hessian",
    "map",
    "connect",
    "balance",
    "reach",
    "parse",
    "escape",
    "verify",
    "adapter",
    "doctor",
    "ed",
    "solve",
    "minima",
    "sweep",
    "tolerances",
    "completions",
    "man",
];

#[test]
fn every_tolerance_is_listed_with_unit_and_default() {
    let folder = tempfile::tempdir().unwrap();
    let document = answer(folder.path(), &["tolerances"], 0);
    let listed = document["tolerances"].as_array().unwrap();
    assert_eq!(listed.len(), Tolerances::NAMES.len());
    for (row, (name, default)) in listed.iter().zip(Tolerances::default().entries()) {
        assert_eq!((row["name"].as_str(), row["default"].as_f64()), (Some(name), Some(default)));
        let meaning = row["meaning"].as_str().unwrap();
        assert!(meaning.len() > 20 && !meaning.contains("  ") && !meaning.starts_with("(u)"), "{meaning}");
    }
    assert_eq!((listed[0]["name"].as_str(), listed[0]["unit"].as_str()), (Some("rank"), Some("u")));
    let text = rankscape(folder.path(), &["tolerances"]).stdout;
    assert!(text.contains("--tolerance NAME=VALUE") && text.lines().count() == listed.len() + 3, "{text}");
}

#[test]
fn completions_and_the_manual_page_name_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = rankscape(folder.path(), &["completions", shell]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(VERBS.iter().all(|verb| run.stdout.contains(verb)), "{shell}");
    }
    assert_eq!(rankscape(folder.path(), &["completions", "tcl"]).code, 2);
    let page = rankscape(folder.path(), &["man"]);
    assert_eq!(page.code, 0);
    assert!(page.stdout.contains(".TH rankscape 1") && VERBS.iter().all(|verb| page.stdout.contains(verb)));
}

/// The examples that need no files of the user are run as they stand.
#[test]
fn every_verb_has_examples_in_its_help_and_they_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    for verb in VERBS.into_iter().filter(|verb| !["doctor", "tolerances"].contains(verb)) {
        let help = rankscape(folder.path(), &[verb, "--help"]);
        let examples: Vec<&str> =
            help.stdout.lines().map(str::trim).filter(|line| line.starts_with("rankscape ")).collect();
        assert!(help.stdout.contains("Examples:") && !examples.is_empty(), "{verb}");
        for example in examples {
            let words: Vec<&str> = example.split(' ').skip(1).take_while(|word| *word != ">").collect();
            let run = rankscape(folder.path(), &words);
            let own = words.iter().any(|word| word.contains('.') || word.ends_with('/') || *word == "experiment");
            // A file of the user's is missing; anything else would be a word that is not understood.
            let expected =
                if own { run.code != 2 || !run.stderr.contains("Usage") } else { [0, 3].contains(&run.code) };
            assert!(expected, "{example}: {run:?}");
        }
    }
}

#[test]
fn common_options_stand_before_and_after_the_verb() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] =
        [["--json", "doctor"], ["doctor", "--json"]].map(|words| rankscape(folder.path(), &words).json());
    assert_eq!(before["checks"], after["checks"]);
    assert_refused(
        &rankscape(folder.path(), &["ed", "--rows", "2", "--cols", "2", "--rank", "1", "--force"]),
        &["--force"],
    );
}
