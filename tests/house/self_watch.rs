//! The alarm that watches Weir without Weir hears of a function whose every tick fails, and not of
//! a passing failure.
//!
//! Not here: which failures a function reports as its own (`functions`).

use serde_json::json;
use weir_control::routing::REDELIVERY_DELAYS_SECONDS;

use crate::deployment::{functions, template};
use crate::files::text;

/// Ticks in a period of the alarm: one a minute, five minutes.
const TICKS: u32 = 5;

#[test]
fn the_last_resort_counts_the_retries_of_ticks_as_errors() {
    let template = template();
    let alarm = &template["Resources"]["TickMissing"]["Properties"];
    assert_eq!(alarm["Metrics"][1]["MetricStat"]["Period"], 60 * TICKS);
    let expression = text(&alarm["Metrics"][0]["Expression"]);
    for (errors, id) in [("unplanned", "PlanCapacity"), ("untold", "RaiseAlerts")] {
        let threshold = expression.split(&format!("FILL({errors}, 0) < ")).nth(1);
        let threshold = threshold.and_then(|rest| rest.split([' ', ',']).next()?.parse().ok());
        let threshold: usize = threshold.unwrap_or_else(|| panic!("{errors}: {expression}"));
        let function = functions(&template).find(|(name, _)| *name == id).map(|(_, found)| found);
        let retries = function.map(|f| &f["EventInvokeConfig"]["MaximumRetryAttempts"]);
        assert_eq!(retries, Some(&json!(REDELIVERY_DELAYS_SECONDS.len())), "{id}");

        // Each tick is tried at once, then after each delay: those tries that the period still
        // holds.
        let when_it_begins: usize = (0..TICKS)
            .map(|tick| {
                let tried_at = REDELIVERY_DELAYS_SECONDS.iter().scan(60 * tick, |at, delay| {
                    *at += delay;
                    Some(*at)
                });
                1 + tried_at.filter(|at| *at < 60 * TICKS).count()
            })
            .sum();
        assert!(threshold <= when_it_begins, "{id}: {when_it_begins} errors, all of them, pass");
        let two_of_five_work = 3 * (1 + REDELIVERY_DELAYS_SECONDS.len());
        assert!(threshold > two_of_five_work, "{id} works, and is told of as if it did not");
    }
}
