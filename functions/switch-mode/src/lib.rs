//! The Lambda switch-mode: a plan in, one call to Kinesis or a refusal out.
//! Wiring only: the loop is `weir_control::switch_mode`.

use weir_aws::FirstCall;
use weir_control::routing::Loop;
use weir_control::switch_mode::on_event;
use weir_lambda::{Error, Function, serve};

const FUNCTION: Function = Function {
    runs: Loop::SwitchMode,
    first_calls: &[FirstCall::DescribeStream, FirstCall::PublishEvents, FirstCall::ReadRecord],
    sends_alerts: false,
};

/// Starts the function and works until Lambda ends it.
///
/// # Errors
///
/// When it cannot be started; see [`serve`].
pub async fn run() -> Result<(), Error> {
    serve(FUNCTION, async |aws, installation, event, _| on_event(aws, installation, event).await)
        .await
}
