//! What a person reads, word for word, and the exit code for answers that leave something open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::bytes::put;
use common::rankscape;

const DATA: &[u8] = br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#;

#[track_caller]
fn text(weights: &[u8], more: &[&str], code: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", weights);
    put(folder.path(), "d.json", DATA);
    let run = rankscape(folder.path(), &[&["diagnose", "--weights", "w.json", "--data", "d.json"], more].concat());
    assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{run:?}");
    run.stdout
}

#[test]
fn the_origin_of_a_small_network() {
    let found = text(br#"{"W1": [[0, 0], [0, 0]], "W2": [[0, 0], [0, 0]]}"#, &[], 0);
    let expected = "\
Network    2-2-2: bottleneck rank 2 (every matrix is a product); 2 samples, X of rank 2
Loss       2.5; global minimum 0; gap 2.5
Verdict    This point is a strict saddle: some direction has negative curvature (gradient zero).
Origin     spurious: the factorization makes it critical, not the function space
Captured   It captures none of 2 singular directions; the largest one missing is 1 (value 2)
Hessian    eigenvalues from -2 to 2; index 4, nullity 0
Leave      Follow a direction of negative curvature: at t = 1.9883 the loss is 2 lower
           (its first change is of order 2). --leave FILE writes the weights at that t.
Map        the differential of the product has rank 0 of 4: not a submersion
Barcode    0   1   2
           o          x 2
               o      x 2
                   o  x 2
Evidence   exact; rests on 5 decisions, all clear
";
    assert_eq!(found, expected);
}

#[test]
fn a_biased_network_away_from_its_best_bias() {
    let found =
        text(br#"{"W1": [[1.5, 0]], "b1": [0], "W2": [[1], [0]], "b2": [0, 0]}"#, &["--normalization", "mean"], 0);
    let expected = "\
Network    2-1-2: bottleneck rank 1 (products have bounded rank); 2 samples, X of rank 1
Loss       0.3125 (mean); global minimum 0; gap 0.3125
Verdict    This point is not a critical point (relative gradient 2.1e-1, threshold 1.0e-12).
Hessian    eigenvalues from -0.259286 to 3.09214
Leave      Move the output bias to its best value: at t = 0.5590 the loss is 0.15625 lower
           (its first change is of order 1). --leave FILE writes the weights at that t.
Map        the differential of the product has rank 3 of 3: a submersion
Barcode    0   1   2
           o          x 1
           o---o---o  x 1
                   o  x 1
Evidence   numerical; rests on 4 decisions, all clear
Note       with the output bias, X and Y are centred; biases of other layers are flat directions at critical points
";
    assert_eq!(found, expected);
}

#[test]
fn no_line_is_missing_at_a_global_minimum_and_a_non_strict_saddle() {
    let found = text(br#"{"W1": [[2, 0], [0, 1]], "W2": [[1, 0], [0, 1]]}"#, &[], 0);
    for line in
        ["This point is a global minimum", "Origin     pure", "singular directions 1-2 of 2", "Nothing is lower."]
    {
        assert!(found.contains(line), "{line}: {found}");
    }
    let zero = "[[0, 0], [0, 0]]";
    let found = text(format!(r#"{{"W1": {zero}, "W2": {zero}, "W3": {zero}}}"#).as_bytes(), &[], 0);
    for line in [
        "This point is a non-strict saddle",
        "index 0, nullity 12",
        "String the fewest bars of the barcode together, a rank-one step for each link",
        "its first change is of order 3, the lowest of all paths",
    ] {
        assert!(found.contains(line), "{line}: {found}");
    }
}

#[test]
fn a_rank_in_the_band_of_doubt_is_answered_with_exit_code_3() {
    let weights = br#"{"W1": [[2, 0], [0, 0.0]], "W2": [[1, 0], [0, 1e-7]]}"#;
    let more = ["--tolerance", "rank_gap=1e10", "--tolerance", "critical_floor=1e-6"];
    let found = text(weights, &more, 3);
    for part in ["Verdict    This point is undecided: the ranks are not clear", "index undecided", "not clear, "] {
        assert!(found.contains(part), "{part}: {found}");
    }
    let json = text(weights, &[&more[..], &["--json"]].concat(), 3);
    assert!(json.contains("\"class\": \"undecided\"") && json.contains("\"clear\": false"), "{json}");
    assert_eq!(text(weights, &[&more[..], &["--quiet"]].concat(), 3), "");
}
