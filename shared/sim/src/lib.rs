//! A simulated AWS with a virtual clock, on which the very loops run that run on the real one.
//!
//! Here: streams, metrics, alarms, bus, ledger, faults and checkers; traces of traffic, recorded or
//! made from a seed. Not here: decisions and loops (`weir-core`, `weir-control`), which it only
//! hosts; scoring a run, and what it is compared with (`weir-bench`).

mod alarms;
mod api;
mod bus;
mod chance;
mod checkers;
mod clock;
mod consumer;
pub mod evenness;
mod faults;
pub mod generate;
mod ledger;
mod metrics;
mod operation;
mod ports;
mod process;
pub mod record;
pub mod settings;
pub mod simulation;
mod stream;
pub mod topics;
pub mod trace;
mod traffic;
mod world;
