//! Writes the start sets that ship with the library: `make_start_sets DIR`.

use rankscape::Tolerances;
use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::{Shape, StartSet};

const SHAPES: [(usize, usize, usize); 11] = [
    (2, 2, 1),
    (2, 3, 1),
    (2, 4, 1),
    (3, 3, 1),
    (3, 3, 2),
    (3, 4, 1),
    (3, 4, 2),
    (3, 5, 1),
    (4, 4, 1),
    (4, 4, 2),
    (4, 4, 3),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).ok_or("name the directory to write to")?;
    let tracking = TrackOptions::new(&Tolerances::default());
    for (m, n, r) in SHAPES {
        let (set, found) = StartSet::generate(Shape { m, n, r }, 1, &tracking, &Workers::new(2)?)?;
        println!("{m} x {n} rank {r}: {} points after {} loops ({:?})", set.points.len(), found.loops, found.end);
        std::fs::write(format!("{directory}/start_{m}x{n}_r{r}.bin"), set.to_bytes())?;
    }
    Ok(())
}
