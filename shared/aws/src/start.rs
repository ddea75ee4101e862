//! How every function starts: settings, policies, clients, connections. And what it does with a failure
//! that nobody inside could deal with.
//!
//! Not here: the runtime's loop and what a function does in it.

use tracing::{error, info, warn};
use weir_control::ports::PortError;
use weir_core::reasons::Reason;

use crate::policies::{Policies, read_policies};
use crate::settings::{SettingFaults, Settings};
use crate::{Aws, FirstCall, config};

/// A function that is ready for its first event.
#[derive(Debug)]
pub struct Started {
    /// AWS.
    pub aws: Aws,
    /// The policies it was shipped with.
    pub policies: Policies,
}

/// Prepares a function, connections included. Only wrong settings stop it: a policy with a fault costs
/// its own streams, and a service that does not answer may do so by the time it is needed.
pub async fn start(
    lookup: impl Fn(&str) -> Option<String>,
    first_calls: &[FirstCall],
) -> Result<Started, SettingFaults> {
    let settings = Settings::read(lookup).inspect_err(|faults| {
        faults.0.iter().for_each(|fault| error!(variable = fault.variable, %fault, "setting"));
    })?;
    let policies = read_policies(&settings.policy_dir);
    for fault in &policies.faults {
        error!(code = Reason::PolicyInvalid.code(), %fault, "policy");
    }
    if policies.set.is_empty() {
        warn!(folder = %settings.policy_dir.display(), "no policy names any stream");
    }
    let aws = Aws::new(config::load().await, settings);
    for unreached in aws.connect(first_calls).await {
        warn!(operation = unreached.operation, error = %unreached, "not connected");
    }
    info!(policies = policies.set.len(), faults = policies.faults.len(), "started");
    Ok(Started { aws, policies })
}

/// Whether the runtime should hear of this error, so that the event is delivered again. What would fail
/// in the same way is only logged: a second delivery would change nothing.
pub fn retry_helps(error: &PortError) -> bool {
    error.failure.retryable()
}
