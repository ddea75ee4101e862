//! What a plan says it saw, and how the time of a reshard tells in an emergency.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use support::{past, shards};
use weir_core::plan::Action;
use weir_core::policy::{OperatingMode, Policy};
use weir_core::reasons::{ClampReason, HoldReason};
use weir_core::reshard;

fn acting() -> Policy {
    Policy { operating_mode: OperatingMode::Act, ..Policy::DEFAULT }
}

#[test]
fn a_level_that_changed_is_named() {
    let plan = past(&acting(), 12, 0, |age| if age < 60 { 10.0 } else { 3.0 });
    insta::assert_snapshot!(plan.explain().join("\n"));
}

#[test]
fn a_drop_that_looks_like_an_outage_is_named() {
    let plan = past(&acting(), 12, 0, |age| if age < 40 { 0.1 } else { 10.0 });
    insta::assert_snapshot!(plan.explain().join("\n"));
}

#[test]
fn an_outage_takes_no_shards_from_its_first_minutes_on() {
    for minutes in [1, 2, 3, 4] {
        let plan = past(&acting(), 12, 0, |age| if age < minutes { 0.1 } else { 10.0 });
        assert!(plan.allowed() >= plan.open, "after {minutes} min: {:#?}", plan.explain());
    }
    for minutes in [5, 10, 25, 60] {
        let plan = past(&acting(), 12, 0, |age| if age < minutes { 0.1 } else { 10.0 });
        assert_eq!(
            plan.action,
            Action::Hold(HoldReason::DropLooksLikeOutage),
            "after {minutes} min"
        );
    }
}

/// The hour of an outage says nothing of what is needed when all are back at once, nor does what
/// was lost of it.
#[test]
fn nothing_is_taken_away_when_the_producers_are_back() {
    for left in [0.0, 0.9] {
        for back in [1, 2, 5, 15, 29] {
            for lasted in [8, 15, 60] {
                let out = |age| (back..back + lasted).contains(&age);
                let plan = past(&acting(), 35, 0, |age| if out(age) { left } else { 10.0 });
                let case = format!("{back} min after {lasted} min at {left}");
                assert!(plan.allowed() >= plan.open, "{case}: {:#?}", plan.explain());
            }
        }
        let over = |age| (40..100).contains(&age);
        let plan = past(&acting(), 35, 0, |age| if over(age) { left } else { 10.0 });
        assert!(plan.allowed() < plan.open, "{:#?}", plan.explain());
    }
}

/// A peak of 40 in the last day, and calm since: each call left doubles, and one of them is spare.
#[test]
fn nothing_is_given_up_that_the_calls_left_cannot_bring_back() {
    let calm = |age| if (600..610).contains(&age) { 40.0 } else { 2.0 };
    let allowed = |made| {
        let plan = past(&acting(), 12, made, calm);
        let clamped = plan.clamps().iter().any(|clamp| clamp.reason == ClampReason::WayBack);
        (plan.allowed().get(), clamped)
    };
    assert_eq!([5, 6].map(allowed), [(6, false), (10, true)]);
}

/// 100 → 110 takes 190 splits and merges, 14 minutes or so; 100 → 150 and 100 → 200 far fewer.
/// Where nothing throttles there is time.
#[test]
fn in_an_emergency_a_size_is_chosen_that_is_reached_soon() {
    let seconds = |to| reshard::expected(shards(100), shards(to)).as_secs();
    let plan = past(&acting(), 100, 0, |age| if age < 40 { 125.0 } else { 70.0 });
    let Action::Reshard { to, .. } = plan.action else { panic!("{:?}", plan.action) };
    assert!(to.get() > 125 && seconds(to.get()) < seconds(126), "{to}");
    assert!(seconds(to.get()) <= seconds(150), "{to}");
}
