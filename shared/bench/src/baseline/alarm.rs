//! What rules that live behind a CloudWatch alarm have in common: an action runs on a change of
//! state only, and Lambda tries a failed event again. Not here: what an alarm watches.

/// Minutes after which Lambda tries an event again that came through SNS and failed: the first
/// time, the second time. After that it is gone.
const RETRY_MINUTES: [usize; 2] = [1, 2];

/// An alarm's state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alarm {
    in_alarm: bool,
}

impl Alarm {
    /// Whether the action runs: on the way into ALARM.
    pub(super) fn fires(&mut self, breaching: bool) -> bool {
        let before = std::mem::replace(&mut self.in_alarm, breaching);
        breaching && !before
    }

    /// Set to another state by hand: it fires again at the next look if it still breaches.
    pub(super) fn rearm(&mut self) {
        self.in_alarm = false;
    }
}

/// An event that Lambda is at work on, or will be again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<T> {
    pub(super) what: T,
    due: usize,
    attempt: usize,
}

impl<T> Event<T> {
    pub(super) fn new(what: T, now: usize) -> Event<T> {
        Event { what, due: now, attempt: 0 }
    }

    pub(super) fn is_due(&self, now: usize) -> bool {
        self.due <= now
    }

    /// The same event a while later, unless it failed too often.
    pub(super) fn failed(self) -> Option<Event<T>> {
        let wait = RETRY_MINUTES.get(self.attempt)?;
        Some(Event { due: self.due + wait, attempt: self.attempt + 1, ..self })
    }
}
