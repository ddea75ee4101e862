//! A row for every rule: where it holds, where it does not, and which rules stand before and after
//! it.

use super::super::case::{Case, after, shards};
use super::*;
use crate::action::{ActionRecord, Change, Outcome};
use crate::reasons::RefusalReason;
use crate::series::TrafficPoint;
use ClampReason::*;

/// What `size` becomes, rule by rule.
fn clamped(case: &Case, size: u32) -> Vec<(ClampReason, u32)> {
    let mut clamps = Vec::new();
    let allowed = apply(&case.context(), shards(size), &mut clamps);
    let last = clamps.last().map_or(shards(size), |clamp| clamp.to);
    assert_eq!(allowed, last);
    clamps.iter().map(|clamp| (clamp.reason, clamp.to.get())).collect()
}

fn check(what: &str, case: Case, size: u32, expected: &[(ClampReason, u32)]) {
    assert_eq!(clamped(&case, size), expected, "{what}: {size} asked for");
}

/// Ten shards at half of their capacity.
fn calm() -> Case {
    Case::steady(10, 5.0)
}

/// Ten shards and more demand than they take.
fn surge(load: f64) -> Case {
    Case::with(10, move |age| if age < 40 { load } else { 5.0 })
}

/// A consumer that is so many minutes behind, in minutes of these ages.
fn behind(case: Case, minutes: f64, ages: std::ops::Range<usize>) -> Case {
    case.minutes(ages, |point| point.iterator_age_millis = Some(minutes * 60_000.0))
}

#[test]
fn a_call_leads_further_the_fewer_are_left_but_not_beyond_what_is_believable() {
    check("ten calls left: 1.14 times", surge(12.0), 11, &[(MinimumStep, 12)]);
    check("far enough by itself", surge(12.0), 12, &[]);
    check("four calls left: 1.35 times", surge(12.0).calls_made(6), 11, &[(MinimumStep, 14)]);
    check(
        "one left: 2.4 times, but 1.5 times now",
        surge(10.2).calls_made(9),
        11,
        &[(MinimumStep, 16)],
    );
    check("the first day: half as much again", surge(12.0).young(60), 11, &[(MinimumStep, 15)]);
    check(
        "the first day too only what is believable",
        surge(10.2).young(60),
        11,
        &[(MinimumStep, 15)],
    );
    check("shards are not added", calm().calls_made(4), 10, &[]);
    check(
        "before the bounds",
        surge(12.0).bounds(14, 100),
        11,
        &[(MinimumStep, 12), (PolicyMinimum, 14)],
    );
}

#[test]
fn bounds_of_the_policy_and_known_events() {
    check("below the minimum", calm().bounds(8, 100), 6, &[(PolicyMinimum, 8)]);
    check("at the minimum", calm().bounds(8, 100), 8, &[]);
    check("an event under way", calm().event(-10, 12), 10, &[(ScheduleMinimum, 12)]);
    check("an event that is over", calm().event(-121, 12), 10, &[]);
    check(
        "minimum, then event",
        calm().bounds(8, 100).event(-10, 12),
        6,
        &[(PolicyMinimum, 8), (ScheduleMinimum, 12)],
    );
    check("above the maximum", surge(12.0).bounds(1, 14), 18, &[(PolicyMaximum, 14)]);
    check("at the maximum", surge(12.0).bounds(1, 18), 18, &[]);
    check(
        "event, then maximum",
        calm().bounds(1, 11).event(-10, 12),
        10,
        &[(ScheduleMinimum, 12), (PolicyMaximum, 11)],
    );
    check(
        "maximum, then double",
        calm().bounds(1, 25),
        30,
        &[(PolicyMaximum, 25), (AboveDouble, 20)],
    );
}

#[test]
fn a_maximum_below_the_load_takes_away_no_more_than_present_demand_leaves() {
    let busy = |load, max| Case::steady(100, load).bounds(1, max);
    check("room above demand is given up", busy(90.0, 10), 100, &[(PolicyMaximum, 90)]);
    check("all is in use", busy(130.0, 10), 150, &[(PolicyMaximum, 100)]);
    check(
        "a calm stream comes down, by halves",
        busy(2.0, 10),
        100,
        &[(PolicyMaximum, 10), (BelowHalf, 50)],
    );
}

#[test]
fn what_aws_takes_from_one_call() {
    check("more than double", calm(), 21, &[(AboveDouble, 20)]);
    check("double", calm(), 20, &[]);
    check("less than half", calm(), 4, &[(BelowHalf, 5)]);
    check("half", calm(), 5, &[]);
    let large = |open| Case::steady(open, 5_000.0);
    check("the largest stream", large(6_000), 11_000, &[(StreamLimit, 10_000)]);
    check("within the limit", large(6_000), 9_999, &[]);
    check(
        "limit, then maximum",
        large(6_000).bounds(1, 9_000),
        11_000,
        &[(StreamLimit, 10_000), (PolicyMaximum, 9_000)],
    );
    check(
        "larger already, and stays",
        large(12_000),
        12_001,
        &[(StreamLimit, 12_000), (PolicyMaximum, 10_000)],
    );
}

#[test]
fn the_calls_of_the_day() {
    check("none left, more is needed", surge(12.0).calls_made(10), 20, &[(BudgetSpent, 10)]);
    check("none left, less is needed", calm().calls_made(10), 6, &[(BudgetSpent, 10)]);
    check("none left, and none needed", calm().calls_made(10), 10, &[]);
    check("one left", surge(12.0).calls_made(9), 20, &[]);
    check(
        "double, then calls",
        surge(12.0).calls_made(10),
        30,
        &[(AboveDouble, 20), (BudgetSpent, 10)],
    );
    check(
        "calls, before what else holds a scale-in",
        calm().calls_made(10).young(60),
        6,
        &[(BudgetSpent, 10)],
    );
}

/// Every rule that holds a scale-in: alone it does, it lets a scale-out pass, and it goes before
/// the next.
#[test]
fn what_takes_no_shards_away() {
    let gone = |point: &mut TrafficPoint| *point = TrafficPoint::default();
    let refused = |point: &mut TrafficPoint| {
        point.throttled_records = point.accepted_records.map(|accepted| 0.05 * accepted);
    };
    let one = |point: &mut TrafficPoint| point.throttled_records = Some(1.0);
    let stale = |case: Case| case.minutes(0..11, gone);
    let fresh = |case: Case| case.minutes(0..10, gone);
    let missing = |case: Case| case.minute(20, gone);
    let young = |case: Case| case.young(60);
    let throttled = |case: Case| case.minute(9, refused);
    let outage = |case: Case| {
        case.minutes(0..6, |point| point.accepted_bytes = Some(0.0))
            .minutes(0..6, |point| point.accepted_records = Some(0.0))
    };
    let lagging = |case: Case| behind(case, 15.0, 0..60);
    let silent = |case: Case| behind(case, 0.0, 10..60);
    let ledgerless = |case: Case| case.without_ledger();
    let reserved = |mut case: Case| {
        case.policy.reserved_calls = 10;
        case
    };
    let scheduled = |mut case: Case| {
        case.policy.reserved_calls = 0;
        case.calls_made(7).event(300, 80)
    };
    type Making<'a> = &'a dyn Fn(Case) -> Case;
    let holding: [(ClampReason, Making<'_>); 10] = [
        (DataStale, &stale),
        (DataMissing, &missing),
        (Learning, &young),
        (WritesThrottled, &throttled),
        (DropLooksLikeOutage, &outage),
        (ConsumerLagging, &lagging),
        (ConsumerSilent, &silent),
        (LedgerUnavailable, &ledgerless),
        (BudgetReserved, &reserved),
        (ScheduleReserved, &scheduled),
    ];
    for pair in holding.windows(2) {
        let (reason, making) = &pair[0];
        check("alone", making(calm()), 6, &[(*reason, 10)]);
        assert_eq!(clamped(&making(calm()), 10), [], "{reason}: nothing is to be held");
        let out: Vec<ClampReason> = clamped(&making(calm()), 20).into_iter().map(|c| c.0).collect();
        assert!(!out.contains(reason), "{reason} holds a scale-out: {out:?}");
        let (next, also) = &pair[1];
        // Who is far behind is not silent, and without a ledger no calls are counted.
        if !matches!(next, ConsumerSilent | BudgetReserved) {
            check("before the next", making(also(calm())), 6, &[(*reason, 10)]);
        }
        check("alone", also(calm()), 6, &[(*next, 10)]);
    }
    check("none of them", calm(), 6, &[]);
    check("ten minutes old is not stale, but a gap", fresh(calm()), 6, &[(DataMissing, 10)]);
    check("a refusal eleven minutes ago", calm().minute(10, refused), 6, &[]);
    check("one record in ten minutes", calm().minute(9, one), 6, &[]);
    check("just below the lag that holds", behind(calm(), 14.9, 0..60), 6, &[]);
    check("a consumer that never reported", calm(), 6, &[]);
    check("four calls left, three kept", calm().calls_made(6), 6, &[]);
}

#[test]
fn what_a_consumer_said_long_ago_is_not_said_now() {
    check(
        "far behind three hours ago, silent since",
        behind(calm(), 20.0, 180..200),
        6,
        &[(ConsumerSilent, 10)],
    );
    assert_eq!(behind(calm(), 20.0, 10..20).context().basis.consumer_lag_seconds, None);
    assert_eq!(behind(calm(), 20.0, 9..20).context().basis.consumer_lag_seconds, Some(1_200));
}

#[test]
fn no_size_is_given_up_that_the_calls_left_could_not_bring_back() {
    let peak = || Case::with(12, |age| if (600..610).contains(&age) { 40.0 } else { 2.0 });
    check("five left: three doublings", peak().calls_made(5), 6, &[]);
    check("four left: two doublings", peak().calls_made(6), 6, &[(WayBack, 10)]);
    check("no more than are open", peak().calls_made(6).bounds(1, 100), 11, &[]);
    check(
        "then the quota",
        peak().calls_made(6).quota(100, 100),
        6,
        &[(WayBack, 10), (AccountQuota, 12)],
    );
}

#[test]
fn the_account_has_room_for_the_temporary_shards_too() {
    let account = |limit, open| surge(18.0).quota(limit, open);
    check("a mixture, with room for its temporary shard", account(100, 93), 16, &[]);
    check("a mixture, without", account(100, 94), 16, &[(AccountQuota, 15)]);
    check("doubling needs none", account(100, 90), 20, &[]);
    check("doubling, one short", account(100, 91), 20, &[(AccountQuota, 18)]);
    check("no room at all", account(100, 100), 20, &[(AccountQuota, 10)]);
    check("above its quota", account(100, 105), 20, &[(AccountQuota, 10)]);
    let full = |open| Case::steady(open, 5.0).quota(100, 100);
    check("a full account frees shards by halving", full(40), 5, &[(BelowHalf, 20)]);
    check("merges and splits need a shard", full(40), 25, &[(AccountQuota, 40)]);
    check("double, then the quota", account(100, 93), 30, &[(AboveDouble, 20), (AccountQuota, 16)]);
    let unread = surge(18.0);
    check("a quota that could not be read", unread, 20, &[]);
}

/// An account that may not read its quota, and has room for less than is asked for.
#[test]
fn where_the_quota_cannot_be_read_refusals_tell_of_it() {
    let refused = |from: u32, sizes: &[u32], reason| {
        let record = |to: &u32| ActionRecord {
            at: after(-5),
            change: Change::Reshard { from: shards(from), to: shards(*to) },
            outcome: Outcome::Refused { reason },
        };
        let mut case = surge(18.0);
        case.history.actions = Some(sizes.iter().map(record).collect());
        case
    };
    let quota = RefusalReason::AccountQuota;
    check("half of what was refused", refused(10, &[20], quota), 20, &[(AccountQuota, 15)]);
    check("half of that", refused(10, &[20, 15], quota), 20, &[(AccountQuota, 12)]);
    check(
        "until nothing is left",
        refused(10, &[20, 15, 12, 11], quota),
        20,
        &[(AccountQuota, 10)],
    );
    check("from another size", refused(8, &[16], quota), 20, &[]);
    check("passes by itself", refused(10, &[20], RefusalReason::CallsPerSecond), 20, &[]);
    check("a quota that is known", refused(10, &[20], quota).quota(100, 10), 20, &[]);
}
