//! The verb `sweep`: one table for every sharding, runs that are killed, folders of another plan.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{assert_refused, listing, rankscape};
use serde_json::Value;

fn sweep(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let run = rankscape(folder, &[&["sweep"], arguments, &["--json"]].concat());
    assert_eq!(run.code, code, "{arguments:?}: {run:?}");
    let document = run.json();
    let name = document["schema"].as_str().unwrap().split(['.', '/']).nth(1).unwrap().to_owned();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/schema/{name}.schema.json"));
    let schema = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    document
}

fn merged(folder: &Path, dir: &str) -> String {
    let mut document = sweep(folder, &["merge", "--dir", dir], 0);
    document.as_object_mut().unwrap().remove("run").unwrap();
    document.to_string()
}

#[test]
fn every_sharding_merges_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (dir, seed) in [("one", "5"), ("three", "5"), ("other", "6")] {
        sweep(folder, &["plan", "--dir", dir, "--instances", "50", "--seed", seed, "--threads", "1"], 0);
    }
    sweep(folder, &["run", "--dir", "one", "--threads", "1"], 0);
    for shard in ["2/3", "0/3"] {
        sweep(folder, &["run", "--dir", "three", "--shard", shard, "--threads", "2"], 0);
    }
    let status = sweep(folder, &["status", "--dir", "three"], 0);
    assert_eq!(status["shards"]["missing"], Value::from(vec![1]));
    assert_eq!((&status["missing"][0]["first"], &status["missing"][0]["last"]), (&16.into(), &32.into()));
    sweep(folder, &["merge", "--dir", "three"], 3);
    sweep(folder, &["run", "--dir", "three"], 0);
    sweep(folder, &["run", "--dir", "other"], 0);
    assert_eq!(merged(folder, "one"), merged(folder, "three"));
    assert_ne!(merged(folder, "one"), merged(folder, "other"));
    let table = sweep(folder, &["merge", "--dir", "one"], 0);
    let total: u64 = table["table"].as_array().unwrap().iter().map(|cell| cell["count"].as_u64().unwrap()).sum();
    assert_eq!((total, &table["counts"]["items"], table["missing"].as_array().unwrap().len()), (50, &50.into(), 0));
}

#[test]
fn a_killed_run_resumes_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let plan = |dir: &str, shards: &str| {
        sweep(folder, &["plan", "--dir", dir, "--instances", "240", "--shards", shards, "--rows", "2"], 0)
    };
    plan("killed", "60");
    plan("whole", "1");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("rankscape"))
        .current_dir(folder)
        .args(["sweep", "run", "--dir", "killed", "--threads", "1"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..2000 {
        if listing(&folder.join("killed")).len() > 3 {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = sweep(folder, &["status", "--dir", "killed"], 0)["counts"]["items"].as_u64().unwrap();
    assert!(before > 0);
    sweep(folder, &["run", "--dir", "killed"], 0);
    sweep(folder, &["run", "--dir", "whole"], 0);
    assert_eq!(merged(folder, "killed"), merged(folder, "whole"));
}

/// A limit on the size of files stands for a disk that fills; the signal that comes with it is ignored.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for dir in ["full", "whole"] {
        sweep(folder, &["plan", "--dir", dir, "--instances", "40", "--shards", "4", "--rows", "2"], 0);
    }
    sweep(folder, &["run", "--dir", "full", "--shard", "1/4"], 0);
    let before = listing(&folder.join("full"));
    let output = Command::new("sh")
        .current_dir(folder)
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" sweep run --dir full --json"])
        .arg(assert_cmd::cargo::cargo_bin("rankscape"))
        .output()
        .unwrap();
    let (code, stderr) = (output.status.code(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("cannot be written") && stderr.contains("shard-000000-of-000004.json"), "{stderr}");
    assert!(stderr.contains("check space and permissions"), "{stderr}");
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["schema"], "rankscape.error/1");
    assert_eq!(listing(&folder.join("full")), before, "no shard is lost, and no part of one is left");
    sweep(folder, &["run", "--dir", "full"], 0);
    sweep(folder, &["run", "--dir", "whole"], 0);
    assert_eq!(merged(folder, "full"), merged(folder, "whole"));
}

#[test]
fn plans_and_shards_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let refused = |arguments: &[&str], expected: &str| {
        let run = rankscape(folder, &[&["sweep"], arguments].concat());
        assert!(run.code == 2 && run.stderr.contains(expected), "{run:?}");
    };
    refused(&["status", "--dir", "d"], "plan");
    refused(&["plan", "--dir", "d", "--rank", "3"], "rank");
    refused(&["plan", "--dir", "d", "--low", "3", "--high", "1"], "low must not exceed high");
    refused(&["plan", "--dir", "d", "--low", "0", "--high", "0"], "every metric would be zero");
    refused(&["plan", "--dir", "d", "--instances", "4", "--shards", "5"], "number of shards");
    let help = rankscape(folder, &["sweep", "plan", "--help"]).stdout;
    assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains("an entry 0 drawn again"), "{help}");
    let cost = sweep(folder, &["plan", "--dir", "d", "--dry-run"], 0);
    assert_eq!((&cost["costs"][0]["paths"], &cost["costs"][0]["instances"]), (&39.into(), &2000.into()));
    assert!(listing(folder).is_empty());
    sweep(folder, &["plan", "--dir", "d", "--instances", "6", "--shards", "2", "--rows", "2"], 0);
    refused(&["plan", "--dir", "d", "--instances", "7", "--rows", "2"], "another plan");
    refused(&["run", "--dir", "d", "--shard", "2/2"], "i/n");
    sweep(folder, &["run", "--dir", "d", "--shard", "0/2"], 0);
    refused(&["run", "--dir", "d", "--shard", "0/3"], "begun in 2 shards");
    let shard = folder.join("d/shard-000000-of-000002.json");
    std::fs::copy(&shard, folder.join("d/shard-000001-of-000002.json")).unwrap();
    let document = sweep(folder, &["merge", "--dir", "d"], 3);
    assert!(document["notes"][0].as_str().unwrap().contains("another plan"), "{document}");
    std::fs::write(folder.join("file"), "").unwrap();
    refused(&["plan", "--dir", "file"], "file");
}

/// A shard that is damaged is named, blocks no other, and is done anew; the old file is set apart.
#[test]
fn a_damaged_shard_blocks_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for dir in ["damaged", "whole"] {
        sweep(folder, &["plan", "--dir", dir, "--instances", "9", "--shards", "3", "--rows", "2"], 0);
        sweep(folder, &["run", "--dir", dir], 0);
    }
    let shard = folder.join("damaged/shard-000001-of-000003.json");
    let text = std::fs::read_to_string(&shard).unwrap();
    // Two counts exchanged: the sum stays what it was.
    let counts: Vec<(usize, usize, u64)> =
        serde_json::from_value(serde_json::from_str::<Value>(&text).unwrap()["counts"].clone()).unwrap();
    let (minima, real, count) = counts[0];
    let old = serde_json::to_string(&counts[0]).unwrap();
    let forged = text.replacen(&old, &serde_json::to_string(&(minima, real + 1, count)).unwrap(), 1);
    assert_ne!(forged, text);
    std::fs::write(&shard, forged).unwrap();
    let status = sweep(folder, &["status", "--dir", "damaged"], 0);
    assert_eq!((&status["shards"]["damaged"], &status["counts"]["items"]), (&Value::from(vec![1]), &6.into()));
    assert!(status["notes"][0].as_str().unwrap().contains("not that of its counts"), "{status}");
    sweep(folder, &["merge", "--dir", "damaged"], 3);
    let start =
        rankscape(folder, &["sweep", "run", "--dir", "damaged", "--start", "damaged/shard-000002-of-000003.json"]);
    assert_refused(&start, &["shard-000002-of-000003.json", "the name of a file of the sweep"]);
    let run = rankscape(folder, &["sweep", "run", "--dir", "damaged", "--json"]);
    let told = "shard-000001-of-000003.json.damaged";
    assert!(run.code == 0 && run.stderr.contains(told) && run.json()["notes"].to_string().contains(told), "{run:?}");
    assert_eq!(merged(folder, "damaged"), merged(folder, "whole"));
    assert!(listing(&folder.join("damaged")).contains(&"shard-000001-of-000003.json.damaged".to_owned()));
}

/// Of two cuttings that begin at once one is refused, before anything is solved, and nothing is lost.
#[test]
fn two_cuttings_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for dir in ["cut", "whole"] {
        sweep(folder, &["plan", "--dir", dir, "--instances", "20", "--rows", "2"], 0);
    }
    let start = |shard: &str| {
        Command::new(assert_cmd::cargo::cargo_bin("rankscape"))
            .current_dir(folder)
            .args(["sweep", "run", "--dir", "cut", "--threads", "1", "--shard", shard])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let runs = [start("0/4"), start("1/5")].map(|child| child.wait_with_output().unwrap());
    let codes = runs.each_ref().map(|run| run.status.code().unwrap());
    assert!(codes == [0, 2] || codes == [2, 0], "{runs:?}");
    let refused = runs.iter().find(|run| run.status.code() == Some(2)).unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("this sweep was begun in"), "{refused:?}");
    let done = sweep(folder, &["status", "--dir", "cut"], 0)["counts"]["items"].as_u64().unwrap();
    assert!(done == 4 || done == 5);
    sweep(folder, &["run", "--dir", "cut"], 0);
    sweep(folder, &["run", "--dir", "whole"], 0);
    assert_eq!(merged(folder, "cut"), merged(folder, "whole"));
}
