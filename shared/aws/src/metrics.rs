//! GetMetricData: the traffic of many streams in few calls.
//!
//! Two windows per stream, each with its own calls, because one call has one start and one end. A
//! stream whose numbers did not all come gets an error, never a half-empty series. Not here: what
//! is asked (`window`), how answers are put together (`answers`), which need not be asked for
//! (`days`), which metrics there are (`existing`), what is asked for recordings (`history`).

mod answers;
mod days;
mod existing;
mod history;
mod window;

use std::collections::VecDeque;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{MetricDataQuery, ScanBy};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use tokio::task::JoinSet;
use weir_control::ports::{Failure, PortError, PortResult, ReadTraffic, Traffic};
use weir_core::series::Series;
use weir_core::units::StreamName;

use crate::Aws;
use crate::errors::Call;
use answers::Answers;
pub(crate) use days::KeptDays;
pub use history::{HistoryMetric, HistoryPoint, HistoryWindow};
use window::Window;
pub(crate) use window::{NAMESPACE, STREAM_DIMENSION};

pub(crate) const GET_METRIC_DATA: Call = Call::read("GetMetricData");

/// Calls under way at once. Each takes a fifth of a second or so, which keeps them within the pace.
const CALLS_AT_ONCE: usize = 8;

impl ReadTraffic for Aws {
    async fn read_traffic(
        &self,
        streams: &[StreamName],
        now: Timestamp,
    ) -> Vec<PortResult<Traffic>> {
        let minutes = self.read_window(streams, Window::minutes(now)).await;
        let days = self.read_days(streams, &minutes, now).await;
        minutes
            .into_iter()
            .zip(days)
            .map(|(minutes, days)| Ok(Traffic { minutes: minutes?, days }))
            .collect()
    }
}

impl Aws {
    /// The days of each stream, asked for only where those kept will not do.
    async fn read_days(
        &self,
        streams: &[StreamName],
        minutes: &[PortResult<Series>],
        now: Timestamp,
    ) -> Vec<PortResult<Series>> {
        let window = Window::days(now);
        let known = |(stream, minutes): (&StreamName, &PortResult<Series>)| {
            self.days.brought_up(stream, minutes.as_ref().ok()?, &window, now)
        };
        let known: Vec<Option<Series>> = streams.iter().zip(minutes).map(known).collect();
        let unknown = streams.iter().zip(&known).filter(|(_, days)| days.is_none());
        let unknown: Vec<StreamName> = unknown.map(|(stream, _)| stream.clone()).collect();
        let read = self.read_window(&unknown, window).await;
        for (stream, days) in unknown.iter().zip(&read) {
            if let Ok(days) = days {
                self.days.keep(stream, days, now);
            }
        }
        let mut read = read.into_iter();
        let never = || Err(GET_METRIC_DATA.refused(Failure::Unavailable, "the days were not read"));
        known
            .into_iter()
            .map(|days| days.map_or_else(|| read.next().unwrap_or_else(never), Ok))
            .collect()
    }

    /// One series per stream, in the order of `streams`.
    async fn read_window(&self, streams: &[StreamName], window: Window) -> Vec<PortResult<Series>> {
        let per_call = window.streams_per_call();
        let mut waiting: VecDeque<(usize, Vec<StreamName>)> =
            streams.chunks(per_call).map(<[StreamName]>::to_vec).enumerate().collect();
        let mut under_way = JoinSet::new();
        let mut series: Vec<Option<PortResult<Series>>> = streams.iter().map(|_| None).collect();
        loop {
            while under_way.len() < CALLS_AT_ONCE
                && let Some((batch, streams)) = waiting.pop_front()
            {
                self.paces.get_metric_data.turn().await;
                self.paces.metric_points.turns(window.points(streams.len())).await;
                let client = self.clients.cloudwatch().clone();
                under_way.spawn(async move { (batch, ask(client, window, &streams).await) });
            }
            match under_way.join_next().await {
                Some(Ok((batch, answers))) => {
                    let places = series.iter_mut().skip(batch * per_call);
                    places.zip(answers).for_each(|(place, answer)| *place = Some(answer));
                }
                // Its streams' places stay empty, which is an error below.
                Some(Err(_)) => {}
                None => break,
            }
        }
        let never = || Err(GET_METRIC_DATA.refused(Failure::Unavailable, "the call was given up"));
        series.into_iter().map(|series| series.unwrap_or_else(never)).collect()
    }
}

/// One call and its pages, for as many streams as one call takes.
async fn ask(client: Client, window: Window, streams: &[StreamName]) -> Vec<PortResult<Series>> {
    let span = (window.start_second, window.end_second());
    match pages(&client, window.queries(streams), span).await {
        Ok(answers) => {
            (0..streams.len()).map(|stream| answers.series_of(stream, &window)).collect()
        }
        Err(error) => streams.iter().map(|_| Err(same(&error))).collect(),
    }
}

/// From the first second to the other, exclusive.
async fn pages(
    client: &Client,
    queries: Vec<MetricDataQuery>,
    (start, end): (i64, i64),
) -> Result<Answers, PortError> {
    let mut answers = Answers::default();
    let mut token: Option<String> = None;
    loop {
        let page = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(DateTime::from_secs(start))
            .end_time(DateTime::from_secs(end))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token.clone())
            .send()
            .await
            .map_err(|e| GET_METRIC_DATA.failed(e))?;
        for result in page.metric_data_results() {
            answers.take(result);
        }
        match page.next_token {
            None => return Ok(answers),
            Some(next) if token.as_ref() == Some(&next) => {
                let message = "the same page came twice";
                return Err(GET_METRIC_DATA.refused(Failure::Unavailable, message));
            }
            Some(next) => token = Some(next),
        }
    }
}

/// The error once more, for another stream of the same call.
fn same(error: &PortError) -> PortError {
    PortError {
        operation: error.operation,
        failure: error.failure,
        message: error.message.clone(),
        source: None,
    }
}

#[cfg(test)]
mod tests;
