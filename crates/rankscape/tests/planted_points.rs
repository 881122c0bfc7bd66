//! Critical points planted with known answers: classification on the point, recovery from a perturbed point, and
//! silence far from every critical point.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod points;

use points::{class_of, factors, whitening};
use rankscape::critical::{CriticalClass, captured_directions, classify, near_critical_point};
use rankscape::hessian::NormalizedNetwork;
use rankscape::multiplication::Factors;
use rankscape::random::Stream;
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::planted::{Class, Limits, Planted};
use testkit::random::Draw;

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

#[test]
fn perturbed_critical_points_are_recovered_or_undecided() {
    let tolerances = Tolerances::default();
    let (mut right, mut undecided, mut silent) = (0, 0, 0);
    let mut wrong = Vec::new();
    for seed in seeds() {
        let planted = Planted::<f64>::draw_class(&mut Draw::new(12, seed), LIMITS, Class::ALL[seed as usize % 3]);
        let white = whitening(&planted.network.x, &planted.network.y);
        if white.rank.rank == 0 || white.spectrum.s[0] < 1e-12 {
            right += 1;
            continue;
        }
        let mut stream = Stream::new(13, seed);
        let relative = 10.0_f64.powf(-6.0 + 3.0 * stream.uniform());
        let natural = (white.spectrum.s[0] / white.scales[0]).powf(1.0 / planted.blueprint.depth as f64);
        let factors = perturbed(&factors(&planted.network.weights), natural, relative, &mut stream);
        let network = NormalizedNetwork::new(&factors, &white);
        match near_critical_point(&factors, &network, &white, &tolerances) {
            None => {
                silent += 1;
                println!(
                    "silent {seed} eps {relative:.1e} class {:?} depth {}",
                    planted.class, planted.blueprint.depth
                );
            }
            Some(near) if near.class == CriticalClass::Undecided => {
                undecided += 1;
                println!(
                    "undecided {seed} eps {relative:.1e} class {:?} widths {:?} rank {} dist {:?} grad {:?} ana {:?} g {:.1e} ",
                    planted.class,
                    planted.widths,
                    planted.rank,
                    near.distance,
                    near.gradient_after,
                    near.analysis.map(|a| (a.class, a.rank)),
                    near.scaled_gradient
                );
            }
            Some(near) if near.class == class_of(planted.class) && near.captured == planted.blueprint.captured() => {
                right += 1
            }
            Some(near) => wrong.push((
                seed,
                relative,
                planted.class,
                near.class,
                near.captured,
                planted.blueprint.captured(),
                near.distance,
            )),
        }
    }
    println!("right {right} undecided {undecided} silent {silent} wrong {}", wrong.len());
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    assert_eq!(silent, 0, "a disturbed critical point is recovered or undecided");
    assert!(right >= 495 || seeds().len() == 1, "{right} right, {undecided} undecided");
}

#[test]
fn points_far_from_every_critical_point_have_none_near() {
    let tolerances = Tolerances::default();
    for seed in 0..500_u64 {
        let planted = Planted::<f64>::draw(&mut Draw::new(14, seed), LIMITS);
        let white = whitening(&planted.network.x, &planted.network.y);
        let mut stream = Stream::new(15, seed);
        let matrices = planted.widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect();
        let factors = Factors::new(matrices).unwrap();
        if white.rank.rank == 0 || white.spectrum.s.first().is_none_or(|s| *s == 0.0) {
            continue;
        }
        let network = NormalizedNetwork::new(&factors, &white);
        let near = near_critical_point(&factors, &network, &white, &tolerances);
        assert!(near.is_none(), "seed {seed}: {near:#?}");
    }
}
