//! Streams that cannot be resized: busy, on demand, gone, at their limit. Each is told with its
//! reason.

use serde_json::json;
use weir_tests::Result;
use weir_tests::time::wait_until;

use crate::installation::{Installation, PATIENCE, STREAM, schedule};

#[test]
fn a_stream_that_is_updating_is_not_asked() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    installation.world.start_reshard(STREAM, 5)?;
    installation.deliver(&plan)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.reshard_calls()),
        ("stream_busy", 0)
    );
    assert_eq!(installation.shards_at_rest()?, 5);
    // The same plan again, now that the stream is at rest: it was answered before, and stays
    // answered.
    installation.deliver(&plan)?;
    assert_eq!((installation.reshard_calls(), installation.shards_at_rest()?), (0, 5));
    Ok(())
}

#[test]
fn a_stream_on_demand_is_left_to_aws() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    installation.world.put_on_demand(STREAM)?;
    installation.deliver(&plan)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.reshard_calls()),
        ("stream_on_demand", 0)
    );
    Ok(())
}

#[test]
fn a_stream_that_is_gone_is_told() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    installation.world.delete_stream(STREAM)?;
    installation.deliver(&plan)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.reshard_calls()),
        ("stream_missing", 0)
    );
    // The planner says so too, and makes no plan.
    installation.surge()?;
    // The log is read while the function writes it.
    let log = || installation.plan_capacity.log();
    wait_until("a line on the stream that is missing", PATIENCE, || {
        Ok(log().iter().find(|line| line["code"] == "stream_missing").map(|_| ()))
    })?;
    assert_eq!(installation.world.events_of("Weir Capacity Planned")?.len(), 1);
    Ok(())
}

/// Somebody else used up the day's calls. AWS's answer looks like a throttle, and at first is taken
/// for one; the SDK would repeat it: it must be asked once.
#[test]
fn a_daily_limit_that_others_used_up_costs_one_call() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.world.proxy().spend_reshards(STREAM, 10);
    installation.surge_and_deliver()?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.reshard_calls()),
        ("calls_per_second", 1)
    );
    assert_eq!((installation.outcome()?.as_str(), installation.shards_at_rest()?), ("refused", 4));
    Ok(())
}

/// Our own ledger knows that the day's calls are used: AWS is not asked at all, and the plan says
/// why.
#[test]
fn a_spent_budget_costs_no_call() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.sync_alarms.invoke(schedule())?; // registers the stream
    installation.spend_reshards()?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    assert_eq!(plan.detail["action"], json!({ "kind": "hold", "reason": "budget_spent" }));
    assert!(plan.detail["wanted_shards"].as_u64() > Some(4), "{}", plan.detail["wanted_shards"]);
    assert_eq!(plan.detail["budget"]["reshards_used"], json!(10));
    installation.deliver(&plan)?;
    assert_eq!(installation.reshard_calls(), 0);
    Ok(())
}

/// Somebody who read a plan's id sends it again with another order, within what AWS would allow.
#[test]
fn a_forged_order_is_refused_and_the_plan_may_still_be_carried_out() -> Result<()> {
    let installation = Installation::with_stream(2, 1.2)?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    let mut forged = plan.clone();
    forged.envelope["detail"]["action"] = json!({ "kind": "reshard", "from": 2, "to": 1 });
    installation.world.proxy().forget_calls();
    installation.deliver(&forged)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.reshard_calls()),
        ("plan_forged", 0)
    );
    installation.deliver(&plan)?;
    assert_eq!(installation.reshard_calls(), 1);
    Ok(())
}

/// A stream was given up long ago, and somebody sends its last plan as if it were of today.
#[test]
fn a_plan_is_as_old_as_the_ledger_says() -> Result<()> {
    let installation = Installation::with_stream(2, 1.2)?;
    installation.surge()?;
    let mut plan = installation.newest_plan()?;
    let order = plan.detail["plan_id"].as_str().unwrap_or_default().rsplit("-v").next();
    let id = json!(format!("2026-01-01T00:00:00Z-v{}", order.unwrap_or_default()));
    let mut state = installation.state()?;
    state["latest_plan"] = id.clone();
    installation.world.put_ledger_item(&state)?;
    plan.envelope["detail"]["plan_id"] = id;
    installation.world.proxy().forget_calls();
    installation.deliver(&plan)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.reshard_calls()),
        ("plan_expired", 0)
    );
    Ok(())
}

/// An event that asks for more than AWS would allow was not made by the planner: it is turned down
/// unread.
#[test]
fn a_forged_target_is_refused_before_anything_is_read() -> Result<()> {
    let installation = Installation::with_stream(2, 1.2)?;
    installation.surge()?;
    let mut plan = installation.newest_plan()?;
    installation.world.proxy().forget_calls();
    plan.envelope["detail"]["action"] = json!({ "kind": "reshard", "from": 2, "to": 200 });
    installation.deliver(&plan)?;
    assert_eq!((installation.refusal()?.as_str(), installation.reshard_calls()), ("law_broken", 0));
    Ok(())
}

#[test]
fn a_paused_stream_is_left_alone() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    let said =
        installation.world.weir(&["pause", STREAM, "--note", "load test", "--hours", "4"], &[])?;
    assert!(said.contains("alone until 20"), "{said}");
    installation.deliver(&plan)?;
    assert_eq!((installation.refusal()?.as_str(), installation.reshard_calls()), ("paused", 0));
    installation.surge()?;
    let log = installation.plan_capacity.log();
    assert!(log.iter().any(|line| line.to_string().contains("paused")), "{log:#?}");
    assert_eq!(installation.world.events_of("Weir Capacity Planned")?.len(), 1, "it is no news");

    installation.world.weir(&["resume", STREAM], &[])?;
    let plan = installation.next_plan()?;
    installation.deliver(&plan)?;
    assert_eq!(installation.reshard_calls(), 1);
    Ok(())
}
