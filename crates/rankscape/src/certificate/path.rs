//! Checking a path over the rationals: the loss along it is expanded anew, and every claim is decided.

use num_traits::{Signed, Zero};

use super::claim::{CheckedClaim, DECREASE};
use super::series::Series;
use super::sparse::{MatrixLoss, SparseMatrix};
use super::statement::{PathClaim, Sense};
use crate::data::ExactMoments;
use crate::escape::EscapePath;
use crate::linalg::exact::Rational;
use crate::linalg::scalar::Ring;
use crate::multiplication::ExactFactors;

pub(super) fn exact_path_checks(
    point: &ExactFactors,
    data: &ExactMoments,
    claim: &PathClaim<ExactFactors, Rational>,
) -> Vec<CheckedClaim> {
    let ground = exact_loss(point, data);
    let series = loss_series(&ground, |x: &Rational| x.clone());
    let coefficients = twice(series.twice_change(&exact_series(&claim.path)));
    let change = ground.twice_change(&exact_steps(&claim.path, &claim.t)).unwrap_or_else(Rational::zero);
    claims(claim, &coefficients, &change)
}

fn claims(claim: &PathClaim<ExactFactors, Rational>, twice: &[Rational], change: &Rational) -> Vec<CheckedClaim> {
    let two = Rational::from_integer(2.into());
    let first = twice.iter().position(|c| !c.is_zero());
    let at_order = twice.get(claim.order).cloned().unwrap_or_else(Rational::zero) / &two;
    let decrease = -change.clone() / &two;
    let order = first.map_or("the loss does not change".to_owned(), |k| format!("the loss first changes at order {k}"));
    vec![
        CheckedClaim::exact("the order of the first change", first == Some(claim.order), order),
        CheckedClaim::exact("its coefficient", at_order == claim.coefficient, at_order.to_string()),
        CheckedClaim::exact("its sign", has_sign(claim.sense, &-&at_order), claim.sense.name()),
        CheckedClaim::exact("the step t is positive", claim.t.is_positive(), claim.t.to_string()),
        CheckedClaim::exact(DECREASE, decrease == claim.decrease, decrease.to_string()),
        CheckedClaim::exact("the sign of the decrease", has_sign(claim.sense, &decrease), claim.sense.name()),
    ]
}

fn has_sign(sense: Sense, decrease: &Rational) -> bool {
    match sense {
        Sense::Descent => decrease.is_positive(),
        Sense::Ascent => decrease.is_negative(),
    }
}

pub(super) fn twice<T: Ring>(series: Option<Series<T>>) -> Vec<T> {
    series.map_or_else(Vec::new, |Series(terms)| terms.into_iter().map(|x| x.unwrap_or_else(T::zero)).collect())
}

/// `A_1 t + A_2 t^2 + ...` at a number.
pub(super) fn exact_steps(path: &EscapePath<ExactFactors>, t: &Rational) -> Vec<SparseMatrix<Rational>> {
    let Some((_, first)) = path.terms.first() else { return Vec::new() };
    let layers = first.matrices().iter().enumerate();
    layers
        .map(|(k, m)| {
            SparseMatrix::from_fn(m.nrows(), m.ncols(), |i, j| {
                let terms = path.terms.iter().map(|(power, step)| {
                    (0..*power).fold(step.matrices()[k][(i, j)].clone(), |product, _| product * t)
                });
                Some(terms.sum::<Rational>()).filter(|x| !x.is_zero())
            })
        })
        .collect()
}

/// The same as polynomials.
pub(super) fn exact_series(path: &EscapePath<ExactFactors>) -> Vec<SparseMatrix<Series<Rational>>> {
    let Some((_, first)) = path.terms.first() else { return Vec::new() };
    let layers = first.matrices().iter().enumerate();
    layers
        .map(|(k, m)| {
            SparseMatrix::from_fn(m.nrows(), m.ncols(), |i, j| {
                let mut out: Vec<Option<Rational>> = Vec::new();
                for (power, step) in &path.terms {
                    out.resize(power + 1, None);
                    out[*power] = Some(step.matrices()[k][(i, j)].clone()).filter(|x| !x.is_zero());
                }
                out.iter().any(Option::is_some).then_some(Series(out))
            })
        })
        .collect()
}

/// The point and its data for the evaluation of paths.
pub(super) fn exact_loss(point: &ExactFactors, data: &ExactMoments) -> MatrixLoss<Rational> {
    MatrixLoss {
        layers: point.matrices().iter().map(SparseMatrix::of_rational).collect(),
        inputs: None,
        gram: Some(SparseMatrix::of_rational(&data.xx)),
        target: SparseMatrix::of_rational(&data.yx),
    }
}

pub(super) fn loss_series<T: Ring>(ground: &MatrixLoss<T>, copy: impl Fn(&T) -> T) -> MatrixLoss<Series<T>> {
    let table = |m: &SparseMatrix<T>| m.map(|x| Series(vec![Some(copy(x))]));
    MatrixLoss {
        layers: ground.layers.iter().map(table).collect(),
        inputs: ground.inputs.as_ref().map(table),
        gram: ground.gram.as_ref().map(table),
        target: table(&ground.target),
    }
}
