//! What is asked of CloudWatch: which metrics, over which time, for how many streams in one call.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use jiff::Timestamp;
use weir_core::limits::{METRIC_POINTS_PER_CALL_MAX, METRIC_QUERIES_PER_CALL_MAX};
use weir_core::plan::{DAYS_OBSERVED, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED};
use weir_core::series::TrafficPoint;
use weir_core::units::StreamName;

/// Namespace of every metric of Kinesis's.
pub(crate) const NAMESPACE: &str = "AWS/Kinesis";
/// Dimension that names the stream.
pub(crate) const STREAM_DIMENSION: &str = "StreamName";

/// One metric, and where its values go.
#[derive(Debug)]
pub(super) struct Measure {
    id: &'static str,
    metric: &'static str,
    statistic: &'static str,
    pub(super) place: fn(&mut TrafficPoint) -> &mut Option<f64>,
}

static MEASURES: [Measure; 4] = [
    Measure {
        id: "bytes",
        metric: "IncomingBytes",
        statistic: "Sum",
        place: |point| &mut point.accepted_bytes,
    },
    Measure {
        id: "records",
        metric: "IncomingRecords",
        statistic: "Sum",
        place: |point| &mut point.accepted_records,
    },
    Measure {
        id: "throttled",
        metric: "WriteProvisionedThroughputExceeded",
        statistic: "Sum",
        place: |point| &mut point.throttled_records,
    },
    // Last: the days do without it.
    Measure {
        id: "age",
        metric: "GetRecords.IteratorAgeMilliseconds",
        statistic: "Maximum",
        place: |point| &mut point.iterator_age_millis,
    },
];
/// How many of them the days are asked about.
const DAYS_MEASURES: usize = 3;

const MINUTE: u32 = 60;
const DAY: u32 = 24 * 60 * 60;

/// A stretch of time on CloudWatch's grid, and what is asked about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) start_second: i64,
    pub(super) period_seconds: u32,
    periods: u32,
    pub(super) measures: &'static [Measure],
}

impl Window {
    /// The last minutes, one by one, up to the last full one before `now`.
    pub(super) fn minutes(now: Timestamp) -> Window {
        Window::ending(now, MINUTE, MINUTES_OBSERVED, &MEASURES)
    }

    /// The last days, more coarsely.
    pub(super) fn days(now: Timestamp) -> Window {
        let periods = DAYS_OBSERVED * (DAY / DAYS_PERIOD_SECONDS);
        Window::ending(now, DAYS_PERIOD_SECONDS, periods, &MEASURES[..DAYS_MEASURES])
    }

    fn ending(
        now: Timestamp,
        period_seconds: u32,
        periods: u32,
        measures: &'static [Measure],
    ) -> Window {
        let period = i64::from(period_seconds);
        let end_second = now.as_second().div_euclid(period) * period;
        let start_second = end_second - i64::from(periods) * period;
        Window { start_second, period_seconds, periods, measures }
    }

    /// Its end, exclusive, as CloudWatch takes it.
    pub(super) fn end_second(&self) -> i64 {
        self.start_second + i64::from(self.periods) * i64::from(self.period_seconds)
    }

    /// How many points a series of it has.
    pub(super) fn len(&self) -> usize {
        usize::try_from(self.periods).unwrap_or(usize::MAX)
    }

    /// The place of a point on the grid; `None` for one that was not asked for.
    pub(super) fn index_of(&self, second: i64) -> Option<usize> {
        let since = second.checked_sub(self.start_second)?;
        let index = usize::try_from(since.div_euclid(i64::from(self.period_seconds))).ok()?;
        (index < self.len()).then_some(index)
    }

    /// Datapoints that are asked for so many streams.
    pub(super) fn points(&self, streams: usize) -> u32 {
        u32::try_from(streams * self.measures.len() * self.len()).unwrap_or(u32::MAX)
    }

    /// As many whole streams as both limits of a call allow.
    pub(super) fn streams_per_call(&self) -> usize {
        let by_points = METRIC_POINTS_PER_CALL_MAX / self.len().max(1);
        let queries = by_points.min(METRIC_QUERIES_PER_CALL_MAX);
        (queries / self.measures.len()).max(1)
    }

    /// The query of one measure of the stream at this place in the call.
    pub(super) fn query_id(stream: usize, measure: &Measure) -> String {
        format!("{}_{stream}", measure.id)
    }

    /// All queries of a call.
    pub(super) fn queries(&self, streams: &[StreamName]) -> Vec<MetricDataQuery> {
        let of_stream = |(place, stream): (usize, &StreamName)| {
            let dimension = dimension(stream);
            self.measures.iter().map(move |measure| self.query(place, measure, dimension.clone()))
        };
        streams.iter().enumerate().flat_map(of_stream).collect()
    }

    fn query(&self, place: usize, measure: &Measure, dimension: Dimension) -> MetricDataQuery {
        let id = Window::query_id(place, measure);
        query(id, measure.metric, measure.statistic, self.period_seconds, dimension)
    }
}

/// A query of one metric of Kinesis's.
pub(super) fn query(
    id: String,
    metric: &str,
    statistic: &str,
    period_seconds: u32,
    dimension: Dimension,
) -> MetricDataQuery {
    let metric =
        Metric::builder().namespace(NAMESPACE).metric_name(metric).dimensions(dimension).build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(period_seconds).unwrap_or(i32::MAX))
        .stat(statistic)
        .build();
    MetricDataQuery::builder().id(id).metric_stat(stat).return_data(true).build()
}

/// What names a stream among the others.
pub(super) fn dimension(stream: &StreamName) -> Dimension {
    Dimension::builder().name(STREAM_DIMENSION).value(stream.as_str()).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T10:17:45.5Z".parse().expect("a time")
    }

    #[test]
    fn windows_lie_on_the_grid_and_end_with_the_last_full_period() {
        let second = |text: &str| text.parse::<Timestamp>().expect("a time").as_second();
        let minutes = Window::minutes(now());
        assert_eq!(minutes.end_second(), second("2026-11-20T10:17:00Z"));
        assert_eq!(minutes.start_second, second("2026-11-20T06:17:00Z"));
        let days = Window::days(now());
        assert_eq!(days.end_second(), second("2026-11-20T10:15:00Z"));
        assert_eq!(days.start_second, second("2026-11-05T10:15:00Z"));
        assert_eq!(days.index_of(days.start_second - 1), None);
        assert_eq!(days.index_of(days.start_second), Some(0));
        assert_eq!(days.index_of(days.end_second() - 1), Some(days.len() - 1));
        assert_eq!(days.index_of(days.end_second()), None);
    }

    #[test]
    fn a_call_stays_within_both_limits_and_wastes_neither() {
        for window in [Window::minutes(now()), Window::days(now())] {
            let fits = |streams: usize| {
                let queries = streams * window.measures.len();
                queries <= METRIC_QUERIES_PER_CALL_MAX
                    && queries * window.len() <= METRIC_POINTS_PER_CALL_MAX
            };
            assert!(fits(window.streams_per_call()));
            assert!(!fits(window.streams_per_call() + 1));
        }
    }

    #[test]
    fn lag_is_asked_for_the_minutes_only() {
        let metrics = |window: Window| {
            let streams = [StreamName::new("orders").expect("a name")];
            let name = |q: MetricDataQuery| q.metric_stat?.metric?.metric_name;
            window.queries(&streams).into_iter().filter_map(name).collect::<Vec<_>>()
        };
        assert_eq!(metrics(Window::minutes(now())).len(), 4);
        assert_eq!(
            metrics(Window::days(now())),
            ["IncomingBytes", "IncomingRecords", "WriteProvisionedThroughputExceeded"]
        );
    }
}
