//! What demand to expect: recent level and trend, and the same hours of earlier days.
//!
//! A first, simple forecast. It has two horizons: *soon*, until a reshard decided now is in force with
//! some margin, and *later*, as long as one of ten daily reshards should last. Not here: how much
//! room to leave above it (`plan`).

use jiff::{SignedDuration, Timestamp};

use crate::demand::{self, Demand, Gaps};
use crate::series::Series;
use crate::units::ShardLoad;

/// A reshard takes about five minutes at the sizes most streams have; twice that leaves one replan.
const SOON_MINUTES: i64 = 10;
/// Ten calls in 24 hours are one every 2.4 hours.
const LATER_MINUTES: i64 = 150;
/// Newest minutes that are taken for "now".
const NOW_MINUTES: usize = 3;
/// Minutes over which the trend is taken.
const TREND_MINUTES: usize = 15;
/// Minutes over which today's level is compared with an earlier day's.
const LEVEL_MINUTES: usize = 60;
/// Earlier days that are looked at: yesterday, and the same day of the last weeks.
const DAYS_BACK: [i64; 3] = [1, 7, 14];
/// An earlier day is scaled by today's level over its own, within these bounds.
const LEVEL_RATIO: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// Expected peaks, and what they rest on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// The newest minutes' peak.
    pub now: ShardLoad,
    /// Highest demand expected until a reshard decided now is in force.
    pub soon: ShardLoad,
    /// Highest demand expected for as long as that reshard should last.
    pub later: ShardLoad,
    /// How many earlier days had data for these hours. None means little history.
    pub earlier_days: u32,
}

/// Looks ahead from `now`. `minutes` is demand minute by minute up to now; `days` is coarser and older.
pub fn forecast(minutes: &[Demand], days: &Series, gaps: Gaps, now: Timestamp) -> Forecast {
    let newest = peak(tail(minutes, NOW_MINUTES));
    let rise_per_minute = trend_per_minute(tail(minutes, TREND_MINUTES)).max(0.0);
    #[allow(clippy::cast_precision_loss)] // ten minutes
    let risen = ShardLoad::new(newest.get() + rise_per_minute * SOON_MINUTES as f64);

    let level_now = mean(tail(minutes, LEVEL_MINUTES).iter().filter_map(|d| d.load()));
    let mut forecast = Forecast { now: newest, soon: risen, later: risen, earlier_days: 0 };
    for day in DAYS_BACK {
        let Some(then) = now.checked_sub(SignedDuration::from_hours(24 * day)).ok() else {
            continue;
        };
        let around = |from: i64, to: i64| between(days, then, from, to, gaps);
        #[allow(clippy::cast_possible_wrap)] // sixty minutes
        let level_then = mean(around(-(LEVEL_MINUTES as i64), 0).filter_map(|d| d.load()));
        let (Some(level_now), Some(level_then)) = (level_now, level_then) else { continue };
        let ratio = if level_then > 0.0 { level_now / level_then } else { 1.0 };
        let ratio = ratio.clamp(*LEVEL_RATIO.start(), *LEVEL_RATIO.end());
        let peak_until = |minutes| peak_of(around(0, minutes)).times(ratio);
        forecast.soon = forecast.soon.max(peak_until(SOON_MINUTES));
        forecast.later = forecast.later.max(peak_until(LATER_MINUTES));
        forecast.earlier_days += 1;
    }
    forecast
}

/// The demand of `days` from `from` to `to` minutes after `origin`.
fn between(
    days: &Series,
    origin: Timestamp,
    from: i64,
    to: i64,
    gaps: Gaps,
) -> impl Iterator<Item = Demand> + use<> {
    let index = |minutes: i64| {
        origin.checked_add(SignedDuration::from_mins(minutes)).ok().and_then(|t| days.index_of(t))
    };
    let part = match (index(from), index(to)) {
        (Some(first), last) => {
            let last = last.unwrap_or(days.points.len());
            Series {
                start: days.start_of(first),
                period_seconds: days.period_seconds,
                points: days.points.get(first..last.max(first)).unwrap_or_default().to_vec(),
            }
        }
        (None, _) => Series::empty(days.start, days.period_seconds),
    };
    // Earlier days are long settled: judged as of their own end plus a day.
    let settled = part.end().checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    demand::demand(&part, gaps, settled).into_iter()
}

fn tail(demands: &[Demand], count: usize) -> &[Demand] {
    &demands[demands.len().saturating_sub(count)..]
}

fn peak(demands: &[Demand]) -> ShardLoad {
    peak_of(demands.iter().copied())
}

fn peak_of(demands: impl Iterator<Item = Demand>) -> ShardLoad {
    demands.filter_map(Demand::load).fold(ShardLoad::ZERO, ShardLoad::max)
}

fn mean(loads: impl Iterator<Item = ShardLoad>) -> Option<f64> {
    let (sum, count) = loads.fold((0.0, 0u32), |(sum, n), load| (sum + load.get(), n + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Mean of the later half less mean of the earlier half, per minute between their middles: a slope that
/// one odd minute does not swing.
fn trend_per_minute(demands: &[Demand]) -> f64 {
    let (earlier, later) = demands.split_at(demands.len() / 2);
    let level = |part: &[Demand]| mean(part.iter().filter_map(|d| d.load()));
    match (level(earlier), level(later)) {
        #[allow(clippy::cast_precision_loss)] // a handful of minutes
        (Some(before), Some(after)) => (after - before) / (demands.len() as f64 / 2.0),
        _ => 0.0,
    }
}
