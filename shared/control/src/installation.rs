//! What one installation of Weir is set to: the same for every loop and every event.
//!
//! Not here: reading it from an environment and a folder (the crates that start loops), how AWS is
//! reached.

use weir_core::alarms::AlarmPrefix;
use weir_core::policy::PolicySet;

/// The settings of an installation that loops decide by.
#[derive(Clone, Debug, PartialEq)]
pub struct Installation {
    /// What the operators want for their streams.
    pub policies: PolicySet,
    /// What the names of this installation's alarms begin with.
    pub alarm_prefix: AlarmPrefix,
    /// Where it lives: for the ARNs and links of notifications. Only raise-alerts needs it.
    pub place: Option<Place>,
}

/// Where an installation lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `aws`, `aws-cn`, `aws-us-gov` or another.
    pub partition: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
}
