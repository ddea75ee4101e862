//! When a run is stopped from outside, and how much of it is left: what a run has not begun by
//! then, it leaves to the next.
//!
//! Not here: how long a loop may run (`routing`).

use jiff::Timestamp;

/// The moment at which a run is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// A run that is stopped at this moment.
    pub fn at(stopped_at: Timestamp) -> Deadline {
        Deadline(stopped_at)
    }

    /// That moment.
    pub fn moment(self) -> Timestamp {
        self.0
    }

    /// Whole seconds left at `now`; none where it has passed.
    pub fn seconds_left(self, now: Timestamp) -> usize {
        let left = self.0.as_second().saturating_sub(now.as_second());
        usize::try_from(left).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_passed_leaves_nothing() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let left =
            [at(0), at(59), at(60), at(90)].map(|now| Deadline::at(at(60)).seconds_left(now));
        assert_eq!(left, [60, 1, 0, 0]);
    }
}
