//! From a plan to what people hear of it: which plans become events, and which of those incidents.
//!
//! Not here: what a plan withholds and why (`weir_core::plan`), or the words of a message
//! (`messages`).

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use jiff::{SignedDuration, Timestamp};
use weir_control::event::CapacityPlanned;
use weir_control::plan_id::PlanId;
use weir_control::raise_alerts::facts;
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::alarms::AlarmPrefix;
use weir_core::history::History;
use weir_core::incident::{Subject, Trouble};
use weir_core::observation::{CapacityMode, Observation, Signal, StreamState, StreamStatus};
use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED, Plan, plan};
use weir_core::policy::{ModeSwitches, OperatingMode, Policy};
use weir_core::reasons::HoldReason;
use weir_core::series::{Series, TrafficPoint};
use weir_core::units::{Shards, StreamName};

fn now() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().expect("a time")
}

/// Ten open shards and two days of this load; a call each minute of the last so many.
struct Case {
    policy: Policy,
    observation: Observation,
    history: History,
}

fn case(load: f64, calls_made: i64) -> Case {
    let series = |count: u32, seconds: u32| {
        let bytes = load * 1_048_576.0 * f64::from(seconds);
        let point = TrafficPoint {
            accepted_bytes: Some(bytes),
            accepted_records: Some(bytes / 10_000.0),
            ..TrafficPoint::default()
        };
        Series {
            start: now() - SignedDuration::from_secs(i64::from(count) * i64::from(seconds)),
            period_seconds: seconds,
            points: vec![point; usize::try_from(count).expect("a count")],
        }
    };
    let open_shards = Shards::at_least_one(10);
    let call = |minute: i64| ActionRecord {
        at: now() - SignedDuration::from_mins(minute + 5),
        change: Change::Reshard { from: open_shards, to: open_shards },
        outcome: Outcome::Accepted,
    };
    Case {
        policy: Policy { operating_mode: OperatingMode::Act, ..Policy::DEFAULT },
        observation: Observation {
            stream: StreamName::new("orders").expect("a name"),
            observed_at: now(),
            state: StreamState {
                mode: CapacityMode::Provisioned,
                status: StreamStatus::Active,
                open_shards,
                retention_hours: 24,
                held_on_demand_by: None,
                created_at: None,
            },
            minutes: Signal::Known { value: series(MINUTES_OBSERVED, 60), read_at: now() },
            quota: Signal::Missing("not read".to_owned()),
        },
        history: History {
            days: series(2 * 288, DAYS_PERIOD_SECONDS),
            actions: Some((0..calls_made).map(call).collect()),
            profile: None,
            paused: false,
        },
    }
}

impl Case {
    fn plan(&self) -> Plan {
        plan(&self.policy, &self.observation, &self.history, now())
    }
}

/// The failure of Weir's own that a plan is, and of which stream.
fn trouble(plan: &Plan) -> Option<(Trouble, bool)> {
    let planned = CapacityPlanned::new(PlanId::of(now(), 1, plan.order()), plan);
    let (subject, _) = facts::of_plan(&AlarmPrefix::default(), &planned)?;
    match subject {
        Subject::Weir { trouble, stream } => Some((trouble, stream.is_some())),
        Subject::Consumer { .. } => None,
    }
}

#[test]
fn a_stream_that_was_rescued_by_on_demand_is_no_failure_and_no_news() {
    let mut rescued = case(60.0, 10);
    assert_eq!(trouble(&rescued.plan()), Some((Trouble::Withheld, true)));
    rescued.observation.state.mode = CapacityMode::OnDemand;
    for mode_switches in [ModeSwitches::Never, ModeSwitches::Automatic] {
        rescued.policy.mode_switches = mode_switches;
        let plan = rescued.plan();
        assert_eq!(plan.action, Action::Hold(HoldReason::StreamOnDemand));
        assert_eq!((plan.withheld(), trouble(&plan)), (None, None));
    }
}

#[test]
fn a_way_back_that_is_withheld_is_published_and_wakes_nobody() {
    let mut calm = case(2.0, 0);
    calm.policy.mode_switches = ModeSwitches::Automatic;
    calm.observation.state.mode = CapacityMode::OnDemand;
    assert!(matches!(calm.plan().action, Action::SwitchMode { .. }));
    let switch = |minutes, to| ActionRecord {
        at: now() - SignedDuration::from_mins(minutes),
        change: Change::SwitchMode { to },
        outcome: Outcome::Accepted,
    };
    calm.history.actions =
        Some(vec![switch(600, CapacityMode::Provisioned), switch(300, CapacityMode::OnDemand)]);
    let plan = calm.plan();
    assert_eq!(plan.withheld(), Some(HoldReason::ModeSwitchesSpent));
    assert_eq!(trouble(&plan), None);
}

#[test]
fn a_planner_that_cannot_read_is_one_failure_of_the_installation() {
    let mut blind = case(2.0, 0);
    blind.observation.minutes = Signal::Missing("AccessDenied".to_owned());
    blind.history.days.points.clear();
    let told = Some((Trouble::Blind, false));
    for (mode, told) in [(OperatingMode::Observe, None), (OperatingMode::Act, told)] {
        blind.policy.operating_mode = mode;
        let plan = blind.plan();
        assert_eq!(plan.withheld(), Some(HoldReason::MetricsUnreadable));
        assert_eq!(trouble(&plan), told);
        assert_eq!(plan.revisit_at, now() + SignedDuration::from_mins(1));
    }
}

#[test]
fn a_stream_without_metrics_is_a_notice_of_its_own() {
    let mut empty = case(2.0, 0);
    empty.history.days.points.clear();
    let Signal::Known { value, .. } = &mut empty.observation.minutes else { panic!() };
    value.points.fill(TrafficPoint::default());
    let plan = empty.plan();
    assert_eq!(plan.withheld(), Some(HoldReason::NoMetrics));
    assert_eq!(trouble(&plan), Some((Trouble::NoMetrics, true)));
    assert!(Trouble::NoMetrics.only_noticed() && !Trouble::Blind.only_noticed());
}

#[test]
fn demand_above_capacity_with_no_call_left_is_told_even_where_no_larger_size_is_worth_one() {
    let short = case(10.2, 10).plan();
    assert_eq!(short.withheld(), Some(HoldReason::BudgetSpent));
    assert_eq!(trouble(&short), Some((Trouble::Withheld, true)));
}

#[test]
fn a_calm_stream_is_kept_to_the_log() {
    let plan = case(9.4, 0).plan();
    assert_eq!(plan.action, Action::Hold(HoldReason::OnTarget));
    assert_eq!((plan.withheld(), trouble(&plan)), (None, None));
}
