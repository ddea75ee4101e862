//! Which stretches of time are asked of CloudWatch for a recording: as finely as it keeps them, and
//! without those that are there already.
//!
//! Not here: asking (`weir-aws`).

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use weir_core::limits::{
    METRIC_FIVE_MINUTES_KEPT_DAYS, METRIC_MINUTES_KEPT_DAYS, METRIC_SETTLE_SECONDS,
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A stretch of one resolution, to be asked for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Start of its first period.
    pub start: Timestamp,
    /// End of its last, exclusive.
    pub end: Timestamp,
    /// Length of each period, seconds.
    pub period_seconds: u32,
}

impl Slice {
    /// Starts of its periods.
    pub fn periods(&self) -> impl Iterator<Item = Timestamp> {
        let step = usize::try_from(self.period_seconds.max(1)).unwrap_or(usize::MAX);
        let seconds = self.start.as_second()..self.end.as_second();
        seconds.step_by(step).filter_map(|second| Timestamp::from_second(second).ok())
    }

    /// Minutes it lasts.
    pub fn minutes(&self) -> usize {
        usize::try_from((self.end.as_second() - self.start.as_second()) / MINUTE).unwrap_or(0)
    }
}

/// What is to be asked at `now` for a recording of the last `days`, of which `known` is there (from
/// the start of its first period to the end of its last). Days after it come first, oldest first,
/// then those before it, newest first: wherever the work ends, what is there has no hole.
pub fn slices(now: Timestamp, days: u16, known: Option<Range<Timestamp>>) -> Vec<Slice> {
    let now = now.as_second();
    let end = floor(now - METRIC_SETTLE_SECONDS, MINUTE);
    let start = floor(now - i64::from(days) * DAY, HOUR);
    match known {
        None => between(now, start, end),
        Some(known) => {
            let (known_start, known_end) = (known.start.as_second(), known.end.as_second());
            let mut slices = between(now, known_end.max(start), end);
            slices.extend(between(now, start, known_start.min(end)).into_iter().rev());
            slices
        }
    }
}

/// Slices of a day at most, oldest first.
fn between(now: i64, start: i64, end: i64) -> Vec<Slice> {
    let kept_since = |days: u32| floor(now - i64::from(days) * DAY, HOUR) + HOUR;
    let minutes_from = kept_since(METRIC_MINUTES_KEPT_DAYS);
    let fives_from = kept_since(METRIC_FIVE_MINUTES_KEPT_DAYS);
    let mut slices = Vec::new();
    let mut at = start;
    while at < end {
        let (period, until) = match at {
            at if at >= minutes_from => (MINUTE, end),
            at if at >= fives_from => (5 * MINUTE, end.min(minutes_from)),
            _ => (HOUR, end.min(fives_from)),
        };
        let until = until.min(floor(at, DAY) + DAY);
        // What is coarser than the rest of the slice would reach into what is known.
        let whole = at + (until - at) / period * period;
        let (until, period) = if whole > at { (whole, period) } else { (until, MINUTE) };
        let time = |second| Timestamp::from_second(second).unwrap_or(Timestamp::MIN);
        let period_seconds = u32::try_from(period).unwrap_or(u32::MAX);
        slices.push(Slice { start: time(at), end: time(until), period_seconds });
        at = until;
    }
    slices
}

fn floor(second: i64, step: i64) -> i64 {
    second.div_euclid(step) * step
}

/// From the start of the first period to the end of the last, where the last lasts so long.
pub fn known(first: Timestamp, last: Timestamp, last_seconds: u32) -> Range<Timestamp> {
    let end = last.saturating_add(SignedDuration::from_secs(i64::from(last_seconds)));
    first..end.unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn now() -> Timestamp {
        at("2026-11-25T10:17:45Z")
    }

    #[test]
    fn a_recording_is_as_fine_as_cloudwatch_keeps_it() {
        let slices = slices(now(), 70, None);
        let first = |seconds| {
            let of = slices.iter().find(|slice| slice.period_seconds == seconds);
            of.map(|slice| slice.start.to_string()).unwrap_or_default()
        };
        assert_eq!(first(3_600), "2026-09-16T10:00:00Z");
        assert_eq!(first(300), "2026-09-23T11:00:00Z");
        assert_eq!(first(60), "2026-11-10T11:00:00Z");
        assert_eq!(slices.last().map(|slice| slice.end), Some(at("2026-11-25T10:14:00Z")));
        assert!(slices.windows(2).all(|two| two[0].end == two[1].start), "without a hole");
        assert!(slices.iter().all(|slice| slice.minutes() <= 24 * 60));
        let periods: usize = slices.iter().map(|slice| slice.periods().count()).sum();
        let minutes: usize = slices.iter().map(Slice::minutes).sum();
        assert_eq!(minutes, 70 * 24 * 60 + 14);
        assert_eq!(periods, 7 * 24 + 1 + 48 * 288 + (14 * 24 + 23) * 60 + 14);
    }

    #[test]
    fn what_is_there_is_not_asked_for_again_and_no_hole_is_left_wherever_it_ends() {
        let there = known(at("2026-11-24T00:00:00Z"), at("2026-11-25T09:59:00Z"), 60);
        let slices = slices(now(), 2, Some(there.clone()));
        let spans: Vec<String> =
            slices.iter().map(|slice| format!("{} {}", slice.start, slice.end)).collect();
        assert_eq!(
            spans,
            [
                "2026-11-25T10:00:00Z 2026-11-25T10:14:00Z",
                "2026-11-23T10:00:00Z 2026-11-24T00:00:00Z"
            ]
        );
        let all = known(at("2026-11-01T00:00:00Z"), at("2026-11-25T10:13:00Z"), 60);
        assert_eq!(super::slices(now(), 2, Some(all)), []);
        let old = known(at("2026-10-01T00:00:00Z"), at("2026-10-02T00:00:00Z"), 300);
        let after = super::slices(now(), 2, Some(old));
        assert_eq!(after.first().map(|slice| slice.start), Some(at("2026-11-23T10:00:00Z")));
    }
}
