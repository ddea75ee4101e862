//! Taking Weir out of an account: the alarms it made are deleted.
//!
//! Its stack must be gone first, or sync-alarms would make them anew within the hour. Not here:
//! functions, rules and topics, which go with the stack; the ledger, which stays.

use weir_core::alarms::AlarmPrefix;

use crate::ports::{PortResult, ReadAlarmStates, ReadAlarms, WriteAlarms};

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uninstalled {
    /// The alarm that watches over Weir, which the stack makes, is still there. Nothing was
    /// deleted.
    StillDeployed(String),
    /// These alarms are gone. No other alarm was touched.
    Alarms(Vec<String>),
}

/// Deletes every alarm that Weir made under this prefix.
///
/// # Errors
///
/// When alarms cannot be read or deleted. Some may be gone then: run it again.
pub async fn run<P>(ports: &P, prefix: &AlarmPrefix) -> PortResult<Uninstalled>
where
    P: ReadAlarms + ReadAlarmStates + WriteAlarms,
{
    let made_by_the_stack = format!("{prefix}self-tick");
    if !ports.alarm_states(std::slice::from_ref(&made_by_the_stack)).await?.is_empty() {
        return Ok(Uninstalled::StillDeployed(made_by_the_stack));
    }
    let alarms = ports.read_all_alarms(&[]).await?;
    let mut names: Vec<String> = alarms.into_iter().map(|alarm| alarm.name).collect();
    names.sort_unstable();
    ports.delete_alarms(&names).await?;
    Ok(Uninstalled::Alarms(names))
}
