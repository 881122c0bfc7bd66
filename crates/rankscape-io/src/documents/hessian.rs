//! The spectrum of the Hessian as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::RunDocument;
use super::diagnose::DiagnoseInputs;
use super::point::EvidenceDocument;
use rankscape::architecture::Architecture;
use rankscape::critical::CriticalClass;
use rankscape::hessian::aligned::{Spectrum, Strand};
use rankscape::hessian::{Eigenvector, EigenvectorShape, HessianFindings, LARGEST_LISTED, SpectrumRequest};
use rankscape::linalg::{Inertia, Matrix};

/// `rankscape.hessian/1`.
#[derive(Debug, Clone, Serialize)]
pub struct HessianSpectrumDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub widths: Vec<usize>,
    pub samples: u64,
    pub normalization: &'static str,
    pub part: &'static str,
    pub layer: Option<usize>,
    pub parameters: usize,
    pub class: &'static str,
    pub index: Option<usize>,
    pub nullity: Option<usize>,
    pub positive: Option<usize>,
    pub method: &'static str,
    pub extremes: ExtremesDocument,
    pub spectrum_method: &'static str,
    pub trace: f64,
    pub eigenvalues: Option<Vec<f64>>,
    pub distinct: Option<Vec<DistinctDocument>>,
    pub alignment: Option<AlignmentDocument>,
    pub orbit: Option<OrbitDocument>,
    pub vectors: Option<Vec<VectorDocument>>,
    pub diagonal: Option<Vec<f64>>,
    pub evidence: EvidenceDocument,
    pub tolerances: Map<String, Value>,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// Ends of the spectrum.
#[derive(Debug, Clone, Serialize)]
pub struct ExtremesDocument {
    pub lambda_min: Option<f64>,
    pub lambda_max: Option<f64>,
    pub residual: Option<f64>,
}

/// An eigenvalue with the pair of directions it belongs to.
#[derive(Debug, Clone, Serialize)]
pub struct DistinctDocument {
    pub value: f64,
    pub multiplicity: usize,
    pub directions: Vec<DirectionDocument>,
}

/// A class of singular directions.
#[derive(Debug, Clone, Serialize)]
pub struct DirectionDocument {
    pub kind: &'static str,
    pub target: f64,
    pub weights: Vec<f64>,
    pub multiplicity: usize,
}

/// Bases that make everything diagonal.
#[derive(Debug, Clone, Serialize)]
pub struct AlignmentDocument {
    pub defect: f64,
    pub directions: Vec<DirectionDocument>,
}

/// Two layers and identity data: what holds along the orbit.
#[derive(Debug, Clone, Serialize)]
pub struct OrbitDocument {
    pub imbalance: f64,
    pub bound_near_balance: Option<f64>,
    pub bound_on_orbit: Option<f64>,
    pub balanced_curvature_bound: Option<BalancedCurvatureDocument>,
}

/// The balanced strict saddle of least curvature.
#[derive(Debug, Clone, Serialize)]
pub struct BalancedCurvatureDocument {
    pub value: f64,
    pub captured: Vec<usize>,
}

/// An eigenvector, as a sum of matrices of rank one or as whole matrices.
#[derive(Debug, Clone, Serialize)]
pub struct VectorDocument {
    pub value: f64,
    pub parts: Option<Vec<PartDocument>>,
    pub factors: Option<Vec<Vec<Vec<f64>>>>,
}

/// `coefficient * left * right'` in one layer.
#[derive(Debug, Clone, Serialize)]
pub struct PartDocument {
    pub layer: usize,
    pub coefficient: f64,
    pub left: Vec<f64>,
    pub right: Vec<f64>,
}

impl HessianSpectrumDocument {
    /// The document of an answer; eigenvalues are multiplied by the normalization.
    pub fn new(
        (class, found): (CriticalClass, &HessianFindings),
        architecture: &Architecture,
        request: SpectrumRequest,
        show_diagonal: bool,
        inputs: &DiagnoseInputs,
    ) -> Self {
        let factor = inputs.normalization.factor(inputs.samples, architecture.outputs());
        let times = |values: &[f64]| values.iter().map(|value| factor * value).collect::<Vec<f64>>();
        let listed = found.size <= LARGEST_LISTED || request.all;
        Self {
            schema: "rankscape.hessian/1",
            seed: inputs.seed,
            digest: [("weights", inputs.weights_digest.clone()), ("data", inputs.data_digest.clone())].into(),
            widths: architecture.widths().to_vec(),
            samples: inputs.samples,
            normalization: inputs.normalization.name(),
            part: request.part.name(),
            layer: request.layer,
            parameters: found.size,
            class: class.name(),
            index: found.inertia.map(|inertia| inertia.negative),
            nullity: found.inertia.map(|inertia| inertia.zero),
            positive: found.inertia.map(|inertia| inertia.positive),
            method: found.inertia_method.name(),
            extremes: ExtremesDocument {
                lambda_min: found.ends.0.map(|value| factor * value),
                lambda_max: found.ends.1.map(|value| factor * value),
                residual: found.residual.map(|value| factor * value),
            },
            spectrum_method: found.spectrum_method.name(),
            trace: factor * found.trace,
            eigenvalues: found.eigenvalues.as_ref().map(|values| times(values)),
            distinct: found.spectrum.as_ref().filter(|_| listed).map(|spectrum| distinct(spectrum, factor)),
            alignment: found.spectrum.as_ref().map(|spectrum| AlignmentDocument {
                defect: spectrum.alignment.defect,
                directions: (0..spectrum.alignment.classes.len()).map(|k| direction(spectrum, k)).collect(),
            }),
            orbit: found.orbit.as_ref().map(|orbit| OrbitDocument {
                imbalance: orbit.imbalance,
                bound_near_balance: orbit.bound_near_balance.map(|value| factor * value),
                bound_on_orbit: orbit.bound_on_orbit.map(|value| factor * value),
                balanced_curvature_bound: orbit.balanced.as_ref().map(|balanced| BalancedCurvatureDocument {
                    value: factor * balanced.value,
                    captured: balanced.captured.clone(),
                }),
            }),
            vectors: (request.vectors > 0).then(|| found.vectors.iter().map(|v| vector(v, factor)).collect()),
            diagonal: show_diagonal.then(|| times(&found.diagonal)),
            evidence: EvidenceDocument::from(&found.evidence),
            tolerances: inputs.tolerances.entries().iter().map(|&(name, v)| (name.to_owned(), json!(v))).collect(),
            notes: inputs.notes.iter().cloned().chain(lost_end(found.inertia, found.ends.0)).collect(),
            run: RunDocument::default(),
        }
    }

    /// Something that was asked for is undecided.
    pub fn is_undecided(&self) -> bool {
        self.index.is_none() || self.extremes.lambda_min.is_none() || self.extremes.lambda_max.is_none()
    }
}

/// Why there is no smallest eigenvalue beside a positive index.
pub(super) fn lost_end(inertia: Option<Inertia>, smallest: Option<f64>) -> Option<String> {
    let lost = smallest.is_none() && inertia.is_some_and(|inertia| inertia.negative > 0);
    lost.then(|| {
        "lambda_min is null: the ranks prove that it is negative, but rounding errors of the largest eigenvalue hide it, or \
         the iteration did not converge"
            .to_owned()
    })
}

/// Equal values of the same pair of directions in one entry, by value and then in the order in which the pairs come.
fn distinct(spectrum: &Spectrum, factor: f64) -> Vec<DistinctDocument> {
    let mut out: Vec<DistinctDocument> = Vec::new();
    for same in spectrum.families.chunk_by(|a, b| a.value == b.value) {
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        let first = out.len();
        for family in same {
            if let Some(at) = pairs.iter().position(|&pair| pair == family.classes) {
                out[first + at].multiplicity += family.multiplicity;
                continue;
            }
            let (i, j) = family.classes;
            pairs.push(family.classes);
            out.push(DistinctDocument {
                // No negative zero.
                value: factor * family.value + 0.0,
                multiplicity: family.multiplicity,
                directions: vec![direction(spectrum, i), direction(spectrum, j)],
            });
        }
    }
    out
}

fn direction(spectrum: &Spectrum, class: usize) -> DirectionDocument {
    let members = &spectrum.alignment.classes[class];
    let strand: &Strand = &members[0];
    let kind = match (strand.is_full(), strand.residual == 0.0) {
        (true, true) => "kept",
        (true, false) => "partly_kept",
        (false, false) => "omitted",
        (false, true) => "spare",
    };
    DirectionDocument { kind, target: strand.target, weights: strand.weights.clone(), multiplicity: members.len() }
}

fn vector(found: &Eigenvector, factor: f64) -> VectorDocument {
    let (parts, factors) = match &found.shape {
        EigenvectorShape::RankOne(parts) => {
            let part = |part: &rankscape::hessian::aligned::RankOne| PartDocument {
                layer: part.layer,
                coefficient: part.coefficient,
                left: part.left.clone(),
                right: part.right.clone(),
            };
            (Some(parts.iter().map(part).collect()), None)
        }
        EigenvectorShape::Blocks(blocks) => (None, Some(blocks.iter().map(Matrix::to_rows).collect())),
    };
    VectorDocument { value: factor * found.value, parts, factors }
}
