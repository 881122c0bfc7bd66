//! What a diagnosis may not depend on: bases of hidden layers, orthogonal bases at both ends, the order of hidden units,
//! direction, units of measurement, repeated samples.

use crate::points::{diagnosis, diagnosis_of, matrix, parameters, samples};
use proptest::prelude::*;
use rankscape::critical::CriticalClass;
use rankscape::diagnosis::Diagnosis;
use rankscape::problem::Data;
use testkit::grid::{Dense, Grid};
use testkit::planted::{Blueprint, Class, Data as PlantedData, Limits, Planted};
use testkit::random::Draw;
use testkit::random_matrix::RandomMatrix;
use testkit::reference::Network;

const LIMITS: Limits = Limits { min_depth: 1, max_depth: 4, max_width: 4 };

fn limits(class: Class) -> Limits {
    Limits { min_depth: if class == Class::NonStrictSaddle { 3 } else { 1 }, ..LIMITS }
}

fn planted(draw: &mut Draw, seed: u64) -> Planted<f64> {
    let class = Class::ALL[seed as usize % 3];
    Planted::draw_class(draw, limits(class), class)
}

/// The verdicts of both agree; a point that one of them leaves undecided says nothing.
fn same(a: &Diagnosis, b: &Diagnosis) -> Result<(), TestCaseError> {
    if [a, b].iter().any(|found| found.class == CriticalClass::Undecided || found.inertia.is_none()) {
        return Err(TestCaseError::reject("undecided"));
    }
    let verdict = |found: &Diagnosis| {
        let inertia = found.inertia.unwrap();
        (found.class, found.origin, found.captured.clone(), found.differential.rank, inertia.negative, inertia.zero)
    };
    prop_assert_eq!(verdict(a), verdict(b));
    Ok(())
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-8 * a.abs().max(b.abs()).max(1e-6)
}

/// Loss and ends of the spectrum of the Hessian agree, after multiplication of the first by `factor`.
fn same_numbers(a: &Diagnosis, b: &Diagnosis, factor: f64) -> Result<(), TestCaseError> {
    let size = a.extremes.largest.value.abs().max(a.extremes.smallest.value.abs()).max(1e-6) * factor;
    prop_assert!(near(factor * a.loss, b.loss), "loss {} {}", a.loss, b.loss);
    for (x, y) in [(&a.extremes.smallest, &b.extremes.smallest), (&a.extremes.largest, &b.extremes.largest)] {
        prop_assert!((factor * x.value - y.value).abs() <= 1e-8 * size, "{} {}", x.value, y.value);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_global_rejects: 200, ..ProptestConfig::default() })]

    #[test]
    fn basis_of_hidden_layers(seed in 0..1_000_000_u64) {
        let draw = &mut Draw::new(41, seed);
        let planted = planted(draw, seed);
        let mut moved = planted.network.clone();
        for k in 1..moved.weights.len() {
            let gauge = f64::invertible(draw, moved.weights[k].cols());
            moved.weights[k] = moved.weights[k].matmul(&gauge.inverse().unwrap());
            moved.weights[k - 1] = gauge.matmul(&moved.weights[k - 1]);
        }
        let (a, b) = (diagnosis(&planted.network), diagnosis(&moved));
        same(&a, &b)?;
        prop_assert!(near(a.loss, b.loss));
    }

    #[test]
    fn orthogonal_bases_at_both_ends(seed in 0..1_000_000_u64) {
        let draw = &mut Draw::new(42, seed);
        let planted = planted(draw, seed);
        let mut moved = planted.network.clone();
        let (first, last) = (f64::orthogonal(draw, moved.x.rows()), f64::orthogonal(draw, moved.y.rows()));
        let h = moved.weights.len() - 1;
        moved.x = first.matmul(&moved.x);
        moved.weights[0] = moved.weights[0].matmul(&first.transpose());
        moved.y = last.matmul(&moved.y);
        moved.weights[h] = last.matmul(&moved.weights[h]);
        let (a, b) = (diagnosis(&planted.network), diagnosis(&moved));
        same(&a, &b)?;
        same_numbers(&a, &b, 1.0)?;
    }

    #[test]
    fn order_of_hidden_units(seed in 0..1_000_000_u64) {
        let draw = &mut Draw::new(43, seed);
        let planted = planted(draw, seed);
        let mut moved = planted.network.clone();
        for k in 1..moved.weights.len() {
            let mut order: Vec<usize> = (0..moved.weights[k].cols()).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, draw.size(0, i));
            }
            moved.weights[k] = moved.weights[k].columns(&order);
            moved.weights[k - 1] = moved.weights[k - 1].transpose().columns(&order).transpose();
        }
        let (a, b) = (diagnosis(&planted.network), diagnosis(&moved));
        same(&a, &b)?;
        same_numbers(&a, &b, 1.0)?;
    }

    #[test]
    fn direction_of_the_network_for_whitened_data(seed in 0..1_000_000_u64) {
        let draw = &mut Draw::new(44, seed);
        let class = Class::ALL[seed as usize % 3];
        let blueprint = Blueprint::draw_class(draw, limits(class), class);
        prop_assume!(blueprint.widths()[0] > 0);
        let planted = Planted::<f64>::build(draw, blueprint, PlantedData::IDENTITY);
        let forward = &planted.network;
        let weights = forward.weights.iter().rev().map(Grid::transpose).collect();
        let backward = Network::new(weights, Dense::identity(forward.y.rows()), forward.y.transpose());
        let of = |network: &Network<f64>| {
            diagnosis_of(parameters(network, None), Data::target(matrix(&network.y)))
        };
        let (a, b) = (of(forward), of(&backward));
        same(&a, &b)?;
        same_numbers(&a, &b, 1.0)?;
    }

    #[test]
    fn units_of_outputs(seed in 0..1_000_000_u64, power in prop::sample::select(vec![-150, -40, 40, 150])) {
        let draw = &mut Draw::new(45, seed);
        let planted = planted(draw, seed);
        let scale = 10.0_f64.powi(power);
        let mut moved = planted.network.clone();
        let h = moved.weights.len() - 1;
        moved.y = moved.y.scale(&scale);
        moved.weights[h] = moved.weights[h].scale(&scale);
        let (a, b) = (diagnosis(&planted.network), diagnosis(&moved));
        same(&a, &b)?;
        prop_assert!(near(a.loss * scale * scale / b.loss.max(f64::MIN_POSITIVE), 1.0) || a.loss < 1e-12);
    }

    #[test]
    fn units_of_inputs(seed in 0..1_000_000_u64, power in prop::sample::select(vec![-150, -40, 40, 150])) {
        let draw = &mut Draw::new(46, seed);
        let planted = planted(draw, seed);
        let scale = 10.0_f64.powi(power);
        let mut moved = planted.network.clone();
        moved.x = moved.x.scale(&scale);
        moved.weights[0] = moved.weights[0].scale(&(1.0 / scale));
        let (a, b) = (diagnosis(&planted.network), diagnosis(&moved));
        same(&a, &b)?;
        prop_assert!(near(a.loss, b.loss));
    }

    #[test]
    fn balance_between_layers(seed in 0..1_000_000_u64, power in prop::sample::select(vec![-70, -30, 30, 70])) {
        let draw = &mut Draw::new(47, seed);
        let planted = planted(draw, seed);
        prop_assume!(planted.network.weights.len() > 1);
        let scale = 10.0_f64.powi(power);
        let mut moved = planted.network.clone();
        let k = draw.size(1, moved.weights.len() - 1);
        moved.weights[k] = moved.weights[k].scale(&scale);
        moved.weights[k - 1] = moved.weights[k - 1].scale(&(1.0 / scale));
        let (a, b) = (diagnosis(&planted.network), diagnosis(&moved));
        same(&a, &b)?;
        prop_assert!(near(a.loss, b.loss));
    }

    #[test]
    fn samples_said_twice(seed in 0..1_000_000_u64) {
        let draw = &mut Draw::new(48, seed);
        let planted = planted(draw, seed);
        let mut moved = planted.network.clone();
        let twice: Vec<usize> = (0..moved.x.cols()).flat_map(|s| [s, s]).collect();
        moved.x = moved.x.columns(&twice);
        moved.y = moved.y.columns(&twice);
        let (a, b) = (diagnosis(&planted.network), diagnosis(&moved));
        same(&a, &b)?;
        same_numbers(&a, &b, 2.0)?;
        let weights = vec![2.0; planted.network.x.cols()];
        let data = samples(&planted.network.x, &planted.network.y, Some(&weights));
        let c = diagnosis_of(parameters(&planted.network, None), data);
        same(&b, &c)?;
        same_numbers(&b, &c, 1.0)?;
    }
}
