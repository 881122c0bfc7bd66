//! Instances of quadratic losses as JSON Lines, and answers as documents.

use serde::{Deserialize, Serialize};

use crate::error::{InputError, Result};
use crate::quadratic::{Completeness, Convention, Instance, Metric, Solution};

#[derive(Deserialize)]
struct Line {
    id: Option<serde_json::Value>,
    m: usize,
    n: usize,
    r: usize,
    phi: Option<Vec<f64>>,
    weights: Option<Weights>,
    q: Vec<f64>,
    convention: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Weights {
    Flat(Vec<f64>),
    Rows(Vec<Vec<f64>>),
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
    let metric = match (line.phi, line.weights) {
        (Some(phi), None) => Metric::Map(phi),
        (None, Some(Weights::Flat(list))) => Metric::Weights(list),
        (None, Some(Weights::Rows(rows))) => Metric::Weights(rows.concat()),
        _ => return Err(wrong("give either phi or weights".into())),
    };
    let instance = Instance { id, rows: line.m, cols: line.n, rank: line.r, metric, target: line.q, convention };
    instance.check().map_err(|error| {
        let field = error.array.clone().unwrap_or_default();
        InputError { array: Some(format!("line {number}, {field}")), ..error }
    })?;
    Ok(instance)
}

/// One element of `instances[]` of a `solve` document.
#[derive(Debug, Clone, Serialize)]
pub struct SolutionDocument {
    id: String,
    n_complex: usize,
    expected: Option<usize>,
    /// `proved` or `unknown`.
    complete: &'static str,
    /// The theorem, or why the count is not proved.
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<TraceDocument>,
    n_real: usize,
    n_minima: Option<usize>,
    certified: bool,
    real: Vec<RealDocument>,
    paths: PathsDocument,
}

#[derive(Debug, Clone, Serialize)]
struct TraceDocument {
    residual: f64,
    passed: bool,
    points: usize,
}

#[derive(Debug, Clone, Serialize)]
struct RealDocument {
    value: f64,
    index: Option<usize>,
    #[serde(rename = "W")]
    w: Vec<Vec<f64>>,
    radius: f64,
}

#[derive(Debug, Clone, Serialize)]
struct PathsDocument {
    followed: usize,
    stalled: usize,
    uncertified: usize,
    rounds: usize,
    steps: u64,
}

impl SolutionDocument {
    /// The document of an answer for matrices with `cols` columns.
    pub fn new(solution: &Solution, cols: usize) -> Self {
        let (complete, reason, trace) = match &solution.complete {
            Completeness::Proved { theorem } => ("proved", (*theorem).to_owned(), None),
            Completeness::Unknown { reason, trace } => ("unknown", reason.clone(), *trace),
        };
        let real = solution.real.iter().map(|point| RealDocument {
            value: point.value,
            index: point.index,
            w: point.w.chunks(cols).map(<[f64]>::to_vec).collect(),
            radius: point.radius,
        });
        let paths = solution.paths;
        Self {
            id: solution.id.clone(),
            n_complex: solution.n_complex,
            expected: solution.expected,
            complete,
            reason,
            trace: trace.map(|t| TraceDocument { residual: t.residual, passed: t.passed, points: t.points }),
            n_real: solution.n_real(),
            n_minima: solution.n_minima(),
            certified: solution.certified,
            real: real.collect(),
            paths: PathsDocument {
                followed: paths.followed,
                stalled: paths.stalled,
                uncertified: paths.uncertified,
                rounds: paths.rounds,
                steps: solution.work.steps,
            },
        }
    }
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
    fn errors_name_line_and_field() {
        let error = |text: &str| read_instances(text).unwrap_err().to_string();
        assert!(error("\n{\"m\":2}").contains("line 2"));
        let short = error(r#"{"m":2,"n":2,"r":1,"weights":[1,2,3],"q":[1,2,3,4]}"#);
        assert!(short.contains("line 1, weights") && short.contains("m*n = 4"), "{short}");
        assert!(error(r#"{"m":2,"n":2,"r":2,"weights":[1,2,3,4],"q":[1,2,3,4]}"#).contains("line 1, r"));
    }
}
