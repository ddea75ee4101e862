//! The one binary the functions ship in. Lambda names the function in `_HANDLER`; that one runs.
//!
//! Here: the log and the choice. Not here: what the functions do.

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// A function at a time per process, waiting for answers most of the time: one thread will do.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    let ended = match std::env::var("_HANDLER").unwrap_or_default().as_str() {
        "plan-capacity" => weir_plan_capacity::run().await,
        "raise-alerts" => weir_raise_alerts::run().await,
        "resize-stream" => weir_resize_stream::run().await,
        "switch-mode" => weir_switch_mode::run().await,
        "sync-alarms" => weir_sync_alarms::run().await,
        other => Err(unknown(other).into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function ends");
            ExitCode::FAILURE
        }
    }
}

fn unknown(handler: &str) -> String {
    format!(
        "_HANDLER is {handler:?}; set the function's handler to plan-capacity, raise-alerts, \
         resize-stream, switch-mode or sync-alarms"
    )
}
