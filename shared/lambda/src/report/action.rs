//! What an executor tells of a plan that it carried out or turned down.

use serde_json::{Value, json};
use tracing::{error, info, warn};
use weir_control::carry_out::{ActionReport, ActionResult};
use weir_control::routing::Loop;
use weir_core::reasons::{Reason, SkipReason};

use super::{Report, Told};

impl Report for ActionReport {
    fn tell(&self, of: Loop) -> Told {
        let (stream, plan_id) = (self.stream.as_str(), self.plan_id.as_str());
        // The word for it and the metric that counts it, where AWS took the call.
        let (accepted, counted_as) = match of {
            Loop::SwitchMode => ("switched", "ModeSwitches"),
            _ => ("resized", "Reshards"),
        };
        let (outcome, reason, count) = match self.result {
            ActionResult::Accepted => (accepted, None, Some(counted_as)),
            ActionResult::Refused(reason) => ("refused", Some(reason.into()), Some("Refusals")),
            ActionResult::Lost => ("lost", Some(Reason::OutcomeUnknown), Some("Troubles")),
            ActionResult::Repeated => ("repeated", Some(Reason::PlanAlreadyClaimed), None),
            ActionResult::NothingToDo => ("nothing_to_do", None, None),
        };
        let code = reason.map(Reason::code);
        match self.result {
            ActionResult::Refused(_) => warn!(stream, plan_id, outcome, code, "outcome"),
            ActionResult::Lost => error!(stream, plan_id, outcome, code, "outcome"),
            _ => info!(stream, plan_id, outcome, code, "outcome"),
        }
        let counts = count.into_iter().map(|name| (name, 1)).collect();
        Told { answer: summary(outcome, reason), counts }
    }

    fn skipped(reason: SkipReason) -> Value {
        summary("skipped", Some(reason.into()))
    }

    fn failed() -> Value {
        summary("failed", None)
    }
}

fn summary(outcome: &str, reason: Option<Reason>) -> Value {
    json!({"outcome": outcome, "reason": reason.map(Reason::code)})
}
