//! Attempts are not demand: what becomes of a stream, minute by minute, whose producers try refused writes again, and
//! of one with a key that no size helps. The planner alone, in a loop; the twin is not needed for it.
#![allow(clippy::expect_used)]

mod support;

use jiff::SignedDuration;
use support::{after, observation, shards};
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::history::History;
use weir_core::plan::{Action, MINUTES_OBSERVED, plan};
use weir_core::policy::{OperatingMode, Policy};
use weir_core::series::{Series, TrafficPoint};
use weir_core::throttling::Evenness;
use weir_core::units::Shards;

const MIB_MINUTE: f64 = 60.0 * 1_048_576.0;
const RECORD_BYTES: f64 = 10_000.0;

/// What a minute came to, in shards of load.
#[derive(Clone, Copy)]
struct Came {
    accepted: f64,
    /// Refused attempts.
    refused: f64,
}

fn point(came: Came, minutes: f64) -> TrafficPoint {
    let records = |load: f64| load * MIB_MINUTE * minutes / RECORD_BYTES;
    TrafficPoint {
        accepted_bytes: Some(came.accepted * MIB_MINUTE * minutes),
        accepted_records: Some(records(came.accepted)),
        throttled_records: Some(records(came.refused)),
        ..TrafficPoint::default()
    }
}

/// Ten days of calm before, then `minutes` in the planner's hands; the sizes asked for.
fn sizes(open: u32, calm: f64, minutes: i64, mut offer: impl FnMut(i64, f64) -> Came) -> Vec<u32> {
    let policy = Policy { mode: OperatingMode::Act, ..Policy::DEFAULT };
    let before = Came { accepted: calm, refused: 0.0 };
    let mut days: Vec<TrafficPoint> = vec![point(before, 5.0); 10 * 288];
    let mut seen: Vec<TrafficPoint> = vec![point(before, 1.0); MINUTES_OBSERVED as usize];
    let (mut size, mut pending): (u32, Option<(i64, u32)>) = (open, None);
    let mut history =
        History { days: Series::empty(after(0), 300), actions: Some(Vec::new()), profile: None, paused: false };
    let (mut due, mut asked) = (0, Vec::new());
    for minute in 0..minutes {
        if let Some((at, to)) = pending.filter(|(at, _)| *at <= minute) {
            (size, pending) = (to, None);
            due = at;
        }
        if minute >= due && pending.is_none() {
            let whole = days.len() * 5 + usize::try_from(minute % 5).expect("few");
            let length = i64::try_from(whole).expect("few");
            history.days = Series {
                start: after(minute - length),
                period_seconds: 300,
                points: days.clone(),
            };
            let newest = seen[seen.len() - MINUTES_OBSERVED as usize..].to_vec();
            let start = after(minute - i64::from(MINUTES_OBSERVED));
            let series = Series { start, period_seconds: 60, points: newest };
            let mut observation = observation(size, series);
            observation.observed_at = after(minute);
            let answer = plan(&policy, &observation, &history, after(minute));
            due = minute + (answer.revisit_at.duration_since(after(minute)).as_mins()).max(1);
            if answer.learnt.is_some() {
                history.profile = answer.learnt.clone();
            }
            if let Action::Reshard { from, to } = answer.action {
                asked.push(to.get());
                pending = Some((minute + 5, to.get()));
                let record = ActionRecord {
                    at: after(minute),
                    change: Change::Reshard { from, to },
                    outcome: Outcome::Accepted,
                };
                let day = after(minute) - SignedDuration::from_hours(24);
                let actions = history.actions.get_or_insert_default();
                actions.retain(|action| action.at > day);
                actions.push(record);
            }
        }
        let came = offer(minute, f64::from(size));
        seen.push(point(came, 1.0));
        if (minute + 1) % 5 == 0 {
            let sum = |of: fn(&TrafficPoint) -> Option<f64>| {
                Some(seen[seen.len() - 5..].iter().filter_map(of).sum())
            };
            days.remove(0);
            days.push(TrafficPoint {
                accepted_bytes: sum(|p| p.accepted_bytes),
                accepted_records: sum(|p| p.accepted_records),
                throttled_records: sum(|p| p.throttled_records),
                iterator_age_millis: None,
            });
        }
    }
    let _: Shards = shards(size);
    asked
}

#[test]
fn a_hot_key_that_is_retried_without_end_is_not_paid_for() {
    for attempts in [40.0, 200.0] {
        let came = Came { accepted: 3.0, refused: attempts };
        let asked = sizes(10, 3.0, 6 * 60, |minute, _| match minute {
            0..20 => Came { refused: 0.0, ..came },
            _ => came,
        });
        let out = asked.iter().scan(10, |open, to| {
            let grew = to > open;
            *open = *to;
            Some(grew)
        });
        assert!(out.filter(|grew| *grew).count() <= 1, "{attempts}: {asked:?}");
        assert!(asked.last().is_none_or(|size| *size <= 10), "{attempts}: {asked:?}");
    }
}

#[test]
fn producers_that_retry_get_hardly_more_shards_than_those_that_give_up() {
    let second = |s: u32| 1.0 + 0.35 * (f64::from(s) - 29.5) / 29.5;
    let world = Evenness::new((0..60).map(second).collect(), Vec::new()).expect("seconds");
    let demand = |minute: i64| if minute < 120 { 8.0 } else { 20.0 };
    let gives_up = sizes(12, 8.0, 8 * 60, |minute, size| {
        let load = demand(minute);
        let refused = load * world.refused_share(load, size);
        Came { accepted: load - refused, refused }
    });
    let mut waiting = 0.0;
    let retries = sizes(12, 8.0, 8 * 60, |minute, size| {
        let load = demand(minute) + waiting;
        let refused = load * world.refused_share(load, size);
        waiting = refused;
        Came { accepted: load - refused, refused: 6.0 * refused }
    });
    let most = |asked: &[u32]| f64::from(asked.iter().copied().max().unwrap_or(12));
    assert!(most(&retries) <= 1.3 * most(&gives_up), "{retries:?} for {gives_up:?}");
    assert!(most(&retries) >= 20.0, "{retries:?}");
}
