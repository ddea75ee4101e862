//! A local Lambda Runtime API for one sandbox.
//!
//! Here: handing out events, taking results, errors and failed starts. Not here: the sandbox's
//! process and its limits (`lambda_function`).

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::failure::Result;
use crate::local_server::{HttpAnswer, HttpRequest, LocalServer, Reply};
use crate::time::now;

const ROOT: &str = "/2018-06-01/runtime/";

/// What a function reported: its answer, or its error.
pub(crate) type Report = std::result::Result<Value, ReportedError>;

/// An error in the words of the function's runtime.
#[derive(Clone, Debug)]
pub(crate) struct ReportedError {
    pub(crate) error_type: String,
    pub(crate) message: String,
}

pub(crate) struct RuntimeApi {
    server: LocalServer,
    invocations: Arc<Invocations>,
}

struct Invocations {
    function_arn: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    accepted: u64,
    waiting: VecDeque<Waiting>,
    in_flight: HashMap<String, Sender<Report>>,
    failed_start: Option<ReportedError>,
    closed: bool,
}

struct Waiting {
    request_id: String,
    deadline_ms: i64,
    event: Value,
    report_to: Sender<Report>,
}

impl RuntimeApi {
    pub(crate) fn start(function_arn: &str) -> Result<Self> {
        let invocations = Arc::new(Invocations {
            function_arn: function_arn.into(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let at_work = Arc::clone(&invocations);
        let server = LocalServer::start(Arc::new(move |request| at_work.answer(&request)))?;
        Ok(Self { server, invocations })
    }

    /// The value for `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn host_and_port(&self) -> &str {
        self.server.url().trim_start_matches("http://")
    }

    /// Queues an event for the next `next`.
    pub(crate) fn submit(&self, event: Value, limit: Duration) -> Receiver<Report> {
        let (report_to, report) = channel();
        let mut state = self.invocations.lock();
        state.accepted += 1;
        let request_id = format!("00000000-0000-4000-8000-{:012}", state.accepted);
        let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let deadline_ms = now().as_millisecond().saturating_add(limit_ms);
        state.waiting.push_back(Waiting { request_id, deadline_ms, event, report_to });
        drop(state);
        self.invocations.changed.notify_all();
        report
    }

    pub(crate) fn failed_start(&self) -> Option<ReportedError> {
        self.invocations.lock().failed_start.clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.invocations.lock().closed = true;
        self.invocations.changed.notify_all();
    }
}

impl Invocations {
    fn answer(&self, request: &HttpRequest) -> Reply {
        let path = request.path.strip_prefix(ROOT).unwrap_or_default();
        let parts: Vec<_> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["invocation", "next"]) => self.next(),
            ("POST", ["invocation", id, "response"]) => self.report(id, Ok(json_of(request))),
            ("POST", ["invocation", id, "error"]) => self.report(id, Err(error_of(request))),
            ("POST", ["init", "error"]) => {
                self.lock().failed_start = Some(error_of(request));
                Reply::Answer(status(202))
            }
            _ => Reply::Answer(status(404)),
        }
    }

    fn next(&self) -> Reply {
        let none_yet = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let mut state =
            self.changed.wait_while(self.lock(), none_yet).unwrap_or_else(PoisonError::into_inner);
        let Some(next) = state.waiting.pop_front() else { return Reply::HangUp };
        let header = |name: &str, value: String| (format!("lambda-runtime-{name}"), value);
        let headers = vec![
            ("content-type".into(), "application/json".into()),
            header("aws-request-id", next.request_id.clone()),
            header("deadline-ms", next.deadline_ms.to_string()),
            header("invoked-function-arn", self.function_arn.clone()),
            header("trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0".into()),
        ];
        state.in_flight.insert(next.request_id, next.report_to);
        Reply::Answer(HttpAnswer {
            status: 200,
            headers,
            body: next.event.to_string().into_bytes(),
        })
    }

    fn report(&self, request_id: &str, report: Report) -> Reply {
        let Some(report_to) = self.lock().in_flight.remove(request_id) else {
            return Reply::Answer(status(400));
        };
        // A test that no longer waits is told nothing.
        let _ = report_to.send(report);
        Reply::Answer(status(202))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status(status: u16) -> HttpAnswer {
    HttpAnswer { status, headers: Vec::new(), body: b"{}".to_vec() }
}

fn json_of(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap_or(Value::Null)
}

fn error_of(request: &HttpRequest) -> ReportedError {
    let body = json_of(request);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    ReportedError { error_type: text("errorType"), message: text("errorMessage") }
}
