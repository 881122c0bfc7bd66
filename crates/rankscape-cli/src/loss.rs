//! Losses other than the square: the options that name them, and what `diagnose`, `critical` and `hessian` answer about them.

use std::path::Path;

use rankscape::InputError;
use rankscape::answers::{Answer, LossDiagnosis, Wanted, critical_loss, diagnose_loss};
use rankscape::critical::CriticalClass;
use rankscape_io::documents::{
    CriticalDocument, CriticalInputs, DiagnoseDocument, EscapeInputs, EscapeVerbDocument, Normalization,
};
use rankscape_io::loss::{LossOptions, LossSpec, ReadLossLandscape, ReadLossPoint};
use rankscape_io::report::{escape_text, loss_landscape_text, loss_point_text};

use crate::arguments::{CriticalOptions, DestinationName, DiagnoseOptions, EscapeOptions};
use crate::input::tolerances;
use crate::loss_arguments::LossArguments;
use crate::outputs::why_no_path;
use crate::run::{Outcome, Run, code_of};

impl LossArguments {
    /// The loss that is named.
    pub(crate) fn read(&self) -> Result<Option<LossSpec>, InputError> {
        let spec = |name: &String| {
            LossSpec::read(&LossOptions {
                loss: name.clone(),
                delta: self.delta,
                p: self.p,
                smoothing: self.smoothing,
                class_weights: self.class_weights.clone(),
            })
        };
        self.loss.as_ref().map(spec).transpose()
    }
}

/// Refuses options that say nothing of this loss.
pub(crate) fn refuse(loss: &str, given: &[(&str, bool)]) -> Result<(), InputError> {
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(InputError::new(format!("{option} does nothing here: it belongs to the square loss"))
            .array("--loss")
            .value(loss)
            .hint(format!("leave out {option}"))),
        None => Ok(()),
    }
}

/// The mean squared error is a multiple of quadratic losses alone.
pub(crate) fn check_normalization(loss: &str, normalization: Normalization) -> Result<(), InputError> {
    let quadratic = ["square", "quadratic", "full_quadratic"].contains(&loss);
    if normalization == Normalization::Mse && !quadratic {
        return Err(InputError::new("--normalization mse is the mean squared error, and this loss is no square")
            .array("--loss")
            .value(loss)
            .hint("use --normalization mean for the mean over samples"));
    }
    Ok(())
}

/// Weight decay is known beside the square loss alone.
pub(crate) fn check_decay(spec: Option<&LossSpec>) -> Result<(), InputError> {
    match spec.filter(|spec| !spec.is_square()) {
        Some(spec) => Err(InputError::new("weight decay is answered beside the square loss alone")
            .array("--loss")
            .value(spec.name())
            .hint("leave out --weight-decay or --loss; flow takes both")),
        None => Ok(()),
    }
}

/// `diagnose --loss`.
pub(crate) fn run_diagnose(
    options: &DiagnoseOptions,
    read: &ReadLossPoint,
    run: &Run<'_>,
) -> Result<Outcome, InputError> {
    let loss = read.problem.data().kind().name();
    refuse(
        loss,
        &[
            ("--to", options.to != DestinationName::Next),
            ("--near", options.near.is_some()),
            ("--certificate", options.certificate.is_some()),
            ("--learning-rate", options.learning_rate.is_some()),
        ],
    )?;
    let normalization = options.point.normalization.into();
    check_normalization(loss, normalization)?;
    let inputs = read.inputs(normalization, run.seed());
    let found = diagnose_loss(&read.problem, run.settings()).map_err(|error| read.files.name_file(error))?;
    let mut document = DiagnoseDocument::of_loss(&found, &inputs);
    if let Some(path) = &options.leave {
        document.notes.extend(leave(path, &found, read)?);
    }
    let stays = options.leave.is_some() && found.escape.is_none() && found.class != CriticalClass::GlobalMinimum;
    let text = |document: &DiagnoseDocument| loss_point_text(document, options.details);
    run.finish(document, text, code_of(found.is_undecided() || stays))
}

/// Writes the end of the path out of a point, or says why there is none.
fn leave(path: &Path, found: &LossDiagnosis, read: &ReadLossPoint) -> Result<Vec<String>, InputError> {
    match &found.escape {
        Some(escape) => read.leave(path, escape),
        None => Ok(vec![format!("{} was not written: {}", path.display(), why_no_path(found.class))]),
    }
}

/// `escape --loss`.
pub(crate) fn run_escape(
    options: &EscapeOptions,
    wanted: Wanted,
    read: &ReadLossPoint,
    run: &Run<'_>,
) -> Result<Outcome, InputError> {
    refuse(
        read.problem.data().kind().name(),
        &[
            ("--construction", matches!(wanted, Wanted::One(_))),
            ("--ascent", options.ascent),
            ("--same-function", options.same_function),
            ("--certificate", options.certificate.is_some()),
        ],
    )?;
    let found = diagnose_loss(&read.problem, run.settings()).map_err(|error| read.files.name_file(error))?;
    let mut notes = read.notes.clone();
    if let Some(path) = &options.leave {
        notes.extend(leave(path, &found, read)?);
    }
    let inputs =
        EscapeInputs { digest: read.digest(), seed: run.seed(), tolerances: *read.problem.tolerances(), notes };
    let undecided = found.escape.is_none() && found.class != CriticalClass::GlobalMinimum;
    run.finish(EscapeVerbDocument::of_loss(&found, &inputs), escape_text, code_of(undecided))
}

/// Starts that look for local minima.
const STARTS: usize = 100;

/// `critical --loss`.
pub(crate) fn run_critical(
    options: &CriticalOptions,
    read: ReadLossLandscape,
    run: &Run<'_>,
) -> Result<Outcome, InputError> {
    let data = &read.data.data;
    let loss = data.kind().name();
    let family = &options.family;
    refuse(
        loss,
        &[
            ("--strata", family.strata),
            ("--construct", family.construct),
            ("--captured", family.captured.is_some()),
            ("--pattern", family.pattern.is_some()),
            ("--graph", options.graph),
            ("--max", options.max.is_some()),
        ],
    )?;
    let normalization = options.normalization.into();
    check_normalization(loss, normalization)?;
    let tolerances = tolerances(&options.tolerances)?;
    let found = critical_loss(data, read.architecture, STARTS, &tolerances, run.settings())?;
    let inputs = CriticalInputs {
        weights_digest: read.weights_digest,
        data_digest: read.data.digest,
        samples: data.samples() as u64,
        from_target: data.is_target(),
        notes: read.data.notes,
        normalization,
        seed: run.seed(),
        tolerances,
    };
    let document = CriticalDocument::of_loss(&found, loss, &inputs);
    run.finish(document, loss_landscape_text, code_of(found.is_undecided()))
}
