//! `diagnose --certificate` and `verify`: certificates of exact and of floating points, edited ones, other inputs.

use std::path::Path;

use crate::common::{are_integers, assert_valid, forced, put_samples, put_weights, rankscape};
use rankscape_io::{read_certificate, write_certificate};
use serde_json::{Value, json};
use testkit::files::put;
use testkit::grid::Grid;
use testkit::oracles::landscape_cases;
use testkit::random::Draw;
use testkit::reference::product;
use testkit::scalar::{Rational, Scalar};

const ASK: [&str; 7] = ["diagnose", "--json", "--weights", "w.json", "--data", "d.json", "--certificate"];

/// The certificate of the point in `w.json` and `d.json`, and the answer of `diagnose`.
fn certified(folder: &Path, name: &str) -> (Value, Value) {
    let run = rankscape(folder, &forced(&[&ASK[..], &[name]].concat()));
    assert!([0, 3].contains(&run.code), "{run:?}");
    (serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap(), run.json())
}

fn verified(folder: &Path, name: &str, more: &[&str]) -> (Value, i32) {
    let run = rankscape(folder, &[&["verify", name, "--json"], more].concat());
    (run.json(), run.code)
}

/// The claims that fail.
fn failing(document: &Value) -> Vec<&str> {
    let checks = document["evidence"]["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["holds"] == json!(false)).map(|check| check["claim"].as_str().unwrap()).collect()
}

/// The grade of a claim that holds.
fn grade<'a>(document: &'a Value, claim: &str) -> &'a str {
    let mut checks = document["evidence"]["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["claim"] == claim).unwrap();
    assert_eq!(check["holds"], true, "{check}");
    check["grade"].as_str().unwrap()
}

#[test]
fn every_exact_case_of_the_oracle_has_a_certificate_that_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut saddles, mut minima) = (0, 0);
    for case in landscape_cases() {
        for point in &case.points {
            if !point.factors.iter().chain([&case.x, &case.y]).all(are_integers) {
                continue;
            }
            let at = format!("{} {}", case.id, point.name);
            put_weights(folder, "w.json", &point.factors);
            put_samples(folder, "d.json", &case.x, &case.y);
            let (certificate, answer) = certified(folder, "c.json");
            assert_valid("certificate", &certificate);
            assert_eq!(certificate["arithmetic"], "exact", "{at}");
            assert_eq!(certificate["class"], point.class_name(), "{at}");
            let (document, code) = verified(folder, "c.json", &["--weights", "w.json", "--data", "d.json"]);
            assert_valid("verify", &document);
            assert_eq!((code, &document["valid"]), (0, &json!(true)), "{at} {document:#}");
            assert_eq!(document["evidence"]["grade"], "exact", "{at}");
            if point.class_name() == "global_minimum" {
                assert!(certificate["path"].is_null(), "{at}");
                minima += 1;
            } else {
                assert_eq!(certificate["path"]["order"], answer["escape"]["order"], "{at}");
                assert_eq!(answer["escape"]["certificate"], "c.json", "{at}");
                saddles += 1;
            }
        }
    }
    assert_eq!(saddles + minima, 99);
    println!("{saddles} saddles and other points, {minima} minima");
}

/// Every number below `value`, by its path.
fn numbers(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(k, v)| numbers(v, &format!("{path}/{k}"), out)),
        Value::Object(map) => map.iter().for_each(|(k, v)| numbers(v, &format!("{path}/{k}"), out)),
        Value::Number(_) => out.push(path.to_owned()),
        Value::String(text) if text.contains('/') && text.chars().all(|c| c.is_ascii_digit() || "/-".contains(c)) => {
            out.push(path.to_owned());
        }
        _ => {}
    }
}

fn rational(value: &Value) -> Rational {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (numerator, denominator) = text.split_once('/').unwrap_or((&text, "1"));
    Rational::new(numerator.parse().unwrap(), denominator.parse().unwrap())
}

fn grid(value: &Value) -> Grid<Rational> {
    let row = |row: &Value| row.as_array().unwrap().iter().map(rational).collect();
    Grid::from_rows(&value.as_array().unwrap().iter().map(row).collect::<Vec<_>>())
}

/// The loss falls by what is claimed and the gradient is zero: `1/2 <W S, W> - <C, W>`, evaluated here.
fn is_true(certificate: &Value) -> bool {
    let (s, c) = (grid(&certificate["data"]["xx"]), grid(&certificate["data"]["yx"]));
    let point: Vec<Grid<Rational>> = certificate["point"].as_array().unwrap().iter().map(grid).collect();
    let t = rational(&certificate["path"]["t"]);
    let mut end = point.clone();
    for term in certificate["path"]["terms"].as_array().unwrap() {
        let power = term["power"].as_u64().unwrap();
        let factor = (0..power).fold(Rational::integer(1), |product, _| product * &t);
        for (layer, step) in end.iter_mut().zip(term["factors"].as_array().unwrap()) {
            *layer = layer.add(&grid(step).scale(&factor));
        }
    }
    let half = Rational::ratio(1, 2);
    let loss = |layers: &[Grid<Rational>]| {
        let w = product(layers);
        w.matmul(&s).dot(&w) * &half - c.dot(&w)
    };
    let g = product(&point).matmul(&s).sub(&c);
    let critical = (0..point.len()).all(|k| {
        let identity = |size: usize| Grid::<Rational>::identity(size);
        let after = point[k + 1..].iter().fold(identity(point[k].rows()), |p, w| w.matmul(&p));
        let before = point[..k].iter().fold(identity(point[0].cols()), |p, w| w.matmul(&p));
        after.transpose().matmul(&g).matmul(&before.transpose()).entries().iter().all(|x| *x == Rational::integer(0))
    });
    critical && loss(&point) - loss(&end) == rational(&certificate["path"]["decrease"])
}

/// The exit code of verifying `edited.json` when what the certificate says of itself is written again: sentence, widths, seal. `None`
/// where the file is not a certificate any more.
fn forged(folder: &Path) -> Option<i32> {
    let file = read_certificate(folder.join("edited.json")).ok()?;
    let target = file.made_from.data == "target";
    write_certificate(folder.join("forged.json"), &file.certificate, file.digest, target).unwrap();
    Some(verified(folder, "forged.json", &[]).1)
}

#[test]
fn a_certificate_with_one_number_changed_is_rejected_or_still_true() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[0, 0], [0, 0]], "W2": [[0, 0], [0, 0]], "W3": [[0, 0], [0, 0]]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [1, 2], [0, 1]], "Y": [[2, 0], [1, 0], [3, 1]]}"#);
    let (certificate, answer) = certified(folder, "c.json");
    assert_eq!(answer["class"], "non_strict_saddle");
    let mut places = Vec::new();
    numbers(&certificate, "", &mut places);
    let (mut rejected, mut kept) = (0, 0);
    for trial in 0..160 {
        let mut draw = Draw::new(81, trial);
        let place = &places[draw.size(0, places.len() - 1)];
        let mut edited = certificate.clone();
        let number = edited.pointer_mut(place).unwrap();
        *number =
            if draw.chance(0.5) { json!(draw.integer(-3, 9)) } else { json!(format!("{}/7", draw.integer(-9, 9))) };
        if *number == *certificate.pointer(place).unwrap() {
            continue;
        }
        put(folder, "edited.json", edited.to_string().as_bytes());
        let run = rankscape(folder, &["verify", "edited.json", "--json"]);
        match run.code {
            2 => rejected += 1,
            // Whoever edits may write the seal again.
            4 => match forged(folder) {
                Some(0) => {
                    assert!(is_true(&edited), "{place}: {edited:#}");
                    kept += 1;
                }
                _ => rejected += 1,
            },
            0 => {
                assert!(is_true(&edited), "{place}: {edited:#}");
                kept += 1;
            }
            other => panic!("{other} {run:?}"),
        }
    }
    // The path uses one entry of the gradient, so that other data can have the same path and the same decrease.
    assert!(rejected > 90 && kept > 0, "{rejected} {kept}");
}

#[test]
fn what_fails_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[0]], "W2": [[0]], "W3": [[0]]}"#);
    put(folder, "d.json", br#"{"X": [[1]], "Y": [[2]]}"#);
    let (certificate, _) = certified(folder, "c.json");
    assert_eq!(certificate["path"]["order"], 3);
    for (place, value, claim) in [
        ("/path/order", json!(2), "the order of the first change"),
        ("/path/coefficient", json!(-1), "its coefficient"),
        ("/path/decrease", json!("1/3"), "the decrease at t"),
        ("/path/t", json!(-1), "the step t is positive"),
        ("/path/sense", json!("ascent"), "its sign"),
        ("/class", json!("strict_saddle"), "the class of the point"),
        ("/data/xx/0/0", json!(-1), "the data are second moments"),
        ("/path/terms/0/power", json!(2), "the order of the first change"),
        ("/rests_on/0", json!("rank X = 0"), "the ranks that the class rests on"),
        ("/rests_on/1", json!("rank W9 = 0"), "the ranks that the class rests on"),
        ("/says", json!("the point is a minimum"), "the statement in words"),
        ("/data/yy", json!(5), "the seal of the fields"),
        ("/data/yy", json!(3), "the data are second moments"),
        ("/data/yy", json!("7999/2000"), "the data are second moments"),
        ("/data/xx/0/0", json!(0), "the data are second moments"),
        ("/digest/data", json!("0".repeat(64)), "the seal of the fields"),
        ("/digest/weights", json!("0".repeat(64)), "the digest of the weights"),
    ] {
        let mut edited = certificate.clone();
        *edited.pointer_mut(place).unwrap() = value;
        put(folder, "edited.json", edited.to_string().as_bytes());
        let (document, code) = verified(folder, "edited.json", &[]);
        assert_eq!((code, &document["valid"]), (4, &json!(false)), "{place}");
        assert!(failing(&document).contains(&claim), "{place}: {document:#}");
    }
    put(folder, "other.json", br#"{"X": [[1]], "Y": [[3]]}"#);
    let (document, code) = verified(folder, "c.json", &["--data", "other.json"]);
    assert_eq!(
        (code, failing(&document)),
        (4, vec!["the digest of the data given", "the data are those of the files"])
    );
    put(folder, "w2.json", br#"{"W1": [[0]], "W2": [[0]], "W3": [[1]]}"#);
    let (document, code) = verified(folder, "c.json", &["--weights", "w2.json"]);
    assert_eq!(
        (code, failing(&document)),
        (4, vec!["the digest of the weights given", "the point is that of the weights"])
    );
    let text = rankscape(folder, &["verify", "c.json", "--weights", "w2.json"]);
    assert!(text.stdout.contains("FAILS        the point is that of the weights: W3[0, 0] is 0"), "{text:?}");
}

#[test]
fn bad_files_give_one_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[0]], "W2": [[0]], "W3": [[0]]}"#);
    put(folder, "d.json", br#"{"X": [[1]], "Y": [[2]]}"#);
    let (certificate, _) = certified(folder, "c.json");
    for (place, value, part) in [
        ("/schema", json!("rankscape.map/1"), "schema"),
        ("/schema", json!("rankscape.certificate/2"), "schema"),
        ("/digest/weights", json!("abc"), "digest.weights"),
        ("/made_from/data", json!("guess"), "made_from.data"),
        ("/rests_on/0", json!("rank X"), "rests_on"),
        ("/widths", json!([1, 1]), "widths"),
        ("/point", json!(7), "point"),
        ("/point/1", json!([[1, 2]]), "chain"),
        ("/point/0/0/0", json!(0.5), "integers, and fractions"),
        ("/class", json!("nice"), "class"),
        ("/path/t", json!("x"), "path.t"),
        ("/path/order", json!(0), "path.order"),
        ("/path/terms/0/power", json!(1e9), "power"),
        ("/data/yy", json!([1]), "data.yy"),
    ] {
        let mut edited = certificate.clone();
        *edited.pointer_mut(place).unwrap() = value;
        put(folder, "edited.json", edited.to_string().as_bytes());
        let run = rankscape(folder, &["verify", "edited.json"]);
        assert_eq!(run.code, 2, "{place} {run:?}");
        assert!(run.stderr.contains(part) && run.stderr.contains("edited.json"), "{place} {run:?}");
    }
}

#[test]
fn floating_certificates_are_evaluated_exactly_or_with_intervals() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let digits = format!("{}/../../examples/digits/digits.npz", env!("CARGO_MANIFEST_DIR"));
    let run = rankscape(folder, &["diagnose", "--example", "digits-classifier", "--certificate", "c.json"]);
    assert!([0, 3].contains(&run.code), "{run:?}");
    let (document, code) = verified(folder, "c.json", &["--data", &digits]);
    assert_eq!((code, &document["valid"]), (0, &json!(true)), "{document:#}");

    put(folder, "w.json", br#"{"W1": [[0.0, 0], [0, 0]], "W2": [[0, 0], [0, 0]], "W3": [[0, 0], [0, 0]]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [1, 2], [0, 1]], "Y": [[2, 0], [1, 0], [3, 1]]}"#);
    let (certificate, answer) = certified(folder, "c.json");
    assert_valid("certificate", &certificate);
    assert_eq!((&certificate["arithmetic"], &answer["class"]), (&json!("floating"), &json!("non_strict_saddle")));
    let (document, code) = verified(folder, "c.json", &["--weights", "w.json", "--data", "d.json"]);
    assert_valid("verify", &document);
    assert_eq!((code, &document["evidence"]["grade"]), (0, &json!("numerical")), "{document:#}");
    assert_eq!(grade(&document, "the decrease at t"), "exact");
    assert_eq!(grade(&document, "the gradient of that class"), "certified");
    // That no curvature is negative rests on ranks.
    assert_eq!(grade(&document, "the class of the point"), "numerical");
    for (place, claim) in [("/path/decrease", "the decrease at t"), ("/path/coefficient", "its coefficient")] {
        let mut edited = certificate.clone();
        let number = edited.pointer_mut(place).unwrap();
        *number = json!(1.001 * number.as_f64().unwrap());
        put(folder, "edited.json", edited.to_string().as_bytes());
        let (document, code) = verified(folder, "edited.json", &[]);
        assert_eq!((code, failing(&document)), (4, vec![claim, "the seal of the fields"]));
    }
    let mut edited = certificate.clone();
    *edited.pointer_mut("/path/order").unwrap() = json!(4);
    put(folder, "edited.json", edited.to_string().as_bytes());
    let (document, code) = verified(folder, "edited.json", &[]);
    assert!(code == 4 && failing(&document).contains(&"the order of the first change, up to rounding"));
}

#[test]
fn the_certificates_of_the_examples_verify() {
    let folder = tempfile::tempdir().unwrap();
    for example in ["digits", "digits-early", "digits-converged", "digits-classifier"] {
        let arguments = ["diagnose", "--json", "--example", example, "--certificate", "c.json"];
        let run = rankscape(folder.path(), &forced(&arguments));
        assert_eq!(run.code, 0, "{run:?}");
        let (answer, code) = verified(folder.path(), "c.json", &[]);
        assert_eq!((code, &answer["valid"]), (0, &json!(true)), "{example}: {answer}");
    }
}

#[test]
fn a_global_minimum_has_a_certificate_of_its_class() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1]], "Y": [[2]]}"#);
    put(folder, "w.json", br#"{"W1": [[1]], "W2": [[2]]}"#);
    let (certificate, _) = certified(folder, "c.json");
    assert!(certificate["path"].is_null());
    assert_eq!(verified(folder, "c.json", &[]).1, 0);
    put(folder, "w.json", br#"{"W1": [[1.0]], "W2": [[2]]}"#);
    certified(folder, "c.json");
    let (document, code) = verified(folder, "c.json", &[]);
    assert_eq!((code, &document["valid"]), (0, &json!(true)), "{document:#}");
    assert_eq!(grade(&document, "the class of the point"), "certified");
}

#[test]
fn every_floating_case_of_the_oracle_has_a_certificate_that_verifies_and_no_other_class_does() {
    const CLASSES: [&str; 4] = ["global_minimum", "strict_saddle", "non_strict_saddle", "not_critical"];
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut proved, mut decided) = (0, 0);
    for case in landscape_cases() {
        for point in &case.points {
            let at = format!("{} {}", case.id, point.name);
            put_weights(folder, "w.json", &point.factors);
            let text = std::fs::read_to_string(folder.join("w.json")).unwrap();
            let mut floating: Value = serde_json::from_str(&text).unwrap();
            let mut places = Vec::new();
            numbers(&floating, "", &mut places);
            for place in places {
                let number = floating.pointer_mut(&place).unwrap();
                *number = json!(number.as_f64().unwrap());
            }
            put(folder, "w.json", floating.to_string().as_bytes());
            put_samples(folder, "d.json", &case.x, &case.y);
            let (certificate, answer) = certified(folder, "c.json");
            assert_eq!(certificate["arithmetic"], "floating", "{at}");
            assert_valid("certificate", &certificate);
            let (document, code) = verified(folder, "c.json", &["--weights", "w.json", "--data", "d.json"]);
            assert_eq!((code, &document["valid"]), (0, &json!(true)), "{at} {document:#}");
            match grade(&document, "the class of the point") {
                "certified" => proved += 1,
                _ => {
                    assert_eq!(answer["class"], "non_strict_saddle", "{at} {document:#}");
                    decided += 1;
                }
            }
            for class in CLASSES.into_iter().filter(|class| answer["class"] != *class) {
                let mut edited = certificate.clone();
                edited["class"] = json!(class);
                put(folder, "edited.json", edited.to_string().as_bytes());
                let (document, code) = verified(folder, "edited.json", &[]);
                assert!(
                    code == 4 && failing(&document).contains(&"the class of the point"),
                    "{at} {class} {document:#}"
                );
            }
        }
    }
    assert!(proved >= 60 && decided >= 20, "{proved} {decided}");
}

#[test]
fn what_fails_in_double_precision_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // A strict saddle: the second value of diag(2, 1) is captured, the first is not.
    put(folder, "w.json", br#"{"W1": [[0.0, 0], [0, 0.1]], "W2": [[0, 0], [0, 10]]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#);
    let (certificate, answer) = certified(folder, "c.json");
    assert_eq!((&answer["class"], &certificate["path"]["order"]), (&json!("strict_saddle"), &json!(2)));
    let (document, code) = verified(folder, "c.json", &[]);
    assert_eq!((code, grade(&document, "the class of the point")), (0, "certified"));
    let times = |place: &str, factor: f64| json!(factor * certificate.pointer(place).unwrap().as_f64().unwrap());
    for (place, value, claim) in [
        ("/path/coefficient", times("/path/coefficient", 1.001), "its coefficient"),
        ("/path/coefficient", times("/path/coefficient", -1.0), "its coefficient"),
        ("/path/decrease", times("/path/decrease", 1.001), "the decrease at t"),
        ("/path/t", times("/path/t", 0.5), "the decrease at t"),
        ("/path/t", json!(-1.0), "the step t is positive"),
        ("/path/order", json!(4), "the order of the first change, up to rounding"),
        ("/path/order", json!(1), "its coefficient"),
        ("/path/order", json!(9), "the order of the first change, up to rounding"),
        ("/path/sense", json!("ascent"), "the sign of the decrease"),
        ("/class", json!("non_strict_saddle"), "class and order fit together"),
        ("/class", json!("global_minimum"), "class and order fit together"),
        ("/class", json!("local_minimum"), "the class of the point"),
        ("/class", json!("not_critical"), "the gradient of that class"),
        ("/point/0/1/1", json!(0.1001), "the gradient of that class"),
        ("/data/target/0/0", json!(0.5), "its coefficient"),
        ("/data/floor", json!(-1.0), "the data are second moments"),
        ("/data/floor", json!(1.0), "the data are second moments"),
        ("/data/norm", json!(1.0), "the data are second moments"),
        ("/criticality/threshold", json!(1e-6), "the seal of the fields"),
        ("/rests_on/1", json!("rank W X = 2, zero up to 1e-15"), "the ranks that the class rests on"),
        ("/says", json!("nothing"), "the statement in words"),
    ] {
        let mut edited = certificate.clone();
        *edited.pointer_mut(place).unwrap() = value;
        put(folder, "edited.json", edited.to_string().as_bytes());
        let (document, code) = verified(folder, "edited.json", &[]);
        assert_eq!((code, &document["valid"]), (4, &json!(false)), "{place}");
        assert!(failing(&document).contains(&claim), "{place}: {document:#}");
    }
    // Both digests.
    put(folder, "w2.json", br#"{"W1": [[0.0, 0], [0, 0.1]], "W2": [[0, 0], [0, 11]]}"#);
    put(folder, "d2.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 3]]}"#);
    assert_eq!(
        failing(&verified(folder, "c.json", &["--weights", "w2.json"]).0),
        ["the digest of the weights given", "the point is that of the weights"]
    );
    assert_eq!(
        failing(&verified(folder, "c.json", &["--data", "d2.json"]).0),
        ["the digest of the data given", "the data are those of the files"]
    );
}

/// Every field by its path, members of lists aside.
fn fields(value: &Value, path: &str, out: &mut Vec<String>) {
    let Value::Object(map) = value else { return };
    for (name, value) in map {
        out.push(format!("{path}/{name}"));
        fields(value, &format!("{path}/{name}"), out);
    }
}

#[test]
fn a_missing_field_or_an_undefined_number_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1]], "Y": [[2]]}"#);
    for (zero, undefined) in [("0", json!("1/0")), ("0.0", json!("nan"))] {
        put(folder, "w.json", format!(r#"{{"W1": [[{zero}]], "W2": [[0]], "W3": [[0]]}}"#).as_bytes());
        let (certificate, _) = certified(folder, "c.json");
        let mut places = Vec::new();
        fields(&certificate, "", &mut places);
        assert!(places.len() >= 20);
        for place in places {
            let mut edited = certificate.clone();
            let (parent, name) = place.rsplit_once('/').unwrap();
            edited.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            put(folder, "edited.json", edited.to_string().as_bytes());
            let run = rankscape(folder, &["verify", "edited.json"]);
            assert!(run.code == 2 && run.stderr.contains("edited.json"), "{place} {run:?}");
        }
        for place in ["/path/t", "/path/decrease", "/path/coefficient", "/point/0/0/0", "/path/terms/0/factors/0/0/0"] {
            for value in [undefined.clone(), json!("x"), Value::Null] {
                let mut edited = certificate.clone();
                *edited.pointer_mut(place).unwrap() = value;
                put(folder, "edited.json", edited.to_string().as_bytes());
                let run = rankscape(folder, &["verify", "edited.json"]);
                assert_eq!(run.code, 2, "{place} {run:?}");
            }
        }
    }
    // No number in JSON.
    let text = std::fs::read_to_string(folder.join("c.json")).unwrap();
    for number in ["NaN", "Infinity", "1e999", "1e-999"] {
        put(folder, "edited.json", text.replacen("\"floor\":", &format!("\"floor\": {number}, \"x\":"), 1).as_bytes());
        assert_eq!(rankscape(folder, &["verify", "edited.json"]).code, 2, "{number}");
    }
}
