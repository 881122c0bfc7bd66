//! `rankscape pyramid`: whether local minima of a pyramidal network are global.

use rankscape::InputError;
use rankscape::answers::{Answer, Pyramid, pyramid};
use rankscape::problem::Layers;
use rankscape_io::documents::{PyramidDocument, PyramidInputs};
use rankscape_io::report::pyramid_text;
use rankscape_io::{PointFiles, square_loss};

use crate::input::tolerances;
use crate::map_arguments::PyramidOptions;
use crate::predictor::activations;
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &PyramidOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let activations = activations(&options.activations)?;
    let spec = options.loss.read()?.map_or_else(square_loss, Ok)?;
    let files = PointFiles {
        weights: Some(options.weights.clone()),
        reading: options.reading.weight_options(),
        data: options.data.files(run),
    };
    let read = files.read_network(&spec)?;
    let weights = &read.weights;
    let layers = match &weights.exact {
        Some(exact) => Layers::Exact(exact.clone()),
        None => Layers::Stored { matrices: weights.matrices.clone(), unit_roundoff: weights.unit_roundoff },
    };
    let given = Pyramid {
        layers: &layers,
        activations: &activations,
        data: &read.data,
        has_target: read.has_target,
        tolerances: &tolerances,
    };
    let found = pyramid(&given).map_err(|error| match error.array.as_deref() {
        Some("--activations") => error,
        _ => files.name_file(error),
    })?;
    let inputs = PyramidInputs {
        activations: activations.iter().map(ToString::to_string).collect(),
        loss: spec.name(),
        weights_digest: weights.digest.clone(),
        data_digest: read.data_digest.clone(),
        seed: run.seed(),
        tolerances,
        notes: read.notes.clone(),
    };
    run.finish(PyramidDocument::new(&found, &inputs), pyramid_text, code_of(found.is_undecided()))
}
