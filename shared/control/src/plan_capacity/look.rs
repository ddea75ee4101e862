//! Looking at one stream: everything that is read of it but its traffic.
//!
//! What a dead executor left behind is cleared up on the way, and a change that somebody else made
//! is written down. Not here: planning (`share`), which streams are looked at (`plan_capacity`).

use jiff::Timestamp;
use weir_core::action::Outcome;
use weir_core::budget::Budget;
use weir_core::observation::StreamState;
use weir_core::policy::Policy;
use weir_core::reasons::SkipReason;
use weir_core::units::StreamName;

use super::{PlanPorts, PlanReport};
use crate::event::WeirEvent;
use crate::ledger::{LastSeen, StoredAction, StreamRecord};
use crate::plan_id::PlanId;
use crate::ports::{PortError, PortResult};
use crate::recovery::{self, Found};

/// A stream on its way to a plan.
pub(super) struct Candidate<'a> {
    pub(super) stream: StreamName,
    pub(super) policy: &'a Policy,
    pub(super) record: Option<StreamRecord>,
    pub(super) state: StreamState,
    /// The stream to remember; `None` where it is not at rest, or a change of it not yet written
    /// down.
    pub(super) last_seen: Option<LastSeen>,
}

/// Looks at one stream; or says why there will be no plan for it.
pub(super) async fn look<'a, P: PlanPorts>(
    ports: &P,
    policy: &'a Policy,
    stream: &StreamName,
    report: &mut PlanReport,
    events: &mut Vec<WeirEvent>,
) -> Result<Candidate<'a>, (SkipReason, Option<PortError>)> {
    let state =
        ports.describe_stream(stream).await.map_err(|error| (error.failure.skip(), Some(error)))?;
    let now = ports.now();
    let mut record = match ports.read_record(stream, Budget::window_start(now)).await {
        Ok(record) => Some(record.unwrap_or_else(|| StreamRecord::new(now))),
        Err(error) => {
            report.failed_calls.push(error);
            None
        }
    };
    if let Some(record) = &mut record {
        record.forget_older_stream(&state);
        match recovery::clear_up(ports, stream, record, &state, now).await {
            Ok(Found::Nothing | Found::Cleared(None)) => {}
            Ok(Found::InFlight) => return Err((SkipReason::ActionInFlight, None)),
            Ok(Found::Cleared(Some((plan_id, action)))) => {
                // The event that an executor died before publishing.
                if action.outcome == Outcome::Accepted {
                    events.push(WeirEvent::of_accepted(plan_id, stream.clone(), &action));
                }
            }
            Err(error) => return Err((SkipReason::LedgerUnavailable, Some(error))),
        }
    }
    let mut last_seen = LastSeen::of(&state);
    if let (Some(record), Some(seen)) = (&mut record, last_seen)
        && let Err(error) = record_external_change(ports, stream, record, seen, now).await
    {
        // The next look must find the change again, or the call would never be counted.
        last_seen = None;
        report.failed_calls.push(error);
    }
    Ok(Candidate { stream: stream.clone(), policy, record, state, last_seen })
}

/// A change that somebody else made counts against the same daily limit, so it is written down like
/// ours. This plan counts it even if that fails.
async fn record_external_change<P: PlanPorts>(
    ports: &P,
    stream: &StreamName,
    record: &mut StreamRecord,
    seen: LastSeen,
    now: Timestamp,
) -> PortResult<()> {
    let Some(action) = record.unexplained_change(seen, now) else { return Ok(()) };
    let plan = PlanId::of_external_change(now);
    let written = ports.record_outcome(stream, &plan, &action).await;
    record.actions.push(StoredAction { plan, record: action, published: true });
    written
}
