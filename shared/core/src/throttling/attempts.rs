//! How much of what was refused was missing: the metric counts attempts, and a producer that tries again is counted
//! each time.
//!
//! What is accepted tells, when capacity is added: where refused writes were demand, it grows by them, as far as the new
//! size lets it; where they were the same writes tried again and again, or those of a key that no size helps, it does
//! not. Not here: how refusals depend on use (`learnt`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::action::{ActionRecord, Change};
use crate::limits;
use crate::reshard;
use crate::series::Series;
use crate::units::{BytesPerSecond, RecordsPerSecond, ShardLoad};

/// Refused share of the minutes before a scale-out from which on it is telling: less is within how demand changes by
/// itself.
const TELLING_SHARE: f64 = 0.1;
/// Minutes looked at before the call, and after the reshard; and how many are left out in which producers catch up.
const BEFORE_MINUTES: i64 = 3;
const CATCHING_UP_MINUTES: i64 = 2;
const AFTER_MINUTES: i64 = 5;
/// Use up to which a size is taken to accept what is offered.
const USABLE: f64 = 0.9;
/// Accepted traffic below this share of what it was has fallen by itself, unless refusals went on.
const FALLEN: f64 = 0.9;
/// What is believed before anything is seen, in scale-outs: that all of it was missing.
const PRIOR: f64 = 0.05;
/// What is left of what was seen, at the next telling scale-out, and after a day.
const LEFT_AFTER_NEXT: f64 = 0.5;
const LEFT_AFTER_DAY: f64 = 0.8;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempts {
    /// Scale-outs called up to here are in it.
    pub until: Timestamp,
    /// Scale-outs seen, the older the less.
    seen: f64,
    /// Parts of the refused writes that were accepted after them.
    gained: f64,
    /// Whether the last one left refusals as they were.
    in_vain: bool,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts { until: Timestamp::MIN, seen: 0.0, gained: 0.0, in_vain: false }
    }
}

/// Mean of a few minutes, in shards.
struct Mean {
    accepted: f64,
    refused: f64,
}

impl Attempts {
    /// The part of refused writes that is missing demand, 0 to 1.
    pub fn missing(&self) -> f64 {
        ((PRIOR + self.gained) / (PRIOR + self.seen)).clamp(0.0, 1.0)
    }

    /// Whether the last scale-out changed nothing of what was refused.
    pub fn in_vain(&self) -> bool {
        self.in_vain && self.missing() < 0.5
    }

    /// Takes in the scale-outs that can be judged by now. Returns whether there was one.
    pub fn learn(&mut self, minutes: &Series, actions: &[ActionRecord], now: Timestamp) -> bool {
        let mut calls: Vec<&ActionRecord> = actions.iter().filter(|a| a.outcome.counts()).collect();
        calls.sort_by_key(|action| action.at);
        let before = self.until;
        for (index, call) in calls.iter().enumerate().filter(|(_, call)| call.at > before) {
            let Change::Reshard { from, to } = call.change else { continue };
            if to <= from {
                continue;
            }
            let ahead = |from: Timestamp, by| from.checked_add(by).unwrap_or(Timestamp::MAX);
            let mins = SignedDuration::from_mins;
            let over = ahead(call.at, reshard::expected(from, to).max(mins(5)));
            let begins = ahead(over, mins(CATCHING_UP_MINUTES));
            let ends = ahead(begins, mins(AFTER_MINUTES));
            let next = calls.get(index + 1).map_or(Timestamp::MAX, |next| next.at);
            let settled = ahead(now, SignedDuration::from_secs(-limits::METRIC_SETTLE_SECONDS));
            if ends.min(next) > settled {
                break;
            }
            self.until = call.at;
            let first = ahead(call.at, mins(-BEFORE_MINUTES));
            let (Some(was), Some(came)) = (
                mean(minutes, first, call.at),
                mean(minutes, begins, ends.min(next)),
            ) else {
                continue;
            };
            self.judge(&was, &came, to.capacity().get());
        }
        self.until != before
    }

    fn judge(&mut self, was: &Mean, came: &Mean, shards: f64) {
        let share = |of: &Mean| of.refused / (of.accepted + of.refused).max(1e-9);
        let room = (shards * USABLE - was.accepted).max(0.0);
        let expected = was.refused.min(room);
        if share(was) < TELLING_SHARE || expected <= 0.0 {
            return;
        }
        let in_vain = share(came) > share(was) / 2.0;
        if came.accepted < FALLEN * was.accepted && !in_vain {
            return; // demand fell: nothing follows
        }
        let gained = ((came.accepted - was.accepted) / expected).clamp(0.0, 1.0);
        self.seen = self.seen * LEFT_AFTER_NEXT + 1.0;
        self.gained = self.gained * LEFT_AFTER_NEXT + gained;
        self.in_vain = in_vain && gained < 0.2;
    }

    /// Lets what was seen fade.
    pub fn fade(&mut self, days: f64) {
        let left = LEFT_AFTER_DAY.powf(days.max(0.0));
        self.seen *= left;
        self.gained *= left;
    }
}

/// Of the whole minutes from `from` to `to`; `None` unless two of them are known.
fn mean(minutes: &Series, from: Timestamp, to: Timestamp) -> Option<Mean> {
    let seconds = f64::from(minutes.period_seconds.max(1));
    let (mut accepted, mut refused, mut count) = (0.0, 0.0, 0.0);
    for (index, point) in minutes.points.iter().enumerate() {
        if minutes.start_of(index) < from || minutes.start_of(index + 1) > to {
            continue;
        }
        let (Some(bytes), Some(records)) = (point.accepted_bytes, point.accepted_records) else {
            continue;
        };
        let load = ShardLoad::of_rates(
            BytesPerSecond(bytes / seconds),
            RecordsPerSecond(records / seconds),
        )
        .get();
        accepted += load;
        if records > 0.0 {
            refused += load * point.throttled_records.unwrap_or(0.0) / records;
        }
        count += 1.0;
    }
    (count >= 2.0).then(|| Mean { accepted: accepted / count, refused: refused / count })
}
