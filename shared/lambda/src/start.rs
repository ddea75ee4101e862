//! How every function starts: settings, policies, clients, connections.
//!
//! Not here: the runtime's loop and what a function does in it (`function`).

use tracing::{error, info, warn};
use weir_aws::{Aws, FirstCall, SettingFault, SettingFaults, load};
use weir_control::installation::Installation;
use weir_control::policy_folder;
use weir_control::routing::Loop;
use weir_core::policy::PolicySet;
use weir_core::reasons::Reason;

use crate::settings::FunctionSettings;

/// What the chassis has to know of a function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The loop it runs.
    pub runs: Loop,
    /// The calls whose connections are opened before the first event.
    pub first_calls: &'static [FirstCall],
    /// Whether it sends alerts, and so does not start without their topics.
    pub sends_alerts: bool,
}

/// A function that is ready for its first event.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) aws: Aws,
    pub(crate) installation: Installation,
}

/// Prepares a function, connections included. Only wrong settings stop it: a policy with a fault
/// costs its own streams, and a service that does not answer may do so by the time it is needed.
///
/// # Errors
///
/// Every setting that is missing or cannot be used.
pub(crate) async fn start(
    function: &Function,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Started, SettingFaults> {
    let settings = FunctionSettings::read(lookup).and_then(|read| notifies(function, read));
    let settings = settings.inspect_err(|faults| {
        faults.0.iter().for_each(|fault| error!(variable = fault.variable, %fault, "setting"));
    })?;
    let (policies, faults) = PolicySet::of_files(&policy_folder::read(&settings.policy_dir));
    for fault in &faults {
        error!(code = Reason::PolicyInvalid.code(), %fault, "policy");
    }
    if policies.is_empty() {
        warn!(folder = %settings.policy_dir.display(), "no policy names any stream");
    }
    let installation = Installation {
        alarm_prefix: settings.aws.alarm_prefix.clone(),
        place: settings.aws.topics.as_ref().map(|topics| topics.place.clone()),
        policies,
    };
    let aws = Aws::new(load().await, settings.aws).paced_for(function.runs);
    for unreached in aws.connect(function.first_calls).await {
        warn!(operation = unreached.operation, error = %unreached, "not connected");
    }
    info!(policies = installation.policies.len(), faults = faults.len(), "started");
    Ok(Started { aws, installation })
}

/// A function that notifies needs its topics from the start.
fn notifies(
    function: &Function,
    settings: FunctionSettings,
) -> Result<FunctionSettings, SettingFaults> {
    if function.sends_alerts && settings.aws.topics.is_none() {
        return Err(SettingFaults(vec![SettingFault {
            variable: "WEIR_NOTICES_TOPIC, WEIR_PAGES_TOPIC",
            message: "are not both set".to_owned(),
            fix: "set them to the ARNs of the SNS topics for notices and for pages",
        }]));
    }
    Ok(settings)
}
