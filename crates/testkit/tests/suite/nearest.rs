//! The slow search for the nearest critical points: what it finds is critical, of the class it says and no farther than
//! the planted point.

use testkit::disturbed::Disturbed;
use testkit::nearest::{self, Effort, Found};
use testkit::planted::Class;
use testkit::reference::Network;
use testkit::{Dense, Draw, jacobi};

/// How many cases to try: `RANKSCAPE_CASES` raises it for long runs.
fn cases(default: u64) -> u64 {
    std::env::var("RANKSCAPE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn of(found: &[Found], class: Class) -> Option<f64> {
    found.iter().filter(|point| point.class == class).map(|point| point.distance).min_by(f64::total_cmp)
}

fn scalar(weights: &[f64]) -> Network<f64> {
    let weights = weights.iter().map(|&w| Dense::from_rows(&[vec![w]])).collect();
    Network::new(weights, Dense::identity(1), Dense::identity(1))
}

fn search(network: &Network<f64>) -> Vec<Found> {
    nearest::nearest(network, Effort::SMALL, &mut Draw::new(30, 0))
}

#[test]
fn scalar_chains_have_the_distances_that_one_computes_by_hand() {
    // Target 1: next to the zero product all critical points are those with at most h - 2 weights that are not zero.
    let two = search(&scalar(&[0.1, 0.2]));
    assert!((of(&two, Class::StrictSaddle).unwrap() - 0.05_f64.sqrt() / 2.0_f64.sqrt()).abs() < 1e-12);
    let three = search(&scalar(&[0.1, 0.3, -0.2]));
    assert!((of(&three, Class::StrictSaddle).unwrap() - 0.05_f64.sqrt() / 3.0_f64.sqrt()).abs() < 1e-12);
    assert!((of(&three, Class::NonStrictSaddle).unwrap() - 0.14_f64.sqrt() / 3.0_f64.sqrt()).abs() < 1e-12);
    // Global minima of two layers: the hyperbola ab = 1, nearest to (c, c) at (1, 1).
    let minimum = search(&scalar(&[0.98, 0.98]));
    let expected = 0.02 / 0.98;
    assert!((of(&minimum, Class::GlobalMinimum).unwrap() - expected).abs() < 1e-9);
}

#[test]
fn every_answer_is_critical_of_its_class_and_no_farther_than_the_planted_point() {
    let mut met = [0_u32; 3];
    for stream in 0..cases(150) {
        let case = Disturbed::draw(31, stream);
        let what = format!("stream {stream}, noise {:.1e}, {:?}", case.noise, case.planted.blueprint);
        let found = nearest::nearest(&case.network, Effort::SMALL, &mut Draw::new(32, stream));
        for point in &found {
            let there = Network { weights: point.weights.clone(), ..case.network.clone() };
            let gradient = there.gradient().iter().map(|entry| entry * entry).sum::<f64>().sqrt();
            assert!(gradient < 1e-7, "{what}: gradient {gradient} at {point:?}");
            let again = nearest::distance(&case.network, &point.weights, point.captured.len());
            assert!(
                (again - point.distance).abs() <= 1e-6 * again + 1e-14,
                "{what}: {again} is not {}",
                point.distance
            );
            let spectrum = there.spectrum();
            let negative = spectrum[0] < -1e-6;
            match point.class {
                Class::StrictSaddle => assert!(negative || point.distance < 1e-2, "{what}: {spectrum:?}"),
                Class::NonStrictSaddle | Class::GlobalMinimum => assert!(!negative, "{what}: {spectrum:?}"),
            }
            met[Class::ALL.iter().position(|&class| class == point.class).unwrap()] += 1;
        }
        let captured = case.planted.blueprint.captured();
        let same = |point: &&Found| point.captured == captured && point.class == case.planted.class;
        match found.iter().find(same) {
            Some(point) => {
                let carried = nearest::carried(&case.network, &case.planted.network.weights, case.planted.rank, 1e-11);
                let carried = carried.unwrap();
                assert!(carried <= case.bound * (1.0 + 1e-6), "{what}: carried {carried}, planted {}", case.bound);
                println!("{:?} {:.3}", case.planted.class, point.distance / carried);
                assert!(point.distance <= 1.3 * case.bound, "{what}: {} but {}", point.distance, case.bound);
            }
            None => assert!(case.noise > 1e-3, "{what}: the planted rung was not tried"),
        }
    }
    assert!(met.iter().all(|&count| count >= 20), "{met:?}");
}

#[test]
fn the_natural_size_of_a_layer_is_that_of_the_regression() {
    let mut draw = Draw::new(33, 0);
    let (x, y) = (Dense::draw(&mut draw, 2, 5), Dense::draw(&mut draw, 3, 5));
    let gram = x.matmul(&x.transpose());
    let regression = y.matmul(&x.transpose()).matmul(&gram.inverse().unwrap());
    let expected = jacobi::singular_values(&regression)[0].sqrt();
    let network = Network::new(vec![Dense::zeros(2, 2), Dense::zeros(3, 2)], x, y);
    assert!((nearest::layer_scale(&network) - expected).abs() < 1e-12);
}
