//! Alarms to PutMetricAlarm and back, against recorded-looking answers of CloudWatch.

use aws_smithy_cbor::Decoder;
use serde_json::{Value, json};
use weir_core::alarms::desired;
use weir_core::observation::CapacityMode;
use weir_core::policy::Policy;
use weir_core::units::{Shards, StreamName};

use super::*;
use crate::testing::{answering, cbor, sent};
use weir_control::ports::ReadAlarmStates;

fn specs() -> Vec<AlarmSpec> {
    let stream = StreamName::new("orders").expect("a name");
    let shards = Shards::new(4).expect("shards");
    desired(&AlarmPrefix::default(), &Policy::default(), &stream, CapacityMode::Provisioned, shards)
}

/// The alarms of `specs`, as CloudWatch describes them.
fn described() -> Vec<Value> {
    let sum = |id: &str, metric: &str, returned: bool| {
        json!({
            "Id": id, "ReturnData": returned,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Kinesis", "MetricName": metric,
                    "Dimensions": [{"Name": "StreamName", "Value": "orders"}]
                },
                "Period": 60, "Stat": "Sum"
            }
        })
    };
    let alarm = |name: &str, threshold: f64, state: &str, metrics: Vec<Value>| {
        json!({
            "AlarmName": name, "StateValue": state, "ActionsEnabled": true,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": threshold,
            "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "TreatMissingData": "notBreaching",
            "Metrics": metrics
        })
    };
    let load = json!({
        "Id": "load", "Label": "Demand in shards", "ReturnData": true,
        "Expression": "MAX([bytes/62914560, records/60000])"
    });
    vec![
        alarm(
            "weir-surge-orders",
            3.6,
            "ALARM",
            // In another order than they were put.
            vec![
                load,
                sum("bytes", "IncomingBytes", false),
                sum("records", "IncomingRecords", false),
            ],
        ),
        alarm(
            "weir-throttle-orders",
            1.0,
            "OK",
            vec![sum("throttled", "WriteProvisionedThroughputExceeded", true)],
        ),
    ]
}

fn page(alarms: &[Value], next: Option<&str>) -> crate::testing::Answer {
    let mut body = json!({"MetricAlarms": alarms, "CompositeAlarms": []});
    if let Some(next) = next {
        body["NextToken"] = json!(next);
    }
    cbor(200, &body)
}

#[tokio::test(start_paused = true)]
async fn alarms_as_they_should_be_are_told_so() {
    let (aws, _) = answering(vec![page(&described(), None)]);
    let actual = aws.read_alarms(&specs()).await.expect("alarms");
    let states: Vec<_> = actual.iter().map(|alarm| alarm.state).collect();
    assert_eq!(states, [AlarmState::Alarm, AlarmState::Ok]);
    let as_specified: Vec<_> = actual.into_iter().filter_map(|alarm| alarm.spec).collect();
    assert_eq!(as_specified, specs());
}

#[tokio::test(start_paused = true)]
async fn every_difference_that_matters_is_seen() {
    let changes: [(&str, Value); 9] = [
        ("/Threshold", json!(7.2)),
        ("/EvaluationPeriods", json!(2)),
        ("/DatapointsToAlarm", json!(2)),
        ("/ComparisonOperator", json!("LessThanThreshold")),
        ("/TreatMissingData", json!("missing")),
        ("/Metrics/0/Expression", json!("bytes")),
        ("/Metrics/0/ReturnData", json!(false)),
        ("/Metrics/1/MetricStat/Period", json!(300)),
        ("/Metrics/2/MetricStat/Metric/Dimensions/0/Value", json!("other")),
    ];
    for (place, value) in changes {
        let mut alarm = described().remove(0);
        *alarm.pointer_mut(place).expect(place) = value;
        let (aws, _) = answering(vec![page(&[alarm], None)]);
        let actual = aws.read_alarms(&specs()).await.expect("alarms");
        assert_eq!(actual[0].spec, None, "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_pages_are_read_and_other_peoples_alarms_left_out() {
    let mut theirs = described();
    theirs[0]["AlarmName"] = json!("weir-prod-surge-orders");
    theirs[1]["AlarmName"] = json!("weir-throttle-");
    let mut gone = described().remove(1);
    gone["AlarmName"] = json!("weir-throttle-gone");
    let (aws, replay) = answering(vec![
        page(&theirs, Some("more")),
        page(&described(), Some("yet more")),
        page(&[gone], None),
    ]);
    let actual = aws.read_all_alarms(&specs()).await.expect("alarms");
    let names: Vec<_> = actual.iter().map(|alarm| alarm.name.as_str()).collect();
    assert_eq!(names, ["weir-surge-orders", "weir-throttle-orders", "weir-throttle-gone"]);
    assert_eq!((actual[2].spec.as_ref(), sent(&replay)), (None, 3));
}

#[tokio::test(start_paused = true)]
async fn what_is_put_is_what_is_compared() {
    let spec = specs().remove(0);
    let (aws, replay) = answering(vec![cbor(200, &json!({}))]);
    aws.put_alarm(&spec).await.expect("put");
    let request = replay.actual_requests().next().expect("a request");
    let body = request.body().bytes().expect("a body");
    let sent = decode(&mut Decoder::new(body));
    assert_eq!(
        sent["Tags"],
        json!([
            {"Key": "weir:stream", "Value": "orders"},
            {"Key": "weir:kind", "Value": "surge"},
        ])
    );
    for action in ["AlarmActions", "OKActions", "ActionConfiguration"] {
        assert_eq!(sent[action], Value::Null, "{action}");
    }
    // Described as it was put, it is as specified.
    let mut described = sent;
    described["StateValue"] = json!("OK");
    let (aws, _) = answering(vec![page(&[described], None)]);
    let actual = aws.read_alarms(std::slice::from_ref(&spec)).await.expect("alarms");
    assert_eq!(actual[0].spec.as_ref(), Some(&spec));
}

#[tokio::test(start_paused = true)]
async fn deleting_what_is_gone_already_is_no_failure() {
    let names: Vec<String> = (0..150).map(|n| format!("weir-surge-{n}")).collect();
    let missing = json!({"__type": "com.amazonaws.cloudwatch#ResourceNotFound", "message": "?"});
    let (aws, replay) = answering(vec![cbor(404, &missing), cbor(200, &json!({}))]);
    aws.delete_alarms(&names).await.expect("deleted");
    assert_eq!(sent(&replay), 2);
}

fn decode(decoder: &mut Decoder<'_>) -> Value {
    use aws_smithy_cbor::data::Type;
    match decoder.datatype().expect("a type") {
        Type::Map | Type::MapIndef => {
            let mut map = serde_json::Map::new();
            let length = decoder.map().expect("a map");
            while length.is_none_or(|length| (map.len() as u64) < length) {
                if decoder.datatype().is_ok_and(|t| t == Type::Break) {
                    decoder.skip().expect("the end");
                    break;
                }
                let name = decoder.str().expect("a name").into_owned();
                map.insert(name, decode(decoder));
            }
            Value::Object(map)
        }
        Type::Array | Type::ArrayIndef => {
            let mut items = Vec::new();
            let length = decoder.list().expect("a list");
            while length.is_none_or(|length| (items.len() as u64) < length) {
                if decoder.datatype().is_ok_and(|t| t == Type::Break) {
                    decoder.skip().expect("the end");
                    break;
                }
                items.push(decode(decoder));
            }
            Value::Array(items)
        }
        Type::Bool => json!(decoder.boolean().expect("a truth")),
        Type::F16 | Type::F32 | Type::F64 => json!(decoder.double().expect("a number")),
        Type::String | Type::StringIndef => json!(decoder.str().expect("a text")),
        _ => json!(decoder.long().expect("a whole number")),
    }
}

#[tokio::test(start_paused = true)]
async fn what_alarms_say_is_read_with_what_they_watch_and_since_when() {
    let metric = |id: &str, name: &str| {
        json!({"Id": id, "MetricStat": {"Period": 300, "Stat": "Sum", "Metric": {
            "Namespace": "AWS/Lambda", "MetricName": name,
            "Dimensions": [{"Name": "FunctionName", "Value": "billing"}]
        }}})
    };
    let silent = json!({
        "AlarmName": "weir-silence-lambda-billing@orders", "StateValue": "ALARM", "Threshold": 1.0,
        "StateTransitionedTimestamp": 1_800_000_000, "StateUpdatedTimestamp": 1_800_000_300,
        "Metrics": [metric("written", "IncomingRecords"), metric("read", "Invocations")]
    });
    let never = json!({"AlarmName": "weir-lag-lambda-billing@orders"});
    let (aws, _) = answering(vec![page(&[silent, never], None)]);
    let said = aws.failing_alarms().await.expect("alarms");
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!((said[0].state, said[0].state_at.as_second()), (AlarmState::Alarm, 1_800_000_000));
    let watched = said[0].watched.as_ref().expect("what it watches");
    assert_eq!((watched.metric.as_str(), watched.period_seconds), ("Invocations", 300));
    assert_eq!(watched.dimensions["FunctionName"], "billing");
}
