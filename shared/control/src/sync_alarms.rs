//! The loop sync-alarms: bring the alarms of managed streams and of their consumers from what they
//! are to what they should be.
//!
//! After a resize or a mode switch for one stream, hourly and on request for all. Alarms outside
//! Weir's prefix are never touched. Here: the entry, and writing what differs. In files of their
//! own: the streams' own alarms (`streams`), their consumers' (`consumers`). Not here: which alarms
//! there should be (`weir_core::alarms`).

pub mod consumers;
mod streams;

use std::collections::BTreeSet;

use weir_core::alarms::{AlarmChanges, AlarmName};
use weir_core::observation::CapacityMode;
use weir_core::reasons::SkipReason;
use weir_core::units::{Shards, StreamName};

use crate::answer::{Answer, RedeliverOn};
use crate::event::Request;
use crate::incoming::Incoming;
use crate::installation::Installation;
use crate::ports::{PortError, PortResult, WriteAlarms};
use crate::skipped::SkippedStream;
pub use consumers::ConsumerAlarmPorts;
pub use streams::StreamAlarmPorts;

/// Everything this loop needs.
pub trait SyncPorts: StreamAlarmPorts + ConsumerAlarmPorts {}

impl<P> SyncPorts for P where P: StreamAlarmPorts + ConsumerAlarmPorts {}

/// Which alarms to reconcile.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scope {
    /// One stream, which has or will shortly have this many open shards.
    Resized(StreamName, Shards),
    /// One stream, which is or will shortly be in this mode.
    Switched(StreamName, CapacityMode),
    /// Every stream of the account.
    All,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct SyncReport {
    /// Alarms created or overwritten.
    pub put: Vec<AlarmName>,
    /// Alarms set back so that they can go off again.
    pub rearmed: Vec<AlarmName>,
    /// Alarms deleted.
    pub deleted: Vec<String>,
    /// Streams newly registered.
    pub registered: Vec<StreamName>,
    /// Streams no longer there, or no longer managed.
    pub retired: Vec<StreamName>,
    /// Streams left as they are.
    pub skipped: Vec<SkippedStream>,
    /// Calls that failed; the next run tries them again.
    pub failed_calls: Vec<PortError>,
}

/// Handles one event. What was done is found done by the next run, so a redelivery does only what
/// is left.
pub async fn on_event<P: SyncPorts>(
    ports: &P,
    installation: &Installation,
    event: &Incoming,
) -> Answer<SyncReport> {
    let Some(scope) = scope(event) else { return Answer::skipped(SkipReason::NotForUs) };
    // With a policy file missing, its streams would look unmanaged: they would be retired, and
    // their alarms deleted.
    if scope == Scope::All && !installation.policies.is_complete() {
        return Answer::refused(SkipReason::PolicyInvalid);
    }
    match run(ports, installation, scope).await {
        Ok(report) => {
            let redeliver = RedeliverOn::Retryable.first(&report.failed_calls);
            Answer::done(report, redeliver)
        }
        Err(error) => Answer::failed(error, RedeliverOn::Retryable),
    }
}

/// Which alarms an event is about; `None` when it asks for none.
fn scope(event: &Incoming) -> Option<Scope> {
    match event {
        Incoming::Tick => Some(Scope::All),
        Incoming::StreamResized(resized) => {
            Some(Scope::Resized(resized.stream.clone(), resized.to))
        }
        Incoming::ModeSwitched(switched) => {
            Some(Scope::Switched(switched.stream.clone(), switched.to))
        }
        Incoming::OperatorRequest(request) if request.request == Request::SyncAlarms => {
            Some(Scope::All)
        }
        Incoming::OperatorRequest(_)
        | Incoming::Alarm(_)
        | Incoming::CapacityPlanned(_)
        | Incoming::ActionRefused(_)
        | Incoming::ActionFailed(_) => None,
    }
}

/// The streams' own alarms, and, where it is about all of them, their consumers'.
async fn run<P: SyncPorts>(
    ports: &P,
    installation: &Installation,
    scope: Scope,
) -> PortResult<SyncReport> {
    let Installation { policies, alarm_prefix, .. } = installation;
    let everything = scope == Scope::All;
    let mut report = streams::run(ports, policies, alarm_prefix, scope).await?;
    if everything {
        // What the first half did is told whatever becomes of the second.
        match consumers::run(ports, policies, alarm_prefix).await {
            Ok(consumers) => report.add(consumers),
            Err(error) => report.failed_calls.push(error),
        }
    }
    Ok(report)
}

impl SyncReport {
    fn add(&mut self, other: SyncReport) {
        let SyncReport { put, rearmed, deleted, registered, retired, skipped, failed_calls } =
            other;
        self.put.extend(put);
        self.rearmed.extend(rearmed);
        self.deleted.extend(deleted);
        self.registered.extend(registered);
        self.retired.extend(retired);
        self.skipped.extend(skipped);
        self.failed_calls.extend(failed_calls);
    }
}

/// Writes what differs, alarm by alarm: one that fails does not keep the others from being written.
pub(crate) async fn apply<P: WriteAlarms>(
    ports: &P,
    changes: AlarmChanges,
    report: &mut SyncReport,
) {
    let AlarmChanges { put, rearm, delete } = changes;
    let mut written = BTreeSet::new();
    for spec in put {
        match ports.put_alarm(&spec).await {
            Ok(()) => {
                written.insert(spec.name.clone());
                report.put.push(spec.name);
            }
            Err(error) => report.failed_calls.push(error),
        }
    }
    // An alarm whose new threshold did not arrive would go off again at once for nothing.
    for name in rearm.into_iter().filter(|name| written.contains(name)) {
        match ports.rearm_alarm(&name).await {
            Ok(()) => report.rearmed.push(name),
            Err(error) => report.failed_calls.push(error),
        }
    }
    if !delete.is_empty() {
        match ports.delete_alarms(&delete).await {
            Ok(()) => report.deleted = delete,
            Err(error) => report.failed_calls.push(error),
        }
    }
}
