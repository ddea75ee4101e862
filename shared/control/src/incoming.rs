//! What wakes the functions, read tolerantly: CloudWatch alarm events in every real shape, ticks,
//! and Weir's own events.
//!
//! Unknown fields are passed over, missing ones too where nothing depends on them. The stream comes
//! from the alarm's tags or its metrics' dimensions, never from the alarm's name. Free text
//! (`reason`) is never read. Not here: what Weir publishes (`event`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use thiserror::Error;
use weir_core::alarms::{AlarmState, STREAM_TAG, WRITTEN_ID};
use weir_core::incident::Watched;
use weir_core::units::StreamName;

use crate::installation::Place;

use crate::event::{
    self, ActionFailed, ActionRefused, CapacityPlanned, ModeSwitched, OperatorRequest,
    StreamResized,
};

/// Everything a function may be woken by.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// A CloudWatch alarm changed its state.
    Alarm(Box<AlarmEvent>),
    /// A schedule fired.
    Tick,
    /// A plan was made.
    CapacityPlanned(Box<CapacityPlanned>),
    /// A stream was resized.
    StreamResized(StreamResized),
    /// A stream's capacity mode was switched.
    ModeSwitched(ModeSwitched),
    /// A plan was turned down.
    ActionRefused(ActionRefused),
    /// Nobody knows what became of a call.
    ActionFailed(ActionFailed),
    /// An operator asks for something.
    OperatorRequest(OperatorRequest),
}

/// A state change of an alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmEvent {
    /// The alarm.
    pub alarm_name: String,
    /// Its ARN, where the event has it.
    pub alarm_arn: Option<String>,
    /// The account it came from, where the event says so.
    pub account: Option<String>,
    /// The region it came from, where the event says so.
    pub region: Option<String>,
    /// Its new state.
    pub state: AlarmState,
    /// When it changed. Order and duplicates are told by this, not by arrival.
    pub state_at: Timestamp,
    /// Its state before, where the event has it.
    pub previous_state: Option<AlarmState>,
    /// The stream it is about, where tags or dimensions name exactly one.
    pub stream: Option<StreamName>,
    /// Whether the alarm's own actions were suppressed or muted.
    pub actions_suppressed: bool,
    /// What it watches, where the event says so.
    pub watched: Option<Watched>,
}

impl AlarmEvent {
    /// Whether the alarm is one of this account and region. Buses hand on the events of others,
    /// whose alarms may have the very names of one's own. What an event does not say is taken for
    /// here.
    pub fn is_here(&self, place: &Place) -> bool {
        // arn:PARTITION:cloudwatch:REGION:ACCOUNT:alarm:NAME
        let mut arn = self.alarm_arn.iter().flat_map(|arn| arn.splitn(6, ':').skip(3));
        let regions = [arn.next(), self.region.as_deref()];
        let accounts = [arn.next(), self.account.as_deref()];
        let are = |said: [Option<&str>; 2], here: &str| said.iter().flatten().all(|s| *s == here);
        are(regions, &place.region) && are(accounts, &place.account)
    }
}

/// An event that could not be read: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {message}; {fix}")]
pub struct EventFault {
    /// Path within the event.
    pub place: String,
    /// What is wrong there.
    pub message: String,
    /// How to mend it.
    pub fix: String,
}

impl EventFault {
    fn at(place: &str, message: impl Into<String>, fix: &str) -> EventFault {
        EventFault { place: place.to_owned(), message: message.into(), fix: fix.to_owned() }
    }
}

const ALARM_STATE_CHANGE: &str = "CloudWatch Alarm State Change";
const SEND_WHOLE: &str =
    "send the event as CloudWatch or EventBridge made it, without a transformer";

impl Incoming {
    /// Whether it is of this account and region, as far as it says and as far as it is known where
    /// that is. Weir's own events say whose they are, and rules go by that.
    pub fn is_here(&self, place: Option<&Place>) -> bool {
        match (self, place) {
            (Incoming::Alarm(alarm), Some(place)) => alarm.is_here(place),
            _ => true,
        }
    }

    /// Reads an event.
    ///
    /// # Errors
    ///
    /// On an event of a known kind that is not as its kind is; what is wrong and where to mend it.
    pub fn read(event: &Value) -> Result<Incoming, EventFault> {
        if !event.is_object() {
            return Err(EventFault::at("event", "it is not a JSON object", SEND_WHOLE));
        }
        if event.get("alarmData").is_some() {
            let direct: DirectAlarm = read(event, "")?;
            let from =
                From { arn: direct.alarm_arn, account: direct.account_id, region: direct.region };
            return alarm(direct.alarm_data, from, "alarmData");
        }
        let envelope: Envelope = read(event, "")?;
        match (envelope.source.as_str(), envelope.detail_type.as_str()) {
            (_, ALARM_STATE_CHANGE) => {
                let data = read(&envelope.detail, "detail")?;
                let arn = envelope.resources.into_iter().next();
                let from = From { arn, account: envelope.account, region: envelope.region };
                alarm(data, from, "detail")
            }
            (_, "Scheduled Event") => Ok(Incoming::Tick),
            (event::SOURCE, detail_type) => own(detail_type, &envelope.detail),
            (source, detail_type) => Err(EventFault::at(
                "detail-type",
                format!("{detail_type:?} from {source:?} is no event Weir works on"),
                "narrow the rule that sends it",
            )),
        }
    }
}

fn own(detail_type: &str, detail: &Value) -> Result<Incoming, EventFault> {
    let version = detail.get("version").and_then(Value::as_u64);
    if version != Some(event::VERSION.into()) {
        return Err(EventFault::at(
            "detail.version",
            format!("this Weir reads version {} of its events", event::VERSION),
            "deploy all functions from the same release",
        ));
    }
    match detail_type {
        "Weir Capacity Planned" => Ok(Incoming::CapacityPlanned(Box::new(read(detail, "detail")?))),
        "Weir Stream Resized" => Ok(Incoming::StreamResized(read(detail, "detail")?)),
        "Weir Mode Switched" => Ok(Incoming::ModeSwitched(read(detail, "detail")?)),
        "Weir Action Refused" => Ok(Incoming::ActionRefused(read(detail, "detail")?)),
        "Weir Action Failed" => Ok(Incoming::ActionFailed(read(detail, "detail")?)),
        "Weir Operator Request" => Ok(Incoming::OperatorRequest(read(detail, "detail")?)),
        other => Err(EventFault::at(
            "detail-type",
            format!("{other:?} wakes no function"),
            "narrow the rule that sends it",
        )),
    }
}

fn read<T: DeserializeOwned>(value: &Value, place: &str) -> Result<T, EventFault> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let place = match (place, path.as_str()) {
            ("", path) => path.to_owned(),
            (place, ".") => place.to_owned(),
            (place, path) => format!("{place}.{path}"),
        };
        EventFault { place, message: error.into_inner().to_string(), fix: SEND_WHOLE.to_owned() }
    })
}

/// Where an alarm's event says it came from.
struct From {
    arn: Option<String>,
    account: Option<String>,
    region: Option<String>,
}

fn alarm(data: AlarmData, from: From, place: &str) -> Result<Incoming, EventFault> {
    let state_at = timestamp(&data.state.timestamp).ok_or_else(|| {
        EventFault::at(
            &format!("{place}.state.timestamp"),
            format!("{:?} is no time", data.state.timestamp),
            SEND_WHOLE,
        )
    })?;
    let stream = stream_of(&data);
    let watched = watched(&data);
    let suppressed = data.state.actions_suppressed_by.is_some() || data.mute_detail.is_some();
    Ok(Incoming::Alarm(Box::new(AlarmEvent {
        alarm_name: data.alarm_name,
        alarm_arn: from.arn,
        account: from.account,
        region: from.region,
        state: data.state.value.into(),
        state_at,
        previous_state: data.previous_state.and_then(|state| state.value).map(AlarmState::from),
        stream,
        actions_suppressed: suppressed,
        watched,
    })))
}

/// The one stream the alarm is about: by Weir's tag, else by the dimensions of its Kinesis metrics.
fn stream_of(data: &AlarmData) -> Option<StreamName> {
    let tagged = data.alarm_tags.get(STREAM_TAG).map(String::as_str);
    let mut watched: BTreeSet<&str> = data
        .configuration
        .metrics
        .iter()
        .filter_map(|metric| metric.metric_stat.as_ref())
        .filter_map(|stat| stat.metric.dimensions.get("StreamName").map(String::as_str))
        .collect();
    let only = if watched.len() == 1 { watched.pop_first() } else { None };
    tagged.or(only).and_then(|name| StreamName::new(name).ok())
}

/// What the alarm watches: of several metrics the one that tells of the consumer, not of the
/// writing.
fn watched(data: &AlarmData) -> Option<Watched> {
    let stats = || data.configuration.metrics.iter().filter(|metric| metric.metric_stat.is_some());
    let chosen = stats().find(|metric| metric.id != WRITTEN_ID).or(stats().next())?;
    let MetricStat { metric, period, stat } = chosen.metric_stat.clone()?;
    // JSON within a string; where it is not, the threshold is not known.
    let reason_data: Option<Value> =
        data.state.reason_data.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Some(Watched {
        namespace: metric.namespace,
        metric: metric.name,
        dimensions: metric.dimensions,
        statistic: stat,
        period_seconds: period,
        threshold: reason_data.and_then(|data| data["threshold"].as_f64()),
    })
}

/// CloudWatch writes `+0000`, which RFC 3339 does not allow.
fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
}

/// A field that is null is one that is not there: events made by hand, and some tools, write it so.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, deserialize_with = "or_default")]
    source: String,
    #[serde(rename = "detail-type", default, deserialize_with = "or_default")]
    detail_type: String,
    account: Option<String>,
    region: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<String>,
    #[serde(default)]
    detail: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DirectAlarm {
    alarm_arn: Option<String>,
    account_id: Option<String>,
    region: Option<String>,
    alarm_data: AlarmData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlarmData {
    alarm_name: String,
    state: State,
    previous_state: Option<PreviousState>,
    #[serde(default, deserialize_with = "or_default")]
    configuration: Configuration,
    #[serde(default, deserialize_with = "or_default")]
    alarm_tags: BTreeMap<String, String>,
    mute_detail: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    value: StateValue,
    timestamp: String,
    reason_data: Option<String>,
    actions_suppressed_by: Option<String>,
}

#[derive(Deserialize)]
struct PreviousState {
    value: Option<StateValue>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StateValue {
    Ok,
    Alarm,
    InsufficientData,
}

impl std::convert::From<StateValue> for AlarmState {
    fn from(value: StateValue) -> AlarmState {
        match value {
            StateValue::Ok => AlarmState::Ok,
            StateValue::Alarm => AlarmState::Alarm,
            StateValue::InsufficientData => AlarmState::InsufficientData,
        }
    }
}

#[derive(Default, Deserialize)]
struct Configuration {
    #[serde(default, deserialize_with = "or_default")]
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
    metric_stat: Option<MetricStat>,
}

#[derive(Clone, Deserialize)]
struct MetricStat {
    metric: MetricName,
    #[serde(default, deserialize_with = "or_default")]
    period: u32,
    #[serde(default, deserialize_with = "or_default")]
    stat: String,
}

#[derive(Clone, Deserialize)]
struct MetricName {
    #[serde(default, deserialize_with = "or_default")]
    namespace: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    dimensions: BTreeMap<String, String>,
}
