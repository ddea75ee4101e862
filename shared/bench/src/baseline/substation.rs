//! The rule of Substation's `autoscale` function: up when five minutes on end are at 70 %, down
//! when sixty are at 35 % or less, by a factor of 2, 1.75, 1.5 or 1.25 as the stream is larger; at
//! least 3 minutes after the last change before it grows, 30 before it shrinks.
//!
//! Kept: minutes without traffic repeat the one before them, so that silence after a burst looks
//! like the burst; an alarm that comes too early is dropped and not re-armed; the bounds in tags
//! have no effect; a refused call is left to Lambda's own two retries; no budget. The function
//! waits until the stream is ACTIVE before it sets the alarms anew.

use std::collections::VecDeque;

use super::alarm::{Alarm, Event};
use super::{Answer, Call, History, Rule};
use weir_core::units::Shards;

const UP_USE: f64 = 0.70;
const UP_MINUTES: usize = 5;
const DOWN_USE: f64 = 0.35;
const DOWN_MINUTES: usize = 60;
const UP_REST_MINUTES: usize = 3;
const DOWN_REST_MINUTES: usize = 30;
/// The factor of a stream of fewer than so many shards; of a larger one.
const STEPS: [(u32, f64); 3] = [(5, 2.0), (13, 1.75), (33, 1.5)];
const STEP_LARGE: f64 = 1.25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// See the module.
#[derive(Debug)]
pub struct Substation {
    /// The shard count written into both alarms.
    alarm_shards: u32,
    up: Alarm,
    down: Alarm,
    event: Option<Event<Direction>>,
    /// The size waited for.
    waiting: Option<u32>,
    last_change: Option<usize>,
    /// Loads of the last hour, missing ones filled.
    loads: VecDeque<f64>,
}

impl Substation {
    /// A stream adopted at `open` shards.
    pub fn new(open: Shards) -> Substation {
        Substation {
            alarm_shards: open.get(),
            up: Alarm::default(),
            down: Alarm::default(),
            event: None,
            waiting: None,
            last_change: None,
            loads: VecDeque::with_capacity(DOWN_MINUTES + 1),
        }
    }

    fn look(&mut self, accepted: &History) {
        let Some(newest) = accepted.last(1).first() else { return };
        let repeated = self.loads.back().copied().unwrap_or(0.0);
        self.loads.push_back(if newest.records > 0.0 { newest.load().get() } else { repeated });
        if self.loads.len() > DOWN_MINUTES {
            self.loads.pop_front();
        }
    }

    /// The event to handle now, if any; one that comes too early is dropped.
    fn due(&mut self, now: usize) -> Option<Direction> {
        let event = self.event.filter(|event| event.is_due(now))?;
        let rest = match event.what {
            Direction::Up => UP_REST_MINUTES,
            Direction::Down => DOWN_REST_MINUTES,
        };
        if self.last_change.is_some_and(|last| now < last + rest) {
            self.event = None;
            return None;
        }
        Some(event.what)
    }
}

/// Truncation of the rounded, positive product is meant.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn target(direction: Direction, open: u32) -> u32 {
    let factor = STEPS.iter().find(|(below, _)| open < *below).map_or(STEP_LARGE, |step| step.1);
    match direction {
        Direction::Up => (f64::from(open) * factor).floor() as u32,
        Direction::Down => (f64::from(open) / factor).ceil() as u32,
    }
}

impl Rule for Substation {
    fn decide(&mut self, accepted: &History, open: Shards) -> Option<Call> {
        self.look(accepted);
        let now = accepted.now();
        if self.waiting == Some(open.get()) {
            self.waiting = None;
            self.last_change = Some(now);
            self.alarm_shards = open.get();
            self.up.rearm();
            self.down.rearm();
        }
        let shards = f64::from(self.alarm_shards);
        let enough = |minutes| self.loads.len() >= minutes;
        let up = enough(UP_MINUTES)
            && self.loads.iter().rev().take(UP_MINUTES).all(|load| load / shards >= UP_USE);
        let down = enough(DOWN_MINUTES) && self.loads.iter().all(|load| load / shards <= DOWN_USE);
        let (up_fires, down_fires) = (self.up.fires(up), self.down.fires(down));
        if up_fires || down_fires {
            let direction = if up_fires { Direction::Up } else { Direction::Down };
            self.event = Some(Event::new(direction, now));
        }
        if self.waiting.is_some() {
            return None;
        }
        let to = target(self.due(now)?, open.get());
        if to == open.get() {
            self.event = None;
            return None;
        }
        Some(Call::UpdateShardCount(to))
    }

    fn answered(&mut self, call: Call, answer: Answer) {
        let event = self.event.take();
        match (call, answer) {
            (Call::UpdateShardCount(to), Answer::Accepted) => self.waiting = Some(to),
            _ => self.event = event.and_then(Event::failed),
        }
    }
}
