//! AWS as recorded answers, for the tests of this crate.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kinesis::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_cbor::Encoder;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use serde_json::Value;
use weir_control::installation::Place;

use crate::{Account, Aws, Settings, Topics};

/// One answer of a service.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// An answer of a service that speaks JSON: Kinesis, EventBridge, DynamoDB.
pub(crate) fn json(status: u16, body: &Value) -> Answer {
    let headers = vec![("content-type", "application/x-amz-json-1.1".to_owned())];
    Answer { status, headers, body: body.to_string().into_bytes() }
}

/// An answer of SNS, which speaks XML.
pub(crate) fn xml(status: u16, body: &str) -> Answer {
    let headers = vec![("content-type", "text/xml".to_owned())];
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

/// An answer of CloudWatch, which speaks CBOR. Numbers under names of times are times.
pub(crate) fn cbor(status: u16, body: &Value) -> Answer {
    let mut encoder = Encoder::new(Vec::new());
    encode(&mut encoder, body, false);
    let mut headers = vec![
        ("content-type", "application/cbor".to_owned()),
        ("smithy-protocol", "rpc-v2-cbor".to_owned()),
    ];
    if let Some(code) = body["__type"].as_str().and_then(|code| code.split('#').nth(1)) {
        headers.push(("x-amzn-query-error", format!("{code};Sender")));
    }
    Answer { status, headers, body: encoder.into_writer() }
}

fn encode(encoder: &mut Encoder, value: &Value, times: bool) {
    match value {
        Value::Null => encoder.null(),
        Value::Bool(value) => encoder.boolean(*value),
        Value::Number(n) if times => {
            encoder.timestamp(&DateTime::from_secs(n.as_i64().expect("whole seconds")))
        }
        Value::Number(n) => match n.as_i64() {
            Some(n) => encoder.long(n),
            None => encoder.double(n.as_f64().expect("a number")),
        },
        Value::String(text) => encoder.str(text),
        Value::Array(items) => {
            encoder.array(items.len());
            items.iter().for_each(|item| encode(encoder, item, times));
            encoder
        }
        Value::Object(fields) => {
            encoder.map(fields.len());
            for (name, value) in fields {
                encoder.str(name);
                encode(encoder, value, name.ends_with("Timestamps") || name.ends_with("Timestamp"));
            }
            encoder
        }
    };
}

/// Settings of no consequence.
pub(crate) fn settings() -> Settings {
    Settings {
        ledger_table: "ledger".to_owned(),
        event_bus: "default".to_owned(),
        alarm_prefix: weir_core::alarms::AlarmPrefix::default(),
        topics: None,
    }
}

/// Topics for what is said.
pub(crate) fn topics() -> Topics {
    let arn = |name: &str| format!("arn:aws:sns:eu-central-1:111122223333:{name}");
    let owned = str::to_owned;
    Topics {
        notices: arn("notices"),
        pages: arn("pages"),
        chat: None,
        place: Place {
            partition: owned("aws"),
            region: owned("eu-central-1"),
            account: owned("111122223333"),
        },
    }
}

/// AWS behind this HTTP client.
pub(crate) fn behind(http: SharedHttpClient, endpoint: &str) -> Aws {
    Aws::new(sdk(http, endpoint), settings())
}

fn sdk(http: SharedHttpClient, endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard())
        .endpoint_url(endpoint)
        .http_client(http)
        .build()
}

/// AWS that gives these answers, one after the other.
pub(crate) fn answering(answers: Vec<Answer>) -> (Aws, StaticReplayClient) {
    let replay = replaying(answers);
    (behind(SharedHttpClient::new(replay.clone()), "http://aws.test"), replay)
}

/// An account without an installation that gives these answers.
pub(crate) fn account_answering(answers: Vec<Answer>) -> (Account, StaticReplayClient) {
    let replay = replaying(answers);
    (Account::new(sdk(SharedHttpClient::new(replay.clone()), "http://aws.test")), replay)
}

fn replaying(answers: Vec<Answer>) -> StaticReplayClient {
    let events = answers.into_iter().map(|Answer { status, headers, body }| {
        let mut answer = http::Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(name, value);
        }
        let request = http::Request::builder().uri("http://aws.test/").body(SdkBody::empty());
        ReplayEvent::new(
            request.expect("a request"),
            answer.body(SdkBody::from(body)).expect("an answer"),
        )
    });
    StaticReplayClient::new(events.collect())
}

/// How many requests were sent.
pub(crate) fn sent(replay: &StaticReplayClient) -> usize {
    replay.actual_requests().count()
}

/// The bodies of the requests that were sent, for services that speak JSON.
pub(crate) fn bodies(replay: &StaticReplayClient) -> Vec<Value> {
    replay
        .actual_requests()
        .map(|request| {
            let body = request.body().bytes().expect("a body in memory");
            serde_json::from_slice(body).expect("JSON")
        })
        .collect()
}

/// The bodies of the requests that were sent, as they stand.
pub(crate) fn texts(replay: &StaticReplayClient) -> Vec<String> {
    let bodies = replay.actual_requests().map(|request| request.body().bytes());
    bodies.map(|body| String::from_utf8_lossy(body.unwrap_or_default()).into_owned()).collect()
}
