//! Finding consumers, against recorded-looking answers of Kinesis, Lambda and Firehose.

use serde_json::{Value, json};
use weir_core::consumer::Destination;

use super::*;
use crate::testing::{Answer, answering, json as answer, sent};

const STREAM: &str = "arn:aws:kinesis:eu-central-1:111122223333:stream/orders";

fn ok(body: Value) -> Answer {
    answer(200, &body)
}

fn summary() -> Answer {
    ok(json!({"StreamDescriptionSummary": {
        "StreamName": "orders", "StreamARN": STREAM, "StreamStatus": "ACTIVE",
        "RetentionPeriodHours": 24, "StreamCreationTimestamp": 1.7e9, "EnhancedMonitoring": [],
        "OpenShardCount": 4
    }}))
}

fn mapping(function: &str, state: &str) -> Value {
    json!({
        "UUID": format!("uuid-of-{function}"), "State": state, "EventSourceArn": STREAM,
        "FunctionArn": format!("arn:aws:lambda:eu-central-1:111122223333:function:{function}")
    })
}

fn mappings(list: &[Value], next: Option<&str>) -> Answer {
    ok(json!({"EventSourceMappings": list, "NextMarker": next}))
}

fn fan_out(names: &[&str]) -> Answer {
    let consumer = |name: &&str| {
        json!({
            "ConsumerName": name, "ConsumerARN": format!("{STREAM}/consumer/{name}:1"),
            "ConsumerStatus": "ACTIVE", "ConsumerCreationTimestamp": 1.7e9
        })
    };
    ok(json!({"Consumers": names.iter().map(consumer).collect::<Vec<_>>()}))
}

fn delivery(name: &str, reads: &str, destination: Value) -> Answer {
    let mut to = destination;
    to["DestinationId"] = json!("d");
    ok(json!({"DeliveryStreamDescription": {
        "DeliveryStreamName": name, "DeliveryStreamARN": "arn", "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": "KinesisStreamAsSource", "VersionId": "1",
        "Source": {"KinesisStreamSourceDescription": {"KinesisStreamARN": reads}},
        "Destinations": [to], "HasMoreDestinations": false
    }}))
}

fn deliveries(names: &[&str]) -> Answer {
    ok(json!({"DeliveryStreamNames": names, "HasMoreDeliveryStreams": false}))
}

fn orders() -> StreamName {
    StreamName::new("orders").expect("a name")
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_found_once_whatever_page_it_is_on() {
    let mut counting = mapping("fraud", "Disabled");
    counting["MetricsConfig"] = json!({"Metrics": ["EventCount"]});
    counting["FilterCriteria"] = json!({"Filters": [{"Pattern": "{}"}]});
    let splunk =
        json!({"SplunkDestinationDescription": {}, "S3DestinationDescription": Value::Null});
    let (aws, replay) = answering(vec![
        summary(),
        mappings(&[mapping("billing:live", "Enabled")], Some("more")),
        mappings(&[counting], None),
        fan_out(&["search", "by-function"]),
        mappings(&[], None),
        mappings(&[mapping("by-fan-out", "Enabled")], None),
        deliveries(&["archive", "elsewhere", "gone"]),
        delivery("archive", STREAM, splunk),
        delivery(
            "elsewhere",
            &format!("{STREAM}-2"),
            json!({"S3DestinationDescription": Value::Null}),
        ),
        answer(400, &json!({"__type": "ResourceNotFoundException", "message": "gone"})),
    ]);
    let found = aws.find_consumers(&orders()).await.expect("consumers");
    let ids: Vec<String> = found.iter().map(|consumer| consumer.id().to_string()).collect();
    assert_eq!(
        ids,
        [
            "lambda-billing.live",
            "lambda-fraud",
            "fanout-search",
            "lambda-by-fan-out",
            "firehose-archive"
        ]
    );
    let mapping = Mapping {
        uuid: "uuid-of-fraud".to_owned(),
        enabled: false,
        filters: true,
        counts_events: true,
    };
    assert_eq!(found[1].reader, Reader::Lambda(mapping));
    assert_eq!(found[4].reader, Reader::Firehose(Destination::Splunk));
    assert_eq!(sent(&replay), 10);
}

#[tokio::test(start_paused = true)]
async fn delivery_streams_are_read_once_for_all_streams() {
    let of_one = || vec![summary(), mappings(&[], None), fan_out(&[])];
    let answers = of_one().into_iter().chain([deliveries(&[])]).chain(of_one());
    let (aws, replay) = answering(answers.collect());
    for _ in 0..2 {
        assert_eq!(aws.find_consumers(&orders()).await.expect("consumers"), []);
    }
    assert_eq!(sent(&replay), 7);
}

/// Who cannot be looked for must not look gone: its alarms would be deleted.
#[tokio::test(start_paused = true)]
async fn a_service_that_fails_is_no_empty_list() {
    let denied = answer(403, &json!({"__type": "AccessDeniedException", "Message": "no"}));
    let (aws, _) = answering(vec![summary(), denied]);
    let error = aws.find_consumers(&orders()).await.expect_err("denied");
    assert_eq!((error.operation, error.failure), ("ListEventSourceMappings", Failure::Denied));
}
