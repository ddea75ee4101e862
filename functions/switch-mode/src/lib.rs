//! The Lambda switch-mode: a plan in, one call to Kinesis or a refusal out. Wiring only: the loop is
//! `weir_control::switch_mode`.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use weir_aws::{Executor, FirstCall, Started, start};
use weir_control::switch_mode;

const FIRST_CALLS: [FirstCall; 3] =
    [FirstCall::DescribeStream, FirstCall::PublishEvents, FirstCall::ReadRecord];

const EXECUTOR: Executor =
    Executor { function: "switch-mode", accepted: "switched", counted_as: "ModeSwitches" };

/// Starts the function and works until Lambda ends it.
pub async fn run() -> Result<(), Error> {
    let started = &start(|name| std::env::var(name).ok(), &FIRST_CALLS).await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| handle(started, event.payload)))
        .await
}

async fn handle(started: &Started, event: Value) -> Result<Value, Error> {
    let aws = &started.aws;
    let carry_out = async |planned: &_| switch_mode::run(aws, planned).await;
    Ok(EXECUTOR.answer(aws, &event, carry_out).await?)
}
