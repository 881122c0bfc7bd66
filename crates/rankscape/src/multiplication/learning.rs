//! Learning coefficient of the square loss at a realizable target: the real log canonical threshold of the fiber.
//!
//! Global: the minimum over the fiber, which only widths and `e = rank W` decide (`[@Aoyagi]`). Sort the widths,
//! `d'_0 <= ... <= d'_h`, put `D_i = d'_i - e`, `m = max{l : D_0 + ... + D_l >= l D_l}`, `S = D_0 + ... + D_m`,
//! `a = S mod m`. Then the codimension of the fiber is
//!
//! ```text
//! codim = (a (m - a) - (m - 1) S^2) / (2 m) + sum_{0 <= i < j <= m} D_i D_j + e (d_0 + d_h - e),
//! ```
//!
//! `lambda = codim / 2`, the multiplicity is `a (m - a) + 1`, and the fiber has `C(m, min(a, m - a))` irreducible
//! components of largest dimension over the complex numbers.

use super::differential::Differential;
use super::rank_profile::RankProfile;

/// The global coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningCoefficient {
    /// `lambda`, a multiple of one half and exact.
    pub lambda: f64,
    /// Multiplicity of the pole.
    pub multiplicity: usize,
    /// Codimension of the fiber in the parameters, `2 lambda`.
    pub codimension: usize,
    /// Number of irreducible components of largest dimension of the fiber over the complex numbers; `None` beyond 2^64.
    pub complex_components: Option<u64>,
}

impl LearningCoefficient {
    /// From the widths and the rank of the product. With data, put the rank of the inputs for `d_0` and the rank of
    /// `W X` for `rank`. `None` when `rank` exceeds a width.
    ///
    /// ```
    /// use rankscape::multiplication::LearningCoefficient;
    /// // One number as a product of two: log canonical threshold of xy = 0 is 1/2, with multiplicity 2.
    /// let cross = LearningCoefficient::new(&[1, 1, 1], 0).unwrap();
    /// assert_eq!((cross.lambda, cross.multiplicity, cross.complex_components), (0.5, 2, Some(2)));
    /// ```
    pub fn new(widths: &[usize], rank: usize) -> Option<Self> {
        let ends = widths.first()? + widths.last()?;
        let mut surplus: Vec<usize> = widths.iter().map(|d| d.checked_sub(rank)).collect::<Option<_>>()?;
        surplus.sort_unstable();
        let m = (1..surplus.len()).rev().find(|&l| surplus[..=l].iter().sum::<usize>() >= l * surplus[l])?;
        let kept = &surplus[..=m];
        let total: usize = kept.iter().sum();
        let a = total % m;
        let pairs = (total * total - kept.iter().map(|d| d * d).sum::<usize>()) / 2;
        // a (m - a) - (m - 1) S^2 = -S^2 (m - 1) + ... is divisible by 2 m once the pairs are added.
        let codimension = (2 * m * pairs + a * (m - a) - (m - 1) * total * total) / (2 * m) + rank * (ends - rank);
        Some(Self {
            lambda: codimension as f64 / 2.0,
            multiplicity: a * (m - a) + 1,
            codimension,
            complex_components: binomial(m, a.min(m - a)),
        })
    }
}

fn binomial(n: usize, k: usize) -> Option<u64> {
    (0..k as u64).try_fold(1_u64, |value, i| Some(value.checked_mul(n as u64 - i)? / (i + 1)))
}

/// How much is known of the coefficient at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LocalLearning {
    /// The coefficient and its multiplicity.
    Exact {
        /// `lambda` at the point.
        lambda: f64,
        /// Multiplicity at the point; `None` where only `lambda` is known.
        multiplicity: Option<usize>,
    },
    /// `lower <= lambda <= upper`.
    Bounds {
        /// The larger of half the rank of the differential and the global coefficient.
        lower: f64,
        /// Half the dimension of the matrices of rank at most `r`.
        upper: f64,
    },
    /// The ranks are not clear.
    Undecided,
}

impl LocalLearning {
    /// Coefficient at the point, which is never below the global one.
    ///
    /// Exact at submersion points (`dim M_r / 2`, multiplicity 1) and where every factor has the rank of the product:
    /// there the point splits off a smooth part and the origin of narrower factors, to which the whole fiber
    /// contracts, so the minimum over the fiber is attained. Elsewhere bounds; where they meet they are the coefficient.
    pub fn new(profile: &RankProfile) -> Self {
        if !profile.is_clear() || super::barcode::Barcode::new(profile).is_none() {
            return Self::Undecided;
        }
        let Differential { rank, max_rank, submersion } = Differential::new(profile);
        let upper = max_rank as f64 / 2.0;
        if submersion {
            return Self::Exact { lambda: upper, multiplicity: Some(1) };
        }
        let e = profile.product_rank();
        let Some(global) = LearningCoefficient::new(profile.widths(), e) else { return Self::Undecided };
        if (1..=profile.depth()).all(|k| profile.rank(k - 1, k) == e) {
            return Self::Exact { lambda: global.lambda, multiplicity: Some(global.multiplicity) };
        }
        // Both are multiples of one half.
        match global.lambda.max(rank as f64 / 2.0) {
            lower if lower >= upper => Self::Exact { lambda: upper, multiplicity: None },
            lower => Self::Bounds { lower, upper },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dimension of the fiber as the largest dimension of a stratum: over all rank profiles with product of rank `e`,
    /// enumerated as barcodes, `sum d_k d_{k-1}` minus the codimension of the orbit of the whole group in the fiber.
    fn codimension_by_strata(widths: &[usize], e: usize) -> usize {
        let h = widths.len() - 1;
        let mut best = usize::MAX;
        let mut bars = vec![vec![0; h + 1]; h + 1];
        bars[0][h] = e;
        let rest: Vec<usize> = widths.iter().map(|d| d - e).collect();
        let intervals: Vec<(usize, usize)> =
            (0..=h).flat_map(|i| (i..=h).map(move |j| (i, j))).filter(|&b| b != (0, h)).collect();
        visit(&intervals, &rest, &mut bars, &mut |bars| {
            // Orbit under GL(d_0) x ... x GL(d_h): codimension in all tuples is dim Ext^1 of the representation.
            let mut ext = 0;
            for i in 0..=h {
                for j in i..=h {
                    for k in 0..=h {
                        for l in k..=h {
                            // Ext^1([i,j],[k,l]) of the quiver 0 -> 1 -> ... -> h.
                            if bars[i][j] * bars[k][l] > 0 && i < k && k <= j + 1 && j < l {
                                ext += bars[i][j] * bars[k][l];
                            }
                        }
                    }
                }
            }
            // All products of rank e form a manifold of dimension e (d_0 + d_h - e); one of them is fixed.
            best = best.min(ext + e * (widths[0] + widths[h] - e));
        });
        best
    }

    fn visit(
        open: &[(usize, usize)],
        rest: &[usize],
        bars: &mut Vec<Vec<usize>>,
        each: &mut impl FnMut(&[Vec<usize>]),
    ) {
        let Some((&(i, j), later)) = open.split_first() else {
            if rest.iter().all(|&d| d == 0) {
                each(bars);
            }
            return;
        };
        let most = rest[i..=j].iter().copied().min().unwrap();
        for count in 0..=most {
            let mut left = rest.to_vec();
            left[i..=j].iter_mut().for_each(|d| *d -= count);
            bars[i][j] = count;
            visit(later, &left, bars, each);
        }
        bars[i][j] = 0;
    }

    #[test]
    fn codimension_is_the_smallest_among_the_strata_of_the_fiber() {
        let mut cases = 0;
        for h in 1..=4 {
            let most: usize = if h == 4 { 2 } else { 3 };
            for code in 0..most.pow(h as u32 + 1) {
                let widths: Vec<usize> = (0..=h).map(|i| code / most.pow(i as u32) % most + 1).collect();
                for e in 0..=*widths.iter().min().unwrap() {
                    let found = LearningCoefficient::new(&widths, e).unwrap();
                    assert_eq!(found.codimension, codimension_by_strata(&widths, e), "{widths:?} rank {e}");
                    cases += 1;
                }
            }
        }
        assert!(cases > 300);
    }

    #[test]
    fn values_of_the_literature() {
        let of = |widths: &[usize], e| {
            let c = LearningCoefficient::new(widths, e).unwrap();
            (c.lambda, c.multiplicity)
        };
        assert_eq!(of(&[1, 1], 0), (0.5, 1));
        assert_eq!(of(&[1, 1, 1, 1], 0), (0.5, 3));
        assert_eq!(of(&[2, 2, 2], 2), (2.0, 1));
        assert_eq!(of(&[3, 1, 3], 0), (1.5, 2));
        assert!(LearningCoefficient::new(&[2, 1, 2], 2).is_none());
    }
}
