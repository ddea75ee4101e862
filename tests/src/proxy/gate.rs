//! A point at which a call waits for the test.
//!
//! Here: arriving, waiting with a limit, letting go. Not here: where in a call's way it stands
//! (`Hold`, honoured by `Interceptor::answer_a_function`).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::failure::{Failure, Result};

const LIMIT: Duration = Duration::from_secs(60);

/// Where a held call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// AWS has not seen it yet.
    BeforeTheCall,
    /// AWS has carried it out; the caller does not know yet.
    AfterTheCall,
}

/// The test's hand on a held call.
#[derive(Clone)]
pub struct Gate {
    operation: String,
    state: Arc<(Mutex<Passage>, Condvar)>,
}

#[derive(Default)]
struct Passage {
    arrived: bool,
    open: bool,
}

impl Gate {
    pub(super) fn new(operation: &str) -> Self {
        Self { operation: operation.into(), state: Arc::default() }
    }

    /// Waits until the call has arrived here.
    pub fn wait_until_reached(&self) -> Result<()> {
        if self.wait(|state| state.arrived) {
            return Ok(());
        }
        Err(Failure::new(format!("{} was not called within {LIMIT:?}", self.operation)))
    }

    /// Lets the call go on.
    pub fn release(&self) {
        self.lock().open = true;
        self.state.1.notify_all();
    }

    /// A call that is never released goes on after a minute, rather than hold the tests for ever.
    pub(super) fn arrive_and_wait(&self) {
        self.lock().arrived = true;
        self.state.1.notify_all();
        self.wait(|state| state.open);
    }

    fn wait(&self, seen: impl Fn(&Passage) -> bool) -> bool {
        let waited = self.state.1.wait_timeout_while(self.lock(), LIMIT, |state| !seen(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        seen(&state)
    }

    fn lock(&self) -> MutexGuard<'_, Passage> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
