//! A simulated AWS with a virtual clock, on which the very loops run that run on the real one.
//!
//! Here: streams, metrics, alarms, bus, ledger, faults and checkers; traces of traffic, recorded or made
//! from a seed; scoring; peers' rules as baselines. Not here: decisions and loops (`weir-core`,
//! `weir-control`), which it only hosts.

mod alarms;
pub mod baseline;
pub mod bench;
mod bus;
mod chance;
mod checkers;
mod clock;
pub mod evenness;
mod faults;
pub mod generate;
pub mod guard;
mod ledger;
mod metrics;
mod operation;
pub mod optimum;
mod ports;
mod process;
pub mod record;
pub mod score;
pub mod settings;
pub mod simulation;
mod stream;
pub mod trace;
mod traffic;
mod world;
