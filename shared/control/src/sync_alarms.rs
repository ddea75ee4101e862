//! The loop sync-alarms: bring the alarms of managed streams and of their consumers from what they
//! are to what they should be.
//!
//! After a resize or a mode switch for one stream; hourly and on request for all, in rounds, each
//! written before the next is begun, until there is no time for another: the rest is asked for by
//! an event. Alarms outside Weir's prefix are never touched. Here: the entry, and writing what
//! differs. In files of their own: all streams (`fleet`), one stream's own alarms (`streams`),
//! consumers (`consumers`). Not here: which alarms there should be (`weir_core::alarms`).

mod consumers;
mod fleet;
pub mod preview;
mod streams;

use std::collections::BTreeSet;

use weir_core::alarms::{AlarmChanges, AlarmName};
use weir_core::observation::CapacityMode;
use weir_core::reasons::SkipReason;
use weir_core::units::{Shards, StreamName};

use crate::answer::{Answer, RedeliverOn};
use crate::deadline::Deadline;
use crate::event::Request;
use crate::incoming::Incoming;
use crate::installation::Installation;
use crate::ports::{
    Clock, DescribeStream, FindConsumers, FindMetric, ListStreams, PortError, PublishEvents,
    ReadAlarms, Register, WriteAlarms,
};
use crate::skipped::SkippedStream;

/// Everything this loop needs.
pub trait SyncPorts:
    Clock
    + ListStreams
    + DescribeStream
    + FindConsumers
    + FindMetric
    + ReadAlarms
    + WriteAlarms
    + Register
    + PublishEvents
{
}

impl<P> SyncPorts for P where
    P: Clock
        + ListStreams
        + DescribeStream
        + FindConsumers
        + FindMetric
        + ReadAlarms
        + WriteAlarms
        + Register
        + PublishEvents
{
}

/// Which alarms to reconcile.
#[derive(Clone, Debug, PartialEq)]
enum Scope {
    /// One stream, which has or will shortly have this many open shards.
    Resized(StreamName, Shards),
    /// One stream, which is or will shortly be in this mode.
    Switched(StreamName, CapacityMode),
    /// Every stream of the account that comes after this one by name.
    All(Option<StreamName>),
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
    deadline: Deadline,
) -> Answer<SyncReport> {
    let Some(scope) = scope(event) else { return Answer::skipped(SkipReason::NotForUs) };
    // With a policy file missing, its streams would look unmanaged: they would be retired, and
    // their alarms deleted.
    if matches!(scope, Scope::All(_)) && !installation.policies.is_complete() {
        return Answer::refused(SkipReason::PolicyInvalid);
    }
    let done = match scope {
        Scope::All(after) => fleet::run(ports, installation, after, deadline).await,
        Scope::Resized(stream, open) => {
            streams::one(ports, installation, stream, CapacityMode::Provisioned, open).await
        }
        Scope::Switched(stream, mode) => streams::switched(ports, installation, stream, mode).await,
    };
    match done {
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
        Incoming::Tick => Some(Scope::All(None)),
        Incoming::StreamResized(resized) => {
            Some(Scope::Resized(resized.stream.clone(), resized.to))
        }
        Incoming::ModeSwitched(switched) => {
            Some(Scope::Switched(switched.stream.clone(), switched.to))
        }
        Incoming::OperatorRequest(request) if request.request == Request::SyncAlarms => {
            Some(Scope::All(request.after.clone()))
        }
        Incoming::OperatorRequest(_)
        | Incoming::Alarm(_)
        | Incoming::CapacityPlanned(_)
        | Incoming::ActionRefused(_)
        | Incoming::ActionFailed(_) => None,
    }
}

/// Writes what differs, alarm by alarm: one that fails does not keep the others from being written.
async fn apply<P: WriteAlarms>(ports: &P, changes: AlarmChanges, report: &mut SyncReport) {
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
            Ok(()) => report.deleted.extend(delete),
            Err(error) => report.failed_calls.push(error),
        }
    }
}
