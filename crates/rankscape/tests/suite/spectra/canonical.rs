//! Two layers with identity data: canonical, rescaled and balanced points, every shape and corner.

use super::{check, orthogonal};
use rankscape::hessian::aligned::SpectrumKind;
use rankscape::linalg::Matrix;
use rankscape::random::Stream;

/// A critical point `(W, S)` of `1/2 ||W S - Z||^2`, `W` of shape `m x k`.
struct Point {
    w: Matrix,
    s: Matrix,
    z: Matrix,
    c: Matrix,
}

/// `[Ubar, 0]` and `[Lambda Vbar'; C_0' V_0']` in random bases, rescaled or balanced, times an orthogonal matrix.
fn draw(stream: &mut Stream) -> (Point, String) {
    let pick = |stream: &mut Stream, low: i64, high: i64| stream.integer(low, high) as usize;
    let (m, n, k) = (pick(stream, 1, 4), pick(stream, 1, 4), pick(stream, 1, 5));
    let size = m.min(n);
    let values: Vec<f64> = (0..size).map(|_| [0.0, 0.5, 1.0, 1.0, 2.0, 3.0][pick(stream, 0, 5)]).collect();
    let balanced = stream.integer(0, 2) == 0;
    let (u, v) = (orthogonal(stream, m), orthogonal(stream, n));
    let z = &(&u * &Matrix::from_diagonal(m, n, &values)) * &v.transpose();
    // Directions of W: any left singular vectors, those of the value zero among them unless the point is balanced.
    let allowed: Vec<usize> = (0..m).filter(|&i| !balanced || values.get(i).is_some_and(|&s| s > 0.0)).collect();
    let q = pick(stream, 0, k.min(allowed.len()) as i64);
    let chosen = &allowed[..q];
    let a = [1.0, 0.25, 3.0][pick(stream, 0, 2)];
    let mut w = Matrix::zeros(m, k);
    let mut s = Matrix::zeros(k, n);
    for (j, &i) in chosen.iter().enumerate() {
        let value = values.get(i).copied().unwrap_or(0.0);
        let (left, right) = if balanced { (value.sqrt(), value.sqrt()) } else { (a, value / a) };
        w.set_block(0, j, &u.columns(i, i + 1).scaled(left));
        if i < n {
            s.set_block(j, 0, &v.columns(i, i + 1).transpose().scaled(right));
        }
    }
    // Spare units read directions that the target sends to zero.
    let null: Vec<usize> = (0..n).filter(|&j| values.get(j).is_none_or(|&s| s == 0.0)).collect();
    let mut c = Matrix::zeros(null.len(), k - q);
    if !balanced && stream.integer(0, 1) == 0 {
        let rank = pick(stream, 0, null.len().min(k - q) as i64);
        c = &stream.normal_matrix(null.len(), rank) * &stream.normal_matrix(rank, k - q);
        for (row, &j) in null.iter().enumerate() {
            let part = &c.block(row, 0, 1, k - q).transpose() * &v.columns(j, j + 1).transpose();
            let old = s.block(q, 0, k - q, n);
            s.set_block(q, 0, &(&old + &part));
        }
    }
    let turn = orthogonal(stream, k);
    let what = format!("m {m} n {n} k {k} values {values:?} kept {chosen:?} balanced {balanced} a {a} c {c:?}");
    (Point { w: &w * &turn, s: turn.transpose_times(&s), z, c }, what)
}

#[test]
fn every_shape_and_corner_of_canonical_rescaled_and_balanced_points() {
    let mut spare = 0;
    for seed in 0..2500 {
        let mut stream = Stream::new(71, seed);
        let (point, what) = draw(&mut stream);
        // Identity data up to a scale and a rotation.
        let (n, scale) = (point.z.ncols(), [1.0, 2.0][stream.integer(0, 1) as usize]);
        let x = orthogonal(&mut stream, n).scaled(scale);
        let y = &point.z.scaled(scale) * &x.scaled(1.0 / scale);
        let what = format!("seed {seed}: {what}");
        let found = check(&[point.s.clone(), point.w.clone()], &x, &y, &what);
        assert_eq!(found.kind, SpectrumKind::ClosedForm, "{what}");
        spare += usize::from(point.c.max_abs() > 0.0);
    }
    assert!(spare > 200, "{spare}");
}

/// The table of `docs/spectra.md`, line by line, with `o = omega / a^2`.
fn table(lambda: &[f64], sigma: &[f64], omega: &[f64], a: f64, counts: Counts) -> Vec<f64> {
    let Counts { parameters, kept_zeros, unread, unwritten } = counts;
    let square = a * a;
    let two = |p: f64, q: f64, s: f64| {
        let (mean, half) = (0.5 * (p + q), 0.5 * ((p - q) * (p - q) + 4.0 * s * s).sqrt());
        [mean - half, mean + half]
    };
    let mut out = Vec::new();
    for l in lambda {
        out.extend(lambda.iter().map(|_| l * l / square + square));
        out.extend(sigma.iter().flat_map(|&s| two(l * l / square, square, s)));
        out.extend(vec![l * l / square; unwritten]);
        out.extend(vec![square; unread]);
        out.extend(omega.iter().filter(|&&o| o > 0.0).map(|o| square + o));
        out.extend(vec![l * l / square + square; kept_zeros]);
    }
    for s in sigma {
        out.extend(omega.iter().flat_map(|&o| two(o, 0.0, *s)));
        out.extend((0..kept_zeros).flat_map(|_| two(square, 0.0, *s)));
    }
    for &o in omega {
        out.extend(vec![o; unwritten]);
        out.extend(vec![square + o; if o > 0.0 { kept_zeros } else { 0 }]);
    }
    out.extend(vec![square; kept_zeros * unread]);
    assert!(out.len() <= parameters, "{} eigenvalues of {parameters}", out.len());
    out.resize(parameters, 0.0);
    out.sort_by(f64::total_cmp);
    out
}

struct Counts {
    parameters: usize,
    kept_zeros: usize,
    unread: usize,
    unwritten: usize,
}

#[test]
fn the_table_is_complete() {
    for seed in 0..1500 {
        let mut stream = Stream::new(76, seed);
        let pick = |stream: &mut Stream, low: i64, high: i64| stream.integer(low, high) as usize;
        let (m, n, k) = (pick(&mut stream, 1, 4), pick(&mut stream, 1, 4), pick(&mut stream, 1, 5));
        let values: Vec<f64> = (0..m.min(n)).map(|_| [0.0, 0.5, 1.0, 1.0, 2.0, 3.0][pick(&mut stream, 0, 5)]).collect();
        let value = |i: usize| values.get(i).copied().unwrap_or(0.0);
        let chosen: Vec<usize> = (0..m).filter(|_| stream.integer(0, 1) == 0).take(k).collect();
        let (a, q) = ([1.0, 0.5, 3.0][pick(&mut stream, 0, 2)], chosen.len());
        let (mut w, mut s) = (Matrix::zeros(m, k), Matrix::zeros(k, n));
        for (j, &i) in chosen.iter().enumerate() {
            w[(i, j)] = a;
            if i < n {
                s[(j, i)] = value(i) / a;
            }
        }
        // Spare units read different right null directions.
        let null: Vec<usize> = (0..n).filter(|&j| value(j) == 0.0).collect();
        let mut omega = vec![0.0; k - q];
        for (l, &j) in null.iter().enumerate().take(k - q) {
            let c = [0.0, 0.5, 1.0, 2.0][pick(&mut stream, 0, 3)];
            s[(q + l, j)] = c;
            omega[l] = c * c;
        }
        let positive = |i: &&usize| value(**i) > 0.0;
        let lambda: Vec<f64> = chosen.iter().filter(positive).map(|&i| value(i)).collect();
        let sigma: Vec<f64> = (0..m).filter(|i| !chosen.contains(i)).map(value).filter(|&s| s > 0.0).collect();
        let kept_zeros = q - lambda.len();
        let read = omega.iter().filter(|&&o| o > 0.0).count();
        let rank = lambda.len() + sigma.len();
        let counts =
            Counts { parameters: k * (m + n), kept_zeros, unread: n - rank - read, unwritten: m - rank - kept_zeros };
        let expected = super::reference(&[s, w], &Matrix::identity(n), &Matrix::from_diagonal(m, n, &values));
        let found = table(&lambda, &sigma, &omega, a, counts);
        let what = format!("seed {seed}: m {m} n {n} k {k} values {values:?} kept {chosen:?} omega {omega:?} a {a}");
        assert!(
            found.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-10 * (1.0 + y.abs())),
            "{what}\n{found:?}\n{expected:?}"
        );
    }
}
