//! The datapoints of one minute of a stream's traffic.
//!
//! Not here: how CloudWatch tells of it (`metrics`).

use weir_core::series::TrafficPoint;

use crate::trace::Minute;

/// A minute's datapoints, of which a share is refused, and lost. A minute without traffic leaves
/// none.
pub(crate) fn datapoints(offered: Minute, refused_share: f64) -> TrafficPoint {
    let taken = 1.0 - refused_share;
    let busy = offered.bytes > 0.0 || offered.records > 0.0;
    TrafficPoint {
        accepted_bytes: busy.then_some(offered.bytes * taken),
        accepted_records: busy.then_some(offered.records * taken),
        throttled_records: busy.then_some(offered.records * refused_share),
        iterator_age_millis: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;

    #[test]
    fn what_is_refused_is_no_incoming_traffic_and_a_minute_without_any_says_nothing() {
        let point = datapoints(Minute { bytes: 240.0 * MIB, records: 60_000.0 }, 0.5);
        assert_eq!(point.accepted_bytes, Some(120.0 * MIB));
        assert_eq!(point.accepted_records, Some(30_000.0));
        assert_eq!(point.throttled_records, Some(30_000.0));
        assert!(datapoints(Minute::default(), 0.5).is_empty());
    }
}
