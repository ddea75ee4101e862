//! The Lambda raise-alerts: an alarm, a failure of Weir's own or the tick in; messages out. Wiring only: the
//! loop is `weir_control::raise_alerts`.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tracing::{error, info};
use weir_aws::emf::{Metrics, count};
use weir_aws::{FirstCall, SettingFault, Started, Topics, retry_helps, start};
use weir_control::incoming::Incoming;
use weir_control::ports::{Clock, PortError};
use weir_control::raise_alerts::{Installation, Report, on_event};
use weir_core::reasons::Reason;

const FIRST_CALLS: [FirstCall; 3] =
    [FirstCall::DescribeStream, FirstCall::ReadAlarms, FirstCall::ReadRecord];

/// Starts the function and works until Lambda ends it.
pub async fn run() -> Result<(), Error> {
    let started = &start(|name| std::env::var(name).ok(), &FIRST_CALLS).await?;
    let topics = started.aws.settings().topics.as_ref().ok_or_else(no_topics)?;
    let handled = |event: LambdaEvent<Value>| handle(started, topics, event.payload);
    lambda_runtime::run(service_fn(handled)).await
}

fn no_topics() -> SettingFault {
    SettingFault {
        variable: "WEIR_NOTICES_TOPIC, WEIR_PAGES_TOPIC",
        message: "are not both set".to_owned(),
        fix: "set them to the ARNs of the SNS topics for notices and for pages",
    }
}

async fn handle(started: &Started, topics: &Topics, event: Value) -> Result<Value, Error> {
    let incoming = match Incoming::read(&event) {
        Ok(incoming) => incoming,
        Err(fault) => {
            // Not an error for Lambda: the same event delivered again would be as unreadable.
            error!(code = Reason::EventUnreadable.code(), %fault, "event");
            return Ok(json!({"sent": 0, "reason": Reason::EventUnreadable.code()}));
        }
    };
    let installation = Installation {
        policies: &started.policies.set,
        prefix: &started.aws.settings().alarm_prefix,
        place: &topics.place,
    };
    let ticked = incoming == Incoming::Tick;
    match on_event(&started.aws, installation, &incoming).await {
        Ok(report) => {
            let summary = tell(&started.aws, &report);
            match report.troubles.into_iter().next() {
                // What is left is done by the next tick. But if no tick gets it done, only the alarm on
                // failing ticks is left to say so.
                Some(trouble) if ticked => Err(trouble.into()),
                _ => Ok(summary),
            }
        }
        Err(error) => {
            log_trouble(&error);
            emit(&started.aws, 0, 1);
            if ticked || retry_helps(&error) { Err(error.into()) } else { Ok(Value::Null) }
        }
    }
}

fn tell(clock: &impl Clock, report: &Report) -> Value {
    let Report { sent, held, troubles } = report;
    for (subject, message) in sent {
        let (number, severity) = (message.number, message.severity.code());
        info!(%subject, number, severity, occasion = ?message.occasion, "message sent");
    }
    for (subject, reason) in held {
        info!(%subject, code = reason.code(), "nothing said");
    }
    troubles.iter().for_each(log_trouble);
    emit(clock, sent.len(), troubles.len());
    json!({ "sent": sent.len(), "held": held.len(), "troubles": troubles.len() })
}

fn log_trouble(trouble: &PortError) {
    let PortError { operation, failure, .. } = trouble;
    error!(operation, ?failure, error = %trouble, "trouble");
}

fn emit(clock: &impl Clock, sent: usize, troubles: usize) {
    let function = "raise-alerts";
    let values = [("MessagesSent", count(sent)), ("Troubles", count(troubles))];
    Metrics { at: clock.now(), function, values: &values }.emit();
}
