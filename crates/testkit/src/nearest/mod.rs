//! The nearest critical points of the square loss, class by class: a slow search whose every answer is a critical point.
//!
//! Two facts carry it. Beside a captured part a point is a list of spare blocks, and it is critical iff all composites
//! of `h` arrows of a cycle vanish; so cutting composites of the given point at random places until all of them vanish
//! gives critical points near it (`cuts`, `split`). And the symmetries of the critical set move a critical point without
//! leaving its class; so walking along them towards the given point (`carry`) only shortens the distance. No
//! tolerance decides what is critical: the answers are upper bounds of the true distances, and with enough starts good
//! ones.
//!
//! Classes follow from the construction. In a rung that does not capture the largest values every critical point is a
//! strict saddle; where it does, and captures as much as the widths allow, a global minimum. In every other rung the
//! non-strict saddles are those whose pivots are all tightened, which are more composites that vanish; they are limits
//! of strict saddles, so the distance to these is that to all critical points of the rung.
//!
//! Biases are not treated.

mod carry;
mod cuts;
mod frame;
mod ridge;
mod split;

use crate::grid::Dense;
use crate::jacobi;
use crate::planted::Class;
use crate::random::Draw;
use crate::reference::Network;

use carry::Walk;
use cuts::Spares;
use frame::Frame;
use split::Split;

/// How long to search.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Random cuts for each rung and class.
    pub cuts: usize,
    /// How many of them, nearest first, are moved along the symmetries.
    pub walks: usize,
    /// How often this is repeated from a start disturbed by the best distance so far.
    pub rounds: usize,
    /// Singular values of the target up to this, relative to the largest, are zero.
    pub negligible: f64,
}

impl Effort {
    /// For thousands of small cases.
    pub const SMALL: Self = Self { cuts: 40, walks: 4, rounds: 1, negligible: 1e-11 };
}

/// The nearest critical point found of one class.
#[derive(Debug, Clone)]
pub struct Found {
    /// Class of the point; for `StrictSaddle` a limit of strict saddles.
    pub class: Class,
    /// 1-based indices of the captured singular values.
    pub captured: Vec<usize>,
    /// `||theta - theta*||_F / ||theta||_F`; for rank 0 no layer counts less than its natural size in the denominator.
    pub distance: f64,
    /// The weights of the point.
    pub weights: Vec<Dense>,
}

/// The nearest critical points found of the rungs next to the product, at most one for each rung and class. Empty if
/// the data are zero.
pub fn nearest(network: &Network<f64>, effort: Effort, draw: &mut Draw) -> Vec<Found> {
    let Some(frame) = Frame::new(network, &network.weights, effort.negligible) else { return Vec::new() };
    let mut found = Vec::new();
    for captured in frame.rungs() {
        for class in classes(&frame, &captured) {
            let search = Search { network, frame: &frame, captured: &captured, class };
            found.extend(search.run(effort, draw));
        }
    }
    found
}

/// Moves a critical point, which keeps its class, as near to `network` as its symmetries allow, and says how near.
/// `rank` is that of its product. `None` if the data are zero.
pub fn carried(network: &Network<f64>, critical: &[Dense], rank: usize, negligible: f64) -> Option<f64> {
    let frame = Frame::new(network, critical, negligible)?;
    let point = frame.enter(network, critical);
    let aligned = Network::new(critical.to_vec(), network.x.clone(), network.y.clone());
    let there = Frame::new(&aligned, critical, negligible)?;
    let captured: Vec<usize> = (0..there.shares.len()).filter(|&i| there.shares[i] > 0.5).collect();
    let split = Split::new(&there, &captured)?;
    let mut walk = Walk::new(&frame, &captured, point);
    walk.go(&split.bases(&split.spares));
    Some(walk.distance / size(network, rank))
}

/// `||theta - theta*||_F / ||theta||_F` between the weights of `network` and others; where theirs have a product of rank
/// 0, no layer of `network` counts less than its natural size in the denominator.
pub fn distance(network: &Network<f64>, weights: &[Dense], rank: usize) -> f64 {
    let pairs = network.weights.iter().zip(weights);
    pairs.map(|(a, b)| a.sub(b).norm().powi(2)).sum::<f64>().sqrt() / size(network, rank)
}

/// `||Z S_x^{-1}||_2^(1/h)` = `||Y X^+||_2^(1/h)`, the natural size of a layer.
pub fn layer_scale(network: &Network<f64>) -> f64 {
    let (scales, inputs) = jacobi::right_singular(&network.x.transpose());
    let inverse: Vec<f64> = scales.iter().map(|&s| if s > 1e-10 * scales[0] { s.powi(-2) } else { 0.0 }).collect();
    let inverse = Dense::diagonal(scales.len(), scales.len(), &inverse);
    let regression = network.y.matmul(&network.x.transpose()).matmul(&inputs).matmul(&inverse);
    jacobi::singular_values(&regression)[0].powf(1.0 / network.weights.len() as f64)
}

fn size(network: &Network<f64>, rank: usize) -> f64 {
    let least = if rank == 0 { layer_scale(network) } else { 0.0 };
    network.weights.iter().map(|weight| weight.norm().max(least).powi(2)).sum::<f64>().sqrt()
}

/// The classes that critical points of a rung can have.
fn classes(frame: &Frame, captured: &[usize]) -> Vec<Class> {
    let values = &frame.values;
    let kept = captured.iter().map(|&i| frame.blocks[i]).max();
    let omitted = (0..values.len()).find(|i| !captured.contains(i)).map(|i| frame.blocks[i]);
    let is_top = kept.is_none_or(|kept| omitted.is_none_or(|omitted| kept <= omitted));
    let full = captured.len() == values.len() || captured.len() == frame.smallest_width();
    match (is_top, full, frame.factors.len()) {
        (true, true, _) => vec![Class::GlobalMinimum],
        (_, _, 1) => Vec::new(),
        (true, false, 3..) => vec![Class::StrictSaddle, Class::NonStrictSaddle],
        _ => vec![Class::StrictSaddle],
    }
}

/// The search in one rung for one class.
struct Search<'a> {
    network: &'a Network<f64>,
    frame: &'a Frame,
    captured: &'a [usize],
    class: Class,
}

impl Search<'_> {
    fn run(&self, effort: Effort, draw: &mut Draw) -> Option<Found> {
        let mut best: Option<Walk> = None;
        for round in 0..effort.rounds {
            let mut start = self.frame.clone();
            if let Some(walk) = best.as_ref().filter(|_| round > 0) {
                disturb(&mut start, walk.distance, draw);
            }
            let walks = self.walks(&start, effort, draw);
            best = walks.into_iter().chain(best).min_by(|a, b| a.distance.total_cmp(&b.distance));
        }
        best.map(|walk| Found {
            class: self.class,
            captured: self.captured.iter().map(|i| i + 1).collect(),
            distance: walk.distance / size(self.network, self.captured.len()),
            weights: walk.weights(self.network),
        })
    }

    /// Walks from random cuts of `start`.
    fn walks(&self, start: &Frame, effort: Effort, draw: &mut Draw) -> Vec<Walk> {
        let Some(split) = Split::new(start, self.captured) else { return Vec::new() };
        let depth = self.frame.factors.len();
        let requirements = match self.class {
            Class::NonStrictSaddle => cuts::non_strict(depth),
            _ => cuts::critical(depth),
        };
        let mut starts: Vec<(Walk, Spares)> = Vec::new();
        for _ in 0..effort.cuts {
            let cut = split.spares.cut(&requirements, draw);
            starts.extend(cut.map(|cut| (Walk::new(self.frame, self.captured, split.assemble(&cut)), cut)));
        }
        starts.sort_by(|a, b| a.0.distance.total_cmp(&b.0.distance));
        starts.dedup_by(|a, b| a.0.distance <= b.0.distance * (1.0 + 1e-9));
        starts.truncate(effort.walks);
        for (walk, cut) in &mut starts {
            walk.go(&split.bases(cut));
        }
        starts.into_iter().map(|(walk, _)| walk).collect()
    }
}

/// Adds noise of the given Frobenius norm.
fn disturb(frame: &mut Frame, size: f64, draw: &mut Draw) {
    let noise: Vec<Dense> = frame.factors.iter().map(|f| Dense::draw(draw, f.rows(), f.cols())).collect();
    let norm = noise.iter().map(|n| n.norm().powi(2)).sum::<f64>().sqrt();
    for (factor, noise) in frame.factors.iter_mut().zip(&noise) {
        *factor = factor.add(&noise.scale(&(size / norm)));
    }
}
