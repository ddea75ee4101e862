//! What a plan makes of a stream's size: what is not sized, what is not known, and why a size
//! stays.

use super::super::case::{Case, after, shards};
use super::super::report::{Action, Plan};
use super::*;
use crate::action::{ActionRecord, Change, Outcome};
use crate::observation::Signal;
use crate::policy::ModeSwitches;
use crate::reasons::{RefusalReason, Reporting};
use crate::series::TrafficPoint;

fn check(what: &str, case: Case, sizing: fn(HoldReason) -> Sizing, reason: HoldReason) {
    let plan = case.plan();
    assert_eq!(
        (plan.sizing.clone(), plan.action),
        (sizing(reason), Action::Hold(reason)),
        "{what}"
    );
    assert_eq!((plan.wanted(), plan.allowed()), (plan.open, plan.open), "{what}");
    assert!(plan.clamps().is_empty(), "{what}");
}

/// Ten shards, far too few, and no call left: whatever is not sized stays silent about it.
fn short() -> Case {
    Case::steady(10, 60.0).calls_made(10)
}

fn with_state(mut case: Case, change: impl Fn(&mut crate::observation::StreamState)) -> Case {
    change(&mut case.observation.state);
    case
}

#[test]
fn what_is_not_ours_to_size_is_not_sized() {
    use HoldReason::*;
    let ours = Sizing::NotOurs;
    let status = |status| with_state(short(), |state| state.status = status);
    let on_demand = || with_state(short(), |state| state.mode = CapacityMode::OnDemand);
    let mut paused = status(StreamStatus::Updating);
    paused.history.paused = true;
    check("paused, before all else", paused, ours, Paused);
    check("being created", status(StreamStatus::Creating), ours, StreamNotActive);
    check("being changed", status(StreamStatus::Updating), ours, ReshardInProgress);
    let refusing = |minutes, share: f64| {
        let mut case = status(StreamStatus::Updating).minutes(0..minutes, |point| {
            point.throttled_records = point.accepted_records.map(|accepted| share * accepted);
        });
        case.history.actions = Some(Vec::new());
        case
    };
    check("being changed, of late too small", refusing(20, 0.05), ours, ReshardInProgress);
    check("being changed, too small for long", refusing(31, 0.05), ours, ReshardStalled);
    check("a few writes of uneven seconds", refusing(31, 0.005), ours, ReshardInProgress);
    let called = refusing(31, 0.05).calls_made(1);
    check("a change that may end it", called, ours, ReshardInProgress);
    let just = |case: Case, change| {
        let record = ActionRecord { at: after(0), change, outcome: Outcome::Accepted };
        let mut case = case;
        case.history.actions = Some(vec![record]);
        case
    };
    let reshard = Change::Reshard { from: shards(10), to: shards(20) };
    check("just asked for", just(short(), reshard), ours, ReshardSettling);
    let back = Change::SwitchMode { to: CapacityMode::Provisioned };
    check("a switch, before the mode", just(on_demand(), back), ours, ModeSwitchSettling);
    check("on demand", on_demand(), ours, StreamOnDemand);
    let mut blind = on_demand();
    blind.observation.minutes = Signal::Missing("down".to_owned());
    check("on demand, before what is not known", blind, ours, StreamOnDemand);
}

#[test]
fn a_planner_that_knows_nothing_says_so() {
    use HoldReason::{MetricsUnreadable, NoMetrics};
    let unreadable = |mut case: Case| {
        case.observation.minutes = Signal::Missing("denied".to_owned());
        case
    };
    let empty = |case: Case| {
        let mut case = case.minutes(0..240, |point| *point = TrafficPoint::default());
        case.history.days.points.clear();
        case
    };
    let calm = || Case::steady(10, 5.0);
    check("unreadable", unreadable(calm()), Sizing::Blind, MetricsUnreadable);
    check("nothing in them", empty(calm()), Sizing::Blind, NoMetrics);
    check("none of the minutes", empty(calm()).young(0), Sizing::Blind, NoMetrics);
    assert_eq!(unreadable(calm()).plan().revisit_at, after(1));
    assert_eq!(empty(calm()).plan().revisit_at, after(7));
    // A floor needs no metrics; nothing else asks for a size then.
    let clamps = |plan: &Plan| plan.clamps().iter().map(|c| c.reason).collect::<Vec<_>>();
    let event = unreadable(calm()).event(-10, 14).plan();
    assert_eq!(event.action, Action::Reshard { from: shards(10), to: shards(14) });
    assert_eq!((event.wanted(), clamps(&event)), (shards(10), vec![ClampReason::ScheduleMinimum]));
    let floor = empty(calm()).bounds(12, 20).plan();
    assert_eq!(floor.action, Action::Reshard { from: shards(10), to: shards(12) });
    check(
        "and a maximum is no floor",
        unreadable(calm()).bounds(1, 5),
        Sizing::Blind,
        MetricsUnreadable,
    );
}

/// Why a stream keeps the size it has, where demand asks for no other.
#[test]
fn a_size_that_stays_has_a_reason_that_was_found() {
    let kept = |what: &str, case: Case, reason: HoldReason| {
        let plan = case.plan();
        assert_eq!(plan.action, Action::Hold(reason), "{what}: {:#?}", plan.explain());
        assert!(plan.clamps().is_empty(), "{what}: {:?}", plan.clamps());
    };
    let refused = |point: &mut TrafficPoint| {
        point.throttled_records = point.accepted_records.map(|accepted| 0.035 * accepted);
    };
    let gone = |point: &mut TrafficPoint| *point = TrafficPoint::default();
    let snug = |load| Case::steady(10, load);
    kept("enough", snug(9.4), HoldReason::OnTarget);
    let above = || Case::with(10, |age| if age < 3 { 10.15 } else { 9.4 });
    kept("a little too little", above(), HoldReason::NotWorthACall);
    kept("and no call left", above().calls_made(10), HoldReason::BudgetSpent);
    // Without the ledger nobody knows which size refused it: nothing is learnt.
    let unlearnt = Case::steady(10, 6.2).without_ledger().minute(2, refused);
    kept("refused below capacity", unlearnt, HoldReason::WritesThrottled);
    kept("too old to tell", snug(9.4).minutes(0..12, gone), HoldReason::DataStale);
    assert_eq!(HoldReason::DataStale.reporting(), Reporting::Log);
}

#[test]
fn the_last_clamp_is_the_reason_of_a_hold() {
    let held = short().plan();
    assert_eq!(held.action, Action::Hold(HoldReason::BudgetSpent));
    assert!(held.wanted() >= shards(60) && held.allowed() == shards(10));
    // A stream made large before a launch, forty minutes ago.
    let launch = Case::steady(100, 2.0).young(40).plan();
    assert_eq!(launch.action, Action::Hold(HoldReason::Learning));
}

#[test]
fn the_largest_stream_that_is_too_small_says_so() {
    let plan = Case::steady(10_000, 12_000.0).plan();
    assert_eq!(plan.action, Action::Hold(HoldReason::StreamLimit));
    assert!(plan.wanted() > shards(12_000), "{}", plan.wanted());
}

/// No share of a step is asked for that nothing has shown: a hundred shards, never above 101 of
/// load.
#[test]
fn what_is_wanted_is_what_demand_asks_for_and_what_is_added_is_believable() {
    for calls_made in 0..10 {
        let case = Case::with(100, |age| if age < 180 { 100.9 } else { 99.0 });
        let plan = case.calls_made(calls_made).plan();
        assert!(plan.wanted() <= shards(152), "{calls_made} made: {} wanted", plan.wanted());
        assert!(plan.allowed() <= shards(152), "{calls_made} made: {} allowed", plan.allowed());
    }
}

#[test]
fn in_an_emergency_the_plan_says_which_size_was_taken_to_be_there_sooner() {
    let plan = Case::with(100, |age| if age < 40 { 125.0 } else { 70.0 }).plan();
    let clamp = plan.clamps().first().expect("a clamp");
    assert_eq!(clamp.reason, ClampReason::ReachedSooner);
    assert!(plan.wanted() >= shards(125) && plan.wanted() == clamp.from);
    assert!(Case::with(100, |_| 99.0).plan().clamps().is_empty());
}

/// Six shards and ten times as much demand, at most minutes ago refused to go on demand.
#[test]
fn a_switch_that_aws_refused_lately_gives_way_to_the_reshard() {
    let refused = |minutes: &[i64], reason| {
        let switch = Change::SwitchMode { to: CapacityMode::OnDemand };
        let record = |minute: &i64| ActionRecord {
            at: after(-minute),
            change: switch,
            outcome: Outcome::Refused { reason },
        };
        let mut case = Case::with(6, |age| if age < 3 { 60.0 } else { 4.0 });
        case.policy.mode_switches = ModeSwitches::Automatic;
        case.history.actions = Some(minutes.iter().map(record).collect());
        case.plan()
    };
    use RefusalReason::{AccessDenied, LimitReached, ServiceFailed, StreamBusy, TargetRefused};
    let tens: Vec<i64> = (1..=10).collect();
    let reshard = Action::Reshard { from: shards(6), to: shards(12) };
    for (reason, hold) in [
        (LimitReached, HoldReason::LimitReached),
        (AccessDenied, HoldReason::AccessDenied),
        (TargetRefused, HoldReason::TargetRefused),
        (ServiceFailed, HoldReason::ServiceFailed),
        (RefusalReason::AccountQuota, HoldReason::AccountQuota),
    ] {
        let plan = refused(&tens, reason);
        assert_eq!(plan.action, reshard, "{reason}");
        assert_eq!(plan.wanted_mode.and_then(|wanted| wanted.withheld), Some(hold));
    }
    let switches = |plan: Plan| matches!(plan.action, Action::SwitchMode { .. });
    assert!(switches(refused(&[], LimitReached)));
    assert!(switches(refused(&[60, 80], LimitReached)), "an hour is over");
    assert!(!switches(refused(&[59], LimitReached)));
    assert!(switches(refused(&tens, StreamBusy)), "passes by itself");
}

/// No switch is asked for that the account has no room for.
#[test]
fn an_account_full_of_streams_on_demand_reshards() {
    let action = |streams_left| {
        let mut case = Case::with(6, |age| if age < 3 { 60.0 } else { 4.0 }).quota(500, 6);
        case.policy.mode_switches = ModeSwitches::Automatic;
        let Signal::Known { value, .. } = &mut case.observation.quota else { panic!("a quota") };
        value.on_demand_streams_left = streams_left;
        let plan = case.plan();
        (plan.action, plan.wanted_mode.and_then(|wanted| wanted.withheld))
    };
    let reshard = Action::Reshard { from: shards(6), to: shards(12) };
    assert_eq!(action(Some(0)), (reshard, Some(HoldReason::OnDemandQuota)));
    for room in [Some(1), None] {
        assert!(matches!(action(room), (Action::SwitchMode { .. }, None)), "{room:?}");
    }
}

/// Minutes that are not known say nothing of calm, however short the window for scale-in is.
#[test]
fn nobody_returns_to_provisioned_over_a_gap() {
    let calm_again = |gap: bool| {
        let load = |age| if (30..120).contains(&age) { 60.0 } else { 3.2 };
        let mut case = Case::with(6, load);
        case.policy.mode_switches = ModeSwitches::Automatic;
        case.policy.scale_in_after_minutes = 5;
        case.observation.state.mode = CapacityMode::OnDemand;
        let lost = if gap { 8..19 } else { 0..0 };
        case.minutes(lost, |point| *point = TrafficPoint::default()).plan().action
    };
    assert!(matches!(calm_again(false), Action::SwitchMode { .. }));
    assert_eq!(calm_again(true), Action::Hold(HoldReason::StreamOnDemand));
}
