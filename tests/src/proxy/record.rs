//! What was asked, in order, and what came of it.
//!
//! Here: the list. Not here: which calls are listed (`Interceptor::answer`).

use std::sync::{Mutex, PoisonError};

use crate::wire::{Answered, Call};

#[derive(Default)]
pub(super) struct Record(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    /// Rises when the record is cleared, so that an answer still under way finds no wrong entry.
    edition: usize,
    calls: Vec<Call>,
}

pub(super) struct Entry {
    edition: usize,
    index: usize,
}

impl Record {
    pub(super) fn calls(&self) -> Vec<Call> {
        self.pages().calls.clone()
    }

    pub(super) fn clear(&self) {
        let mut pages = self.pages();
        pages.edition += 1;
        pages.calls.clear();
    }

    pub(super) fn open(&self, call: Call) -> Entry {
        let mut pages = self.pages();
        pages.calls.push(call);
        Entry { edition: pages.edition, index: pages.calls.len() - 1 }
    }

    pub(super) fn close(&self, entry: Entry, answered: Answered) {
        let mut pages = self.pages();
        if pages.edition == entry.edition
            && let Some(call) = pages.calls.get_mut(entry.index)
        {
            call.answered = answered;
        }
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
