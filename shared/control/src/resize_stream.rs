//! The loop resize-stream: carry out a plan to reshard, or say why not.
//!
//! The discipline of it is `carry_out`'s. Not here: what size is right (`weir_core::plan`).

use weir_core::action::Change;

use crate::carry_out::{self, Done, carry_out};
use crate::event::{CapacityPlanned, PlannedAction};
use crate::ports::{PortResult, Reshard};

/// Everything this loop needs.
pub trait Ports: carry_out::Ports + Reshard {}

impl<P> Ports for P where P: carry_out::Ports + Reshard {}

/// Carries out one plan. An error means the event should be delivered again: its outcome stands in the
/// ledger but could not be published.
pub async fn run<P: Ports>(ports: &P, planned: &CapacityPlanned) -> PortResult<Done> {
    let PlannedAction::Reshard { from, to } = planned.action else { return Ok(Done::NothingToDo) };
    let change = Change::Reshard { from, to };
    carry_out(ports, planned, change, async || ports.reshard(&planned.stream, to).await).await
}
