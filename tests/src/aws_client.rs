//! A plain client of AWS's wire protocols: JSON, rpc-v2-cbor and query.
//!
//! Here: one call, in whatever protocol its service speaks. Not here: signatures, which the
//! emulators do not check, retries, and names for what the calls mean (`world`).

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::failure::{Context, Failure, Result};
use crate::local_server::HttpAnswer;
use crate::wire::{self, Protocol, Service, cbor};

/// A request with this header is the test's own: the proxy neither records nor faults it.
pub(crate) const HARNESS_HEADER: &str = "x-weir-harness";

const TIME_TO_ANSWER: Duration = Duration::from_secs(60);

/// Speaks to one endpoint as one account in one region.
#[derive(Clone)]
pub struct AwsClient {
    endpoint: String,
    account: String,
    region: String,
    is_harness: bool,
    agent: Agent,
}

impl AwsClient {
    /// A client as a function would be: what it asks is recorded and may be faulted.
    #[must_use]
    pub fn like_a_function(endpoint: &str, account: &str, region: &str) -> Self {
        Self {
            endpoint: endpoint.into(),
            account: account.into(),
            region: region.into(),
            is_harness: false,
            agent: agent(TIME_TO_ANSWER),
        }
    }

    /// A client for the test's own looking and setting up.
    #[must_use]
    pub fn of_the_harness(endpoint: &str, account: &str, region: &str) -> Self {
        Self { is_harness: true, ..Self::like_a_function(endpoint, account, region) }
    }

    /// Calls an operation. A refusal is a `Failure` with an `aws_error`.
    pub fn call(&self, service: Service, operation: &str, body: Value) -> Result<Value> {
        let attempt = format!("{service:?} {operation}");
        let protocol = service.protocol();
        let (path, headers, bytes) = request(service, operation, &body)
            .ok_or_else(|| Failure::new(format!("{attempt}: this client has no REST")))?;
        let mut request = self
            .agent
            .post(format!("{}{path}", self.endpoint))
            .header("authorization", self.authorization(service))
            .header("x-amz-date", "20200101T000000Z");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if self.is_harness {
            request = request.header(HARNESS_HEADER, "1");
        }
        let answer = read(request.send(&bytes[..])).map_err(|f| f.while_trying(&attempt))?;
        let body = wire::read_answer(&answer, protocol);
        if (200..300).contains(&answer.status) {
            return Ok(body);
        }
        Err(Failure::refused(&attempt, wire::read_error(answer.status, &body)))
    }

    // Both emulators take a 12-digit access key for the account, and the region from the scope.
    fn authorization(&self, service: Service) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={}/20200101/{}/{}/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0",
            self.account,
            self.region,
            service.scope()
        )
    }
}

type Headers = Vec<(&'static str, String)>;

fn request(service: Service, operation: &str, body: &Value) -> Option<(String, Headers, Vec<u8>)> {
    let target = service.target();
    match service.protocol() {
        Protocol::Json(version) => Some((
            "/".into(),
            vec![
                ("content-type", format!("application/x-amz-json-{version}")),
                ("x-amz-target", format!("{target}.{operation}")),
            ],
            body.to_string().into_bytes(),
        )),
        Protocol::Cbor => Some((
            format!("/service/{target}/operation/{operation}"),
            vec![
                ("content-type", "application/cbor".into()),
                ("smithy-protocol", "rpc-v2-cbor".into()),
            ],
            cbor::write(&cbor::from_json(body)),
        )),
        Protocol::Query => Some((
            "/".into(),
            vec![("content-type", "application/x-www-form-urlencoded".into())],
            wire::write_form(body, operation).into_bytes(),
        )),
        Protocol::Rest => None,
    }
}

/// An HTTP client for loopback: no proxy of the machine's, and any status is an answer.
pub(crate) fn agent(limit: Duration) -> Agent {
    Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(limit))
        .build()
        .new_agent()
}

pub(crate) fn read(
    response: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<HttpAnswer> {
    let mut response = response.context(|| "no answer".into())?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let status = response.status().as_u16();
    let body = response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_vec()
        .context(|| "half an answer".into())?;
    Ok(HttpAnswer { status, headers, body })
}
