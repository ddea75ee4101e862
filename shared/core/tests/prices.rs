//! What a plan's size makes of the prices that the policy states. Not here: the mode
//! (`capacity_mode`).

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use support::{plan_of, series};
use weir_core::plan::{DAYS_OBSERVED, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED};
use weir_core::policy::Policy;

#[test]
fn where_shards_are_dearer_fewer_are_kept_for_what_nobody_expects() {
    // From 3 to 8 shards' load, in an order that nobody guesses.
    let load = |age: u32| 3.0 + f64::from(age / 5 * 7 % 11) / 2.0;
    let wanted = |shard_hour_usd| {
        let mut policy = Policy::DEFAULT;
        policy.prices.provisioned.shard_hour_usd = shard_hour_usd;
        let days = series(DAYS_OBSERVED * 288, DAYS_PERIOD_SECONDS, load);
        let plan = plan_of(&policy, 8, series(MINUTES_OBSERVED, 60, load), days, Vec::new());
        plan.wanted().get()
    };
    let by_price = [0.015, 0.5, 1.0].map(wanted);
    assert!(by_price[0] > by_price[1] && by_price[1] >= by_price[2], "{by_price:?}");
}
