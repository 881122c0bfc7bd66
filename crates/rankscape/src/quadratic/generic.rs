//! Random complex losses with one known critical point, and loops through them.

use num_traits::Zero;

use super::chart::{complement, point, product};
use super::family::{ComplexLoss, Family};
use super::kernel::{Shape, add_product, dot, times_transpose};
use crate::homotopy::{Loops, Point};
use crate::linalg::scalar::C64;
use crate::random::Stream;

fn normal(stream: &mut Stream) -> C64 {
    C64::new(stream.normal(), stream.normal())
}

fn normals(stream: &mut Stream, len: usize) -> Vec<C64> {
    (0..len).map(|_| normal(stream)).collect()
}

/// Scales a list to a given largest `|re| + |im|`.
pub(super) fn scale_to(list: &mut [C64], largest: f64) {
    let size = list.iter().fold(0.0f64, |acc, z| acc.max(z.norm_one()));
    list.iter_mut().for_each(|z| *z = C64::new(z.re * largest / size, z.im * largest / size));
}

/// Size of the imaginary part of `phi` beside its real part. Anything but zero is generic; the nearer the start to real
/// metrics, the shorter the paths to them (26 steps a path at 0.2, 34 at 1), and at zero they meet the discriminant.
const IMAGINARY_SHARE: f64 = 0.2;

/// A complex symmetric form `phi' phi` with independent normal entries of `phi`, largest entry about one.
pub(super) fn random_form(shape: Shape, stream: &mut Stream) -> Vec<C64> {
    let entries = shape.entries();
    let phi: Vec<C64> =
        (0..entries * entries).map(|_| C64::new(stream.normal(), IMAGINARY_SHARE * stream.normal())).collect();
    let mut form = vec![C64::zero(); entries * entries];
    times_transpose(&phi, &phi, &mut form, (entries, entries, entries));
    scale_to(&mut form, 1.0);
    form
}

/// A random `b`, largest entry one.
pub(super) fn random_linear(shape: Shape, stream: &mut Stream) -> Vec<C64> {
    let mut linear = normals(stream, shape.entries());
    scale_to(&mut linear, 1.0);
    linear
}

/// A random rank-`r` point and the `b` that makes it critical for the given form: `b = A w - G` with `G` normal to the
/// rank-`r` matrices there.
pub(super) fn critical_by_construction(shape: Shape, form: Vec<C64>, stream: &mut Stream) -> (ComplexLoss, Point) {
    let Shape { m, n, r } = shape;
    let (x, y) = (normals(stream, m * r), normals(stream, r * n));
    let start = point(shape, &x, &y);
    let w = product(shape, &start);
    let transposed: Vec<C64> = (0..n * r).map(|e| y[(e % r) * n + e / r]).collect();
    let (left, right) = (complement(&x, m, r), complement(&transposed, n, r));
    let middle = normals(stream, (m - r) * (n - r));
    let mut half = vec![C64::zero(); m * (n - r)];
    add_product(&left, &middle, &mut half, (m, m - r, n - r));
    let mut normal = vec![C64::zero(); m * n];
    times_transpose(&half, &right, &mut normal, (m, n - r, n));
    let entries = m * n;
    let linear: Vec<C64> = (0..entries).map(|row| dot(-normal[row], &form[row * entries..][..entries], &w)).collect();
    // Solutions are linear in b: bring b to the size that instances are scaled to.
    let size = linear.iter().fold(0.0f64, |acc, z| acc.max(z.norm_one()));
    let shrink = |z: &C64| C64::new(z.re / size, z.im / size);
    let mut start = start;
    start.x[shape.slopes()..].iter_mut().for_each(|z| *z = shrink(z));
    (ComplexLoss { shape, form, linear: linear.iter().map(shrink).collect() }, start)
}

/// What the loops vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Varies {
    /// `A` and `b`.
    All,
    /// `b`.
    Linear,
}

/// A random `b` in the range of `A`.
pub(super) fn random_in_range(loss: &ComplexLoss, stream: &mut Stream) -> Vec<C64> {
    let any = random_linear(loss.shape, stream);
    let mut out: Vec<C64> = loss.form.chunks(any.len()).map(|row| dot(C64::zero(), row, &any)).collect();
    scale_to(&mut out, 1.0);
    out
}

/// Loops through a base loss: out to a random loss and back with another phase, which changes no critical point but the
/// path between them.
pub(super) struct RandomLoops {
    pub(super) base: ComplexLoss,
    pub(super) varies: Varies,
    pub(super) seed: u64,
}

impl Loops for RandomLoops {
    type Leg = Family;

    fn legs(&self, index: u64) -> Vec<Family> {
        let mut stream = Stream::new(self.seed, 1 + index);
        let shape = self.base.shape;
        let random = |stream: &mut Stream| {
            let all = self.varies == Varies::All;
            let form = if all { random_form(shape, stream) } else { self.base.form.clone() };
            ComplexLoss { shape, form, linear: random_linear(shape, stream) }
        };
        let stops = [random(&mut stream), random(&mut stream)];
        let mut turned = |loss: &ComplexLoss| loss.turned(std::f64::consts::TAU * stream.uniform());
        vec![
            Family::new(&self.base, &turned(&stops[0])),
            Family::new(&turned(&stops[0]), &stops[1]),
            Family::new(&turned(&stops[1]), &self.base),
        ]
    }

    fn invariant(&self, point: &Point) -> Vec<C64> {
        product(self.base.shape, point)
    }
}
