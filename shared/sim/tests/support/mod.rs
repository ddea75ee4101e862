//! Worlds for tests: traffic of a shape, streams, policies. Not here: what is expected of them.
#![allow(dead_code)] // each test uses its part

use std::env;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;
use weir_core::consumer::{ConsumerKind, ConsumerName};
use weir_core::policy::{Policy, PolicySet, parse};
use weir_core::units::{Shards, StreamName};
use weir_sim::record::StreamRun;
use weir_sim::settings::{ConsumerSettings, Settings};
use weir_sim::simulation::Simulation;
use weir_sim::trace::{Minute, Recorded, Trace};

/// Bytes a minute that fill one shard.
const SHARD_MINUTE_BYTES: f64 = 60.0 * 1_048_576.0;

pub(crate) fn name(name: &str) -> StreamName {
    StreamName::new(name).expect("a stream name")
}

/// A healthy consumer of every stream.
pub(crate) fn consumer(name: &str, kind: ConsumerKind) -> ConsumerSettings {
    ConsumerSettings::healthy(ConsumerName::new(name).expect("a consumer's name"), kind)
}

pub(crate) fn shards(count: u32) -> Shards {
    Shards::at_least_one(count)
}

/// Traffic of `minutes` minutes, in shards of load, in records of 1000 bytes.
pub(crate) fn trace(minutes: usize, load: impl FnMut(usize) -> f64) -> Trace {
    let minutes = (0..minutes)
        .map(load)
        .map(|load| Minute {
            bytes: load * SHARD_MINUTE_BYTES,
            records: (load * SHARD_MINUTE_BYTES / 1_200.0).round(),
        })
        .collect();
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().expect("a time");
    Trace { name: "test".to_owned(), start, minutes, recorded: Recorded::default() }
}

/// The seeds of worlds: as many as a test has, unless `WEIR_SEED` names one or `WEIR_SEEDS` how
/// many.
pub(crate) fn seeds(most: u64) -> Range<u64> {
    let number = |name| env::var(name).ok().and_then(|text: String| text.parse().ok());
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(most),
    }
}

/// What comes of each seed, in their order, made on all cores.
pub(crate) fn on_all_cores<T: Send>(
    seeds: Range<u64>,
    of: impl Fn(u64) -> T + Sync,
) -> Vec<(u64, T)> {
    let next = AtomicU64::new(seeds.start);
    let done = Mutex::new(Vec::new());
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds.end {
            break;
        }
        let came = of(seed);
        done.lock().unwrap_or_else(PoisonError::into_inner).push((seed, came));
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(seed, _)| *seed);
    done
}

/// The minutes of a day.
pub(crate) const DAY: usize = 24 * 60;

/// A day of the first minute's load, so that the stream is known, and then this load.
pub(crate) fn after_a_day(minutes: usize, load: impl Fn(usize) -> f64) -> Trace {
    trace(DAY + minutes, |minute| load(minute.saturating_sub(DAY)))
}

/// One policy for all streams, from TOML lines.
pub(crate) fn policies(lines: &str) -> PolicySet {
    let text = format!("version = 1\n[[streams]]\nmatch = \"*\"\n{lines}\n");
    let (policies, faults) = parse("test.toml", &text);
    assert_eq!(faults, [], "{text}");
    policies
}

/// Bounds so tight, and throttling so cheap, that five shards carry a load of 4, and ten carry one
/// of 9, whatever else a planner weighs.
pub(crate) fn five_to_ten() -> PolicySet {
    policies("mode = \"act\"\nmin_shards = 5\nmax_shards = 10\nthrottled_gib_usd = 0.05")
}

/// Runs one stream under the default policy.
pub(crate) fn run(settings: Settings, trace: Trace, open: u32) -> StreamRun {
    run_with(settings, PolicySet::of_all_streams(Policy::default()), trace, open)
}

/// Runs one stream.
pub(crate) fn run_with(
    settings: Settings,
    policies: PolicySet,
    trace: Trace,
    open: u32,
) -> StreamRun {
    let streams = vec![(name("orders"), trace, shards(open))];
    let mut runs = Simulation::new(settings, policies, streams).run(|_| ());
    runs.pop().expect("one stream")
}

/// The stream's size at the end.
pub(crate) fn last_open(run: &StreamRun) -> f64 {
    run.minutes.last().expect("a minute").open_shards
}

/// Calls and targets, with minutes since the start.
pub(crate) fn reshards(run: &StreamRun) -> Vec<(i64, u32, u32)> {
    let minute = |at: Timestamp| (at.as_second() - run.start.as_second()) / 60;
    run.reshards.iter().map(|r| (minute(r.called_at), r.from, r.to)).collect()
}

/// Those that took shards away.
pub(crate) fn scale_ins(run: &StreamRun) -> Vec<(i64, u32, u32)> {
    reshards(run).into_iter().filter(|(_, from, to)| to < from).collect()
}
