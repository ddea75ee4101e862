//! The Lambda sync-alarms: a resize, a mode switch, the hourly tick or an operator in; alarms as
//! they should be out. Wiring only: the loop is `weir_control::sync_alarms`.

use weir_aws::FirstCall;
use weir_control::routing::Loop;
use weir_control::sync_alarms::on_event;
use weir_lambda::{Error, Function, serve};

const FUNCTION: Function = Function {
    runs: Loop::SyncAlarms,
    first_calls: &[FirstCall::DescribeStream, FirstCall::ReadAlarms, FirstCall::ReadRecord],
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
