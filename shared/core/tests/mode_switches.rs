//! The law of mode switches, at the level of what is remembered: whatever is asked for, and
//! whatever becomes of it, AWS never sees a third call in 24 hours.
//!
//! Clocks of functions differ by seconds and may be set back by hours; what AWS counts by is the
//! true time. A clock that is set forward far and then back is not covered: no ledger written by it
//! could tell. Not here: the loop that writes the ledger (the simulator runs it).

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use weir_core::action::{ActionRecord, Change, ChangeKind, Outcome, settling};
use weir_core::budget::Budget;
use weir_core::limits;
use weir_core::observation::{CapacityMode, StreamState, StreamStatus};
use weir_core::reasons::RefusalReason;
use weir_core::units::Shards;

/// A function's attempt to switch, and what goes wrong with it.
#[derive(Clone, Debug)]
struct Attempt {
    /// True seconds since the attempt before.
    after_seconds: i64,
    /// Seconds by which this function's clock is off.
    skew_seconds: i64,
    /// Seconds by which all clocks are set back from here on.
    set_back_seconds: i64,
    /// Seconds from the intent to AWS.
    call_seconds: i64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Accepted,
    /// AWS takes no call: a refusal.
    Refused,
    /// The answer is lost. Whether AWS took the call is for AWS to know; here it did.
    Lost,
    /// The function dies between the call and writing down what became of it.
    Dies,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let fate = prop_oneof![
        4 => Just(Fate::Accepted), 1 => Just(Fate::Refused), 1 => Just(Fate::Lost),
        1 => Just(Fate::Dies),
    ];
    // Often two close together and a third about a day later: where the window ends is where it can
    // go wrong.
    let after = prop_oneof![0i64..60, 0i64..100_000, 86_280i64..86_460];
    let set_back = prop_oneof![20 => Just(0i64), 1 => 0i64..50_000];
    let attempt = (after, -40i64..=40, set_back, 0i64..=30, fate);
    vec(attempt, 1..40).prop_map(|attempts| {
        attempts
            .into_iter()
            .map(|(after_seconds, skew_seconds, set_back_seconds, call_seconds, fate)| Attempt {
                after_seconds,
                skew_seconds,
                set_back_seconds,
                call_seconds,
                fate,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn aws_never_sees_a_third_switch_in_24_hours(attempts in attempts()) {
        let (mut truth, mut set_back) = (1_800_000_000i64, 0i64);
        let mut ledger: Vec<ActionRecord> = Vec::new();
        let mut seen_by_aws: Vec<i64> = Vec::new();
        for attempt in attempts {
            truth += attempt.after_seconds;
            set_back += attempt.set_back_seconds;
            let now = Timestamp::from_second(truth - set_back + attempt.skew_seconds).expect("a time");
            let change = Change::SwitchMode { to: CapacityMode::OnDemand };
            let budget = Budget::at(now, &ledger);
            prop_assert_eq!(
                budget.spent_on(change).is_some(),
                budget.mode_switches_used >= limits::MODE_SWITCHES_PER_DAY_MAX
            );
            if budget.spent_on(change).is_some() {
                continue;
            }
            let called_at = truth + attempt.call_seconds;
            let outcome = match attempt.fate {
                Fate::Accepted => Outcome::Accepted,
                Fate::Refused => Outcome::Refused { reason: RefusalReason::LimitReached },
                Fate::Lost => Outcome::Unknown,
                Fate::Dies => Outcome::Intended,
            };
            ledger.push(ActionRecord { at: now, change, outcome });
            if outcome.counts() {
                seen_by_aws.push(called_at);
            }
            let in_a_day = |at: &&i64| (called_at - **at).abs() < limits::BUDGET_WINDOW_SECONDS;
            prop_assert!(
                !outcome.counts() || seen_by_aws.iter().filter(in_a_day).count() <= 2,
                "{:?}", seen_by_aws
            );
        }
    }
}

#[test]
fn reshards_and_switches_are_counted_apart_and_each_says_when_one_is_freed() {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let action =
        |when: &str, change| ActionRecord { at: at(when), change, outcome: Outcome::Accepted };
    let reshard = Change::Reshard { from: Shards::ONE, to: Shards::ONE.doubled() };
    let switch = |to| Change::SwitchMode { to };
    let actions = [
        action("2026-11-21T01:00:00Z", reshard),
        action("2026-11-21T02:00:00Z", switch(CapacityMode::OnDemand)),
        action("2026-11-21T09:00:00Z", switch(CapacityMode::Provisioned)),
    ];
    let budget = Budget::at(at("2026-11-21T12:00:00Z"), &actions);
    assert_eq!((budget.reshards_left(), budget.mode_switches_left()), (9, 0));
    assert_eq!(budget.next_reshard_freed_at, Some(at("2026-11-22T01:02:00Z")));
    assert_eq!(budget.next_mode_switch_freed_at, Some(at("2026-11-22T02:02:00Z")));
    let to_on_demand = switch(CapacityMode::OnDemand);
    assert_eq!(budget.spent_on(to_on_demand), Some(RefusalReason::ModeSwitchesSpent));
    assert_eq!(budget.spent_on(reshard), None);
}

#[test]
fn a_change_settles_until_the_stream_shows_it_or_a_minute_is_over() {
    let four = Shards::at_least_one(4);
    let state = |mode, open_shards| StreamState {
        mode,
        status: StreamStatus::Active,
        open_shards,
        retention_hours: 24,
        held_on_demand_by: None,
        created_at: None,
    };
    let after = |change, outcome, state: &StreamState, seconds: i64| {
        let at = Timestamp::from_second(1_800_000_000).expect("a time");
        let now = Timestamp::from_second(1_800_000_000 + seconds).expect("a time");
        settling(&[ActionRecord { at, change, outcome }], state, now)
    };
    use CapacityMode::{OnDemand, Provisioned};
    let switch = Change::SwitchMode { to: OnDemand };
    let before = state(Provisioned, four);
    let settles = Some(ChangeKind::SwitchMode);
    assert_eq!(after(switch, Outcome::Accepted, &before, 59), settles);
    assert_eq!(after(switch, Outcome::Unknown, &before, 59), settles);
    assert_eq!(after(switch, Outcome::Accepted, &before, 60), None);
    assert_eq!(after(switch, Outcome::Accepted, &state(OnDemand, four), 1), None);
    let refused = Outcome::Refused { reason: RefusalReason::StreamBusy };
    assert_eq!(after(switch, refused, &before, 1), None);
    // There and back within a minute: only the way back is waited for.
    let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).expect("a time");
    let switched = |second, to| ActionRecord {
        at: at(second),
        change: Change::SwitchMode { to },
        outcome: Outcome::Accepted,
    };
    let there_and_back = [switched(0, OnDemand), switched(30, Provisioned)];
    assert_eq!(settling(&there_and_back, &before, at(31)), None);
    assert_eq!(settling(&there_and_back, &state(OnDemand, four), at(31)), settles);
    let reshard = Change::Reshard { from: four, to: four.doubled() };
    assert_eq!(after(reshard, Outcome::Accepted, &before, 1), Some(ChangeKind::Reshard));
    assert_eq!(after(reshard, Outcome::Accepted, &state(Provisioned, four.doubled()), 1), None);
}
