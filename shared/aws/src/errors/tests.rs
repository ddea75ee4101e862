//! The table of errors, row by row, as the services word them.

use serde_json::json;
use weir_control::ports::{DescribeStream, Failure, ListStreams, Reshard, SwitchMode};
use weir_core::observation::CapacityMode;
use weir_core::units::{Shards, StreamName};

use crate::testing::{Answer, answering, behind, json as answer, sent};

fn orders() -> StreamName {
    StreamName::new("orders").expect("a name")
}

fn eight() -> Shards {
    Shards::new(8).expect("shards")
}

fn refusal(code: &str, message: &str) -> Answer {
    answer(400, &json!({"__type": code, "message": message}))
}

#[tokio::test(start_paused = true)]
async fn every_refusal_of_a_reshard_is_told_apart_and_sent_once() {
    let cases = [
        (
            "LimitExceededException",
            "Rate exceeded for stream orders under account 1.",
            Failure::Limit,
        ),
        ("ResourceInUseException", "Stream orders not ACTIVE, instead UPDATING", Failure::Busy),
        ("ResourceNotFoundException", "Stream orders not found", Failure::Missing),
        ("InvalidArgumentException", "cannot scale up over double", Failure::Invalid),
        ("ValidationException", "1 validation error: must be positive", Failure::Invalid),
        (
            "ValidationException",
            "Request is invalid. Stream is in On-Demand mode.",
            Failure::WrongMode,
        ),
        ("ValidationException", "not supported for the stream's capacity mode", Failure::WrongMode),
        ("AccessDeniedException", "not authorized to perform", Failure::Denied),
        ("ThrottlingException", "Rate exceeded", Failure::Limit),
        ("SomethingNewException", "?", Failure::Invalid),
    ];
    for (code, message, failure) in cases {
        // A second answer is there, so that a second call would be seen.
        let again = answer(200, &json!({}));
        let (aws, replay) = answering(vec![refusal(code, message), again]);
        let error = aws.reshard(&orders(), eight()).await.expect_err(code);
        assert_eq!(error.failure, failure, "{code}: {message}");
        assert_eq!(error.operation, "UpdateShardCount");
        assert_eq!(error.message, format!("{code}: {message}"));
        assert_eq!(sent(&replay), 1, "{code} must not be sent again");
    }
}

/// A switch asks for the stream's ARN first; only the switch itself may have changed anything.
#[tokio::test(start_paused = true)]
async fn every_refusal_of_a_mode_switch_is_told_apart_and_sent_once() {
    let summary = || {
        answer(
            200,
            &json!({"StreamDescriptionSummary": {
                "StreamName": "orders", "StreamARN": "arn:aws:kinesis:x:1:stream/orders",
                "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24, "EnhancedMonitoring": [],
                "StreamCreationTimestamp": 1.7e9, "OpenShardCount": 4
            }}),
        )
    };
    let cases = [
        (
            400,
            "LimitExceededException",
            "Rate exceeded for stream orders. You cannot update the capacity mode of your data \
             stream more than twice within 24 hours.",
            Failure::Limit,
        ),
        (400, "ResourceInUseException", "Stream orders not ACTIVE", Failure::Busy),
        (400, "ValidationException", "not supported in capacity mode", Failure::Invalid),
        (400, "AccessDeniedException", "not authorized to perform", Failure::Denied),
        (500, "InternalFailure", "?", Failure::AnswerLost),
    ];
    for (status, code, message, failure) in cases {
        let refusal = answer(status, &json!({"__type": code, "message": message}));
        let (aws, replay) = answering(vec![summary(), refusal, answer(200, &json!({}))]);
        let error = aws.switch_mode(&orders(), CapacityMode::OnDemand).await.expect_err(code);
        assert_eq!((error.failure, error.operation), (failure, "UpdateStreamMode"), "{code}");
        assert_eq!(sent(&replay), 2, "{code} must not be sent again");
    }
    let (aws, _) = answering((0..3).map(|_| answer(500, &json!({}))).collect());
    let error = aws.switch_mode(&orders(), CapacityMode::OnDemand).await.expect_err("no summary");
    assert_eq!(error.failure, Failure::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_on_a_change_may_have_made_it() {
    for (status, body) in [(500, json!({"__type": "InternalFailure"})), (503, json!({}))] {
        let (aws, replay) = answering(vec![answer(status, &body), answer(200, &json!({}))]);
        let error = aws.reshard(&orders(), eight()).await.expect_err("a failure");
        assert_eq!((error.failure, sent(&replay)), (Failure::AnswerLost, 1), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_and_a_lasting_failure_is_unavailable() {
    let summary = json!({"StreamDescriptionSummary": {
        "StreamName": "orders", "StreamARN": "arn", "StreamStatus": "ACTIVE",
        "RetentionPeriodHours": 24, "StreamCreationTimestamp": 1.7e9, "EnhancedMonitoring": [],
        "OpenShardCount": 4
    }});
    let limit = || refusal("LimitExceededException", "Rate exceeded");
    let (aws, replay) = answering(vec![limit(), answer(500, &json!({})), answer(200, &summary)]);
    let state = aws.describe_stream(&orders()).await.expect("the third answer");
    assert_eq!((state.open_shards.get(), sent(&replay)), (4, 3));

    let (aws, _) = answering((0..3).map(|_| answer(500, &json!({}))).collect());
    let error = aws.describe_stream(&orders()).await.expect_err("a failure");
    assert_eq!(error.failure, Failure::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_no_answer() {
    let garbage = || answer(200, &json!("<html>"));
    let (aws, _) = answering(vec![garbage()]);
    let error = aws.reshard(&orders(), eight()).await.expect_err("a failure");
    assert_eq!(error.failure, Failure::AnswerLost);
    let (aws, _) = answering((0..3).map(|_| garbage()).collect());
    let error = aws.list_streams().await.expect_err("a failure");
    assert_eq!(error.failure, Failure::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_thing_is_gone_only_where_aws_says_so() {
    let (aws, _) = answering(vec![answer(404, &json!("Not Found"))]);
    let error = aws.describe_stream(&orders()).await.expect_err("a failure");
    assert_eq!(error.failure, Failure::Invalid);
}

mod connections {
    use std::io;

    use aws_smithy_http_client::Builder;
    use aws_smithy_http_client::test_util::NeverClient;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    async fn listener() -> io::Result<(TcpListener, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        Ok((listener, endpoint))
    }

    async fn failure_at(endpoint: &str) -> Failure {
        let aws = behind(Builder::new().build_http(), endpoint);
        aws.reshard(&orders(), eight()).await.expect_err("nobody answers").failure
    }

    #[tokio::test]
    async fn a_refused_connection_changed_nothing() -> io::Result<()> {
        let (listener, endpoint) = listener().await?;
        drop(listener);
        assert_eq!(failure_at(&endpoint).await, Failure::Unavailable);
        Ok(())
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_changed_nothing() {
        assert_eq!(failure_at("http://nowhere.invalid").await, Failure::Unavailable);
    }

    #[tokio::test]
    async fn a_connection_closed_after_the_request_loses_the_answer() -> io::Result<()> {
        let (listener, endpoint) = listener().await?;
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await?;
            let mut request = [0; 1024];
            socket.read(&mut request).await // then it hangs up
        });
        assert_eq!(failure_at(&endpoint).await, Failure::AnswerLost);
        assert!(server.await.is_ok_and(|read| read.is_ok_and(|bytes| bytes > 0)));
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn silence_loses_the_answer_of_a_change() {
        let never = SharedHttpClient::new(NeverClient::new());
        let aws = behind(never, "http://aws.test");
        let error = aws.reshard(&orders(), eight()).await.expect_err("no answer");
        assert_eq!(error.failure, Failure::AnswerLost);
    }

    use aws_sdk_kinesis::config::SharedHttpClient;
}
