//! A network with activations, its data and its loss.

use crate::parametrization::Activation;
use crate::problem::{Layers, LossData};
use crate::tolerance::Tolerances;

/// A network with its data.
#[derive(Debug, Clone)]
pub struct Pyramid<'a> {
    /// The layers.
    pub layers: &'a Layers,
    /// One activation a layer, the last included.
    pub activations: &'a [Activation],
    /// The samples with the loss.
    pub data: &'a LossData,
    /// The targets are those of the loss, and not left out.
    pub has_target: bool,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
}
