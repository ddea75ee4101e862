//! Writing a plan down, and which plans are told.
//!
//! Not here: publishing them (`plan_capacity`).

use jiff::Timestamp;
use weir_core::plan::{Action, Plan};
use weir_core::reasons::SkipReason;

use super::share::Draft;
use super::{PlanPorts, PlanReport};
use crate::event::{CapacityPlanned, WeirEvent};
use crate::ledger::Planned;
use crate::plan_id::PlanId;
use crate::skipped::SkippedStream;

/// Remembers a plan, and puts its event with the others.
pub(super) async fn remember<P: PlanPorts>(
    ports: &P,
    draft: Draft<'_>,
    now: Timestamp,
    report: &mut PlanReport,
    events: &mut Vec<WeirEvent>,
) {
    let Draft { candidate, plan, .. } = draft;
    let (stream, record) = (candidate.stream, candidate.record);
    let id = match &record {
        Some(record) => PlanId::of(now, record.version + 1, plan.order()),
        None => PlanId::without_ledger(now),
    };
    let event = worth_telling(&plan).then(|| CapacityPlanned::new(id.clone(), &plan));
    if let Some(record) = &record {
        let planned = Planned {
            id: id.clone(),
            from_version: record.version,
            revisit_at: plan.revisit_at,
            last_seen: candidate.last_seen,
            learnt: plan.learnt.clone(),
            event: event.clone(),
        };
        match ports.record_plan(&stream, &planned).await {
            Ok(true) => {}
            Ok(false) => {
                let reason = SkipReason::PlanSuperseded;
                report.skipped.push(SkippedStream { stream, reason, error: None });
                return;
            }
            // Nobody can claim an unrecorded plan by its id; the executor treats it as one made
            // while the ledger was down.
            Err(error) => report.failed_calls.push(error),
        }
    }
    events.extend(event.map(WeirEvent::CapacityPlanned));
    report.plans.push((id, plan));
}

/// What asks for something, or withholds something wanted. Plans that hold because all is well, or
/// because a change is just under way, are kept to the log: they would be a thousand events a day.
fn worth_telling(plan: &Plan) -> bool {
    !matches!(plan.action, Action::Hold(_)) || plan.withheld().is_some()
}
