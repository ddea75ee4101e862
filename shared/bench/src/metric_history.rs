//! What CloudWatch has of a stream, period by period, and as a recording.
//!
//! Not here: reading it from AWS (`weir-aws`) or from exports (`import`), and playing it
//! (`weir_sim::trace`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_sim::trace::{BytesWithoutRecords, Minute, RecordedRow, Trace, TraceFault};

/// A metric that a recording holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordedMetric {
    /// Bytes accepted: sum.
    IncomingBytes,
    /// Records accepted: sum.
    IncomingRecords,
    /// Records refused by throttling: sum.
    ThrottledRecords,
    /// Bytes that consumers read: sum.
    ReadBytes,
    /// How far the slowest polling reader is behind, milliseconds: maximum.
    IteratorAgeMillis,
}

impl RecordedMetric {
    /// All of them, in the order of a recording's columns.
    pub const ALL: [RecordedMetric; 5] = [
        RecordedMetric::IncomingBytes,
        RecordedMetric::IncomingRecords,
        RecordedMetric::ThrottledRecords,
        RecordedMetric::ReadBytes,
        RecordedMetric::IteratorAgeMillis,
    ];

    /// The column of a recording.
    pub fn column(self) -> &'static str {
        match self {
            RecordedMetric::IncomingBytes => "incoming_bytes",
            RecordedMetric::IncomingRecords => "incoming_records",
            RecordedMetric::ThrottledRecords => "throttled_records",
            RecordedMetric::ReadBytes => "read_bytes",
            RecordedMetric::IteratorAgeMillis => "iterator_age_millis",
        }
    }

    /// As CloudWatch calls it.
    pub fn cloudwatch_name(self) -> &'static str {
        match self {
            RecordedMetric::IncomingBytes => "IncomingBytes",
            RecordedMetric::IncomingRecords => "IncomingRecords",
            RecordedMetric::ThrottledRecords => "WriteProvisionedThroughputExceeded",
            RecordedMetric::ReadBytes => "GetRecords.Bytes",
            RecordedMetric::IteratorAgeMillis => "GetRecords.IteratorAgeMilliseconds",
        }
    }

    /// What CloudWatch is asked of it.
    pub fn statistic(self) -> &'static str {
        match self {
            RecordedMetric::IteratorAgeMillis => "Maximum",
            _ => "Sum",
        }
    }

    /// Whether every recording has the column.
    fn is_needed(self) -> bool {
        matches!(self, RecordedMetric::IncomingBytes | RecordedMetric::IncomingRecords)
    }
}

/// One period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Period {
    /// Line it was read from first.
    line: u64,
    values: [Option<f64>; RecordedMetric::ALL.len()],
}

/// Two numbers for one thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contradiction {
    /// What was known before.
    pub known: f64,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricHistory {
    periods: BTreeMap<Timestamp, Period>,
}

impl MetricHistory {
    /// There is a period from `at` on, whatever is known of it.
    pub fn add_period(&mut self, at: Timestamp, line: u64) {
        self.periods.entry(at).or_insert(Period { line, ..Period::default() });
    }

    /// A metric's value in the period that begins at `at`.
    ///
    /// # Errors
    /// Where another value is known already.
    pub fn add(
        &mut self,
        at: Timestamp,
        metric: RecordedMetric,
        value: f64,
        line: u64,
    ) -> Result<(), Contradiction> {
        let period = self.periods.entry(at).or_insert(Period { line, ..Period::default() });
        let place = &mut period.values[metric as usize];
        match *place {
            Some(known) if known != value => Err(Contradiction { known }),
            _ => {
                *place = Some(value);
                Ok(())
            }
        }
    }

    /// A metric's value, whatever was known before.
    pub fn replace(&mut self, at: Timestamp, metric: RecordedMetric, value: f64) {
        self.periods.entry(at).or_default().values[metric as usize] = Some(value);
    }

    /// Length of the last period, seconds: as far as it lies from the one before it; a minute where
    /// there is none.
    pub fn last_period_seconds(&self) -> u32 {
        let mut newest = self.periods.keys().rev().map(|at| at.as_second());
        let length = newest.next().zip(newest.next()).map(|(last, before)| last - before);
        length.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(60)
    }

    /// Takes what another knows.
    ///
    /// # Errors
    /// The first period of which they say different things.
    pub fn merge(&mut self, other: &MetricHistory) -> Result<(), Timestamp> {
        for (at, period) in &other.periods {
            self.add_period(*at, period.line);
            for metric in RecordedMetric::ALL {
                if let Some(value) = period.values[metric as usize] {
                    self.add(*at, metric, value, period.line).map_err(|_| *at)?;
                }
            }
        }
        Ok(())
    }

    /// Whether it knows nothing.
    pub fn is_empty(&self) -> bool {
        self.periods.is_empty()
    }

    /// Start of the last period.
    pub fn last(&self) -> Option<Timestamp> {
        self.periods.last_key_value().map(|(at, _)| *at)
    }

    /// Start of the first period.
    pub fn first(&self) -> Option<Timestamp> {
        self.periods.first_key_value().map(|(at, _)| *at)
    }

    /// Whether anything is known of this metric.
    pub fn has(&self, metric: RecordedMetric) -> bool {
        self.periods.values().any(|period| period.values[metric as usize].is_some())
    }

    /// As a recording; what is not known stays empty.
    pub fn to_csv(&self) -> String {
        let columns: Vec<RecordedMetric> = RecordedMetric::ALL
            .into_iter()
            .filter(|metric| metric.is_needed() || self.has(*metric))
            .collect();
        let names: Vec<&str> = columns.iter().map(|metric| metric.column()).collect();
        let mut csv = format!("timestamp,{}\n", names.join(","));
        for (at, period) in &self.periods {
            csv.push_str(&at.to_string());
            for metric in &columns {
                csv.push(',');
                if let Some(value) = period.values[*metric as usize] {
                    csv.push_str(&value.to_string());
                }
            }
            csv.push('\n');
        }
        csv
    }

    /// As what a replay plays.
    ///
    /// # Errors
    /// Where it makes no recording, with the line of `file` it was read from.
    pub fn to_trace(&self, name: &str, file: &str) -> Result<Trace, TraceFault> {
        let row = |(at, period): (&Timestamp, &Period)| {
            let value = |metric: RecordedMetric| period.values[metric as usize];
            let traffic = Minute::recorded(
                value(RecordedMetric::IncomingBytes),
                value(RecordedMetric::IncomingRecords),
                value(RecordedMetric::ThrottledRecords),
            );
            let traffic = traffic.map_err(|fault| {
                let message = format!("{fault} at {at}");
                TraceFault::new(file, period.line, message, BytesWithoutRecords::FIX)
            })?;
            Ok(RecordedRow { line: period.line, at: *at, traffic })
        };
        let rows: Vec<RecordedRow> = self.periods.iter().map(row).collect::<Result<_, _>>()?;
        Trace::of_rows(name, file, rows)
    }
}
