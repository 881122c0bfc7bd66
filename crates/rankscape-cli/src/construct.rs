//! `rankscape critical --strata`, `critical --construct` and `parse`: what lies over a rung, one point of it, and a point
//! taken apart.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use rankscape::critical::{
    CapturedChoice, Constructed, CyclicBar, Gauge, Request, StratumChoice, construct, construct_with_surplus,
    family_of, parse,
};
use rankscape::multiplication::Bar;
use rankscape::problem::Problem as Prepared;
use rankscape::{InputError, Tolerances};
use rankscape_io::documents::{ConstructDocument, FamilyInputs, ParseDocument, ParseInputs, StrataDocument};
use rankscape_io::report::{construct_text, parse_text, strata_text};
use rankscape_io::{Convention, WeightOptions, Weights, read_weights, write_weights};

use crate::arguments::{CommonOptions, CriticalOptions, DataOptions, WeightFileOptions};
use crate::critical::{MOST_LISTED, Problem};
use crate::map::read_point;
use crate::output::{ANSWERED, FAILED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::{Source, tolerances};

/// Partial sums that are remembered to count strata.
const COUNTED_STATES: usize = 200_000;

/// One family of critical points instead of all rungs, and one point of it.
#[derive(Debug, Args)]
pub(crate) struct FamilyOptions {
    /// List the strata of one family, that of --captured, --pattern or else of the global minima: barcode, wrapped ranks, class, index, dimension.
    #[arg(long, conflicts_with = "construct")]
    pub(crate) strata: bool,
    /// Construct one critical point of that family; --save writes it.
    #[arg(long)]
    pub(crate) construct: bool,
    /// Captured singular directions, counted from 1: 1,3; or none.
    #[arg(long, value_name = "INDICES")]
    pub(crate) captured: Option<String>,
    /// How many of each distinct positive singular value are captured, largest first: 2,0,1.
    #[arg(long, value_delimiter = ',', value_name = "COUNTS", conflicts_with = "captured")]
    pub(crate) pattern: Option<Vec<usize>>,
    /// The stratum: minimal (no surplus), generic (largest dimension), or its number in the list of strata.
    #[arg(long, default_value = "minimal", value_name = "NAME", conflicts_with_all = ["barcode", "rank_profile"])]
    pub(crate) stratum: String,
    /// The stratum by the barcode of the whitened factors: 0-2,0-1x2,2-2 (from-to, times).
    #[arg(long, value_delimiter = ',', value_name = "BARS", conflicts_with = "rank_profile", requires = "construct")]
    pub(crate) barcode: Option<Vec<String>>,
    /// The stratum by the ranks of all partial products of the whitened factors: 0:1=1,1:2=2,0:2=0 (W_j...W_{i+1} is i:j).
    #[arg(long, value_delimiter = ',', value_name = "RANKS", requires = "construct")]
    pub(crate) rank_profile: Option<Vec<String>>,
    /// The strings that wrap through the residual, where barcode or ranks leave a choice: 3-0,2-0x2 (from s to t <= s - 2).
    #[arg(long, value_delimiter = ',', value_name = "BARS", requires = "construct")]
    pub(crate) wrapped: Option<Vec<String>>,
    /// Surplus blocks Z1, ..., Zh instead of a stratum: W1 = [captured rows; Z1], Wk = diag(I, Zk), Wh = [captured columns, Zh].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stratum", "barcode", "rank_profile", "wrapped", "gauge", "unseen"], requires = "construct")]
    pub(crate) surplus: Option<PathBuf>,
    /// Which point of the stratum.
    #[arg(long, value_enum, default_value_t = GaugeName::Canonical)]
    pub(crate) gauge: GaugeName,
    /// What the part of W1 that the data do not see is filled with.
    #[arg(long, value_enum, default_value_t = Unseen::Zero)]
    pub(crate) unseen: Unseen,
    /// Write the weights (.safetensors, .npz or .json).
    #[arg(long, value_name = "FILE", requires = "construct")]
    pub(crate) save: Option<PathBuf>,
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

pub(crate) fn run_strata(options: &CriticalOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let problem = Problem::read(options, &tolerances)?;
    let (data, common) = (&problem.data, &options.common);
    let choice = captured(options, &problem, &tolerances)?;
    let (captured, found) =
        family_of(&problem.architecture, &data.whitening, data.exact.as_ref(), &choice, &tolerances)
            .map_err(|error| problem.name_file(error, options))?;
    let total = found.count(COUNTED_STATES);
    let listed = found.list(options.max.unwrap_or(MOST_LISTED));
    let mut document =
        StrataDocument::new(&inputs(&problem, common, &tolerances), &found, &captured, &listed, total.as_ref());
    document.notes.clone_from(&problem.notes);
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    let text = strata_text(&document);
    finish(common, "strata.json", &document, text, code)
}

pub(crate) fn run_construct(options: &CriticalOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let problem = Problem::read(options, &tolerances)?;
    let (family, data, common) = (&options.family, &problem.data, &options.common);
    if problem.has_biases {
        return Err(InputError::new("a point is constructed without biases")
            .array("weights")
            .hint("give --widths d0,...,dh instead of the weights"));
    }
    let gauge = match family.gauge {
        GaugeName::Canonical => Gauge::Canonical,
        GaugeName::Balanced => Gauge::Balanced,
        GaugeName::Random => Gauge::Random,
    };
    let request = Request {
        captured: captured(options, &problem, &tolerances)?,
        stratum: stratum_choice(family)?,
        gauge,
        unseen: family.unseen == Unseen::Random,
        seed: common.seed,
        max: options.max.unwrap_or(MOST_LISTED),
    };
    let found = match &family.surplus {
        Some(path) => with_surplus(&problem, &request.captured, path, &tolerances),
        None => construct(&problem.architecture, &data.whitening, data.exact.as_ref(), &request, &tolerances),
    };
    let found = found.map_err(|error| problem.name_file(error, options))?;
    let written = family.save.as_ref().filter(|_| found.check.holds != Some(false));
    if let Some(path) = written {
        write_weights(path, &weights(&found)?)?;
    }
    let saved = written.map(|path| path.display().to_string());
    let mut document = ConstructDocument::new(&inputs(&problem, common, &tolerances), &found, gauge, saved);
    document.notes.clone_from(&problem.notes);
    document.run = run_document(common, started);
    let code = match found.check.holds {
        Some(true) => ANSWERED,
        Some(false) => FAILED,
        None => UNDECIDED,
    };
    let text = construct_text(&document);
    finish(common, "construct.json", &document, text, code)
}

fn inputs<'a>(problem: &'a Problem, common: &CommonOptions, tolerances: &'a Tolerances) -> FamilyInputs<'a> {
    FamilyInputs {
        widths: problem.architecture.widths(),
        whitening: &problem.data.whitening,
        data_digest: problem.data_digest.clone(),
        seed: common.seed,
        tolerances,
    }
}

/// The point with the surplus blocks of a file.
fn with_surplus(
    problem: &Problem,
    captured: &CapturedChoice,
    path: &Path,
    tolerances: &Tolerances,
) -> Result<Constructed, InputError> {
    let names = (1..=problem.architecture.depth()).map(|k| format!("Z{k}")).collect();
    let convention = Some(Convention::Torch);
    let blocks = read_weights(path, &WeightOptions { layers: Some(names), convention, ..WeightOptions::default() })?;
    construct_with_surplus(&problem.architecture, &problem.data.whitening, captured, &blocks.matrices, tolerances)
        .map_err(|error| error.file(path.display()))
}

pub(crate) fn run_parse(options: &ParseOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, _) = read_point(&options.point.weights, &options.point, &tolerances)?;
    let widths = weights.widths();
    let source = Source::new(None, None, &options.data)?;
    let (data, data_digest, data_notes) = source.read_data(&options.data, &widths, common)?;
    let parameters = weights.parameters().with_output_metric(options.data.output_metric()?);
    let named = |error: InputError| error.file(options.point.weights.display());
    let problem = Prepared::with_tolerances(parameters, data, &tolerances).map_err(named)?;
    let found = parse(&problem).map_err(named)?;
    let inputs = ParseInputs {
        widths,
        spectrum: problem.whitening().singular_values().to_vec(),
        weights_digest: weights.digest,
        data_digest,
        seed: common.seed,
        tolerances,
    };
    let mut document = ParseDocument::new(&found, &inputs);
    document.notes = weights.notes.into_iter().chain(data_notes).collect();
    document.run = run_document(common, started);
    let undecided = found.critical.as_ref().is_some_and(|point| point.undecided);
    let code = if undecided { UNDECIDED } else { ANSWERED };
    let text = parse_text(&document);
    finish(common, "parse.json", &document, text, code)
}

fn weights(found: &Constructed) -> Result<Weights, InputError> {
    match &found.exact {
        Some(exact) => Weights::from_exact(exact.matrices()),
        None => Weights::from_matrices(found.factors.matrices().to_vec()),
    }
}

/// The chosen family; that of the global minima by default.
fn captured(
    options: &CriticalOptions,
    problem: &Problem,
    tolerances: &Tolerances,
) -> Result<CapturedChoice, InputError> {
    if let Some(pattern) = &options.family.pattern {
        return Ok(CapturedChoice::Pattern(pattern.clone()));
    }
    let Some(text) = options.family.captured.as_deref().map(str::trim) else {
        let lowest = problem.ladder(options, tolerances)?.lowest(1).pop();
        return Ok(CapturedChoice::Pattern(lowest.map(|rung| rung.pattern).unwrap_or_default()));
    };
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

fn stratum_choice(options: &FamilyOptions) -> Result<StratumChoice, InputError> {
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
