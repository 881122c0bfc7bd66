//! Comparing a certificate with what it was made from, entry by entry.

use super::claim::CheckedClaim;
use super::precise::Precise;
use super::statement::{Certificate, ReducedData};
use crate::data::ExactMoments;
use crate::evidence::{Grade, Quantity};
use crate::linalg::exact::RationalMatrix;
use crate::linalg::interval::Interval;
use crate::linalg::{Linear, Matrix};
use crate::multiplication::Factors;
use crate::problem::{Reduction, WhitenedData};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

const POINT: &str = "the point is that of the weights";
const DATA: &str = "the data are those of the files";

/// The entries of the point, the type that they were stored in and what became of biases and metric are those of weights,
/// whose exact values are known or not.
pub fn same_point(
    certificate: &Certificate,
    factors: &Factors,
    exact: Option<&[RationalMatrix]>,
    unit_roundoff: f64,
    reduction: Reduction,
) -> Vec<CheckedClaim> {
    let (point, kind) = match certificate {
        Certificate::Exact(statement) => {
            let stated = statement.point.matrices();
            let found = match exact {
                None => Some("the weights are not exact: some are written with a decimal point".to_owned()),
                Some(exact) => different(stated, exact, RationalMatrix::shape, |m, i, j| m[(i, j)].clone()),
            };
            (found, None)
        }
        Certificate::Floating(statement) => {
            let found = different(statement.point.matrices(), factors.matrices(), Matrix::shape, |m, i, j| m[(i, j)]);
            (found, statement.criticality.map(|stated| stated.unit_roundoff))
        }
    };
    let same = certificate.reduction() == reduction;
    let how = format!("biases: {}; output metric: {}", reduction.biases.name(), reduction.output_metric);
    let mut checks = vec![CheckedClaim::exact("biases and output metric are those of the files", same, how)];
    checks.push(CheckedClaim::exact(POINT, point.is_none(), point.unwrap_or_else(|| "entry by entry".to_owned())));
    checks.extend(kind.map(|stated| {
        let found = format!("unit roundoff {unit_roundoff:.3e}, stated {stated:.3e}");
        CheckedClaim::exact("the type that the weights are stored in", stated == unit_roundoff, found)
    }));
    checks
}

/// The first entry at which lists of matrices differ.
fn different<M, N: PartialEq + std::fmt::Display>(
    stated: &[M],
    found: &[M],
    shape: impl Fn(&M) -> (usize, usize),
    at: impl Fn(&M, usize, usize) -> N,
) -> Option<String> {
    if stated.len() != found.len() {
        return Some(format!("{} layers, the weights have {}", stated.len(), found.len()));
    }
    for (k, (a, b)) in stated.iter().zip(found).enumerate() {
        let (rows, cols) = shape(a);
        if shape(a) != shape(b) {
            return Some(format!("W{} is {rows} x {cols}, that of the weights {} x {}", k + 1, shape(b).0, shape(b).1));
        }
        let mut places = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        if let Some((i, j)) = places.find(|&(i, j)| at(a, i, j) != at(b, i, j)) {
            return Some(format!("W{}[{i}, {j}] is {}, that of the weights {}", k + 1, at(a, i, j), at(b, i, j)));
        }
    }
    None
}

/// The data of the certificate are those of files: over the rationals exactly; in double precision entry by entry or, where the
/// arithmetic of another machine rounded otherwise, in their second moments up to rounding errors.
pub fn same_data(certificate: &Certificate, found: &WhitenedData, tolerances: &Tolerances) -> CheckedClaim {
    match certificate {
        Certificate::Exact(statement) => match &found.exact {
            None => CheckedClaim::exact(DATA, false, "the data of the files are not exact"),
            Some(exact) => {
                let ExactMoments { xx, yx, yy } = &statement.data;
                let wrong = [("X X'", xx == &exact.xx), ("Y X'", yx == &exact.yx), ("||Y||^2", yy == &exact.yy)];
                let wrong: Vec<&str> = wrong.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect();
                let text =
                    if wrong.is_empty() { "entry by entry".to_owned() } else { format!("other {}", wrong.join(", ")) };
                CheckedClaim::exact(DATA, wrong.is_empty(), text)
            }
        },
        Certificate::Floating(statement) => {
            let stated = statement.rests_on.iter().find(|ground| ground.quantity.known() == Some(Quantity::Inputs));
            let tolerance = stated.map_or(0.0, |x| x.tolerance);
            same_moments(&statement.data, &ReducedData::of(&found.whitening), tolerance, tolerances)
        }
    }
}

fn same_moments(stated: &ReducedData, found: &ReducedData, tolerance: f64, tolerances: &Tolerances) -> CheckedClaim {
    let same = |a: &Matrix, b: &Matrix| a.shape() == b.shape() && a.entries().eq(b.entries());
    if same(&stated.inputs, &found.inputs)
        && same(&stated.target, &found.target)
        && (stated.floor, stated.norm) == (found.floor, found.norm)
    {
        return CheckedClaim::exact(DATA, true, "entry by entry");
    }
    let outer = (stated.inputs.nrows(), stated.target.nrows());
    if outer != (found.inputs.nrows(), found.target.nrows()) {
        return CheckedClaim::exact(
            DATA,
            false,
            format!("other widths: {} inputs, {} outputs", found.inputs.nrows(), found.target.nrows()),
        );
    }
    if stated.inputs.ncols() != stated.target.ncols() {
        let (inputs, target) = (stated.inputs.ncols(), stated.target.ncols());
        return CheckedClaim::exact(DATA, false, format!("{inputs} columns of inputs, {target} of the target"));
    }
    let widest = outer.0.max(outer.1) as f64;
    let allowed = (tolerances.rank * UNIT_ROUNDOFF * widest).max(2.0 * tolerance);
    let moments = |data: &ReducedData| {
        let (a, z) = (Precise::power_scaled(&data.inputs).0, Precise::power_scaled(&data.target).0);
        (a.times(&a.transposed()), z.times(&a.transposed()))
    };
    let scale = |data: &ReducedData| (Precise::power_scaled(&data.inputs).1, Precise::power_scaled(&data.target).1);
    let ((xx, yx), (other_xx, other_yx)) = (moments(stated), moments(found));
    let close = |a: &Precise, b: &Precise, size: Interval| a.minus(b).norm().high <= allowed * size.low;
    let size = |data: &ReducedData| Precise::power_scaled(&data.inputs).0.norm();
    let target_size = |data: &ReducedData| Precise::power_scaled(&data.target).0.norm();
    let (inputs, targets) = (size(found), target_size(found));
    let norms = (stated.norm - found.norm).abs() <= allowed * found.norm;
    let holds = scale(stated) == scale(found)
        && close(&xx, &other_xx, inputs * inputs)
        && close(&yx, &other_yx, targets * inputs)
        && norms;
    let text = if holds { "second moments, up to rounding" } else { "other second moments" };
    CheckedClaim::graded(DATA, Some(holds), if holds { Grade::Numerical } else { Grade::Exact }, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Truth;

    #[test]
    fn the_tolerance_of_ranks_decides_which_second_moments_are_the_same() {
        let data = |x: f64| ReducedData {
            inputs: Matrix::from_rows(&[vec![x]]),
            target: Matrix::from_rows(&[vec![1.0]]),
            floor: 0.0,
            norm: 1.0,
        };
        let mut tolerances = Tolerances::default();
        let same = |tolerances: &Tolerances| same_moments(&data(1.0), &data(1.0 + 1e-9), 0.0, tolerances).holds();
        assert_eq!(same(&tolerances), Truth::No);
        tolerances.rank = 1e8;
        assert_eq!(same(&tolerances), Truth::Yes);
    }
}
