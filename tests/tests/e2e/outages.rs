//! With the ledger down: shards are still added, none is taken away, and the reason is told.

use weir_tests::wire::Service;
use weir_tests::{Outage, Result};

use crate::installation::{Installation, STREAM};

#[test]
fn without_the_ledger_a_surge_is_still_met() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.world.proxy().take_down(Service::DynamoDb, Outage::InternalError);
    let plan = installation.surge_and_deliver()?;
    assert!(plan.detail["budget"].is_null(), "{}", plan.detail["budget"]);
    assert_eq!(
        (installation.reshard_calls(), installation.shards_at_rest()?),
        (1, Installation::target(&plan))
    );
    // The same event again finds the stream changed.
    installation.deliver(&plan)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.reshard_calls()),
        ("stream_changed", 1)
    );
    Ok(())
}

/// When the ledger is back, the change that nobody wrote down is found, and counts.
#[test]
fn what_was_done_without_the_ledger_is_counted_afterwards() -> Result<()> {
    let installation = Installation::with_stream(4, 0.75)?;
    installation.surge()?; // the ledger learns of four shards
    installation.world.reshard(STREAM, 6)?; // by somebody's hand
    installation.surge()?;
    let actions = installation.actions()?;
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert!(actions[0]["plan_id"].as_str().is_some_and(|id| id.ends_with("not-ours")));
    Ok(())
}

#[test]
fn without_the_ledger_nothing_is_taken_away() -> Result<()> {
    let installation = Installation::with_stream(8, 0.1)?;
    installation.world.proxy().take_down(Service::DynamoDb, Outage::InternalError);
    installation.surge()?;
    let plan = installation.newest_plan()?;
    assert_eq!(plan.detail["action"]["reason"], "ledger_unavailable");
    assert_eq!((installation.reshard_calls(), installation.shards_at_rest()?), (0, 8));
    Ok(())
}

/// The ledger fails between plan and execution of a scale-in: the executor must not act on memory.
#[test]
fn a_scale_in_whose_ledger_fails_is_refused() -> Result<()> {
    let installation = Installation::with_stream(8, 0.1)?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    assert_eq!(plan.detail["action"]["kind"], "reshard");
    installation.world.proxy().take_down(Service::DynamoDb, Outage::HangUp);
    installation.deliver(&plan)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.reshard_calls()),
        ("ledger_unavailable", 0)
    );
    Ok(())
}
