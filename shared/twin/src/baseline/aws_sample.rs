//! The rule of the AWS sample `kinesis-auto-scaling`: double after 25 minutes above 75 %, halve when 285
//! of 300 minutes were below 25 %. Its cascade on the way down is kept: after a halving the same five
//! hours are judged again with the smaller capacity.

use super::{Answer, Rule};
use crate::trace::Minute;
use weir_core::limits;
use weir_core::units::Shards;

const PERIOD_MINUTES: usize = 5;
const UP_USE: f64 = 0.75;
const UP_PERIODS: usize = 5;
const DOWN_USE: f64 = 0.25;
const DOWN_PERIODS: usize = 60;
const DOWN_PERIODS_LOW: usize = 57;

/// See the module.
#[derive(Debug, Default)]
pub struct AwsSample {
    /// The shard count written into the alarms; set by the last accepted reshard.
    alarm_shards: Option<f64>,
    /// At one shard, or never yet scaled out, the alarm for halving is off.
    down_armed: bool,
    up_in_alarm: bool,
    down_in_alarm: bool,
    /// Running sums of accepted bytes and records, so that a period costs a subtraction.
    sums: Vec<(f64, f64)>,
}

impl AwsSample {
    /// A stream adopted at `open` shards. The sample deploys with the halving alarm off and would leave it
    /// so until the first doubling; it is armed here, which can only make the rule cheaper.
    pub fn new(open: Shards) -> AwsSample {
        AwsSample {
            alarm_shards: Some(open.capacity().get()),
            down_armed: open > Shards::ONE,
            sums: vec![(0.0, 0.0)],
            ..AwsSample::default()
        }
    }

    /// Use of the capacity written into the alarms, in the `back`-th period from now; missing is zero.
    fn used(&self, back: usize) -> Option<f64> {
        let end = self.sums.len().checked_sub(1 + back * PERIOD_MINUTES)?;
        let start = end.checked_sub(PERIOD_MINUTES)?;
        let (bytes, records) =
            (self.sums[end].0 - self.sums[start].0, self.sums[end].1 - self.sums[start].1);
        let seconds = 300.0 * self.alarm_shards?;
        Some(
            (bytes / (limits::SHARD_WRITE_BYTES_PER_SECOND * seconds))
                .max(records / (limits::SHARD_WRITE_RECORDS_PER_SECOND * seconds)),
        )
    }
}

impl Rule for AwsSample {
    fn decide(&mut self, accepted: &[Minute], open: Shards) -> Option<u32> {
        for minute in accepted.iter().skip(self.sums.len() - 1) {
            let (bytes, records) = self.sums.last().copied().unwrap_or_default();
            self.sums.push((bytes + minute.bytes, records + minute.records));
        }
        let up = (0..UP_PERIODS).all(|back| self.used(back).is_some_and(|used| used >= UP_USE));
        let low = (0..DOWN_PERIODS).filter(|back| self.used(*back).is_some_and(|used| used < DOWN_USE));
        let down = self.down_armed && low.count() >= DOWN_PERIODS_LOW;
        // Actions run on a change of state only.
        let (up_fires, down_fires) = (up && !self.up_in_alarm, down && !self.down_in_alarm);
        (self.up_in_alarm, self.down_in_alarm) = (up, down);
        match () {
            () if up_fires => Some(open.get() * 2),
            () if down_fires => Some((open.get() / 2).max(1)),
            () => None,
        }
    }

    fn answered(&mut self, asked: u32, answer: Answer) {
        if answer == Answer::Accepted {
            self.alarm_shards = Some(f64::from(asked));
            self.down_armed = asked > 1;
        }
        // Re-armed after a success, set back to fire again after a refusal: both alarms may fire next minute.
        (self.up_in_alarm, self.down_in_alarm) = (false, false);
    }
}
