//! With the ledger down: shards are still added, none is taken away, and the reason is told.

use weir_tests::wire::Service;
use weir_tests::{Outage, Result};

use crate::house::{House, STREAM};

#[test]
fn without_the_ledger_a_surge_is_still_met() -> Result<()> {
    let house = House::with_stream(4, 1.2)?;
    house.world.proxy().take_down(Service::DynamoDb, Outage::InternalError);
    let plan = house.surge_and_deliver()?;
    assert!(plan.detail["budget"].is_null(), "{}", plan.detail["budget"]);
    assert_eq!((house.reshard_calls(), house.shards_at_rest()?), (1, House::target(&plan)));
    // The same event again finds the stream changed.
    house.deliver(&plan)?;
    assert_eq!((house.refusal()?.as_str(), house.reshard_calls()), ("stream_changed", 1));
    Ok(())
}

/// When the ledger is back, the change that nobody wrote down is found, and counts.
#[test]
fn what_was_done_without_the_ledger_is_counted_afterwards() -> Result<()> {
    let house = House::with_stream(4, 0.75)?;
    house.surge()?; // the ledger learns of four shards
    house.world.reshard(STREAM, 6)?; // by somebody's hand
    house.surge()?;
    let actions = house.actions()?;
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert!(actions[0]["plan_id"].as_str().is_some_and(|id| id.ends_with("not-ours")));
    Ok(())
}

#[test]
fn without_the_ledger_nothing_is_taken_away() -> Result<()> {
    let house = House::with_stream(8, 0.1)?;
    house.world.proxy().take_down(Service::DynamoDb, Outage::InternalError);
    house.surge()?;
    let plan = house.newest_plan()?;
    assert_eq!(plan.detail["action"]["reason"], "ledger_unavailable");
    assert_eq!((house.reshard_calls(), house.shards_at_rest()?), (0, 8));
    Ok(())
}

/// The ledger fails between plan and execution of a scale-in: the executor must not act on memory.
#[test]
fn a_scale_in_whose_ledger_fails_is_refused() -> Result<()> {
    let house = House::with_stream(8, 0.1)?;
    house.surge()?;
    let plan = house.newest_plan()?;
    assert_eq!(plan.detail["action"]["kind"], "reshard");
    house.world.proxy().take_down(Service::DynamoDb, Outage::HangUp);
    house.deliver(&plan)?;
    assert_eq!((house.refusal()?.as_str(), house.reshard_calls()), ("ledger_unavailable", 0));
    Ok(())
}
