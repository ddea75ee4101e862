//! The laws of a plan, for any policy, traffic, history and time: random cases, the seed of a
//! failure is printed and kept by the test runner.

#![allow(clippy::expect_used, clippy::cast_precision_loss)] // the lint's own exception reaches test functions only

use jiff::civil::{Weekday, time};
use jiff::tz::{TimeZone, offset};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::demand::Gaps;
use weir_core::history::History;
use weir_core::laws;
use weir_core::observation::{
    CapacityMode, Observation, ShardQuota, Signal, StreamState, StreamStatus,
};
use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, Event, MINUTES_OBSERVED, Plan, Sizing, plan};
use weir_core::policy::schedule::{Need, Schedule, Span, When};
use weir_core::policy::{Bounds, ModeSwitches, OperatingMode, Policy};
use weir_core::reasons::{HoldReason, RefusalReason};
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
        Just(Outcome::Refused { reason: RefusalReason::StreamBusy }),
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
                    created_at: None,
                };
                let quota = quota.map_or_else(
                    || Signal::Missing("not read".to_owned()),
                    |(limit, others)| Signal::Known {
                        value: ShardQuota {
                            limit,
                            open: open.saturating_add(others),
                            on_demand_streams_left: None,
                        },
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

/// What AWS sizes, and what is not to be touched, is neither sized nor clamped, and says why by its
/// hold.
fn only_a_stream_that_weir_sizes_has_clamps(inputs: &Inputs, plan: &Plan) -> Verdict {
    let state = &inputs.observation.state;
    let ours = state.mode == CapacityMode::Provisioned && state.status == StreamStatus::Active;
    if !ours || inputs.history.paused {
        prop_assert!(matches!(plan.sizing, Sizing::NotOurs(_)), "{:?}", plan.sizing);
        prop_assert!(plan.wanted() == plan.open && plan.allowed() == plan.open);
        prop_assert!(plan.clamps().is_empty());
    }
    Ok(())
}

/// An event under way, or one so near that nothing smaller would do, never sees shards taken away
/// below its size, and where nothing forbids it the size is called for.
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
    let (Some(size), Sizing::Sized { .. }) = (most, &plan.sizing) else { return Ok(()) };
    if let Action::Reshard { from, to } = plan.action
        && to < from
    {
        prop_assert!(to >= size.min(inputs.policy.bounds.max()), "{to} of {size}");
    }
    let explained = plan.clamps().iter().any(|clamp| clamp.to < size);
    prop_assert!(plan.allowed() >= size || explained, "{} of {size} for no reason", plan.allowed());
    Ok(())
}

proptest! {
    #[test]
    fn the_laws_hold_for_every_plan(inputs in inputs()) {
        let plan = inputs.plan();
        let found = laws::of_plan(&plan, &inputs.policy, &inputs.observation, &inputs.history);
        prop_assert!(found.is_empty(), "{}", found[0]);
        events_under_way_have_their_size(&inputs, &plan)?;
        only_a_stream_that_weir_sizes_has_clamps(&inputs, &plan)?;
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
            created_at: None,
        };
        let observation = Observation {
            stream: StreamName::new("orders").expect("a name"),
            observed_at: now,
            state,
            minutes: Signal::Known { value: minutes, read_at: now },
            quota: Signal::Missing("not read".to_owned()),
        };
        let day = TrafficPoint {
            accepted_bytes: Some(600.0 * 1_048_576.0),
            accepted_records: Some(300_000.0),
            ..TrafficPoint::default()
        };
        let days = Series {
            start: ago(2 * 288, DAYS_PERIOD_SECONDS),
            period_seconds: DAYS_PERIOD_SECONDS,
            points: vec![day; 2 * 288],
        };
        let history = History { days, actions: Some(Vec::new()), profile: None, paused: false };
        Inputs { policy: Policy::DEFAULT, observation, history, now }.plan().action
    };
    assert_eq!(action(30), Action::Hold(HoldReason::DataMissing));
    assert!(matches!(action(2), Action::Reshard { .. })); // its other half may still be on its way
}
