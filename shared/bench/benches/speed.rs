//! How long deciding takes: one plan for the day ahead with fifteen days known, a month of a stream
//! from end to end, and the optimum over the same month. Traffic is made from a seed. Not here: how
//! good decisions are (`weir bench`).
#![allow(clippy::expect_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use weir_bench::contender::Contender;
use weir_bench::optimum::optimum;
use weir_bench::setting::Setting;
use weir_core::history::History;
use weir_core::observation::{CapacityMode, Observation, Signal, StreamState, StreamStatus};
use weir_core::plan::{DAYS_OBSERVED, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED, plan};
use weir_core::policy::Policy;
use weir_core::series::{Series, TrafficPoint};
use weir_core::units::{Shards, StreamName};
use weir_sim::generate;
use weir_sim::trace::{Minute, Trace};

const SEED: u64 = 7;
const DAYS: usize = 30;
const FLASH_DAY: usize = 20;
/// Hours into the month at which the plan is made: a working morning, sixteen days in.
const PLANNED_AT_HOURS: i64 = 16 * 24 + 9;

fn month() -> Trace {
    generate::days(SEED, Timestamp::UNIX_EPOCH, DAYS, FLASH_DAY)
}

/// The newest `length` periods before `now`, of which nothing was refused.
fn newest(trace: &Trace, now: Timestamp, period_seconds: u32, length: u32) -> Series {
    let length_seconds = i64::from(period_seconds) * i64::from(length);
    let start = now - SignedDuration::from_secs(length_seconds);
    let minute = |at: Timestamp| {
        let seconds = at.as_second() - trace.start.as_second();
        usize::try_from(seconds / 60).expect("a time within the trace")
    };
    let point = |minutes: &[Minute]| TrafficPoint {
        accepted_bytes: Some(minutes.iter().map(|minute| minute.bytes).sum()),
        accepted_records: Some(minutes.iter().map(|minute| minute.records).sum()),
        throttled_records: Some(0.0),
        iterator_age_millis: None,
    };
    let periods = trace.minutes[minute(start)..minute(now)].chunks(period_seconds as usize / 60);
    Series { start, period_seconds, points: periods.map(point).collect() }
}

fn plans(c: &mut Criterion) {
    let trace = month();
    let now = trace.start + SignedDuration::from_hours(PLANNED_AT_HOURS);
    let minutes = newest(&trace, now, 60, MINUTES_OBSERVED);
    let days = newest(
        &trace,
        now,
        DAYS_PERIOD_SECONDS,
        DAYS_OBSERVED * 24 * 60 * 60 / DAYS_PERIOD_SECONDS,
    );
    let observation = Observation {
        stream: StreamName::new("speed").expect("a name"),
        observed_at: now,
        state: StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Active,
            open_shards: Shards::at_least_one(20),
            retention_hours: 24,
            held_on_demand_by: None,
            created_at: None,
        },
        minutes: Signal::Known { value: minutes, read_at: now },
        quota: Signal::Missing("not asked".to_owned()),
    };
    let unknown = History { days, actions: Some(Vec::new()), profile: None, paused: false };
    let make = |history: &History| plan(&Policy::DEFAULT, black_box(&observation), history, now);
    let known = History { profile: make(&unknown).learnt, ..unknown.clone() };
    assert_eq!(make(&known).learnt, None, "what is kept should serve");

    c.bench_function("plan/what was learnt is kept", |b| b.iter(|| make(black_box(&known))));
    c.bench_function("plan/learns anew", |b| b.iter(|| make(black_box(&unknown))));
}

fn months(c: &mut Criterion) {
    let trace = month();
    let setting = Setting::BENCH;
    let mut group = c.benchmark_group("a stream-month");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function("weir", |b| {
        b.iter(|| Contender::Weir.play(black_box(&trace), &setting, |_| ()));
    });
    group.bench_function("exact optimum", |b| {
        b.iter(|| optimum(black_box(&trace), &setting));
    });
    group.finish();
}

criterion_group!(speed, plans, months);
criterion_main!(speed);
