//! Recordings as CSV.
//!
//! Not here: exports of other tools (`weir_bench::import`).

use std::io::Read;

use super::{BytesWithoutRecords, Minute, RecordedRow, Trace, TraceFault};

const TIMESTAMP: &str = "timestamp";
const BYTES: &str = "incoming_bytes";
const RECORDS: &str = "incoming_records";
const THROTTLED: &str = "throttled_records";
/// What a recording may hold. A replay takes what was written and what was refused; how the
/// stream was read is for people.
pub(super) const COLUMNS: [&str; 6] =
    [TIMESTAMP, BYTES, RECORDS, THROTTLED, "read_bytes", "iterator_age_millis"];
const WRITE_COLUMNS: &str = "write timestamp,incoming_bytes,incoming_records";
/// What `weir import` reads.
const IMPORT: &str = "make a recording of it: weir import FILE";
/// Of a faulty text so much is repeated.
const QUOTED_CHARS: usize = 120;

impl Trace {
    /// Reads a recording: CSV with the columns `timestamp` (RFC 3339, start of the period),
    /// `incoming_bytes` and `incoming_records` (sums over the period); `throttled_records`,
    /// `read_bytes` and `iterator_age_millis` may stand beside them. Rows come in any order, in
    /// periods of whole minutes. A row that is missing, or whose bytes or records are empty, is a
    /// gap. Lines that begin with `#` are comments.
    ///
    /// # Errors
    /// The first fault, with its line and how to mend it.
    pub fn read(name: &str, file: &str, mut csv: impl Read) -> Result<Trace, TraceFault> {
        let faults = TraceFaults { file };
        let mut text = Vec::new();
        csv.read_to_end(&mut text).map_err(|error| TraceFault {
            source: Some(error.into()),
            ..faults.at(1, "the file ends in a fault", "try again, or copy it anew")
        })?;
        Trace::of_rows(name, file, faults.rows(&text)?)
    }
}

pub(super) struct TraceFaults<'a> {
    pub(super) file: &'a str,
}

/// Where each column stands.
struct Places {
    timestamp: usize,
    bytes: usize,
    records: usize,
    throttled: Option<usize>,
}

impl TraceFaults<'_> {
    pub(super) fn at(
        &self,
        line: u64,
        message: impl Into<String>,
        fix: &'static str,
    ) -> TraceFault {
        TraceFault::new(self.file, line, message, fix)
    }

    fn rows(&self, text: &[u8]) -> Result<Vec<RecordedRow>, TraceFault> {
        let text = utf8(self.file, text)?.as_bytes();
        if let Some(b'{' | b'[') = text.trim_ascii_start().first() {
            return Err(self.at(1, "this is JSON", IMPORT));
        }
        let mut reader =
            csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(text);
        let unreadable = |line: u64, error: csv::Error| TraceFault {
            source: Some(error),
            ..self.at(line, "this is not CSV", WRITE_COLUMNS)
        };
        let headers = reader.headers().map_err(|error| unreadable(1, error))?.clone();
        let places = self.places(&headers)?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                unreadable(line, error)
            })?;
            rows.push(self.row(&record, &places)?);
        }
        Ok(rows)
    }

    fn places(&self, headers: &csv::StringRecord) -> Result<Places, TraceFault> {
        let place = |column: &str| headers.iter().position(|header| header == column);
        let unknown = headers.iter().find(|header| !COLUMNS.contains(header));
        match (place(TIMESTAMP), place(BYTES), place(RECORDS), unknown) {
            (Some(timestamp), Some(bytes), Some(records), None) => {
                Ok(Places { timestamp, bytes, records, throttled: place(THROTTLED) })
            }
            (.., unknown) => {
                let columns = quoted(&headers.iter().collect::<Vec<_>>().join(","));
                let message = match unknown {
                    Some(column) => {
                        format!("the columns are {columns}; {} is none of Weir's", quoted(column))
                    }
                    None => format!("the columns are {columns}"),
                };
                Err(self.at(
                    1,
                    message,
                    "write timestamp,incoming_bytes,incoming_records, or for an export of \
                     CloudWatch: weir import FILE",
                ))
            }
        }
    }

    fn row(&self, record: &csv::StringRecord, places: &Places) -> Result<RecordedRow, TraceFault> {
        let line = record.position().map_or(1, csv::Position::line);
        let text = record.get(places.timestamp).unwrap_or_default();
        let at = text.parse().map_err(|_| {
            let message = format!("{} is no time", quoted(text));
            self.at(line, message, "write times like 2026-11-21T08:00:00Z")
        })?;
        let number = |place: usize, column: &str| match record.get(place).unwrap_or_default() {
            "" => Ok(None),
            text => text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0).map_or_else(
                || {
                    let message = format!("{column} cannot be {}", quoted(text));
                    Err(self.at(line, message, "write a number that is not negative, or nothing"))
                },
                |number| Ok(Some(number)),
            ),
        };
        let bytes = number(places.bytes, BYTES)?;
        let records = number(places.records, RECORDS)?;
        let throttled = match places.throttled {
            Some(place) => number(place, THROTTLED)?,
            None => None,
        };
        let traffic = Minute::recorded(bytes, records, throttled)
            .map_err(|fault| self.at(line, fault.to_string(), BytesWithoutRecords::FIX))?;
        Ok(RecordedRow { line, at, traffic })
    }
}

/// The text of a file that people made: UTF-8, with or without its mark.
///
/// # Errors
/// Where it is another encoding, or empty.
pub fn utf8<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, TraceFault> {
    let fault = |message: &str, fix| Err(TraceFault::new(file, 1, message, fix));
    let as_utf8 = "write it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE";
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0) {
        return fault("this is UTF-16, or no text", as_utf8);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => {
            fault("the file is empty", "record or export at least two periods")
        }
        Ok(text) => Ok(text),
        Err(_) => fault("this is not UTF-8", as_utf8),
    }
}

/// So much of a text that a message stays one.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}
