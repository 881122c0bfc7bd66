//! `rankscape map`, `connect`, `balance` and `reach`: the product map at a point, and moves along its fiber.

use std::path::Path;

use rankscape::InputError;
use rankscape::answers::{Answer, balance, connect, lift, map, reach};
use rankscape::multiplication::Factors;
use rankscape_io::documents::{
    BalanceDocument, ConnectDigest, ConnectDocument, MapDocument, ReachDigest, ReachDocument, WeightsDigest, path_json,
};
use rankscape_io::report::{balance_text, connect_text, map_text, reach_text};
use rankscape_io::{Weights, read_map_point, read_matrix, read_matrix_path, rewrite_weights, write_atomically};

use crate::arguments::{BalanceOptions, ConnectOptions, MapOptions, ReachOptions, WeightFileOptions};
use crate::input::tolerances;
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run_map(options: &MapOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, point) =
        read_map_point(&options.point.weights, &options.point.reading.weight_options(), &tolerances)?;
    let found = map(&point);
    let document = MapDocument::new(&found, &point, &weights, run.seed(), &tolerances);
    run.finish(document, map_text, code_of(found.is_undecided()))
}

pub(crate) fn run_connect(options: &ConnectOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.point.tolerances)?;
    let (first, point) = read_map_point(&options.point.weights, &options.point.reading.weight_options(), &tolerances)?;
    let (second, other) = read_map_point(&options.to, &options.point.reading.weight_options(), &tolerances)?;
    let notes = first.notes.into_iter().chain(second.notes).collect();
    let mut digest = ConnectDigest { along: None, to: second.digest.into(), weights: first.digest.into() };
    let found = match &options.along {
        Some(file) => {
            let (knots, knots_digest) = read_matrix_path(file)?;
            digest.along = Some(knots_digest.into());
            lift(&point, &other, &knots, &tolerances).map_err(|error| error.file(file.display()))?
        }
        None => connect(&point, &other, &tolerances).map_err(|error| error.file(options.to.display()))?,
    };
    if let (Some(file), Some(path)) = (&options.save, found.path()) {
        write_atomically(file, path_json(path).as_bytes())?;
    }
    run.finish(ConnectDocument::new(&found, digest, run.seed(), notes), connect_text, code_of(found.is_undecided()))
}

pub(crate) fn run_balance(options: &BalanceOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, point) =
        read_map_point(&options.point.weights, &options.point.reading.weight_options(), &tolerances)?;
    let rounded = |factors: &Factors| weights.rounded(factors);
    let found = balance(&point, options.save.is_some().then_some(&rounded))?;
    let mut notes = weights.notes.clone();
    notes.extend(save(options.save.as_deref(), &weights, found.balance.factors.as_ref(), &options.point)?);
    let digest = WeightsDigest { weights: weights.digest.clone().into() };
    let text = |document: &BalanceDocument| {
        let missing = options.save.as_ref().filter(|_| found.balance.factors.is_none());
        balance_text(document, missing.map(|file| file.display().to_string()).as_deref())
    };
    run.finish(BalanceDocument::new(&found, digest, run.seed(), notes), text, code_of(found.is_undecided()))
}

pub(crate) fn run_reach(options: &ReachOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, point) =
        read_map_point(&options.point.weights, &options.point.reading.weight_options(), &tolerances)?;
    let target = read_matrix(&options.target, "Z")?;
    let found = reach(&point, &target.matrix, target.exact.as_ref(), &tolerances)
        .map_err(|error| error.file(options.target.display()))?;
    let mut notes = weights.notes.clone();
    notes.extend(save(options.save.as_deref(), &weights, found.reach.factors.as_ref(), &options.point)?);
    let digest = ReachDigest { target: target.digest.into(), weights: weights.digest.into() };
    run.finish(ReachDocument::new(&found, digest, run.seed(), notes), reach_text, code_of(found.is_undecided()))
}

/// Writes found factors, if any, with the names and types of the weights they replace; notes what else the file holds.
fn save(
    file: Option<&Path>,
    weights: &Weights,
    found: Option<&Factors>,
    point: &WeightFileOptions,
) -> Result<Vec<String>, InputError> {
    let Some((file, factors)) = file.zip(found) else { return Ok(Vec::new()) };
    let weights = weights.with_parameters(factors.matrices().to_vec(), weights.biases.clone())?;
    rewrite_weights(file, &weights, &point.weights)
}
