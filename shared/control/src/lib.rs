//! Weir's control loops, over ports: plan-capacity, resize-stream, switch-mode, sync-alarms,
//! raise-alerts.
//!
//! Here: the loops, the ports they need (one trait per verb, as rights are), what the ledger
//! remembers, the events that join the loops, and CloudWatch's events read tolerantly. Not here:
//! decisions (`weir-core`), AWS SDKs (`weir-aws`), the simulated AWS (`weir-sim`).

pub mod answer;
pub mod carry_out;
pub mod deadline;
pub mod event;
pub mod incoming;
pub mod installation;
pub mod ledger;
pub mod notification;
pub mod plan_capacity;
pub mod plan_id;
pub mod policy_folder;
pub mod ports;
pub mod raise_alerts;
pub mod recovery;
pub mod resize_stream;
pub mod routing;
pub mod skipped;
pub mod switch_mode;
pub mod sync_alarms;
pub mod uninstall;
