//! What a plan makes of refused writes, played minute by minute: which of them more shards would
//! take, and which they would not.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use jiff::SignedDuration;
use support::{history, now, observation, series, shards};
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED, Plan, plan};
use weir_core::policy::{OperatingMode, Policy};
use weir_core::profile::StreamProfile;
use weir_core::series::{Series, TrafficPoint};

const SHARD_MINUTE_BYTES: f64 = 60.0 * 1_048_576.0;
const RESHARD_MINUTES: i64 = 5;
/// Minutes before the first plan in which the world is already as it will be.
const LATELY: usize = 10;

/// A minute of accepted load, in shards, and refused attempts as a share of the accepted records.
fn minute(accepted: f64, refused: f64) -> TrafficPoint {
    let bytes = accepted * SHARD_MINUTE_BYTES;
    TrafficPoint {
        accepted_bytes: Some(bytes),
        accepted_records: Some(bytes / 10_000.0),
        throttled_records: Some(refused * bytes / 10_000.0),
        ..TrafficPoint::default()
    }
}

/// Ten calm days of a load of 3 shards on ten, and then what `world` makes of each minute, by the
/// size it has. The plans of so many minutes, and the size at their end.
fn played(minutes: i64, world: impl Fn(u32) -> TrafficPoint) -> (Vec<Plan>, u32) {
    let policy = Policy { operating_mode: OperatingMode::Act, ..Policy::DEFAULT };
    let days = series(10 * 288, DAYS_PERIOD_SECONDS, |_| 3.0);
    let mut points = vec![minute(3.0, 0.0); MINUTES_OBSERVED as usize - LATELY];
    points.extend(std::iter::repeat_n(world(10), LATELY));
    let (mut open, mut pending) = (10, None);
    let mut actions: Vec<ActionRecord> = Vec::new();
    let mut profile: Option<StreamProfile> = None;
    let mut plans = Vec::new();
    for index in 0..minutes {
        let at = now() + SignedDuration::from_mins(index);
        if let Some((due, to)) = pending
            && due <= index
        {
            (open, pending) = (to, None);
        }
        if pending.is_some() {
            points.push(world(open));
            continue;
        }
        let newest = points.len() - MINUTES_OBSERVED as usize;
        let start = at - SignedDuration::from_mins(i64::from(MINUTES_OBSERVED));
        let seen = Series { start, period_seconds: 60, points: points[newest..].to_vec() };
        let mut past = history(days.clone(), actions.clone());
        past.profile = profile.clone();
        let plan = plan(&policy, &observation(open, seen), &past, at);
        profile = plan.learnt.clone().or(profile);
        if let Action::Reshard { from, to } = plan.action {
            let change = Change::Reshard { from, to };
            actions.push(ActionRecord { at, change, outcome: Outcome::Accepted });
            pending = Some((index + RESHARD_MINUTES, to.get()));
        }
        plans.push(plan);
        points.push(world(open));
    }
    (plans, open)
}

fn reshards(plans: &[Plan]) -> Vec<(u32, u32)> {
    let of = |plan: &Plan| match plan.action {
        Action::Reshard { from, to } => Some((from.get(), to.get())),
        Action::Hold(_) | Action::SwitchMode { .. } => None,
    };
    let mut made: Vec<(u32, u32)> = plans.iter().filter_map(of).collect();
    made.dedup();
    made
}

/// The key's shard is full whatever the size is; its producers try again and again, and each
/// attempt is counted.
#[test]
fn a_hot_key_whose_producers_retry_buys_no_shards_twice() {
    for (attempts, calls, most) in [(0.5, 0, 10), (3.0, 1, 20), (13.3, 1, 20)] {
        let (plans, open) = played(180, |_| minute(3.0, attempts));
        let out: Vec<_> = reshards(&plans).into_iter().filter(|(from, to)| to > from).collect();
        assert!(out.len() <= calls, "{attempts}: {out:?}");
        assert!(open <= most, "{attempts}: {open} shards");
        let last = plans.last().expect("a plan");
        let believed = last.basis.throttling.missing_share < 0.5;
        assert_eq!(believed, calls > 0, "{attempts}: {:#?}", last.explain());
    }
}

/// The same attempts, but more shards take what they bring.
#[test]
fn refused_writes_that_more_shards_take_are_demand() {
    let offered = 24.0;
    let world = |open: u32| {
        let accepted = f64::min(offered, f64::from(open));
        minute(accepted, (offered - accepted) / accepted)
    };
    let (plans, open) = played(60, world);
    assert!(open >= 24, "{open}: {:?}", reshards(&plans));
    let last = plans.last().expect("a plan");
    assert!(last.basis.throttling.missing_share > 0.9, "{:#?}", last.explain());
    assert_eq!(last.open, shards(open));
}

/// One record in a day holds nothing, as it did before.
#[test]
fn one_refused_record_takes_no_scale_in_from_a_stream() {
    let one = TrafficPoint { throttled_records: Some(1.0), ..minute(3.0, 0.0) };
    let (plans, open) = played(60, |_| one);
    assert!(open < 10, "{open}: {:#?}", plans.last().map(Plan::explain));
}
