//! The chassis of Weir's functions: start from an environment, read an event, run a loop, report
//! what it did.
//!
//! A function is a [`Function`] and the `on_event` of its loop. Here too: how Lambda takes batches
//! of Kinesis records and partial answers to them ([`batch`]). Not here: decisions, redelivery
//! among them (`weir_control::answer`), and calls of AWS (`weir-aws`).

pub mod batch;
mod emf;
mod function;
mod report;
mod settings;
mod start;

pub use function::serve;
pub use lambda_runtime::Error;
pub use report::{Report, Told};
pub use start::Function;
