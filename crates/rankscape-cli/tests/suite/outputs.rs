//! One guard for all outputs: nothing is overwritten that was not meant to be.

use std::path::Path;

use crate::common::{assert_refused, listing, rankscape};
use testkit::files::put;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[0, 0]], "W2": [[0], [0]]}"#);
    put(folder.path(), "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#);
    folder
}

const POINT: [&str; 5] = ["diagnose", "--weights", "w.json", "--data", "d.json"];

#[track_caller]
fn refused(folder: &Path, more: &[&str], parts: &[&str]) {
    let before: Vec<Vec<u8>> =
        listing(folder).iter().map(|name| std::fs::read(folder.join(name)).unwrap_or_default()).collect();
    assert_refused(&rankscape(folder, &[&POINT, more].concat()), parts);
    let after: Vec<Vec<u8>> =
        listing(folder).iter().map(|name| std::fs::read(folder.join(name)).unwrap_or_default()).collect();
    assert_eq!(before, after, "{more:?}");
}

#[test]
fn inputs_and_other_outputs_are_never_replaced() {
    let folder = folder();
    let folder = folder.path();
    std::fs::create_dir(folder.join("sub")).unwrap();
    for force in [&[][..], &["--force"]] {
        let with = |more: &[&'static str]| [more, force].concat();
        refused(folder, &with(&["--leave", "w.json"]), &["w.json", "overwrite an input", "--leave and --weights"]);
        refused(folder, &with(&["--leave", "./sub/../d.json"]), &["overwrite an input", "--data"]);
        refused(folder, &with(&["--certificate", "w.json"]), &["overwrite an input", "--certificate and --weights"]);
        refused(folder, &with(&["--leave", "a.json", "--save", "./a.json"]), &["two outputs", "--leave"]);
    }
    for name in ["left.pt", "left.pth", "left.pkl"] {
        refused(folder, &["--leave", name], &[name, "pickles are not written", "safetensors.torch.load_file"]);
    }
    assert_refused(
        &rankscape(folder, &[&POINT[..], &["--force"]].concat()),
        &["--force does nothing here", "no output is named"],
    );
}

#[test]
fn a_file_that_exists_is_replaced_only_by_force() {
    let folder = folder();
    let folder = folder.path();
    put(folder, "left.json", b"mine");
    refused(folder, &["--leave", "left.json"], &["left.json", "exists already", "--force"]);
    let run = rankscape(folder, &[&POINT[..], &["--leave", "left.json", "--force"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(std::fs::read_to_string(folder.join("left.json")).unwrap().contains("W1"));
}

/// Documents of a verb replace their own last version, and nothing else.
#[test]
fn documents_replace_themselves_and_no_input() {
    let folder = folder();
    let folder = folder.path();
    for _ in 0..2 {
        assert_eq!(rankscape(folder, &[&POINT[..], &["--out", "out"]].concat()).code, 0);
    }
    std::fs::copy(folder.join("w.json"), folder.join("diagnose.json")).unwrap();
    let run = rankscape(folder, &["diagnose", "--weights", "diagnose.json", "--data", "d.json", "--out", "."]);
    assert_refused(&run, &["diagnose.json", "would replace the file of --weights", "--out"]);
    refused(
        folder,
        &["--leave", "out/diagnose.json", "--out", "out", "--force"],
        &["would replace the file of --leave"],
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_modes_kept_and_devices_written_to() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder();
    let folder = folder.path();
    symlink("w.json", folder.join("link.json")).unwrap();
    std::fs::hard_link(folder.join("d.json"), folder.join("hard.json")).unwrap();
    symlink("left.json", folder.join("to.json")).unwrap();
    refused(folder, &["--leave", "link.json", "--force"], &["overwrite an input"]);
    refused(folder, &["--leave", "hard.json", "--force"], &["overwrite an input"]);
    refused(folder, &["--leave", "to.json", "--certificate", "left.json"], &["two outputs"]);
    put(folder, "left.json", b"mine");
    std::fs::set_permissions(folder.join("left.json"), std::fs::Permissions::from_mode(0o604)).unwrap();
    refused(folder, &["--leave", "to.json"], &["exists already"]);
    let run = rankscape(folder, &[&POINT[..], &["--leave", "to.json", "--force"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(std::fs::symlink_metadata(folder.join("to.json")).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(folder.join("left.json")).unwrap().permissions().mode() & 0o777, 0o604);
    for _ in 0..2 {
        let run = rankscape(folder, &[&POINT[..], &["--certificate", "/dev/null", "--leave", "/dev/null"]].concat());
        assert_eq!(run.code, 0, "{run:?}");
    }
    let run = rankscape(folder, &[&POINT[..], &["--leave", "/dev/stdout", "--quiet"]].concat());
    assert!(run.code == 0 && run.stdout.contains("\"W1\""), "{run:?}");
}

#[test]
fn standard_input_is_read_once_and_pipes_are_files() {
    let folder = folder();
    let folder = folder.path();
    let run = rankscape(folder, &["diagnose", "--weights", "-", "--data", "/dev/stdin"]);
    assert_refused(&run, &["standard input can be read only once", "--weights and --data"]);
    for (arguments, file) in [
        (["--weights", "-", "--data", "d.json"], "w.json"),
        (["--weights", "/dev/stdin", "--data", "d.json"], "w.json"),
        (["--weights", "w.json", "--data", "-"], "d.json"),
    ] {
        let output = assert_cmd::Command::cargo_bin("rankscape")
            .unwrap()
            .current_dir(folder)
            .args(["diagnose", "--json"])
            .args(arguments)
            .pipe_stdin(folder.join(file))
            .unwrap()
            .output()
            .unwrap();
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["loss"]["value"], 2.5, "{arguments:?}: {document}");
    }
}

#[test]
fn options_that_do_nothing_are_refused() {
    let folder = folder();
    let folder = folder.path();
    put(folder, "t.json", b"[[2, 0], [0, 1]]");
    for (arguments, part) in [
        (&["critical", "--data", "d.json", "--widths", "2,1,2", "--layers", "W1"][..], "--layers does nothing here"),
        (&["man", "--json"], "--json does nothing here"),
        (&["completions", "bash", "--out", "folder"], "--out does nothing here"),
        (&["critical", "--data", "d.json", "--widths", "2,1,2", "--convention", "flax"], "--convention does nothing"),
        (&["critical", "--data", "d.json", "--widths", "2,1,2", "--gauge", "random"], "--gauge does nothing"),
        (
            &["critical", "--data", "d.json", "--widths", "2,1,2", "--strata", "--normalization", "mean"],
            "--normalization",
        ),
        (&["diagnose", "--weights", "w.json", "--target", "t.json", "--task", "autoencoder"], "--task does nothing"),
        (&["diagnose", "--weights", "w.json", "--target", "t.json", "--inputs", "2"], "--inputs does nothing"),
        (&["diagnose", "--weights", "w.json", "--data", "d.json", "--inputs", "2"], "--inputs does nothing"),
        (
            &["diagnose", "--weights", "w.json", "--data", "d.json", "--task", "autoencoder", "--one-hot"],
            "--one-hot does nothing",
        ),
        (&["diagnose", "--example", "digits", "--task", "regression"], "--task does nothing"),
        (&["sweep", "plan", "--dir", "s", "--entries", "normal", "--low", "1"], "--low does nothing"),
        (&["sweep", "plan", "--dir", "s", "--dry-run", "--shards", "2"], "--shards does nothing"),
        (&["sweep", "merge", "--dir", "s", "--seed", "2"], "--seed does nothing"),
        (&["ed", "--rows", "3", "--cols", "3", "--rank", "1", "--tolerance", "rank=16"], "--tolerance does nothing"),
    ] {
        assert_refused(&rankscape(folder, arguments), &[part]);
    }
    assert_eq!(listing(folder), ["d.json", "t.json", "w.json"]);
}
