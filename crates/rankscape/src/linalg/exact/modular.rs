//! Ranks modulo a 61-bit prime: fast lower bounds of the rank over the rationals.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

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
        let inverse = power(work[rank][col], prime - 2, prime);
        let (done, rest) = work.split_at_mut(rank + 1);
        for row in rest.iter_mut().filter(|row| row[col] != 0) {
            let factor = multiply(row[col], inverse, prime);
            for (x, &p) in row[col..].iter_mut().zip(&done[rank][col..]) {
                *x = (*x + prime - multiply(factor, p, prime)) % prime;
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

fn multiply(a: u64, b: u64, prime: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(prime)) as u64
}

fn power(mut base: u64, mut exponent: u64, prime: u64) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fermat_holds_for_both_moduli() {
        for prime in PRIMES {
            for base in [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37] {
                assert_eq!(power(base, prime - 1, prime), 1, "{prime}");
            }
        }
    }
}
