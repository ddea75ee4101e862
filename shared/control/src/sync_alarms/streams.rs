//! The alarms that one stream has itself, after a change of it.
//!
//! Not here: which alarms a stream should have (`weir_core::alarms`), all streams (`fleet`).

use weir_core::alarms;
use weir_core::observation::CapacityMode;
use weir_core::policy::Governance;
use weir_core::reasons::SkipReason;
use weir_core::units::{Shards, StreamName};

use super::{SyncPorts, SyncReport, apply};
use crate::installation::Installation;
use crate::ports::PortResult;
use crate::skipped::SkippedStream;

/// Of a stream that was switched. A switch keeps the shards. The mode is the event's: the stream
/// need not show it yet.
pub(super) async fn switched<P: SyncPorts>(
    ports: &P,
    installation: &Installation,
    stream: StreamName,
    mode: CapacityMode,
) -> PortResult<SyncReport> {
    let open = ports.describe_stream(&stream).await?.open_shards;
    one(ports, installation, stream, mode, open).await
}

/// Of a stream that is, or will shortly be, in this mode and at this size.
pub(super) async fn one<P: SyncPorts>(
    ports: &P,
    installation: &Installation,
    stream: StreamName,
    mode: CapacityMode,
    open: Shards,
) -> PortResult<SyncReport> {
    let Installation { policies, alarm_prefix: prefix, .. } = installation;
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

pub(super) fn skipped(stream: StreamName, governance: Governance<'_>) -> SkippedStream {
    let reason = match governance {
        Governance::Faulty => SkipReason::PolicyInvalid,
        Governance::None | Governance::By(_) => SkipReason::Unmanaged,
    };
    SkippedStream { stream, reason, error: None }
}
