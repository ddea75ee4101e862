//! The Lambda resize-stream: a plan in, one call to Kinesis or a refusal out. Wiring only: the loop is
//! `weir_control::resize_stream`.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tracing::{error, info, warn};
use weir_aws::emf::{Dimension, Metrics};
use weir_aws::{FirstCall, Started, retry_helps, start};
use weir_control::event::CapacityPlanned;
use weir_control::incoming::Incoming;
use weir_control::ports::Clock;
use weir_control::resize_stream::{self, Done};
use weir_core::reasons::Reason;

const FIRST_CALLS: [FirstCall; 3] =
    [FirstCall::DescribeStream, FirstCall::PublishEvents, FirstCall::ReadRecord];

/// Starts the function and works until Lambda ends it.
pub async fn run() -> Result<(), Error> {
    let started = &start(|name| std::env::var(name).ok(), &FIRST_CALLS).await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| handle(started, event.payload)))
        .await
}

async fn handle(started: &Started, event: Value) -> Result<Value, Error> {
    let planned = match Incoming::read(&event) {
        Ok(Incoming::CapacityPlanned(planned)) => planned,
        Ok(_) => {
            info!(code = Reason::NotForUs.code(), "no plan to carry out");
            return Ok(summary("skipped", Some(Reason::NotForUs)));
        }
        Err(fault) => {
            // Not an error for Lambda: the same event delivered again would be as unreadable.
            error!(code = Reason::EventUnreadable.code(), %fault, "event");
            return Ok(summary("skipped", Some(Reason::EventUnreadable)));
        }
    };
    match resize_stream::run(&started.aws, &planned).await {
        Ok(done) => Ok(tell(&started.aws, &planned, done)),
        Err(error) => {
            let (stream, plan_id) = (planned.stream.as_str(), planned.plan_id.as_str());
            let (operation, failure) = (error.operation, error.failure);
            error!(stream, plan_id, operation, ?failure, %error, "trouble");
            count(&started.aws, "Troubles");
            // What was done is in the ledger; a second delivery publishes it and calls nothing twice.
            if retry_helps(&error) { Err(error.into()) } else { Ok(summary("failed", None)) }
        }
    }
}

fn tell(clock: &impl Clock, planned: &CapacityPlanned, done: Done) -> Value {
    let (stream, plan_id) = (planned.stream.as_str(), planned.plan_id.as_str());
    match done {
        Done::Resized => {
            info!(stream, plan_id, outcome = "resized", "outcome");
            count(clock, "Reshards");
            summary("resized", None)
        }
        Done::Refused(reason) => {
            warn!(stream, plan_id, outcome = "refused", code = reason.code(), "outcome");
            count(clock, "Refusals");
            summary("refused", Some(reason))
        }
        Done::Lost => {
            let code = Reason::OutcomeUnknown.code();
            error!(stream, plan_id, outcome = "lost", code, "outcome");
            count(clock, "Troubles");
            summary("lost", Some(Reason::OutcomeUnknown))
        }
        Done::Repeated => {
            info!(stream, plan_id, outcome = "repeated", "outcome");
            summary("repeated", Some(Reason::PlanAlreadyClaimed))
        }
        Done::NothingToDo => {
            info!(stream, plan_id, outcome = "nothing_to_do", "outcome");
            summary("nothing_to_do", None)
        }
    }
}

fn count(clock: &impl Clock, what: &'static str) {
    let about = Dimension::Function("resize-stream");
    Metrics { at: clock.now(), about, values: &[(what, 1.0)] }.emit();
}

fn summary(outcome: &str, reason: Option<Reason>) -> Value {
    json!({"outcome": outcome, "reason": reason.map(Reason::code)})
}
