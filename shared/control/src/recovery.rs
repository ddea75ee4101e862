//! What a crash leaves behind, and how it is cleared up: a claim with no action, an action with no
//! outcome, an outcome that nobody was told. The stream's real state decides.
//!
//! Both the planner's next look and a repeated delivery to the executor come through here.

use jiff::{SignedDuration, Timestamp};
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::observation::{StreamState, StreamStatus};
use weir_core::units::StreamName;

use crate::ledger::StreamRecord;
use crate::plan_id::PlanId;
use crate::ports::{PortResult, RecordOutcome};

/// A claim this old belongs to a dead executor: executors are stopped after 30 seconds.
pub const ABANDONED_AFTER_SECONDS: i64 = 120;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Nothing was left behind.
    Nothing,
    /// An executor is at work.
    InFlight,
    /// Something was left behind, and has been cleared up; where an action's outcome was not
    /// told, this is it.
    Cleared(Option<(PlanId, ActionRecord)>),
}

/// Looks for an abandoned claim in `record` and clears it up, in the ledger and in `record`.
///
/// # Errors
///
/// When the ledger cannot be written; nothing is cleared up then.
pub async fn clear_up<P: RecordOutcome>(
    ports: &P,
    stream: &StreamName,
    record: &mut StreamRecord,
    state: &StreamState,
    now: Timestamp,
) -> PortResult<Found> {
    let Some(claim) = record.claim.clone() else { return Ok(Found::Nothing) };
    let abandoned_after = SignedDuration::from_secs(ABANDONED_AFTER_SECONDS);
    if now.duration_since(claim.at) < abandoned_after {
        return Ok(Found::InFlight);
    }
    let untold = record.actions.iter_mut().find(|a| a.plan == claim.plan && !a.published);
    let outcome = match untold {
        Some(action) => {
            if action.record.outcome.is_open() {
                action.record.outcome = outcome_by_state(action.record.change, state);
            }
            ports.record_outcome(stream, &claim.plan, &action.record).await?;
            Some((claim.plan, action.record))
        }
        None => {
            ports.release(stream, &claim.plan).await?;
            None
        }
    };
    record.claim = None;
    Ok(Found::Cleared(outcome))
}

/// What the stream says about a call whose answer nobody wrote down. A stream that looks untouched
/// may still have been asked, so the call counts.
fn outcome_by_state(change: Change, state: &StreamState) -> Outcome {
    let arrived = match change {
        Change::Reshard { to, .. } => state.open_shards == to,
        Change::SwitchMode { to } => state.mode == to,
    };
    if arrived || state.status == StreamStatus::Updating {
        Outcome::Accepted
    } else {
        Outcome::Unknown
    }
}
