//! What a run cost and what it lost, in the bench setting: the first 24 hours are not scored, throttled
//! bytes are lost and weighed with a price, and all is set against a stream fixed at its peak.

use jiff::SignedDuration;
use thiserror::Error;
use weir_core::limits::prices;

use crate::record::{MinuteRecord, StreamRun};

/// Minutes that warm up.
const WARM_UP_MINUTES: usize = 24 * 60;
/// Scored minutes are a whole number of these.
const SCORED_STEP_MINUTES: usize = 5;
/// What a billable GiB that was throttled is taken to cost.
pub const THROTTLED_GIB_USD: f64 = 0.80;

/// How a run did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Days scored.
    pub days: f64,
    /// Shard cost, US dollars.
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
}

impl Score {
    /// Shard cost over that of a stream fixed at its peak.
    pub fn cost_vs_fixed(&self) -> f64 {
        self.shard_cost_usd / self.fixed_cost_usd
    }
}

/// A run that cannot be scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{minutes} minutes cannot be scored: the first 24 hours warm up; give a longer trace, with traffic")]
pub struct TooShort {
    /// Minutes there were.
    pub minutes: usize,
}

/// Scores a run.
#[allow(clippy::cast_precision_loss)] // counts of minutes and calls, far below 2^52
pub fn score(run: &StreamRun) -> Result<Score, TooShort> {
    let all = run.minutes.len();
    let scored = all.saturating_sub(WARM_UP_MINUTES) / SCORED_STEP_MINUTES * SCORED_STEP_MINUTES;
    let minutes = run
        .minutes
        .get(WARM_UP_MINUTES..WARM_UP_MINUTES + scored)
        .filter(|minutes| !minutes.is_empty())
        .ok_or(TooShort { minutes: all })?;
    let hours = minutes.len() as f64 / 60.0;
    let peak = minutes.iter().map(load).fold(0.0, f64::max);
    let billable: f64 = minutes.iter().map(billable_gib).sum();
    if peak <= 0.0 || billable <= 0.0 {
        return Err(TooShort { minutes: all });
    }
    let throttled: f64 = minutes.iter().map(|m| billable_gib(m) * m.refused_share).sum();
    let shard_hours: f64 = minutes.iter().map(|m| m.open_shards).sum::<f64>() / 60.0;
    let shard_cost_usd = shard_hours * prices::SHARD_HOUR_USD;
    let fixed_cost_usd = (peak - 1e-9).ceil() * hours * prices::SHARD_HOUR_USD;
    let days = SignedDuration::from_mins(i64::try_from(all).unwrap_or(i64::MAX)).as_secs_f64() / 86_400.0;
    Ok(Score {
        days: hours / 24.0,
        shard_cost_usd,
        fixed_cost_usd,
        throttled_bytes: minutes.iter().map(|m| m.offered_bytes * m.refused_share).sum(),
        throttled_percent: 100.0 * throttled / billable,
        j: (shard_cost_usd + THROTTLED_GIB_USD * throttled) / fixed_cost_usd,
        calls_per_day: run.reshards.len() as f64 / days,
    })
}

fn load(minute: &MinuteRecord) -> f64 {
    crate::trace::Minute { bytes: minute.offered_bytes, records: minute.offered_records }.load().get()
}

/// Records are billed in steps of one KiB each.
fn billable_gib(minute: &MinuteRecord) -> f64 {
    if minute.offered_records <= 0.0 {
        return 0.0;
    }
    let step = prices::BILLED_RECORD_STEP_BYTES;
    let steps = (minute.offered_bytes / minute.offered_records / step - 1e-9).ceil();
    minute.offered_records * steps * step / prices::GB_BYTES
}
