//! Certificates that bind: every edit is found, what `diagnose` writes is read back at any scale and of any kind, and files are
//! compared entry by entry.

use std::path::Path;

use crate::common::{assert_refused, assert_valid, forced, rankscape};
use rankscape::Tolerances;
use rankscape::evidence::Truth;
use rankscape_io::{read_certificate, write_certificate};
use serde_json::{Value, json};
use testkit::files::put;

/// Weights, data, the options that name them, and the class.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str);

const SAMPLES: &[&str] = &["--weights", "w.json", "--data", "d.json"];
const TARGET: &[&str] = &["--weights", "w.json", "--target", "d.json"];
const METRIC: &[&str] = &["--weights", "w.json", "--data", "d.json", "--output-metric", "m.json"];

/// Every class, over the rationals and in double precision, with samples and targets, biases and an output metric.
const CASES: [Case; 16] = [
    ("exact minimum", r#"{"W1": [[3, 0]], "W2": [[1], [0]]}"#, r#"{"Y": [[3, 0], [0, 1]]}"#, TARGET, "global_minimum"),
    ("exact strict", r#"{"W1": [[0, 0]], "W2": [[0], [0]]}"#, r#"{"Y": [[3, 0], [0, 1]]}"#, TARGET, "strict_saddle"),
    (
        "exact non-strict",
        r#"{"W1": [[0]], "W2": [[0]], "W3": [[0]]}"#,
        r#"{"X": [[1]], "Y": [["2/3"]]}"#,
        SAMPLES,
        "non_strict_saddle",
    ),
    ("exact slope", r#"{"W1": [[1, 1]], "W2": [[1], [2]]}"#, r#"{"Y": [[3, 0], [0, 1]]}"#, TARGET, "not_critical"),
    ("one exact layer", r#"{"W1": [[2]]}"#, r#"{"X": [[1], [2]], "Y": [[2], [4]]}"#, SAMPLES, "global_minimum"),
    ("minimum", r#"{"W1": [[3.0, 0]], "W2": [[1], [0]]}"#, r#"{"Y": [[3, 0], [0, 1]]}"#, TARGET, "global_minimum"),
    (
        "strict",
        r#"{"W1": [[0.0, 0], [0, 0.1]], "W2": [[0, 0], [0, 10]]}"#,
        r#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#,
        SAMPLES,
        "strict_saddle",
    ),
    (
        "non-strict",
        r#"{"W1": [[0.0, 0], [0, 0]], "W2": [[0, 0], [0, 0]], "W3": [[0, 0], [0, 0]]}"#,
        r#"{"X": [[1, 0], [1, 2], [0, 1]], "Y": [[2, 0], [1, 0], [3, 1]]}"#,
        SAMPLES,
        "non_strict_saddle",
    ),
    (
        "slope",
        r#"{"W1": [[1.5, 1]], "W2": [[1], [2]]}"#,
        r#"{"X": [[1, 0], [0.5, 1], [2, 2]], "Y": [[2, 0], [1, 0], [0, 1]]}"#,
        SAMPLES,
        "not_critical",
    ),
    ("one layer", r#"{"W1": [[2.0]]}"#, r#"{"X": [[1], [2]], "Y": [[2], [4]]}"#, SAMPLES, "global_minimum"),
    (
        "no inputs",
        r#"{"W1": [[2.0]], "W2": [[1]]}"#,
        r#"{"X": [[0], [0]], "Y": [[2], [4]]}"#,
        SAMPLES,
        "global_minimum",
    ),
    (
        "fewer samples than inputs",
        r#"{"W1": [[0.0, 0, 0]], "W2": [[0]]}"#,
        r#"{"X": [[1, 2, 0.5]], "Y": [[2]]}"#,
        SAMPLES,
        "strict_saddle",
    ),
    (
        "output bias",
        r#"{"W1": [[0.0]], "b1": [1], "W2": [[0]], "b2": [3]}"#,
        r#"{"X": [[1], [2], [3]], "Y": [[2], [4], [3]]}"#,
        SAMPLES,
        "strict_saddle",
    ),
    (
        "first bias",
        r#"{"W1": [[0.0]], "b1": [0], "W2": [[0]]}"#,
        r#"{"X": [[1], [2], [3]], "Y": [[2], [4], [5]]}"#,
        SAMPLES,
        "strict_saddle",
    ),
    (
        "metric",
        r#"{"W1": [[0.0, 0]], "W2": [[0], [0]]}"#,
        r#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#,
        METRIC,
        "strict_saddle",
    ),
    (
        "mixed",
        r#"{"W1": [[0, 0]], "W2": [[0], [0]]}"#,
        r#"{"X": [[1, 0], [0, 1.5]], "Y": [[2, 0], [0, 1]]}"#,
        SAMPLES,
        "strict_saddle",
    ),
];

fn certified(folder: &Path, (name, weights, data, given, class): Case) -> Value {
    put(folder, "w.json", weights.as_bytes());
    put(folder, "d.json", data.as_bytes());
    put(folder, "m.json", br#"{"M": [[2, 1], [1, 3]]}"#);
    let run = rankscape(folder, &forced(&[&["diagnose", "--json", "--certificate", "c.json"], given].concat()));
    assert!(run.code == 0 && run.json()["class"] == class, "{name}: {run:?}");
    let certificate = stored(folder, "c.json");
    assert_valid("certificate", &certificate);
    certificate
}

fn stored(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn verified(folder: &Path, name: &str, more: &[&str]) -> (i32, Value) {
    let run = rankscape(folder, &[&["verify", name, "--json"], more].concat());
    (run.code, if run.code == 2 { Value::Null } else { run.json() })
}

/// The exit code that `verify` has without files, found in this process.
fn judged(folder: &Path, name: &str) -> i32 {
    let Ok(file) = read_certificate(folder.join(name)) else { return 2 };
    let mut found = file.certificate.verify(&Tolerances::default());
    found.extend(file.checks());
    match found.valid() {
        Truth::Yes => 0,
        Truth::Undecided => 3,
        Truth::No => 4,
    }
}

fn failing(document: &Value) -> Vec<String> {
    let checks = document["evidence"]["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["holds"] == json!(false))
        .map(|check| check["claim"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_kind_of_certificate_is_read_back_and_accepted_with_and_without_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for case in CASES {
        certified(folder, case);
        for given in [&[][..], case.3] {
            let (code, document) = verified(folder, "c.json", given);
            assert_eq!((code, &document["valid"]), (0, &json!(true)), "{}: {document:#}", case.0);
            assert_valid("verify", &document);
        }
    }
}

/// The leaves of a document by their paths.
fn leaves(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Array(list) if !list.is_empty() => {
            list.iter().enumerate().for_each(|(k, v)| leaves(v, &format!("{path}/{k}"), out));
        }
        Value::Object(map) => map.iter().for_each(|(k, v)| leaves(v, &format!("{path}/{k}"), out)),
        _ => out.push(path.to_owned()),
    }
}

/// Other values that a leaf can be given.
fn others(value: &Value, place: &str) -> Vec<Value> {
    const CLASSES: [&str; 7] = [
        "global_minimum",
        "local_minimum",
        "local_maximum",
        "strict_saddle",
        "non_strict_saddle",
        "not_critical",
        "undecided",
    ];
    match value {
        Value::Number(number) => {
            let x: f64 = number.to_string().parse().unwrap();
            let exact = !number.to_string().contains(['.', 'e', 'E']);
            let near = if exact { json!(format!("{}/1000", 1000.0 * x + 1.0)) } else { json!(x * 1.001) };
            let all = vec![
                near,
                if exact { json!(-(x as i64)) } else { json!(-x) },
                if exact { json!(x as i64 + 1) } else { json!(x + 1.0) },
            ];
            all.into_iter()
                .filter(|other| other != value && !(x == 0.0 && (other == &json!(-0.0) || other == &json!(0))))
                .collect()
        }
        Value::String(text) if place == "/class" => CLASSES.iter().filter(|c| *c != text).map(|c| json!(c)).collect(),
        Value::String(text) => {
            let changed = text.replace(" = 1", " = 9").replace(" = 0", " = 1").replace("zero up to", "zero up to 9");
            let turned: String = text.chars().rev().collect();
            [json!(changed), json!(turned), json!("")].into_iter().filter(|other| other != value).collect()
        }
        Value::Bool(flag) => vec![json!(!flag)],
        Value::Null => vec![json!(1), json!({})],
        Value::Array(_) | Value::Object(_) => vec![json!([0]), Value::Null],
    }
}

#[test]
fn no_edit_of_any_field_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut edits = 0;
    for case in CASES {
        let certificate = certified(folder, case);
        let mut places = Vec::new();
        leaves(&certificate, "", &mut places);
        for place in places {
            for other in others(certificate.pointer(&place).unwrap(), &place) {
                let mut edited = certificate.clone();
                *edited.pointer_mut(&place).unwrap() = other.clone();
                put(folder, "edited.json", edited.to_string().as_bytes());
                let code = judged(folder, "edited.json");
                assert!([2, 4].contains(&code), "{} {place}: {other} gives {code}", case.0);
                edits += 1;
            }
        }
    }
    assert!(edits > 1000, "{edits}");
}

/// A number that is nothing but rounding errors beside others of size 1.
fn is_rounding(value: &Value) -> bool {
    value.as_f64().is_some_and(|x| x != 0.0 && x.abs() < 1e-14)
}

/// What a false statement is, whoever writes the seal: each of these changes a claim.
#[test]
fn no_false_claim_verifies_even_where_the_seal_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut forged, mut kept) = (0, Vec::new());
    for case in CASES {
        let certificate = certified(folder, case);
        let mut places = Vec::new();
        leaves(&certificate, "", &mut places);
        let claims = [
            "/class",
            "/rests_on",
            "/path",
            "/point",
            "/data/target",
            "/data/yx",
            "/data/xx",
            "/data/floor",
            "/data/norm",
        ];
        for place in places.iter().filter(|place| claims.iter().any(|claim| place.starts_with(claim))) {
            let value = certificate.pointer(place).unwrap();
            for other in others(value, place) {
                let mut edited = certificate.clone();
                *edited.pointer_mut(place).unwrap() = other.clone();
                put(folder, "edited.json", edited.to_string().as_bytes());
                let Ok(file) = read_certificate(folder.join("edited.json")) else { continue };
                let target = file.made_from.data == "target";
                write_certificate(folder.join("forged.json"), &file.certificate, file.digest, target).unwrap();
                forged += 1;
                let code = judged(folder, "forged.json");
                // Files always tell.
                if ["/point", "/data"].iter().any(|part| place.starts_with(part)) && !is_rounding(value) {
                    let (found, document) = verified(folder, "forged.json", case.3);
                    assert_eq!(found, 4, "{} {place}: {other}: {document:#}", case.0);
                }
                if code == 0 {
                    kept.push((case.0, place.clone(), other));
                }
            }
        }
    }
    println!("{forged} forged, {} true all the same", kept.len());
    // Other points and data of which the same is true; a path of an entry that the loss does not see, or evaluated beside its
    // lowest point, where the decrease is the same; a tolerance nine times as large.
    for (name, place, other) in &kept {
        let harmless = ["/point", "/data", "/path/terms", "/path/t"].iter().any(|part| place.starts_with(part));
        let tolerance =
            place.starts_with("/rests_on") && other.as_str().is_some_and(|text| text.contains("zero up to 9"));
        assert!(harmless || tolerance, "{name} {place}: {other}");
    }
    assert!(forged > 400 && 3 * kept.len() < forged, "{forged} {}", kept.len());
}

/// Edits with a new seal: what counts as zero, and data of a target that no matrix reaches.
#[test]
fn what_is_loosened_is_said_and_a_target_has_no_floor() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let given = &["--weights", "w.json", "--target", "d.json"];
    let weights = r#"{"W1": [[1.0, 0], [0, 0]], "W2": [[2.0, 0], [0, 0]]}"#;
    let certificate = certified(folder, ("target", weights, r#"{"M": [[2.0, 0], [0, 1]]}"#, given, "strict_saddle"));
    let again = |edit: &dyn Fn(&mut Value)| {
        let mut edited = certificate.clone();
        edit(&mut edited);
        put(folder, "edited.json", edited.to_string().as_bytes());
        let file = read_certificate(folder.join("edited.json")).unwrap();
        write_certificate(folder.join("forged.json"), &file.certificate, file.digest, true).unwrap();
        verified(folder, "forged.json", &[])
    };
    let (code, document) = again(&|_| ());
    assert!(code == 0 && document["warnings"] == json!([]), "{document:#}");
    for (field, value, said) in [
        ("rounding", 0.05, "rounding errors of a gradient count up to"),
        ("vanishing", 0.05, "products count as rounding errors up to"),
        ("rank_gap", 2.0, "a rank is clear at a gap of 2"),
    ] {
        let (code, document) = again(&|edited| edited["criticality"][field] = json!(value));
        assert!(code == 0 && document["warnings"].to_string().contains(said), "{field} {code}: {document:#}");
    }
    let (code, document) = again(&|edited| {
        edited["data"]["floor"] = json!(2.0);
        edited["data"]["norm"] = json!(3.0);
    });
    assert_eq!(code, 4, "{document:#}");
}

#[test]
fn what_is_not_written_by_diagnose_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for case in [CASES[1], CASES[6]] {
        let certificate = certified(folder, case);
        let text = std::fs::read_to_string(folder.join("c.json")).unwrap();
        let refused = |text: &str, parts: &[&str]| {
            put(folder, "edited.json", text.as_bytes());
            assert_refused(&rankscape(folder, &["verify", "edited.json"]), parts);
        };
        refused(&format!("\u{feff}{text}"), &["edited.json", "byte-order mark"]);
        for (field, twice) in [("class", "\"class\""), ("order", "\"order\""), ("weights", "\"weights\"")] {
            refused(&text.replacen(twice, &format!("{twice}: 1, {twice}"), 1), &["edited.json", field, "occurs twice"]);
        }
        for place in ["", "/digest", "/made_from", "/data", "/path", "/path/terms/0"] {
            let mut edited = certificate.clone();
            edited.pointer_mut(place).unwrap()["remark"] = json!(1);
            refused(&edited.to_string(), &["edited.json", "remark", "no such field"]);
        }
        for version in ["rankscape.certificate/2", "rankscape.diagnose/1", ""] {
            let mut edited = certificate.clone();
            edited["schema"] = json!(version);
            refused(&edited.to_string(), &["edited.json", "schema"]);
        }
        // Ranks that are left out, by whoever can write the seal.
        let count = certificate["rests_on"].as_array().unwrap().len();
        for left_out in 0..count {
            let mut edited = certificate.clone();
            edited["rests_on"].as_array_mut().unwrap().remove(left_out);
            put(folder, "edited.json", edited.to_string().as_bytes());
            let file = read_certificate(folder.join("edited.json")).unwrap();
            write_certificate(folder.join("forged.json"), &file.certificate, file.digest, case.3 == TARGET).unwrap();
            let (code, document) = verified(folder, "forged.json", &[]);
            assert!(
                code == 4 && failing(&document) == ["the ranks that the class rests on"],
                "{left_out}: {document:#}"
            );
        }
    }
}

#[test]
fn the_edited_field_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let certificate = certified(folder, CASES[6]);
    for (place, value, field) in [
        ("/data/inputs/0/0", json!(1.25), "data"),
        ("/criticality/threshold", json!(1e-11), "criticality"),
        ("/digest/data", json!("1".repeat(64)), "digest"),
        ("/point/0/0/1", json!(1e-300), "point"),
    ] {
        let mut edited = certificate.clone();
        *edited.pointer_mut(place).unwrap() = value;
        put(folder, "edited.json", edited.to_string().as_bytes());
        let run = rankscape(folder, &["verify", "edited.json"]);
        assert_eq!(run.code, 4, "{place}: {run:?}");
        assert!(run.stdout.contains(&format!("edited since it was written: {field}")), "{run:?}");
    }
    // Another program may write the same values.
    put(folder, "edited.json", serde_json::to_string_pretty(&certificate).unwrap().as_bytes());
    assert_eq!(verified(folder, "edited.json", &[]).0, 0);
}

#[test]
fn certificates_at_the_ends_of_double_precision_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for size in ["1e-165", "1e-160", "1e-155", "1e-100", "1e-20", "1e20", "1e100", "1e150"] {
        for (first, second) in [("0.0", "0"), (size, "1")] {
            put(
                folder,
                "w.json",
                format!(r#"{{"W1": [[{first}, 0], [0, 0]], "W2": [[{second}, 0], [0, 0]]}}"#).as_bytes(),
            );
            let data = format!(r#"{{"X": [[1, 0], [0, 1], [0, 0]], "Y": [[{size}, 0], [0, {size}], [0, {size}]]}}"#);
            put(folder, "d.json", data.as_bytes());
            let run =
                rankscape(folder, &forced(&[&["diagnose", "--json", "--certificate", "c.json"], SAMPLES].concat()));
            assert!([0, 3].contains(&run.code), "{size} {run:?}");
            assert_valid("certificate", &stored(folder, "c.json"));
            for given in [&[][..], SAMPLES] {
                let (code, document) = verified(folder, "c.json", given);
                assert_eq!(code, run.code, "{size} {first}: {document:#}");
            }
        }
        let exponent: usize = size[1..].trim_start_matches(['e', '-']).parse().unwrap();
        let zeros = "0".repeat(exponent);
        let number = if size.contains('-') { format!("\"1/1{zeros}\"") } else { format!("1{zeros}") };
        put(folder, "w.json", format!(r#"{{"W1": [[{number}, 0], [0, 0]], "W2": [[1, 0], [0, 0]]}}"#).as_bytes());
        let data = format!(r#"{{"X": [[1, 0], [0, 1]], "Y": [[{number}, 0], [0, {number}]]}}"#);
        put(folder, "d.json", data.as_bytes());
        let run = rankscape(folder, &forced(&[&["diagnose", "--json", "--certificate", "c.json"], SAMPLES].concat()));
        assert_eq!(run.json()["class"], "strict_saddle", "{size} {run:?}");
        let (code, document) = verified(folder, "c.json", SAMPLES);
        assert_eq!(code, 0, "{size}: {document:#}");
    }
}

#[test]
fn the_digest_of_another_file_is_found_with_and_without_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for case in [CASES[0], CASES[5]] {
        let mut certificate = certified(folder, case);
        put(folder, "bad.json", br#"{"W1": [[1, 1]], "W2": [[1], [2]]}"#);
        let bad = rankscape(folder, &["diagnose", "--json", "--weights", "bad.json", "--target", "d.json"]).json();
        certificate["digest"]["weights"] = bad["digest"]["weights"].clone();
        put(folder, "edited.json", certificate.to_string().as_bytes());
        for given in [&[][..], &["--weights", "bad.json", "--target", "d.json"]] {
            let (code, document) = verified(folder, "edited.json", given);
            assert_eq!(code, 4, "{document:#}");
            assert!(failing(&document).contains(&"the digest of the weights".to_owned()), "{document:#}");
        }
    }
}

#[test]
fn the_tolerances_of_the_user_reach_the_certificate_and_meaningless_ones_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[2.00000001, 0], [0, 0]], "W2": [[1, 0], [0, 0]]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#);
    let certify = |setting: &[&str]| {
        let run = rankscape(
            folder,
            &forced(&[&["diagnose", "--json", "--certificate", "c.json"], SAMPLES, setting].concat()),
        );
        assert!([0, 3].contains(&run.code), "{run:?}");
        stored(folder, "c.json")
    };
    assert_eq!(certify(&[])["class"], "not_critical");
    let loose = certify(&["--tolerance", "critical_floor=1e-6"]);
    assert_eq!((&loose["class"], &loose["criticality"]["threshold"]), (&json!("strict_saddle"), &json!(1e-6)));
    let (code, document) = verified(folder, "c.json", &[]);
    assert_eq!(code, 0, "{document:#}");
    assert!(document["warnings"][0].as_str().unwrap().contains("by default up to 1e-12"), "{document:#}");
    assert_eq!(verified(folder, "c.json", &["--tolerance", "critical_floor=1e-6"]).1["warnings"], json!([]));
    // A setting that leaves a verdict no meaning is refused before a certificate is made, or said by whoever checks it.
    put(folder, "w.json", br#"{"W1": [[2.0, 0], [0, 0]], "W2": [[1, 0], [0, 0.0]]}"#);
    for (setting, word) in [
        ("critical_floor=1", "every point"),
        ("critical_floor=0.2", "every point"),
        ("rank=1e15", "no meaning"),
        ("rank_gap=0", "every rank is clear"),
    ] {
        let ask = ["diagnose", "--json", "--certificate", "c.json", "--tolerance", setting];
        let run = rankscape(folder, &forced(&[&ask[..], SAMPLES].concat()));
        if run.code == 2 {
            assert!(run.stderr.contains("would mean nothing"), "{setting}: {run:?}");
            continue;
        }
        let (code, document) = verified(folder, "c.json", &[]);
        assert_ne!(code, 0, "{setting}: {document:#}");
        assert!(document["warnings"][0].as_str().unwrap().contains(word), "{setting}: {document:#}");
        let said = rankscape(folder, &["verify", "c.json"]).stdout;
        assert!(said.contains("warning") && said.contains(word), "{said}");
    }
}

#[test]
fn large_weights_that_the_data_do_not_see_have_no_certificate_of_a_minimum() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[100000000.0, 0.0], [0.0, 0.0]], "W2": [[100000000.0, 0.0], [0.0, 0.0]]}"#);
    put(folder, "d.json", br#"{"X": [[0.0, 1.0]], "Y": [[0.0, 1.0]]}"#);
    let run = rankscape(folder, &forced(&[&["diagnose", "--json", "--certificate", "c.json"], SAMPLES].concat()));
    assert!([0, 3].contains(&run.code), "{run:?}");
    let mut certificate = stored(folder, "c.json");
    certificate["class"] = json!("global_minimum");
    certificate["path"] = Value::Null;
    put(folder, "edited.json", certificate.to_string().as_bytes());
    let file = read_certificate(folder.join("edited.json")).unwrap();
    write_certificate(folder.join("forged.json"), &file.certificate, file.digest, false).unwrap();
    let (code, document) = verified(folder, "forged.json", &[]);
    assert!(code == 4 && failing(&document).contains(&"the class of the point".to_owned()), "{document:#}");
}
