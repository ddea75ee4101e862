//! Plans for a stream whose past is a plain one. Not here: what is expected of them.
#![allow(dead_code)] // each test uses its part

use jiff::{SignedDuration, Timestamp};
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::history::History;
use weir_core::observation::{CapacityMode, Observation, Signal, StreamState, StreamStatus};
use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED, Plan, plan};
use weir_core::policy::Policy;
use weir_core::series::{Series, TrafficPoint};
use weir_core::units::{Shards, StreamName};

pub(crate) fn shards(count: u32) -> Shards {
    Shards::at_least_one(count)
}

pub(crate) fn now() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().expect("a timestamp")
}

pub(crate) fn after(minutes: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_mins(minutes)).expect("a timestamp")
}

/// A series that ends now, with a load in shards for each point, by its age in minutes.
pub(crate) fn series(count: u32, seconds: u32, load: impl Fn(u32) -> f64) -> Series {
    let point = |index: u32| {
        let bytes = load((count - 1 - index) * seconds / 60) * 1_048_576.0 * f64::from(seconds);
        TrafficPoint {
            accepted_bytes: Some(bytes),
            accepted_records: Some(bytes / 10_000.0),
            ..TrafficPoint::default()
        }
    };
    Series {
        start: now() - SignedDuration::from_secs(i64::from(count) * i64::from(seconds)),
        period_seconds: seconds,
        points: (0..count).map(point).collect(),
    }
}

/// A past of ten days of a load by its age in minutes, and so many calls made lately.
pub(crate) fn past(
    policy: &Policy,
    open: u32,
    calls_made: usize,
    load: impl Fn(u32) -> f64,
) -> Plan {
    let change = Change::Reshard { from: shards(open), to: shards(open) };
    let call = ActionRecord { at: after(-20), change, outcome: Outcome::Accepted };
    let (minutes, days) =
        (series(MINUTES_OBSERVED, 60, &load), series(10 * 288, DAYS_PERIOD_SECONDS, &load));
    plan_of(policy, open, minutes, days, vec![call; calls_made])
}

/// A provisioned stream at rest.
pub(crate) fn observation(open: u32, minutes: Series) -> Observation {
    let state = StreamState {
        mode: CapacityMode::Provisioned,
        status: StreamStatus::Active,
        open_shards: shards(open),
        retention_hours: 24,
        held_on_demand_by: None,
        created_at: None,
    };
    Observation {
        stream: StreamName::new("orders").expect("a name"),
        observed_at: now(),
        state,
        minutes: Signal::Known { value: minutes, read_at: now() },
        quota: Signal::Missing("not read".to_owned()),
    }
}

pub(crate) fn history(days: Series, actions: Vec<ActionRecord>) -> History {
    History { days, actions: Some(actions), profile: None, paused: false }
}

pub(crate) fn plan_of(
    policy: &Policy,
    open: u32,
    minutes: Series,
    days: Series,
    actions: Vec<ActionRecord>,
) -> Plan {
    plan(policy, &observation(open, minutes), &history(days, actions), now())
}

pub(crate) fn reshard(from: u32, to: u32) -> Action {
    Action::Reshard { from: shards(from), to: shards(to) }
}
