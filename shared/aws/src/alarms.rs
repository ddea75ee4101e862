//! CloudWatch alarms: reading the ones that are there, writing the ones that should be.
//!
//! Not here: which alarms a stream should have (`weir_core::alarms`), what a spec looks like to
//! CloudWatch (`form`).

mod form;
mod states;

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{AlarmType, MetricAlarm, StateValue};
use weir_control::ports::{Failure, PortResult, ReadAlarms, WriteAlarms};
use weir_core::alarms::{ActualAlarm, AlarmName, AlarmPrefix, AlarmSpec, AlarmState};
use weir_core::limits::ALARMS_PER_CALL_MAX;

use crate::Aws;
use crate::errors::Call;

const DESCRIBE_ALARMS: Call = Call::read("DescribeAlarms");
const PUT_METRIC_ALARM: Call = Call::change("PutMetricAlarm");
const SET_ALARM_STATE: Call = Call::change("SetAlarmState");
const DELETE_ALARMS: Call = Call::change("DeleteAlarms");

const REARM_REASON: &str = "Weir changed this alarm while it was in ALARM, and sets it back so that \
                            it can go off again if need be.";

/// Which alarms to read.
enum Which<'a> {
    Named(&'a [AlarmSpec]),
    UnderPrefix,
    Called(&'a [String]),
    InAlarm,
}

impl ReadAlarms for Aws {
    async fn read_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        let by_name = by_name(desired);
        let mut actual = Vec::new();
        for named in desired.chunks(ALARMS_PER_CALL_MAX) {
            let alarms = self.describe_alarms(Which::Named(named)).await?;
            actual.extend(alarms.iter().filter_map(|alarm| compared(alarm, &by_name)));
        }
        Ok(actual)
    }

    async fn read_all_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        let by_name = by_name(desired);
        let prefix = &self.settings.alarm_prefix;
        let alarms = self.describe_alarms(Which::UnderPrefix).await?;
        let ours = |alarm: &&MetricAlarm| alarm.alarm_name().is_some_and(|n| is_ours(prefix, n));
        Ok(alarms.iter().filter(ours).filter_map(|alarm| compared(alarm, &by_name)).collect())
    }
}

impl Aws {
    async fn describe_alarms(&self, which: Which<'_>) -> PortResult<Vec<MetricAlarm>> {
        let mut alarms = Vec::new();
        let mut token: Option<String> = None;
        loop {
            self.paces.describe_alarms.turn().await;
            let request = self
                .clients
                .cloudwatch()
                .describe_alarms()
                .alarm_types(AlarmType::MetricAlarm)
                .max_records(i32::try_from(ALARMS_PER_CALL_MAX).unwrap_or(i32::MAX))
                .set_next_token(token.clone());
            let request = match which {
                Which::Named(specs) => {
                    let names = specs.iter().map(|spec| spec.name.as_str().to_owned()).collect();
                    request.set_alarm_names(Some(names))
                }
                Which::UnderPrefix => {
                    request.alarm_name_prefix(self.settings.alarm_prefix.to_string())
                }
                Which::Called(names) => request.set_alarm_names(Some(names.to_vec())),
                Which::InAlarm => request
                    .alarm_name_prefix(self.settings.alarm_prefix.to_string())
                    .state_value(StateValue::Alarm),
            };
            let page = request.send().await.map_err(|e| DESCRIBE_ALARMS.failed(e))?;
            alarms.extend(page.metric_alarms.unwrap_or_default());
            match page.next_token {
                None => return Ok(alarms),
                Some(next) if token.as_ref() == Some(&next) => {
                    let message = "the same page came twice";
                    return Err(DESCRIBE_ALARMS.refused(Failure::Unavailable, message));
                }
                Some(next) => token = Some(next),
            }
        }
    }
}

/// Whether Weir gives such names. What else begins with the prefix belongs to somebody else: to
/// another installation, say, whose prefix begins with this one.
fn is_ours(prefix: &AlarmPrefix, name: &str) -> bool {
    AlarmName::read_stream(prefix, name).is_some()
}

fn by_name(desired: &[AlarmSpec]) -> BTreeMap<&str, &AlarmSpec> {
    desired.iter().map(|spec| (spec.name.as_str(), spec)).collect()
}

fn compared(alarm: &MetricAlarm, by_name: &BTreeMap<&str, &AlarmSpec>) -> Option<ActualAlarm> {
    let name = alarm.alarm_name()?;
    let spec = by_name.get(name).copied().filter(|spec| form::is_as_specified(alarm, spec));
    Some(ActualAlarm { name: name.to_owned(), state: state(alarm), spec: spec.cloned() })
}

fn state(alarm: &MetricAlarm) -> AlarmState {
    match alarm.state_value() {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    }
}

impl WriteAlarms for Aws {
    async fn put_alarm(&self, spec: &AlarmSpec) -> PortResult<()> {
        self.paces.put_metric_alarm.turn().await;
        let request = form::put(self.clients.cloudwatch().put_metric_alarm(), spec);
        request.send().await.map(|_| ()).map_err(|e| PUT_METRIC_ALARM.failed(e))
    }

    async fn rearm_alarm(&self, name: &AlarmName) -> PortResult<()> {
        self.paces.set_alarm_state.turn().await;
        self.clients
            .cloudwatch()
            .set_alarm_state()
            .alarm_name(name.as_str())
            .state_value(StateValue::InsufficientData)
            .state_reason(REARM_REASON)
            .send()
            .await
            .map(|_| ())
            .map_err(|e| SET_ALARM_STATE.failed(e))
    }

    async fn delete_alarms(&self, names: &[String]) -> PortResult<()> {
        for names in names.chunks(ALARMS_PER_CALL_MAX) {
            self.paces.delete_alarms.turn().await;
            let request = self.clients.cloudwatch().delete_alarms();
            let answer = request.set_alarm_names(Some(names.to_vec())).send().await;
            match answer.map_err(|e| DELETE_ALARMS.failed(e)) {
                // Somebody deleted one before; CloudWatch deletes the others all the same.
                Err(error) if error.failure == Failure::Missing => {}
                other => other.map(|_| ())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
