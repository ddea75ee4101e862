//! Which streams an event asks to plan for.
//!
//! Not here: planning (`plan_capacity`).

use jiff::Timestamp;
use weir_core::alarms::AlarmState;
use weir_core::reasons::SkipReason;
use weir_core::units::StreamName;

use crate::event::Request;
use crate::incoming::Incoming;
use crate::installation::Place;

/// Which streams to plan for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wake {
    /// The tick: all streams that are due.
    Due,
    /// The stream's alarm went off then.
    Alarm(StreamName, Timestamp),
    /// An operator: this stream, due or not.
    Stream(StreamName),
    /// An operator: every managed stream, due or not, that comes after this one by name.
    All(Option<StreamName>),
}

/// What to plan for, or why the event asks for no plan.
pub(super) fn wake(event: &Incoming, place: Option<&Place>) -> Result<Wake, SkipReason> {
    match event {
        // Its stream has a namesake here.
        _ if !event.is_here(place) => Err(SkipReason::NotForUs),
        Incoming::Tick => Ok(Wake::Due),
        // Calm needs no plan of its own: the tick sees to scale-in.
        Incoming::Alarm(alarm) if alarm.state == AlarmState::Alarm => {
            let stream = alarm.stream.clone().ok_or(SkipReason::NotForUs)?;
            Ok(Wake::Alarm(stream, alarm.state_at))
        }
        Incoming::Alarm(_) => Err(SkipReason::AlarmNotFiring),
        Incoming::OperatorRequest(request) if request.request == Request::Plan => {
            let after = request.after.clone();
            Ok(request.stream.clone().map_or(Wake::All(after), Wake::Stream))
        }
        Incoming::OperatorRequest(_)
        | Incoming::CapacityPlanned(_)
        | Incoming::StreamResized(_)
        | Incoming::ModeSwitched(_)
        | Incoming::ActionRefused(_)
        | Incoming::ActionFailed(_) => Err(SkipReason::NotForUs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_alarm_that_asks_for_no_plan_says_which_way() {
        let woken = |state: &str, alarm: &str| {
            let event = json!({
                "source": "aws.cloudwatch",
                "detail-type": "CloudWatch Alarm State Change",
                "detail": {
                    "alarmName": alarm,
                    "state": { "value": state, "timestamp": "2026-11-20T18:44:51.412+0000" },
                    "configuration": { "metrics": [] },
                },
            });
            wake(&Incoming::read(&event).expect("an alarm"), None)
        };
        for calm in ["OK", "INSUFFICIENT_DATA"] {
            assert_eq!(woken(calm, "weir-surge-orders"), Err(SkipReason::AlarmNotFiring));
        }
        assert_eq!(woken("ALARM", "of-nobody"), Err(SkipReason::NotForUs));
    }

    #[test]
    fn another_accounts_alarm_asks_for_no_plan_here() {
        let woken = |account: &str| {
            let metric = json!({
                "namespace": "AWS/Kinesis", "name": "IncomingBytes",
                "dimensions": { "StreamName": "orders" },
            });
            let event = json!({
                "source": "aws.cloudwatch", "account": account, "region": "eu-west-1",
                "detail-type": "CloudWatch Alarm State Change",
                "detail": {
                    "alarmName": "weir-surge-orders",
                    "state": { "value": "ALARM", "timestamp": "2026-11-20T18:44:51.412+0000" },
                    "configuration": { "metrics": [{ "id": "m", "metricStat": { "metric": metric } }] },
                },
            });
            let owned = str::to_owned;
            let (partition, region) = (owned("aws"), owned("eu-west-1"));
            let place = Place { partition, region, account: owned("444455556666") };
            wake(&Incoming::read(&event).expect("an alarm"), Some(&place))
        };
        assert!(matches!(woken("444455556666"), Ok(Wake::Alarm(..))));
        assert_eq!(woken("999988887777"), Err(SkipReason::NotForUs));
    }
}
