//! `rankscape minima`: local minima of a loss on matrices of bounded rank.

use std::path::{Path, PathBuf};

use clap::Args;
use rankscape::InputError;
use rankscape::answers::{Answer, minima, minima_cost};
use rankscape::riemannian::{Minima, MinimaRequest};
use rankscape_io::documents::{CostsDocument, MinimaDocument, MinimaInputs};
use rankscape_io::loss::{LossOptions, LossSpec};
use rankscape_io::report::{minima_cost_text, minima_text};
use rankscape_io::{Weights, write_weights};

use crate::arguments::{DataOptions, NormalizationName};
use crate::input::tolerances;
use crate::loss::{LossArguments, check_normalization};
use crate::run::{ANSWERED, Outcome, Run, code_of};

/// Arguments of `minima`.
#[derive(Debug, Args)]
pub(crate) struct MinimaOptions {
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// The loss.
    #[command(flatten)]
    pub(crate) loss: LossArguments,
    /// Largest rank of the matrices.
    #[arg(long, value_name = "R")]
    pub(crate) rank: usize,
    /// Number of starts.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) starts: u32,
    /// Outputs have a constant part of their own, as with a bias in the last layer.
    #[arg(long, conflicts_with = "target")]
    pub(crate) offset: bool,
    /// What the values are divided by.
    #[arg(long, value_enum, default_value_t = NormalizationName::Sum)]
    pub(crate) normalization: NormalizationName,
    /// Write the matrices, W1 the lowest minimum, W2 the next, ... (.npz, .safetensors or .json).
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Say what it would cost, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

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
