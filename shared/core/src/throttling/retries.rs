//! How much of what was refused is missing demand: the metric counts attempts, and a producer that
//! tries again is counted each time.
//!
//! Accepted traffic tells, when capacity is added: where refused writes were demand, it grows by
//! them, as far as the new size lets it; where they were the same writes tried again and again, or
//! those of a key that no size helps, it does not. Not here: how refusals depend on use (`model`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::evidence::over_at;
use crate::action::{ActionRecord, Change};
use crate::series::Series;
use crate::units::Shards;

/// Refused share of the minutes before a scale-out from which on it is telling: less is within how
/// demand changes by itself.
const TELLING_SHARE: f64 = 0.1;
/// Minutes looked at before the call, and at most after the reshard.
const BEFORE_MINUTES: i64 = 3;
const AFTER_MINUTES: i64 = 3;
/// Seconds of the new size without which nothing can be said: a minute.
const AFTER_SECONDS_MIN: i64 = 60;
/// Seconds after the end of a minute until it is judged by. Its metrics may be restated, but
/// whoever waits until that is past waits through the rise.
const SETTLE_SECONDS: i64 = 60;
/// Use up to which a size is taken to accept what is offered.
const USABLE: f64 = 0.9;
/// Accepted traffic below this share of what it was has fallen by itself, unless refusals went on.
const FALLEN: f64 = 0.9;
/// Refusals that fall by less than half went on.
const WENT_ON: f64 = 0.5;
/// A scale-out after which less than this of the refused writes was accepted was in vain.
const GAINED_IN_VAIN: f64 = 0.2;
/// Strength of what is believed before anything is seen, in scale-outs: that all of it was missing.
const PRIOR: f64 = 0.05;
/// What is left of what was seen, at the next telling scale-out, and after a day.
const LEFT_AFTER_NEXT: f64 = 0.5;
const LEFT_AFTER_DAY: f64 = 0.8;

/// What earlier scale-outs brought of the writes that had been refused.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetryModel {
    /// Scale-outs called up to here are in it.
    pub until: Timestamp,
    /// Scale-outs seen, the older the less.
    seen: f64,
    /// Parts of the refused writes that were accepted after them.
    gained: f64,
    /// Whether the last one left refusals as they were.
    in_vain: bool,
}

impl Default for RetryModel {
    fn default() -> RetryModel {
        RetryModel { until: Timestamp::MIN, seen: 0.0, gained: 0.0, in_vain: false }
    }
}

/// Mean of a few minutes, in shards.
struct MeanLoad {
    accepted: f64,
    refused: f64,
}

impl RetryModel {
    /// The part of refused writes that is missing demand, 0 to 1.
    pub fn missing_share(&self) -> f64 {
        ((PRIOR + self.gained) / (PRIOR + self.seen)).clamp(0.0, 1.0)
    }

    /// Whether the last scale-out changed nothing of what was refused.
    pub fn is_in_vain(&self) -> bool {
        self.in_vain && self.missing_share() < 0.5
    }

    /// Takes in the scale-outs that can be judged by now.
    pub fn learn(&mut self, minutes: &Series, actions: &[ActionRecord], now: Timestamp) {
        let mut calls: Vec<&ActionRecord> =
            actions.iter().filter(|action| action.outcome.counts()).collect();
        calls.sort_by_key(|action| action.at);
        let settled = later(now, -SETTLE_SECONDS);
        let known_until = self.until;
        for (index, call) in calls.iter().enumerate().filter(|(_, call)| call.at > known_until) {
            let Change::Reshard { from, to } = call.change else { continue };
            if to <= from {
                continue;
            }
            let begins = over_at(call, from, to);
            let next = calls.get(index + 1).map_or(Timestamp::MAX, |next| kept_until(next));
            let ends = later(begins, 60 * AFTER_MINUTES).min(next).min(settled);
            if ends < later(begins, AFTER_SECONDS_MIN) {
                // The next call came too soon, or it is too soon to tell.
                if next <= settled { continue } else { break }
            }
            self.until = call.at;
            if let Some(was) = before(minutes, call.at)
                && let Some(came) = mean_load(minutes, begins, ends)
            {
                self.judge(&was, &came, to.capacity().get());
            }
        }
    }

    fn judge(&mut self, was: &MeanLoad, came: &MeanLoad, shards: f64) {
        let room = (shards * USABLE - was.accepted).max(0.0);
        let expected = was.refused.min(room);
        if was.refused_share() < TELLING_SHARE || expected <= 0.0 {
            return;
        }
        let went_on = came.refused_share() > was.refused_share() * WENT_ON;
        if came.accepted < FALLEN * was.accepted && !went_on {
            return; // Demand fell: nothing follows.
        }
        let gained = ((came.accepted - was.accepted) / expected).clamp(0.0, 1.0);
        self.seen = self.seen * LEFT_AFTER_NEXT + 1.0;
        self.gained = self.gained * LEFT_AFTER_NEXT + gained;
        self.in_vain = went_on && gained < GAINED_IN_VAIN;
    }

    /// Whether the newest call added the shards that are `open` because much was refused, they have
    /// just been added, and it is too soon to tell what that brought.
    pub fn is_effect_awaited(
        &self,
        minutes: &Series,
        actions: &[ActionRecord],
        open: Shards,
        now: Timestamp,
    ) -> bool {
        let counted = actions.iter().filter(|action| action.outcome.counts());
        let Some(call) = counted.max_by_key(|action| action.at) else { return false };
        let Change::Reshard { from, to } = call.change else { return false };
        let over = over_at(call, from, to);
        to > from
            && to == open
            && call.at > self.until
            && now < later(over, 60 * AFTER_MINUTES)
            && before(minutes, call.at).is_some_and(|was| was.refused_share() >= TELLING_SHARE)
    }

    /// Lets what was seen fade.
    pub fn fade(&mut self, days: f64) {
        let left = LEFT_AFTER_DAY.powf(days.max(0.0));
        self.seen *= left;
        self.gained *= left;
    }
}

impl MeanLoad {
    fn refused_share(&self) -> f64 {
        self.refused / (self.accepted + self.refused).max(1e-9)
    }
}

/// The mean before a call.
fn before(minutes: &Series, called_at: Timestamp) -> Option<MeanLoad> {
    mean_load(minutes, later(called_at, -60 * BEFORE_MINUTES), called_at)
}

/// Until when a stream keeps the size that it had before a call: what is added to it is there when
/// the reshard is over, what is taken away is missing at once.
fn kept_until(call: &ActionRecord) -> Timestamp {
    match call.change {
        Change::Reshard { from, to } if to > from => over_at(call, from, to),
        Change::Reshard { .. } | Change::SwitchMode { .. } => call.at,
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    let end = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(end)
}

/// Of the whole minutes from `from` to `to`; `None` where none of them is known.
fn mean_load(minutes: &Series, from: Timestamp, to: Timestamp) -> Option<MeanLoad> {
    let (mut accepted, mut refused, mut count) = (0.0, 0.0, 0.0);
    for (index, point) in minutes.points.iter().enumerate() {
        if minutes.start_of(index) < from || minutes.start_of(index + 1) > to {
            continue;
        }
        let load = point.accepted_load(minutes.period_seconds);
        let (Some(load), Some(records)) = (load, point.accepted_records) else { continue };
        let load = load.get();
        accepted += load;
        if records > 0.0 {
            refused += load * point.throttled_records.unwrap_or(0.0) / records;
        }
        count += 1.0;
    }
    (count > 0.0).then(|| MeanLoad { accepted: accepted / count, refused: refused / count })
}
