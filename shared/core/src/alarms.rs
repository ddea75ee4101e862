//! Which alarms a stream should have, and what it takes to get from the ones it has to those.
//!
//! Two per stream, besides those of its consumers (`consumer`). *Surge* wakes the planner when
//! demand nears capacity; its metric math gives demand in shards, so that a reshard changes the
//! threshold alone. *Throttle* wakes it on the first refused write. Scale-in needs no alarm: the
//! tick sees to it. Not here: calling CloudWatch (`weir-aws`).

pub mod consumer;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::consumer::ConsumerId;
use crate::limits;
use crate::observation::CapacityMode;
use crate::policy::Policy;
use crate::symptom::Symptom;
use crate::units::{Shards, StreamName};

/// Tag that names the stream an alarm belongs to; CloudWatch hands it on in the alarm's events.
pub const STREAM_TAG: &str = "weir:stream";
/// Tag that names the consumer an alarm belongs to.
pub const CONSUMER_TAG: &str = "weir:consumer";
/// Tag that names the kind of an alarm.
pub const KIND_TAG: &str = "weir:kind";

/// Within a silence alarm, the metric that counts what is written, not what the consumer reads.
pub const WRITTEN_ID: &str = "written";

const PERIOD_SECONDS: u32 = 60;

/// The name of an alarm that Weir owns: it begins with the installation's prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmName(String);

impl AlarmName {
    /// The name of `stream`'s alarm of this kind.
    pub fn of(prefix: &AlarmPrefix, kind: AlarmKind, stream: &StreamName) -> AlarmName {
        AlarmName(format!("{prefix}{kind}-{stream}"))
    }

    /// The name of a consumer's alarm for this symptom. No stream's name holds an `@`, so it can be
    /// read back.
    pub fn of_consumer(
        prefix: &AlarmPrefix,
        symptom: Symptom,
        stream: &StreamName,
        consumer: &ConsumerId,
    ) -> AlarmName {
        AlarmName(format!("{prefix}{symptom}-{consumer}@{stream}"))
    }

    /// Which consumer's alarm has this name, if it is one of this installation's.
    pub fn read_consumer(
        prefix: &AlarmPrefix,
        name: &str,
    ) -> Option<(Symptom, StreamName, ConsumerId)> {
        let (head, stream) = name.strip_prefix(&prefix.0)?.split_once('@')?;
        let (symptom, consumer) = head.split_once('-')?;
        let symptom = Symptom::ALL.into_iter().find(|known| known.code() == symptom)?;
        Some((symptom, StreamName::new(stream).ok()?, ConsumerId::read(consumer)?))
    }

    /// The stream whose alarm has this name, or whose consumer's, if it is one of this
    /// installation's.
    pub fn read_stream(prefix: &AlarmPrefix, name: &str) -> Option<StreamName> {
        let rest = name.strip_prefix(&prefix.0)?;
        let own = AlarmKind::ALL.iter().find_map(|kind| {
            let stream = rest.strip_prefix(&format!("{kind}-"))?;
            StreamName::new(stream).ok()
        });
        own.or_else(|| AlarmName::read_consumer(prefix, name).map(|(_, stream, _)| stream))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlarmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the names of all alarms of this installation begin with. Alarms outside it are never
/// touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmPrefix(String);

/// A prefix that could not be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no alarm prefix: 1 to 64 letters, digits, '_', '.' or '-' are, ending in '-'")]
pub struct NotAnAlarmPrefix(pub String);

/// Longest prefix; with the longest kind and stream name it still makes an alarm name.
const PREFIX_CHARS_MAX: usize = 64;
const _: () = assert!(
    PREFIX_CHARS_MAX + "throttles-@".len() + 128 + ConsumerId::CHARS_MAX
        <= limits::ALARM_NAME_CHARS_MAX,
    "the alarms of every stream and consumer must have names that fit"
);

impl AlarmPrefix {
    /// Checks what came from outside.
    ///
    /// # Errors
    ///
    /// On what is no prefix of an alarm name.
    pub fn new(prefix: &str) -> Result<AlarmPrefix, NotAnAlarmPrefix> {
        let allowed = prefix.len() <= PREFIX_CHARS_MAX
            && prefix.ends_with('-')
            && StreamName::new(prefix).is_ok();
        allowed.then(|| AlarmPrefix(prefix.to_owned())).ok_or(NotAnAlarmPrefix(prefix.to_owned()))
    }

    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for AlarmPrefix {
    fn default() -> AlarmPrefix {
        AlarmPrefix("weir-".to_owned())
    }
}

impl fmt::Display for AlarmPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an alarm is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// Demand nears capacity.
    Surge,
    /// A write was refused.
    Throttle,
    /// A consumer shows this symptom.
    Consumer(Symptom),
}

impl AlarmKind {
    /// Every kind that a stream has itself.
    pub const ALL: [AlarmKind; 2] = [AlarmKind::Surge, AlarmKind::Throttle];
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AlarmKind::Surge => "surge",
            AlarmKind::Throttle => "throttle",
            AlarmKind::Consumer(symptom) => symptom.code(),
        })
    }
}

/// One input of an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmQuery {
    /// The sum of a stream's metric over a period.
    StreamSum {
        /// Name within the alarm.
        id: &'static str,
        /// Metric of the `AWS/Kinesis` namespace.
        metric: &'static str,
    },
    /// A metric that need not be a stream's.
    Metric {
        /// Name within the alarm.
        id: &'static str,
        /// Which metric.
        metric: MetricId,
        /// How the datapoints of a period become one.
        statistic: Statistic,
    },
    /// Metric math over the others; the alarm watches its value.
    Expression {
        /// Name within the alarm.
        id: &'static str,
        /// The formula.
        formula: String,
        /// What the value is, for people.
        label: &'static str,
    },
}

/// Names a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricId {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions, names and values.
    pub dimensions: Vec<(String, String)>,
}

/// How the datapoints of a period become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Their sum.
    Sum,
    /// The largest.
    Maximum,
    /// Their average.
    Average,
    /// How many there are.
    SampleCount,
}

impl Statistic {
    /// As CloudWatch names it.
    pub fn name(self) -> &'static str {
        match self {
            Statistic::Sum => "Sum",
            Statistic::Maximum => "Maximum",
            Statistic::Average => "Average",
            Statistic::SampleCount => "SampleCount",
        }
    }
}

/// What an alarm takes a missing datapoint for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingData {
    /// No breach: the metric is there only when there is something to count.
    NotBreaching,
    /// Nothing new: the state stays as it is.
    Ignore,
}

impl MissingData {
    /// As CloudWatch names it.
    pub fn name(self) -> &'static str {
        match self {
            MissingData::NotBreaching => "notBreaching",
            MissingData::Ignore => "ignore",
        }
    }
}

/// Everything an alarm of Weir's is.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmSpec {
    /// Its name.
    pub name: AlarmName,
    /// What it is for.
    pub kind: AlarmKind,
    /// The stream it watches.
    pub stream: StreamName,
    /// The consumer it watches, where it does not watch the stream itself.
    pub consumer: Option<ConsumerId>,
    /// For people.
    pub description: String,
    /// Its inputs. The last one is watched.
    pub queries: Vec<AlarmQuery>,
    /// Length of a period, seconds.
    pub period_seconds: u32,
    /// It goes off when the watched value is at least this.
    pub threshold: f64,
    /// Periods looked at.
    pub evaluation_periods: u32,
    /// Periods of those that must be at or above the threshold.
    pub datapoints_to_alarm: u32,
    /// What a missing datapoint is taken for.
    pub missing: MissingData,
}

impl AlarmSpec {
    /// Metrics it reads, by which AWS bills it; the formula over them is free.
    pub fn billed_metrics(&self) -> usize {
        let billed = |query: &&AlarmQuery| !matches!(query, AlarmQuery::Expression { .. });
        self.queries.iter().filter(billed).count()
    }
}

/// The alarms that `stream` should have in this mode, at this size. On demand there is no capacity
/// of ours that demand could near, but AWS refuses writes there too.
pub fn desired(
    prefix: &AlarmPrefix,
    policy: &Policy,
    stream: &StreamName,
    mode: CapacityMode,
    open: Shards,
) -> Vec<AlarmSpec> {
    let throttle = throttle(prefix, stream);
    match mode {
        CapacityMode::Provisioned => vec![surge(prefix, policy, stream, open), throttle],
        CapacityMode::OnDemand => vec![throttle],
    }
}

fn surge(prefix: &AlarmPrefix, policy: &Policy, stream: &StreamName, open: Shards) -> AlarmSpec {
    let period = f64::from(PERIOD_SECONDS);
    let formula = format!(
        "MAX([bytes/{}, records/{}])",
        period * limits::SHARD_WRITE_BYTES_PER_SECOND,
        period * limits::SHARD_WRITE_RECORDS_PER_SECOND,
    );
    let queries = vec![
        AlarmQuery::StreamSum { id: "bytes", metric: "IncomingBytes" },
        AlarmQuery::StreamSum { id: "records", metric: "IncomingRecords" },
        AlarmQuery::Expression { id: "load", formula, label: "Demand in shards" },
    ];
    AlarmSpec {
        description: format!("Weir: demand on {stream} is near the capacity of its {open} shards"),
        threshold: f64::from(open.get()) * policy.surge_alarm_use.get(),
        ..at_once(prefix, stream, AlarmKind::Surge, queries)
    }
}

fn throttle(prefix: &AlarmPrefix, stream: &StreamName) -> AlarmSpec {
    let metric = "WriteProvisionedThroughputExceeded";
    let queries = vec![AlarmQuery::StreamSum { id: "throttled", metric }];
    AlarmSpec {
        description: format!("Weir: writes to {stream} are being refused"),
        ..at_once(prefix, stream, AlarmKind::Throttle, queries)
    }
}

/// An alarm of the stream itself that goes off at 1, in one minute.
fn at_once(
    prefix: &AlarmPrefix,
    stream: &StreamName,
    kind: AlarmKind,
    queries: Vec<AlarmQuery>,
) -> AlarmSpec {
    AlarmSpec {
        name: AlarmName::of(prefix, kind, stream),
        kind,
        stream: stream.clone(),
        consumer: None,
        description: String::new(),
        queries,
        period_seconds: PERIOD_SECONDS,
        threshold: 1.0,
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        // No data is no demand to an alarm; that it may be an outage is the planner's business.
        missing: MissingData::NotBreaching,
    }
}

/// An alarm's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// Below its threshold.
    Ok,
    /// At or above it.
    Alarm,
    /// Not enough data to tell.
    InsufficientData,
}

/// An alarm as it is in CloudWatch.
#[derive(Clone, Debug, PartialEq)]
pub struct ActualAlarm {
    /// Its name, under Weir's prefix.
    pub name: String,
    /// Its state.
    pub state: AlarmState,
    /// Whether it is configured as `spec`: compared by the adapter, field by field.
    pub spec: Option<AlarmSpec>,
}

/// What brings the actual alarms to the desired ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmChanges {
    /// Put these, new or changed.
    pub put: Vec<AlarmSpec>,
    /// Set these back: their configuration changed while they were in ALARM, and an alarm that
    /// stays in ALARM never fires again.
    pub rearm: Vec<AlarmName>,
    /// Delete these: nothing wants them any more.
    pub delete: Vec<String>,
}

/// Desired minus actual. Actual alarms that nothing desires are deleted, so `actual` must hold only
/// alarms of the streams that `desired` is about, under Weir's own prefix.
pub fn changes(desired: Vec<AlarmSpec>, actual: &[ActualAlarm]) -> AlarmChanges {
    let by_name: BTreeMap<&str, &ActualAlarm> =
        actual.iter().map(|alarm| (alarm.name.as_str(), alarm)).collect();
    let wanted: BTreeSet<String> =
        desired.iter().map(|spec| spec.name.as_str().to_owned()).collect();
    let mut changes = AlarmChanges {
        delete: actual.iter().map(|a| a.name.clone()).filter(|n| !wanted.contains(n)).collect(),
        ..AlarmChanges::default()
    };
    for spec in desired {
        match by_name.get(spec.name.as_str()) {
            Some(alarm) if alarm.spec.as_ref() == Some(&spec) => {}
            found => {
                if found.is_some_and(|alarm| alarm.state == AlarmState::Alarm) {
                    changes.rearm.push(spec.name.clone());
                }
                changes.put.push(spec);
            }
        }
    }
    changes
}
