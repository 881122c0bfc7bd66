//! The random experiment of TKB, Table 2, solved twice from different start sets: `table_2 COUNT [SEED]`.

use rankscape::Tolerances;
use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::{Solver, StartSet};
use rankscape::sweep::{Plan, run_shard};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let plan = Plan::table_2(arguments.next().unwrap_or(2_000), arguments.next().unwrap_or(1));
    let tolerances = Tolerances::default();
    let workers = Workers::new(std::thread::available_parallelism()?.get())?;
    let shipped = StartSet::shipped(plan.shape()).ok_or("no start set of this shape ships")?;
    let (other, _) = StartSet::generate(plan.shape(), 20, &TrackOptions::new(&tolerances), &workers)?;
    let mut tallies = Vec::new();
    for start in [shipped, other] {
        let solver = Solver::new(start, tolerances, 1)?;
        let clock = std::time::Instant::now();
        let tally = run_shard(&plan, &solver, (0, 1), &workers, |_| true)?.ok_or("stopped")?;
        println!("{} instances in {:.1?}", tally.items(), clock.elapsed());
        println!("unproved {:?}, contradictions {:?}", tally.unproved, tally.contradictions);
        tallies.push(tally);
    }
    println!("both start sets give the same table: {}", tallies[0] == tallies[1]);
    for cell in tallies[0].table() {
        println!(
            "{} minima, {:2} real: {:7} = {:.5} [{:.5}, {:.5}]",
            cell.minima, cell.real, cell.count, cell.share, cell.low, cell.high
        );
    }
    Ok(())
}
