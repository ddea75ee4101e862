//! The Lambda plan-capacity: a tick, an alarm or an operator in; plans out.
//! Wiring only: the loop is `weir_control::plan_capacity`.

use weir_aws::FirstCall;
use weir_control::plan_capacity::on_event;
use weir_control::routing::Loop;
use weir_lambda::{Error, Function, serve};

const FUNCTION: Function = Function {
    runs: Loop::PlanCapacity,
    first_calls: &[
        FirstCall::DescribeStream,
        FirstCall::ReadTraffic,
        FirstCall::PublishEvents,
        FirstCall::ReadRecord,
    ],
    sends_alerts: false,
};

/// Starts the function and works until Lambda ends it.
///
/// # Errors
///
/// When it cannot be started; see [`serve`].
pub async fn run() -> Result<(), Error> {
    serve(FUNCTION, async |aws, installation, event, deadline| {
        on_event(aws, installation, event, deadline).await
    })
    .await
}
