//! The spectrum of the Hessian as a document.

use serde::Serialize;

use super::RunDocument;
use super::digests::PointDigest;
use super::inputs::{DiagnoseInputs, Normalization};
use super::point::{EvidenceDocument, TolerancesDocument};
use crate::words::{Word, words};
use rankscape::answers::SpectrumAnswer;
use rankscape::architecture::Architecture;
use rankscape::critical::CriticalClass;
use rankscape::hessian::aligned::{AlignedSpectrum, Strand};
use rankscape::hessian::{Eigenvector, EigenvectorShape, InertiaMethod, LARGEST_LISTED, Part, SpectrumMethod};
use rankscape::linalg::{Inertia, Matrix};

/// The spectrum of the Hessian of the loss in the parameters as given, or of a part or block of it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HessianSpectrumDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.hessian/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format of the files.
    pub digest: PointDigest,
    /// d_0, ..., d_h. A constant feature for a first-layer bias counts in d_0.
    #[cfg_attr(feature = "schema", schemars(length(min = 2), inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// Number of samples; of columns, for a target.
    pub samples: u64,
    /// What is reported: L, L / n, or 2 L / (n d_h).
    pub normalization: Word<Normalization>,
    /// l of (l/2) sum ||W_k||^2 beside the sum loss; null without --weight-decay.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub weight_decay: Option<f64>,
    /// The Hessian, its Gauss-Newton part J' J, or the rest.
    pub part: Word<Part>,
    /// Only the diagonal block of this layer, counted from 1; null for the whole matrix.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub layer: Option<usize>,
    /// Number of rows of the matrix: index + nullity + positive.
    pub parameters: usize,
    /// What the point is.
    pub class: Word<CriticalClass>,
    /// Number of negative eigenvalues; null if undecided or not computed.
    pub index: Option<usize>,
    /// Number of zero eigenvalues; null if undecided or not computed.
    pub nullity: Option<usize>,
    /// Number of positive eigenvalues; null if undecided or not computed.
    pub positive: Option<usize>,
    /// Where index and nullity come from: a theorem that needs ranks only, elimination over the rationals, or the
    /// computed eigenvalues.
    pub method: Word<InertiaMethod>,
    /// Ends of the spectrum.
    pub extremes: ExtremesDocument,
    /// Where eigenvalues come from: formulas, blocks of the size of the depth, the dense matrix, or Lanczos iterations.
    pub spectrum_method: Word<SpectrumMethod>,
    /// Sum of all eigenvalues.
    pub trace: f64,
    /// All eigenvalues, non-decreasing; null beyond 2,000 parameters unless asked for.
    pub eigenvalues: Option<Vec<f64>>,
    /// Eigenvalues with multiplicities and the pair of directions each belongs to, one entry for each value and pair;
    /// at aligned points only.
    pub distinct: Option<Vec<DistinctDocument>>,
    /// Bases that make data, factors and target diagonal; null where there are none.
    pub alignment: Option<AlignmentDocument>,
    /// Along the orbit (W_2 A, A^-1 W_1) of a critical point of two layers, X X' a multiple of the identity; null
    /// elsewhere.
    pub orbit: Option<OrbitDocument>,
    /// Unit eigenvectors of the smallest eigenvalues; null unless asked for.
    pub vectors: Option<Vec<VectorDocument>>,
    /// The diagonal, W1 first, each matrix row by row, biases last; null unless asked for.
    pub diagonal: Option<Vec<f64>>,
    /// How strong the verdict is and what it rests on.
    pub evidence: EvidenceDocument,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the readers of files decided and the user should know.
    pub notes: Vec<String>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}

/// Ends of the spectrum.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExtremesDocument {
    /// Smallest eigenvalue; null if the iteration did not converge, or if it is negative by the index and lost in
    /// rounding errors.
    pub lambda_min: Option<f64>,
    /// Largest eigenvalue; null if the iteration did not converge.
    pub lambda_max: Option<f64>,
    /// An eigenvalue lies within this distance of each; null where all come from a dense matrix.
    pub residual: Option<f64>,
}

/// An eigenvalue with the pair of directions it belongs to.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DistinctDocument {
    /// The eigenvalue.
    pub value: f64,
    /// How many eigenvectors of this pair have it.
    pub multiplicity: usize,
    /// The two directions.
    #[cfg_attr(feature = "schema", schemars(length(equal = 2)))]
    pub directions: Vec<DirectionDocument>,
}

words! {
    /// What becomes of a direction of the data.
    pub enum DirectionKind {
        /// The product has the target's value.
        Kept = "kept",
        /// The product has another value.
        PartlyKept = "partly_kept",
        /// The target has a value, the product none.
        Omitted = "omitted",
        /// Neither has a value.
        Spare = "spare",
    }
}

/// A class of singular directions.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DirectionDocument {
    /// kept: the product has the target's value; partly_kept: another value; omitted: the target has a value, the
    /// product none; spare: neither.
    pub kind: Word<DirectionKind>,
    /// What the whitened target multiplies this direction by; 0 where an end is missing.
    pub target: f64,
    /// What the data and then W1, ..., Wh multiply it by; 0 where an end is missing.
    pub weights: Vec<f64>,
    /// How many such directions.
    pub multiplicity: usize,
}

/// Bases that make everything diagonal.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlignmentDocument {
    /// Largest part of a map off the diagonal, relative to its norm.
    pub defect: f64,
    /// All classes of directions.
    pub directions: Vec<DirectionDocument>,
}

/// Two layers and identity data: what holds along the orbit.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrbitDocument {
    /// ||W_2'W_2 - W_1W_1'||_2, zero on balanced points.
    pub imbalance: f64,
    /// Upper bound of the smallest eigenvalue at this point, sharp on balanced ones.
    pub bound_near_balance: Option<f64>,
    /// Upper bound of the smallest eigenvalue on the whole orbit; null where there is none or a rank is unclear.
    pub bound_on_orbit: Option<f64>,
    /// The balanced strict saddle of least curvature for these data and this width; null if there is none.
    pub balanced_curvature_bound: Option<BalancedCurvatureDocument>,
}

/// The balanced strict saddle of least curvature.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BalancedCurvatureDocument {
    /// Its smallest eigenvalue.
    pub value: f64,
    /// The singular directions it keeps, counted from 1.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub captured: Vec<usize>,
}

/// An eigenvector, as a sum of matrices of rank one or as whole matrices.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VectorDocument {
    /// Its eigenvalue.
    pub value: f64,
    /// Matrices coefficient * left * right', whose sum it is; null where it has no such shape.
    pub parts: Option<Vec<PartDocument>>,
    /// One matrix for each factor, then each bias; null where the parts say it.
    pub factors: Option<Vec<Vec<Vec<f64>>>>,
}

/// `coefficient * left * right'` in one layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PartDocument {
    /// The layer, counted from 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub layer: usize,
    /// What left * right' is multiplied by.
    pub coefficient: f64,
    /// Unit vector at the output of the layer.
    pub left: Vec<f64>,
    /// Unit vector at its input.
    pub right: Vec<f64>,
}

impl HessianSpectrumDocument {
    /// The document of an answer; eigenvalues are multiplied by the normalization.
    pub fn new(
        answer: &SpectrumAnswer,
        architecture: &Architecture,
        show_diagonal: bool,
        inputs: &DiagnoseInputs,
    ) -> Self {
        let SpectrumAnswer { class, request, findings: found } = answer;
        let factor = inputs.normalization.factor(inputs.samples, architecture.outputs());
        let times = |values: &[f64]| values.iter().map(|value| factor * value).collect::<Vec<f64>>();
        let listed = found.size <= LARGEST_LISTED || request.all;
        Self {
            schema: "rankscape.hessian/1",
            seed: inputs.seed,
            digest: PointDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().into(),
            },
            widths: architecture.widths().to_vec(),
            samples: inputs.samples,
            normalization: Word(inputs.normalization),
            weight_decay: None,
            part: Word(request.part),
            layer: request.layer,
            parameters: found.size,
            class: Word(*class),
            index: found.inertia.map(|inertia| inertia.negative),
            nullity: found.inertia.map(|inertia| inertia.zero),
            positive: found.inertia.map(|inertia| inertia.positive),
            method: Word(found.inertia_method),
            extremes: ExtremesDocument {
                lambda_min: found.ends.0.map(|value| factor * value),
                lambda_max: found.ends.1.map(|value| factor * value),
                residual: found.residual.map(|value| factor * value),
            },
            spectrum_method: Word(found.spectrum_method),
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
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.iter().cloned().chain(lost_end(found.inertia, found.ends.0)).collect(),
            run: RunDocument::default(),
        }
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
fn distinct(spectrum: &AlignedSpectrum, factor: f64) -> Vec<DistinctDocument> {
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

fn direction(spectrum: &AlignedSpectrum, class: usize) -> DirectionDocument {
    let members = &spectrum.alignment.classes[class];
    let strand: &Strand = &members[0];
    let kind = match (strand.is_full(), strand.residual == 0.0) {
        (true, true) => DirectionKind::Kept,
        (true, false) => DirectionKind::PartlyKept,
        (false, false) => DirectionKind::Omitted,
        (false, true) => DirectionKind::Spare,
    };
    DirectionDocument {
        kind: Word(kind),
        target: strand.target,
        weights: strand.weights.clone(),
        multiplicity: members.len(),
    }
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
