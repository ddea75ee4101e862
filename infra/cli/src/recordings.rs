//! What the command says of a recording, and writing one.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use weir_bench::metric_history::MetricHistory;
use weir_sim::trace::Trace;

use crate::faults::Failure;

/// Writes a recording beside its place first, so that none is ever cut short.
pub(crate) fn write(path: &Path, history: &MetricHistory) -> Result<(), Failure> {
    let unwritable = |source| Failure::Unwritable { path: path.to_owned(), source };
    let beside = path.with_extension("csv.part");
    fs::write(&beside, history.to_csv()).map_err(unwritable)?;
    fs::rename(&beside, path).map_err(unwritable)
}

/// Its time, its resolution, and what is missing.
pub(crate) fn told(trace: &Trace) -> String {
    let minutes = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let end = trace.start.saturating_add(SignedDuration::from_mins(minutes(trace.minutes.len())));
    let end = minute(end.unwrap_or(trace.start));
    format!("{} to {end}, {}", minute(trace.start), recorded(trace))
}

/// Its resolution, and what is missing.
pub(crate) fn recorded(trace: &Trace) -> String {
    format!("{}; {}", resolution(trace), missing(trace))
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

fn resolution(trace: &Trace) -> String {
    let periods = trace.recorded.period_minutes.iter().map(|minutes| match minutes {
        1 => "every minute".to_owned(),
        60 => "every hour".to_owned(),
        minutes => format!("every {minutes} minutes"),
    });
    periods.collect::<Vec<_>>().join(", then ")
}

/// What is missing of a recording, in words.
#[allow(clippy::cast_precision_loss)] // counts of minutes
fn missing(trace: &Trace) -> String {
    match trace.recorded.missing_minutes() {
        0 => "nothing is missing".to_owned(),
        missing => {
            let (gaps, all) = (trace.recorded.gaps.len(), trace.minutes.len());
            let percent = 100.0 * missing as f64 / all.max(1) as f64;
            let gaps = if gaps == 1 { "1 gap".to_owned() } else { format!("{gaps} gaps") };
            format!("{missing} of {all} minutes are missing ({percent:.1} %, {gaps})")
        }
    }
}
