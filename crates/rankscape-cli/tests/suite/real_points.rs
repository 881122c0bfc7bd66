//! Real critical points in the text of `solve` and in the arrays of `--save`.

use std::path::Path;

use serde_json::Value;

use crate::common::rankscape;
use crate::quadratic::{answer, put, refused};

#[test]
fn text_lists_the_points_and_does_not_contradict_itself() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "i.jsonl", r#"{"id":"a","m":2,"n":2,"r":1,"weights":[1,2,3,5],"q":[2,1,0,1]}"#);
    let text = || rankscape(folder, &["solve", "--instances", "i.jsonl"]).stdout;
    let found = answer(folder, &["solve", "--instances", "i.jsonl"], 0)["instances"][0].clone();
    let known = text();
    assert!(known.contains("real points of") && known.contains("W, row by row"), "{known}");
    assert_eq!(known.lines().filter(|line| line.contains("; ") && line.ends_with(']')).count(), found["n_real"]);
    assert!(known.contains("Certified: no critical point is missing") && !known.contains("0 of"), "{known}");
    put(folder, "i.jsonl", r#"{"id":"a","m":2,"n":2,"r":1,"weights":[1,1,1,1],"q":[2,0,0,2]}"#);
    let open = text();
    assert!(open.contains("a: critical points may be missing: ") && open.contains("Not certified."), "{open}");
    assert!(!open.contains("no critical point is missing"), "{open}");
    let lines = [[1, 2, 3, 5], [1, 1, 1, 1]].map(|weights| {
        let q = if weights[1] == 1 { "[2,0,0,2]" } else { "[2,1,0,1]" };
        format!("{{\"m\":2,\"n\":2,\"r\":1,\"weights\":{weights:?},\"q\":{q}}}")
    });
    put(folder, "i.jsonl", &lines.join("\n"));
    assert!(text().contains("1 of 2 certified: "), "{}", text());
}

/// The NPY files of an archive that is not compressed: header and data.
fn arrays(path: &Path) -> std::collections::BTreeMap<String, (String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
            let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
            let header = String::from_utf8(bytes[10..data].to_vec()).unwrap();
            (file.name().unwrap().trim_end_matches(".npy").to_owned(), (header, bytes[data..].to_vec()))
        })
        .collect()
}

#[test]
fn real_points_are_saved_as_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let small = r#"{"id":"één","m":2,"n":2,"r":1,"weights":[1,2,3,5],"q":[2,1,0,1]}"#;
    put(folder, "i.jsonl", &format!("{small}\n{}", small.replace("één", "b")));
    let found = answer(folder, &["solve", "--instances", "i.jsonl", "--save", "p.npz"], 0);
    let saved = arrays(&folder.join("p.npz"));
    assert_eq!(saved.keys().collect::<Vec<_>>(), ["W", "complete", "id", "index", "instance", "radius", "value"]);
    let points: Vec<&Value> =
        found["instances"].as_array().unwrap().iter().flat_map(|one| one["real"].as_array().unwrap()).collect();
    let doubles = |name: &str| -> Vec<f64> {
        saved[name].1.chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    let whole = |name: &str| -> Vec<i64> {
        saved[name].1.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    assert!(saved["W"].0.contains(&format!("'shape': ({}, 2, 2)", points.len())), "{}", saved["W"].0);
    assert!(saved["id"].0.contains("'<U3'") && saved["id"].0.contains("(2,)"), "{}", saved["id"].0);
    assert_eq!(&saved["id"].1[..4], 0xe9_u32.to_le_bytes());
    let values: Vec<f64> = points.iter().map(|point| point["value"].as_f64().unwrap()).collect();
    assert_eq!(doubles("value"), values);
    let entries = points.iter().flat_map(|point| point["W"].as_array().unwrap().iter());
    let entries: Vec<f64> =
        entries.flat_map(|row| row.as_array().unwrap().iter().map(|entry| entry.as_f64().unwrap())).collect();
    assert_eq!(doubles("W"), entries);
    let half = points.len() / 2;
    assert_eq!(whole("instance"), [vec![0; half], vec![1; half]].concat());
    assert_eq!(whole("complete"), [1, 1]);
    assert_eq!(whole("index")[0], points[0]["index"].as_i64().unwrap());
    // Several sizes: an array each.
    put(
        folder,
        "i.jsonl",
        &format!("{small}\n{}", r#"{"m":2,"n":3,"r":1,"weights":[1,2,3,4,5,7],"q":[1,2,-1,0,3,1]}"#),
    );
    answer(folder, &["solve", "--instances", "i.jsonl", "--save", "q.npz"], 0);
    let sizes = arrays(&folder.join("q.npz"));
    assert!(sizes.contains_key("W_2x2") && sizes.contains_key("W_2x3") && !sizes.contains_key("W"));
    assert!(refused(folder, &["solve", "--instances", "i.jsonl", "--save", "p.json"]).contains("NPZ only"));
    assert!(refused(folder, &["solve", "--instances", "i.jsonl", "--save", "q.npz"]).contains("exists already"));
}
