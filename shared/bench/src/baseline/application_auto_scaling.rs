//! The rule of the AWS sample `aws-application-auto-scaling-kinesis`: one shard more when a minute
//! is above 80 % of the records, one fewer when three periods of five minutes are below the same
//! number, which is 16 %; ten minutes between two steps.
//!
//! Kept: bytes are not looked at; before the first step the thresholds are those of the template,
//! which almost any traffic exceeds; the first request ever fails; Auto Scaling asks again each
//! minute while the alarm stays. Periods without records are missing and do not breach. Not kept:
//! at most eight shards.

use super::{Answer, Call, History, Rule};
use weir_core::units::Shards;

/// Records a minute that one shard may take before another is added: 80 %.
const RECORDS_PER_SHARD: f64 = 48_000.0;
/// Thresholds of the template: records of one minute, records of five.
const FIRST_OUT: f64 = 1_000.0;
const FIRST_IN: f64 = 700.0;
const IN_PERIOD_MINUTES: usize = 5;
const IN_PERIODS: usize = 3;
/// CloudWatch looks this far back for periods with data.
const IN_PERIODS_LOOKED_AT: usize = 5;
const COOLDOWN_MINUTES: usize = 10;

/// See the module.
#[derive(Debug, Default)]
pub struct ApplicationAutoScaling {
    /// The size of the last accepted reshard, which sets both thresholds.
    alarm_shards: Option<u32>,
    now: usize,
    last_step: Option<usize>,
    failed_once: bool,
}

impl Rule for ApplicationAutoScaling {
    fn decide(&mut self, accepted: &History, open: Shards) -> Option<Call> {
        self.now = accepted.now();
        let later = self.alarm_shards.map(|shards| RECORDS_PER_SHARD * f64::from(shards));
        let (above, below) = (later.unwrap_or(FIRST_OUT), later.unwrap_or(FIRST_IN));
        let out = accepted.last(1).iter().any(|minute| minute.records > above);
        // Sums of nothing may come out as a hair of rounding; half a record is none.
        let periods: Vec<bool> = (0..IN_PERIODS_LOOKED_AT)
            .filter_map(|back| accepted.period(IN_PERIOD_MINUTES, back))
            .filter(|period| period.records > 0.5)
            .take(IN_PERIODS)
            .map(|period| period.records < below)
            .collect();
        let inward = periods.len() == IN_PERIODS && periods.iter().all(|low| *low);
        let cooling = self.last_step.is_some_and(|last| self.now < last + COOLDOWN_MINUTES);
        let to = match () {
            () if cooling => return None,
            () if out => open.get() + 1,
            () if inward && open > Shards::ONE => open.get() - 1,
            () => return None,
        };
        if !std::mem::replace(&mut self.failed_once, true) {
            return None;
        }
        Some(Call::UpdateShardCount(to))
    }

    fn answered(&mut self, call: Call, answer: Answer) {
        if let (Call::UpdateShardCount(to), Answer::Accepted) = (call, answer) {
            self.alarm_shards = Some(to);
            self.last_step = Some(self.now);
        }
    }
}
