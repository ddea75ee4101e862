//! The planner: what size a stream should have, what it may have, and why.
//!
//! Stages in order: demand → forecast → wanted size → clamps → action → revisit. Pure: the same
//! inputs give the same plan. Not here: reading, acting, or the words of messages.

mod capacity_mode;
mod caution;
mod clamps;
mod explain;
mod horizon;
mod timetable;

use jiff::{SignedDuration, Timestamp};

pub use self::capacity_mode::{Motive, WantedMode};
pub use self::timetable::Event;
use self::timetable::Timetable;
use crate::action::{self, Change};
use crate::budget::Budget;
use crate::demand::{Demand, demand_of_attempts};
use crate::forecast::{Forecast, Outlook, Profile};
use crate::history::History;
use crate::limits;
use crate::observation::{CapacityMode, Observation, StreamStatus};
use crate::policy::{OperatingMode, Policy};
use crate::reasons::Reason;
use crate::series::{Series, TrafficPoint};
use crate::throttling::evidence;
use crate::units::{BytesPerSecond, RecordsPerSecond, ShardLoad, Shards, StreamName};

/// Minutes of traffic a plan looks at: an hour of quiet, and the level before it.
pub const MINUTES_OBSERVED: u32 = 240;
/// Days of coarser traffic a plan looks at.
pub const DAYS_OBSERVED: u32 = 15;
/// Period of that coarser traffic, seconds.
pub const DAYS_PERIOD_SECONDS: u32 = 300;

/// A plan older than this is not carried out: the world has moved on.
pub const EXPIRES_AFTER_MINUTES: i64 = 5;
/// Until a calm stream is looked at again. From 5 to 10 the mean result does not change by more than its noise, and each
/// look costs.
const CALM_MINUTES: i64 = 7;
/// Billable GiB in an hour of one shard's load, where traffic does not tell: full shards of whole KiB.
const SHARD_HOUR_GIB: f64 = 3.515_625;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing, for this reason.
    Hold(Reason),
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

/// One limit that made the allowed size differ from the wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clamp {
    /// Which limit.
    pub reason: Reason,
    /// The size before it.
    pub from: Shards,
    /// The size after it.
    pub to: Shards,
}

/// What the plan saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Expected demand.
    pub forecast: Forecast,
    /// Demand is above capacity, or writes were just throttled.
    pub emergency: bool,
    /// Minutes within the scale-in window about which nothing is known, or only half of what should be.
    pub unknown_minutes: u32,
    /// Minutes within that window in which the stream was idle.
    pub idle_minutes: u32,
    /// Traffic fell so far at once that the producers are likelier out than calm.
    pub looks_like_outage: bool,
    /// Records refused by throttling in the days known, the worst left out, as a share of the offered ones.
    pub throttled_share: f64,
    /// Age of the newest traffic data, seconds; `None` when there is none at all.
    pub newest_data_age_seconds: Option<i64>,
    /// How far the slowest polling consumer is behind, seconds; `None` when none reports.
    pub consumer_lag_seconds: Option<u32>,
    /// Calls left; `None` when the ledger could not be read.
    pub budget: Option<Budget>,
}

/// The planner's answer.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which stream.
    pub stream: StreamName,
    /// Whether it may be carried out.
    pub mode: OperatingMode,
    /// When it was made.
    pub planned_at: Timestamp,
    /// When it is too old to carry out.
    pub expires_at: Timestamp,
    /// When the stream is due again, whatever alarms say.
    pub revisit_at: Timestamp,
    /// Open shards when it was made.
    pub open: Shards,
    /// The size the demand needs.
    pub wanted: Shards,
    /// The size after all clamps.
    pub allowed: Shards,
    /// Every clamp that changed something, in order.
    pub clamps: Vec<Clamp>,
    /// The mode it should be switched to, where it should be.
    pub wanted_mode: Option<WantedMode>,
    /// What is to be done.
    pub action: Action,
    /// What it rests on.
    pub evidence: Evidence,
    /// The known events of the day ahead, those under way included.
    pub events: Vec<Event>,
    /// What was learnt of the stream on the way, to be kept for the next plan; `None` when nothing new was.
    pub learnt: Option<Profile>,
}

impl Plan {
    /// What an executor is to carry out; nothing where the policy only observes.
    pub fn order(&self) -> Option<Change> {
        match (self.mode, self.action) {
            (OperatingMode::Observe, _) | (_, Action::Hold(_)) => None,
            (OperatingMode::Act, Action::Reshard { from, to }) => {
                Some(Change::Reshard { from, to })
            }
            (OperatingMode::Act, Action::SwitchMode { to, .. }) => Some(Change::SwitchMode { to }),
        }
    }
}

/// What the stages share.
struct Sight<'a> {
    policy: &'a Policy,
    observation: &'a Observation,
    history: &'a History,
    now: Timestamp,
    minutes: Vec<Demand>,
    raw: Option<&'a Series>,
    outlook: Outlook<'a>,
    timetable: Timetable,
    evidence: Evidence,
}

/// Plans for one stream.
pub fn plan(policy: &Policy, observation: &Observation, history: &History, now: Timestamp) -> Plan {
    let sight = Sight::take(policy, observation, history, now);
    let open = observation.state.open_shards;
    let wanted = sight.wanted();
    let (allowed, clamps) = clamps::apply(&sight, wanted);
    let from = observation.state.mode;
    let wanted_mode = capacity_mode::wanted(&sight);
    let action = match (sight.standstill(), wanted_mode) {
        (None | Some(Reason::StreamOnDemand), Some(WantedMode { to, withheld: None, .. })) => {
            Action::SwitchMode { from, to }
        }
        (Some(Reason::StreamOnDemand), Some(WantedMode { withheld: Some(reason), .. })) => {
            Action::Hold(reason)
        }
        (Some(reason), _) => Action::Hold(reason),
        (None, _) if allowed != open => Action::Reshard { from: open, to: allowed },
        (None, Some(WantedMode { withheld: Some(reason), .. })) => Action::Hold(reason),
        (None, _) => Action::Hold(clamps.last().map_or(Reason::OnTarget, |clamp| clamp.reason)),
    };
    let minutes = |minutes| now.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(now);
    Plan {
        stream: observation.stream.clone(),
        mode: policy.mode,
        planned_at: now,
        expires_at: minutes(EXPIRES_AFTER_MINUTES),
        revisit_at: minutes(sight.revisit_minutes(action)).min(sight.next_call()),
        open,
        wanted,
        allowed,
        clamps,
        wanted_mode,
        action,
        evidence: sight.evidence,
        events: sight.timetable.events,
        learnt: sight.outlook.newly_learnt(),
    }
}

impl<'a> Sight<'a> {
    fn take(
        policy: &'a Policy,
        observation: &'a Observation,
        history: &'a History,
        now: Timestamp,
    ) -> Sight<'a> {
        let raw = observation.minutes.known();
        let known = history.profile.as_ref();
        let mut attempts = known.map(Profile::attempts).unwrap_or_default();
        if let (Some(series), Some(actions)) = (raw, &history.actions) && crate::tune::k().e > 0.0 {
            attempts.learn(series, actions, now);
        }
        let missing = attempts.missing();
        let minutes = raw.map_or_else(Vec::new, |s| {
            demand_of_attempts(s, policy.missing_data, missing, now)
        });
        let seen =
            evidence::minutes(raw, &observation.state, history.actions.as_deref(), known.map_or(Timestamp::MIN, Profile::refusals_until), now);
        let outlook = Outlook::from(&minutes, &history.days, known, policy.missing_data, &seen, attempts, now);
        let forecast = outlook.summary();
        let window = window(policy.scale_in_after_minutes);
        let quiet_from = minutes.len().saturating_sub(window);
        let unseen = window - (minutes.len() - quiet_from);
        let unknown = (quiet_from..minutes.len())
            .filter(|minute| raw.is_some_and(|series| unsettled(series, &minutes, *minute, now)))
            .count()
            + unseen;
        let idle = minutes[quiet_from..].iter().filter(|d| **d == Demand::Idle).count();
        let lag = raw.and_then(newest_lag_seconds);
        let mut sight = Sight {
            policy,
            observation,
            history,
            now,
            raw,
            outlook,
            timetable: Timetable::of(&policy.schedules, observation.state.open_shards, now),
            evidence: Evidence {
                forecast,
                emergency: false,
                unknown_minutes: u32::try_from(unknown).unwrap_or(u32::MAX),
                idle_minutes: u32::try_from(idle).unwrap_or(u32::MAX),
                looks_like_outage: false,
                throttled_share: caution::throttled_share(&history.days),
                newest_data_age_seconds: raw
                    .and_then(|s| newest_data_age_seconds(s, &minutes, now)),
                consumer_lag_seconds: lag,
                budget: history.actions.as_deref().map(|actions| Budget::at(now, actions)),
            },
            minutes,
        };
        sight.evidence.looks_like_outage = clamps::looks_like_outage(&sight);
        sight.evidence.emergency =
            sight.refused_within(3) > crate::tune::k().emerg || sight.outlook.above(sight.open());
        sight
    }

    fn open(&self) -> Shards {
        self.observation.state.open_shards
    }

    /// The size the demand needs, before any limit.
    fn wanted(&self) -> Shards {
        if self.outlook.steps().is_empty() {
            return self.open();
        }
        let calls_left =
            self.evidence.budget.map_or(limits::RESHARDS_PER_DAY_MAX, |b| b.reshards_left());
        let terms = horizon::Terms {
            overflow_shard_hours: self.policy.throttled_gib_usd.get() * self.billable_gib()
                / self.policy.prices.provisioned.shard_hour_usd
                * caution::factor(self.evidence.throttled_share),
            calls_left,
            calls_reserved: self.policy.reserved_calls,
            timetable: &self.timetable,
            now: self.now,
        };
        horizon::size_to_have(&self.outlook, self.open(), &terms)
    }

    /// Billable GiB in an hour of one shard's load, by the records of late: a record is billed in whole KiB.
    fn billable_gib(&self) -> f64 {
        let seen = self.raw.map_or(&[][..], |series| &series.points[..]);
        let (bytes, records) = seen.iter().fold((0.0, 0.0), |(bytes, records), point| {
            (
                bytes + point.accepted_bytes.unwrap_or(0.0),
                records + point.accepted_records.unwrap_or(0.0),
            )
        });
        if bytes <= 0.0 || records <= 0.0 {
            return SHARD_HOUR_GIB;
        }
        let step = limits::prices::BILLED_RECORD_STEP_BYTES;
        let billed_bytes = records * (bytes / records / step - 1e-9).ceil() * step;
        // Rates over one second and over an hour differ by the same factor above and below.
        let load = ShardLoad::of_rates(BytesPerSecond(bytes), RecordsPerSecond(records));
        billed_bytes * 3600.0 / limits::prices::GB_BYTES / load.get()
    }

    /// Highest demand of the newest minutes.
    fn peak_of_newest(&self, minutes: usize) -> ShardLoad {
        self.minutes[self.minutes.len().saturating_sub(minutes)..]
            .iter()
            .filter_map(|d| d.load())
            .fold(ShardLoad::ZERO, ShardLoad::max)
    }

    /// Share of the writes of the newest `minutes` that have data which was refused, but for what no size cures.
    fn refused_within(&self, minutes: usize) -> f64 {
        let Some(series) = self.raw else { return 0.0 };
        let seen = &series.points[..self.minutes.len().min(series.points.len())];
        let sum = |of: fn(&TrafficPoint) -> Option<f64>| -> f64 {
            seen[seen.len().saturating_sub(minutes)..].iter().filter_map(of).sum()
        };
        let (accepted, refused) = (sum(|p| p.accepted_records), sum(|p| p.throttled_records));
        let missing = self.outlook.missing();
        if refused <= 0.0 || missing < 0.5 {
            return 0.0;
        }
        let (load, open) = (self.outlook.now(), self.open().capacity().get());
        let refusals = self.outlook.refusals();
        let of_keys = refusals.expected(load, open) - refusals.curable(load, open);
        refused / (accepted + refused) - 1.5 * of_keys
    }

    /// Why nothing may be done now, whatever the demand.
    fn standstill(&self) -> Option<Reason> {
        let state = &self.observation.state;
        if self.history.paused {
            return Some(Reason::Paused);
        }
        match (state.status, state.mode) {
            (StreamStatus::Creating | StreamStatus::Deleting, _) => Some(Reason::StreamNotActive),
            (StreamStatus::Updating, _) => Some(Reason::ReshardInProgress),
            (StreamStatus::Active, mode) => {
                let actions = self.history.actions.as_deref().unwrap_or_default();
                let on_demand = (mode == CapacityMode::OnDemand).then_some(Reason::StreamOnDemand);
                action::settling(actions, state, self.now).or(on_demand)
            }
        }
    }

    /// When a known event next asks for a call.
    fn next_call(&self) -> Timestamp {
        self.timetable.next_call(self.open(), self.now).unwrap_or(Timestamp::MAX)
    }

    /// Minutes until the stream is due again. Each look costs API calls, so a calm stream is looked at
    /// less often; a surge in between wakes the planner by its alarm.
    fn revisit_minutes(&self, action: Action) -> i64 {
        let used = self.evidence.forecast.now.get() / self.open().capacity().get();
        let acting = self.policy.mode == OperatingMode::Act;
        match action {
            _ if self.evidence.emergency || used >= 0.85 || self.outlook.near_refusal(self.open()) => 1,
            Action::Reshard { .. } | Action::SwitchMode { .. } if acting => 1,
            Action::Hold(reason) if reason.is_passing() => 1,
            _ => CALM_MINUTES,
        }
    }
}

/// Whether a minute lacks data that should have come in by now. Half a datapoint is a lower bound only, so
/// nothing is taken away on it.
fn unsettled(series: &Series, minutes: &[Demand], minute: usize, now: Timestamp) -> bool {
    let age_seconds = now.as_second() - series.start_of(minute + 1).as_second();
    match minutes[minute] {
        Demand::Unknown => true,
        Demand::AtLeast(_) => age_seconds >= limits::METRIC_SETTLE_SECONDS,
        Demand::Measured(_) | Demand::Idle => false,
    }
}

fn window(minutes: u32) -> usize {
    usize::try_from(minutes).unwrap_or(usize::MAX)
}

/// The slowest consumer's position in the newest minute that reports one.
fn newest_lag_seconds(series: &Series) -> Option<u32> {
    let millis = series.points.iter().rev().find_map(|point| point.iterator_age_millis)?;
    // Truncation is meant: whole seconds; the range is clamped first.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some((millis / 1000.0).clamp(0.0, f64::from(u32::MAX)) as u32)
}

fn newest_data_age_seconds(series: &Series, minutes: &[Demand], now: Timestamp) -> Option<i64> {
    let newest = minutes.iter().rposition(|d| *d != Demand::Unknown)?;
    Some((now.as_second() - series.start_of(newest + 1).as_second()).max(0))
}
