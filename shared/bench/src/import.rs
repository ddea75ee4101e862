//! Exports of CloudWatch, in any order, as recordings: what `aws cloudwatch get-metric-data` and
//! `get-metric-statistics` print, and the CSV of the console's graphs.
//!
//! Here: which metric and stream a label names, and times as exports write them. Not here: the two
//! formats (`json`, `sheet`), and what a recording is (`metric_history`).

mod json;
mod sheet;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use weir_core::units::StreamName;
use weir_sim::trace::{TraceFault, utf8};

use crate::metric_history::{MetricHistory, RecordedMetric};

/// Times above this are milliseconds since 1970: in seconds it is the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// What exports hold: the history of each stream. None is its name where no label says it.
pub type Imported = BTreeMap<Option<StreamName>, MetricHistory>;

/// Reads exports, each with its name. One metric of a stream may stand in one file, and the next in
/// another. Times without a zone are taken to be of `zone`.
///
/// # Errors
/// The first fault, with its file and line and how to mend it.
pub fn read(files: &[(String, Vec<u8>)], zone: &TimeZone) -> Result<Imported, TraceFault> {
    let mut imported = Imported::new();
    for (file, bytes) in files {
        let text = utf8(file, bytes)?;
        let mut export = Export { file, zone, imported: &mut imported };
        match text.trim_start().as_bytes().first() {
            Some(b'{' | b'[') => json::read(text, &mut export)?,
            _ => sheet::read(text, &mut export)?,
        }
    }
    // Files of one stream, of which one names it and the other does not.
    if imported.len() == 2
        && let Some(nameless) = imported.remove(&None)
    {
        let file = files.first().map_or("", |(file, _)| file);
        match imported.values_mut().next() {
            Some(named) => named.merge(&nameless).map_err(|at| {
                let message = format!("two files say different things of {at}");
                TraceFault::new(file, 1, message, "import the exports of one stream at a time")
            })?,
            None => return Ok(imported),
        }
    }
    Ok(imported)
}

/// A file being read.
struct Export<'a> {
    file: &'a str,
    zone: &'a TimeZone,
    imported: &'a mut Imported,
}

/// Whose values these are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Labelled {
    stream: Option<StreamName>,
    metric: RecordedMetric,
}

impl Labelled {
    /// What a label says, if it names a metric that a recording holds.
    fn of(label: &str) -> Option<Labelled> {
        let metric = metric(label)?;
        let mut others = label
            .split(|c: char| c.is_whitespace() || matches!(c, ':' | '/' | ',' | '(' | ')'))
            .filter(|word| !word.is_empty() && self::metric(word).is_none())
            .filter(|word| !STATISTICS.contains(&plain(word).as_str()));
        let stream = match (others.next(), others.next()) {
            (Some(only), None) => StreamName::new(only).ok(),
            _ => None,
        };
        Some(Labelled { stream, metric })
    }
}

/// Words of a label that name no stream.
const STATISTICS: [&str; 5] = ["sum", "maximum", "max", "average", "minimum"];

/// Small letters and digits alone.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn metric(label: &str) -> Option<RecordedMetric> {
    let label = plain(label);
    let named = |name: &str| label.contains(&plain(name));
    let by_name = RecordedMetric::ALL
        .into_iter()
        .find(|metric| named(metric.cloudwatch_name()) || named(metric.column()));
    by_name.or(match label.as_str() {
        "bytes" => Some(RecordedMetric::IncomingBytes),
        "records" => Some(RecordedMetric::IncomingRecords),
        "throttled" => Some(RecordedMetric::ThrottledRecords),
        _ => None,
    })
}

impl Export<'_> {
    fn fault(&self, line: u64, message: impl Into<String>, fix: &'static str) -> TraceFault {
        TraceFault::new(self.file, line, message, fix)
    }

    /// A period of a stream without a value.
    fn add_period(&mut self, labelled: &Labelled, at: Timestamp, line: u64) {
        let history = self.imported.entry(labelled.stream.clone()).or_default();
        history.add_period(at, line);
    }

    fn add(
        &mut self,
        labelled: &Labelled,
        at: Timestamp,
        value: f64,
        line: u64,
    ) -> Result<(), TraceFault> {
        let name = labelled.metric.cloudwatch_name();
        if !value.is_finite() || value < 0.0 {
            let message = format!("{name} cannot be {value} at {at}");
            return Err(self.fault(line, message, "export it with the statistic Sum"));
        }
        let history = self.imported.entry(labelled.stream.clone()).or_default();
        history.add(at, labelled.metric, value, line).map_err(|contradiction| {
            let message = format!("{name} is {} and {value} at {at}", contradiction.known);
            let fix = "export one statistic (Sum) over one period, and the streams one by one";
            self.fault(line, message, fix)
        })
    }

    /// A time as exports write it: with a zone, without one, or in seconds since 1970.
    fn time(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        if let Ok(at) = text.parse() {
            return Some(at);
        }
        if let Ok(number) = text.parse::<f64>() {
            return since_1970(number);
        }
        let text = text.replace('/', "-");
        let local: DateTime = text.parse().ok()?;
        local.to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp())
    }
}

fn since_1970(number: f64) -> Option<Timestamp> {
    let seconds = if number.abs() >= MILLISECONDS_FROM { number / 1_000.0 } else { number };
    // Truncation is meant: periods begin with whole seconds; what is out of range is no time.
    #[allow(clippy::cast_possible_truncation)]
    Timestamp::from_second(seconds as i64).ok()
}
