//! The rule of `epsagon/kinesis-autoscaler`: up as soon as one period of five minutes is above 75
//! %, by 100, 50 or 25 % as the stream is larger; down when a whole day was below 25 %, to where
//! yesterday's peak would use half, and at most by half. Missing traffic counts as none.
//!
//! Kept: an alarm that was set for another size than the stream has is set anew and nothing is
//! scaled, which a reshard under way brings about; a refused call is left to Lambda's own two
//! retries; nothing is re-armed when there is nothing to do; no budget.

use super::alarm::{Alarm, Event};
use super::{Answer, Call, History, Rule};
use weir_core::units::Shards;

const PERIOD_MINUTES: usize = 5;
const UP_USE: f64 = 0.75;
const DOWN_USE: f64 = 0.25;
/// A day of periods.
const DOWN_PERIODS: usize = 288;
/// Growth of a stream of at most so many shards; of a larger one.
const UP_STEPS: [(u32, f64); 2] = [(3, 2.0), (50, 1.5)];
const UP_STEP_LARGE: f64 = 1.25;

/// What an alarm said when it fired.
#[derive(Clone, Copy, Debug)]
struct Said {
    up: bool,
    shards: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Epsagon {
    /// The shard count written into both alarms.
    alarm_shards: u32,
    up: Alarm,
    down: Alarm,
    event: Option<Event<Said>>,
}

impl Epsagon {
    /// A stream adopted at `open` shards.
    pub fn new(open: Shards) -> Epsagon {
        Epsagon {
            alarm_shards: open.get(),
            up: Alarm::default(),
            down: Alarm::default(),
            event: None,
        }
    }

    fn set_alarms(&mut self, shards: u32) {
        self.alarm_shards = shards;
        self.up.rearm();
        self.down.rearm();
    }

    /// Whether all periods of the last day were low, judged by the size in the alarms.
    fn low_for_a_day(&self, accepted: &History) -> bool {
        (0..DOWN_PERIODS).all(|back| self.used(accepted, back).is_some_and(|used| used <= DOWN_USE))
    }

    fn used(&self, accepted: &History, back: usize) -> Option<f64> {
        Some(accepted.load(PERIOD_MINUTES, back)? / f64::from(self.alarm_shards))
    }
}

/// A size from a product that is positive and small.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rounded_up(shards: f64) -> u32 {
    (shards - 1e-9).ceil() as u32
}

fn target(said: Said, accepted: &History, open: Shards) -> u32 {
    let open = open.get();
    if said.up {
        let step = UP_STEPS.iter().find(|(most, _)| open <= *most);
        return rounded_up(f64::from(open) * step.map_or(UP_STEP_LARGE, |(_, factor)| *factor));
    }
    let day = (0..DOWN_PERIODS).filter_map(|back| accepted.load(PERIOD_MINUTES, back));
    rounded_up(2.0 * day.fold(0.0, f64::max)).max(open.div_ceil(2))
}

impl Rule for Epsagon {
    fn decide(&mut self, accepted: &History, open: Shards) -> Option<Call> {
        let up = self.used(accepted, 0).is_some_and(|used| used >= UP_USE);
        // At one shard the alarm's actions are off.
        let down = self.alarm_shards > 1 && self.low_for_a_day(accepted);
        let (up_fires, down_fires) = (self.up.fires(up), self.down.fires(down));
        if up_fires || down_fires {
            let said = Said { up: up_fires, shards: self.alarm_shards };
            self.event = Some(Event::new(said, accepted.now()));
        }
        let event = self.event.filter(|event| event.is_due(accepted.now()))?;
        if event.what.shards != open.get() {
            self.event = None;
            self.set_alarms(open.get());
            return None;
        }
        let to = target(event.what, accepted, open);
        if to == open.get() {
            self.event = None;
            return None;
        }
        Some(Call::UpdateShardCount(to))
    }

    fn answered(&mut self, call: Call, answer: Answer) {
        let event = self.event.take();
        match (call, answer) {
            (Call::UpdateShardCount(to), Answer::Accepted) => self.set_alarms(to),
            _ => self.event = event.and_then(Event::failed),
        }
    }
}
