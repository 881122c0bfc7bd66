//! Every hint that names an option is followed: the run it asks for gives the right answer.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::{assert_close, rankscape, root};
use testkit::files::{npy, npy_f64, npz, put};

/// Options with their values that a message offers; `NAME` and the like stand for what the reader must fill in.
fn offered(message: &str) -> Vec<Vec<String>> {
    let words: Vec<&str> = message.split_whitespace().collect();
    let plain = |word: &str| word.trim_matches(|letter: char| ";,.:()".contains(letter)).to_owned();
    let takes_value = |option: &str| !["--one-hot", "--force"].contains(&option);
    let at = words.iter().enumerate().filter(|(_, word)| word.trim_start_matches('(').starts_with("--"));
    let option = |(at, word): (usize, &&str)| {
        let option = plain(word);
        let value = words.get(at + 1).map(|word| plain(word)).filter(|_| takes_value(&option));
        std::iter::once(option).chain(value).collect::<Vec<String>>()
    };
    at.map(option).collect()
}

struct Case<'a> {
    files: &'a [(&'a str, Vec<u8>)],
    arguments: &'a [&'a str],
    /// The option that is followed, and what is filled in where the hint has a placeholder.
    follow: (&'a str, Option<&'a str>),
    loss: f64,
}

/// Runs, follows the hint, and compares the loss.
#[track_caller]
fn follow(case: &Case<'_>) -> &'static str {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in case.files {
        put(folder.path(), name, bytes);
    }
    let first = rankscape(folder.path(), &[&["diagnose"], case.arguments].concat());
    let message = if first.code == 2 { first.stderr.clone() } else { first.stdout.clone() };
    let found = offered(&message).into_iter().find(|words| words[0] == case.follow.0);
    let mut words = found.unwrap_or_else(|| panic!("{} is not offered: {first:?}", case.follow.0));
    if let Some(value) = case.follow.1 {
        words[1] = value.to_owned();
    }
    let asked: Vec<&str> = words.iter().map(String::as_str).collect();
    // An option that was given is given anew.
    let kept: Vec<&str> = match case.arguments.iter().position(|argument| *argument == asked[0]) {
        Some(at) => [&case.arguments[..at], &case.arguments[at + 2..]].concat(),
        None => case.arguments.to_vec(),
    };
    let second = rankscape(folder.path(), &[&["diagnose", "--json"], &kept[..], &asked].concat());
    assert!([0, 3].contains(&second.code), "{asked:?} after {message}: {second:?}");
    assert_close(&second.json()["loss"]["value"], case.loss, 1e-12, &format!("{asked:?} after {message}"));
    OPTIONS.iter().find(|option| **option == asked[0]).unwrap()
}

/// The options that readers of weights and samples may name in a hint; a new one needs a case here.
const OPTIONS: [&str; 16] = [
    "--steps",
    "--biases",
    "--convention",
    "--data",
    "--example",
    "--inputs",
    "--layers",
    "--loss",
    "--one-hot",
    "--sample-weights",
    "--target",
    "--task",
    "--weights",
    "--widths",
    "--x",
    "--y",
];

fn json(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// y = x_1 + x_2 in two layers, written as (in, out); as (out, in) they do not chain.
const IN_FIRST: &str = r#"{"W1": [[1, 0, 2], [0, 1, 1]], "W2": [[1], [1], [0]]}"#;
const IN_FIRST_WITH_BIASES: &str =
    r#"{"w1": [[1, 0, 2], [0, 1, 1]], "b1": [0, 0, 0], "w2": [[1], [1], [0]], "b2": [0]}"#;
const SUMS: &str = r#"{"X": [[1, 2], [3, 4], [5, 7]], "Y": [[3], [7], [12]]}"#;
const DATA: &str = r#"{"X": [[1, 2], [3, 4], [5, 7]], "Y": [[1, 2], [3, 4], [5, 7]]}"#;
const SHIFT: &str = r#"{"X": [[1, 2], [3, 4], [5, 7]], "Y": [[2, 4], [4, 6], [6, 9]]}"#;

#[test]
fn hints_about_weights_lead_to_the_right_answer() {
    let both = ["--weights", "w.json", "--data", "d.json"];
    let case = |weights: &str, data: &str, more: &[&str], option: &str| {
        let files = [("w.json", json(weights)), ("d.json", json(data))];
        let arguments = [&both[..], more].concat();
        follow(&Case { files: &files, arguments: &arguments, follow: (option, None), loss: 0.0 });
    };
    case(IN_FIRST, SUMS, &[], "--convention");
    case(IN_FIRST_WITH_BIASES, SUMS, &[], "--convention");
    case(r#"{"a/kernel": [[1, 0], [0, 1], [2, 1]], "a_1/kernel": [[1, 1, 0]]}"#, SUMS, &[], "--convention");
    case(r#"{"arr_0": [[1, 0], [0, 1]], "arr_1": [1, 2]}"#, SHIFT, &[], "--convention");
    case(r#"{"W1": [[1, 0], [0, 1]], "W3": [[1, 0], [0, 1]]}"#, DATA, &[], "--layers");
    case(r#"{"W2": [[1, 0], [1, 1]], "W1": [[1, 0], [-1, 1]], "steps": 7}"#, DATA, &[], "--layers");
    case(r#"{"W1": [[1, 0], [0, 1]], "shift": [1, 2]}"#, SHIFT, &[], "--biases");
    case(r#"{"W2": [[1, 0], [0, 1]], "W1": [[1, 0], [0, 1]], "c1": [0, 0], "c2": [1, 2]}"#, SHIFT, &[], "--biases");
}

#[test]
fn hints_about_samples_lead_to_the_right_answer() {
    let one = r#"{"W1": [[1, 0], [0, 1]]}"#;
    let case = |files: &[(&str, Vec<u8>)], more: &[&str], follow_: (&str, Option<&str>), loss: f64| {
        let files: Vec<(&str, Vec<u8>)> = files.iter().cloned().chain([("w.json", json(one))]).collect();
        let arguments = [&["--weights", "w.json"], more].concat();
        follow(&Case { files: &files, arguments: &arguments, follow: follow_, loss });
    };
    let d = |text: &str| [("d.json", json(text))];
    let from = ["--data", "d.json"];
    case(&d(r#"{"X": [[1, 0], [0, 1]], "Y": [0, 1]}"#), &from, ("--one-hot", None), 0.0);
    case(&d(r#"{"X": [[1, 0], [0, 1]]}"#), &from, ("--task", Some("autoencoder")), 0.0);
    let weighted = r#"{"X": [[1, 0], [0, 1]], "Y": [[1, 0], [5, 5]], "sample_weight": [1, 0]}"#;
    case(&d(weighted), &from, ("--sample-weights", Some("d.json")), 0.0);
    let csv = [("d.csv", json("1,2,1,2\n3,4,3,4\n"))];
    case(&csv, &["--data", "d.csv"], ("--inputs", Some("2")), 0.0);
    let named = [("d.csv", json("a,b,c,d\n1,2,1,2\n3,4,3,4\n"))];
    case(&named, &["--data", "d.csv"], ("--inputs", Some("2")), 0.0);
    case(&[("x.npy", npy_f64(&[1, 2], &[1.0, 2.0]))], &["--data", "x.npy"], ("--data", Some("x.npy,x.npy")), 0.0);
    case(&[("x.npy", npy_f64(&[1, 2], &[1.0, 2.0]))], &["--data", "x.npy"], ("--task", Some("autoencoder")), 0.0);
    let gaps = r#"{"X": [[1, 0], [0, 1]], "Y": [[1, null], [null, 1]]}"#;
    case(&d(gaps), &from, ("--loss", None), 0.0);
    case(&d("[[1, 0], [0, 1]]"), &[], ("--target", Some("d.json")), 0.0);
    case(&d(DATA), &[], ("--data", Some("d.json")), 0.0);
}

/// Two options at once, which the helper above does not put together.
#[test]
fn arrays_and_columns_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[1, 0], [0, 1]]}"#);
    put(folder, "d.json", br#"{"first": [[1, 2]], "second": [[1, 2]]}"#);
    put(folder, "d.csv", b"a,b,c,d\n1,2,2,1\n");
    for (data, x, y) in [("d.json", "first", "second"), ("d.csv", "a,b", "d,c")] {
        let arguments = ["diagnose", "--weights", "w.json", "--data", data];
        let run = rankscape(folder, &arguments);
        assert!(run.code == 2 && run.stderr.contains("--x ") && run.stderr.contains("--y "), "{run:?}");
        let run = rankscape(folder, &[&arguments[..], &["--x", x, "--y", y, "--json"]].concat());
        assert_close(&run.json()["loss"]["value"], 0.0, 1e-14, data);
    }
}

/// Without a network there are three ways to name one.
#[test]
fn a_landscape_without_widths_gets_them_as_the_hint_says() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[1, 0], [0, 1]]}"#);
    put(folder, "d.json", DATA.as_bytes());
    let run = rankscape(folder, &["critical", "--data", "d.json"]);
    assert_eq!(run.code, 2, "{run:?}");
    let offered = offered(&run.stderr);
    for (words, arguments) in [
        (["--widths", "d0,d1,...,dh"], &["--data", "d.json", "--widths", "2,2"][..]),
        (["--weights", "FILE"], &["--data", "d.json", "--weights", "w.json"]),
        (["--example", "digits"], &["--example", "digits", "--max", "2"]),
    ] {
        assert!(offered.iter().any(|found| found.iter().map(String::as_str).eq(words)), "{offered:?}");
        let run = rankscape(folder, &[&["critical"], arguments].concat());
        assert_eq!(run.code, 0, "{run:?}");
    }
}

/// bfloat16 of ml_dtypes arrives as two bytes without a type; the line in the hint gives its numbers.
#[test]
fn bfloat16_in_npz_is_converted_as_the_hint_says() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bytes = [0x80, 0x3f, 0x00, 0xc0];
    put(folder, "w.npz", &npz(&[("W1", npy("'|V2'", false, &[1, 2], &bytes))]));
    put(folder, "d.json", br#"{"X": [[1, 1]], "Y": [[-1]]}"#);
    let arguments = ["diagnose", "--data", "d.json", "--weights"];
    let run = rankscape(folder, &[&arguments[..], &["w.npz"]].concat());
    let line = r#"(a.view("uint16").astype("uint32") << 16).view("float32")"#;
    assert!(run.code == 2 && run.stderr.contains(line) && run.stderr.contains("W1"), "{run:?}");
    // What the line does to the bytes.
    let halves = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let single: Vec<u8> = halves.flat_map(|half| (u32::from(half) << 16).to_le_bytes()).collect();
    put(folder, "v.npz", &npz(&[("W1", npy("'<f4'", false, &[1, 2], &single))]));
    let run = rankscape(folder, &[&arguments[..], &["v.npz", "--json"]].concat());
    assert_close(&run.json()["loss"]["value"], 0.0, 1e-14, "bfloat16");
}

/// A network that is more than its matrices is refused without a way around that.
#[test]
fn no_hint_leads_around_what_changes_the_network() {
    let square = |name: &str| (name.to_owned(), npy_f64(&[2, 2], &[1.0, 0.0, 0.0, 1.0]));
    let vector = |name: &str| (name.to_owned(), npy_f64(&[2], &[1.0, 1.0]));
    for (more, part) in [
        (
            vec![vector("1.weight"), vector("1.bias"), vector("1.running_mean"), vector("1.running_var")],
            "fuse_linear_bn_eval",
        ),
        (vec![vector("1.weight"), vector("1.bias")], "normalization"),
        (vec![vector("1.gamma:0"), vector("1.beta:0"), vector("1.moving_mean:0")], "normalization"),
        (vec![(String::from("1.weight"), npy_f64(&[1, 1, 2, 2], &[0.0; 4]))], "4 dimensions"),
        (
            vec![square("1.parametrizations.weight.original"), vector("1.parametrizations.weight.0.base")],
            "remove_parametrizations",
        ),
        (vec![square("1.weight_orig"), vector("1.weight_u")], "remove_parametrizations"),
        (vec![vector("decoder.bias")], "tied"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let arrays: Vec<(String, Vec<u8>)> = [square("0.weight"), square("2.weight")].into_iter().chain(more).collect();
        let named: Vec<(&str, Vec<u8>)> = arrays.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        put(folder.path(), "w.npz", &npz(&named));
        put(folder.path(), "d.json", br#"{"X": [[1, 1]], "Y": [[1, 1]]}"#);
        let run = rankscape(folder.path(), &["diagnose", "--weights", "w.npz", "--data", "d.json"]);
        assert!(run.code == 2 && run.stderr.contains(part), "{run:?}");
        assert!(!run.stderr.contains("--layers") && !run.stderr.contains("--biases"), "{run:?}");
        let run = rankscape(
            folder.path(),
            &["diagnose", "--weights", "w.npz", "--data", "d.json", "--json", "--layers", "0.weight,2.weight"],
        );
        assert!(run.json()["notes"][0].as_str().unwrap().contains(&arrays[2].0), "{run:?}");
    }
}

/// Checkpoints without numbers in their names get steps as the hint says.
#[test]
fn checkpoints_without_numbers_get_steps_as_the_hint_says() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "last.json", br#"{"W1": [[1, 0], [0, 0]], "W2": [[1, 0], [0, 0]]}"#);
    put(folder.path(), "y.json", br#"{"Y": [[1, 0], [0, 1]]}"#);
    let arguments = ["itinerary", "last.json", "--target", "y.json"];
    let run = rankscape(folder.path(), &arguments);
    assert!(run.code == 2 && run.stderr.contains("give --steps FILE with a number for each"), "{run:?}");
    put(folder.path(), "steps.txt", b"700");
    let run = rankscape(folder.path(), &[&arguments[..], &["--steps", "steps.txt", "--json"]].concat());
    assert_eq!((run.code, &run.json()["visits"][0]["from_step"]), (0, &700.into()), "{run:?}");
}

/// Every option in a hint of the readers has a case above.
#[test]
fn the_options_in_hints_are_those_that_are_followed() {
    let mut found = BTreeSet::new();
    let io = root().join("crates/rankscape-io/src");
    for folder in [io.clone(), io.join("layers")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                found.extend(options_in(&path));
            }
        }
    }
    let known: BTreeSet<String> = OPTIONS.iter().map(|option| (*option).to_owned()).collect();
    // Of the build, and of certificates, which have tests of their own.
    let features = ["--features", "--profile", "--certificate"].map(str::to_owned);
    let unknown: Vec<&String> =
        found.iter().filter(|option| !known.contains(*option) && !features.contains(option)).collect();
    assert!(unknown.is_empty(), "{unknown:?} are offered and not followed by a test");
}

/// Words that begin with `--` in code, not in comments.
fn options_in(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '-')))
        .filter(|word| word.len() > 2 && word.starts_with("--"))
        .map(|word| word.trim_end_matches('-').to_owned())
        .collect()
}
