//! Events that come twice, late, out of order, or to an executor that died: one action, no more.

use weir_tests::{FunctionError, Hold, Result};

use crate::house::{House, PATIENCE};

#[test]
fn a_plan_delivered_twice_is_carried_out_once() -> Result<()> {
    let house = House::with_stream(4, 1.2)?;
    let plan = house.surge_and_deliver()?;
    house.deliver(&plan)?;
    house.shards_at_rest()?;
    house.deliver(&plan)?;
    assert_eq!(house.reshard_calls(), 1);
    assert_eq!(house.outcome()?, "accepted");
    assert_eq!(house.world.events_of("Weir Stream Resized")?.len(), 1);
    Ok(())
}

#[test]
fn an_alarm_delivered_twice_ends_as_one_does() -> Result<()> {
    let house = House::with_stream(4, 1.2)?;
    house.surge()?;
    house.surge()?;
    let plans = house.world.wait_for_events("Weir Capacity Planned", 2, PATIENCE)?;
    for plan in &plans {
        house.deliver(plan)?;
    }
    assert_eq!(house.reshard_calls(), 1);
    assert_eq!(house.shards_at_rest()?, House::target(&plans[0]));
    Ok(())
}

#[test]
fn an_older_plan_that_comes_after_a_newer_one_is_superseded() -> Result<()> {
    let house = House::with_stream(4, 1.2)?;
    house.surge()?;
    let older = house.newest_plan()?;
    house.surge()?;
    let mut plans = house.world.wait_for_events("Weir Capacity Planned", 2, PATIENCE)?;
    plans.retain(|plan| plan.detail["plan_id"] != older.detail["plan_id"]);
    house.deliver(&plans[0])?;
    house.deliver(&older)?;
    assert_eq!(house.reshard_calls(), 1);
    let refusal = house.refusal()?;
    assert!(["plan_superseded", "stream_busy"].contains(&refusal.as_str()), "{refusal}");
    Ok(())
}

/// The executor dies after AWS took the call and before it wrote the outcome down. The intent stands and
/// counts; the planner's next look finds the stream resized and says so.
#[test]
fn an_executor_that_dies_after_the_call_is_cleared_up_after() -> Result<()> {
    let house = House::with_stream(4, 1.2)?;
    house.surge()?;
    let plan = house.newest_plan()?;
    let gate = house.world.proxy().hold_next("UpdateShardCount", Hold::AfterTheCall);
    let invocation = house.resize_stream.invoke_later(plan.envelope.clone())?;
    gate.wait_until_reached()?;
    house.resize_stream.crash();
    assert!(matches!(invocation.wait(), Err(FunctionError::Crashed { .. })));
    gate.release();
    assert_eq!(house.outcome()?, "intended");
    assert_eq!(house.shards_at_rest()?, House::target(&plan));

    // While the claim is young, an executor may be at work: nothing is done.
    house.deliver(&plan)?;
    assert_eq!((house.reshard_calls(), house.outcome()?.as_str()), (1, "intended"));

    house.age_claim()?;
    house.surge()?;
    assert_eq!(house.outcome()?, "accepted");
    assert_eq!(house.world.wait_for_events("Weir Stream Resized", 1, PATIENCE)?.len(), 1);
    assert_eq!(house.reshard_calls(), 1);
    Ok(())
}

/// Lambda delivers the event again after the crash; by then the claim is old.
#[test]
fn a_second_delivery_finishes_what_the_first_began() -> Result<()> {
    let house = House::with_stream(4, 1.2)?;
    house.surge()?;
    let plan = house.newest_plan()?;
    let gate = house.world.proxy().hold_next("UpdateShardCount", Hold::AfterTheCall);
    let invocation = house.resize_stream.invoke_later(plan.envelope.clone())?;
    gate.wait_until_reached()?;
    house.resize_stream.crash();
    assert!(invocation.wait().is_err());
    gate.release();
    house.shards_at_rest()?;
    house.age_claim()?;
    house.deliver(&plan)?;
    assert_eq!((house.reshard_calls(), house.outcome()?.as_str()), (1, "accepted"));
    assert_eq!(house.world.wait_for_events("Weir Stream Resized", 1, PATIENCE)?.len(), 1);
    Ok(())
}

/// The answer to UpdateShardCount is lost on the way: the call is not repeated, and counts.
#[test]
fn a_lost_answer_is_not_asked_for_again() -> Result<()> {
    let house = House::with_stream(4, 1.2)?;
    house.world.proxy().lose_answer_of_next(1, "UpdateShardCount");
    let plan = house.surge_and_deliver()?;
    assert_eq!((house.reshard_calls(), house.outcome()?.as_str()), (1, "unknown"));
    let failed = house.world.wait_for_events("Weir Action Failed", 1, PATIENCE)?;
    assert_eq!(failed[0].detail["reason"], "outcome_unknown");
    assert_eq!(house.shards_at_rest()?, House::target(&plan));
    Ok(())
}
