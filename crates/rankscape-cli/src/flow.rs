//! `rankscape flow`: gradient flow and descent.

use std::sync::Arc;

use rankscape::InputError;
use rankscape::answers::{Answer, FlowRequest, Motion, follow};
use rankscape::architecture::Architecture;
use rankscape::flow::{Batches, StartKind, start};
use rankscape::linalg::Matrix;
use rankscape::loss::{Loss, QuadraticForm};
use rankscape::problem::{LossData, LossProblem};
use rankscape_io::documents::{FlowDocument, FlowInputs, Normalization};
use rankscape_io::loss::{LossOptions, LossSpec};
use rankscape_io::report::flow_text;
use rankscape_io::{PointFiles, WeightOptions, Weights, write_weights};

use crate::decay::weight_decay;
use crate::input::tolerances;
use crate::loss_arguments::{FlowOptions, Method, Start};
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &FlowOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let motion = options.motion(run.seed())?;
    let decay = weight_decay(options.weight_decay.as_deref())?.map_or(0.0, |decay| decay.strength());
    let tolerances = tolerances(&options.tolerances)?;
    let square = || LossSpec::read(&LossOptions { loss: "square".to_owned(), ..LossOptions::default() });
    let spec = options.loss.read()?.map_or_else(square, Ok)?;
    let files = PointFiles {
        weights: options.weights.clone(),
        reading: if options.weights.is_some() { options.reading.weight_options() } else { WeightOptions::default() },
        data: options.data.files(run),
    };
    let (problem, mut inputs) = match options.start {
        None => {
            let read = files.read_loss(&spec, &tolerances)?;
            let widths = read.problem.factors().architecture().widths().to_vec();
            let inputs = read.inputs(Normalization::Sum, run.seed());
            let inputs = FlowInputs::of_point(inputs, spec.name(), widths, motion, decay);
            (read.problem, inputs)
        }
        Some(kind) => {
            let architecture = Architecture::new(options.widths.clone().unwrap_or_default())?;
            let read = files.data.read_loss(&spec, architecture.widths())?;
            read.data.check_widths(&architecture)?;
            let kind = match kind {
                Start::Balanced => StartKind::Balanced,
                Start::Spectral => StartKind::Spectral,
                Start::Normal => StartKind::Normal,
            };
            let layers = start(kind, architecture.widths(), options.scale, &target(&read.data)?, run.seed())?;
            let inputs = FlowInputs {
                loss: spec.name(),
                widths: architecture.widths().to_vec(),
                decay,
                motion,
                weights_digest: String::new(),
                data_digest: read.digest,
                seed: run.seed(),
                tolerances,
                notes: read.notes,
            };
            (LossProblem::new(layers, Arc::clone(&read.data), &tolerances)?, inputs)
        }
    };
    let request = FlowRequest {
        motion,
        decay,
        until_gap: options.until_gap,
        levels: options.levels.clone(),
        samples: options.samples as usize,
    };
    let depth = problem.factors().depth();
    if options.save.is_some() {
        check_save(motion, problem.network().parameter_blocks().len() > depth)?;
    }
    let found = follow(&problem, &request)?;
    if let Some(path) = &options.save {
        write_weights(path, &Weights::from_matrices(found.trajectory.last.blocks.clone())?)?;
    }
    if decay > 0.0 {
        inputs.notes.push("all losses are with decay; biases do not decay".to_owned());
    }
    inputs.notes.extend(unstable(motion, found.stability_limit));
    run.finish(FlowDocument::new(&found, &inputs), flow_text, code_of(found.is_undecided()))
}

/// Weights alone are where a run goes on: there is no velocity, and biases have no file here.
fn check_save(motion: Motion, has_biases: bool) -> Result<(), InputError> {
    let refused = |why: &str| Err(InputError::new(format!("the end of this run is not saved: {why}")).array("--save"));
    match motion {
        Motion::Descent { momentum, .. } if momentum > 0.0 => {
            refused("a run with momentum does not go on from its weights alone")
        }
        _ if has_biases => refused("the weights have biases"),
        _ => Ok(()),
    }
}

/// Heavy-ball descent with momentum `m` stays at a curvature `k` with steps up to `2 (1 + m) / k`.
fn unstable(motion: Motion, limit: Option<f64>) -> Option<String> {
    let Motion::Descent { step, momentum, .. } = motion else { return None };
    let longest = limit? * (1.0 + momentum);
    (step > longest).then(|| {
        format!("a step of {step} is longer than {longest:.6}, the limit of stability at the balanced global minimum: the run cannot come to rest there")
    })
}

/// `Y X'`, whose singular vectors a spectral start has; of a softmax that of the classes.
fn target(data: &LossData) -> Result<Matrix, InputError> {
    let Some(QuadraticForm::Entries { target, .. }) = data.loss().quadratic_form() else {
        let zero = Matrix::zeros(data.outputs(), data.samples());
        let slopes = data.loss().gradient(&zero).scaled(-1.0);
        return Ok(data.inputs().map_or(slopes.clone(), |inputs| slopes.times_transpose(inputs)));
    };
    Ok(data.inputs().map_or(target.clone(), |inputs| target.times_transpose(inputs)))
}

impl FlowOptions {
    fn motion(&self, seed: u64) -> Result<Motion, InputError> {
        let idle = |given: bool, option: &str, why: &str| match given {
            true => Err(InputError::new(format!("{option} does nothing here: {why}")).hint("leave it out")),
            false => Ok(()),
        };
        if self.method == Method::Flow {
            let why = "gradient flow has no steps of its own; give --method gd";
            idle(self.step.is_some(), "--step", why)?;
            idle(self.steps.is_some(), "--steps", why)?;
            idle(self.momentum.is_some(), "--momentum", why)?;
            idle(self.batch.is_some(), "--batch", "give --method sgd")?;
            return Ok(Motion::Flow { until: self.until_time.unwrap_or(100.0) });
        }
        idle(self.until_time.is_some(), "--until-time", "gradient descent ends after --steps")?;
        idle(self.method == Method::Gd && self.momentum.is_some(), "--momentum", "give --method momentum")?;
        let stochastic = self.method == Method::Sgd;
        idle(!stochastic && self.batch.is_some(), "--batch", "give --method sgd")?;
        let step = self.step.ok_or_else(|| {
            InputError::new("gradient descent needs a learning rate").hint("give --step RATE, for the sum loss")
        })?;
        let momentum =
            if self.method == Method::Momentum { self.momentum.unwrap_or(0.9) } else { self.momentum.unwrap_or(0.0) };
        let batches = stochastic.then(|| Batches { size: self.batch.unwrap_or(32) as usize, seed });
        Ok(Motion::Descent { step, momentum, steps: self.steps.unwrap_or(1000), batches })
    }
}
