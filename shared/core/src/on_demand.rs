//! How much a stream on demand takes, as far as AWS says.
//!
//! Not here: when to switch to it (`plan`), and what it costs (`bill`).

use std::collections::VecDeque;

use crate::limits::{
    ON_DEMAND_FACTOR_OF_PEAK, ON_DEMAND_GROWTH_MINUTES, ON_DEMAND_PEAK_DAYS, ON_DEMAND_SHARDS_MIN,
};
use crate::units::{ShardLoad, Shards};

const PEAK_MINUTES: usize = ON_DEMAND_PEAK_DAYS as usize * 24 * 60;
const LATE_MINUTES: usize = ON_DEMAND_GROWTH_MINUTES as usize;

/// What it takes: never less than any stream does, nor than its shards took at the switch; and
/// twice the highest load that counts by now.
pub fn capacity(shards_at_switch: Shards, highest: ShardLoad) -> ShardLoad {
    Shards::at_least_one(ON_DEMAND_SHARDS_MIN)
        .max(shards_at_switch)
        .capacity()
        .max(highest.times(ON_DEMAND_FACTOR_OF_PEAK))
}

/// The highest load of the last 30 days up to 15 minutes ago, minute by minute. How AWS comes down
/// again is not documented: here a peak counts for all of its 30 days, whichever mode it came in.
#[derive(Clone, Debug, Default)]
pub struct Peaks {
    /// Minutes that do not count yet, oldest first.
    late: VecDeque<f64>,
    /// Minutes counted so far.
    counted: usize,
    /// Minutes that may yet be the highest, highest first.
    highest: VecDeque<(usize, f64)>,
}

impl Peaks {
    /// A minute is over.
    pub fn push(&mut self, load: ShardLoad) {
        self.late.push_back(load.get());
        if self.late.len() < LATE_MINUTES {
            return;
        }
        let Some(load) = self.late.pop_front() else { return };
        while self.highest.back().is_some_and(|(_, lower)| *lower <= load) {
            self.highest.pop_back();
        }
        self.highest.push_back((self.counted, load));
        while self.highest.front().is_some_and(|(first, _)| first + PEAK_MINUTES < self.counted) {
            self.highest.pop_front();
        }
        self.counted += 1;
    }

    /// The highest that counts in the minute that begins now.
    pub fn highest(&self) -> ShardLoad {
        self.highest.front().map_or(ShardLoad::ZERO, |(_, load)| ShardLoad::new(*load))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_on_demand_takes_the_most_of_what_it_may() {
        let takes =
            |shards, highest| capacity(Shards::at_least_one(shards), ShardLoad::new(highest)).get();
        assert_eq!([takes(1, 0.0), takes(10, 3.0), takes(10, 7.5)], [4.0, 10.0, 15.0]);
    }

    #[test]
    fn a_peak_counts_from_a_quarter_of_an_hour_on_and_for_thirty_days() {
        let mut peaks = Peaks::default();
        let mut seen = Vec::new();
        for minute in 0..PEAK_MINUTES + 200 {
            seen.push(peaks.highest().get());
            peaks.push(ShardLoad::new(match minute {
                100 => 9.0,
                110 => 6.0,
                _ => 1.0,
            }));
        }
        assert_eq!([seen[14], seen[15], seen[114], seen[115]], [0.0, 1.0, 1.0, 9.0]);
        let gone = 100 + LATE_MINUTES + PEAK_MINUTES;
        assert_eq!([seen[gone], seen[gone + 1], seen[gone + 11]], [9.0, 6.0, 1.0]);
    }
}
