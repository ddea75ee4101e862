//! Plans to switch the capacity mode, over the wire. The planner's own plan is given the switch as
//! its order, in the ledger too.

use serde_json::{Value, json};
use weir_tests::wire::Service;
use weir_tests::world::{Minute, WeirEvent};
use weir_tests::{Hold, Outage, Result};

use crate::installation::{Installation, PATIENCE, STREAM, schedule};

const PROVISIONED: &str = "provisioned";
const ON_DEMAND: &str = "on_demand";

impl Installation {
    /// A plan to switch, as EventBridge delivers it. A stream on demand is no news by itself.
    fn plan_to_switch(&self, from: &str, to: &str) -> Result<WeirEvent> {
        let mut plan = match from {
            ON_DEMAND => self.next_quiet_plan()?,
            _ => self.next_plan()?,
        };
        let action = json!({ "kind": "switch_mode", "from": from, "to": to });
        self.order_instead(&mut plan, action, to)?;
        Ok(plan)
    }

    /// Delivers a plan to switch-mode; its answer.
    fn deliver_switch(&self, plan: &WeirEvent) -> Result<Value> {
        Ok(self.switch_mode.invoke(plan.envelope.clone())?)
    }

    /// A plan to switch, carried out; the mode the stream then rests in.
    fn switch(&self, from: &str, to: &str) -> Result<String> {
        let plan = self.plan_to_switch(from, to)?;
        self.deliver_switch(&plan)?;
        Ok(self.world.wait_until_active(STREAM)?.mode)
    }

    /// How often AWS was asked to switch.
    fn switch_calls(&self) -> usize {
        self.world.proxy().calls_of("UpdateStreamMode").len()
    }

    /// Hands the newest Mode Switched to sync-alarms; whether the stream has each alarm afterwards.
    fn alarms_after_switch(&self, count: usize) -> Result<[bool; 2]> {
        let switched = self.world.wait_for_events("Weir Mode Switched", count, PATIENCE)?;
        assert_eq!(switched.len(), count, "{switched:?}");
        let mut newest = switched;
        newest.sort_by_key(|event| event.detail["accepted_at"].to_string());
        let event = newest.pop().ok_or_else(|| weir_tests::Failure::new("no event"))?;
        self.sync_alarms.invoke(event.envelope)?;
        let there = |name: &str| Ok::<_, weir_tests::Failure>(self.world.alarm(name)?.is_some());
        Ok([there("weir-surge-orders")?, there("weir-throttle-orders")?])
    }
}

#[test]
fn a_stream_goes_on_demand_and_back_and_the_third_switch_of_the_day_is_refused() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.sync_alarms.invoke(schedule())?;

    let plan = installation.plan_to_switch(PROVISIONED, ON_DEMAND)?;
    assert_eq!(installation.deliver_switch(&plan)?["outcome"], "switched");
    let stream = installation.world.wait_until_active(STREAM)?;
    assert_eq!((stream.mode.as_str(), stream.open_shards), ("ON_DEMAND", 4), "the shards stay");
    assert_eq!(installation.outcome()?, "accepted");
    assert_eq!(installation.alarms_after_switch(1)?, [false, true], "no capacity of ours to watch");
    // The event comes again.
    assert_eq!(installation.deliver_switch(&plan)?["outcome"], "repeated");
    assert_eq!(
        (installation.switch_calls(), installation.world.events_of("Weir Mode Switched")?.len()),
        (1, 1)
    );

    // The planner finds the mode that our own switch explains, and remembers it.
    assert_eq!(installation.switch(ON_DEMAND, PROVISIONED)?, "PROVISIONED");
    assert_eq!(installation.state()?["mode"], json!("\"on_demand\""));
    assert_eq!((installation.switch_calls(), installation.actions()?.len()), (2, 2));
    assert_eq!(installation.alarms_after_switch(2)?, [true, true]);

    let plan = installation.plan_to_switch(PROVISIONED, ON_DEMAND)?;
    assert_eq!(plan.detail["budget"]["mode_switches_used"], json!(2));
    assert!(plan.detail["budget"]["next_mode_switch_freed_at"].is_string(), "{}", plan.detail);
    let answer = installation.deliver_switch(&plan)?;
    assert_eq!(answer, json!({ "outcome": "refused", "reason": "mode_switches_spent" }));
    assert_eq!(installation.refusal()?, "mode_switches_spent");
    assert_eq!(installation.switch_calls(), 2, "AWS is not asked");
    assert_eq!(installation.world.stream(STREAM)?.mode, "PROVISIONED");
    Ok(())
}

/// Somebody else used up the day's switches. AWS's answer looks like a throttle, and the SDK would
/// repeat it.
#[test]
fn a_limit_that_others_used_up_costs_one_call() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.world.proxy().spend_mode_switches(STREAM, 2);
    assert_eq!(installation.switch(PROVISIONED, ON_DEMAND)?, "PROVISIONED");
    assert_eq!(
        (installation.refusal()?.as_str(), installation.switch_calls()),
        ("limit_reached", 1)
    );
    assert_eq!(installation.outcome()?, "refused");
    Ok(())
}

#[test]
fn a_stream_that_is_updating_is_not_switched() -> Result<()> {
    let installation = Installation::with_slow_stream(4, 1.2)?;
    let plan = installation.plan_to_switch(PROVISIONED, ON_DEMAND)?;
    installation.world.start_reshard(STREAM, 5)?;
    installation.deliver_switch(&plan)?;
    assert_eq!((installation.refusal()?.as_str(), installation.switch_calls()), ("stream_busy", 0));
    Ok(())
}

#[test]
fn what_somebody_else_switched_is_left_and_counted() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    let plan = installation.plan_to_switch(PROVISIONED, ON_DEMAND)?;
    installation.world.put_on_demand(STREAM)?;
    installation.deliver_switch(&plan)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.switch_calls()),
        ("stream_changed", 0)
    );
    installation.surge()?;
    let strangers: Vec<Value> = installation
        .actions()?
        .into_iter()
        .filter(|action| action["plan_id"].as_str().is_some_and(|id| id.ends_with("not-ours")))
        .collect();
    assert_eq!(strangers.len(), 1, "{strangers:?}");
    let change = json!({ "kind": "switch_mode", "to": ON_DEMAND }).to_string();
    assert_eq!(strangers[0]["change"], json!(change));
    Ok(())
}

#[test]
fn an_observing_policy_switches_nothing() -> Result<()> {
    let installation = Installation::with_policy("mode = \"observe\"")?;
    installation.world.create_stream(STREAM, 2)?;
    installation.world.put_traffic(STREAM, &vec![Minute::using(1.5, 2); 240])?;
    assert_eq!(installation.switch(PROVISIONED, ON_DEMAND)?, "PROVISIONED");
    assert_eq!(
        (installation.refusal()?.as_str(), installation.switch_calls()),
        ("observe_mode", 0)
    );
    Ok(())
}

#[test]
fn without_the_ledger_nothing_is_switched() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    let plan = installation.plan_to_switch(PROVISIONED, ON_DEMAND)?;
    installation.world.proxy().take_down(Service::DynamoDb, Outage::InternalError);
    installation.deliver_switch(&plan)?;
    assert_eq!(
        (installation.refusal()?.as_str(), installation.switch_calls()),
        ("ledger_unavailable", 0)
    );
    Ok(())
}

/// The call is not repeated, and counts; the planner's next look finds the mode explained, and the
/// plan after the way back counts two.
#[test]
fn a_lost_answer_counts_as_a_switch() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.world.proxy().lose_answer_of_next(1, "UpdateStreamMode");
    assert_eq!(installation.switch(PROVISIONED, ON_DEMAND)?, "ON_DEMAND");
    assert_eq!((installation.switch_calls(), installation.outcome()?.as_str()), (1, "unknown"));
    let failed = installation.world.wait_for_events("Weir Action Failed", 1, PATIENCE)?;
    assert_eq!(failed[0].detail["reason"], "outcome_unknown");
    installation.surge()?;
    assert_eq!(installation.actions()?.len(), 1);
    assert_eq!(installation.switch(ON_DEMAND, PROVISIONED)?, "PROVISIONED");
    let plan = installation.next_plan()?;
    assert_eq!(plan.detail["budget"]["mode_switches_used"], json!(2));
    Ok(())
}

/// The executor dies after AWS took the call and before it wrote the outcome down.
#[test]
fn a_switch_whose_executor_died_is_cleared_up_after() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    let plan = installation.plan_to_switch(PROVISIONED, ON_DEMAND)?;
    let gate = installation.world.proxy().hold_next("UpdateStreamMode", Hold::AfterTheCall);
    let invocation = installation.switch_mode.invoke_later(plan.envelope.clone())?;
    gate.wait_until_reached()?;
    installation.switch_mode.crash();
    assert!(invocation.wait().is_err());
    gate.release();
    assert_eq!(installation.outcome()?, "intended");
    installation.world.wait_until_active(STREAM)?;
    installation.age_claim()?;
    installation.surge()?;
    assert_eq!(installation.outcome()?, "accepted");
    assert_eq!(installation.alarms_after_switch(1)?, [false, true]);
    installation.deliver_switch(&plan)?;
    assert_eq!(installation.switch_calls(), 1);
    Ok(())
}
