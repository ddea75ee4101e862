//! The Lambda raise-alerts: an alarm, a failure of Weir's own or the tick in; messages out.
//! Wiring only: the loop is `weir_control::raise_alerts`.

use weir_aws::FirstCall;
use weir_control::raise_alerts::on_event;
use weir_control::routing::Loop;
use weir_lambda::{Error, Function, serve};

const FUNCTION: Function = Function {
    runs: Loop::RaiseAlerts,
    first_calls: &[FirstCall::DescribeStream, FirstCall::ReadAlarms, FirstCall::ReadRecord],
    sends_alerts: true,
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
