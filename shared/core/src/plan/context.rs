//! What every stage of a plan looks at: the inputs, and what is made of them once.
//!
//! Not here: what follows from it (`sizing`, `clamps`, `capacity_mode`).

use jiff::{SignedDuration, Timestamp};

use super::report::{Basis, QuotaSeen, Throttling};
use super::throttling_history;
use super::timetable::Timetable;
use crate::action::{ActionRecord, Change, ChangeKind, Outcome};
use crate::bill::Written;
use crate::budget::Budget;
use crate::demand::{Demand, demand};
use crate::forecast::{DemandForecast, PastDemand};
use crate::history::History;
use crate::limits;
use crate::observation::{CapacityMode, Observation, Signal};
use crate::policy::Policy;
use crate::profile::{Refusals, StreamProfile};
use crate::reasons::{HoldReason, RefusalReason};
use crate::series::{Series, TrafficPoint};
use crate::units::{ShardLoad, Shards};

/// Newest minutes whose refused writes make it an emergency.
const EMERGENCY_MINUTES: usize = 3;
/// Share of the writes that must be refused, and would not be with more shards, for an emergency.
const EMERGENCY_SHARE: f64 = 0.01;
/// Demand that is higher by so much is near.
const NEAR_FACTOR: f64 = 1.0 / 0.85;
/// Refused writes are told from what keys refuse by this margin.
const OF_KEYS_MARGIN: f64 = 1.5;
/// Throttling that lasts for so long is not about to end by a change under way, but for so many
/// minutes in which nothing was written, or of which the metrics are late.
const THROTTLED_LONG_MINUTES: usize = 30;
const UNTHROTTLED_MINUTES: usize = 5;
/// Minutes without a consumer's position after which it counts as silent, and what it said before
/// as old.
const CONSUMER_SILENT_MINUTES: usize = 10;
/// A fall below this share of the level before it looks like an outage.
const OUTAGE_LEVEL: f64 = 0.10;
/// Minutes that must have been so low: a single one may be a late datapoint.
const OUTAGE_MINUTES: usize = 5;
/// For so long after AWS lastingly refused a change none of its kind is asked for.
const REFUSED_LATELY: SignedDuration = SignedDuration::from_hours(1);

/// Inputs of a plan and what is derived from them once.
pub(super) struct Context<'a> {
    pub(super) policy: &'a Policy,
    pub(super) observation: &'a Observation,
    pub(super) history: &'a History,
    pub(super) now: Timestamp,
    /// Demand minute by minute, oldest first.
    pub(super) minutes: Vec<Demand>,
    /// What those minutes were made from; `None` when the metrics could not be read.
    pub(super) raw: Option<&'a Series>,
    pub(super) forecast: DemandForecast<'a>,
    pub(super) refusals: Refusals,
    /// What of that is to be kept, where it is time for it.
    refusals_to_keep: Option<Refusals>,
    pub(super) timetable: Timetable,
    pub(super) basis: Basis,
}

impl<'a> Context<'a> {
    pub(super) fn of(
        policy: &'a Policy,
        observation: &'a Observation,
        history: &'a History,
        now: Timestamp,
    ) -> Context<'a> {
        let raw = observation.minutes.known();
        let (known, actions) = (history.profile.as_ref(), history.actions.as_deref());
        let (refusals, refusals_to_keep) =
            Refusals::at(now, known, raw, &observation.state, actions);
        let missing_share = refusals.retries.missing_share();
        let gaps = policy.missing_data;
        let minutes = raw.map_or_else(Vec::new, |s| demand(s, gaps, missing_share, now));
        let past = PastDemand { minutes: &minutes, days: &history.days, gaps, missing_share, now };
        let groups = refusals.model.seconds_groups();
        let forecast = DemandForecast::from(&past, known.map(|known| &known.forecast), &groups);
        let summary = forecast.summary();
        let quiet_from = minutes.len().saturating_sub(window(policy.scale_in_after_minutes));
        let idle = minutes[quiet_from..].iter().filter(|d| **d == Demand::Idle).count();
        let mut context = Context {
            policy,
            observation,
            history,
            now,
            raw,
            forecast,
            refusals_to_keep,
            timetable: Timetable::of(&policy.schedules, observation.state.open_shards, now),
            basis: Basis {
                forecast: summary,
                emergency: false,
                unknown_minutes: 0,
                idle_minutes: u32::try_from(idle).unwrap_or(u32::MAX),
                looks_like_outage: false,
                throttled_share: throttling_history::throttled_share(&history.days),
                throttling: Throttling {
                    from_use: refusals.model.refuses_from_use(),
                    days: refusals.days(),
                    hot_key: None,
                    missing_share,
                },
                newest_data_age_seconds: raw
                    .and_then(|s| newest_data_age_seconds(s, &minutes, now)),
                consumer_lag_seconds: None,
                budget: history.actions.as_deref().map(|actions| Budget::at(now, actions)),
                quota: match observation.quota {
                    Signal::Known { value: quota, read_at } => {
                        let age_seconds = now.as_second() - read_at.as_second();
                        Some(QuotaSeen { quota, age_seconds })
                    }
                    Signal::Missing(_) => None,
                },
            },
            refusals,
            minutes,
        };
        let unknown = context.unknown_within(window(policy.scale_in_after_minutes));
        context.basis.unknown_minutes = u32::try_from(unknown).unwrap_or(u32::MAX);
        context.basis.consumer_lag_seconds = context.consumer_lag_seconds();
        context.basis.looks_like_outage = context.falls_like_an_outage();
        context.basis.emergency =
            context.curably_refused(EMERGENCY_MINUTES) > EMERGENCY_SHARE || context.is_short();
        let (load, shards) = (context.forecast.now(), context.open().capacity().get());
        context.basis.throttling.hot_key = context.refusals.model.hot_key(load, shards);
        context
    }

    /// Shards the stream has open.
    pub(super) fn open(&self) -> Shards {
        self.observation.state.open_shards
    }

    /// Whether more of what is written now is refused than matters little, and more shards would
    /// take it.
    pub(super) fn is_short(&self) -> bool {
        self.would_be_short(1.0)
    }

    /// Whether it would be so, were demand a sixth higher.
    pub(super) fn is_nearly_short(&self) -> bool {
        self.would_be_short(NEAR_FACTOR)
    }

    /// The share of capacity, 0 to 1, up to which it takes what is written.
    pub(super) fn usable(&self) -> f64 {
        self.refusals.model.use_that_refuses(EMERGENCY_SHARE)
    }

    fn would_be_short(&self, factor: f64) -> bool {
        let (load, open) = (factor * self.forecast.now(), self.open().capacity().get());
        self.observation.state.mode == CapacityMode::Provisioned
            && self.refusals.model.curable_share(load, open) > EMERGENCY_SHARE
    }

    /// The refused share, 0 to 1, of the writes of the newest `minutes` that have data, but for
    /// what no size cures: hot keys, and writes that were tried again in vain.
    pub(super) fn curably_refused(&self, minutes: usize) -> f64 {
        let seen = self.seen();
        let newest = &seen[seen.len().saturating_sub(minutes)..];
        let sum = |of: fn(&TrafficPoint) -> Option<f64>| newest.iter().filter_map(of).sum::<f64>();
        let (accepted, refused) = (sum(|p| p.accepted_records), sum(|p| p.throttled_records));
        if refused <= 0.0 || self.refusals.retries.is_in_vain() {
            return 0.0;
        }
        let (load, open) = (self.forecast.now(), self.open().capacity().get());
        let model = &self.refusals.model;
        let of_keys = match model.hot_key(load, open) {
            Some(_) => model.refused_share(load, open) - model.curable_share(load, open),
            None => 0.0,
        };
        refused / (accepted + refused) - OF_KEYS_MARGIN * of_keys
    }

    /// What was learnt of the stream and should be kept; `None` where what is kept still serves.
    pub(super) fn learnt(&self) -> Option<StreamProfile> {
        let known = self.history.profile.as_ref();
        let newly = self.forecast.newly_learnt();
        if newly.is_none() && self.refusals_to_keep.is_none() {
            return None;
        }
        let forecast = newly.or(known.map(|known| &known.forecast))?.clone();
        let refusals = self.refusals_to_keep.clone().unwrap_or_else(|| Refusals::kept(known));
        Some(StreamProfile { forecast, refusals })
    }

    /// Highest demand of the newest minutes.
    pub(super) fn peak_of_newest(&self, minutes: usize) -> ShardLoad {
        self.minutes[self.minutes.len().saturating_sub(minutes)..]
            .iter()
            .filter_map(|d| d.load())
            .fold(ShardLoad::ZERO, ShardLoad::max)
    }

    /// The points of the minutes that have data, oldest first.
    fn seen(&self) -> &[TrafficPoint] {
        self.raw.map_or(&[], |series| &series.points[..self.minutes.len().min(series.points.len())])
    }

    /// Whether more writes than matter little were throttled in nearly all of the newest half an
    /// hour, in which no change was asked for that could have ended it.
    pub(super) fn is_throttled_for_long(&self) -> bool {
        let seen = self.seen();
        let newest = &seen[seen.len().saturating_sub(THROTTLED_LONG_MINUTES)..];
        let throttled = |point: &&TrafficPoint| {
            let refused = point.throttled_records.unwrap_or(0.0);
            refused > EMERGENCY_SHARE * (refused + point.accepted_records.unwrap_or(0.0))
        };
        let long = SignedDuration::from_mins(i64::try_from(THROTTLED_LONG_MINUTES).unwrap_or(0));
        let actions = self.history.actions.as_deref().unwrap_or_default();
        let lately = |action: &ActionRecord| {
            action.outcome.counts() && self.now.duration_since(action.at) < long
        };
        newest.iter().filter(throttled).count() >= THROTTLED_LONG_MINUTES - UNTHROTTLED_MINUTES
            && !actions.iter().any(lately)
    }

    /// Of the newest `minutes`, those about which nothing is known, or only half of what should be
    /// by now.
    pub(super) fn unknown_within(&self, minutes: usize) -> usize {
        let from = self.minutes.len().saturating_sub(minutes);
        let unsettled = |minute: &usize| {
            self.raw.is_some_and(|series| unsettled(series, &self.minutes, *minute, self.now))
        };
        let unseen = minutes - (self.minutes.len() - from);
        (from..self.minutes.len()).filter(unsettled).count() + unseen
    }

    /// Whether the newest minutes are far below the level of the hours before. So it is from the
    /// first minutes of an outage until the quiet has become the rule, about two hours.
    fn falls_like_an_outage(&self) -> bool {
        let window = window(self.policy.scale_in_after_minutes);
        let level = median(&self.minutes[..self.minutes.len().saturating_sub(window)]);
        let newest = self.peak_of_newest(OUTAGE_MINUTES);
        level > ShardLoad::new(1.0) && newest < level.times(OUTAGE_LEVEL)
    }

    /// Whether a minute within the window of scale-in was as low as in an outage, or it still is
    /// so: a fall that has just begun, or an outage that is over, says nothing of what is needed
    /// next.
    pub(super) fn was_an_outage_lately(&self) -> bool {
        let window = window(self.policy.scale_in_after_minutes);
        let level = median(&self.minutes);
        let low = |minute: &Demand| minute.load().is_some_and(|l| l < level.times(OUTAGE_LEVEL));
        let lately = &self.minutes[self.minutes.len().saturating_sub(window)..];
        self.basis.looks_like_outage || level > ShardLoad::new(1.0) && lately.iter().any(low)
    }

    /// How far the slowest consumer is behind, by its newest report of late.
    fn consumer_lag_seconds(&self) -> Option<u32> {
        let (_, lately) = self.consumer_reports();
        let millis = lately.iter().rev().find_map(|point| point.iterator_age_millis)?;
        // Truncation is meant: whole seconds; the range is clamped first.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some((millis / 1000.0).clamp(0.0, f64::from(u32::MAX)) as u32)
    }

    /// Whether a consumer reported its position before, and none does of late.
    pub(super) fn is_consumer_silent(&self) -> bool {
        let (before, lately) = self.consumer_reports();
        let reports = |points: &[TrafficPoint]| {
            points.iter().any(|point| point.iterator_age_millis.is_some())
        };
        reports(before) && !reports(lately)
    }

    /// The minutes in which consumers reported, split where a report begins to count as new.
    fn consumer_reports(&self) -> (&[TrafficPoint], &[TrafficPoint]) {
        let seen = self.seen();
        seen.split_at(seen.len().saturating_sub(CONSUMER_SILENT_MINUTES))
    }

    /// An hour of one shard's load, by the records of late, or of the days before; `None` where
    /// nothing was written.
    pub(super) fn load_hour(&self) -> Option<Written> {
        let written_in = |series: &Series| {
            let written = series.points.iter().map(|point| Written {
                bytes: point.accepted_bytes.unwrap_or(0.0),
                records: point.accepted_records.unwrap_or(0.0),
            });
            written.fold(Written::default(), |sum, written| sum + written).of_one_load_hour()
        };
        self.raw.and_then(written_in).or_else(|| written_in(&self.history.days))
    }

    /// The smallest size that AWS lately refused for the account's quota, asked for from the size
    /// there is now.
    pub(super) fn refused_for_quota(&self) -> Option<Shards> {
        let actions = self.history.actions.as_deref().unwrap_or_default();
        let refused = actions.iter().filter_map(|action| {
            let lately = self.now.duration_since(action.at) < REFUSED_LATELY;
            let reason = RefusalReason::AccountQuota;
            match action.change {
                Change::Reshard { from, to }
                    if lately
                        && from == self.open()
                        && to > from
                        && action.outcome == (Outcome::Refused { reason }) =>
                {
                    Some(to)
                }
                Change::Reshard { .. } | Change::SwitchMode { .. } => None,
            }
        });
        refused.min()
    }

    /// Why AWS would not take a change of this kind, where that was its last word on one within the
    /// hour and nothing passes by itself.
    pub(super) fn refused_lately(&self, kind: ChangeKind) -> Option<HoldReason> {
        let actions = self.history.actions.as_deref().unwrap_or_default();
        let of_kind = actions.iter().filter(|action| action.change.kind() == kind);
        let newest = of_kind.max_by_key(|action| action.at)?;
        let Outcome::Refused { reason } = newest.outcome else { return None };
        let lasting = match reason {
            RefusalReason::LimitReached => HoldReason::LimitReached,
            RefusalReason::AccountQuota => HoldReason::AccountQuota,
            RefusalReason::AccessDenied => HoldReason::AccessDenied,
            RefusalReason::TargetRefused => HoldReason::TargetRefused,
            RefusalReason::ServiceFailed => HoldReason::ServiceFailed,
            _ => return None,
        };
        (self.now.duration_since(newest.at) < REFUSED_LATELY).then_some(lasting)
    }
}

/// Whether a minute lacks data that should have come in by now. Half a datapoint is a lower bound
/// only, so nothing is taken away on it.
fn unsettled(series: &Series, minutes: &[Demand], minute: usize, now: Timestamp) -> bool {
    let age_seconds = now.as_second() - series.start_of(minute + 1).as_second();
    match minutes[minute] {
        Demand::Unknown => true,
        Demand::AtLeast(_) => age_seconds >= limits::METRIC_SETTLE_SECONDS,
        Demand::Measured(_) | Demand::Idle => false,
    }
}

/// So many minutes as a number of points.
pub(super) fn window(minutes: u32) -> usize {
    usize::try_from(minutes).unwrap_or(usize::MAX)
}

fn newest_data_age_seconds(series: &Series, minutes: &[Demand], now: Timestamp) -> Option<i64> {
    let newest = minutes.iter().rposition(|d| *d != Demand::Unknown)?;
    Some((now.as_second() - series.start_of(newest + 1).as_second()).max(0))
}

fn median(demands: &[Demand]) -> ShardLoad {
    let mut loads: Vec<f64> = demands.iter().filter_map(|d| d.load()).map(ShardLoad::get).collect();
    loads.sort_by(f64::total_cmp);
    ShardLoad::new(loads.get(loads.len() / 2).copied().unwrap_or(0.0))
}
