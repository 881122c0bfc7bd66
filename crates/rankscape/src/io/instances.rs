//! Instances of quadratic losses as JSON Lines.
//!
//! Numbers are those of every JSON array here: a fraction such as `"3/7"` stands for the nearest double, and what is proved is
//! proved for the instance in doubles.

use std::path::Path;

use serde::Deserialize;

use super::digest::{ArrayDigest, combined_digest};
use super::json::array_of;
use super::read_matrix;
use crate::error::{InputError, Result};
use crate::quadratic::{Convention, Instance, Metric};

#[derive(Deserialize)]
struct Line {
    id: Option<serde_json::Value>,
    m: usize,
    n: usize,
    r: usize,
    phi: Option<serde_json::Value>,
    weights: Option<serde_json::Value>,
    q: serde_json::Value,
    convention: Option<String>,
}

/// Reads one instance a line; empty lines are skipped. Instances without `id` are named by their line number.
///
/// # Errors
/// If a line is not an instance: the line number and the field are named.
pub fn read_instances(text: &str) -> Result<Vec<Instance>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| read_line(line, number + 1)).collect()
}

fn read_line(text: &str, number: usize) -> Result<Instance> {
    let wrong = |problem: String| InputError::new(problem).array(format!("line {number}"));
    let line: Line = serde_json::from_str(text).map_err(|error| {
        wrong(format!("not an instance: {error}")).hint("fields: id, m, n, r, phi (or weights), q, convention")
    })?;
    let id = match &line.id {
        None => number.to_string(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let convention = match line.convention.as_deref() {
        None | Some("metric") => Convention::Metric,
        Some("image") => Convention::Image,
        Some(other) => return Err(wrong("there is no such convention".into()).value(other).hint("metric or image")),
    };
    let numbers = |name: &str, value: &serde_json::Value| {
        array_of(name, value).map_err(|error| error.array(format!("line {number}, {name}")))
    };
    let metric = match (&line.phi, &line.weights) {
        (Some(phi), None) => Metric::Map(numbers("phi", phi)?.values),
        (None, Some(weights)) => {
            let weights = numbers("weights", weights)?;
            if weights.shape.len() == 2 && weights.shape != [line.m, line.n] {
                return Err(InputError::new("weights must be a list of m*n numbers, or m rows of n")
                    .array(format!("line {number}, weights"))
                    .value(format!("{} x {}", weights.shape[0], weights.shape[1])));
            }
            Metric::Weights(weights.values)
        }
        _ => return Err(wrong("give either phi or weights".into())),
    };
    let target = numbers("q", &line.q)?.values;
    let instance = Instance { id, rows: line.m, cols: line.n, rank: line.r, metric, target, convention };
    instance.check().map_err(|error| {
        let field = error.array.clone().unwrap_or_default();
        InputError { array: Some(format!("line {number}, {field}")), ..error }
    })?;
    Ok(instance)
}

/// Reads the file of instances, which must hold at least one.
///
/// # Errors
/// As [`read_instances`], with the file named.
pub fn read_instance_file(path: &Path) -> Result<Vec<Instance>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| InputError::new("the instances cannot be read").value(error).file(path.display()))?;
    let found = read_instances(&text).map_err(|error| error.file(path.display()))?;
    if found.is_empty() {
        let empty = InputError::new("the file holds no instance").file(path.display());
        return Err(empty.hint("give one JSON object a line with id, m, n, r, phi (or weights), q, convention"));
    }
    Ok(found)
}

/// A loss with the weights of a file, an `m x n` matrix called `weights` or alone in it, and target zero.
///
/// # Errors
/// If the file is bad, the matrix has another size, or a weight is negative.
pub fn read_weighted_instance(path: &Path, (rows, cols, rank): (usize, usize, usize)) -> Result<(Instance, String)> {
    let found = read_sized(path, "weights", (rows, cols))?;
    let instance = Instance {
        id: path.display().to_string(),
        rows,
        cols,
        rank,
        metric: Metric::Weights(found.0),
        target: vec![0.0; rows * cols],
        convention: Convention::Metric,
    };
    instance.check().map_err(|error| error.file(path.display()))?;
    Ok((instance, found.1))
}

/// Reads a matrix of a given size, row by row, and its digest.
///
/// # Errors
/// If the file is bad or the matrix has another size.
pub fn read_sized(path: &Path, name: &str, (rows, cols): (usize, usize)) -> Result<(Vec<f64>, String)> {
    let found = read_matrix(path, name)?;
    let matrix = &found.matrix;
    if (matrix.nrows(), matrix.ncols()) != (rows, cols) {
        return Err(InputError::new(format!("the matrix must be {rows} x {cols}"))
            .array(name)
            .value(format!("{} x {}", matrix.nrows(), matrix.ncols()))
            .file(path.display()));
    }
    Ok(((0..rows * cols).map(|e| matrix[(e / cols, e % cols)]).collect(), found.digest))
}

/// SHA-256 over sizes, ranks, metrics and targets, in order; names and the form of the file do not matter.
pub fn instances_digest(instances: &[Instance]) -> String {
    let part = |instance: &Instance| {
        let mut digest = ArrayDigest::new();
        let (kind, numbers) = match &instance.metric {
            Metric::Map(phi) => (u64::from(instance.convention == Convention::Image), phi),
            Metric::Weights(weights) => (2, weights),
        };
        digest.numbers(numbers);
        digest.numbers(&instance.target);
        digest.finish(&[instance.rows as u64, instance.cols as u64, instance.rank as u64, kind])
    };
    combined_digest("instances", &instances.iter().map(part).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_instances() {
        let text = r#"{"id":"a","m":2,"n":2,"r":1,"weights":[[1,2],[3,0]],"q":[1,2,3,4]}

{"m":2,"n":2,"r":1,"phi":[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1],"q":[1,2,3,4.5],"convention":"image","extra":0}"#;
        let found = read_instances(text).unwrap();
        assert_eq!((found[0].id.as_str(), found[1].id.as_str()), ("a", "3"));
        assert_eq!(found[0].metric, Metric::Weights(vec![1.0, 2.0, 3.0, 0.0]));
        assert_eq!(found[1].convention, Convention::Image);
    }

    #[test]
    fn fractions_are_rounded_to_doubles() {
        let text = r#"{"m":2,"n":2,"r":1,"weights":["1/2",2,3,4],"q":["-3/6",1,"2",4]}"#;
        let found = read_instances(text).unwrap();
        assert_eq!(found[0].metric, Metric::Weights(vec![0.5, 2.0, 3.0, 4.0]));
        assert_eq!(found[0].target, [-0.5, 1.0, 2.0, 4.0]);
    }

    #[test]
    fn errors_name_line_and_field() {
        let error = |text: &str| read_instances(text).unwrap_err().to_string();
        assert!(error("\n{\"m\":2}").contains("line 2"));
        let word = error(r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,"two",3,4]}"#);
        assert!(word.contains("line 1, q") && word.contains("two"), "{word}");
        let wide = error(r#"{"m":2,"n":2,"r":1,"weights":[[1,2,3],[4,5,6]],"q":[1,2,3,4]}"#);
        assert!(wide.contains("line 1, weights") && wide.contains("2 x 3"), "{wide}");
        let short = error(r#"{"m":2,"n":2,"r":1,"weights":[1,2,3],"q":[1,2,3,4]}"#);
        assert!(short.contains("line 1, weights") && short.contains("m*n = 4"), "{short}");
        assert!(error(r#"{"m":2,"n":2,"r":3,"weights":[1,2,3,4],"q":[1,2,3,4]}"#).contains("line 1, r"));
    }
}
