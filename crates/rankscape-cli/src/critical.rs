//! `rankscape critical`, with `--strata` and `--construct`, and `parse`: what is out there, one point of it, and a point taken
//! apart.

use std::path::Path;

use rankscape::InputError;
use rankscape::answers::{Answer, ConstructRequest, construct, critical, parse, strata};
use rankscape::critical::{CapturedChoice, Constructed, Request};
use rankscape::problem::Problem;
use rankscape_io::documents::{
    ConstructDocument, CriticalDocument, CriticalInputs, FamilyInputs, ParseDocument, ParseInputs, StrataDocument,
};
use rankscape_io::loss::AnyLandscape;
use rankscape_io::report::{construct_text, critical_text, parse_text, strata_text};
use rankscape_io::{Convention, ReadData, ReadLandscape, WeightOptions, Weights, read_weights, write_weights};

use crate::arguments::{CriticalOptions, ParseOptions};
use crate::decay::{self, weight_decay};
use crate::family::{Unseen, captured, stratum_choice};
use crate::input::tolerances;
use crate::loss::{check_decay, run_critical};
use crate::run::{ANSWERED, FAILED, Outcome, Run, UNDECIDED, code_of};

/// Rungs or strata that a document lists unless told otherwise.
const MOST_LISTED: usize = 100_000;

/// Rungs that are shown in words unless told otherwise.
const ROWS: usize = 8;

pub(crate) fn run(options: &CriticalOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let spec = options.loss.read()?;
    if options.weight_decay.is_some() {
        check_decay(spec.as_ref())?;
    }
    let read = match options.read_any(spec.as_ref(), run)? {
        AnyLandscape::Loss(read) => return run_critical(options, *read, run),
        AnyLandscape::Square(read) => *read,
    };
    if options.family.strata {
        return run_strata(options, &read, run);
    }
    if options.family.construct {
        return run_construct(options, &read, run);
    }
    if options.family.captured.is_some() || options.family.pattern.is_some() {
        return Err(InputError::new("--captured and --pattern choose a family, but nothing is asked of it")
            .hint("add --strata to list its strata or --construct to make a point"));
    }
    run_ladder(options, read, run)
}

fn run_ladder(options: &CriticalOptions, read: ReadLandscape, run: &Run<'_>) -> Result<Outcome, InputError> {
    let most = options.max.unwrap_or(if run.common.makes_document() { MOST_LISTED } else { ROWS });
    let inputs = CriticalInputs {
        weights_digest: read.weights_digest.clone(),
        data_digest: read.data_digest.clone(),
        samples: read.landscape.data().samples,
        from_target: options.data.target.is_some(),
        notes: read.notes.clone(),
        normalization: options.normalization.into(),
        seed: run.seed(),
        tolerances: *read.landscape.tolerances(),
    };
    if let Some(decay) = weight_decay(options.weight_decay.as_deref())? {
        return decay::run_ladder(&read, &decay, &inputs, (most, options.max.unwrap_or(ROWS)), run);
    }
    let found = critical(&read.landscape, most, options.graph).map_err(|error| read.files.name_file(error))?;
    let text = |document: &CriticalDocument| critical_text(document, options.max.unwrap_or(ROWS));
    run.finish(CriticalDocument::new(&found, &inputs), text, code_of(found.is_undecided()))
}

fn run_strata(options: &CriticalOptions, read: &ReadLandscape, run: &Run<'_>) -> Result<Outcome, InputError> {
    let named = |error: InputError| read.files.name_file(error);
    let choice = captured(&options.family, &read.landscape).map_err(named)?;
    let found = strata(&read.landscape, &choice, options.max.unwrap_or(MOST_LISTED)).map_err(named)?;
    let document = StrataDocument::new(&found, &inputs(read, run));
    run.finish(document, strata_text, code_of(found.is_undecided()))
}

fn run_construct(options: &CriticalOptions, read: &ReadLandscape, run: &Run<'_>) -> Result<Outcome, InputError> {
    let named = |error: InputError| read.files.name_file(error);
    let family = &options.family;
    if read.has_biases {
        return Err(InputError::new("a point is constructed without biases")
            .array("weights")
            .hint("give --widths d0,...,dh instead of the weights"));
    }
    let captured = captured(family, &read.landscape).map_err(named)?;
    let request = match &family.surplus {
        Some(path) => with_surplus(captured, path, read.landscape.architecture().depth())?,
        None => ConstructRequest::OfStratum(Request {
            captured,
            stratum: stratum_choice(family)?,
            gauge: family.gauge.into(),
            unseen: family.unseen == Unseen::Random,
            seed: run.seed(),
            max: options.max.unwrap_or(MOST_LISTED),
        }),
    };
    let named = |error: InputError| match &family.surplus {
        Some(path) => error.file(path.display()),
        None => named(error),
    };
    let found = construct(&read.landscape, &request).map_err(named)?;
    let holds = found.point.check.holds.known();
    let written = family.save.as_ref().filter(|_| holds != Some(false));
    if let Some(path) = written {
        write_weights(path, &weights(&found.point)?)?;
    }
    let saved = written.map(|path| path.display().to_string());
    let document = ConstructDocument::new(&found, &inputs(read, run), family.gauge.into(), saved);
    let code = match holds {
        Some(true) => ANSWERED,
        Some(false) => FAILED,
        None => UNDECIDED,
    };
    run.finish(document, construct_text, code)
}

fn inputs<'a>(read: &'a ReadLandscape, run: &Run<'_>) -> FamilyInputs<'a> {
    FamilyInputs {
        landscape: &read.landscape,
        data_digest: read.data_digest.clone(),
        seed: run.seed(),
        notes: read.notes.clone(),
    }
}

/// The point with the surplus blocks of a file.
fn with_surplus(captured: CapturedChoice, path: &Path, depth: usize) -> Result<ConstructRequest, InputError> {
    let names = (1..=depth).map(|k| format!("Z{k}")).collect();
    let convention = Some(Convention::Torch);
    let blocks = read_weights(path, &WeightOptions { layers: Some(names), convention, ..WeightOptions::default() })?;
    Ok(ConstructRequest::WithSurplus(captured, blocks.matrices))
}

fn weights(found: &Constructed) -> Result<Weights, InputError> {
    match &found.exact {
        Some(exact) => Weights::from_exact(exact.matrices()),
        None => Weights::from_matrices(found.factors.matrices().to_vec()),
    }
}

pub(crate) fn run_parse(options: &ParseOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.point.tolerances)?;
    let weights = read_weights(&options.point.weights, &options.point.reading.weight_options())?;
    let widths = weights.widths();
    let files = options.data.files(run);
    let ReadData { data, digest: data_digest, notes: data_notes } = files.read(&widths)?;
    let parameters = weights.parameters().with_output_metric(files.output_metric()?);
    let named = |error: InputError| error.file(options.point.weights.display());
    let problem = Problem::with_tolerances(parameters, data, &tolerances).map_err(named)?;
    let found = parse(&problem).map_err(named)?;
    let inputs = ParseInputs {
        widths,
        spectrum: problem.whitening().singular_values().to_vec(),
        weights_digest: weights.digest,
        data_digest,
        seed: run.seed(),
        tolerances,
        notes: weights.notes.into_iter().chain(data_notes).collect(),
    };
    run.finish(ParseDocument::new(&found, &inputs), parse_text, code_of(found.is_undecided()))
}
