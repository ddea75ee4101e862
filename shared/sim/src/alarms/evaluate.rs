//! How CloudWatch judges an alarm: M of the last N datapoints, and what missing ones are taken for.
//!
//! It looks at N + 2 periods, so that a late datapoint need not change the state. That range is
//! documented for N = 3 only. Not here: what the values are, and who hears of a change.

use weir_core::alarms::AlarmState;

/// Periods looked at beyond N.
pub(crate) const EXTRA_PERIODS: u32 = 2;

/// What a missing datapoint is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingData {
    /// Nothing is known.
    #[cfg_attr(not(test), allow(dead_code))] // none of Weir's alarms is told so
    Missing,
    /// The state stays.
    Ignore,
    /// A breach.
    #[cfg_attr(not(test), allow(dead_code))]
    Breaching,
    /// No breach.
    NotBreaching,
}

impl From<weir_core::alarms::MissingData> for MissingData {
    fn from(missing: weir_core::alarms::MissingData) -> MissingData {
        match missing {
            weir_core::alarms::MissingData::Ignore => MissingData::Ignore,
            weir_core::alarms::MissingData::NotBreaching => MissingData::NotBreaching,
        }
    }
}

/// The state after looking at `points`, oldest first: whether each breaches, `None` where it is
/// missing.
pub(crate) fn evaluate(
    points: impl ExactSizeIterator<Item = Option<bool>> + Clone,
    periods: u32,
    to_alarm: u32,
    missing: MissingData,
    current: AlarmState,
) -> AlarmState {
    let [n, m] = [periods, to_alarm].map(|x| usize::try_from(x).unwrap_or(usize::MAX));
    let real = || points.clone().flatten();
    let seen = real().count();
    let breaching = real().skip(seen.saturating_sub(n)).filter(|breaches| *breaches).count();
    let alarm_if = |alarm| if alarm { AlarmState::Alarm } else { AlarmState::Ok };
    if seen >= n {
        return alarm_if(breaching >= m);
    }
    match missing {
        MissingData::Breaching => alarm_if(breaching + (n - seen) >= m),
        MissingData::NotBreaching => alarm_if(breaching >= m),
        MissingData::Missing if seen == 0 => AlarmState::InsufficientData,
        MissingData::Ignore if seen == 0 => current,
        MissingData::Missing | MissingData::Ignore if breaching >= m => AlarmState::Alarm,
        MissingData::Missing | MissingData::Ignore if breaching < seen => AlarmState::Ok,
        // All that is known breaches, but too little is known. The alarm goes off before it is sure
        // if the oldest breach is about to leave the range.
        MissingData::Missing if oldest_breach(points) >= m => AlarmState::Alarm,
        MissingData::Missing | MissingData::Ignore => current,
    }
}

/// Age of the oldest breaching point, the newest having age 1; 0 when none breaches.
fn oldest_breach(points: impl ExactSizeIterator<Item = Option<bool>>) -> usize {
    let all = points.len();
    let mut points = points;
    points.position(|point| point == Some(true)).map_or(0, |at| all - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: AlarmState = AlarmState::InsufficientData;

    /// The tables of the CloudWatch user guide, "Configuring how alarms treat missing data": points
    /// oldest first (X breaches, 0 does not, - is missing), N, M, and the state for each treatment.
    #[test]
    fn agrees_with_the_tables_of_the_user_guide() {
        use AlarmState::{Alarm, InsufficientData, Ok};
        let rows = [
            ("0-X-X", 3, 3, [Some(Ok), Some(Ok), Some(Ok), Some(Ok)]),
            ("0----", 3, 3, [Some(Ok), Some(Ok), Some(Ok), Some(Ok)]),
            ("-----", 3, 3, [Some(InsufficientData), None, Some(Alarm), Some(Ok)]),
            ("0XX-X", 3, 3, [Some(Alarm), Some(Alarm), Some(Alarm), Some(Alarm)]),
            ("--X--", 3, 3, [Some(Alarm), None, Some(Alarm), Some(Ok)]),
            ("0-X-X", 3, 2, [Some(Alarm), Some(Alarm), Some(Alarm), Some(Alarm)]),
            ("00X0X", 3, 2, [Some(Alarm), Some(Alarm), Some(Alarm), Some(Alarm)]),
            ("0-X--", 3, 2, [Some(Ok), Some(Ok), Some(Alarm), Some(Ok)]),
            ("----0", 3, 2, [Some(Ok), Some(Ok), Some(Alarm), Some(Ok)]),
            ("---X-", 3, 2, [Some(Alarm), None, Some(Alarm), Some(Ok)]),
        ];
        let treatments = [
            MissingData::Missing,
            MissingData::Ignore,
            MissingData::Breaching,
            MissingData::NotBreaching,
        ];
        for (pattern, n, m, states) in rows {
            let points: Vec<Option<bool>> =
                pattern.chars().map(|c| (c != '-').then_some(c == 'X')).collect();
            for (treatment, state) in treatments.into_iter().zip(states) {
                for current in [Ok, Alarm, KEEP] {
                    assert_eq!(
                        evaluate(points.iter().copied(), n, m, treatment, current),
                        state.unwrap_or(current),
                        "{pattern} {m} of {n}, {treatment:?}, now {current:?}"
                    );
                }
            }
        }
    }
}
