//! Corners of several verbs: one of a thing, no data, one layer, means, short types, certificates without their files.

use std::path::Path;

use crate::common::{answer, assert_valid, rankscape};
use serde_json::{Value, json};
use testkit::files::{npy_f64, npz, put, safetensors};
use testkit::grid::Dense;
use testkit::reference::product;

fn text(folder: &Path, arguments: &[&str]) -> String {
    let run = rankscape(folder, arguments);
    assert!([0, 3].contains(&run.code), "{run:?}");
    run.stdout
}

#[test]
fn one_of_a_thing_is_not_many() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[1]], "W2": [[0]]}"#);
    put(folder, "d.json", br#"{"X": [[1]], "Y": [[2]]}"#);
    let diagnosed = text(folder, &["diagnose", "--weights", "w.json", "--data", "d.json"]);
    assert!(diagnosed.contains("on 1 sample is 0\n"), "{diagnosed}");
    let critical = text(folder, &["critical", "--data", "d.json", "--widths", "1,1,1"]);
    assert!(critical.contains("; 1 sample,") && critical.contains("1 distinct positive value:"), "{critical}");
    let map = text(folder, &["map", "--weights", "w.json"]);
    assert!(map.contains("1 component, "), "{map}");
    let spectrum = text(folder, &["hessian", "--weights", "w.json", "--data", "d.json"]);
    assert!(spectrum.contains("rests on 1 decision,"), "{spectrum}");
    let degrees = text(folder, &["ed", "--rows", "2", "--cols", "2", "--rank", "2"]);
    for said in [diagnosed, critical, map, spectrum, degrees] {
        for words in said.split_whitespace().collect::<Vec<_>>().windows(2) {
            let many = ["samples", "decisions", "components", "values", "points", "directions", "ranks", "bars"];
            assert!(
                words[0] != "1" || !many.contains(&words[1].trim_end_matches([',', ';', ':'])),
                "{words:?}: {said}"
            );
        }
    }
}

#[test]
fn what_a_certificate_was_not_compared_with_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[1, 0], [0, 0]], "W2": [[0, 0], [0, 0]]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[0, 0], [0, 1]]}"#);
    answer(folder, &["diagnose", "--weights", "w.json", "--data", "d.json", "--certificate", "c.json"], 0);
    let all: [(&[&str], Value, &str); 4] = [
        (
            &[],
            json!(["weights", "data"]),
            "the weights and the data that it names by digest: give --weights FILE and --data",
        ),
        (&["--weights", "w.json"], json!(["data"]), "the data that it names by digest: give --data FILE"),
        (&["--data", "d.json"], json!(["weights"]), "the weights that it names by digest: give --weights FILE"),
        (&["--weights", "w.json", "--data", "d.json"], json!([]), ""),
    ];
    for (given, missing, words) in all {
        let found = answer(folder, &[&["verify", "c.json"], given].concat(), 0);
        assert_valid("verify", &found);
        assert_eq!(found["not_compared"], missing);
        let said = text(folder, &[&["verify", "c.json"], given].concat());
        assert_eq!(said.contains("not compared"), !words.is_empty(), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn without_inputs_nothing_is_captured_and_nothing_can_be_left() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[1, 0], [0, 0]], "W2": [[0, 0], [1, 0]]}"#);
    put(folder, "d.json", br#"{"X": [[0, 0], [0, 0]], "Y": [[1, 0], [0, 1]]}"#);
    let point = ["--weights", "w.json", "--data", "d.json"];
    let parsed = answer(folder, &[&["parse"], &point[..]].concat(), 0);
    assert_valid("parse", &parsed);
    assert_eq!((&parsed["captured"], &parsed["class"]), (&json!([]), &json!("global_minimum")));
    assert!(parsed["reason"].as_str().unwrap().contains("X is zero"), "{parsed}");
    let diagnosed = answer(folder, &[&["diagnose"], &point[..]].concat(), 0);
    assert_eq!(diagnosed["captured"], parsed["captured"]);
    for more in [&[][..], &["--ascent"]] {
        let escape = answer(folder, &[&["escape"], &point[..], more].concat(), 0);
        assert_valid("escape", &escape);
        for construction in escape["constructions"].as_array().unwrap() {
            assert_eq!(construction["reason"], "X is zero: the loss does not depend on the weights");
        }
    }
}

/// All that one layer reaches is captured: as `diagnose` says.
#[test]
fn a_layer_alone_captures_all() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "z.json", br#"{"Y": [[2, 0], [0, 0], [0, 1]]}"#);
    for (weights, captured) in [("[[2, 0], [0, 0], [0, 1]]", json!([1, 2])), ("[[2, 0], [0, 0], [0, 0]]", Value::Null)]
    {
        put(folder, "w.json", format!(r#"{{"W1": {weights}}}"#).as_bytes());
        let parsed = answer(folder, &["parse", "--weights", "w.json", "--target", "z.json"], 0);
        assert_eq!(parsed["captured"], captured);
        if !captured.is_null() {
            let diagnosed = answer(folder, &["diagnose", "--weights", "w.json", "--target", "z.json"], 0);
            assert_eq!(diagnosed["captured"], captured);
        }
        assert_eq!(parsed["tolerances"]["rank"], 8.0);
    }
}

#[test]
fn a_certificate_beside_a_mean_says_that_it_is_about_the_sum() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[1, 0], [0, 0]], "W2": [[0, 0], [0, 0]]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[0, 0], [0, 1]]}"#);
    let ask = ["diagnose", "--weights", "w.json", "--data", "d.json", "--certificate", "c.json", "--normalization"];
    for (scale, factor) in [("sum", 1.0), ("mean", 0.5), ("mse", 0.5)] {
        let found = answer(folder, &[&ask[..], &[scale]].concat(), 0);
        let certificate: Value = serde_json::from_slice(&std::fs::read(folder.join("c.json")).unwrap()).unwrap();
        assert_valid("certificate", &certificate);
        assert_eq!(certificate["scale"], "sum");
        let said = found["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains("the sum"));
        assert_eq!(said, scale != "sum", "{found}");
        let exact = |text: &Value| match text.as_str().and_then(|text| text.split_once('/')) {
            Some((p, q)) => p.parse::<f64>().unwrap() / q.parse::<f64>().unwrap(),
            None => text.as_f64().unwrap(),
        };
        let (here, there) = (found["escape"]["decrease"].as_f64().unwrap(), exact(&certificate["path"]["decrease"]));
        assert!((here - factor * there).abs() <= 1e-12 * there, "{scale}: {here} {there}");
    }
}

/// Two matrices in single precision.
fn put_single(folder: &Path, name: &str, weights: &[Dense; 2]) {
    let data =
        weights.each_ref().map(|w| w.entries().iter().flat_map(|&x| (x as f32).to_le_bytes()).collect::<Vec<u8>>());
    let entry = |k: usize, start: usize| {
        let shape = [weights[k].rows(), weights[k].cols()];
        json!({"dtype": "F32", "shape": shape, "data_offsets": [start, start + data[k].len()]})
    };
    let header = json!({"W1": entry(0, 0), "W2": entry(1, data[0].len())});
    put(folder, name, &safetensors(&header.to_string(), &data.concat()));
}

fn read_single(folder: &Path, name: &str) -> [Dense; 2] {
    let bytes = std::fs::read(folder.join(name)).unwrap();
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + size]).unwrap();
    ["W1", "W2"].map(|name| {
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        let (shape, place) = (&header[name]["shape"], &header[name]["data_offsets"]);
        assert_eq!(header[name]["dtype"], "F32", "{name}");
        let data = &bytes[8 + size + number(&place[0])..8 + size + number(&place[1])];
        let values: Vec<f64> = data.chunks(4).map(|x| f64::from(f32::from_le_bytes(x.try_into().unwrap()))).collect();
        let cols = number(&shape[1]);
        Dense::from_fn(number(&shape[0]), cols, |i, j| values[i * cols + j])
    })
}

/// The defect and the product are computed again from the file that was written.
#[test]
fn balance_reports_the_numbers_of_what_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let round = |m: Dense| Dense::from_fn(m.rows(), m.cols(), |i, j| f64::from(m[(i, j)] as f32));
    let weights = [
        round(Dense::from_rows(&[vec![3.1, 0.7, -1.3], vec![0.2, 2.9, 0.4]])),
        round(Dense::from_rows(&[vec![0.31, 0.05], vec![-0.13, 0.22], vec![0.4, 0.17]])),
    ];
    put_single(folder, "w.safetensors", &weights);
    let found = answer(folder, &["balance", "--weights", "w.safetensors", "--save", "b.safetensors"], 0);
    let stored = read_single(folder, "b.safetensors");
    let off = product(&stored).sub(&product(&weights)).norm();
    let (gram, other) = (stored[1].transpose().matmul(&stored[1]), stored[0].matmul(&stored[0].transpose()));
    let trace = |m: &Dense| (0..m.rows()).map(|i| m[(i, i)]).sum::<f64>();
    let defect = gram.sub(&other).norm() / (trace(&gram) + trace(&other));
    let number = |name: &str| found[name].as_f64().unwrap();
    assert!((number("product_error") - off).abs() <= 1e-9 * off && off > 1e-9, "{found} {off}");
    assert!((number("defect_after") - defect).abs() <= 1e-9 * defect && defect > 1e-10, "{found} {defect}");
    let before = answer(folder, &["balance", "--weights", "w.safetensors"], 0);
    assert!(before["product_error"].as_f64().unwrap() < 1e-12, "{before}");
}

/// `W_2 = 0` and a `W_1` of rank one: both bounds of the coefficient are half the dimension of all matrices.
#[test]
fn bounds_of_the_learning_coefficient_that_meet_are_its_value() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1, 0], [0, 0], [0, 0]], "W2": [[0, 0, 0], [0, 0, 0]]}"#);
    let found = answer(folder.path(), &["map", "--weights", "w.json"], 0);
    assert_valid("map", &found);
    let local = json!({"lambda": 2.0, "multiplicity": null, "status": "exact", "lower": null, "upper": null});
    assert_eq!(found["learning_coefficient"]["local"], local);
}

/// Large weights that the data do not see, beside `W X = 0`: the gradient is large, whatever the type.
#[test]
fn large_weights_that_meet_zeros_only_make_no_point_critical() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[0.0, 1.0]], "Y": [[-1.0, 2.0]]}"#);
    for large in [50.0, 2000.0, 1e6, 8388608.0, 1e12] {
        let weights = [("W1", [large, 0.0, 0.0, 0.0]), ("W2", [large, 0.0, 1.0, 0.0])];
        put(folder, "w.npz", &npz(&weights.map(|(name, values)| (name, npy_f64(&[2, 2], &values)))));
        let run = rankscape(folder, &["diagnose", "--json", "--weights", "w.npz", "--data", "d.json"]);
        assert_eq!(run.json()["class"], "not_critical", "{large}: {run:?}");
    }
    // The same as fractions, in three layers: no direction of the search changes the loss.
    put(folder, "e.json", br#"{"X": [[0, 1]], "Y": [[0, -1]]}"#);
    put(
        folder,
        "w.json",
        br#"{"W1": [[1099511627776, 0], [1, 0], [0, 0]], "W2": [[1099511627776, 0, 0], [0, 0, 0]],
             "W3": [[1099511627776, 0], [1, 0]]}"#,
    );
    let run = rankscape(folder, &["diagnose", "--json", "--weights", "w.json", "--data", "e.json"]);
    assert_eq!(run.json()["class"], "not_critical", "{run:?}");
}

/// Next to a critical point the terms of the gradient cancel: double precision leaves five digits of what the certificate states.
#[test]
fn a_certificate_next_to_a_critical_point_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(
        folder,
        "w.json",
        br#"{
        "W1": [[0.5912187086592156, 0.5453853012042917, 1.1995974311304325],
               [0.9318836525310137, -1.090320131495874, -1.2707060804393504],
               [-0.875873520708811, 1.0920785729935139, -1.6029815678431987]],
        "W2": [[1.7915761965949184, 1.0559285734657877, -0.06696395912257977],
               [0.42997958854876045, 0.17334832881594206, 0.9789283906707464],
               [0.3970728763654612, -1.1807596291117965, 0.3552325799394622]],
        "W3": [[0.3799208694768535, -0.2574322933888572, -0.6990677671130925],
               [0.5094397958452616, -0.8983528955160307, 0.3023226513569074]],
        "W4": [[1.0163365980735735, -0.1836603239405842], [-0.21009064515608564, 1.0283871629666546]],
        "W5": [[-0.7122765261675198, -0.46102144535541817], [-0.10675348651445038, 0.15358401816479345],
               [-0.4485194452428976, 0.7192379781419199]]}"#,
    );
    put(
        folder,
        "t.json",
        br#"{"Y": [[-1.4528864621886857, 1.2765052923643263, -0.509709199783309],
        [-1.561317280176937, -1.4713354120029132, 0.79212874650132],
        [0.19503043019292926, 0.9331230892417006, 1.7751305965497617]]}"#,
    );
    let arguments = ["diagnose", "--weights", "w.json", "--target", "t.json", "--certificate", "c.json"];
    assert_eq!(rankscape(folder, &arguments).code, 0);
    let run = rankscape(folder, &["verify", "c.json"]);
    assert_eq!(run.code, 0, "{run:?}");
}
