//! Random experiments in shards: how many real critical points and minima does a random quadratic loss have?
//!
//! Item `k` of a plan draws from stream `k` of its seed, so a tally is a function of the plan alone: any sharding and any
//! number of threads give the same table. The experiment of `[@TKB, Table 2]` is [`Plan::table_2`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::error::{InputError, Result};
use crate::homotopy::Workers;
use crate::quadratic::{Instance, Metric, MetricKind, Shape, Solution, Solver, TargetSpace};
use crate::random::Stream;

/// Law of the independent entries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entries {
    /// Integers uniform in `low..=high`.
    Integers {
        /// Smallest.
        low: i64,
        /// Largest.
        high: i64,
    },
    /// Standard normal numbers.
    Normal,
}

/// Law of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricLaw {
    /// `phi` has independent entries.
    Full,
    /// `phi` is diagonal: weights are squares of independent entries; an entry 0 is drawn again, so that no weight is zero and
    /// the law of the others is that of [`Entries`] without 0.
    Diagonal,
    /// `phi` has `kernel` rows fewer than columns, with independent entries.
    Singular {
        /// Rows that are missing: the dimension of the kernel, unless the rows are dependent by chance.
        kernel: usize,
    },
}

impl fmt::Display for MetricLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Diagonal => f.write_str("diagonal"),
            Self::Singular { kernel } => write!(f, "singular:{kernel}"),
        }
    }
}

impl FromStr for MetricLaw {
    type Err = String;

    /// `full`, `diagonal` or `singular:k`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let kernel = text.strip_prefix("singular:").and_then(|kernel| kernel.parse().ok());
        match (text, kernel) {
            ("full", _) => Ok(Self::Full),
            ("diagonal", _) => Ok(Self::Diagonal),
            (_, Some(kernel)) => Ok(Self::Singular { kernel }),
            _ => Err("a metric is full, diagonal or singular:K, for example singular:2".to_owned()),
        }
    }
}

/// A random experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Rank.
    pub rank: usize,
    /// Law of `phi`.
    pub metric: MetricLaw,
    /// Law of the entries of `phi` and of the target.
    pub entries: Entries,
    /// Number of instances.
    pub instances: u64,
    /// Seed.
    pub seed: u64,
}

impl Plan {
    /// The experiment of TKB: 3 x 3 matrices of rank one, integers in -10..=10.
    pub fn table_2(instances: u64, seed: u64) -> Self {
        let entries = Entries::Integers { low: -10, high: 10 };
        Self { rows: 3, cols: 3, rank: 1, metric: MetricLaw::Full, entries, instances, seed }
    }

    /// The shape that a start set must have.
    pub fn shape(&self) -> Shape {
        Shape { m: self.rows.min(self.cols), n: self.rows.max(self.cols), r: self.rank }
    }

    /// Checks sizes, rank and laws.
    ///
    /// # Errors
    /// If the sizes or the rank are out of range, the law has no non-zero value, or there is nothing to do.
    pub fn check(&self) -> Result<()> {
        crate::quadratic::expected_count(self.shape())?;
        let empty = |array: &str| InputError::new("nothing can be drawn from this plan").array(array);
        match self.entries {
            Entries::Integers { low, high } if low > high => {
                Err(empty("low, high").value(format!("{low}..={high}")).hint("low must not exceed high"))
            }
            Entries::Integers { low: 0, high: 0 } => Err(empty("low, high")
                .value("0..=0")
                .hint("every metric would be zero: choose low below 0 or high above 0")),
            _ if self.rank >= self.rows.min(self.cols) => {
                Err(empty("rank").value(self.rank).hint("the rank must be below the smaller size"))
            }
            _ if matches!(self.metric, MetricLaw::Singular { kernel } if kernel == 0 || kernel >= self.rows * self.cols) => {
                Err(empty("metric")
                    .value(self.metric)
                    .hint("the kernel must have a dimension between 1 and the number of entries minus 1"))
            }
            _ if self.instances == 0 => Err(empty("instances").value(0)),
            _ => Ok(()),
        }
    }

    /// Instance number `item`.
    pub fn instance(&self, item: u64) -> Instance {
        let mut stream = Stream::new(self.seed, item);
        let entries = self.rows * self.cols;
        let metric = match self.metric {
            MetricLaw::Full => Metric::Map(self.draw(&mut stream, entries * entries)),
            MetricLaw::Singular { kernel } => {
                Metric::Map(self.draw(&mut stream, entries.saturating_sub(kernel) * entries))
            }
            MetricLaw::Diagonal => Metric::Weights((0..entries).map(|_| self.draw_square(&mut stream)).collect()),
        };
        Instance {
            id: item.to_string(),
            rows: self.rows,
            cols: self.cols,
            rank: self.rank,
            metric,
            target: self.draw(&mut stream, entries),
            convention: TargetSpace::Metric,
        }
    }

    fn draw(&self, stream: &mut Stream, len: usize) -> Vec<f64> {
        (0..len).map(|_| self.draw_one(stream)).collect()
    }

    fn draw_one(&self, stream: &mut Stream) -> f64 {
        match self.entries {
            Entries::Integers { low, high } => stream.integer(low, high) as f64,
            Entries::Normal => stream.normal(),
        }
    }

    fn draw_square(&self, stream: &mut Stream) -> f64 {
        loop {
            let entry = self.draw_one(stream);
            if entry != 0.0 {
                return entry * entry;
            }
        }
    }

    /// Items of shard `shard` of `shards`: a contiguous range; all shards together are all items, once each.
    ///
    /// # Errors
    /// If there is no such shard.
    pub fn items(&self, shard: u64, shards: u64) -> Result<std::ops::Range<u64>> {
        if shard >= shards {
            return Err(InputError::new("there is no such shard")
                .array("shard")
                .value(format!("{shard}/{shards}"))
                .hint("shards are numbered from 0"));
        }
        let bound = |k: u64| (u128::from(self.instances) * u128::from(k) / u128::from(shards)) as u64;
        Ok(bound(shard)..bound(shard + 1))
    }
}

/// Counts of a set of items. Tallies of disjoint sets add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Items with a proved answer, by (number of minima, number of real critical points).
    pub counts: BTreeMap<(usize, usize), u64>,
    /// Items whose answer is not proved, in order; they are in no count.
    pub unproved: Vec<u64>,
    /// Proved 3 x 3 items with a definite metric whose alternating sum of indices is not 1: always empty unless the solver is wrong.
    pub contradictions: Vec<u64>,
}

impl Tally {
    /// Items counted, proved or not.
    pub fn items(&self) -> u64 {
        self.counts.values().sum::<u64>() + self.unproved.len() as u64
    }

    fn add(&mut self, plan: &Plan, item: u64, solution: &Solution) {
        match solution.n_minima() {
            Some(minima) if solution.certified => {
                *self.counts.entry((minima, solution.n_real())).or_default() += 1;
                let singular = matches!(solution.kind, MetricKind::Singular { .. });
                if (plan.rows, plan.cols) == (3, 3) && !singular && solution.alternating_sum() != Some(1) {
                    self.contradictions.push(item);
                }
            }
            _ => self.unproved.push(item),
        }
    }

    /// Adds the tally of other items.
    pub fn merge(&mut self, other: &Self) {
        for (&key, &count) in &other.counts {
            *self.counts.entry(key).or_default() += count;
        }
        for (mine, theirs) in [(&mut self.unproved, &other.unproved), (&mut self.contradictions, &other.contradictions)]
        {
            mine.extend(theirs);
            mine.sort_unstable();
        }
    }

    /// Rows of the table: minima, real points, count, share of the proved items and its 95 % confidence interval (Wilson).
    pub fn table(&self) -> Vec<Cell> {
        let total: u64 = self.counts.values().sum();
        self.counts
            .iter()
            .map(|(&(minima, real), &count)| {
                let (low, high) = wilson(count, total);
                Cell { minima, real, count, share: count as f64 / total as f64, low, high }
            })
            .collect()
    }
}

/// One cell of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Number of minima.
    pub minima: usize,
    /// Number of real critical points.
    pub real: usize,
    /// Items.
    pub count: u64,
    /// Share of the proved items.
    pub share: f64,
    /// Lower end of the 95 % confidence interval of the probability.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Wilson's interval at 95 %.
fn wilson(count: u64, total: u64) -> (f64, f64) {
    const QUANTILE: f64 = 1.959_963_984_540_054;
    let (n, p) = (total as f64, count as f64 / total as f64);
    let z = QUANTILE * QUANTILE / n;
    let centre = p + z / 2.0;
    let half = QUANTILE * (p * (1.0 - p) / n + z / (4.0 * n)).sqrt();
    (((centre - half) / (1.0 + z)).max(0.0), ((centre + half) / (1.0 + z)).min(1.0))
}

/// Items solved between two looks at the clock or at a request to stop.
const BATCH: u64 = 64;

/// Runs shard `shard` of `shards`. `progress` is told how many items are done and says whether to go on; a shard that is
/// stopped leaves nothing (`None`).
///
/// # Errors
/// If the plan or the shard is bad, or the solver is for another shape.
pub fn run_shard(
    plan: &Plan,
    solver: &Solver,
    (shard, shards): (u64, u64),
    workers: &Workers,
    mut progress: impl FnMut(u64) -> bool,
) -> Result<Option<Tally>> {
    plan.check()?;
    let items = plan.items(shard, shards)?;
    let mut tally = Tally::default();
    let mut from = items.start;
    while from < items.end {
        let batch: Vec<u64> = (from..items.end.min(from + BATCH)).collect();
        let instances: Vec<Instance> = batch.iter().map(|&item| plan.instance(item)).collect();
        for (&item, solution) in batch.iter().zip(solver.solve_all(&instances, workers)) {
            tally.add(plan, item, &solution?);
        }
        from += batch.len() as u64;
        if !progress(from - items.start) {
            return Ok(None);
        }
    }
    Ok(Some(tally))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tolerances;
    use crate::homotopy::TrackOptions;
    use crate::quadratic::StartSet;

    fn solver(plan: &Plan) -> Solver {
        let tolerances = Tolerances::default();
        let tracking = TrackOptions::new(&tolerances);
        let start = StartSet::obtain(plan.shape(), 1, &tracking, &Workers::none()).unwrap();
        Solver::new(start, tolerances, 1).unwrap()
    }

    #[test]
    fn any_sharding_gives_the_same_tally() {
        let plan = Plan::table_2(60, 7);
        let solver = solver(&plan);
        let run = |shards: u64, workers: &Workers| {
            let mut total = Tally::default();
            for shard in (0..shards).rev() {
                total.merge(&run_shard(&plan, &solver, (shard, shards), workers, |_| true).unwrap().unwrap());
            }
            total
        };
        let whole = run(1, &Workers::none());
        assert_eq!(whole.items(), 60);
        assert!(whole.unproved.is_empty() && whole.contradictions.is_empty());
        assert_eq!(run(7, &Workers::new(2).unwrap()), whole);
    }

    #[test]
    fn diagonal_metrics_and_other_sizes_are_proved_too() {
        let entries = Entries::Integers { low: -10, high: 10 };
        let plan = Plan { rows: 3, cols: 2, rank: 1, metric: MetricLaw::Diagonal, entries, instances: 20, seed: 1 };
        let tally = run_shard(&plan, &solver(&plan), (0, 1), &Workers::none(), |_| true).unwrap().unwrap();
        assert_eq!(tally.items(), 20);
    }

    #[test]
    fn singular_metrics_of_any_kernel_are_drawn_and_proved() {
        let entries = Entries::Integers { low: -10, high: 10 };
        for (kernel, complex) in [(1, 10), (3, 3), (4, 0)] {
            let metric: MetricLaw = format!("singular:{kernel}").parse().unwrap();
            assert_eq!(metric, MetricLaw::Singular { kernel });
            let plan = Plan { rows: 2, cols: 3, rank: 1, metric, entries, instances: 6, seed: 3 };
            let Metric::Map(phi) = plan.instance(0).metric else { panic!("no map") };
            assert_eq!(phi.len(), (6 - kernel) * 6);
            let solver = solver(&plan);
            assert_eq!(solver.solve(&plan.instance(0), &Workers::none()).unwrap().expected, Some(complex));
            let tally = run_shard(&plan, &solver, (0, 1), &Workers::none(), |_| true).unwrap().unwrap();
            assert_eq!(tally.items(), 6);
        }
        let plan = Plan { metric: MetricLaw::Singular { kernel: 9 }, ..Plan::table_2(1, 1) };
        assert!(plan.check().unwrap_err().to_string().contains("singular:9"));
        assert!("singular:x".parse::<MetricLaw>().is_err());
    }

    #[test]
    fn wilson_interval_is_the_textbook_one() {
        let (low, high) = wilson(10, 100);
        assert!((low - 0.0552).abs() < 1e-4 && (high - 0.1744).abs() < 1e-4);
        assert!(wilson(0, 50).0 < 1e-15);
    }

    #[test]
    fn plans_of_nothing_are_refused_with_the_reason() {
        for (low, high, reason) in [(0, 0, "every metric would be zero"), (3, 1, "low must not exceed high")] {
            let plan = Plan { entries: Entries::Integers { low, high }, ..Plan::table_2(1, 1) };
            let error = plan.check().unwrap_err().to_string();
            assert!(error.contains("low, high") && error.contains(reason), "{error}");
        }
        let plan = Plan { entries: Entries::Integers { low: 0, high: 1 }, ..Plan::table_2(1, 1) };
        plan.check().unwrap();
    }

    #[test]
    fn stopped_shards_leave_nothing() {
        let plan = Plan::table_2(200, 7);
        assert_eq!(run_shard(&plan, &solver(&plan), (0, 1), &Workers::none(), |_| false).unwrap(), None);
        assert!(run_shard(&plan, &solver(&plan), (3, 3), &Workers::none(), |_| true).is_err());
    }
}
