//! The cheapest run there could have been, by one who knows the whole trace: what every policy is
//! measured against.
//!
//! Same rules as for everyone: a reshard takes its minutes, one at a time, at most double and at
//! least half; and five calls per calendar day (UTC), which never makes more than ten in 24 hours.
//! Calls are made on a grid of five minutes from the start of the trace. It begins with the size
//! everyone begins with. The first day costs it nothing, as it costs nobody, but its calls count
//! there too. Sizes far above the highest minute that is scored can never pay and are left out.
//!
//! Here: what a run costs, and replaying the best one. Finding it is in `solve`.

mod solve;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use weir_core::throttling::Evenness;
use weir_core::units::{ShardLoad, Shards, Share};

pub use solve::Move;

use crate::baseline::{self, Answer, Call, History, Rule};
use crate::score::scored_minutes;
use crate::setting::Setting;
use weir_sim::evenness::EvennessOverTime;
use weir_sim::record::StreamRun;
use weir_sim::trace::Trace;

/// Minutes between two looks.
const STEP_MINUTES: usize = 5;
/// Calls it may make per calendar day.
const CALLS_PER_DAY: usize = 5;
/// A hot key's shard has less of the other traffic, the more shards there are: up to so many times
/// the shards are looked at.
const BESIDE_HOT_KEYS: f64 = 1.5;

/// What is known of a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct MinuteCost {
    load: ShardLoad,
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
    evenness: EvennessOverTime,
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
pub fn optimum(trace: &Trace, setting: &Setting) -> Optimum {
    solve::solve(&Problem::of(trace, setting))
}

/// Makes that run.
pub fn replay(trace: &Trace, best: &Optimum, setting: &Setting) -> StreamRun {
    let mut schedule = Schedule { moves: best.moves.iter().copied().collect() };
    baseline::run(trace, &mut schedule, setting)
}

impl Problem {
    fn of(trace: &Trace, setting: &Setting) -> Problem {
        let (pricing, evenness) = (&setting.pricing, &setting.evenness);
        let scored = scored_minutes(trace.minutes.len());
        let mut peak = ShardLoad::ZERO;
        let minutes = trace.minutes.iter().enumerate().map(|(index, minute)| {
            let load = minute.load();
            if !scored.contains(&index) {
                return MinuteCost { load, ..MinuteCost::default() };
            }
            peak = peak.max(load);
            MinuteCost {
                load,
                all_refused_usd: minute.billable_gib() * pricing.throttled_gib_usd,
                shard_usd: pricing.prices.provisioned.shard_hour_usd / 60.0,
            }
        });
        let minutes: Vec<MinuteCost> = minutes.collect();
        let initial = baseline::initial_shards(trace);
        let most = Shards::for_load(peak.times(worth_having(evenness)), Share::WHOLE).max(initial);
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
            reshard_minutes: setting.reshard_minutes.max(1),
            calls_per_day: CALLS_PER_DAY,
            evenness: evenness.clone(),
        }
    }

    /// What a minute costs with `size` shards.
    #[allow(clippy::cast_precision_loss)] // shard counts
    fn usd(&self, minute: usize, size: usize) -> f64 {
        let Some(cost) = self.minutes.get(minute) else { return 0.0 };
        let refused = self.evenness.at(minute).refused_share(cost.load, size as f64);
        size as f64 * cost.shard_usd + refused * cost.all_refused_usd
    }
}

/// Times the highest load that a size may be worth having: above what the busiest second brings
/// nothing is refused but of hot keys, which more shards hardly help.
fn worth_having(evenness: &EvennessOverTime) -> f64 {
    let busiest = evenness.phases().map(Evenness::busiest_second).fold(1.0, f64::max);
    let hot = evenness.phases().any(|phase| !phase.hot_keys().is_empty());
    busiest * if hot { BESIDE_HOT_KEYS } else { 1.0 }
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
