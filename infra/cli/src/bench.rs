//! `weir bench`: Weir and everything it is compared with, side by side on a folder of traces.
//!
//! Here: reading the folder, dealing the work out to all cores, and the order of what is said. What is said
//! is in `report`. Not here: playing and judging (`weir_twin::bench`).

mod report;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use weir_twin::baseline::RESHARD_MINUTES;
use weir_twin::bench::{Contender, Judged, Setting};
use weir_twin::record::StreamRun;
use weir_twin::score::Pricing;
use weir_twin::trace::Trace;

use crate::faults::Failure;
use crate::{Format, actions, progress};

/// A trace with the class that the `.json` beside it names.
pub(crate) struct Recorded {
    trace: Trace,
    class: String,
}

/// What is to be done.
pub(crate) struct Order<'a> {
    pub(crate) traces: &'a Path,
    /// Names of contenders; all where there are none.
    pub(crate) policies: &'a [String],
    pub(crate) actions_dir: Option<&'a Path>,
    pub(crate) format: Format,
    pub(crate) sensitivities: bool,
}

/// One contender on one trace, in a world; judged by each pricing of it.
struct Job {
    trace: usize,
    contender: Contender,
    world: usize,
}

/// Settings that differ in pricing only, and so share their runs (but for the optimum's).
struct World {
    settings: Vec<(&'static str, Setting)>,
}

/// What came of one contender on one trace in one setting.
pub(crate) struct Outcome {
    trace: usize,
    setting: &'static str,
    judged: Judged,
    seconds: f64,
}

/// The name of the bench setting among the others.
const BENCH: &str = "bench";

pub(crate) fn run(order: &Order<'_>) -> Result<(), Failure> {
    let traces = read_all(order.traces)?;
    if let Some(dir) = order.actions_dir {
        fs::create_dir_all(dir)
            .map_err(|source| Failure::Unwritable { path: dir.to_owned(), source })?;
    }
    let asked: Vec<Contender> = match order.policies {
        [] => Contender::ALL.to_vec(),
        names => names.iter().filter_map(|name| Contender::named(name)).collect(),
    };
    let worlds = if order.sensitivities { worlds() } else { vec![bench_world()] };
    let jobs = jobs(&traces, &asked, &worlds);
    let outcomes = play_all(&traces, &worlds, &jobs, order.actions_dir)?;
    let report = report::Report::new(&traces, &asked, &worlds, &outcomes);
    match order.format {
        Format::Table => report.print_tables(),
        Format::Json => report.print_json()?,
    }
    match outcomes.iter().map(|outcome| outcome.judged.violations).sum() {
        0 => Ok(()),
        broken => Err(Failure::LawBroken(broken)),
    }
}

fn bench_world() -> World {
    World { settings: vec![(BENCH, Setting::BENCH)] }
}

/// The bench setting and, one at a time, what might be otherwise.
fn worlds() -> Vec<World> {
    let priced = |name, pricing| (name, Setting { pricing, ..Setting::BENCH });
    let penalty = |factor| Pricing {
        throttled_gib_usd: factor * Pricing::BENCH.throttled_gib_usd,
        ..Pricing::BENCH
    };
    let alone = |name, setting| World { settings: vec![(name, setting)] };
    let reshard = |reshard_minutes| Setting { reshard_minutes, ..Setting::BENCH };
    let delay = |metric_delay_minutes| Setting { metric_delay_minutes, ..Setting::BENCH };
    let mut first = bench_world();
    first.settings.extend([
        priced("penalty x0.1", penalty(0.1)),
        priced("penalty x10", penalty(10.0)),
        priced("burst factor 1.35", Pricing { burst: 1.35, ..Pricing::BENCH }),
    ]);
    vec![
        first,
        alone("reshard 2 min", reshard(2)),
        alone("reshard 20 min", reshard(4 * RESHARD_MINUTES)),
        alone("metric delay 1 min", delay(1)),
        alone("metric delay 3 min", delay(3)),
    ]
}

/// The optimum is always needed, to compare with; other worlds than the first are Weir's alone. The slowest
/// come first, so that all cores end together.
fn jobs(traces: &[Recorded], asked: &[Contender], worlds: &[World]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for world in 0..worlds.len() {
        for contender in Contender::ALL {
            let needed = match world {
                0 => {
                    asked.contains(&contender) || (worlds.len() > 1 && contender == Contender::Weir)
                }
                _ => contender == Contender::Weir,
            };
            if needed || contender == Contender::Optimum {
                jobs.extend((0..traces.len()).map(|trace| Job { trace, contender, world }));
            }
        }
    }
    jobs.sort_by_key(|job| {
        let minutes = traces[job.trace].trace.minutes.len();
        (job.contender, std::cmp::Reverse(minutes))
    });
    jobs
}

fn play_all(
    traces: &[Recorded],
    worlds: &[World],
    jobs: &[Job],
    actions_dir: Option<&Path>,
) -> Result<Vec<Outcome>, Failure> {
    let minutes = jobs.iter().map(|job| traces[job.trace].trace.minutes.len()).sum();
    let bar = progress::bar(minutes, BENCH);
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let work = || -> Result<(), Failure> {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let on_minutes = |minutes| bar.inc(u64::try_from(minutes).unwrap_or(0));
            let done =
                play(job, &traces[job.trace].trace, &worlds[job.world], on_minutes, actions_dir);
            let done = done.inspect_err(|_| next.store(jobs.len(), Ordering::Relaxed))?;
            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(done);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(jobs.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    bar.finish_and_clear();
    Ok(outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn play(
    job: &Job,
    trace: &Trace,
    world: &World,
    on_minutes: impl Fn(usize),
    actions_dir: Option<&Path>,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    let mut run: Option<(StreamRun, f64)> = None;
    for (name, setting) in &world.settings {
        // The optimum knows what it is judged by; everybody else does the same whatever that is.
        let kept = run.take().filter(|_| job.contender != Contender::Optimum);
        let (played, seconds) = kept.unwrap_or_else(|| {
            let start = Instant::now();
            let first = *name == world.settings[0].0;
            let hear = |minutes| {
                if first {
                    on_minutes(minutes)
                }
            };
            (job.contender.play(trace, setting, hear), start.elapsed().as_secs_f64())
        });
        if let Some(dir) = actions_dir.filter(|_| *name == BENCH) {
            let path = dir.join(format!("{}.{}.csv", trace.name, job.contender.name()));
            actions::write(&path, &played)?;
        }
        let judged = job.contender.judge(&played, setting)?;
        outcomes.push(Outcome { trace: job.trace, setting: name, judged, seconds });
        run = Some((played, seconds));
    }
    Ok(outcomes)
}

/// Every `.csv` of a folder, by name.
fn read_all(dir: &Path) -> Result<Vec<Recorded>, Failure> {
    let unreadable = |source| Failure::Unreadable { path: dir.to_owned(), source };
    let entries = fs::read_dir(dir).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()
        .map_err(unreadable)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    paths.sort();
    if paths.is_empty() {
        let why = "no traces (*.csv) in it";
        return Err(unreadable(std::io::Error::new(std::io::ErrorKind::NotFound, why)));
    }
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Recorded, Failure> {
    let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    let trace = Trace::read(&name, &path.display().to_string(), file)?;
    let class = match fs::read(path.with_extension("json")) {
        Ok(text) => serde_json::from_slice::<serde_json::Value>(&text)?
            .get("cls")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(source) => return Err(unreadable(source)),
    };
    Ok(Recorded { trace, class: class.unwrap_or_else(|| "unclassed".to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        let mut csv = String::from("timestamp,incoming_bytes,incoming_records\n");
        for hour in 0..48 {
            let (day, hour, bytes) =
                (1 + hour / 24, hour % 24, 1_000_000_000_i64 * (1 + hour % 24));
            csv += &format!("2026-01-0{day}T{hour:02}:00:00Z,{bytes},1000000\n");
        }
        fs::write(dir.path().join("b.csv"), &csv).expect("a file");
        fs::write(dir.path().join("a.csv"), &csv).expect("a file");
        fs::write(dir.path().join("a.json"), r#"{"cls": "growth"}"#).expect("a file");
        dir
    }

    #[test]
    fn every_trace_meets_every_contender_and_the_optimum_is_best() {
        let dir = folder();
        let traces = read_all(dir.path()).expect("two traces");
        let classes: Vec<&str> = traces.iter().map(|recorded| recorded.class.as_str()).collect();
        assert_eq!(classes, ["growth", "unclassed"]);
        let worlds = [bench_world()];
        let jobs = jobs(&traces, &[Contender::AwsSample, Contender::Target60], &worlds);
        assert_eq!(jobs.len(), 6, "the optimum is always played");
        let actions = dir.path().join("actions");
        fs::create_dir(&actions).expect("a folder");
        let outcomes = play_all(&traces, &worlds, &jobs, Some(&actions)).expect("outcomes");
        let j = |contender| {
            let of = |o: &&Outcome| o.judged.contender == contender && o.trace == 0;
            outcomes.iter().find(of).expect("an outcome").judged.score.j
        };
        assert!(j(Contender::Optimum) < j(Contender::Target60));
        assert!(j(Contender::Target60) < j(Contender::AwsSample));
        assert_eq!(fs::read_dir(&actions).expect("a folder").count(), 6);
    }

    #[test]
    fn a_folder_without_traces_is_no_bench() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(matches!(read_all(dir.path()), Err(Failure::Unreadable { .. })));
    }
}
