//! What a request to AWS says, whichever protocol says it.
//!
//! Here: naming the service and operation of a request, its body as JSON, and writing errors in the
//! caller's protocol. Not here: the bytes of CBOR (`cbor`) and of forms (`form`).

pub(crate) mod cbor;
mod form;

use serde_json::{Value, json};

use crate::failure::AwsError;
use crate::local_server::{HttpAnswer, HttpRequest};

/// A service, as far as the functions and the tests speak to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Kinesis Data Streams.
    Kinesis,
    /// CloudWatch metrics and alarms.
    CloudWatch,
    /// DynamoDB.
    DynamoDb,
    /// EventBridge.
    EventBridge,
    /// Firehose.
    Firehose,
    /// Lambda's own API, which lists event source mappings.
    Lambda,
    /// SNS.
    Sns,
    /// SQS.
    Sqs,
    /// Systems Manager's parameters.
    Ssm,
    /// Any other.
    Other,
}

/// How a service is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// JSON with `x-amz-target`; the content type's version.
    Json(&'static str),
    /// Smithy's rpc-v2-cbor.
    Cbor,
    /// A form in, XML out.
    Query,
    /// Paths and verbs.
    Rest,
}

struct Known {
    service: Service,
    /// The name in `x-amz-target` or in the path of rpc-v2-cbor.
    target: &'static str,
    /// The name in a signature's credential scope.
    scope: &'static str,
    protocol: Protocol,
}

const fn known(
    service: Service,
    target: &'static str,
    scope: &'static str,
    protocol: Protocol,
) -> Known {
    Known { service, target, scope, protocol }
}

const KNOWN: &[Known] = &[
    known(Service::Kinesis, "Kinesis_20131202", "kinesis", Protocol::Json("1.1")),
    known(Service::CloudWatch, "GraniteServiceVersion20100801", "monitoring", Protocol::Cbor),
    known(Service::DynamoDb, "DynamoDB_20120810", "dynamodb", Protocol::Json("1.0")),
    known(Service::EventBridge, "AWSEvents", "events", Protocol::Json("1.1")),
    known(Service::Firehose, "Firehose_20150804", "firehose", Protocol::Json("1.1")),
    known(Service::Lambda, "", "lambda", Protocol::Rest),
    known(Service::Sns, "", "sns", Protocol::Query),
    known(Service::Sqs, "AmazonSQS", "sqs", Protocol::Json("1.0")),
    known(Service::Ssm, "AmazonSSM", "ssm", Protocol::Json("1.1")),
];

impl Service {
    fn known(self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.service == self)
    }

    pub(crate) fn protocol(self) -> Protocol {
        self.known().map_or(Protocol::Rest, |known| known.protocol)
    }

    pub(crate) fn target(self) -> &'static str {
        self.known().map_or("", |known| known.target)
    }

    pub(crate) fn scope(self) -> &'static str {
        self.known().map_or("", |known| known.scope)
    }
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// Nothing yet.
    Pending,
    /// An emulator answered, or the proxy in its stead; the body as JSON.
    With {
        /// The HTTP status.
        status: u16,
        /// The body, in the same form as a request's.
        body: Value,
    },
    /// The connection was closed with nothing sent.
    HungUp {
        /// Whether the emulator had carried the call out all the same.
        carried_out: bool,
    },
}

/// One request, as recorded.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asked: the function's handler, where it is one.
    pub function: Option<String>,
    /// Who was asked.
    pub service: Service,
    /// For what: `UpdateShardCount`, or verb and path where a protocol names no operation.
    pub operation: String,
    /// With what. CBOR timestamps are seconds since 1970; form fields are strings by their full
    /// name.
    pub body: Value,
    /// And what came of it.
    pub answered: Answered,
}

impl Call {
    pub(crate) fn read(request: &HttpRequest) -> Self {
        let (service, operation) = service_and_operation(request);
        let body = read_body(request, service.protocol());
        let function = asker(request);
        Self { function, service, operation, body, answered: Answered::Pending }
    }

    /// Whether this call was answered with success.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self.answered, Answered::With { status: 200..=299, .. })
    }
}

/// What Lambda sets as its environment's name goes into the SDK's user agent; `lambda_function`
/// sets the handler.
fn asker(request: &HttpRequest) -> Option<String> {
    let agent = request.header("x-amz-user-agent").or_else(|| request.header("user-agent"))?;
    agent.split(' ').find_map(|part| part.strip_prefix("exec-env/")).map(str::to_owned)
}

fn service_and_operation(request: &HttpRequest) -> (Service, String) {
    let by_target = |name: &str| {
        KNOWN
            .iter()
            .find(|known| !known.target.is_empty() && known.target == name)
            .map_or(Service::Other, |known| known.service)
    };
    if let Some((target, operation)) =
        request.header("x-amz-target").and_then(|t| t.split_once('.'))
    {
        return (by_target(target), operation.to_owned());
    }
    if let Some((target, operation)) =
        request.path.strip_prefix("/service/").and_then(|path| path.split_once("/operation/"))
    {
        return (by_target(target), operation.to_owned());
    }
    let service = credential_scope(request)
        .and_then(|scope| KNOWN.iter().find(|known| known.scope == scope))
        .map_or(Service::Other, |known| known.service);
    let operation = form::fields(&request.body)
        .into_iter()
        .find(|(name, _)| name == "Action")
        .map_or_else(|| format!("{} {}", request.method, request.path), |(_, action)| action);
    (service, operation)
}

fn credential_scope(request: &HttpRequest) -> Option<&str> {
    let credential = request.header("authorization")?.split("Credential=").nth(1)?;
    credential.split(['/', ',', ' ']).nth(3)
}

fn read_body(request: &HttpRequest, protocol: Protocol) -> Value {
    let unread = || json!({ "bytes_not_understood": request.body.len() });
    if request.body.is_empty() {
        return json!({});
    }
    match protocol {
        Protocol::Cbor => {
            cbor::read(&request.body).map_or_else(|_| unread(), |body| cbor::to_json(&body))
        }
        Protocol::Json(_) | Protocol::Rest => {
            serde_json::from_slice(&request.body).unwrap_or_else(|_| unread())
        }
        Protocol::Query => form::fields(&request.body)
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect(),
    }
}

pub(crate) fn read_answer(answer: &HttpAnswer, protocol: Protocol) -> Value {
    if answer.body.is_empty() {
        return json!({});
    }
    let decoded = match protocol {
        Protocol::Cbor => cbor::read(&answer.body).ok().map(|body| cbor::to_json(&body)),
        Protocol::Json(_) | Protocol::Rest => serde_json::from_slice(&answer.body).ok(),
        Protocol::Query => None,
    };
    decoded.unwrap_or_else(|| Value::String(String::from_utf8_lossy(&answer.body).into_owned()))
}

pub(crate) fn write_error(error: &AwsError, protocol: Protocol) -> HttpAnswer {
    let body = json!({ "__type": error.code, "message": error.message });
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let (headers, body) = match protocol {
        Protocol::Json(version) => (
            vec![header("content-type", &format!("application/x-amz-json-{version}"))],
            body.to_string().into_bytes(),
        ),
        Protocol::Rest => (
            vec![
                header("content-type", "application/json"),
                header("x-amzn-errortype", &error.code),
            ],
            body.to_string().into_bytes(),
        ),
        Protocol::Cbor => (
            vec![
                header("content-type", "application/cbor"),
                header("smithy-protocol", "rpc-v2-cbor"),
            ],
            cbor::write(&cbor::from_json(&body)),
        ),
        Protocol::Query => (
            vec![header("content-type", "text/xml")],
            format!(
                "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>",
                error.code, error.message
            )
            .into_bytes(),
        ),
    };
    HttpAnswer { status: error.status, headers, body }
}

/// The error in an answer that is not a success.
pub(crate) fn read_error(status: u16, body: &Value) -> AwsError {
    let text = |names: [&str; 2]| {
        names.iter().find_map(|name| body[name].as_str()).unwrap_or_default().to_owned()
    };
    // Some services put a namespace before a `#`.
    let code = text(["__type", "code"]);
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    let message = text(["message", "Message"]);
    let message = if code.is_empty() { body.to_string() } else { message };
    AwsError { code, message, status }
}

pub(crate) fn write_form(body: &Value, operation: &str) -> String {
    form::write(body, operation)
}
