//! What a run cost and what it lost, in the bench setting: the first 24 hours are not scored,
//! throttled bytes are lost and weighed with a price, and all is set against a stream fixed at its
//! peak.
//!
//! J counts shard-hours alone, so that it tells how well a stream was sized: PUT units cost
//! everybody the same. A minute on demand counts with its bill less the PUT units that a
//! provisioned one would pay. J of the whole bill counts PUT units too, on both sides. What is
//! billed for writing is what was offered; nobody reads, and records are kept for a day.
//!
//! Here: money and loss. How closely capacity followed demand is in `elasticity`. Not here: playing
//! a policy (`contender`).

mod elasticity;

use std::ops::Range;

use jiff::SignedDuration;
use thiserror::Error;
use weir_core::bill::{Bill, Setup};
use weir_core::observation::CapacityMode;
use weir_core::policy::AccountPrices;

pub use elasticity::Elasticity;

use weir_sim::record::{MinuteRecord, StreamRun};

/// Minutes that warm up.
pub(crate) const WARM_UP_MINUTES: usize = 24 * 60;
/// Scored minutes are a whole number of these.
const SCORED_STEP_MINUTES: usize = 5;
/// What a billable GiB that was throttled is taken to cost.
pub const THROTTLED_GIB_USD: f64 = 0.80;

/// What a run is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pricing {
    /// What a billable GiB that was throttled is taken to cost.
    pub throttled_gib_usd: f64,
    /// What the account pays.
    pub prices: AccountPrices,
}

impl Pricing {
    /// The bench setting.
    pub const BENCH: Pricing =
        Pricing { throttled_gib_usd: THROTTLED_GIB_USD, prices: AccountPrices::DEFAULT };
}

/// How a run did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Days scored.
    pub days: f64,
    /// Shard cost, US dollars; of minutes on demand, the bill less the PUT units they save.
    pub shard_cost_usd: f64,
    /// Shard cost of a stream fixed at its peak, US dollars.
    pub fixed_cost_usd: f64,
    /// Bytes throttled.
    pub throttled_bytes: f64,
    /// Share of billable bytes that was throttled, percent.
    pub throttled_percent: f64,
    /// (Shard cost + price of what was throttled) / cost of a stream fixed at its peak.
    pub j: f64,
    /// The whole bill: shard-hours and PUT units, and stream-hours and GB in of minutes on demand.
    pub bill: Bill,
    /// (Whole bill + price of what was throttled) / whole bill of a stream fixed at its peak.
    pub j_total: f64,
    /// Share of the time on demand, percent.
    pub on_demand_percent: f64,
    /// Reshards a day, over all of the run.
    pub calls_per_day: f64,
    /// Switches of the capacity mode a day, over all of the run.
    pub switches_per_day: f64,
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
pub enum NotScored {
    /// It ends with its warm-up.
    #[error("{minutes} minutes cannot be scored: the first 24 hours warm up; give a longer trace")]
    TooShort {
        /// Minutes there were.
        minutes: usize,
    },
    /// Nobody wrote.
    #[error(
        "no traffic after the first 24 hours, which warm up: there is nothing to size. One shard or \
         on-demand is for such a stream; where it did have traffic, record that"
    )]
    NoTraffic,
}

/// Scores a run in the bench setting.
///
/// # Errors
/// Where it is too short to be scored, or had no traffic.
pub fn score(run: &StreamRun) -> Result<Score, NotScored> {
    score_by(run, &Pricing::BENCH)
}

/// Scores a run.
///
/// # Errors
/// Where it is too short to be scored, or had no traffic.
#[allow(clippy::cast_precision_loss)] // counts of minutes and calls, far below 2^52
pub fn score_by(run: &StreamRun, pricing: &Pricing) -> Result<Score, NotScored> {
    let all = run.minutes.len();
    let minutes = run
        .minutes
        .get(scored_minutes(all))
        .filter(|minutes| !minutes.is_empty())
        .ok_or(NotScored::TooShort { minutes: all })?;
    let hours = minutes.len() as f64 / 60.0;
    let peak = minutes.iter().map(load).fold(0.0, f64::max);
    let billable: f64 = minutes.iter().map(|minute| minute.offered().billable_gib()).sum();
    if peak <= 0.0 || billable <= 0.0 {
        return Err(NotScored::NoTraffic);
    }
    let throttled: f64 = minutes.iter().map(|m| m.offered().billable_gib() * m.refused_share).sum();
    let throttled_usd = pricing.throttled_gib_usd * throttled;
    let provisioned = &pricing.prices.provisioned;
    let put_units_usd: f64 =
        minutes.iter().map(|m| m.offered().written().put_units() * provisioned.put_unit_usd).sum();
    let bill: Bill = minutes.iter().map(|minute| bill(minute, &pricing.prices)).sum();
    let shard_cost_usd = bill.total().get() - put_units_usd;
    let fixed_cost_usd = (peak - 1e-9).ceil() * hours * provisioned.shard_hour_usd;
    let on_demand = minutes.iter().filter(|m| m.mode == CapacityMode::OnDemand).count();
    let days =
        SignedDuration::from_mins(i64::try_from(all).unwrap_or(i64::MAX)).as_secs_f64() / 86_400.0;
    Ok(Score {
        days: hours / 24.0,
        shard_cost_usd,
        fixed_cost_usd,
        j: (shard_cost_usd + throttled_usd) / fixed_cost_usd,
        bill,
        j_total: (bill.total().get() + throttled_usd) / (fixed_cost_usd + put_units_usd),
        on_demand_percent: 100.0 * on_demand as f64 / minutes.len() as f64,
        throttled_bytes: minutes.iter().map(|m| m.offered_bytes * m.refused_share).sum(),
        throttled_percent: 100.0 * throttled / billable,
        calls_per_day: run.reshards.len() as f64 / days,
        switches_per_day: run.switches.len() as f64 / days,
        elasticity: Elasticity::of(minutes),
    })
}

/// Which of `all` minutes are scored.
pub fn scored_minutes(all: usize) -> Range<usize> {
    let scored = all.saturating_sub(WARM_UP_MINUTES) / SCORED_STEP_MINUTES * SCORED_STEP_MINUTES;
    let start = WARM_UP_MINUTES.min(all);
    start..start + scored
}

fn load(minute: &MinuteRecord) -> f64 {
    minute.offered().load().get()
}

/// What AWS bills for a minute: what was offered, throttled or not; nobody reads, records are kept
/// for a day.
fn bill(minute: &MinuteRecord, prices: &AccountPrices) -> Bill {
    const HOURS: f64 = 1.0 / 60.0;
    let written = minute.offered().written();
    match minute.mode {
        CapacityMode::Provisioned => {
            prices.provisioned.bill(minute.open_shards * HOURS, written, Setup::PLAIN)
        }
        CapacityMode::OnDemand => prices.on_demand.bill(HOURS, written, Setup::PLAIN),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use weir_core::limits::prices::{GB_BYTES, US_EAST_1};
    use weir_core::units::Shards;

    use super::*;

    #[test]
    fn only_whole_steps_after_the_first_day_are_scored() {
        assert_eq!(scored_minutes(100), 100..100);
        assert_eq!(scored_minutes(1440), 1440..1440);
        assert_eq!(scored_minutes(1440 + 14), 1440..1450);
    }

    /// Two days at two shards, the second half of the second day on demand; a third of an hour is
    /// refused.
    #[test]
    fn the_whole_bill_counts_put_units_and_time_on_demand() {
        let minute = |index: usize| {
            let on_demand = index >= 2_160;
            MinuteRecord {
                offered_bytes: 90_000.0 * 1_536.0,
                offered_records: 90_000.0,
                refused_share: if index == 2_000 { 0.5 } else { 0.0 },
                mode: if on_demand { CapacityMode::OnDemand } else { CapacityMode::Provisioned },
                open_shards: 3.0,
                capacity_shards: if on_demand { 4.0 } else { 3.0 },
            }
        };
        let run = StreamRun {
            minutes: (0..2_880).map(minute).collect(),
            ..StreamRun::new(Timestamp::UNIX_EPOCH, Shards::ONE, 0)
        };
        let score = score(&run).expect("a score");
        // 1.5 KB a record: 2 KB each are billed. The load is 2.197 shards by bytes: three are its
        // peak.
        let (gib, shards) = (90_000.0 * 2_048.0 / GB_BYTES, 24.0 * 3.0 * 0.015);
        let (put, on_demand) = (720.0 * 90_000.0 * 0.014e-6, 12.0 * 0.04 + 720.0 * gib * 0.08);
        let lost = 0.5 * gib * 0.80;
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} for {b}");
        near(score.fixed_cost_usd, shards);
        near(score.bill.total().get(), 0.5 * shards + put + on_demand);
        near(score.j, (0.5 * shards + on_demand - put + lost) / shards);
        near(score.j_total, (0.5 * shards + put + on_demand + lost) / (shards + 2.0 * put));
        assert_eq!(score.on_demand_percent, 50.0);

        let mut prices = AccountPrices::advantage(&US_EAST_1);
        prices.provisioned.shard_hour_usd = 0.03;
        let theirs = score_by(&run, &Pricing { prices, ..Pricing::BENCH }).expect("a score");
        near(theirs.fixed_cost_usd, 2.0 * shards);
        near(theirs.bill.total().get(), shards + put + 720.0 * gib * 0.032);
    }
}
