//! What MiniStack's CloudWatch lacks, as far as Weir can see it.
//!
//! Here: metric-math alarms, whose `Metrics` MiniStack drops (kept by this proxy and put back into
//! DescribeAlarms); GetMetricData's order, newest first unless asked otherwise; and a loud refusal
//! of expressions in GetMetricData, which MiniStack answers with nothing at all; and metrics shown
//! as newer than they were put, by which tests let time go by. Not here: evaluating metric math, or
//! publishing alarm state changes; no emulator does, so tests build those events.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ciborium::Value as Cbor;

use super::forward::Upstream;
use crate::failure::{AwsError, Result};
use crate::local_server::{HttpAnswer, HttpRequest};
use crate::wire::{self, Call, Service, cbor};

/// Members that MiniStack makes up for an alarm that has none of them.
const MADE_UP_FOR_METRIC_MATH: [&str; 3] = ["Statistic", "Period", "Dimensions"];

#[derive(Default)]
pub(super) struct CloudWatchGaps {
    /// By alarm name. A proxy serves one test, and thereby one account and region.
    metrics: Mutex<HashMap<String, Cbor>>,
    /// Seconds by which datapoints are shown as newer than they were put.
    newer_by: AtomicI64,
}

impl CloudWatchGaps {
    pub(super) fn apply(
        &self,
        upstream: &Upstream,
        request: &HttpRequest,
        call: &Call,
    ) -> Result<HttpAnswer> {
        if has_expression(call) {
            let error = AwsError::refusal(
                "ValidationError",
                "no emulator evaluates metric math: ask for the metrics themselves",
            );
            return Ok(wire::write_error(&error, Service::CloudWatch.protocol()));
        }
        let mut answer = upstream.forward(request, Service::CloudWatch)?;
        if answer.status != 200 {
            return Ok(answer);
        }
        match call.operation.as_str() {
            "PutMetricAlarm" => self.keep_metrics(call, &cbor::read(&request.body)?),
            "DescribeAlarms" => {
                amend(&mut answer, "MetricAlarms", |alarm| self.put_metrics_back(alarm))?;
            }
            "GetMetricData" => {
                let newer_by = self.newer_by.load(Ordering::Relaxed);
                amend(&mut answer, "MetricDataResults", |result| {
                    show_newer(result, newer_by);
                    if call.body["ScanBy"] != "TimestampAscending" {
                        newest_first(result);
                    }
                })?;
            }
            _ => {}
        }
        Ok(answer)
    }

    pub(super) fn show_newer(&self, by: Duration) {
        self.newer_by.store(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    fn keep_metrics(&self, call: &Call, alarm: &Cbor) {
        let name = call.body["AlarmName"].as_str().unwrap_or_default().to_owned();
        let mut kept = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        // An alarm that is put again as a plain one must not keep its old formula.
        match cbor::get(alarm, "Metrics") {
            Some(metrics) => kept.insert(name, metrics.clone()),
            None => kept.remove(&name),
        };
    }

    fn put_metrics_back(&self, alarm: &mut Cbor) {
        let kept = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        let name = cbor::get(alarm, "AlarmName").and_then(Cbor::as_text).unwrap_or_default();
        let Some(metrics) = kept.get(name) else { return };
        if let Some(members) = alarm.as_map_mut() {
            let made_up = |key: &Cbor| {
                key.as_text().is_some_and(|key| MADE_UP_FOR_METRIC_MATH.contains(&key))
            };
            members.retain(|(key, _)| !made_up(key));
            members.push(("Metrics".into(), metrics.clone()));
        }
    }
}

fn has_expression(call: &Call) -> bool {
    let queries = call.body["MetricDataQueries"].as_array();
    call.operation == "GetMetricData"
        && queries
            .is_some_and(|queries| queries.iter().any(|query| query["Expression"].is_string()))
}

/// Changes every item of a list in an answer.
fn amend(answer: &mut HttpAnswer, list: &str, change: impl Fn(&mut Cbor)) -> Result<()> {
    let mut body = cbor::read(&answer.body)?;
    if let Some(items) = cbor::get_mut(&mut body, list).and_then(Cbor::as_array_mut) {
        items.iter_mut().for_each(change);
    }
    answer.body = cbor::write(&body);
    Ok(())
}

fn show_newer(result: &mut Cbor, by_seconds: i64) {
    let timestamps = cbor::get_mut(result, "Timestamps").and_then(Cbor::as_array_mut);
    for timestamp in timestamps.into_iter().flatten() {
        cbor::make_later(timestamp, by_seconds);
    }
}

fn newest_first(result: &mut Cbor) {
    for list in ["Timestamps", "Values"] {
        if let Some(items) = cbor::get_mut(result, list).and_then(Cbor::as_array_mut) {
            items.reverse();
        }
    }
}
