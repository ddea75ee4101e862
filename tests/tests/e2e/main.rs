//! The whole loop over the wire: the compiled Lambda binary behind a Runtime API, against emulated
//! AWS.
//!
//! Each test is one account with its own stream, ledger and policies. What is asserted is what AWS
//! ends up with: shards, alarms, ledger items, events, and how many calls it took.

mod alerting;
mod checking;
mod cost;
mod crowds;
mod deliveries;
mod deployed;
mod installation;
mod outages;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))] // as Chromium is packed
mod page;
mod pausing;
mod previewing;
mod privileges;
mod recording;
mod refusals;
mod switching;
mod trial;
mod uninstalling;
mod whole_loop;
