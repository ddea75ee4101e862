//! An account with Weir in it: the ledger, an acting policy, a stream with traffic, the four
//! functions.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_tests::world::{Minute, WeirEvent};
use weir_tests::{Durations, LambdaFunction, Result, World};

/// The stream all of it is about.
pub(crate) const STREAM: &str = "orders";
/// Minutes of traffic put before now: more than a day, within which nothing is taken away.
const MINUTES: usize = 1_700;
const PLANNED: &str = "Weir Capacity Planned";
/// How long an event may take to arrive.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// See the module.
pub(crate) struct Installation {
    pub(crate) world: World,
    pub(crate) plan_capacity: LambdaFunction,
    pub(crate) resize_stream: LambdaFunction,
    pub(crate) switch_mode: LambdaFunction,
    pub(crate) sync_alarms: LambdaFunction,
}

impl Installation {
    /// A stream of `shards` in use to this share, and Weir allowed to act.
    pub(crate) fn with_stream(shards: u32, used_share: f64) -> Result<Installation> {
        Installation::with_policy("mode = \"act\"")?.and_stream(shards, used_share)
    }

    /// The same, where a change of a stream is under way for as long as a test lasts.
    pub(crate) fn with_slow_stream(shards: u32, used_share: f64) -> Result<Installation> {
        let long = Duration::from_secs(600);
        let durations = Durations {
            update_shard_count: long,
            update_stream_mode: long,
            ..Durations::default()
        };
        let world = World::with_durations(durations)?;
        Installation::in_world(world, "mode = \"act\"")?.and_stream(shards, used_share)
    }

    pub(crate) fn and_stream(self, shards: u32, used_share: f64) -> Result<Installation> {
        self.world.create_stream(STREAM, shards.into())?;
        self.world.put_traffic(STREAM, &vec![Minute::using(used_share, shards); MINUTES])?;
        Ok(self)
    }

    /// No stream yet; policies for all streams with these knobs.
    pub(crate) fn with_policy(knobs: &str) -> Result<Installation> {
        Installation::in_world(World::start()?, knobs)
    }

    fn in_world(world: World, knobs: &str) -> Result<Installation> {
        world.create_ledger()?;
        world.write_policy(
            "streams",
            &format!("version = 1\n[[streams]]\nmatch = \"*\"\n{knobs}\n"),
        )?;
        Ok(Installation {
            plan_capacity: world.function("plan-capacity").deploy()?,
            resize_stream: world.function("resize-stream").deploy()?,
            switch_mode: world.function("switch-mode").deploy()?,
            sync_alarms: world.function("sync-alarms").deploy()?,
            world,
        })
    }

    /// Its surge alarm goes off, and plan-capacity hears of it.
    pub(crate) fn surge(&self) -> Result<()> {
        let event = self.world.alarm_event("weir-surge-orders", STREAM).build();
        self.plan_capacity.invoke(event)?;
        Ok(())
    }

    /// The plan that followed, as EventBridge delivers it.
    pub(crate) fn newest_plan(&self) -> Result<WeirEvent> {
        let mut plans = self.world.wait_for_events(PLANNED, 1, PATIENCE)?;
        plans.sort_by_key(|plan| plan.detail["planned_at"].to_string());
        plans.pop().ok_or_else(|| weir_tests::Failure::new("no plan"))
    }

    /// A surge, and the plan that it alone led to.
    pub(crate) fn next_plan(&self) -> Result<WeirEvent> {
        let before = self.world.events_of(PLANNED)?.len();
        self.surge()?;
        self.world.wait_for_events(PLANNED, before + 1, PATIENCE)?;
        self.newest_plan()
    }

    /// A surge, and the last event of a plan for the plan it led to, where that is no news and not
    /// published. Its order is yet to be given (`order_instead`).
    pub(crate) fn next_quiet_plan(&self) -> Result<WeirEvent> {
        self.surge()?;
        self.newest_plan()
    }

    /// The size a plan asks for.
    pub(crate) fn target(plan: &WeirEvent) -> u64 {
        plan.detail["action"]["to"].as_u64().unwrap_or_default()
    }

    /// Delivers a plan to resize-stream.
    pub(crate) fn deliver(&self, plan: &WeirEvent) -> Result<Value> {
        Ok(self.resize_stream.invoke(plan.envelope.clone())?)
    }

    /// A surge, its plan, and the delivery of it.
    pub(crate) fn surge_and_deliver(&self) -> Result<WeirEvent> {
        self.surge()?;
        let plan = self.newest_plan()?;
        self.deliver(&plan)?;
        Ok(plan)
    }

    /// How often AWS was asked to reshard.
    pub(crate) fn reshard_calls(&self) -> usize {
        self.world.proxy().calls_of("UpdateShardCount").len()
    }

    /// The reason of the one refusal there was.
    pub(crate) fn refusal(&self) -> Result<String> {
        let refused = self.world.wait_for_events("Weir Action Refused", 1, PATIENCE)?;
        assert_eq!(refused.len(), 1, "{refused:?}");
        Ok(refused[0].detail["reason"].as_str().unwrap_or_default().to_owned())
    }

    /// The actions in the ledger.
    pub(crate) fn actions(&self) -> Result<Vec<Value>> {
        self.world.ledger_items_under(&format!("stream#{STREAM}"), "action#")
    }

    /// The stream's state item in the ledger.
    pub(crate) fn state(&self) -> Result<Value> {
        let mut items = self.world.ledger_items_under(&format!("stream#{STREAM}"), "state")?;
        items.pop().ok_or_else(|| weir_tests::Failure::new("no state item"))
    }

    /// What became of the one action there is.
    pub(crate) fn outcome(&self) -> Result<String> {
        let actions = self.actions()?;
        assert_eq!(actions.len(), 1, "{actions:?}");
        let outcome: Value =
            serde_json::from_str(actions[0]["outcome"].as_str().unwrap_or_default())
                .unwrap_or_default();
        Ok(outcome["outcome"].as_str().unwrap_or_default().to_owned())
    }

    /// Open shards once the stream is at rest.
    pub(crate) fn shards_at_rest(&self) -> Result<u64> {
        Ok(self.world.wait_until_active(STREAM)?.open_shards)
    }

    /// The day's ten reshards are made, an hour ago.
    pub(crate) fn spend_reshards(&self) -> Result<()> {
        let hour_ago = weir_tests::time::now() - SignedDuration::from_hours(1);
        for second in 0..10 {
            let at = written(hour_ago + SignedDuration::from_secs(second));
            self.world.put_ledger_item(&json!({
                "pk": format!("stream#{STREAM}"), "sk": format!("action#{at}#p{second}"), "schema": 1,
                "plan_id": format!("p{second}"), "at": at, "published": true,
                "change": json!({ "kind": "reshard", "from": 5, "to": 4 }).to_string(),
                "outcome": json!({ "outcome": "accepted" }).to_string(),
            }))?;
        }
        Ok(())
    }

    /// The reshards leave the window of 24 hours.
    pub(crate) fn age_reshards(&self) -> Result<()> {
        let long_ago = written(weir_tests::time::now() - SignedDuration::from_hours(25));
        for mut action in self.actions()? {
            if action["change"].as_str().is_some_and(|change| change.contains("reshard")) {
                action["at"] = json!(long_ago);
                self.world.put_ledger_item(&action)?;
            }
        }
        Ok(())
    }

    /// Makes a plan order something else, in its event and in the ledger.
    pub(crate) fn order_instead(
        &self,
        plan: &mut WeirEvent,
        action: Value,
        order: &str,
    ) -> Result<()> {
        let mut state = self.state()?;
        let id = json!(format!("{}-{order}", state["latest_plan"].as_str().unwrap_or_default()));
        plan.envelope["detail"]["plan_id"] = id.clone();
        plan.envelope["detail"]["action"] = action;
        state["latest_plan"] = id;
        self.world.put_ledger_item(&state)
    }

    /// Makes the claim in the ledger as old as one whose executor is dead.
    pub(crate) fn age_claim(&self) -> Result<()> {
        let mut state = self.state()?;
        assert!(state["claim_at"].is_string(), "no claim: {state}");
        state["claim_at"] = json!("2026-01-01T00:00:00.000000000Z");
        self.world.put_ledger_item(&state)
    }
}

/// A time as the ledger has it.
fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// The scheduled event of a tick, and of the hourly synchronisation.
pub(crate) fn schedule() -> Value {
    json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "resources": [] })
}
