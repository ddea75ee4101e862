//! Tests of the harness itself: the emulators start, the proxy round-trips, records and fails on
//! demand, and a program behind the Runtime API is run as Lambda would run it.
//!
//! Here: one file per part. Not here: any test of Weir.

mod cloudwatch;
mod dynamodb;
mod events;
mod faults;
mod function;
mod kinesis;
mod setup;

use weir_tests::world::REGION;
use weir_tests::{AwsClient, World};

/// A client whose calls the proxy takes for a function's.
fn function_client(world: &World) -> AwsClient {
    AwsClient::like_a_function(world.proxy().url(), world.account(), REGION)
}

/// The code of the AWS error that a call must have met.
fn error_code<T: std::fmt::Debug>(result: weir_tests::Result<T>) -> String {
    match result {
        Ok(answer) => panic!("not refused, but answered with {answer:?}"),
        Err(failure) => match failure.aws_error() {
            Some(error) => error.code.clone(),
            None => panic!("not an AWS error: {failure}"),
        },
    }
}
