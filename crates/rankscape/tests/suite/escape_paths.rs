//! Paths out of planted critical points of every class, measured by an independent evaluation of the loss.

use crate::points::{class_of, diagnosis, exact_point, factors, matrix, parameters, samples};
use rankscape::certificate::Certificate;
use rankscape::critical::CriticalClass;
use rankscape::diagnosis::{Diagnosis, Settings, diagnose};
use rankscape::escape::{ConstructedPath, Construction, Escape, ExactEscape, Judgement, construct};
use rankscape::evidence::{Grade, Truth};
use rankscape::linalg::exact::{RationalMatrix, rational_to_f64};
use rankscape::multiplication::Factors;
use rankscape::problem::Problem;
use rankscape::tolerance::Tolerances;
use testkit::grid::{Dense, Grid};
use testkit::planted::{Class, Limits, Planted};
use testkit::random::Draw;
use testkit::reference::Network;
use testkit::scalar::{Rational, Scalar};

const LIMITS: Limits = Limits { min_depth: 2, max_depth: 5, max_width: 5 };

/// Parameters of the test kit, row by row, from those of the library.
fn moved(network: &Network<f64>, escape: &Escape) -> Network<f64> {
    let theta = factors(&network.weights);
    network.with_parameters(&escape.path.at(&theta, escape.t).to_vector())
}

fn check_decrease(network: &Network<f64>, escape: &Escape, at: &str) {
    let (before, after) = (network.value(), moved(network, escape).value());
    assert!(escape.decrease > 0.0 && escape.coefficient < 0.0, "{at}");
    let size = before.max(escape.decrease);
    assert!((before - after - escape.decrease).abs() <= 1e-9 * size, "{at}: {before:e} {after:e} {escape:?}");
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
        assert_eq!(found.class, class_of(planted.class), "{at}");
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
    assert!(undecided <= 6, "{undecided} of 3000 undecided");
}

/// The constructions that apply at a planted point, and the point's reduced problem.
fn constructed(network: &Network<f64>) -> Vec<(Construction, Result<ConstructedPath, &'static str>)> {
    let problem = Problem::new(parameters(network, None), samples(&network.x, &network.y, None)).unwrap();
    let judgement = Judgement::of(&problem, 0);
    let all = Construction::DESCENTS.into_iter().chain([Construction::Ascent]);
    all.map(|name| (name, construct(name, problem.network(), problem.whitening(), judgement))).collect()
}

#[test]
fn named_constructions_change_the_loss_as_they_predict() {
    let mut counts = std::collections::BTreeMap::<(&str, ClassName), usize>::new();
    let mut points = std::collections::BTreeMap::<&str, usize>::new();
    for seed in 0..1500 {
        let planted = Planted::<f64>::draw_class(&mut Draw::new(72, seed), LIMITS, Class::ALL[seed as usize % 3]);
        // Without a singular value the target is nothing but the rounding errors of its making.
        if planted.blueprint.kept.is_empty() && planted.blueprint.omitted.is_empty() {
            continue;
        }
        *points.entry(planted.class.name()).or_insert(0) += 1;
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
                assert!(
                    (coefficient - expected).abs() <= 1e-7 * expected.abs().max(1e-3 * size),
                    "{at}: {coefficient} {expected}"
                );
                let lower = found.loss.coefficients[..found.prediction.order].iter().enumerate().skip(1);
                let change = lower.map(|(k, c)| c.abs() * found.t.powi(k as i32)).fold(0.0, f64::max);
                assert!(change <= 1e-8 * size, "{at}: {:?}", found.loss);
            }
            assert!(found.prediction.order_bound.is_none_or(|bound| found.prediction.order <= bound), "{at}");
            if name == Construction::Ascent {
                assert!(found.measured > 0.0, "{at}");
            } else {
                assert!(found.measured < 0.0 && saddle, "{at}: {found:?}");
                descents += 1;
            }
            *counts.entry((name.name(), ClassName(planted.class.name()))).or_default() += 1;
        }
        assert!(descents > 0 || !saddle, "seed {seed} {:?}", planted.widths);
    }
    println!("{counts:#?}");
    for name in Construction::DESCENTS {
        let strict = counts.get(&(name.name(), ClassName("strict_saddle"))).copied().unwrap_or(0);
        assert!(strict >= 50, "{} applied at {strict} strict saddles", name.name());
    }
    // Every point can rise, global minima with residual zero among them.
    for (class, number) in points {
        assert_eq!(counts[&("ascent", ClassName(class))], number, "{class}");
        assert!(number >= 400, "{class} {number}");
    }
}

/// The diagnosis of an exact network, and the point.
fn exact_diagnosis(network: &Network<Rational>) -> (Problem, Diagnosis) {
    let problem = exact_point(network);
    let found = diagnose(&problem, Settings::default()).unwrap();
    (problem, found)
}

/// What the loss falls by at the end of an exact path, by an evaluation that shares nothing with the library.
fn exact_decrease(network: &Network<Rational>, path: &ExactEscape) -> Rational {
    let moved = network.weights.iter().enumerate().map(|(k, w)| {
        Grid::from_fn(w.rows(), w.cols(), |i, j| {
            path.path.terms.iter().fold(w[(i, j)].clone(), |sum, (power, step)| {
                sum + &step.matrices()[k][(i, j)] * (0..*power).fold(Rational::integer(1), |t, _| t * &path.t)
            })
        })
    });
    let after = Network::new(moved.collect(), network.x.clone(), network.y.clone()).value();
    network.value() - after
}

#[test]
fn exact_points_have_exact_paths_whose_certificates_verify() {
    let limits = Limits { max_depth: 4, max_width: 3, ..LIMITS };
    let mut orders = [0; 10];
    for seed in 0..240 {
        let at = format!("seed {seed}");
        let mut draw = Draw::new(73, seed);
        let planted = Planted::<Rational>::draw_class(&mut draw, limits, Class::ALL[seed as usize % 3]);
        let (point, found) = exact_diagnosis(&planted.network);
        assert_eq!(found.class, class_of(planted.class), "{at}");
        let certificate = Certificate::new(&point, &found, &Tolerances::default()).unwrap();
        let verified = certificate.verify(&Tolerances::default());
        assert_eq!((verified.valid(), verified.grade()), (Truth::Yes, Grade::Exact), "{at} {verified:#?}");
        let Some(escape) = &found.escape else {
            assert_eq!(planted.class, Class::GlobalMinimum, "{at}");
            continue;
        };
        let path = escape.exact.as_ref().unwrap();
        assert_eq!(exact_decrease(&planted.network, path), path.decrease, "{at}");
        assert!(path.decrease > Rational::integer(0), "{at}");
        orders[path.order] += 1;
    }
    println!("exact orders {orders:?}");
}

/// Sparse integer points with many exact zeros: the slope of the path is a share of the gradient, never a rounding error.
#[test]
fn paths_out_of_exact_points_that_are_not_critical_have_a_slope_of_the_size_of_the_gradient() {
    let (mut tested, mut tilted) = (0, 0);
    let size = |entries: &[Rational]| entries.iter().map(|x| rational_to_f64(x).powi(2)).sum::<f64>().sqrt();
    for seed in 0..400 {
        let mut draw = Draw::new(76, seed);
        let depth = draw.size(2, 3);
        let widths: Vec<usize> = (0..=depth).map(|_| draw.size(1, 3)).collect();
        let mut sparse = |rows, cols| {
            Grid::from_fn(rows, cols, |_, _| Rational::integer(if draw.chance(0.6) { 0 } else { draw.integer(-2, 2) }))
        };
        let weights: Vec<_> = widths.windows(2).map(|pair| sparse(pair[1], pair[0])).collect();
        let y = sparse(widths[depth], widths[0]);
        // Every seventh point has weights so small that the gradient drowns in the rounding errors of the others.
        let shift = Rational::ratio(1, if seed % 7 == 0 { 1 << 60 } else { 1 });
        let weights: Vec<_> =
            weights.into_iter().enumerate().map(|(k, w)| if k == 0 { w.scale(&shift) } else { w }).collect();
        let network = Network::new(weights, Grid::identity(widths[0]), y);
        let gradient = network.gradient();
        let at = format!("seed {seed} {network:?}");
        let (_, found) = exact_diagnosis(&network);
        if size(&gradient) == 0.0 {
            assert!(found.critical, "{at}");
            continue;
        }
        let escape = found.escape.as_ref().unwrap_or_else(|| panic!("{at}"));
        let path = escape.exact.as_ref().unwrap_or_else(|| panic!("{at}"));
        assert_eq!(exact_decrease(&network, path), path.decrease, "{at}");
        let direction: Vec<Rational> =
            path.path.terms[0].1.matrices().iter().flat_map(RationalMatrix::entries).cloned().collect();
        let slope = gradient.iter().zip(&direction).fold(Rational::integer(0), |sum, (g, d)| sum + g * d);
        assert_eq!((path.order, &slope), (1, &path.change[0]), "{at}");
        let share = -rational_to_f64(&slope) / (size(&gradient) * size(&direction));
        // In parameters of very different size a path may rightly leave the large gradient of one layer aside.
        assert!(share > if seed % 7 == 0 { 0.0 } else { 1e-3 }, "{at}: {share:e}");
        tested += 1;
        tilted += usize::from(share < 0.1);
    }
    println!("tested {tested} tilted {tilted}");
    assert!(tested >= 200 && tilted >= 5, "{tested} {tilted}");
}

#[test]
fn the_zero_map_of_a_zero_target_can_rise_and_without_inputs_nothing_can() {
    let zero = |rows, cols| Dense::from_fn(rows, cols, |_, _| 0.0);
    let weights = || vec![zero(2, 3), zero(2, 2), zero(2, 2)];
    let ascent = |x: Dense| {
        let network = Network::new(weights(), x, zero(2, 3));
        constructed(&network).pop().unwrap()
    };
    let (name, found) = ascent(Dense::from_fn(3, 3, |i, j| f64::from(u8::from(i == j))));
    assert_eq!(name, Construction::Ascent);
    let found = found.unwrap();
    assert_eq!(found.prediction.order, 6);
    assert!(found.measured > 0.0);
    assert!(ascent(zero(3, 3)).1.unwrap_err().contains("X is zero"));
}

#[test]
fn scales_far_from_one_are_left_as_well() {
    let (mut missing, mut tested) = (Vec::new(), 0);
    for seed in 0..240 {
        let class = [Class::StrictSaddle, Class::NonStrictSaddle][seed as usize % 2];
        let mut planted = Planted::<f64>::draw_class(&mut Draw::new(74, seed), LIMITS, class);
        if planted.blueprint.widths()[0] == 0 {
            continue;
        }
        // Scales of the layers and of X whose product is that of Y, so that the loss scales by its square.
        let depth = planted.network.weights.len();
        let apart: f64 = 1e100;
        let (small, large) = if seed % 4 < 2 { (1.0 / apart, apart) } else { (apart, 1.0 / apart) };
        planted.network.weights[0] = planted.network.weights[0].scale(&small);
        planted.network.weights[depth - 1] = planted.network.weights[depth - 1].scale(&large);
        let data = if seed % 3 == 0 { 1e30 } else { 1e-30 };
        planted.network.x = planted.network.x.scale(&data);
        planted.network.y = planted.network.y.scale(&data);
        let found = diagnosis(&planted.network);
        if found.class == CriticalClass::Undecided {
            continue;
        }
        let at = format!("seed {seed}");
        assert_eq!(found.class, class_of(class), "{at}");
        tested += 1;
        match &found.escape {
            Some(escape) => check_decrease(&planted.network, escape, &at),
            None => missing.push(seed),
        }
    }
    // A path is withheld where the step is lost beside a weight that is many orders larger.
    assert!(tested >= 230, "{tested}");
    assert!(missing.len() <= 8, "{missing:?}");
}

/// A layer that is zero makes up for the scales of the others.
#[test]
fn layers_scaled_far_apart_are_left_by_the_stated_decrease() {
    let (mut tested, mut undecided, mut zero_layers) = (0, 0, 0);
    for seed in 0..400 {
        let mut draw = Draw::new(75, seed);
        let class = [Class::StrictSaddle, Class::NonStrictSaddle][seed as usize % 2];
        let mut planted = Planted::<f64>::draw_class(&mut draw, LIMITS, class);
        if planted.blueprint.widths()[0] == 0 {
            continue;
        }
        // Powers of ten from -100 to 100 in pairs, so that the product of all scales is one.
        let depth = planted.network.weights.len();
        let mut exponents = vec![0; depth];
        for pair in 0..depth / 2 {
            let exponent = if draw.chance(0.5) { 100 } else { draw.integer(0, 100) as i32 };
            (exponents[2 * pair], exponents[2 * pair + 1]) = (exponent, -exponent);
        }
        for k in (1..depth).rev() {
            exponents.swap(k, draw.size(0, k));
        }
        for (layer, exponent) in planted.network.weights.iter_mut().zip(&exponents) {
            *layer = layer.scale(&10.0_f64.powi(*exponent));
        }
        let at = format!("seed {seed} {exponents:?}");
        zero_layers += usize::from(planted.network.weights.iter().any(|w| w.entries().iter().all(|x| *x == 0.0)));
        let found = diagnosis(&planted.network);
        if found.class == CriticalClass::Undecided {
            undecided += 1;
            continue;
        }
        assert_eq!(found.class, class_of(class), "{at}");
        let escape = found.escape.as_ref().unwrap_or_else(|| panic!("{at}"));
        let (before, after) = (planted.network.value(), moved(&planted.network, escape).value());
        let off = (before - after - escape.decrease).abs();
        assert!(off <= 1e-9 * escape.decrease + 1e-13 * before, "{at}: {off:e} {before:e} {escape:?}");
        // Scales do not change what can be gained.
        assert!(escape.decrease > 1e-9 * before, "{at}: {:e} {before:e} {:?}", escape.decrease, escape.kind);
        tested += 1;
    }
    assert!(tested >= 380 && undecided <= 5 && zero_layers >= 20, "{tested} {undecided} {zero_layers}");
}

/// Class as a key.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ClassName(&'static str);
