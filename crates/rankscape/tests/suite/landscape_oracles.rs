//! Every linear case of `oracles/landscape`: loss, gradient, ranks, class, index, nullity and extremes, in double
//! precision and, where the numbers are rational, over the rationals.

use rankscape::critical::{CriticalClass, classify};
use rankscape::data::ExactMoments;
use rankscape::data::Whitening;
use rankscape::hessian::extremes;
use rankscape::linalg::exact::RationalMatrix;
use rankscape::linalg::{Matrix, triangular_factor};
use rankscape::multiplication::{ExactFactors, Factors, RankProfile};
use rankscape::network::ExactSquareNetwork;
use rankscape::network::NormalizedNetwork;
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use serde_json::Value;

fn matrix(v: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = v
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect())
        .collect();
    Matrix::from_rows(&rows)
}

fn whitening(x: &Matrix, y: &Matrix) -> Whitening {
    let (n, d0, dh) = (x.ncols(), x.nrows(), y.nrows());
    let mut stacked = Matrix::zeros(n.max(d0 + dh), d0 + dh);
    stacked.set_block(0, 0, &x.transpose());
    stacked.set_block(0, d0, &y.transpose());
    let r = triangular_factor(stacked);
    Whitening::from_blocks(
        &r.block(0, 0, d0, d0),
        &r.block(0, d0, d0, dh),
        &r.block(d0, d0, dh, dh),
        &Tolerances::default(),
    )
}

fn class(name: &str) -> CriticalClass {
    match name {
        "global_min" => CriticalClass::GlobalMinimum,
        "strict_saddle" => CriticalClass::StrictSaddle,
        "non_strict_saddle" => CriticalClass::NonStrictSaddle,
        other => panic!("{other}"),
    }
}

#[test]
fn classes_indices_and_extremes_are_those_of_the_oracle() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracles/landscape/landscape_cases.jsonl"))
            .unwrap();
    let tolerances = Tolerances::default();
    let mut points = 0;
    for case in text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).filter(|c| c["kind"] == "linear") {
        let (x, y) = (matrix(&case["X"]), matrix(&case["Y"]));
        let white = whitening(&x, &y);
        for p in case["points"].as_array().unwrap() {
            let at = format!("{} {}", case["id"], p["name"]);
            let layers: Vec<Matrix> = p["W"].as_array().unwrap().iter().map(matrix).collect();
            let factors = Factors::new(layers.clone()).unwrap();
            let network = NormalizedNetwork::new(&factors, &white);
            let scale = network.target_scale().powi(2);
            let loss = network.whitened().value() * scale + white.floor;
            let expected = p["loss"].as_f64().unwrap();
            assert!((loss - expected).abs() <= 1e-9 * (1.0 + expected), "{at}: loss {loss} {expected}");
            let gradient = p["grad_norm"].as_f64().unwrap();
            assert!((network.gradient_norm() - gradient).abs() <= 1e-9 * (1.0 + gradient), "{at}");
            let critical =
                network.relative_gradient(UNIT_ROUNDOFF, &tolerances) <= tolerances.critical_threshold(UNIT_ROUNDOFF);
            assert_eq!(
                critical,
                p["critical"].as_bool().unwrap(),
                "{at}: {}",
                network.relative_gradient(UNIT_ROUNDOFF, &tolerances)
            );
            let profile = RankProfile::new(&factors, UNIT_ROUNDOFF, &tolerances);
            assert_eq!(profile.product_rank() as u64, p["rank_product"].as_u64().unwrap(), "{at}");
            let spectrum: Vec<f64> = p["spectrum"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            let mut inertia = None;
            if critical {
                let found = classify(&network, &white, UNIT_ROUNDOFF, &tolerances);
                assert_eq!(found.class, class(p["class"].as_str().unwrap()), "{at} {:#?}", found);
                assert_eq!(found.rank as u64, p["rank_product_X"].as_u64().unwrap(), "{at}");
                inertia = found.inertia;
                let i = inertia.unwrap();
                let want = |k: &str| p[k].as_u64().unwrap() as usize;
                assert_eq!(
                    (i.negative, i.zero, i.positive),
                    (want("index"), want("nullity"), want("n_positive")),
                    "{at}"
                );
                if p["exact"] == true && layers.iter().all(|w| w.entries().all(|e| e.fract() == 0.0)) {
                    let exact =
                        ExactFactors::new(layers.iter().map(|w| RationalMatrix::from_matrix(w).unwrap()).collect())
                            .unwrap();
                    let rational = |m: &Matrix| RationalMatrix::from_matrix(&m.transpose()).unwrap();
                    let data = ExactMoments::new(&rational(&x), &rational(&y));
                    let point = ExactSquareNetwork::new(exact.clone(), data.clone()).unwrap();
                    assert!(point.is_critical(), "{at}");
                    let found = point.classify().unwrap();
                    assert_eq!((found.class, found.inertia), (class(p["class"].as_str().unwrap()), Some(i)), "{at}");
                }
            }
            let found = extremes(&network.hessian(), inertia, &tolerances, 1);
            let size = spectrum.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
            assert!(
                (found.smallest.value - spectrum[0]).abs() < 1e-8 * size,
                "{at}: {} {}",
                found.smallest.value,
                spectrum[0]
            );
            assert!((found.largest.value - spectrum[spectrum.len() - 1]).abs() < 1e-8 * size, "{at}");
            points += 1;
        }
    }
    assert_eq!(points, 143);
}
