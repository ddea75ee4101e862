//! The first half of sync-alarms: bring every managed stream's own alarms from what they are to
//! what they should be.
//!
//! After a resize or a mode switch for one stream, else for all; then it also registers streams
//! that appeared and retires those that went. Not here: which alarms a stream should have
//! (`weir_core::alarms`), the alarms of its consumers (`consumers`).

use std::collections::BTreeSet;

use weir_core::alarms::{self, AlarmKind, AlarmName, AlarmPrefix, AlarmSpec};
use weir_core::observation::{CapacityMode, StreamState, StreamStatus};
use weir_core::policy::{Governance, PolicySet};
use weir_core::reasons::SkipReason;
use weir_core::units::{Shards, StreamName};

use super::{Scope, SyncReport, apply};
use crate::ports::{
    Clock, DescribeStream, Failure, ListStreams, PortResult, ReadAlarms, Register, WriteAlarms,
};
use crate::skipped::SkippedStream;

/// Everything the streams' own alarms need.
pub trait StreamAlarmPorts:
    Clock + ListStreams + DescribeStream + ReadAlarms + WriteAlarms + Register
{
}

impl<P> StreamAlarmPorts for P where
    P: Clock + ListStreams + DescribeStream + ReadAlarms + WriteAlarms + Register
{
}

/// Reconciles the alarms in scope.
///
/// # Errors
///
/// When nothing could be compared; then nothing was changed.
pub(crate) async fn run<P: StreamAlarmPorts>(
    ports: &P,
    policies: &PolicySet,
    prefix: &AlarmPrefix,
    scope: Scope,
) -> PortResult<SyncReport> {
    match scope {
        Scope::Resized(stream, open) => {
            one(ports, policies, prefix, stream, CapacityMode::Provisioned, open).await
        }
        // A switch keeps the shards. The mode is the event's: the stream need not show it yet.
        Scope::Switched(stream, mode) => {
            let open = ports.describe_stream(&stream).await?.open_shards;
            one(ports, policies, prefix, stream, mode, open).await
        }
        Scope::All => all(ports, policies, prefix).await,
    }
}

async fn one<P: StreamAlarmPorts>(
    ports: &P,
    policies: &PolicySet,
    prefix: &AlarmPrefix,
    stream: StreamName,
    mode: CapacityMode,
    open: Shards,
) -> PortResult<SyncReport> {
    let mut report = SyncReport::default();
    let policy = match policies.governing(&stream) {
        Governance::By(policy) => policy,
        governance => {
            report.skipped.push(skipped(stream, governance));
            return Ok(report);
        }
    };
    // Read as if it were provisioned, or an alarm that the other mode left behind would not be
    // seen.
    let possible = alarms::desired(prefix, policy, &stream, CapacityMode::Provisioned, open);
    let actual = ports.read_alarms(&possible).await?;
    let desired = alarms::desired(prefix, policy, &stream, mode, open);
    apply(ports, alarms::changes(desired, &actual), &mut report).await;
    Ok(report)
}

async fn all<P: StreamAlarmPorts>(
    ports: &P,
    policies: &PolicySet,
    prefix: &AlarmPrefix,
) -> PortResult<SyncReport> {
    let mut report = SyncReport::default();
    let mut desired: Vec<AlarmSpec> = Vec::new();
    let mut managed = BTreeSet::new();
    // Streams about which too little is known to judge their alarms.
    let mut unjudged = BTreeSet::new();
    // Streams that are being changed show sizes on the way from one to another.
    let mut changing = BTreeSet::new();
    for stream in ports.list_streams().await? {
        let policy = match policies.governing(&stream) {
            Governance::By(policy) => policy,
            Governance::None => continue,
            Governance::Faulty => {
                unjudged.insert(stream.clone());
                report.skipped.push(skipped(stream, Governance::Faulty));
                continue;
            }
        };
        match ports.describe_stream(&stream).await {
            Ok(StreamState { mode, open_shards, status, .. }) => {
                desired.extend(alarms::desired(prefix, policy, &stream, mode, open_shards));
                if status != StreamStatus::Active {
                    changing.insert(AlarmName::of(prefix, AlarmKind::Surge, &stream));
                }
            }
            Err(error) if error.failure == Failure::Missing => continue, // deleted since it was listed
            Err(error) => {
                unjudged.insert(stream.clone());
                report.failed_calls.push(error);
            }
        }
        managed.insert(stream);
    }
    register(ports, &managed, &unjudged, &mut report).await;
    let actual = ports.read_all_alarms(&desired).await?;
    // What Weir changes it has told of by the size that it changes to; that alarm stays.
    changing.retain(|name| actual.iter().any(|alarm| alarm.name == name.as_str()));
    desired.retain(|spec| !changing.contains(&spec.name));
    let kept: BTreeSet<String> = unjudged
        .iter()
        .flat_map(|stream| AlarmKind::ALL.map(|kind| AlarmName::of(prefix, kind, stream)))
        .chain(changing)
        .map(|name| name.as_str().to_owned())
        .collect();
    let mut changes = alarms::changes(desired, &actual);
    // Consumers' alarms are somebody else's business (`consumers`).
    let consumers = |name: &str| AlarmName::read_consumer(prefix, name).is_some();
    changes.delete.retain(|name| !kept.contains(name) && !consumers(name));
    apply(ports, changes, &mut report).await;
    Ok(report)
}

fn skipped(stream: StreamName, governance: Governance<'_>) -> SkippedStream {
    let reason = match governance {
        Governance::Faulty => SkipReason::PolicyInvalid,
        Governance::None | Governance::By(_) => SkipReason::Unmanaged,
    };
    SkippedStream { stream, reason, error: None }
}

/// The ledger knows the managed streams: the tick asks it, not Kinesis, which are due.
async fn register<P: StreamAlarmPorts>(
    ports: &P,
    managed: &BTreeSet<StreamName>,
    unjudged: &BTreeSet<StreamName>,
    report: &mut SyncReport,
) {
    let known: BTreeSet<StreamName> = match ports.registered().await {
        Ok(known) => known.into_iter().collect(),
        Err(error) => {
            report.failed_calls.push(error);
            return;
        }
    };
    for stream in managed.difference(&known) {
        match ports.register(stream, ports.now()).await {
            Ok(()) => report.registered.push(stream.clone()),
            Err(error) => report.failed_calls.push(error),
        }
    }
    for stream in known.difference(managed).filter(|stream| !unjudged.contains(*stream)) {
        match ports.retire(stream).await {
            Ok(()) => report.retired.push(stream.clone()),
            Err(error) => report.failed_calls.push(error),
        }
    }
}
