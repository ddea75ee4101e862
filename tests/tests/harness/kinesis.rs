//! Kinesis through the proxy: round trips, and the refusals that kinesis-mock does not make itself.

use std::time::Duration;

use serde_json::json;
use weir_tests::{Durations, Result, Service, World};

use crate::{error_code, function_client};

#[test]
fn a_stream_is_created_described_and_resharded() -> Result<()> {
    let world = World::start()?;
    world.create_stream("orders", 2)?;
    let client = function_client(&world);
    let target = json!({
        "StreamName": "orders", "TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING",
    });
    let answer = client.call(Service::Kinesis, "UpdateShardCount", target.clone())?;
    assert_eq!(answer["CurrentShardCount"], 2);
    assert_eq!(answer["TargetShardCount"], 4);
    assert_eq!(world.stream("orders")?.status, "UPDATING");
    assert_eq!(world.wait_until_active("orders")?.open_shards, 4);

    let calls = world.proxy().calls();
    assert_eq!(calls.len(), 1, "the test's own calls are not recorded: {calls:?}");
    assert_eq!(calls[0].service, Service::Kinesis);
    assert_eq!(calls[0].operation, "UpdateShardCount");
    assert_eq!(calls[0].body, target);
    assert!(calls[0].succeeded());
    Ok(())
}

#[test]
fn an_updating_stream_is_in_use() -> Result<()> {
    let long = Duration::from_secs(60);
    let world =
        World::with_durations(Durations { update_shard_count: long, ..Durations::default() })?;
    world.create_stream("orders", 2)?;
    world.start_reshard("orders", 3)?;
    assert_eq!(error_code(world.start_reshard("orders", 4)), "ResourceInUseException");
    Ok(())
}

#[test]
fn the_eleventh_reshard_within_a_day_is_refused() -> Result<()> {
    let world = World::start()?;
    world.create_stream("orders", 2)?;
    world.create_stream("clicks", 2)?;
    world.proxy().spend_reshards("orders", 9);
    world.reshard("orders", 3)?;
    let refused = world.reshard("orders", 4).expect_err("ten are spent");
    let error = refused.aws_error().expect("a refusal by AWS");
    assert_eq!(error.code, "LimitExceededException");
    let account = world.account();
    assert_eq!(error.message, format!("Rate exceeded for stream orders under account {account}."));
    world.reshard("clicks", 3)?;

    let day = Duration::from_secs(24 * 60 * 60);
    world.proxy().age_limited_calls("orders", day - Duration::from_secs(60));
    assert_eq!(error_code(world.reshard("orders", 4)), "LimitExceededException");
    world.proxy().age_limited_calls("orders", Duration::from_secs(60));
    world.reshard("orders", 4)
}

#[test]
fn a_refused_reshard_spends_nothing() -> Result<()> {
    let world = World::start()?;
    world.create_stream("orders", 2)?;
    world.proxy().spend_reshards("orders", 9);
    for _ in 0..3 {
        // The code for more than twice is kinesis-mock's; AWS's own is not established.
        assert!(world.reshard("orders", 5).is_err());
    }
    world.reshard("orders", 4)
}

#[test]
fn an_on_demand_stream_is_not_resharded_by_hand() -> Result<()> {
    let world = World::start()?;
    world.create_stream("orders", 2)?;
    world.put_on_demand("orders")?;
    assert_eq!(world.stream("orders")?.mode, "ON_DEMAND");
    assert_eq!(error_code(world.reshard("orders", 4)), "ValidationException");
    Ok(())
}

#[test]
fn the_third_mode_switch_within_a_day_is_refused() -> Result<()> {
    let world = World::start()?;
    world.create_stream("orders", 2)?;
    world.proxy().spend_mode_switches("orders", 2);
    assert_eq!(error_code(world.put_on_demand("orders")), "LimitExceededException");
    Ok(())
}

#[test]
fn no_world_sees_another_s_streams() -> Result<()> {
    let (here, elsewhere) = (World::start()?, World::start()?);
    here.create_stream("orders", 2)?;
    elsewhere.create_stream("orders", 3)?;
    assert_eq!(here.stream("orders")?.open_shards, 2);
    let streams = elsewhere.call(Service::Kinesis, "ListStreams", json!({}))?;
    assert_eq!(streams["StreamNames"], json!(["orders"]));
    elsewhere.delete_stream("orders")?;
    assert_eq!(here.stream("orders")?.status, "ACTIVE");
    Ok(())
}
