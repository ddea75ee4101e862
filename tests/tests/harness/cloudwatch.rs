//! CloudWatch through the proxy, by CBOR: metrics, and metric-math alarms, which MiniStack lacks.

use serde_json::{Value, json};
use weir_tests::world::Minute;
use weir_tests::{Result, Service, World, time};

use crate::{error_code, function_client};

#[test]
fn traffic_comes_back_as_sums_by_the_minute() -> Result<()> {
    let world = World::start()?;
    let minutes: Vec<_> = (1..=5).map(|n| Minute::of(f64::from(n) * 1000.5, 7.0)).collect();
    world.put_traffic("orders", &minutes)?;
    world.put_traffic("clicks", &[Minute::of(1.0, 1.0)])?;
    let bytes = world.metric_sums("orders", "IncomingBytes", 30)?;
    let values: Vec<_> = bytes.iter().map(|(_, value)| *value).collect();
    assert_eq!(values, [1000.5, 2001.0, 3001.5, 4002.0, 5002.5]);
    let last_minute = time::now().as_second().div_euclid(60) * 60 - 60;
    // A minute may have passed since.
    assert!((0..=60).contains(&(last_minute - bytes[4].0.as_second())), "{bytes:?}");
    let throttled = world.metric_sums("orders", "WriteProvisionedThroughputExceeded", 30)?;
    assert_eq!(throttled.len(), 5);
    Ok(())
}

#[test]
fn a_day_of_traffic_fits() -> Result<()> {
    let world = World::start()?;
    world.put_traffic("orders", &[Minute::using(0.5, 2); 24 * 60])?;
    assert_eq!(world.metric_sums("orders", "IncomingRecords", 24 * 60 + 1)?.len(), 24 * 60);
    Ok(())
}

#[test]
fn metric_data_is_newest_first_unless_asked_otherwise() -> Result<()> {
    let world = World::start()?;
    world.put_traffic("orders", &[Minute::of(1.0, 1.0), Minute::of(2.0, 2.0)])?;
    let answer = function_client(&world).call(
        Service::CloudWatch,
        "GetMetricData",
        get_metric_data(&json!([{ "Id": "b", "MetricStat": incoming_bytes() }])),
    )?;
    assert_eq!(answer["MetricDataResults"][0]["Values"], json!([2.0, 1.0]));
    let recorded = &world.proxy().calls_of("GetMetricData")[0];
    assert_eq!(recorded.body["MetricDataQueries"][0]["MetricStat"]["Stat"], "Sum");
    assert!(recorded.body["StartTime"].is_number(), "CBOR is recorded as JSON: {recorded:?}");
    Ok(())
}

#[test]
fn metric_math_in_a_query_fails_loudly() -> Result<()> {
    let world = World::start()?;
    let queries = json!([
        { "Id": "b", "MetricStat": incoming_bytes(), "ReturnData": false },
        { "Id": "use", "Expression": "b/60" },
    ]);
    let asked = world.call(Service::CloudWatch, "GetMetricData", get_metric_data(&queries));
    assert_eq!(error_code(asked), "ValidationError");
    Ok(())
}

#[test]
fn a_metric_math_alarm_keeps_its_metrics_and_its_state() -> Result<()> {
    let world = World::start()?;
    let client = function_client(&world);
    client.call(Service::CloudWatch, "PutMetricAlarm", metric_math_alarm("b/60"))?;
    let alarm = world.alarm("weir-up-orders")?.expect("the alarm exists");
    assert_eq!(alarm["Metrics"], metric_math_alarm("b/60")["Metrics"]);
    assert_eq!(alarm["StateValue"], "INSUFFICIENT_DATA");
    assert_eq!(alarm["DatapointsToAlarm"], 3);
    assert!(alarm.get("Period").is_none(), "AWS gives such an alarm no period: {alarm}");

    world.set_alarm_state("weir-up-orders", "ALARM")?;
    client.call(Service::CloudWatch, "PutMetricAlarm", metric_math_alarm("b/120"))?;
    let alarm = world.alarm("weir-up-orders")?.expect("the alarm exists");
    assert_eq!(alarm["Metrics"][0]["Expression"], "b/120");
    assert_eq!(alarm["StateValue"], "ALARM", "an update leaves the state alone");

    let names = json!({ "AlarmNames": ["weir-up-orders"] });
    client.call(Service::CloudWatch, "DeleteAlarms", names)?;
    assert_eq!(world.alarms()?, Vec::<Value>::new());
    Ok(())
}

#[test]
fn a_plain_alarm_is_left_as_it_is() -> Result<()> {
    let world = World::start()?;
    let plain = json!({
        "AlarmName": "theirs", "Namespace": "AWS/Lambda", "MetricName": "Errors",
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    world.call(Service::CloudWatch, "PutMetricAlarm", plain)?;
    let alarm = world.alarm("theirs")?.expect("the alarm exists");
    assert_eq!(alarm["MetricName"], "Errors");
    assert_eq!(alarm["Period"], 60);
    assert!(alarm.get("Metrics").is_none());
    Ok(())
}

fn incoming_bytes() -> Value {
    let dimensions = json!([{ "Name": "StreamName", "Value": "orders" }]);
    let name = json!({
        "Namespace": "AWS/Kinesis", "MetricName": "IncomingBytes", "Dimensions": dimensions,
    });
    json!({ "Metric": name, "Period": 60, "Stat": "Sum" })
}

fn get_metric_data(queries: &Value) -> Value {
    let now = time::now().as_second();
    json!({ "StartTime": now - 3600, "EndTime": now, "MetricDataQueries": queries })
}

fn metric_math_alarm(expression: &str) -> Value {
    json!({
        "AlarmName": "weir-up-orders",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 3,
        "Threshold": 0.75,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "ignore",
        "Metrics": [
            { "Id": "use", "Expression": expression, "ReturnData": true },
            { "Id": "b", "MetricStat": incoming_bytes(), "ReturnData": false },
        ],
    })
}
