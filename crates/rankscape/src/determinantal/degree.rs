//! Degrees of the variety of matrices of bounded rank, as exact integers.
//!
//! The polar degrees of `M_r` count critical points of generic quadratic losses: their sum is the generic ED degree.
//! They are sums of products of complementary minors of a Pascal matrix, and those sums are coefficients of one determinant;
//! `docs/degrees.md` has the proof, from Segre classes over `G(r, m) x G(r, n)`.
//! With `m <= n` and `k = n - m`,
//!
//! ```text
//! sum_r y^r sum_j delta_j(M_r) t^{j+1-r(k+1)} = det_{0 <= i,j < m} [ C(i+j+k, i) (1 + y (-1)^{i+j} t^{i+j}) ]
//! ```
//!
//! so that at `t = 1` the generic ED degrees of all ranks are the coefficients of one polynomial in `y`.
//!
//! The Pascal matrix `P` has determinant one, so with `D = diag((-t)^i)` the determinant is that of `1 + y P^-1 D P D`:
//! one characteristic polynomial for each value of `t`, modulo 61-bit primes. The generic degree comes first, modulo as
//! many primes as the bound `C(m, r) prod_i sum_j C(i+j+k, i)` needs. Polar degrees are not negative and sum to it, so
//! it bounds each of them, which takes fewer primes at the many values of `t`. The tests compare with localization over
//! the rationals and with the formula of Catanese and Trifogli for rank one.

use num_bigint::BigInt;
use num_traits::{One, ToPrimitive, Zero};

use crate::error::{InputError, Result};
use crate::linalg::exact::Rational;
use crate::linalg::exact::modular::{
    characteristic_polynomial, chinese_remainder, interpolate, inverse, multiply, power, primes_below_2_61, subtract,
};

/// Largest number of rows or columns for which degrees are computed.
const LARGEST_SIZE: usize = 40;

/// Degrees of the variety of `rows x cols` matrices of rank at most `rank`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeterminantalDegrees {
    /// Degree of `M_r`: the number of points on a generic linear space of complementary dimension.
    pub degree: BigInt,
    /// Number of critical points of `||W - Q||_F^2` for generic `Q`: `C(min(m, n), r)`.
    pub unit: BigInt,
    /// Number of complex critical points of a generic quadratic loss.
    pub generic: BigInt,
    /// Polar degrees, from the degree of `M_r` to that of its dual variety; their sum is `generic`.
    pub polar_degrees: Vec<BigInt>,
}

/// Degrees of the `rows x cols` matrices of rank at most `rank`.
///
/// ```
/// let found = rankscape::determinantal::degrees(3, 3, 1).unwrap();
/// assert_eq!(found.generic, 39.into());
/// assert_eq!(found.unit, 3.into());
/// assert_eq!(found.polar_degrees, [6, 12, 12, 6, 3].map(Into::into));
/// ```
///
/// # Errors
/// If the rank is zero or larger than the smaller size, or a size is zero or above 40.
///
/// Sources: `[@TKB, appendix A.2]`; Draisma et al. (2016), Example 7.11.
pub fn degrees(rows: usize, cols: usize, rank: usize) -> Result<DeterminantalDegrees> {
    check_size(rows, cols, rank)?;
    let (m, n) = (rows.min(cols), rows.max(cols));
    let unit = binomial(m, rank);
    if rank == m {
        // The variety is all of matrix space: one critical point, and no dual variety to grade by.
        let one = BigInt::one();
        return Ok(DeterminantalDegrees { degree: one.clone(), unit, generic: one.clone(), polar_degrees: vec![one] });
    }
    let generic = generic(m, n, rank);
    let polar_degrees = polar_degrees(m, n, rank, &generic);
    Ok(DeterminantalDegrees { degree: degree(m, n, rank), unit, generic, polar_degrees })
}

/// Number of complex critical points of a generic quadratic loss on those matrices, without the other degrees, which take far
/// longer.
///
/// # Errors
/// As [`degrees`].
pub fn generic_degree(rows: usize, cols: usize, rank: usize) -> Result<BigInt> {
    check_size(rows, cols, rank)?;
    let (m, n) = (rows.min(cols), rows.max(cols));
    Ok(if rank == m { BigInt::one() } else { generic(m, n, rank) })
}

fn check_size(rows: usize, cols: usize, rank: usize) -> Result<()> {
    if rows == 0 || cols == 0 || rows.max(cols) > LARGEST_SIZE {
        return Err(InputError::new(format!("sizes must lie between 1 and {LARGEST_SIZE}"))
            .value(format!("{rows} x {cols}"))
            .hint("degrees of larger varieties have hundreds of digits and no use here"));
    }
    if rank == 0 || rank > rows.min(cols) {
        return Err(InputError::new("the rank must lie between 1 and the smaller size")
            .array("rank")
            .value(rank)
            .hint(format!("choose 1..={}", rows.min(cols))));
    }
    Ok(())
}

fn binomial(n: usize, k: usize) -> BigInt {
    (0..k).fold(BigInt::one(), |acc, i| acc * BigInt::from(n - i) / BigInt::from(i + 1))
}

/// `prod_{i < n-r} C(m+i, r) / C(r+i, r)`.
fn degree(m: usize, n: usize, r: usize) -> BigInt {
    let product = |base: usize| (0..n - r).fold(BigInt::one(), |acc, i| acc * binomial(base + i, r));
    product(m) / product(r)
}

/// As many primes as a number that is not negative and at most `bound` needs.
fn primes_for(bound: &BigInt) -> Vec<u64> {
    primes_below_2_61(bound.bits() as usize / 60 + 1)
}

/// `P`, row by row.
fn pascal(m: usize, n: usize) -> Vec<BigInt> {
    (0..m * m).map(|e| binomial(e / m + e % m + n - m, e / m)).collect()
}

/// The coefficient of `y^r` of the determinant at `t = 1`.
fn generic(m: usize, n: usize, r: usize) -> BigInt {
    let pascal = pascal(m, n);
    // It is at most the coefficient of y^r in the permanent of P (1 + y).
    let primes = primes_for(&pascal.chunks(m).fold(binomial(m, r), |acc, row| acc * row.iter().sum::<BigInt>()));
    let residue = |&prime: &u64| Graded::new(&pascal, (m, n), prime).coefficient(1, r);
    chinese_remainder(&primes.iter().map(residue).collect::<Vec<_>>(), &primes)
}

/// The coefficient of `y^r` of the determinant as a polynomial in `t`, from the highest power down, without zeros.
fn polar_degrees(m: usize, n: usize, r: usize, generic: &BigInt) -> Vec<BigInt> {
    let pascal = pascal(m, n);
    let primes = primes_for(generic);
    let residues: Vec<Vec<u64>> =
        primes.iter().map(|&prime| polar_degrees_modulo(&Graded::new(&pascal, (m, n), prime), r)).collect();
    let at = |a: usize| chinese_remainder(&residues.iter().map(|row| row[a]).collect::<Vec<_>>(), &primes);
    (0..residues.first().map_or(0, Vec::len)).rev().map(at).filter(|delta| !delta.is_zero()).collect()
}

/// `r` rows and `r` columns have a power of `t` from `r(r-1)` to `r(r-1) + 2r(m-r)`: the coefficients from there on.
fn polar_degrees_modulo(graded: &Graded, r: usize) -> Vec<u64> {
    let (prime, lowest) = (graded.prime, (r * (r - 1)) as u64);
    let value = |t: u64| multiply(graded.coefficient(t, r), inverse(power(t, lowest, prime), prime), prime);
    let points = 2 * r * (graded.size - r) + 1;
    interpolate(&(1..=points as u64).map(value).collect::<Vec<_>>(), prime)
}

/// The matrix `P^-1 D P D` modulo a prime, for any `t`.
struct Graded {
    size: usize,
    /// `n - m`
    shift: usize,
    pascal: Vec<u64>,
    prime: u64,
}

impl Graded {
    fn new(pascal: &[BigInt], (m, n): (usize, usize), prime: u64) -> Self {
        let pascal = pascal.iter().map(|x| (x % prime).to_u64().unwrap_or(0)).collect();
        Self { size: m, shift: n - m, pascal, prime }
    }

    /// The coefficient of `y^r` of the determinant at `t`.
    fn coefficient(&self, t: u64, r: usize) -> u64 {
        let (size, prime) = (self.size, self.prime);
        let polynomial = characteristic_polynomial(self.at(t), size, prime);
        // det(x - A) has (-1)^r times it at x^(m-r).
        let found = polynomial[size - r];
        if r.is_multiple_of(2) { found } else { subtract(0, found, prime) }
    }

    /// `P^-1 D P D`. With `L` the lower triangle of Pascal and `T` that of the power series `(1 + z)^k`, `P = L T L'`; each
    /// factor is a product of bidiagonal ones, so that dividing by it takes differences of rows only.
    fn at(&self, t: u64) -> Vec<u64> {
        let (m, prime) = (self.size, self.prime);
        let powers: Vec<u64> = (0..2 * m as u64).map(|e| power(subtract(0, t, prime), e, prime)).collect();
        let mut a: Vec<u64> = (0..m * m).map(|e| multiply(self.pascal[e], powers[e / m + e % m], prime)).collect();
        let mut lose = |row: usize, other: usize| {
            for j in 0..m {
                a[row * m + j] = subtract(a[row * m + j], a[other * m + j], prime);
            }
        };
        for order in 1..m {
            (order..m).rev().for_each(|i| lose(i, i - 1));
        }
        for _ in 0..self.shift {
            (1..m).for_each(|i| lose(i, i - 1));
        }
        for order in (1..m).rev() {
            (order..m).for_each(|i| lose(i - 1, i));
        }
        a
    }
}

/// Generic ED degree of the `rows x cols` matrices of rank one, in closed form.
///
/// `sum_{s=0}^{m+n-2} (-1)^s (2^{m+n-1-s} - 1) (m+n-2-s)! sum_{i+j=s} C(m,i) C(n,j) / ((m-1-i)! (n-1-j)!)`
/// `[@TKB, appendix A.2, after Catanese and Trifogli]`.
///
/// ```
/// assert_eq!(rankscape::determinantal::catanese_trifogli(3, 5), 143.into());
/// ```
pub fn catanese_trifogli(rows: usize, cols: usize) -> BigInt {
    let factorial = |k: usize| (1..=k).fold(BigInt::one(), |acc, i| acc * i);
    let top = rows + cols - 2;
    (0..=top).fold(BigInt::zero(), |total, s| {
        let weight = ((BigInt::one() << (top + 1 - s)) - 1) * factorial(top - s);
        let inner = (0..=s.min(rows - 1)).filter(|i| s - i < cols).fold(BigInt::zero(), |acc, i| {
            let j = s - i;
            acc + binomial(rows, i) * binomial(cols, j) * &weight / (factorial(rows - 1 - i) * factorial(cols - 1 - j))
        });
        if s % 2 == 0 { total + inner } else { total - inner }
    })
}

/// Polar degrees by torus localization over the rationals: slow, and independent of [`degrees`].
///
/// Sums over pairs of `I` (`r` of the rows) and `J` (`n - r` of the columns) the coefficients of Segre series of the two
/// Hom bundles at the fixed point, over the product of its tangent weights. Practical up to 6 x 6.
///
/// # Errors
/// As [`degrees`].
pub fn degrees_by_localization(rows: usize, cols: usize, rank: usize) -> Result<Vec<BigInt>> {
    check_size(rows, cols, rank)?;
    let (m, n) = (rows.min(cols), rows.max(cols));
    let dimension = rank * (m - rank) + rank * (n - rank);
    // Any distinct weights do; u and v are kept apart so that no tangent weight vanishes.
    let u: Vec<i64> = (0..m as i64).collect();
    let v: Vec<i64> = (0..n as i64).map(|j| j * j + 7 * j).collect();
    let mut total = vec![Rational::zero(); dimension + 1];
    for rows_in in subsets(m, rank) {
        for cols_in in subsets(n, n - rank) {
            add_fixed_point(&mut total, (&u, &rows_in), (&v, &cols_in));
        }
    }
    Ok(total.into_iter().rev().map(|x| x.to_integer()).collect())
}

fn add_fixed_point(total: &mut [Rational], (u, rows_in): (&[i64], &[bool]), (v, cols_in): (&[i64], &[bool])) {
    let order = total.len();
    let pairs = |row: bool, col: bool| {
        let keep = move |&(i, j): &(usize, usize)| rows_in[i] == row && cols_in[j] == col;
        (0..u.len()).flat_map(|i| (0..v.len()).map(move |j| (i, j))).filter(keep)
    };
    let first = segre_series(pairs(true, false).map(|(i, j)| u[i] - v[j]), order);
    let second = segre_series(pairs(false, true).map(|(i, j)| v[j] - u[i]), order);
    let weights = |w: &[i64], inside: &[bool], sign: i64| {
        let mut product = BigInt::one();
        for i in (0..w.len()).filter(|&i| inside[i]) {
            for k in (0..w.len()).filter(|&k| !inside[k]) {
                product *= sign * (w[k] - w[i]);
            }
        }
        product
    };
    let tangent = weights(u, rows_in, 1) * weights(v, cols_in, 1);
    for (a, entry) in total.iter_mut().enumerate() {
        *entry += Rational::new(&first[a] * &second[order - 1 - a], tangent.clone());
    }
}

/// Power series of `1 / prod (1 + w t)` with `order` coefficients.
fn segre_series(weights: impl Iterator<Item = i64>, order: usize) -> Vec<BigInt> {
    let mut series = vec![BigInt::zero(); order];
    series[0] = BigInt::one();
    for weight in weights {
        for k in 1..order {
            let change = &series[k - 1] * weight;
            series[k] -= change;
        }
    }
    series
}

fn subsets(n: usize, size: usize) -> Vec<Vec<bool>> {
    (0u64..1 << n)
        .filter(|mask| mask.count_ones() as usize == size)
        .map(|mask| (0..n).map(|i| mask >> i & 1 == 1).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use num_traits::Signed;

    use super::*;

    fn generic(m: usize, n: usize, r: usize) -> BigInt {
        let found = degrees(m, n, r).unwrap().generic;
        assert_eq!(generic_degree(m, n, r).unwrap(), found);
        found
    }

    #[test]
    fn published_generic_degrees_are_reproduced() {
        let known = [
            (2, 2, 1, 6),
            (2, 3, 1, 10),
            (3, 3, 1, 39),
            (3, 3, 2, 39),
            (3, 4, 1, 83),
            (4, 4, 1, 284),
            (4, 4, 2, 1350),
            (4, 4, 3, 284),
            (5, 5, 1, 2205),
            (3, 5, 1, 143),
            (5, 3, 1, 143),
            (4, 7, 4, 1),
        ];
        for (m, n, r, count) in known {
            assert_eq!(generic(m, n, r), count.into(), "{m} x {n} rank {r}");
        }
    }

    #[test]
    fn determinant_formula_agrees_with_localization_over_the_rationals() {
        for n in 2..=6 {
            for m in 2..=n {
                for r in 1..m {
                    let by_localization = degrees_by_localization(m, n, r).unwrap();
                    let absolute: Vec<BigInt> =
                        by_localization.iter().map(Signed::abs).filter(|x| !x.is_zero()).collect();
                    assert_eq!(degrees(m, n, r).unwrap().polar_degrees, absolute, "{m} x {n} rank {r}");
                }
            }
        }
    }

    #[test]
    fn rank_one_agrees_with_catanese_and_trifogli_up_to_twelve() {
        for n in 2..=12 {
            for m in 2..=n {
                assert_eq!(generic(m, n, 1), catanese_trifogli(m, n), "{m} x {n}");
            }
        }
    }

    #[test]
    fn polar_degrees_run_from_the_degree_to_that_of_the_dual() {
        for (m, n, r) in [(3, 3, 1), (3, 5, 2), (4, 6, 2), (5, 5, 3), (6, 7, 2), (12, 12, 6), (9, 12, 4)] {
            let found = degrees(m, n, r).unwrap();
            let dual = degrees(m, n, m - r).unwrap();
            assert_eq!(found.polar_degrees[0], found.degree);
            assert_eq!(found.polar_degrees.last(), Some(&dual.degree));
            let mut reversed = dual.polar_degrees;
            reversed.reverse();
            assert_eq!(found.polar_degrees, reversed);
        }
    }

    /// Against closed forms, far beyond the sizes of the other tests.
    #[test]
    fn large_degrees_sum_to_the_generic_one_between_those_in_closed_form() {
        let found = degrees(24, 30, 12).unwrap();
        assert_eq!(found.polar_degrees.iter().sum::<BigInt>(), found.generic);
        assert_eq!(found.polar_degrees[0], found.degree);
        assert_eq!(found.polar_degrees.last(), Some(&degree(24, 30, 12)));
    }

    #[test]
    fn sizes_and_ranks_out_of_range_are_refused() {
        for (m, n, r) in [(0, 3, 1), (3, 3, 0), (3, 4, 4), (3, 99, 1)] {
            assert!(degrees(m, n, r).is_err());
        }
    }
}
