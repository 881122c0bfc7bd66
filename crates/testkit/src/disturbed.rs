//! Critical points with noise: the planted point bounds the distance to the nearest one from above.

use crate::grid::Dense;
use crate::nearest;
use crate::planted::{Class, Limits, Planted};
use crate::random::Draw;
use crate::reference::Network;

/// Most parameters of a case, so that dense references stay cheap.
const PARAMETERS: usize = 40;

/// A planted critical point and a point next to it.
#[derive(Debug, Clone)]
pub struct Disturbed {
    /// The critical point.
    pub planted: Planted<f64>,
    /// The point next to it, with the same data.
    pub network: Network<f64>,
    /// Norm of the noise relative to that of the weights; layers count with their natural size at least.
    pub noise: f64,
    /// Distance of the two, as [`nearest::distance`] has it.
    pub bound: f64,
}

impl Disturbed {
    /// Case `stream` of a seed: classes in turn, depth 2 to 5, every fourth one next to the zero product; the noise is
    /// log-uniform in `1e-8..1e-1`.
    pub fn draw(seed: u64, stream: u64) -> Self {
        let mut draw = Draw::new(seed, stream);
        let class = Class::ALL[(stream % 3) as usize];
        let limits = Limits { min_depth: 2, max_depth: 5, max_width: if stream.is_multiple_of(2) { 3 } else { 4 } };
        let zero_product = class != Class::GlobalMinimum && stream % 4 == 3;
        loop {
            let planted = Planted::draw_class(&mut draw, limits, class);
            let blueprint = &planted.blueprint;
            let empty = blueprint.spectrum().first().is_none_or(|&value| value == 0.0);
            let small = planted.network.parameters() <= PARAMETERS;
            if !empty && small && (!zero_product || blueprint.kept.is_empty()) {
                return Self::new(planted, &mut draw);
            }
        }
    }

    fn new(planted: Planted<f64>, draw: &mut Draw) -> Self {
        let noise = 10.0_f64.powf(-8.0 + 7.0 * draw.uniform());
        let clean = &planted.network;
        let natural = nearest::layer_scale(clean);
        let size = clean.weights.iter().map(|weight| weight.norm().max(natural).powi(2)).sum::<f64>().sqrt();
        let steps: Vec<Dense> = clean.weights.iter().map(|w| Dense::draw(draw, w.rows(), w.cols())).collect();
        let norm = steps.iter().map(|step| step.norm().powi(2)).sum::<f64>().sqrt();
        let mut network = clean.clone();
        for (weight, step) in network.weights.iter_mut().zip(&steps) {
            *weight = weight.add(&step.scale(&(noise * size / norm)));
        }
        let bound = nearest::distance(&network, &clean.weights, planted.rank);
        Self { planted, network, noise, bound }
    }
}
