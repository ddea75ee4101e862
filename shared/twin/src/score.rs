//! What a run cost and what it lost, in the bench setting: the first 24 hours are not scored, throttled
//! bytes are lost and weighed with a price, and all is set against a stream fixed at its peak.
//!
//! Here: money and loss. How closely capacity followed demand is in `elasticity`. Not here: playing a
//! policy (`baseline`, `simulation`).

mod elasticity;

use std::ops::Range;

use jiff::SignedDuration;
use thiserror::Error;
use weir_core::limits::prices;

pub use elasticity::Elasticity;

use crate::record::{MinuteRecord, StreamRun};
use crate::trace::Minute;

/// Minutes that warm up.
pub(crate) const WARM_UP_MINUTES: usize = 24 * 60;
/// Scored minutes are a whole number of these.
const SCORED_STEP_MINUTES: usize = 5;
/// What a billable GiB that was throttled is taken to cost.
pub const THROTTLED_GIB_USD: f64 = 0.80;

/// How the stream is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// By the shard-hour.
    Provisioned,
    /// By the stream-hour and the byte; the PUT units that a provisioned stream would pay are saved.
    OnDemand,
}

/// What a run is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pricing {
    /// How the stream is billed.
    pub billing: Billing,
    /// What a billable GiB that was throttled is taken to cost.
    pub throttled_gib_usd: f64,
    /// The busiest second of a minute, as a multiple of its mean. Seconds are taken to lie evenly between
    /// as far below the mean and as far above it; 1 is a minute of equal seconds.
    pub burst: f64,
}

impl Pricing {
    /// The bench setting.
    pub const BENCH: Pricing =
        Pricing { billing: Billing::Provisioned, throttled_gib_usd: THROTTLED_GIB_USD, burst: 1.0 };

    /// The share of a minute's traffic that `capacity` refuses.
    pub(crate) fn refused_share(&self, load: f64, capacity: f64) -> f64 {
        let spread = load * (self.burst - 1.0);
        if load + spread <= capacity {
            0.0
        } else if load - spread >= capacity {
            1.0 - capacity / load
        } else {
            // The mean of what lies above capacity, over seconds spread evenly around the mean.
            let above = load + spread - capacity;
            above * above / (4.0 * spread * load)
        }
    }
}

/// How a run did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Days scored.
    pub days: f64,
    /// Shard cost, US dollars; on demand, the bill less the PUT units it saves.
    pub shard_cost_usd: f64,
    /// Shard cost of a stream fixed at its peak, US dollars.
    pub fixed_cost_usd: f64,
    /// Bytes throttled.
    pub throttled_bytes: f64,
    /// Share of billable bytes that was throttled, percent.
    pub throttled_percent: f64,
    /// (Shard cost + price of what was throttled) / cost of a stream fixed at its peak.
    pub j: f64,
    /// Reshards a day, over all of the run.
    pub calls_per_day: f64,
    /// How closely capacity followed demand.
    pub elasticity: Elasticity,
}

impl Score {
    /// Shard cost over that of a stream fixed at its peak.
    pub fn cost_vs_fixed(&self) -> f64 {
        self.shard_cost_usd / self.fixed_cost_usd
    }
}

/// A run that cannot be scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "{minutes} minutes cannot be scored: the first 24 hours warm up; give a longer trace, with traffic"
)]
pub struct TooShort {
    /// Minutes there were.
    pub minutes: usize,
}

/// Scores a run in the bench setting.
pub fn score(run: &StreamRun) -> Result<Score, TooShort> {
    score_by(run, Pricing::BENCH)
}

/// Scores a run.
#[allow(clippy::cast_precision_loss)] // counts of minutes and calls, far below 2^52
pub fn score_by(run: &StreamRun, pricing: Pricing) -> Result<Score, TooShort> {
    let all = run.minutes.len();
    let minutes = run
        .minutes
        .get(scored_minutes(all))
        .filter(|minutes| !minutes.is_empty())
        .ok_or(TooShort { minutes: all })?;
    let hours = minutes.len() as f64 / 60.0;
    let peak = minutes.iter().map(load).fold(0.0, f64::max);
    let billable: f64 = minutes.iter().map(|minute| offered(minute).billable_gib()).sum();
    if peak <= 0.0 || billable <= 0.0 {
        return Err(TooShort { minutes: all });
    }
    // The run says what was refused; only seconds that differ are a matter of judging.
    let refused = |minute: &MinuteRecord| match pricing.burst {
        1.0 => minute.refused_share,
        _ => pricing.refused_share(load(minute), minute.open_shards),
    };
    let throttled: f64 = minutes.iter().map(|m| offered(m).billable_gib() * refused(m)).sum();
    let shard_cost_usd = match pricing.billing {
        Billing::Provisioned => {
            minutes.iter().map(|m| m.open_shards).sum::<f64>() / 60.0 * prices::SHARD_HOUR_USD
        }
        Billing::OnDemand => {
            let put_units: f64 = minutes.iter().map(|minute| offered(minute).put_units()).sum();
            hours * prices::ON_DEMAND_STREAM_HOUR_USD + billable * prices::ON_DEMAND_GB_IN_USD
                - put_units * prices::PUT_UNIT_USD
        }
    };
    let fixed_cost_usd = (peak - 1e-9).ceil() * hours * prices::SHARD_HOUR_USD;
    let days =
        SignedDuration::from_mins(i64::try_from(all).unwrap_or(i64::MAX)).as_secs_f64() / 86_400.0;
    Ok(Score {
        days: hours / 24.0,
        shard_cost_usd,
        fixed_cost_usd,
        throttled_bytes: minutes.iter().map(|m| m.offered_bytes * refused(m)).sum(),
        throttled_percent: 100.0 * throttled / billable,
        j: (shard_cost_usd + pricing.throttled_gib_usd * throttled) / fixed_cost_usd,
        calls_per_day: run.reshards.len() as f64 / days,
        elasticity: Elasticity::of(minutes),
    })
}

/// Which of `all` minutes are scored.
pub(crate) fn scored_minutes(all: usize) -> Range<usize> {
    let scored = all.saturating_sub(WARM_UP_MINUTES) / SCORED_STEP_MINUTES * SCORED_STEP_MINUTES;
    let start = WARM_UP_MINUTES.min(all);
    start..start + scored
}

fn offered(minute: &MinuteRecord) -> Minute {
    Minute { bytes: minute.offered_bytes, records: minute.offered_records }
}

fn load(minute: &MinuteRecord) -> f64 {
    offered(minute).load().get()
}

impl Minute {
    /// What is billed by the byte: records are rounded up, each, to whole KiB.
    pub(crate) fn billable_gib(&self) -> f64 {
        let step = prices::BILLED_RECORD_STEP_BYTES;
        self.records * self.steps_per_record(step) * step / prices::GB_BYTES
    }

    /// PUT units on a provisioned stream.
    fn put_units(&self) -> f64 {
        self.records * self.steps_per_record(prices::PUT_UNIT_BYTES)
    }

    fn steps_per_record(&self, step_bytes: f64) -> f64 {
        if self.records <= 0.0 {
            return 0.0;
        }
        // A hair of tolerance: 1024.0000001 bytes of rounding noise are one KiB.
        (self.bytes / self.records / step_bytes - 1e-9).ceil()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_refuse_before_the_mean_does() {
        let plain = Pricing::BENCH;
        assert_eq!(plain.refused_share(8.0, 10.0), 0.0);
        assert_eq!(plain.refused_share(20.0, 10.0), 0.5);
        let bursty = Pricing { burst: 1.5, ..plain };
        assert_eq!(bursty.refused_share(6.0, 10.0), 0.0);
        // Seconds between 5 and 15 shards: half are over, by 2.5 of 10 in the mean.
        assert!((bursty.refused_share(10.0, 10.0) - 0.125).abs() < 1e-12);
        assert_eq!(bursty.refused_share(20.0, 10.0), 0.5);
    }

    #[test]
    fn only_whole_steps_after_the_first_day_are_scored() {
        assert_eq!(scored_minutes(100), 100..100);
        assert_eq!(scored_minutes(1440), 1440..1440);
        assert_eq!(scored_minutes(1440 + 14), 1440..1450);
    }
}
