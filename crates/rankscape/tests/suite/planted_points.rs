//! Critical points planted with known answers: classification on the point, recovery from a perturbed point, and
//! silence far from every critical point.

use crate::points::{class_of, factors, samples, whitening};
use rankscape::critical::{CriticalClass, NearCriticalPoint, captured_directions, classify};
use rankscape::multiplication::Factors;
use rankscape::network::NormalizedNetwork;
use rankscape::problem::Problem;
use rankscape::random::Stream;
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::planted::{Class, Limits, Planted};
use testkit::random::Draw;
use testkit::reference::Network;

const LIMITS: Limits = Limits { min_depth: 2, max_depth: 5, max_width: 5 };

fn seeds() -> Vec<u64> {
    std::env::var("SEED").map_or((0..500).collect(), |s| vec![s.parse().unwrap()])
}

fn perturbed(factors: &Factors, natural: f64, relative: f64, stream: &mut Stream) -> Factors {
    let matrices = factors
        .matrices()
        .iter()
        .map(|w| {
            let noise = stream.normal_matrix(w.nrows(), w.ncols());
            let size = if w.max_abs() == 0.0 { natural } else { w.frobenius_norm() };
            w + &noise.scaled(relative * size / noise.frobenius_norm())
        })
        .collect();
    Factors::new(matrices).unwrap()
}

#[test]
fn class_inertia_and_captured_set_of_planted_points_are_right_or_undecided() {
    let tolerances = Tolerances::default();
    let mut undecided = 0;
    for seed in 0..3000 {
        let planted = Planted::<f64>::draw_class(&mut Draw::new(11, seed), LIMITS, Class::ALL[seed as usize % 3]);
        let white = whitening(&planted.network.x, &planted.network.y);
        let factors = factors(&planted.network.weights);
        let network = NormalizedNetwork::new(&factors, &white);
        assert!(
            network.is_critical(UNIT_ROUNDOFF, &tolerances),
            "seed {seed}: {}",
            network.relative_gradient(UNIT_ROUNDOFF, &tolerances)
        );
        let found = classify(&network, &white, UNIT_ROUNDOFF, &tolerances);
        if found.class == CriticalClass::Undecided {
            undecided += 1;
            continue;
        }
        assert_eq!(found.class, class_of(planted.class), "seed {seed}");
        let inertia = found.inertia.unwrap();
        let expected = planted.inertia;
        assert_eq!(
            (inertia.negative, inertia.zero, inertia.positive),
            (expected.negative, expected.zero, expected.positive),
            "seed {seed} {planted:#?} {found:#?}"
        );
        if white.rank.rank == 0 {
            continue;
        }
        let scale = network.target_scale();
        let captured =
            captured_directions(network.whitened().output(), found.rank, &white, scale, (1e-9, 1e-9), 1e-6).unwrap();
        assert_eq!(captured.indices, planted.blueprint.captured(), "seed {seed}");
    }
    assert!(undecided <= 6, "{undecided} of 3000 undecided");
}

/// The nearest critical points of factors, for the data of a planted network.
fn near(factors: &Factors, network: &Network<f64>) -> Option<NearCriticalPoint> {
    let data = samples(&network.x, &network.y, None);
    let problem = Problem::new(factors.matrices().to_vec(), data).unwrap();
    rankscape::critical::near(&problem, 0).map(|near| near.found)
}

/// The planted point is critical, so the nearest one of its class is at most as far as the noise.
#[test]
fn the_nearest_point_of_the_planted_class_is_at_most_as_far_as_the_noise() {
    let (mut asked, mut silent, mut far) = (0, Vec::new(), Vec::new());
    for seed in seeds() {
        let planted = Planted::<f64>::draw_class(&mut Draw::new(12, seed), LIMITS, Class::ALL[seed as usize % 3]);
        let white = whitening(&planted.network.x, &planted.network.y);
        if white.rank.rank == 0 || white.spectrum.s[0] < 1e-12 || planted.rank == 0 {
            continue;
        }
        let mut stream = Stream::new(13, seed);
        let relative = 10.0_f64.powf(-6.0 + 3.0 * stream.uniform());
        let natural = (white.spectrum.s[0] / white.scales[0]).powf(1.0 / planted.blueprint.depth as f64);
        let exact = factors(&planted.network.weights);
        let moved = perturbed(&exact, natural, relative, &mut stream);
        let size = |f: &Factors| f.matrices().iter().map(|w| w.frobenius_norm()).fold(0.0, f64::hypot);
        let noise = size(&moved.moved(-1.0, &exact)) / size(&moved);
        if noise > 0.1 {
            continue;
        }
        asked += 1;
        let Some(found) = near(&moved, &planted.network) else {
            silent.push((seed, noise));
            continue;
        };
        let of_class = match class_of(planted.class) {
            CriticalClass::StrictSaddle => found.strict.as_ref(),
            CriticalClass::NonStrictSaddle => found.non_strict.as_ref(),
            _ => Some(&found.nearest),
        };
        let distance = of_class.map(|point| point.distance);
        if distance.is_none_or(|distance| distance > 1.05 * noise + 1e-12) {
            far.push((seed, noise, distance, planted.class, planted.widths.clone()));
        }
    }
    assert!(silent.is_empty(), "nothing near: {silent:?}");
    assert!(far.len() * 50 <= asked, "{} of {asked} farther than the noise: {far:#?}", far.len());
}

#[test]
fn whatever_is_named_near_a_random_point_is_critical() {
    for seed in 0..500_u64 {
        let planted = Planted::<f64>::draw(&mut Draw::new(14, seed), LIMITS);
        let white = whitening(&planted.network.x, &planted.network.y);
        let mut stream = Stream::new(15, seed);
        let matrices = planted.widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect();
        let factors = Factors::new(matrices).unwrap();
        if white.rank.rank == 0 || white.spectrum.s.first().is_none_or(|s| *s == 0.0) {
            continue;
        }
        let found = near(&factors, &planted.network);
        let found = found.map(|found| (found.nearest.distance, found.nearest.gradient_after, found.nearest.captured));
        assert!(found.is_none_or(|(_, gradient, _)| gradient <= 1e-9), "seed {seed}: a named point is critical");
    }
}
