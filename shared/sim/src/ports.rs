//! The ports of the loops, on the simulated world.
//!
//! Every call goes through [`SimulatedPorts::call`]: time may pass before and after its effect, the
//! run may die at either, the call may fail, and its answer may be lost. The calls themselves are
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

use crate::clock::{Seconds, timestamp};
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
    /// Makes a call about `stream`, or about the account.
    async fn call<T>(
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
        answer.map_err(|(failure, message)| PortError {
            operation: operation.name(),
            failure,
            message,
            source: None,
        })
    }

    /// An await: time may pass, or the run die.
    fn pause(&self) -> Pause<'_> {
        let awaits = self.run.awaits.get();
        self.run.awaits.set(awaits + 1);
        let (dies, seconds) = self.world.borrow_mut().chance_at_await(&self.run, awaits);
        Pause { ports: self, dies, seconds }
    }
}

impl Clock for SimulatedPorts {
    fn now(&self) -> Timestamp {
        timestamp(self.world.borrow().clock.now())
    }
}

struct Pause<'a> {
    ports: &'a SimulatedPorts,
    dies: bool,
    seconds: Seconds,
}

impl Future for Pause<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let run = &self.ports.run;
        if self.dies {
            run.died.set(true);
            return Poll::Pending;
        }
        match std::mem::take(&mut self.seconds) {
            0 => Poll::Ready(()),
            seconds => {
                let now = self.ports.world.borrow().clock.now();
                self.ports.run.resume_at.set(Some(now + seconds));
                Poll::Pending
            }
        }
    }
}
