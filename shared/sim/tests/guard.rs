//! A thousand worlds in which consumers fail and everything around Weir goes wrong, each from a
//! seed: every failure is told in time, paged once, and to its end; nobody is told of a failure
//! that is none.
//!
//! A violation names its seed; `WEIR_SEED=<seed>` runs that one alone, `WEIR_SEEDS=<n>` runs more.

#![allow(clippy::expect_used, clippy::print_stdout)] // the lint's own exception reaches test functions only

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::ops::Range;
use std::path::PathBuf;

use weir_sim::guard::{Failure, Injected, Kind, Outages, Scenario, Verdict, run};
use weir_sim::trace::Trace;

const SEEDS: u64 = 1_000;
/// Minutes of each recorded trace that are looked at: two weeks.
const TRACE_MINUTES: usize = 14 * 1_440;

fn seeds() -> Range<u64> {
    let number = |name| env::var(name).ok().and_then(|text: String| text.parse().ok());
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn every_failure_is_told_in_time_once_and_to_its_end_whatever_goes_wrong() {
    let mut broken = Vec::new();
    let mut told: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let (mut failures, mut messages, mut pages, mut repeated, mut mishaps) = (0, 0, 0, 0, 0);
    for seed in seeds() {
        let verdict = run(&Scenario::of_seed(seed));
        broken.extend(verdict.violations.iter().map(|what| format!("WEIR_SEED={seed}: {what}")));
        failures += verdict.detections.len();
        messages += verdict.messages;
        pages += verdict.pages;
        repeated += verdict.repeated;
        mishaps += verdict.mishaps;
        for detection in verdict.detections {
            let mut note = |what: &str, after: Option<i64>| {
                let key = format!("{:?} {what}", detection.failure);
                told.entry(key).or_default().extend(after);
            };
            note("1 told", detection.told_after);
            note("2 paged", detection.paged_after);
            note("3 recovered after its end", detection.recovered_after);
        }
    }
    println!(
        "{failures} failures, {messages} messages ({pages} to pagers), {repeated} came again, \
         {mishaps} crashes, lost answers and failed writes"
    );
    for (what, seconds) in &mut told {
        seconds.sort_unstable();
        let at = |share: f64| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss
            )]
            let place = ((seconds.len().max(1) - 1) as f64 * share) as usize;
            seconds.get(place).map_or(0, |seconds| seconds / 60)
        };
        println!(
            "{what}: {} times; median {} min, p90 {} min, most {} min",
            seconds.len(),
            at(0.5),
            at(0.9),
            at(1.0)
        );
    }
    let shown: Vec<&str> = broken.iter().take(12).map(String::as_str).collect();
    assert!(broken.is_empty(), "{} violations:\n{}", broken.len(), shown.join("\n"));
    // Chaos that hinders everything would prove nothing.
    if env::var("WEIR_SEED").is_err() {
        assert!(failures > 1_000 && mishaps > 1_000, "{failures} failures, {mishaps} mishaps");
    }
}

/// A mapping that is disabled for an hour and a half.
fn gone() -> Scenario {
    let injected = Injected { consumer: 0, failure: Failure::Gone, span: 30..120 };
    Scenario { minutes: 230, ..Scenario::calm(&[Kind::Lambda], vec![injected]) }
}

fn sound(verdict: &Verdict, what: &str) {
    assert!(verdict.violations.is_empty(), "{what}: {:#?}", verdict.violations);
    let told =
        verdict.detections.iter().all(|d| d.paged_after.is_some() && d.recovered_after.is_some());
    assert!(told, "{what}: {:?}", verdict.detections);
}

#[test]
fn a_calm_world_tells_each_kind_of_failure_once() {
    let cases = [
        (Kind::Lambda, Failure::Gone),
        (Kind::Lambda, Failure::Slow),
        (Kind::Lambda, Failure::Poison),
        (Kind::FanOut, Failure::Gone),
        (Kind::Firehose, Failure::Undelivered),
        (Kind::Kcl, Failure::Gone),
    ];
    for (kind, failure) in cases {
        let injected = Injected { consumer: 0, failure, span: 60..240 };
        let verdict = run(&Scenario::calm(&[kind, Kind::FanOut], vec![injected]));
        sound(&verdict, &format!("{kind:?} {failure:?}"));
        assert_eq!(verdict.repeated, 0);
    }
}

#[test]
fn a_crash_at_any_await_loses_no_message() {
    let calm = run(&gone());
    sound(&calm, "no crash");
    // The awaits from the failure to its recovery are few hundred of all; each has its turn.
    let mut repeated = 0;
    for await_ in 1..=calm.awaits {
        let verdict = run(&Scenario { crash_at_await: Some(await_), ..gone() });
        sound(&verdict, &format!("crash at await {await_}"));
        repeated += verdict.repeated;
    }
    // At least once: a run that dies between sending and striking off makes one message come again.
    // There are two awaits between the two.
    let most = 2 * u64::try_from(calm.messages).expect("a count");
    assert!((1..=most).contains(&repeated), "{repeated} came again over {} crashes", calm.awaits);
    println!(
        "{} crashes, one by one; {repeated} of {} messages came again",
        calm.awaits, calm.messages
    );
}

#[test]
fn what_is_down_delays_messages_and_loses_none() {
    let spans = || std::iter::once(40..80).collect::<Vec<_>>();
    let downs = [
        ("SNS", Outages { sns: spans(), ..Outages::default() }),
        ("the ledger", Outages { ledger: spans(), ..Outages::default() }),
        ("CloudWatch", Outages { cloudwatch: spans(), ..Outages::default() }),
    ];
    for (what, outages) in downs {
        let verdict = run(&Scenario { outages, ..gone() });
        sound(&verdict, what);
        assert_eq!(verdict.repeated, 0, "{what}");
    }
}

#[test]
fn events_that_never_arrive_cost_a_minute() {
    let mut scenario = gone();
    scenario.bus.lost = 0.5;
    sound(&run(&scenario), "every other event and tick lost");
}

#[test]
fn a_drain_after_a_reshard_is_not_told() {
    let injected = Injected { consumer: 0, failure: Failure::Drain, span: 60..80 };
    let drain = Scenario { resharded_at: Some(60), ..Scenario::calm(&[Kind::Kcl], vec![injected]) };
    let verdict = run(&drain);
    assert_eq!((verdict.violations, verdict.messages), (Vec::<String>::new(), 0));
    // The same lag without a reshard is told: it is the reshard that explains it.
    let unexplained = Scenario { resharded_at: None, ..drain };
    assert!(run(&unexplained).messages > 0);
}

/// Recorded traffic, read by consumers of every kind that do not fail: nobody is called. The
/// recordings are not part of this repository; without them the test says so.
#[test]
fn healthy_consumers_on_recorded_traffic_are_never_told_of() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/traces");
    let Ok(entries) = fs::read_dir(&dir) else {
        println!("skipped: no recorded traces in ../shared/traces");
        return;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "csv"));
    files.sort();
    let kinds = [Kind::Lambda, Kind::FanOut, Kind::Firehose, Kind::Kcl];
    let (mut minutes, mut messages) = (0, Vec::new());
    for (seed, path) in (0..).zip(&files) {
        let name = path.file_stem().expect("a name").to_string_lossy();
        let trace = Trace::read(&name, &name, File::open(path).expect("a trace")).expect("a trace");
        let written: Vec<f64> =
            trace.minutes.iter().take(TRACE_MINUTES).map(|minute| minute.records.floor()).collect();
        minutes += written.len();
        let verdict = run(&Scenario::healthy(seed, &kinds, written));
        messages.extend(verdict.violations.iter().map(|what| format!("{name}: {what}")));
        messages.extend((verdict.messages > 0).then(|| format!("{name}: {}", verdict.messages)));
    }
    let months = minutes / (30 * 1440);
    println!(
        "{} traces, {minutes} minutes ({months} stream-months), {} consumers each: {} messages",
        files.len(),
        kinds.len(),
        messages.len()
    );
    assert!(messages.is_empty() && minutes > 0, "{messages:#?}");
}
