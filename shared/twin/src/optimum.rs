//! The cheapest run there could have been, by one who knows the whole trace: what every policy is
//! measured against.
//!
//! Same rules as for everyone: a reshard takes its minutes, one at a time, at most double and at least
//! half; and five calls per calendar day (UTC), which never makes more than ten in 24 hours. Calls are made
//! on a grid of five minutes from the start of the trace. It begins with the size everyone begins with. The
//! first day costs it nothing, as it costs nobody, but its calls count there too. Sizes above the highest
//! minute that is scored can never pay and are left out.
//!
//! Here: what a run costs, and replaying the best one. Finding it is in `solve`.

mod solve;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use weir_core::units::{ShardLoad, Shards, Share};

pub use solve::Move;

use crate::baseline::{self, Answer, Call, History, Rule};
use crate::record::StreamRun;
use crate::evenness::Unevenness;
use crate::score::{Pricing, scored_minutes};
use crate::trace::Trace;

/// Minutes between two looks.
const STEP_MINUTES: usize = 5;
/// Calls it may make per calendar day.
const CALLS_PER_DAY: usize = 5;

/// What is known of a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct MinuteCost {
    load: f64,
    /// What it costs to refuse all of it; nothing where it is not scored.
    all_refused_usd: f64,
    /// What a shard costs in it; nothing where it is not scored.
    shard_usd: f64,
}

/// Everything the best run follows from.
#[derive(Clone, Debug)]
struct Problem {
    minutes: Vec<MinuteCost>,
    /// Calendar day of every step.
    days: Vec<i64>,
    /// Sizes are 1 to this.
    sizes: usize,
    initial: usize,
    reshard_minutes: usize,
    calls_per_day: usize,
    pricing: Pricing,
    evenness: Option<Unevenness>,
}

/// The cheapest run.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimum {
    /// What the scored minutes cost, throttled bytes priced in, US dollars.
    pub usd: f64,
    /// Its calls, in order.
    pub moves: Vec<Move>,
}

/// Finds the cheapest run over a trace.
pub fn optimum(trace: &Trace, pricing: Pricing,
    reshard_minutes: usize,
    evenness: Option<&Unevenness>,
) -> Optimum {
    solve::solve(&Problem::of(trace, pricing, reshard_minutes, evenness))
}

/// Makes that run.
pub fn replay(trace: &Trace, best: &Optimum,
    reshard_minutes: usize,
    evenness: Option<&Unevenness>,
) -> StreamRun {
    let mut schedule = Schedule { moves: best.moves.iter().copied().collect() };
    baseline::run_with(trace, &mut schedule, reshard_minutes, evenness)
}

impl Problem {
    fn of(
        trace: &Trace,
        pricing: Pricing,
        reshard_minutes: usize,
        evenness: Option<&Unevenness>,
    ) -> Problem {
        let scored = scored_minutes(trace.minutes.len());
        let mut peak = ShardLoad::ZERO;
        let minutes = trace.minutes.iter().enumerate().map(|(index, minute)| {
            let load = minute.load();
            if !scored.contains(&index) {
                return MinuteCost { load: load.get(), ..MinuteCost::default() };
            }
            peak = peak.max(load);
            MinuteCost {
                load: load.get(),
                all_refused_usd: minute.billable_gib() * pricing.throttled_gib_usd,
                shard_usd: pricing.prices.provisioned.shard_hour_usd / 60.0,
            }
        });
        let minutes: Vec<MinuteCost> = minutes.collect();
        let initial = baseline::initial_shards(trace);
        let most = Shards::for_load(peak.times(pricing.burst * evenness.map_or(1.0, Unevenness::worth_having)), Share::WHOLE).max(initial);
        let day_seconds = 24 * 60 * 60;
        let days = (0..minutes.len().div_ceil(STEP_MINUTES)).map(|step| {
            let seconds = i64::try_from(60 * STEP_MINUTES * step).unwrap_or(i64::MAX);
            trace.start.as_second().saturating_add(seconds).div_euclid(day_seconds)
        });
        Problem {
            days: days.collect(),
            minutes,
            sizes: most.get() as usize,
            initial: initial.get() as usize,
            reshard_minutes: reshard_minutes.max(1),
            calls_per_day: CALLS_PER_DAY,
            pricing,
            evenness: evenness.cloned(),
        }
    }

    /// What a minute costs with `size` shards.
    #[allow(clippy::cast_precision_loss)] // shard counts
    fn usd(&self, minute: usize, size: usize) -> f64 {
        let Some(cost) = self.minutes.get(minute) else { return 0.0 };
        let refused = match &self.evenness {
            Some(evenness) => evenness.at(minute).refused_share(cost.load, size as f64),
            None => self.pricing.refused_share(cost.load, size as f64),
        };
        size as f64 * cost.shard_usd + refused * cost.all_refused_usd
    }
}

/// Calls set down beforehand.
struct Schedule {
    moves: VecDeque<Move>,
}

impl Rule for Schedule {
    fn decide(&mut self, accepted: &History, _: Shards) -> Option<Call> {
        let next = self.moves.pop_front_if(|next| next.minute <= accepted.now())?;
        Some(Call::UpdateShardCount(next.to))
    }

    fn answered(&mut self, _: Call, _: Answer) {}
}
