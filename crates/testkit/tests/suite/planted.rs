//! The planted critical points keep every promise, and the closed form of their inertia holds.

use num_traits::Zero;
use testkit::inertia::{self, Inertia, Ranks};
use testkit::planted::{Class, Limits, Planted};
use testkit::reference::Network;
use testkit::strings::{self, Strand};
use testkit::{Dense, Draw, RandomMatrix, Rational, exact};

const SMALL: Limits = Limits { min_depth: 1, max_depth: 4, max_width: 4 };
const DEEP: Limits = Limits { min_depth: 3, max_depth: 6, max_width: 3 };

/// What the random cases must have met for the suite to count.
#[derive(Debug, Default)]
struct Coverage {
    classes: [u32; 3],
    tied_kept_and_omitted: u32,
    zero_singular_value: u32,
    linked_wrapping_strings: u32,
    rank_deficient_inputs: u32,
    fewer_samples_than_inputs: u32,
}

impl Coverage {
    fn add<T>(&mut self, planted: &Planted<T>, samples: usize) {
        let blueprint = &planted.blueprint;
        let wrapping: Vec<Strand> = blueprint.strands.iter().copied().filter(|strand| strand.wraps()).collect();
        let tied = blueprint.kept.iter().any(|kept| blueprint.omitted.contains(kept));
        for (count, class) in self.classes.iter_mut().zip(Class::ALL) {
            *count += u32::from(class == planted.class);
        }
        self.tied_kept_and_omitted += u32::from(tied);
        self.zero_singular_value += u32::from(blueprint.spectrum().contains(&0.0));
        self.linked_wrapping_strings += u32::from(strings::linked_pairs(&wrapping) > 0);
        self.rank_deficient_inputs += u32::from(blueprint.widths()[0] < planted.widths[0]);
        self.fewer_samples_than_inputs += u32::from(samples < planted.widths[0]);
    }

    fn demand(&self, least: u32) {
        let counts = [
            self.classes.into_iter().min().unwrap_or(0),
            self.tied_kept_and_omitted,
            self.zero_singular_value,
            self.linked_wrapping_strings,
            self.rank_deficient_inputs,
            self.fewer_samples_than_inputs,
        ];
        println!("checked {} points: {self:?}", self.classes.iter().sum::<u32>());
        assert!(counts.iter().all(|&count| count >= least), "too few of something: {self:?}");
    }
}

/// A random case: half of them deep, and every fourth of a class in turn, so that rare ones occur.
fn case<T: RandomMatrix>(seed: u64, stream: u64, widest: usize) -> Planted<T> {
    let mut draw = Draw::new(seed, stream);
    let limits = if stream.is_multiple_of(2) { SMALL } else { DEEP };
    let limits = Limits { max_width: limits.max_width.min(widest), ..limits };
    if stream % 4 < 3 {
        return Planted::draw(&mut draw, limits);
    }
    Planted::draw_class(&mut draw, limits, Class::ALL[(stream / 4 % 3) as usize])
}

/// How many cases to try: `RANKSCAPE_CASES` raises it for long runs.
fn cases(default: u64) -> u64 {
    std::env::var("RANKSCAPE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// Inertia of a dense spectrum, with the demand that no eigenvalue lies between zero and not zero.
fn inertia_with_gap(values: &[f64], what: &str) -> Inertia {
    let scale = values.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    let unclear = values.iter().filter(|value| (1e-11..1e-6).contains(&(value.abs() / scale))).count();
    assert_eq!(unclear, 0, "{what}: eigenvalues of unclear sign in {values:?}");
    Inertia::of_eigenvalues(values, 1e-8 * scale)
}

#[test]
fn floating_point_inertia_of_dense_hessians_is_the_closed_form() {
    let mut coverage = Coverage::default();
    for stream in 0..cases(600) {
        let planted = case::<f64>(20, stream, 4);
        if planted.network.parameters() > 48 {
            continue;
        }
        let what = format!("stream {stream}, {:?}", planted.blueprint);
        coverage.add(&planted, planted.network.x.cols());

        let gradient = planted.network.gradient();
        let size = gradient.iter().map(|entry| entry.abs()).fold(0.0, f64::max);
        assert!(size < 1e-9, "{what}: gradient {size}");
        assert!((planted.network.value() - planted.loss).abs() < 1e-10 * (1.0 + planted.loss), "{what}: loss");

        let spectrum = planted.network.spectrum();
        assert_eq!(inertia_with_gap(&spectrum, &what), planted.inertia, "{what}: Hessian against pairs of strings");

        let residual = testkit::reference::product(&planted.whitened).sub(&planted.target);
        let ranks = Ranks::of_factors(&planted.whitened, &residual, 1e-8);
        assert_eq!(ranks, planted.blueprint.ranks(), "{what}: ranks");
        let formula = ranks.inertia(&planted.blueprint.kept, &planted.blueprint.omitted, same);
        assert_eq!(formula, planted.blueprint.inertia(), "{what}: formula against pairs of strings");
    }
    coverage.demand(5);
}

#[test]
fn rational_inertia_of_dense_hessians_is_the_closed_form() {
    let mut coverage = Coverage::default();
    for stream in 0..cases(400) {
        let planted = case::<Rational>(21, stream, 3);
        if planted.network.parameters() > 26 {
            continue;
        }
        coverage.add(&planted, planted.network.x.cols());
        let what = format!("stream {stream}, {:?}", planted.blueprint);
        assert!(planted.network.gradient().iter().all(Rational::is_zero), "{what}: gradient");
        assert_eq!(exact::inertia(&planted.network.hessian()), planted.inertia, "{what}");
        let formula =
            planted.blueprint.ranks().inertia(&planted.blueprint.kept, &planted.blueprint.omitted, |a, b| a == b);
        assert_eq!(formula, planted.blueprint.inertia(), "{what}: formula against pairs of strings");
    }
    coverage.demand(2);
}

#[test]
fn strict_saddles_are_exactly_the_points_of_positive_index() {
    for class in Class::ALL {
        for stream in 0..100 {
            let mut draw = Draw::new(22, stream);
            let planted = Planted::<f64>::draw_class(&mut draw, SMALL, class);
            assert_eq!(planted.class, class);
            assert_eq!(planted.inertia.negative > 0, class == Class::StrictSaddle, "{:?}", planted.blueprint);
            let gap = planted.loss - planted.global_minimum;
            assert_eq!(gap.abs() < 1e-12, class == Class::GlobalMinimum, "{:?}: gap {gap}", planted.blueprint);
        }
    }
}

#[test]
fn one_barcode_can_have_two_inertias() {
    let rows = |rows: &[[f64; 2]]| Dense::from_fn(rows.len(), 2, |i, j| rows[i][j]);
    let target = rows(&[[3.0, 0.0], [0.0, 1.0]]);
    let points = [
        (rows(&[[0.0, -2.0]]), rows(&[[0.0, 3.0], [0.0, 3.0]]), Inertia { negative: 2, zero: 8, positive: 2 }),
        (rows(&[[-1.0, 0.0]]), rows(&[[0.0, 0.0], [3.0, 0.0]]), Inertia { negative: 0, zero: 12, positive: 0 }),
    ];
    for (first, last, expected) in points {
        let weights = vec![first, Dense::zeros(2, 1), Dense::zeros(2, 2), last];
        let closed = inertia::of_critical_point(&weights, &Dense::identity(2), &target, 1e-9);
        assert_eq!(closed, expected);
        let network = Network::new(weights, Dense::identity(2), target.clone());
        assert!(network.gradient().iter().all(|entry| *entry == 0.0));
        assert_eq!(Inertia::of_eigenvalues(&network.spectrum(), 1e-12), expected);
    }
}
