//! Integers known modulo 61-bit primes: ranks as fast lower bounds, determinants, interpolation, the Chinese remainder.

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
    (u128::from(a) * u128::from(b) % u128::from(prime)) as u64
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

/// Determinant of a square matrix (row by row) modulo `prime`.
pub(crate) fn determinant(mut a: Vec<u64>, size: usize, prime: u64) -> u64 {
    let mut value = 1;
    for k in 0..size {
        let Some(pivot) = (k..size).find(|&i| a[i * size + k] != 0) else { return 0 };
        if pivot != k {
            (0..size).for_each(|j| a.swap(k * size + j, pivot * size + j));
            value = subtract(0, value, prime);
        }
        let lead = a[k * size + k];
        value = multiply(value, lead, prime);
        let lead = inverse(lead, prime);
        for i in k + 1..size {
            let factor = multiply(a[i * size + k], lead, prime);
            for j in k + 1..size {
                a[i * size + j] = subtract(a[i * size + j], multiply(factor, a[k * size + j], prime), prime);
            }
        }
    }
    value
}

/// Coefficients of the polynomial of degree below `values.len()` with the given values at 0, 1, 2, ... (Newton).
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
        // out = out * (x - k) + differences[k]
        for i in (0..n).rev() {
            let shifted = if i == 0 { differences[k] } else { out[i - 1] };
            out[i] = subtract(shifted, multiply(k as u64, out[i], prime), prime);
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
    fn interpolation_recovers_coefficients() {
        let prime = (1 << 61) - 1;
        let coefficients = [5, 0, 7, 11];
        let value = |x: u64| coefficients.iter().rev().fold(0, |acc, &c| (multiply(acc, x, prime) + c) % prime);
        assert_eq!(interpolate(&[value(0), value(1), value(2), value(3)], prime), coefficients);
    }

    #[test]
    fn chinese_remainder_recovers_a_large_number() {
        let primes = primes_below_2_61(3);
        let number = BigInt::from(10).pow(50u32);
        let residues: Vec<u64> = primes.iter().map(|&p| (&number % p).to_u64().unwrap()).collect();
        assert_eq!(chinese_remainder(&residues, &primes), number);
    }
}
