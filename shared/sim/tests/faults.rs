//! What goes wrong once, and what must come of it: crashes, repeated and late events, outages.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only
#![allow(clippy::single_range_in_vec_init)] // one span is meant

mod support;

use jiff::Timestamp;
use support::{
    DAY, after_a_day, consumer, five_to_ten, last_open, name, policies, reshards, run, run_with,
    scale_ins, shards, trace,
};
use weir_control::event::Request;
use weir_control::ledger::PauseNote;
use weir_control::plan_id::PlanId;
use weir_core::action::Outcome;
use weir_core::consumer::ConsumerKind;
use weir_core::reasons::HoldReason;
use weir_sim::record::StreamRun;
use weir_sim::settings::{
    BusSettings, ConsumerSettings, Crash, CrashPoint, ExternalAction, ExternalChange, FailureKind,
    Loop, ReshardModel, Settings,
};
use weir_sim::simulation::Simulation;
use weir_sim::trace::Trace;

/// Minute in which demand jumps.
const JUMP: usize = 90;

/// Three shards' worth of traffic, from a minute on eight.
fn jump() -> Trace {
    trace(JUMP + 120, |minute| if minute < JUMP { 3.0 } else { 10.0 })
}

fn simulation(settings: Settings) -> Simulation {
    Simulation::new(settings, five_to_ten(), vec![(name("orders"), jump(), shards(5))])
}

/// Runs to the end; the run, the actions the ledger remembers, and how many runs died.
fn finished(mut simulation: Simulation) -> (StreamRun, Vec<(PlanId, Outcome)>, u64) {
    while simulation.step_minute().is_some() {}
    let record = simulation.remembered(&name("orders")).expect("a record");
    assert_eq!(record.claim, None, "a claim was left behind");
    let actions = record.actions.into_iter().map(|a| (a.plan, a.record.outcome)).collect();
    let crashes = simulation.crashes();
    let run = simulation.finish().pop().expect("one stream");
    assert_eq!(run.violations, []);
    (run, actions, crashes)
}

/// The run without faults: 5 shards become 10 as soon as the jump is seen.
fn undisturbed() -> (StreamRun, usize) {
    let (run, actions, _) = finished(simulation(Settings::bench()));
    assert_eq!(reshards(&run), [(91, 5, 10)]);
    assert_eq!(actions.len(), 1);
    (run, 91)
}

#[test]
fn a_crash_at_any_await_delays_and_harms_nothing() {
    let (undisturbed, minute) = undisturbed();
    for victim in [Loop::PlanCapacity, Loop::ResizeStream, Loop::SyncAlarms] {
        let (mut nth, mut point, mut deaths) = (0, 0, 0);
        while nth < 4 {
            let mut settings = Settings::bench();
            let crash = CrashPoint { victim, from_minute: minute, run: nth, point };
            settings.faults.crash = Crash::Once(crash);
            let (run, actions, crashes) = finished(simulation(settings));
            deaths += crashes;
            if crashes == 0 {
                (nth, point) = (nth + 1, 0); // this run has no such await
                continue;
            }
            let what = format!("{victim:?}'s run {nth} dies at its await {point}");
            assert_eq!(last_open(&run), last_open(&undisturbed), "{what}");
            let counted = actions.iter().filter(|(_, outcome)| outcome.counts()).count();
            assert!(counted >= run.reshards.len(), "{what}: under-counted, {actions:?}");
            assert!(actions.iter().all(|(_, o)| *o != Outcome::Intended), "{what}: left open");
            let called = reshards(&run).first().map_or(i64::MAX, |(minute, _, _)| *minute);
            assert!(called <= 91 + 5, "{what}: the stream waited until minute {called}");
            point += 1;
        }
        assert!(deaths >= 20, "{victim:?} died {deaths} times only");
    }
}

/// Awaits of resize-stream around its one call: number 10 is before it takes effect, number 11
/// after. A run that is superseded has fewer, and lives.
fn dies_at(point: u32) -> (StreamRun, Vec<(PlanId, Outcome)>) {
    (0..4)
        .find_map(|run| {
            let mut settings = Settings::bench();
            let crash = CrashPoint { victim: Loop::ResizeStream, from_minute: 91, run, point };
            settings.faults.crash = Crash::Once(crash);
            let (run, actions, crashes) = finished(simulation(settings));
            (crashes == 1).then_some((run, actions))
        })
        .expect("a run that makes the call")
}

#[test]
fn a_crash_between_intent_and_outcome_is_resolved_by_what_the_stream_shows() {
    let (made, actions) = dies_at(11);
    let outcomes = |actions: &[(PlanId, Outcome)]| -> Vec<Outcome> {
        actions.iter().map(|(_, outcome)| *outcome).collect()
    };
    assert_eq!(reshards(&made), [(91, 5, 10)]);
    assert_eq!(outcomes(&actions), [Outcome::Accepted]);

    let (never_made, actions) = dies_at(10);
    assert_eq!(never_made.reshards.len(), 1);
    assert_eq!(outcomes(&actions), [Outcome::Unknown, Outcome::Accepted]); // the first counts all the same
}

#[test]
fn repeated_late_and_reordered_events_end_where_one_delivery_in_order_does() {
    let (undisturbed, _) = undisturbed();
    for seed in 0..60 {
        let mut settings = Settings { seed, ..Settings::bench() };
        settings.bus = BusSettings {
            delay_seconds: 0..=40,
            late: 0.3,
            late_seconds: 60..=400,
            twice: 0.7,
            lost: 0.0,
        };
        let (run, actions, _) = finished(simulation(settings));
        assert_eq!(last_open(&run), last_open(&undisturbed), "seed {seed}");
        assert_eq!(run.reshards.len(), 1, "seed {seed}");
        let accepted = actions.iter().filter(|(_, o)| *o == Outcome::Accepted).count();
        assert_eq!(accepted, 1, "seed {seed}: {actions:?}");
    }
}

#[test]
fn an_event_that_comes_twice_at_once_changes_nothing_at_all() {
    let (undisturbed, _) = undisturbed();
    let mut settings = Settings::bench();
    settings.bus.twice = 1.0;
    let (run, _, _) = finished(simulation(settings));
    assert_eq!((run.minutes, run.reshards), (undisturbed.minutes, undisturbed.reshards));
}

#[test]
fn a_lost_answer_counts_as_a_call_and_the_stream_tells_the_rest() {
    for seed in 0..60 {
        let mut settings = Settings { seed, ..Settings::bench() };
        settings.faults.answer_lost = 0.3;
        let (run, actions, _) = finished(simulation(settings));
        assert_eq!(last_open(&run), 10.0, "seed {seed}");
        let counted = actions.iter().filter(|(_, outcome)| outcome.counts()).count();
        assert!(counted >= run.reshards.len(), "seed {seed}: {actions:?}");
    }
}

#[test]
fn while_the_ledger_is_down_the_stream_grows_and_does_not_shrink() {
    let load = |then: f64| trace(600, move |minute| if minute < 200 { 3.0 } else { then });
    let mut settings = Settings::bench();
    settings.faults.ledger_down = vec![190..500];
    let grown = run_with(settings.clone(), five_to_ten(), load(8.0), 5);
    assert_eq!(grown.violations, []);
    assert_eq!(reshards(&grown)[0], (201, 5, 10));
    assert!(scale_ins(&grown).iter().all(|(minute, _, _)| *minute >= 500));
    let mut settings = Settings::bench();
    settings.faults.ledger_down = vec![DAY + 190..DAY + 500];
    let shrunk = run(settings, after_a_day(600, |at| if at < 200 { 4.0 } else { 1.0 }), 5);
    assert_eq!(shrunk.violations, []);
    let calls = scale_ins(&shrunk);
    assert!(!calls.iter().any(|(at, ..)| since_known(*at, 191..500)), "{calls:?}");
    assert!(calls.iter().any(|(at, ..)| since_known(*at, 500..600)), "and never again: {calls:?}");
}

/// Whether a minute lies in these, counted from when a day of the stream was known.
fn since_known(minute: i64, minutes: std::ops::Range<usize>) -> bool {
    usize::try_from(minute).is_ok_and(|at| (minutes.start + DAY..minutes.end + DAY).contains(&at))
}

#[test]
fn while_metrics_are_missing_the_stream_does_not_shrink() {
    let load = || after_a_day(600, |minute| if minute < 200 { 8.0 } else { 2.0 });
    let undisturbed = scale_ins(&run(Settings::bench(), load(), 10));
    assert!(undisturbed.iter().any(|(at, ..)| since_known(*at, 212..400)), "{undisturbed:?}");
    let mut settings = Settings::bench();
    settings.faults.metrics_down = vec![DAY + 210..DAY + 400];
    let run = run(settings, load(), 10);
    assert_eq!(run.violations, []);
    let calls = scale_ins(&run);
    assert!(!calls.iter().any(|(at, ..)| since_known(*at, 212..400)), "{calls:?}");
    assert!(calls.iter().any(|(at, ..)| since_known(*at, 400..600)), "and never again");
}

#[test]
fn while_a_consumer_is_behind_the_stream_does_not_shrink() {
    let mut settings = Settings::bench();
    settings.consumers = vec![ConsumerSettings {
        shard_bytes_per_second: 1_300_000.0,
        ..consumer("billing", ConsumerKind::Lambda)
            .failing(FailureKind::Stalled, DAY + 180..DAY + 400)
    }];
    let load = after_a_day(900, |minute| if minute < 200 { 8.0 } else { 2.0 });
    let run = run(settings, load, 10);
    assert_eq!(run.violations, []);
    let calls = scale_ins(&run);
    // The consumer stops at minute 180 and counts as behind a quarter of an hour later, before the
    // load falls.
    assert!(!calls.iter().any(|(at, ..)| since_known(*at, 196..400)), "{calls:?}");
    assert!(calls.iter().any(|(at, ..)| since_known(*at, 400..900)), "and never again: {calls:?}");
}

#[test]
fn what_a_lost_event_leaves_undone_the_next_tick_does() {
    for seed in 0..20 {
        let mut settings = Settings { seed, ..Settings::bench() };
        settings.bus.lost = 0.3;
        let (run, _, _) = finished(simulation(settings));
        assert_eq!(last_open(&run), 10.0, "seed {seed}");
    }
}

#[test]
fn somebody_elses_reshard_is_counted_and_a_deleted_stream_is_let_go() {
    let mut settings = Settings::bench();
    let change = |minute, action| ExternalChange { minute, stream: 0, action };
    settings.faults.external_changes =
        vec![change(80, ExternalAction::Reshard(6)), change(150, ExternalAction::Delete)];
    let (run, actions, _) = finished(simulation(settings));
    let made = reshards(&run);
    assert_eq!((made.first(), made.last().map(|(_, _, to)| *to)), (Some(&(80, 5, 6)), Some(10)));
    assert_eq!(actions.len(), made.len(), "{actions:?}");
    assert!(actions[0].0.as_str().ends_with("not-ours"), "{actions:?}");
    assert!(run.refused_calls.get("DescribeStreamSummary").is_some_and(|n| *n > 0));
}

#[test]
fn a_paused_stream_is_left_alone_until_it_is_resumed() {
    let mut simulation = simulation(Settings::bench());
    let until: Timestamp = "2026-03-02T02:30:00Z".parse().expect("a time");
    let note = PauseNote { note: "a test".to_owned(), until: Some(until) };
    simulation.pause(&name("orders"), Some(note));
    let (run, _, _) = finished(simulation);
    assert_eq!(reshards(&run), [(150, 5, 10)]);
    assert!(
        run.plans
            .iter()
            .any(|plan| { plan.action == weir_core::plan::Action::Hold(HoldReason::Paused) })
    );
}

#[test]
fn in_observe_mode_plans_are_made_and_nothing_is_changed() {
    let settings = Settings { mode: None, ..Settings::bench() };
    let run = run_with(settings, policies("mode = \"observe\""), jump(), 5);
    assert_eq!(run.reshards, []);
    assert!(!run.plans.is_empty());
    assert_eq!(run.calls.get("UpdateShardCount"), None);
}

#[test]
fn two_runs_at_once_make_one_call() {
    // Slow calls and slow visibility: the tick and the alarm plan at the same time, and the second
    // executor looks before the first one's reshard shows.
    for seed in 0..200 {
        let mut settings = Settings { seed, ..Settings::bench() };
        settings.calls.slow = 0.5;
        settings.calls.slow_seconds = 2..=14;
        settings.bus.delay_seconds = 0..=5;
        settings.bus.twice = 0.5;
        settings.alarms_at_second = 1;
        settings.reshard = ReshardModel::ByOperation {
            start_seconds: 20..=30,
            operation_seconds: 35.0,
            parallelism: 1,
            visible_after_seconds: 25..=30,
        };
        let (run, _, _) = finished(simulation(settings));
        assert_eq!(run.refused_calls.get("UpdateShardCount"), None, "seed {seed}");
        assert_eq!(last_open(&run), 10.0, "seed {seed}");
    }
}

#[test]
fn a_run_without_the_ledger_neither_ends_nor_rewrites_what_another_run_does_with_it() {
    // The same plan comes twice at once, and now and then one of the two cannot read the ledger.
    for seed in 0..300 {
        let mut settings = Settings { seed, ..Settings::bench() };
        settings.calls.slow = 0.5;
        settings.calls.slow_seconds = 1..=6;
        settings.bus.twice = 1.0;
        settings.bus.delay_seconds = 0..=2;
        settings.faults.failing = 0.15;
        let (run, actions, _) = finished(simulation(settings));
        let counted = actions.iter().filter(|(_, outcome)| outcome.counts()).count();
        assert!(counted >= run.reshards.len(), "seed {seed}: {:?} {actions:?}", reshards(&run));
    }
}

#[test]
fn an_operators_request_is_answered_whether_due_or_not() {
    let looks = |ask: Option<Request>| {
        // So calm a stream is looked at every five minutes.
        let streams = vec![(name("orders"), trace(60, |_| 1.0), shards(5))];
        let mut simulation = Simulation::new(Settings::bench(), five_to_ten(), streams);
        for _ in 0..13 {
            simulation.step_minute();
        }
        if let Some(request) = ask {
            simulation.ask(request, None);
        }
        simulation.step_minute();
        let run = simulation.finish().pop().expect("one stream");
        let calls = |operation| run.calls.get(operation).copied().unwrap_or_default();
        (calls("GetMetricData"), calls("DescribeAlarms"))
    };
    let (plans, syncs) = looks(None);
    // The streams' own alarms and those of their consumers.
    assert_eq!(looks(Some(Request::SyncAlarms)), (plans, syncs + 2));
    assert_eq!(looks(Some(Request::Plan)), (plans + 1, syncs));
}
