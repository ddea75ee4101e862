//! The rule of the AWS sample `kinesis-auto-scaling`: double after 25 minutes above 75 %, halve
//! when 285 of 300 minutes were below 25 %. Missing traffic counts as none.
//!
//! Kept: the cascade on the way down (after a halving the same five hours are judged again with the
//! smaller capacity), halves rounded down, no budget, a refused call tried again each minute. Not
//! kept: its alarm for halving is off until the first doubling; here it is armed from the start.

use super::alarm::Alarm;
use super::{Answer, Call, History, Rule};
use weir_core::units::Shards;

const PERIOD_MINUTES: usize = 5;
const UP_USE: f64 = 0.75;
const UP_PERIODS: usize = 5;
const DOWN_USE: f64 = 0.25;
const DOWN_PERIODS: usize = 60;
const DOWN_PERIODS_LOW: usize = 57;

/// See the module.
#[derive(Debug)]
pub struct AwsSample {
    /// The shard count written into the alarms; set by the last accepted reshard.
    alarm_shards: f64,
    up: Alarm,
    down: Alarm,
}

impl AwsSample {
    /// A stream adopted at `open` shards.
    pub fn new(open: Shards) -> AwsSample {
        let alarm_shards = open.capacity().get();
        AwsSample { alarm_shards, up: Alarm::default(), down: Alarm::default() }
    }

    /// Use of the capacity written into the alarms, in the `back`-th period from now.
    fn used(&self, accepted: &History, back: usize) -> Option<f64> {
        Some(accepted.load(PERIOD_MINUTES, back)? / self.alarm_shards)
    }
}

impl Rule for AwsSample {
    fn decide(&mut self, accepted: &History, open: Shards) -> Option<Call> {
        let used = |back| self.used(accepted, back);
        let up = (0..UP_PERIODS).all(|back| used(back).is_some_and(|used| used >= UP_USE));
        let low = (0..DOWN_PERIODS).filter(|back| used(*back).is_some_and(|used| used < DOWN_USE));
        // At one shard the alarm for halving is off.
        let down = self.alarm_shards > 1.0 && low.count() >= DOWN_PERIODS_LOW;
        let (up_fires, down_fires) = (self.up.fires(up), self.down.fires(down));
        match () {
            () if up_fires => Some(Call::UpdateShardCount(open.get() * 2)),
            () if down_fires => Some(Call::UpdateShardCount((open.get() / 2).max(1))),
            () => None,
        }
    }

    fn answered(&mut self, call: Call, answer: Answer) {
        if let (Call::UpdateShardCount(to), Answer::Accepted) = (call, answer) {
            self.alarm_shards = f64::from(to);
        }
        // Re-armed after a success, set back to fire again after a refusal: both may fire next
        // minute.
        self.up.rearm();
        self.down.rearm();
    }
}
