//! What calls cost, where a world counts it: the time each takes, the pace at which one function
//! makes them, the quotas of the account, and how many runs of a function there are at a time.
//!
//! The quotas are AWS's (`weir_core::limits`), whole second by whole second; how AWS smooths them
//! is not documented. The paces are those of `weir-aws`. How long a call takes is chosen, of the
//! order that AWS's regions show. Not counted: the table's own capacity, EventBridge's, cold
//! starts, and what everybody else in the account calls.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use weir_control::routing::Loop;
use weir_core::limits::calls_per_second as quota;
use weir_core::limits::{METRIC_POINTS_PER_CALL_MAX, METRIC_QUERIES_PER_CALL_MAX};
use weir_core::plan::{DAYS_OBSERVED, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED};
use weir_core::units::StreamName;

use crate::chance::Dice;
use crate::clock::{Millis, Seconds, count, millis};
use crate::operation::Operation;

/// How often the SDK makes a call that AWS has no room for.
pub(crate) const SDK_TRIES: u32 = 3;
/// Seconds until an event that found no room is tried again, at first and at most: they double.
/// Lambda developer guide, asynchronous invocation; how far apart it keeps many is not said, so
/// each waits by half more or less.
const NO_ROOM_SECONDS: (i64, i64) = (1, 300);
/// The share of a quota that a function paces itself by.
const SHARE: (Millis, Millis) = (2, 3);
/// Streams whose days one function keeps, and for how long.
const DAYS_KEPT_STREAMS: usize = 200;
const DAYS_KEPT_SECONDS: Seconds = 3_600;
/// Metrics asked of the minutes of a stream, and of its days.
const MINUTES_METRICS: usize = 4;
const DAYS_METRICS: usize = 3;

/// A world in which calls cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSettings {
    /// Most runs at a time, by loop; as many as are asked for of a loop that is not named.
    pub concurrency: BTreeMap<Loop, usize>,
}

impl ApiSettings {
    /// An installation that reserved its concurrency, as both templates have it.
    pub fn reserved() -> ApiSettings {
        let concurrency = [
            (Loop::PlanCapacity, 10),
            (Loop::ResizeStream, 10),
            (Loop::SwitchMode, 2),
            (Loop::SyncAlarms, 2),
            (Loop::RaiseAlerts, 3),
        ];
        ApiSettings { concurrency: concurrency.into_iter().collect() }
    }
}

/// What was made of the account's quotas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiUse {
    /// By the name of the operation.
    pub calls: BTreeMap<&'static str, CallUse>,
    /// By the name of the loop.
    pub runs: BTreeMap<&'static str, RunUse>,
}

/// What was made of one quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallUse {
    /// Requests made.
    pub requests: u64,
    /// Requests that AWS had no room for.
    pub refused: u64,
    /// Requests taken in the busiest second.
    pub busiest_second: u32,
    /// Requests a second that the account may make; `None` where none is minded.
    pub quota: Option<u32>,
}

/// What was made of one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunUse {
    /// Runs.
    pub runs: u64,
    /// Times an event found no room.
    pub no_room: u64,
    /// Events that were given up for their age.
    pub expired: u64,
    /// Runs that were stopped at their deadline.
    pub stopped: u64,
    /// Seconds of the longest run.
    pub longest_seconds: i64,
}

/// What one execution environment remembers from run to run.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    turns: RefCell<BTreeMap<Operation, Millis>>,
    points_turn: Cell<Millis>,
    days_read: RefCell<BTreeMap<StreamName, Seconds>>,
}

impl Environment {
    /// When it may make the next request.
    pub(crate) fn turn(&self, operation: Operation, runs: Loop, now: Millis) -> Millis {
        let Some(gap) = operation.gap(runs) else { return now };
        let mut turns = self.turns.borrow_mut();
        let next = turns.entry(operation).or_insert(now);
        let turn = now.max(*next);
        *next = turn + gap;
        turn
    }

    /// When it may ask for so many datapoints.
    pub(crate) fn points_turn(&self, points: usize, now: Millis) -> Millis {
        let (share, of) = SHARE;
        let turn = now.max(self.points_turn.get());
        let lasts = millis(count(points)) * of / (share * i64::from(quota::METRIC_POINTS));
        self.points_turn.set(turn + lasts);
        turn
    }

    /// How many of these streams' days must be read; they are then kept, as far as there is room.
    pub(crate) fn read_days(&self, streams: &[StreamName], now: Seconds) -> usize {
        let mut kept = self.days_read.borrow_mut();
        kept.retain(|_, read_at| now - *read_at < DAYS_KEPT_SECONDS);
        let mut read = 0;
        for stream in streams.iter() {
            if !kept.contains_key(stream) {
                read += 1;
                if kept.len() < DAYS_KEPT_STREAMS {
                    kept.insert(stream.clone(), now);
                }
            }
        }
        read
    }
}

/// Requests for the minutes, or for the days, of so many streams, and the datapoints that one asks
/// for.
pub(crate) fn metric_requests(streams: usize, days: bool) -> (usize, usize) {
    let (metrics, periods) = match days {
        true => (DAYS_METRICS, DAYS_OBSERVED * 24 * 3_600 / DAYS_PERIOD_SECONDS),
        false => (MINUTES_METRICS, MINUTES_OBSERVED),
    };
    let points = metrics * usize::try_from(periods).unwrap_or(1);
    let fit = (METRIC_QUERIES_PER_CALL_MAX / metrics).min(METRIC_POINTS_PER_CALL_MAX / points);
    (streams.div_ceil(fit.max(1)), points * fit.min(streams))
}

/// The account's quotas and the functions' room.
pub(crate) struct Api {
    settings: Option<ApiSettings>,
    /// Requests taken in the second that is named.
    taken: BTreeMap<Operation, (Seconds, u32)>,
    idle: BTreeMap<Loop, Vec<Rc<Environment>>>,
    running: BTreeMap<Loop, usize>,
    pub(crate) used: ApiUse,
    dice: Dice,
}

impl Api {
    pub(crate) fn new(settings: Option<ApiSettings>, dice: Dice) -> Api {
        Api {
            settings,
            taken: BTreeMap::new(),
            idle: BTreeMap::new(),
            running: BTreeMap::new(),
            used: ApiUse::default(),
            dice,
        }
    }

    /// Whether AWS takes one more request in this second.
    pub(crate) fn take(&mut self, operation: Operation, now: Seconds) -> bool {
        let quota = operation.quota();
        let taken = self.taken.entry(operation).or_insert((now, 0));
        if taken.0 != now {
            *taken = (now, 0);
        }
        let used = self.used.calls.entry(operation.name()).or_default();
        used.quota = quota;
        used.requests += 1;
        if quota.is_some_and(|quota| taken.1 >= quota) {
            used.refused += 1;
            return false;
        }
        taken.1 += 1;
        used.busiest_second = used.busiest_second.max(taken.1);
        true
    }

    /// How long the SDK waits after the attempt of this number.
    pub(crate) fn back_off(&mut self, attempt: u32) -> Millis {
        self.dice.seconds(&(0..=millis(1) << attempt.min(4)))
    }

    /// Room for a run, and what it runs in; or the milliseconds after which Lambda asks again.
    pub(crate) fn enter(&mut self, of: Loop, asked_before: u32) -> Result<Rc<Environment>, Millis> {
        let most = self.settings.as_ref().and_then(|api| api.concurrency.get(&of));
        let running = self.running.entry(of).or_default();
        let used = self.used.runs.entry(of.name()).or_default();
        if most.is_some_and(|most| *running >= *most) {
            used.no_room += 1;
            let (first, longest) = NO_ROOM_SECONDS;
            let seconds = (first << asked_before.min(20)).min(longest);
            return Err(self.dice.seconds(&(millis(seconds) / 2..=millis(seconds) * 3 / 2)));
        }
        *running += 1;
        used.runs += 1;
        Ok(self.idle.entry(of).or_default().pop().unwrap_or_default())
    }

    /// A run is over.
    pub(crate) fn leave(&mut self, of: Loop, environment: Rc<Environment>, lasted: Seconds) {
        if self.settings.is_some() {
            self.idle.entry(of).or_default().push(environment);
        }
        let running = self.running.entry(of).or_default();
        *running = running.saturating_sub(1);
        let used = self.used.runs.entry(of.name()).or_default();
        used.longest_seconds = used.longest_seconds.max(lasted);
    }

    /// An event is too old to be worked on.
    pub(crate) fn expire(&mut self, of: Loop) {
        self.used.runs.entry(of.name()).or_default().expired += 1;
    }

    /// A run was stopped from outside.
    pub(crate) fn stop(&mut self, of: Loop) {
        self.used.runs.entry(of.name()).or_default().stopped += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_room_for_so_many_requests_a_second() {
        let mut api = Api::new(Some(ApiSettings::reserved()), Dice::new(0, "api"));
        let mut taken = |now| {
            let operation = Operation::DescribeStreamSummary;
            (0..30).filter(|_| api.take(operation, now)).count()
        };
        assert_eq!([taken(0), taken(1)], [20, 20]);
        let used = api.used.calls["DescribeStreamSummary"];
        assert_eq!((used.requests, used.refused, used.busiest_second), (60, 20, 20));
    }

    #[test]
    fn a_function_paces_itself_below_the_quota() {
        let (environment, of) = (Environment::default(), Loop::PlanCapacity);
        let turns: Vec<Millis> =
            (0..4).map(|_| environment.turn(Operation::DescribeStreamSummary, of, 0)).collect();
        assert_eq!(turns, [0, 75, 150, 225]);
        assert_eq!(environment.turn(Operation::LedgerRead, of, 7), 7);
    }

    #[test]
    fn where_there_is_no_room_an_event_waits_longer_each_time() {
        let mut api = Api::new(Some(ApiSettings::reserved()), Dice::new(0, "api"));
        let one = api.enter(Loop::SwitchMode, 0).expect("room");
        let _two = api.enter(Loop::SwitchMode, 0).expect("room");
        for (before, seconds) in [(0, 1), (1, 2), (2, 4), (8, 256), (30, 300)] {
            let waits = api.enter(Loop::SwitchMode, before).err().unwrap_or_default();
            let around = 500 * seconds..=1_500 * seconds;
            assert!(around.contains(&waits), "{before} times before: {waits} ms");
        }
        api.leave(Loop::SwitchMode, one, 5);
        assert!(api.enter(Loop::SwitchMode, 3).is_ok());
    }

    #[test]
    fn a_hundred_streams_take_one_request_for_minutes_and_many_for_days() {
        assert_eq!(metric_requests(100, false), (1, 96_000));
        assert_eq!(metric_requests(100, true), (15, 90_720));
    }
}
