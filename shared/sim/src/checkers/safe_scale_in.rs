//! Law 3: missing or stale data never scales in, and a lagging consumer never sees a scale-in.
//!
//! Judged by what CloudWatch had published when the plan was made.

use weir_core::demand::Gaps;
use weir_core::limits;
use weir_core::plan::MINUTES_OBSERVED;

use super::{Asked, Broken};
use crate::clock::{Seconds, count};
use crate::stream::minutes_between;

/// Seconds after which the newest data is stale.
const STALE_SECONDS: i64 = 600;

pub(crate) fn check(asked: &Asked<'_>) -> Option<Broken> {
    if asked.to >= asked.open {
        return None;
    }
    let broken = missing(asked).or_else(|| stale(asked)).or_else(|| lagging(asked))?;
    Some((3, format!("{} to {} shards: {broken}", asked.open, asked.to)))
}

fn end_of(asked: &Asked<'_>, minute: usize) -> Seconds {
    asked.start + 60 * (count(minute) + 1)
}

/// A minute of the window that should have been published and was not, wholly or in part. Where the
/// operator says that gaps are idle, a minute without anything is taken for idle; half a minute
/// never.
fn missing(asked: &Asked<'_>) -> Option<String> {
    let over = minutes_between(asked.start, asked.planned_at);
    let window = usize::try_from(asked.policy.scale_in_after_minutes).unwrap_or(usize::MAX);
    if over < window && asked.policy.missing_data == Gaps::Unknown {
        return Some(format!("only {over} of {window} minutes have been seen"));
    }
    let settled_by = asked.planned_at - limits::METRIC_SETTLE_SECONDS;
    (over.saturating_sub(window)..over)
        .take_while(|minute| end_of(asked, *minute) <= settled_by)
        .find_map(|minute| {
            let at = asked.metrics.published_at(minute);
            let by_then = |at: Option<Seconds>| at.is_some_and(|at| at <= asked.planned_at);
            let age = end_of(asked, minute);
            match (by_then(at.bytes), by_then(at.records), by_then(at.iterator_age)) {
                (true, true, _) | (false, false, true) => None,
                (false, false, false) if asked.policy.missing_data == Gaps::Idle => None,
                (false, false, false) => Some("no data"),
                _ => Some("half of the data"),
            }
            .map(|what| {
                format!(
                    "{what} of the minute that ended {} s before the plan",
                    asked.planned_at - age
                )
            })
        })
}

/// The minutes a plan looks at, from the newest that was over.
fn newest_first(asked: &Asked<'_>) -> impl Iterator<Item = usize> + use<> {
    let over = minutes_between(asked.start, asked.planned_at);
    let observed = usize::try_from(MINUTES_OBSERVED).unwrap_or(usize::MAX);
    (over.saturating_sub(observed)..over).rev()
}

fn stale(asked: &Asked<'_>) -> Option<String> {
    if asked.policy.missing_data == Gaps::Idle {
        return None;
    }
    let newest = newest_first(asked).find(|minute| {
        let at = asked.metrics.published_at(*minute);
        [at.bytes, at.records, at.iterator_age].iter().flatten().any(|at| *at <= asked.planned_at)
    });
    let age = newest.map(|minute| asked.planned_at - end_of(asked, minute));
    age.is_none_or(|age| age > STALE_SECONDS).then(|| format!("newest data is {age:?} s old"))
}

fn lagging(asked: &Asked<'_>) -> Option<String> {
    let newest = newest_first(asked).find(|minute| {
        asked.metrics.published_at(*minute).iterator_age.is_some_and(|at| at <= asked.planned_at)
    })?;
    let lag_minutes = asked.metrics.minute(newest).iterator_age_millis? / 60_000.0;
    (lag_minutes >= f64::from(asked.policy.hold_scale_in_at_lag_minutes))
        .then(|| format!("a consumer is {lag_minutes:.0} minutes behind"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Call, START, checked};
    use super::*;
    use crate::metrics::Metrics;
    use weir_core::series::TrafficPoint;

    /// Ninety minutes of datapoints, published on time but for what `late` says of a minute: which
    /// of bytes, records and the consumer's position come, and how much later, in seconds.
    fn broken(late: impl Fn(usize) -> [Option<i64>; 3], gaps: Gaps, lag: f64) -> Option<String> {
        let mut metrics = Metrics::new(START, 90);
        for minute in 0..90 {
            let [bytes, records, age] = late(minute);
            let none = TrafficPoint::default();
            let points = [
                (bytes, TrafficPoint { accepted_bytes: Some(1.0), ..none }),
                (records, TrafficPoint { accepted_records: Some(1.0), ..none }),
                (age, TrafficPoint { iterator_age_millis: Some(lag * 60_000.0), ..none }),
            ];
            for (seconds, point) in points {
                if let Some(seconds) = seconds {
                    metrics.publish(minute, point, START + 60 * (count(minute) + 1) + seconds);
                }
            }
        }
        let mut call = Call { from: 10, to: 6, ..Call::default() };
        call.policy.missing_data = gaps;
        call.policy.scale_in_after_minutes = 60;
        checked(call, &metrics, check).map(|(_, what)| what)
    }

    const ALL: [Option<i64>; 3] = [Some(0); 3];

    #[test]
    fn a_scale_in_on_whole_data_is_lawful() {
        assert_eq!(broken(|_| ALL, Gaps::Unknown, 14.0), None);
        assert_eq!(
            broken(|minute| if minute < 88 { ALL } else { [None; 3] }, Gaps::Unknown, 0.0),
            None
        );
        assert_eq!(broken(|_| [None, None, Some(0)], Gaps::Unknown, 0.0), None);
    }

    #[test]
    fn missing_half_and_late_data_forbid_it() {
        let missing = |lost: [Option<i64>; 3], gaps| {
            broken(|minute| if minute == 50 { lost } else { ALL }, gaps, 0.0).is_some()
        };
        assert!(missing([None; 3], Gaps::Unknown));
        assert!(!missing([None; 3], Gaps::Idle));
        assert!(missing([Some(0), None, None], Gaps::Idle));
        assert!(missing([Some(0), Some(40 * 60), None], Gaps::Unknown)); // came after the plan
        assert!(
            broken(|minute| if minute < 75 { ALL } else { [None; 3] }, Gaps::Unknown, 0.0)
                .is_some()
        );
    }

    #[test]
    fn a_consumer_behind_forbids_it() {
        assert!(broken(|_| ALL, Gaps::Unknown, 15.0).is_some());
    }
}
