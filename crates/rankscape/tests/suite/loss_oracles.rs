//! Losses other than the square against answers made without this project.

use std::path::Path;
use std::sync::Arc;

use rankscape::answers::{Settings, diagnose_loss, minima};
use rankscape::critical::{CriticalClass, Origin};
use rankscape::linalg::svd;
use rankscape::loss::{LossKind, Observations};
use rankscape::problem::{LossData, LossProblem};
use rankscape::riemannian::{BadMinima, LocalMinimum, MinimaRequest, SeparabilityKind};
use rankscape::{Matrix, Tolerances};
use serde_json::Value;

fn records(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../oracles/loss").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn matrix(value: &Value) -> Matrix {
    let row = |row: &Value| row.as_array().unwrap().iter().map(number).collect();
    Matrix::from_rows(&value.as_array().unwrap().iter().map(row).collect::<Vec<Vec<f64>>>())
}

fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => {
            let (a, b) = text.split_once('/').unwrap_or((text, "1"));
            a.parse::<f64>().unwrap() / b.parse::<f64>().unwrap()
        }
        _ => value.as_f64().unwrap(),
    }
}

fn data(case: &Value) -> LossData {
    let loss = &case["loss"];
    let of = |name: &str| number(&loss[name]);
    let classes = case["m"].as_u64().unwrap() as usize;
    let targets = match case.get("Y") {
        Some(targets) if loss["kind"] != "softmax" => matrix(targets),
        _ => {
            let labels: Vec<usize> =
                loss["labels"].as_array().unwrap().iter().map(|label| label.as_u64().unwrap() as usize).collect();
            Matrix::from_fn(classes, labels.len(), |k, j| f64::from(u8::from(labels[j] == k)))
        }
    };
    let (kind, inputs) = match loss["kind"].as_str().unwrap() {
        "full_quadratic" => (LossKind::FullQuadratic { metric: matrix(&loss["metric_rowmajor_vec"]) }, None),
        "quadratic" => (LossKind::Quadratic { weights: matrix(&loss["weights"]) }, None),
        "huber" => (LossKind::Huber { delta: of("delta") }, Some(matrix(&case["X"]))),
        "pseudo_huber" => (LossKind::PseudoHuber { delta: of("delta") }, Some(matrix(&case["X"]))),
        "logcosh" => (LossKind::LogCosh, Some(matrix(&case["X"]))),
        "pnorm" => (LossKind::Power { p: loss.get("p").map_or(4.0, number) }, Some(matrix(&case["X"]))),
        "logistic" => (LossKind::Logistic, Some(matrix(&case["X"]))),
        "softmax" => (LossKind::Softmax { smoothing: 0.0, class_weights: None }, Some(matrix(&case["X"]))),
        other => panic!("{other}"),
    };
    LossData::new(kind, inputs, Observations { targets, weights: None }).unwrap()
}

/// Index and nullity of two balanced factors of a minimum.
fn lifted(data: &Arc<LossData>, minimum: &LocalMinimum, rank: usize) -> (Option<usize>, Option<usize>) {
    let found = svd(&minimum.product);
    let roots: Vec<f64> = found.s[..rank].iter().map(|value| value.sqrt()).collect();
    let layers =
        [found.v.columns(0, rank).scale_columns(&roots).transpose(), found.u.columns(0, rank).scale_columns(&roots)];
    let problem = LossProblem::new(layers, Arc::clone(data), &Tolerances::default()).unwrap();
    let diagnosis = diagnose_loss(&problem, Settings::default()).unwrap();
    (diagnosis.inertia.map(|inertia| inertia.negative), diagnosis.inertia.map(|inertia| inertia.zero))
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs()) + 1e-10
}

#[test]
fn critical_points_are_classified_as_they_are() {
    let tolerances = Tolerances::default();
    let mut wrong = Vec::new();
    let mut undecided = Vec::new();
    let mut points = 0;
    for case in records("convex_points_cases.jsonl").into_iter().chain(records("convex_loss_cases.jsonl")) {
        let data = Arc::new(data(&case));
        for point in case["points"].as_array().into_iter().flatten() {
            points += 1;
            let name = format!("{} {}", case["id"], point["name"]);
            let layers: Vec<Matrix> = point["W"].as_array().unwrap().iter().map(matrix).collect();
            let problem = LossProblem::new(layers, Arc::clone(&data), &tolerances).unwrap();
            let found = diagnose_loss(&problem, Settings::default()).unwrap();
            let expected = point["class"].as_str().unwrap();
            let class = found.class.name();
            let local = ["local_minimum", "global_minimum"].contains(&class);
            let right = match expected {
                "local_or_global_minimum" | "lowest_minimum_found" => local,
                other => class == other,
            };
            if found.class == CriticalClass::Undecided {
                undecided.push(format!("{name}: {expected}; {}", found.reason));
            } else if !right {
                wrong.push(format!("{name}: {expected}, found {class}: {}", found.reason));
            }
            if !close(found.loss, number(&point["value"]), 1e-12) {
                wrong.push(format!("{name}: value {} {}", point["value"], found.loss));
            }
            if point["critical"] == true && !found.critical {
                wrong.push(format!("{name}: not critical, {}", found.gradient_relative));
            }
            if let (Some(index), Some(nullity), Some(inertia)) =
                (point["index"].as_u64(), point["nullity"].as_u64(), found.inertia)
                && (inertia.negative as u64, inertia.zero as u64) != (index, nullity)
            {
                wrong.push(format!("{name}: index {index} nullity {nullity}, found {inertia:?}"));
            }
            let origin = found.origin.map(Origin::name);
            if found.critical && origin != point["origin"].as_str() {
                wrong.push(format!("{name}: origin {}, found {origin:?}", point["origin"]));
            }
            if let Some(stationary) = point["stationary_in_function_space"].as_bool()
                && found.stationary_in_function_space.known() != Some(stationary)
            {
                wrong.push(format!("{name}: stationary {stationary}, found {:?}", found.stationary_in_function_space));
            }
            if point["rank_differential"].as_u64().is_some_and(|rank| rank as usize != found.differential.rank) {
                wrong.push(format!("{name}: differential {}", found.differential.rank));
            }
            let saddle = [CriticalClass::StrictSaddle, CriticalClass::NonStrictSaddle].contains(&found.class);
            if saddle && !found.escape.as_ref().is_some_and(|escape| escape.decrease > 0.0) {
                wrong.push(format!("{name}: no way out of a {class}"));
            }
            if let Some((lower, _)) = found.bound.lower_bound
                && lower > found.loss + 1e-9 * found.loss.abs()
            {
                wrong.push(format!("{name}: lower bound {lower} above {}", found.loss));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {points}\n{}", wrong.len(), wrong.join("\n"));
    assert!(undecided.is_empty(), "{} of {points}\n{}", undecided.len(), undecided.join("\n"));
}

#[test]
fn local_minima_are_those_of_thousands_of_starts() {
    let tolerances = Tolerances::default();
    let mut wrong = Vec::new();
    for case in records("convex_loss_cases.jsonl").into_iter().chain(records("convex_softmax_cases.jsonl")) {
        let id = case["id"].as_str().unwrap();
        let data = Arc::new(data(&case));
        let rank = case["r"].as_u64().unwrap() as usize;
        let request = MinimaRequest { rank, starts: 200, offset: false };
        let found = minima(&data, &request, &tolerances, Settings { seed: 1, threads: 2 }).unwrap();
        let convex = &case["convex_minimum"];
        if let Some(value) = convex["value"].as_f64() {
            if found.bound.attained != Some(true) || !close(found.bound.value, value, 1e-9) {
                wrong.push(format!("{id}: convex minimum {value}, found {:?}", found.bound));
            }
            let lower = found.bound.lower_bound.map(|(lower, _)| lower);
            if !lower.is_some_and(|lower| close(lower, value, 1e-7) && lower <= value + 1e-9 * value.abs() + 1e-12) {
                wrong.push(format!("{id}: lower bound {lower:?} of {value}"));
            }
        }
        let Some(expected) = case["minima"].as_array() else { continue };
        let values: Vec<f64> = expected.iter().map(|minimum| number(&minimum["value"])).collect();
        let mine: Vec<f64> = found.minima.iter().filter(|minimum| minimum.rank == rank).map(|m| m.value).collect();
        let same = values.len() == mine.len() && values.iter().zip(&mine).all(|(a, b)| close(*a, *b, 1e-8));
        if !same {
            wrong.push(format!("{id}: minima {values:?}, found {mine:?}, {:?}", found.at_infinity));
            continue;
        }
        for (minimum, expected) in found.minima.iter().zip(expected) {
            let spectrum: Vec<f64> =
                expected["riemannian_spectrum"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
            // Modulo shifts of the outputs the metric, and with it the spectrum, is that of the centred matrix; the file has
            // that of another one. Signs agree.
            let skipped = expected["nullity_from_shift"].as_u64().unwrap_or(0) as usize;
            let agrees = |least: f64| if skipped > 0 { least > 0.0 } else { close(least, spectrum[0], 1e-4) };
            if !(minimum.isolated && minimum.lambda_min.is_some_and(agrees)) {
                wrong.push(format!("{id}: {:?} beside {spectrum:?}", minimum.lambda_min));
            }
            let product = matrix(expected.get("W_centered").unwrap_or(&expected["W"]));
            if (&product - &minimum.product).frobenius_norm() > 1e-5 * product.frobenius_norm() {
                wrong.push(format!("{id}: W {:?}\n{:?}", minimum.product, product));
            }
        }
        let ended = found.minima.iter().map(|m| m.hits).sum::<usize>()
            + found.at_infinity.iter().map(|away| away.hits).sum::<usize>()
            + found.unfinished;
        assert_eq!(ended, request.starts, "{id}");
        if let Some(minimum) = found.minima.iter().find(|minimum| minimum.rank == rank && !minimum.certified) {
            wrong.push(format!("{id}: not proved: {}, gradient {:e}", minimum.value, minimum.gradient));
        }
        for minimum in found.minima.iter().filter(|minimum| minimum.rank == rank) {
            let (index, nullity) = lifted(&data, minimum, rank);
            // Shifts of the softmax, one for every column of the factor beside the inputs.
            let shifts = if matches!(data.kind(), LossKind::Softmax { .. }) { rank } else { 0 };
            if (index, nullity) != (Some(0), Some(rank * rank + shifts)) {
                wrong.push(format!("{id}: lifted to index {index:?} and nullity {nullity:?}"));
            }
        }
        let bad = case["bad_local_minima"].as_bool().unwrap();
        if bad != (found.bad_local_minima.verdict == BadMinima::Exists) {
            wrong.push(format!("{id}: bad {bad}, found {:?}", found.bad_local_minima));
        }
        let filling = case["effective_filling"].as_bool().or(case["filling"].as_bool()).unwrap();
        if filling && found.bad_local_minima.verdict != BadMinima::Impossible {
            wrong.push(format!("{id}: filling, found {:?}", found.bad_local_minima));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn samples_that_can_be_separated_are_told_from_others() {
    let tolerances = Tolerances::default();
    for case in records("convex_points_cases.jsonl") {
        let note = case["note"].as_str().unwrap_or_default();
        let expected = match note {
            note if note.starts_with("separable") => SeparabilityKind::Strict,
            note if note.starts_with("partially") => SeparabilityKind::Partial,
            _ => continue,
        };
        let data = Arc::new(data(&case));
        let rank = case["r"].as_u64().unwrap() as usize;
        let request = MinimaRequest { rank, starts: 20, offset: false };
        let found = minima(&data, &request, &tolerances, Settings::default()).unwrap();
        let separability = found.bound.separability.as_ref();
        assert_eq!(separability.map(|found| found.kind), Some(expected), "{}: {note}", case["id"]);
        assert_eq!(found.bound.attained, Some(false), "{}", case["id"]);
        let (witness, _) = separability.unwrap().witness.clone().unwrap();
        let outputs = match data.inputs() {
            Some(inputs) => &witness * inputs,
            None => witness,
        };
        let margins = rankscape::loss::Loss::margins(data.loss(), &outputs).unwrap().values;
        let largest = margins.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(margins.iter().all(|&margin| margin >= -1e-9 * largest), "{}: {margins:?}", case["id"]);
        if let Some(infimum) = case.get("infimum").and_then(Value::as_f64) {
            assert!(close(found.bound.lower_bound.unwrap().0, infimum, 1e-7), "{}: {:?}", case["id"], found.bound);
        }
    }
}
