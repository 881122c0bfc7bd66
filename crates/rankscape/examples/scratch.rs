//! scratch
use rankscape::Matrix;
use std::time::Instant;
fn main() {
    let cols = 795;
    for rows in [1024usize, 2048, 4096] {
        let a = rankscape::random::Stream::new(1, 0).normal_matrix(rows, cols);
        for _ in 0..3 {
            let b = a.clone();
            let t = Instant::now();
            let r = rankscape::linalg::triangular_factor(b);
            let dt = t.elapsed().as_secs_f64();
            let m = rows as f64;
            let n = cols as f64;
            println!(
                "{rows} {:.1} ms {:.1} GF {}",
                dt * 1e3,
                (2.0 * m * n * n - 2.0 / 3.0 * n * n * n) / dt / 1e9,
                r[(0, 0)]
            );
        }
    }
    let a = Matrix::from_fn(1024, 1024, |i, j| (i * 3 + j * 7 % 11) as f64);
    for _ in 0..3 {
        let t = Instant::now();
        let c = &a * &a;
        println!("gemm {:.1} GF {}", 2.0 * 1024f64.powi(3) / t.elapsed().as_secs_f64() / 1e9, c[(0, 0)]);
    }
}
