//! What is known of a failing consumer besides that it fails.
//!
//! Its alarms are read first: they name the very metrics, whatever the consumer is called, and the
//! id in the ledger may hold only the beginning of that. What cannot be read is left out. Not here:
//! metrics of single shards, so no message says that one shard alone is behind; what follows from
//! evidence (`weir_core::incident`).

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use jiff::{SignedDuration, Timestamp};
use tracing::warn;
use weir_control::ports::{DescribeStream, PortResult, ReadAlarmStates, ReadEvidence, ReadRecord};
use weir_core::action::{Change, Outcome};
use weir_core::alarms::AlarmName;
use weir_core::consumer::{Consumer, ConsumerId, ConsumerKind, Reader};
use weir_core::incident::{Evidence, LagPoint, Subject, Symptom, Watched};
use weir_core::units::StreamName;

use crate::Aws;
use crate::metrics::{GET_METRIC_DATA, NAMESPACE, STREAM_DIMENSION};

/// What is counted is counted over these minutes.
const COUNTED_MINUTES: i64 = 10;
/// Traffic now is held against traffic an hour before.
const BEFORE_MINUTES: i64 = 60;
const MINUTE_SECONDS: i64 = 60;
/// Reshards older than this explain no lag.
const RESHARDS_SINCE: SignedDuration = SignedDuration::from_hours(24);

/// A metric by the minute: the minute's begin in seconds, and the value.
type Points = Vec<(i64, f64)>;
/// What the alarms of a consumer watch.
type Alarms = Vec<(Symptom, Watched)>;

impl ReadEvidence for Aws {
    async fn read_evidence(&self, subject: &Subject, now: Timestamp) -> Evidence {
        let Subject::Consumer { stream, consumer } = subject else { return Evidence::default() };
        let state = known("retention", self.describe_stream(stream).await);
        let alarms = known("alarms", self.watched(stream, consumer).await);
        let metrics = match &alarms {
            Some(alarms) => known("metrics", self.metrics_of(stream, alarms, now).await),
            None => None,
        };
        let alarms = alarms.unwrap_or_default();
        let mapping = known("mapping", self.mapping(stream, consumer, &alarms).await).flatten();
        Evidence {
            retention_hours: state.map(|state| state.retention_hours),
            enabled: mapping.map(|(enabled, _)| enabled),
            also_called_by: mapping.map(|(_, others)| others),
            resharded_at: known("reshards", self.resharded_at(stream, now).await).flatten(),
            ..metrics.map(|metrics| metrics.evidence(now)).unwrap_or_default()
        }
    }
}

/// A message never waits for its evidence.
fn known<T>(what: &str, read: PortResult<T>) -> Option<T> {
    read.inspect_err(|error| warn!(what, %error, "evidence is missing")).ok()
}

impl Aws {
    /// Whether a mapping of it polls, and how many others call its function; `None` for what has no
    /// mapping of its own to the stream. It is looked for by the function, since it may read by a
    /// fan-out consumer, whose ARN nobody knows here.
    async fn mapping(
        &self,
        stream: &StreamName,
        id: &ConsumerId,
        alarms: &Alarms,
    ) -> PortResult<Option<(bool, usize)>> {
        if id.kind() != Some(ConsumerKind::Lambda) {
            return Ok(None);
        }
        let whole = alarms.iter().find_map(|(_, one)| one.consumer_name(ConsumerKind::Lambda));
        // An id has a dot for the colon before an alias; a function's name has none of its own.
        let function = whole.map_or_else(|| id.name().replace('.', ":"), str::to_owned);
        let arn = self.stream_arn(stream).await?;
        let (mappings, all) = self.mappings_of(&function, stream, &arn).await?;
        let enabled = |consumer: &Consumer| match &consumer.reader {
            Reader::Lambda(mapping) if consumer.id() == *id => Some(mapping.enabled),
            _ => None,
        };
        let enabled = mappings.iter().filter_map(enabled).max();
        Ok(enabled.map(|enabled| (enabled, all.saturating_sub(1))))
    }

    async fn resharded_at(
        &self,
        stream: &StreamName,
        now: Timestamp,
    ) -> PortResult<Option<Timestamp>> {
        let record = self.read_record(stream, now - RESHARDS_SINCE).await?;
        let actions = record.into_iter().flat_map(|record| record.actions);
        let reshards = actions.map(|action| action.record).filter(|action| {
            matches!(action.change, Change::Reshard { .. })
                && matches!(action.outcome, Outcome::Accepted | Outcome::Unknown)
        });
        Ok(reshards.map(|action| action.at).max())
    }

    /// What its alarms watch.
    async fn watched(&self, stream: &StreamName, consumer: &ConsumerId) -> PortResult<Alarms> {
        let prefix = &self.settings.alarm_prefix;
        let name = |symptom| AlarmName::of_consumer(prefix, symptom, stream, consumer);
        let symptoms = Symptom::ALL.map(|symptom| (symptom, name(symptom).as_str().to_owned()));
        let names = symptoms.clone().map(|(_, name)| name);
        let alarms = self.alarm_states(&names).await?.into_iter();
        let watched = alarms.filter_map(|alarm| {
            let (symptom, _) = symptoms.iter().find(|(_, name)| *name == alarm.alarm_name)?;
            Some((*symptom, alarm.watched?))
        });
        Ok(watched.collect())
    }

    async fn metrics_of(
        &self,
        stream: &StreamName,
        alarms: &Alarms,
        now: Timestamp,
    ) -> PortResult<Metrics> {
        let mut asked = vec![("written", of_stream("IncomingRecords", stream))];
        for (symptom, watched) in alarms {
            if *symptom == Symptom::Errors && watched.namespace == "AWS/Lambda" {
                let invocations = Watched { metric: "Invocations".to_owned(), ..watched.clone() };
                asked.push(("invocations", invocations));
            }
            asked.push((symptom.code(), watched.clone()));
        }
        let now = now.as_second().div_euclid(MINUTE_SECONDS) * MINUTE_SECONDS;
        let start = now - (BEFORE_MINUTES + COUNTED_MINUTES) * MINUTE_SECONDS;
        self.paces.get_metric_data.turn().await;
        let answer = self
            .clients
            .cloudwatch()
            .get_metric_data()
            .set_metric_data_queries(Some(asked.iter().map(|(id, one)| query(id, one)).collect()))
            .start_time(DateTime::from_secs(start))
            .end_time(DateTime::from_secs(now))
            .scan_by(ScanBy::TimestampAscending)
            .send()
            .await
            .map_err(|e| GET_METRIC_DATA.failed(e))?;
        let points = answer.metric_data_results().iter().filter_map(|result| {
            let seconds = result.timestamps().iter().map(DateTime::secs);
            Some((result.id()?.to_owned(), seconds.zip(result.values().iter().copied()).collect()))
        });
        Ok(Metrics { points: points.collect() })
    }
}

fn of_stream(metric: &str, stream: &StreamName) -> Watched {
    Watched {
        namespace: NAMESPACE.to_owned(),
        metric: metric.to_owned(),
        dimensions: BTreeMap::from([(STREAM_DIMENSION.to_owned(), stream.to_string())]),
        statistic: "Sum".to_owned(),
        period_seconds: 60,
        threshold: None,
    }
}

fn query(id: &str, watched: &Watched) -> MetricDataQuery {
    let dimensions = watched.dimensions.iter();
    let dimension = |(name, value)| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace(&watched.namespace)
        .metric_name(&watched.metric)
        .set_dimensions(Some(dimensions.map(dimension).collect()));
    let stat = MetricStat::builder().metric(metric.build()).period(60).stat(&watched.statistic);
    MetricDataQuery::builder().id(id).metric_stat(stat.build()).build()
}

/// What CloudWatch answered, by query.
#[derive(Debug, Default)]
struct Metrics {
    points: BTreeMap<String, Points>,
}

impl Metrics {
    fn evidence(&self, now: Timestamp) -> Evidence {
        let newest = now.as_second();
        let recent = newest - COUNTED_MINUTES * MINUTE_SECONDS..newest;
        let before = recent.start - BEFORE_MINUTES * MINUTE_SECONDS
            ..recent.end - BEFORE_MINUTES * MINUTE_SECONDS;
        let sum = |id: &str, within: &std::ops::Range<i64>| {
            let points = self.of(id).iter().filter(|(at, _)| within.contains(at));
            points.map(|(_, value)| *value).reduce(|sum, value| sum + value)
        };
        let lag = self.of("lag").iter().filter_map(|(at, value)| {
            // A minute's value is known at its end, and all lag alarms watch milliseconds.
            let at = Timestamp::from_second(at + MINUTE_SECONDS).ok()?;
            Some(LagPoint { at, seconds: value / 1_000.0 })
        });
        let read = self.of("silence").iter().rev().find(|(_, value)| *value > 0.0);
        Evidence {
            lag: lag.collect(),
            last_read_at: read.and_then(|(at, _)| Timestamp::from_second(*at).ok()),
            invocations: sum("invocations", &recent),
            errors: sum("errors", &recent),
            throttles: sum("throttles", &recent),
            written: sum("written", &recent).zip(sum("written", &before)),
            ..Evidence::default()
        }
    }

    fn of(&self, id: &str) -> &[(i64, f64)] {
        self.points.get(id).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
