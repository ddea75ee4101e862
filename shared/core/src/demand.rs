//! Demand: what producers try to write, in shards; and what a gap in the data means.
//!
//! `IncomingBytes` and `IncomingRecords` count accepted records only and so never exceed capacity.
//! Refused records are added, at the mean size of the accepted ones, as far as they are missing and
//! were not merely tried again. Not here: how far that is (`throttling::retries`), and tomorrow
//! (`forecast`).

use std::ops::Range;

use jiff::Timestamp;

use crate::limits;
use crate::series::{Series, TrafficPoint};
use crate::units::{BytesPerSecond, RecordsPerSecond, ShardLoad};

/// What one period says about demand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Demand {
    /// Final, and seen.
    Measured(ShardLoad),
    /// Seen, but more may still come in: the period is too new, or one of its metrics is missing.
    AtLeast(ShardLoad),
    /// No datapoint, while another metric of the stream shows that reporting works: no traffic.
    Idle,
    /// No datapoint, and no sign of why. Nothing may be concluded from it.
    Unknown,
}

impl Demand {
    /// The load as far as it is known; an idle period has none.
    pub fn load(self) -> Option<ShardLoad> {
        match self {
            Demand::Measured(load) | Demand::AtLeast(load) => Some(load),
            Demand::Idle => Some(ShardLoad::ZERO),
            Demand::Unknown => None,
        }
    }

    /// The load if it is final: what a scale-in may rest on.
    pub fn settled(self) -> Option<ShardLoad> {
        match self {
            Demand::Measured(load) => Some(load),
            Demand::Idle => Some(ShardLoad::ZERO),
            Demand::AtLeast(_) | Demand::Unknown => None,
        }
    }
}

/// What the operator lets an unexplained gap mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gaps {
    /// Nothing is known: keep capacity.
    Unknown,
    /// The stream is silent when it is idle: no traffic.
    Idle,
}

/// The demand of one period that ended `age_seconds` ago.
fn of_point(
    point: &TrafficPoint,
    period_seconds: u32,
    age_seconds: i64,
    gaps: Gaps,
    missing_share: f64,
) -> Demand {
    let final_by_now = age_seconds >= limits::METRIC_SETTLE_SECONDS;
    let refused = point.throttled_records.unwrap_or(0.0);
    let throttled = refused * missing_share;
    let rate = |sum: f64| sum / f64::from(period_seconds.max(1));
    match (point.accepted_bytes, point.accepted_records) {
        (None, None) if refused > 0.0 => Demand::AtLeast(ShardLoad::of_rates(
            BytesPerSecond(0.0),
            RecordsPerSecond(rate(throttled)),
        )),
        (None, None) if !final_by_now => Demand::Unknown,
        (None, None) if point.iterator_age_millis.is_some() || gaps == Gaps::Idle => Demand::Idle,
        (None, None) => Demand::Unknown,
        (bytes, records) => {
            let (seen_bytes, seen_records) = (bytes.unwrap_or(0.0), records.unwrap_or(0.0));
            let refused_bytes = match throttled > 0.0 && seen_records > 0.0 {
                true => throttled * (seen_bytes / seen_records),
                false => 0.0,
            };
            let load = ShardLoad::of_rates(
                BytesPerSecond(rate(seen_bytes + refused_bytes)),
                RecordsPerSecond(rate(seen_records + throttled)),
            );
            if final_by_now && bytes.is_some() && records.is_some() {
                Demand::Measured(load)
            } else {
                Demand::AtLeast(load)
            }
        }
    }
}

/// The demand of these periods of `series`, as far as there are such, oldest first.
pub(crate) fn demand_within(
    series: &Series,
    periods: Range<usize>,
    gaps: Gaps,
    missing_share: f64,
    now: Timestamp,
) -> impl Iterator<Item = Demand> {
    let period = i64::from(series.period_seconds.max(1));
    let end = periods.end.min(series.points.len());
    let start = periods.start.min(end);
    let first_end = series.start_of(start + 1).as_second();
    let ages = (0i64..).map(move |later| now.as_second() - (first_end + later * period));
    let points = series.points[start..end].iter().zip(ages);
    points.map(move |(point, age)| of_point(point, series.period_seconds, age, gaps, missing_share))
}

/// The demand of every period of `series` that had begun by `now`, oldest first. Newest periods
/// that hold nothing yet are dropped: their data is on its way. Loads are in shards. Of what was
/// refused, `missing_share`, 0 to 1, is taken to have been missing: the rest was tried again, or is
/// what no size cures.
///
/// ```
/// use weir_core::demand::{Demand, Gaps, demand};
/// use weir_core::series::{Series, TrafficPoint};
/// use weir_core::units::ShardLoad;
///
/// let minute = TrafficPoint {
///     accepted_bytes: Some(60.0 * 1_048_576.0), // what one shard takes
///     accepted_records: Some(6_000.0),
///     throttled_records: Some(3_000.0),
///     ..TrafficPoint::default()
/// };
/// let start = "2026-11-21T12:00:00Z".parse()?;
/// let series = Series { start, period_seconds: 60, points: vec![minute] };
/// let seen = demand(&series, Gaps::Unknown, 1.0, "2026-11-21T12:10:00Z".parse()?);
/// assert_eq!(seen[0], Demand::Measured(ShardLoad::new(1.5)));
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn demand(series: &Series, gaps: Gaps, missing_share: f64, now: Timestamp) -> Vec<Demand> {
    let period = i64::from(series.period_seconds.max(1));
    let start = series.start.as_second();
    let begun = (now.as_second() - start + period - 1).div_euclid(period);
    let begun = usize::try_from(begun).unwrap_or(0);
    let mut demands: Vec<Demand> =
        demand_within(series, 0..begun, gaps, missing_share, now).collect();
    let settled_periods = series.points.len().min(
        usize::try_from(
            (now.as_second() - limits::METRIC_SETTLE_SECONDS - start).div_euclid(period),
        )
        .unwrap_or(0),
    );
    while demands.len() > settled_periods && demands.last() == Some(&Demand::Unknown) {
        demands.pop();
    }
    demands
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB_MINUTE: f64 = 60.0 * 1_048_576.0;

    fn point(bytes: impl Into<Option<f64>>, records: impl Into<Option<f64>>) -> TrafficPoint {
        TrafficPoint {
            accepted_bytes: bytes.into(),
            accepted_records: records.into(),
            ..TrafficPoint::default()
        }
    }

    fn check(points: Vec<TrafficPoint>, gaps: Gaps, minutes_later: i64, expect: &[Demand]) {
        let start = Timestamp::from_second(1_800_000_000).expect("a timestamp");
        let now = Timestamp::from_second(1_800_000_000 + 60 * minutes_later).expect("a timestamp");
        let series = Series { start, period_seconds: 60, points };
        assert_eq!(demand(&series, gaps, 1.0, now), expect);
    }

    #[test]
    fn refused_records_count_at_the_size_of_the_accepted_ones() {
        let throttled =
            TrafficPoint { throttled_records: Some(500.0), ..point(MIB_MINUTE, 1_000.0) };
        check(vec![throttled], Gaps::Unknown, 10, &[Demand::Measured(ShardLoad::new(1.5))]);
    }

    #[test]
    fn a_minute_is_final_only_when_its_data_had_time_to_come_in() {
        let minutes = vec![point(MIB_MINUTE, 10.0), point(MIB_MINUTE, 10.0)];
        let one = ShardLoad::new(1.0);
        check(minutes, Gaps::Unknown, 4, &[Demand::Measured(one), Demand::AtLeast(one)]);
    }

    #[test]
    fn newest_empty_minutes_are_dropped_and_older_ones_are_unknown() {
        let minutes = vec![point(None, None), point(MIB_MINUTE, 10.0), point(None, None)];
        check(minutes, Gaps::Unknown, 4, &[Demand::Unknown, Demand::AtLeast(ShardLoad::new(1.0))]);
    }

    #[test]
    fn a_gap_is_idle_only_with_a_sign_of_life_or_the_operators_word() {
        let quiet = TrafficPoint { iterator_age_millis: Some(0.0), ..TrafficPoint::default() };
        check(vec![quiet], Gaps::Unknown, 10, &[Demand::Idle]);
        check(vec![TrafficPoint::default()], Gaps::Unknown, 10, &[Demand::Unknown]);
        check(vec![TrafficPoint::default()], Gaps::Idle, 10, &[Demand::Idle]);
    }

    #[test]
    fn half_a_datapoint_is_a_lower_bound() {
        check(
            vec![point(None, 120_000.0)],
            Gaps::Unknown,
            10,
            &[Demand::AtLeast(ShardLoad::new(2.0))],
        );
    }
}
