//! The minimum of a convex loss over all matrices, with a bound from the dual problem.

use super::newton::{Descent, End, descend};
use super::separation::{Separability, SeparabilityKind};
use super::space::FunctionSpace;
use crate::evidence::Grade;
use crate::linalg::Matrix;
use crate::loss::{Infimum, Loss, Margins, SharedLoss};
use crate::network::Network;

/// `gradient.relative` at which a convex loss counts as minimised.
const MINIMISED: f64 = 1e-13;
/// Margins of a direction up to this part of the largest count as zero.
const NO_MARGIN: f64 = 1e-7;

/// What is known of the infimum of a loss over all matrices.
#[derive(Debug, Clone)]
pub struct ConvexBound {
    /// No matrix has a smaller loss, up to rounding errors; `None` where nothing is known.
    pub lower_bound: Option<(f64, Grade)>,
    /// The smallest value found.
    pub value: f64,
    /// The infimum is a minimum; `None` where undecided.
    pub attained: Option<bool>,
    /// Where the minimum is attained: `V` and the offset in the coordinates of the [`FunctionSpace`].
    pub minimiser: Option<(Matrix, Option<Matrix>)>,
    /// For losses of margins; `None` where undecided.
    pub separability: Option<Separability>,
}

/// Minimises over all matrices. The bound is the value of the dual problem at `V = grad l(F) - Hess l(F)[S A]` with Newton's step `S`,
/// which is orthogonal to all outputs up to the residual of that step.
pub fn convex_bound(space: &FunctionSpace) -> ConvexBound {
    let loss = space.loss();
    let floor = match loss.infimum() {
        // Nothing is rounded in 0, below which no loss of residuals and labels falls.
        Infimum::Attained(0.0) | Infimum::AtLeast(0.0) => Some((0.0, Grade::Certified)),
        Infimum::Attained(value) | Infimum::AtLeast(value) => Some((value, Grade::Numerical)),
        Infimum::Unknown => None,
    };
    if !loss.convexity().is_convex() {
        let zero = start(space);
        return ConvexBound {
            lower_bound: floor,
            value: zero.value(),
            attained: None,
            minimiser: None,
            separability: None,
        };
    }
    let found = descend(start(space), MINIMISED, |network| separates(network.loss(), network.output()));
    let value = found.network.value();
    if separates(loss, found.network.output()) {
        let separability = Some(separability(space, SeparabilityKind::Strict, parts(&found.network)));
        return ConvexBound { lower_bound: floor, value, attained: Some(false), minimiser: None, separability };
    }
    match found.end {
        End::Critical => attained(space, &found, floor),
        // A loss that has a minimum somewhere and grows with the entries it sees has one on every subspace.
        End::AtInfinity if !matches!(loss.infimum(), Infimum::Attained(_)) => partial(space, &found, floor),
        End::AtInfinity | End::Unfinished => {
            ConvexBound { lower_bound: floor, value, attained: None, minimiser: None, separability: None }
        }
    }
}

fn start(space: &FunctionSpace) -> Network<SharedLoss> {
    let (matrix, offset) = space.nearest_to_best();
    space.network(vec![matrix], offset)
}

/// `V` and the offset.
fn parts(network: &Network<SharedLoss>) -> (Matrix, Option<Matrix>) {
    (network.layers()[0].clone(), network.bias_columns().into_iter().flatten().next())
}

/// Every margin is positive, by more than the rounding errors of the outputs.
pub(super) fn separates(loss: &SharedLoss, outputs: &Matrix) -> bool {
    loss.margins(outputs).is_some_and(|Margins { values, strict }| {
        let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        strict && largest > 0.0 && values.iter().all(|&value| value > NO_MARGIN * largest)
    })
}

fn separability(
    space: &FunctionSpace,
    kind: SeparabilityKind,
    (matrix, offset): (Matrix, Option<Matrix>),
) -> Separability {
    let outputs = space.outputs_of(&matrix, offset.as_ref());
    let margins = space.loss().margins(&outputs).map(|margins| margins.values).unwrap_or_default();
    let largest = margins.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let counted = margins.into_iter().filter(|&value| kind == SeparabilityKind::Strict || value > NO_MARGIN * largest);
    let margin = counted.fold(f64::INFINITY, f64::min) / largest;
    let witness = Some(space.as_given(&matrix, offset.as_ref()));
    Separability { kind, witness, margin: Some(margin).filter(|margin| margin.is_finite()) }
}

fn attained(space: &FunctionSpace, found: &Descent<SharedLoss>, floor: Option<(f64, Grade)>) -> ConvexBound {
    let network = &found.network;
    let value = network.value();
    let bound = dual_bound(space, found).map(|bound| (bound.min(value), Grade::Numerical));
    let lower_bound = [bound, floor].into_iter().flatten().reduce(|a, b| if b.0 >= a.0 { b } else { a });
    let has_margins = space.loss().margins(network.output()).is_some();
    // Stiemke's alternative: the wrong answers have positive probabilities, which the dual point has made orthogonal to all outputs.
    let separability = (has_margins && bound.is_some()).then_some(Separability {
        kind: SeparabilityKind::None,
        witness: None,
        margin: None,
    });
    let attained = (!has_margins || bound.is_some()).then_some(true);
    ConvexBound { lower_bound, value, attained, minimiser: Some(parts(network)), separability }
}

/// The dual value beside a minimum, less what is left of the gradient on matrices twice as large.
fn dual_bound(space: &FunctionSpace, found: &Descent<SharedLoss>) -> Option<f64> {
    let network = &found.network;
    let loss = space.loss();
    let offset = found.step.get(1);
    let change = space.outputs_of(&found.step[0], offset);
    let slopes = network.loss().gradient(network.output());
    let slopes = &slopes + &network.curved(&change);
    let dual = loss.infimum_beside(&slopes)?;
    let (matrix, offset) = parts(network);
    let size = matrix.frobenius_norm().hypot(offset.map_or(0.0, |offset| offset.frobenius_norm()));
    let bound = dual - 2.0 * size * space.acting(&slopes);
    bound.is_finite().then_some(bound)
}

/// Runs that leave for infinity without separating all samples: those that the last step separates are settled, the rest has a
/// minimum.
fn partial(space: &FunctionSpace, found: &Descent<SharedLoss>, floor: Option<(f64, Grade)>) -> ConvexBound {
    let value = found.network.value();
    let undecided = ConvexBound { lower_bound: floor, value, attained: None, minimiser: None, separability: None };
    let loss = space.loss();
    let (matrix, offset) = parts(&found.network);
    let outputs = space.outputs_of(&matrix, offset.as_ref());
    let direction = space.outputs_of(&found.step[0], found.step.get(1));
    let Some((moved, margins)) = loss.margins(&direction).zip(loss.margins(&outputs)) else {
        return ConvexBound { attained: Some(false), ..undecided };
    };
    let largest = moved.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let settled: Vec<bool> = moved
        .values
        .iter()
        .zip(&margins.values)
        .map(|(&step, &margin)| step > 0.05 * largest && margin > 1.0)
        .collect();
    let Some(rest) = loss.without(&settled).filter(|_| settled.contains(&true)) else { return undecided };
    let rest = space.with_loss(rest);
    let found = descend(start(&rest), MINIMISED, |_| false);
    if found.end != End::Critical {
        return undecided;
    }
    let Some(bound) = dual_bound(&rest, &found) else { return undecided };
    let Some(witness) = separating_direction(space, &settled, (&matrix, offset.as_ref())) else { return undecided };
    let value = found.network.value();
    ConvexBound {
        lower_bound: Some((bound.min(value), Grade::Numerical)),
        value,
        attained: Some(false),
        minimiser: None,
        separability: Some(separability(space, SeparabilityKind::Partial, witness)),
    }
}

/// A direction whose margins are zero where nothing is settled and positive where it is, near this one.
fn separating_direction(
    space: &FunctionSpace,
    settled: &[bool],
    (matrix, offset): (&Matrix, Option<&Matrix>),
) -> Option<(Matrix, Option<Matrix>)> {
    let fits = |(matrix, offset): &(Matrix, Option<Matrix>)| {
        let margins = space.loss().margins(&space.outputs_of(matrix, offset.as_ref()))?.values;
        let largest = margins.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let right = |(&margin, &settled): (&f64, &bool)| {
            if settled { margin > NO_MARGIN * largest } else { margin.abs() <= NO_MARGIN * largest }
        };
        Some(largest > 0.0 && margins.iter().zip(settled).all(right))
    };
    let projected = without_open_margins(space, settled, (matrix, offset))?;
    fits(&projected)?.then_some(projected)
}

/// The part of a matrix on which the margins that are not settled vanish.
fn without_open_margins(
    space: &FunctionSpace,
    settled: &[bool],
    (matrix, offset): (&Matrix, Option<&Matrix>),
) -> Option<(Matrix, Option<Matrix>)> {
    let (rows, columns) = matrix.shape();
    let extra = usize::from(offset.is_some());
    let size = rows * (columns + extra);
    let unit = |k: usize| {
        let (i, j) = (k % rows, k / rows);
        let matrix = Matrix::from_fn(rows, columns, |a, b| f64::from(u8::from((a, b) == (i, j))));
        let offset = offset.map(|_| Matrix::from_fn(rows, 1, |a, _| f64::from(u8::from(a == i && j == columns))));
        (matrix, offset)
    };
    let open = settled.iter().filter(|settled| !**settled).count();
    if open.saturating_mul(size) > 4_000_000 {
        return None;
    }
    let mut rows_of_margins = Matrix::zeros(open, size);
    for k in 0..size {
        let (matrix, offset) = unit(k);
        let margins = space.loss().margins(&space.outputs_of(&matrix, offset.as_ref()))?.values;
        let open = margins.iter().zip(settled).filter(|(_, settled)| !**settled).map(|(margin, _)| *margin);
        rows_of_margins.column_mut(k).iter_mut().zip(open).for_each(|(entry, margin)| *entry = margin);
    }
    let found = crate::linalg::svd(&rows_of_margins);
    let largest = found.s.first().copied().unwrap_or(0.0);
    let rank = found.s.iter().take_while(|&&value| value > 1e-10 * largest).count();
    let basis = found.v.columns(0, rank);
    let entries: Vec<f64> = matrix.entries().chain(offset.into_iter().flat_map(Matrix::entries)).collect();
    let vector = Matrix::from_column_major(size, 1, &entries);
    let rest = &vector - &(&basis * &basis.transpose_times(&vector));
    let split = rows * columns;
    let matrix = Matrix::from_column_major(rows, columns, &rest.column(0)[..split]);
    let offset = offset.map(|_| Matrix::from_column_major(rows, 1, &rest.column(0)[split..]));
    Some((matrix, offset))
}
