//! Which minutes tell how a stream refuses writes: those whose metrics are in, and in which its
//! size is known.
//!
//! A reshard's minutes tell nothing: nobody knows which size a stream has in them. Not here: what
//! the others tell (`model`).

use jiff::{SignedDuration, Timestamp};

use crate::action::{ActionRecord, Change};
use crate::limits;
use crate::observation::{CapacityMode, StreamState};
use crate::reshard;
use crate::series::{Series, TrafficPoint};
use crate::units::Shards;

/// No reshard is taken to be quicker than this.
pub(super) const RESHARD_MINUTES_MIN: i64 = 5;

/// What a minute showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObservedMinute {
    /// When it ended.
    pub ended_at: Timestamp,
    /// Load that producers tried to write, in shards.
    pub load: f64,
    /// Open shards.
    pub shards: f64,
    /// Share of the load that was refused, 0 to 1.
    pub refused: f64,
}

/// The size a stream had from one instant to another, where it is known.
struct KnownSize {
    from: Timestamp,
    until: Timestamp,
    size: Option<Shards>,
}

/// Minutes that end after `after` and tell something, oldest first. `actions` tell what size the
/// stream had in them. Of what was refused, `missing_share`, 0 to 1, counts: the
/// rest are the same writes tried again.
pub fn observed_minutes(
    series: &Series,
    state: &StreamState,
    actions: &[ActionRecord],
    missing_share: f64,
    after: Timestamp,
    now: Timestamp,
) -> Vec<ObservedMinute> {
    if state.mode == CapacityMode::OnDemand {
        return Vec::new();
    }
    let sizes = known_sizes(state.open_shards, actions);
    let size_in = |start: Timestamp, end: Timestamp| {
        sizes.iter().find(|known| known.from <= start && end <= known.until)?.size
    };
    let period = i64::from(series.period_seconds.max(1));
    let first = after.as_second().saturating_sub(series.start.as_second()).div_euclid(period);
    let first = usize::try_from(first).unwrap_or(0).min(series.points.len());
    (first..series.points.len())
        .filter_map(|index| {
            let (start, ended_at) = (series.start_of(index), series.start_of(index + 1));
            let age_seconds = now.as_second() - ended_at.as_second();
            let settled = age_seconds >= limits::METRIC_SETTLE_SECONDS;
            let shards = size_in(start, ended_at)?.capacity().get();
            let point = &series.points[index];
            let (load, refused) = of_point(point, series.period_seconds, missing_share, settled)?;
            Some(ObservedMinute { ended_at, load, shards, refused })
        })
        .collect()
}

/// The sizes between the reshards that were made, newest first.
fn known_sizes(open: Shards, actions: &[ActionRecord]) -> Vec<KnownSize> {
    let mut counted: Vec<&ActionRecord> =
        actions.iter().filter(|action| action.outcome.counts()).collect();
    counted.sort_by_key(|action| action.at);
    let mut known = Vec::new();
    // Before a switch of mode nobody knows.
    let (mut until, mut size) = (Timestamp::MAX, Some(open));
    for action in counted.iter().rev() {
        let Change::Reshard { from, to } = action.change else {
            let in_force = SignedDuration::from_mins(limits::MODE_SWITCH_MINUTES);
            let from = action.at.checked_add(in_force).unwrap_or(Timestamp::MAX);
            known.push(KnownSize { from, until, size });
            return known;
        };
        // Another size than was asked for is somebody else's doing, or a reshard under way.
        let size_asked_for = size.filter(|size| *size == to);
        known.push(KnownSize { from: over_at(action, from, to), until, size: size_asked_for });
        until = action.at;
        size = Some(from);
    }
    known.push(KnownSize { from: Timestamp::MIN, until, size });
    known
}

/// When a reshard is taken to be over.
pub(super) fn over_at(action: &ActionRecord, from: Shards, to: Shards) -> Timestamp {
    let least = SignedDuration::from_mins(RESHARD_MINUTES_MIN);
    action.at.checked_add(reshard::expected(from, to).max(least)).unwrap_or(Timestamp::MAX)
}

/// The load in shards, and the refused share of it.
fn of_point(
    point: &TrafficPoint,
    period_seconds: u32,
    missing_share: f64,
    settled: bool,
) -> Option<(f64, f64)> {
    let (accepted, records) = (point.accepted_load(period_seconds)?, point.accepted_records?);
    let throttled = match point.throttled_records {
        None if !settled => return None,
        throttled => missing_share * throttled.unwrap_or(0.0).max(0.0),
    };
    if records <= 0.0 {
        return None;
    }
    let refused = throttled / (records + throttled);
    Some((accepted.get() / (1.0 - refused), refused))
}
