//! Traffic to replay: one value a minute; and reading recorded traffic from CSV.
//!
//! A recording of a coarser period is brought to minutes: from 30 minutes on it is interpolated
//! between the middles of its periods, below that it is held. Not here: traffic made from a seed
//! (`generate`).

use std::io::Read;

use jiff::{SignedDuration, Timestamp};
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
    /// Every minute.
    pub minutes: Vec<Minute>,
}

/// Columns of a recording.
const COLUMNS: [&str; 3] = ["timestamp", "incoming_bytes", "incoming_records"];
/// From this period on, a recording is interpolated.
const INTERPOLATED_FROM_MINUTES: usize = 30;
/// A recording longer than this many minutes is taken for a mistake: ten years.
const MINUTES_MAX: usize = 10 * 366 * 24 * 60;

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

/// One line of a recording.
struct TraceRow {
    line: u64,
    at: Timestamp,
    traffic: Minute,
}

impl Trace {
    /// Reads a recording: CSV with the columns `timestamp` (RFC 3339, start of the period),
    /// `incoming_bytes` and `incoming_records` (sums over the period), on a regular grid of whole
    /// minutes without gaps. Lines that begin with `#` are comments.
    ///
    /// # Errors
    /// The first fault, with its line and how to mend it.
    pub fn read(name: &str, file: &str, csv: impl Read) -> Result<Trace, TraceFault> {
        let faults = TraceFaults { file };
        let rows = faults.rows(csv)?;
        let (Some(first), Some(second)) = (rows.first(), rows.get(1)) else {
            let line = rows.first().map_or(1, |row| row.line);
            return Err(faults.at(line, "fewer than two rows", "record at least two periods"));
        };
        let period_minutes = faults.period(first, second)?;
        for (row, index) in rows.iter().zip(0i64..) {
            let expected = i64::try_from(period_minutes)
                .ok()
                .and_then(|minutes| minutes.checked_mul(index))
                .and_then(|minutes| first.at.checked_add(SignedDuration::from_mins(minutes)).ok());
            if expected != Some(row.at) {
                let expected =
                    expected.map_or_else(|| "an earlier end".to_owned(), |t| t.to_string());
                let message = format!("found {} where {expected} was expected", row.at);
                return Err(faults.at(row.line, message, "fill gaps and sort the rows by time"));
            }
        }
        if rows.len().saturating_mul(period_minutes) > MINUTES_MAX {
            return Err(faults.at(first.line, "more than ten years", "cut the recording"));
        }
        let periods: Vec<Minute> = rows.iter().map(|row| row.traffic).collect();
        Ok(Trace {
            name: name.to_owned(),
            start: first.at,
            minutes: to_minutes(&periods, period_minutes),
        })
    }

    /// Load of every minute, in shards.
    pub fn loads(&self) -> impl Iterator<Item = ShardLoad> {
        self.minutes.iter().map(Minute::load)
    }
}

impl Minute {
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

struct TraceFaults<'a> {
    file: &'a str,
}

impl TraceFaults<'_> {
    fn at(&self, line: u64, message: impl Into<String>, fix: &'static str) -> TraceFault {
        TraceFault { file: self.file.to_owned(), line, message: message.into(), fix, source: None }
    }

    fn rows(&self, csv: impl Read) -> Result<Vec<TraceRow>, TraceFault> {
        let mut reader =
            csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(csv);
        let unreadable = |line: u64, error: csv::Error| TraceFault {
            source: Some(error),
            ..self.at(
                line,
                "this is not CSV of three columns",
                "write timestamp,incoming_bytes,incoming_records",
            )
        };
        let headers = reader.headers().map_err(|error| unreadable(1, error))?;
        if headers.iter().ne(COLUMNS) {
            let message = format!("the columns are {:?}", headers.iter().collect::<Vec<_>>());
            return Err(self.at(1, message, "write timestamp,incoming_bytes,incoming_records"));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                unreadable(line, error)
            })?;
            rows.push(self.row(&record)?);
        }
        Ok(rows)
    }

    fn row(&self, record: &csv::StringRecord) -> Result<TraceRow, TraceFault> {
        let line = record.position().map_or(1, csv::Position::line);
        let text = record.get(0).unwrap_or_default();
        let at = text.parse().map_err(|_| {
            self.at(line, format!("{text:?} is no time"), "write times like 2026-11-21T08:00:00Z")
        })?;
        let number = |column: usize| {
            let text = record.get(column).unwrap_or_default();
            text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0).ok_or_else(|| {
                let message = format!("{} cannot be {text:?}", COLUMNS[column]);
                self.at(line, message, "write a number that is not negative; leave no gap")
            })
        };
        Ok(TraceRow { line, at, traffic: Minute { bytes: number(1)?, records: number(2)? } })
    }

    fn period(&self, first: &TraceRow, second: &TraceRow) -> Result<usize, TraceFault> {
        let seconds = second.at.as_second() - first.at.as_second();
        if seconds <= 0 || seconds % 60 != 0 {
            let message = format!("a period of {seconds} s");
            return Err(self.at(second.line, message, "record whole minutes, oldest first"));
        }
        Ok(usize::try_from(seconds / 60).unwrap_or(usize::MAX))
    }
}

#[allow(clippy::cast_precision_loss)] // counts of minutes, far below 2^52
fn to_minutes(periods: &[Minute], period_minutes: usize) -> Vec<Minute> {
    let per_minute = |period: &Minute| Minute {
        bytes: period.bytes / period_minutes as f64,
        records: period.records / period_minutes as f64,
    };
    let minutes = 0..periods.len() * period_minutes;
    if period_minutes < INTERPOLATED_FROM_MINUTES {
        return minutes.map(|minute| per_minute(&periods[minute / period_minutes])).collect();
    }
    let last = periods.len() - 1;
    minutes
        .map(|minute| {
            // Position of the minute's middle between the middles of periods.
            let position =
                ((minute as f64 + 0.5) / period_minutes as f64 - 0.5).clamp(0.0, last as f64);
            // Truncation is meant: the whole part is an index.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let left = (position as usize).min(last);
            let (a, b) = (per_minute(&periods[left]), per_minute(&periods[(left + 1).min(last)]));
            let share = position - left as f64;
            let between = |a: f64, b: f64| a + (b - a) * share;
            Minute { bytes: between(a.bytes, b.bytes), records: between(a.records, b.records) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "timestamp,incoming_bytes,incoming_records\n";

    fn fault(csv: &str) -> String {
        Trace::read("t", "t.csv", csv.as_bytes()).expect_err("a fault").to_string()
    }

    #[test]
    fn short_periods_are_held_and_long_ones_interpolated() {
        let five =
            format!("{HEAD}# a note\n2026-01-01T00:00:00Z,500,50\n2026-01-01T00:05:00Z,1000,100\n");
        let five = Trace::read("five", "five.csv", five.as_bytes()).expect("a trace");
        let bytes: Vec<f64> = five.minutes.iter().map(|m| m.bytes).collect();
        assert_eq!(bytes, [100.0, 100.0, 100.0, 100.0, 100.0, 200.0, 200.0, 200.0, 200.0, 200.0]);
        let hour = format!("{HEAD}2026-01-01T00:00:00Z,6000,60\n2026-01-01T01:00:00Z,12000,60\n");
        let hour = Trace::read("hour", "hour.csv", hour.as_bytes()).expect("a trace");
        assert_eq!(hour.minutes[0].bytes, 100.0);
        let middle = 100.0 + 100.0 * 29.5 / 60.0;
        assert!((hour.minutes[59].bytes - middle).abs() < 1e-9, "{:?}", hour.minutes[59]);
        assert_eq!(hour.minutes[119].bytes, 200.0);
    }

    #[test]
    fn faults_say_where_and_how_to_mend_them() {
        let cases = [
            "when,bytes,records\n2026-01-01T00:00:00Z,1,1\n".to_owned(),
            format!("{HEAD}2026-01-01T00:00:00Z,1,1\n"),
            format!("{HEAD}2026-01-01T00:00:00Z,1,1\nyesterday,1,1\n"),
            format!("{HEAD}2026-01-01T00:00:00Z,1,1\n2026-01-01T00:01:00Z,-1,1\n"),
            format!("{HEAD}2026-01-01T00:00:00Z,1,1\n2026-01-01T00:01:00Z,1\n"),
            format!("{HEAD}2026-01-01T00:00:00Z,1,1\n2026-01-01T00:00:30Z,1,1\n"),
            format!(
                "{HEAD}2026-01-01T00:00:00Z,1,1\n2026-01-01T00:01:00Z,1,1\n2026-01-01T00:03:00Z,1,1\n"
            ),
        ];
        let faults: Vec<String> = cases.iter().map(|csv| fault(csv)).collect();
        insta::assert_snapshot!(faults.join("\n"));
    }
}
