//! Checking a certificate over the rationals: every claim is decided, with eliminations of its own.

use num_traits::{Signed, Zero};

use super::claim::{CLASS, CheckedClaim, Finding, GROUNDS, Verification, misstated, shapes};
use super::elimination::{Symmetric, rank};
use super::path::exact_path_checks;
use super::sparse::SparseMatrix;
use super::statement::{ExactStatement, Statement};
use super::words::{Ranks, Words, given_quantities, seen};
use crate::critical::CriticalClass;
use crate::data::ExactMoments;
use crate::evidence::{Grade, Quantity, Truth};
use crate::linalg::exact::{Rational, rational_to_f64};
use crate::linalg::symmetric_eigen;
use crate::linalg::{Linear, Matrix};
use crate::multiplication::ExactFactors;

/// Largest size of the form that compares singular values that may be equal.
const LARGEST_FORM: usize = 100;

pub(super) fn verify_exact(statement: &ExactStatement) -> Verification {
    let Statement { point, data, path, .. } = statement;
    let widths = point.architecture().widths();
    let (inputs, outputs) = (point.architecture().inputs(), point.architecture().outputs());
    let shape = [[data.xx.shape(), (inputs, inputs)], [data.yx.shape(), (outputs, inputs)]];
    let path_of = path.as_ref().map(|claim| &claim.path);
    let fits = shapes(widths, &shape, path_of, |step| step.architecture().widths());
    if fits.holds() != Truth::Yes {
        return Verification::new(vec![fits], Vec::new());
    }
    let moments = Moments::new(data);
    let mut checks = vec![fits, moments.check()];
    if moments.exist {
        checks.extend(class_checks(statement, &moments));
        checks.extend(path.iter().flat_map(|claim| exact_path_checks(point, data, claim)));
    }
    Verification::new(checks, Vec::new())
}

/// `S = X X'`, `C = Y X'`, and whether data have them.
struct Moments {
    xx: SparseMatrix<Rational>,
    yx: SparseMatrix<Rational>,
    rank: usize,
    /// `X X'` is positive semidefinite and `Y X' = M X X'` for some `M`.
    exist: bool,
    /// `||Y||^2 - tr(C S^- C')`: twice the smallest loss of any matrix.
    twice_floor: Rational,
}

impl Moments {
    /// There are `X` and `Y` with `X X' = S`, `Y X' = C` and `||Y||^2 = yy` exactly when `[S C'; C N]` is positive semidefinite
    /// for some `N` of trace `yy`: when `S` is, its range contains that of `C'`, and `yy` is at least `tr(C S^- C')`.
    fn new(data: &ExactMoments) -> Self {
        let (xx, yx) = (SparseMatrix::of_rational(&data.xx), SparseMatrix::of_rational(&data.yx));
        let size = xx.shape().0;
        let mut joint = Symmetric::bordered(&xx, &yx);
        let signs = joint.eliminate(size);
        let exist = data.xx == data.xx.transpose() && signs.negative == 0 && joint.is_spent(size);
        let twice_floor = &data.yy + joint.trace_from(size);
        Self { rank: signs.positive, exist: exist && !twice_floor.is_negative(), twice_floor, xx, yx }
    }

    fn check(&self) -> CheckedClaim {
        let floor = &self.twice_floor / Rational::from_integer(2.into());
        let found = format!("[X X' X Y'; Y X' Y Y'] positive semidefinite: {}; floor {floor}", self.exist);
        CheckedClaim::exact("the data are second moments", self.exist, found)
    }

    /// `g S^- g'`.
    fn whitened_gram(&self, g: &SparseMatrix<Rational>) -> SparseMatrix<Rational> {
        let size = self.xx.shape().0;
        let mut joint = Symmetric::bordered(&self.xx, g);
        joint.eliminate(size);
        joint.rest(size, -1)
    }
}

/// The products of a point over the rationals: `A` is the identity and `G` is `g = W S - C`.
struct ExactPoint<'a> {
    words: Words<SparseMatrix<Rational>>,
    moments: &'a Moments,
    widths: Vec<usize>,
}

impl<'a> ExactPoint<'a> {
    fn new(point: &ExactFactors, moments: &'a Moments) -> Self {
        let mut widths = point.architecture().widths().to_vec();
        let one = Rational::from_integer(1.into());
        let identity = SparseMatrix::from_fn(widths[0], widths[0], |i, j| (i == j).then(|| one.clone()));
        let layers = point.matrices().iter().map(SparseMatrix::of_rational).collect();
        let words = Words::new(layers, identity, |w| w.times(&moments.xx).minus(&moments.yx));
        widths[0] = moments.rank;
        Self { words, moments, widths }
    }

    fn is_critical(&self) -> bool {
        (1..=self.words.depth()).all(|k| self.words.gradient(k).entries().all(Zero::is_zero))
    }

    /// The rank of a quantity; a comparison has none.
    fn rank(&self, quantity: Quantity) -> Option<usize> {
        let through_data = matches!(quantity, Quantity::Inputs | Quantity::Output | Quantity::Seen { i: 0, .. });
        let matrix = self.words.matrix(quantity)?;
        Some(rank(&if through_data { matrix.times(&self.moments.xx) } else { matrix }))
    }

    /// Some omitted singular value is larger than some captured one; `None` where that is not decided.
    fn omitted_larger(&self, kept: usize) -> Option<bool> {
        if kept == 0 || self.words.residual().entries().all(Zero::is_zero) {
            return Some(false);
        }
        let w = self.words.output();
        let captured = w.times(&self.moments.xx).times(&w.transposed());
        let omitted = self.moments.whitened_gram(self.words.residual());
        separated(&captured, &omitted, kept).or_else(|| compared(&captured, &omitted, kept))
    }

    fn class(&self) -> Option<CriticalClass> {
        let depth = self.words.depth();
        let kept = self.rank(Quantity::Output)?;
        Ranks {
            widths: &self.widths,
            residual: self.rank(Quantity::Residual)?,
            seen: &|i, j| self.rank(seen(depth, i, j)),
            wrapped: &|s, t| self.rank(Quantity::Wrapped { depth, s, t }),
            omitted_larger: if depth == 1 { false } else { self.omitted_larger(kept)? },
        }
        .class()
    }
}

/// Squared captured values, the positive eigenvalues of one matrix, against squared omitted ones: a number between them, found
/// in double precision, settles it by two signatures.
fn separated(captured: &SparseMatrix<Rational>, omitted: &SparseMatrix<Rational>, kept: usize) -> Option<bool> {
    let size = captured.trace() + omitted.trace();
    let scaled = |m: &SparseMatrix<Rational>| {
        let at = |i, j| m.at(i, j).map_or(0.0, |x| rational_to_f64(&(x / &size)));
        symmetric_eigen(&Matrix::from_fn(m.shape().0, m.shape().0, at)).map(|found| found.values)
    };
    let (mut low, mut high) = (scaled(captured)?, scaled(omitted)?);
    low.sort_by(|a, b| b.total_cmp(a));
    high.sort_by(|a, b| b.total_cmp(a));
    let (smallest, largest) = (*low.get(kept - 1)?, *high.first()?);
    let between = crate::linalg::exact::rational_from_f64(0.5 * smallest + 0.5 * largest)? * &size;
    let above = |m: &SparseMatrix<Rational>| Symmetric::shifted(m, &between).inertia().positive;
    match (above(captured), above(omitted)) {
        (all, 0) if all == kept => Some(false),
        (some, 1..) if some < kept && Symmetric::shifted(captured, &between).inertia().zero == 0 => Some(true),
        _ => None,
    }
}

/// The same by the signature of `A (x) I - I (x) B` on `Col A (x) R^d`, in the coordinates of columns of `A` that span it:
/// `K' (A (x) I - I (x) B) K` with `K` those columns. It tells equal values too.
fn compared(captured: &SparseMatrix<Rational>, omitted: &SparseMatrix<Rational>, kept: usize) -> Option<bool> {
    let outputs = captured.shape().0;
    if kept * outputs > LARGEST_FORM {
        return None;
    }
    let columns = super::elimination::independent_columns(captured);
    let squared = captured.times(captured);
    let cubed = squared.times(captured);
    let zero = Rational::zero;
    let form = Symmetric::from_fn(kept * outputs, |p, q| {
        let ((i, a), (j, b)) = ((p / outputs, p % outputs), (q / outputs, q % outputs));
        let at = |m: &SparseMatrix<Rational>, i: usize, j: usize| m.at(i, j).cloned().unwrap_or_else(zero);
        let first = if a == b { at(&cubed, columns[i], columns[j]) } else { zero() };
        first - at(&squared, columns[i], columns[j]) * at(omitted, a, b)
    });
    Some(form.inertia().negative > 0)
}

/// Gradient, class and ranks from the point and the data.
fn class_checks(statement: &ExactStatement, moments: &Moments) -> Vec<CheckedClaim> {
    let Statement { point, class, .. } = statement;
    let decided = ExactPoint::new(point, moments);
    let critical = decided.is_critical();
    let gradient = if critical { "the gradient is zero" } else { "the gradient is not zero" };
    let undecided = |found: &str| CheckedClaim::graded(CLASS, None, Grade::Exact, found);
    let class = match *class {
        CriticalClass::Undecided => undecided("nothing is claimed"),
        CriticalClass::NotCritical => CheckedClaim::exact(CLASS, !critical, gradient),
        _ if !critical => CheckedClaim::exact(CLASS, false, gradient),
        class => match decided.class() {
            Some(found) => CheckedClaim::exact(CLASS, found == class, found.to_string()),
            None => undecided("the point is too large to compare singular values that may be equal"),
        },
    };
    vec![class, grounds_check(statement, &decided, critical)]
}

/// The ranks are stated in full, each as it is.
fn grounds_check(statement: &ExactStatement, decided: &ExactPoint<'_>, critical: bool) -> CheckedClaim {
    let depth = decided.words.depth();
    let own = if critical { vec![Quantity::Inputs, Quantity::Output] } else { Vec::new() };
    let expected: Vec<Quantity> = own.into_iter().chain(given_quantities(depth)).collect();
    if let Some(problem) = misstated(&statement.rests_on, &expected) {
        return CheckedClaim::exact(GROUNDS, false, problem);
    }
    for (ground, &quantity) in statement.rests_on.iter().zip(&expected) {
        if let Some(found) = decided.rank(quantity).filter(|found| *found != ground.rank) {
            return CheckedClaim::exact(GROUNDS, false, Finding::Rank { quantity, least: found, most: found });
        }
    }
    CheckedClaim::exact(GROUNDS, true, format!("{} ranks, decided by elimination", expected.len()))
}
