//! EventBridge through the proxy, and the events a test builds itself.

use std::time::Duration;

use serde_json::{Value, json};
use weir_tests::{Result, Service, World};

use crate::function_client;

const SOON: Duration = Duration::from_secs(10);

fn entry(source: &str, detail_type: &str, detail: &Value) -> Value {
    json!({
        "Source": source, "DetailType": detail_type, "Detail": detail.to_string(),
        "EventBusName": "default",
    })
}

#[test]
fn what_weir_publishes_is_heard() -> Result<()> {
    let world = World::start()?;
    let detail = json!({ "stream": "orders", "from": 2, "to": 4 });
    let entries = json!({ "Entries": [
        entry("weir", "Weir Stream Resized", &detail),
        entry("somebody.else", "Weir Stream Resized", &json!({})),
    ] });
    let answer = function_client(&world).call(Service::EventBridge, "PutEvents", entries)?;
    assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
    let events = world.wait_for_events("Weir Stream Resized", 1, SOON)?;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].detail, detail);
    assert_eq!(events[0].envelope["source"], "weir");
    assert_eq!(events[0].envelope["account"], world.account());
    assert_eq!(world.events()?.len(), 1, "events stay to be looked at again");
    Ok(())
}

#[test]
fn nobody_may_publish_in_the_name_of_aws() -> Result<()> {
    let world = World::start()?;
    let entries = json!({ "Entries": [entry("aws.cloudwatch", "x", &json!({}))] });
    let answer = world.call(Service::EventBridge, "PutEvents", entries)?;
    assert_eq!(answer["FailedEntryCount"], 1, "{answer}");
    Ok(())
}

#[test]
fn an_alarm_event_has_the_shape_of_metric_math() -> Result<()> {
    let world = World::start()?;
    let event = world
        .alarm_event("weir-up-orders", "orders")
        .for_shards(4)
        .going("INSUFFICIENT_DATA", "ALARM")
        .tagged("weir:stream", "orders")
        .build();
    assert_eq!(event["source"], "aws.cloudwatch");
    assert_eq!(event["detail-type"], "CloudWatch Alarm State Change");
    let detail = &event["detail"];
    assert_eq!(detail["state"]["value"], "ALARM");
    assert_eq!(detail["previousState"]["value"], "INSUFFICIENT_DATA");
    assert_eq!(detail["alarmTags"]["weir:stream"], "orders");
    let metrics = detail["configuration"]["metrics"].as_array().expect("a list of metrics");
    let returned: Vec<_> = metrics.iter().filter(|metric| metric["returnData"] == true).collect();
    assert_eq!(returned.len(), 1);
    assert_eq!(metrics[1]["metricStat"]["metric"]["dimensions"]["StreamName"], "orders");
    Ok(())
}
