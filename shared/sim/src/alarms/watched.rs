//! What an alarm watches, period by period, oldest first. A period slides with the minutes.
//!
//! Not here: what follows from it (`evaluate`).

use weir_core::alarms::{AlarmKind, AlarmQuery, AlarmSpec};
use weir_core::limits;
use weir_core::series::TrafficPoint;

use crate::consumer::ConsumerMinute;
use crate::metrics::Metrics;

/// The newest minutes of a stream's alarm, `newest` being the last that is over.
pub(crate) fn of_stream(
    kind: AlarmKind,
    metrics: &Metrics,
    newest: usize,
    periods: usize,
    values: &mut Vec<Option<f64>>,
) {
    let first = (newest + 1).saturating_sub(periods);
    values.extend((first..=newest).map(|minute| value(kind, &metrics.minute(minute))));
}

/// The newest periods of a consumer's alarm. `written` gives the records written to its stream in a
/// minute.
pub(crate) fn of_consumer(
    spec: &AlarmSpec,
    points: &[ConsumerMinute],
    written: impl Fn(usize) -> Option<f64>,
    newest: usize,
    periods: usize,
    values: &mut Vec<Option<f64>>,
) {
    let length = usize::try_from(spec.period_seconds / 60).unwrap_or(1).max(1);
    values.extend((0..periods).rev().map(|back| {
        let end = (newest + 1).checked_sub(back * length)?;
        let start = end.checked_sub(length)?;
        let written = || sum((start..end).map(&written));
        period(spec, points.get(start..end)?, written)
    }));
}

/// What an alarm watches, in a minute. A metric without a datapoint is left out of the formula.
fn value(kind: AlarmKind, point: &TrafficPoint) -> Option<f64> {
    match kind {
        AlarmKind::Throttle => point.throttled_records,
        AlarmKind::Consumer(_) => None,
        AlarmKind::Surge => {
            let shards = |sum: f64, per_second: f64| sum / (60.0 * per_second);
            let bytes =
                point.accepted_bytes.map(|b| shards(b, limits::SHARD_WRITE_BYTES_PER_SECOND));
            let records =
                point.accepted_records.map(|r| shards(r, limits::SHARD_WRITE_RECORDS_PER_SECOND));
            match (bytes, records) {
                (Some(bytes), Some(records)) => Some(bytes.max(records)),
                (bytes, records) => bytes.or(records),
            }
        }
    }
}

/// What a consumer's alarm watches, over the minutes of a period.
fn period(
    spec: &AlarmSpec,
    minutes: &[ConsumerMinute],
    written: impl Fn() -> Option<f64>,
) -> Option<f64> {
    let of = |value: fn(&ConsumerMinute) -> Option<f64>| minutes.iter().map(value);
    if let Some(AlarmQuery::Expression { .. }) = spec.queries.last() {
        // Silence: what was written while nothing was read.
        let read = sum(of(|minute| minute.reads)).unwrap_or(0.0);
        return written().map(|written| if read > 0.0 { 0.0 } else { written });
    }
    let Some(AlarmQuery::Metric { metric, .. }) = spec.queries.first() else { return None };
    match metric.name.as_str() {
        "IteratorAge"
        | "KinesisMillisBehindLatest"
        | "MillisBehindLatest"
        | "SubscribeToShardEvent.MillisBehindLatest"
        | "GetRecords.IteratorAgeMilliseconds" => of(|minute| minute.lag_seconds)
            .flatten()
            .reduce(f64::max)
            .map(|seconds| 1_000.0 * seconds),
        "IncomingRecords" => written(),
        "Errors" => sum(of(|minute| minute.errors)),
        "DeliveryToS3.DataFreshness" => {
            of(|minute| minute.undelivered_seconds).flatten().reduce(f64::max)
        }
        _ => None,
    }
}

fn sum(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().reduce(|sum, value| sum + value)
}
