//! The loop switch-mode: carry out a plan to switch the capacity mode, or say why not.
//!
//! The discipline of it is `carry_out`'s. Not here: which mode is right (`weir_core::plan`).

use weir_core::action::Change;
use weir_core::reasons::SkipReason;

use crate::answer::Answer;
use crate::carry_out::{ActionPorts, ActionReport, ActionResult, carry_out};
use crate::event::PlannedAction;
use crate::incoming::Incoming;
use crate::installation::Installation;
use crate::ports::SwitchMode;

/// Everything this loop needs.
pub trait SwitchPorts: ActionPorts + SwitchMode {}

impl<P> SwitchPorts for P where P: ActionPorts + SwitchMode {}

/// Handles one event: carries out the plan it holds. Policies have had their say in the plan.
pub async fn on_event<P: SwitchPorts>(
    ports: &P,
    _: &Installation,
    event: &Incoming,
) -> Answer<ActionReport> {
    let Incoming::CapacityPlanned(planned) = event else {
        return Answer::skipped(SkipReason::NotForUs);
    };
    let PlannedAction::SwitchMode { to, .. } = planned.action else {
        return Answer::done(ActionReport::of(planned, ActionResult::NothingToDo), None);
    };
    let change = Change::SwitchMode { to };
    carry_out(ports, planned, change, async || ports.switch_mode(&planned.stream, to).await).await
}
