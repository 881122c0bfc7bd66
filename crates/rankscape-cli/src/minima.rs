//! `rankscape minima`: local minima of a loss on matrices of bounded rank.

use std::path::Path;

use rankscape::InputError;
use rankscape::answers::{Answer, minima, minima_cost};
use rankscape::riemannian::{Minima, MinimaRequest};
use rankscape_io::documents::{CostsDocument, MinimaDocument, MinimaInputs};
use rankscape_io::loss::{LossOptions, LossSpec};
use rankscape_io::report::{minima_cost_text, minima_text};
use rankscape_io::{Weights, write_weights};

use crate::input::tolerances;
use crate::loss::check_normalization;
use crate::loss_arguments::MinimaOptions;
use crate::run::{ANSWERED, Outcome, Run, code_of};

pub(crate) fn run(options: &MinimaOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let square = || LossSpec::read(&LossOptions { loss: "square".to_owned(), ..LossOptions::default() });
    let spec = options.loss.read()?.map_or_else(square, Ok)?;
    let normalization = options.normalization.into();
    check_normalization(spec.name(), normalization)?;
    let read = options.data.files(run).read_loss(&spec, &[])?;
    let data = &read.data;
    let request = MinimaRequest { rank: options.rank, starts: options.starts as usize, offset: options.offset };
    let shape = (data.outputs(), data.input_count());
    if options.dry_run {
        let document = CostsDocument::of_starts(shape, &request, minima_cost(data, &request)?);
        return run.finish(document, minima_cost_text, ANSWERED);
    }
    let found = minima(data, &request, &tolerances, run.settings())?;
    let mut notes = read.notes;
    if let Some(path) = &options.save {
        notes.extend(save(path, &found)?);
    }
    let inputs = MinimaInputs {
        data_digest: read.digest,
        loss: spec.name(),
        shape,
        samples: data.samples() as u64,
        from_target: data.is_target(),
        normalization,
        seed: run.seed(),
        tolerances,
        notes,
    };
    run.finish(MinimaDocument::new(&found, &inputs), minima_text, code_of(found.is_undecided()))
}

/// Writes the minima, with their constant outputs; a note where there are none.
fn save(path: &Path, found: &Minima) -> Result<Option<String>, InputError> {
    if found.minima.is_empty() {
        return Ok(Some(format!("{} was not written: no start ended in a minimum", path.display())));
    }
    let list: Vec<_> = found.minima.iter().map(|minimum| (&minimum.product, minimum.offset.as_deref())).collect();
    write_weights(path, &Weights::from_list(&list)?)?;
    Ok(None)
}
