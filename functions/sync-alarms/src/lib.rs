//! The Lambda sync-alarms: a resize, a mode switch, the hourly tick or an operator in; alarms as they should be out.
//! Wiring only: the loops are `weir_control::sync_alarms` and `sync_consumers`.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tracing::{error, info};
use weir_aws::emf::{Metrics, count};
use weir_aws::{FirstCall, Started, retry_helps, start};
use weir_control::event::Request;
use weir_control::incoming::Incoming;
use weir_control::ports::{Clock, PortError, PortResult};
use weir_control::sync_alarms::{self, Report, Scope};
use weir_control::sync_consumers;
use weir_core::alarms::AlarmPrefix;
use weir_core::reasons::Reason;

const FIRST_CALLS: [FirstCall; 3] =
    [FirstCall::DescribeStream, FirstCall::ReadAlarms, FirstCall::ReadRecord];

/// Starts the function and works until Lambda ends it.
pub async fn run() -> Result<(), Error> {
    let started = &start(|name| std::env::var(name).ok(), &FIRST_CALLS).await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| handle(started, event.payload)))
        .await
}

async fn handle(started: &Started, event: Value) -> Result<Value, Error> {
    let incoming = match Incoming::read(&event) {
        Ok(incoming) => incoming,
        Err(fault) => {
            // Not an error for Lambda: the same event delivered again would be as unreadable.
            error!(code = Reason::EventUnreadable.code(), %fault, "event");
            return Ok(skipped(Reason::EventUnreadable));
        }
    };
    let Some(scope) = scope(incoming) else {
        info!(code = Reason::NotForUs.code(), "no alarms to see to");
        return Ok(skipped(Reason::NotForUs));
    };
    // With a policy file missing, its streams would look unmanaged: they would be retired, and their
    // alarms deleted.
    if scope == Scope::All && !started.policies.complete {
        error!(code = Reason::PolicyInvalid.code(), "alarms are left as they are");
        emit(&started.aws, 1);
        return Ok(skipped(Reason::PolicyInvalid));
    }
    let settings = started.aws.settings();
    match sync(started, &settings.alarm_prefix, scope).await {
        Ok(report) => tell(&started.aws, report),
        Err(error) => {
            log_trouble(&error);
            emit(&started.aws, 1);
            if retry_helps(&error) { Err(error.into()) } else { Ok(Value::Null) }
        }
    }
}

/// The streams' own alarms, and, where it is about all of them, their consumers'.
async fn sync(started: &Started, prefix: &AlarmPrefix, scope: Scope) -> PortResult<Report> {
    let (aws, policies) = (&started.aws, &started.policies.set);
    let everything = scope == Scope::All;
    let mut report = sync_alarms::run(aws, policies, prefix, scope).await?;
    if everything {
        // What the first half did is told whatever becomes of the second.
        match sync_consumers::run(aws, policies, prefix).await {
            Ok(consumers) => {
                report.put.extend(consumers.put);
                report.rearmed.extend(consumers.rearmed);
                report.deleted.extend(consumers.deleted);
                report.troubles.extend(consumers.troubles);
            }
            Err(error) => report.troubles.push(error),
        }
    }
    Ok(report)
}

/// Which alarms to see to; `None` when the event asks for none.
fn scope(incoming: Incoming) -> Option<Scope> {
    match incoming {
        Incoming::Tick => Some(Scope::All),
        Incoming::StreamResized(resized) => Some(Scope::Resized(resized.stream, resized.to)),
        Incoming::ModeSwitched(switched) => Some(Scope::Switched(switched.stream, switched.to)),
        Incoming::OperatorRequest(request) if request.request == Request::SyncAlarms => {
            Some(Scope::All)
        }
        Incoming::OperatorRequest(_)
        | Incoming::Alarm(_)
        | Incoming::CapacityPlanned(_)
        | Incoming::ActionRefused(_)
        | Incoming::ActionFailed(_) => None,
    }
}

fn tell(clock: &impl Clock, report: Report) -> Result<Value, Error> {
    let Report { put, rearmed, deleted, registered, retired, skipped, troubles } = report;
    for name in &put {
        info!(alarm = name.as_str(), rearmed = rearmed.contains(name), "alarm put");
    }
    for alarm in &deleted {
        info!(alarm, "alarm deleted");
    }
    for stream in &registered {
        info!(stream = stream.as_str(), "registered");
    }
    for stream in &retired {
        info!(stream = stream.as_str(), "retired");
    }
    for skip in &skipped {
        info!(stream = skip.stream.as_str(), code = skip.reason.code(), "skipped");
    }
    troubles.iter().for_each(log_trouble);
    emit(clock, troubles.len());
    let summary = json!({
        "put": put.len(),
        "rearmed": rearmed.len(),
        "deleted": deleted.len(),
        "registered": registered.len(),
        "retired": retired.len(),
        "skipped": skipped.len(),
        "troubles": troubles.len(),
    });
    // What was done is found done by the next run, so a repetition does only what is left.
    match troubles.into_iter().find(retry_helps) {
        Some(trouble) => Err(trouble.into()),
        None => Ok(summary),
    }
}

fn skipped(reason: Reason) -> Value {
    json!({"put": 0, "reason": reason.code()})
}

fn log_trouble(trouble: &PortError) {
    let PortError { operation, failure, .. } = trouble;
    error!(operation, ?failure, error = %trouble, "trouble");
}

fn emit(clock: &impl Clock, troubles: usize) {
    let function = "sync-alarms";
    Metrics { at: clock.now(), function, values: &[("Troubles", count(troubles))] }.emit();
}

#[cfg(test)]
mod tests {
    use weir_core::observation::CapacityMode;
    use weir_core::units::{Shards, StreamName};

    use super::*;

    fn scoped(detail_type: &str, source: &str, detail: Value) -> Option<Scope> {
        let event = json!({"source": source, "detail-type": detail_type, "detail": detail});
        scope(Incoming::read(&event).expect("an event"))
    }

    #[test]
    fn each_event_is_about_its_alarms() {
        assert_eq!(scoped("Scheduled Event", "aws.events", json!({})), Some(Scope::All));
        let request = |what| json!({"version": 1, "request": what, "stream": null});
        let asked = |what| scoped("Weir Operator Request", "weir", request(what));
        assert_eq!(asked("sync_alarms"), Some(Scope::All));
        assert_eq!(asked("plan"), None);
        let resized = json!({
            "version": 1, "plan_id": "p", "stream": "orders", "from": 4, "to": 8,
            "accepted_at": "2026-11-20T10:00:00Z"
        });
        let orders = StreamName::new("orders").expect("a name");
        let eight = Shards::new(8).expect("shards");
        assert_eq!(
            scoped("Weir Stream Resized", "weir", resized),
            Some(Scope::Resized(orders.clone(), eight))
        );
        let switched = json!({
            "version": 1, "plan_id": "p", "stream": "orders", "from": "provisioned",
            "to": "on_demand", "accepted_at": "2026-11-20T10:00:00Z"
        });
        assert_eq!(
            scoped("Weir Mode Switched", "weir", switched),
            Some(Scope::Switched(orders, CapacityMode::OnDemand))
        );
    }
}
