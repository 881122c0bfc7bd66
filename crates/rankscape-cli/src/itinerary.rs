//! `rankscape itinerary`: the critical points that a stored run visited.

use rankscape::InputError;
use rankscape::answers::{Answer, ItineraryAnswer};
use rankscape_io::RunFiles;
use rankscape_io::documents::{DiagnoseInputs, ItineraryDocument};
use rankscape_io::report::itinerary_text;

use crate::arguments::ItineraryOptions;
use crate::input::tolerances;
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &ItineraryOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let files = RunFiles {
        paths: options.paths.clone(),
        steps: options.steps.clone(),
        reading: options.reading.weight_options(),
        data: options.data.files(run),
    };
    let (files, checkpoints, notes) = match &options.example {
        Some(name) => {
            let (files, checkpoints) = files.of_example(name)?;
            (files, checkpoints, Vec::new())
        }
        None => {
            let (checkpoints, notes) = files.checkpoints()?;
            (files, checkpoints, notes)
        }
    };
    let mut progress = run.progress(checkpoints.len() as u64);
    let mut found = ItineraryAnswer::default();
    let mut read = files.read(&checkpoints, &tolerances(&options.tolerances)?, &mut |step, problem| {
        found.push(step, problem, run.settings())?;
        progress.set(found.points().len() as u64);
        Ok(())
    })?;
    drop(progress);
    read.inputs = DiagnoseInputs {
        normalization: options.normalization.into(),
        seed: run.seed(),
        learning_rate: options.learning_rate,
        notes: notes.into_iter().chain(read.inputs.notes).collect(),
        ..read.inputs
    };
    let undecided = found.is_undecided() || !read.unreadable.is_empty();
    run.finish(ItineraryDocument::new(&found, &read), itinerary_text, code_of(undecided))
}
