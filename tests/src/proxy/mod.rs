//! The endpoint the functions believe to be AWS: it routes, records, fails on demand, and makes up
//! for what the emulators lack.
//!
//! Here: the way of one request through the proxy, and what a test may ask of it. Not here: faults
//! (`faults`), Kinesis's rolling limits (`kinesis_limits`), CloudWatch's gaps (`cloudwatch_gaps`),
//! reading a request (`wire`).

mod cloudwatch_gaps;
mod faults;
mod forward;
mod gate;
mod kinesis_limits;
mod record;

use std::sync::Arc;
use std::time::Duration;

pub use self::faults::Outage;
pub use self::gate::{Gate, Hold};

use self::cloudwatch_gaps::CloudWatchGaps;
use self::faults::{Effect, Faults};
use self::forward::Upstream;
use self::kinesis_limits::KinesisLimits;
use self::record::Record;
use crate::aws_client::HARNESS_HEADER;
use crate::emulators::Emulators;
use crate::failure::{AwsError, Result};
use crate::local_server::{HttpAnswer, HttpRequest, LocalServer, Reply};
use crate::wire::{self, Answered, Call, Service};

/// One test's way to the emulators.
pub struct Proxy {
    server: LocalServer,
    interceptor: Arc<Interceptor>,
}

/// What all requests through one proxy share.
struct Interceptor {
    upstream: Upstream,
    record: Record,
    faults: Faults,
    kinesis_limits: KinesisLimits,
    cloudwatch_gaps: CloudWatchGaps,
}

impl Proxy {
    /// Listens on a free port in front of these emulators.
    pub fn start(emulators: Arc<Emulators>) -> Result<Self> {
        let interceptor = Arc::new(Interceptor {
            upstream: Upstream::new(emulators),
            record: Record::default(),
            faults: Faults::default(),
            kinesis_limits: KinesisLimits::default(),
            cloudwatch_gaps: CloudWatchGaps::default(),
        });
        let at_work = Arc::clone(&interceptor);
        let server = LocalServer::start(Arc::new(move |request| at_work.answer(&request)))?;
        Ok(Self { server, interceptor })
    }

    /// The value for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Every call that a function made, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.interceptor.record.calls()
    }

    /// The calls of one operation.
    #[must_use]
    pub fn calls_of(&self, operation: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.operation == operation);
        calls
    }

    /// Starts the record afresh, as between the acts of a test.
    pub fn forget_calls(&self) {
        self.interceptor.record.clear();
    }

    /// The next `count` calls of an operation are answered with this error, not carried out.
    pub fn fail_next(&self, count: usize, operation: &str, error: &AwsError) {
        self.interceptor.faults.script(count, operation, &Effect::Refuse(error.clone()));
    }

    /// The next `count` calls of an operation are hung up on, not carried out.
    pub fn hang_up_on_next(&self, count: usize, operation: &str) {
        self.interceptor.faults.script(count, operation, &Effect::HangUp);
    }

    /// The next `count` calls of an operation are carried out, and then hung up on: the caller
    /// cannot know what became of them.
    pub fn lose_answer_of_next(&self, count: usize, operation: &str) {
        self.interceptor.faults.script(count, operation, &Effect::LoseAnswer);
    }

    /// The next call of an operation waits until the test lets it go on.
    #[must_use]
    pub fn hold_next(&self, operation: &str, hold: Hold) -> Gate {
        let gate = Gate::new(operation);
        self.interceptor.faults.script(1, operation, &Effect::Hold(gate.clone(), hold));
        gate
    }

    /// Every call of a service fails until it is healed.
    pub fn take_down(&self, service: Service, outage: Outage) {
        self.interceptor.faults.take_down(service, outage);
    }

    /// Ends a service's outage.
    pub fn heal(&self, service: Service) {
        self.interceptor.faults.heal(service);
    }

    /// Lets a stream have accepted `count` calls of UpdateShardCount just now, as if by someone
    /// else.
    pub fn spend_reshards(&self, stream: &str, count: usize) {
        self.interceptor.kinesis_limits.spend("UpdateShardCount", stream, count);
    }

    /// The same for UpdateStreamMode.
    pub fn spend_mode_switches(&self, stream: &str, count: usize) {
        self.interceptor.kinesis_limits.spend("UpdateStreamMode", stream, count);
    }

    /// Shows every datapoint as this much newer than it was put. What a test puts into the past is
    /// news then, and time goes by when it takes some of that back.
    pub fn show_metrics_newer(&self, by: Duration) {
        self.interceptor.cloudwatch_gaps.show_newer(by);
    }

    /// Makes every limited call on a stream so far this much longer ago.
    pub fn age_limited_calls(&self, stream: &str, by: Duration) {
        self.interceptor.kinesis_limits.age(stream, by);
    }
}

impl Interceptor {
    fn answer(&self, request: &HttpRequest) -> Reply {
        let call = Call::read(request);
        if request.header(HARNESS_HEADER).is_some() {
            return Reply::Answer(self.carry_out(request, &call));
        }
        let entry = self.record.open(call.clone());
        let (reply, answered) = self.answer_a_function(request, &call);
        self.record.close(entry, answered);
        reply
    }

    fn answer_a_function(&self, request: &HttpRequest, call: &Call) -> (Reply, Answered) {
        let protocol = call.service.protocol();
        let answered = |answer: HttpAnswer| {
            let body = wire::read_answer(&answer, protocol);
            (Reply::Answer(answer.clone()), Answered::With { status: answer.status, body })
        };
        let hung_up = |carried_out| (Reply::HangUp, Answered::HungUp { carried_out });
        match self.faults.effect_on(call) {
            None => answered(self.carry_out(request, call)),
            Some(Effect::Refuse(error)) => answered(wire::write_error(&error, protocol)),
            Some(Effect::HangUp) => hung_up(false),
            Some(Effect::LoseAnswer) => {
                self.carry_out(request, call);
                hung_up(true)
            }
            Some(Effect::Hold(gate, Hold::BeforeTheCall)) => {
                gate.arrive_and_wait();
                answered(self.carry_out(request, call))
            }
            Some(Effect::Hold(gate, Hold::AfterTheCall)) => {
                let answer = self.carry_out(request, call);
                gate.arrive_and_wait();
                answered(answer)
            }
        }
    }

    /// What AWS would do: the emulator's answer, corrected.
    fn carry_out(&self, request: &HttpRequest, call: &Call) -> HttpAnswer {
        let done = match call.service {
            Service::Kinesis => self.kinesis_limits.apply(&self.upstream, request, call),
            Service::CloudWatch => self.cloudwatch_gaps.apply(&self.upstream, request, call),
            _ => self.upstream.forward(request, call.service),
        };
        done.unwrap_or_else(|failure| {
            let error = AwsError::internal("EmulatorUnreachable", &failure.to_string());
            wire::write_error(&error, call.service.protocol())
        })
    }
}
