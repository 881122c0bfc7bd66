//! Instances of quadratic losses as JSON Lines.
//!
//! Numbers are those of every JSON array here: a fraction such as `"3/7"` stands for the nearest double, and what is proved is
//! proved for the instance in doubles.

use std::path::Path;

use serde_json::Value;

use super::array::{Array, check_integers};
use super::digest::{ArrayDigest, combined_digest};
use super::fields::Fields;
use super::file::read_limited;
use super::json::{array_of, without_mark};
use super::target::{Target, read_matrix};
use rankscape::Matrix;
use rankscape::error::{InputError, Result};
use rankscape::linalg::exact::{Rational, rational_from_f64};
use rankscape::quadratic::{Instance, Metric, TargetSpace};

const FIELDS: [&str; 8] = ["id", "m", "n", "r", "phi", "weights", "q", "convention"];

/// What files with known answers carry besides; `vec` is read too.
const ANSWERS: [&str; 10] = [
    "seed",
    "vec",
    "n_complex",
    "n_real",
    "n_minima",
    "critical_values",
    "indices",
    "critical_points",
    "n_krawczyk",
    "value_relgap",
];

/// Reads one instance a line; empty lines are skipped. Instances without `id` are named by their line number.
///
/// The fields are `id`, `m`, `n`, `r`, `phi` or `weights`, `q` and `convention`; null is as good as absent. A field that is
/// not known is refused, so that a misspelt name cannot go unnoticed. Not read, and so not refused, are names that begin
/// with `_` and the known answers of the files in `oracles/`: `seed`, `n_complex`, `n_real`, `n_minima`,
/// `critical_values`, `indices`, `critical_points`, `n_krawczyk`, `value_relgap`; `vec`, if given, must be `row-major`.
///
/// # Errors
/// If a line is not an instance: the line number and the field are named.
pub fn read_instances(text: &str) -> Result<Vec<Instance>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| read_line(line, number + 1)).collect()
}

fn read_line(text: &str, number: usize) -> Result<Instance> {
    let fields = Fields::read(text, number, &FIELDS, &ANSWERS)?;
    let id = match fields.get("id") {
        None => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(id)) => id.to_string(),
        Some(other) => return Err(fields.wrong("id", "an id must be a text or a number", other)),
    };
    let convention = match fields.get("convention").map(|value| (value.as_str(), value)) {
        None | Some((Some("metric"), _)) => TargetSpace::Metric,
        Some((Some("image"), _)) => TargetSpace::Image,
        Some((_, other)) => {
            return Err(fields.wrong("convention", "there is no such convention", other).hint("metric or image"));
        }
    };
    if let Some(order) = fields.get("vec").filter(|&order| order != "row-major") {
        return Err(fields
            .wrong("vec", "there is no such order of entries", order)
            .hint("give rows one after the other"));
    }
    let (rows, cols, rank) = (fields.whole("m")?, fields.whole("n")?, fields.whole("r")?);
    let numbers = |name: &str, value: &Value| {
        let found = array_of(name, value).and_then(whole_numbers_are_exact);
        found.map_err(|error| fields.at(InputError { array: None, ..error }, name))
    };
    let metric = match (fields.get("phi"), fields.get("weights")) {
        (Some(phi), None) => {
            let phi = numbers("phi", phi)?;
            if let [_, width] = phi.shape[..]
                && width != rows * cols
            {
                let wrong = InputError::new(format!("a row of phi must have m*n = {} numbers", rows * cols));
                return Err(fields.at(wrong.value(width), "phi"));
            }
            Metric::Map(phi.values)
        }
        (None, Some(weights)) => {
            let weights = numbers("weights", weights)?;
            if weights.shape.len() == 2 && weights.shape != [rows, cols] {
                let wrong = InputError::new("weights must be a list of m*n numbers, or m rows of n");
                let shape = format!("{} x {}", weights.shape[0], weights.shape[1]);
                return Err(fields.at(wrong.value(shape), "weights"));
            }
            Metric::Weights(weights.values)
        }
        (None, None) => return Err(fields.at(InputError::new("give either phi or weights").value("neither"), "phi")),
        _ => return Err(fields.at(InputError::new("give either phi or weights").value("both"), "phi")),
    };
    let target = numbers("q", fields.need("q")?)?.values;
    let instance = Instance { id, rows, cols, rank, metric, target, convention };
    instance.check().map_err(|error| fields.at(error, ""))?;
    Ok(instance)
}

/// A whole number that double precision would round is refused: what is decided exactly is decided for doubles.
fn whole_numbers_are_exact(array: Array) -> Result<Array> {
    let pairs = array.exact.iter().flatten().zip(&array.values);
    let rounded = |(exact, value): &(&Rational, &f64)| {
        exact.is_integer() && rational_from_f64(**value).is_none_or(|double| double != **exact)
    };
    match pairs.enumerate().find(|(_, pair)| rounded(pair)) {
        Some((at, (exact, _))) => Err(InputError::new("double precision does not hold this whole number exactly")
            .value(format!("{exact} at position {at}"))
            .hint("instances are solved in doubles: scale or round it")),
        None => Ok(array),
    }
}

/// Reads the file of instances, which must hold at least one; a byte-order mark at its start is skipped.
///
/// # Errors
/// As [`read_instances`], with the file named; if the file cannot be read or is not UTF-8 text.
pub fn read_instance_file(path: &Path) -> Result<Vec<Instance>> {
    let bytes = read_limited(path, u64::MAX)?;
    let text = std::str::from_utf8(without_mark(&bytes)).map_err(|error| {
        let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|&&byte| byte == b'\n').count();
        let wrong = InputError::new("this is not UTF-8 text").array(format!("line {line}"));
        wrong.hint("save the file as UTF-8").file(path.display())
    })?;
    let found = read_instances(text).map_err(|error| error.file(path.display()))?;
    if found.is_empty() {
        let empty = InputError::new("the file holds no instance").file(path.display());
        return Err(empty.hint("give one JSON object a line with id, m, n, r, phi (or weights), q, convention"));
    }
    Ok(found)
}

/// The file that the metric of an instance is read from.
#[derive(Debug, Clone, Copy)]
pub enum MetricFile<'a> {
    /// Weights of the entries, `m x n`.
    Weights(&'a Path),
    /// `phi`, `k x mn`.
    Map(&'a Path),
    /// None: all weights are one.
    Unit,
}

/// One instance from matrices in files: `h(P) = ||phi vec(P - Q)||^2`, or with weights, on the matrices of this rank.
///
/// # Errors
/// If a file is bad, the sizes do not fit, or a weight is negative.
pub fn read_instance(metric: MetricFile<'_>, target: &Path, rank: usize) -> Result<Instance> {
    let found = read_in_doubles(target, "Q")?;
    let (rows, cols) = (found.matrix.nrows(), found.matrix.ncols());
    let (metric, file) = match metric {
        MetricFile::Unit => (Metric::Weights(vec![1.0; rows * cols]), target),
        MetricFile::Weights(file) => (Metric::Weights(read_sized(file, "weights", (rows, cols))?.0), file),
        MetricFile::Map(file) => {
            let phi = read_in_doubles(file, "phi")?.matrix;
            if phi.ncols() != rows * cols {
                return Err(InputError::new(format!(
                    "a row of phi must have a number for each of the {rows} x {cols} entries of the target"
                ))
                .array("phi")
                .value(format!("{} x {}", phi.nrows(), phi.ncols()))
                .file(file.display()));
            }
            (Metric::Map(by_rows(&phi)), file)
        }
    };
    let instance = Instance {
        id: target.display().to_string(),
        rows,
        cols,
        rank,
        metric,
        target: by_rows(&found.matrix),
        convention: TargetSpace::Metric,
    };
    instance.check().map_err(|error| error.file(file.display()))?;
    Ok(instance)
}

/// A matrix of which double precision holds every whole number: what is decided exactly is decided for doubles.
fn read_in_doubles(path: &Path, name: &str) -> Result<Target> {
    let found = read_matrix(path, name)?;
    let checked = found.exact.iter().try_for_each(|exact| check_integers(name, exact));
    checked.map_err(|error| error.file(path.display()))?;
    Ok(found)
}

/// The entries of a matrix, row by row.
fn by_rows(matrix: &Matrix) -> Vec<f64> {
    let (rows, cols) = (matrix.nrows(), matrix.ncols());
    (0..rows * cols).map(|e| matrix[(e / cols, e % cols)]).collect()
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
        convention: TargetSpace::Metric,
    };
    instance.check().map_err(|error| error.file(path.display()))?;
    Ok((instance, found.1))
}

/// Reads a matrix of a given size, row by row, and its digest.
///
/// # Errors
/// If the file is bad or the matrix has another size.
pub fn read_sized(path: &Path, name: &str, (rows, cols): (usize, usize)) -> Result<(Vec<f64>, String)> {
    let found = read_in_doubles(path, name)?;
    let matrix = &found.matrix;
    if (matrix.nrows(), matrix.ncols()) != (rows, cols) {
        return Err(InputError::new(format!("the matrix must be {rows} x {cols}"))
            .array(name)
            .value(format!("{} x {}", matrix.nrows(), matrix.ncols()))
            .file(path.display()));
    }
    Ok((by_rows(matrix), found.digest))
}

/// SHA-256 over sizes, ranks, metrics and targets, in order; names and the form of the file do not matter.
pub fn instances_digest(instances: &[Instance]) -> String {
    let part = |instance: &Instance| {
        let mut digest = ArrayDigest::new();
        let (kind, numbers) = match &instance.metric {
            Metric::Map(phi) => (u64::from(instance.convention == TargetSpace::Image), phi),
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

{"m":2,"n":2,"r":1,"phi":[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1],"q":[1,2,3,4.5],"convention":"image","n_real":0,"_remark":"mine"}"#;
        let found = read_instances(text).unwrap();
        assert_eq!((found[0].id.as_str(), found[1].id.as_str()), ("a", "3"));
        assert_eq!(found[0].metric, Metric::Weights(vec![1.0, 2.0, 3.0, 0.0]));
        assert_eq!(found[1].convention, TargetSpace::Image);
    }

    #[test]
    fn integral_numbers_and_a_byte_order_mark_are_accepted() {
        let found =
            read_instances("\u{feff}{\"m\":2.0,\"n\":2,\"r\":1e0,\"weights\":[1,2,3,4],\"q\":[1,2,3,4]}").unwrap();
        assert_eq!((found[0].rows, found[0].rank), (2, 1));
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
        assert!(error("\n{\"m\":2}").contains("line 2, n: this field is missing"));
        let weight = error(r#"{"m":2,"n":2,"r":1,"phi":null,"weight":[1,2,3,4],"q":[1,2,3,4]}"#);
        assert!(weight.contains("is it \"weights\"?") && weight.contains("id, m, n, r, phi, weights"), "{weight}");
        let columns = error(r#"{"m":2,"n":2,"r":1,"vec":"column-major","weights":[1,2,3,4],"q":[1,2,3,4]}"#);
        assert!(columns.contains("line 1, vec") && columns.contains("column-major"), "{columns}");
        assert!(error(r#"{"id":[1],"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,2,3,4]}"#).contains("line 1, id"));
        let word = error(r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,"two",3,4]}"#);
        assert!(word.contains("line 1, q") && word.contains("two"), "{word}");
        let long = error(r#"{"m":2,"n":2,"r":1,"weights":[9007199254740993,2,3,4],"q":[1,2,3,4]}"#);
        assert!(long.contains("line 1, weights") && long.contains("9007199254740993 at position 0"), "{long}");
        let small = error(r#"{"m":2,"n":2,"r":1,"weights":[1e-400,2,3,4],"q":[1,2,3,4]}"#);
        assert!(small.contains("line 1, weights") && small.contains("too small"), "{small}");
        let zeros = r#"{"m":2,"n":2,"r":1,"weights":[0e-400,2,0.00,4],"q":["0/5",2,-0.0,4]}"#;
        assert_eq!(read_instances(zeros).unwrap()[0].metric, Metric::Weights(vec![0.0, 2.0, 0.0, 4.0]));
        let wide = error(r#"{"m":2,"n":2,"r":1,"weights":[[1,2,3],[4,5,6]],"q":[1,2,3,4]}"#);
        assert!(wide.contains("line 1, weights") && wide.contains("2 x 3"), "{wide}");
        let narrow = error(r#"{"m":2,"n":2,"r":1,"phi":[[1,2,3],[4,5,6]],"q":[1,2,3,4]}"#);
        assert!(narrow.contains("line 1, phi") && narrow.contains("m*n = 4"), "{narrow}");
        let short = error(r#"{"m":2,"n":2,"r":1,"weights":[1,2,3],"q":[1,2,3,4]}"#);
        assert!(short.contains("line 1, weights") && short.contains("m*n = 4"), "{short}");
        assert!(error(r#"{"m":2,"n":2,"r":3,"weights":[1,2,3,4],"q":[1,2,3,4]}"#).contains("line 1, r"));
    }
}
