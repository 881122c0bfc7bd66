//! Paths out of planted critical points of every class, measured by an independent evaluation of the loss.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod points;

use points::{diagnosis, matrix, parameters, samples};
use rankscape::critical::CriticalClass;
use rankscape::diagnosis::{Diagnosis, Point};
use rankscape::escape::{Constructed, Construction, Escape, Judgement, construct};
use rankscape::hessian::NormalizedNetwork;
use rankscape::multiplication::Factors;
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::planted::{Class, Limits, Planted};
use testkit::random::Draw;
use testkit::reference::Network;

const LIMITS: Limits = Limits { min_depth: 2, max_depth: 5, max_width: 5 };

/// Parameters of the test kit, row by row, from those of the library.
fn moved(network: &Network<f64>, escape: &Escape) -> Network<f64> {
    let theta = Factors::new(network.weights.iter().map(matrix).collect()).unwrap();
    network.with_parameters(&escape.path.at(&theta, escape.t).to_vector())
}

fn check_decrease(network: &Network<f64>, escape: &Escape, at: &str) {
    let (before, after) = (network.value(), moved(network, escape).value());
    assert!(escape.decrease > 0.0 && escape.coefficient < 0.0, "{at}");
    let size = before.max(escape.decrease);
    assert!((before - after - escape.decrease).abs() <= 1e-9 * size, "{at}: {before} {after} {}", escape.decrease);
}

fn class_of(found: &Diagnosis) -> Class {
    match found.class {
        CriticalClass::GlobalMinimum => Class::GlobalMinimum,
        CriticalClass::StrictSaddle => Class::StrictSaddle,
        CriticalClass::NonStrictSaddle => Class::NonStrictSaddle,
        other => panic!("{other}"),
    }
}

#[test]
fn every_saddle_has_a_path_that_descends_as_claimed_and_no_minimum_has_one() {
    let (mut orders, mut undecided) = ([0; 12], 0);
    for seed in 0..3000 {
        let at = format!("seed {seed}");
        let planted = Planted::<f64>::draw_class(&mut Draw::new(71, seed), LIMITS, Class::ALL[seed as usize % 3]);
        let found = diagnosis(&planted.network);
        if found.class == CriticalClass::Undecided {
            undecided += 1;
            continue;
        }
        assert_eq!(class_of(&found), planted.class, "{at}");
        let Some(escape) = &found.escape else {
            assert_eq!(planted.class, Class::GlobalMinimum, "{at} {:?}", planted.widths);
            continue;
        };
        assert_ne!(planted.class, Class::GlobalMinimum, "{at}");
        check_decrease(&planted.network, escape, &at);
        match planted.class {
            Class::StrictSaddle => assert_eq!(escape.order, 2, "{at}"),
            _ => assert!(escape.order >= 3, "{at}"),
        }
        orders[escape.order] += 1;
    }
    println!("orders {orders:?} undecided {undecided}");
    assert!(undecided <= 60, "{undecided} of 3000 undecided");
}

/// The constructions that apply at a planted point, and the point's reduced problem.
fn constructed(network: &Network<f64>) -> Vec<(Construction, Result<Constructed, &'static str>)> {
    let tolerances = Tolerances::default();
    let point = Point::new(parameters(network, None), samples(&network.x, &network.y, None), &tolerances).unwrap();
    let judgement = Judgement { unit_roundoff: UNIT_ROUNDOFF, tolerances: &tolerances, seed: 0 };
    let normalized = NormalizedNetwork::new(&point.factors, &point.whitening);
    let all = Construction::DESCENTS.into_iter().chain([Construction::Ascent]);
    all.map(|name| (name, construct(name, &normalized, &point.whitening, judgement))).collect()
}

#[test]
fn named_constructions_change_the_loss_as_they_predict() {
    let mut counts = std::collections::BTreeMap::<(&str, Class2), usize>::new();
    for seed in 0..1500 {
        let planted = Planted::<f64>::draw_class(&mut Draw::new(72, seed), LIMITS, Class::ALL[seed as usize % 3]);
        if planted.blueprint.widths()[0] == 0 {
            continue;
        }
        let saddle = planted.class != Class::GlobalMinimum;
        let size = planted.network.value().max(planted.target.dot(&planted.target));
        let mut descents = 0;
        for (name, found) in constructed(&planted.network) {
            let at = format!("seed {seed} {} {:?} {:?}", name.name(), planted.class, planted.widths);
            let Ok(found) = found else { continue };
            let theta = Factors::new(planted.network.weights.iter().map(matrix).collect()).unwrap();
            let moved = planted.network.with_parameters(&found.path.at(&theta, found.t).to_vector()).value();
            let before = planted.network.value();
            let scale = size.max(moved);
            assert!((moved - before - found.measured).abs() <= 1e-9 * scale, "{at}: {moved} {before} {found:?}");
            if let Some(change) = found.prediction.change.filter(|_| found.construction != Construction::Ascent) {
                assert!((change - found.measured).abs() <= 1e-8 * scale, "{at}: {change} {}", found.measured);
            }
            if let Some(coefficient) = found.coefficient {
                let expected = found.prediction.coefficient;
                assert!((coefficient - expected).abs() <= 1e-7 * expected.abs().max(1e-3 * size), "{at}: {coefficient} {expected}");
                let lower = found.loss.coefficients[1..found.prediction.order].iter().map(|c| c.abs());
                assert!(lower.fold(0.0, f64::max) <= 1e-8 * size, "{at}: {:?}", found.loss);
            }
            assert!(found.prediction.order_bound.is_none_or(|bound| found.prediction.order <= bound), "{at}");
            if name == Construction::Ascent {
                assert!(found.measured > 0.0, "{at}");
            } else {
                assert!(found.measured < 0.0 && saddle, "{at}: {found:?}");
                descents += 1;
            }
            *counts.entry((name.name(), Class2(planted.class.name()))).or_default() += 1;
        }
        assert!(descents > 0 || !saddle, "seed {seed} {:?}", planted.widths);
    }
    println!("{counts:#?}");
}

/// Class as a key.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Class2(&'static str);
