//! One minute of traffic against a stream's capacity, and a consumer that reads what was taken.
//!
//! Not here: how CloudWatch tells of it (`metrics`).

use std::collections::VecDeque;

use weir_core::series::TrafficPoint;
use weir_core::throttling::Evenness;

use crate::trace::Minute;

/// A polling consumer, the same for every stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    /// Bytes it reads per second and open shard, at most. A shard gives 2 MiB.
    pub bytes_per_second: f64,
    /// Minutes of the simulation in which it reads nothing, but still reports.
    pub stalled: Vec<std::ops::Range<usize>>,
    /// Minutes of the simulation in which it does not report either.
    pub silent: Vec<std::ops::Range<usize>>,
}

/// What a minute came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) refused_share: f64,
    /// All of the minute's datapoints.
    pub(crate) point: TrafficPoint,
}

/// What exceeds capacity is refused, and lost. A minute without traffic leaves no datapoint.
pub(crate) fn write(offered: Minute, capacity_shards: f64, evenness: &Evenness) -> Written {
    let refused_share = evenness.refused_share(offered.load().get(), capacity_shards);
    let taken = 1.0 - refused_share;
    let busy = offered.bytes > 0.0 || offered.records > 0.0;
    Written {
        refused_share,
        point: TrafficPoint {
            accepted_bytes: busy.then_some(offered.bytes * taken),
            accepted_records: busy.then_some(offered.records * taken),
            throttled_records: busy.then_some(offered.records * refused_share),
            iterator_age_millis: None,
        },
    }
}

/// What a consumer has yet to read.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// By the minute, oldest first.
    unread: VecDeque<(usize, f64)>,
}

impl Backlog {
    /// Lets the consumer read for a minute. Returns its lag, milliseconds, unless it is silent.
    #[allow(clippy::cast_precision_loss)] // minutes
    pub(crate) fn read(
        &mut self,
        consumer: &Consumer,
        minute: usize,
        accepted_bytes: f64,
        open_shards: f64,
    ) -> Option<f64> {
        let within = |spans: &[std::ops::Range<usize>]| spans.iter().any(|s| s.contains(&minute));
        if accepted_bytes > 0.0 {
            self.unread.push_back((minute, accepted_bytes));
        }
        let stalled = within(&consumer.stalled) || within(&consumer.silent);
        let mut may_read =
            if stalled { 0.0 } else { 60.0 * consumer.bytes_per_second * open_shards };
        while let Some((_, bytes)) = self.unread.front_mut() {
            if *bytes > may_read {
                *bytes -= may_read;
                break;
            }
            may_read -= *bytes;
            self.unread.pop_front();
        }
        let behind = self.unread.front().map_or(0, |(oldest, _)| minute + 1 - oldest);
        (!within(&consumer.silent)).then_some(behind as f64 * 60_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;

    #[test]
    fn the_binding_limit_decides_and_what_exceeds_it_is_refused() {
        let even = Evenness::default();
        let by_bytes = write(Minute { bytes: 240.0 * MIB, records: 60_000.0 }, 2.0, &even);
        assert_eq!(by_bytes.refused_share, 0.5);
        assert_eq!(by_bytes.point.accepted_bytes, Some(120.0 * MIB));
        assert_eq!(by_bytes.point.throttled_records, Some(30_000.0));
        let by_records = write(Minute { bytes: MIB, records: 240_000.0 }, 1.0, &even);
        assert_eq!(by_records.refused_share, 0.75);
        assert!(write(Minute::default(), 1.0, &even).point.is_empty());
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init)] // one span is meant
    fn a_stalled_consumer_falls_behind_and_catches_up_as_fast_as_its_shards_let_it() {
        let consumer =
            Consumer { bytes_per_second: 2.0 * MIB, stalled: vec![1..4], silent: vec![6..7] };
        let mut backlog = Backlog::default();
        let lags: Vec<Option<f64>> =
            (0..8).map(|minute| backlog.read(&consumer, minute, 60.0 * MIB, 1.0)).collect();
        let minutes: Vec<Option<f64>> = lags.iter().map(|l| l.map(|l| l / 60_000.0)).collect();
        let expected =
            [Some(0.0), Some(1.0), Some(2.0), Some(3.0), Some(2.0), Some(1.0), None, Some(1.0)];
        assert_eq!(minutes, expected);
    }
}
