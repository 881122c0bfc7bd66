//! `rankscape diagnose`: reads weights and data, asks the library, prints the answer.

use std::time::Instant;

use rankscape::InputError;
use rankscape::diagnosis::{Parameters, Point, Settings, diagnose};
use rankscape::io::documents::{DiagnoseDocument, DiagnoseInputs, RunDocument, to_json};
use rankscape::io::{read_weights, write_weights};
use rankscape::report::diagnose_text;

use crate::arguments::DiagnoseOptions;
use crate::output::{ANSWERED, Outcome, UNDECIDED, write_document};
use crate::problem::{Source, normalization, note_on_biases, tolerances, weight_options};

pub(crate) fn run(options: &DiagnoseOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let source = Source::new(options.example.as_deref(), options.weights.as_deref(), &options.data)?;
    let file = source.weights.clone().unwrap_or_default();
    let weights = read_weights(&file, &weight_options(options.layers.clone(), options.convention))?;
    let (data, data_digest, mut notes) = source.read_data(&options.data, &weights.widths(), &options.common)?;
    notes.extend(note_on_biases(&weights.biases));
    let parameters = Parameters {
        matrices: weights.matrices.clone(),
        biases: weights.biases.clone(),
        exact: weights.exact.clone(),
        output_metric: options.data.output_metric()?,
    };
    let named = |error: InputError| source.name_file(error, &options.data);
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
    document.run = RunDocument {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seconds: started.elapsed().as_secs_f64(),
        threads: options.common.thread_count(),
    };
    finish(options, &document)
}

fn finish(options: &DiagnoseOptions, document: &DiagnoseDocument) -> Result<Outcome, InputError> {
    let json = to_json(document) + "\n";
    if let Some(folder) = &options.common.out {
        write_document(folder, "diagnose.json", &json)?;
    }
    let leave = options.leave.as_ref().map(|path| path.display().to_string());
    let text = match (options.common.json, options.common.quiet) {
        (true, _) => json,
        (false, true) => String::new(),
        (false, false) => diagnose_text(document, leave.as_deref()),
    };
    Ok(Outcome { text, code: if document.is_undecided() { UNDECIDED } else { ANSWERED } })
}

fn no_path(class: &str) -> InputError {
    let why = match class {
        "global_minimum" => "nothing is lower",
        "non_strict_saddle" => "its first decrease is of order 3 or more, which this version does not construct",
        _ => "the class is undecided",
    };
    InputError::new(format!("--leave has no path to follow: {why}")).value(format!("class {class}"))
}
