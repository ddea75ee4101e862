//! One run of a loop: a future that makes progress whenever a call it waits for is answered, and
//! that can die at any await.
//!
//! Loops run on nothing but this: a call's future is ready at once, or after some virtual seconds,
//! or never, when the run has died. Not here: which loop runs when (`simulation`).

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use weir_control::plan_id::PlanId;
use weir_control::routing::Loop;
use weir_core::observation::ShardQuota;
use weir_core::plan::Plan;

use crate::api::Environment;
use crate::bus::Delivery;
use crate::checkers::same_plan::Seen;
use crate::clock::{Millis, Seconds};
use crate::stream::Caller;

/// What is known of a run while it lasts; shared by the runner and the run's ports.
pub(crate) struct Run {
    /// The loop it runs.
    pub(crate) of: Loop,
    /// When Lambda would stop it.
    pub(crate) deadline: Seconds,
    /// The await at which it is to die, where that is settled beforehand.
    pub(crate) doomed_at: Option<u32>,
    /// The plan it carries out, and when that was made.
    pub(crate) order: Option<(PlanId, Seconds)>,
    /// Awaits so far.
    pub(crate) awaits: Cell<u32>,
    pub(crate) died: Cell<bool>,
    pub(crate) resume_at: Cell<Option<Millis>>,
    /// What it runs in, where calls have their times and paces.
    pub(crate) environment: Rc<Environment>,
    /// Whether it could not read the ledger, and acts without.
    pub(crate) without_ledger: Cell<bool>,
    /// The quota as this run read it.
    pub(crate) quota_seen: Cell<Option<ShardQuota>>,
    /// Everything else it read, where its plans are to be made a second time.
    pub(crate) seen: RefCell<Option<Seen>>,
}

impl Run {
    /// Who AWS is called by.
    pub(crate) fn caller(&self) -> Caller {
        match self.without_ledger.get() {
            false => Caller::Weir,
            true => Caller::WeirWithoutLedger,
        }
    }

    pub(crate) fn new(
        of: Loop,
        now: Seconds,
        doomed_at: Option<u32>,
        environment: Rc<Environment>,
    ) -> Run {
        Run {
            of,
            deadline: now + i64::from(of.timeout_seconds()),
            doomed_at,
            order: None,
            awaits: Cell::new(0),
            died: Cell::new(false),
            resume_at: Cell::new(None),
            environment,
            without_ledger: Cell::new(false),
            quota_seen: Cell::new(None),
            seen: RefCell::new(None),
        }
    }
}

impl Run {
    /// It has something to wait for until then.
    pub(crate) fn waits_until(&self, at: Millis) {
        let sooner = self.resume_at.get().map_or(at, |other| other.min(at));
        self.resume_at.set(Some(sooner));
    }
}

/// How a run ended.
pub(crate) struct Ended {
    /// Plans that it made.
    pub(crate) plans: Vec<Plan>,
    /// Whether its event is to be delivered again.
    pub(crate) redeliver: bool,
}

/// A run under way.
pub(crate) struct Process {
    pub(crate) run: Rc<Run>,
    pub(crate) delivery: Delivery,
    pub(crate) future: Pin<Box<dyn Future<Output = Ended>>>,
}

/// How far a run has come.
pub(crate) enum Step {
    Ended(Ended),
    /// It goes on at this time.
    Waits(Millis),
    Died,
}

impl Process {
    /// Lets it run until it waits.
    pub(crate) fn step(&mut self) -> Step {
        let mut context = Context::from_waker(Waker::noop());
        match self.future.as_mut().poll(&mut context) {
            Poll::Ready(ended) => Step::Ended(ended),
            Poll::Pending => match self.run.resume_at.take() {
                Some(at) if !self.run.died.get() => Step::Waits(at),
                _ => Step::Died,
            },
        }
    }
}
