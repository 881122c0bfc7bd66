//! Time and counts of random instances: `quadratic_speed M N R COUNT [SEED]`.

use rankscape::Tolerances;
use rankscape::homotopy::{TrackOptions, TrackWork, Workers};
use rankscape::quadratic::{Instance, Metric, Shape, Solver, StartSet, TargetSpace};
use rankscape::random::Stream;

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let [m, n, r, count] = arguments[..4] else { return };
    let seed = arguments.get(4).copied().unwrap_or(1) as u64;
    let mut tolerances = Tolerances::default();
    for text in std::env::args().filter(|text| text.contains('=')) {
        if let Some((name, value)) = text.split_once('=') {
            let _ = tolerances.set(name, value.parse().unwrap_or(0.0));
        }
    }
    let tracking = TrackOptions::new(&tolerances);
    let workers = Workers::none();
    let clock = std::time::Instant::now();
    let Ok((start, found)) = StartSet::generate(Shape { m, n, r }, seed, &tracking, &workers) else { return };
    println!("start: {} points, {} loops, lost {}, {:?}", start.points.len(), found.loops, found.lost, clock.elapsed());
    let Ok(solver) = Solver::new(start, tolerances, seed) else { return };
    let mut times = Vec::new();
    let mut work = TrackWork::default();
    let (mut incomplete, mut uncertified, mut odd, mut second) = (0, 0, 0, 0);
    for item in 0..count {
        let mut stream = Stream::new(99, item as u64);
        let mut draw = |len: usize| (0..len).map(|_| stream.integer(-10, 10) as f64).collect::<Vec<f64>>();
        let instance = Instance {
            id: item.to_string(),
            rows: m,
            cols: n,
            rank: r,
            metric: Metric::Map(draw(m * n * m * n)),
            target: draw(m * n),
            convention: TargetSpace::Metric,
        };
        let clock = std::time::Instant::now();
        let Ok(solution) = solver.solve(&instance, &workers) else { continue };
        times.push(clock.elapsed().as_secs_f64() * 1e3);
        work += solution.work;
        incomplete += usize::from(!solution.complete.is_proved());
        uncertified += usize::from(!solution.certified);
        second += usize::from(solution.paths.rounds > 1);
        odd += usize::from((m, n) == (3, 3) && solution.alternating_sum() != Some(1));
        if !solution.certified {
            println!("{item}: {:?} {:?}", solution.complete, solution.paths);
        }
    }
    times.sort_by(f64::total_cmp);
    let paths = (count * solver.start().points.len()) as f64;
    println!(
        "ms: median {:.3} p95 {:.3} max {:.3}; incomplete {incomplete} uncertified {uncertified} odd {odd} second rounds {second}; \
         per path: steps {:.1} rejected {:.2} recentred {:.2}",
        times[count / 2],
        times[count * 95 / 100],
        times[count - 1],
        work.steps as f64 / paths,
        work.rejected as f64 / paths,
        work.recentred as f64 / paths,
    );
}
