//! Answers of GetMetricData, put together from their pages and laid on the grid.

use std::collections::HashMap;

use aws_sdk_cloudwatch::types::{MetricDataResult, StatusCode};
use jiff::Timestamp;
use weir_control::ports::{Failure, PortError, PortResult};
use weir_core::series::{Series, TrafficPoint};

use super::GET_METRIC_DATA;
use super::window::Window;

/// What came for each query so far.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by_id: HashMap<String, QueryAnswer>,
}

#[derive(Debug, Default)]
struct QueryAnswer {
    points: Vec<(i64, f64)>,
    /// Of the newest page: earlier ones may say "partial" because there is another page.
    status: Option<StatusCode>,
    said: Vec<String>,
}

impl Answers {
    /// Takes one result of one page.
    pub(super) fn take(&mut self, result: &MetricDataResult) {
        let Some(id) = result.id() else { return };
        let answer = self.by_id.entry(id.to_owned()).or_default();
        let seconds = result.timestamps().iter().map(|at| at.secs());
        answer.points.extend(seconds.zip(result.values().iter().copied()));
        answer.status = result.status_code().cloned();
        answer.said.extend(result.messages().iter().filter_map(|m| m.value().map(str::to_owned)));
    }

    /// The series of the stream at this place in the call. Periods without a datapoint stay empty.
    pub(super) fn series_of(&self, stream: usize, window: &Window) -> PortResult<Series> {
        let mut points = vec![TrafficPoint::default(); window.len()];
        for measure in window.measures {
            let id = Window::query_id(stream, measure);
            for (second, value) in self.complete(&id)? {
                if let Some(index) = window.index_of(*second) {
                    *(measure.place)(&mut points[index]) = Some(*value);
                }
            }
        }
        let start = Timestamp::from_second(window.start_second).unwrap_or(Timestamp::MIN);
        Ok(Series { start, period_seconds: window.period_seconds, points })
    }

    /// What came for a query, if all of it came.
    pub(super) fn complete(&self, id: &str) -> PortResult<&[(i64, f64)]> {
        let answer =
            self.by_id.get(id).ok_or_else(|| failed(id, Failure::Unavailable, "not answered"))?;
        match &answer.status {
            Some(StatusCode::Complete) => Ok(&answer.points),
            Some(StatusCode::Forbidden) => Err(failed(id, Failure::Denied, &answer.said())),
            Some(status) => {
                let said = format!("{} {}", status.as_str(), answer.said());
                Err(failed(id, Failure::Unavailable, said.trim_end()))
            }
            None => Err(failed(id, Failure::Unavailable, "answered without a status")),
        }
    }
}

impl QueryAnswer {
    fn said(&self) -> String {
        self.said.join("; ")
    }
}

fn failed(id: &str, failure: Failure, said: &str) -> PortError {
    GET_METRIC_DATA.refused(failure, format!("query {id}: {said}"))
}
