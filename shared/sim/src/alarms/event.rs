//! A state change as CloudWatch tells EventBridge of it. Not here: the envelope around it (`bus`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_core::alarms::{AlarmQuery, AlarmSpec, AlarmState, KIND_TAG, STREAM_TAG};

use crate::clock::{Seconds, timestamp};

/// The account and region every ARN here names.
pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "us-east-1";

/// A change of state.
pub(crate) struct StateChange<'a> {
    pub(crate) spec: &'a AlarmSpec,
    pub(crate) from: AlarmState,
    pub(crate) from_since: Seconds,
    pub(crate) to: AlarmState,
    pub(crate) at: Seconds,
    /// The newest values looked at, oldest first; none when the state was set by hand.
    pub(crate) values: &'a [Option<f64>],
    /// Whether the alarm hands its tags on.
    pub(crate) with_tags: bool,
}

impl StateChange<'_> {
    /// The ARN of the alarm.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{}", self.spec.name)
    }

    /// `detail` of the event.
    pub(crate) fn detail(&self) -> Value {
        let mut state = json!({
            "value": word(self.to),
            "reason": format!("{} looked at", self.values.len()),
            "timestamp": stamp(timestamp(self.at)),
        });
        if !self.values.is_empty() {
            state["reasonData"] = self.reason_data().into();
        }
        let mut detail = json!({
            "alarmName": self.spec.name.as_str(),
            "state": state,
            "previousState": {
                "value": word(self.from),
                "reason": "Unchecked: Initial alarm creation",
                "timestamp": stamp(timestamp(self.from_since)),
            },
            "configuration": {
                "description": self.spec.description,
                "metrics": self.metrics(),
            },
        });
        if self.with_tags {
            detail["alarmTags"] =
                json!({ STREAM_TAG: self.spec.stream, KIND_TAG: self.spec.kind.to_string() });
            detail["alarmTagsStatus"] = "SUCCESS".into();
        }
        detail
    }

    /// JSON within a string: such is the event.
    fn reason_data(&self) -> String {
        let newest: Vec<f64> = self.values.iter().flatten().copied().collect();
        json!({
            "version": "1.0",
            "queryDate": stamp(timestamp(self.at)),
            "period": self.spec.period_seconds,
            "recentDatapoints": newest,
            "threshold": self.spec.threshold,
        })
        .to_string()
    }

    fn metrics(&self) -> Vec<Value> {
        let period = self.spec.period_seconds;
        let last = self.spec.queries.len().saturating_sub(1);
        let one = |(i, query): (usize, &AlarmQuery)| match query {
            AlarmQuery::StreamSum { id, metric } => json!({
                "id": id,
                "metricStat": {
                    "metric": {
                        "namespace": "AWS/Kinesis",
                        "name": metric,
                        "dimensions": { "StreamName": self.spec.stream },
                    },
                    "period": period,
                    "stat": "Sum",
                },
                "returnData": i == last,
            }),
            AlarmQuery::Metric { id, metric, statistic } => json!({
                "id": id,
                "metricStat": {
                    "metric": {
                        "namespace": metric.namespace,
                        "name": metric.name,
                        "dimensions": metric.dimensions.iter().cloned().collect::<BTreeMap<_, _>>(),
                    },
                    "period": period,
                    "stat": statistic.name(),
                },
                "returnData": i == last,
            }),
            AlarmQuery::Expression { id, formula, label } => json!({
                "id": id,
                "expression": formula,
                "label": label,
                "returnData": i == last,
            }),
        };
        self.spec.queries.iter().enumerate().map(one).collect()
    }
}

fn word(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Ok => "OK",
        AlarmState::Alarm => "ALARM",
        AlarmState::InsufficientData => "INSUFFICIENT_DATA",
    }
}

/// CloudWatch's way to write a time, which is not RFC 3339.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::incoming::Incoming;
    use weir_core::alarms::{AlarmPrefix, desired};
    use weir_core::observation::CapacityMode;
    use weir_core::policy::Policy;
    use weir_core::units::{Shards, StreamName};

    #[test]
    fn weir_reads_the_stream_and_the_states_from_it_with_and_without_tags() {
        let stream = StreamName::new("orders").expect("a name");
        let (prefix, mode) = (AlarmPrefix::default(), CapacityMode::Provisioned);
        let specs = desired(&prefix, &Policy::DEFAULT, &stream, mode, Shards::ONE);
        for (spec, with_tags) in specs.iter().zip([true, false]) {
            let change = StateChange {
                spec,
                from: AlarmState::InsufficientData,
                from_since: 1_800_000_000,
                to: AlarmState::Alarm,
                at: 1_800_000_060,
                values: &[None, Some(0.5), Some(1.5)],
                with_tags,
            };
            let event = json!({
                "source": "aws.cloudwatch",
                "detail-type": "CloudWatch Alarm State Change",
                "resources": [change.arn()],
                "detail": change.detail(),
            });
            let Ok(Incoming::Alarm(alarm)) = Incoming::read(&event) else { panic!("{event}") };
            assert_eq!(alarm.stream.as_ref(), Some(&stream));
            assert_eq!(
                (alarm.state, alarm.previous_state),
                (AlarmState::Alarm, Some(AlarmState::InsufficientData))
            );
            assert_eq!(alarm.state_at, timestamp(1_800_000_060));
        }
    }
}
