//! What is told of a run: log lines, counts for metrics, and the function's answer.
//!
//! A file for each loop's report. Not here: writing metrics (`emf`), failures of the run as a whole
//! (`function`).

mod action;
mod alerts;
mod plan;
mod sync;

use serde_json::Value;
use tracing::error;
use weir_control::ports::PortError;
use weir_control::routing::Loop;
use weir_core::reasons::SkipReason;

/// What a loop did in one run, ready to be told.
pub trait Report {
    /// Writes the log lines of a run of this loop; gives the summary and the counts.
    fn tell(&self, of: Loop) -> Told;

    /// The function's answer to an event that asked for nothing.
    fn skipped(reason: SkipReason) -> Value;

    /// The function's answer where a call failed without which nothing could be done.
    fn failed() -> Value {
        Value::Null
    }
}

/// What is told of a run beside its log lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The function's answer.
    pub answer: Value,
    /// Metrics and their counts.
    pub counts: Vec<(&'static str, usize)>,
}

fn log_trouble(trouble: &PortError) {
    let PortError { operation, failure, .. } = trouble;
    error!(operation, ?failure, error = %trouble, "trouble");
}
