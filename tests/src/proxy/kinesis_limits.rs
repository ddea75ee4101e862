//! Kinesis's refusals that kinesis-mock does not make.
//!
//! Here: 10 UpdateShardCount and 2 UpdateStreamMode in any 24 hours and stream, counted over
//! accepted calls; and no UpdateShardCount of an on-demand stream. Streams are made older than they
//! are, as what is dated back in them would else be another stream's. Not here: what kinesis-mock
//! refuses itself (a stream that is not ACTIVE, more than twice or less than half the shards).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::forward::Upstream;
use crate::failure::{AwsError, Result};
use crate::local_server::{HttpAnswer, HttpRequest};
use crate::wire::{self, Call, Service};

const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
pub(super) struct KinesisLimits(Mutex<Vec<Accepted>>);

struct Accepted {
    operation: String,
    stream: String,
    at: Instant,
    /// An `Instant` cannot reach back before the machine started.
    made_older_by: Duration,
}

impl KinesisLimits {
    pub(super) fn apply(
        &self,
        upstream: &Upstream,
        request: &HttpRequest,
        call: &Call,
    ) -> Result<HttpAnswer> {
        let limit = match call.operation.as_str() {
            "UpdateShardCount" => 10,
            "UpdateStreamMode" => 2,
            "DescribeStreamSummary" => return made_long_ago(upstream, request),
            _ => return upstream.forward(request, Service::Kinesis),
        };
        let stream = stream_of(&call.body);
        // Held over the call, so that two calls cannot both be the tenth.
        let mut accepted = self.lock();
        let refusal = if limit == 10 && is_on_demand(upstream, request, call)? {
            Some(on_demand(&stream, request))
        } else if count(&accepted, &call.operation, &stream) >= limit {
            Some(rate_exceeded(&stream, request))
        } else {
            None
        };
        if let Some(error) = refusal {
            return Ok(wire::write_error(&error, Service::Kinesis.protocol()));
        }
        let answer = upstream.forward(request, Service::Kinesis)?;
        if answer.status == 200 {
            accepted.push(Accepted::now(&call.operation, &stream));
        }
        Ok(answer)
    }

    pub(super) fn spend(&self, operation: &str, stream: &str, count: usize) {
        let spent = std::iter::repeat_with(|| Accepted::now(operation, stream));
        self.lock().extend(spent.take(count));
    }

    pub(super) fn age(&self, stream: &str, by: Duration) {
        for call in self.lock().iter_mut().filter(|call| call.stream == stream) {
            call.made_older_by += by;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Accepted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accepted {
    fn now(operation: &str, stream: &str) -> Self {
        Self {
            operation: operation.into(),
            stream: stream.into(),
            at: Instant::now(),
            made_older_by: Duration::ZERO,
        }
    }
}

/// Every stream was made a month before it was: what the tests date back happened to the same
/// stream.
fn made_long_ago(upstream: &Upstream, request: &HttpRequest) -> Result<HttpAnswer> {
    const MONTH_SECONDS: f64 = 30.0 * 86_400.0;
    let mut answer = upstream.forward(request, Service::Kinesis)?;
    if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) {
        let made_at = &mut body["StreamDescriptionSummary"]["StreamCreationTimestamp"];
        if let Some(seconds) = made_at.as_f64() {
            *made_at = json!(seconds - MONTH_SECONDS);
            answer.body = body.to_string().into_bytes();
        }
    }
    Ok(answer)
}

fn count(accepted: &[Accepted], operation: &str, stream: &str) -> usize {
    accepted
        .iter()
        .filter(|call| call.operation == operation && call.stream == stream)
        .filter(|call| call.at.elapsed() + call.made_older_by < WINDOW)
        .count()
}

fn stream_of(body: &Value) -> String {
    let named = body["StreamName"].as_str();
    let by_arn = || body["StreamARN"].as_str().and_then(|arn| arn.split(":stream/").nth(1));
    named.or_else(by_arn).unwrap_or_default().to_owned()
}

fn is_on_demand(upstream: &Upstream, request: &HttpRequest, call: &Call) -> Result<bool> {
    let stream: serde_json::Map<_, _> = ["StreamName", "StreamARN"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), call.body.get(name)?.clone())))
        .collect();
    let mut question = request.clone();
    question.body = json!(stream).to_string().into_bytes();
    for (name, value) in &mut question.headers {
        if name == "x-amz-target" {
            *value = value.replace(&call.operation, "DescribeStreamSummary");
        }
    }
    let answer = upstream.forward(&question, Service::Kinesis)?;
    let summary = wire::read_answer(&answer, Service::Kinesis.protocol());
    let mode = &summary["StreamDescriptionSummary"]["StreamModeDetails"]["StreamMode"];
    Ok(mode == "ON_DEMAND")
}

fn on_demand(stream: &str, request: &HttpRequest) -> AwsError {
    let account = account_of(request);
    let message = format!(
        "Request is invalid. Stream {stream} under account {account} is in On-Demand mode."
    );
    AwsError::refusal("ValidationException", &message)
}

fn rate_exceeded(stream: &str, request: &HttpRequest) -> AwsError {
    let account = account_of(request);
    let message = format!("Rate exceeded for stream {stream} under account {account}.");
    AwsError::refusal("LimitExceededException", &message)
}

fn account_of(request: &HttpRequest) -> &str {
    request
        .header("authorization")
        .and_then(|header| header.split("Credential=").nth(1))
        .and_then(|credential| credential.split('/').next())
        .unwrap_or("000000000000")
}
