//! From an alarm to a resized stream, with alarms, ledger and events as they should be afterwards.

use serde_json::{Value, json};
use weir_tests::Result;
use weir_tests::time::wait_until;

use crate::installation::{Installation, PATIENCE, STREAM, schedule};

#[test]
fn an_alarm_ends_in_a_resized_stream_and_rearmed_alarms() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.sync_alarms.invoke(schedule())?;
    let surge =
        installation.world.alarm("weir-surge-orders")?.expect("the alarm of a managed stream");
    assert_eq!(surge["Threshold"], json!(3.6), "90 % of 4 shards");
    assert!(installation.world.alarm("weir-throttle-orders")?.is_some());
    installation.world.set_alarm_state("weir-surge-orders", "ALARM")?;

    let plan = installation.surge_and_deliver()?;
    assert_eq!(plan.detail["action"]["kind"], "reshard");
    assert_eq!(plan.detail["stream"], STREAM);
    let to = plan.detail["action"]["to"].as_u64().expect("a target");
    assert_eq!(installation.shards_at_rest()?, to);
    assert_eq!(installation.outcome()?, "accepted");

    let resized = installation.world.wait_for_events("Weir Stream Resized", 1, PATIENCE)?;
    assert_eq!(resized[0].detail["to"], json!(to));
    installation.sync_alarms.invoke(resized[0].envelope.clone())?;
    let surge = installation.world.alarm("weir-surge-orders")?.expect("still there");
    assert_eq!(surge["Threshold"].as_f64(), Some(0.9 * to as f64), "re-based");
    assert_eq!(surge["StateValue"], "INSUFFICIENT_DATA", "re-armed");
    Ok(())
}

#[test]
fn the_tick_alone_finds_what_is_due() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.sync_alarms.invoke(schedule())?;
    installation.plan_capacity.invoke(schedule())?;
    let plan = installation.newest_plan()?;
    assert_eq!(plan.detail["action"]["kind"], "reshard");
    let described = installation.world.proxy().calls_of("DescribeStreamSummary").len();
    installation.deliver(&plan)?;
    installation.world.proxy().forget_calls();
    // Right after a plan nothing is due, so a tick costs one query of the ledger.
    installation.plan_capacity.invoke(schedule())?;
    assert_eq!(
        installation.world.proxy().calls_of("DescribeStreamSummary").len(),
        0,
        "was {described}"
    );
    assert_eq!(installation.world.proxy().calls_of("GetMetricData").len(), 0);
    Ok(())
}

#[test]
fn an_observing_policy_plans_and_changes_nothing() -> Result<()> {
    let installation = Installation::with_policy("mode = \"observe\"")?;
    installation.world.create_stream(STREAM, 2)?;
    installation.world.put_traffic(STREAM, &vec![weir_tests::world::Minute::using(1.5, 2); 240])?;
    let plan = installation.surge_and_deliver()?;
    assert_eq!(plan.detail["mode"], "observe");
    assert_eq!(installation.refusal()?, "observe_mode");
    assert_eq!((installation.reshard_calls(), installation.shards_at_rest()?), (0, 2));
    Ok(())
}

#[test]
fn the_log_tells_the_plan_as_fields_and_the_metrics_by_emf() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    // The metrics' line is the last, and the log may come after the answer.
    let is_metric = |line: &Value| line["_aws"]["CloudWatchMetrics"].is_array();
    let log = wait_until("the metrics", PATIENCE, || {
        let log = installation.plan_capacity.log();
        Ok(log.iter().any(is_metric).then_some(log))
    })?;
    let plan = log.iter().find(|line| line["stream"] == STREAM && line["action"] == "reshard");
    let plan = plan.unwrap_or_else(|| panic!("no plan in {log:#?}"));
    assert_eq!(plan["from"], json!(4), "{plan}");
    assert!(plan["to"].as_u64() > Some(4) && plan["reshards_left"] == json!(10), "{plan}");
    assert!(plan["demand_now"].as_f64() > Some(4.0), "{plan}");
    let metric = log.iter().find(|line| is_metric(line));
    let names = metric.map(|line| line["_aws"]["CloudWatchMetrics"].to_string());
    assert!(names.as_deref().is_some_and(|names| names.contains("PlansMade")), "{names:?}");
    Ok(())
}

#[test]
fn an_event_of_no_known_shape_is_told_and_dropped() -> Result<()> {
    let installation = Installation::with_stream(2, 0.5)?;
    let faulty = json!({
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "detail": { "alarmName": "weir-surge-orders", "state": { "value": "ALARM", "timestamp": "?" } },
    });
    installation.plan_capacity.invoke(faulty)?;
    wait_until("a line that tells of it", PATIENCE, || {
        let told = installation.plan_capacity.log().iter().any(|line| {
            let text = line.to_string();
            text.contains("event_unreadable") && text.contains("detail.state.timestamp")
        });
        Ok(told.then_some(()))
    })?;
    assert_eq!(installation.world.events()?.len(), 0);
    Ok(())
}

/// A stream whose traffic is low for hours is made smaller, half at most.
#[test]
fn a_quiet_stream_is_made_smaller() -> Result<()> {
    let installation = Installation::with_stream(8, 0.1)?;
    installation.world.proxy().forget_calls();
    let plan = installation.surge_and_deliver()?;
    assert_eq!(plan.detail["action"], json!({ "kind": "reshard", "from": 8, "to": 4 }));
    assert_eq!(installation.shards_at_rest()?, 4);
    let codes: Vec<&Value> =
        plan.detail["clamps"].as_array().into_iter().flatten().map(|c| &c["reason"]).collect();
    assert_eq!(codes, [&json!("below_half")]);
    Ok(())
}
