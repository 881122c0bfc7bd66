//! The nearest critical points of the library against the slow search of the test kit and the planted points.

use crate::points::{class_of, diagnosis, grid};
use rankscape::critical::{CriticalClass, NearPoint};
use rankscape::diagnosis::Diagnosis;
use testkit::disturbed::Disturbed;
use testkit::nearest::{self, Effort, Found};
use testkit::planted::Class;
use testkit::reference::Network;
use testkit::{Dense, Draw};

/// A distance is right if it is at most this times that of the reference.
const NEAR_ENOUGH: f64 = 1.05;
/// Classes whose distances differ by less than this factor are tied.
const TIED: f64 = 1.1;
/// `near` is promised up to this distance.
const PROMISED: f64 = 0.1;

/// So many of the 500 differ: one is 15 % farther than the reference, all the others are points nearer than the planted one around which
/// the slow search, in double precision, finds no critical point of the class. All are at rank zero in chains of four layers or more. A
/// change may lower this number.
const KNOWN_MISSES: usize = 4;

/// What the library says of one class.
struct Point {
    class: CriticalClass,
    captured: Vec<usize>,
    distance: f64,
    weights: Vec<Dense>,
}

/// What the library says.
struct Answer {
    nearest: Point,
    strict: Option<Point>,
    non_strict: Option<Point>,
    lower_bound: f64,
}

/// The one place that knows where the library keeps its answer.
fn answer(diagnosis: &Diagnosis) -> Option<Answer> {
    let near = &diagnosis.near.as_ref()?.found;
    let point = |found: &NearPoint| Point {
        class: found.class,
        captured: found.captured.clone(),
        distance: found.distance,
        weights: found.factors.matrices().iter().map(grid).collect(),
    };
    Some(Answer {
        nearest: point(&near.nearest),
        strict: near.strict.as_ref().map(point),
        non_strict: near.non_strict.as_ref().map(point),
        lower_bound: near.lower_bound,
    })
}

/// Distances of the reference by class, over all rungs or one.
struct Reference {
    found: Vec<Found>,
}

impl Reference {
    /// The slow search, and the planted point moved along its symmetries.
    fn new(case: &Disturbed, stream: u64) -> Self {
        let mut found = nearest::nearest(&case.network, Effort::SMALL, &mut Draw::new(42, stream));
        let captured = case.planted.blueprint.captured();
        let tried = found.iter().any(|point| point.captured == captured);
        let weights = &case.planted.network.weights;
        if let Some(distance) = nearest::carried(&case.network, weights, case.planted.rank, 1e-11).filter(|_| tried) {
            // A non-strict saddle is a limit of strict ones.
            let classes: &[Class] = match case.planted.class {
                Class::NonStrictSaddle => &[Class::NonStrictSaddle, Class::StrictSaddle],
                Class::StrictSaddle => &[Class::StrictSaddle],
                Class::GlobalMinimum => &[Class::GlobalMinimum],
            };
            found.extend(classes.iter().map(|&class| Found {
                class,
                captured: captured.clone(),
                distance,
                weights: weights.clone(),
            }));
        }
        Self { found }
    }

    fn least(&self, keep: impl Fn(&Found) -> bool) -> Option<f64> {
        self.found.iter().filter(|point| keep(point)).map(|point| point.distance).min_by(f64::total_cmp)
    }
}

/// What is wrong with an answer; empty if nothing is.
fn faults(case: &Disturbed, answer: Option<&Answer>, reference: &Reference, stream: u64) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(nearest) = reference.least(|_| true) else { return faults };
    let Some(answer) = answer else {
        if nearest * NEAR_ENOUGH < PROMISED {
            faults.push(format!("null, but a critical point lies at {nearest:.6e}"));
        }
        return faults;
    };
    let found = &answer.nearest;
    if found.distance > NEAR_ENOUGH * nearest {
        faults.push(format!("nearest at {:.6e}, reference {nearest:.6e}", found.distance));
    }
    if answer.lower_bound > nearest * (1.0 + 1e-6) {
        faults.push(format!("lower bound {:.6e} above the reference {nearest:.6e}", answer.lower_bound));
    }
    let same_class = reference.least(|point| class_of(point.class) == found.class);
    if found.distance > 0.95 * nearest && same_class.is_none_or(|distance| distance > TIED * nearest) {
        faults.push(format!("nearest class {:?}, reference {same_class:?} of it and {nearest:.6e}", found.class));
    }
    for (class, point) in [(Class::StrictSaddle, &answer.strict), (Class::NonStrictSaddle, &answer.non_strict)] {
        let expected = reference.least(|point| point.class == class && point.captured == found.captured);
        let Some(expected) = expected.filter(|&distance| distance < PROMISED) else { continue };
        match point {
            None => faults.push(format!("no {}, reference {expected:.6e}", class.name())),
            Some(point) if point.distance > NEAR_ENOUGH * expected => {
                faults.push(format!("{} at {:.6e}, reference {expected:.6e}", class.name(), point.distance));
            }
            Some(_) => {}
        }
    }
    let points = [Some(found), answer.strict.as_ref(), answer.non_strict.as_ref()];
    for point in points.into_iter().flatten() {
        faults.extend(untrue(case, point, reference, stream));
    }
    faults
}

/// Whether a point of the library is not where, or not what, it claims to be.
fn untrue(case: &Disturbed, point: &Point, reference: &Reference, stream: u64) -> Option<String> {
    let again = nearest::distance(&case.network, &point.weights, point.captured.len());
    if (again - point.distance).abs() > 1e-6 * again + 1e-13 {
        return Some(format!("{:?} at {:.6e} is at {again:.6e}", point.class, point.distance));
    }
    let there = Network { weights: point.weights.clone(), ..case.network.clone() };
    let known = reference.least(|found| class_of(found.class) == point.class && found.captured == point.captured);
    if known.is_some_and(|known| point.distance > 0.99 * known) {
        return None;
    }
    // Nearer than everything known: a critical point of that class must be right there.
    let around = nearest::nearest(&there, Effort::SMALL, &mut Draw::new(43, stream));
    let same = |found: &&Found| class_of(found.class) == point.class && found.captured == point.captured;
    let gap = around.iter().filter(same).map(|found| found.distance).fold(f64::INFINITY, f64::min);
    (gap > 0.02 * point.distance).then(|| {
        format!("{:?} {:?} at {:.6e}: the next critical point is {gap:.3e} off", point.class, point.captured, again)
    })
}

/// How many cases to try: `RANKSCAPE_CASES` raises it for long runs.
fn cases(default: u64) -> u64 {
    std::env::var("RANKSCAPE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn the_nearest_critical_points_are_as_near_as_those_of_the_slow_search() {
    let (mut nothing, mut critical, mut compared, mut nearer) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for stream in 0..cases(500) {
        let case = Disturbed::draw(41, stream);
        let diagnosis = diagnosis(&case.network);
        if diagnosis.class != CriticalClass::NotCritical {
            critical += 1;
            continue;
        }
        let answer = answer(&diagnosis);
        let reference = Reference::new(&case, stream);
        match (&answer, reference.least(|_| true)) {
            (None, _) => nothing += 1,
            (Some(answer), Some(least)) => {
                compared += 1;
                nearer += u32::from(answer.nearest.distance < 0.95 * least);
            }
            _ => {}
        }
        let faults = faults(&case, answer.as_ref(), &reference, stream);
        if !faults.is_empty() {
            let blueprint = &case.planted.blueprint;
            let parameters = case.network.parameters();
            let planted = case.planted.class.name();
            let header = format!("stream {stream}: {parameters} parameters, widths {:?}", case.planted.widths);
            let origin = format!("planted {planted} at {:.3e}, {blueprint:?}", case.bound);
            wrong.push(format!("{header}, {origin}\n    {}", faults.join("\n    ")));
        }
    }
    println!(
        "{compared} compared, {nearer} nearer than the reference, {nothing} without, {critical} critical as given"
    );
    println!("{} of them farther than the reference:\n{}", wrong.len(), wrong.join("\n"));
    assert!(wrong.len() <= KNOWN_MISSES, "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
