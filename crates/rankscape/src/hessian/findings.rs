//! What is asked about the spectrum of the Hessian, and what is found.

use super::aligned::{AlignedSpectrum, RankOne};
use super::operator::Part;
use super::orbit::OrbitFindings;
use crate::evidence::{Evidence, Grade};
use crate::linalg::{Inertia, Matrix};

/// Up to this many parameters all eigenvalues are listed.
pub const LARGEST_LISTED: usize = 2000;
/// Up to this many parameters a dense Hessian is formed when all eigenvalues are asked for.
pub const LARGEST_DENSE: usize = 10_000;

/// What is asked for beside index, nullity and the ends of the spectrum.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpectrumRequest {
    /// The Hessian or a part of it.
    pub part: Part,
    /// Only the diagonal block of this layer, counted from 1.
    pub layer: Option<usize>,
    /// All eigenvalues even beyond [`LARGEST_LISTED`] parameters.
    pub all: bool,
    /// Eigenvectors of this many smallest eigenvalues.
    pub vectors: usize,
}

/// Where index and nullity come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InertiaMethod {
    /// A theorem that needs ranks only.
    ClosedForm,
    /// Elimination over the rationals.
    Elimination,
    /// Counted from computed eigenvalues.
    Numerical,
}

impl InertiaMethod {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClosedForm => "closed_form",
            Self::Elimination => "elimination",
            Self::Numerical => "numerical",
        }
    }
}

/// Where eigenvalues come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpectrumMethod {
    /// A formula.
    ClosedForm,
    /// Blocks of the size of the depth.
    Blocks,
    /// The dense matrix.
    Dense,
    /// Lanczos iterations: the two ends only.
    Krylov,
}

impl SpectrumMethod {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClosedForm => "closed_form",
            Self::Blocks => "blocks",
            Self::Dense => "dense",
            Self::Krylov => "krylov",
        }
    }
}

/// The shape in which an eigenvector is known.
#[derive(Debug, Clone, PartialEq)]
pub enum EigenvectorShape {
    /// A sum of matrices of rank one, at most two a layer.
    RankOne(Vec<RankOne>),
    /// One matrix a block of parameters: the factors, then the biases that exist.
    Blocks(Vec<Matrix>),
}

/// A unit eigenvector in the parameters as given.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenvector {
    /// Its eigenvalue.
    pub value: f64,
    /// The vector.
    pub shape: EigenvectorShape,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct HessianFindings {
    /// Number of rows of the matrix that was asked for.
    pub size: usize,
    /// All eigenvalues, non-decreasing, where they were computed and asked for.
    pub eigenvalues: Option<Vec<f64>>,
    /// The complete spectrum with multiplicities, at aligned points.
    pub spectrum: Option<AlignedSpectrum>,
    /// Smallest and largest eigenvalue; `None` where an iteration did not converge, and for a smallest one that the index
    /// proves to be negative and rounding errors hide.
    pub ends: (Option<f64>, Option<f64>),
    /// Residual of the two ends: an eigenvalue lies within this distance. Zero for formulas, not known for dense ones.
    pub residual: Option<f64>,
    /// Index, nullity and number of positive eigenvalues; `None` if undecided.
    pub inertia: Option<Inertia>,
    /// Where they come from.
    pub inertia_method: InertiaMethod,
    /// Where the eigenvalues come from.
    pub spectrum_method: SpectrumMethod,
    /// What index and nullity rest on.
    pub evidence: Evidence,
    /// The diagonal.
    pub diagonal: Vec<f64>,
    /// The trace.
    pub trace: f64,
    /// Eigenvectors of the smallest eigenvalues, where asked for.
    pub vectors: Vec<Eigenvector>,
    /// Facts about the orbit, where they apply.
    pub orbit: Option<OrbitFindings>,
}

impl HessianFindings {
    /// Nothing found yet.
    pub(super) fn of_size(size: usize) -> Self {
        Self {
            size,
            eigenvalues: None,
            spectrum: None,
            ends: (None, None),
            residual: Some(0.0),
            inertia: None,
            inertia_method: InertiaMethod::ClosedForm,
            spectrum_method: SpectrumMethod::ClosedForm,
            evidence: Evidence::new(Grade::Numerical),
            diagonal: Vec::new(),
            trace: 0.0,
            vectors: Vec::new(),
            orbit: None,
        }
    }
}
