//! Data with widths: what a landscape is made of, without a point.

use super::Problem;
use super::data::{Data, WhitenedData};
use crate::architecture::Architecture;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::tolerance::Tolerances;

/// The loss landscape of data and widths.
#[derive(Debug, Clone)]
pub struct Landscape {
    architecture: Architecture,
    data: WhitenedData,
    /// Parameters that the loss does not depend on: biases of inner layers.
    free: usize,
    tolerances: Tolerances,
}

impl Landscape {
    /// Of data and the widths of a network without biases.
    ///
    /// # Errors
    /// If the output metric is not symmetric positive definite or does not fit the outputs.
    pub fn new(
        architecture: Architecture,
        data: &Data,
        output_metric: Option<&Matrix>,
        tolerances: &Tolerances,
    ) -> Result<Self> {
        let data = data.whiten(output_metric, tolerances)?;
        Ok(Self { architecture, data, free: 0, tolerances: *tolerances })
    }

    /// The widths of the problem that is analysed: a first-layer bias counts as one more input.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The data.
    pub fn data(&self) -> &WhitenedData {
        &self.data
    }

    /// Parameters that the loss does not depend on: biases of inner layers.
    pub fn free_parameters(&self) -> usize {
        self.free
    }

    /// The tolerances.
    pub fn tolerances(&self) -> &Tolerances {
        &self.tolerances
    }
}

impl From<&Problem> for Landscape {
    /// The landscape in which the point of a problem lies.
    fn from(problem: &Problem) -> Self {
        Self {
            architecture: problem.factors().architecture().clone(),
            data: problem.data().clone(),
            free: problem.free_biases(),
            tolerances: *problem.tolerances(),
        }
    }
}
