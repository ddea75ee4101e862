//! The ports of the loops, on the simulated world.
//!
//! Every call goes through [`SimulatedPorts::call`]: it has its turn and takes its time where the
//! world counts that (`api`), time may pass before and after its effect, the run may die at either,
//! the call may fail, and its answer may be lost. The calls themselves are
//! by service: `kinesis`, `cloudwatch`, `eventbridge`, `ledger`; what raise-alerts alone needs is
//! in `alerts`.

mod alerts;
mod cloudwatch;
mod eventbridge;
mod kinesis;
mod ledger;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use jiff::Timestamp;
use weir_control::ports::{Clock, Failure, PortError, PortResult};
use weir_core::units::StreamName;

use crate::api::SDK_TRIES;
use crate::clock::{Millis, millis, timestamp};
use crate::faults::Fate;
use crate::operation::Operation;
use crate::process::Run;
use crate::stream::Refused;
use crate::world::World;

/// What one run reaches the world with.
#[derive(Clone)]
pub(crate) struct SimulatedPorts {
    pub(crate) world: Rc<RefCell<World>>,
    pub(crate) run: Rc<Run>,
}

impl SimulatedPorts {
    /// Makes a call about `stream`, or about the account, by one request.
    async fn call<T>(
        &self,
        operation: Operation,
        stream: Option<&StreamName>,
        effect: impl FnOnce(&mut World) -> Result<T, Refused>,
    ) -> PortResult<T> {
        self.requests(operation, 1).await.map_err(|refused| failed(operation, refused))?;
        self.requested(operation, stream, effect).await
    }

    /// The effect of a call whose requests have been made.
    async fn requested<T>(
        &self,
        operation: Operation,
        stream: Option<&StreamName>,
        effect: impl FnOnce(&mut World) -> Result<T, Refused>,
    ) -> PortResult<T> {
        self.pause().await;
        let answer = {
            let mut world = self.world.borrow_mut();
            let answer = match world.fate(operation) {
                Fate::Answered => effect(&mut world),
                Fate::Fails(failure) => {
                    // A message whose sending cannot be written down will come again.
                    world.mishaps += u64::from(operation == Operation::LedgerWrite);
                    Err((failure, "the service did not answer".to_owned()))
                }
                Fate::AnswerLost => match effect(&mut world) {
                    Ok(_) => {
                        world.mishaps += 1;
                        Err((Failure::AnswerLost, "the connection broke".to_owned()))
                    }
                    Err(refused) => Err(refused),
                },
            };
            world.tally(operation, stream, answer.is_ok());
            answer
        };
        self.pause().await;
        answer.map_err(|refused| failed(operation, refused))
    }

    /// Waits for so many requests: each for its turn and for AWS to take it, and the last for its
    /// answer.
    async fn requests(&self, operation: Operation, count: usize) -> Result<(), Refused> {
        if self.world.borrow().settings.api.is_none() {
            return Ok(());
        }
        for _ in 0..count {
            let turn = self.run.environment.turn(operation, self.run.of, self.now_millis());
            self.sleep_until(turn).await;
            self.be_taken(operation).await?;
        }
        let answered = self.now_millis() + operation.millis();
        self.sleep_until(answered).await;
        Ok(())
    }

    /// AWS turns down what is above the account's quota; the SDK tries again, as Weir lets it do
    /// with all but changes of streams.
    async fn be_taken(&self, operation: Operation) -> Result<(), Refused> {
        let tries = if operation.is_once() { 1 } else { SDK_TRIES };
        for attempt in 0..tries {
            if self.world.borrow_mut().take_request(operation) {
                return Ok(());
            }
            let pause = self.world.borrow_mut().back_off(attempt);
            self.sleep_until(self.now_millis() + pause).await;
        }
        Err((Failure::Limit, "Rate exceeded".to_owned()))
    }

    fn now_millis(&self) -> Millis {
        self.world.borrow().clock.now_millis()
    }

    fn sleep_until(&self, until: Millis) -> Pause<'_> {
        let dies = until > millis(self.run.deadline);
        Pause { ports: self, dies, until }
    }

    /// An await: time may pass, or the run die.
    fn pause(&self) -> Pause<'_> {
        let awaits = self.run.awaits.get();
        self.run.awaits.set(awaits + 1);
        let (dies, seconds) = self.world.borrow_mut().chance_at_await(&self.run, awaits);
        Pause { ports: self, dies, until: self.now_millis() + millis(seconds) }
    }
}

fn failed(operation: Operation, (failure, message): Refused) -> PortError {
    PortError { operation: operation.name(), failure, message, source: None }
}

impl Clock for SimulatedPorts {
    fn now(&self) -> Timestamp {
        timestamp(self.world.borrow().clock.now())
    }
}

struct Pause<'a> {
    ports: &'a SimulatedPorts,
    dies: bool,
    until: Millis,
}

impl Future for Pause<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let run = &self.ports.run;
        if self.dies {
            run.died.set(true);
            return Poll::Pending;
        }
        if self.ports.now_millis() >= self.until {
            return Poll::Ready(());
        }
        run.waits_until(self.until);
        Poll::Pending
    }
}
