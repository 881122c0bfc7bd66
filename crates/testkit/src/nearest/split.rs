//! A point next to a captured projection as that projection and spare blocks.

use super::cuts::Spares;
use super::frame::{Frame, kernel};
use crate::grid::Dense;

/// Captured factors and spare blocks of the factors of a frame. With any spare blocks whose long composites vanish,
/// [`Split::assemble`] gives a critical point.
#[derive(Debug, Clone)]
pub(super) struct Split {
    /// `h` factors whose product is the captured projection, of rank `e` each.
    captured: Vec<Dense>,
    /// Bases of the spare spaces of nodes `0..=h`, as columns.
    spare: Vec<Dense>,
    /// Their dual bases, as rows that vanish on the captured spaces.
    dual: Vec<Dense>,
    /// Images of the captured directions in the inner nodes.
    images: Vec<Dense>,
    /// The spare blocks of the point itself.
    pub spares: Spares,
}

impl Split {
    /// `None` if the product of the factors is singular on the captured directions.
    pub(super) fn new(frame: &Frame, captured: &[usize]) -> Option<Self> {
        let widths = frame.widths();
        let (factors, h, e) = (&frame.factors, frame.factors.len(), captured.len());
        let coordinates = |n: usize, picked: &[usize]| Dense::identity(n).columns(picked);
        let omitted = |n: usize| (0..n).filter(|i| !captured.contains(i)).collect::<Vec<_>>();
        let (first, last) = (coordinates(widths[0], captured), coordinates(widths[h], captured));

        let mut images = vec![first.clone()];
        let mut readings = vec![last.transpose()];
        for k in 0..h {
            images.push(factors[k].matmul(&images[k]));
            readings.push(readings[k].matmul(&factors[h - 1 - k]));
        }
        readings.reverse();
        let inverse = last.transpose().matmul(&images[h]).inverse()?;
        let kept: Vec<f64> = captured.iter().map(|&i| frame.values[i]).collect();
        let scaled = inverse.matmul(&Dense::diagonal(e, e, &kept)).matmul(&first.transpose());
        let part = |k: usize| {
            let image = if k + 1 == h { last.clone() } else { images[k + 1].clone() };
            match (k == 0, k + 1 == h) {
                (true, true) => image.matmul(&Dense::diagonal(e, e, &kept)).matmul(&first.transpose()),
                (true, false) => image.matmul(&scaled),
                (false, true) => image.matmul(&readings[k]),
                (false, false) => image.matmul(&inverse).matmul(&readings[k]),
            }
        };
        let parts = (0..h).map(part).collect();

        let inner = 1..h;
        images = inner.clone().map(|k| images[k].clone()).collect();
        let mut spare = vec![coordinates(widths[0], &omitted(widths[0]))];
        spare.extend(inner.clone().map(|k| kernel(&readings[k], widths[k] - e)));
        spare.push(coordinates(widths[h], &omitted(widths[h])));
        let mut dual = vec![spare[0].transpose()];
        for k in inner {
            let both = images[k - 1].beside(&spare[k]).inverse()?.transpose();
            dual.push(both.columns(&(e..widths[k]).collect::<Vec<_>>()).transpose());
        }
        dual.push(spare[h].transpose());

        let place = |n: usize| omitted(n).into_iter().filter(|&i| i < frame.values.len()).collect::<Vec<_>>();
        let left_out: Vec<f64> = place(frame.values.len()).iter().map(|&i| frame.values[i]).collect();
        let mut arrows = vec![Dense::diagonal(widths[0] - e, widths[h] - e, &left_out)];
        arrows.extend((0..h).map(|k| dual[k + 1].matmul(&factors[k]).matmul(&spare[k])));
        let largest = arrows.iter().chain(factors).map(Dense::norm).fold(0.0, f64::max);
        let spares = Spares { arrows, rounding: 1e-13 * largest };
        Some(Self { captured: parts, spare, dual, images, spares })
    }

    /// The factors with other spare blocks.
    pub(super) fn assemble(&self, spares: &Spares) -> Vec<Dense> {
        let part = |k: usize| self.spare[k + 1].matmul(&spares.arrows[k + 1]).matmul(&self.dual[k]);
        (0..self.captured.len()).map(|k| self.captured[k].add(&part(k))).collect()
    }

    /// Bases of the inner nodes in which captured and spare directions, strong and weak ones, are apart.
    pub(super) fn bases(&self, spares: &Spares) -> Vec<Dense> {
        let inner = self.spare.len() - 1;
        super::carry::bases(&self.images, &self.spare[1..inner], &spares.arrows)
    }
}
