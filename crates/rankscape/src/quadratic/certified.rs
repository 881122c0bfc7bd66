//! A growing set of distinct certified critical points of one real loss.

use num_traits::Zero;

use super::chart::{in_pivot_chart, product};
use super::family::Family;
use super::kernel::{Shape, add_product};
use super::loss::QuadraticLoss;
use crate::homotopy::{Enclosure, Krawczyk, Point, enclose, enclose_in_double_double};
use crate::linalg::scalar::{Ball, C64, Complex, Ring};
use crate::tolerance::Tolerances;

/// A certified critical point: its polydisc and an enclosure of its matrix.
#[derive(Debug, Clone)]
pub(super) struct Certified {
    pub(super) enclosure: Enclosure,
    pub(super) w: Vec<Ball<f64>>,
}

/// Distinct certified critical points, found so far.
pub(super) struct CertifiedSet<'a> {
    loss: &'a QuadraticLoss,
    /// The critical points of `loss`, with its coefficients as enclosures.
    family: Family,
    tolerances: &'a Tolerances,
    pub(super) points: Vec<Certified>,
    /// One coordinate of every point and its index, sorted: only neighbours need comparing.
    keys: Vec<(f64, f64, usize)>,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    New,
    Known,
    Uncertified,
}

impl<'a> CertifiedSet<'a> {
    pub(super) fn new(loss: &'a QuadraticLoss, tolerances: &'a Tolerances) -> Self {
        Self { loss, family: loss.enclosed(), tolerances, points: Vec::new(), keys: Vec::new() }
    }

    /// Certifies the endpoints of paths, first in double precision, then the rest in double-double.
    pub(super) fn admit(&mut self, endpoints: &[Point]) -> Vec<Admission> {
        let shape = self.loss.shape;
        let candidates: Vec<Point> =
            endpoints.iter().map(|point| self.candidate(in_pivot_chart(shape, point))).collect();
        let enclosures = enclose(&self.family, &candidates);
        let mut out = Vec::with_capacity(endpoints.len());
        for (endpoint, enclosure) in endpoints.iter().zip(enclosures) {
            let admission = self.insert(enclosure);
            out.push(if admission == Admission::Uncertified { self.retry(endpoint) } else { admission });
        }
        out
    }

    /// A nearly real point becomes real: if the certificate then fails, the complex one is tried.
    fn candidate(&self, mut point: Point) -> Point {
        let shape = self.loss.shape;
        let (xi, y) = point.x.split_at(shape.slopes());
        let largest = |list: &[C64], floor: f64| list.iter().fold(floor, |acc: f64, z| acc.max(z.norm_one()));
        let imaginary = |list: &[C64]| list.iter().fold(0.0f64, |acc, z| acc.max(z.im.abs()));
        let limit = self.tolerances.real_candidate;
        if imaginary(xi) <= limit * largest(xi, 1.0) && imaginary(y) <= limit * largest(y, 0.0) {
            point.x.iter_mut().for_each(|z| z.im = 0.0);
        }
        point
    }

    fn retry(&mut self, endpoint: &Point) -> Admission {
        let point = in_pivot_chart(self.loss.shape, endpoint);
        let real = self.candidate(point.clone());
        for candidate in [real, point] {
            for enclosure in enclose_in_double_double(&self.family, &[candidate]) {
                let admission = self.insert(enclosure);
                if admission != Admission::Uncertified {
                    return admission;
                }
            }
        }
        Admission::Uncertified
    }

    /// Adds what conjugation gives for free: the loss is real, so the mirror image of a certificate is one.
    pub(super) fn close_under_conjugation(&mut self) {
        for index in 0..self.points.len() {
            if !self.points[index].enclosure.is_real {
                let mut mirrored = self.points[index].enclosure.clone();
                mirrored.point.x.iter_mut().for_each(|z| *z = z.conjugate());
                self.insert(mirrored);
            }
        }
    }

    fn insert(&mut self, enclosure: Enclosure) -> Admission {
        if enclosure.krawczyk == Krawczyk::Failed {
            return Admission::Uncertified;
        }
        let Some(w) = self.matrix(&enclosure) else { return Admission::Uncertified };
        // A point that is not on the real axis must be proved off it.
        if !enclosure.is_real && !w.iter().any(|ball| ball.mid.im.abs() > ball.radius) {
            return Admission::Uncertified;
        }
        let key = (0..w.len()).fold(Ball::zero(), |sum, i| {
            let weight = C64::new((1.3 + 0.7 * i as f64).sin(), (0.4 + 1.1 * i as f64).cos());
            sum.add_product(w[i], Ball::point(weight))
        });
        let (centre, radius) = (key.mid.re, key.radius);
        let widest = self.keys.iter().fold(0.0f64, |acc, entry| acc.max(entry.1));
        let reach = (radius + widest) * 1.01;
        let from = self.keys.partition_point(|entry| entry.0 < centre - reach);
        let near = self.keys[from..].iter().take_while(|entry| entry.0 <= centre + reach);
        if near.into_iter().any(|entry| !disjoint(&self.points[entry.2].w, &w)) {
            return Admission::Known;
        }
        let at = self.keys.partition_point(|entry| entry.0 < centre);
        self.keys.insert(at, (centre, radius, self.points.len()));
        self.points.push(Certified { enclosure, w });
        Admission::New
    }

    /// Enclosure of `W`, or `None` if rank `r` is not proved.
    fn matrix(&self, enclosure: &Enclosure) -> Option<Vec<Ball<f64>>> {
        let shape = self.loss.shape;
        let Shape { m, n, r } = shape;
        let chart: Vec<Ball<f64>> = enclosure.point.chart.iter().map(|&z| Ball::point(z)).collect();
        let at: Vec<Ball<f64>> = enclosure
            .point
            .x
            .iter()
            .zip(&enclosure.radius)
            .map(|(&z, &radius)| Ball::new(Complex::new(z.re, z.im), radius))
            .collect();
        let (xi, y) = at.split_at(shape.slopes());
        if !has_full_rank(y, r, n) {
            return None;
        }
        let mut x = chart[..m * r].to_vec();
        add_product(&chart[m * r..], xi, &mut x, (m, m - r, r));
        let mut w = vec![Ball::zero(); m * n];
        add_product(&x, y, &mut w, (m, r, n));
        Some(w)
    }

    /// `W` at the centre of a polydisc, row by row.
    pub(super) fn centre(&self, certified: &Certified) -> Vec<C64> {
        product(self.loss.shape, &certified.enclosure.point)
    }
}

fn disjoint(a: &[Ball<f64>], b: &[Ball<f64>]) -> bool {
    a.iter().zip(b).any(|(a, b)| {
        let apart = (a.mid.re - b.mid.re).abs().max((a.mid.im - b.mid.im).abs());
        apart * (1.0 - 1e-15) > (a.radius + b.radius) * (1.0 + 1e-15)
    })
}

/// Proves that every matrix in `y` (`r x n`) has rank `r`, by elimination with the largest pivot in every column set.
fn has_full_rank(y: &[Ball<f64>], r: usize, n: usize) -> bool {
    let mut work = y.to_vec();
    for k in 0..r {
        let size = |e: &usize| work[k * n + e].mid.norm_one();
        let Some(col) = (0..n).max_by(|a, b| size(a).total_cmp(&size(b))) else { return false };
        let pivot = work[k * n + col];
        // |re| + |im| overestimates the modulus by sqrt 2 at most.
        let excludes_zero = pivot.mid.norm_one() * 0.7 > pivot.radius;
        if !excludes_zero {
            return false;
        }
        for i in k + 1..r {
            // Fraction-free: row_i * pivot - row_k * entry; zero only where the determinant is.
            let entry = work[i * n + col];
            for j in 0..n {
                work[i * n + j] = work[i * n + j] * pivot - work[k * n + j] * entry;
            }
        }
    }
    true
}
