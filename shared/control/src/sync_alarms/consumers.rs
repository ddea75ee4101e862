//! The second half of sync-alarms: find what reads the managed streams, and bring the alarms of
//! these consumers from what they are to what they should be.
//!
//! A consumer that is gone loses its alarms; one that could not be looked for keeps them. Not here:
//! which alarms a consumer should have (`weir_core::alarms::consumer`), the streams' own
//! (`streams`).

use std::collections::BTreeSet;

use weir_core::alarms::consumer::desired;
use weir_core::alarms::{self, ActualAlarm, AlarmName, AlarmPrefix};
use weir_core::consumer::{Consumer, Reader};
use weir_core::policy::{AlertPolicy, Governance, PolicySet};
use weir_core::units::StreamName;

use super::{SyncReport, apply};
use crate::ports::{
    DescribeStream, Failure, FindConsumers, ListStreams, PortResult, ReadAlarms, WriteAlarms,
};

/// Everything the consumers' alarms need.
pub trait ConsumerAlarmPorts:
    ListStreams + DescribeStream + FindConsumers + ReadAlarms + WriteAlarms
{
}

impl<P> ConsumerAlarmPorts for P where
    P: ListStreams + DescribeStream + FindConsumers + ReadAlarms + WriteAlarms
{
}

/// Reconciles the alarms of all managed streams' consumers.
///
/// # Errors
///
/// When nothing could be compared; then nothing was changed.
pub async fn run<P: ConsumerAlarmPorts>(
    ports: &P,
    policies: &PolicySet,
    prefix: &AlarmPrefix,
) -> PortResult<SyncReport> {
    let mut report = SyncReport::default();
    let mut wanted = Vec::new();
    // Streams about whose consumers too little is known to judge their alarms.
    let mut unjudged = BTreeSet::new();
    for stream in ports.list_streams().await? {
        let policy = match policies.governing(&stream) {
            Governance::By(policy) => &policy.alerts,
            Governance::None => continue,
            Governance::Faulty => {
                unjudged.insert(stream);
                continue;
            }
        };
        let state = match ports.describe_stream(&stream).await {
            Ok(state) => state,
            Err(error) if error.failure == Failure::Missing => continue, // deleted since it was listed
            Err(error) => {
                unjudged.insert(stream);
                report.failed_calls.push(error);
                continue;
            }
        };
        let mut consumers = declared(policy, &stream);
        match ports.find_consumers(&stream).await {
            Ok(found) => consumers.extend(found),
            Err(error) => {
                unjudged.insert(stream.clone());
                report.failed_calls.push(error);
            }
        }
        let specs = |consumer| desired(prefix, policy, consumer, state.retention_hours);
        wanted.extend(consumers.iter().flat_map(specs));
    }
    let mut actual = ports.read_all_alarms(&wanted).await?;
    actual.retain(|alarm| stream_of(prefix, alarm).is_some());
    let kept: BTreeSet<String> = actual
        .iter()
        .filter(|alarm| stream_of(prefix, alarm).is_some_and(|stream| unjudged.contains(&stream)))
        .map(|alarm| alarm.name.clone())
        .collect();
    let mut changes = alarms::changes(wanted, &actual);
    changes.delete.retain(|name| !kept.contains(name));
    apply(ports, changes, &mut report).await;
    Ok(report)
}

/// The stream of a consumer's alarm.
fn stream_of(prefix: &AlarmPrefix, alarm: &ActualAlarm) -> Option<StreamName> {
    AlarmName::read_consumer(prefix, &alarm.name).map(|(_, stream, _)| stream)
}

/// The consumers that only the operator knows of.
fn declared(policy: &AlertPolicy, stream: &StreamName) -> Vec<Consumer> {
    let kcl = policy.kcl_applications.iter().map(|name| (name, Reader::Kcl));
    let polling = policy.polling_consumers.iter().map(|name| (name, Reader::Polling));
    kcl.chain(polling)
        .map(|(name, reader)| Consumer { stream: stream.clone(), name: name.clone(), reader })
        .collect()
}
