//! The loop resize-stream: carry out a plan to reshard, or say why not.
//!
//! The discipline of it is `carry_out`'s. Not here: what size is right (`weir_core::plan`).

use weir_core::action::Change;
use weir_core::reasons::SkipReason;

use crate::answer::Answer;
use crate::carry_out::{ActionPorts, ActionReport, ActionResult, carry_out};
use crate::event::PlannedAction;
use crate::incoming::Incoming;
use crate::installation::Installation;
use crate::ports::Reshard;

/// Everything this loop needs.
pub trait ResizePorts: ActionPorts + Reshard {}

impl<P> ResizePorts for P where P: ActionPorts + Reshard {}

/// Handles one event: carries out the plan it holds. Policies have had their say in the plan.
pub async fn on_event<P: ResizePorts>(
    ports: &P,
    _: &Installation,
    event: &Incoming,
) -> Answer<ActionReport> {
    let Incoming::CapacityPlanned(planned) = event else {
        return Answer::skipped(SkipReason::NotForUs);
    };
    let PlannedAction::Reshard { from, to } = planned.action else {
        return Answer::done(ActionReport::of(planned, ActionResult::NothingToDo), None);
    };
    let change = Change::Reshard { from, to };
    carry_out(ports, planned, change, async || ports.reshard(&planned.stream, to).await).await
}
