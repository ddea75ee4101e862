//! Which minutes say how a stream refuses writes: those whose metrics are in, and in which its size is known.
//!
//! A reshard's minutes say nothing: nobody knows which size a stream has in them. Not here: what they say
//! (`learnt`).

use jiff::{SignedDuration, Timestamp};

use super::learnt::Seen;
use crate::action::{ActionRecord, Change};
use crate::limits;
use crate::observation::{CapacityMode, StreamState};
use crate::reshard;
use crate::series::{Series, TrafficPoint};
use crate::units::{BytesPerSecond, RecordsPerSecond, ShardLoad, Shards};

/// No reshard is taken to be quicker than this.
const RESHARD_MINUTES_MIN: i64 = 5;

/// Minutes that end after `after` and say something, oldest first, each with its end.
pub fn minutes(
    series: Option<&Series>,
    state: &StreamState,
    actions: Option<&[ActionRecord]>,
    after: Timestamp,
    now: Timestamp,
) -> Vec<(Timestamp, Seen)> {
    let (Some(series), Some(actions)) = (series, actions) else { return Vec::new() };
    if state.mode == CapacityMode::OnDemand {
        return Vec::new();
    }
    let mut counted: Vec<&ActionRecord> =
        actions.iter().filter(|action| action.outcome.counts()).collect();
    counted.sort_by_key(|action| action.at);
    let mut known = Vec::new();
    let (mut until, mut size) = (Timestamp::MAX, Some(state.open_shards));
    let minutes = |count| SignedDuration::from_mins(count);
    for action in counted.iter().rev() {
        let Change::Reshard { from, to } = action.change else {
            size = None;
            break;
        };
        let takes = reshard::expected(from, to).max(minutes(RESHARD_MINUTES_MIN));
        let over = action.at.checked_add(takes).unwrap_or(Timestamp::MAX);
        // Another size than was asked for is somebody else's doing, or comes while the reshard is under way.
        known.push((over, until, size.filter(|size| *size == to)));
        until = action.at;
        size = Some(from);
    }
    known.push((Timestamp::MIN, until, size));
    let size_in = |start: Timestamp, end: Timestamp| -> Option<Shards> {
        known.iter().find(|(from, until, _)| *from <= start && end <= *until).and_then(|k| k.2)
    };
    let period = i64::from(series.period_seconds.max(1));
    let first = after.as_second().saturating_sub(series.start.as_second()).div_euclid(period);
    let first = usize::try_from(first).unwrap_or(0).min(series.points.len());
    (first..series.points.len())
        .filter_map(|index| {
            let (start, end) = (series.start_of(index), series.start_of(index + 1));
            let settled = now.as_second() - end.as_second() >= limits::METRIC_SETTLE_SECONDS;
            let seen = of_point(&series.points[index], series.period_seconds, settled)?;
            let shards = size_in(start, end)?.capacity().get();
            Some((end, Seen { shards, ..seen }))
        })
        .collect()
}

fn of_point(point: &TrafficPoint, period_seconds: u32, settled: bool) -> Option<Seen> {
    let (bytes, records) = (point.accepted_bytes?, point.accepted_records?);
    let throttled = match point.throttled_records {
        None if !settled => return None,
        throttled => throttled.unwrap_or(0.0).max(0.0),
    };
    if records <= 0.0 {
        return None;
    }
    let refused = throttled / (records + throttled);
    let rate = |sum: f64| sum / (1.0 - refused) / f64::from(period_seconds.max(1));
    let load = ShardLoad::of_rates(BytesPerSecond(rate(bytes)), RecordsPerSecond(rate(records)));
    Some(Seen { load: load.get(), shards: 0.0, refused })
}
