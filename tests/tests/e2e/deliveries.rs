//! Events that come twice, late, out of order, or to an executor that died: one action, no more.

use weir_tests::{FunctionError, Hold, Result};

use crate::installation::{Installation, PATIENCE};

#[test]
fn a_plan_delivered_twice_is_carried_out_once() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    let plan = installation.surge_and_deliver()?;
    installation.deliver(&plan)?;
    installation.shards_at_rest()?;
    installation.deliver(&plan)?;
    assert_eq!(installation.reshard_calls(), 1);
    assert_eq!(installation.outcome()?, "accepted");
    assert_eq!(installation.world.events_of("Weir Stream Resized")?.len(), 1);
    Ok(())
}

#[test]
fn an_alarm_delivered_twice_ends_as_one_does() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    installation.surge()?;
    let plans = installation.world.wait_for_events("Weir Capacity Planned", 2, PATIENCE)?;
    for plan in &plans {
        installation.deliver(plan)?;
    }
    assert_eq!(installation.reshard_calls(), 1);
    assert_eq!(installation.shards_at_rest()?, Installation::target(&plans[0]));
    Ok(())
}

#[test]
fn an_older_plan_that_comes_after_a_newer_one_is_superseded() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    let older = installation.newest_plan()?;
    installation.surge()?;
    let mut plans = installation.world.wait_for_events("Weir Capacity Planned", 2, PATIENCE)?;
    plans.retain(|plan| plan.detail["plan_id"] != older.detail["plan_id"]);
    installation.deliver(&plans[0])?;
    installation.deliver(&older)?;
    assert_eq!(installation.reshard_calls(), 1);
    let refusal = installation.refusal()?;
    assert!(["plan_superseded", "stream_busy"].contains(&refusal.as_str()), "{refusal}");
    Ok(())
}

/// The executor dies after AWS took the call and before it wrote the outcome down. The intent
/// stands and counts; the planner's next look finds the stream resized and says so.
#[test]
fn an_executor_that_dies_after_the_call_is_cleared_up_after() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    let gate = installation.world.proxy().hold_next("UpdateShardCount", Hold::AfterTheCall);
    let invocation = installation.resize_stream.invoke_later(plan.envelope.clone())?;
    gate.wait_until_reached()?;
    installation.resize_stream.crash();
    assert!(matches!(invocation.wait(), Err(FunctionError::Crashed { .. })));
    gate.release();
    assert_eq!(installation.outcome()?, "intended");
    assert_eq!(installation.shards_at_rest()?, Installation::target(&plan));

    // While the claim is young, an executor may be at work: nothing is done.
    installation.deliver(&plan)?;
    assert_eq!((installation.reshard_calls(), installation.outcome()?.as_str()), (1, "intended"));

    installation.age_claim()?;
    installation.surge()?;
    assert_eq!(installation.outcome()?, "accepted");
    assert_eq!(installation.world.wait_for_events("Weir Stream Resized", 1, PATIENCE)?.len(), 1);
    assert_eq!(installation.reshard_calls(), 1);
    Ok(())
}

/// Lambda delivers the event again after the crash; by then the claim is old.
#[test]
fn a_second_delivery_finishes_what_the_first_began() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.surge()?;
    let plan = installation.newest_plan()?;
    let gate = installation.world.proxy().hold_next("UpdateShardCount", Hold::AfterTheCall);
    let invocation = installation.resize_stream.invoke_later(plan.envelope.clone())?;
    gate.wait_until_reached()?;
    installation.resize_stream.crash();
    assert!(invocation.wait().is_err());
    gate.release();
    installation.shards_at_rest()?;
    installation.age_claim()?;
    installation.deliver(&plan)?;
    assert_eq!((installation.reshard_calls(), installation.outcome()?.as_str()), (1, "accepted"));
    assert_eq!(installation.world.wait_for_events("Weir Stream Resized", 1, PATIENCE)?.len(), 1);
    Ok(())
}

/// The answer to UpdateShardCount is lost on the way: the call is not repeated, and counts.
#[test]
fn a_lost_answer_is_not_asked_for_again() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.world.proxy().lose_answer_of_next(1, "UpdateShardCount");
    let plan = installation.surge_and_deliver()?;
    assert_eq!((installation.reshard_calls(), installation.outcome()?.as_str()), (1, "unknown"));
    let failed = installation.world.wait_for_events("Weir Action Failed", 1, PATIENCE)?;
    assert_eq!(failed[0].detail["reason"], "outcome_unknown");
    assert_eq!(installation.shards_at_rest()?, Installation::target(&plan));
    Ok(())
}
