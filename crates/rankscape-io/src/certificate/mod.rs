//! Files of certificates.

mod arithmetic;
mod placed;
mod read;
mod verify;

pub use read::CertificateFile;

use std::path::Path;

use serde_json::Value;

use super::array::{Array, ElementType};
use super::atomic::write_atomically;
use super::digest::{array_digest, combined_digest};
use super::documents::{CertificateDigest, MadeFrom, certificate_json, certificate_says, to_json};
use super::json::{read_text, syntax_error, unambiguous, without_mark};
use super::weights::digest as layers_digest;
use rankscape::certificate::{Certificate, CheckedClaim, ReducedData, Reduction};
use rankscape::error::{InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix, rational_from_f64};

/// Reads a file in the format `rankscape.certificate/1`.
///
/// # Errors
/// If the file cannot be read, is of another format, or a field is missing, unknown, there twice or of the wrong kind.
pub fn read_certificate(path: impl AsRef<Path>) -> Result<CertificateFile> {
    let path = path.as_ref();
    let read = || {
        let bytes = read_text(path)?;
        if without_mark(&bytes).len() < bytes.len() {
            return Err(InputError::new(
                "the certificate begins with a byte-order mark, which no certificate is written with",
            )
            .hint("it was saved by an editor: take the file as it was written"));
        }
        unambiguous(&bytes).map_err(|error| syntax_error(&bytes, &error))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| syntax_error(&bytes, &error.into()))?;
        read::certificate(&value)
    };
    read().map_err(|error: InputError| error.file(path.display()))
}

/// Writes a certificate that was made from files with these digests; `target`: the data are a target matrix. The file appears
/// whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_certificate(
    path: impl AsRef<Path>,
    certificate: &Certificate,
    digest: CertificateDigest,
    target: bool,
) -> Result<()> {
    let reduction = certificate.reduction();
    let mut made_from = MadeFrom {
        data: if target { "target" } else { "samples" },
        biases: reduction.biases.name(),
        output_metric: reduction.output_metric,
        held: Vec::new(),
    };
    made_from.held = held(certificate, &digest, target);
    let document = certificate_json(certificate, digest, made_from);
    write_atomically(path.as_ref(), (to_json(&document) + "\n").as_bytes())
}

/// Which inputs stand in the certificate, as far as their digests tell.
fn held(certificate: &Certificate, digest: &CertificateDigest, target: bool) -> Vec<&'static str> {
    let weights = digests_of_point(certificate).contains(&digest.weights).then_some("weights");
    let data = (target && digests_of_target(certificate).contains(&digest.data)).then_some("data");
    weights.into_iter().chain(data).collect()
}

/// The digests that weights with the numbers of the point can have; none where biases or a metric were folded in.
fn digests_of_point(certificate: &Certificate) -> Vec<String> {
    if certificate.reduction() != Reduction::default() {
        return Vec::new();
    }
    let arrays: Vec<Array> = match certificate {
        Certificate::Exact(statement) => statement.point.matrices().iter().map(exact_array).collect(),
        Certificate::Floating(statement) => statement.point.matrices().iter().filter_map(whole_array).collect(),
    };
    let layers: Vec<(Array, Option<Array>)> = arrays.into_iter().map(|array| (array, None)).collect();
    either_digest(certificate, |exactly| layers_digest(&layers, exactly))
}

/// The digests that a target with the numbers of the data can have; none where the data are no target.
fn digests_of_target(certificate: &Certificate) -> Vec<String> {
    let target = match certificate {
        _ if certificate.reduction() != Reduction::default() => None,
        Certificate::Exact(statement) => {
            let xx = &statement.data.xx;
            // A matrix with other numbers of rows and columns may have very many rows.
            let whitened = xx.nrows() == xx.ncols() && *xx == RationalMatrix::identity(xx.nrows());
            whitened.then(|| exact_array(&statement.data.yx))
        }
        Certificate::Floating(statement) => {
            let ReducedData { inputs, target, .. } = &statement.data;
            let signs = inputs.entries().all(|x| x == 0.0 || x.abs() == 1.0);
            // Y = Z A' without rounding.
            let square = signs
                && inputs.nrows() == inputs.ncols()
                && inputs.times_transpose(inputs) == Matrix::identity(inputs.nrows());
            square.then(|| target.times_transpose(inputs)).as_ref().and_then(whole_array)
        }
    };
    let Some(target) = target else { return Vec::new() };
    either_digest(certificate, |exactly| combined_digest("target", &[array_digest(&target, exactly)]))
}

/// Numbers in double precision can have been read from exact ones.
fn either_digest(certificate: &Certificate, digest: impl Fn(bool) -> String) -> Vec<String> {
    match certificate {
        Certificate::Exact(_) => vec![digest(true)],
        Certificate::Floating(_) => vec![digest(false), digest(true)],
    }
}

fn exact_array(m: &RationalMatrix) -> Array {
    Array {
        name: String::new(),
        shape: vec![m.nrows(), m.ncols()],
        values: Vec::new(),
        element: ElementType::Text,
        exact: Some(m.entries().to_vec()),
    }
}

/// Numbers in double precision with their exact values.
fn whole_array(m: &Matrix) -> Option<Array> {
    let values = m.to_rows().concat();
    let exact = values.iter().map(|x| rational_from_f64(*x)).collect::<Option<Vec<Rational>>>()?;
    let shape = vec![m.nrows(), m.ncols()];
    Some(Array { name: String::new(), shape, values, element: ElementType::F64, exact: Some(exact) })
}

impl CertificateFile {
    /// Checks what the file says beside the statement: the sentence, the seal and the digests of inputs that it holds.
    pub fn checks(&self) -> Vec<CheckedClaim> {
        let says = certificate_says(&self.certificate);
        let mut checks = vec![CheckedClaim::exact("the statement in words", says == self.says, says)];
        let written = certificate_json(&self.certificate, self.digest.clone(), self.made_from.clone()).seal;
        let edited = differing(&written, &self.seal);
        let found = if edited.is_empty() {
            "as they were written".to_owned()
        } else {
            format!("edited since it was written: {}", edited.join(", "))
        };
        checks.push(CheckedClaim::exact("the seal of the fields", edited.is_empty(), found));
        let found = held(&self.certificate, &self.digest, self.made_from.data == "target");
        if self.made_from.data == "target" {
            let claim = "a target is reached by some matrix";
            checks.push(CheckedClaim::exact(claim, self.certificate.has_no_floor(), "the floor is 0".to_owned()));
        }
        let whole =
            matches!(self.certificate, Certificate::Exact(_)) && self.certificate.reduction() == Reduction::default();
        // Exact weights stand in the certificate whatever it says.
        let needed = |name: &str| self.made_from.held.contains(&name) || (whole && name == "weights");
        for (name, claim) in [("weights", "the digest of the weights"), ("data", "the digest of the data")] {
            if needed(name) {
                checks.push(CheckedClaim::exact(
                    claim,
                    found.contains(&name),
                    "from the numbers of the certificate".to_owned(),
                ));
            }
        }
        checks
    }
}

/// The names under which two objects differ.
fn differing(a: &Value, b: &Value) -> Vec<String> {
    let names =
        |value: &Value| -> Vec<String> { value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect() };
    let mut all = names(a);
    all.extend(names(b));
    let mut seen = Vec::new();
    for name in all {
        if a[&name] != b[&name] && !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}
