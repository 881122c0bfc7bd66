//! The references of the testkit agree with the independent answers.

use testkit::inertia::{self, Inertia};
use testkit::oracles::{self, LandscapePoint};
use testkit::reference::{Network, product};
use testkit::{Dense, jacobi};

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + b.abs())
}

fn check_point(network: &Network<f64>, point: &LandscapePoint, what: &str) {
    assert!(close(network.value(), point.loss, 1e-9), "{what}: loss");
    let gradient = network.gradient();
    let norm = gradient.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
    assert!(close(norm, point.grad_norm, 1e-8), "{what}: gradient {norm}");
    let spectrum = network.spectrum();
    assert_eq!(spectrum.len(), point.n_params, "{what}: number of parameters");
    for (ours, theirs) in spectrum.iter().zip(&point.spectrum) {
        assert!(close(*ours, *theirs, 1e-8), "{what}: eigenvalue {ours} against {theirs}");
    }
    let expected = Inertia { negative: point.index, zero: point.nullity, positive: point.n_positive };
    assert_eq!(Inertia::of_eigenvalues(&spectrum, 1e-7), expected, "{what}: inertia");
    if point.critical {
        let closed = inertia::of_critical_point(&network.weights, &network.x, &network.y, 1e-6);
        assert_eq!(closed, expected, "{what}: closed form of the inertia");
    }
}

#[test]
fn dense_hessians_have_the_recorded_spectra() {
    let cases = oracles::landscape_cases();
    assert_eq!(cases.len(), 25);
    for case in &cases {
        for point in &case.points {
            let network =
                Network::new(oracles::matrices(&point.factors), Dense::from_rows(&case.x), Dense::from_rows(&case.y));
            check_point(&network, point, &format!("{} {}", case.id, point.name));
        }
    }
}

#[test]
fn ranks_of_partial_products_are_as_recorded() {
    let cases = oracles::lift_cases();
    assert_eq!(cases.len(), 31);
    for case in &cases {
        let factors = oracles::matrices(&case.factors);
        assert_eq!(product(&factors).to_rows(), case.product, "case {}", case.id);
        for (range, &rank) in &case.rank_profile {
            let (i, j) = range.split_once(':').expect("i:j");
            let (i, j): (usize, usize) = (i.parse().expect("a node"), j.parse().expect("a node"));
            assert_eq!(jacobi::rank(&product(&factors[i..j]), 1e-9), rank, "case {}, {range}", case.id);
        }
    }
}

#[test]
fn relu_cases_are_read() {
    assert_eq!(oracles::relu_cases().len(), 6);
}
