//! How long a reshard takes and how capacity moves meanwhile. Not here: whether AWS takes the call
//! (`account`).

use std::ops::RangeInclusive;

use weir_core::reshard::Operations;
use weir_core::units::Shards;

use crate::chance::Dice;
use crate::clock::Seconds;

/// How long reshards take.
#[derive(Clone, Debug, PartialEq)]
pub enum ReshardModel {
    /// All the same time; capacity steps at the end.
    Fixed {
        /// From the call until it is in force.
        seconds: i64,
    },
    /// Split by split and merge by merge; capacity moves evenly.
    ByOperation {
        /// Seconds before the first operation starts.
        start_seconds: RangeInclusive<i64>,
        /// Seconds of one operation.
        operation_seconds: f64,
        /// Operations at once.
        parallelism: u32,
        /// Seconds until the stream shows that it is being changed.
        visible_after_seconds: RangeInclusive<i64>,
    },
}

/// A stream on its way from one size to another, or arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Motion {
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// From here on the stream says UPDATING.
    pub(crate) visible_at: Seconds,
    /// Capacity starts to move.
    pub(crate) begins_at: Seconds,
    /// The new size is in force.
    pub(crate) ends_at: Seconds,
    /// Whether capacity steps at the end rather than moving evenly.
    pub(crate) steps: bool,
    /// Whether Weir asked for it with the ledger at hand.
    pub(crate) remembered: bool,
}

impl ReshardModel {
    pub(crate) fn motion(&self, from: Shards, to: Shards, now: Seconds, dice: &mut Dice) -> Motion {
        let motion = |visible_at, begins_at, ends_at, steps| Motion {
            from: from.get(),
            to: to.get(),
            visible_at,
            begins_at,
            ends_at,
            steps,
            remembered: false,
        };
        match self {
            ReshardModel::Fixed { seconds } => motion(now, now, now + seconds, true),
            ReshardModel::ByOperation {
                start_seconds,
                operation_seconds,
                parallelism,
                visible_after_seconds,
            } => {
                let begins_at = now + dice.seconds(start_seconds);
                let visible_at = now + dice.seconds(visible_after_seconds);
                let rounds = Operations::between(from, to).count().div_ceil((*parallelism).max(1));
                #[allow(clippy::cast_possible_truncation)] // at most 20,000 operations
                let moving = (f64::from(rounds) * operation_seconds).ceil() as i64;
                motion(visible_at, begins_at, begins_at + moving.max(1), false)
            }
        }
    }
}

impl Motion {
    /// Open shards at `at`, as capacity goes.
    #[allow(clippy::cast_precision_loss)] // seconds of one reshard
    pub(crate) fn open_at(&self, at: Seconds) -> f64 {
        let (from, to) = (f64::from(self.from), f64::from(self.to));
        match () {
            () if at >= self.ends_at => to,
            () if self.steps || at <= self.begins_at => from,
            () => {
                let done = (at - self.begins_at) as f64 / (self.ends_at - self.begins_at) as f64;
                from + (to - from) * done
            }
        }
    }

    /// Shard-seconds from `start` to `end`.
    #[allow(clippy::cast_precision_loss)] // seconds of a few minutes
    pub(crate) fn shard_seconds(&self, start: Seconds, end: Seconds) -> f64 {
        let (from, to) = (f64::from(self.from), f64::from(self.to));
        let before = (self.begins_at.clamp(start, end) - start) as f64;
        let (first, last) = (self.begins_at.clamp(start, end), self.ends_at.clamp(start, end));
        let after = (end - last) as f64;
        let moving =
            if self.steps { from } else { f64::midpoint(self.open_at(first), self.open_at(last)) };
        before * from + (last - first) as f64 * moving + after * to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(count: u32) -> Shards {
        Shards::at_least_one(count)
    }

    #[test]
    fn a_reshard_takes_its_start_and_a_round_for_every_batch_of_operations() {
        let model = |parallelism| ReshardModel::ByOperation {
            start_seconds: 10..=10,
            operation_seconds: 35.0,
            parallelism,
            visible_after_seconds: 15..=15,
        };
        let mut dice = Dice::new(0, "reshards");
        let mut seconds = |from, to, parallelism| {
            let motion = model(parallelism).motion(shards(from), shards(to), 0, &mut dice);
            assert_eq!((motion.visible_at, motion.begins_at), (15, 10));
            motion.ends_at
        };
        assert_eq!(seconds(2, 4, 1), 10 + 2 * 35); // two splits
        assert_eq!(seconds(2, 3, 1), 10 + 3 * 35); // two splits and a merge
        assert_eq!(seconds(100, 200, 8), 10 + 13 * 35);
        assert_eq!(seconds(100, 101, 50), 10 + 4 * 35);
    }

    #[test]
    fn capacity_moves_evenly_or_steps_at_the_end() {
        let even = Motion {
            from: 10,
            to: 20,
            visible_at: 0,
            begins_at: 60,
            ends_at: 180,
            steps: false,
            remembered: false,
        };
        assert_eq!(
            [0, 60, 120, 180, 240].map(|at| even.open_at(at)),
            [10.0, 10.0, 15.0, 20.0, 20.0]
        );
        assert_eq!(even.shard_seconds(60, 120), 12.5 * 60.0);
        assert_eq!(even.shard_seconds(30, 90), 10.0 * 30.0 + 11.25 * 30.0);
        assert_eq!(even.shard_seconds(180, 240), 20.0 * 60.0);
        let step = Motion { steps: true, ..even };
        assert_eq!([0, 120, 179, 180].map(|at| step.open_at(at)), [10.0, 10.0, 10.0, 20.0]);
        assert_eq!(step.shard_seconds(120, 240), 10.0 * 60.0 + 20.0 * 60.0);
    }
}
