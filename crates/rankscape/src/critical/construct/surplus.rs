//! A critical point with given surplus blocks.

use super::check::PointCheck;
use super::frame::{Directions, Frame};
use super::{CapturedChoice, Chosen, Constructed};
use crate::architecture::Architecture;
use crate::critical::numerical::string_ranks;
use crate::critical::strata::Stratum;
use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::hessian::StringRanks;
use crate::linalg::Matrix;
use crate::multiplication::Factors;
use crate::network::NormalizedNetwork;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// The point `W_1 = [U_S' Y X^+; Z_1]`, `W_k = diag(I_e, Z_k)`, `W_h = [U_S, Z_h]`, checked.
///
/// `Z_1` is `(d_1 - e) x d_0`, `Z_k` is `(d_k - e) x (d_{k-1} - e)`, and `Z_h` is `d_h x (d_{h-1} - e)`: first and last block in
/// the coordinates of the data. For two layers and `Z_2 = 0`, `Z_1` is the block `C_0' V_0'` of `[@VLR]`.
///
/// # Errors
/// As [`super::construct`]; if a block has the wrong shape; if the point is not critical: which condition fails.
pub fn construct_with_surplus(
    architecture: &Architecture,
    whitening: &Whitening,
    captured: &CapturedChoice,
    blocks: &[Matrix],
    tolerances: &Tolerances,
) -> Result<Constructed> {
    let Chosen { blocks: equal, captured, family, .. } =
        Chosen::new(architecture, whitening, None, captured, tolerances)?;
    check_shapes(architecture, captured.len(), blocks)?;
    let omitted: Vec<usize> = equal.iter().cloned().flatten().filter(|index| !captured.contains(index)).collect();
    let directions = Directions { captured: &captured, omitted: &omitted, mixed: false };
    let frame = Frame::numerical(whitening, &equal, directions, None);
    let factors = Factors::new(with_blocks(&frame, blocks))?;
    let network = NormalizedNetwork::new(&factors, whitening);
    let unclear = || InputError::new("the ranks that the surplus blocks make are not clear").array("surplus");
    if !network.is_critical(UNIT_ROUNDOFF, tolerances) {
        return Err(not_critical(&network, tolerances));
    }
    let ranks = string_ranks(&network, whitening, UNIT_ROUNDOFF, tolerances).filter(StringRanks::is_clear);
    let stratum = ranks.as_ref().and_then(Stratum::from_ranks).ok_or_else(unclear)?;
    let facts = family.facts(&stratum).ok_or_else(|| {
        InputError::new("the surplus blocks change the product: Z_h ... Z_1 X = 0 and U_S' Z_h = 0 must hold")
            .array("surplus")
    })?;
    let check = PointCheck::new(&factors, None, whitening, (&stratum, &facts), tolerances)?;
    let captured = captured.iter().map(|index| index + 1).collect();
    Ok(Constructed { factors, exact: None, captured, family, stratum, facts, check })
}

fn check_shapes(architecture: &Architecture, rank: usize, blocks: &[Matrix]) -> Result<()> {
    let (widths, h) = (architecture.widths(), architecture.depth());
    if h < 2 || blocks.len() != h {
        return Err(InputError::new("there must be one surplus block for each of two or more layers")
            .array("surplus")
            .value(format!("{} blocks, {h} layers", blocks.len())));
    }
    for (k, block) in (1..=h).zip(blocks) {
        let rows = if k == h { widths[h] } else { widths[k].saturating_sub(rank) };
        let cols = if k == 1 { widths[0] } else { widths[k - 1].saturating_sub(rank) };
        if block.shape() != (rows, cols) {
            return Err(InputError::new("the surplus block has the wrong shape")
                .array(format!("Z{k}"))
                .value(format!("{} x {}", block.nrows(), block.ncols()))
                .hint(format!("{rows} x {cols} is needed: widths less the {rank} captured directions")));
        }
    }
    Ok(())
}

fn with_blocks(frame: &Frame<Matrix>, blocks: &[Matrix]) -> Vec<Matrix> {
    let (e, h) = (frame.captured, blocks.len());
    let place = |k: usize, block: &Matrix| {
        let (row, col) = (if k == h { 0 } else { e }, if k == 1 { 0 } else { e });
        let mut factor = Matrix::zeros(row + block.nrows(), col + block.ncols());
        if k == 1 {
            factor.set_block(0, 0, &frame.inputs.block(0, 0, e, frame.inputs.ncols()));
        } else if k == h {
            factor.set_block(0, 0, &frame.outputs.columns(0, e));
        } else {
            factor.set_block(0, 0, &Matrix::identity(e));
        }
        factor.set_block(row, col, block);
        factor
    };
    (1..=h).zip(blocks).map(|(k, block)| place(k, block)).collect()
}

/// Names the factor with the largest gradient.
fn not_critical(network: &NormalizedNetwork, tolerances: &Tolerances) -> InputError {
    let norms: Vec<f64> = network.given().gradient().iter().map(Matrix::frobenius_norm).collect();
    let worst = (0..norms.len()).max_by(|&a, &b| norms[a].total_cmp(&norms[b])).unwrap_or(0);
    InputError::new(format!(
        "with these surplus blocks the point is not critical: the gradient is largest at W{}",
        worst + 1
    ))
    .array("surplus")
    .value(format!("relative gradient {:.3e}", network.relative_gradient(UNIT_ROUNDOFF, tolerances)))
    .hint("Z_h ... Z_1 X = 0, U_S' Z_h = 0 and Z_{k-1} ... Z_1 X Y' Z_h ... Z_{k+1} = 0 must hold for every k")
}
