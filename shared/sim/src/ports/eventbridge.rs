//! EventBridge: PutEvents.

use weir_control::event::{PlannedAction, SOURCE, WeirEvent};
use weir_control::ports::{Failure, PortResult, PublishEvents};

use super::SimulatedPorts;
use crate::operation::Operation;

impl PublishEvents for SimulatedPorts {
    async fn publish(&self, events: &[WeirEvent]) -> PortResult<()> {
        self.call(Operation::PutEvents, None, |world| {
            for event in events {
                world.note_own_cause(event);
                if let WeirEvent::CapacityPlanned(planned) = event
                    && let PlannedAction::Reshard { .. } = planned.action
                {
                    world.note_plan(planned, self.run.quota_seen.get());
                }
                let detail = event.detail(&world.alarm_prefix);
                let detail = detail.map_err(|error| (Failure::Invalid, error.to_string()))?;
                world.put_event(SOURCE, event.detail_type(), &[], detail);
            }
            Ok(())
        })
        .await
    }
}
