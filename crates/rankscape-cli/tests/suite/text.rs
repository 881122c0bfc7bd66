//! What a person reads, word for word, in every situation, and the exit code for answers that leave something open.

use crate::common::rankscape;
use testkit::files::{npy_f64, npz, put};

const DATA: &[u8] = br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#;

#[track_caller]
fn text(weights: &[u8], more: &[&str], code: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", weights);
    put(folder.path(), "d.json", DATA);
    put(folder.path(), "t.json", br#"{"Y": [[2, 0], [0, 1]]}"#);
    let data: &[&str] = if more.contains(&"--target") { &[] } else { &["--data", "d.json"] };
    let run = rankscape(folder.path(), &[&["diagnose", "--weights", "w.json"], data, more].concat());
    assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{run:?}");
    run.stdout
}

#[test]
fn the_origin_of_two_layers_is_a_strict_saddle() {
    let expected = "\
Stalled at a saddle: the gradient is zero, yet the loss can still fall to 0.

Loss       2.5 now; the least that 2-2-2 can reach on 2 samples is 0
Where      at a strict saddle: 4 directions of descent, found by the second derivative
           curvature at the point itself: from -2 to 2
Why        the narrowest layer has room for 2 directions of the data; none is learned
Ahead      learning          leads to a loss of        below the plateau before by  below now by
           direction 1       0.5                       2                            2
           direction 2       0, the least              0.5                          2.5
To do      step off, and train on from the file that this writes:
             rankscape diagnose --weights w.json --data d.json --leave next.json
           or go straight to the least:
             rankscape diagnose --weights w.json --data d.json --leave best.json --to minimum
           waiting is of no use: where the gradient is zero, gradient descent stays
Sure       exact arithmetic: a proof; all 5 decisions on ranks clear. The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(text(br#"{"W1": [[0, 0], [0, 0]], "W2": [[0, 0], [0, 0]]}"#, &[], 0), expected);
}

#[test]
fn the_origin_of_three_layers_is_a_non_strict_saddle() {
    let expected = "\
Stalled at a saddle: the gradient is zero, yet the loss can still fall to 0.

Loss       2.5 now; the least that 2-2-2-2 can reach on 2 samples is 0
Where      at a non-strict saddle: flat to second order, the loss falls at order 3 of a curved path
           curvature at the point itself: from 0 to 0
Why        the narrowest layer has room for 2 directions of the data; none is learned
Ahead      learning          leads to a loss of        below the plateau before by  below now by
           direction 1       0.5                       2                            2
           direction 2       0, the least              0.5                          2.5
To do      step off, and train on from the file that this writes:
             rankscape diagnose --weights w.json --data d.json --leave next.json
           or go straight to the least:
             rankscape diagnose --weights w.json --data d.json --leave best.json --to minimum
           waiting is of no use: where the gradient is zero, gradient descent stays
Sure       exact arithmetic: a proof; all 8 decisions on ranks clear. The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(text(br#"{"W1": [[0, 0], [0, 0]], "W2": [[0, 0], [0, 0]], "W3": [[0, 0], [0, 0]]}"#, &[], 0), expected);
}

#[test]
fn an_exact_fit_is_the_best() {
    let expected = "\
At the best that this network can reach: it fits the data exactly.

Loss       0 now, and no weights of 2-2-2 have less on 2 samples
Where      a global minimum; curvature at the point itself: from 0 to 5
Why        the narrowest layer has room for 2 directions of the data; 2 are learned (1-2)
To do      nothing more is to gain
Sure       exact arithmetic: a proof; all 5 decisions on ranks clear. The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(text(br#"{"W1": [[2, 0], [0, 1]], "W2": [[1, 0], [0, 1]]}"#, &[], 0), expected);
}

#[test]
fn a_narrow_layer_is_told_what_a_wider_one_would_reach() {
    let expected = "\
At the best that this network can reach: no weights have a lower loss.

Loss       0.5 now, and no weights of 2-1-2 have less on 2 samples
Where      a global minimum; curvature at the point itself: from 0 to 5
Why        the narrowest layer has room for 1 direction of the data; 1 is learned (direction 1)
To do      nothing more is to gain with these widths; 2 in the narrowest layer would reach 0
Sure       exact arithmetic: a proof; all 5 decisions on ranks clear. The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(text(br#"{"W1": [[2, 0]], "W2": [[1], [0]]}"#, &[], 0), expected);
}

#[test]
fn beside_a_minimum_little_is_to_gain() {
    let expected = "\
So near an exact fit that nothing is to gain but the last of the loss.

Loss       1.00000e-6 now; the least that 2-2-2 can reach on 2 samples is 0 to rounding
Where      a global minimum at a distance of 0.032 % of the length of the weights
           curvature at the point itself: from -0.001 to 5.01
Why        the narrowest layer has room for 2 directions of the data; 2 are learned (1-2)
To do      to have the rest:
             rankscape diagnose --weights w.json --data d.json --leave best.json --to minimum
Sure       double precision; all 4 decisions on ranks clear. The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(text(br#"{"W1": [[2.001, 0], [0, 1]], "W2": [[1, 0], [0, 1.001]]}"#, &[], 0), expected);
}

#[test]
fn beside_a_saddle_training_stalls() {
    let expected = "\
Stalled beside a saddle: the loss can still fall to 0.

Loss       0.5 now; the least that 2-2-2-2 can reach on 2 samples is 0 to rounding
Where      a strict saddle at a distance of 8.8e-4 % of the length of the weights, with 1 direction of descent (curvature there down to -0.001); a non-strict saddle, flat to second order, at 0.045 %
           curvature at the point itself: from -0.001 to 8
Why        the narrowest layer has room for 2 directions of the data; 1 is learned (direction 1)
Ahead      learning          leads to a loss of        below the plateau before by  below now by
           direction 2       0 to rounding, the least  0.5                          0.5
To do      step off, and train on from the file that this writes:
             rankscape diagnose --weights w.json --data d.json --leave next.json
           or go straight to the least:
             rankscape diagnose --weights w.json --data d.json --leave best.json --to minimum
           or wait: about 100000 steps until the steepest direction of descent has grown by a factor e, and that several times
Sure       double precision; 1 of 7 decisions on ranks not clear (--details). The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(
        text(
            br#"{"W1": [[1.4142, 0.0], [0, 1e-5]], "W2": [[1.4142, 0], [0, 1e-5]], "W3": [[1, 0], [0, 1e-3]]}"#,
            &["--learning-rate", "0.01"],
            0
        ),
        expected
    );
}

#[test]
fn a_biased_network_on_its_way() {
    let expected = "\
Still descending; nothing is wrong. The loss can still fall to 0.

Loss       0.3125 a sample now; the least that 2-1-2 can reach on 2 samples is 0 to rounding
Where      no critical point with the same directions learned lies within a tenth of the length of the weights; relative gradient 0.21
           curvature at the point itself: from -0.259 to 3.09
Why        the narrowest layer has room for 1 direction of the data; 1 is learned (direction 1)
To do      train on
Sure       double precision; all 4 decisions on ranks clear. The file holds matrices only: no activations between the layers are assumed
Note       with the output bias, X and Y are centred; biases of other layers are flat directions at critical points
";
    assert_eq!(
        text(br#"{"W1": [[1.5, 0]], "b1": [0], "W2": [[1], [0]], "b2": [0, 0]}"#, &["--normalization", "mean"], 0),
        expected
    );
}

#[test]
fn a_larger_direction_can_take_the_place_of_a_smaller_one() {
    let expected = "\
Stalled at a saddle: the gradient is zero, yet the loss can still fall by 75 %.

Loss       2 now; the least that 2-1-2 can reach for this target is 0.5
Where      at a strict saddle: 1 direction of descent, found by the second derivative
           curvature at the point itself: from -1 to 3
Why        the narrowest layer has room for 1 direction of the data; 1 is learned (direction 2); 1 of them takes the place of a better one
Ahead      learning          leads to a loss of        below the plateau before by  below now by
           1 in place of 2   0.5, the least            1.5                          1.5
To do      step off, and train on from the file that this writes:
             rankscape diagnose --weights w.json --target t.json --leave next.json
           or go straight to the least:
             rankscape diagnose --weights w.json --target t.json --leave best.json --to minimum
           waiting is of no use: where the gradient is zero, gradient descent stays
Sure       exact arithmetic: a proof; all 5 decisions on ranks clear. The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(text(br#"{"W1": [[0, 1]], "W2": [[0], [1]]}"#, &["--target", "t.json"], 0), expected);
}

#[test]
fn weights_that_left_are_described() {
    let expected = "\
Stalled at a saddle: the gradient is zero, yet the loss can still fall to 0.

Loss       2.5 now; the least that 2-2-2-2 can reach on 2 samples is 0
Where      at a non-strict saddle: flat to second order, the loss falls at order 3 of a curved path
           curvature at the point itself: from 0 to 0
Why        the narrowest layer has room for 2 directions of the data; none is learned
Ahead      learning          leads to a loss of        below the plateau before by  below now by
           direction 1       0.5                       2                            2
           direction 2       0, the least              0.5                          2.5
To do      left.json holds weights whose loss is 0.625, lower by 1.875
           train on from them, at learning rate 0.13: plain gradient descent passes the next plateau within 2 steps
Sure       exact arithmetic: a proof; all 8 decisions on ranks clear. The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(
        text(
            br#"{"W1": [[0, 0], [0, 0]], "W2": [[0, 0], [0, 0]], "W3": [[0, 0], [0, 0]]}"#,
            &["--leave", "left.json"],
            0
        ),
        expected
    );
}

#[test]
fn a_rank_in_the_band_of_doubt_is_undecided() {
    let expected = "\
Undecided: the rank W X is not clear, a singular value of 1 is too near the threshold 2.7e-7. Weights stored with more digits, or trained further, would settle it; --tolerance moves the threshold.

Loss       0.5 now; the least that 2-2-2 can reach on 2 samples is 0 to rounding
Where      a critical point (relative gradient 2.4e-8); curvature at the point itself: from -1 to 5
Why        the narrowest layer has room for 2 directions of the data; 1 is learned (direction 1)
Ahead      learning          leads to a loss of        below the plateau before by  below now by
           direction 2       0 to rounding, the least  0.5                          0.5
To do      step off, and train on from the file that this writes:
             rankscape diagnose --weights w.json --data d.json --tolerance rank_gap=1e10 --tolerance critical_floor=1e-6 --leave next.json
           or go straight to the least:
             rankscape diagnose --weights w.json --data d.json --tolerance rank_gap=1e10 --tolerance critical_floor=1e-6 --leave best.json --to minimum
Sure       double precision; 7 of 11 decisions on ranks not clear (--details). The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(
        text(
            br#"{"W1": [[2, 0], [0, 0.0]], "W2": [[1, 0], [0, 1e-7]]}"#,
            &["--tolerance", "rank_gap=1e10", "--tolerance", "critical_floor=1e-6"],
            3
        ),
        expected
    );
}

#[test]
fn what_is_undecided_is_so_in_json_and_in_silence() {
    let weights = br#"{"W1": [[2, 0], [0, 0.0]], "W2": [[1, 0], [0, 1e-7]]}"#;
    let more = ["--tolerance", "rank_gap=1e10", "--tolerance", "critical_floor=1e-6"];
    let json = text(weights, &[&more[..], &["--json"]].concat(), 3);
    assert!(json.contains("\"class\": \"undecided\"") && json.contains("\"clear\": false"), "{json}");
    assert_eq!(text(weights, &[&more[..], &["--quiet"]].concat(), 3), "");
}

#[test]
fn the_theory_is_under_details() {
    let zero = "[[0, 0], [0, 0]]";
    let weights = format!(r#"{{"W1": {zero}, "W2": {zero}, "W3": {zero}}}"#);
    let found = text(weights.as_bytes(), &["--details"], 0);
    for line in [
        "Origin     spurious",
        "index 0, nullity 12",
        "String the fewest bars of the barcode together, a rank-one step for each link",
        "first change of order 3, the lowest of all paths",
        "Barcode    0   1   2   3",
        "Spectrum   of the whitened target: 2, 1",
    ] {
        assert!(found.contains(line), "{line}: {found}");
    }
}

/// The words of a text, to compare a part of it.
#[track_caller]
fn said(weights: &[u8], data: &[u8], more: &[&str], parts: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", weights);
    put(folder.path(), "d.json", data);
    let run = rankscape(folder.path(), &[&["diagnose", "--weights", "w.json", "--data", "d.json"], more].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    for part in parts {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    run.stdout
}

#[test]
fn a_direction_that_overshoots_is_not_learned() {
    let of =
        |first: &str, second: &str| format!(r#"{{"W1": [[{first}, 0], [0, {second}]], "W2": [[1, 0], [0, 1.0]]}}"#);
    let why = |first: &str, second: &str, parts: &[&str]| said(of(first, second).as_bytes(), DATA, &[], parts);
    why("2e10", "1", &["1 is learned (direction 2); 1 overshoots (direction 1, 1.0e10 times its size)"]);
    why("-4", "-1", &["none is learned; 2 have the wrong sign (1-2; up to 2 times their size)"]);
    why("2.9", "1.6", &["1 is learned (direction 1); 1 overshoots (direction 2, 1.6 times its size)"]);
    let json = said(of("2e10", "0.05").as_bytes(), DATA, &["--json"], &[]);
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found["outlook"]["learned"], serde_json::json!([]));
    let excess = &found["outlook"]["excess"];
    assert_eq!((excess.as_array().unwrap().len(), &excess[0]["direction"]), (1, &serde_json::json!(1)));
    crate::common::assert_close(&excess[0]["share"], 1e10, 1e-14, "share");
    assert_eq!(found["outlook"]["ahead"].as_array().unwrap().len(), 2);
}

#[test]
fn data_without_anything_to_learn_are_told() {
    let plain = br#"{"W1": [[1, 0.5]], "W2": [[0.7], [0.3]]}"#;
    let biased = br#"{"W1": [[1, 0.5]], "W2": [[0.7], [0.3]], "b2": [0.2, 0.1]}"#;
    let data = |x: &str, y: &str| format!(r#"{{"X": {x}, "Y": {y}}}"#);
    let (zero, equal, other) = ("[[0, 0], [0, 0]]", "[[1, 2], [1, 2]]", "[[3, 1], [0, 4]]");
    for (weights, x, y, parts) in [
        (&plain[..], zero, other, ["all inputs are zero, so the loss does not depend on the weights", "At the best"]),
        (plain, other, zero, ["all targets are zero, so the least is where the product is zero", "nothing is wrong"]),
        (
            biased,
            equal,
            other,
            ["all inputs are equal, so the output bias alone can give", "--leave best.json --to minimum"],
        ),
        (biased, other, equal, ["all targets are equal, so the output bias alone fits them", "nothing is wrong"]),
        (plain, "[[1, 0], [1, 0]]", "[[1, 1], [-1, -1]]", ["the inputs do not predict the targets", "is 2"]),
    ] {
        let text = said(weights, data(x, y).as_bytes(), &[], &parts);
        assert!(!text.contains("zero weights"), "{text}");
    }
}

#[test]
fn what_is_ahead_is_compared_with_the_loss_now() {
    let weights = br#"{"W1": [[1, 0], [0, 0.125]], "W2": [[1, 0], [0, 0.5]]}"#;
    let text = said(weights, DATA, &["--json"], &[]);
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    let now = found["loss"]["value"].as_f64().unwrap();
    for step in found["outlook"]["ahead"].as_array().unwrap() {
        let below = now - step["value"].as_f64().unwrap();
        crate::common::assert_close(&step["below_now"], below, 1e-14, "below now");
    }
}

/// The commands of a text: lines that are indented further.
fn commands(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix("             ")).map(str::to_owned).collect()
}

#[test]
fn every_command_of_a_text_runs_as_it_is_pasted() {
    let binary = assert_cmd::cargo::cargo_bin("rankscape");
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let two = |a: &str, b: &str| format!(r#"{{"W1": {a}, "W2": {b}}}"#).into_bytes();
    let zero = "[[0, 0], [0, 0]]";
    let one_layer = br#"{"W1": [[0, 0], [0, 7]]}"#.to_vec();
    let stalled = br#"{"W1": [[1.4142, 0], [0, 1e-5]], "W2": [[1.4142, 0], [0, 1e-5]], "W3": [[1, 0], [0, 1e-3]]}"#;
    let mut ran = 0;
    for name in ["w.json", "it's mine.json", "$HOME `x`.json", "a;b & \"c\".json", "ü=1.json", "-w.json"] {
        for weights in
            [two(zero, zero), two("[[2.001, 0], [0, 1]]", "[[1, 0], [0, 1.001]]"), stalled.to_vec(), one_layer.clone()]
        {
            let folder = tempfile::tempdir().unwrap();
            put(folder.path(), name, &weights);
            put(folder.path(), "d.json", DATA);
            let given = format!("--weights={name}");
            let arguments = ["diagnose", &given, "--data", "d.json"];
            // The second time the names that were offered are taken.
            for offered in ["best.json", "best-2.json"] {
                let text = rankscape(folder.path(), &arguments).stdout;
                assert!(text.contains(offered), "{name}: {text}");
                for command in commands(&text) {
                    assert!(command.starts_with("rankscape diagnose "), "{command}");
                    let mut shell = std::process::Command::new("sh");
                    let run = shell.arg("-c").arg(&command).current_dir(folder.path()).env("PATH", &path).output();
                    let run = run.unwrap();
                    assert!(run.status.success() && run.stderr.is_empty(), "{command}: {run:?}");
                    ran += 1;
                }
            }
            assert!(folder.path().join("best-2.json").exists(), "{name}");
        }
    }
    assert_eq!(ran, 6 * 2 * (2 + 1 + 2 + 1));
}

#[test]
fn linear_regression_hears_nothing_of_plateaus() {
    let expected = "\
Still descending; nothing is wrong: one layer has no plateaus. The loss can still fall to 0.

Loss       0.5 now; the least that 2-2 can reach on 2 samples is 0
Where      one layer: the loss is convex; relative gradient 0.27
           curvature at the point itself: from 1 to 1
To do      train on: gradient descent reaches the least at any learning rate below 2, two over the largest curvature
           or go straight to the least:
             rankscape diagnose --weights w.json --data d.json --leave best.json --to minimum
Sure       exact arithmetic: a proof; the one decision on ranks is clear. The file holds matrices only: no activations between the layers are assumed
";
    assert_eq!(text(br#"{"W1": [[1, 0], [0, 1]]}"#, &[], 0), expected);
}

/// Moving the one large layer a little would be a global minimum; the loss is far from it.
#[test]
fn a_product_that_is_far_too_large_is_not_close_to_the_best() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "t.json", br#"{"Y": [[2, 0], [0, 1]]}"#);
    put(folder.path(), "w.npz", &weights(2.5));
    let run = rankscape(folder.path(), &["diagnose", "--weights", "w.npz", "--target", "t.json"]);
    let first = run.stdout.lines().next().unwrap();
    let said = "Still descending, but the loss is above the 2.5 of zero weights: the product is too large or has the wrong sign";
    assert!(first.starts_with(said), "{first}");
    assert!(!first.contains("Close to the best"));
}

/// `W1 = scale T` and `W2` the identity, in double precision.
fn weights(scale: f64) -> Vec<u8> {
    let first = npy_f64(&[2, 2], &[2.0 * scale, 0.0, 0.0, scale]);
    npz(&[("W1", first), ("W2", npy_f64(&[2, 2], &[1.0, 0.0, 0.0, 1.0]))])
}

#[test]
fn nothing_is_said_of_critical_points_with_other_directions_learned() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1000]], "W2": [[0.04], [-0.7], [0.2]]}"#);
    put(folder.path(), "t.json", br#"{"Y": [[10000], [0], [0]]}"#);
    let run = rankscape(folder.path(), &["diagnose", "--weights", "w.json", "--target", "t.json"]);
    assert!(run.stdout.contains("no critical point with the same directions learned lies within"), "{}", run.stdout);
}
