//! The critical points nearest to a point that is not critical.
//!
//! Trained weights are never exactly critical. `rung` names the captured sets that the product is next to; over one of them
//! the critical points of each class are unions of strata on which certain compositions of layers vanish (`word`, with the
//! proof in docs/near.md). `nearest` finds the nearest point of a stratum, `bound` rules strata out, and the nearest of all is
//! classified by its ranks like any other critical point.

mod bound;
mod chain;
mod classification;
mod linearization;
mod nearest;
mod orbit;
mod precondition;
mod problem;
mod rung;
mod split;
mod wide;
mod word;

pub use nearest::NearWork;
pub use problem::{Near, Stall, near, stall};

use std::collections::BTreeMap;

use super::class::{CriticalClass, CriticalPoint};
use crate::data::Whitening;
use crate::linalg::Matrix;
use crate::multiplication::{Barcode, Factors, RankProfile};
use crate::network::NormalizedNetwork;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

use bound::Bounds;
use nearest::{GAIN, Landed, Solver};
use rung::{Coordinates, Kind, Rung, rungs};
use split::Requirement;
use word::Pattern;

/// Entries of a point that was found are known up to this.
const LANDING_ROUNDOFF: f64 = 64.0 * UNIT_ROUNDOFF;
/// Networks with more parameters are searched from fewer starts.
const LARGE: usize = 1000;
/// Strata of a class that are searched to the end in a large network.
const CANDIDATES: usize = 2;
/// Patterns of a class that are solved at most, and starts with two layers half cut: all there are up to six and eight layers. In
/// deeper chains, where each is dearer, there are fewer, so that the whole stays the same, and orbits are not searched.
const MOST_PATTERNS: usize = 40;
const MOST_CUTS: usize = 28;
const DEEP: usize = 8;
/// Where the zeros of orbits are known, Newton steps are not trusted with relative distances below this: the product of two parts as
/// small is lost in rounding errors.
const RESOLVED: f64 = 1e-6;
/// A second class of the rung of a near point is looked for up to this relative distance.
const FARTHEST: f64 = 2.0;

/// The point whose surroundings are searched.
#[derive(Clone, Copy)]
struct NearSearch<'a> {
    /// The factors of the problem that is analysed.
    factors: &'a Factors,
    /// The same, scaled and whitened.
    network: &'a NormalizedNetwork,
    /// Its data.
    whitening: &'a Whitening,
    /// `C` and its inverse, where the last factor as given is `C^-1 W_h`.
    output_factor: Option<(&'a Matrix, &'a Matrix)>,
    /// Norm of the parameters that are no factors.
    others: f64,
    /// How far those move when the factors become critical.
    others_moved: &'a (dyn Fn(&Factors) -> f64 + Sync),
    /// Unit roundoff of the type in which the weights were stored.
    unit_roundoff: f64,
    /// Tolerances.
    tolerances: &'a Tolerances,
}

/// A critical point near a given point.
#[derive(Debug, Clone)]
pub struct NearPoint {
    /// Its class.
    pub class: CriticalClass,
    /// 1-based indices of the captured singular directions.
    pub captured: Vec<usize>,
    /// `||theta - theta*|| / ||theta||` in the parameters as given.
    pub distance: f64,
    /// The same for the same point with the first factor whitened.
    pub distance_whitened: f64,
    /// `gradient.relative` there.
    pub gradient_after: f64,
    /// Loss there.
    pub value: f64,
    /// The critical point in the coordinates of the problem that is analysed.
    pub factors: Factors,
    /// Its classification.
    pub analysis: CriticalPoint,
}

impl NearPoint {
    /// Barcode of the factors; `None` if their ranks are not clear.
    pub fn barcode(&self, tolerances: &Tolerances) -> Option<Barcode> {
        let profile = RankProfile::new(&self.factors, LANDING_ROUNDOFF, tolerances);
        Barcode::new(&profile).filter(|_| profile.is_clear())
    }

    /// Number of negative eigenvalues of its Hessian, where the ranks settle it.
    pub fn index(&self) -> Option<usize> {
        match self.class {
            CriticalClass::GlobalMinimum | CriticalClass::NonStrictSaddle => Some(0),
            _ => self.analysis.inertia.map(|inertia| inertia.negative),
        }
    }
}

/// The nearest critical points of a point that is not critical.
#[derive(Debug, Clone)]
pub struct NearCriticalPoint {
    /// `non_strict_saddle` where a strict saddle is nearest but a non-strict one of the same rung is about as near; else the
    /// class of the nearest point.
    pub class: CriticalClass,
    /// The nearest of all.
    pub nearest: NearPoint,
    /// The nearest strict and the nearest non-strict saddle.
    pub strict: Option<NearPoint>,
    /// See `strict`.
    pub non_strict: Option<NearPoint>,
    /// No critical point of the rungs that were tried is nearer than this.
    pub lower_bound: f64,
    /// What the search cost.
    pub work: NearWork,
}

/// Looks for the critical points of the rungs next to a point; `None` where there is none within
/// `tolerances.near_distance`.
fn near_critical_point(point: &NearSearch<'_>) -> Option<NearCriticalPoint> {
    let largest = point.whitening.spectrum.s.first().copied().unwrap_or(0.0);
    if point.whitening.rank.rank == 0 || largest <= 0.0 {
        return None;
    }
    let output = point.output_factor.map(|(c, inverse)| (c.clone(), inverse.clone()));
    let coordinates = Coordinates::new(point.factors, point.network, point.whitening, output);
    if !coordinates.natural.is_finite() || coordinates.natural <= 0.0 {
        return None;
    }
    let rungs = rungs(&coordinates, point.network, point.whitening, point.unit_roundoff, point.tolerances);
    let bounds = Bounds::new(&coordinates);
    let mut search = Search { point, coordinates: &coordinates, bounds, found: Vec::new(), work: NearWork::default() };
    for rung in &rungs {
        search.try_rung(rung, point.tolerances.near_distance);
    }
    search.nearest()?;
    for rung in &rungs {
        search.try_rung(rung, FARTHEST);
    }
    search.report(&rungs)
}

struct Search<'a> {
    point: &'a NearSearch<'a>,
    coordinates: &'a Coordinates,
    bounds: Bounds<'a>,
    found: Vec<NearPoint>,
    work: NearWork,
}

impl Search<'_> {
    fn best(&self, class: CriticalClass) -> Option<f64> {
        self.found.iter().filter(|near| near.class == class).map(|near| near.distance).reduce(f64::min)
    }

    fn nearest(&self) -> Option<&NearPoint> {
        self.found.iter().reduce(|a, b| if b.distance < a.distance { b } else { a })
    }

    /// Solves the patterns of a rung, class by class; of many those with the smallest lower bounds. A class that has a point
    /// already is only improved.
    fn try_rung(&mut self, rung: &Rung, limit: f64) {
        let depth = self.coordinates.start.len();
        let second_pass = limit > self.point.tolerances.near_distance;
        let kinds: Vec<(CriticalClass, Vec<Pattern>)> = match rung.kind {
            Kind::Everything => vec![(CriticalClass::GlobalMinimum, word::fiber(depth))],
            Kind::BestOfFullRank => vec![(CriticalClass::GlobalMinimum, vec![Vec::new()])],
            Kind::FullRank => vec![(CriticalClass::StrictSaddle, vec![Vec::new()])],
            Kind::NotTop => vec![(CriticalClass::StrictSaddle, self.strict(depth))],
            Kind::Top => vec![
                (CriticalClass::StrictSaddle, self.strict(depth)),
                (CriticalClass::NonStrictSaddle, word::non_strict(depth)),
            ],
        };
        for (class, patterns) in kinds {
            if second_pass && self.best(class).is_some() {
                continue;
            }
            self.try_class(rung, class, patterns, limit);
        }
    }

    /// Newton steps lead to all strata of a class that a lower bound does not rule out; from the nearest of these points on
    /// the search goes along the strata.
    fn try_class(&mut self, rung: &Rung, class: CriticalClass, patterns: Vec<Pattern>, limit: f64) {
        let unit = self.size(rung) / self.coordinates.unit;
        let floor = self.bounds.rung(rung);
        let mut known = BTreeMap::new();
        let mut bounded: Vec<(f64, Pattern)> = patterns
            .into_iter()
            .map(|words| (self.bounds.pattern(rung, &words, &mut known).max(floor), words))
            .collect();
        bounded.sort_by(|a, b| a.0.total_cmp(&b.0));
        let most = MOST_PATTERNS * DEEP / self.coordinates.start.len().max(DEEP);
        self.work.pruned += bounded.len().saturating_sub(most);
        bounded.truncate(most);
        let mut reached: Vec<(Landed, Pattern)> = Vec::new();
        for (bound, words) in bounded {
            let best = self.best(class).unwrap_or(limit).min(limit);
            if bound >= best * unit {
                self.work.pruned += 1;
                continue;
            }
            self.work.patterns += 1;
            let farthest = if self.is_large() { nth(&reached, CANDIDATES) } else { f64::INFINITY };
            let starts = self.starts(rung, &words);
            let mut solver = self.solver(rung, &words);
            let limit = farthest.min(2.0 * limit * unit);
            let found: Vec<Landed> = starts.into_iter().filter_map(|start| solver.reach(start, limit)).collect();
            self.work = solver.work;
            reached.extend(found.into_iter().map(|landed| (landed, words.clone())));
            reached.sort_by(|a, b| a.0.distance.total_cmp(&b.0.distance));
        }
        if self.is_large() {
            reached.truncate(CANDIDATES);
        }
        let mut approached: Vec<(Landed, Pattern)> = Vec::new();
        for (landed, words) in reached {
            let best = self.best(class).unwrap_or(limit).min(limit) * unit;
            let mut solver = self.solver(rung, &words);
            let landed = solver.approach(landed, best.min(nth(&approached, 1)));
            self.work = solver.work;
            approached.extend(landed.map(|landed| (landed, words)));
            approached.sort_by(|a, b| a.0.distance.total_cmp(&b.0.distance));
        }
        let least = if self.try_orbits(rung, class, &approached, limit) { RESOLVED * unit } else { 0.0 };
        for (landed, words) in approached {
            let best = self.best(class).unwrap_or(f64::INFINITY);
            if landed.distance < least || landed.distance >= best * unit * (1.0 - GAIN) {
                break;
            }
            let mut solver = self.solver(rung, &words);
            let landed = solver.settle(landed);
            self.work = solver.work;
            let cleaned = landed.as_ref().zip(self.requirements(class)).and_then(|(landed, requirements)| {
                orbit::without_rounding_errors(self.coordinates, rung, &requirements, landed)
            });
            self.keep(rung, class, cleaned.or(landed), limit);
        }
    }

    /// In small networks, the nearest points of the orbits next to the start and to the best of the other points; their zeros
    /// are exact. False if there are none.
    fn try_orbits(&mut self, rung: &Rung, class: CriticalClass, found: &[(Landed, Pattern)], limit: f64) -> bool {
        let Some(requirements) = self.requirements(class) else { return false };
        let unit = self.size(rung) / self.coordinates.unit;
        if self.bounds.rung(rung) >= self.best(class).unwrap_or(limit).min(limit) * unit {
            return true;
        }
        let points: Vec<&[Matrix]> = found.iter().take(CANDIDATES).map(|(landed, _)| &landed.layers[..]).collect();
        let Some(landed) = orbit::nearest_of_orbits(self.coordinates, rung, &requirements, &points) else {
            return false;
        };
        for mut landed in landed {
            self.coordinates.clear(&mut landed.layers, rung.rank());
            if landed.distance < self.best(class).unwrap_or(f64::INFINITY) * unit * (1.0 - GAIN) {
                self.keep(rung, class, Some(landed), limit);
            }
        }
        true
    }

    /// What is zero at the points of a class; `None` where orbits are not searched.
    fn requirements(&self, class: CriticalClass) -> Option<Vec<Requirement>> {
        let depth = self.coordinates.start.len();
        match class {
            _ if depth == 1 || depth > DEEP || self.is_large() => None,
            CriticalClass::NonStrictSaddle if depth == 2 => None,
            CriticalClass::NonStrictSaddle => Some(split::non_strict(depth)),
            _ => Some(split::critical(depth)),
        }
    }

    fn keep(&mut self, rung: &Rung, class: CriticalClass, landed: Option<Landed>, limit: f64) {
        let near = landed.and_then(|landed| self.classified(rung, class, &landed));
        self.found.extend(near.filter(|near| near.distance <= limit));
    }

    fn solver<'b>(&self, rung: &'b Rung, words: &'b [word::Word]) -> Solver<'b>
    where
        Self: 'b,
    {
        Solver { coordinates: self.coordinates, rung, words, work: self.work }
    }

    /// In large networks the pattern of all compositions is left out: two arcs are cheaper.
    fn strict(&self, depth: usize) -> Vec<Pattern> {
        let mut patterns = word::strict(depth);
        if self.is_large() {
            patterns.pop();
        }
        patterns
    }

    fn is_large(&self) -> bool {
        self.point.factors.architecture().parameters() > LARGE
    }

    /// The point itself; for the pattern of all compositions in small networks also with pairs of layers half cut.
    fn starts(&self, rung: &Rung, words: &[word::Word]) -> Vec<Vec<Matrix>> {
        let depth = self.coordinates.start.len();
        let mut starts = vec![self.coordinates.start.clone()];
        if words.len() == depth + 1 && depth > 1 && !self.is_large() {
            let pairs = (1..=depth).flat_map(|i| (i + 1..=depth).map(move |j| [i, j]));
            let mut cuts: Vec<Vec<Matrix>> = pairs.map(|pair| self.coordinates.cut(pair, rung.rank(), 0.5)).collect();
            let most = MOST_CUTS * DEEP * DEEP / depth.max(DEEP).pow(2);
            if cuts.len() > most {
                cuts.sort_by_cached_key(|cut| self.coordinates.distance(cut).to_bits());
                cuts.truncate(most);
            }
            starts.extend(cuts);
        }
        starts
    }

    /// A distance in the units of the search as a relative one.
    fn relative(&self, rung: &Rung, distance: f64) -> f64 {
        distance * (self.coordinates.unit / self.size(rung))
    }

    /// What distances are divided by: `||theta||`; at rank zero no layer counts with less than its natural size.
    fn size(&self, rung: &Rung) -> f64 {
        let scales = self.point.network.layer_scales();
        let mean = scales.iter().map(|scale| scale.log2()).sum::<f64>() / scales.len() as f64;
        let least = if rung.rank() == 0 { self.coordinates.natural * mean.exp2() } else { 0.0 };
        let sizes = self.given_norms().into_iter().map(|norm| norm.max(least));
        sizes.fold(self.point.others, f64::hypot)
    }

    /// `||W_k||_F` as given.
    fn given_norms(&self) -> Vec<f64> {
        let mut norms: Vec<f64> = self.point.factors.matrices().iter().map(Matrix::frobenius_norm).collect();
        if let Some((_, inverse)) = self.point.output_factor {
            let last = norms.len() - 1;
            norms[last] = (inverse * &self.point.factors.matrices()[last]).frobenius_norm();
        }
        norms
    }

    fn report(self, rungs: &[Rung]) -> Option<NearCriticalPoint> {
        let nearest = self.nearest()?.clone();
        let tolerances = self.point.tolerances;
        let of_class = |class: CriticalClass, rung: Option<&[usize]>| {
            let candidates = self.found.iter().filter(|near| near.class == class);
            let candidates = candidates.filter(|near| rung.is_none_or(|captured| near.captured == captured));
            candidates.reduce(|a, b| if b.distance < a.distance { b } else { a })
        };
        let flat = of_class(CriticalClass::NonStrictSaddle, Some(&nearest.captured)).is_some_and(|flat| {
            flat.distance <= tolerances.near_flat_ratio * nearest.distance
                && flat.distance <= tolerances.near_flat_distance
        });
        let bounds = rungs.iter().map(|rung| self.relative(rung, self.bounds.rung(rung)));
        Some(NearCriticalPoint {
            class: if nearest.class == CriticalClass::StrictSaddle && flat {
                CriticalClass::NonStrictSaddle
            } else {
                nearest.class
            },
            strict: of_class(CriticalClass::StrictSaddle, None).cloned(),
            non_strict: of_class(CriticalClass::NonStrictSaddle, None).cloned(),
            lower_bound: bounds.fold(nearest.distance, f64::min),
            work: self.work,
            nearest,
        })
    }
}

/// The `n`-th smallest distance of these points, sorted by it.
fn nth(found: &[(Landed, Pattern)], n: usize) -> f64 {
    found.get(n - 1).map_or(f64::INFINITY, |(landed, _)| landed.distance)
}
