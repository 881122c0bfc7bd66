//! Critical points of the distance to a matrix `Z` on the matrices of bounded rank (Eckart and Young).
//!
//! On the matrices of rank exactly `e` the critical points of `1/2 ||W - Z||^2` are the `W = P_S Z` for sets `S` of `e` singular
//! directions with positive singular values: a direction with value zero adds no rank, so it cannot be chosen. For
//! values with multiplicities a critical set is a pattern, how many of each distinct value are kept; it is a product of
//! Grassmannians of dimension `sum p_a (n_a - p_a)`, along which the Hessian is degenerate (Morse-Bott). The eigenvalue of
//! the Hessian for a kept `s` and an omitted `s'` is `1 - s'/s` and `1 + s'/s`, so the index is the number of pairs with
//! `s' > s` (`[@TKB]` Theorem 28). At rank below the bound only `W = Z` is stationary.

/// The distinct positive singular values of `Z` with multiplicities.
#[derive(Debug, Clone, PartialEq)]
pub struct EckartYoung {
    /// `(value, multiplicity)`, values decreasing and positive.
    pub blocks: Vec<(f64, usize)>,
}

/// A connected family of critical points, isolated when its dimension is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DistanceCriticalPoint {
    /// How many of each distinct value are kept.
    pub pattern: Vec<usize>,
    /// `1/2` the sum of the squares of the omitted values.
    pub value: f64,
    /// Number of negative eigenvalues of the Hessian on the matrices of this rank.
    pub index: usize,
    /// Dimension of the family; equal to the nullity of the Hessian.
    pub dimension: usize,
}

impl EckartYoung {
    /// Groups singular values, in non-increasing order: values up to `zero` count as zero, neighbours that differ by at
    /// most `tie` as equal.
    pub fn new(singular_values: &[f64], zero: f64, tie: f64) -> Self {
        let mut blocks: Vec<(f64, usize)> = Vec::new();
        let mut previous = f64::INFINITY;
        for &value in singular_values.iter().filter(|&&value| value > zero) {
            match blocks.last_mut() {
                Some((_, count)) if previous - value <= tie => *count += 1,
                _ => blocks.push((value, 1)),
            }
            previous = value;
        }
        Self { blocks }
    }

    /// Rank of `Z`.
    pub fn rank(&self) -> usize {
        self.blocks.iter().map(|block| block.1).sum()
    }

    /// All families of critical points of rank exactly `rank`, at most `max` of them, best values of the first block
    /// first; none when `rank` exceeds that of `Z`.
    pub fn critical_points(&self, rank: usize, max: usize) -> Vec<DistanceCriticalPoint> {
        let mut found = Vec::new();
        self.extend(&mut Vec::new(), rank, max, &mut found);
        found
    }

    fn extend(&self, kept: &mut Vec<usize>, left: usize, max: usize, found: &mut Vec<DistanceCriticalPoint>) {
        let rest = &self.blocks[kept.len()..];
        let available: usize = rest.iter().map(|block| block.1).sum();
        if found.len() >= max || left > available {
            return;
        }
        let Some(&(_, most)) = rest.first() else {
            found.push(self.point(kept));
            return;
        };
        for count in (0..=most.min(left)).rev() {
            kept.push(count);
            self.extend(kept, left - count, max, found);
            kept.pop();
        }
    }

    fn point(&self, pattern: &[usize]) -> DistanceCriticalPoint {
        let omitted = |a: usize| self.blocks[a].1 - pattern[a];
        let blocks = 0..pattern.len();
        DistanceCriticalPoint {
            pattern: pattern.to_vec(),
            value: blocks.clone().map(|a| self.blocks[a].0.powi(2) * omitted(a) as f64).sum::<f64>() / 2.0,
            index: blocks.clone().flat_map(|b| (0..b).map(move |a| (a, b))).map(|(a, b)| omitted(a) * pattern[b]).sum(),
            dimension: blocks.map(|a| pattern[a] * omitted(a)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Inertia, Matrix, symmetric_eigenvalues};

    /// Inertia of the Hessian of `1/2 ||A B' - Z||^2` restricted to the matrices of rank `e` at `W = diag`: by second
    /// differences of the distance along `W(xi)`, the nearest matrix of rank `e` to `W + xi` for tangent `xi`.
    fn inertia(z: &[f64], size: (usize, usize), kept: &[usize]) -> Inertia {
        let (m, n) = size;
        let target = Matrix::from_diagonal(m, n, z);
        let diagonal: Vec<f64> = (0..z.len()).map(|i| if kept.contains(&i) { z[i] } else { 0.0 }).collect();
        let w = Matrix::from_diagonal(m, n, &diagonal);
        let variety = super::super::DeterminantalVariety::new(m, n, kept.len()).unwrap();
        let directions: Vec<(usize, usize)> = (0..m)
            .flat_map(|i| (0..n).map(move |j| (i, j)))
            .filter(|(i, j)| kept.contains(i) || kept.contains(j))
            .collect();
        let value = |steps: &[(usize, f64)]| {
            let mut moved = w.clone();
            steps.iter().for_each(|&(a, t)| moved[directions[a]] += t);
            (&variety.project(&moved) - &target).frobenius_norm().powi(2) / 2.0
        };
        let t = 1e-3;
        let second = |a: usize, b: usize| {
            let corner = |x: f64, y: f64| value(&[(a, x), (b, y)]);
            (corner(t, t) - corner(t, -t) - corner(-t, t) + corner(-t, -t)) / (4.0 * t * t)
        };
        let hessian = Matrix::from_fn(directions.len(), directions.len(), second);
        Inertia::from_eigenvalues(&symmetric_eigenvalues(&hessian).unwrap(), 0.02)
    }

    #[test]
    fn index_and_nullity_are_those_of_the_hessian_on_the_stratum() {
        for (z, size) in [
            (vec![3.0, 2.0, 1.0], (3, 4)),
            (vec![2.0, 2.0, 1.0], (3, 3)),
            (vec![3.0, 1.5, 0.0], (4, 3)),
            (vec![2.0, 2.0, 2.0], (3, 3)),
        ] {
            let found = EckartYoung::new(&z, 1e-9, 1e-9);
            for rank in 0..=3 {
                for point in found.critical_points(rank, 100) {
                    let mut start = 0;
                    let mut kept = Vec::new();
                    for (&count, &(_, size)) in point.pattern.iter().zip(&found.blocks) {
                        kept.extend(start..start + count);
                        start += size;
                    }
                    let inertia = inertia(&z, size, &kept);
                    assert_eq!((inertia.negative, inertia.zero), (point.index, point.dimension), "{z:?} {point:?}");
                }
            }
        }
    }

    #[test]
    fn counts_are_binomial_and_zero_values_are_not_chosen() {
        let distinct = EckartYoung::new(&[5.0, 4.0, 3.0, 2.0], 0.0, 0.0);
        assert_eq!(distinct.critical_points(2, 100).len(), 6);
        assert_eq!(distinct.critical_points(2, 100)[0].index, 0);
        assert_eq!(
            distinct.critical_points(2, 100)[5],
            DistanceCriticalPoint { pattern: vec![0, 0, 1, 1], value: 20.5, index: 4, dimension: 0 }
        );
        assert_eq!(EckartYoung::new(&[5.0, 0.0], 0.0, 0.0).critical_points(2, 100), []);
        assert_eq!(distinct.critical_points(2, 3).len(), 3);
    }
}
