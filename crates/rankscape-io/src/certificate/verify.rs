//! A certificate against itself, and against the files that it was made from.

use super::super::problem::{PointFiles, ReadData};
use super::super::weights::read_weights;
use super::CertificateFile;
use rankscape::certificate::{Certificate, CheckedClaim, Verification, same_data, same_point};
use rankscape::error::Result;
use rankscape::tolerance::Tolerances;

impl CertificateFile {
    /// Checks every claim, and that point and data are those of the files that are named.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn verify(&self, files: &PointFiles, tolerances: &Tolerances) -> Result<Verification> {
        let mut found = self.certificate.verify(tolerances);
        found.extend(self.checks());
        if let Some(path) = &files.weights {
            found.extend(self.weights_checks(path, files)?);
        }
        if files.data.samples.is_some() || files.data.target.is_some() {
            found.extend(self.data_checks(files, tolerances)?);
        }
        Ok(found)
    }

    /// The point is that of the weights.
    fn weights_checks(&self, path: &str, files: &PointFiles) -> Result<Vec<CheckedClaim>> {
        let weights = read_weights(path, &files.reading)?;
        let same = weights.digest == self.digest.weights;
        let mut checks = vec![CheckedClaim::exact("the digest of the weights given", same, weights.digest.clone())];
        let parameters = weights.parameters().with_output_metric(files.data.output_metric()?);
        let (factors, reduction) = parameters.reduced().map_err(|error| error.file(path))?;
        let exact = weights.exact.as_deref();
        checks.extend(same_point(&self.certificate, &factors, exact, weights.unit_roundoff, reduction));
        Ok(checks)
    }

    /// The data are those of the files.
    fn data_checks(&self, files: &PointFiles, tolerances: &Tolerances) -> Result<Vec<CheckedClaim>> {
        let ReadData { data, digest, .. } = files.data.read(&[])?;
        let (claim, kind) = match files.data.target {
            Some(_) => ("the digest of the target given", "target"),
            None => ("the digest of the data given", "samples"),
        };
        let mut checks = vec![
            CheckedClaim::exact(claim, digest == self.digest.data, digest),
            CheckedClaim::exact("data or a target", kind == self.made_from.data, kind.to_owned()),
        ];
        let biases = self.certificate.reduction().biases;
        // Data of other widths fail the check; they are no error of their own.
        match data.whiten_for(biases, files.data.output_metric()?.as_ref(), tolerances) {
            Ok(whitened) => checks.push(same_data(&self.certificate, &whitened, tolerances)),
            Err(error) => {
                let widths = match &self.certificate {
                    Certificate::Exact(statement) => statement.point.architecture().widths(),
                    Certificate::Floating(statement) => statement.point.architecture().widths(),
                };
                let text = format!("widths {widths:?}: {error}");
                checks.push(CheckedClaim::exact("the data are those of the files", false, text));
            }
        }
        Ok(checks)
    }
}
