//! One function at work: read an event, run its loop, report, and ask for redelivery where the loop
//! does.
//!
//! Not here: what is told of each loop's run (`report`).

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::{error, info};
use weir_aws::Aws;
use weir_control::answer::{Answer, Handled};
use weir_control::deadline::Deadline;
use weir_control::incoming::Incoming;
use weir_control::installation::Installation;
use weir_control::ports::{Clock, PortError};
use weir_control::routing::Loop;
use weir_core::reasons::SkipReason;

use crate::emf::Metrics;
use crate::report::{Report, Told};
use crate::start::{Function, Started, start};

/// Starts the function and works until Lambda ends it. Its log is JSON lines, its metrics are among
/// them, and its answer to an event is a summary of the report.
///
/// # Errors
///
/// When settings are missing or cannot be used, or when the runtime's API does not answer.
pub async fn serve<R: Report>(
    function: Function,
    on_event: impl AsyncFn(&Aws, &Installation, &Incoming, Deadline) -> Answer<R>,
) -> Result<(), Error> {
    let started = &start(&function, |name| std::env::var(name).ok()).await?;
    let on_event = &on_event;
    let handled = |event: LambdaEvent<Value>| async move {
        let Started { aws, installation } = started;
        let event_deadline = event.context.deadline;
        let event = match Incoming::read(&event.payload) {
            Ok(event) => event,
            Err(fault) => {
                // Not an error for Lambda: the same event delivered again would be as unreadable.
                error!(code = SkipReason::EventUnreadable.code(), %fault, "event");
                return Ok(R::skipped(SkipReason::EventUnreadable));
            }
        };
        let deadline = deadline(event_deadline, aws.now(), function.runs);
        report(aws, function.runs, &event, on_event(aws, installation, &event, deadline).await)
    };
    lambda_runtime::run(service_fn(handled)).await
}

/// When Lambda stops the run: as it says, in milliseconds since 1970, or else as the loop's
/// function is set to.
fn deadline(said: u64, now: Timestamp, of: Loop) -> Deadline {
    let said = i64::try_from(said).ok().filter(|millis| *millis > 0);
    let said = said.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let after = || now.checked_add(SignedDuration::from_secs(of.timeout_seconds().into()));
    Deadline::at(said.or_else(|| after().ok()).unwrap_or(now))
}

/// Tells what came of an event, and gives the function's answer to it.
fn report<R: Report>(
    clock: &impl Clock,
    of: Loop,
    event: &Incoming,
    answer: Answer<R>,
) -> Result<Value, Error> {
    let Told { answer: summary, counts } = match &answer.result {
        Handled::Done(report) => report.tell(of),
        Handled::Skipped(reason) => {
            info!(code = reason.code(), "nothing to do");
            Told { answer: R::skipped(*reason), counts: Vec::new() }
        }
        Handled::Refused(reason) => {
            error!(code = reason.code(), "the loop does not run");
            Told { answer: R::skipped(*reason), counts: vec![("Troubles", 1)] }
        }
        Handled::Failed(error) => {
            log_failure(event, error);
            Told { answer: R::failed(), counts: vec![("Troubles", 1)] }
        }
    };
    if !counts.is_empty() {
        Metrics { at: clock.now(), function: of.name(), counts: &counts }.emit();
    }
    match answer.redeliver {
        Some(redelivery) => Err(redelivery.into()),
        None => Ok(summary),
    }
}

fn log_failure(event: &Incoming, failed: &PortError) {
    let PortError { operation, failure, .. } = failed;
    let planned = match event {
        Incoming::CapacityPlanned(planned) => {
            Some((planned.stream.as_str(), planned.plan_id.as_str()))
        }
        _ => None,
    };
    let (stream, plan_id) = planned.unzip();
    error!(stream, plan_id, operation, ?failure, error = %failed, "trouble");
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use weir_control::plan_capacity::PlanReport;
    use weir_control::ports::Failure;

    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }
    }

    fn told(result: Handled<PlanReport>) -> Result<Value, String> {
        let answer = Answer { result, redeliver: None };
        report(&Noon, Loop::PlanCapacity, &Incoming::Tick, answer).map_err(|e| e.to_string())
    }

    #[test]
    fn a_run_ends_when_lambda_says_or_when_its_function_would() {
        let now = Timestamp::from_second(1_000).expect("a time");
        let left = |said| deadline(said, now, Loop::PlanCapacity).seconds_left(now);
        assert_eq!([left(1_042_000), left(0), left(u64::MAX)], [42, 60, 60]);
    }

    #[test]
    fn an_answer_says_what_was_done_or_why_nothing_was() {
        let nothing = json!({
            "plans": 0, "reshards": 0, "mode_switches": 0, "skipped": 0, "troubles": 0,
        });
        assert_eq!(told(Handled::Done(PlanReport::default())), Ok(nothing));
        let skipped = json!({"plans": 0, "reason": "not_for_us"});
        assert_eq!(told(Handled::Skipped(SkipReason::NotForUs)), Ok(skipped));
        let failed = PortError {
            operation: "PutEvents",
            failure: Failure::Denied,
            message: "no".to_owned(),
            source: None,
        };
        assert_eq!(told(Handled::Failed(failed)), Ok(Value::Null));
    }
}
