//! Finding consumers, against recorded-looking answers of Kinesis, Lambda and Firehose.

use serde_json::{Value, json};
use weir_core::consumer::{Delivery, Destination};

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
    mapping_of(function, state, STREAM)
}

fn mapping_of(function: &str, state: &str, source: &str) -> Value {
    json!({
        "UUID": format!("uuid-of-{function}"), "State": state, "EventSourceArn": source,
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
    let fan_out_arn = format!("{STREAM}/consumer/by-function:1");
    let by_fan_out = mapping_of("by-fan-out", "Enabled", &fan_out_arn);
    let of_another = mapping_of("other", "Enabled", &format!("{STREAM}-2"));
    let splunk =
        json!({"SplunkDestinationDescription": {}, "S3DestinationDescription": Value::Null});
    let (aws, replay) = answering(vec![
        summary(),
        mappings(&[mapping("billing:live", "Enabled")], Some("more")),
        mappings(&[counting, by_fan_out, of_another], None),
        fan_out(&["search", "by-function"]),
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
            "lambda-by-fan-out",
            "fanout-search",
            "firehose-archive"
        ]
    );
    let mapping = Mapping {
        uuid: "uuid-of-fraud".to_owned(),
        enabled: false,
        filters: true,
        counts_events: true,
        shares_function: false,
        one_of_several: false,
    };
    assert_eq!(found[1].reader, Reader::Lambda(mapping));
    let to_splunk = Delivery { destination: Destination::Splunk, buffering_seconds: 0 };
    assert_eq!(found[4].reader, Reader::Firehose(to_splunk));
    assert_eq!(sent(&replay), 8);
}

/// Whatever it delivers to, it reads the stream, and may be late by what it is set to hold back.
#[tokio::test(start_paused = true)]
async fn a_delivery_stream_is_a_consumer_whatever_it_delivers_to() {
    let hints = |seconds: u32| json!({"IntervalInSeconds": seconds, "SizeInMBs": 5});
    let s3 = |hints: Value| {
        json!({
            "RoleARN": "r", "BucketARN": "b", "BufferingHints": hints, "CompressionFormat": "GZIP",
            "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        })
    };
    let lake = json!({"IcebergDestinationDescription": {
        "BufferingHints": hints(900), "S3DestinationDescription": s3(json!({})),
    }});
    let warehouse = json!({"RedshiftDestinationDescription": {
        "RoleARN": "r", "ClusterJDBCURL": "u", "CopyCommand": {"DataTableName": "t"},
        "Username": "u", "S3DestinationDescription": s3(hints(120)),
    }});
    let (aws, _) = answering(vec![
        summary(),
        mappings(&[], None),
        fan_out(&[]),
        deliveries(&["lake", "warehouse", "to-mars"]),
        delivery("lake", STREAM, lake),
        delivery("warehouse", STREAM, warehouse),
        delivery("to-mars", STREAM, json!({"MarsDestinationDescription": {}})),
    ]);
    let found = aws.find_consumers(&orders()).await.expect("consumers");
    let readers: Vec<Reader> = found.into_iter().map(|consumer| consumer.reader).collect();
    let to = |destination, buffering_seconds| {
        Reader::Firehose(Delivery { destination, buffering_seconds })
    };
    let expected = [
        to(Destination::Iceberg, 900),
        to(Destination::Redshift, 120),
        to(Destination::Unknown, 0),
    ];
    assert_eq!(readers, expected);
}

/// Lambda shows no filters that are encrypted with a key of the owner's, or that it cannot decrypt.
#[tokio::test(start_paused = true)]
async fn filters_that_are_not_shown_are_filters_all_the_same() {
    let mut encrypted = mapping("encrypted", "Enabled");
    encrypted["KMSKeyArn"] = json!("arn:aws:kms:eu-central-1:111122223333:key/k");
    encrypted["FilterCriteria"] = Value::Null;
    let mut unread = mapping("unread", "Enabled");
    unread["FilterCriteriaError"] = json!({"ErrorCode": "KMSAccessDenied", "Message": "no"});
    let plain = mapping("plain", "Enabled");
    let (aws, _) = answering(vec![
        summary(),
        mappings(&[encrypted, unread, plain], None),
        fan_out(&[]),
        deliveries(&[]),
    ]);
    let found = aws.find_consumers(&orders()).await.expect("consumers");
    let filters = |consumer: &Consumer| match &consumer.reader {
        Reader::Lambda(mapping) => mapping.filters,
        other => panic!("{other:?}"),
    };
    assert_eq!(found.iter().map(filters).collect::<Vec<_>>(), [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn delivery_streams_are_read_once_for_all_streams() {
    let (aws, replay) = answering(vec![
        summary(),
        mappings(&[], None),
        fan_out(&[]),
        deliveries(&[]),
        fan_out(&[]),
    ]);
    for _ in 0..2 {
        assert_eq!(aws.find_consumers(&orders()).await.expect("consumers"), []);
    }
    assert_eq!(sent(&replay), 5);
}

/// What is found of the functions of these mappings: id, and whether their metrics are others' too.
async fn functions(list: &[Value]) -> Vec<(String, bool)> {
    let (aws, _) = answering(vec![summary(), mappings(list, None), fan_out(&[]), deliveries(&[])]);
    let found = aws.find_consumers(&orders()).await.expect("consumers");
    let told = |consumer: &Consumer| match &consumer.reader {
        Reader::Lambda(mapping) => (consumer.id().to_string(), mapping.shares_function),
        other => panic!("{other:?}"),
    };
    found.iter().map(told).collect()
}

/// Metrics of a function are those of all mappings that call it.
#[tokio::test(start_paused = true)]
async fn a_function_that_others_call_too_is_known_as_one() {
    let payments = format!("{STREAM}-payments");
    let with_uuid = |mut mapping: Value, uuid: &str| {
        mapping["UUID"] = json!(uuid);
        mapping
    };
    let elsewhere = |function| with_uuid(mapping_of(function, "Enabled", &payments), "elsewhere");
    let one = |function| with_uuid(mapping(function, "Disabled"), "here");
    let told = async |here, there| functions(&[one(here), elsewhere(there)]).await;
    let audit = |shared| vec![("lambda-audit".to_owned(), shared)];
    assert_eq!(told("audit", "audit").await, audit(true));
    assert_eq!(told("audit", "billing").await, audit(false));
    // What an alias does counts for the function as a whole, but not the other way round.
    assert_eq!(told("audit", "audit:live").await, audit(true));
    assert_eq!(told("audit:live", "audit").await, [("lambda-audit.live".to_owned(), false)]);
    // The newest version has no name of its own, and is watched like the function.
    assert_eq!(told("audit:$LATEST", "billing").await, audit(false));
}

#[tokio::test(start_paused = true)]
async fn two_mappings_of_a_function_to_the_stream_have_ids_of_their_own() {
    let mut polls = mapping("billing", "Enabled");
    polls["UUID"] = json!("aaaaaaaa-6f2b-8f0e-2a3d-5b7c9e1f3a55");
    let mut fans_out = mapping_of("billing", "Enabled", &format!("{STREAM}/consumer/efo:1"));
    fans_out["UUID"] = json!("bbbbbbbb-6f2b-8f0e-2a3d-5b7c9e1f3a55");
    let ids = ["lambda-billing-aaaaaaaa", "lambda-billing-bbbbbbbb"];
    assert_eq!(functions(&[polls, fans_out]).await, ids.map(|id| (id.to_owned(), true)));
}

/// Who cannot be looked for must not look gone: its alarms would be deleted.
#[tokio::test(start_paused = true)]
async fn a_service_that_fails_is_no_empty_list() {
    let denied = answer(403, &json!({"__type": "AccessDeniedException", "Message": "no"}));
    let (aws, _) = answering(vec![summary(), denied]);
    let error = aws.find_consumers(&orders()).await.expect_err("denied");
    assert_eq!((error.operation, error.failure), ("ListEventSourceMappings", Failure::Denied));
}
