//! `rankscape critical`: reads data and widths, asks the library, prints the answer.

use std::time::Instant;

use rankscape::architecture::Architecture;
use rankscape::critical::Ladder;
use rankscape::problem::{Problem as Prepared, WhitenedData};
use rankscape::{InputError, Tolerances};
use rankscape_io::documents::{CriticalDocument, CriticalInputs};
use rankscape_io::report::critical_text;
use rankscape_io::{Weights, read_weights};

use crate::arguments::CriticalOptions;
use crate::construct::{run_construct, run_strata};
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish_long, run_document};
use crate::problem::{Source, normalization, note_on_biases, tolerances};

/// Rungs or strata that a document lists unless told otherwise.
pub(crate) const MOST_LISTED: usize = 100_000;

/// Rungs that are shown in words unless told otherwise.
const ROWS: usize = 8;

pub(crate) fn run(options: &CriticalOptions, started: Instant) -> Result<Outcome, InputError> {
    if options.family.strata {
        return run_strata(options, started);
    }
    if options.family.construct {
        return run_construct(options, started);
    }
    if options.family.captured.is_some() || options.family.pattern.is_some() {
        return Err(InputError::new("--captured and --pattern choose a family, but nothing is asked of it")
            .hint("add --strata to list its strata or --construct to make a point"));
    }
    run_ladder(options, started)
}

fn run_ladder(options: &CriticalOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let problem = Problem::read(options, &tolerances)?;
    let ladder = problem.ladder(options, &tolerances)?;
    let inputs = CriticalInputs {
        weights_digest: problem.weights_digest.clone(),
        data_digest: problem.data_digest.clone(),
        samples: problem.data.samples,
        from_target: options.data.target.is_some(),
        notes: problem.notes.clone(),
        normalization: normalization(options.normalization),
        seed: options.common.seed,
        most: options.max.unwrap_or(if options.common.makes_document() { MOST_LISTED } else { ROWS }),
        graph: options.graph,
        tolerances,
    };
    let mut document = CriticalDocument::new(&ladder, &inputs);
    document.run = run_document(&options.common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    let text = critical_text(&document, options.max.unwrap_or(ROWS));
    finish_long(&options.common, "critical.json", &document, text, code)
}

/// Data with the widths that were given, those of the weights, or those of the example.
pub(crate) struct Problem {
    source: Source,
    pub(crate) architecture: Architecture,
    pub(crate) data: WhitenedData,
    /// Parameters that the loss does not depend on: biases of inner layers.
    free: usize,
    pub(crate) has_biases: bool,
    weights_digest: Option<String>,
    pub(crate) data_digest: String,
    pub(crate) notes: Vec<String>,
}

impl Problem {
    pub(crate) fn read(options: &CriticalOptions, tolerances: &Tolerances) -> Result<Self, InputError> {
        let source = Source::new(options.example.as_deref(), options.weights.as_deref(), &options.data)?;
        let weights = match (&options.widths, &source.weights) {
            (Some(_), _) => None,
            (None, Some(file)) => Some(read_weights(file, &options.reading.weight_options())?),
            (None, None) => {
                return Err(InputError::new("no widths were given")
                    .hint("give --widths d0,d1,...,dh, --weights FILE whose widths are used, or --example digits"));
            }
        };
        let widths = options.widths.clone().or_else(|| weights.as_ref().map(Weights::widths)).unwrap_or_default();
        let architecture = Architecture::new(widths)?;
        let (data, data_digest, mut notes) = source.read_data(&options.data, architecture.widths(), &options.common)?;
        if let Some(weights) = &weights {
            notes.splice(0..0, weights.notes.iter().cloned());
            notes.extend(note_on_biases(&weights.biases));
        }
        let named = |error: InputError| source.name_file(error, &options.data);
        let output_metric = options.data.output_metric()?;
        let weights_digest = weights.as_ref().map(|weights| weights.digest.clone());
        let has_biases = weights.as_ref().is_some_and(|weights| weights.biases.iter().any(Option::is_some));
        let (architecture, free, data) = match weights {
            Some(weights) => {
                let parameters = weights.parameters().with_output_metric(output_metric);
                let problem = Prepared::with_tolerances(parameters, data, tolerances).map_err(named)?;
                (problem.factors().architecture().clone(), problem.free_biases(), problem.data().clone())
            }
            None => (architecture, 0, data.whiten(output_metric.as_ref(), tolerances).map_err(named)?),
        };
        Ok(Self { architecture, data, free, has_biases, weights_digest, data_digest, notes, source })
    }

    pub(crate) fn ladder(&self, options: &CriticalOptions, tolerances: &Tolerances) -> Result<Ladder, InputError> {
        let WhitenedData { whitening, exact, .. } = &self.data;
        let found = Ladder::new(self.architecture.clone(), whitening, exact.as_ref(), tolerances);
        Ok(found.map_err(|error| self.name_file(error, options))?.with_free_parameters(self.free))
    }

    /// Names the file of an error about the whole problem.
    pub(crate) fn name_file(&self, error: InputError, options: &CriticalOptions) -> InputError {
        self.source.name_file(error, &options.data)
    }
}
