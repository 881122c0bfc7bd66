//! `rankscape critical`: reads data and widths, asks the library, prints the answer.

use std::time::Instant;

use rankscape::architecture::Architecture;
use rankscape::critical::Ladder;
use rankscape::diagnosis::{Parameters, Point, WhitenedData};
use rankscape::io::documents::{CriticalDocument, CriticalInputs};
use rankscape::io::{Weights, read_weights};
use rankscape::report::critical_text;
use rankscape::{InputError, Tolerances};

use crate::arguments::CriticalOptions;
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::{Source, normalization, note_on_biases, tolerances, weight_options};

pub(crate) fn run(options: &CriticalOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let (ladder, mut inputs) = read_ladder(options, &tolerances)?;
    inputs.most = options.max;
    inputs.graph = options.graph;
    let mut document = CriticalDocument::new(&ladder, &inputs);
    document.run = run_document(&options.common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    let text = critical_text(&document);
    finish(&options.common, "critical.json", &document, text, code)
}

/// The data with the widths that were given, those of the weights, or those of the example.
fn read_ladder(options: &CriticalOptions, tolerances: &Tolerances) -> Result<(Ladder, CriticalInputs), InputError> {
    let source = Source::new(options.example.as_deref(), options.weights.as_deref(), &options.data)?;
    let weights = match (&options.widths, &source.weights) {
        (Some(_), _) => None,
        (None, Some(file)) => Some(read_weights(file, &weight_options(options.layers.clone(), options.convention))?),
        (None, None) => {
            return Err(InputError::new("no widths were given")
                .hint("give --widths d0,d1,...,dh, --weights FILE whose widths are used, or --example digits"));
        }
    };
    let widths = options.widths.clone().or_else(|| weights.as_ref().map(Weights::widths)).unwrap_or_default();
    let architecture = Architecture::new(widths)?;
    let (data, data_digest, mut notes) = source.read_data(&options.data, architecture.widths(), &options.common)?;
    notes.extend(weights.as_ref().and_then(|weights| note_on_biases(&weights.biases)));
    let named = |error: InputError| source.name_file(error, &options.data);
    let output_metric = options.data.output_metric()?;
    let weights_digest = weights.as_ref().map(|weights| weights.digest.clone());
    let (architecture, free, found) = match weights {
        Some(Weights { matrices, biases, exact, .. }) => {
            let parameters = Parameters { matrices, biases, exact, output_metric };
            let point = Point::new(parameters, data, tolerances).map_err(named)?;
            (point.factors.architecture().clone(), point.free_biases(), point.into())
        }
        None => (architecture, 0, data.whiten(output_metric.as_ref(), tolerances).map_err(named)?),
    };
    let WhitenedData { whitening, samples, exact } = found;
    let ladder = Ladder::new(architecture, &whitening, exact.as_ref(), tolerances).map_err(named)?;
    let inputs = CriticalInputs {
        weights_digest,
        data_digest,
        samples,
        notes,
        normalization: normalization(options.normalization),
        seed: options.common.seed,
        tolerances: *tolerances,
        ..CriticalInputs::default()
    };
    Ok((ladder.with_free_parameters(free), inputs))
}
