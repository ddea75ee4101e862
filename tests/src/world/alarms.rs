//! Alarms, and the events EventBridge sends when they change; no emulator sends any.
//!
//! Here: reading alarms, and building `CloudWatch Alarm State Change` events. Not here: evaluating
//! alarms.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{REGION, World};
use crate::failure::Result;
use crate::time::now;
use crate::wire::Service::CloudWatch;

pub(super) const PREFIX: &str = "weir-";

impl World {
    /// Every metric alarm of the account, by name.
    pub fn alarms(&self) -> Result<Vec<Value>> {
        let mut alarms = Vec::new();
        let mut body = json!({ "MaxRecords": 100 });
        loop {
            let page = self.call(CloudWatch, "DescribeAlarms", body.clone())?;
            alarms.extend(page["MetricAlarms"].as_array().cloned().unwrap_or_default());
            match page.get("NextToken") {
                Some(token) if token.is_string() => body["NextToken"] = token.clone(),
                _ => return Ok(alarms),
            }
        }
    }

    /// One alarm, if there is such.
    pub fn alarm(&self, name: &str) -> Result<Option<Value>> {
        Ok(self.alarms()?.into_iter().find(|alarm| alarm["AlarmName"] == name))
    }

    /// Puts an alarm into a state, as its evaluation would.
    pub fn set_alarm_state(&self, name: &str, state: &str) -> Result<()> {
        let reason = "Threshold Crossed, says the test";
        let body = json!({ "AlarmName": name, "StateValue": state, "StateReason": reason });
        self.call(CloudWatch, "SetAlarmState", body).map(drop)
    }

    /// The event of a metric-math alarm on a stream's use going from OK to ALARM, right now.
    #[must_use]
    pub fn alarm_event(&self, alarm_name: &str, stream: &str) -> AlarmEvent {
        AlarmEvent {
            account: self.account.clone(),
            alarm_name: alarm_name.into(),
            stream: stream.into(),
            at: now(),
            previous_state: "OK".into(),
            state: "ALARM".into(),
            shards: 1,
            tags: Vec::new(),
        }
    }
}

/// A `CloudWatch Alarm State Change` in the making.
#[derive(Clone, Debug)]
pub struct AlarmEvent {
    account: String,
    alarm_name: String,
    stream: String,
    at: Timestamp,
    previous_state: String,
    state: String,
    shards: u64,
    tags: Vec<(String, String)>,
}

impl AlarmEvent {
    /// The time of the change.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    /// The states before and after.
    #[must_use]
    pub fn going(mut self, previous_state: &str, state: &str) -> Self {
        self.previous_state = previous_state.into();
        self.state = state.into();
        self
    }

    /// The shards that the alarm's formula was written for.
    #[must_use]
    pub fn for_shards(mut self, shards: u64) -> Self {
        self.shards = shards;
        self
    }

    /// A tag of the alarm that the event carries.
    #[must_use]
    pub fn tagged(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// The event as EventBridge delivers it to a function.
    #[must_use]
    pub fn build(&self) -> Value {
        let arn = format!("arn:aws:cloudwatch:{REGION}:{}:alarm:{}", self.account, self.alarm_name);
        let mut event = json!({
            "version": "0",
            "id": format!("{:08x}-0000-4000-8000-000000000000", self.at.as_second()),
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "account": self.account,
            "time": self.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": REGION,
            "resources": [arn],
            "detail": {
                "alarmName": self.alarm_name,
                "state": self.state(&self.state, self.at),
                "previousState": self.state(&self.previous_state, self.at - jiff::SignedDuration::from_mins(10)),
                "configuration": {
                    "description": "",
                    "metrics": self.metrics(),
                },
            },
        });
        if !self.tags.is_empty() {
            let tags: Value = self.tags.iter().cloned().map(|(k, v)| (k, Value::from(v))).collect();
            event["detail"]["alarmTags"] = tags;
            event["detail"]["alarmTagsStatus"] = "SUCCESS".into();
        }
        event
    }

    fn state(&self, value: &str, since: Timestamp) -> Value {
        let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string();
        let recent = if value == "ALARM" { [0.81, 0.88, 0.93] } else { [0.31, 0.30, 0.32] };
        let data = json!({
            "version": "1.0",
            "queryDate": time(since),
            "startDate": time(since - jiff::SignedDuration::from_mins(3)),
            "period": 60,
            "recentDatapoints": recent,
            "threshold": 0.75,
        });
        json!({
            "value": value,
            "reason": format!("Threshold Crossed: {recent:?} against the threshold (0.75)."),
            "reasonData": data.to_string(),
            "timestamp": time(since),
        })
    }

    fn metrics(&self) -> Value {
        let stat = |id: &str, name: &str| {
            json!({
                "id": id,
                "metricStat": {
                    "metric": {
                        "namespace": "AWS/Kinesis",
                        "name": name,
                        "dimensions": { "StreamName": self.stream },
                    },
                    "period": 60,
                    "stat": "Sum",
                },
                "returnData": false,
            })
        };
        let n = self.shards;
        json!([
            {
                "id": "use",
                "expression": format!("MAX([b/({n}*60*1048576), r/({n}*60*1000)])"),
                "label": format!("Used share of {n} shards"),
                "returnData": true,
            },
            stat("b", "IncomingBytes"),
            stat("r", "IncomingRecords"),
        ])
    }
}
