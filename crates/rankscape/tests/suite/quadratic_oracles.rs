//! Every independently solved instance: counts, values, indices and points, all certified and proved complete.

use std::path::Path;

use rankscape::Tolerances;
use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::{Instance, Metric, Shape, Solution, Solver, StartSet, TargetSpace};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn size(record: &Value, name: &str) -> usize {
    record[name].as_u64().unwrap() as usize
}

fn records(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../oracles").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn instance(record: &Value) -> Instance {
    Instance {
        id: record["id"].as_str().unwrap().into(),
        rows: size(record, "m"),
        cols: size(record, "n"),
        rank: size(record, "r"),
        metric: match record.get("phi") {
            Some(phi) => Metric::Map(numbers(phi)),
            None => Metric::Weights(numbers(&record["weights"])),
        },
        target: numbers(&record["q"]),
        convention: if record["convention"] == "image" { TargetSpace::Image } else { TargetSpace::Metric },
    }
}

fn check(record: &Value, found: &Solution) {
    let id = &found.id;
    assert_eq!(found.n_complex, size(record, "n_complex"), "{id}: {found:?}");
    assert!(found.complete.is_proved() && found.certified, "{id}: {:?}", found.complete);
    assert_eq!(found.n_real(), size(record, "n_real"), "{id}");
    assert_eq!(found.n_minima(), Some(size(record, "n_minima")), "{id}");
    let indices: Vec<usize> =
        record["indices"].as_array().unwrap().iter().map(|i| i.as_u64().unwrap() as usize).collect();
    let found_indices: Vec<usize> = found.real.iter().map(|point| point.index.unwrap()).collect();
    assert_eq!(found_indices, indices, "{id}");
    let values = numbers(&record["critical_values"]);
    let points = record["critical_points"].as_array().unwrap();
    for ((point, value), expected) in found.real.iter().zip(&values).zip(points) {
        assert!((point.value - value).abs() <= 1e-9 * value.abs() + 1e-9, "{id}: {} {value}", point.value);
        let expected = numbers(expected);
        let largest = expected.iter().fold(0.0f64, |acc, x| acc.max(x.abs()));
        for (x, y) in point.w.iter().zip(&expected) {
            // The table has 15 digits; the rest is what the certificate claims.
            assert!((x - y).abs() <= point.radius + 2e-14 * largest, "{id}: {x} {y} {}", point.radius);
            assert!(point.radius < 1e-7 * largest, "{id}: {}", point.radius);
        }
    }
    if id.starts_with("3x3") {
        assert_eq!(found.alternating_sum(), Some(1), "{id}");
    }
}

fn run(name: &str, m: usize, n: usize) {
    let tolerances = Tolerances::default();
    let workers = Workers::new(2).unwrap();
    let (start, _) = StartSet::generate(Shape { m, n, r: 1 }, 1, &TrackOptions::new(&tolerances), &workers).unwrap();
    let solver = Solver::new(start, tolerances, 1).unwrap();
    let records = records(&format!("weighted/{name}"));
    let instances: Vec<Instance> = records.iter().map(instance).collect();
    let time = std::time::Instant::now();
    let solutions = solver.solve_all(&instances, &workers);
    println!("{name}: {:?}", time.elapsed());
    for (record, found) in records.iter().zip(solutions) {
        check(record, &found.unwrap());
    }
}

#[test]
fn all_2x2_instances_are_solved_with_proof() {
    run("weighted_rank1_2x2.jsonl", 2, 2);
}

#[test]
fn all_2x3_instances_are_solved_with_proof() {
    run("weighted_rank1_2x3.jsonl", 2, 3);
}

#[test]
fn all_3x3_instances_are_solved_with_proof() {
    run("weighted_rank1_3x3.jsonl", 3, 3);
}

/// The instances of some kinds, beside what is found for them.
fn hard(kinds: &[&str]) -> Vec<(Value, Solution)> {
    let (tolerances, workers) = (Tolerances::default(), Workers::new(2).unwrap());
    let mut records = records("quadratic/hard_instances.jsonl");
    records.retain(|record| kinds.contains(&record["_kind"].as_str().unwrap()));
    let instances: Vec<Instance> = records.iter().map(instance).collect();
    let tracking = TrackOptions::new(&tolerances);
    let solver = |shape| Solver::new(StartSet::obtain(shape, 1, &tracking, &workers)?, tolerances, 1);
    let found = rankscape::answers::solve(&instances, &tolerances, &workers, solver, |_| ()).unwrap();
    records.into_iter().zip(found).collect()
}

/// The least value is found, whether or not a critical point of full rank attains it.
fn check_minimum(record: &Value, found: &Solution) {
    let Some(lowest) = record["_lowest"].as_f64() else { return };
    let minimum = found.minimum.as_ref().unwrap();
    let slack = 1e-6 * lowest + 1e-8;
    assert!((minimum.value - lowest).abs() <= slack, "{}: {} {lowest}", found.id, minimum.value);
    assert!(minimum.rank <= size(record, "r"), "{}", found.id);
}

#[test]
fn singular_metrics_are_proved_complete_or_left_undecided() {
    let found = hard(&["singular", "rectangular"]);
    let mut proved = 0;
    for (record, found) in &found {
        check_minimum(record, found);
        if found.complete.is_proved() {
            assert_eq!(found.n_complex, size(record, "n_complex"), "{}", found.id);
            assert_eq!((found.n_real(), found.certified), (size(record, "n_real"), true), "{}", found.id);
            assert_eq!(found.n_minima(), Some(size(record, "n_minima")), "{}", found.id);
            proved += 1;
        }
    }
    // One 2 x 2 problem has 3 points where 6 are allowed.
    assert_eq!((proved, found.len()), (80, 81));
}

/// Zero, targets of low rank and repeated singular values: the minimum has lower rank, or lies on a family.
#[test]
fn least_values_at_special_targets_are_found() {
    for (record, found) in hard(&["target"]) {
        check_minimum(&record, &found);
        let minimum = found.minimum.unwrap();
        assert!(minimum.attained, "{}: {minimum:?}", found.id);
        // At rank r the infimum is not attained: the minimum has lower rank.
        if record["_lowest_attained"] == false {
            assert!(minimum.rank < size(&record, "r"), "{}: {minimum:?}", found.id);
        }
    }
}
