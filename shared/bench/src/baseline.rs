//! What people run today, re-implemented as rules to compare with, on the same simulated API.
//!
//! Here: the setting every rule runs in, that of the bench: minutes, accepted traffic,
//! UpdateShardCount with its limits. The rules are in files of their own, one each. They see
//! accepted traffic only, as their alarms do, and AWS refuses them what it refuses anyone. A user's
//! bounds on the size (most shards, fewest shards) are left open, as they are a matter of the
//! stream and not of the rule.

mod alarm;
mod application_auto_scaling;
mod aws_sample;
mod epsagon;
mod fixed_at_peak;
mod history;
mod on_demand;
mod scaling_utils;
mod substation;
mod target_use;
#[cfg(test)]
mod tests;
mod thresholds;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use weir_core::limits;
use weir_core::observation::CapacityMode;
use weir_core::throttling::Evenness;
use weir_core::units::Shards;

pub use application_auto_scaling::ApplicationAutoScaling;
pub use aws_sample::AwsSample;
pub use epsagon::Epsagon;
pub use fixed_at_peak::{fixed_at, fixed_at_peak};
pub use history::History;
pub use on_demand::on_demand;
pub use scaling_utils::ScalingUtils;
pub use substation::Substation;
pub use target_use::TargetUse;
pub use thresholds::Thresholds;

use crate::setting::Setting;
use weir_sim::record::{AppliedReshard, MinuteRecord, StreamRun};
use weir_sim::trace::{Minute, Trace};

/// Shards that single splits or merges open or close within a minute; one takes about half a
/// minute.
pub const SINGLE_OPERATIONS_PER_MINUTE: u32 = 2;
const UPDATE_SHARD_COUNT: &str = "UpdateShardCount";
const SPLIT_OR_MERGE: &str = "SplitShard, MergeShards";

/// What a rule asks of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A shard count.
    UpdateShardCount(u32),
    /// A shard count within reach of a minute of single splits or merges. AWS sets these no daily
    /// limit.
    SplitOrMerge(u32),
}

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
    /// Looks at the accepted traffic so far and at the open shards, once a minute, and may ask for
    /// a size.
    fn decide(&mut self, accepted: &History, open: Shards) -> Option<Call>;
    /// Hears what became of it.
    fn answered(&mut self, call: Call, answer: Answer);
}

/// The size a stream starts with: the first hour's peak at 70 % use.
pub fn initial_shards(trace: &Trace) -> Shards {
    let peak = trace.loads().take(60).fold(weir_core::units::ShardLoad::ZERO, |a, b| a.max(b));
    weir_core::units::Share::percent(70).map_or(Shards::ONE, |share| Shards::for_load(peak, share))
}

/// Runs a rule over a trace.
pub fn run(trace: &Trace, rule: &mut dyn Rule, setting: &Setting) -> StreamRun {
    let mut stream = Stream::new(trace, setting.reshard_minutes);
    let mut accepted = History::with_capacity(trace.minutes.len());
    for (index, minute) in trace.minutes.iter().enumerate() {
        stream.arrive(index);
        if let Some(call) = rule.decide(&accepted, stream.open) {
            let answer = stream.ask(call, index);
            rule.answered(call, answer);
        }
        let record = offer(minute, stream.open.capacity().get(), setting.evenness.at(index));
        accepted.push(Minute {
            bytes: minute.bytes * (1.0 - record.refused_share),
            records: minute.records * (1.0 - record.refused_share),
        });
        stream.run.minutes.push(record);
    }
    stream.run
}

/// A minute's traffic against a capacity: what does not fit is lost.
fn offer(minute: &Minute, capacity: f64, evenness: &Evenness) -> MinuteRecord {
    MinuteRecord {
        offered_bytes: minute.bytes,
        offered_records: minute.records,
        refused_share: evenness.refused_share(minute.load(), capacity),
        mode: CapacityMode::Provisioned,
        open_shards: capacity,
        capacity_shards: capacity,
    }
}

/// A stream, its calls of the last day, and what it leaves behind.
struct Stream {
    open: Shards,
    reshard_minutes: usize,
    /// The minute in which a new size is in force.
    pending: Option<(usize, Shards)>,
    /// Minutes of the UpdateShardCount calls taken.
    taken: VecDeque<usize>,
    run: StreamRun,
}

impl Stream {
    fn new(trace: &Trace, reshard_minutes: usize) -> Stream {
        let open = initial_shards(trace);
        let run = StreamRun::new(trace.start, open, trace.minutes.len());
        Stream { open, reshard_minutes, pending: None, taken: VecDeque::new(), run }
    }

    fn arrive(&mut self, minute: usize) {
        if let Some((due, to)) = self.pending
            && due <= minute
        {
            self.open = to;
            self.pending = None;
        }
    }

    fn ask(&mut self, call: Call, minute: usize) -> Answer {
        let (operation, to, minutes, allowed) = match call {
            Call::UpdateShardCount(to) => {
                (UPDATE_SHARD_COUNT, to, self.reshard_minutes, self.may_update(to, minute))
            }
            Call::SplitOrMerge(to) => {
                let near = to.abs_diff(self.open.get()) <= SINGLE_OPERATIONS_PER_MINUTE;
                (SPLIT_OR_MERGE, to, 1, near && to >= 1)
            }
        };
        *self.run.calls.entry(operation).or_default() += 1;
        if self.pending.is_some() || !allowed {
            *self.run.refused_calls.entry(operation).or_default() += 1;
            return Answer::Refused;
        }
        if operation == UPDATE_SHARD_COUNT {
            self.taken.push_back(minute);
        }
        self.pending = Some((minute + minutes, Shards::at_least_one(to)));
        self.run.reshards.push(AppliedReshard {
            called_at: at(self.run.start, minute),
            effective_at: at(self.run.start, minute + minutes),
            from: self.open.get(),
            to,
        });
        Answer::Accepted
    }

    /// UpdateShardCount's own rules. How AWS rounds half of an odd count is not known; rounding
    /// down is the reading kinder to rules that do so, and would get stuck otherwise.
    fn may_update(&mut self, to: u32, minute: usize) -> bool {
        const DAY_MINUTES: usize = 24 * 60;
        while self.taken.front().is_some_and(|taken| taken + DAY_MINUTES <= minute) {
            self.taken.pop_front();
        }
        let open = self.open;
        to >= (open.get() / limits::RESHARD_FACTOR_MAX).max(1)
            && to <= open.doubled().get()
            && to <= limits::SHARDS_PER_STREAM_MAX
            && self.taken.len() < limits::RESHARDS_PER_DAY_MAX as usize
    }
}

fn at(start: Timestamp, minute: usize) -> Timestamp {
    let minutes = SignedDuration::from_mins(i64::try_from(minute).unwrap_or(i64::MAX));
    start.checked_add(minutes).unwrap_or(Timestamp::MAX)
}
