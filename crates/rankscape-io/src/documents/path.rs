//! Paths that leave a point, as documents have them.

use serde::Serialize;

use super::numbers::Rows;
use crate::words::Word;
#[cfg(feature = "schema")]
use crate::words::Words as _;
use rankscape::escape::{Escape, EscapeKind, EscapePath, LossEscape};
use rankscape::linalg::Matrix;

/// A path is stored in the document up to this many parameters; beyond, only its polynomial of the loss.
const INLINE_PARAMETERS: usize = 2000;

/// A path that leaves.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EscapeDocument {
    /// Lowest k with a non-zero coefficient of t^k of the loss: 1 at non-critical points, 2 at strict saddles, at least
    /// 3 at non-strict ones. It is that of the stored path.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub order: usize,
    /// The lowest order of any path out of the point: 1 at non-critical points, 2 at strict saddles, that of
    /// docs/escape.md at non-strict ones; null where it is not known.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub lowest_order: Option<usize>,
    /// That coefficient.
    pub coefficient: f64,
    /// Where on the path the decrease is measured.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub t: f64,
    /// L(theta) - L(theta(t)).
    pub decrease: f64,
    /// What the path is: minus the gradient, an eigenvector, the largest omitted singular direction fed into all
    /// layers, the output bias moved to its best value, the layers opened through their kernels with one of them
    /// stepping down, or rank-one steps that string the fewest bars together.
    pub kind: Word<EscapeKind>,
    /// The path and the loss along it; or the name of the file with the whole certificate, where one was written.
    pub certificate: EscapeCertificate,
}

/// The path and the loss along it; or the name of the file with the whole certificate, where one was written.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum EscapeCertificate {
    /// The path.
    Path(PathDocument),
    /// Name of a file.
    File(String),
}

impl From<String> for EscapeCertificate {
    fn from(file: String) -> Self {
        Self::File(file)
    }
}

/// A path and the loss along it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathDocument {
    /// Coefficients of t^1, t^2, ... of L(theta + t A) - L(theta); null where that is no polynomial, as for other losses
    /// than the square.
    pub change_of_loss: Option<Vec<f64>>,
    /// Power of t that the first coefficient belongs to.
    #[cfg_attr(feature = "schema", schemars(extend("const" = 1)))]
    pub first_power: usize,
    /// The path, a term for each power of t; null above 2,000 parameters.
    pub terms: Option<Vec<TermDocument>>,
}

/// One power of t.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TermDocument {
    /// The power of t.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub power: usize,
    /// The matrices of A, first layer first, for the problem without biases: the weight of a first-layer bias is the
    /// last column of the first one, and an output bias follows so that its best value moves with it. For other losses than
    /// the square the biases that follow are columns after the matrices.
    pub factors: Vec<Rows>,
}

pub(super) fn escape_document(escape: &Escape, factor: f64) -> EscapeDocument {
    let parameters = escape.path.terms.first().map_or(0, |(_, step)| step.architecture().parameters());
    let terms = (parameters <= INLINE_PARAMETERS).then(|| terms_of(escape));
    let coefficients: Vec<f64> = escape.loss.coefficients[1..].iter().map(|c| factor * c).collect();
    EscapeDocument {
        order: escape.order,
        lowest_order: escape.lowest_order,
        coefficient: factor * escape.coefficient,
        t: escape.t,
        decrease: factor * escape.decrease,
        kind: Word(escape.kind),
        certificate: EscapeCertificate::Path(PathDocument {
            change_of_loss: Some(coefficients),
            first_power: 1,
            terms,
        }),
    }
}

/// A path of a loss that is no polynomial along it.
pub(super) fn loss_escape_document(escape: &LossEscape, factor: f64) -> EscapeDocument {
    let size = |blocks: &[Matrix]| blocks.iter().map(|block| block.nrows() * block.ncols()).sum::<usize>();
    let parameters = escape.terms.first().map_or(0, |(_, blocks)| size(blocks));
    let term = |(power, blocks): &(usize, Vec<Matrix>)| TermDocument {
        power: *power,
        factors: blocks.iter().map(Rows::from).collect(),
    };
    let terms = (parameters <= INLINE_PARAMETERS).then(|| escape.terms.iter().map(term).collect());
    EscapeDocument {
        order: escape.order,
        lowest_order: escape.lowest_order,
        coefficient: factor * escape.coefficient,
        t: escape.t,
        decrease: factor * escape.decrease,
        kind: Word(escape.kind),
        certificate: EscapeCertificate::Path(PathDocument { change_of_loss: None, first_power: 1, terms }),
    }
}

/// The terms of a path; exact ones as fractions.
fn terms_of(escape: &Escape) -> Vec<TermDocument> {
    fn terms<F>(path: &EscapePath<F>, factors: impl Fn(&F) -> Vec<Rows>) -> Vec<TermDocument> {
        path.terms.iter().map(|(power, step)| TermDocument { power: *power, factors: factors(step) }).collect()
    }
    match &escape.exact {
        Some(exact) => terms(&exact.path, |step| step.matrices().iter().map(Rows::from).collect()),
        None => terms(&escape.path, |step| step.matrices().iter().map(Rows::from).collect()),
    }
}

/// The words of the paths that no construction of the literature has.
#[cfg(feature = "schema")]
pub(super) fn own_kinds() -> Vec<&'static str> {
    let own = EscapeKind::ALL.iter().filter(|kind| !matches!(kind, EscapeKind::Construction(_)));
    own.map(|kind| kind.word()).collect()
}
