//! From a delivery to the loop at work on it: the same entries that the functions call. Not here:
//! when (`simulation`).

use std::rc::Rc;

use serde_json::Value;
use weir_control::answer::Answer;
use weir_control::deadline::Deadline;
use weir_control::incoming::{EventFault, Incoming};
use weir_control::installation::Installation;
use weir_control::routing::Loop;
use weir_control::{plan_capacity, raise_alerts, resize_stream, switch_mode, sync_alarms};

use crate::bus::{Delivery, Payload};
use crate::ports::SimulatedPorts;
use crate::process::Ended;

/// The event of a delivery. That of a schedule has been read before.
pub(super) fn event(delivery: &Delivery, tick: &Incoming) -> Result<Incoming, EventFault> {
    match &delivery.payload {
        Payload::Schedule => Ok(tick.clone()),
        Payload::Event(text) => {
            let event: Value = serde_json::from_str(text).unwrap_or_default();
            Incoming::read(&event)
        }
    }
}

/// Runs a loop on an event.
pub(super) async fn run(
    target: Loop,
    ports: SimulatedPorts,
    installation: Rc<Installation>,
    event: Incoming,
    deadline: Deadline,
) -> Ended {
    match target {
        Loop::PlanCapacity => {
            let answer = plan_capacity::on_event(&ports, &installation, &event, deadline).await;
            let plans = answer.report().map(|report| &report.plans).into_iter().flatten();
            let plans = plans.map(|(_, plan)| plan.clone()).collect();
            Ended { plans, ..ended(&answer) }
        }
        Loop::ResizeStream => ended(&resize_stream::on_event(&ports, &installation, &event).await),
        Loop::SwitchMode => ended(&switch_mode::on_event(&ports, &installation, &event).await),
        Loop::SyncAlarms => {
            ended(&sync_alarms::on_event(&ports, &installation, &event, deadline).await)
        }
        Loop::RaiseAlerts => ended(&raise_alerts::on_event(&ports, &installation, &event).await),
    }
}

fn ended<R>(answer: &Answer<R>) -> Ended {
    Ended { plans: Vec::new(), redeliver: answer.redeliver.is_some() }
}
