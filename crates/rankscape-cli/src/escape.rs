//! `rankscape escape`: paths that leave a point, by name.

use std::time::Instant;

use rankscape::InputError;
use rankscape::certificate::{Certificate, Sense};
use rankscape::critical::CriticalClass;
use rankscape::diagnosis::{Diagnosis, diagnose};
use rankscape::escape::{Constructed, Construction, Escape, EscapeKind, Judgement, construct, same_function};
use rankscape_io::documents::{EscapeInputs, EscapeVerbDocument, SameFunction};
use rankscape_io::report::escape_text;
use rankscape_io::write_certificate;

use crate::arguments::EscapeOptions;
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::ReadPoint;

pub(crate) fn run(options: &EscapeOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let wanted = wanted(options)?;
    let read = ReadPoint::new(&options.point, common)?;
    let found =
        diagnose(&read.problem, read.settings(common)).map_err(|error| read.name_file(error, &options.point))?;
    let (problem, factors) = (&read.problem, read.problem.factors());
    let judgement = Judgement::of(problem, common.seed);
    let network = problem.network();
    let critical = found.critical;
    let all: Vec<(Construction, Result<Constructed, &'static str>)> = wanted
        .iter()
        .map(|&name| {
            let needs = name != Construction::Ascent && !critical;
            let result = if needs {
                Err("the point is not critical")
            } else {
                construct(name, network, problem.whitening(), judgement)
            };
            (name, result)
        })
        .collect();
    let chosen = chosen(options, &found, &all);
    let same = options.same_function.then(|| same_function(network, problem.whitening(), judgement)).flatten();
    let same = same.filter(|_| critical).map(|path| SameFunction::new(problem, &path, judgement));
    let sense = if options.ascent { Sense::Ascent } else { Sense::Descent };
    let mut notes = read.inputs.notes.clone();
    if let Some(path) = &options.leave {
        let end = same.as_ref().map(|same| same.end.clone());
        let end = end.or_else(|| chosen.as_ref().map(|escape| escape.path.at(factors, escape.t)));
        notes.extend(read.write(path, &end.ok_or_else(|| no_path(&found))?)?);
    }
    if let Some(path) = &options.certificate {
        let escape = chosen.as_ref().ok_or_else(|| no_path(&found))?;
        let certificate = Certificate::of(problem, &found, Some(escape), sense, &read.inputs.tolerances);
        write_certificate(path, &certificate, read.digest(), read.target)?;
    }
    let inputs = EscapeInputs { digest: read.digest(), seed: common.seed, sense, tolerances: read.inputs.tolerances };
    let mut document = EscapeVerbDocument::new(&found, chosen.as_ref(), &all, same.as_ref(), &inputs);
    document.notes = notes;
    document.run = run_document(common, started);
    let nothing = chosen.is_none() && same.is_none() && found.class != CriticalClass::GlobalMinimum;
    let text = escape_text(&document);
    finish(common, "escape.json", &document, text, if nothing { UNDECIDED } else { ANSWERED })
}

/// The constructions that are asked for.
fn wanted(options: &EscapeOptions) -> Result<Vec<Construction>, InputError> {
    if options.ascent {
        return Ok(vec![Construction::Ascent]);
    }
    if options.same_function {
        return Ok(Vec::new());
    }
    if options.construction == "best" {
        return Ok(Construction::DESCENTS.to_vec());
    }
    let named = Construction::from_name(&options.construction).map(|construction| vec![construction]);
    named.ok_or_else(|| {
        let names: Vec<&str> = Construction::DESCENTS.iter().map(|construction| construction.name()).collect();
        InputError::new("there is no construction of this name")
            .value(&options.construction)
            .hint(format!("the names are {}, best", names.join(", ")))
    })
}

/// The path that is reported: that of the diagnosis for `best`, else that of the one construction asked for.
fn chosen(
    options: &EscapeOptions,
    found: &Diagnosis,
    all: &[(Construction, Result<Constructed, &'static str>)],
) -> Option<Escape> {
    if options.same_function {
        return None;
    }
    if options.construction == "best" && !options.ascent {
        // A step of the bias alone is no path of weights, which is what a certificate holds.
        let stored = |escape: &Escape| options.certificate.is_none() || escape.kind != EscapeKind::OutputBias;
        return found.escape.clone().filter(stored);
    }
    all.iter().find_map(|(_, result)| result.as_ref().ok()).map(Constructed::to_escape)
}

fn no_path(found: &Diagnosis) -> InputError {
    InputError::new("there is no path to write").value(format!("class {}", found.class.name()))
}
