//! `rankscape diagnose`: reads weights and data, asks the library, prints the answer.

use std::time::Instant;

use rankscape::diagnosis::{Data, Parameters, Point, Settings, diagnose};
use rankscape::io::documents::{DiagnoseDocument, DiagnoseInputs, Normalization};
use rankscape::io::{
    Convention, SampleOptions, WeightOptions, Weights, read_matrix, read_samples, read_target, read_weights,
    write_weights,
};
use rankscape::report::diagnose_text;
use rankscape::{InputError, Tolerances};

use crate::arguments::{ConventionName, DiagnoseOptions, NormalizationName, Task};
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};

/// Shipped examples: name, weights, data, whether it is an autoencoder.
const EXAMPLES: [(&str, &str, bool); 7] = [
    ("digits", "plateau", true),
    ("digits-early", "early", true),
    ("digits-converged", "converged", true),
    ("digits-classifier", "classifier-plateau", false),
    ("digits-classifier-passing", "classifier-passing", false),
    ("digits-classifier-early", "classifier-early", false),
    ("digits-classifier-converged", "classifier-converged", false),
];

pub(crate) fn run(options: &DiagnoseOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let source = Source::new(options)?;
    let weights = read_weights(&source.weights, &weight_options(options))?;
    let (data, data_digest, mut notes) = read_data(options, &source, &weights)?;
    notes.extend(note_on_biases(&weights.biases));
    let output_metric = options.output_metric.as_ref().map(|path| read_matrix(path, "M")).transpose()?;
    let parameters = Parameters {
        matrices: weights.matrices.clone(),
        biases: weights.biases.clone(),
        exact: weights.exact.clone(),
        output_metric: output_metric.map(|metric| metric.matrix),
    };
    let named = |error: InputError| name_file(error, options, &source);
    let point = Point::new(parameters, data, &tolerances).map_err(named)?;
    let settings = Settings {
        unit_roundoff: weights.unit_roundoff,
        tolerances: &tolerances,
        seed: options.common.seed,
        threads: options.common.thread_count(),
    };
    let found = diagnose(&point, settings).map_err(named)?;
    if let Some(path) = &options.leave {
        let escape = found.escape.as_ref().ok_or_else(|| no_path(found.class.name()))?;
        let (matrices, biases) = point.parameters_at(&point.factors.moved(escape.t, &escape.direction));
        write_weights(path, &weights.with_parameters(matrices, biases)?)?;
    }
    let inputs = DiagnoseInputs {
        weights_digest: weights.digest.clone(),
        data_digest,
        samples: point.samples,
        data_rank: point.whitening.rank.rank,
        notes,
        normalization: normalization(options.normalization),
        seed: options.common.seed,
        tolerances,
    };
    let mut document = DiagnoseDocument::new(&found, &inputs);
    document.run = run_document(&options.common, started);
    let leave = options.leave.as_ref().map(|path| path.display().to_string());
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(&options.common, "diagnose.json", &document, diagnose_text(&document, leave.as_deref()), code)
}

/// Names the file that holds the array of an error about a whole problem.
fn name_file(error: InputError, options: &DiagnoseOptions, source: &Source) -> InputError {
    let path = match error.array.as_deref() {
        Some("output metric") => options.output_metric.as_ref().map(|path| path.display().to_string()),
        Some("data") => options.target.as_ref().map(|path| path.display().to_string()).or(source.data.clone()),
        _ => None,
    };
    error.file(path.unwrap_or_else(|| source.weights.clone()))
}

/// Where weights and data come from.
struct Source {
    weights: String,
    data: Option<String>,
    autoencoder: bool,
}

impl Source {
    fn new(options: &DiagnoseOptions) -> Result<Self, InputError> {
        let Some(name) = &options.example else {
            return Ok(Self {
                weights: options.weights.clone().unwrap_or_default(),
                data: options.data.clone(),
                autoencoder: options.task == Task::Autoencoder,
            });
        };
        let Some((_, file, autoencoder)) = EXAMPLES.iter().find(|(known, ..)| known == name) else {
            let names: Vec<&str> = EXAMPLES.iter().map(|example| example.0).collect();
            return Err(InputError::new("there is no example of this name")
                .value(name)
                .hint(format!("the examples are {}", names.join(", "))));
        };
        Ok(Self {
            weights: format!("example:digits/{file}.safetensors"),
            data: Some("example:digits/digits.npz".to_owned()),
            autoencoder: *autoencoder,
        })
    }
}

fn weight_options(options: &DiagnoseOptions) -> WeightOptions {
    WeightOptions {
        layers: options.layers.clone(),
        convention: match options.convention {
            ConventionName::Torch => Convention::Torch,
            ConventionName::Flax => Convention::Flax,
        },
    }
}

fn read_data(
    options: &DiagnoseOptions,
    source: &Source,
    weights: &Weights,
) -> Result<(Data, String, Vec<String>), InputError> {
    if let Some(path) = &options.target {
        let target = read_target(path)?;
        return Ok((Data::Target(target.matrix, target.exact), target.digest, Vec::new()));
    }
    let Some(data) = &source.data else {
        return Err(InputError::new("no data were given")
            .hint("give --data FILE with X and Y, --target FILE with a matrix, or --example digits"));
    };
    let widths = weights.widths();
    let samples = read_samples(
        data,
        &SampleOptions {
            expected: widths.first().copied().zip(widths.last().copied()),
            autoencoder: source.autoencoder,
            inputs: options.inputs,
            sample_weights: options.sample_weights.clone(),
            threads: options.common.thread_count(),
            ..SampleOptions::default()
        },
    )?;
    Ok((Data::Samples(Box::new(samples.factor), samples.exact), samples.digest, samples.notes))
}

/// What becomes of biases.
fn note_on_biases(biases: &[Option<Vec<f64>>]) -> Option<String> {
    let last = biases.iter().rposition(Option::is_some)?;
    let note = if last + 1 == biases.len() {
        "with the output bias, X and Y are centred; biases of other layers are flat directions at critical points"
    } else {
        "the bias of the first layer is the weight of a constant feature, which counts as one more input"
    };
    Some(note.to_owned())
}

pub(crate) fn tolerances(settings: &[String]) -> Result<Tolerances, InputError> {
    let mut tolerances = Tolerances::default();
    for setting in settings {
        let parsed = setting.split_once('=').and_then(|(name, value)| Some((name, value.trim().parse::<f64>().ok()?)));
        let (name, value) = parsed.ok_or_else(|| {
            InputError::new("a tolerance is given as NAME=VALUE").value(setting).hint("for example --tolerance rank=16")
        })?;
        tolerances.set(name.trim(), value)?;
    }
    Ok(tolerances)
}

fn normalization(name: NormalizationName) -> Normalization {
    match name {
        NormalizationName::Sum => Normalization::Sum,
        NormalizationName::Mean => Normalization::Mean,
        NormalizationName::Mse => Normalization::Mse,
    }
}

fn no_path(class: &str) -> InputError {
    let why = match class {
        "global_minimum" => "nothing is lower",
        "non_strict_saddle" => "its first decrease is of order 3 or more, which this version does not construct",
        _ => "the class is undecided",
    };
    InputError::new(format!("--leave has no path to follow: {why}")).value(format!("class {class}"))
}
