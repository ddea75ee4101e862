//! The alarms of a consumer, by the way it reads. What each metric hides is said where it is used.
//!
//! Not here: finding consumers, or what is made of an alarm that went off (`incident`).

use super::{
    AlarmKind, AlarmName, AlarmPrefix, AlarmQuery, AlarmSpec, MetricId, MissingData, Statistic,
    WRITTEN_ID,
};
use crate::consumer::{Consumer, ConsumerName, Destination, Mapping, Reader};
use crate::policy::{AlertPolicy, AlertRouting};
use crate::symptom::Symptom;

/// Minutes a consumer must be behind: a single late batch is no failure.
const LAG_MINUTES: u32 = 5;
/// Errors or throttles must show in this many of the last ten minutes.
const TROUBLED_MINUTES: u32 = 5;
const TROUBLE_WINDOW_MINUTES: u32 = 10;
/// Five minutes: the longest a mapping may wait to fill a batch.
const SILENCE_PERIOD_SECONDS: u32 = 300;
const SILENT_PERIODS: u32 = 3;
/// Age at which a Firehose delivery counts as failed: three times the longest default buffering.
const DELIVERY_LATE_SECONDS: f64 = 900.0;
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
        Reader::Firehose(destination) => watch.firehose(*destination, lag_millis),
        Reader::Kcl => watch.kcl(lag_millis),
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
        // function that is never invoked may be a healthy one, and only the mapping's own count
        // tells.
        match (mapping.filters, mapping.counts_events) {
            (_, true) => specs.push(self.silence(own("PolledEventCount"), Statistic::Sum)),
            (false, false) => specs.push(self.silence(function("Invocations"), Statistic::Sum)),
            (true, false) => {}
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

    fn firehose(&self, destination: Destination, lag_millis: f64) -> Vec<AlarmSpec> {
        let own = |name| {
            metric("AWS/Firehose", name, [("DeliveryStreamName", self.consumer.name.as_str())])
        };
        vec![
            self.lag(own("KinesisMillisBehindLatest"), lag_millis),
            self.trouble(Symptom::Errors, own("KMSKeyAccessDenied")),
            self.delivery(own(destination.freshness_metric())),
            self.silence(own("DataReadFromKinesisStream.Records"), Statistic::Sum),
        ]
    }

    fn kcl(&self, lag_millis: f64) -> Vec<AlarmSpec> {
        // Per shard there are as many metrics as shards, and every reshard makes new ones; an alarm
        // cannot search. This one is for the whole application. No worker, no metric.
        let own = || {
            let of_all_shards = [("Operation", "ApplicationTracker")];
            metric(self.consumer.name.as_str(), "MillisBehindLatest", of_all_shards)
        };
        vec![self.lag(own(), lag_millis), self.silence(own(), Statistic::SampleCount)]
    }

    fn polling(&self, lag_millis: f64) -> Vec<AlarmSpec> {
        // These see every consumer that polls, the slowest hiding the others: better than nothing.
        let shared = |name| metric("AWS/Kinesis", name, [self.stream_dimension()]);
        vec![
            self.lag(shared("GetRecords.IteratorAgeMilliseconds"), lag_millis),
            self.trouble(Symptom::Throttles, shared("ReadProvisionedThroughputExceeded")),
            self.silence(shared("GetRecords.IteratorAgeMilliseconds"), Statistic::SampleCount),
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

    /// The oldest record not delivered grows old. Success and bytes go missing, not to 0, when
    /// nothing is delivered; freshness is what tells.
    fn delivery(&self, metric: MetricId) -> AlarmSpec {
        let queries = vec![AlarmQuery::Metric { id: "age", metric, statistic: Statistic::Maximum }];
        AlarmSpec {
            threshold: DELIVERY_LATE_SECONDS,
            evaluation_periods: LAG_MINUTES,
            datapoints_to_alarm: LAG_MINUTES,
            missing: MissingData::Ignore,
            ..self.alarm(Symptom::Delivery, queries)
        }
    }

    /// Nothing read while records are written. FILL would turn the newest, not yet published period
    /// into a real zero, so it is the reading that is filled, and one period alone sets nothing
    /// off.
    fn silence(&self, read: MetricId, statistic: Statistic) -> AlarmSpec {
        let written = metric("AWS/Kinesis", "IncomingRecords", [self.stream_dimension()]);
        let formula = "IF(FILL(read, 0) > 0, 0, written)".to_owned();
        let queries = vec![
            AlarmQuery::Metric { id: WRITTEN_ID, metric: written, statistic: Statistic::Sum },
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
mod tests {
    use super::*;
    use crate::units::StreamName;

    fn consumer(name: &str, reader: Reader) -> Consumer {
        Consumer {
            stream: StreamName::new("orders").expect("a name"),
            name: ConsumerName::new(name).expect("a name"),
            reader,
        }
    }

    fn mapping(filters: bool, counts_events: bool) -> Reader {
        let uuid = "0d4f6d2e-6f2b-8f0e-2a3d-5b7c9e1f3a55".to_owned();
        Reader::Lambda(Mapping { uuid, enabled: true, filters, counts_events })
    }

    fn alarms(name: &str, reader: Reader) -> Vec<AlarmSpec> {
        desired(&AlarmPrefix::default(), &AlertPolicy::DEFAULT, &consumer(name, reader), 24)
    }

    fn told(specs: &[AlarmSpec]) -> String {
        let watched = |spec: &AlarmSpec| -> Vec<String> {
            let one = |query: &AlarmQuery| match query {
                AlarmQuery::Metric { metric, statistic, .. } => {
                    let at: Vec<String> = metric
                        .dimensions
                        .iter()
                        .map(|(name, value)| format!("{name}={value}"))
                        .collect();
                    format!(
                        "{} {}/{} {}",
                        statistic.name(),
                        metric.namespace,
                        metric.name,
                        at.join(",")
                    )
                }
                AlarmQuery::Expression { formula, .. } => formula.clone(),
                AlarmQuery::StreamSum { metric, .. } => format!("stream {metric}"),
            };
            spec.queries.iter().map(one).collect()
        };
        let line = |spec: &AlarmSpec| {
            format!(
                "{} | {} | >= {} in {} of {} x {} s, missing {}\n",
                spec.name,
                watched(spec).join("; "),
                spec.threshold,
                spec.datapoints_to_alarm,
                spec.evaluation_periods,
                spec.period_seconds,
                spec.missing.name()
            )
        };
        specs.iter().map(line).collect()
    }

    #[test]
    fn each_kind_of_consumer_has_the_alarms_it_needs() {
        let kinds = [
            ("billing:live", mapping(false, false)),
            ("fraud", Reader::FanOut),
            ("orders-to-s3", Reader::Firehose(Destination::S3)),
            ("orders-app", Reader::Kcl),
            ("legacy", Reader::Polling),
        ];
        let all: Vec<String> =
            kinds.into_iter().map(|(name, reader)| told(&alarms(name, reader))).collect();
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn a_mapping_that_filters_is_called_silent_only_by_its_own_count() {
        let silence = |filters, counts| {
            let specs = alarms("billing", mapping(filters, counts));
            let silent =
                specs.into_iter().find(|s| s.kind == AlarmKind::Consumer(Symptom::Silence));
            silent.map(|spec| told(&[spec]))
        };
        assert_eq!(silence(true, false), None);
        assert!(silence(true, true).is_some_and(|text| text.contains("PolledEventCount")));
        assert!(silence(false, false).is_some_and(|text| text.contains("Invocations")));
    }

    #[test]
    fn a_consumer_is_read_back_from_its_alarms_name_whatever_the_names_hold() {
        let prefix = AlarmPrefix::default();
        for spec in alarms("eu-lag-lambda-x", Reader::Kcl) {
            let read = AlarmName::read_consumer(&prefix, spec.name.as_str());
            let AlarmKind::Consumer(symptom) = spec.kind else { panic!("{}", spec.name) };
            assert_eq!(read, Some((symptom, spec.stream.clone(), spec.consumer.expect("an id"))));
        }
        for name in ["weir-surge-orders", "other-lag-kcl-a@b", "weir-lag-kcl-a@b@c", "weir-lag-a@b"]
        {
            assert_eq!(AlarmName::read_consumer(&prefix, name), None, "{name}");
        }
    }

    #[test]
    fn who_wants_to_hear_nothing_pays_for_no_alarms() {
        let policy = AlertPolicy { routing: AlertRouting::Off, ..AlertPolicy::DEFAULT };
        let fraud = consumer("fraud", Reader::FanOut);
        assert_eq!(desired(&AlarmPrefix::default(), &policy, &fraud, 24), []);
    }
}
