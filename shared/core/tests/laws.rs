//! The laws of a plan, for any policy, traffic, history and time: random cases, the seed of a failure is
//! printed and kept by the test runner.

#![allow(clippy::expect_used, clippy::cast_precision_loss)] // the lint's own exception reaches test functions only

use jiff::civil::{Weekday, time};
use jiff::tz::{TimeZone, offset};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::budget::Budget;
use weir_core::demand::{Demand, Gaps, demand};
use weir_core::history::History;
use weir_core::limits;
use weir_core::observation::{
    CapacityMode, Observation, ShardQuota, Signal, StreamState, StreamStatus,
};
use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, Event, MINUTES_OBSERVED, Motive, Plan, plan};
use weir_core::policy::schedule::{Need, Schedule, Span, When};
use weir_core::policy::{Bounds, ModeSwitches, OperatingMode, Policy};
use weir_core::reasons::Reason;
use weir_core::reshard;
use weir_core::series::{Series, TrafficPoint};
use weir_core::units::{Shards, StreamName, Usd};

/// Everything a plan is made from.
#[derive(Clone, Debug)]
struct Inputs {
    policy: Policy,
    observation: Observation,
    history: History,
    now: Timestamp,
}

impl Inputs {
    fn plan(&self) -> Plan {
        plan(&self.policy, &self.observation, &self.history, self.now)
    }
}

/// The time of all random cases, in seconds.
const NOW: i64 = 1_800_000_000;

fn shards(count: u32) -> Shards {
    Shards::at_least_one(count)
}

fn policies() -> impl Strategy<Value = Policy> {
    let small = prop_oneof![1u32..64, 1u32..10_001];
    let knobs = (small.clone(), small, 1u32..1_000, 0u32..10, 5u32..180, 1u32..120, any::<bool>());
    let mode_switches = prop_oneof![Just(ModeSwitches::Never), Just(ModeSwitches::Automatic)];
    (knobs, schedules(), mode_switches).prop_map(
        |((a, b, cents, reserved_calls, quiet, lag, idle), schedules, mode_switches)| Policy {
            operating_mode: OperatingMode::Act,
            bounds: Bounds::new(shards(a.min(b)), shards(a.max(b))).expect("bounds"),
            throttled_gib_usd: Usd::cents(cents),
            reserved_calls,
            scale_in_after_minutes: quiet,
            hold_scale_in_at_lag_minutes: lag,
            missing_data: if idle { Gaps::Idle } else { Gaps::Unknown },
            mode_switches,
            schedules,
            ..Policy::DEFAULT
        },
    )
}

/// Mostly none; else events that are over, under way, near, or beyond the horizon.
fn schedules() -> impl Strategy<Value = Vec<Schedule>> {
    let sizes = prop_oneof![3 => 1u32..200, 1 => 1u32..10_001];
    let once = (-300i64..1_800, 1i64..600).prop_map(|(begins, lasts)| {
        let at = |minutes: i64| Timestamp::from_second(NOW + 60 * minutes).expect("a time");
        When::Once(Span::new(at(begins), at(begins + lasts)).expect("a span"))
    });
    let weekly = (0i8..24, 0i8..24, 1usize..8).prop_map(|(from, until, days)| When::Weekly {
        days: Weekday::Monday.cycle_forward().take(days).collect(),
        from: time(from, 0, 0, 0),
        until: time(until, 30, 0, 0),
        zone: TimeZone::fixed(offset(2)),
    });
    let need = prop_oneof![
        9 => sizes.prop_map(|min| Need::Shards(shards(min))), 1 => Just(Need::OnDemand)
    ];
    let schedule = (need, prop_oneof![once, weekly]).prop_map(|(need, when)| Schedule {
        name: "sale".to_owned(),
        when,
        need,
    });
    prop_oneof![2 => Just(Vec::new()), 1 => vec(schedule, 1..4)]
}

/// Traffic that is calm for a while, then at another level, with or without gaps at some rate.
fn traffic(points: u32, period_seconds: u32) -> impl Strategy<Value = Vec<TrafficPoint>> {
    let levels = vec((0.0f64..1.0, 1usize..120), 1..5);
    let gap_rate = prop_oneof![3 => Just(0.0), 1 => 0.0f64..0.05];
    let lag = option::of(prop_oneof![3 => Just(0.0), 1 => 0.0f64..7_200_000.0]);
    let throttled = prop_oneof![4 => Just(0.0), 1 => 0.0f64..0.5];
    (levels, 0u32..12, gap_rate, throttled, lag, any::<u64>()).prop_map(
        move |(levels, magnitude, gap_rate, throttled, lag, noise)| {
            let scale = f64::from(1u32 << magnitude) * 1_048_576.0 * f64::from(period_seconds);
            let mut levels =
                levels.iter().cycle().flat_map(|(level, n)| std::iter::repeat_n(level, *n));
            let mut state = noise | 1;
            let mut random = move || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 11) as f64 / (1u64 << 53) as f64
            };
            (0..points)
                .map(|_| {
                    let bytes = levels.next().expect("a cycle") * scale * (0.9 + 0.2 * random());
                    if random() < gap_rate {
                        return TrafficPoint::default();
                    }
                    TrafficPoint {
                        accepted_bytes: Some(bytes),
                        accepted_records: Some(bytes / 1_000.0),
                        throttled_records: (throttled > 0.0).then_some(bytes / 1_000.0 * throttled),
                        iterator_age_millis: lag,
                    }
                })
                .collect()
        },
    )
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Accepted),
        Just(Outcome::Intended),
        Just(Outcome::Unknown),
        Just(Outcome::Refused { reason: Reason::StreamBusy }),
    ]
}

/// Mostly provisioned, as most laws are about reshards.
fn modes() -> impl Strategy<Value = CapacityMode> {
    prop_oneof![4 => Just(CapacityMode::Provisioned), 1 => Just(CapacityMode::OnDemand)]
}

fn actions(now: Timestamp) -> impl Strategy<Value = Option<Vec<ActionRecord>>> {
    let reshard = (1u32..50, 1u32..50)
        .prop_map(|(from, to)| Change::Reshard { from: shards(from), to: shards(to) });
    let switch = modes().prop_map(|to| Change::SwitchMode { to });
    let change = prop_oneof![9 => reshard, 1 => switch];
    let action = (-120i64..1_600, outcomes(), change)
        .prop_map(move |(minutes_ago, outcome, change)| ActionRecord {
            at: now.checked_sub(SignedDuration::from_mins(minutes_ago)).expect("a time"),
            change,
            outcome,
        })
        .boxed();
    let action_lists = prop_oneof![0usize..4, 0usize..14]
        .prop_flat_map(move |count| vec(action.clone(), count).prop_map(Some));
    prop_oneof![1 => Just(None), 8 => action_lists]
}

fn inputs() -> impl Strategy<Value = Inputs> {
    let now = Timestamp::from_second(NOW).expect("a time");
    let quota = option::of((1u32..20_000, 1u32..20_000));
    (
        policies(),
        prop_oneof![1u32..40, 1u32..10_000],
        prop_oneof![8 => Just(StreamStatus::Active), 1 => Just(StreamStatus::Updating)],
        traffic(MINUTES_OBSERVED, 60),
        traffic(600, DAYS_PERIOD_SECONDS),
        prop_oneof![3 => 0i64..8, 1 => 0i64..30],
        quota,
        actions(now),
        prop::bool::weighted(0.05),
        modes(),
    )
        .prop_map(
            move |(policy, open, status, minutes, days, lateness, quota, actions, paused, mode)| {
                let back = |minutes: i64| {
                    now.checked_sub(SignedDuration::from_mins(minutes)).expect("a time")
                };
                let minutes = Series {
                    start: back(i64::from(MINUTES_OBSERVED) + lateness),
                    period_seconds: 60,
                    points: minutes,
                };
                let days = Series {
                    start: back(600 * 5),
                    period_seconds: DAYS_PERIOD_SECONDS,
                    points: days,
                };
                let state = StreamState {
                    mode,
                    status,
                    open_shards: shards(open),
                    retention_hours: 24,
                    held_on_demand_by: None,
                };
                let quota = quota.map_or_else(
                    || Signal::Missing("not read".to_owned()),
                    |(limit, others)| Signal::Known {
                        value: ShardQuota { limit, open: open.saturating_add(others) },
                        read_at: now,
                    },
                );
                Inputs {
                    policy,
                    observation: Observation {
                        stream: StreamName::new("orders").expect("a name"),
                        observed_at: now,
                        state,
                        minutes: Signal::Known { value: minutes, read_at: now },
                        quota,
                    },
                    history: History { days, actions, profile: None, paused },
                    now,
                }
            },
        )
}

type Verdict = Result<(), TestCaseError>;

/// Law 1: a reshard is planned only while calls are left, and unanswered ones count.
fn no_reshard_without_a_call_left(inputs: &Inputs, plan: &Plan) -> Verdict {
    if let (Action::Reshard { .. }, Some(actions)) = (plan.action, &inputs.history.actions) {
        prop_assert!(Budget::at(inputs.now, actions).reshards_left() >= 1, "law 1");
    }
    Ok(())
}

/// Law 1, for the mode: a switch is planned only where the policy allows it, the ledger shows one left, and two
/// where it saves money alone; away from the mode the stream is in.
fn no_switch_without_one_left(inputs: &Inputs, plan: &Plan) -> Verdict {
    let Action::SwitchMode { from, to } = plan.action else { return Ok(()) };
    prop_assert!(from == inputs.observation.state.mode && to == from.other(), "{from} → {to}");
    prop_assert_eq!(inputs.policy.mode_switches, ModeSwitches::Automatic);
    let actions = inputs.history.actions.as_deref().expect("a ledger");
    let left = Budget::at(inputs.now, actions).mode_switches_left();
    let saves = plan.wanted_mode.is_some_and(|wanted| wanted.motive == Motive::Cheaper);
    prop_assert!(left >= if saves { 2 } else { 1 }, "law 1: {left} switches left");
    Ok(())
}

/// Law 2: every target lies within double and half, the policy's bounds (or on the way to them), and the
/// account's quota with temporary shards.
fn every_target_is_one_aws_and_the_policy_allow(inputs: &Inputs, plan: &Plan) -> Verdict {
    let Action::Reshard { from, to } = plan.action else { return Ok(()) };
    prop_assert_eq!(from, inputs.observation.state.open_shards);
    prop_assert!(to >= from.halved() && to <= from.doubled() && to != from, "law 2: {to:?}");
    prop_assert!(to.get() <= limits::SHARDS_PER_STREAM_MAX, "law 2: {to:?}");
    let bounds = inputs.policy.bounds;
    prop_assert!(to >= bounds.min() || (from < bounds.min() && to > from), "law 2: minimum");
    prop_assert!(to <= bounds.max() || (from > bounds.max() && to < from), "law 2: maximum");
    if let Some(quota) = inputs.observation.quota.known() {
        let elsewhere = quota.open - from.get();
        prop_assert!(
            elsewhere + reshard::peak_open_shards(from, to) <= quota.limit,
            "law 2: quota"
        );
    }
    Ok(())
}

/// Law 3: missing or stale data, or a lagging consumer, never sees shards taken away.
fn nothing_is_taken_away_in_the_dark(inputs: &Inputs, plan: &Plan) -> Verdict {
    let Action::Reshard { from, to } = plan.action else { return Ok(()) };
    if to > from {
        return Ok(());
    }
    let series = inputs.observation.minutes.known().expect("traffic");
    let seen = demand(series, inputs.policy.missing_data, inputs.now);
    let window = inputs.policy.scale_in_after_minutes as usize;
    prop_assert!(seen.len() >= window, "law 3: too little data");
    prop_assert!(seen[seen.len() - window..].iter().all(|d| *d != Demand::Unknown), "law 3: gap");
    let newest = series.start_of(seen.len());
    let stale = SignedDuration::from_mins(10);
    prop_assert!(inputs.now.duration_since(newest) <= stale, "law 3: stale");
    let lag = series.points[..seen.len()].iter().rev().find_map(|p| p.iterator_age_millis);
    let most = f64::from(inputs.policy.hold_scale_in_at_lag_minutes) * 60_000.0;
    prop_assert!(lag.is_none_or(|lag| lag < most), "law 3: a consumer is {lag:?} ms behind");
    Ok(())
}

/// Law 4: scale-in never takes the reserved calls, nor any when the ledger is silent.
fn scale_in_leaves_the_reserve(inputs: &Inputs, plan: &Plan) -> Verdict {
    if let Action::Reshard { from, to } = plan.action
        && to < from
    {
        let actions = inputs.history.actions.as_deref().expect("law 4: a ledger");
        let left = Budget::at(inputs.now, actions).reshards_left();
        prop_assert!(left > inputs.policy.reserved_calls, "law 4: {left} left");
    }
    Ok(())
}

/// Law 8: the same inputs give the same plan, and the clamps lead from what is wanted to what is allowed.
fn every_difference_is_explained(inputs: &Inputs, plan: &Plan) -> Verdict {
    prop_assert_eq!(plan, &inputs.plan(), "law 8");
    let mut size = plan.wanted;
    for clamp in &plan.clamps {
        prop_assert!(clamp.from == size && clamp.to != size, "law 8: {clamp:?}");
        size = clamp.to;
    }
    prop_assert_eq!(size, plan.allowed, "law 8");
    if let Action::Reshard { from, to } = plan.action {
        prop_assert!(from == plan.open && to == plan.allowed, "law 8");
    }
    prop_assert!(plan.revisit_at > inputs.now && plan.expires_at > inputs.now, "law 8");
    Ok(())
}

/// An event under way, or one so near that nothing smaller would do, never sees shards taken away below its
/// size, and where nothing forbids it the size is called for.
fn events_under_way_have_their_size(inputs: &Inputs, plan: &Plan) -> Verdict {
    let under_way = |event: &&Event| event.starts.timestamp() <= inputs.now;
    let most = plan
        .events
        .iter()
        .filter(under_way)
        .map(|event| match event.need {
            Need::Shards(fewest) => fewest,
            Need::OnDemand => Shards::ONE,
        })
        .max();
    let Some(size) = most else { return Ok(()) };
    if let Action::Reshard { from, to } = plan.action
        && to < from
    {
        prop_assert!(to >= size.min(inputs.policy.bounds.max()), "{to} of {size}");
    }
    let explained = plan.clamps.iter().any(|clamp| clamp.to < size);
    prop_assert!(plan.allowed >= size || explained, "{} of {size} for no reason", plan.allowed);
    Ok(())
}

/// A stream at work stays as it is: busy, or paused.
fn a_busy_or_paused_stream_is_left_alone(inputs: &Inputs, plan: &Plan) -> Verdict {
    if inputs.history.paused || inputs.observation.state.status != StreamStatus::Active {
        prop_assert!(matches!(plan.action, Action::Hold(_)), "not left alone");
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_laws_hold_for_every_plan(inputs in inputs()) {
        let plan = inputs.plan();
        for law in [
            no_reshard_without_a_call_left,
            no_switch_without_one_left,
            every_target_is_one_aws_and_the_policy_allow,
            nothing_is_taken_away_in_the_dark,
            scale_in_leaves_the_reserve,
            every_difference_is_explained,
            a_busy_or_paused_stream_is_left_alone,
            events_under_way_have_their_size,
        ] {
            law(&inputs, &plan)?;
        }
    }
}

/// The laws above would hold for a planner that never acts; the cases must make it act, every way.
#[test]
fn the_cases_make_the_planner_act() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = inputs();
    let (mut out, mut into, mut switched, mut withheld) = (0, 0, 0, 0);
    for _ in 0..2_000 {
        let plan = strategy.new_tree(&mut runner).expect("inputs").current().plan();
        match plan.action {
            Action::Reshard { from, to } if to > from => out += 1,
            Action::Reshard { .. } => into += 1,
            Action::SwitchMode { .. } => switched += 1,
            Action::Hold(_) => {}
        }
        withheld += u32::from(plan.wanted_mode.is_some_and(|wanted| wanted.withheld.is_some()));
    }
    assert!(out >= 100 && into >= 40, "of 2,000 plans {out} scale out and {into} scale in");
    assert!(switched >= 40 && withheld >= 5, "{switched} switch and {withheld} may not");
}

/// Law 3, for a minute of which only half came: a lower bound is not enough to take shards away on.
#[test]
fn half_a_datapoint_takes_nothing_away_once_it_should_be_whole() {
    let action = |half_minutes_ago: usize| {
        let now = Timestamp::from_second(1_800_000_000).expect("a timestamp");
        let ago = |periods: u32, seconds: u32| {
            now - SignedDuration::from_secs(i64::from(periods) * i64::from(seconds))
        };
        let whole = TrafficPoint {
            accepted_bytes: Some(120.0 * 1_048_576.0),
            accepted_records: Some(60_000.0),
            ..TrafficPoint::default()
        };
        let mut points = vec![whole; MINUTES_OBSERVED as usize];
        let half = MINUTES_OBSERVED as usize - half_minutes_ago;
        points[half] = TrafficPoint { accepted_records: None, ..whole };
        let minutes = Series { start: ago(MINUTES_OBSERVED, 60), period_seconds: 60, points };
        let state = StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Active,
            open_shards: shards(10),
            retention_hours: 24,
            held_on_demand_by: None,
        };
        let observation = Observation {
            stream: StreamName::new("orders").expect("a name"),
            observed_at: now,
            state,
            minutes: Signal::Known { value: minutes, read_at: now },
            quota: Signal::Missing("not read".to_owned()),
        };
        let days = Series::empty(now, DAYS_PERIOD_SECONDS);
        let history = History { days, actions: Some(Vec::new()), profile: None, paused: false };
        Inputs { policy: Policy::DEFAULT, observation, history, now }.plan().action
    };
    assert_eq!(action(30), Action::Hold(Reason::DataMissing));
    assert!(matches!(action(2), Action::Reshard { .. })); // its other half may still be on its way
}
