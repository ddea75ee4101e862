//! The alarms of each kind of consumer, and which metric each watches.

use super::*;
use crate::consumer::Destination;

fn consumer(name: &str, reader: Reader) -> Consumer {
    Consumer {
        stream: StreamName::new("orders").expect("a name"),
        name: ConsumerName::new(name).expect("a name"),
        reader,
    }
}

fn mapping(filters: bool, counts_events: bool) -> Reader {
    Reader::Lambda(Mapping { filters, counts_events, ..plain() })
}

fn plain() -> Mapping {
    Mapping {
        uuid: "0d4f6d2e-6f2b-8f0e-2a3d-5b7c9e1f3a55".to_owned(),
        enabled: true,
        filters: false,
        counts_events: false,
        shares_function: false,
        one_of_several: false,
    }
}

fn firehose(destination: Destination, buffering_seconds: u32) -> Reader {
    Reader::Firehose(Delivery { destination, buffering_seconds })
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
        ("orders-to-s3", firehose(Destination::S3, 300)),
        ("orders-to-redshift", firehose(Destination::Redshift, 300)),
        ("orders-to-lake", firehose(Destination::Iceberg, 900)),
        ("orders-to-elsewhere", firehose(Destination::Unknown, 0)),
        ("orders-app", Reader::Kcl(KclMetrics::Application)),
        ("hub", Reader::Kcl(KclMetrics::Stream)),
        ("old-app", Reader::Kcl(KclMetrics::StreamOnly)),
        ("quiet-app", Reader::Kcl(KclMetrics::Nothing)),
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
        let silent = specs.into_iter().find(|s| s.kind == AlarmKind::Consumer(Symptom::Silence));
        silent.map(|spec| told(&[spec]))
    };
    assert_eq!(silence(true, false), None);
    assert!(silence(true, true).is_some_and(|text| text.contains("PolledEventCount")));
    assert!(silence(false, false).is_some_and(|text| text.contains("Invocations")));
}

/// The metrics of a function are those of all that call it: whether one of its mappings reads
/// is told by its own count, or by its state.
#[test]
fn a_disabled_mapping_of_a_busy_function_is_silent() {
    let silence = |mapping: Mapping| {
        let specs = alarms("eventaudit", Reader::Lambda(mapping));
        let silent = specs.into_iter().find(|s| s.kind == AlarmKind::Consumer(Symptom::Silence));
        told(&[silent.expect("an alarm")])
    };
    let shared = Mapping { shares_function: true, ..plain() };
    let disabled = Mapping { enabled: false, ..shared.clone() };
    let written = "| Sum AWS/Kinesis/IncomingRecords StreamName=orders | >= 1 in 3 of 3 x 300 s";
    assert!(silence(disabled.clone()).contains(written), "{}", silence(disabled));
    let filtering = Mapping { enabled: false, filters: true, ..plain() };
    assert!(silence(filtering).contains(written));
    assert!(silence(shared.clone()).contains("Invocations"));
    let counting = Mapping { enabled: false, counts_events: true, ..shared };
    assert!(silence(counting).contains("PolledEventCount"));
}

/// During a move from polling to fan-out a function reads a stream twice.
#[test]
fn two_mappings_of_a_function_to_a_stream_are_two_consumers() {
    let specs = |uuid: &str| {
        let mapping = Mapping {
            uuid: uuid.to_owned(),
            counts_events: true,
            shares_function: true,
            one_of_several: true,
            ..plain()
        };
        alarms("billing", Reader::Lambda(mapping))
    };
    let both = [specs("aaaaaaaa-6f2b"), specs("bbbbbbbb-6f2b")].concat();
    let names: std::collections::BTreeSet<&str> =
        both.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names.len(), both.len(), "{names:?}");
    assert!(names.contains("weir-lag-lambda-billing-aaaaaaaa@orders"), "{names:?}");
}

#[test]
fn a_consumer_is_read_back_from_its_alarms_name_whatever_the_names_hold() {
    let prefix = AlarmPrefix::default();
    for spec in alarms("eu-lag-lambda-x", Reader::Kcl(KclMetrics::StreamOnly)) {
        let read = AlarmName::read_consumer(&prefix, spec.name.as_str());
        let AlarmKind::Consumer(symptom) = spec.kind else { panic!("{}", spec.name) };
        assert_eq!(read, Some((symptom, spec.stream.clone(), spec.consumer.expect("an id"))));
    }
    for name in ["weir-surge-orders", "other-lag-kcl-a@b", "weir-lag-kcl-a@b@c", "weir-lag-a@b"] {
        assert_eq!(AlarmName::read_consumer(&prefix, name), None, "{name}");
    }
}

#[test]
fn who_wants_to_hear_nothing_pays_for_no_alarms() {
    let policy = AlertPolicy { routing: AlertRouting::Off, ..AlertPolicy::DEFAULT };
    let fraud = consumer("fraud", Reader::FanOut);
    assert_eq!(desired(&AlarmPrefix::default(), &policy, &fraud, 24), []);
}
