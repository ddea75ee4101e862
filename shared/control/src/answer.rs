//! What a loop answers to an event: what came of it, and whether the event should be delivered
//! again.
//!
//! Every loop has one entry, `on_event`, that gives an [`Answer`]. Whoever calls it (the Lambda
//! chassis, the simulator) repeats the event where [`Answer::redeliver`] says so, and decides
//! nothing of its own. Not here: how often and after how long an event is delivered again
//! (`routing`).

use thiserror::Error;
use weir_core::reasons::SkipReason;

use crate::ports::PortError;

/// A loop's answer to one event.
#[must_use = "an event that asks for redelivery must be delivered again"]
#[derive(Debug)]
pub struct Answer<R> {
    /// What came of the event.
    pub result: Handled<R>,
    /// Why the event should be delivered again; `None` when that would change nothing.
    pub redeliver: Option<Redelivery>,
}

/// What came of an event.
#[derive(Debug)]
pub enum Handled<R> {
    /// The loop ran.
    Done(R),
    /// The event asks for nothing of this loop's.
    Skipped(SkipReason),
    /// The loop does not run in the state the installation is in.
    Refused(SkipReason),
    /// A call failed without which nothing could be done.
    Failed(PortError),
}

/// Why an event should be delivered again: the failure, as text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Redelivery(String);

/// Which failures a second delivery of the event is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedeliverOn {
    /// None: the next tick does what is left.
    Nothing,
    /// Those that may be over by then. What would fail in the same way is only told.
    Retryable,
    /// All, so that whoever watches this loop's failed runs sees them.
    AnyFailure,
}

impl RedeliverOn {
    fn includes(self, error: &PortError) -> bool {
        match self {
            RedeliverOn::Nothing => false,
            RedeliverOn::Retryable => error.failure.retryable(),
            RedeliverOn::AnyFailure => true,
        }
    }

    /// The first of these failures that is worth a second delivery.
    pub(crate) fn first<'a>(
        self,
        errors: impl IntoIterator<Item = &'a PortError>,
    ) -> Option<Redelivery> {
        let error = errors.into_iter().find(|error| self.includes(error))?;
        Some(Redelivery(error.to_string()))
    }
}

impl<R> Answer<R> {
    /// The loop ran.
    pub(crate) fn done(report: R, redeliver: Option<Redelivery>) -> Answer<R> {
        Answer { result: Handled::Done(report), redeliver }
    }

    /// The event asks for nothing of this loop's.
    pub(crate) fn skipped(reason: SkipReason) -> Answer<R> {
        Answer { result: Handled::Skipped(reason), redeliver: None }
    }

    /// The loop does not run in the state the installation is in.
    pub(crate) fn refused(reason: SkipReason) -> Answer<R> {
        Answer { result: Handled::Refused(reason), redeliver: None }
    }

    /// A call failed without which nothing could be done.
    pub(crate) fn failed(error: PortError, redeliver: RedeliverOn) -> Answer<R> {
        Answer { redeliver: redeliver.first([&error]), result: Handled::Failed(error) }
    }

    /// The report, where the loop ran.
    pub fn report(&self) -> Option<&R> {
        match &self.result {
            Handled::Done(report) => Some(report),
            Handled::Skipped(_) | Handled::Refused(_) | Handled::Failed(_) => None,
        }
    }
}
