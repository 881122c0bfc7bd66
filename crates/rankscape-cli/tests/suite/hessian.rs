//! `rankscape hessian` through the command: fields, signs, parts, layers, sizes, bad input.

use std::path::Path;

use crate::common::{assert_close, json_rows, put_samples, put_weights, rankscape};
use serde_json::Value;
use testkit::files::put;
use testkit::grid::Dense;
use testkit::oracles::{Rows, landscape_cases};
use testkit::reference::Network;

#[track_caller]
fn answer(folder: &Path, arguments: &[&str], code: i32) -> Value {
    crate::common::answer(folder, &[&["hessian"], arguments].concat(), code)
}

fn numbers(document: &Value) -> Vec<f64> {
    document.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn grid(rows: &Rows) -> Dense {
    Dense::from_rows(rows)
}

#[test]
fn eigenvalues_and_signs_of_every_point_of_the_oracle() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut seen = 0;
    for case in landscape_cases() {
        put_samples(folder, "d.json", &case.x, &case.y);
        for point in &case.points {
            put_weights(folder, "w.json", &point.factors);
            let found = answer(folder, &["--weights", "w.json", "--data", "d.json"], 0);
            let factors = point.factors.iter().map(grid).collect();
            let expected = Network::new(factors, grid(&case.x), grid(&case.y)).spectrum();
            let values = numbers(&found["eigenvalues"]);
            assert_eq!(values.len(), expected.len());
            let scale = expected.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
            assert!(values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9 * scale), "{values:?} {expected:?}");
            let negative = expected.iter().filter(|&&v| v < -1e-9 * scale).count();
            let zero = expected.iter().filter(|v| v.abs() <= 1e-9 * scale).count();
            assert_eq!(
                (found["index"].as_u64(), found["nullity"].as_u64()),
                (Some(negative as u64), Some(zero as u64))
            );
            assert_eq!(
                found["parameters"],
                found["index"].as_u64().unwrap()
                    + found["nullity"].as_u64().unwrap()
                    + found["positive"].as_u64().unwrap()
            );
            assert_close(&found["trace"], expected.iter().sum(), 1e-9, "trace");
            assert_close(&found["extremes"]["lambda_min"], expected[0], 1e-8 * scale, "smallest");
            let off = if found["evidence"]["grade"] == "exact" { "elimination" } else { "numerical" };
            assert_eq!(found["method"], if found["class"] == "not_critical" { off } else { "closed_form" });
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

/// Z = diag(2, 1), captured first direction: everything is known by hand.
#[test]
fn a_small_saddle_word_for_word() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[2, 0], [0, 0]], "W2": [[1, 0], [0, 0]]}"#);
    put(folder, "z.json", br#"{"Y": [[2, 0], [0, 1]]}"#);
    let run = rankscape(folder, &["hessian", "--weights", "w.json", "--target", "z.json", "--vectors", "1"]);
    let expected = "\
Matrix     Hessian of the loss in the weights as given, 8 x 8; network 2-2-2
Point      a strict saddle
Signs      1 negative (the index), 3 zero (the nullity), 4 positive; from ranks, in closed form
Spectrum   from -1 to 5, in closed form
Values     -1, 0, 0, 0, 0.697224, 1, 4.30278, 5
Trace      10
Aligned    one set of bases makes all diagonal (defect 0.0e0): 1 kept, 1 omitted, 1 spare
Orbit      at most -1 at balanced strict saddles of these data
Vectors    1 smallest as sums of matrices of rank one, in the document (--json)
Evidence   of the signs: exact; rests on 2 decisions, all clear
";
    assert_eq!((run.code, run.stdout.as_str()), (0, expected), "{run:?}");
    let point = ["--weights", "w.json", "--target", "z.json"];
    let found = answer(folder, &[&point[..], &["--vectors", "--diagonal"]].concat(), 0);
    assert_eq!(found["evidence"]["grade"], "exact");
    assert_eq!(numbers(&found["diagonal"]), [1.0, 1.0, 0.0, 0.0, 4.0, 0.0, 4.0, 0.0]);
    let vectors = found["vectors"].as_array().unwrap();
    assert_eq!((vectors.len(), vectors[0]["parts"].as_array().unwrap().len()), (8, 2), "{found:#}");
    let kept = found["alignment"]["directions"].as_array().unwrap().iter().find(|d| d["kind"] == "kept").unwrap();
    assert_eq!((numbers(&kept["weights"]), kept["target"].as_f64()), (vec![1.0, 2.0, 1.0], Some(2.0)));
    let mean = answer(folder, &[&point[..], &["--normalization", "mean"]].concat(), 0);
    assert_eq!(mean["extremes"]["lambda_max"], 2.5);
}

#[test]
fn layers_and_parts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[2, 0], [0, 0]], "W2": [[1, 0], [0, 0]]}"#);
    put(folder, "z.json", br#"{"Y": [[2, 0], [0, 1]]}"#);
    let point = ["--weights", "w.json", "--target", "z.json"];
    let ask = |more: &[&str]| answer(folder, &[&point[..], more].concat(), 0);
    let layer = ask(&["--layer", "2"]);
    assert_eq!((numbers(&layer["eigenvalues"]), layer["nullity"].as_u64()), (vec![0.0, 0.0, 4.0, 4.0], Some(2)));
    let gauss_newton = ask(&["--part", "gauss-newton"]);
    assert_eq!((gauss_newton["index"].as_u64(), gauss_newton["nullity"].as_u64()), (Some(0), Some(5)));
    assert_eq!((&gauss_newton["method"], &gauss_newton["evidence"]["grade"]), (&"closed_form".into(), &"exact".into()));
    let residual = ask(&["--part", "residual"]);
    assert_eq!((residual["index"].as_u64(), residual["trace"].as_f64()), (Some(2), Some(0.0)));
    let run = rankscape(folder, &[&["hessian", "--json", "--layer", "3"], &point[..]].concat());
    assert!(run.code == 2 && run.json()["hint"] == "1 to 2", "{run:?}");
}

/// 80-20-80 has 3,200 parameters: only the ends by default, and all of them by `--all`, in closed form at an aligned
/// point.
#[test]
fn beyond_two_thousand_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let diagonal = |rows: usize, cols: usize, of: &dyn Fn(usize) -> f64| -> String {
        let rows: Rows = (0..rows).map(|i| (0..cols).map(|j| if i == j { of(i) } else { 0.0 }).collect()).collect();
        json_rows(&rows)
    };
    let one = |i: usize| if i < 19 { 1.0 } else { 0.0 };
    let value = |i: usize| 80.0 - i as f64;
    let weights =
        format!("{{\"W1\": {}, \"W2\": {}}}", diagonal(20, 80, &|i| one(i) * value(i)), diagonal(80, 20, &one));
    put(folder, "w.json", weights.replace(": [[80,", ": [[80.0,").as_bytes());
    put(folder, "z.json", format!("{{\"Y\": {}}}", diagonal(80, 80, &value)).as_bytes());
    let point = ["--weights", "w.json", "--target", "z.json"];
    let found = answer(folder, &point, 0);
    assert!(found["eigenvalues"].is_null() && found["distinct"].is_null());
    assert_eq!((found["spectrum_method"].as_str(), found["index"].as_u64()), (Some("closed_form"), Some(61)));
    assert_close(&found["extremes"]["lambda_min"], -61.0, 1e-12, "the spare unit takes up the largest omitted value");
    let all = answer(folder, &[&point[..], &["--all"]].concat(), 0);
    let values = numbers(&all["eigenvalues"]);
    assert_eq!(values.len(), 3200);
    assert_eq!(values.iter().filter(|&&v| v < 0.0).count(), 61);
    assert_eq!(values.iter().filter(|&&v| v == 0.0).count() as u64, all["nullity"].as_u64().unwrap());
}

#[test]
fn off_critical_points_and_with_biases_all_eigenvalues_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[1.5, 0]], "b1": [0.5], "W2": [[1], [0.25]], "b2": [0, 1]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1], [2, 1]], "Y": [[2, 0], [0, 1], [1, 1]]}"#);
    let found = answer(folder, &["--weights", "w.json", "--data", "d.json"], 0);
    let mut network = Network::new(
        vec![grid(&vec![vec![1.5, 0.0]]), grid(&vec![vec![1.0], vec![0.25]])],
        grid(&vec![vec![1.0, 0.0, 2.0], vec![0.0, 1.0, 1.0]]),
        grid(&vec![vec![2.0, 0.0, 1.0], vec![0.0, 1.0, 1.0]]),
    );
    network.biases = vec![Some(vec![0.5]), Some(vec![0.0, 1.0])];
    for (a, b) in numbers(&found["eigenvalues"]).iter().zip(network.spectrum()) {
        assert!((a - b).abs() < 1e-10, "{found:#}");
    }
    assert_eq!((&found["method"], &found["class"]), (&"numerical".into(), &"not_critical".into()));
    let digits = answer(folder, &["--example", "digits"], 3);
    assert!(digits["index"].is_null() && digits["eigenvalues"].is_null());
    assert_eq!(digits["spectrum_method"], "krylov");
}

#[test]
fn a_negative_eigenvalue_that_rounding_hides_is_null_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#);
    for (large, small, hidden) in [("1e140", "1e-140", true), ("1e100", "1e-100", true), ("4.0", "0.25", false)] {
        // Oblique between the layers, so that no formula of aligned points is at hand.
        let weights = format!(r#"{{"W1": [[0, {large}], [0, {large}]], "W2": [[0, 0], [{small}, 0]]}}"#);
        put(folder, "w.json", weights.as_bytes());
        for verb in ["hessian", "diagnose"] {
            let run = rankscape(folder, &[verb, "--json", "--weights", "w.json", "--data", "d.json"]);
            let document = run.json();
            let (ends, index) = if verb == "hessian" {
                (&document["extremes"], &document["index"])
            } else {
                (&document["hessian"], &document["hessian"]["index"])
            };
            let lambda = &ends["lambda_min"];
            assert_eq!(index.as_u64(), Some(2), "{verb} {large} {document:#}");
            match lambda.as_f64() {
                Some(lambda) => assert!(lambda < -1.0 && !hidden, "{verb} {large} {lambda}"),
                None => {
                    assert!(hidden, "{verb} {large}");
                    let notes = document["notes"].as_array().unwrap();
                    assert!(notes.iter().any(|note| note.as_str().unwrap().contains("lambda_min is null")));
                    assert_eq!(run.code, if verb == "hessian" { 3 } else { 0 });
                }
            }
        }
    }
}

/// Numbers beyond double precision are refused with the file and a way out, whichever part or layer is asked for.
#[test]
fn a_hessian_beyond_double_precision_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[1.5, 0.5], [0.25, 1]], "W2": [[1, 0.5], [0.75, 1.25]]}"#);
    put(folder, "d.json", br#"{"X": [[1e200, 0.5e200], [0.25e200, 1e200]], "Y": [[1e200, 1], [1, 1e200]]}"#);
    for more in [&["--part", "residual"][..], &["--part", "residual", "--all"], &["--layer", "1"], &[]] {
        let arguments = [&["hessian", "--weights", "w.json", "--data", "d.json"], more].concat();
        let run = rankscape(folder, &arguments);
        assert_eq!(run.code, 2, "{more:?} {run:?}");
        assert!(run.stderr.contains("w.json") && run.stderr.contains("scale X, Y or the weights"), "{more:?} {run:?}");
    }
}
