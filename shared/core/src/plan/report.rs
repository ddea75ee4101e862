//! What a plan is: the size and the mode a stream should have, what is to be done, and what it
//! rests on.
//!
//! Not here: how it comes about (`plan`), or in which words it is told (`explain`).

use jiff::Timestamp;

use super::timetable::Event;
use crate::action::Change;
use crate::budget::Budget;
use crate::forecast::Forecast;
use crate::observation::{CapacityMode, ShardQuota};
use crate::policy::OperatingMode;
use crate::profile::StreamProfile;
use crate::reasons::{ClampReason, HoldReason, Reporting};
use crate::units::{Shards, StreamName};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing, for this reason.
    Hold(HoldReason),
    /// One UpdateShardCount.
    Reshard {
        /// Open shards now.
        from: Shards,
        /// Open shards to ask for.
        to: Shards,
    },
    /// One UpdateStreamMode.
    SwitchMode {
        /// The mode now.
        from: CapacityMode,
        /// The mode to ask for.
        to: CapacityMode,
    },
}

/// One rule that made the size asked for differ from the one demand needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clamp {
    /// Which rule.
    pub reason: ClampReason,
    /// The size before it.
    pub from: Shards,
    /// The size after it.
    pub to: Shards,
}

/// What the plan makes of the stream's size. Only a stream that is sized has clamps.
#[derive(Clone, Debug, PartialEq)]
pub enum Sizing {
    /// The size is not Weir's to set, or not now: whatever demand is, it stays.
    NotOurs(HoldReason),
    /// Nobody knows the demand, and no floor asks for more shards than are open: the size stays.
    Blind(HoldReason),
    /// The size demand needs, and what became of it.
    Sized {
        /// The size demand needs; that of now where only a floor asks for more.
        wanted: Shards,
        /// The size after all clamps.
        allowed: Shards,
        /// Every clamp that changed something, in order.
        clamps: Vec<Clamp>,
    },
}

/// The other capacity mode, where it would be the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedMode {
    /// Which.
    pub to: CapacityMode,
    /// What for.
    pub motive: Motive,
    /// Why the switch may not be made; `None` where it may.
    pub withheld: Option<HoldReason>,
}

/// What a switch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motive {
    /// A known event needs it.
    Scheduled,
    /// Demand is above what reshards can reach in time.
    Outgrown,
    /// The past days would have been cheaper on demand.
    Cheaper,
    /// The surge is over, and provisioned is cheaper.
    Calm,
}

/// How a stream refuses writes, as far as it was learnt: in short, for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttling {
    /// The share of capacity in use, 0 to 1, from which on one write in a thousand is refused that
    /// more shards would take.
    pub from_use: f64,
    /// Whole days it was learnt from; `None` where nothing was seen, and all is assumed.
    pub days: Option<u32>,
    /// The share of the traffic, 0 to 1, of a key that fills a shard by itself, where one likely
    /// does.
    pub hot_key: Option<f64>,
    /// The part of the refused writes, 0 to 1, that is taken for missing demand. The others were
    /// tried again, or are what no size takes.
    pub missing_share: f64,
}

/// What the plan saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Basis {
    /// Expected demand.
    pub forecast: Forecast,
    /// More shards would take what is refused now, or was in the newest minutes: more of it than
    /// matters little.
    pub emergency: bool,
    /// How the stream refuses writes, in short.
    pub throttling: Throttling,
    /// Minutes within the scale-in window about which nothing is known, or only half of what should
    /// be.
    pub unknown_minutes: u32,
    /// Minutes within that window in which the stream was idle.
    pub idle_minutes: u32,
    /// Traffic fell so far at once that the producers are likelier out than calm.
    pub looks_like_outage: bool,
    /// Records refused by throttling in the days known, the worst left out, as a share of the
    /// offered ones: 0 to 1.
    pub throttled_share: f64,
    /// Age of the newest traffic data, seconds; `None` when there is none at all.
    pub newest_data_age_seconds: Option<i64>,
    /// How far the slowest polling consumer is behind, seconds; `None` when none reported of late.
    pub consumer_lag_seconds: Option<u32>,
    /// Calls left; `None` when the ledger could not be read.
    pub budget: Option<Budget>,
    /// The account's quota; `None` when it could not be read.
    pub quota: Option<QuotaSeen>,
}

/// The account's quota, as a plan saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaSeen {
    /// What AWS said, less what other plans of the same run were given since.
    pub quota: ShardQuota,
    /// Seconds since AWS said it.
    pub age_seconds: i64,
}

/// The planner's answer.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which stream.
    pub stream: StreamName,
    /// Whether it may be carried out.
    pub operating_mode: OperatingMode,
    /// When it was made.
    pub planned_at: Timestamp,
    /// When it is too old to carry out.
    pub expires_at: Timestamp,
    /// When the stream is due again, whatever alarms say.
    pub revisit_at: Timestamp,
    /// Open shards when it was made.
    pub open: Shards,
    /// The size it should have, or why it is given none.
    pub sizing: Sizing,
    /// The mode it should be switched to, where it should be.
    pub wanted_mode: Option<WantedMode>,
    /// What is to be done.
    pub action: Action,
    /// What it rests on.
    pub basis: Basis,
    /// The known events of the day ahead, those under way included.
    pub events: Vec<Event>,
    /// What was learnt of the stream on the way, to be kept for the next plan; `None` when nothing
    /// new was.
    pub learnt: Option<StreamProfile>,
}

impl Plan {
    /// What an executor is to carry out; nothing where the policy only observes.
    pub fn order(&self) -> Option<Change> {
        match (self.operating_mode, self.action) {
            (OperatingMode::Observe, _) | (_, Action::Hold(_)) => None,
            (OperatingMode::Act, Action::Reshard { from, to }) => {
                Some(Change::Reshard { from, to })
            }
            (OperatingMode::Act, Action::SwitchMode { to, .. }) => Some(Change::SwitchMode { to }),
        }
    }

    /// The size demand needs; the open shards where the stream is not sized.
    pub fn wanted(&self) -> Shards {
        match self.sizing {
            Sizing::Sized { wanted, .. } => wanted,
            Sizing::NotOurs(_) | Sizing::Blind(_) => self.open,
        }
    }

    /// The size after all clamps; the open shards where the stream is not sized.
    pub fn allowed(&self) -> Shards {
        match self.sizing {
            Sizing::Sized { allowed, .. } => allowed,
            Sizing::NotOurs(_) | Sizing::Blind(_) => self.open,
        }
    }

    /// Every clamp that changed something, in order; none where the stream is not sized.
    pub fn clamps(&self) -> &[Clamp] {
        match &self.sizing {
            Sizing::Sized { clamps, .. } => clamps,
            Sizing::NotOurs(_) | Sizing::Blind(_) => &[],
        }
    }

    /// Why something that is wanted is not done, where that is so: a size or a mode is withheld,
    /// demand is unknown, or is not met.
    pub fn withheld(&self) -> Option<HoldReason> {
        let Action::Hold(reason) = self.action else { return None };
        let clamped = !self.clamps().is_empty();
        (clamped || reason.reporting() >= Reporting::Event).then_some(reason)
    }
}
