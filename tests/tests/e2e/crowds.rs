//! The planner's own choice of the mode: a crowd comes when the day's reshards are spent.
//!
//! Nobody waits for time to go by. All traffic is put into the past and shown as newer, by less and
//! less. Not here: everything that hinders a switch (`switching`).

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use weir_tests::Result;
use weir_tests::world::{Minute, WeirEvent};

use crate::installation::{Installation, STREAM, schedule};

const SHARDS: u32 = 8;
/// Shards' worth of load: of every day, and of a crowd.
const CALM: f64 = 2.0;
const CROWD: f64 = 80.0;

/// Traffic that ends some minutes before the test began.
struct Past<'a> {
    installation: &'a Installation,
    began: Timestamp,
}

impl Past<'_> {
    fn of(installation: &Installation) -> Past<'_> {
        let minute = weir_tests::time::now().as_second() / 60 * 60;
        Past { installation, began: Timestamp::from_second(minute).expect("a time") }
    }

    /// So many minutes of a load, until so many minutes ago; what was the past until then is now.
    fn had(&self, load: f64, minutes: u32, until: u32) -> Result<()> {
        let first = self.began - SignedDuration::from_mins(i64::from(minutes + until));
        let traffic = vec![Minute::using(load, 1); minutes as usize];
        self.installation.world.put_traffic_from(STREAM, first, &traffic)?;
        self.installation
            .world
            .proxy()
            .show_metrics_newer(Duration::from_secs(60 * u64::from(until)));
        Ok(())
    }
}

/// What a plan says of the mode.
fn told(plan: &WeirEvent) -> String {
    let lines = plan.detail["explanation"].as_array().cloned().unwrap_or_default();
    let mut lines = lines.iter().filter_map(|line| line.as_str());
    lines.find(|line| line.starts_with("mode:")).unwrap_or_default().to_owned()
}

#[test]
fn with_the_reshards_spent_a_crowd_goes_on_demand_and_comes_back_and_is_halved() -> Result<()> {
    let installation = Installation::with_policy("mode = \"act\"\nmode_switches = \"automatic\"")?;
    installation.world.create_stream(STREAM, SHARDS.into())?;
    let past = Past::of(&installation);
    past.had(CALM, 2_880, 68)?;
    past.had(CROWD, 3, 65)?;
    installation.sync_alarms.invoke(schedule())?;
    installation.spend_reshards()?;

    let plan = installation.next_plan()?;
    assert_eq!(plan.detail["budget"]["reshards_used"], json!(10));
    let out = json!({ "kind": "switch_mode", "from": "provisioned", "to": "on_demand" });
    assert_eq!(plan.detail["action"], out, "{}", told(&plan));
    assert_eq!(installation.switch_mode.invoke(plan.envelope)?["outcome"], "switched");
    let stream = installation.world.wait_until_active(STREAM)?;
    assert_eq!((stream.mode.as_str(), stream.open_shards), ("ON_DEMAND", 8));

    past.had(CALM, 30, 35)?;
    let plan = installation.next_plan()?;
    let back = json!({ "kind": "switch_mode", "from": "on_demand", "to": "provisioned" });
    assert_eq!(plan.detail["action"], back, "{}", told(&plan));
    assert_eq!(installation.switch_mode.invoke(plan.envelope)?["outcome"], "switched");
    let stream = installation.world.wait_until_active(STREAM)?;
    assert_eq!((stream.mode.as_str(), stream.open_shards), ("PROVISIONED", 8));

    // Reshards are free again: what is too large is halved.
    past.had(CALM, 30, 5)?;
    installation.age_reshards()?;
    let plan = installation.next_plan()?;
    assert_eq!(plan.detail["action"], json!({ "kind": "reshard", "from": 8, "to": 4 }));
    installation.deliver(&plan)?;
    assert_eq!(installation.shards_at_rest()?, 4);

    // The next crowd of the day finds the switches spent, and the operator is told.
    installation.spend_reshards()?;
    past.had(CROWD, 5, 0)?;
    let plan = installation.next_plan()?;
    assert_eq!(plan.detail["action"], json!({ "kind": "hold", "reason": "mode_switches_spent" }));
    assert_eq!(plan.detail["budget"]["mode_switches_used"], json!(2));
    assert_eq!(
        told(&plan),
        "mode: better on demand, as demand is above what reshards can reach in time; withheld, \
         mode_switches_spent: Both of the mode switches that AWS allows in 24 hours are used."
    );
    let log = installation.plan_capacity.log();
    assert!(log.iter().any(|line| line.to_string().contains("mode_switches_spent")), "{log:#?}");
    assert_eq!(
        installation.world.proxy().calls_of("UpdateStreamMode").len(),
        2,
        "AWS is not asked again"
    );
    Ok(())
}
