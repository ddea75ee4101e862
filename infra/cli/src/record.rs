//! `weir record`: what CloudWatch has of streams, into recordings.
//!
//! Here: which streams and files, resuming, and how far it is. Not here: which times are asked for
//! (`weir_bench::slices`), and asking (`weir_aws`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use weir_aws::{Account, HistoryMetric, HistoryWindow};
use weir_bench::import;
use weir_bench::metric_history::{MetricHistory, RecordedMetric};
use weir_bench::recording::RecordingError;
use weir_bench::slices::{self, Slice};
use weir_control::ports::{Clock, ListStreams};
use weir_core::limits::METRIC_HOURS_KEPT_DAYS;
use weir_core::units::StreamName;

use crate::faults::Failure;
use crate::{live, progress, recordings};

/// What is asked.
#[derive(Args)]
pub(crate) struct RecordQuestion {
    /// Streams, by name.
    #[arg(required_unless_present = "all", value_name = "STREAM")]
    streams: Vec<String>,
    /// Every stream of the account in the region.
    #[arg(long, conflicts_with = "streams")]
    all: bool,
    /// How far back. CloudWatch keeps minutes for 15 days, five minutes for 63, hours for 455.
    #[arg(long, default_value_t = 15,
          value_parser = clap::value_parser!(u16).range(1..=i64::from(METRIC_HOURS_KEPT_DAYS)))]
    days: u16,
    /// Folder for the recordings, a file for each stream. What is in it is kept, and brought up to
    /// now.
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    who: live::Who,
}

/// A recording in the making.
struct Target {
    stream: StreamName,
    path: PathBuf,
    history: MetricHistory,
}

/// What is asked for together: streams of which the same is missing.
type Batches = BTreeMap<Option<(Timestamp, Timestamp)>, Vec<Target>>;

pub(crate) fn run(question: &RecordQuestion) -> Result<(), Failure> {
    let named: Vec<StreamName> =
        question.streams.iter().map(|name| StreamName::new(name)).collect::<Result<_, _>>()?;
    fs::create_dir_all(&question.out)
        .map_err(|source| Failure::Unwritable { path: question.out.clone(), source })?;
    live::with_account(&question.who, async |account| {
        let streams = if question.all { account.list_streams().await? } else { named };
        let mut batches = Batches::new();
        for stream in streams {
            let path = question.out.join(format!("{stream}.csv"));
            let history = there(&path)?;
            let known = known(&history).map(|known| (known.start, known.end));
            batches.entry(known).or_default().push(Target { stream, path, history });
        }
        let now = account.now();
        let asked = |known: &Option<(Timestamp, Timestamp)>| {
            slices::slices(now, question.days, known.map(|(start, end)| start..end))
        };
        let minutes = batches.keys().flat_map(asked).map(|slice| slice.minutes()).sum();
        let bar = progress::bar(minutes, "record");
        for (known, targets) in &mut batches {
            for slice in asked(known) {
                read(&account, slice, targets).await?;
                bar.inc(u64::try_from(slice.minutes()).unwrap_or(u64::MAX));
            }
        }
        bar.finish_and_clear();
        tell(batches.into_values().flatten(), &account, question.days)
    })
}

/// A recording that is there already; an empty one where there is none.
fn there(path: &Path) -> Result<MetricHistory, Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(MetricHistory::default());
        }
        Err(source) => {
            return Err(RecordingError::Unreadable { path: path.to_owned(), source }.into());
        }
    };
    let files = [(path.display().to_string(), bytes)];
    let imported = import::read(&files, &TimeZone::UTC).map_err(RecordingError::Trace)?;
    Ok(imported.into_values().next().unwrap_or_default())
}

/// From its first period to the end of its last.
fn known(history: &MetricHistory) -> Option<Range<Timestamp>> {
    let (first, last) = (history.first()?, history.last()?);
    Some(slices::known(first, last, history.last_period_seconds()))
}

/// Asks for a slice of these streams, and writes what is known then: whatever ends the work, it
/// goes on from there.
async fn read(account: &Account, slice: Slice, targets: &mut [Target]) -> Result<(), Failure> {
    let metrics = RecordedMetric::ALL.map(|metric| HistoryMetric {
        name: metric.cloudwatch_name(),
        statistic: metric.statistic(),
    });
    let streams: Vec<StreamName> = targets.iter().map(|target| target.stream.clone()).collect();
    let Slice { start, end, period_seconds } = slice;
    let window = HistoryWindow { start, end, period_seconds };
    let points = account.read_history(&streams, &metrics, window).await?;
    for target in targets.iter_mut() {
        slice.periods().for_each(|at| target.history.add_period(at, 0));
    }
    for point in points {
        if let (Some(target), Some(metric)) =
            (targets.get_mut(point.stream), RecordedMetric::ALL.get(point.metric))
        {
            target.history.replace(point.at, *metric, point.value);
        }
    }
    let known = |target: &&mut Target| target.history.has(RecordedMetric::IncomingBytes);
    targets
        .iter_mut()
        .filter(known)
        .try_for_each(|target| recordings::write(&target.path, &target.history))
}

/// What came of each, and what to do next.
fn tell(
    targets: impl Iterator<Item = Target>,
    account: &Account,
    days: u16,
) -> Result<(), Failure> {
    let mut empty = Vec::new();
    for target in targets {
        if !target.history.has(RecordedMetric::IncomingBytes) {
            empty.push(target.stream.to_string());
            continue;
        }
        let file = target.path.display().to_string();
        let trace = target.history.to_trace(target.stream.as_str(), &file);
        let trace = trace.map_err(RecordingError::Trace)?;
        println!("{file}: {}", recordings::told(&trace));
        println!("  weir backtest --trace {file}");
    }
    match empty.is_empty() {
        true => Ok(()),
        false => Err(Failure::NoHistory {
            streams: empty.join(", "),
            region: account.region().unwrap_or("no region").to_owned(),
            days,
        }),
    }
}
