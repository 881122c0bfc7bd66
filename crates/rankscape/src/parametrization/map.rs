//! What a map from parameters to predictions is.

use crate::error::{InputError, Result};
use crate::evidence::{RankDecision, Truth};
use crate::linalg::Matrix;
use crate::random::Stream;

/// A differentiable map from parameters, one matrix a block, to a matrix of predictions, a sample a column.
///
/// Where it is not defined, or not differentiable, values and products are `None`.
pub trait Parametrization {
    /// Rows and columns of the blocks of parameters.
    fn blocks(&self) -> Vec<(usize, usize)>;

    /// Rows and columns of the predictions.
    fn shape(&self) -> (usize, usize);

    /// The predictions.
    fn value(&self, point: &[Matrix]) -> Option<Matrix>;

    /// `J d`: the derivative of the predictions in a direction.
    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix>;

    /// `J' c`, one matrix a block.
    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>>;

    /// Bounds of the norms of the blocks of `J`, as large as the terms that are added up in them: what rounding errors are relative to.
    /// `None`: the norms of the blocks themselves.
    fn sizes(&self, _point: &[Matrix]) -> Option<Vec<f64>> {
        None
    }
}

/// The plain product `W_h ... W_1 X`. What is proved of it alone asks for this type, so that it can be said of no other map: two
/// filters of length two have rank-deficient minima with a gradient that is not zero.
pub trait PlainProduct: Parametrization {}

/// Whether a critical point of a loss of the plain product is a saddle because its product has smaller rank than the narrowest layer allows and the
/// gradient in the predictions is not zero there: true for any differentiable loss (`[@TKB]`, Prop. 9). `X` must have full row rank.
///
/// No other map has it:
///
/// ```compile_fail
/// use rankscape::Matrix;
/// use rankscape::evidence::{RankDecision, Truth};
/// use rankscape::parametrization::{FilterMap, Filters, is_saddle_by_rank};
/// let layers = Filters::Convolutional(vec![1, 1]).layers(&[2, 2], None).unwrap();
/// is_saddle_by_rank(&FilterMap::new(layers, Matrix::identity(3)), &RankDecision::exact(0), Truth::No);
/// ```
pub fn is_saddle_by_rank(map: &impl PlainProduct, product: &RankDecision, gradient_is_zero: Truth) -> Truth {
    let widths = map.blocks().into_iter().flat_map(|(rows, columns)| [rows, columns]);
    let below = widths.min().is_some_and(|bottleneck| product.rank < bottleneck);
    if product.clear && below && gradient_is_zero == Truth::No { Truth::Yes } else { Truth::Undecided }
}

/// Number of parameters.
pub(super) fn parameters(map: &dyn Parametrization) -> usize {
    map.blocks().iter().map(|(rows, columns)| rows * columns).sum()
}

/// Numbers in the order of the parameters, each block column by column.
fn unit(blocks: &[(usize, usize)], block: usize, entry: usize) -> Vec<Matrix> {
    let zeros = |&(rows, columns): &(usize, usize)| Matrix::zeros(rows, columns);
    let mut direction: Vec<Matrix> = blocks.iter().map(zeros).collect();
    let rows = blocks[block].0;
    direction[block][(entry % rows, entry / rows)] = 1.0;
    direction
}

/// `J`, a prediction a row (column by column) and a parameter a column (block by block, column by column): from products with
/// units on its shorter side. `None` where the map is not differentiable.
pub fn jacobian(map: &dyn Parametrization, point: &[Matrix]) -> Option<Matrix> {
    let (blocks, (rows, columns)) = (map.blocks(), map.shape());
    let mut out = Matrix::zeros(rows * columns, parameters(map));
    if rows * columns < parameters(map) {
        for at in 0..rows * columns {
            let mut cotangent = Matrix::zeros(rows, columns);
            cotangent[(at % rows, at / rows)] = 1.0;
            let row = map.transposed_times(point, &cotangent)?;
            row.iter().flat_map(Matrix::entries).enumerate().for_each(|(j, entry)| out[(at, j)] = entry);
        }
        return Some(out);
    }
    let units = blocks.iter().enumerate().flat_map(|(k, (rows, columns))| (0..rows * columns).map(move |at| (k, at)));
    for (j, (block, entry)) in units.enumerate() {
        let column = map.times(point, &unit(&blocks, block, entry))?;
        column.entries().enumerate().for_each(|(i, entry)| out[(i, j)] = entry);
    }
    Some(out)
}

/// Points at which a map is looked at.
const POINTS: u64 = 4;
/// Step of the differences.
const STEP: f64 = 1e-5;
/// Largest relative difference of products that differences of values leave.
const AGREES: f64 = 1e-5;
/// Largest relative difference of `<c, J d>` and `<J' c, d>`.
const ADJOINT: f64 = 1e-9;

/// Normal parameters, each block divided by the root of its number of columns.
pub(super) fn random_point(map: &dyn Parametrization, stream: &mut Stream) -> Vec<Matrix> {
    let block = |&(rows, columns): &(usize, usize)| {
        stream.normal_matrix(rows, columns).scaled(1.0 / (columns.max(1) as f64).sqrt())
    };
    map.blocks().iter().map(block).collect()
}

/// Looks at a map at a few random points: its Jacobian product beside central differences of its values, and its transposed product
/// beside its product, `<c, J d> = <J' c, d>`.
///
/// # Errors
/// With what disagrees, and by how much; if the map is defined at none of the points.
pub fn check_parametrization(map: &dyn Parametrization) -> Result<()> {
    let mut seen = 0;
    for at in 0..POINTS {
        let mut stream = Stream::new(at, 1);
        let (point, direction) = (random_point(map, &mut stream), random_point(map, &mut stream));
        let cotangent = stream.normal_matrix(map.shape().0, map.shape().1);
        seen += usize::from(check_at(map, &point, &direction, &cotangent)?);
    }
    if seen == 0 {
        return Err(disagreement("the map has no derivative at any of the points that were tried"));
    }
    Ok(())
}

/// Whether the map is differentiable there.
fn check_at(map: &dyn Parametrization, point: &[Matrix], direction: &[Matrix], cotangent: &Matrix) -> Result<bool> {
    let (Some(value), Some(product), Some(pulled)) =
        (map.value(point), map.times(point, direction), map.transposed_times(point, cotangent))
    else {
        return Ok(false);
    };
    if value.shape() != map.shape() || product.shape() != map.shape() {
        let shape = if value.shape() == map.shape() { product.shape() } else { value.shape() };
        return Err(disagreement("the map does not give predictions of the shape that it says")
            .value(format!("{shape:?}, it says {:?}", map.shape())));
    }
    if pulled.iter().map(Matrix::shape).ne(map.blocks()) {
        return Err(disagreement("the transposed product does not have the shapes of the parameters"));
    }
    let moved = |t: f64| -> Vec<Matrix> {
        let step = |(block, along): (&Matrix, &Matrix)| block + &along.scaled(t);
        point.iter().zip(direction).map(step).collect()
    };
    let (Some(up), Some(down)) = (map.value(&moved(STEP)), map.value(&moved(-STEP))) else { return Ok(false) };
    let differences = (&up - &down).scaled(0.5 / STEP);
    let noise = value.frobenius_norm() * f64::EPSILON / STEP;
    let off = (&product - &differences).frobenius_norm();
    if !(off <= AGREES * (product.frobenius_norm() + differences.frobenius_norm()) + 8.0 * noise) {
        return Err(disagreement("the Jacobian of the map disagrees with its values").value(format!(
            "{:e} by its product, {:e} by differences of its values, {off:e} apart",
            product.frobenius_norm(),
            differences.frobenius_norm()
        )));
    }
    let (left, right) = (cotangent.dot(&product), pulled.iter().zip(direction).map(|(a, b)| a.dot(b)).sum::<f64>());
    let size = cotangent.frobenius_norm() * product.frobenius_norm()
        + pulled.iter().zip(direction).map(|(a, b)| a.frobenius_norm() * b.frobenius_norm()).sum::<f64>();
    if !((left - right).abs() <= ADJOINT * size) {
        return Err(disagreement("the transposed product of the map is not that of its Jacobian")
            .value(format!("<c, J d> = {left:e}, <J' c, d> = {right:e}")));
    }
    Ok(true)
}

fn disagreement(problem: &str) -> InputError {
    InputError::new(problem)
        .array("map")
        .hint("mend the map; rankscape::parametrization::Parametrization says what each function must give")
}
