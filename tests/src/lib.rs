//! The over-the-wire test harness: real emulators, a recording proxy, a local Lambda Runtime API.
//!
//! Here: everything a test needs to run a compiled Weir function against AWS's wire protocols on a
//! machine that has only Rust and Python 3. Not here: the tests (`tests/`), and anything Weir
//! itself uses; no AWS SDK and no Weir crate is linked, so the tests see only what AWS would see.
//!
//! ```text
//! test ── World ──► LambdaFunction (child process) ──AWS_ENDPOINT_URL──► Proxy ─┬─► kinesis-mock
//!            └── AwsClient (unrecorded, never faulted) ─────────────► Proxy ─┴─► MiniStack
//! ```
//!
//! Every [`World`] has an AWS account of its own on emulators that all tests of a process share, so
//! tests run side by side and none sees another's streams, alarms or events.

#![allow(clippy::missing_errors_doc)] // an error here is a failed test, and says what failed

pub mod aws_client;
mod binaries;
pub mod emulators;
pub mod failure;
pub mod lambda_function;
mod local_server;
pub mod privileges;
mod process;
pub mod proxy;
mod runtime_api;
pub mod time;
mod tools;
pub mod wire;
pub mod world;

pub use aws_client::AwsClient;
pub use binaries::bootstrap_binary;
pub use emulators::{Durations, Emulators};
pub use failure::{AwsError, Failure, Result};
pub use lambda_function::{FunctionError, FunctionSpec, Invocation, LambdaFunction};
pub use proxy::{Gate, Hold, Outage, Proxy};
pub use tools::{look_at_page, python};
pub use wire::{Answered, Call, Service};
pub use world::World;
