//! What people run today, re-implemented as rules to compare with, on the same simulated API.
//!
//! Here: the setting every rule runs in, that of the bench. The rules themselves are in files of their
//! own. They see accepted traffic only, as their alarms do, and AWS refuses them what it refuses anyone.

mod aws_sample;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use weir_core::limits;
use weir_core::units::Shards;

pub use aws_sample::AwsSample;

use crate::record::{AppliedReshard, MinuteRecord, StreamRun};
use crate::trace::{Minute, Trace};

/// Minutes until a reshard is in force, and billed.
pub const RESHARD_MINUTES: usize = 5;

/// What AWS says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken.
    Accepted,
    /// Refused: busy, out of range, or out of calls.
    Refused,
}

/// A rule that sizes a stream.
pub trait Rule {
    /// Looks at the accepted traffic so far, minute by minute, and may ask for a size.
    fn decide(&mut self, accepted: &[Minute], open: Shards) -> Option<u32>;
    /// Hears what became of it.
    fn answered(&mut self, asked: u32, answer: Answer);
}

/// The size a stream starts with: the first hour's peak at 70 % use.
pub fn initial_shards(trace: &Trace) -> Shards {
    let peak = trace.loads().take(60).fold(weir_core::units::ShardLoad::ZERO, |a, b| a.max(b));
    weir_core::units::Share::percent(70)
        .map_or(Shards::ONE, |share| Shards::for_load(peak, share))
}

/// Runs a rule over a trace.
pub fn run(trace: &Trace, rule: &mut impl Rule) -> StreamRun {
    let initial = initial_shards(trace);
    let mut open = initial;
    let mut pending: Option<(usize, Shards)> = None;
    let mut accepted = Vec::with_capacity(trace.minutes.len());
    let mut run = StreamRun {
        start: trace.start,
        initial_shards: initial.get(),
        minutes: Vec::with_capacity(trace.minutes.len()),
        reshards: Vec::new(),
        plans: Vec::new(),
        violations: Vec::new(),
        calls: BTreeMap::new(),
        refused_calls: BTreeMap::new(),
    };
    for (index, minute) in trace.minutes.iter().enumerate() {
        if let Some((due, to)) = pending
            && due <= index
        {
            open = to;
            pending = None;
        }
        if let Some(asked) = rule.decide(&accepted, open) {
            let answer = ask(&mut run, open, pending.is_some(), asked, index);
            if answer == Answer::Accepted {
                pending = Some((index + RESHARD_MINUTES, Shards::at_least_one(asked)));
            }
            rule.answered(asked, answer);
        }
        let load = minute.load().get();
        let capacity = open.capacity().get();
        let refused_share = if load > capacity { 1.0 - capacity / load } else { 0.0 };
        accepted.push(Minute {
            bytes: minute.bytes * (1.0 - refused_share),
            records: minute.records * (1.0 - refused_share),
        });
        run.minutes.push(MinuteRecord {
            offered_bytes: minute.bytes,
            offered_records: minute.records,
            refused_share,
            open_shards: capacity,
        });
    }
    run
}

/// UpdateShardCount, with its rules. How AWS rounds half of an odd count is not known; rounding down is
/// the reading kinder to rules that do so, and would get stuck otherwise.
fn ask(run: &mut StreamRun, open: Shards, busy: bool, asked: u32, minute: usize) -> Answer {
    const OPERATION: &str = "UpdateShardCount";
    let called_at = at(run.start, minute);
    *run.calls.entry(OPERATION).or_default() += 1;
    let window_start = called_at
        .checked_sub(SignedDuration::from_secs(limits::BUDGET_WINDOW_SECONDS))
        .unwrap_or(Timestamp::MIN);
    let used = run.reshards.iter().filter(|reshard| reshard.called_at > window_start).count();
    let in_range = asked >= 1
        && asked <= open.doubled().get()
        && asked >= open.get() / limits::RESHARD_FACTOR_MAX
        && asked <= limits::SHARDS_PER_STREAM_MAX;
    if busy || !in_range || used >= limits::RESHARDS_PER_DAY_MAX as usize {
        *run.refused_calls.entry(OPERATION).or_default() += 1;
        return Answer::Refused;
    }
    run.reshards.push(AppliedReshard {
        called_at,
        effective_at: at(run.start, minute + RESHARD_MINUTES),
        from: open.get(),
        to: asked,
    });
    Answer::Accepted
}

fn at(start: Timestamp, minute: usize) -> Timestamp {
    let minutes = SignedDuration::from_mins(i64::try_from(minute).unwrap_or(i64::MAX));
    start.checked_add(minutes).unwrap_or(Timestamp::MAX)
}
