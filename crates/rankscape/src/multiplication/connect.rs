//! Joining two factorizations of one matrix by a path inside the fiber, or proving that there is none.
//!
//! The path: shrink the part that does not carry the product (`W_k = X_k Y_{k-1} + (1 - t) B_k`; the `B_k` have product
//! zero), then bring the frame of each inner node to standard position; the same backwards from the other end. At a
//! node of width `rank W` the frame is a square matrix and the sign of its determinant cannot change; everywhere else
//! the frames form one component. So the construction succeeds exactly when the labels of the components agree
//! (`[@TKB]` Theorem 5).

use num_traits::Signed;

use super::factors::{ExactFactors, Factors};
use super::fiber::{ComponentLabel, splitting_nodes};
use super::frames::{Frames, product_difference, product_svd};
use super::motion::Motion;
use super::path::{Path, Piece};
use super::point::MapPoint;
use crate::error::{InputError, Result};
use crate::linalg::exact::{Rational, rational_to_f64};
use crate::linalg::{Matrix, Svd, determinant_sign};
use crate::tolerance::Tolerances;

/// The answer to "are these two connected inside the fiber?".
#[derive(Debug, Clone, PartialEq)]
pub enum Connection {
    /// A path from the first to the second, in double precision.
    Path(Box<Path>),
    /// They are connected by decisions over the rationals, and no path was found in double precision.
    Connected {
        /// Why there is no path.
        reason: String,
    },
    /// They lie in different components: at the nodes, all of width `rank W`, the signs of the determinants in the same
    /// basis of the row space of `W`, or of the same independent columns of `W` over the rationals.
    Separated {
        /// Inner nodes as wide as the product's rank.
        nodes: Vec<usize>,
        /// Signs of the first.
        first: Vec<i8>,
        /// Signs of the second.
        second: Vec<i8>,
    },
    /// The rank of the product is not clear.
    Undecided {
        /// Why.
        reason: String,
    },
}

/// Joins `first` to `second` inside the fiber.
///
/// Where both are known over the rationals, equality of the products, the rank and the signs are decided there, and only the
/// path is in double precision; otherwise all of it is.
///
/// # Errors
/// If the widths differ, or the products do: over the rationals at all, in double precision by more than
/// `tolerances.same_product * u * sqrt(largest width)` times the larger product of the norms of the factors.
pub fn connect(first: &MapPoint, second: &MapPoint, tolerances: &Tolerances) -> Result<Connection> {
    let point = first.alike(second, tolerances);
    let rational = point.rational().zip(second.rational());
    same_widths(first.factors(), second.factors())?;
    match rational {
        Some((a, b)) => equal_products(a, b)?,
        None => same_product(first.factors(), second.factors(), point.unit_roundoff(), tolerances)?,
    }
    let profile = point.profile();
    let decision = profile.decision(0, profile.depth());
    if !decision.clear {
        return Ok(Connection::Undecided {
            reason: format!("the rank of the product, {}, is not clear", decision.rank),
        });
    }
    if let Some((a, b)) = rational {
        let a = ComponentLabel::exact(a);
        let b = ComponentLabel::with_columns(b, a.columns.clone());
        if a != b {
            return Ok(Connection::Separated { nodes: a.nodes, first: a.signs, second: b.signs });
        }
    }
    let found = join(first.factors(), second.factors(), decision.rank);
    Ok(match (found, rational) {
        (Connection::Separated { .. } | Connection::Undecided { .. }, Some(_)) => {
            Connection::Connected { reason: "double precision does not resolve the frames that a path needs".into() }
        }
        (found, _) => found,
    })
}

/// The same in double precision, for a product of known rank.
fn join(first: &Factors, second: &Factors, rank: usize) -> Connection {
    let product = product_svd(first, rank);
    let (Some(a), Some(b)) = (Frames::new(first, &product), Frames::new(second, &product)) else {
        return Connection::Undecided {
            reason: "the products differ too much in their smallest singular value".into(),
        };
    };
    let nodes = splitting_nodes(first.architecture().widths(), rank);
    let signs = |frames: &Frames| nodes.iter().map(|&i| determinant_sign(&frames.x[i])).collect::<Vec<_>>();
    let (sa, sb) = (signs(&a), signs(&b));
    if sa != sb {
        return Connection::Separated { nodes, first: sa, second: sb };
    }
    let mut pieces = to_standard(first, &a, &product);
    pieces.extend(to_standard(second, &b, &product).into_iter().rev().map(reverse));
    Connection::Path(Box::new(Path::new(first.clone(), pieces)))
}

fn same_widths(first: &Factors, second: &Factors) -> Result<()> {
    let (a, b) = (first.architecture().widths(), second.architecture().widths());
    if a == b {
        return Ok(());
    }
    Err(InputError::new("the two factorizations have different widths").value(format!("{a:?} and {b:?}")))
}

/// The products are equal up to rounding.
fn same_product(first: &Factors, second: &Factors, unit_roundoff: f64, tolerances: &Tolerances) -> Result<()> {
    let largest = first.architecture().widths().iter().copied().max().unwrap_or(1) as f64;
    let size = |f: &Factors| f.matrices().iter().map(Matrix::frobenius_norm).product::<f64>();
    let allowed = tolerances.same_product * unit_roundoff * largest.sqrt() * size(first).max(size(second));
    let difference = product_difference(first, second);
    if difference <= allowed {
        return Ok(());
    }
    Err(different(format!("difference {difference:.6e} in Frobenius norm, {allowed:.3e} allowed")))
}

/// The products are equal over the rationals.
fn equal_products(first: &ExactFactors, second: &ExactFactors) -> Result<()> {
    let product = |factors: &ExactFactors| factors.partial(factors.depth(), 0);
    let difference = &product(first) - &product(second);
    let largest = difference.entries().iter().map(Rational::abs).enumerate().max_by(|a, b| a.1.cmp(&b.1));
    match largest {
        Some((at, largest)) if !difference.is_zero() => {
            let (row, column) = (at / difference.ncols() + 1, at % difference.ncols() + 1);
            let about = format!("about {:.6e}", rational_to_f64(&largest));
            let size = Some(largest.to_string()).filter(|text| text.len() <= about.len()).unwrap_or(about);
            Err(different(format!("largest difference {size}, over the rationals, in row {row}, column {column}")))
        }
        _ => Ok(()),
    }
}

fn different(value: String) -> InputError {
    InputError::new("the two factorizations have different products")
        .value(value)
        .hint("connect joins factorizations of one matrix; for two matrices give a path between them with --along")
}

/// The pieces from a factorization to the standard point of its component.
fn to_standard(factors: &Factors, frames: &Frames, product: &Svd) -> Vec<Piece> {
    let core = factors.with_matrices(frames.factors());
    let mut pieces = vec![Piece::Line { from: factors.clone(), to: core }];
    let h = factors.depth();
    if product.s.is_empty() || h == 1 {
        return pieces;
    }
    let all: Vec<[Motion; 3]> = (1..h).map(|i| Motion::to_standard(&frames.x[i], &frames.y[i])).collect();
    for stage in 0..3 {
        let motions = all.iter().map(|motions| motions[stage].clone()).collect();
        let (left, right) = (frames.x[h].clone(), frames.y[0].clone());
        pieces.push(Piece::Frames { left, right, motions, reversed: false });
    }
    pieces
}

fn reverse(piece: Piece) -> Piece {
    match piece {
        Piece::Line { from, to } => Piece::Line { from: to, to: from },
        Piece::Frames { left, right, motions, reversed } => Piece::Frames { left, right, motions, reversed: !reversed },
    }
}

/// Lift of a path of matrices `f`, linear between `knots`, to a path of factors from `first` to `second`.
///
/// Where every inner width exceeds `min(d_0, d_h)` every path of matrices lifts (`[@TKB]` Proposition 20): `first` moves inside
/// its fiber to a point whose narrow end carries the matrix and whose other factors are coordinate injections or
/// projections, that end follows `f`, and the path ends inside the fiber of the last matrix. All of it is in double precision.
///
/// # Errors
/// If some inner width is at most `min(d_0, d_h)`, there are fewer than two knots, a knot has the wrong shape, or the
/// first or last knot is not the product of `first` or `second`.
pub fn lift_path(first: &MapPoint, second: &MapPoint, knots: &[Matrix], tolerances: &Tolerances) -> Result<Connection> {
    let factors = first.factors();
    let widths = factors.architecture().widths();
    let (n, m) = (factors.architecture().inputs(), factors.architecture().outputs());
    if let Some(node) = (1..factors.depth()).find(|&i| widths[i] <= n.min(m)) {
        return Err(InputError::new(
            "a path of matrices is lifted only where every inner width exceeds the smaller of the widths of input and output",
        )
        .value(format!("width {} at node {node}, min(d0, dh) = {}", widths[node], n.min(m))));
    }
    let (Some(start), Some(end)) = (knots.first(), knots.last()) else {
        return Err(InputError::new("a path of matrices needs at least two knots"));
    };
    if let Some(knot) = knots.iter().find(|knot| knot.shape() != (m, n)) {
        return Err(InputError::new("a knot has the wrong shape").value(format!(
            "{:?}, expected {:?}",
            knot.shape(),
            (m, n)
        )));
    }
    let carriers: Vec<Factors> = knots.iter().map(|knot| factors.with_matrices(carrier(widths, knot))).collect();
    let at = |point: &MapPoint, knot: &Matrix| {
        MapPoint::stored(factors.with_matrices(carrier(widths, knot)), point.unit_roundoff(), tolerances)
    };
    let legs = [connect(first, &at(second, start), tolerances)?, connect(&at(first, end), second, tolerances)?];
    let [Connection::Path(there), Connection::Path(back)] = legs else {
        return Ok(Connection::Undecided { reason: "the rank of an end of the path is not clear".into() });
    };
    let mut pieces = there.pieces().to_vec();
    let start = pieces.len();
    pieces.extend(carriers.windows(2).map(|w| Piece::Line { from: w[0].clone(), to: w[1].clone() }));
    pieces.extend(back.pieces().iter().cloned());
    Ok(Connection::Path(Box::new(Path::new(factors.clone(), pieces).lifting(start, knots.to_vec()))))
}

/// Factors of `matrix` through inner widths of at least `min(d_0, d_h)`: the matrix sits in the factor at its longer side.
fn carrier(widths: &[usize], matrix: &Matrix) -> Vec<Matrix> {
    let h = widths.len() - 1;
    let first_carries = widths[h] <= widths[0];
    (1..=h)
        .map(|k| {
            let carries = if first_carries { k == 1 } else { k == h };
            let partial = if carries { matrix.clone() } else { Matrix::identity(widths[0].min(widths[h])) };
            let mut out = Matrix::zeros(widths[k], widths[k - 1]);
            out.set_block(0, 0, &partial);
            out
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplication::gauge_action;
    use crate::random::Stream;
    use crate::work::{Step, counted};

    /// Products and decompositions of the ranks of one end, and of the path.
    fn work(depth: usize) -> Vec<usize> {
        let mut stream = Stream::new(31, depth as u64);
        let tolerances = Tolerances::default();
        let chain = Factors::new((0..depth).map(|_| stream.normal_matrix(4, 4)).collect()).unwrap();
        let group: Vec<Matrix> = (1..depth).map(|_| Matrix::identity(4).scaled(2.0)).collect();
        let moved = gauge_action(&chain, &group).unwrap();
        let stored = |factors: Factors| MapPoint::stored(factors, f64::EPSILON / 2.0, &tolerances);
        let (first, ranks) = counted(|| stored(chain));
        let second = stored(moved);
        let (found, path) = counted(|| connect(&first, &second, &tolerances).unwrap());
        assert!(matches!(found, Connection::Path(_)), "{found:?}");
        [ranks, path].map(|work| [Step::Product, Step::Decomposition].map(|step| work.of(step))).concat()
    }

    /// The documentation of `RankProfile::new` states it; the path itself costs as much for each layer more.
    #[test]
    fn ranks_of_a_chain_cost_a_product_for_each_pair_of_layers_and_a_path_is_linear_in_depth() {
        let found = [4, 8, 12].map(|depth| {
            let found = work(depth);
            let pairs = depth * (depth - 1) / 2;
            assert_eq!(found[..2], [pairs, pairs + depth], "depth {depth}");
            (found[2], found[3])
        });
        let [(a, x), (b, y), (c, z)] = found;
        assert!(b > a && y > x);
        assert_eq!((b - a, y - x), (c - b, z - y), "{found:?}");
    }
}
