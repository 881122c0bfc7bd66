//! Joining two factorizations of one matrix by a path inside the fiber, or proving that there is none.
//!
//! The path: shrink the part that does not carry the product (`W_k = X_k Y_{k-1} + (1 - t) B_k`; the `B_k` have product
//! zero), then bring the frame of each inner node to standard position; the same backwards from the other end. At a
//! node of width `rank W` the frame is a square matrix and the sign of its determinant cannot change; everywhere else
//! the frames form one component. So the construction succeeds exactly when the labels of the components agree
//! (`[@TKB]` Theorem 5).

use super::factors::Factors;
use super::fiber::splitting_nodes;
use super::frames::{Frames, product_difference, product_svd};
use super::motion::Motion;
use super::path::{Path, Piece};
use super::rank_profile::RankProfile;
use crate::error::{InputError, Result};
use crate::linalg::{Matrix, Svd, determinant_sign};
use crate::tolerance::Tolerances;

/// The answer to "are these two connected inside the fiber?".
#[derive(Debug, Clone, PartialEq)]
pub enum Connection {
    /// A path from the first to the second.
    Path(Box<Path>),
    /// They lie in different components: at the nodes, all of width `rank W`, the signs of the determinants in the same
    /// basis of the row space of `W`.
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
/// # Errors
/// If the widths differ, or the products differ by more than `tolerances.same_product * u * sqrt(largest width)` times
/// the larger product of the norms of the factors.
pub fn connect(first: &Factors, second: &Factors, unit_roundoff: f64, tolerances: &Tolerances) -> Result<Connection> {
    same_product(first, second, unit_roundoff, tolerances)?;
    let profile = RankProfile::stored(first, unit_roundoff, tolerances);
    let decision = profile.decision(0, profile.depth());
    if !decision.clear {
        return Ok(Connection::Undecided {
            reason: format!("the rank of the product, {}, is not clear", decision.rank),
        });
    }
    let product = product_svd(first, decision.rank);
    let (Some(a), Some(b)) = (Frames::new(first, &product), Frames::new(second, &product)) else {
        return Ok(Connection::Undecided {
            reason: "the products differ too much in their smallest singular value".into(),
        });
    };
    let nodes = splitting_nodes(profile.widths(), decision.rank);
    let signs = |frames: &Frames| nodes.iter().map(|&i| determinant_sign(&frames.x[i])).collect::<Vec<_>>();
    let (sa, sb) = (signs(&a), signs(&b));
    if sa != sb {
        return Ok(Connection::Separated { nodes, first: sa, second: sb });
    }
    let mut pieces = to_standard(first, &a, &product);
    pieces.extend(to_standard(second, &b, &product).into_iter().rev().map(reverse));
    Ok(Connection::Path(Box::new(Path::new(first.clone(), pieces))))
}

/// Checks widths and products.
fn same_product(first: &Factors, second: &Factors, unit_roundoff: f64, tolerances: &Tolerances) -> Result<()> {
    let (a, b) = (first.architecture().widths(), second.architecture().widths());
    if a != b {
        return Err(InputError::new("the two factorizations have different widths").value(format!("{a:?} and {b:?}")));
    }
    let largest = a.iter().copied().max().unwrap_or(1) as f64;
    let size = |f: &Factors| f.matrices().iter().map(Matrix::frobenius_norm).product::<f64>();
    let allowed = tolerances.same_product * unit_roundoff * largest.sqrt() * size(first).max(size(second));
    let difference = product_difference(first, second);
    if difference <= allowed {
        return Ok(());
    }
    Err(InputError::new("the two factorizations have different products")
        .value(format!("difference {difference:.6e} in Frobenius norm, {allowed:.3e} allowed"))
        .hint("connect joins factorizations of one matrix; for two matrices give a path between them with --along"))
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
/// projections, that end follows `f`, and the path ends inside the fiber of the last matrix.
///
/// # Errors
/// If some inner width is at most `min(d_0, d_h)`, there are fewer than two knots, a knot has the wrong shape, or the
/// first or last knot is not the product of `first` or `second`.
pub fn lift_path(
    first: &Factors,
    second: &Factors,
    knots: &[Matrix],
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Result<Connection> {
    let widths = first.architecture().widths();
    let (n, m) = (first.architecture().inputs(), first.architecture().outputs());
    if let Some(node) = (1..first.depth()).find(|&i| widths[i] <= n.min(m)) {
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
    let carriers: Vec<Factors> = knots.iter().map(|knot| first.with_matrices(carrier(widths, knot))).collect();
    let legs = [
        connect(first, &first.with_matrices(carrier(widths, start)), unit_roundoff, tolerances)?,
        connect(&first.with_matrices(carrier(widths, end)), second, unit_roundoff, tolerances)?,
    ];
    let [Connection::Path(there), Connection::Path(back)] = legs else {
        return Ok(Connection::Undecided { reason: "the rank of an end of the path is not clear".into() });
    };
    let mut pieces = there.pieces().to_vec();
    let start = pieces.len();
    pieces.extend(carriers.windows(2).map(|w| Piece::Line { from: w[0].clone(), to: w[1].clone() }));
    pieces.extend(back.pieces().iter().cloned());
    Ok(Connection::Path(Box::new(Path::new(first.clone(), pieces).lifting(start, knots.to_vec()))))
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
