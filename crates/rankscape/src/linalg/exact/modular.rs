//! Integers known modulo 61-bit primes: ranks as fast lower bounds, characteristic polynomials, interpolation, the Chinese
//! remainder.
//!
//! Every modulus lies just below `2^61` (at least `2^61 - 2^20`), so that `2^61` is a small number modulo it and a product
//! is reduced without a division.

use num_bigint::{BigInt, BigUint};
use num_traits::{One, Signed, ToPrimitive, Zero};

/// Two primes just below 2^61.
pub(super) const PRIMES: [u64; 2] = [(1 << 61) - 1, (1 << 61) - 31];

/// Rank of an integer matrix modulo `prime`; at most its rank over the rationals.
pub(super) fn rank(rows: &[Vec<BigInt>], prime: u64) -> usize {
    let mut work: Vec<Vec<u64>> = rows.iter().map(|row| row.iter().map(|x| residue(x, prime)).collect()).collect();
    let cols = work.first().map_or(0, Vec::len);
    let mut rank = 0;
    for col in 0..cols {
        let Some(pivot) = (rank..work.len()).find(|&i| work[i][col] != 0) else { continue };
        work.swap(rank, pivot);
        let inverse = inverse(work[rank][col], prime);
        let (done, rest) = work.split_at_mut(rank + 1);
        for row in rest.iter_mut().filter(|row| row[col] != 0) {
            let factor = multiply(row[col], inverse, prime);
            for (x, &p) in row[col..].iter_mut().zip(&done[rank][col..]) {
                *x = subtract(*x, multiply(factor, p, prime), prime);
            }
        }
        rank += 1;
    }
    rank
}

fn residue(x: &BigInt, prime: u64) -> u64 {
    let r = x % BigInt::from(prime);
    let r = if r.is_negative() { r + BigInt::from(prime) } else { r };
    r.to_u64().unwrap_or(0)
}

/// The largest primes below 2^61, in decreasing order, as many as asked for.
pub(crate) fn primes_below_2_61(count: usize) -> Vec<u64> {
    let mut candidate = (1u64 << 61) - 1;
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        if is_prime(candidate) {
            found.push(candidate);
        }
        candidate -= 2;
    }
    found
}

/// Deterministic Miller-Rabin: the first twelve primes as bases decide every 64-bit number.
fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    BASES.iter().all(|&base| {
        let mut x = power(base, odd, n);
        x == 1
            || (0..twos).any(|_| {
                let minus_one = x == n - 1;
                x = multiply(x, x, n);
                minus_one
            })
    })
}

pub(crate) fn multiply(a: u64, b: u64, prime: u64) -> u64 {
    reduce(u128::from(a) * u128::from(b), prime)
}

fn reduce(x: u128, prime: u64) -> u64 {
    const LOW: u64 = (1 << 61) - 1;
    let small = (1 << 61) - prime;
    // 2^61 = small: at most 2^128, then 2^88, then 2 prime.
    let once = (x >> 61) * u128::from(small) + u128::from(x as u64 & LOW);
    let twice = (once >> 61) as u64 * small + (once as u64 & LOW);
    if twice >= prime { twice - prime } else { twice }
}

pub(crate) fn subtract(a: u64, b: u64, prime: u64) -> u64 {
    if a >= b { a - b } else { a + prime - b }
}

pub(crate) fn power(mut base: u64, mut exponent: u64, prime: u64) -> u64 {
    let mut out = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            out = multiply(out, base, prime);
        }
        base = multiply(base, base, prime);
        exponent >>= 1;
    }
    out
}

pub(crate) fn inverse(a: u64, prime: u64) -> u64 {
    power(a, prime - 2, prime)
}

/// Coefficients of `det(x - A)`, constant first, of a square matrix (row by row): by elimination to a Hessenberg matrix.
pub(crate) fn characteristic_polynomial(mut a: Vec<u64>, size: usize, prime: u64) -> Vec<u64> {
    to_hessenberg(&mut a, size, prime);
    // The polynomial of each leading block, by its last column.
    let mut leading = vec![vec![1]];
    for k in 0..size {
        let mut next = vec![0; k + 2];
        next[1..].copy_from_slice(&leading[k]);
        let mut below = 1;
        for i in (0..=k).rev() {
            let factor = multiply(below, a[i * size + k], prime);
            for (x, &c) in next.iter_mut().zip(&leading[i]) {
                *x = subtract(*x, multiply(factor, c, prime), prime);
            }
            if i > 0 {
                below = multiply(below, a[i * size + i - 1], prime);
            }
        }
        leading.push(next);
    }
    leading.pop().unwrap_or_default()
}

/// A similar matrix with zeros below the first subdiagonal.
fn to_hessenberg(a: &mut [u64], size: usize, prime: u64) {
    /// So many products of two residues and one residue more are below `2^128`.
    const TERMS: usize = 63;
    for k in 1..size.saturating_sub(1) {
        let Some(pivot) = (k..size).find(|&i| a[i * size + k - 1] != 0) else { continue };
        if pivot != k {
            (0..size).for_each(|j| a.swap(k * size + j, pivot * size + j));
            (0..size).for_each(|i| a.swap(i * size + k, i * size + pivot));
        }
        let lead = inverse(a[k * size + k - 1], prime);
        let (above, below) = a.split_at_mut((k + 1) * size);
        let row = &above[k * size..];
        let mut factors = vec![0; size - k - 1];
        for (other, factor) in below.chunks_exact_mut(size).zip(&mut factors) {
            *factor = multiply(other[k - 1], lead, prime);
            let less = u128::from(subtract(0, *factor, prime));
            for (x, &y) in other[k - 1..].iter_mut().zip(&row[k - 1..]) {
                *x = reduce(u128::from(*x) + less * u128::from(y), prime);
            }
        }
        // Rows have lost multiples of row k; to stay similar, column k gains those multiples of the others.
        for row in a.chunks_exact_mut(size) {
            let (left, right) = row.split_at_mut(k + 1);
            for (xs, fs) in right.chunks(TERMS).zip(factors.chunks(TERMS)) {
                let gain: u128 = xs.iter().zip(fs).map(|(&x, &f)| u128::from(x) * u128::from(f)).sum();
                left[k] = reduce(u128::from(left[k]) + gain, prime);
            }
        }
    }
}

/// Coefficients of the polynomial of degree below `values.len()` with the given values at 1, 2, 3, ... (Newton).
pub(crate) fn interpolate(values: &[u64], prime: u64) -> Vec<u64> {
    let n = values.len();
    let mut differences = values.to_vec();
    for order in 1..n {
        let step = inverse(order as u64, prime);
        for i in (order..n).rev() {
            differences[i] = multiply(subtract(differences[i], differences[i - 1], prime), step, prime);
        }
    }
    let mut out = vec![0; n];
    for k in (0..n).rev() {
        // out = out * (x - k - 1) + differences[k]
        for i in (0..n).rev() {
            let shifted = if i == 0 { differences[k] } else { out[i - 1] };
            out[i] = subtract(shifted, multiply(k as u64 + 1, out[i], prime), prime);
        }
    }
    out
}

/// The integer in `[0, product of primes)` with these residues.
pub(crate) fn chinese_remainder(residues: &[u64], primes: &[u64]) -> BigInt {
    let mut value = BigUint::zero();
    let mut modulus = BigUint::one();
    for (&residue, &prime) in residues.iter().zip(primes) {
        let small = |x: &BigUint| (x % prime).to_u64().unwrap_or(0);
        let missing = subtract(residue, small(&value), prime);
        let digit = multiply(missing, inverse(small(&modulus), prime), prime);
        value += &modulus * digit;
        modulus *= prime;
    }
    BigInt::from(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_two_primes_are_the_known_ones() {
        assert_eq!(primes_below_2_61(2), PRIMES);
    }

    #[test]
    fn products_agree_with_division() {
        for prime in primes_below_2_61(80).into_iter().step_by(13) {
            for a in [0, 1, 2, 1 << 30, (1 << 60) + 12_345, prime - 2, prime - 1] {
                for b in [0, 1, 3, 987_654_321_987, (1 << 60) - 1, prime - 2, prime - 1] {
                    let product = u128::from(a) * u128::from(b) % u128::from(prime);
                    assert_eq!(u128::from(multiply(a, b, prime)), product, "{a} * {b} modulo {prime}");
                }
            }
        }
    }

    #[test]
    fn characteristic_polynomials_are_those_known() {
        let prime = PRIMES[0];
        let polynomial = |a: &[u64], size| characteristic_polynomial(a.to_vec(), size, prime);
        let signed = |x: i64| if x < 0 { prime - x.unsigned_abs() } else { x as u64 };
        assert_eq!(polynomial(&[], 0), [1]);
        assert_eq!(polynomial(&[7], 1), [signed(-7), 1]);
        assert_eq!(polynomial(&[1, 2, 3, 4], 2), [signed(-2), signed(-5), 1]);
        // (x - 1) (x - 2)^2, with a zero where the first pivot would be.
        assert_eq!(polynomial(&[2, 0, 1, 0, 1, 0, 0, 0, 2], 3), [signed(-4), 8, signed(-5), 1]);
        // The companion matrix of x^4 - 3 x^3 - 5 x^2 - 7 x - 11, and its transpose.
        let mut companion = [[0; 4]; 4];
        (1..4).for_each(|i| companion[i][i - 1] = 1);
        (0..4).for_each(|i| companion[i][3] = [11, 7, 5, 3][i]);
        let expected = [-11, -7, -5, -3, 1].map(signed);
        assert_eq!(polynomial(companion.as_flattened(), 4), expected);
        let transposed: Vec<u64> = (0..16).map(|e| companion[e % 4][e / 4]).collect();
        assert_eq!(polynomial(&transposed, 4), expected);
    }

    #[test]
    fn interpolation_recovers_coefficients() {
        let prime = (1 << 61) - 1;
        let coefficients = [5, 0, 7, 11];
        let value = |x: u64| coefficients.iter().rev().fold(0, |acc, &c| (multiply(acc, x, prime) + c) % prime);
        assert_eq!(interpolate(&[value(1), value(2), value(3), value(4)], prime), coefficients);
    }

    #[test]
    fn chinese_remainder_recovers_a_large_number() {
        let primes = primes_below_2_61(3);
        let number = BigInt::from(10).pow(50u32);
        let residues: Vec<u64> = primes.iter().map(|&p| (&number % p).to_u64().unwrap()).collect();
        assert_eq!(chinese_remainder(&residues, &primes), number);
    }
}
