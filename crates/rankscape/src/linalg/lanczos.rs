//! Eigenpairs at the ends of the spectrum of an operator that is never formed.

use super::krylov::{SymmetricOperator, add_combination, add_scaled, axpy, dot, normalize, scale_vector, vector_norm};
use super::tridiagonal::{Tridiagonal, TridiagonalPair};

/// An eigenpair at one end of the spectrum, with its residual as evidence.
#[derive(Debug, Clone)]
pub struct Extreme {
    /// Rayleigh quotient of `vector`; by Courant and Fischer an upper bound of the smallest eigenvalue.
    pub value: f64,
    /// Unit vector.
    pub vector: Vec<f64>,
    /// `||A v - value v||`: an eigenvalue lies within this distance of `value`.
    pub residual: f64,
    /// Largest absolute Ritz value seen, the scale of the operator.
    pub scale: f64,
    /// The residual met the tolerance.
    pub converged: bool,
    /// Number of applications of the operator.
    pub applications: usize,
}

/// An end of the spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The smallest eigenvalue.
    Smallest,
    /// The largest eigenvalue.
    Largest,
}

/// Numbers that are kept of the vectors of an iteration; those beyond are computed once more when they are needed.
const KEPT_NUMBERS: usize = 4_000_000;

/// Approximate eigenpairs at the wanted `ends` of the spectrum, in their order, from one Lanczos iteration.
///
/// Each new vector is made orthogonal to the last two only. Rounding errors let it drift towards an eigenvector once, and only
/// once, that is found (Paige): then the pair is taken as it is, from the vectors so far, and the iteration goes on for the
/// other end. So a step costs one application and a few vector operations, however many came before it.
///
/// Stops when every residual is at most `tolerance` times the scale of the operator, or after `budget` steps. The
/// starting vector should have a random part: a Krylov space never leaves an invariant space that contains its start.
/// A Krylov method alone cannot tell whether a zero eigenvalue was missed: combine it with a known inertia.
pub fn extreme_eigenpairs<const N: usize>(
    operator: &impl SymmetricOperator,
    ends: [End; N],
    tolerance: f64,
    budget: usize,
    start: Vec<f64>,
) -> [Extreme; N] {
    let mut lanczos = Lanczos::new(operator, start);
    let mut smallest: Option<TridiagonalPair> = None;
    let mut largest: Option<TridiagonalPair> = None;
    let mut found: [Option<TridiagonalPair>; N] = std::array::from_fn(|_| None);
    let mut scale = 0.0_f64;
    while found.iter().any(Option::is_none) {
        let invariant = lanczos.extend(budget);
        let ended = invariant || lanczos.steps() >= budget;
        smallest = Some(lanczos.projected.smallest(smallest.as_ref()));
        largest = Some(lanczos.projected.largest(largest.as_ref()));
        let both = [&smallest, &largest].map(|pair| pair.as_ref().map_or(0.0, |pair| pair.value.abs()));
        scale = scale.max(both[0]).max(both[1]);
        for (place, end) in found.iter_mut().zip(&ends).filter(|(place, _)| place.is_none()) {
            let pair = if *end == End::Smallest { &smallest } else { &largest };
            let small = |pair: &&TridiagonalPair| ended || lanczos.rest * pair.last().abs() <= tolerance * scale;
            *place = pair.as_ref().filter(small).cloned();
        }
    }
    let pairs = found.map(Option::unwrap_or_default);
    let vectors = lanczos.combinations(pairs.each_ref().map(|pair| pair.vector.as_slice()));
    let applications = lanczos.applications;
    let mut vectors = vectors.into_iter();
    pairs.map(|pair| {
        let mut vector = vectors.next().unwrap_or_default();
        normalize(&mut vector);
        let pair = Extreme { value: pair.value, vector, residual: 0.0, scale, converged: false, applications };
        pair.measured(operator, tolerance)
    })
}

impl Extreme {
    /// With value and residual of the vector as they are.
    #[must_use]
    pub fn measured(mut self, operator: &impl SymmetricOperator, tolerance: f64) -> Self {
        let image = operator.apply(&self.vector);
        self.value = dot(&self.vector, &image);
        self.residual = vector_norm(&axpy(image, -self.value, &self.vector));
        self.converged = self.residual <= (10.0 * tolerance).max(1e-12) * self.scale;
        self
    }
}

/// The three-term recurrence and the projected operator.
struct Lanczos<'a, O> {
    operator: &'a O,
    start: Vec<f64>,
    /// The first vectors, as far as they are kept.
    kept: Vec<Vec<f64>>,
    most_kept: usize,
    /// The last vector that was applied where it is not kept, and the next one.
    previous: Vec<f64>,
    next: Option<Vec<f64>>,
    /// Norm of what the last image has outside.
    rest: f64,
    projected: Tridiagonal,
    applications: usize,
}

impl<'a, O: SymmetricOperator> Lanczos<'a, O> {
    fn new(operator: &'a O, mut start: Vec<f64>) -> Self {
        normalize(&mut start);
        Self {
            operator,
            kept: Vec::new(),
            most_kept: KEPT_NUMBERS / start.len().max(1),
            previous: Vec::new(),
            next: Some(start.clone()),
            start,
            rest: 0.0,
            projected: Tridiagonal::default(),
            applications: 0,
        }
    }

    fn steps(&self) -> usize {
        self.projected.size()
    }

    /// Takes an eighth more steps, but at least ten, up to `budget`; true if the space is invariant.
    fn extend(&mut self, budget: usize) -> bool {
        let goal = (self.steps() + (self.steps() / 8).max(10)).min(budget.max(1));
        while self.steps() < goal {
            let Some(vector) = self.next.take() else { return true };
            let previous = if self.previous.is_empty() { self.kept.last() } else { Some(&self.previous) };
            let (image, diagonal, length) = self.step(previous.map_or(&[], Vec::as_slice), self.rest, &vector);
            self.applications += 1;
            self.projected.push(self.rest, diagonal);
            self.rest = vector_norm(&image);
            if self.kept.len() < self.most_kept {
                self.kept.push(vector);
            } else {
                self.previous = vector;
            }
            if self.rest <= 1e-14 * length || self.rest == 0.0 {
                return true;
            }
            self.next = Some(scale_vector(image, 1.0 / self.rest));
        }
        false
    }

    /// The part of the image of `vector` outside of it and the one before, if any, its coefficient, and the norm of the image.
    fn step(&self, previous: &[f64], coupling: f64, vector: &[f64]) -> (Vec<f64>, f64, f64) {
        let mut image = self.operator.apply(vector);
        let length = vector_norm(&image);
        add_scaled(&mut image, -coupling, previous);
        let diagonal = dot(vector, &image);
        add_scaled(&mut image, -diagonal, vector);
        (image, diagonal, length)
    }

    /// Sums of the vectors of the iteration with these coefficients.
    fn combinations<const N: usize>(&mut self, coefficients: [&[f64]; N]) -> [Vec<f64>; N] {
        let most = coefficients.iter().map(|c| c.len()).max().unwrap_or(0);
        let mut out: [Vec<f64>; N] = std::array::from_fn(|_| vec![0.0; self.start.len()]);
        let known = self.kept.len();
        for (sum, c) in out.iter_mut().zip(&coefficients) {
            add_combination(sum, c, &self.kept[..known.min(c.len())]);
        }
        let mut add = |k: usize, vector: &[f64]| {
            for (sum, c) in out.iter_mut().zip(&coefficients) {
                c.get(k).into_iter().for_each(|&c| add_scaled(sum, c, vector));
            }
        };
        let mut vector = self.start.clone();
        if known == 0 && most > 0 {
            add(0, &vector);
        }
        let mut previous = Vec::new();
        if let [.., before, last] = self.kept.as_slice() {
            (previous, vector) = (before.clone(), last.clone());
        }
        for k in known.max(1)..most {
            self.applications += 1;
            let (image, ..) = self.step(&previous, self.projected.coupling(k - 1), &vector);
            previous = std::mem::replace(&mut vector, scale_vector(image, 1.0 / self.projected.coupling(k)));
            add(k, &vector);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;
    use crate::random::Stream;

    #[test]
    fn extremes_agree_with_the_dense_eigenvalues() {
        for n in [1, 2, 10, 200] {
            let a = Stream::new(n as u64, 1).normal_matrix(n, n);
            let a = &a + &a.transpose();
            let dense = super::super::symmetric_eigenvalues(&a).unwrap();
            let start = Stream::new(4, 0).normal_vector(n);
            let pairs = extreme_eigenpairs(&a, [End::Smallest, End::Largest], 1e-11, 3000, start);
            for (found, expected) in pairs.iter().zip([dense[0], dense[n - 1]]) {
                assert!(found.converged, "{n} {found:?}");
                assert!((found.value - expected).abs() < 1e-9 * found.scale, "{n}: {} {expected}", found.value);
            }
        }
    }

    #[test]
    fn lanczos_stops_on_an_invariant_space() {
        let a = Matrix::from_diagonal(100, 100, &[1.0; 100]);
        let smallest = |a: &Matrix| {
            let start = Stream::new(4, 0).normal_vector(a.ncols());
            let [found] = extreme_eigenpairs(a, [End::Smallest], 1e-10, 1000, start);
            found
        };
        let found = smallest(&a);
        assert!(found.converged && (found.value - 1.0).abs() < 1e-14 && found.applications <= 2);
        assert_eq!(smallest(&Matrix::zeros(5, 5)).value, 0.0);
    }

    #[test]
    fn vectors_that_are_not_kept_are_found_again() {
        let a = Stream::new(6, 1).normal_matrix(90, 90);
        let a = &a + &a.transpose();
        let start = Stream::new(4, 0).normal_vector(90);
        let sum = |most_kept: usize| {
            let mut lanczos = Lanczos { most_kept, ..Lanczos::new(&a, start.clone()) };
            for _ in 0..4 {
                let _ = lanczos.extend(100);
            }
            let coefficients = Stream::new(5, 0).normal_vector(lanczos.steps());
            (lanczos.combinations([&coefficients]), lanczos.applications - lanczos.steps())
        };
        let (all, none, some) = (sum(100), sum(0), sum(7));
        assert_eq!((&all.0, &all.0), (&none.0, &some.0));
        assert!(all.1 == 0 && none.1 == some.1 + 6, "{} {} {}", all.1, none.1, some.1);
    }
}
