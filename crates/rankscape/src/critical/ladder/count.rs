//! How many patterns there are, without listing them.

use std::collections::VecDeque;

use num_bigint::BigUint;
use num_traits::Zero;

/// Number of integer vectors `p` with `0 <= p_i <= m_i` and `sum p_i <= most`: the sum of the first coefficients of
/// `prod (1 + x + ... + x^{m_i})`.
pub(super) fn patterns(multiplicities: impl Iterator<Item = usize>, most: usize) -> BigUint {
    let mut ways: Vec<BigUint> = vec![1u32.into()];
    for m in multiplicities {
        let degree = (ways.len() - 1 + m).min(most);
        let mut window = VecDeque::with_capacity(m + 1);
        let mut sum = BigUint::zero();
        let mut next = Vec::with_capacity(degree + 1);
        for k in 0..=degree {
            if window.len() > m {
                sum -= window.pop_front().unwrap_or_default();
            }
            let entering = ways.get(k).cloned().unwrap_or_default();
            sum += &entering;
            window.push_back(entering);
            next.push(sum.clone());
        }
        ways = next;
    }
    ways.into_iter().take(most + 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_with_plain_enumeration() {
        for m in [vec![], vec![1], vec![3], vec![1, 2, 1], vec![2, 2, 3, 1], vec![1; 6]] {
            let total: usize = m.iter().map(|k| k + 1).product();
            for most in 0..=m.iter().sum::<usize>() + 1 {
                let fits = |mut code: usize| {
                    let mut sum = 0;
                    for k in &m {
                        sum += code % (k + 1);
                        code /= k + 1;
                    }
                    sum <= most
                };
                let plain = (0..total).filter(|&code| fits(code)).count();
                assert_eq!(patterns(m.iter().copied(), most), plain.into(), "{m:?} {most}");
            }
        }
    }

    #[test]
    fn a_count_may_exceed_every_machine_integer() {
        assert_eq!(patterns(std::iter::repeat_n(1, 300), 300), BigUint::from(2u32).pow(300));
    }
}
