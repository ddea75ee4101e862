//! A stream that is throttled on ordinary days is planned too closely: what overflows is weighed
//! dearer until that is long past.
//!
//! How far demand strays is learnt from a week, and what it teaches is at times too little: a kind
//! of surge that comes twice a month is in no table. What was refused is known all the same. Not
//! here: what an overflow is worth to begin with (the policy says).

use crate::series::{Series, TrafficPoint};

/// Refused records, as a share of the offered ones, that ordinary days may have without more care:
/// a tenth of the one in a thousand that people take for none.
const ACCEPTABLE: f64 = 0.0001;
/// An overflow is weighed as so many at most. By trial on recordings in even and uneven worlds:
/// with 2.5 two of eight bursty ones more stay above one in a thousand.
const MOST: f64 = 4.0;

/// Refused records of the days known, the worst left out, as a share of the offered ones. One crowd
/// says nothing of other days: room for it would be paid for two weeks. Producers that retry are
/// counted each time, so the share may be too high, which keeps capacity.
pub(super) fn throttled_share(days: &Series) -> f64 {
    let periods_a_day = (86_400 / days.period_seconds.max(1)).max(1);
    let periods_a_day = usize::try_from(periods_a_day).unwrap_or(usize::MAX);
    let mut of_days: Vec<Records> = days
        .points
        .rchunks(periods_a_day)
        .map(|day| day.iter().fold(Records::default(), Records::and))
        .collect();
    of_days.sort_unstable_by(|a, b| b.throttled.total_cmp(&a.throttled));
    let (throttled, accepted) =
        of_days.iter().skip(1).fold((0.0, 0.0), |(throttled, accepted), day| {
            (throttled + day.throttled, accepted + day.accepted)
        });
    if throttled > 0.0 { throttled / (throttled + accepted) } else { 0.0 }
}

#[derive(Clone, Copy, Default)]
struct Records {
    throttled: f64,
    accepted: f64,
}

impl Records {
    fn and(self, point: &TrafficPoint) -> Records {
        let or_none = |records: Option<f64>| records.unwrap_or(0.0).max(0.0);
        Records {
            throttled: self.throttled + or_none(point.throttled_records),
            accepted: self.accepted + or_none(point.accepted_records),
        }
    }
}

/// What an overflow counts for, after so much was refused: 1 to 2.5.
pub(super) fn overflow_weight(throttled_share: f64) -> f64 {
    (throttled_share / ACCEPTABLE).clamp(1.0, MOST)
}

/// For people; `None` where nothing is weighed otherwise for it.
pub(super) fn describe(throttled_share: f64) -> Option<String> {
    let factor = overflow_weight(throttled_share);
    let percent = 100.0 * throttled_share;
    (factor > 1.0).then(|| {
        format!(
            "sign: {percent:.2} % of the records of the past days, the worst left out, were throttled; room counts \
             {factor:.1} times as much"
        )
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// Days of two periods, each with its (accepted, throttled) records.
    fn days(points: &[(f64, f64)]) -> Series {
        let point = |(accepted, throttled): &(f64, f64)| TrafficPoint {
            accepted_records: Some(*accepted),
            throttled_records: Some(*throttled),
            ..TrafficPoint::default()
        };
        let points = points.iter().map(point).collect();
        Series { points, ..Series::empty(Timestamp::UNIX_EPOCH, 43_200) }
    }

    #[test]
    fn the_share_is_that_of_the_records_offered_but_for_the_worst_day() {
        let [crowd, worse, calm] = [(100.0, 900.0), (300.0, 100.0), (600.0, 0.0)];
        assert_eq!(throttled_share(&days(&[calm, worse, crowd, crowd])), 0.1);
        assert_eq!(throttled_share(&days(&[calm, calm, crowd, worse])), 0.0, "one day is no habit");
        assert_eq!(throttled_share(&days(&[])), 0.0);
    }

    #[test]
    fn care_grows_with_what_was_refused_and_is_bounded() {
        assert_eq!([0.0, 0.0001, 0.0002, 0.5].map(overflow_weight), [1.0, 1.0, 2.0, 4.0]);
    }

    #[test]
    fn only_what_changes_the_plan_is_said() {
        assert_eq!(describe(0.0001), None);
        assert_eq!(
            describe(0.0002).as_deref(),
            Some(
                "sign: 0.02 % of the records of the past days, the worst left out, were throttled; room counts \
                 2.0 times as much"
            )
        );
    }
}
