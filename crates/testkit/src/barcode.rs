//! Chains of factors with a prescribed barcode, hence with known ranks of all partial products.

use crate::grid::Grid;
use crate::random::Draw;
use crate::random_matrix::RandomMatrix;
use crate::scalar::Scalar;
use crate::strings::{self, Strand};

/// Factors built from intervals.
#[derive(Debug, Clone)]
pub struct Chain<T> {
    /// `d_0, ..., d_h`.
    pub widths: Vec<usize>,
    /// `W_1, ..., W_h`.
    pub factors: Vec<Grid<T>>,
    /// `(from, to, multiplicity)`, sorted, both ends included.
    pub barcode: Vec<(usize, usize, usize)>,
    /// `ranks[i][j]` = rank of `W_j ... W_{i+1}` for `i <= j`, zero below.
    pub ranks: Vec<Vec<usize>>,
}

impl<T: RandomMatrix> Chain<T> {
    /// Factors whose barcode is `barcode` (integer ones if `T` is [`crate::Rational`]; entries `(from, to, multiplicity)` with `from <= to <= depth`), in random
    /// bases of all spaces.
    pub fn with_barcode(draw: &mut Draw, depth: usize, barcode: &[(usize, usize, usize)]) -> Self {
        let mut strands = Vec::new();
        for &(from, to, multiplicity) in barcode {
            assert!(from <= to && to <= depth, "interval ({from}, {to}) is outside 0..={depth}");
            strands.extend(vec![Strand::Segment { from, to }; multiplicity]);
        }
        strands.sort();
        let widths: Vec<usize> = (0..=depth).map(|node| strings::width(&strands, node)).collect();
        let bases: Vec<Grid<T>> = widths.iter().map(|&width| T::invertible(draw, width)).collect();
        let factors = (1..=depth)
            .map(|k| {
                let inverse = bases[k - 1].inverse().expect("bases are invertible");
                bases[k].matmul(&arrow(&strands, k)).matmul(&inverse)
            })
            .collect();
        let ranks = (0..=depth)
            .map(|i| (0..=depth).map(|j| if i <= j { strings::rank(&strands, i, j) } else { 0 }).collect())
            .collect();
        let mut counted: Vec<(usize, usize, usize)> =
            barcode.iter().copied().filter(|&(_, _, multiplicity)| multiplicity > 0).collect();
        counted.sort_unstable();
        Self { widths, factors, barcode: counted, ranks }
    }

    /// A random barcode: depth in `1..=max_depth`, widths in `1..=max_width`.
    pub fn draw(draw: &mut Draw, max_depth: usize, max_width: usize) -> Self {
        loop {
            let depth = draw.size(1, max_depth);
            let mut barcode = Vec::new();
            for from in 0..=depth {
                for to in from..=depth {
                    if draw.chance(0.4) {
                        barcode.push((from, to, draw.size(1, 2)));
                    }
                }
            }
            let width = |node: usize| -> usize {
                barcode.iter().filter(|&&(from, to, _)| from <= node && node <= to).map(|&(_, _, count)| count).sum()
            };
            if (0..=depth).all(|node| (1..=max_width).contains(&width(node))) {
                return Self::with_barcode(draw, depth, &barcode);
            }
        }
    }
}

/// Matrix of arrow `k` in the bases given by the strings: one for each string that spans `k - 1..=k`.
pub(crate) fn arrow<T: Scalar>(strands: &[Strand], k: usize) -> Grid<T> {
    let at = |node: usize| -> Vec<usize> { (0..strands.len()).filter(|&a| strands[a].contains(node)).collect() };
    let (sources, targets) = (at(k - 1), at(k));
    Grid::from_fn(targets.len(), sources.len(), |i, j| {
        let same = targets[i] == sources[j] && strands[sources[j]].spans(k - 1, k);
        if same { T::one() } else { T::zero() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Rational;
    use crate::{exact, jacobi};

    #[test]
    fn ranks_of_partial_products_are_as_promised() {
        for stream in 0..60 {
            let float = Chain::<f64>::draw(&mut Draw::new(5, stream), 5, 5);
            let rational = Chain::<Rational>::draw(&mut Draw::new(6, stream), 4, 4);
            for i in 0..float.factors.len() {
                for j in i + 1..=float.factors.len() {
                    let product = crate::reference::product(&float.factors[i..j]);
                    assert_eq!(jacobi::rank(&product, 1e-9), float.ranks[i][j], "stream {stream}, {i}:{j}");
                }
            }
            for i in 0..rational.factors.len() {
                for j in i + 1..=rational.factors.len() {
                    let product = crate::reference::product(&rational.factors[i..j]);
                    assert_eq!(exact::rank(&product), rational.ranks[i][j], "stream {stream}, {i}:{j}");
                }
            }
            assert!(rational.factors.iter().all(|factor| factor.entries().iter().all(Rational::is_integer)));
        }
    }
}
