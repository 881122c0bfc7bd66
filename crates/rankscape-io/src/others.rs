//! What a file holds beside the layers, carried over as it is into a file that is written from them: a checkpoint stays loadable.

use std::path::Path;

use super::container::list;
use super::file::format_of;
use super::format::Format;
use super::npz::Npz;
use super::pipe::is_stream;
use super::safetensors::Safetensors;
use super::weights::Weights;
use super::write::{Others, Tensor};
use super::{json, write};
use rankscape::error::Result;

impl Others {
    /// Reads the arrays of these names from a file.
    fn read(path: &Path, names: &[String]) -> Result<Self> {
        let (mut others, wanted) = (Self::default(), |name: &String| names.contains(name));
        match format_of(path)? {
            Format::Safetensors => {
                let mut file = Safetensors::open(path)?;
                others.metadata = file.metadata.clone();
                for (index, (name, info)) in file.entries.clone().into_iter().enumerate() {
                    if wanted(&name) {
                        let (dtype, bytes) = file.raw(index)?;
                        others.tensors.push(Tensor { name, dtype, shape: info.shape, bytes });
                    }
                }
            }
            Format::Npz => {
                let mut file = Npz::open(path)?;
                for (index, entry) in file.entries.clone().into_iter().enumerate() {
                    if wanted(&entry.name) {
                        others.npy.push((entry.name, file.raw(index)?));
                    }
                }
            }
            _ => others.members = json::members(path)?.into_iter().filter(|(name, _)| wanted(name)).collect(),
        }
        Ok(others)
    }
}

/// Writes weights as [`write_weights`](super::write_weights) does, into a file that holds everything else of the file
/// `original`, from which they were read, as it is there. Another format holds the layers alone.
///
/// The result says what is carried over or left out, and which types of numbers have changed.
///
/// # Errors
/// As of [`write_weights`](super::write_weights), or if the original cannot be read.
pub fn rewrite_weights(path: impl AsRef<Path>, weights: &Weights, original: impl AsRef<Path>) -> Result<Vec<String>> {
    let (path, original) = (path.as_ref(), original.as_ref());
    let format = write::format_for(path)?;
    let again = !is_stream(original);
    let same = again && format_of(original)? == format;
    let others = if same { Others::read(original, &weights.others)? } else { Others::default() };
    write::write(path, format, weights, &others)?;
    let (file, names) = (path.display(), list(&weights.others));
    let mut notes = Vec::new();
    if same && !weights.others.is_empty() {
        notes.push(format!("{file} also holds {names}, as they were: they are no part of what was analysed"));
    } else if !weights.others.is_empty() {
        let remedy = match original.extension().filter(|_| again) {
            Some(extension) => format!("only a file of the same format (.{}) would", extension.to_string_lossy()),
            None => "what came through a pipe is not kept".to_owned(),
        };
        notes.push(format!("{file} does not hold {names}, which are no part of what was analysed: {remedy}"));
    }
    notes.extend(write::changed_types(weights, format).map(|changed| format!("in {file} {changed}")));
    Ok(notes)
}
