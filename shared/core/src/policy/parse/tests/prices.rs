//! What `[prices]` may say, and each fault.

use crate::policy::{AccountPrices, Governance, Policy, parse};
use crate::units::StreamName;

const STREAMS: &str = "[defaults]\nmode = \"act\"\n[[streams]]\nmatch = \"*\"\n";

/// The prices that hold for a stream; `None` where the file is faulty.
fn read(prices: &str) -> Option<AccountPrices> {
    let (set, _) = parse("orders.toml", &format!("version = 1\n{prices}{STREAMS}"));
    match set.governing(&StreamName::new("orders").expect("a name")) {
        Governance::By(policy) => Some(policy.prices),
        Governance::Faulty | Governance::None => None,
    }
}

#[test]
fn what_is_not_stated_is_the_list_s() {
    assert_eq!(read(""), Some(Policy::DEFAULT.prices));
    assert_eq!(read("[prices]\n"), Some(Policy::DEFAULT.prices));
    let stated = "[prices]\non_demand = \"standard\"\nshard_hour_usd = 0.015\n\
                  put_units_million_usd = 0.014\nextended_retention_shard_hour_usd = 0.02\n\
                  stream_hour_usd = 0.04\nin_gb_usd = 0.08\nout_gb_usd = 0.04\n\
                  extended_retention_gb_month_usd = 0.1\n";
    assert_eq!(read(stated), Some(Policy::DEFAULT.prices));
}

#[test]
fn a_stated_price_holds_beside_the_list_the_account_has() {
    let prices = read("[prices]\non_demand = \"advantage\"\nout_gb_usd = 0.02\n");
    let on_demand = prices.expect("sound").on_demand;
    assert_eq!(
        (on_demand.stream_hour_usd, on_demand.in_gb_usd, on_demand.out_gb_usd),
        (0.0, 0.032, 0.02)
    );
    assert_eq!(on_demand.committed_gb_per_hour, 0.0);
    let put_unit_usd = read("[prices]\nput_units_million_usd = 0.02\n")
        .map(|prices| prices.provisioned.put_unit_usd);
    assert_eq!(put_unit_usd, Some(0.02 / 1e6));
}

#[test]
fn implausible_prices_are_told_and_leave_the_streams_alone() {
    let text = "version = 1\n[prices]\non_demand = \"premium\"\nshard_hour_usd = 0\n\
                put_units_million_usd = 0.000000014\nstream_hour_usd = -1\nin_gb_usd = 80\n\
                out_gb_usd = \"0.04\"\nextended_retention_gb_month_usd = nan\nshard_usd = 1\n";
    let (_, faults) = parse("orders.toml", &format!("{text}{STREAMS}"));
    let told: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
    insta::assert_snapshot!(told, @r#"
    orders.toml:3:14: on_demand cannot be "premium"; write on_demand = "standard" or "advantage"
    orders.toml:4:18: shard_hour_usd cannot be 0; write dollars from 0.001 to 1
    orders.toml:5:25: put_units_million_usd cannot be 0.000000014; write dollars from 0.001 to 1
    orders.toml:6:19: stream_hour_usd cannot be -1; write dollars from 0 to 1
    orders.toml:7:13: in_gb_usd cannot be 80; write dollars from 0.001 to 1
    orders.toml:8:15: out_gb_usd cannot be "0.04"; write dollars from 0.001 to 1
    orders.toml:9:35: extended_retention_gb_month_usd cannot be nan; write dollars from 0.001 to 1
    orders.toml:10:1: shard_usd is not a key of [prices]; use one of on_demand, shard_hour_usd, put_units_million_usd, extended_retention_shard_hour_usd, stream_hour_usd, in_gb_usd, out_gb_usd, extended_retention_gb_month_usd
    "#);
    assert_eq!(read("[prices]\nin_gb_usd = 80\n"), None);
    assert_eq!(read("prices = 3\n"), None);
}
