//! The closed form of the inertia at critical points that no generator built: found by drawing sparse integer factors
//! at random and keeping those whose gradient is exactly zero.

use std::collections::BTreeSet;

use testkit::inertia::{self, Inertia};
use testkit::reference::Network;
use testkit::{Dense, Draw};

/// Factors with entries in -2..=2, most of them zero.
fn sparse(draw: &mut Draw, rows: usize, cols: usize, density: f64) -> Dense {
    Dense::from_fn(rows, cols, |_, _| if draw.chance(density) { draw.integer(-2, 2) as f64 } else { 0.0 })
}

/// Largest entry of the gradient; all numbers are small integers, so zero means zero.
fn steepest(network: &Network<f64>) -> f64 {
    let residual = network.product().matmul(&network.x).sub(&network.y);
    let chain =
        |factors: &[Dense], start: &Dense| factors.iter().fold(start.clone(), |chain, factor| factor.matmul(&chain));
    let h = network.weights.len();
    let outputs = network.y.rows();
    let mut largest = 0.0_f64;
    for k in 0..h {
        let inner = chain(&network.weights[..k], &network.x);
        let outer = if k + 1 < h {
            chain(&network.weights[k + 2..], &network.weights[k + 1])
        } else {
            Dense::identity(outputs)
        };
        let block = outer.transpose().matmul(&residual).matmul(&inner.transpose());
        largest = block.entries().iter().fold(largest, |largest, entry| largest.max(entry.abs()));
    }
    largest
}

#[test]
fn closed_form_holds_at_critical_points_found_by_search() {
    let mut found = 0;
    let mut kinds = BTreeSet::new();
    let rounds = std::env::var("RANKSCAPE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(60_000_u64);
    for stream in 0..rounds {
        let mut draw = Draw::new(23, stream);
        let depth = draw.size(1, 4);
        let widths: Vec<usize> = (0..=depth).map(|_| draw.size(1, 3)).collect();
        let samples = draw.size(1, 3);
        let density = 0.2 + 0.4 * draw.uniform();
        let weights = (0..depth).map(|k| sparse(&mut draw, widths[k + 1], widths[k], density)).collect();
        let x = if samples == widths[0] && draw.chance(0.5) {
            Dense::identity(samples)
        } else {
            sparse(&mut draw, widths[0], samples, 0.5)
        };
        let y = sparse(&mut draw, widths[depth], samples, 0.5);
        let network = Network::new(weights, x, y);
        if steepest(&network) != 0.0 {
            continue;
        }
        let spectrum = network.spectrum();
        let scale = spectrum.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
        let unclear = spectrum.iter().filter(|value| (1e-11..1e-6).contains(&(value.abs() / scale))).count();
        assert_eq!(unclear, 0, "stream {stream}: {spectrum:?}");
        let dense = Inertia::of_eigenvalues(&spectrum, 1e-8 * scale);
        let closed = inertia::of_critical_point(&network.weights, &network.x, &network.y, 1e-8);
        assert_eq!(closed, dense, "stream {stream}: {network:?}");
        found += 1;
        kinds.insert((widths, dense.negative, dense.zero));
    }
    println!("{found} critical points, {} kinds of widths, index and nullity", kinds.len());
    assert!(found > 1000 && kinds.len() > 100, "{found} points of {} kinds", kinds.len());
}
