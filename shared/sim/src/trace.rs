//! Traffic to replay: one value a minute; and reading recorded traffic from CSV.
//!
//! Here: what a trace is, and what can be wrong with a recording. The CSV is read in `read`, its
//! periods are brought to minutes in `grid`. Not here: traffic made from a seed (`generate`).

mod grid;
mod read;

use std::ops::Range;

pub use read::{quoted, utf8};

use jiff::Timestamp;
use thiserror::Error;
use weir_core::bill::Written;
use weir_core::units::{BytesPerSecond, RecordsPerSecond, ShardLoad};

/// Traffic of one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Minute {
    /// Bytes producers try to write.
    pub bytes: f64,
    /// Records producers try to write.
    pub records: f64,
}

/// Traffic of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its name, for reports.
    pub name: String,
    /// Start of the first minute.
    pub start: Timestamp,
    /// Every minute. CloudWatch publishes nothing of a minute without traffic, so a minute that is
    /// missing in the recording is played like one: its datapoint is missing, and the policy says
    /// what that means.
    pub minutes: Vec<Minute>,
    /// How it was recorded; empty where it was made up.
    pub recorded: Recorded,
}

/// How a trace was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Lengths of its periods, minutes, the oldest first: CloudWatch keeps what is older more
    /// coarsely.
    pub period_minutes: Vec<usize>,
    /// Minutes of which nothing is known, by their places in the trace, in order.
    pub gaps: Vec<Range<usize>>,
}

impl Recorded {
    /// Minutes of which nothing is known.
    pub fn missing_minutes(&self) -> usize {
        self.gaps.iter().map(ExactSizeIterator::len).sum()
    }
}

/// One period of a recording, wherever it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordedRow {
    /// Line in its file, from 1.
    pub line: u64,
    /// Start of the period.
    pub at: Timestamp,
    /// What producers tried to write in it; `None` where that is not known.
    pub traffic: Option<Minute>,
}

/// A recording that cannot be read: where, what, and how to mend it.
#[derive(Debug, Error)]
#[error("{file}:{line}: {message}; {fix}")]
pub struct TraceFault {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub fix: &'static str,
    /// What lies below.
    #[source]
    pub source: Option<csv::Error>,
}

/// Sums of a period that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("{bytes} bytes in no record")]
pub struct BytesWithoutRecords {
    bytes: f64,
}

impl BytesWithoutRecords {
    /// How to mend it.
    pub const FIX: &str =
        "export IncomingRecords over the same time too; leave unknown cells empty";
}

impl TraceFault {
    /// A fault of this line.
    pub fn new(file: &str, line: u64, message: impl Into<String>, fix: &'static str) -> TraceFault {
        TraceFault { file: file.to_owned(), line, message: message.into(), fix, source: None }
    }
}

impl Trace {
    /// Load of every minute, in shards.
    pub fn loads(&self) -> impl Iterator<Item = ShardLoad> {
        self.minutes.iter().map(Minute::load)
    }
}

impl Minute {
    /// What producers tried to write in a period: what was accepted, and what was refused at the
    /// mean size of that, as Weir's own demand counts it (`weir_core::demand`). `None` where bytes
    /// or records are not known.
    ///
    /// # Errors
    /// Where there are bytes in no record.
    pub fn recorded(
        bytes: Option<f64>,
        records: Option<f64>,
        throttled_records: Option<f64>,
    ) -> Result<Option<Minute>, BytesWithoutRecords> {
        let (Some(bytes), Some(records)) = (bytes, records) else { return Ok(None) };
        if bytes > 0.0 && records <= 0.0 {
            return Err(BytesWithoutRecords { bytes });
        }
        let throttled = throttled_records.unwrap_or(0.0);
        let refused_bytes = if records > 0.0 { throttled * (bytes / records) } else { 0.0 };
        Ok(Some(Minute { bytes: bytes + refused_bytes, records: records + throttled }))
    }

    /// As bills count it.
    pub fn written(&self) -> Written {
        Written { bytes: self.bytes, records: self.records }
    }

    /// What is billed by the byte: records are rounded up, each, to whole KiB.
    pub fn billable_gib(&self) -> f64 {
        self.written().billable_gb()
    }

    /// The load in shards.
    pub fn load(&self) -> ShardLoad {
        ShardLoad::of_rates(
            BytesPerSecond(self.bytes / 60.0),
            RecordsPerSecond(self.records / 60.0),
        )
    }
}

#[cfg(test)]
mod tests;
