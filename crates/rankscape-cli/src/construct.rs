//! `rankscape strata`, `construct` and `parse`: what lies over a rung, one point of it, and a point taken apart.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use rankscape::architecture::Architecture;
use rankscape::critical::{
    CapturedChoice, Constructed, CyclicBar, ExactData, Gauge, Request, StratumChoice, construct,
    construct_with_surplus, family_of,
};
use rankscape::data::{TriangularFactor, Whitening};
use rankscape::diagnosis::{Data, Parameters, Point, parse_point};
use rankscape::io::documents::{ConstructDocument, FamilyInputs, ParseDocument, ParseInputs, StrataDocument, to_json};
use rankscape::io::{
    Convention, SampleOptions, WeightOptions, Weights, read_samples, read_target, read_weights, write_weights,
};
use rankscape::linalg::exact::RationalMatrix;
use rankscape::multiplication::Bar;
use rankscape::report::{construct_text, parse_text, strata_text};
use rankscape::{InputError, Tolerances};

use crate::arguments::{CommonOptions, Task, WeightFileOptions};
use crate::diagnose::tolerances;
use crate::map::{finish, read_point};
use crate::output::{ANSWERED, FAILED, Outcome, UNDECIDED, run_document};

/// Partial sums that are remembered to count strata.
const COUNTED_STATES: usize = 200_000;

/// The data of a problem.
#[derive(Debug, Args)]
pub(crate) struct DataOptions {
    /// Samples, one a row: .npz or .json with X and Y, .csv with columns x*, y*, or X.npy,Y.npy.
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    pub(crate) data: Option<String>,
    /// A matrix Y (outputs x inputs) instead of data: the loss is 1/2 ||W - Y||^2.
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,
    /// What the network is trained for.
    #[arg(long, value_enum, default_value_t = Task::Regression)]
    pub(crate) task: Task,
    /// The first N columns of a table are inputs, the others outputs.
    #[arg(long, value_name = "N")]
    pub(crate) inputs: Option<usize>,
    /// One weight for each sample.
    #[arg(long, value_name = "FILE")]
    pub(crate) sample_weights: Option<PathBuf>,
}

/// Which family of critical points.
#[derive(Debug, Args)]
pub(crate) struct FamilyOptions {
    /// Widths d0,d1,...,dh.
    #[arg(long, value_delimiter = ',', value_name = "WIDTHS", required = true)]
    pub(crate) widths: Vec<usize>,
    /// Captured singular directions, counted from 1: 1,3; or none.
    #[arg(long, value_name = "INDICES", required_unless_present = "pattern")]
    pub(crate) captured: Option<String>,
    /// How many of each distinct positive singular value are captured, largest first: 2,0,1.
    #[arg(long, value_delimiter = ',', value_name = "COUNTS", conflicts_with = "captured")]
    pub(crate) pattern: Option<Vec<usize>>,
    /// Most strata to list or to look through.
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub(crate) max: usize,
    /// Set a tolerance; `docs/accuracy.md` lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// Arguments of `strata`.
#[derive(Debug, Args)]
pub(crate) struct StrataOptions {
    /// The family.
    #[command(flatten)]
    pub(crate) family: FamilyOptions,
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// Options of every verb.
    #[command(flatten)]
    pub(crate) common: CommonOptions,
}

/// Which point of a stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GaugeName {
    /// Unit bases at the inner nodes; the first factor carries the singular values.
    Canonical,
    /// W_{k+1}' W_{k+1} = W_k W_k'; points without surplus only.
    Balanced,
    /// A random point of the stratum.
    Random,
}

/// What the part of W1 that the data do not see is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unseen {
    /// Zeros.
    Zero,
    /// Random numbers.
    Random,
}

/// Arguments of `construct`.
#[derive(Debug, Args)]
pub(crate) struct ConstructOptions {
    /// The family.
    #[command(flatten)]
    pub(crate) family: FamilyOptions,
    /// The stratum: minimal (no surplus), generic (largest dimension), or its number in the list of strata.
    #[arg(long, default_value = "minimal", value_name = "NAME", conflicts_with_all = ["barcode", "rank_profile"])]
    pub(crate) stratum: String,
    /// The stratum by the barcode of the whitened factors: 0-2,0-1x2,2-2 (from-to, times).
    #[arg(long, value_delimiter = ',', value_name = "BARS", conflicts_with = "rank_profile")]
    pub(crate) barcode: Option<Vec<String>>,
    /// The stratum by the ranks of all partial products of the whitened factors: 0:1=1,1:2=2,0:2=0 (W_j...W_{i+1} is i:j).
    #[arg(long, value_delimiter = ',', value_name = "RANKS")]
    pub(crate) rank_profile: Option<Vec<String>>,
    /// The strings that wrap through the residual, where barcode or ranks leave a choice: 3-0,2-0x2 (from s to t <= s - 2).
    #[arg(long, value_delimiter = ',', value_name = "BARS")]
    pub(crate) wrapped: Option<Vec<String>>,
    /// Surplus blocks Z1, ..., Zh instead of a stratum: W1 = [captured rows; Z1], Wk = diag(I, Zk), Wh = [captured columns, Zh].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stratum", "barcode", "rank_profile", "wrapped", "gauge", "unseen"])]
    pub(crate) surplus: Option<PathBuf>,
    /// Which point of the stratum.
    #[arg(long, value_enum, default_value_t = GaugeName::Canonical)]
    pub(crate) gauge: GaugeName,
    /// What the part of W1 that the data do not see is filled with.
    #[arg(long, value_enum, default_value_t = Unseen::Zero)]
    pub(crate) unseen: Unseen,
    /// Write the weights (.safetensors, .npz or .json).
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// Options of every verb.
    #[command(flatten)]
    pub(crate) common: CommonOptions,
}

/// Arguments of `parse`.
#[derive(Debug, Args)]
pub(crate) struct ParseOptions {
    /// The point.
    #[command(flatten)]
    pub(crate) point: WeightFileOptions,
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// Options of every verb.
    #[command(flatten)]
    pub(crate) common: CommonOptions,
}

pub(crate) fn run_strata(options: &StrataOptions, started: Instant) -> Result<Outcome, InputError> {
    let (family, common) = (&options.family, &options.common);
    let problem = Problem::new(family, &options.data, common)?;
    let (captured, found) = family_of(
        &problem.architecture,
        &problem.whitening,
        problem.exact.as_ref(),
        &captured(family)?,
        &problem.tolerances,
    )
    .map_err(|error| problem.name_file(error))?;
    let total = found.count(COUNTED_STATES);
    let listed = found.list(family.max);
    let mut document = StrataDocument::new(&problem.inputs(common), &found, &captured, &listed, total.as_ref());
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "strata.json", &to_json(&document), || strata_text(&document), code)
}

pub(crate) fn run_construct(options: &ConstructOptions, started: Instant) -> Result<Outcome, InputError> {
    let (family, common) = (&options.family, &options.common);
    let problem = Problem::new(family, &options.data, common)?;
    let gauge = match options.gauge {
        GaugeName::Canonical => Gauge::Canonical,
        GaugeName::Balanced => Gauge::Balanced,
        GaugeName::Random => Gauge::Random,
    };
    let request = Request {
        captured: captured(family)?,
        stratum: stratum_choice(options)?,
        gauge,
        unseen: options.unseen == Unseen::Random,
        seed: common.seed,
        max: family.max,
    };
    let found = match &options.surplus {
        Some(path) => with_surplus(&problem, &request.captured, path),
        None => {
            construct(&problem.architecture, &problem.whitening, problem.exact.as_ref(), &request, &problem.tolerances)
        }
    };
    let found = found.map_err(|error| problem.name_file(error))?;
    let written = options.save.as_ref().filter(|_| found.check.holds != Some(false));
    if let Some(path) = written {
        write_weights(path, &weights(&found)?)?;
    }
    let saved = written.map(|path| path.display().to_string());
    let mut document = ConstructDocument::new(&problem.inputs(common), &found, gauge, saved);
    document.run = run_document(common, started);
    let code = match found.check.holds {
        Some(true) => ANSWERED,
        Some(false) => FAILED,
        None => UNDECIDED,
    };
    finish(common, "construct.json", &to_json(&document), || construct_text(&document), code)
}

/// The point with the surplus blocks of a file.
fn with_surplus(problem: &Problem, captured: &CapturedChoice, path: &Path) -> Result<Constructed, InputError> {
    let names = (1..=problem.architecture.depth()).map(|k| format!("Z{k}")).collect();
    let blocks = read_weights(path, &WeightOptions { layers: Some(names), convention: Convention::Torch })?;
    construct_with_surplus(&problem.architecture, &problem.whitening, captured, &blocks.matrices, &problem.tolerances)
        .map_err(|error| error.file(path.display()))
}

pub(crate) fn run_parse(options: &ParseOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, _) = read_point(&options.point.weights, &options.point, &tolerances)?;
    let widths = weights.widths();
    let ends = widths.first().copied().zip(widths.last().copied());
    let (data, data_digest) = options.data.read(ends, common)?;
    let parameters = Parameters {
        matrices: weights.matrices.clone(),
        biases: weights.biases.clone(),
        exact: weights.exact.clone(),
        output_metric: None,
    };
    let named = |error: InputError| error.file(options.point.weights.display());
    let point = Point::new(parameters, data, &tolerances).map_err(named)?;
    let found = parse_point(&point, weights.unit_roundoff, &tolerances).map_err(named)?;
    let inputs = ParseInputs {
        widths,
        spectrum: point.whitening.singular_values().to_vec(),
        weights_digest: weights.digest,
        data_digest,
        seed: common.seed,
    };
    let mut document = ParseDocument::new(&found, &inputs);
    document.run = run_document(common, started);
    let undecided = found.critical.as_ref().is_some_and(|point| point.undecided);
    let code = if undecided { UNDECIDED } else { ANSWERED };
    finish(common, "parse.json", &to_json(&document), || parse_text(&document), code)
}

/// Data and widths.
struct Problem {
    architecture: Architecture,
    whitening: Whitening,
    exact: Option<ExactData>,
    tolerances: Tolerances,
    digest: String,
    file: String,
}

impl Problem {
    fn new(family: &FamilyOptions, data: &DataOptions, common: &CommonOptions) -> Result<Self, InputError> {
        let tolerances = tolerances(&family.tolerances)?;
        let architecture = Architecture::new(family.widths.clone()).map_err(|error| error.array("--widths"))?;
        let (read, digest) = data.read(Some((architecture.inputs(), architecture.outputs())), common)?;
        let (factor, exact) = match read {
            Data::Target(y, exact) => {
                let exact = exact.map(|y| ExactData::new(&RationalMatrix::identity(y.ncols()), &y.transpose()));
                (TriangularFactor::from_target(&y), exact)
            }
            Data::Samples(samples, exact) => (samples.plain(), exact.map(|(x, y)| ExactData::new(&x, &y))),
        };
        let whitening = Whitening::new(&factor, &tolerances);
        Ok(Self { architecture, whitening, exact, tolerances, digest, file: data.name() })
    }

    fn inputs(&self, common: &CommonOptions) -> FamilyInputs<'_> {
        FamilyInputs {
            widths: self.architecture.widths(),
            whitening: &self.whitening,
            data_digest: self.digest.clone(),
            seed: common.seed,
            tolerances: &self.tolerances,
        }
    }

    /// Widths that do not fit are an error about the data too.
    fn name_file(&self, error: InputError) -> InputError {
        if error.array.as_deref() == Some("widths") { error.file(&self.file) } else { error }
    }
}

impl DataOptions {
    fn name(&self) -> String {
        self.target.as_ref().map(|path| path.display().to_string()).or(self.data.clone()).unwrap_or_default()
    }

    /// The data and their digest; `expected` are inputs and outputs of the network.
    fn read(&self, expected: Option<(usize, usize)>, common: &CommonOptions) -> Result<(Data, String), InputError> {
        if let Some(path) = &self.target {
            let target = read_target(path)?;
            return Ok((Data::Target(target.matrix, target.exact), target.digest));
        }
        let Some(data) = &self.data else {
            return Err(InputError::new("no data were given")
                .hint("give --data FILE with X and Y, or --target FILE with a matrix"));
        };
        let options = SampleOptions {
            expected,
            autoencoder: self.task == Task::Autoencoder,
            inputs: self.inputs,
            sample_weights: self.sample_weights.clone(),
            threads: common.thread_count(),
            ..SampleOptions::default()
        };
        let samples = read_samples(data, &options)?;
        Ok((Data::Samples(Box::new(samples.factor), samples.exact), samples.digest))
    }
}

fn weights(found: &Constructed) -> Result<Weights, InputError> {
    match &found.exact {
        Some(exact) => Weights::from_exact(exact.matrices()),
        None => Weights::from_matrices(found.factors.matrices().to_vec()),
    }
}

fn captured(options: &FamilyOptions) -> Result<CapturedChoice, InputError> {
    if let Some(pattern) = &options.pattern {
        return Ok(CapturedChoice::Pattern(pattern.clone()));
    }
    let text = options.captured.as_deref().unwrap_or("none").trim();
    if text == "none" || text.is_empty() {
        return Ok(CapturedChoice::Indices(Vec::new()));
    }
    let numbers = text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<Vec<usize>>>();
    numbers.map(CapturedChoice::Indices).ok_or_else(|| {
        InputError::new("captured directions are numbers separated by commas, or none")
            .array("--captured")
            .value(text)
            .hint("for example --captured 1,3")
    })
}

fn stratum_choice(options: &ConstructOptions) -> Result<StratumChoice, InputError> {
    let wrapped = options.wrapped.as_ref().map(|texts| all(texts, "--wrapped", parse_bar)).transpose()?;
    let wrapped = wrapped.map(|bars| {
        bars.into_iter().map(|(from, to, multiplicity)| CyclicBar { from, to, multiplicity }).collect::<Vec<_>>()
    });
    if let Some(texts) = &options.barcode {
        let bars = all(texts, "--barcode", parse_bar)?;
        let bars = bars.into_iter().map(|(from, to, multiplicity)| Bar { from, to, multiplicity }).collect();
        return Ok(StratumChoice::Barcode(bars, wrapped));
    }
    if let Some(texts) = &options.rank_profile {
        return Ok(StratumChoice::Ranks(all(texts, "--rank-profile", parse_rank)?, wrapped));
    }
    if wrapped.is_some() {
        return Err(InputError::new("--wrapped needs --barcode or --rank-profile").array("--wrapped"));
    }
    match options.stratum.as_str() {
        "minimal" => Ok(StratumChoice::Minimal),
        "generic" => Ok(StratumChoice::Generic),
        number => number
            .parse()
            .map(StratumChoice::Number)
            .map_err(|_| InputError::new("a stratum is minimal, generic or a number").array("--stratum").value(number)),
    }
}

type Triple = (usize, usize, usize);

fn all(texts: &[String], name: &str, parse: fn(&str) -> Option<Triple>) -> Result<Vec<Triple>, InputError> {
    let example = if name == "--rank-profile" { "0:1=2" } else { "0-2 or 0-2x3" };
    let read = |text: &String| {
        parse(text.trim()).ok_or_else(|| {
            InputError::new("not understood").array(name).value(text).hint(format!("for example {example}"))
        })
    };
    texts.iter().map(read).collect()
}

/// `from-to` or `from-toxtimes`.
fn parse_bar(text: &str) -> Option<Triple> {
    let (from, rest) = text.split_once('-')?;
    let (to, times) = rest.split_once('x').unwrap_or((rest, "1"));
    Some((from.parse().ok()?, to.parse().ok()?, times.parse().ok()?))
}

/// `i:j=rank`.
fn parse_rank(text: &str) -> Option<Triple> {
    let (nodes, rank) = text.split_once('=')?;
    let (i, j) = nodes.split_once(':')?;
    Some((i.parse().ok()?, j.parse().ok()?, rank.parse().ok()?))
}
