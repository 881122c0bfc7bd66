//! `map`, `connect`, `balance` and `reach` through the command, on every case of `oracles/lift`.

use crate::common::{Run, answer, assert_refused, assert_valid, put_weights, rankscape};
use serde_json::{Value, json};
use testkit::files::put;
use testkit::grid::Dense;
use testkit::oracles::lift_cases;

#[track_caller]
fn refused(run: &Run, parts: &[&str]) {
    assert_eq!(run.json()["schema"], "rankscape.error/1", "{run:?}");
    assert_refused(run, parts);
}

fn word(holds: bool) -> &'static str {
    if holds { "holds" } else { "fails" }
}

#[test]
fn map_answers_every_case_of_the_oracle() {
    let folder = tempfile::tempdir().unwrap();
    for case in lift_cases() {
        put_weights(folder.path(), "w.json", &case.factors);
        let found = answer(folder.path(), &["map", "--weights", "w.json"], 0);
        assert_valid("map", &found);
        let name = &case.name;
        assert_eq!(found["widths"], json!(case.widths), "{name}");
        assert_eq!(found["filling"], case.filling, "{name}");
        for (key, rank) in &case.rank_profile {
            assert_eq!(found["rank_profile"][key], *rank, "{name} {key}");
        }
        assert_eq!(found["rank_profile"].as_object().unwrap().len(), case.rank_profile.len(), "{name}");
        for bar in 0..case.widths.len() {
            let covers = |b: &&Value| b["from"].as_u64() <= Some(bar as u64) && b["to"].as_u64() >= Some(bar as u64);
            let bars = found["barcode"].as_array().unwrap().iter().filter(covers);
            let width: u64 = bars.map(|b| b["multiplicity"].as_u64().unwrap()).sum();
            assert_eq!(width, case.widths[bar] as u64, "{name} node {bar}");
        }
        let differential =
            json!({"rank": case.rank_dmu, "max_rank": case.dim_mr, "submersion": case.submersion_onto_mr});
        assert_eq!(found["differential"], differential, "{name}");
        assert_eq!(found["fiber"]["components"], case.fiber_components, "{name}");
        let label = &case.invariant;
        let component = json!({"columns": label.columns, "nodes": label.nodes, "signs": label.signs});
        assert_eq!(found["fiber"]["component"], component, "{name}");
        assert_eq!(found["locally_open"]["verdict"], if case.open_rel_mr { "yes" } else { "no" }, "{name}");
        let lift = &found["lift"];
        assert_eq!(lift["local_local"]["verdict"], word(case.local_to_local), "{name}");
        assert_eq!(lift["local_1"]["verdict"], word(case.local_to_1), "{name}");
        assert_eq!(lift["one_1"]["verdict"], word(case.one_to_1), "{name}");
        assert_eq!(lift["two_1"]["verdict"], word(case.two_to_1), "{name}");
        let least = found["least_k"].as_u64().unwrap();
        assert_eq!([least <= 1, least <= 2], [case.one_to_1, case.two_to_1], "{name}");
        assert_eq!(lift["three_1"]["verdict"], word(least <= 3), "{name}");
        assert_eq!(found["evidence"]["grade"], "exact", "{name}");
        let run = rankscape(folder.path(), &["map", "--weights", "w.json"]);
        assert!(run.code == 0 && run.stdout.contains("Lift"), "{run:?}");
    }
}

#[test]
fn connect_agrees_with_the_components_of_the_oracle() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = [false; 2];
    for case in lift_cases() {
        let (Some(other), Some(same)) = (&case.other_factors, case.same_component) else { continue };
        put_weights(folder.path(), "a.json", &case.factors);
        put_weights(folder.path(), "b.json", other);
        let arguments = ["connect", "--weights", "a.json", "--to", "b.json", "--save", "path.json"];
        let found = answer(folder.path(), &arguments, 0);
        assert_eq!(found["connected"], same, "{}: {found}", case.name);
        assert_eq!(found["separated"].is_null(), same, "{}", case.name);
        if same {
            assert!(found["max_product_error"].as_f64().unwrap() < 1e-10, "{}: {found}", case.name);
            let path: Value = serde_json::from_slice(&std::fs::read(folder.path().join("path.json")).unwrap()).unwrap();
            assert_eq!(found["path"], path["pieces"].as_array().unwrap().len(), "{}", case.name);
        }
        seen[usize::from(same)] = true;
    }
    assert_eq!(seen, [true, true]);
}

#[test]
fn balanced_weights_keep_the_product_and_reached_factors_have_the_target() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[4.0, 0.0], [0.0, 3.0]], "W2": [[1.0, 0.5], [0.0, 1.0]]}"#);
    let found = answer(folder, &["balance", "--weights", "w.json", "--save", "b.json"], 0);
    assert_eq!(found["possible"], true, "{found}");
    assert!(found["defect_after"].as_f64().unwrap() < 1e-12 && found["defect_before"].as_f64().unwrap() > 0.1);
    let again = answer(folder, &["connect", "--weights", "w.json", "--to", "b.json"], 0);
    assert_eq!(again["connected"], true, "{again}");
    put(folder, "z.json", br#"{"Z": [[4.001, 1.5], [0.0, 3.001]]}"#);
    let found = answer(folder, &["reach", "--weights", "w.json", "--target", "z.json", "--save", "r.json"], 0);
    assert_eq!(found["reached"], true, "{found}");
    assert!(found["product_error"].as_f64().unwrap() < 1e-9, "{found}");
    assert!(found["distance_factors"].as_f64().unwrap() < 0.01, "{found}");
    put(folder, "n.json", br#"{"W1": [[1.0, 0.0]], "W2": [[0.0], [0.0]]}"#);
    let found = answer(folder, &["balance", "--weights", "n.json"], 0);
    assert_eq!((&found["possible"], &found["defect_after"]), (&json!(false), &Value::Null), "{found}");
}

/// `P(h,k)' G P(k-1,0)'` for every `k`: the gradient of `<G, mu>`.
fn gradient(factors: &[Dense], g: &Dense) -> Vec<Dense> {
    let product = |range: &[Dense], size: usize| range.iter().fold(Dense::identity(size), |p, w| w.matmul(&p));
    (0..factors.len())
        .map(|k| {
            let above = product(&factors[k + 1..], factors[k].rows());
            let below = product(&factors[..k], factors[0].cols());
            above.transpose().matmul(g).matmul(&below.transpose())
        })
        .collect()
}

fn dense(value: &Value) -> Option<Dense> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).ok()?;
    Some(Dense::from_rows(&rows))
}

#[test]
fn printed_witnesses_hold_when_checked_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = [0; 3];
    for case in lift_cases() {
        put_weights(folder.path(), "w.json", &case.factors);
        let found = answer(folder.path(), &["map", "--weights", "w.json"], 0);
        let factors: Vec<Dense> = case.factors.iter().map(|rows| Dense::from_rows(rows)).collect();
        let (lift, witness) = (&found["lift"], &found["witness"]);
        for (at, name) in ["one_1", "two_1"].into_iter().enumerate() {
            assert_eq!(witness[name].is_null(), lift[name]["verdict"] != "fails", "{} {name}", case.name);
            let Some(g) = dense(&witness[name]["gradient"]) else { continue };
            assert!(g.norm() > 0.0 && g.entries().iter().all(|x| x.fract() == 0.0), "{}", case.name);
            assert!(witness[name]["curvature"].as_u64().is_some(), "{}", case.name);
            for block in gradient(&factors, &g) {
                assert_eq!(block.norm(), 0.0, "{} {name}", case.name);
            }
            seen[at] += 1;
        }
        assert_eq!(witness["locally_open"].is_null(), found["locally_open"]["verdict"] == "yes", "{}", case.name);
        if let Some(direction) = dense(&witness["locally_open"]) {
            let w = factors.iter().fold(Dense::identity(factors[0].cols()), |p, w| w.matmul(&p));
            let r = case.widths.iter().copied().min().unwrap();
            assert!(testkit::jacobi::rank(&w.add(&direction.scale(&1e-3)), 1e-9) <= r, "{}", case.name);
            seen[2] += 1;
        }
    }
    assert_eq!(seen, [17, 3, 6], "one_1, two_1, locally_open: as often as the oracle says no");
}

#[test]
fn integers_and_fractions_are_decided_exactly_and_constructed_in_double_precision() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let two_to_53 = br#"{"W1": [[9007199254740992]], "W2": [[1]]}"#;
    put(folder, "a.json", two_to_53);
    put(folder, "b.json", br#"{"W1": [[9007199254740993]], "W2": [[1]]}"#);
    put(folder, "c.json", br#"{"W1": [[9007199254740992]], "W2": [["1/1"]]}"#);
    let connect = |to: &str| rankscape(folder, &["connect", "--weights", "a.json", "--to", to, "--json"]);
    refused(&connect("b.json"), &["b.json", "over the rationals", "difference 1,"]);
    let found = answer(folder, &["connect", "--weights", "a.json", "--to", "c.json"], 0);
    assert_valid("connect", &found);
    assert_eq!((&found["connected"], &found["evidence"]["grade"]), (&json!(true), &json!("exact")), "{found}");
    assert!(found["notes"][0].as_str().unwrap().contains("double precision: the path"), "{found}");
    // One decimal point makes the comparison a floating one, which has no such number: it is not rounded.
    put(folder, "d.json", br#"{"W1": [[9007199254740993]], "W2": [[1.0]]}"#);
    refused(&connect("d.json"), &["d.json", "W1", "would be rounded"]);
    put(folder, "d.json", br#"{"W1": [[9007199254740992]], "W2": [[1.0]]}"#);
    let found = answer(folder, &["connect", "--weights", "a.json", "--to", "d.json"], 0);
    assert_eq!((&found["connected"], &found["evidence"]["grade"]), (&json!(true), &json!("numerical")), "{found}");
    assert!(found["evidence"]["rests_on"][0]["tolerance"].as_f64() > Some(0.0), "{found}");
    let text = rankscape(folder, &["connect", "--weights", "a.json", "--to", "c.json"]).stdout;
    assert!(text.contains("Evidence   exact"), "{text}");

    // Determinant 1 and singular values 2^31 and 2^-31.
    let rows = "[[1073741824, 1073741825], [1073741823, 1073741824]]";
    let flipped = "[[-1073741824, -1073741825], [1073741823, 1073741824]]";
    let put_text = |name: &str, text: String| put(folder, name, text.as_bytes());
    put_text("e.json", format!(r#"{{"W1": {rows}, "W2": [[1, 0], [0, 1]]}}"#));
    put_text("f.json", format!(r#"{{"W1": {flipped}, "W2": [[-1, 0], [0, 1]]}}"#));
    put_text("g.json", format!(r#"{{"W1": {rows}, "W2": [[1.0, 0], [0, 1]]}}"#));
    let found = answer(folder, &["connect", "--weights", "e.json", "--to", "f.json"], 0);
    assert_valid("connect", &found);
    assert_eq!(found["separated"], json!({"nodes": [1], "first": [1], "second": [-1]}), "{found}");
    let found = answer(folder, &["balance", "--weights", "e.json"], 0);
    assert_valid("balance", &found);
    assert_eq!((&found["possible"], &found["evidence"]["grade"]), (&json!(true), &json!("exact")), "{found}");
    let found = rankscape(folder, &["balance", "--weights", "g.json", "--json"]).json();
    assert!(found["possible"] != true && found["evidence"]["grade"] == "numerical", "{found}");

    put(folder, "w.json", br#"{"W1": [[1, 0]], "W2": [[1], [0]]}"#);
    put(folder, "z.json", br#"{"Z": [[1, 0], [0, "1/1000000000000000000000"]]}"#);
    let found = answer(folder, &["reach", "--weights", "w.json", "--target", "z.json"], 0);
    assert_valid("reach", &found);
    assert_eq!((&found["reached"], &found["evidence"]["grade"]), (&json!(false), &json!("exact")), "{found}");
    assert_eq!((&found["locally_open"]["verdict"], &found["locally_open"]["grade"]), (&json!("yes"), &json!("exact")));
    put(folder, "z.json", br#"{"Z": [[1, "1/8"], [0, 0]]}"#);
    let found = answer(folder, &["reach", "--weights", "w.json", "--target", "z.json"], 0);
    assert_eq!((&found["reached"], &found["evidence"]["grade"]), (&json!(true), &json!("numerical")), "{found}");
}

#[test]
fn a_path_of_matrices_is_lifted_between_two_factorizations() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "a.json", br#"{"W1": [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], "W2": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]}"#);
    put(
        folder,
        "b.json",
        br#"{"W1": [[0.0, 3.0], [1.0, 0.0], [0.0, 0.0]], "W2": [[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]]}"#,
    );
    put(
        folder,
        "k.json",
        br#"{"K0": [[1.0, 0.0], [0.0, 2.0]], "K1": [[0.0, 0.0], [0.0, 0.0]], "K2": [[0.0, 3.0], [-1.0, 0.0]]}"#,
    );
    let arguments = ["connect", "--weights", "a.json", "--to", "b.json", "--along", "k.json", "--save", "path.json"];
    let found = answer(folder, &arguments, 0);
    assert_valid("connect", &found);
    assert_eq!(found["connected"], true, "{found}");
    assert!(found["max_product_error"].as_f64().unwrap() < 1e-12, "{found}");
    assert!(folder.join("path.json").is_file());
    put(folder, "bad.json", br#"{"K0": [[1.0, 0.0], [0.0, 2.0]], "K1": [[0.0, 1.0], [0.0, 0.0]]}"#);
    let along = |file: &str| {
        rankscape(folder, &["connect", "--weights", "a.json", "--to", "b.json", "--along", file, "--json"])
    };
    refused(&along("bad.json"), &["bad.json", "different products"]);
    put(folder, "one.json", br#"{"K0": [[1.0, 0.0], [0.0, 2.0]]}"#);
    refused(&along("one.json"), &["one.json"]);
    refused(
        &rankscape(folder, &["connect", "--weights", "a.json", "--to", "b.json", "--json"]),
        &["--along", "difference"],
    );
}

#[test]
fn orders_of_distance_and_the_way_to_the_infimum_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "z.json", br#"{"Z": [[0.001, 0.0], [0.0, 1.0]]}"#);
    let order = |weights: &[u8]| {
        put(folder, "w.json", weights);
        let found = answer(folder, &["reach", "--weights", "w.json", "--target", "z.json"], 0);
        assert_valid("reach", &found);
        found["order"].as_f64().unwrap()
    };
    let submersion = order(br#"{"W1": [[1.0, 0.0], [0.0, 1.0]], "W2": [[0.0, 0.0], [0.0, 1.0]]}"#);
    assert!((submersion - 1.0).abs() < 0.05, "{submersion}");
    let root = order(br#"{"W1": [[0.0, 0.0], [0.0, 1.0]], "W2": [[0.0, 0.0], [0.0, 1.0]]}"#);
    assert!((root - 0.5).abs() < 0.05, "{root}");
    put(folder, "n.json", br#"{"W1": [[1.0, 0.0]], "W2": [[0.0], [0.0]]}"#);
    let found = answer(folder, &["balance", "--weights", "n.json"], 0);
    assert_valid("balance", &found);
    let toward = found["toward"].as_array().unwrap();
    // What does not carry the product is all of W1: the defect stays 1 until it vanishes.
    assert!(toward.len() == 6 && toward.iter().all(|point| point["product_error"] == 0.0), "{found}");
}

#[test]
fn an_ambiguous_rank_is_undecided_with_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1.0, 0.0], [0.0, 1e-14]], "W2": [[1.0, 0.0], [0.0, 1.0]]}"#);
    let found = answer(folder.path(), &["map", "--weights", "w.json"], 3);
    assert_valid("map", &found);
    let doubtful: Vec<&Value> =
        found["evidence"]["rests_on"].as_array().unwrap().iter().filter(|s| s["clear"] == false).collect();
    assert!(!doubtful.is_empty() && doubtful.iter().all(|s| s["tolerance"].as_f64() > Some(0.0)), "{found}");
    assert_eq!(found["lift"]["one_1"]["verdict"], "undecided", "{found}");
    assert_eq!(found["differential"], json!({"rank": null, "max_rank": 4, "submersion": null}));
}

#[test]
fn two_files_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "a.json", br#"{"W1": [[1, 0]], "W2": [[1], [2]]}"#);
    put(folder, "b.json", br#"{"W1": [[1, 0]], "W2": [[1], [5]]}"#);
    put(folder, "c.json", br#"{"W1": [[1, 0], [0, 0]], "W2": [[1, 0], [2, 0]]}"#);
    let connect = |to: &str| rankscape(folder, &["connect", "--weights", "a.json", "--to", to, "--json"]);
    refused(&connect("b.json"), &["b.json", "different products", "difference 3,", "row 2, column 1"]);
    refused(&connect("c.json"), &["c.json", "different widths", "[2, 1, 2]", "[2, 2, 2]"]);
    let reach = rankscape(folder, &["reach", "--weights", "a.json", "--target", "a.json", "--json"]);
    refused(&reach, &["a.json", "Z"]);
    put(folder, "pickle.pt", b"PK");
    refused(&rankscape(folder, &["map", "--weights", "pickle.pt", "--json"]), &["pickle.pt"]);
}
