//! The arguments of one family of critical points, `critical --strata` and `--construct`, and what they choose.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rankscape::InputError;
use rankscape::answers::global_minima;
use rankscape::critical::{CapturedChoice, CyclicBar, Gauge, StratumChoice};
use rankscape::multiplication::Bar;
use rankscape::problem::Landscape;

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

impl From<GaugeName> for Gauge {
    fn from(name: GaugeName) -> Self {
        match name {
            GaugeName::Canonical => Self::Canonical,
            GaugeName::Balanced => Self::Balanced,
            GaugeName::Random => Self::Random,
        }
    }
}

/// The chosen captured set; that of the global minima by default.
pub(crate) fn captured(options: &FamilyOptions, landscape: &Landscape) -> Result<CapturedChoice, InputError> {
    if let Some(pattern) = &options.pattern {
        return Ok(CapturedChoice::Pattern(pattern.clone()));
    }
    let Some(text) = options.captured.as_deref().map(str::trim) else { return global_minima(landscape) };
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

pub(crate) fn stratum_choice(options: &FamilyOptions) -> Result<StratumChoice, InputError> {
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
