//! Weir's decisions, as pure functions of (policy, observation, history, now).
//!
//! Here: units, AWS limits, policies, what was observed, demand, forecast, the plan with its
//! clamps, what a stream refuses, the budget, the bill, reason codes, which alarms a stream and its
//! consumers should have, and when a person is told that one failed. Not here: clocks, randomness,
//! the environment, files, networks, AWS SDKs. The same code decides in Lambda, in the simulator
//! and in the command line.

#![recursion_limit = "256"] // the catalogue of reasons is sorted by a macro, an entry a step

pub mod action;
pub mod alarms;
pub mod bill;
pub mod budget;
pub mod consumer;
pub mod demand;
pub mod forecast;
pub mod history;
pub mod incident;
pub mod laws;
pub mod limits;
pub mod observation;
pub mod on_demand;
pub mod plan;
pub mod policy;
pub mod profile;
pub mod reasons;
pub mod reshard;
pub mod series;
pub mod symptom;
pub mod throttling;
pub mod units;
