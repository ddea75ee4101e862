//! The alarms of a consumer, by the way it reads. What each metric hides is said where it is used.
//!
//! Not here: finding consumers, or what is made of an alarm that went off (`incident`).

use super::{
    AlarmKind, AlarmName, AlarmPrefix, AlarmQuery, AlarmSpec, MetricId, MissingData, Statistic,
    WRITTEN_ID,
};
use crate::consumer::{Consumer, ConsumerName, Delivery, KclMetrics, Mapping, Reader};
use crate::policy::{AlertPolicy, AlertRouting};
use crate::symptom::Symptom;
use crate::units::StreamName;

/// Minutes a consumer must be behind: a single late batch is no failure.
const LAG_MINUTES: u32 = 5;
/// Errors or throttles must show in this many of the last ten minutes.
const TROUBLED_MINUTES: u32 = 5;
const TROUBLE_WINDOW_MINUTES: u32 = 10;
/// Five minutes: the longest a mapping may wait to fill a batch.
const SILENCE_PERIOD_SECONDS: u32 = 300;
const SILENT_PERIODS: u32 = 3;
/// Age at which a Firehose delivery counts as failed: three times the longest default buffering,
/// but never less than what it is set to hold back and time to deliver that.
const DELIVERY_LATE_SECONDS: u32 = 900;
const DELIVERY_TAKES_SECONDS: u32 = 600;
/// Firehose tells CloudWatch every five minutes, says an edition of its guide; the newer ones say
/// nothing. With periods as long, an alarm goes off either way.
const FIREHOSE_PERIOD_SECONDS: u32 = 300;
const FIREHOSE_PERIODS: u32 = 3;
const FIREHOSE_PERIODS_TO_ALARM: u32 = 2;
const MINUTE_SECONDS: u32 = 60;

/// The alarms that a consumer of a stream with this retention should have.
pub fn desired(
    prefix: &AlarmPrefix,
    policy: &AlertPolicy,
    consumer: &Consumer,
    retention_hours: u32,
) -> Vec<AlarmSpec> {
    if policy.routing == AlertRouting::Off {
        return Vec::new();
    }
    let watch = Watch { prefix, consumer };
    let retention_millis = f64::from(retention_hours) * 3_600_000.0;
    let lag_millis = (policy.lag_alarm.get() * retention_millis).round();
    match &consumer.reader {
        Reader::Lambda(mapping) => watch.lambda(mapping, lag_millis),
        Reader::FanOut => watch.fan_out(lag_millis),
        Reader::Firehose(delivery) => watch.firehose(*delivery, lag_millis),
        Reader::Kcl(metrics) => watch.kcl(*metrics, lag_millis),
        Reader::Polling => watch.polling(lag_millis),
    }
}

struct Watch<'a> {
    prefix: &'a AlarmPrefix,
    consumer: &'a Consumer,
}

impl Watch<'_> {
    fn lambda(&self, mapping: &Mapping, lag_millis: f64) -> Vec<AlarmSpec> {
        let function = |name| function_metric(&self.consumer.name, name);
        let own =
            |name: &str| metric("AWS/Lambda", name, [("EventSourceMappingUUID", &*mapping.uuid)]);
        let mut specs = vec![
            self.lag(function("IteratorAge"), lag_millis),
            self.trouble(Symptom::Errors, function("Errors")),
            self.trouble(Symptom::Throttles, function("Throttles")),
            // What neither the function nor its failure destination takes is gone.
            self.once(Symptom::Delivery, function("DestinationDeliveryFailures")),
        ];
        if mapping.counts_events {
            specs.push(self.once(Symptom::Dropped, own("DroppedEventCount")));
        }
        // A mapping that is disabled or broken emits nothing, not even errors. Where it filters, a
        // function that is never invoked may be a healthy one; where others call the function too,
        // one that is invoked tells nothing of this mapping. Its own count tells, or its state,
        // which is looked at each hour.
        let hidden = mapping.filters || mapping.shares_function;
        match () {
            () if mapping.counts_events => {
                specs.push(self.silence(own("PolledEventCount"), Statistic::Sum));
            }
            () if !mapping.enabled && hidden => specs.push(self.unread()),
            () if !mapping.filters => {
                specs.push(self.silence(function("Invocations"), Statistic::Sum));
            }
            () => {}
        }
        specs
    }

    fn fan_out(&self, lag_millis: f64) -> Vec<AlarmSpec> {
        let own = |name| {
            let consumer = ("ConsumerName", self.consumer.name.as_str());
            metric("AWS/Kinesis", name, [self.stream_dimension(), consumer])
        };
        vec![
            self.lag(own("SubscribeToShardEvent.MillisBehindLatest"), lag_millis),
            self.trouble(Symptom::Throttles, own("SubscribeToShard.RateExceeded")),
            self.silence(own("SubscribeToShardEvent.MillisBehindLatest"), Statistic::SampleCount),
        ]
    }

    fn firehose(&self, delivery: Delivery, lag_millis: f64) -> Vec<AlarmSpec> {
        let own = |name| {
            metric("AWS/Firehose", name, [("DeliveryStreamName", self.consumer.name.as_str())])
        };
        let mut specs = vec![
            by_five_minutes(self.lag(own("KinesisMillisBehindLatest"), lag_millis)),
            by_five_minutes(self.trouble(Symptom::Errors, own("KMSKeyAccessDenied"))),
            self.silence(own("DataReadFromKinesisStream.Records"), Statistic::Sum),
        ];
        let destination = delivery.destination;
        specs.extend(destination.freshness_metric().map(|freshness| {
            let late = delivery.buffering_seconds + DELIVERY_TAKES_SECONDS;
            let late = late.max(DELIVERY_LATE_SECONDS);
            by_five_minutes(self.delivery(
                own(freshness),
                destination.success_metric().map(own),
                late,
            ))
        }));
        specs
    }

    fn kcl(&self, metrics: KclMetrics, lag_millis: f64) -> Vec<AlarmSpec> {
        let own = || kcl_lag(self.consumer.name.as_str());
        match metrics {
            KclMetrics::Application => {
                vec![self.lag(own(), lag_millis), self.silence(own(), Statistic::SampleCount)]
            }
            KclMetrics::Stream => self.polling(lag_millis),
            KclMetrics::StreamOnly => {
                let mut specs = self.polling(lag_millis);
                specs.push(self.unwatched());
                specs
            }
            KclMetrics::Nothing => vec![self.unwatched()],
        }
    }

    fn polling(&self, lag_millis: f64) -> Vec<AlarmSpec> {
        // These see every consumer that polls, the slowest hiding the others: better than nothing.
        let stream = &self.consumer.stream;
        let refused = "ReadProvisionedThroughputExceeded";
        vec![
            self.lag(polled_lag(stream), lag_millis),
            self.trouble(
                Symptom::Throttles,
                metric("AWS/Kinesis", refused, [self.stream_dimension()]),
            ),
            self.silence(polled_lag(stream), Statistic::SampleCount),
        ]
    }

    fn stream_dimension(&self) -> (&'static str, &str) {
        ("StreamName", self.consumer.stream.as_str())
    }

    /// Behind by a share of the retention. Where the metric stops the consumer has not caught up,
    /// so the state stays; that it stopped is told by the silence alarm.
    fn lag(&self, metric: MetricId, threshold_millis: f64) -> AlarmSpec {
        let queries = vec![AlarmQuery::Metric { id: "lag", metric, statistic: Statistic::Maximum }];
        AlarmSpec {
            threshold: threshold_millis,
            evaluation_periods: LAG_MINUTES,
            datapoints_to_alarm: LAG_MINUTES,
            missing: MissingData::Ignore,
            ..self.alarm(Symptom::Lag, queries)
        }
    }

    /// Something counted that a healthy consumer shows now and then, and a failing one all the
    /// time.
    fn trouble(&self, symptom: Symptom, metric: MetricId) -> AlarmSpec {
        AlarmSpec {
            evaluation_periods: TROUBLE_WINDOW_MINUTES,
            datapoints_to_alarm: TROUBLED_MINUTES,
            ..self.once(symptom, metric)
        }
    }

    /// Something counted that must not happen at all.
    fn once(&self, symptom: Symptom, metric: MetricId) -> AlarmSpec {
        let queries = vec![AlarmQuery::Metric { id: "count", metric, statistic: Statistic::Sum }];
        self.alarm(symptom, queries)
    }

    /// The oldest record not delivered grows old. Success goes missing, not to 0, when nothing is
    /// delivered; freshness is what tells, and success besides where the last step is watched by it
    /// alone.
    fn delivery(&self, freshness: MetricId, success: Option<MetricId>, late: u32) -> AlarmSpec {
        let statistic = Statistic::Maximum;
        let mut queries = vec![AlarmQuery::Metric { id: "age", metric: freshness, statistic }];
        let mut threshold = f64::from(late);
        if let Some(metric) = success {
            let statistic = Statistic::Average;
            let formula = format!("age >= {late} OR success < 1");
            queries.push(AlarmQuery::Metric { id: "success", metric, statistic });
            queries.push(AlarmQuery::Expression { id: "fails", formula, label: "Not delivered" });
            threshold = 1.0;
        }
        AlarmSpec {
            threshold,
            missing: MissingData::Ignore,
            ..self.alarm(Symptom::Delivery, queries)
        }
    }

    /// Nothing read while records are written. Between two series CloudWatch takes a value that one
    /// of them lacks for 0 (metric math, comparison and logical operators), so this goes off for a
    /// metric that never was as well; what FILL makes of such a one is not documented. The newest
    /// period of the reading may just not be published yet, so one period alone sets nothing off.
    fn silence(&self, read: MetricId, statistic: Statistic) -> AlarmSpec {
        let formula = "IF(written > 0 AND read > 0, 0, written)".to_owned();
        let queries = vec![
            self.written(),
            AlarmQuery::Metric { id: "read", metric: read, statistic },
            AlarmQuery::Expression {
                id: "unread",
                formula,
                label: "Written while nothing is read",
            },
        ];
        AlarmSpec {
            period_seconds: SILENCE_PERIOD_SECONDS,
            evaluation_periods: SILENT_PERIODS,
            datapoints_to_alarm: SILENT_PERIODS,
            ..self.alarm(Symptom::Silence, queries)
        }
    }

    /// Nothing is read, for certain: only whether anything is written is left to be seen.
    fn unread(&self) -> AlarmSpec {
        AlarmSpec {
            period_seconds: SILENCE_PERIOD_SECONDS,
            evaluation_periods: SILENT_PERIODS,
            datapoints_to_alarm: SILENT_PERIODS,
            ..self.alarm(Symptom::Silence, vec![self.written()])
        }
    }

    /// Goes off with the first datapoint of the stream and stays: that a metric is not there is
    /// told by the alarm being there.
    fn unwatched(&self) -> AlarmSpec {
        AlarmSpec {
            threshold: 0.0,
            period_seconds: SILENCE_PERIOD_SECONDS,
            missing: MissingData::Ignore,
            ..self.alarm(Symptom::Unwatched, vec![self.written()])
        }
    }

    fn written(&self) -> AlarmQuery {
        let metric = metric("AWS/Kinesis", "IncomingRecords", [self.stream_dimension()]);
        AlarmQuery::Metric { id: WRITTEN_ID, metric, statistic: Statistic::Sum }
    }

    fn alarm(&self, symptom: Symptom, queries: Vec<AlarmQuery>) -> AlarmSpec {
        let (stream, id) = (&self.consumer.stream, self.consumer.id());
        AlarmSpec {
            name: AlarmName::of_consumer(self.prefix, symptom, stream, &id),
            kind: AlarmKind::Consumer(symptom),
            description: format!(
                "Weir: {} {} of stream {stream} {}",
                self.consumer.kind().words(),
                self.consumer.name,
                symptom.happens()
            ),
            stream: stream.clone(),
            consumer: Some(id),
            queries,
            period_seconds: MINUTE_SECONDS,
            threshold: 1.0,
            evaluation_periods: 1,
            datapoints_to_alarm: 1,
            missing: MissingData::NotBreaching,
        }
    }
}

/// How far behind a KCL application is, over all it reads, milliseconds; no worker, no metric. Per
/// shard there are as many metrics as shards, and every reshard makes new ones; an alarm cannot
/// search. KCL has it since release 2.3.9.
pub fn kcl_lag(namespace: &str) -> MetricId {
    metric(namespace, "MillisBehindLatest", [("Operation", "ApplicationTracker")])
}

/// How far behind the slowest is that polls the stream with GetRecords, milliseconds.
pub fn polled_lag(stream: &StreamName) -> MetricId {
    metric("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", [("StreamName", stream.as_str())])
}

/// As what comes to CloudWatch every five minutes is watched.
fn by_five_minutes(spec: AlarmSpec) -> AlarmSpec {
    AlarmSpec {
        period_seconds: FIREHOSE_PERIOD_SECONDS,
        evaluation_periods: FIREHOSE_PERIODS,
        datapoints_to_alarm: FIREHOSE_PERIODS_TO_ALARM,
        ..spec
    }
}

/// A function's metric; of one alias or version where the name has one.
fn function_metric(name: &ConsumerName, metric_name: &str) -> MetricId {
    match name.as_str().split_once(':') {
        None => metric("AWS/Lambda", metric_name, [("FunctionName", name.as_str())]),
        Some((function, _)) => metric(
            "AWS/Lambda",
            metric_name,
            [("FunctionName", function), ("Resource", name.as_str())],
        ),
    }
}

fn metric<const N: usize>(namespace: &str, name: &str, dimensions: [(&str, &str); N]) -> MetricId {
    MetricId {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

#[cfg(test)]
mod tests;
