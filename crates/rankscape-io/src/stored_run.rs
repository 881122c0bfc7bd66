//! The checkpoints of a stored run: which files they are, in which order, and their problems, one after the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::digest::combined_digest;
use super::documents::{CheckpointFile, DiagnoseInputs, ItineraryInputs, Normalization};
use super::json::read_text;
use super::problem::{DataFiles, PointFiles, ReadPoint};
use super::weight_options::WeightOptions;
use super::weights::{Weights, read_weights};
use rankscape::error::{InputError, Result};
use rankscape::problem::{Data, Problem};
use rankscape::tolerance::Tolerances;

/// Extensions of the files of a folder that are looked at.
const WEIGHTS: [&str; 3] = ["safetensors", "npz", "json"];
/// What a folder of one checkpoint holds.
const INSIDE: &str = "model.safetensors";

/// A stored run and its data.
#[derive(Debug, Clone, Default)]
pub struct RunFiles {
    /// A folder, or files.
    pub paths: Vec<String>,
    /// The steps of the files.
    pub steps: Option<PathBuf>,
    /// How the weights are read.
    pub reading: WeightOptions,
    /// The data.
    pub data: DataFiles,
}

impl RunFiles {
    /// The checkpoints of a shipped run.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn of_example(self, name: &str) -> Result<(Self, Vec<CheckpointFile>)> {
        let (stems, autoencoder): (&[(&str, u64)], bool) = match name {
            "digits" => (&[("early", 100), ("plateau", 83_400), ("converged", 406_320)], true),
            "digits-classifier" => {
                (&[("classifier-early", 20), ("classifier-passing", 1025), ("classifier-converged", 364_662)], false)
            }
            _ => {
                return Err(InputError::new("there is no stored run of this name among the examples")
                    .value(name)
                    .hint("the runs are digits and digits-classifier"));
            }
        };
        let file =
            |&(stem, step): &(&str, u64)| CheckpointFile { step, file: format!("example:digits/{stem}.safetensors") };
        let files = stems.iter().map(file).collect();
        let PointFiles { data, .. } = PointFiles { data: self.data.clone(), ..PointFiles::default() }
            .of_example(if autoencoder { "digits" } else { "digits-classifier" })?;
        Ok((Self { data, ..self }, files))
    }

    /// The checkpoints in the order of their steps, and notes on files that are none.
    ///
    /// # Errors
    /// If there is none, two have the same step, or a step is not known.
    pub fn checkpoints(&self) -> Result<(Vec<CheckpointFile>, Vec<String>)> {
        let (files, named, mut notes) = match self.paths.as_slice() {
            [folder] if Path::new(folder).is_dir() => {
                let (files, notes) = weights_of_folder(folder)?;
                (files, false, notes)
            }
            files => (files.to_vec(), true, Vec::new()),
        };
        if let Some(folder) = files.iter().find(|file| Path::new(file).is_dir()) {
            let wrong = InputError::new("this is a folder among several paths").file(folder);
            return Err(wrong.hint("give one folder, or the files of the run"));
        }
        let steps = match &self.steps {
            Some(path) => given_steps(path, &files)?,
            None => numbers_of_names(&files.iter().map(|file| name_of(file)).collect::<Vec<_>>()),
        };
        let mut found: BTreeMap<u64, String> = BTreeMap::new();
        for (file, step) in files.into_iter().zip(steps) {
            let Some(step) = step else {
                if named {
                    return Err(InputError::new("the name of this file has no number, so its step is not known")
                        .file(file)
                        .hint("name files as step-100.safetensors, or give --steps FILE with a number for each"));
                }
                notes.push(format!("{file} has no number in its name and is left out"));
                continue;
            };
            if let Some(other) = found.get(&step) {
                return Err(InputError::new("two checkpoints have the same step")
                    .file(&file)
                    .value(format!("{step}, as {other}"))
                    .hint("leave one of them out, or give --steps FILE with a number for each"));
            }
            found.insert(step, file);
        }
        if found.is_empty() {
            return Err(InputError::new("there are no checkpoints here")
                .file(self.paths.join(" "))
                .hint("they are .safetensors, .npz or .json files, or folders with model.safetensors, with a number in the name"));
        }
        notes.extend(missing_steps(&found.keys().copied().collect::<Vec<_>>()));
        Ok((found.into_iter().map(|(step, file)| CheckpointFile { step, file }).collect(), notes))
    }

    /// Reads checkpoint after checkpoint and hands over its step and problem; the data are read and whitened once. A file that
    /// cannot be read is left out and named in the answer.
    ///
    /// # Errors
    /// If no file can be read, the data cannot, the networks differ, or `each` fails.
    pub fn read(
        &self,
        checkpoints: &[CheckpointFile],
        tolerances: &Tolerances,
        each: &mut dyn FnMut(u64, &Problem) -> Result<()>,
    ) -> Result<ItineraryInputs> {
        let mut run = ItineraryInputs::default();
        let mut first: Option<(ReadPoint, Data)> = None;
        let mut failure = None;
        let mut digests = Vec::new();
        for checkpoint in checkpoints {
            let weights = match read_weights(&checkpoint.file, &self.reading) {
                Ok(weights) => weights,
                Err(error) => {
                    run.unreadable.push(format!("step {}: {error}", checkpoint.step));
                    failure.get_or_insert(error);
                    continue;
                }
            };
            digests.push(weights.digest.clone());
            let files = PointFiles {
                weights: Some(checkpoint.file.clone()),
                reading: self.reading.clone(),
                data: self.data.clone(),
            };
            let named = |error: InputError| error.file(&checkpoint.file);
            match &first {
                None => {
                    let (weights, opened) = files.open()?;
                    let data = opened.data.clone();
                    let read = files.clone().prepare(weights, opened, tolerances)?;
                    each(checkpoint.step, &read.problem).map_err(named)?;
                    first = Some((read, data));
                }
                Some((read, data)) => {
                    same_network(&read.weights, &weights).map_err(named)?;
                    files.check_exactness(&weights, data)?;
                    let problem = read.problem.at(weights.parameters()).map_err(named)?;
                    each(checkpoint.step, &problem).map_err(named)?;
                }
            }
            run.files.push(checkpoint.clone());
        }
        let Some((read, _)) = first else {
            let none = || InputError::new("there are no checkpoints here").file(self.paths.join(" "));
            return Err(failure.unwrap_or_else(none));
        };
        run.widths = read.problem.factors().architecture().widths().to_vec();
        run.inputs = DiagnoseInputs {
            weights_digest: combined_digest("run", &digests.iter().map(|text| bytes_of(text)).collect::<Vec<_>>()),
            ..read.inputs(Normalization::Sum, 0)
        };
        Ok(run)
    }
}

/// The same widths, and biases in the same layers.
fn same_network(first: &Weights, other: &Weights) -> Result<()> {
    let biases = |weights: &Weights| weights.biases.iter().map(Option::is_some).collect::<Vec<bool>>();
    if first.widths() != other.widths() {
        return Err(InputError::new("the network of this checkpoint has other widths than that of the first")
            .value(format!("{:?} after {:?}", other.widths(), first.widths()))
            .hint("a run has one network; give the files of one run"));
    }
    if biases(first) != biases(other) {
        return Err(InputError::new("other layers of this checkpoint have biases than of the first")
            .hint("a run has one network; give the files of one run"));
    }
    Ok(())
}

/// A digest of 64 hexadecimal digits as bytes.
fn bytes_of(digest: &str) -> [u8; 32] {
    let digit = |at: usize| digest.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0);
    std::array::from_fn(|at| digit(2 * at))
}

/// The files of weights in a folder, by name, and notes on what else is there.
fn weights_of_folder(folder: &str) -> Result<(Vec<String>, Vec<String>)> {
    let failed = |error: std::io::Error| InputError::new(format!("the folder cannot be read: {error}")).file(folder);
    let mut paths = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>())
        .map_err(failed)?;
    paths.sort();
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for path in paths {
        let inside = path.join(INSIDE);
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if inside.is_file() {
            files.push(inside.display().to_string());
        } else if path.is_file() && WEIGHTS.iter().any(|known| extension.eq_ignore_ascii_case(known)) {
            files.push(path.display().to_string());
        } else {
            others.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    let note = match others.as_slice() {
        [] => None,
        [one] => Some(format!("{one} is no file of weights and is left out")),
        [first, ..] => Some(format!("{first} and {} more are no files of weights and are left out", others.len() - 1)),
    };
    Ok((files, note.into_iter().collect()))
}

/// The name that has the number: that of the file without its extension, or of the folder around `model.safetensors`.
fn name_of(file: &str) -> &str {
    let path = Path::new(file);
    let named = if path.ends_with(INSIDE) { path.parent().and_then(Path::file_name) } else { path.file_stem() };
    named.and_then(|name| name.to_str()).unwrap_or_default()
}

/// The number of each name. Names with equally many numbers differ in one of them: the last that is different everywhere counts; else
/// the last number of a name.
fn numbers_of_names(names: &[&str]) -> Vec<Option<u64>> {
    let numbers: Vec<Vec<u64>> = names.iter().map(|name| numbers(name)).collect();
    let count = numbers.first().map_or(0, Vec::len);
    let different = |place: &usize| {
        let mut found: Vec<u64> = numbers.iter().map(|numbers| numbers[*place]).collect();
        found.sort_unstable();
        found.windows(2).all(|pair| pair[0] != pair[1])
    };
    let alike = numbers.iter().all(|numbers| numbers.len() == count);
    let place = (0..count).rev().filter(|_| alike).find(different);
    numbers.iter().map(|numbers| place.map_or(numbers.last(), |place| numbers.get(place)).copied()).collect()
}

/// The numbers in a text; those too large for 64 bits are none.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// Steps out of a file: JSON, an object with the names of files or a list in the order of the files; or text, a number a line.
fn given_steps(path: &Path, files: &[String]) -> Result<Vec<Option<u64>>> {
    let wrong = |problem: &str| {
        InputError::new(problem).file(path.display()).hint(
            r#"steps are {"FILE": 100, ...}, a list [100, ...], or a number a line, in the order of the files; whole numbers"#,
        )
    };
    let bytes = read_text(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let steps: Vec<Option<u64>> = match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(serde_json::Value::Object(named)) => {
            let short = |file: &str| Path::new(file).file_name().and_then(|name| name.to_str()).map(str::to_owned);
            let one = |file: &String| {
                let value = named.get(file).or_else(|| named.get(&short(file)?)).or_else(|| named.get(name_of(file)));
                value
                    .map(|step| step.as_u64().ok_or_else(|| wrong("a step is no whole number").array(file).value(step)))
            };
            files.iter().map(|file| one(file).transpose()).collect::<Result<_>>()?
        }
        Ok(serde_json::Value::Array(list)) => {
            let one =
                |step: &serde_json::Value| step.as_u64().ok_or_else(|| wrong("a step is no whole number").value(step));
            list.iter().map(|step| one(step).map(Some)).collect::<Result<_>>()?
        }
        _ => {
            let one = |line: &str| line.parse().map_err(|_| wrong("a step is no whole number").value(line));
            text.split_whitespace().map(|line| one(line).map(Some)).collect::<Result<_>>()?
        }
    };
    if steps.len() != files.len() {
        let found = format!("{} steps, {} files", steps.len(), files.len());
        return Err(wrong("there are not as many steps as files").value(found));
    }
    Ok(steps)
}

/// A note where steps are missing in an otherwise regular sequence.
fn missing_steps(steps: &[u64]) -> Option<String> {
    let gaps: Vec<u64> = steps.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let usual = *gaps.iter().min()?;
    let regular = gaps.iter().filter(|&&gap| gap == usual).count();
    let missing: Vec<u64> = steps
        .windows(2)
        .flat_map(|pair| (1..((pair[1] - pair[0]) / usual).min(1000)).map(move |k| pair[0] + k * usual))
        .collect();
    let multiples = gaps.iter().all(|gap| gap % usual == 0);
    let first = missing.first()?;
    (multiples && gaps.len() > 2 && 2 * regular > gaps.len()).then(|| match missing.len() {
        1 => format!("step {first} is missing between checkpoints every {usual} steps"),
        count => format!("step {first} and {} more are missing between checkpoints every {usual} steps", count - 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_differs_is_the_step() {
        let steps = |names: &[&str]| numbers_of_names(names);
        assert_eq!(steps(&["step-100-f32", "step-20-f32"]), [Some(100), Some(20)]);
        assert_eq!(steps(&["epoch1_step20", "epoch2_step40"]), [Some(20), Some(40)]);
        assert_eq!(steps(&["run3-7", "last"]), [Some(7), None]);
        assert_eq!(steps(&["007"]), [Some(7)]);
        assert_eq!(steps(&["99999999999999999999999"]), [None]);
    }

    #[test]
    fn steps_missing_in_a_regular_sequence_are_told() {
        assert_eq!(missing_steps(&[0, 10, 20, 40]).unwrap(), "step 30 is missing between checkpoints every 10 steps");
        assert_eq!(
            missing_steps(&[0, 10, 20, 50, 60]).unwrap(),
            "step 30 and 1 more are missing between checkpoints every 10 steps"
        );
        for regular in [&[][..], &[5], &[1, 2], &[0, 1, 10, 100], &[0, 10, 20, 30]] {
            assert_eq!(missing_steps(regular), None, "{regular:?}");
        }
    }
}
