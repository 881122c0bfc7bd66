//! The saddles of a run by name: the only place where a trajectory meets the critical points it passes.
//!
//! A *plateau* is a stretch of a run on which the loss stays within a fiftieth of the distance to the nearest other critical value of
//! one, for longer than the fastest curvature of a balanced minimum takes to act once; a value that is only passed is none. What is captured there is read
//! off the product, so the directions are those of the run and not those of a theory. `docs/flow.md` has the definitions.

mod stored;

pub use stored::{Ahead, Checkpoint, Nearest, Visit, checkpoint, visits};

use crate::critical::{CriticalClass, Ladder};
use crate::data::Whitening;
use crate::escape::SingularDirections;
use crate::flow::Passed;
use crate::linalg::Matrix;
use crate::multiplication::{Factors, balance_defect};

/// Part of the distance to the nearest other critical value within which a loss is at one.
const BAND: f64 = 0.02;
/// Critical values that are looked at.
const MOST_VALUES: usize = 4096;
/// A start is balanced up to this part of its size.
pub(crate) const BALANCED: f64 = 1e-9;

/// A stretch of a run at a critical value.
#[derive(Debug, Clone, PartialEq)]
pub struct Plateau {
    /// When the loss comes to it.
    pub time: f64,
    /// For how long it stays; until the end of the run where `lasts`.
    pub duration: f64,
    /// The run ended on it.
    pub lasts: bool,
    /// The critical value.
    pub value: f64,
    /// 1-based places in the spectrum of the directions that the product has there.
    pub captured: Vec<usize>,
    /// The class of the balanced critical point with these directions; `None` where the start is not balanced.
    pub class: Option<CriticalClass>,
}

/// The plateaus of a run of the square loss, in order. `shortest` is the least duration; the loss of the run falls.
pub fn plateaus(path: &[Passed], ladder: &Ladder, whitening: &Whitening, shortest: f64) -> Vec<Plateau> {
    let Some(first) = path.first() else { return Vec::new() };
    if !ladder.levels().is_clear() {
        return Vec::new();
    }
    let mut values: Vec<f64> = ladder.lowest(MOST_VALUES).iter().map(|rung| rung.value).collect();
    let largest = values.iter().fold(first.loss, |a, b| a.max(*b));
    values.dedup_by(|a, b| (*a - *b).abs() <= 1e-12 * largest);
    let depth = ladder.architecture().widths().len() - 1;
    let layers = &first.blocks[..depth];
    let balanced = Factors::new(layers.to_vec()).is_ok_and(|factors| balance_defect(&factors) <= BALANCED);
    let mut found = Vec::new();
    for (k, &value) in values.iter().enumerate() {
        let below = if k > 0 { value - values[k - 1] } else { f64::INFINITY };
        let above = values.get(k + 1).map_or(f64::INFINITY, |next| next - value);
        let band = BAND * below.min(above);
        if !band.is_finite() {
            continue;
        }
        let Some(enter) = passes(path, value + band) else { continue };
        let leave = passes(path, value - band);
        let end = path.last().map_or(0.0, |last| last.time);
        let duration = leave.unwrap_or(end) - enter;
        if !(duration >= shortest) {
            continue;
        }
        let inside = |passed: &&Passed| passed.time >= enter && leave.is_none_or(|leave| passed.time <= leave);
        let Some(slowest) = path.iter().filter(inside).min_by(|a, b| a.rate.total_cmp(&b.rate)) else { continue };
        let captured = captured(&slowest.blocks[..depth], whitening, ladder.effective_bottleneck());
        // Where values lie close together, those beside the one of the set are passed only.
        if (values[0] + above_minimum(&captured, ladder) - value).abs() > band {
            continue;
        }
        let class = balanced.then(|| class_of(&captured, ladder, depth));
        found.push(Plateau { time: enter, duration, lasts: leave.is_none(), value, captured, class });
    }
    found.sort_by(|a, b| a.time.total_cmp(&b.time));
    found
}

/// When the loss first is at most this: between two points by the cubic with their losses and rates.
fn passes(path: &[Passed], level: f64) -> Option<f64> {
    let at = path.iter().position(|passed| passed.loss <= level)?;
    let Some(before) = at.checked_sub(1).map(|before| &path[before]) else { return Some(path[at].time) };
    let after = &path[at];
    let h = after.time - before.time;
    let loss = |s: f64| {
        let (a, b) = (1.0 - s, s);
        let ends = a * a * (1.0 + 2.0 * b) * before.loss + b * b * (1.0 + 2.0 * a) * after.loss;
        ends - h * a * b * (a * before.rate - b * after.rate)
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if loss(middle) <= level { high = middle } else { low = middle }
    }
    Some(before.time + high * h)
}

fn captured(layers: &[Matrix], whitening: &Whitening, most: usize) -> Vec<usize> {
    let inputs = whitening.inputs();
    let product = layers.iter().fold(inputs, |product, layer| layer * &product);
    let zero = 1e-12 * whitening.singular_values().first().copied().unwrap_or(0.0);
    let directions = SingularDirections::new(&product, whitening, 1.0, zero, zero);
    directions.learned(most).into_iter().map(|index| index + 1).collect()
}

/// The whitened target's singular values, every one as often as it occurs.
fn singular_values(ladder: &Ladder) -> Vec<f64> {
    ladder.levels().levels.iter().flat_map(|level| std::iter::repeat_n(level.value, level.multiplicity)).collect()
}

/// By how much the critical value of these directions, counted from 1, exceeds the lowest one.
fn above_minimum(captured: &[usize], ladder: &Ladder) -> f64 {
    let values = singular_values(ladder);
    let best: f64 = values.iter().take(ladder.effective_bottleneck()).map(|value| value * value).sum();
    let kept: f64 = captured.iter().filter_map(|&place| values.get(place - 1)).map(|value| value * value).sum();
    0.5 * (best - kept)
}

/// Of the balanced point with these directions: all factors have the rank of the product, so every pivot is tightened from three
/// layers on.
fn class_of(captured: &[usize], ladder: &Ladder, depth: usize) -> CriticalClass {
    let values = singular_values(ladder);
    let kept = captured.iter().filter_map(|&place| values.get(place - 1)).copied().fold(f64::INFINITY, f64::min);
    let omitted = (1..=values.len()).filter(|place| !captured.contains(place)).map(|place| values[place - 1]);
    let largest_omitted = omitted.fold(0.0, f64::max);
    match () {
        () if largest_omitted > kept => CriticalClass::StrictSaddle,
        () if largest_omitted == 0.0 || captured.len() == ladder.effective_bottleneck() => CriticalClass::GlobalMinimum,
        () if depth == 2 => CriticalClass::StrictSaddle,
        () => CriticalClass::NonStrictSaddle,
    }
}
