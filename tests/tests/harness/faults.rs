//! Faults on demand: errors, lost answers, held calls, outages.

use std::thread;

use serde_json::json;
use weir_tests::{Answered, AwsError, Hold, Outage, Result, Service, World};

use crate::{error_code, function_client};

#[test]
fn the_next_calls_meet_the_scripted_error_and_no_more() -> Result<()> {
    let world = World::start()?;
    world.create_stream("orders", 2)?;
    let client = function_client(&world);
    let list = || client.call(Service::Kinesis, "ListStreams", json!({}));
    let error = AwsError::refusal("LimitExceededException", "Rate exceeded.");
    world.proxy().fail_next(2, "ListStreams", &error);
    let other = json!({ "StreamName": "orders" });
    client.call(Service::Kinesis, "DescribeStreamSummary", other)?;
    assert_eq!(error_code(list()), "LimitExceededException");
    world.call(Service::Kinesis, "ListStreams", json!({}))?;
    assert_eq!(error_code(list()), "LimitExceededException");
    list()?;
    Ok(())
}

#[test]
fn an_error_is_worded_in_the_caller_s_protocol() -> Result<()> {
    let world = World::start()?;
    let client = function_client(&world);
    let error = AwsError::internal("InternalServiceFault", "scripted");
    for (service, operation) in [
        (Service::CloudWatch, "DescribeAlarms"),
        (Service::DynamoDb, "ListTables"),
        (Service::EventBridge, "ListRules"),
    ] {
        world.proxy().fail_next(1, operation, &error);
        let failure = client.call(service, operation, json!({})).expect_err("scripted");
        assert_eq!(failure.aws_error(), Some(&error), "{operation}");
        client.call(service, operation, json!({}))?;
    }
    Ok(())
}

#[test]
fn a_lost_answer_leaves_the_caller_in_doubt() -> Result<()> {
    let world = World::start()?;
    world.create_stream("orders", 2)?;
    world.proxy().lose_answer_of_next(1, "UpdateShardCount");
    let body = json!({
        "StreamName": "orders", "TargetShardCount": 3, "ScalingType": "UNIFORM_SCALING",
    });
    let lost = function_client(&world).call(Service::Kinesis, "UpdateShardCount", body);
    assert!(lost.is_err_and(|failure| failure.aws_error().is_none()), "no answer came");
    assert_eq!(world.wait_until_active("orders")?.open_shards, 3);
    let calls = world.proxy().calls_of("UpdateShardCount");
    assert_eq!(calls[0].answered, Answered::HungUp { carried_out: true });
    Ok(())
}

#[test]
fn a_service_is_down_until_it_is_healed() -> Result<()> {
    let world = World::start()?;
    world.create_ledger()?;
    let client = function_client(&world);
    let list = || client.call(Service::DynamoDb, "ListTables", json!({}));
    world.proxy().take_down(Service::DynamoDb, Outage::InternalError);
    assert_eq!(error_code(list()), "InternalServerError");
    world.proxy().take_down(Service::DynamoDb, Outage::HangUp);
    assert!(list().is_err_and(|failure| failure.aws_error().is_none()), "no answer comes");
    client.call(Service::Kinesis, "ListStreams", json!({}))?;
    world.ledger_items()?;
    world.proxy().heal(Service::DynamoDb);
    list()?;
    Ok(())
}

#[test]
fn a_held_call_waits_for_the_test() -> Result<()> {
    let world = World::start()?;
    world.create_stream("orders", 2)?;
    for hold in [Hold::BeforeTheCall, Hold::AfterTheCall] {
        world.proxy().forget_calls();
        let before = world.wait_until_active("orders")?.open_shards;
        let gate = world.proxy().hold_next("UpdateShardCount", hold);
        let client = function_client(&world);
        let body = json!({
            "StreamName": "orders", "TargetShardCount": before + 1,
            "ScalingType": "UNIFORM_SCALING",
        });
        let caller = thread::spawn(move || client.call(Service::Kinesis, "UpdateShardCount", body));
        gate.wait_until_reached()?;
        let calls = world.proxy().calls_of("UpdateShardCount");
        assert_eq!(calls[0].answered, Answered::Pending);
        let seen_by_aws = hold == Hold::AfterTheCall;
        let after = world.wait_until_active("orders")?.open_shards;
        assert_eq!(after == before + 1, seen_by_aws);
        gate.release();
        caller.join().expect("the caller does not panic")?;
    }
    Ok(())
}
