//! Streams as Kinesis has them: sizes, states, and the calls that change them.
//!
//! Here: one stream. In files of their own: how a reshard moves (`motion`), the account's streams and
//! UpdateShardCount's rules (`account`). Not here: traffic (`traffic`) or metrics (`metrics`).

mod account;
mod motion;

use std::collections::VecDeque;

use weir_control::ports::Failure;
use weir_core::limits;
use weir_core::observation::{CapacityMode, StreamState, StreamStatus};
use weir_core::units::{Shards, StreamName};

pub(crate) use account::{Account, Caller};
pub(crate) use motion::Motion;
pub use motion::ReshardModel;

use crate::clock::{Seconds, index};

/// Shards' worth of traffic that AWS guarantees a stream on demand.
const ON_DEMAND_SHARDS: u32 = 4;

/// A stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) name: StreamName,
    pub(crate) mode: CapacityMode,
    pub(crate) retention_hours: u32,
    pub(crate) deleted: bool,
    open: Shards,
    /// Reshards of the running minute; the last may be under way.
    motions: Vec<Motion>,
    /// When reshards were taken, for the daily limit.
    accepted: VecDeque<Seconds>,
    /// When mode switches were taken, for theirs.
    switched: VecDeque<Seconds>,
}

impl Stream {
    pub(crate) fn new(name: StreamName, open: Shards) -> Stream {
        Stream {
            name,
            mode: CapacityMode::Provisioned,
            retention_hours: limits::RETENTION_DEFAULT_HOURS,
            deleted: false,
            open,
            motions: Vec::new(),
            accepted: VecDeque::new(),
            switched: VecDeque::new(),
        }
    }

    /// The reshard that is under way at `now`.
    pub(crate) fn moving(&self, now: Seconds) -> Option<&Motion> {
        self.motions.last().filter(|motion| now < motion.ends_at)
    }

    /// Open shards: what UpdateShardCount compares with, and what is counted.
    pub(crate) fn open_at(&self, now: Seconds) -> Shards {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // between two shard counts
        self.moving(now)
            .map_or(self.open, |motion| Shards::at_least_one(motion.open_at(now).round() as u32))
    }

    /// What DescribeStreamSummary says.
    pub(crate) fn state_at(&self, now: Seconds) -> StreamState {
        let shown = self.moving(now).filter(|motion| now >= motion.visible_at);
        let status = if shown.is_some() { StreamStatus::Updating } else { StreamStatus::Active };
        let open_shards = match self.moving(now) {
            Some(motion) if shown.is_none() => Shards::at_least_one(motion.from),
            _ => self.open_at(now),
        };
        StreamState {
            mode: self.mode,
            status,
            open_shards,
            retention_hours: self.retention_hours,
            held_on_demand_by: None,
        }
    }

    /// Mean of the open shards from `start` to `end`; forgets reshards that were done by `start`.
    #[allow(clippy::cast_precision_loss)] // seconds of a minute
    pub(crate) fn mean_open(&mut self, start: Seconds, end: Seconds) -> f64 {
        if self.motions.is_empty() {
            return f64::from(self.open.get());
        }
        let (mut from, mut sum) = (start, 0.0);
        for (i, motion) in self.motions.iter().enumerate() {
            let until = self.motions.get(i + 1).map_or(end, |next| next.begins_at.clamp(from, end));
            sum += motion.shard_seconds(from, until);
            from = until;
        }
        self.motions.retain(|motion| motion.ends_at > end);
        sum / (end - start) as f64
    }

    /// Shards' worth of traffic the stream takes when this many are open.
    pub(crate) fn capacity(&self, open: f64) -> f64 {
        match self.mode {
            CapacityMode::Provisioned => open,
            CapacityMode::OnDemand => open.max(f64::from(ON_DEMAND_SHARDS)),
        }
    }

    /// Reshards that AWS counts at `now`.
    pub(crate) fn accepted_in_window(&mut self, now: Seconds) -> usize {
        in_window(&mut self.accepted, now)
    }

    /// UpdateStreamMode. The shards stay.
    fn switch(&mut self, to: CapacityMode, now: Seconds) -> Result<(), Failure> {
        match () {
            () if self.moving(now).is_some() => Err(Failure::Busy),
            // What AWS says to that is unknown; this is the stricter reading.
            () if self.mode == to => Err(Failure::Invalid),
            () if in_window(&mut self.switched, now)
                >= limits::MODE_SWITCHES_PER_DAY_MAX as usize =>
            {
                Err(Failure::Limit)
            }
            () => {
                self.mode = to;
                self.switched.push_back(now);
                Ok(())
            }
        }
    }

    fn accept(&mut self, motion: Motion, now: Seconds) {
        self.open = Shards::at_least_one(motion.to);
        self.motions.push(motion);
        self.accepted.push_back(now);
    }
}

fn in_window(calls: &mut VecDeque<Seconds>, now: Seconds) -> usize {
    while calls.front().is_some_and(|at| at + limits::BUDGET_WINDOW_SECONDS <= now) {
        calls.pop_front();
    }
    calls.len()
}

/// Minutes from `start` to `at`.
pub(crate) fn minutes_between(start: Seconds, at: Seconds) -> usize {
    index((at - start).div_euclid(60))
}
