//! Gradient flow and descent against Taylor series of order 22 in 80 bits and against other integrators.

use std::path::Path;

use rankscape::Matrix;
use rankscape::flow::{DescentOptions, FlowOptions, StartKind, Stop, descend, flow, sign_obstruction, start};
use rankscape::network::SquareNetwork;
use serde_json::Value;

fn records() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../oracles/loss/flow_cases.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn matrix(value: &Value) -> Matrix {
    let row = |row: &Value| row.as_array().unwrap().iter().map(|entry| entry.as_f64().unwrap()).collect();
    Matrix::from_rows(&value.as_array().unwrap().iter().map(row).collect::<Vec<Vec<f64>>>())
}

fn network(case: &Value) -> SquareNetwork {
    let layers = case["W0"].as_array().unwrap().iter().map(matrix).collect();
    SquareNetwork::new(layers, Some(matrix(&case["X"])), matrix(&case["Y"]))
}

fn close(a: f64, b: f64, relative: f64, absolute: f64) -> bool {
    (a - b).abs() <= relative * b.abs() + absolute
}

#[test]
fn times_of_levels_and_losses_are_those_of_other_integrators() {
    let mut runs = 0;
    for case in records().iter().filter(|case| case["kind"] != "discrete_descent") {
        let id = case["id"].as_str().unwrap();
        let network = network(case);
        let numbers = |list: &str, field: &str| -> Vec<f64> {
            case[list].as_array().into_iter().flatten().map(|entry| entry[field].as_f64().unwrap()).collect()
        };
        let options = FlowOptions {
            decay: case["weight_decay"].as_f64().unwrap_or(0.0),
            until_time: case["T"].as_f64().unwrap(),
            until_gradient: 0.0,
            levels: numbers("levels", "level"),
            times: numbers("samples", "t"),
            ..FlowOptions::default()
        };
        let found = flow(&network, &options);
        assert!(found.max_drift.is_some_and(|drift| drift < 1e-9), "{id}: {:?}", found.max_drift);
        assert!(close(found.last.loss, case["final_loss"].as_f64().unwrap(), 1e-9, 1e-12), "{id}: {}", found.last.loss);
        let losses = numbers("samples", "loss");
        assert_eq!(found.samples.len(), losses.len(), "{id}");
        for (sample, loss) in found.samples.iter().zip(&losses) {
            assert!(close(sample.loss, *loss, 1e-8, 1e-12), "{id} at {}: {} {loss}", sample.time, sample.loss);
        }
        for (crossing, expected) in found.crossings.iter().zip(case["levels"].as_array().into_iter().flatten()) {
            let time = crossing.at.as_ref().map(|sample| sample.time);
            match expected["time"].as_f64() {
                Some(expected) => {
                    // The loss near its minimum has digits for a part of the gap only.
                    let gap = crossing.level - case["global_minimum"].as_f64().unwrap_or(0.0);
                    let lost = 16.0 * f64::EPSILON * crossing.level / gap;
                    let right = time.is_some_and(|time| close(time, expected, 1e-9, 1e-10 + lost));
                    assert!(right, "{id}: level {} at {time:?}, not {expected}", crossing.level);
                }
                None => assert_eq!(time, None, "{id}: level {}", crossing.level),
            }
        }
        if let Some(obstructed) = case["determinant_sign_obstruction"].as_bool() {
            assert_eq!(sign_obstruction(network.layers(), network.target()), obstructed, "{id}");
        }
        runs += 1;
    }
    assert!(runs > 20, "{runs}");
}

#[test]
fn descent_takes_the_steps_of_the_definition() {
    for case in records().iter().filter(|case| case["kind"] == "discrete_descent") {
        let id = case["id"].as_str().unwrap();
        let trace = case["trace"].as_array().unwrap();
        let times: Vec<usize> = trace.iter().map(|entry| entry["step"].as_u64().unwrap() as usize).collect();
        let options = DescentOptions {
            step: case["eta"].as_f64().unwrap(),
            momentum: case["momentum"].as_f64().unwrap_or(0.0),
            decay: 0.0,
            steps: *times.last().unwrap(),
            until_loss: None,
            levels: Vec::new(),
            times,
            keep_path: false,
        };
        let found = descend(&network(case), &options);
        for (sample, expected) in found.samples.iter().zip(trace) {
            let loss = expected["loss"].as_f64().unwrap();
            assert!(close(sample.loss, loss, 1e-9, 1e-13), "{id}: {} {loss}", sample.loss);
        }
    }
}

#[test]
fn too_long_steps_diverge_and_a_zero_start_stays() {
    let target = Matrix::from_diagonal(2, 2, &[3.0, 1.0]);
    let layers = start(StartKind::Normal, &[2, 2, 2], 1.0, &target, 3).unwrap();
    let network = SquareNetwork::new(layers, None, target.clone());
    let options = DescentOptions {
        step: 10.0,
        momentum: 0.0,
        decay: 0.0,
        steps: 1000,
        until_loss: None,
        levels: Vec::new(),
        times: Vec::new(),
        keep_path: false,
    };
    assert_eq!(descend(&network, &options).stop, Stop::Diverged);
    let zero = SquareNetwork::new(vec![Matrix::zeros(2, 2), Matrix::zeros(2, 2)], None, target);
    let found = flow(&zero, &FlowOptions { until_time: 5.0, ..FlowOptions::default() });
    assert_eq!(found.stop, Stop::Gradient);
    assert!((found.last.loss - 5.0).abs() < 1e-14);
}

#[test]
fn starts_are_as_they_are_called() {
    let target = Matrix::from_diagonal(4, 3, &[3.0, 2.0, 1.0]);
    for kind in [StartKind::Balanced, StartKind::Spectral] {
        let layers = start(kind, &[3, 5, 2, 4], 0.1, &target, 1).unwrap();
        for pair in layers.windows(2) {
            let defect = &pair[1].transpose_times(&pair[1]) - &pair[0].times_transpose(&pair[0]);
            assert!(defect.frobenius_norm() < 1e-15, "{kind:?}");
        }
    }
    let message = start(StartKind::Normal, &[3, 4], -1.0, &target, 1).unwrap_err().to_string();
    assert!(message.contains("array scale: the scale of a start must be a positive number (found -1)"), "{message}");
}
