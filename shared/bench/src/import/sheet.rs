//! Tables: the CSV of the console's graphs, whose first lines are labels, and others with a time in
//! the first column.

use csv::{ReaderBuilder, StringRecord, Trim};
use weir_sim::trace::{TraceFault, quoted};

use super::{Export, Labelled};

const COLUMNS: &str =
    "name the columns as CloudWatch does: Timestamp,IncomingBytes,IncomingRecords";

pub(super) fn read(text: &str, export: &mut Export<'_>) -> Result<(), TraceFault> {
    let delimiter = delimiter(text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .delimiter(delimiter)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let mut labels: Vec<StringRecord> = Vec::new();
    let mut columns: Option<Vec<Option<Labelled>>> = None;
    for record in reader.records() {
        let record = record.map_err(|error| TraceFault {
            source: Some(error),
            ..export.fault(1, "this is not CSV", COLUMNS)
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let first = record.get(0).unwrap_or_default();
        match (export.time(first), &columns) {
            (None, None) => labels.push(record),
            (None, Some(_)) => {
                let message = format!("{} is no time", quoted(first));
                return Err(export.fault(line, message, "write times like 2026-11-21T08:00:00Z"));
            }
            (Some(at), known) => {
                let known = match known {
                    Some(known) => known,
                    None => columns.insert(labelled(&labels, export)?),
                };
                for (column, labelled) in known.iter().enumerate() {
                    let Some(labelled) = labelled else { continue };
                    export.add_period(labelled, at, line);
                    let text = record.get(column).unwrap_or_default();
                    if !text.is_empty() {
                        let value = number(text, delimiter).ok_or_else(|| {
                            let name = labelled.metric.cloudwatch_name();
                            let message = format!("{name} cannot be {}", quoted(text));
                            export.fault(line, message, "write a number, or nothing")
                        })?;
                        export.add(labelled, at, value, line)?;
                    }
                }
            }
        }
    }
    match columns {
        Some(_) => Ok(()),
        None => {
            let message = format!("no row begins with a time: {}", shown(&labels));
            Err(export.fault(1, message, COLUMNS))
        }
    }
}

/// What each column holds; a column that is named twice is none.
fn labelled(
    labels: &[StringRecord],
    export: &Export<'_>,
) -> Result<Vec<Option<Labelled>>, TraceFault> {
    let columns = labels.iter().map(StringRecord::len).max().unwrap_or(0);
    let named = |column: usize| {
        let all: Vec<Labelled> =
            labels.iter().filter_map(|label| label.get(column)).filter_map(Labelled::of).collect();
        let naming = all.iter().find(|labelled| labelled.stream.is_some());
        naming.or(all.first()).cloned()
    };
    let found: Vec<Option<Labelled>> =
        (0..columns).map(|column| if column == 0 { None } else { named(column) }).collect();
    for (column, labelled) in found.iter().enumerate() {
        if labelled.is_some() && found.iter().take(column).any(|other| other == labelled) {
            let message = format!("two columns hold the same: {}", shown(labels));
            return Err(export.fault(1, message, "export one statistic (Sum) of each metric"));
        }
    }
    match found.iter().flatten().next() {
        Some(_) => Ok(found),
        None => {
            let message = format!("no column is one of Weir's: {}", shown(labels));
            Err(export.fault(1, message, COLUMNS))
        }
    }
}

fn shown(labels: &[StringRecord]) -> String {
    let lines: Vec<String> =
        labels.iter().map(|label| label.iter().collect::<Vec<_>>().join(",")).collect();
    quoted(&lines.join(" / "))
}

/// What stands oftenest in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: &u8| first.bytes().filter(|byte| byte == delimiter).count();
    [b';', b'\t', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// Where `;` stands between cells, a comma may stand in a number.
fn number(text: &str, delimiter: u8) -> Option<f64> {
    match delimiter {
        b';' => text.replace(',', ".").parse().ok(),
        _ => text.parse().ok(),
    }
}
