//! What the functions that carry plans out have in common: reading the plan, telling what became of it, and which
//! failures Lambda should hear of.
//!
//! Not here: carrying it out (`weir_control::carry_out`).

use serde_json::{Value, json};
use tracing::{error, info, warn};
use weir_control::carry_out::Done;
use weir_control::event::CapacityPlanned;
use weir_control::incoming::Incoming;
use weir_control::ports::{Clock, PortError, PortResult};
use weir_core::reasons::Reason;

use crate::emf::Metrics;
use crate::{Aws, retry_helps};

/// A function that carries plans out, in words.
#[derive(Clone, Copy, Debug)]
pub struct Executor {
    /// The function.
    pub function: &'static str,
    /// What it says when AWS took its call.
    pub accepted: &'static str,
    /// The metric that counts those.
    pub counted_as: &'static str,
}

impl Executor {
    /// Carries out the plan that the event holds. An error is worth a second delivery: what was done is in
    /// the ledger, so it publishes that and calls nothing twice.
    pub async fn answer(
        self,
        aws: &Aws,
        event: &Value,
        carry_out: impl AsyncFnOnce(&CapacityPlanned) -> PortResult<Done>,
    ) -> Result<Value, PortError> {
        let planned = match Incoming::read(event) {
            Ok(Incoming::CapacityPlanned(planned)) => planned,
            Ok(_) => {
                info!(code = Reason::NotForUs.code(), "no plan to carry out");
                return Ok(summary("skipped", Some(Reason::NotForUs)));
            }
            Err(fault) => {
                // Not an error for Lambda: the same event delivered again would be as unreadable.
                error!(code = Reason::EventUnreadable.code(), %fault, "event");
                return Ok(summary("skipped", Some(Reason::EventUnreadable)));
            }
        };
        match carry_out(&planned).await {
            Ok(done) => Ok(self.tell(aws, &planned, done)),
            Err(error) => {
                let (stream, plan_id) = (planned.stream.as_str(), planned.plan_id.as_str());
                let (operation, failure) = (error.operation, error.failure);
                error!(stream, plan_id, operation, ?failure, %error, "trouble");
                self.count(aws, "Troubles");
                if retry_helps(&error) { Err(error) } else { Ok(summary("failed", None)) }
            }
        }
    }

    fn tell(self, clock: &impl Clock, planned: &CapacityPlanned, done: Done) -> Value {
        let (stream, plan_id) = (planned.stream.as_str(), planned.plan_id.as_str());
        match done {
            Done::Accepted => {
                info!(stream, plan_id, outcome = self.accepted, "outcome");
                self.count(clock, self.counted_as);
                summary(self.accepted, None)
            }
            Done::Refused(reason) => {
                warn!(stream, plan_id, outcome = "refused", code = reason.code(), "outcome");
                self.count(clock, "Refusals");
                summary("refused", Some(reason.into()))
            }
            Done::Lost => {
                let code = Reason::OutcomeUnknown.code();
                error!(stream, plan_id, outcome = "lost", code, "outcome");
                self.count(clock, "Troubles");
                summary("lost", Some(Reason::OutcomeUnknown))
            }
            Done::Repeated => {
                info!(stream, plan_id, outcome = "repeated", "outcome");
                summary("repeated", Some(Reason::PlanAlreadyClaimed))
            }
            Done::NothingToDo => {
                info!(stream, plan_id, outcome = "nothing_to_do", "outcome");
                summary("nothing_to_do", None)
            }
        }
    }

    fn count(self, clock: &impl Clock, what: &'static str) {
        let function = self.function;
        Metrics { at: clock.now(), function, values: &[(what, 1.0)] }.emit();
    }
}

fn summary(outcome: &str, reason: Option<Reason>) -> Value {
    json!({"outcome": outcome, "reason": reason.map(Reason::code)})
}
