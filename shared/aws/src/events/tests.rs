//! PutEvents: chunks, failed entries, retries.

use serde_json::{Value, json};
use weir_control::event::{OperatorRequest, Request, VERSION};

use super::*;
use crate::testing::{answering, bodies, json as answer};

fn events(count: usize) -> Vec<WeirEvent> {
    let request =
        OperatorRequest { version: VERSION, request: Request::Plan, stream: None, after: None };
    vec![WeirEvent::OperatorRequest(request); count]
}

/// An answer in which these places failed.
fn taken_but(failed: &[usize], of: usize) -> Value {
    let entry = |n: usize| match failed.contains(&n) {
        true => json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}),
        false => json!({"EventId": format!("{n}")}),
    };
    let entries: Vec<_> = (0..of).map(entry).collect();
    json!({"FailedEntryCount": failed.len(), "Entries": entries})
}

fn sizes(bodies: &[Value]) -> Vec<usize> {
    bodies.iter().map(|body| body["Entries"].as_array().map_or(0, Vec::len)).collect()
}

#[tokio::test(start_paused = true)]
async fn events_go_out_ten_at_a_time() {
    let (aws, replay) =
        answering(vec![answer(200, &taken_but(&[], 10)), answer(200, &taken_but(&[], 3))]);
    aws.publish(&events(13)).await.expect("published");
    let bodies = bodies(&replay);
    assert_eq!(sizes(&bodies), [10, 3]);
    let entry = &bodies[0]["Entries"][0];
    assert_eq!(
        [&entry["Source"], &entry["DetailType"], &entry["EventBusName"]],
        ["weir", "Weir Operator Request", "default"]
    );
    // The order of its fields depends on how serde_json was built.
    let detail: Value =
        serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
    let said = json!({
        "version": 1, "request": "plan", "stream": null, "installation": "weir-"
    });
    assert_eq!(detail, said);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_taken_is_sent_once_more() {
    let (aws, replay) =
        answering(vec![answer(200, &taken_but(&[1, 4], 5)), answer(200, &taken_but(&[], 2))]);
    aws.publish(&events(5)).await.expect("published");
    assert_eq!(sizes(&bodies(&replay)), [5, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_twice_is_an_error_and_the_rest_still_goes_out() {
    let (aws, replay) = answering(vec![
        answer(200, &taken_but(&[0], 10)),
        answer(200, &taken_but(&[0], 1)),
        answer(200, &taken_but(&[], 2)),
    ]);
    let error = aws.publish(&events(12)).await.expect_err("one is lost");
    assert_eq!(error.failure, Failure::Limit);
    assert_eq!(sizes(&bodies(&replay)), [10, 1, 2]);
}
