//! Paths out of planted critical points of every class, measured by an independent evaluation of the loss.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod points;

use points::{diagnosis, matrix};
use rankscape::critical::CriticalClass;
use rankscape::diagnosis::Diagnosis;
use rankscape::escape::Escape;
use rankscape::multiplication::Factors;
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
