//! Passing a request on to the emulator that serves it.
//!
//! Here: the choice of emulator and the copy of a request. Not here: any change to either.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Request;

use crate::aws_client::{HARNESS_HEADER, agent, read};
use crate::emulators::Emulators;
use crate::failure::{Context, Result};
use crate::local_server::{HttpAnswer, HttpRequest};
use crate::wire::Service;

const TIME_TO_ANSWER: Duration = Duration::from_secs(30);

/// Headers that belong to one connection, not to the request or answer.
const OF_THE_CONNECTION: [&str; 7] = [
    "host",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "expect",
    HARNESS_HEADER,
];

pub(super) struct Upstream {
    emulators: Arc<Emulators>,
    agent: Agent,
}

impl Upstream {
    pub(super) fn new(emulators: Arc<Emulators>) -> Self {
        Self { emulators, agent: agent(TIME_TO_ANSWER) }
    }

    pub(super) fn forward(&self, request: &HttpRequest, service: Service) -> Result<HttpAnswer> {
        let base = match service {
            Service::Kinesis => self.emulators.kinesis_url(),
            _ => self.emulators.ministack_url(),
        };
        let mut copy = Request::builder()
            .method(request.method.as_str())
            .uri(format!("{base}{}", request.path));
        for (name, value) in &request.headers {
            if !OF_THE_CONNECTION.contains(&name.as_str()) {
                copy = copy.header(name, value);
            }
        }
        let unfit = || format!("pass on {} {}", request.method, request.path);
        // A GET with a body, even an empty one, would be refused here.
        let answer = if request.body.is_empty() {
            self.agent.run(copy.body(()).context(unfit)?)
        } else {
            self.agent.run(copy.body(request.body.clone()).context(unfit)?)
        };
        let mut answer = read(answer).map_err(|failure| failure.while_trying(base))?;
        answer.headers.retain(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
        Ok(answer)
    }
}
