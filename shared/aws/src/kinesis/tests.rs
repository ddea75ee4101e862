//! Kinesis: paging, the quota's cache, and that UpdateShardCount is sent once.

use serde_json::json;

use super::*;
use crate::testing::{Answer, answering, bodies, json as answer, sent};

fn names(page: &[&str], more: bool) -> serde_json::Value {
    json!({"StreamNames": page, "HasMoreStreams": more})
}

#[tokio::test(start_paused = true)]
async fn listing_goes_on_after_the_last_name_of_a_page() {
    let first = answer(200, &names(&["a", "b"], true));
    let (aws, replay) = answering(vec![first, answer(200, &names(&["c"], false))]);
    let streams = aws.list_streams().await.expect("streams");
    assert_eq!(streams.iter().map(StreamName::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
    let asked = bodies(&replay);
    assert_eq!(asked[0], json!({"Limit": 100}));
    assert_eq!(asked[1], json!({"Limit": 100, "ExclusiveStartStreamName": "b"}));
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_ends_the_list_whatever_it_says() {
    let (aws, _) = answering(vec![answer(200, &names(&[], true))]);
    assert_eq!(aws.list_streams().await.expect("streams"), []);
}

#[tokio::test(start_paused = true)]
async fn the_quota_is_asked_once_in_a_while() {
    let limits = json!({"ShardLimit": 500, "OpenShardCount": 37,
        "OnDemandStreamCount": 42, "OnDemandStreamCountLimit": 50});
    let (aws, replay) = answering(vec![answer(200, &limits)]);
    for _ in 0..3 {
        let quota = aws.read_quota().await.expect("a quota").quota;
        assert_eq!(quota, ShardQuota { limit: 500, open: 37, on_demand_streams_left: Some(8) });
    }
    assert_eq!(sent(&replay), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_read_as_it_is() {
    let summary = |status: &str, mode: &str, open: u32| {
        answer(
            200,
            &json!({"StreamDescriptionSummary": {
                "StreamName": "orders", "StreamARN": "arn", "StreamStatus": status,
                "StreamModeDetails": {"StreamMode": mode}, "RetentionPeriodHours": 48,
                "StreamCreationTimestamp": 1.7e9, "EnhancedMonitoring": [], "OpenShardCount": open
            }}),
        )
    };
    let (aws, _) = answering(vec![
        summary("UPDATING", "PROVISIONED", 6),
        summary("CREATING", "ON_DEMAND", 0),
        summary("HIBERNATING", "PROVISIONED", 6),
    ]);
    let orders = StreamName::new("orders").expect("a name");
    let state = aws.describe_stream(&orders).await.expect("a stream");
    assert_eq!(
        state,
        StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Updating,
            open_shards: Shards::new(6).expect("shards"),
            retention_hours: 48,
            held_on_demand_by: None,
            created_at: jiff::Timestamp::from_second(1_700_000_000).ok(),
        }
    );
    let state = aws.describe_stream(&orders).await.expect("a stream");
    assert_eq!((state.mode, state.open_shards), (CapacityMode::OnDemand, Shards::ONE));
    let error = aws.describe_stream(&orders).await.expect_err("an unknown status");
    assert!(error.to_string().contains("HIBERNATING"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_reshard_says_what_it_wants() {
    let done = json!({"StreamName": "orders", "CurrentShardCount": 4, "TargetShardCount": 8});
    let (aws, replay) = answering(vec![answer(200, &done)]);
    let orders = StreamName::new("orders").expect("a name");
    aws.reshard(&orders, Shards::new(8).expect("shards")).await.expect("taken");
    let asked =
        json!({"StreamName": "orders", "TargetShardCount": 8, "ScalingType": "UNIFORM_SCALING"});
    assert_eq!(bodies(&replay), [asked]);
}

/// A stream's summary with more attributes.
fn summary(more: serde_json::Value) -> Answer {
    let mut summary = json!({
        "StreamName": "orders", "StreamARN": ARN, "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": "ON_DEMAND"}, "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": 1.7e9, "EnhancedMonitoring": [], "OpenShardCount": 4
    });
    for (name, value) in more.as_object().expect("attributes") {
        summary[name] = value.clone();
    }
    answer(200, &json!({"StreamDescriptionSummary": summary}))
}

const ARN: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";

#[tokio::test(start_paused = true)]
async fn a_mode_switch_names_the_stream_by_its_arn_and_is_sent_once() {
    let orders = StreamName::new("orders").expect("a name");
    for (to, mode) in
        [(CapacityMode::OnDemand, "ON_DEMAND"), (CapacityMode::Provisioned, "PROVISIONED")]
    {
        let (aws, replay) = answering(vec![summary(json!({})), answer(200, &json!({}))]);
        aws.switch_mode(&orders, to).await.expect("taken");
        let asked = json!({"StreamARN": ARN, "StreamModeDetails": {"StreamMode": mode}});
        assert_eq!(bodies(&replay)[1..], [asked]);
    }
    let limit = json!({"__type": "LimitExceededException", "message": "Rate exceeded for stream"});
    let (aws, replay) =
        answering(vec![summary(json!({})), answer(400, &limit), answer(200, &json!({}))]);
    let error = aws.switch_mode(&orders, CapacityMode::OnDemand).await.expect_err("a limit");
    assert_eq!((error.failure, error.operation), (Failure::Limit, "UpdateStreamMode"));
    assert_eq!(sent(&replay), 2, "a look and one call");
}

#[tokio::test(start_paused = true)]
async fn what_holds_a_stream_on_demand_is_named() {
    let cases = [
        (json!({}), None),
        (json!({"ChannelCount": 0, "RecordDistributionStrategy": "USER_PARTITION_KEY"}), None),
        (json!({"ChannelCount": 2}), Some(OnDemandFeature::Channels)),
        (
            json!({"RecordDistributionStrategy": "AUTO"}),
            Some(OnDemandFeature::AutomaticDistribution),
        ),
    ];
    let orders = StreamName::new("orders").expect("a name");
    for (more, held) in cases {
        let (aws, _) = answering(vec![summary(more)]);
        assert_eq!(aws.describe_stream(&orders).await.expect("a stream").held_on_demand_by, held);
    }
}
