//! The Lambda plan-capacity: a tick, an alarm or an operator in; plans out. Wiring only: the loop is
//! `weir_control::plan_capacity`.

mod report;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::{error, info};
use weir_aws::{FirstCall, Started, retry_helps, start};
use weir_control::event::Request;
use weir_control::incoming::Incoming;
use weir_control::plan_capacity::{self, Wake};
use weir_core::alarms::AlarmState;
use weir_core::reasons::Reason;

const FIRST_CALLS: [FirstCall; 4] = [
    FirstCall::DescribeStream,
    FirstCall::ReadTraffic,
    FirstCall::PublishEvents,
    FirstCall::ReadRecord,
];

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
            return Ok(report::skipped(Reason::EventUnreadable));
        }
    };
    let wake = match wake(incoming) {
        Ok(wake) => wake,
        Err(reason) => {
            info!(code = reason.code(), "nothing to plan for");
            return Ok(report::skipped(reason));
        }
    };
    let ticked = wake == Wake::Due;
    match plan_capacity::run(&started.aws, &started.policies.set, wake).await {
        Ok(report) => {
            let summary = report::tell(&started.aws, &report);
            match report.skipped.into_iter().filter_map(|skip| skip.error).find(retry_helps) {
                // The stream may not be due for minutes, and its alarm will not go off twice.
                Some(error) if !ticked => Err(error.into()),
                _ => Ok(summary),
            }
        }
        Err(error) => {
            report::failed(&started.aws, &error);
            // After a tick the next tick is the retry, and comes sooner than Lambda's.
            if retry_helps(&error) && !ticked { Err(error.into()) } else { Ok(Value::Null) }
        }
    }
}

/// What to plan for, or why for nothing.
fn wake(incoming: Incoming) -> Result<Wake, Reason> {
    match incoming {
        Incoming::Tick => Ok(Wake::Due),
        Incoming::Alarm(alarm) => match (alarm.state, alarm.stream) {
            (AlarmState::Alarm, Some(stream)) => Ok(Wake::Stream(stream)),
            (AlarmState::Alarm, None) => Err(Reason::NotForUs),
            // Calm needs no plan of its own: the tick sees to scale-in.
            (AlarmState::Ok | AlarmState::InsufficientData, _) => Err(Reason::OnTarget),
        },
        Incoming::OperatorRequest(request) => match (request.request, request.stream) {
            (Request::Plan, Some(stream)) => Ok(Wake::Stream(stream)),
            (Request::Plan, None) => Ok(Wake::All),
            (Request::SyncAlarms, _) => Err(Reason::NotForUs),
        },
        Incoming::CapacityPlanned(_)
        | Incoming::StreamResized(_)
        | Incoming::ModeSwitched(_)
        | Incoming::ActionRefused(_)
        | Incoming::ActionFailed(_) => Err(Reason::NotForUs),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use weir_core::units::StreamName;

    use super::*;

    fn woken(event: Value) -> Result<Wake, Reason> {
        wake(Incoming::read(&event).expect("an event"))
    }

    fn alarm(state: &str, stream: Option<&str>) -> Value {
        let dimensions = stream.map_or_else(|| json!({}), |name| json!({"StreamName": name}));
        json!({
            "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
            "detail": {
                "alarmName": "weir-surge-x",
                "state": {"value": state, "timestamp": "2026-11-20T10:00:00.000+0000"},
                "configuration": {"metrics": [
                    {"id": "m", "metricStat": {"metric": {"dimensions": dimensions}}}
                ]}
            }
        })
    }

    fn request(what: &str, stream: Option<&str>) -> Value {
        json!({
            "source": "weir", "detail-type": "Weir Operator Request",
            "detail": {"version": 1, "request": what, "stream": stream}
        })
    }

    #[test]
    fn each_event_wakes_what_it_is_about() {
        let orders = StreamName::new("orders").expect("a name");
        let tick = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        assert_eq!(woken(tick), Ok(Wake::Due));
        let of_orders = Ok(Wake::Stream(orders));
        assert_eq!(woken(alarm("ALARM", Some("orders"))), of_orders);
        assert_eq!(woken(request("plan", Some("orders"))), of_orders);
        assert_eq!(woken(request("plan", None)), Ok(Wake::All));
        assert_eq!(woken(alarm("ALARM", None)), Err(Reason::NotForUs));
        assert_eq!(woken(request("sync_alarms", None)), Err(Reason::NotForUs));
        for calm in ["OK", "INSUFFICIENT_DATA"] {
            assert_eq!(woken(alarm(calm, Some("orders"))), Err(Reason::OnTarget));
        }
    }
}
