//! The loop switch-mode: carry out a plan to switch the capacity mode, or say why not.
//!
//! The discipline of it is `carry_out`'s. Not here: which mode is right (`weir_core::plan`).

use weir_core::action::Change;

use crate::carry_out::{self, Done, carry_out};
use crate::event::{CapacityPlanned, PlannedAction};
use crate::ports::{PortResult, SwitchMode};

/// Everything this loop needs.
pub trait Ports: carry_out::Ports + SwitchMode {}

impl<P> Ports for P where P: carry_out::Ports + SwitchMode {}

/// Carries out one plan. An error means the event should be delivered again: its outcome stands in the
/// ledger but could not be published.
pub async fn run<P: Ports>(ports: &P, planned: &CapacityPlanned) -> PortResult<Done> {
    let PlannedAction::SwitchMode { to, .. } = planned.action else {
        return Ok(Done::NothingToDo);
    };
    let change = Change::SwitchMode { to };
    carry_out(ports, planned, change, async || ports.switch_mode(&planned.stream, to).await).await
}
