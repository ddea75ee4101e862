//! What alarms say, read instead of heard: the tick's way to what events should have told.
//!
//! Not here: what alarms are, compared with what they should be (`alarms`).

use aws_sdk_cloudwatch::types::{Metric, MetricAlarm};
use jiff::Timestamp;
use weir_control::incoming::AlarmEvent;
use weir_control::ports::{PortResult, ReadAlarmStates};
use weir_core::alarms::WRITTEN_ID;
use weir_core::incident::Watched;
use weir_core::limits::ALARMS_PER_CALL_MAX;

use super::{Which, state};
use crate::Aws;

impl ReadAlarmStates for Aws {
    async fn failing_alarms(&self) -> PortResult<Vec<AlarmEvent>> {
        let alarms = self.describe_alarms(Which::InAlarm).await?;
        Ok(alarms.iter().filter_map(said).collect())
    }

    async fn alarm_states(&self, names: &[String]) -> PortResult<Vec<AlarmEvent>> {
        let mut states = Vec::new();
        for names in names.chunks(ALARMS_PER_CALL_MAX) {
            let alarms = self.describe_alarms(Which::Called(names)).await?;
            states.extend(alarms.iter().filter_map(said));
        }
        Ok(states)
    }
}

/// What it says, in the terms of an event. An alarm that never had a state says nothing.
fn said(alarm: &MetricAlarm) -> Option<AlarmEvent> {
    // The other time also moves when only the evaluation changes, which no event tells of.
    let at = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp())?;
    Some(AlarmEvent {
        alarm_name: alarm.alarm_name()?.to_owned(),
        alarm_arn: alarm.alarm_arn().map(str::to_owned),
        account: None,
        region: None,
        state: state(alarm),
        state_at: Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).unwrap_or(0)).ok()?,
        previous_state: None,
        // Tags are not part of the answer, and whose alarm it is stands in its name.
        stream: None,
        actions_suppressed: false,
        watched: watched(alarm),
    })
}

/// As events are read: of several metrics the one that tells of the consumer, not of the writing.
fn watched(alarm: &MetricAlarm) -> Option<Watched> {
    if let Some(name) = alarm.metric_name() {
        return Some(Watched {
            namespace: alarm.namespace().unwrap_or_default().to_owned(),
            metric: name.to_owned(),
            dimensions: dimensions(alarm.dimensions()),
            statistic: alarm.statistic().map_or("", |statistic| statistic.as_str()).to_owned(),
            period_seconds: seconds(alarm.period()),
            threshold: alarm.threshold(),
        });
    }
    let stats = || alarm.metrics().iter().filter(|query| query.metric_stat().is_some());
    let chosen = stats().find(|query| query.id() != Some(WRITTEN_ID)).or(stats().next())?;
    let stat = chosen.metric_stat()?;
    let metric = stat.metric();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Some(Watched {
        namespace: text(metric.and_then(Metric::namespace)),
        metric: text(metric.and_then(Metric::metric_name)),
        dimensions: dimensions(metric.map_or(&[], Metric::dimensions)),
        statistic: text(stat.stat()),
        period_seconds: seconds(stat.period()),
        threshold: alarm.threshold(),
    })
}

fn dimensions(
    given: &[aws_sdk_cloudwatch::types::Dimension],
) -> std::collections::BTreeMap<String, String> {
    given.iter().filter_map(|one| Some((one.name()?.to_owned(), one.value()?.to_owned()))).collect()
}

fn seconds(period: Option<i32>) -> u32 {
    period.and_then(|period| u32::try_from(period).ok()).unwrap_or(0)
}
