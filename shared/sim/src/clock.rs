//! Virtual time, and the one queue that moves it. Seconds are fine enough: nothing Weir does is
//! quicker.
//!
//! Not here: what happens when an event's time has come (`simulation`).

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use jiff::Timestamp;

/// Seconds since 1970.
pub(crate) type Seconds = i64;
/// Milliseconds since 1970: only calls are so quick.
pub(crate) type Millis = i64;

/// As the loops know it.
pub(crate) fn timestamp(at: Seconds) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::MAX)
}

/// A time, or a span of time, in milliseconds.
pub(crate) fn millis(seconds: Seconds) -> Millis {
    seconds.saturating_mul(1_000)
}

/// A place in an array, from a difference of times; what lies before it is its start.
pub(crate) fn index(difference: i64) -> usize {
    usize::try_from(difference).unwrap_or(0)
}

/// A length as a time. Arrays here are far shorter than `i64` reaches.
pub(crate) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The time, and what is to happen when. Events of one second happen in the order they were put in.
pub(crate) struct Clock<E> {
    now: Millis,
    sequence: u64,
    queue: BinaryHeap<Reverse<Due<E>>>,
}

struct Due<E> {
    at: Millis,
    sequence: u64,
    event: E,
}

impl<E> Clock<E> {
    pub(crate) fn new(now: Seconds) -> Clock<E> {
        Clock { now: millis(now), sequence: 0, queue: BinaryHeap::new() }
    }

    /// The second that is running.
    pub(crate) fn now(&self) -> Seconds {
        self.now.div_euclid(1_000)
    }

    /// The millisecond that is running.
    pub(crate) fn now_millis(&self) -> Millis {
        self.now
    }

    /// Puts an event in; one for the past happens now.
    pub(crate) fn at(&mut self, at: Seconds, event: E) {
        self.at_millis(millis(at), event);
    }

    /// The same, to the millisecond.
    pub(crate) fn at_millis(&mut self, at: Millis, event: E) {
        self.sequence += 1;
        let due = Due { at: at.max(self.now), sequence: self.sequence, event };
        self.queue.push(Reverse(due));
    }

    /// Puts in an event that happens `seconds` from now.
    pub(crate) fn after(&mut self, seconds: i64, event: E) {
        self.at_millis(self.now.saturating_add(millis(seconds)), event);
    }

    /// Takes the next event before `end`, and moves the time to it.
    pub(crate) fn next_before(&mut self, end: Seconds) -> Option<E> {
        if self.queue.peek().is_none_or(|Reverse(due)| due.at >= millis(end)) {
            return None;
        }
        let Reverse(due) = self.queue.pop()?;
        self.now = due.at;
        Some(due.event)
    }

    /// Moves the time on.
    pub(crate) fn move_to(&mut self, now: Seconds) {
        self.now = self.now.max(millis(now));
    }
}

impl<E> PartialEq for Due<E> {
    fn eq(&self, other: &Due<E>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Due<E> {}

impl<E> PartialOrd for Due<E> {
    fn partial_cmp(&self, other: &Due<E>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Due<E> {
    fn cmp(&self, other: &Due<E>) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_happen_by_time_and_then_in_the_order_they_were_put_in() {
        let mut clock = Clock::new(100);
        for (at, event) in [(160, "c"), (130, "a"), (90, "late"), (130, "b")] {
            clock.at(at, event);
        }
        let mut seen = Vec::new();
        while let Some(event) = clock.next_before(160) {
            seen.push((clock.now(), event));
        }
        assert_eq!(seen, [(100, "late"), (130, "a"), (130, "b")]);
    }
}
