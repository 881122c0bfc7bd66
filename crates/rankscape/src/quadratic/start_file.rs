//! Start sets as bytes, and the small ones that ship with the library.
//!
//! All numbers little-endian: the magic `RKSTART1`; `m`, `n`, `r` and the count as u32; the seed as u64; `A` and `b` of the
//! generic loss as pairs of f64; every point as pairs of f32, `xi` then `Y` in the chart `X = [I; xi]`; the SHA-256 of all that.
//! Single precision is enough for points: following a path starts by Newton's method.

use num_traits::Zero;

use sha2::{Digest, Sha256};

use super::chart::factors;
use super::family::ComplexLoss;
use super::kernel::{Shape, add_product};
use super::start::{StartSet, expected_count};
use crate::error::{InputError, Result};
use crate::homotopy::{Point, TrackOptions, Workers};
use crate::linalg::scalar::{C64, Ring};

const MAGIC: &[u8; 8] = b"RKSTART1";
const DIGEST: usize = 32;

/// Rows, columns and rank; the file.
type Shipped = ((usize, usize, usize), &'static [u8]);

/// Start sets that ship with the library.
const SHIPPED: &[Shipped] = &[
    ((2, 2, 1), include_bytes!("../../data/start_2x2_r1.bin")),
    ((2, 3, 1), include_bytes!("../../data/start_2x3_r1.bin")),
    ((2, 4, 1), include_bytes!("../../data/start_2x4_r1.bin")),
    ((3, 3, 1), include_bytes!("../../data/start_3x3_r1.bin")),
    ((3, 3, 2), include_bytes!("../../data/start_3x3_r2.bin")),
    ((3, 4, 1), include_bytes!("../../data/start_3x4_r1.bin")),
    ((3, 4, 2), include_bytes!("../../data/start_3x4_r2.bin")),
    ((3, 5, 1), include_bytes!("../../data/start_3x5_r1.bin")),
    ((4, 4, 1), include_bytes!("../../data/start_4x4_r1.bin")),
    ((4, 4, 2), include_bytes!("../../data/start_4x4_r2.bin")),
    ((4, 4, 3), include_bytes!("../../data/start_4x4_r3.bin")),
];

impl StartSet {
    /// The set in the documented format.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Shape { m, n, r } = self.loss.shape;
        let mut out = MAGIC.to_vec();
        [m, n, r, self.points.len()].iter().for_each(|&x| out.extend((x as u32).to_le_bytes()));
        out.extend(self.seed.to_le_bytes());
        for z in self.loss.form.iter().chain(&self.loss.linear) {
            out.extend(z.re.to_le_bytes());
            out.extend(z.im.to_le_bytes());
        }
        for z in self.points.iter().flat_map(|point| in_first_rows(self.loss.shape, point)) {
            out.extend((z.re as f32).to_le_bytes());
            out.extend((z.im as f32).to_le_bytes());
        }
        let digest = Sha256::digest(&out);
        out.extend_from_slice(&digest);
        out
    }

    /// Reads the documented format.
    ///
    /// # Errors
    /// If the bytes are not a start set, are damaged or cut short, or hold another number of points than the generic ED degree.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let foreign = |problem: &str| InputError::new(problem).array("start").hint("make the start set anew");
        let body = bytes.len().checked_sub(DIGEST).filter(|&len| len >= 32).map(|len| &bytes[..len]);
        let body = body.filter(|body| body.starts_with(MAGIC)).ok_or_else(|| foreign("this is not a start set"))?;
        if Sha256::digest(body).as_slice() != &bytes[body.len()..] {
            return Err(foreign("the start set is damaged: its checksum does not match"));
        }
        let number = |at: usize| body[at..at + 4].iter().rev().fold(0usize, |acc, &byte| acc << 8 | usize::from(byte));
        let (m, n, r, count) = (number(8), number(12), number(16), number(20));
        let shape = Shape { m, n, r };
        let expected = expected_count(shape)?;
        let entries = m * n;
        let numbers = entries * entries + entries;
        if count != expected || m > n || body.len() != 32 + 16 * numbers + 8 * count * shape.dimension() {
            return Err(foreign("the start set does not have the size its header says"));
        }
        let seed = body[24..32].iter().rev().fold(0u64, |acc, &byte| acc << 8 | u64::from(byte));
        let (coefficients, points) = body[32..].split_at(16 * numbers);
        let doubles: Vec<C64> =
            coefficients.chunks_exact(16).map(|z| C64::new(double(&z[..8]), double(&z[8..]))).collect();
        let (form, linear) = doubles.split_at(entries * entries);
        let loss = ComplexLoss { shape, form: form.to_vec(), linear: linear.to_vec() };
        let points = points
            .chunks_exact(8 * shape.dimension())
            .map(|point| point.chunks_exact(8).map(|z| C64::new(single(&z[..4]), single(&z[4..]))).collect())
            .map(|x| Point { chart: first_rows_chart(shape), x })
            .collect();
        Ok(Self { loss, points, seed })
    }

    /// The start set of this shape that ships with the library, if there is one.
    pub fn shipped(shape: Shape) -> Option<Self> {
        let Shape { m, n, r } = shape;
        let bytes = SHIPPED.iter().find(|(sizes, _)| *sizes == (m, n, r)).map(|(_, bytes)| bytes)?;
        Self::from_bytes(bytes).ok()
    }

    /// A start set of this shape ships with the library.
    pub fn ships(shape: Shape) -> bool {
        SHIPPED.iter().any(|(sizes, _)| *sizes == (shape.m, shape.n, shape.r))
    }

    /// The shipped start set of this shape, or a new one.
    ///
    /// # Errors
    /// If the shape is out of range or has too many critical points.
    pub fn obtain(shape: Shape, seed: u64, tracking: &TrackOptions, workers: &Workers) -> Result<Self> {
        match Self::shipped(shape) {
            Some(set) => Ok(set),
            None => Ok(Self::generate(shape, seed, tracking, workers)?.0),
        }
    }
}

fn double(bytes: &[u8]) -> f64 {
    f64::from_bits(bytes.iter().rev().fold(0, |acc, &byte| acc << 8 | u64::from(byte)))
}

fn single(bytes: &[u8]) -> f64 {
    f64::from(f32::from_bits(bytes.iter().rev().fold(0, |acc, &byte| acc << 8 | u32::from(byte))))
}

/// The chart `X = [I; xi]`.
fn first_rows_chart(shape: Shape) -> Vec<C64> {
    let Shape { m, r, .. } = shape;
    let mut chart = vec![C64::zero(); m * m];
    (0..r).for_each(|a| chart[a * r + a].re = 1.0);
    (r..m).for_each(|i| chart[m * r + i * (m - r) + (i - r)].re = 1.0);
    chart
}

/// Coordinates in that chart; generic complex points have them.
fn in_first_rows(shape: Shape, point: &Point) -> Vec<C64> {
    let Shape { m, n, r } = shape;
    let (mut x, y) = factors(shape, &point.chart, &point.x);
    let mut new_y = vec![C64::zero(); r * n];
    add_product(&x[..r * r], &y, &mut new_y, (r, r, n));
    // Column operations that make the first r rows of X the identity.
    for a in 0..r {
        let best = (a..r).max_by(|&p, &q| x[a * r + p].norm_one().total_cmp(&x[a * r + q].norm_one())).unwrap_or(a);
        (0..m).for_each(|i| x.swap(i * r + a, i * r + best));
        let inverse = x[a * r + a].reciprocal();
        (0..m).for_each(|i| x[i * r + a] = x[i * r + a] * inverse);
        for other in (0..r).filter(|&b| b != a) {
            let factor = -x[a * r + other];
            (0..m).for_each(|i| x[i * r + other] = x[i * r + other].add_product(factor, x[i * r + a]));
        }
    }
    let mut out = x[r * r..].to_vec();
    out.extend(new_y);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tolerances;
    use crate::quadratic::chart::product;

    #[test]
    fn every_shipped_set_is_whole_and_critical() {
        for &((m, n, r), bytes) in SHIPPED {
            let set = StartSet::from_bytes(bytes).unwrap();
            assert_eq!(set.loss.shape, Shape { m, n, r });
            assert_eq!(set.points.len(), expected_count(set.loss.shape).unwrap());
        }
    }

    #[test]
    fn bytes_give_the_set_back_to_single_precision() {
        let tracking = TrackOptions::new(&Tolerances::default());
        let shape = Shape { m: 3, n: 3, r: 2 };
        let (set, _) = StartSet::generate(shape, 5, &tracking, &Workers::none()).unwrap();
        let read = StartSet::from_bytes(&set.to_bytes()).unwrap();
        assert_eq!((&read.loss, read.seed), (&set.loss, 5));
        for (a, b) in set.points.iter().zip(&read.points) {
            let (a, b) = (product(shape, a), product(shape, b));
            let size = a.iter().fold(0.0f64, |acc, z| acc.max(z.norm_one()));
            assert!(a.iter().zip(&b).all(|(&x, &y)| (x - y).norm_one() < 1e-4 * size));
        }
    }

    #[test]
    fn damaged_and_foreign_bytes_are_refused() {
        let (_, good) = SHIPPED[0];
        let mut damaged = good.to_vec();
        damaged[40] ^= 1;
        assert!(StartSet::from_bytes(&damaged).unwrap_err().to_string().contains("checksum"));
        assert!(StartSet::from_bytes(&good[..good.len() - 1]).is_err());
        assert!(StartSet::from_bytes(b"{}").is_err());
    }
}
