//! Openness checked by solving for factors of nearby targets.

use crate::points::factors;
use rankscape::evidence::Truth;
use rankscape::linalg::Matrix;
use rankscape::multiplication::{Factors, MapPoint, Openness, RankProfile, reach};
use rankscape::random::Stream;
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::Draw;
use testkit::barcode::Chain;

/// A random matrix of rank at most `r` at distance about `size` from `w`: a perturbation of `w` cut to rank `r`.
fn nearby(w: &Matrix, r: usize, size: f64, stream: &mut Stream) -> Matrix {
    let step = stream.normal_matrix(w.nrows(), w.ncols()).scaled(size);
    rankscape::linalg::svd(&(w + &step)).truncated(r)
}

/// Factors that are partial permutations: the intervals in the standard bases.
fn partial_permutations(chain: &Chain<f64>) -> Factors {
    let bars: Vec<(usize, usize)> =
        chain.barcode.iter().flat_map(|&(from, to, count)| vec![(from, to); count]).collect();
    let at = |node: usize| (0..bars.len()).filter(|&b| bars[b].0 <= node && node <= bars[b].1).collect::<Vec<_>>();
    let matrices = (1..chain.widths.len())
        .map(|k| {
            let (source, target) = (at(k - 1), at(k));
            Matrix::from_fn(target.len(), source.len(), |i, j| f64::from(u8::from(target[i] == source[j])))
        })
        .collect();
    Factors::new(matrices).unwrap()
}

#[test]
fn targets_in_special_position_are_reached_at_open_points() {
    let tolerances = Tolerances::default();
    let (mut open, mut failed, mut far) = (0, Vec::new(), Vec::new());
    for case in 0..3000 {
        let chain = Chain::<f64>::draw(&mut Draw::new(73, case), 5, 5);
        let theta = partial_permutations(&chain);
        let profile = RankProfile::new(&theta, UNIT_ROUNDOFF, &tolerances);
        let point = MapPoint::stored(theta.clone(), UNIT_ROUNDOFF, &tolerances);
        if Openness::new(&profile).verdict.holds != Truth::Yes {
            continue;
        }
        let spare = theta.architecture().bottleneck_rank() - profile.product_rank();
        if spare == 0 {
            continue;
        }
        open += 1;
        let mut stream = Stream::new(74, case);
        let product = theta.product();
        let (m, n) = product.shape();
        // Few entries of different sizes in rows and columns that the product leaves free.
        let free_rows: Vec<usize> = (0..m).filter(|&i| (0..n).all(|j| product[(i, j)] == 0.0)).collect();
        let free_cols: Vec<usize> = (0..n).filter(|&j| (0..m).all(|i| product[(i, j)] == 0.0)).collect();
        let count = spare.min(free_rows.len()).min(free_cols.len());
        let (mut rows, mut cols) = (free_rows, free_cols);
        let mut entries = Vec::new();
        for _ in 0..stream.integer(1, count as i64) {
            let i = rows.swap_remove(stream.integer(0, rows.len() as i64 - 1) as usize);
            let j = cols.swap_remove(stream.integer(0, cols.len() as i64 - 1) as usize);
            entries.push((i, j, stream.integer(0, 2)));
        }
        let mut distances = Vec::new();
        for size in [1e-4, 1e-8] {
            let mut target = product.clone();
            entries.iter().for_each(|&(i, j, power)| target[(i, j)] += size * 0.1_f64.powi(power as i32));
            let found = reach(&point, &target, None, &tolerances).unwrap();
            match found.distance_factors {
                Some(distance) => distances.push(distance),
                _ => failed.push((case, chain.barcode.clone(), entries.clone(), size, found.reason)),
            }
        }
        if distances.len() == 2 && distances[1] > 0.5 * distances[0] {
            far.push((case, chain.barcode.clone(), entries, distances));
        }
    }
    for f in &failed {
        println!("{f:?}");
    }
    for f in &far {
        println!("{f:?}");
    }
    println!("open {open}, failed {}, far {}", failed.len(), far.len());
    assert!(open > 1000 && failed.is_empty() && far.is_empty());
}

#[test]
fn nearby_targets_are_reached_at_open_points_and_the_factors_come_closer_with_them() {
    let tolerances = Tolerances::default();
    let (mut open, mut failed, mut far) = (0, Vec::new(), Vec::new());
    for case in 0..1500 {
        let chain = Chain::<f64>::draw(&mut Draw::new(71, case), 5, 5);
        let theta = factors(&chain.factors);
        let profile = RankProfile::new(&theta, UNIT_ROUNDOFF, &tolerances);
        let point = MapPoint::stored(theta.clone(), UNIT_ROUNDOFF, &tolerances);
        if Openness::new(&profile).verdict.holds != Truth::Yes {
            continue;
        }
        open += 1;
        let r = theta.architecture().bottleneck_rank();
        let mut stream = Stream::new(72, case);
        let product = theta.product();
        let mut distances = Vec::new();
        for size in [1e-4, 1e-8] {
            let target = nearby(&product, r, size * product.max_abs().max(1.0), &mut stream);
            let found = reach(&point, &target, None, &tolerances).unwrap();
            match (found.distance_factors, found.product_error) {
                (Some(distance), Some(error)) => {
                    assert!(error <= 1e-6 * size * product.max_abs().max(1.0), "case {case}: {error:e}");
                    distances.push(distance);
                }
                _ => failed.push((case, chain.barcode.clone(), size, found.reason)),
            }
        }
        if distances.len() == 2 && distances[1] > 0.5 * distances[0] {
            far.push((case, chain.barcode.clone(), distances));
        }
    }
    for f in &failed {
        println!("{f:?}");
    }
    for f in &far {
        println!("{f:?}");
    }
    println!("open {open}, failed {}, far {}", failed.len(), far.len());
    assert!(open > 1000 && failed.is_empty() && far.is_empty());
}
