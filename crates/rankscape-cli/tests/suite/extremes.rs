//! Every verb answers at points with extreme entries, layers of zeros, few samples and widths of one; what it answers agrees
//! with the others and with the same point over the rationals.

use std::path::Path;

use crate::common::{Run, rankscape};
use serde_json::Value;
use testkit::files::put;
use testkit::random::Draw;

/// Sizes of entries as whole numbers: a digit and a power of ten.
const POWERS: [usize; 6] = [0, 0, 0, 3, 8, 16];

fn entry(draw: &mut Draw, power: usize) -> String {
    let digit = draw.integer(-2, 2);
    if digit == 0 { "0".to_owned() } else { format!("{digit}{}", "0".repeat(power)) }
}

/// A matrix of whole numbers, some of them all zero.
fn matrix(draw: &mut Draw, rows: usize, cols: usize) -> String {
    let zero = draw.integer(0, 5) == 0;
    let power = POWERS[draw.integer(0, 5) as usize];
    let mut cell = || if zero { "0".to_owned() } else { entry(draw, power) };
    let rows: Vec<String> =
        (0..rows).map(|_| format!("[{}]", (0..cols).map(|_| cell()).collect::<Vec<_>>().join(", "))).collect();
    format!("[{}]", rows.join(", "))
}

/// The same numbers in floating point.
fn floating(text: &str) -> String {
    text.replace(',', ".0,").replace(']', ".0]").replace("].0", "]")
}

fn answered(folder: &Path, arguments: &[&str]) -> Option<Value> {
    let run: Run = rankscape(folder, &[arguments, &["--json"]].concat());
    assert!([0, 2, 3].contains(&run.code), "{arguments:?}: {run:?}");
    (run.code != 2).then(|| run.json())
}

#[test]
fn extreme_points_are_answered_and_the_answers_agree() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for seed in 0..24 {
        let mut draw = Draw::new(11, seed);
        let depth = draw.integer(1, 4) as usize;
        let widths: Vec<usize> = (0..=depth).map(|_| draw.integer(1, 3) as usize).collect();
        let samples = draw.integer(1, 3) as usize;
        let layers: Vec<String> =
            (0..depth).map(|k| format!("\"W{}\": {}", k + 1, matrix(&mut draw, widths[k + 1], widths[k]))).collect();
        let weights = format!("{{{}}}", layers.join(", "));
        let (x, y) = (matrix(&mut draw, samples, widths[0]), matrix(&mut draw, samples, widths[depth]));
        let data = format!("{{\"X\": {x}, \"Y\": {y}}}");
        let listed = widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let mut found = Vec::new();
        for (kind, weights, data) in
            [("exact", weights.clone(), data.clone()), ("floating", floating(&weights), floating(&data))]
        {
            put(folder, "w.json", weights.as_bytes());
            put(folder, "d.json", data.as_bytes());
            let at = format!("seed {seed}, {kind}: {weights} {data}");
            let point = ["--weights", "w.json", "--data", "d.json"];
            let diagnosed = answered(folder, &[&["diagnose"], &point[..]].concat());
            let ladder = answered(folder, &["critical", "--data", "d.json", "--widths", &listed]);
            if let (Some(here), Some(all)) = (&diagnosed, &ladder) {
                assert_eq!(here["loss"]["global_minimum"], all["global_minimum"], "{at}");
                let (loss, least) = (here["loss"]["value"].as_f64(), all["global_minimum"].as_f64());
                assert!(loss >= least, "{at}: {loss:?} {least:?}");
            }
            for verb in ["hessian", "escape", "parse"] {
                answered(folder, &[&[verb], &point[..]].concat());
            }
            answered(folder, &["map", "--weights", "w.json"]);
            answered(folder, &["connect", "--weights", "w.json", "--to", "w.json"]);
            answered(folder, &["balance", "--weights", "w.json"]);
            put(folder, "z.json", matrix(&mut draw, widths[depth], widths[0]).as_bytes());
            answered(folder, &["reach", "--weights", "w.json", "--target", "z.json"]);
            found.push((at, diagnosed));
        }
        if let [(_, Some(exact)), (at, Some(floating))] = &found[..] {
            let settled = ["undecided", "not_critical"];
            let class = floating["class"].as_str().unwrap();
            if !settled.contains(&class) {
                assert_eq!(floating["class"], exact["class"], "{at}");
            }
            if class == "not_critical" {
                assert_eq!(exact["class"], "not_critical", "{at}");
            }
        }
    }
}

/// The minimum is a function of data and widths, whatever the weights.
#[test]
fn the_minimum_does_not_depend_on_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let data = [
        "{\"X\": [[0.0, 1.0]], \"Y\": [[0.0, 1.0]]}",
        "{\"X\": [[1, 2], [3, 4], [5, 6]], \"Y\": [[1, 0], [0, 1], [1, 1]]}",
    ];
    for data in data {
        put(folder, "d.json", data.as_bytes());
        let all = answered(folder, &["critical", "--data", "d.json", "--widths", "2,1,2"]).unwrap();
        for size in ["1e-150", "1e-8", "0.0", "1.0", "1e8", "1e100"] {
            for (a, b) in [("1.0", "0.0"), ("0.0", "1.0"), ("1.0", "-1.0")] {
                let scaled = |x: &str| match x {
                    "0.0" => "0.0".to_owned(),
                    "1.0" => size.to_owned(),
                    _ => format!("-{size}"),
                };
                let weights =
                    format!("{{\"W1\": [[{}, {}]], \"W2\": [[{}], [{}]]}}", scaled(a), scaled(b), scaled(a), scaled(b));
                put(folder, "w.json", weights.as_bytes());
                let point = ["diagnose", "--weights", "w.json", "--data", "d.json"];
                let Some(here) = answered(folder, &point) else { continue };
                assert_eq!(here["loss"]["global_minimum"], all["global_minimum"], "{weights} {data}");
                let (loss, least) = (here["loss"]["value"].as_f64(), all["global_minimum"].as_f64());
                assert!(loss >= least, "{weights} {data}");
                let gap = here["loss"]["gap"].as_f64().unwrap();
                if here["class"] == "global_minimum" {
                    assert!(gap <= 1e-12, "{weights} {data}: {gap}");
                }
            }
        }
    }
}

#[test]
fn tolerances_with_which_no_verdict_means_anything_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", b"{\"W1\": [[1.0, 0.0]], \"W2\": [[0.0], [1.0]]}");
    put(folder, "d.json", b"{\"X\": [[0.0, 1.0]], \"Y\": [[1.0, 0.0]]}");
    for tolerance in
        ["rank=1e20", "rank=0", "rank_gap=0", "critical=1e20", "critical_floor=1", "tie=1e20", "alignment=1e20"]
    {
        let arguments = ["diagnose", "--weights", "w.json", "--data", "d.json", "--tolerance", tolerance];
        let name = tolerance.split('=').next().unwrap();
        crate::common::assert_refused(&rankscape(folder, &arguments), &[name, "mean nothing", "it may be"]);
    }
}
