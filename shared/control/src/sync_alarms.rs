//! The loop sync-alarms: bring every managed stream's alarms from what they are to what they should be.
//!
//! After a resize or a mode switch for one stream, hourly for all; then it also registers streams that appeared and
//! retires those that went. Alarms outside Weir's prefix are never touched. Not here: which alarms a
//! stream should have (`weir_core::alarms`).

use std::collections::BTreeSet;

use weir_core::alarms::{self, AlarmChanges, AlarmKind, AlarmName, AlarmPrefix, AlarmSpec};
use weir_core::observation::{CapacityMode, StreamState};
use weir_core::policy::{Governance, PolicySet};
use weir_core::reasons::Reason;
use weir_core::units::{Shards, StreamName};

use crate::ports::{
    Clock, DescribeStream, Failure, ListStreams, PortError, PortResult, ReadAlarms, Register,
    WriteAlarms,
};
use crate::skipped::SkippedStream;

/// Everything this loop needs.
pub trait Ports:
    Clock + ListStreams + DescribeStream + ReadAlarms + WriteAlarms + Register
{
}

impl<P> Ports for P where
    P: Clock + ListStreams + DescribeStream + ReadAlarms + WriteAlarms + Register
{
}

/// What to bring in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    /// One stream, which has or will shortly have this many open shards.
    Resized(StreamName, Shards),
    /// One stream, which is or will shortly be in this mode.
    Switched(StreamName, CapacityMode),
    /// Every stream of the account.
    All,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Report {
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
    pub troubles: Vec<PortError>,
}

/// Runs the loop once. An error means that nothing could be compared, so nothing was changed.
pub async fn run<P: Ports>(
    ports: &P,
    policies: &PolicySet,
    prefix: &AlarmPrefix,
    scope: Scope,
) -> PortResult<Report> {
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

async fn one<P: Ports>(
    ports: &P,
    policies: &PolicySet,
    prefix: &AlarmPrefix,
    stream: StreamName,
    mode: CapacityMode,
    open: Shards,
) -> PortResult<Report> {
    let mut report = Report::default();
    let policy = match policies.governing(&stream) {
        Governance::By(policy) => policy,
        governance => {
            report.skipped.push(skipped(stream, governance));
            return Ok(report);
        }
    };
    // Read as if it were provisioned, or an alarm that the other mode left behind would not be seen.
    let possible = alarms::desired(prefix, policy, &stream, CapacityMode::Provisioned, open);
    let actual = ports.read_alarms(&possible).await?;
    let desired = alarms::desired(prefix, policy, &stream, mode, open);
    apply(ports, alarms::changes(desired, &actual), &mut report).await;
    Ok(report)
}

async fn all<P: Ports>(
    ports: &P,
    policies: &PolicySet,
    prefix: &AlarmPrefix,
) -> PortResult<Report> {
    let mut report = Report::default();
    let mut desired: Vec<AlarmSpec> = Vec::new();
    let mut managed = BTreeSet::new();
    // Streams about which too little is known to judge their alarms.
    let mut unjudged = BTreeSet::new();
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
            Ok(StreamState { mode, open_shards, .. }) => {
                desired.extend(alarms::desired(prefix, policy, &stream, mode, open_shards));
            }
            Err(error) if error.failure == Failure::Missing => continue, // deleted since it was listed
            Err(error) => {
                unjudged.insert(stream.clone());
                report.troubles.push(error);
            }
        }
        managed.insert(stream);
    }
    register(ports, &managed, &unjudged, &mut report).await;
    let actual = ports.read_all_alarms(&desired).await?;
    let kept: BTreeSet<String> = unjudged
        .iter()
        .flat_map(|stream| AlarmKind::ALL.map(|kind| AlarmName::of(prefix, kind, stream)))
        .map(|name| name.as_str().to_owned())
        .collect();
    let mut changes = alarms::changes(desired, &actual);
    // Consumers' alarms are somebody else's business (`sync_consumers`).
    let consumers = |name: &str| AlarmName::read_consumer(prefix, name).is_some();
    changes.delete.retain(|name| !kept.contains(name) && !consumers(name));
    apply(ports, changes, &mut report).await;
    Ok(report)
}

fn skipped(stream: StreamName, governance: Governance<'_>) -> SkippedStream {
    let reason = match governance {
        Governance::Faulty => Reason::PolicyInvalid,
        Governance::None | Governance::By(_) => Reason::Unmanaged,
    };
    SkippedStream { stream, reason, error: None }
}

/// The ledger knows the managed streams: the tick asks it, not Kinesis, which are due.
async fn register<P: Ports>(
    ports: &P,
    managed: &BTreeSet<StreamName>,
    unjudged: &BTreeSet<StreamName>,
    report: &mut Report,
) {
    let known: BTreeSet<StreamName> = match ports.registered().await {
        Ok(known) => known.into_iter().collect(),
        Err(error) => {
            report.troubles.push(error);
            return;
        }
    };
    for stream in managed.difference(&known) {
        match ports.register(stream, ports.now()).await {
            Ok(()) => report.registered.push(stream.clone()),
            Err(error) => report.troubles.push(error),
        }
    }
    for stream in known.difference(managed).filter(|stream| !unjudged.contains(*stream)) {
        match ports.retire(stream).await {
            Ok(()) => report.retired.push(stream.clone()),
            Err(error) => report.troubles.push(error),
        }
    }
}

pub(crate) async fn apply<P: WriteAlarms>(ports: &P, changes: AlarmChanges, report: &mut Report) {
    let AlarmChanges { put, rearm, delete } = changes;
    let mut written = BTreeSet::new();
    for spec in put {
        match ports.put_alarm(&spec).await {
            Ok(()) => {
                written.insert(spec.name.clone());
                report.put.push(spec.name);
            }
            Err(error) => report.troubles.push(error),
        }
    }
    // An alarm whose new threshold did not arrive would go off again at once for nothing.
    for name in rearm.into_iter().filter(|name| written.contains(name)) {
        match ports.rearm_alarm(&name).await {
            Ok(()) => report.rearmed.push(name),
            Err(error) => report.troubles.push(error),
        }
    }
    if !delete.is_empty() {
        match ports.delete_alarms(&delete).await {
            Ok(()) => report.deleted = delete,
            Err(error) => report.troubles.push(error),
        }
    }
}
