//! `rankscape predictor`: the rank of the Jacobian of predictions.

use rankscape::InputError;
use rankscape::answers::{Answer, MapKind, PredictorRequest, predictor};
use rankscape::parametrization::{Activation, Filters};
use rankscape::problem::Layers;
use rankscape_io::documents::{MapName as MapWord, PredictorDocument, PredictorInputs};
use rankscape_io::report::predictor_text;
use rankscape_io::{MapFiles, PointFiles, Shapes, square_loss};

use crate::input::tolerances;
use crate::map_arguments::{MapName, PredictorOptions};
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &PredictorOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    options.check()?;
    let files = MapFiles {
        files: PointFiles {
            weights: Some(options.weights.clone()),
            reading: options.reading.weight_options(),
            data: options.data.files(run),
        },
        shapes: options.shapes(),
        keep_samples: options.map == MapName::Pyramidal,
    };
    let read = files.read(&square_loss()?)?;
    read.check(&tolerances)?;
    let weights = &read.weights;
    let map = options.kind(weights.depth())?;
    let layers = match &weights.exact {
        Some(exact) => Layers::Exact(exact.clone()),
        None => Layers::Stored { matrices: weights.matrices.clone(), unit_roundoff: weights.unit_roundoff },
    };
    let request = PredictorRequest { map, layers, data: read.data.clone(), seed: run.seed(), tolerances };
    let named = |error: InputError| match error.array.as_deref() {
        Some("data") => error.file(options.data.data.clone().unwrap_or_default()),
        Some("--strides" | "--activations") => error,
        _ => error.file(&options.weights),
    };
    let found = predictor(&request).map_err(named)?;
    let inputs = PredictorInputs {
        map: options.word(),
        weights_digest: read.weights.digest.clone(),
        data_digest: read.data_digest.clone(),
        seed: run.seed(),
        tolerances,
        notes: read.notes.clone(),
    };
    run.finish(PredictorDocument::new(&found, &inputs), predictor_text, code_of(found.is_undecided()))
}

/// Activations by their names.
pub(crate) fn activations(names: &[String]) -> Result<Vec<Activation>, InputError> {
    let known = |name: &String| {
        Activation::from_name(name.trim()).ok_or_else(|| {
            InputError::new("there is no activation of this name")
                .array("--activations")
                .value(name)
                .hint(format!("the names are {}, and leaky_relu_SLOPE", Activation::NAMES.join(", ")))
        })
    };
    names.iter().map(known).collect()
}

impl PredictorOptions {
    fn word(&self) -> MapWord {
        match self.map {
            MapName::Linear => MapWord::Linear,
            MapName::Normalized => MapWord::Normalized,
            MapName::Pyramidal => MapWord::Pyramidal,
            MapName::Convolutional => MapWord::Convolutional,
            MapName::Circulant => MapWord::Circulant,
            MapName::SkipResidual => MapWord::SkipResidual,
            MapName::SkipIdentityPlusProduct => MapWord::SkipIdentityPlusProduct,
            MapName::SkipProductPlusMatrix => MapWord::SkipProductPlusMatrix,
        }
    }

    fn shapes(&self) -> Shapes {
        match self.map {
            MapName::Convolutional | MapName::Circulant | MapName::SkipProductPlusMatrix => Shapes::Blocks,
            _ => Shapes::Chained,
        }
    }

    /// Options that say nothing of this map are refused.
    fn check(&self) -> Result<(), InputError> {
        let filters = [MapName::Convolutional, MapName::Circulant].contains(&self.map);
        let idle = [
            ("--size", self.size.is_some() && !filters, "only filters have a size of their own"),
            (
                "--strides",
                self.strides.is_some() && self.map != MapName::Convolutional,
                "it is for --map convolutional",
            ),
            (
                "--activations",
                self.activations.is_some() && self.map != MapName::Pyramidal,
                "it is for --map pyramidal",
            ),
            ("--output-metric", self.data.output_metric.is_some(), "predictions have no metric"),
        ];
        if let Some((option, _, why)) = idle.into_iter().find(|(_, is_idle, _)| *is_idle) {
            return Err(InputError::new(format!("{option} does nothing here: {why}")).hint("leave it out"));
        }
        if self.map == MapName::Pyramidal && self.activations.is_none() {
            return Err(InputError::new("a pyramidal map has an activation after every layer")
                .array("--activations")
                .hint("give --activations a,b,..., one a layer, identity for none"));
        }
        Ok(())
    }

    fn kind(&self, depth: usize) -> Result<MapKind, InputError> {
        Ok(match self.map {
            MapName::Linear => MapKind::Linear,
            MapName::Normalized => MapKind::Normalized,
            MapName::Pyramidal => MapKind::Pyramidal(activations(self.activations.as_deref().unwrap_or_default())?),
            MapName::Convolutional => {
                let strides = self.strides.clone().unwrap_or_else(|| vec![1; depth]);
                MapKind::Filters(Filters::Convolutional(strides), self.size)
            }
            MapName::Circulant => MapKind::Filters(Filters::Circulant, self.size),
            MapName::SkipResidual => MapKind::Residual,
            MapName::SkipIdentityPlusProduct => MapKind::IdentityPlusProduct,
            MapName::SkipProductPlusMatrix => MapKind::ProductPlusMatrix,
        })
    }
}
