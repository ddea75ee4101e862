//! The plain rule of target tracking, with the least it needs to live with ten calls a day.
//!
//! Out as soon as five minutes are at 80 % use, at once to the size at which they would use the
//! target. In when the highest five minutes of the last hour would need three quarters of the size
//! or less, to what they need; not with the last five calls of the day. It never asks for what AWS
//! would refuse.

use std::collections::VecDeque;

use super::{Answer, Call, History, Rule};
use weir_core::limits;
use weir_core::units::{ShardLoad, Shards, Share};

const PERIOD_MINUTES: usize = 5;
const OUT_USE: f64 = 0.80;
/// An hour of periods.
const IN_PERIODS: usize = 12;
/// Sizes within this share of the present one are left alone on the way in.
const IN_SIZE: f64 = 0.75;
/// Calls of the day kept for growing.
const KEPT_CALLS: usize = 5;
const DAY_MINUTES: usize = 24 * 60;

/// See the module.
#[derive(Debug)]
pub struct TargetUse {
    target: Share,
    /// The size waited for.
    waiting: Option<u32>,
    /// When calls were taken, in the last day.
    calls: VecDeque<usize>,
    now: usize,
}

impl TargetUse {
    /// Keeps use at `target`.
    pub fn new(target: Share) -> TargetUse {
        TargetUse { target, waiting: None, calls: VecDeque::new(), now: 0 }
    }
}

impl Rule for TargetUse {
    fn decide(&mut self, accepted: &History, open: Shards) -> Option<Call> {
        self.now = accepted.now();
        while self.calls.front().is_some_and(|call| call + DAY_MINUTES <= self.now) {
            self.calls.pop_front();
        }
        if !self.now.is_multiple_of(PERIOD_MINUTES) {
            return None;
        }
        let left = (limits::RESHARDS_PER_DAY_MAX as usize).saturating_sub(self.calls.len());
        if left == 0 || self.waiting.is_some_and(|size| size != open.get()) {
            return None;
        }
        self.waiting = None;
        let capacity = open.capacity().get();
        let load = accepted.load(PERIOD_MINUTES, 0)?;
        let wanted = |load| Shards::for_load(ShardLoad::new(load), self.target);
        if load / capacity >= OUT_USE && wanted(load) > open {
            return Some(Call::UpdateShardCount(wanted(load).min(open.doubled()).get()));
        }
        let mut highest = 0.0_f64;
        for back in 0..IN_PERIODS {
            highest = highest.max(accepted.load(PERIOD_MINUTES, back)?);
            if wanted(highest) >= open {
                return None;
            }
        }
        let to = wanted(highest).max(open.halved());
        let much = to.capacity().get() <= IN_SIZE * capacity;
        (much && left > KEPT_CALLS).then_some(Call::UpdateShardCount(to.get()))
    }

    fn answered(&mut self, call: Call, answer: Answer) {
        if let (Call::UpdateShardCount(to), Answer::Accepted) = (call, answer) {
            self.waiting = Some(to);
            self.calls.push_back(self.now);
        }
    }
}
