//! Streams as Kinesis has them: sizes, states, and the calls that change them.
//!
//! Here: one stream. In files of their own: its shards as individuals (`shards`), how a reshard
//! moves (`motion`), how a mode changes (`mode`), the account's streams and the rules of what
//! changes them (`account`). Not here: traffic (`traffic`) or metrics (`metrics`).

mod account;
mod mode;
mod motion;
mod shards;

use std::collections::VecDeque;

use weir_core::limits;
use weir_core::observation::{CapacityMode, StreamState, StreamStatus};
use weir_core::on_demand::{self, Peaks};
use weir_core::units::{ShardLoad, Shards, Share, StreamName};

pub(crate) use account::{Account, Caller, Refused};
pub use mode::OnDemandModel;
pub(crate) use mode::Switch;
pub(crate) use motion::Motion;
pub use motion::ReshardModel;
pub(crate) use shards::{Shard, ShardId, ShardSet};

use crate::clock::{Seconds, index};

/// A stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) name: StreamName,
    pub(crate) retention_hours: u32,
    pub(crate) deleted: bool,
    /// Open shards; on demand, what it came with, and what AWS opened since.
    open: Shards,
    /// The same shards, one by one.
    shards: ShardSet,
    /// Reshards of the running minute; the last may be under way.
    motions: Vec<Motion>,
    /// The last change of mode; it may be under way.
    switch: Option<Switch>,
    /// Highest loads, for what it takes on demand.
    peaks: Peaks,
    /// When reshards were taken, for the daily limit.
    accepted: VecDeque<Seconds>,
    /// The same of changes of mode.
    switched: VecDeque<Seconds>,
}

/// Calls of the last 24 hours.
fn in_window(calls: &mut VecDeque<Seconds>, now: Seconds) -> usize {
    while calls.front().is_some_and(|at| at + limits::BUDGET_WINDOW_SECONDS <= now) {
        calls.pop_front();
    }
    calls.len()
}

impl Stream {
    pub(crate) fn new(name: StreamName, open: Shards) -> Stream {
        Stream {
            name,
            retention_hours: limits::RETENTION_DEFAULT_HOURS,
            deleted: false,
            open,
            shards: ShardSet::new(open),
            motions: Vec::new(),
            switch: None,
            peaks: Peaks::default(),
            accepted: VecDeque::new(),
            switched: VecDeque::new(),
        }
    }

    /// The reshard that is under way at `now`.
    pub(crate) fn moving(&self, now: Seconds) -> Option<&Motion> {
        self.motions.last().filter(|motion| now < motion.ends_at)
    }

    /// The change of mode that is under way at `now`.
    pub(crate) fn switching(&self, now: Seconds) -> Option<&Switch> {
        self.switch.as_ref().filter(|switch| now < switch.ends_at)
    }

    /// The mode that is in force.
    pub(crate) fn mode_at(&self, now: Seconds) -> CapacityMode {
        match (self.switching(now), &self.switch) {
            (Some(switch), _) => switch.from,
            (None, Some(switch)) => switch.to,
            (None, None) => CapacityMode::Provisioned,
        }
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
        let status = match shown.is_some() || self.switching(now).is_some() {
            true => StreamStatus::Updating,
            false => StreamStatus::Active,
        };
        let open_shards = match self.moving(now) {
            Some(motion) if shown.is_none() => Shards::at_least_one(motion.from),
            _ => self.open_at(now),
        };
        let mode = self.mode_at(now);
        StreamState {
            mode,
            status,
            open_shards,
            retention_hours: self.retention_hours,
            held_on_demand_by: None,
            created_at: None,
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

    /// Shards' worth of traffic the stream takes in a minute in which so many are open.
    pub(crate) fn capacity(&self, mode: CapacityMode, open: f64) -> f64 {
        match mode {
            CapacityMode::Provisioned => open,
            CapacityMode::OnDemand => on_demand::capacity(self.open, self.peaks.highest()).get(),
        }
    }

    /// A minute with this load is over. On demand AWS may have opened shards for what is to come.
    pub(crate) fn end_minute(&mut self, load: ShardLoad, opens_shards: bool, now: Seconds) {
        self.peaks.push(load);
        if opens_shards {
            let takes = on_demand::capacity(self.open, self.peaks.highest());
            let open = self.open.max(Shards::for_load(takes, Share::WHOLE));
            if open != self.open {
                self.open = open;
                self.shards.reshard(open, now);
            }
        }
    }

    /// The shards that are open at `now`, one by one. While a reshard is under way they are those
    /// from before it.
    pub(crate) fn open_shards(&mut self, now: Seconds) -> &[Shard] {
        self.shards.open_at(now)
    }

    /// Reshards that AWS counts at `now`.
    fn reshards_in_window(&mut self, now: Seconds) -> usize {
        in_window(&mut self.accepted, now)
    }

    /// Changes of mode that AWS counts at `now`.
    fn switches_in_window(&mut self, now: Seconds) -> usize {
        in_window(&mut self.switched, now)
    }

    fn accept(&mut self, motion: Motion, now: Seconds) {
        self.open = Shards::at_least_one(motion.to);
        self.shards.reshard(self.open, motion.ends_at);
        self.motions.push(motion);
        self.accepted.push_back(now);
    }

    fn accept_switch(&mut self, switch: Switch, now: Seconds) {
        self.switch = Some(switch);
        self.switched.push_back(now);
    }
}

/// Minutes from `start` to `at`.
pub(crate) fn minutes_between(start: Seconds, at: Seconds) -> usize {
    index((at - start).div_euclid(60))
}
