//! GetMetricData for recordings: any metrics of many streams, over any time, point by point.
//!
//! As many queries a call as AWS takes; its pages are followed. Not here: what functions ask each
//! minute (`window`), and what a recording is (`weir-bench`).

use jiff::Timestamp;
use weir_control::ports::PortResult;
use weir_core::limits::METRIC_QUERIES_PER_CALL_MAX;
use weir_core::units::StreamName;

use super::pages;
use super::window::{dimension, query};
use crate::Account;

/// A metric of Kinesis's, and what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryMetric {
    /// Its name, such as `IncomingBytes`.
    pub name: &'static str,
    /// The statistic, such as `Sum`.
    pub statistic: &'static str,
}

/// A time on CloudWatch's grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryWindow {
    /// Start of its first period.
    pub start: Timestamp,
    /// End of its last, exclusive.
    pub end: Timestamp,
    /// Length of each period, seconds.
    pub period_seconds: u32,
}

/// One datapoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPoint {
    /// Place of its stream among those asked about.
    pub stream: usize,
    /// Place of its metric among those asked for.
    pub metric: usize,
    /// Start of its period.
    pub at: Timestamp,
    /// The statistic.
    pub value: f64,
}

impl Account {
    /// Every datapoint of these metrics of these streams in `window`, in no particular order.
    /// Periods without a datapoint are left out.
    ///
    /// # Errors
    /// Where a call fails, or not all was answered: half a history would look like a quiet stream.
    pub async fn read_history(
        &self,
        streams: &[StreamName],
        metrics: &[HistoryMetric],
        window: HistoryWindow,
    ) -> PortResult<Vec<HistoryPoint>> {
        let span = (window.start.as_second(), window.end.as_second());
        let periods = (span.1 - span.0) / i64::from(window.period_seconds.max(1));
        let per_call = (METRIC_QUERIES_PER_CALL_MAX / metrics.len().max(1)).max(1);
        let mut points = Vec::new();
        for (batch, streams) in streams.chunks(per_call).enumerate() {
            let id = |stream: usize, metric: usize| format!("m{metric}_{stream}");
            let mut queries = Vec::with_capacity(streams.len() * metrics.len());
            for (place, stream) in streams.iter().enumerate() {
                for (number, HistoryMetric { name, statistic }) in metrics.iter().enumerate() {
                    let dimension = dimension(stream);
                    let id = id(place, number);
                    queries.push(query(id, name, statistic, window.period_seconds, dimension));
                }
            }
            let count = i64::try_from(queries.len()).unwrap_or(i64::MAX).saturating_mul(periods);
            self.paces.get_metric_data.turn().await;
            self.paces.metric_points.turns(u32::try_from(count).unwrap_or(u32::MAX)).await;
            let answers = pages(self.clients.cloudwatch(), queries, span).await?;
            for place in 0..streams.len() {
                for metric in 0..metrics.len() {
                    for (second, value) in answers.complete(&id(place, metric))? {
                        if let Ok(at) = Timestamp::from_second(*second) {
                            let stream = batch * per_call + place;
                            points.push(HistoryPoint { stream, metric, at, value: *value });
                        }
                    }
                }
            }
        }
        Ok(points)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use weir_control::ports::Failure;

    use super::*;
    use crate::testing::{Answer, account_answering, cbor, sent};

    const METRICS: [HistoryMetric; 2] = [
        HistoryMetric { name: "IncomingBytes", statistic: "Sum" },
        HistoryMetric { name: "GetRecords.IteratorAgeMilliseconds", statistic: "Maximum" },
    ];

    fn streams(count: usize) -> Vec<StreamName> {
        (0..count).map(|n| StreamName::new(&format!("s{n}")).expect("a name")).collect()
    }

    fn window() -> HistoryWindow {
        let at = |text: &str| text.parse().expect("a time");
        HistoryWindow {
            start: at("2026-11-20T00:00:00Z"),
            end: at("2026-11-21T00:00:00Z"),
            period_seconds: 60,
        }
    }

    fn result(id: &str, status: &str, points: &[(i64, f64)]) -> Value {
        let (times, values): (Vec<i64>, Vec<f64>) = points.iter().copied().unzip();
        json!({"Id": id, "Label": id, "StatusCode": status, "Timestamps": times, "Values": values})
    }

    fn page(results: &[Value], next: Option<&str>) -> Answer {
        let mut body = json!({"MetricDataResults": results, "Messages": []});
        if let Some(next) = next {
            body["NextToken"] = json!(next);
        }
        cbor(200, &body)
    }

    #[tokio::test(start_paused = true)]
    async fn points_of_all_pages_are_told_with_their_stream_and_metric() {
        let start = window().start.as_second();
        let one = [result("m0_0", "PartialData", &[(start, 5.0)]), result("m1_0", "Complete", &[])];
        let two = [result("m0_0", "Complete", &[(start + 60, 7.0)])];
        let (account, replay) = account_answering(vec![page(&one, Some("more")), page(&two, None)]);
        let points = account.read_history(&streams(1), &METRICS, window()).await.expect("points");
        assert_eq!(sent(&replay), 2);
        let told: Vec<_> = points.iter().map(|p| (p.stream, p.metric, p.value)).collect();
        assert_eq!(told, [(0, 0, 5.0), (0, 0, 7.0)]);
        assert_eq!(points[1].at.as_second(), start + 60);
    }

    #[tokio::test(start_paused = true)]
    async fn five_hundred_metrics_go_into_a_call() {
        let calm = |streams: usize| {
            let of = |n: usize| {
                [0, 1].map(|metric| result(&format!("m{metric}_{n}"), "Complete", &[(60, 1.0)]))
            };
            page(&(0..streams).flat_map(of).collect::<Vec<_>>(), None)
        };
        let (account, replay) = account_answering(vec![calm(250), calm(1)]);
        let points = account.read_history(&streams(251), &METRICS, window()).await.expect("points");
        assert_eq!(sent(&replay), 2);
        assert_eq!(points.last().map(|point| point.stream), Some(250));
    }

    #[tokio::test(start_paused = true)]
    async fn half_an_answer_is_none() {
        let results = [result("m0_0", "Complete", &[]), result("m1_0", "InternalError", &[])];
        let (account, _) = account_answering(vec![page(&results, None)]);
        let error = account.read_history(&streams(1), &METRICS, window()).await;
        assert_eq!(error.expect_err("a failure").failure, Failure::Unavailable);
    }
}
