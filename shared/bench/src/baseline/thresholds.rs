//! The plain rule most people write first: double when five minutes are at 80 % use or more, halve
//! when an hour stayed below 30 % and nothing was changed in it. It looks every five minutes, waits
//! for a reshard to end, and does not count its calls.

use super::{Answer, Call, History, Rule};
use weir_core::units::Shards;

const PERIOD_MINUTES: usize = 5;
const UP_USE: f64 = 0.80;
const DOWN_USE: f64 = 0.30;
/// An hour of periods.
const DOWN_PERIODS: usize = 12;

/// See the module.
#[derive(Debug, Default)]
pub struct Thresholds {
    /// The size waited for.
    waiting: Option<u32>,
    /// When the last call was taken.
    last_call: Option<usize>,
    now: usize,
}

impl Rule for Thresholds {
    fn decide(&mut self, accepted: &History, open: Shards) -> Option<Call> {
        self.now = accepted.now();
        let waits = self.waiting.is_some_and(|size| size != open.get());
        if waits || !self.now.is_multiple_of(PERIOD_MINUTES) {
            return None;
        }
        self.waiting = None;
        let used = |back| Some(accepted.load(PERIOD_MINUTES, back)? / open.capacity().get());
        if used(0)? >= UP_USE {
            return Some(Call::UpdateShardCount(open.doubled().get()));
        }
        let rested =
            self.last_call.is_none_or(|last| self.now >= last + DOWN_PERIODS * PERIOD_MINUTES);
        let low = (0..DOWN_PERIODS).all(|back| used(back).is_some_and(|used| used < DOWN_USE));
        let down = open > Shards::ONE && rested && low;
        down.then_some(Call::UpdateShardCount(open.halved().get()))
    }

    fn answered(&mut self, call: Call, answer: Answer) {
        if let (Call::UpdateShardCount(to), Answer::Accepted) = (call, answer) {
            self.waiting = Some(to);
            self.last_call = Some(self.now);
        }
    }
}
