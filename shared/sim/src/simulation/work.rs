//! From a delivery to the loop at work on it, as the functions do it. Not here: when
//! (`simulation`).

use std::rc::Rc;

use serde_json::Value;
use weir_control::event::CapacityPlanned;
use weir_control::incoming::{EventFault, Incoming};
use weir_control::plan_capacity::Wake;
use weir_control::sync_alarms::Scope;
use weir_control::{plan_capacity, resize_stream, switch_mode, sync_alarms};
use weir_core::alarms::AlarmPrefix;
use weir_core::policy::PolicySet;

use crate::bus::{Cargo, Delivery, Loop};
use crate::ports::Hands;
use crate::process::Ended;

/// What a loop is to do.
pub(super) enum Work {
    Plan(Wake),
    Resize(Box<CapacityPlanned>),
    Switch(Box<CapacityPlanned>),
    Sync(Scope),
}

impl Work {
    /// What a delivery asks of its loop, if anything. The event of a schedule has been read before.
    pub(super) fn of(delivery: &Delivery, tick: &Incoming) -> Result<Option<Work>, EventFault> {
        let incoming = match &delivery.cargo {
            Cargo::Schedule => tick.clone(),
            Cargo::Event(text) => {
                let event: Value = serde_json::from_str(text).unwrap_or_default();
                Incoming::read(&event)?
            }
        };
        Ok(match (delivery.target, incoming) {
            (Loop::PlanCapacity, Incoming::Tick) => Some(Work::Plan(Wake::Due)),
            (Loop::PlanCapacity, Incoming::Alarm(alarm)) => {
                alarm.stream.map(|stream| Work::Plan(Wake::Stream(stream)))
            }
            (Loop::PlanCapacity, Incoming::OperatorRequest(request)) => {
                Some(Work::Plan(request.stream.map_or(Wake::All, Wake::Stream)))
            }
            (Loop::ResizeStream, Incoming::CapacityPlanned(planned)) => Some(Work::Resize(planned)),
            (Loop::SwitchMode, Incoming::CapacityPlanned(planned)) => Some(Work::Switch(planned)),
            (Loop::SyncAlarms, Incoming::ModeSwitched(switched)) => {
                Some(Work::Sync(Scope::Switched(switched.stream, switched.to)))
            }
            (Loop::SyncAlarms, Incoming::StreamResized(resized)) => {
                Some(Work::Sync(Scope::Resized(resized.stream, resized.to)))
            }
            (Loop::SyncAlarms, Incoming::Tick | Incoming::OperatorRequest(_)) => {
                Some(Work::Sync(Scope::All))
            }
            _ => None,
        })
    }

    /// The loop itself.
    pub(super) async fn run(
        self,
        hands: Hands,
        policies: Rc<PolicySet>,
        prefix: AlarmPrefix,
    ) -> Ended {
        match self {
            Work::Plan(wake) => Ended::Planned(plan_capacity::run(&hands, &policies, wake).await),
            Work::Resize(planned) => Ended::CarriedOut(resize_stream::run(&hands, &planned).await),
            Work::Switch(planned) => Ended::CarriedOut(switch_mode::run(&hands, &planned).await),
            Work::Sync(scope) => {
                Ended::Synced(sync_alarms::run(&hands, &policies, &prefix, scope).await)
            }
        }
    }
}
