//! Weir's decisions, as pure functions of (policy, observation, history, now).
//!
//! Here: units, AWS limits, policies, what was observed, demand, forecast, the plan with its clamps,
//! the budget, the bill, reason codes, which alarms a stream and its consumers should have, and when a person is
//! told that one failed. Not here: clocks, randomness, the environment, files, networks, AWS SDKs. The
//! same code decides in Lambda, in the twin and in the command line.

pub mod action;
pub mod alarms;
pub mod bill;
pub mod budget;
pub mod consumer;
pub mod demand;
pub mod forecast;
pub mod history;
pub mod incident;
pub mod limits;
pub mod observation;
pub mod on_demand;
pub mod plan;
pub mod policy;
pub mod reasons;
pub mod reshard;
pub mod series;
pub mod throttling;
#[doc(hidden)]
pub mod tune;
pub mod units;
