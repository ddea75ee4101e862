//! Plans before and during an event that the operator knows of: which limit decides, and what is
//! said.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use support::{after, past, plan_of, reshard, shards};
use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, Plan};
use weir_core::policy::schedule::{Need, Schedule, Span, When};
use weir_core::policy::{Bounds, OperatingMode, Policy};
use weir_core::reasons::{ClampReason, HoldReason};
use weir_core::series::Series;
use weir_core::units::Shards;

/// An event of two hours that begins in so many minutes.
fn event(begins: i64, min: u32) -> Policy {
    let span = Span::new(after(begins), after(begins + 120)).expect("a span");
    let when = When::Once(span);
    let need = Need::Shards(shards(min));
    let schedule = Schedule { name: "market open".to_owned(), when, need };
    Policy { operating_mode: OperatingMode::Act, schedules: vec![schedule], ..Policy::DEFAULT }
}

/// A load of two shards, for days.
fn calm(policy: &Policy, open: u32, calls_made: usize) -> Plan {
    past(policy, open, calls_made, |_| 2.0)
}

fn reasons(plan: &Plan) -> Vec<ClampReason> {
    plan.clamps().iter().map(|clamp| clamp.reason).collect()
}

#[test]
fn an_event_far_off_costs_nothing_yet() {
    assert_eq!(calm(&event(300, 40), 3, 0).action, Action::Hold(HoldReason::OnTarget));
}

#[test]
fn an_event_that_is_near_is_met_and_named() {
    let plan = calm(&event(5, 40), 20, 0);
    assert_eq!(plan.action, reshard(20, 40));
    insta::assert_snapshot!(plan.explain().join("\n"));
}

#[test]
fn the_next_look_is_when_the_next_call_is_due() {
    let plan = calm(&event(10, 6), 3, 0); // from 3 to 6 in seven minutes
    assert_eq!((plan.action, plan.revisit_at), (Action::Hold(HoldReason::OnTarget), after(3)));
}

#[test]
fn an_event_that_was_learnt_of_too_late_goes_as_fast_as_it_can() {
    let plan = calm(&event(-10, 40), 4, 0);
    assert_eq!(plan.action, reshard(4, 8));
    assert!(reasons(&plan).contains(&ClampReason::AboveDouble));
}

#[test]
fn without_any_data_the_schedule_still_holds() {
    let nothing = |seconds| Series::empty(after(0), seconds);
    let plan = plan_of(&event(-10, 40), 30, nothing(60), nothing(DAYS_PERIOD_SECONDS), vec![]);
    assert_eq!(plan.action, reshard(30, 40));
    assert_eq!(reasons(&plan), [ClampReason::ScheduleMinimum]);
}

#[test]
fn the_policys_maximum_holds_for_an_event_too() {
    let bounds = Bounds::new(Shards::ONE, shards(30)).expect("bounds");
    let plan = calm(&Policy { bounds, ..event(-10, 40) }, 20, 0);
    assert_eq!(plan.action, reshard(20, 30));
    assert!(reasons(&plan).contains(&ClampReason::PolicyMaximum));
}

#[test]
fn shards_are_kept_where_giving_them_back_would_take_an_events_calls() {
    // Ten hours ahead four calls lead from 32 to 320; six of the day's ten are spent.
    let policy = Policy { reserved_calls: 0, ..event(600, 320) };
    assert_eq!(calm(&policy, 32, 6).action, Action::Hold(HoldReason::ScheduleReserved));
    assert!(matches!(calm(&policy, 32, 4).action, Action::Reshard { .. }));
}

#[test]
fn an_event_that_is_over_keeps_nothing() {
    assert_eq!(calm(&event(-120, 40), 40, 0).action, reshard(40, 20));
}
