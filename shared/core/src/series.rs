//! Traffic as CloudWatch reports it: a regular grid of sums, each of which may be missing.
//!
//! Not here: what the gaps mean and how much demand the sums stand for (`demand`).

use jiff::Timestamp;

use crate::units::{BytesPerSecond, RecordsPerSecond, ShardLoad};

/// One period of a stream's metrics. `None` is "no datapoint", which is not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrafficPoint {
    /// Sum of `IncomingBytes`: accepted bytes.
    pub accepted_bytes: Option<f64>,
    /// Sum of `IncomingRecords`: accepted records.
    pub accepted_records: Option<f64>,
    /// Sum of `WriteProvisionedThroughputExceeded`: records refused by throttling.
    pub throttled_records: Option<f64>,
    /// Maximum of `GetRecords.IteratorAgeMilliseconds` over all polling consumers.
    pub iterator_age_millis: Option<f64>,
}

impl TrafficPoint {
    /// The load that was accepted over a period of so many seconds; `None` where one of its metrics
    /// is missing.
    pub fn accepted_load(&self, period_seconds: u32) -> Option<ShardLoad> {
        let rate = |sum: f64| sum / f64::from(period_seconds.max(1));
        let bytes = BytesPerSecond(rate(self.accepted_bytes?));
        Some(ShardLoad::of_rates(bytes, RecordsPerSecond(rate(self.accepted_records?))))
    }

    /// Whether the period holds no datapoint at all.
    pub fn is_empty(&self) -> bool {
        *self == TrafficPoint::default()
    }
}

/// A regular series of points, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Start of the first period.
    pub start: Timestamp,
    /// Length of every period, seconds; never zero.
    pub period_seconds: u32,
    /// The points.
    pub points: Vec<TrafficPoint>,
}

impl Series {
    /// A series with nothing in it.
    pub fn empty(start: Timestamp, period_seconds: u32) -> Series {
        Series { start, period_seconds: period_seconds.max(1), points: Vec::new() }
    }

    /// End of the last period, exclusive.
    pub fn end(&self) -> Timestamp {
        self.start_of(self.points.len())
    }

    /// Start of the period at `index`.
    pub fn start_of(&self, index: usize) -> Timestamp {
        let seconds = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(self.period());
        Timestamp::from_second(self.start.as_second().saturating_add(seconds))
            .unwrap_or(Timestamp::MAX)
    }

    /// Index of the period that holds `at`; `None` before the start or after the end.
    pub fn index_of(&self, at: Timestamp) -> Option<usize> {
        let since = at.as_second().checked_sub(self.start.as_second())?;
        let index = usize::try_from(since.div_euclid(self.period())).ok()?;
        (since >= 0 && index < self.points.len()).then_some(index)
    }

    fn period(&self) -> i64 {
        i64::from(self.period_seconds.max(1))
    }
}
