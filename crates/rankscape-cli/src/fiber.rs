//! `rankscape connect`, `balance` and `reach`: moves along the fiber of the product map.

use std::path::Path;
use std::time::Instant;

use rankscape::InputError;
use rankscape::multiplication::{Connection, Factors, balance, connect, lift_path, reach, reach_order};
use rankscape_io::documents::{
    BalanceDocument, ConnectDigest, ConnectDocument, ReachDigest, ReachDocument, WeightsDigest, path_json,
};
use rankscape_io::report::counted;
use rankscape_io::{Weights, read_matrix, read_matrix_path, rewrite_weights, write_atomically};

use crate::arguments::{BalanceOptions, ConnectOptions, ReachOptions, WeightFileOptions};
use crate::map::read_point;
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::tolerances;

pub(crate) fn run_connect(options: &ConnectOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.point.tolerances)?;
    let (first, point) = read_point(&options.point.weights, &options.point, &tolerances)?;
    let (second, other) = read_point(&options.to, &options.point, &tolerances)?;
    let notes = first.notes.into_iter().chain(second.notes);
    let mut digest = ConnectDigest { along: None, to: second.digest.into(), weights: first.digest.into() };
    let found = match &options.along {
        Some(file) => {
            let (knots, knots_digest) = read_matrix_path(file)?;
            digest.along = Some(knots_digest.into());
            lift_path(&point, &other, &knots, &tolerances).map_err(|error| error.file(file.display()))?
        }
        None => connect(&point, &other, &tolerances).map_err(|error| error.file(options.to.display()))?,
    };
    let mut document = ConnectDocument::new(&found, &point.alike(&other, &tolerances), digest, options.common.seed);
    document.notes.extend(notes);
    document.run = run_document(&options.common, started);
    if let (Some(file), Connection::Path(path)) = (&options.save, &found) {
        write_atomically(file, path_json(path).as_bytes())?;
    }
    let code = if document.connected.is_none() { UNDECIDED } else { ANSWERED };
    let text = {
        let mut text = format!("Connected  {}: {}\n", said(document.connected), document.reason);
        if let (Some(pieces), Some(error)) = (document.path, document.max_product_error) {
            text += &format!("Path       {}; the product is kept to {error:.3e}\n", counted(pieces, "piece"));
        }
        if let Some(signs) = &document.separated {
            text += &format!("Signs      first {:?}, second {:?}\n", signs.first, signs.second);
        }
        text + &evidence(document.evidence.grade, &document.notes)
    };
    finish(&options.common, "connect.json", &document, text, code)
}

pub(crate) fn run_balance(options: &BalanceOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, point) = read_point(&options.point.weights, &options.point, &tolerances)?;
    let mut found = balance(point.factors(), point.profile());
    let balanced = found.factors.as_ref().filter(|_| options.save.is_some());
    if let Some(rounded) = balanced.map(|factors| weights.rounded(factors)).transpose()? {
        // The numbers are those of what is written.
        found = found.stored(rounded, point.factors());
    }
    let digest = WeightsDigest { weights: weights.digest.clone().into() };
    let mut document = BalanceDocument::new(&found, &point, digest, options.common.seed);
    document.notes.extend(weights.notes.clone());
    document.run = run_document(&options.common, started);
    document.notes.extend(save(options.save.as_deref(), &weights, found.factors.as_ref(), &options.point)?);
    let code = if document.possible.is_none() { UNDECIDED } else { ANSWERED };
    let text = {
        let mut text = format!("Possible   {}: {}\n", said(document.possible), document.reason);
        text += &format!("Defect     {:.3e} before", document.defect_before);
        if let (Some(after), Some(error)) = (document.defect_after, document.product_error) {
            text += &format!(", {after:.3e} after; the product is kept to {error:.3e}");
        }
        text += "\n";
        if !document.toward.is_empty() {
            text += "Toward     the balanced point outside the orbit (the weights that a change of basis leads to), without end:\n";
        }
        for point in &document.toward {
            text += &format!("           step {}: defect {:.3e}\n", point.epsilon, point.defect);
        }
        if let (Some(file), None) = (&options.save, &found.factors) {
            text += &format!("Save       {} is not written: there is nothing balanced to write\n", file.display());
        }
        text + &evidence(document.evidence.grade, &document.notes)
    };
    finish(&options.common, "balance.json", &document, text, code)
}

pub(crate) fn run_reach(options: &ReachOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, point) = read_point(&options.point.weights, &options.point, &tolerances)?;
    let target = read_matrix(&options.target, "Z")?;
    let found = reach(&point, &target.matrix, target.exact.as_ref(), &tolerances)
        .map_err(|error| error.file(options.target.display()))?;
    let digest = ReachDigest { target: target.digest.into(), weights: weights.digest.clone().into() };
    let order = reach_order(&point, &target.matrix, &tolerances)?;
    let mut document = ReachDocument::new(&found, order, &point, digest, options.common.seed);
    document.notes.extend(weights.notes.clone());
    document.run = run_document(&options.common, started);
    document.notes.extend(save(options.save.as_deref(), &weights, found.factors.as_ref(), &options.point)?);
    let text = {
        let mut text = format!("Reached    {}", said(Some(document.reached)));
        if !document.reason.is_empty() {
            text += &format!(": {}", document.reason);
        }
        text += &format!("\nTarget     at distance {:.3e}\n", document.distance_target);
        if let (Some(distance), Some(error)) = (document.distance_factors, document.product_error) {
            let relative =
                document.relative_error.map_or_else(String::new, |error| format!(", {error:.1e} of its size"));
            text += &format!("Factors    at distance {distance:.3e}; the product is off by {error:.3e}{relative}\n");
        }
        if let Some(order) = document.order {
            text += &format!("Order      {order:.2}: the distance of the factors against that of the target\n");
        }
        let open = &document.locally_open;
        text += &format!("Open       {}, {}: {}\n", open.openness.verdict, open.grade, open.openness.reason);
        text + &evidence(document.evidence.grade, &document.notes)
    };
    let code = if found.undecided { UNDECIDED } else { ANSWERED };
    finish(&options.common, "reach.json", &document, text, code)
}

/// Grade of the answer, and what else is to be said of it.
fn evidence(grade: impl std::fmt::Display, notes: &[String]) -> String {
    notes.iter().fold(format!("Evidence   {grade}\n"), |text, note| text + &format!("Note       {note}\n"))
}

fn said(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "undecided",
    }
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
