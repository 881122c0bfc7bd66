//! The ED discriminant along a segment of targets: where the number of real critical points changes, and which two meet.

use std::cell::OnceCell;

use super::chart;
use super::family::Family;
use super::instance::Instance;
use super::kernel::Shape;
use super::loss::QuadraticLoss;
use super::outcome::{RealPoint, Solution};
use super::solve::Solver;
use super::special::Special;
use crate::error::{InputError, Result};
use crate::evidence::Grade;
use crate::homotopy::{PathOutcome, Point, Workers, track};
use crate::linalg::scalar::C64;
use crate::linalg::{Matrix, svd};

/// How finely to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentOptions {
    /// Cells of equal length at first; two changes that undo each other inside a cell can be missed.
    pub cells: usize,
    /// Width to which a change is isolated.
    pub width: f64,
    /// Where certificates end early, since more than two points nearly meet: width to which a change is isolated at least.
    pub coarse_width: f64,
    /// Targets solved at most; what is not resolved by then is undecided. A crossing takes about 25.
    pub most_targets: usize,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self { cells: 32, width: 1e-7, coarse_width: 1e-5, most_targets: 2000 }
    }
}

/// The number of real critical points changes in `(low, high)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// Before this the count is `before`.
    pub low: f64,
    /// After this it is `after`.
    pub high: f64,
    /// Real critical points at `low`.
    pub before: usize,
    /// Real critical points at `high`.
    pub after: usize,
    /// The two that meet, on the side where they are real.
    pub pair: Option<[RealPoint; 2]>,
    /// `Certified` if both counts are proved; `Numerical` if one rests on monodromy and the trace test.
    pub grade: Grade,
}

/// What happens between two targets.
#[derive(Debug, Clone)]
pub struct Segment {
    /// All critical points at `Q0`.
    pub start: Solution,
    /// All critical points at `Q1`.
    pub end: Solution,
    /// Changes of the count, in order; as sure as the counts at the two ends.
    pub crossings: Vec<Crossing>,
    /// Cells in which the real points could not be followed and the counts agree, or a count is unknown.
    pub undecided: Vec<(f64, f64)>,
    /// Targets solved.
    pub solved: usize,
    /// The weakest grade of the counts that were compared, `Certified` or, for special metrics, `Numerical`; `None` if no two
    /// neighbouring counts are known.
    pub grade: Option<Grade>,
}

impl Solver {
    /// Follows the real critical points while the target moves from that of `instance` to `end`.
    ///
    /// # Errors
    /// If the instance or the other target is bad.
    pub fn segment(&self, instance: &Instance, end: &[f64], options: SegmentOptions) -> Result<Segment> {
        if end.len() != instance.target.len() || end.iter().any(|x| !x.is_finite()) {
            return Err(InputError::new("the other target must have m*n finite numbers").array("q1").value(end.len()));
        }
        let mut walk = Walk {
            solver: self,
            instance,
            end,
            options,
            special: OnceCell::new(),
            found: Vec::new(),
            gaps: Vec::new(),
            solved: 0,
            grade: None,
        };
        let cells = options.cells.max(1);
        let mut stops = Vec::with_capacity(cells + 1);
        for cell in 0..=cells {
            stops.push(walk.stop(cell as f64 / cells as f64)?);
        }
        for pair in stops.windows(2) {
            walk.inspect(&pair[0], &pair[1])?;
        }
        walk.close_gaps();
        let last = stops.pop();
        let first = stops.swap_remove(0);
        let end = last.map_or_else(|| first.solution.clone(), |stop| stop.solution);
        Ok(Segment {
            start: first.solution,
            end,
            crossings: walk.found,
            undecided: walk.gaps.iter().map(|gap| (gap.low.t, gap.high.t)).collect(),
            solved: walk.solved,
            grade: walk.grade,
        })
    }
}

struct Walk<'a> {
    solver: &'a Solver,
    instance: &'a Instance,
    end: &'a [f64],
    options: SegmentOptions,
    special: OnceCell<Special>,
    found: Vec<Crossing>,
    gaps: Vec<Gap>,
    solved: usize,
    grade: Option<Grade>,
}

/// Cells side by side in which nothing is decided, and what is known at the two ends.
struct Gap {
    low: Side,
    high: Side,
}

struct Side {
    t: f64,
    real: Vec<RealPoint>,
    grade: Option<Grade>,
}

struct Stop {
    t: f64,
    loss: QuadraticLoss,
    solution: Solution,
}

impl Stop {
    fn is_known(&self) -> bool {
        self.solution.completeness_grade().is_some()
    }

    fn side(&self) -> Side {
        Side { t: self.t, real: self.solution.real.clone(), grade: self.solution.completeness_grade() }
    }
}

/// The weaker of two grades, if both are there.
fn weaker(a: Option<Grade>, b: Option<Grade>) -> Option<Grade> {
    match (a?, b?) {
        (Grade::Certified, Grade::Certified) => Some(Grade::Certified),
        _ => Some(Grade::Numerical),
    }
}

impl Walk<'_> {
    fn stop(&mut self, t: f64) -> Result<Stop> {
        let mix = |(a, b): (&f64, &f64)| (1.0 - t) * a + t * b;
        let target = self.instance.target.iter().zip(self.end).map(mix).collect();
        let instance = Instance { target, ..self.instance.clone() };
        self.solved += 1;
        Ok(Stop {
            t,
            loss: instance.prepare(self.solver.tolerances())?,
            solution: self.solver.solve_with(&instance, &self.special, &Workers::none())?,
        })
    }

    fn inspect(&mut self, a: &Stop, b: &Stop) -> Result<()> {
        let grade = weaker(a.solution.completeness_grade(), b.solution.completeness_grade());
        if let Some(grade) = grade.filter(|_| self.corresponds(a, b)) {
            self.weaken(grade);
            return Ok(());
        }
        let found_nothing = !a.is_known() && !b.is_known();
        if found_nothing || self.solved >= self.options.most_targets || b.t - a.t <= self.options.width {
            let gap = Gap { low: a.side(), high: b.side() };
            if b.t - a.t > self.options.width || !self.cross(&gap) {
                self.leave_undecided(gap);
            }
            return Ok(());
        }
        // Off the middle, so that a target on the discriminant is not met twice.
        let middle = self.stop(a.t + 0.49 * (b.t - a.t))?;
        self.inspect(a, &middle)?;
        self.inspect(&middle, b)
    }

    /// The counts at both ends are known and differ: a crossing.
    fn cross(&mut self, Gap { low, high }: &Gap) -> bool {
        let (before, after) = (low.real.len(), high.real.len());
        let Some(grade) = weaker(low.grade, high.grade).filter(|_| before != after) else { return false };
        let pair = closest(if before > after { &low.real } else { &high.real });
        self.found.push(Crossing { low: low.t, high: high.t, before, after, pair, grade });
        self.weaken(grade);
        true
    }

    fn leave_undecided(&mut self, gap: Gap) {
        match self.gaps.last_mut() {
            Some(last) if last.high.t == gap.low.t => last.high = gap.high,
            _ => self.gaps.push(gap),
        }
    }

    /// A narrow gap between counts that are known and differ isolates a change, if not as well as was asked.
    fn close_gaps(&mut self) {
        let narrow = |gap: &Gap| gap.high.t - gap.low.t <= self.options.coarse_width;
        let (narrow, wide): (Vec<Gap>, Vec<Gap>) = std::mem::take(&mut self.gaps).into_iter().partition(narrow);
        let open = narrow.into_iter().filter(|gap| !self.cross(gap)).collect::<Vec<Gap>>();
        self.gaps = open.into_iter().chain(wide).collect();
        self.gaps.sort_by(|a, b| a.low.t.total_cmp(&b.low.t));
        self.found.sort_by(|a, b| a.low.total_cmp(&b.low));
    }

    fn weaken(&mut self, grade: Grade) {
        self.grade = weaker(self.grade.or(Some(grade)), Some(grade));
    }

    /// The real points at `a` run one to one to those at `b`, staying real.
    fn corresponds(&self, a: &Stop, b: &Stop) -> bool {
        if a.solution.n_real() != b.solution.n_real() {
            return false;
        }
        let end = b.loss.in_units_of(&a.loss);
        let family = Family::new(&a.loss.as_complex(), &end.as_complex());
        let shape = a.loss.shape();
        let starts: Vec<Point> = a.solution.real.iter().map(|point| point_of(shape, &a.loss, &point.w)).collect();
        let results = track(&family, &starts, self.solver.tracking());
        let same = self.solver.tolerances().same_solution;
        let mut free: Vec<&RealPoint> = b.solution.real.iter().collect();
        results.iter().all(|result| {
            let reached = end.to_user(&chart::product(shape, &result.point).iter().map(|z| z.re).collect::<Vec<_>>());
            let at = free.iter().position(|point| near(&point.w, &reached, same));
            if let Some(at) = at {
                free.swap_remove(at);
            }
            result.outcome == PathOutcome::Arrived && at.is_some()
        })
    }
}

fn near(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    let size = a.iter().fold(0.0f64, |acc, x| acc.max(x.abs()));
    a.iter().zip(b).all(|(x, y)| (x - y).abs() <= tolerance * size)
}

/// A rank-`r` matrix as a point of the solver.
fn point_of(shape: Shape, loss: &QuadraticLoss, w: &[f64]) -> Point {
    let Shape { m, n, r } = shape;
    let inner = loss.to_solver(w);
    let svd = svd(&Matrix::from_fn(m, n, |i, j| inner[i * n + j]));
    let complex = |value: f64| C64::new(value, 0.0);
    let x: Vec<C64> = (0..m * r).map(|e| complex(svd.u.column(e % r)[e / r])).collect();
    let y: Vec<C64> = (0..r * n).map(|e| complex(svd.s[e / n] * svd.v.column(e / n)[e % n])).collect();
    chart::point(shape, &x, &y)
}

/// The two points closest to each other.
fn closest(points: &[RealPoint]) -> Option<[RealPoint; 2]> {
    let distance = |a: &RealPoint, b: &RealPoint| a.w.iter().zip(&b.w).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    let pairs = (0..points.len()).flat_map(|i| (i + 1..points.len()).map(move |j| (i, j)));
    let best =
        pairs.min_by(|p, q| distance(&points[p.0], &points[p.1]).total_cmp(&distance(&points[q.0], &points[q.1])));
    best.map(|(i, j)| [points[i].clone(), points[j].clone()])
}
