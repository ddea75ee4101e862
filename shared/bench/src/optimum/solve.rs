//! The exact dynamic programme. State: step, size, calls made on that calendar day. Backwards, the
//! value of a state is what the rest of the trace costs from there at best: stay for a step, or
//! call and be at another size when the reshard is over.
//!
//! A call's two halves are priced apart: until the reshard ends the old size, from then on the new
//! one. So the best size within [half, double] is a minimum over a window whose two ends only ever
//! move up with the old size, and one pass with a monotone queue finds it for all sizes. Values of
//! one calendar day are kept at a time: a first pass notes them where days begin, a second walks
//! forward, day by day. Not here: what minutes cost (`optimum`).

use std::collections::VecDeque;
use std::ops::Range;

use weir_core::limits;

use super::{Optimum, Problem, STEP_MINUTES};

/// A call of the cheapest run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Minute of the trace in which it is made.
    pub minute: usize,
    /// The size asked for.
    pub to: u32,
}

/// Values by size, smallest first; index 0 is one shard.
type BySize = Vec<f64>;

/// Values of a step: by calls made on its day, by size.
type Layer = Vec<BySize>;

pub(super) fn solve(problem: &Problem) -> Optimum {
    let solver = Solver::new(problem);
    let days = solver.days();
    // What follows each day: values of the steps right after it, no call made yet.
    let mut after: Vec<Vec<BySize>> = vec![Vec::new(); days.len()];
    for index in (1..days.len()).rev() {
        let layers = solver.day(&days[index], &after[index]);
        let begins = layers.iter().filter_map(|layer| layer.first()).chain(&after[index]);
        after[index - 1] = begins.take(solver.reshard_steps).cloned().collect();
    }
    let mut best = Optimum { usd: 0.0, moves: Vec::new() };
    let mut at = At { step: 0, size: problem.initial, calls: 0 };
    for (index, (day, after)) in days.iter().zip(&after).enumerate() {
        let layers = solver.day(day, after);
        if index == 0 {
            best.usd = layers.first().map_or(0.0, |layer| layer[0][problem.initial - 1]);
        }
        at.calls = 0;
        while at.step < day.end {
            let to = solver.choose(at, day, &layers, after);
            if let Some(to) = to {
                let minute = at.step * STEP_MINUTES;
                best.moves.push(Move { minute, to: u32::try_from(to).unwrap_or(u32::MAX) });
                at.size = to;
                at.calls += 1;
            }
            at.step += if to.is_some() { solver.reshard_steps } else { 1 };
        }
    }
    best
}

/// Where the walk is.
#[derive(Clone, Copy)]
struct At {
    step: usize,
    size: usize,
    calls: usize,
}

struct Solver<'a> {
    problem: &'a Problem,
    steps: usize,
    /// Steps from a call to the next look after the reshard.
    reshard_steps: usize,
}

impl<'a> Solver<'a> {
    fn new(problem: &'a Problem) -> Solver<'a> {
        let reshard_steps = problem.reshard_minutes.div_ceil(STEP_MINUTES);
        Solver { problem, steps: problem.days.len(), reshard_steps }
    }

    /// The steps of each calendar day.
    fn days(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let chunks = self.problem.days.chunk_by(|a, b| a == b);
        chunks
            .map(|day| {
                let range = start..start + day.len();
                start = range.end;
                range
            })
            .collect()
    }

    /// What minutes cost, for every size.
    fn usd(&self, minutes: Range<usize>) -> BySize {
        (1..=self.problem.sizes)
            .map(|size| minutes.clone().map(|minute| self.problem.usd(minute, size)).sum())
            .collect()
    }

    fn minutes_of(step: usize) -> Range<usize> {
        step * STEP_MINUTES..(step + 1) * STEP_MINUTES
    }

    /// The last step of a reshard called at `step`, and when in it the new size comes into force.
    fn arrival(&self, step: usize) -> (Range<usize>, Range<usize>) {
        let minutes = Self::minutes_of(step + self.reshard_steps - 1);
        let turn = step * STEP_MINUTES + self.problem.reshard_minutes;
        (minutes.start..turn, turn..minutes.end)
    }

    /// What it costs to stay with each size until a reshard called at `step` is in force.
    fn until_in_force(&self, step: usize, per_step: &BySizePerStep) -> BySize {
        let (before, after) = self.arrival(step);
        if after.is_empty() && self.reshard_steps == 1 {
            return per_step.of(step).clone();
        }
        let mut usd = self.usd(before);
        for earlier in step..step + self.reshard_steps - 1 {
            usd.iter_mut().zip(per_step.of(earlier)).for_each(|(sum, step)| *sum += step);
        }
        usd
    }

    /// Values of all steps of a day, given those of the steps right after it.
    fn day(&self, day: &Range<usize>, after: &[BySize]) -> Vec<Layer> {
        let per_step = BySizePerStep::new(self, day.start..day.end + self.reshard_steps);
        let nothing = vec![0.0; self.problem.sizes];
        let mut layers: VecDeque<Layer> = VecDeque::with_capacity(day.len());
        let mut queue = VecDeque::new();
        for step in day.clone().rev() {
            // `layers` begins with the values of the next step.
            let later = |ahead: usize, calls: usize| match layers.get(ahead - 1) {
                Some(layer) => &layer[calls],
                None => after.get(step + ahead - day.end).unwrap_or(&nothing),
            };
            let stay = per_step.of(step);
            let mut layer: Layer = (0..=self.problem.calls_per_day)
                .map(|calls| {
                    stay.iter().zip(later(1, calls)).map(|(now, rest)| now + rest).collect()
                })
                .collect();
            if step + self.reshard_steps <= self.steps {
                let until = self.until_in_force(step, &per_step);
                let from_then = self.usd(self.arrival(step).1);
                for (calls, values) in layer.iter_mut().take(self.problem.calls_per_day).enumerate()
                {
                    let arrived: BySize = from_then
                        .iter()
                        .zip(later(self.reshard_steps, calls + 1))
                        .map(|(now, rest)| now + rest)
                        .collect();
                    lower_to_call(values, &until, &arrived, &mut queue);
                }
            }
            layers.push_front(layer);
        }
        layers.into()
    }

    /// What the cheapest run does here: call for a size, or stay. Where both cost the same it
    /// stays.
    fn choose(
        &self,
        at: At,
        day: &Range<usize>,
        layers: &[Layer],
        after: &[BySize],
    ) -> Option<usize> {
        if at.calls >= self.problem.calls_per_day || at.step + self.reshard_steps > self.steps {
            return None;
        }
        let later = |ahead: usize, calls: usize, size: usize| {
            let step = at.step + ahead;
            let values = match layers.get(step - day.start) {
                Some(layer) => Some(&layer[calls]),
                None => after.get(step - day.end),
            };
            values.map_or(0.0, |values| values[size - 1])
        };
        let (old, new) = self.arrival(at.step);
        let sum = |minutes: Range<usize>, size| -> f64 {
            minutes.map(|minute| self.problem.usd(minute, size)).sum()
        };
        let called = |size: usize| {
            sum(at.step * STEP_MINUTES..old.end, at.size)
                + sum(new.clone(), size)
                + later(self.reshard_steps, at.calls + 1, size)
        };
        let stayed = sum(Self::minutes_of(at.step), at.size) + later(1, at.calls, at.size);
        let (least, most) = reach(at.size, self.problem.sizes);
        let (to, usd) = (least..=most)
            .filter(|size| *size != at.size)
            .map(|size| (size, called(size)))
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        // A hair of tolerance: sums in another order must not make a call out of a tie.
        (usd < stayed - 1e-9 * (1.0 + stayed.abs())).then_some(to)
    }
}

/// Costs of a few steps on end, each computed once.
struct BySizePerStep {
    first: usize,
    costs: Vec<BySize>,
}

impl BySizePerStep {
    fn new(solver: &Solver<'_>, steps: Range<usize>) -> BySizePerStep {
        let first = steps.start;
        BySizePerStep { first, costs: steps.map(|s| solver.usd(Solver::minutes_of(s))).collect() }
    }

    fn of(&self, step: usize) -> &BySize {
        &self.costs[step - self.first]
    }
}

/// The sizes within reach of one call.
fn reach(size: usize, sizes: usize) -> (usize, usize) {
    let factor = limits::RESHARD_FACTOR_MAX as usize;
    (size.div_ceil(factor), (size * factor).min(sizes))
}

/// Lowers `values` where calling beats staying: `until` is what the old size costs up to the end of
/// the reshard, `arrived` what the new one costs from then on. `queue` holds sizes within reach,
/// ever dearer and ever larger.
fn lower_to_call(
    values: &mut BySize,
    until: &BySize,
    arrived: &BySize,
    queue: &mut VecDeque<usize>,
) {
    queue.clear();
    let mut seen = 0;
    for (index, (value, until)) in values.iter_mut().zip(until).enumerate() {
        let (least, most) = reach(index + 1, arrived.len());
        for size in seen + 1..=most {
            while queue.back().is_some_and(|last| arrived[last - 1] >= arrived[size - 1]) {
                queue.pop_back();
            }
            queue.push_back(size);
        }
        seen = seen.max(most);
        while queue.front().is_some_and(|first| *first < least) {
            queue.pop_front();
        }
        if let Some(best) = queue.front() {
            *value = value.min(until + arrived[best - 1]);
        }
    }
}
