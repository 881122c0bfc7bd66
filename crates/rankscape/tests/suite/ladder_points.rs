//! What lies over the rungs, against dense Hessians, planted critical points and Newton's method.

use std::collections::BTreeSet;

use crate::points::{matrix, samples};
use crate::rungs::{all, close, ladder, orthogonal, try_ladder};
use rankscape::Tolerances;
use rankscape::critical::{Descent, DescentKind, RungClasses};
use rankscape::linalg::Matrix;
use rankscape::random::Stream;
use testkit::grid::Dense;
use testkit::inertia::Inertia;
use testkit::jacobi;
use testkit::planted::{Class, Limits, Planted};
use testkit::random::Draw;
use testkit::reference::Network;

/// Factors of a canonical critical point of rank `e` with exactly `e` hidden units: there the product map is a
/// submersion onto the matrices of rank at most `e`.
fn aligned(z: &Dense, captured: &[usize]) -> Network<f64> {
    let (_, u) = jacobi::right_singular(&z.transpose());
    let picked: Vec<usize> = captured.iter().map(|k| k - 1).collect();
    let kept = u.columns(&picked);
    let read = kept.transpose().matmul(z);
    Network::new(vec![read, kept], Dense::identity(z.cols()), z.clone())
}

#[test]
fn index_on_the_manifold_of_rank_e_is_that_of_dense_hessians() {
    let mut draw = Draw::new(2, 0);
    let mut checked = 0;
    for values in [&[3.0, 2.0, 1.0][..], &[2.0, 2.0, 1.0], &[3.0, 1.0, 1.0, 1.0], &[2.0, 2.0, 1.0, 1.0, 0.0]] {
        let (m, n) = (values.len(), values.len() + 1);
        let (left, right) = (orthogonal(&mut draw, m), orthogonal(&mut draw, n));
        let z = left.matmul(&Dense::diagonal(m, n, values)).matmul(&right);
        let widths = [n, m, m];
        for rung in all(&ladder(&widths, &matrix(&z))).iter().filter(|rung| rung.rank > 0) {
            let network = aligned(&z, &rung.captured);
            assert!(network.gradient().iter().all(|g| g.abs() < 1e-9));
            assert!(close(network.value(), rung.value, 10.0));
            let inertia = Inertia::of_eigenvalues(&jacobi::eigenvalues(&network.hessian()), 1e-8);
            assert_eq!(inertia.negative, rung.index_in_function_space, "{values:?} {:?}", rung.pattern);
            // The family is a Morse-Bott critical manifold; the rest of the nullity is the gauge group.
            assert_eq!(inertia.zero, rung.rank * rung.rank + rung.family_dimension, "{values:?} {:?}", rung.pattern);
            checked += 1;
        }
    }
    assert_eq!(checked, 7 + 5 + 7 + 8);
}

/// Levenberg and Marquardt on the gradient.
fn critical_point_near(mut network: Network<f64>) -> Option<Network<f64>> {
    let size = |network: &Network<f64>| network.gradient().iter().map(|g| g * g).sum::<f64>();
    let mut damping = 1e-2;
    for _ in 0..400 {
        let gradient = network.gradient();
        let now = size(&network);
        if now < 1e-22 {
            return Some(network);
        }
        let (values, vectors) = jacobi::eigen(&network.hessian());
        let mut step = vec![0.0; gradient.len()];
        for (k, h) in values.iter().enumerate() {
            let along: f64 = (0..gradient.len()).map(|i| vectors[(i, k)] * gradient[i]).sum();
            let length = -along * h / (h * h + damping);
            (0..step.len()).for_each(|i| step[i] += length * vectors[(i, k)]);
        }
        let moved: Vec<f64> = network.parameter_values().iter().zip(&step).map(|(x, d)| x + d).collect();
        let next = network.with_parameters(&moved);
        if size(&next) < now {
            network = next;
            damping = (damping * 0.1).max(1e-16);
        } else {
            damping *= 10.0;
            if damping > 1e8 {
                return None;
            }
        }
    }
    None
}

#[test]
fn newtons_method_finds_no_value_outside_the_ladder_and_every_rung() {
    let mut draw = Draw::new(3, 0);
    for (widths, values) in [
        (vec![2, 2, 2], vec![2.0, 1.0]),
        (vec![2, 1, 2], vec![2.0, 1.0]),
        (vec![3, 2, 3], vec![2.0, 1.5, 1.0]),
        (vec![3, 2, 3], vec![2.0, 1.2, 1.2]),
        (vec![2, 2, 2, 2], vec![1.5, 1.0]),
    ] {
        let h = widths.len() - 1;
        let (rows, cols) = (widths[h], widths[0]);
        let (left, right) = (orthogonal(&mut draw, rows), orthogonal(&mut draw, cols));
        let z = left.matmul(&Dense::diagonal(rows, cols, &values)).matmul(&right);
        let rungs = all(&ladder(&widths, &matrix(&z)));
        let mut hit = vec![0; rungs.len()];
        for start in 0..100 {
            let size = [0.3, 0.6, 1.0, 1.5][start % 4];
            let weights =
                widths.windows(2).map(|pair| Dense::from_fn(pair[1], pair[0], |_, _| size * draw.normal())).collect();
            let network = Network::new(weights, Dense::identity(cols), z.clone());
            let Some(found) = critical_point_near(network) else { continue };
            let nearest = (0..rungs.len())
                .min_by(|&a, &b| {
                    (rungs[a].value - found.value()).abs().total_cmp(&(rungs[b].value - found.value()).abs())
                })
                .unwrap();
            let off = (rungs[nearest].value - found.value()).abs();
            assert!(off < 1e-6, "{widths:?} start {start}: value {} is on no rung", found.value());
            hit[nearest] += 1;
        }
        assert!(hit.iter().all(|&count| count > 0), "{widths:?} {values:?}: {hit:?}");
    }
}

#[test]
fn planted_critical_points_lie_on_rungs_with_their_class() {
    let mut draw = Draw::new(4, 0);
    let mut classes = BTreeSet::new();
    let mut clean = 0;
    for trial in 0..1500 {
        let limits = Limits { min_depth: 2, max_depth: 4, max_width: 4 };
        let class = Class::ALL[trial % 3];
        let planted = Planted::<f64>::draw_class(&mut draw, limits, class);
        let network = &planted.network;
        let data = samples(&network.x, &network.y, None).whiten(None, &Tolerances::default()).unwrap();
        let found = try_ladder(&planted.widths, &data.whitening).unwrap();
        assert!(found.levels().is_clear(), "{:?}", planted.blueprint);
        let scale = planted.loss.max(1.0);
        assert!(close(found.global_minimum(), planted.global_minimum, scale));
        let captured = planted.blueprint.captured();
        let rungs = all(&found);
        let rung = rungs.iter().find(|rung| rung.captured == captured).unwrap();
        assert!(close(rung.value, planted.loss, scale) && rung.rank == planted.rank);
        let fits = match planted.class {
            Class::GlobalMinimum => rung.classes == RungClasses::GlobalMinimum,
            Class::StrictSaddle => rung.classes != RungClasses::GlobalMinimum,
            Class::NonStrictSaddle => rung.classes == RungClasses::Both,
        };
        assert!(fits, "{:?} {:?}", planted.blueprint, rung);
        classes.insert((rung.classes.name(), planted.class.name()));
        // Where the kernel of the Hessian is no larger than the set of global minima, the two dimensions agree.
        let best = *planted.widths[1..].iter().min().unwrap().min(&planted.blueprint.widths()[0]);
        if planted.class == Class::GlobalMinimum && planted.rank == best {
            assert_eq!(planted.inertia.zero, rung.parameter_dimension, "{:?}", planted.blueprint);
            assert_eq!(found.global_minima().dimension, rung.parameter_dimension);
            clean += 1;
        }
    }
    assert_eq!(classes.len(), 4, "{classes:?}");
    assert!(clean > 100, "{clean}");
}

/// Dimension of the critical points with the same strings as a given one, from its matrices: moves by bases of all
/// spaces, restricted to those that keep the target, `A_0 G' - G' A_h = (A_h W - W A_0)'`.
fn stratum_dimension(factors: &[Dense], target: &Dense) -> usize {
    let h = factors.len();
    let widths: Vec<usize> = std::iter::once(factors[0].cols()).chain(factors.iter().map(Dense::rows)).collect();
    let product = testkit::reference::product(factors);
    let residual = product.sub(target).transpose();
    let (mut kept, mut moves): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for (node, &width) in widths.iter().enumerate() {
        for entry in 0..width * width {
            let a = Dense::from_fn(width, width, |i, j| f64::from(u8::from(i * width + j == entry)));
            let zero = |m: &Dense| Dense::zeros(m.rows(), m.cols());
            let mut change = zero(&residual);
            if node == 0 {
                change = change.add(&a.matmul(&residual)).add(&product.matmul(&a).transpose());
            }
            if node == h {
                change = change.sub(&residual.matmul(&a)).sub(&a.matmul(&product).transpose());
            }
            kept.push(change.entries().to_vec());
            let layer = |(k, w): (usize, &Dense)| {
                let mut moved = zero(w);
                if k + 1 == node {
                    moved = moved.add(&a.matmul(w));
                }
                if k == node {
                    moved = moved.sub(&w.matmul(&a));
                }
                moved.entries().to_vec()
            };
            moves.push(factors.iter().enumerate().flat_map(layer).collect());
        }
    }
    let constraint = Dense::from_rows(&kept).transpose();
    let (values, vectors) = jacobi::right_singular(&constraint);
    let free: Vec<usize> = (0..values.len()).filter(|&k| values[k] < 1e-8).collect();
    jacobi::rank(&Dense::from_rows(&moves).transpose().matmul(&vectors.columns(&free)), 1e-7)
}

#[test]
fn dimension_in_parameters_is_that_of_the_largest_stratum() {
    let mut draw = Draw::new(8, 0);
    let (mut largest, mut smaller, mut deep) = (0, 0, 0);
    for _ in 0..400 {
        let limits = Limits { min_depth: 2, max_depth: 4, max_width: 3 };
        let planted = Planted::<f64>::draw(&mut draw, limits);
        let whitened_widths = planted.blueprint.widths();
        if whitened_widths[0] == 0 {
            continue;
        }
        let found = ladder(&whitened_widths, &matrix(&planted.target));
        let captured = planted.blueprint.captured();
        let rung = all(&found).into_iter().find(|rung| rung.captured == captured).unwrap();
        let here = stratum_dimension(&planted.whitened, &planted.target);
        assert!(here <= rung.parameter_dimension, "{here} {rung:?} {:?}", planted.blueprint);
        if here < rung.parameter_dimension {
            smaller += 1;
        } else {
            largest += 1;
            deep += usize::from(whitened_widths.len() > 3 && !rung.is_global_minimum());
        }
    }
    assert!(largest > 75 && smaller > 75 && deep > 20, "{largest} {smaller} {deep}");
}

#[test]
fn descents_fall_strictly_from_a_critical_point_over_one_rung_to_one_over_the_other() {
    let mut stream = Stream::new(5, 0);
    for widths in [vec![3, 2, 3], vec![4, 3, 2, 3], vec![3, 3, 4, 3, 3]] {
        let (d0, dh) = (widths[0], widths[widths.len() - 1]);
        let (x, y) = (stream.normal_matrix(d0, 7), stream.normal_matrix(dh, 7));
        let dense = |m: &Matrix| Dense::from_rows(&m.to_rows());
        let data = samples(&dense(&x), &dense(&y), None).whiten(None, &Tolerances::default()).unwrap();
        let found = try_ladder(&widths, &data.whitening).unwrap();
        let rungs = all(&found);
        let descents: Vec<Descent> = found.descents(&rungs).collect();
        assert_eq!(descents.len(), found.descents_total(&rungs));
        let leaves: BTreeSet<usize> = descents.iter().map(|descent| descent.from).collect();
        assert_eq!(leaves.len() + 1, rungs.len(), "every rung but the global minimum is left");
        for descent in &descents {
            let (from, to) = (&rungs[descent.from], &rungs[descent.to]);
            let same = descent.kind == DescentKind::Rotation;
            assert_eq!(to.rank, if same { from.rank } else { from.rank + 1 });
            let at = |t: f64| {
                let weights = found.descend(from, descent, &data.whitening, t).iter().map(dense).collect();
                Network::new(weights, dense(&x), dense(&y))
            };
            let values: Vec<f64> = (0..=20).map(|k| at(f64::from(k) / 20.0).value()).collect();
            assert!(values.windows(2).all(|pair| pair[1] < pair[0]), "{descent:?} {values:?}");
            assert!(close(values[0], from.value, values[0]) && close(values[20], to.value, values[0]));
            assert!(close(descent.decrease, values[0] - values[20], values[0]) && descent.decrease > 0.0);
            for end in [0.0, 1.0] {
                assert!(at(end).gradient().iter().all(|g| g.abs() < 1e-9 * values[0]), "{descent:?}");
            }
        }
        // Nothing is looked for before it is wanted.
        let mut few = found.descents(&rungs);
        assert_eq!((few.next(), few.lookups()), (Some(descents[0]), 1));
    }
}
