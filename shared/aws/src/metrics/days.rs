//! The days of each stream, kept for an hour. What is long past changes no more, and the last hours
//! are in the minutes, which are read in any case: the days brought up from both are those that
//! CloudWatch would give.
//!
//! Each metric asked for costs. Kept by one running function, so lost with it, and then read again.
//! Not here: reading.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use weir_core::series::{Series, TrafficPoint};
use weir_core::units::StreamName;

use super::window::Window;

/// The minutes must reach back further than this, and further than data is late.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(60);
/// A quarter of a MB each; the function has 256 MB. Streams beyond are read at every look.
const STREAMS_KEPT_MAX: usize = 200;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct KeptDays(Mutex<HashMap<StreamName, (Timestamp, Series)>>);

impl KeptDays {
    /// Keeps days that were just read, if there is room for them.
    pub(super) fn keep(&self, stream: &StreamName, days: &Series, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (read_at, _)| is_young(*read_at, now));
        if kept.len() < STREAMS_KEPT_MAX {
            kept.insert(stream.clone(), (now, days.clone()));
        }
    }

    /// The days that this window asks for, where they are known without asking.
    pub(super) fn brought_up(
        &self,
        stream: &StreamName,
        minutes: &Series,
        window: &Window,
        now: Timestamp,
    ) -> Option<Series> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, days) = kept.get(stream).filter(|(read_at, _)| is_young(*read_at, now))?;
        joined(days, minutes, window)
    }
}

fn is_young(read_at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(read_at);
    !age.is_negative() && age < KEPT_FOR
}

/// What the minutes tell from the minutes, what is older from the days. `None` where neither does.
fn joined(days: &Series, minutes: &Series, window: &Window) -> Option<Series> {
    let start = Timestamp::from_second(window.start_second).ok()?;
    let mut series = Series::empty(start, window.period_seconds);
    for index in 0..window.len() {
        let at = series.start_of(index);
        let older = || days.index_of(at).and_then(|place| days.points.get(place)).copied();
        let point = sum(minutes, at, window.period_seconds).or_else(older)?;
        series.points.push(point);
    }
    Some(series)
}

/// A period as the sum of its minutes; `None` unless all of it lies within them.
fn sum(minutes: &Series, at: Timestamp, seconds: u32) -> Option<TrafficPoint> {
    let first = minutes.index_of(at)?;
    let count = usize::try_from(seconds / minutes.period_seconds.max(1)).ok()?;
    let points = minutes.points.get(first..first + count)?;
    let total =
        |of: fn(&TrafficPoint) -> Option<f64>| points.iter().filter_map(of).reduce(|a, b| a + b);
    Some(TrafficPoint {
        accepted_bytes: total(|point| point.accepted_bytes),
        accepted_records: total(|point| point.accepted_records),
        throttled_records: total(|point| point.throttled_records),
        iterator_age_millis: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What CloudWatch has: in each minute as many bytes as it is minutes since 1970, none in every
    /// seventh.
    fn read(window: &Window) -> Series {
        let start = Timestamp::from_second(window.start_second).expect("a time");
        let mut series = Series::empty(start, window.period_seconds);
        for index in 0..window.len() {
            let first = series.start_of(index).as_second() / 60;
            let minutes = first..first + i64::from(window.period_seconds / 60);
            let bytes = minutes.filter(|minute| minute % 7 != 0).map(|minute| minute as f64);
            let accepted_bytes = bytes.reduce(|a, b| a + b);
            series.points.push(TrafficPoint { accepted_bytes, ..TrafficPoint::default() });
        }
        series
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_168_800 + minute * 60 + 17).expect("a time")
    }

    #[test]
    fn days_brought_up_are_the_days_that_would_be_read() {
        let (kept, stream) = (KeptDays::default(), StreamName::new("orders").expect("a name"));
        kept.keep(&stream, &read(&Window::days(at(3))), at(3));
        for minute in 3..63 {
            let now = at(minute);
            let (minutes, days) = (Window::minutes(now), Window::days(now));
            let brought_up = kept.brought_up(&stream, &read(&minutes), &days, now);
            assert_eq!(brought_up, Some(read(&days)), "{minute} minutes later");
        }
    }

    #[test]
    fn after_an_hour_and_for_other_streams_they_are_read() {
        let (kept, stream) = (KeptDays::default(), StreamName::new("orders").expect("a name"));
        kept.keep(&stream, &read(&Window::days(at(0))), at(0));
        let known = |stream: &StreamName, now| {
            kept.brought_up(stream, &read(&Window::minutes(now)), &Window::days(now), now).is_some()
        };
        assert!(known(&stream, at(59)) && !known(&stream, at(60)));
        assert!(!known(&StreamName::new("payments").expect("a name"), at(1)));
        assert!(!known(&stream, at(-1)), "a clock that was set back");
    }

    #[test]
    fn what_neither_tells_is_read() {
        let (kept, stream) = (KeptDays::default(), StreamName::new("orders").expect("a name"));
        kept.keep(&stream, &read(&Window::days(at(0))), at(0));
        let now = at(30);
        let none = Series::empty(now, 60);
        assert_eq!(kept.brought_up(&stream, &none, &Window::days(now), now), None);
    }

    #[test]
    fn only_so_many_streams_are_kept() {
        let kept = KeptDays::default();
        let empty = Series::empty(at(0), 300);
        for number in 0..=STREAMS_KEPT_MAX {
            let stream = StreamName::new(&format!("stream-{number}")).expect("a name");
            kept.keep(&stream, &empty, at(0));
        }
        let count = || kept.0.lock().expect("nobody panicked").len();
        assert_eq!(count(), STREAMS_KEPT_MAX);
        kept.keep(&StreamName::new("later").expect("a name"), &empty, at(60));
        assert_eq!(count(), 1, "the old ones made room");
    }
}
