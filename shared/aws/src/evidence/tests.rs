//! Evidence from recorded-looking answers of Kinesis, CloudWatch, Lambda and DynamoDB.

use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, answering, cbor, json as answer};

const NOW: i64 = 1_800_000_000;

fn subject() -> Subject {
    Subject::Consumer {
        stream: StreamName::new("orders").expect("a name"),
        consumer: ConsumerId::read("lambda-billing").expect("an id"),
    }
}

fn summary() -> Answer {
    answer(
        200,
        &json!({"StreamDescriptionSummary": {
            "StreamName": "orders", "StreamARN": "arn:aws:kinesis:r:1:stream/orders",
            "StreamStatus": "ACTIVE", "RetentionPeriodHours": 48,
            "StreamCreationTimestamp": 1.7e9, "EnhancedMonitoring": [], "OpenShardCount": 4
        }}),
    )
}

fn alarm(symptom: &str, metric: &str, statistic: &str) -> Value {
    json!({
        "AlarmName": format!("weir-{symptom}-lambda-billing@orders"), "StateValue": "ALARM",
        "StateTransitionedTimestamp": NOW - 600,
        "Namespace": "AWS/Lambda", "MetricName": metric, "Statistic": statistic, "Period": 60,
        "Dimensions": [{"Name": "FunctionName", "Value": "billing"}]
    })
}

fn result(id: &str, points: &[(i64, f64)]) -> Value {
    json!({
        "Id": id, "StatusCode": "Complete",
        "Timestamps": points.iter().map(|(minute, _)| NOW - minute * 60).collect::<Vec<_>>(),
        "Values": points.iter().map(|(_, value)| *value).collect::<Vec<_>>()
    })
}

#[tokio::test(start_paused = true)]
async fn what_the_alarms_watch_is_what_is_read() {
    let alarms = [
        alarm("lag", "IteratorAge", "Maximum"),
        alarm("errors", "Errors", "Sum"),
        alarm("silence", "Invocations", "Sum"),
    ];
    let metrics = [
        result("lag", &[(5, 60_000.0), (2, 240_000.5)]),
        result("errors", &[(15, 100.0), (4, 3.0), (3, 4.0)]),
        result("invocations", &[(4, 10.0)]),
        result("silence", &[(9, 2.0), (4, 10.0), (3, 0.0)]),
        result("written", &[(65, 100.0), (5, 900.0)]),
    ];
    let mapping = json!({
        "UUID": "u", "State": "Disabled", "EventSourceArn": "arn:aws:kinesis:r:1:stream/orders",
        "FunctionArn": "arn:aws:lambda:r:1:function:billing"
    });
    let reshard = json!({"kind": "reshard", "from": 2, "to": 4}).to_string();
    let action = |at: &str, outcome: &str| {
        json!({
            "pk": {"S": "stream#orders"}, "sk": {"S": "action"}, "schema": {"N": "1"},
            "plan_id": {"S": "p"}, "at": {"S": at}, "change": {"S": reshard},
            "outcome": {"S": outcome}
        })
    };
    let actions = [
        action("2027-01-15T06:00:00Z", "{\"outcome\":\"accepted\"}"),
        action("2027-01-15T07:00:00Z", "{\"outcome\":\"refused\",\"reason\":\"limit_reached\"}"),
    ];
    let (aws, replay) = answering(vec![
        summary(),
        cbor(200, &json!({"MetricAlarms": alarms})),
        cbor(200, &json!({"MetricDataResults": metrics})),
        answer(200, &json!({"EventSourceMappings": [mapping]})),
        answer(200, &json!({"Item": {"pk": {"S": "stream#orders"}, "sk": {"S": "state"}}})),
        answer(200, &json!({"Items": actions})),
        answer(200, &json!({})),
    ]);
    let now = Timestamp::from_second(NOW).expect("a time");
    let evidence = aws.read_evidence(&subject(), now).await;
    let at = |minute: i64| Timestamp::from_second(NOW - minute * 60).expect("a time");
    let expected = Evidence {
        retention_hours: Some(48),
        lag: vec![
            LagPoint { at: at(4), seconds: 60.0 },
            LagPoint { at: at(1), seconds: 240.000_5 },
        ],
        last_read_at: Some(at(4)),
        invocations: Some(10.0),
        errors: Some(7.0),
        enabled: Some(false),
        also_called_by: Some(0),
        written: Some((900.0, 100.0)),
        resharded_at: Some("2027-01-15T06:00:00Z".parse().expect("a time")),
        ..Evidence::default()
    };
    assert_eq!(evidence, expected, "{}", replay.actual_requests().count());
}

/// The function may read by a fan-out consumer, and other streams too.
#[tokio::test(start_paused = true)]
async fn a_disabled_mapping_is_seen_whatever_the_function_reads_by() {
    let mapping = |state: &str, source: &str| {
        json!({
            "UUID": "u", "State": state,
            "EventSourceArn": format!("arn:aws:kinesis:r:1:stream/{source}"),
            "FunctionArn": "arn:aws:lambda:r:1:function:billing:live"
        })
    };
    let mappings = [
        mapping("Enabled", "orders-eu"),
        mapping("Enabled", "orders-eu/consumer/fast:1"),
        mapping("Disabled", "orders/consumer/fast:1"),
    ];
    let (aws, replay) =
        answering(vec![summary(), answer(200, &json!({"EventSourceMappings": mappings}))]);
    let Subject::Consumer { stream, .. } = subject() else { panic!("no consumer") };
    let id = ConsumerId::read("lambda-billing.live").expect("an id");
    let mapping = aws.mapping(&stream, &id, &Alarms::new()).await.expect("an answer");
    assert_eq!(mapping, Some((false, 2)));
    let asked = replay.actual_requests().last().expect("a request").uri().to_owned();
    assert!(asked.ends_with("?FunctionName=billing%3Alive"), "{asked}");
}

/// The id of a long name holds only its beginning; what its alarms watch holds all of it.
#[tokio::test(start_paused = true)]
async fn a_function_with_a_long_name_is_asked_for_by_all_of_it() {
    let name = "f".repeat(64);
    let whole = weir_core::consumer::ConsumerName::new(&name).expect("a name");
    let id = ConsumerId::of(ConsumerKind::Lambda, &whole);
    let errors = Watched {
        namespace: "AWS/Lambda".to_owned(),
        dimensions: BTreeMap::from([("FunctionName".to_owned(), name.clone())]),
        ..of_stream("Errors", &StreamName::new("orders").expect("a name"))
    };
    let mapping = json!({
        "UUID": "u", "State": "Enabled", "EventSourceArn": "arn:aws:kinesis:r:1:stream/orders",
        "FunctionArn": format!("arn:aws:lambda:r:1:function:{name}")
    });
    let (aws, replay) =
        answering(vec![summary(), answer(200, &json!({"EventSourceMappings": [mapping]}))]);
    let stream = StreamName::new("orders").expect("a name");
    let alarms = vec![(Symptom::Errors, errors)];
    assert_eq!(aws.mapping(&stream, &id, &alarms).await.expect("an answer"), Some((true, 0)));
    let asked = replay.actual_requests().last().expect("a request").uri().to_owned();
    assert!(asked.ends_with(&format!("?FunctionName={name}")), "{asked}");
}

/// A message never waits for its evidence.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_left_out() {
    let denied = || answer(403, &json!({"__type": "AccessDeniedException", "message": "no"}));
    let (aws, _) = answering(vec![denied(), denied(), denied(), denied()]);
    let now = Timestamp::from_second(NOW).expect("a time");
    assert_eq!(aws.read_evidence(&subject(), now).await, Evidence::default());
}
