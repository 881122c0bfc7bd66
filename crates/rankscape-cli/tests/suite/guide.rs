//! The guide prints what the command prints.

use std::path::{Path, PathBuf};

use crate::common::rankscape;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks `$ rankscape ...` of a page: arguments, and the output below.
fn blocks(page: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    let block = |text| {
        let (command, output) = str::split_once(text, '\n').unwrap();
        let arguments = command.strip_prefix("$ rankscape ").expect("a block starts with a command");
        (arguments.split_whitespace().collect(), output.lines().collect())
    };
    page.split("```console\n").skip(1).map(|rest| block(rest.split("```").next().unwrap())).collect()
}

/// Numbers agree to three digits or are rounding errors, words to the letter.
fn alike(a: &str, b: &str) -> bool {
    let plain =
        |word: &str| word.trim_matches(['(', ')', ',', ';', ':', '.', '[', ']']).trim_end_matches('%').to_owned();
    let (mut a, mut b) = (a.split_whitespace(), b.split_whitespace());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) => match (plain(a).parse::<f64>(), plain(b).parse::<f64>()) {
                (Ok(x), Ok(y)) if (x - y).abs() <= 1e-3 * x.abs().max(y.abs()) => {}
                (Ok(x), Ok(y)) if x.abs().max(y.abs()) < 1e-11 => {}
                _ => return false,
            },
            _ => return false,
        }
    }
}

/// `UPDATE_GUIDE=1` writes the present output into the page.
#[test]
fn every_block_of_the_guide_is_what_the_command_prints() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "origin/weights.json",
        "origin/target.json",
        "bad-minimum/weights.json",
        "bad-minimum/target.json",
        "bad-minimum/loss.json",
    ] {
        let copy = folder.path().join("examples").join(name);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(root().join("examples").join(name), copy).unwrap();
    }
    let path = root().join("docs/guide.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut updated = page.clone();
    let found = blocks(&page);
    assert!(found.len() >= 9);
    for (arguments, expected) in found {
        let run = rankscape(folder.path(), &arguments);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        let command = format!("$ rankscape {}\n", arguments.join(" "));
        if std::env::var_os("UPDATE_GUIDE").is_some() {
            let old = format!("{command}{}", expected.iter().map(|line| format!("{line}\n")).collect::<String>());
            updated = updated.replacen(&old, &format!("{command}{}", run.stdout), 1);
            continue;
        }
        let lines: Vec<&str> = run.stdout.lines().collect();
        let same = lines.len() == expected.len() && lines.iter().zip(&expected).all(|(a, b)| alike(a, b));
        assert!(same, "{command}{}\ninstead of\n{}", run.stdout, expected.join("\n"));
    }
    if updated != page {
        std::fs::write(&path, updated).unwrap();
    }
}
