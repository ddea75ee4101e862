//! A stream that was throttled more than it should be was planned too closely: what overflows is weighed
//! dearer until that is long past.
//!
//! How far demand strays is learnt from a week, and what it teaches is at times too little: a class of surge
//! that comes twice a month is in no table. What was refused is known all the same. Not here: what an overflow
//! is worth to begin with (the policy says).

use crate::series::Series;

/// Refused records, as a share of the offered ones, that a stream may have without being planned more carefully:
/// a third of the one in a thousand that people take for none.
const ACCEPTABLE: f64 = 0.0003;
/// An overflow is weighed as so many at most. By trial: 2 leaves more streams above one in a thousand, 3 costs more and
/// brings no fewer.
const MOST: f64 = 2.5;

/// Refused records as a share of the offered ones. Producers that retry are counted each time, so it may be too high,
/// which keeps capacity.
pub(super) fn throttled_share(days: &Series) -> f64 {
    let (throttled, accepted) =
        days.points.iter().fold((0.0, 0.0), |(throttled, accepted), point| {
            let or_none = |records: Option<f64>| records.unwrap_or(0.0).max(0.0);
            (
                throttled + or_none(point.throttled_records),
                accepted + or_none(point.accepted_records),
            )
        });
    if throttled > 0.0 { throttled / (throttled + accepted) } else { 0.0 }
}

/// What an overflow counts for, after so much was refused: 1 to 2.5.
pub(super) fn factor(throttled_share: f64) -> f64 {
    (throttled_share / ACCEPTABLE).clamp(1.0, MOST)
}

/// For people; `None` where nothing is weighed otherwise for it.
pub(super) fn sign(throttled_share: f64) -> Option<String> {
    let factor = factor(throttled_share);
    let percent = 100.0 * throttled_share;
    (factor > 1.0).then(|| {
        format!("sign: {percent:.2} % of the records of the past days were throttled; room counts {factor:.1} times as much")
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::series::TrafficPoint;

    fn days(points: &[(f64, f64)]) -> Series {
        let point = |(accepted, throttled): &(f64, f64)| TrafficPoint {
            accepted_records: Some(*accepted),
            throttled_records: Some(*throttled),
            ..TrafficPoint::default()
        };
        Series {
            points: points.iter().map(point).collect(),
            ..Series::empty(Timestamp::UNIX_EPOCH, 300)
        }
    }

    #[test]
    fn the_share_is_that_of_the_records_offered() {
        assert_eq!(throttled_share(&days(&[(600.0, 0.0), (300.0, 100.0)])), 0.1);
        assert_eq!(throttled_share(&days(&[])), 0.0);
    }

    #[test]
    fn care_grows_with_what_was_refused_and_is_bounded() {
        assert_eq!([0.0, 0.0003, 0.0006, 0.5].map(factor), [1.0, 1.0, 2.0, 2.5]);
    }

    #[test]
    fn only_what_changes_the_plan_is_said() {
        assert_eq!(sign(0.0003), None);
        assert_eq!(
            sign(0.0006).as_deref(),
            Some(
                "sign: 0.06 % of the records of the past days were throttled; room counts 2.0 times as much"
            )
        );
    }
}
