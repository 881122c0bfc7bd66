//! Several paths side by side, each with its own parameter and step.
//!
//! A step predicts by the power series of the path at the last point, corrects by one Newton and one chord iteration
//! with the same factorization, and expands the series at the corrected point, again with that factorization. A rejected
//! lane keeps its series and tries a shorter step; a finished lane takes up the next path. Starting a path and changing a
//! chart are steps of length zero.

use num_traits::Zero;

use super::path::{PathOutcome, PathResult, TrackOptions, TrackWork};
use super::system::{Point, System};
use crate::linalg::LaneLu;
use crate::linalg::scalar::{C64, Complex, Real};
use crate::tolerance::UNIT_ROUNDOFF;

/// Factor on the step after a rejection.
const SHORTENED: f64 = 0.45;

struct Lane {
    /// Index of the path, or none when the queue is empty.
    path: Option<usize>,
    t: f64,
    step: f64,
    work: TrackWork,
}

pub(super) struct Batch<'a, S: System, R: Real> {
    system: &'a S,
    options: &'a TrackOptions,
    evaluation: S::Scratch<Complex<R>>,
    lu: LaneLu<R>,
    lanes: Vec<Lane>,
    chart: Vec<Complex<R>>,
    /// Coefficients at the last accepted point, order by order.
    series: Vec<Vec<Complex<R>>>,
    /// The same at the point now tried.
    tried: Vec<Vec<Complex<R>>>,
    x: Vec<Complex<R>>,
    value: Vec<Complex<R>>,
    jac: Vec<Complex<R>>,
}

/// Relative sizes found in one step, by lane.
struct Sizes<R> {
    first: R,
    second: R,
    /// Of the last two coefficients of the series.
    last: [R; 2],
}

impl<'a, S: System, R: Real> Batch<'a, S, R> {
    pub(super) fn new(system: &'a S, options: &'a TrackOptions) -> Self {
        let size = system.size();
        let space = |len: usize| vec![Complex::zero(); len];
        Self {
            system,
            options,
            evaluation: system.start(),
            lu: LaneLu::new(size),
            lanes: (0..R::LANES).map(|_| Lane { path: None, t: 0.0, step: 0.0, work: TrackWork::default() }).collect(),
            chart: space(system.chart_len()),
            series: vec![space(size); options.order + 1],
            tried: vec![space(size); options.order + 1],
            x: space(size),
            value: space(size),
            jac: space(size * size),
        }
    }

    #[inline(always)]
    pub(super) fn run(mut self, starts: &[Point]) -> Vec<PathResult> {
        let mut results: Vec<Option<PathResult>> = vec![None; starts.len()];
        let mut next = 0;
        for lane in 0..R::LANES {
            self.feed(lane, starts, &mut next);
        }
        while self.lanes.iter().any(|lane| lane.path.is_some()) {
            let sizes = self.step();
            for lane in 0..R::LANES {
                if let (Some(path), Some(outcome)) = (self.lanes[lane].path, self.judge(lane, &sizes)) {
                    results[path] = Some(self.finish(lane, outcome));
                    self.feed(lane, starts, &mut next);
                }
            }
        }
        results.into_iter().flatten().collect()
    }

    /// Gives the lane its next path. An idle lane repeats whatever it did last, and nobody looks.
    fn feed(&mut self, lane: usize, starts: &[Point], next: &mut usize) {
        let path = (*next < starts.len()).then_some(*next);
        *next += 1;
        if let Some(index) = path {
            let mut point = starts[index].clone();
            self.system.recentre(&mut point.chart, &mut point.x);
            self.load(lane, &point);
        }
        self.lanes[lane] = Lane { path, t: 0.0, step: 0.0, work: TrackWork::default() };
    }

    fn load(&mut self, lane: usize, point: &Point) {
        self.chart.iter_mut().zip(&point.chart).for_each(|(z, &value)| z.set(lane, value));
        self.series[0].iter_mut().zip(&point.x).for_each(|(z, &value)| z.set(lane, value));
        // A step of length zero multiplies these by zero, which needs them finite.
        self.series[1..].iter_mut().flatten().for_each(|z| z.set(lane, C64::new(0.0, 0.0)));
    }

    fn stored(&self, lane: usize) -> Point {
        let get = |list: &[Complex<R>]| list.iter().map(|z| z.get(lane)).collect();
        Point { chart: get(&self.chart), x: get(&self.series[0]) }
    }

    fn finish(&self, lane: usize, outcome: PathOutcome) -> PathResult {
        let Lane { t, work, .. } = self.lanes[lane];
        PathResult { outcome, point: self.stored(lane), t, work }
    }

    #[inline(always)]
    fn step(&mut self) -> Sizes<R> {
        let mut step = R::zero();
        let mut t = R::zero();
        for (lane, state) in self.lanes.iter().enumerate() {
            step.set(lane, state.step);
            t.set(lane, state.t + state.step);
        }
        for (i, x) in self.x.iter_mut().enumerate() {
            let mut sum = self.series[self.options.order][i];
            for k in (0..self.options.order).rev() {
                sum = self.series[k][i].add_scaled(step, sum);
            }
            *x = sum;
        }
        self.system.move_to(&mut self.evaluation, t);
        self.system.evaluate(&mut self.evaluation, &self.chart, &self.x, &mut self.value, Some(&mut self.jac));
        self.lu.factor(&self.jac);
        let first = self.correct();
        self.system.evaluate(&mut self.evaluation, &self.chart, &self.x, &mut self.value, None);
        let second = self.correct();
        let last = self.expand();
        Sizes { first, second, last }
    }

    /// Subtracts `J^{-1} F` from the point; returns its relative size.
    #[inline(always)]
    fn correct(&mut self) -> R {
        self.lu.solve(&mut self.value);
        for (x, &change) in self.x.iter_mut().zip(&self.value) {
            *x = *x - change;
        }
        relative_size(self.system.groups(), &self.value, &self.x)
    }

    #[inline(always)]
    fn expand(&mut self) -> [R; 2] {
        self.tried[0].copy_from_slice(&self.x);
        let mut last = [R::zero(); 2];
        for order in 1..=self.options.order {
            let (known, next) = self.tried.split_at_mut(order);
            let coefficient = &mut next[0];
            self.system.series_residual(&mut self.evaluation, &self.chart, known, coefficient);
            self.lu.solve(coefficient);
            coefficient.iter_mut().for_each(|z| *z = -*z);
            last[0] = last[1];
            last[1] = relative_size(self.system.groups(), coefficient, &self.x);
        }
        last
    }

    /// Accepts or rejects the step of one lane and chooses the next; says how the path ended if it did.
    fn judge(&mut self, lane: usize, sizes: &Sizes<R>) -> Option<PathOutcome> {
        let options = self.options;
        let (first, second) = (sizes.first.get(lane), sizes.second.get(lane));
        let accepted = first <= options.correction && second <= options.accuracy.max(options.contraction * first);
        let state = &mut self.lanes[lane];
        state.work.jacobians += 1;
        if !accepted {
            state.work.rejected += 1;
            state.step *= SHORTENED;
            return (state.step < options.smallest_step).then_some(PathOutcome::Stalled);
        }
        state.t = if state.t + state.step >= 1.0 { 1.0 } else { state.t + state.step };
        for (kept, tried) in self.series.iter_mut().zip(&self.tried) {
            kept.iter_mut().zip(tried).for_each(|(kept, tried)| kept.copy_lane(lane, tried));
        }
        if state.t >= 1.0 {
            // The end must be accurate: steps of length zero are Newton iterations.
            let accurate = second <= options.accuracy || state.step == 0.0;
            state.work.steps += u64::from(state.step > 0.0);
            state.step = 0.0;
            return accurate.then_some(PathOutcome::Arrived);
        }
        if state.work.steps >= u64::from(options.most_steps) {
            return Some(PathOutcome::Exhausted);
        }
        let changed = self.change_chart(lane);
        let state = &mut self.lanes[lane];
        if changed {
            state.work.recentred += 1;
            state.step = 0.0;
        } else {
            state.work.steps += 1;
            state.step = next_step(options, sizes.last.map(|size| size.get(lane)), 1.0 - state.t);
            // False also when the step is not a number.
            let long_enough = state.step >= options.smallest_step;
            if !long_enough {
                return Some(PathOutcome::Stalled);
            }
        }
        None
    }

    fn change_chart(&mut self, lane: usize) -> bool {
        let mut point = self.stored(lane);
        let far = self.system.chart_distance(&point.x) > self.options.chart_radius;
        if far {
            self.system.recentre(&mut point.chart, &mut point.x);
            self.load(lane, &point);
        }
        far
    }
}

/// The step at which the first omitted term of the series should have the allowed size, at most what is left of the path.
///
/// The ratio of the last two terms estimates the radius of convergence: the distance in `t` to the nearest singularity. It
/// says nothing where a term vanishes up to rounding, as on paths that are straight or stand still.
fn next_step(options: &TrackOptions, [before, last]: [f64; 2], left: f64) -> f64 {
    let step = if last <= UNIT_ROUNDOFF {
        left
    } else if before <= UNIT_ROUNDOFF {
        (options.prediction / last).powf(1.0 / options.order as f64)
    } else {
        let radius = before / last;
        let allowed = (options.prediction * radius / last).powf(1.0 / (options.order as f64 + 1.0));
        allowed.min(options.radius_fraction * radius)
    };
    // A remainder shorter than rounding errors of t would be a step of its own.
    if step >= left * (1.0 - 1e-9) { left } else { step }
}

/// Largest change in any group of unknowns, relative to the largest unknown of the group.
#[inline(always)]
fn relative_size<R: Real>(groups: &[(usize, f64)], change: &[Complex<R>], x: &[Complex<R>]) -> R {
    let mut size = R::zero();
    let mut poison = R::zero();
    let mut from = 0;
    for &(to, floor) in groups {
        let mut moved = R::zero();
        let mut scale = R::splat(floor);
        for i in from..to.min(x.len()) {
            let norm = change[i].norm_one();
            moved = moved.max(norm);
            scale = scale.max(x[i].norm_one());
            // A maximum forgets what is not a number; a sum of zeros does not.
            poison = poison.add_product(norm, R::zero());
        }
        size = size.max(moved / scale);
        from = to;
    }
    size + poison
}
