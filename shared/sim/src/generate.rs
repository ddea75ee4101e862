//! Traffic made from a seed: a rhythm of days, quieter weekends, growth, noise, and a flash crowd.
//!
//! The same seed gives the same traffic on every machine. Not here: recorded traffic (`trace`).

use std::f64::consts::TAU;

use fastrand::Rng;
use jiff::Timestamp;

use crate::trace::{Minute, Recorded, Trace};

const DAY_MINUTES: usize = 24 * 60;
/// Bytes of a record, key included.
const RECORD_BYTES: f64 = 900.0;
/// Load at the height of an ordinary day, in shards.
const DAY_PEAK_SHARDS: f64 = 18.0;
/// Load at the depth of the night, as a share of the day's.
const NIGHT_SHARE: f64 = 0.22;
/// A weekend day, as a share of a working day.
const WEEKEND_SHARE: f64 = 0.6;
/// Growth from day to day.
const DAILY_GROWTH: f64 = 1.02;
/// A flash crowd, as a multiple of what else there would be.
const FLASH_FACTOR: f64 = 3.2;
/// Minutes it takes to gather, and to half disperse.
const FLASH_RISE_MINUTES: f64 = 12.0;
const FLASH_HALF_LIFE_MINUTES: f64 = 45.0;

/// Bytes per minute that fill one shard.
const SHARD_MINUTE_BYTES: f64 = 60.0 * weir_core::limits::SHARD_WRITE_BYTES_PER_SECOND;

/// `days` days of traffic from the midnight of `start`, with a flash crowd in the afternoon of the
/// day with index `flash_day`.
#[allow(clippy::cast_precision_loss)] // minutes of a few weeks
pub fn days(seed: u64, start: Timestamp, days: usize, flash_day: usize) -> Trace {
    let mut rng = Rng::with_seed(seed);
    let flash_at = (flash_day * DAY_MINUTES) as f64 + 14.0 * 60.0 + rng.f64() * 90.0;
    let mut drift = 0.0;
    let minutes = (0..days * DAY_MINUTES)
        .map(|minute| {
            // A slow wander on top of the rhythm, pulled back to it over about an hour.
            drift = drift * 0.985 + (rng.f64() - 0.5) * 0.02;
            let noise = 1.0 + drift + (rng.f64() - 0.5) * 0.06;
            let shards = rhythm(minute) * noise * flash(minute as f64 - flash_at);
            let bytes = shards.max(0.0) * SHARD_MINUTE_BYTES;
            Minute { bytes, records: bytes / RECORD_BYTES }
        })
        .collect();
    Trace { name: format!("seed {seed}"), start, minutes, recorded: Recorded::default() }
}

/// Working days from Monday on, a morning rise, an evening shoulder, nights that are quiet.
#[allow(clippy::cast_precision_loss)] // minutes of a few weeks
fn rhythm(minute: usize) -> f64 {
    let day = minute / DAY_MINUTES;
    let hour = (minute % DAY_MINUTES) as f64 / 60.0;
    let daylight = 0.5 - 0.5 * (TAU * (hour - 3.5) / 24.0).cos();
    let evening = 0.25 * (-((hour - 20.0) / 1.6).powi(2)).exp();
    let weekend = if day % 7 >= 5 { WEEKEND_SHARE } else { 1.0 };
    let growth = DAILY_GROWTH.powf(minute as f64 / DAY_MINUTES as f64);
    let height = NIGHT_SHARE + (1.0 - NIGHT_SHARE) * (daylight.powf(1.4) + evening).min(1.1);
    DAY_PEAK_SHARDS * weekend * growth * height
}

fn flash(minutes_since: f64) -> f64 {
    let height = FLASH_FACTOR - 1.0;
    match minutes_since {
        t if t < 0.0 => 1.0,
        t if t < FLASH_RISE_MINUTES => 1.0 + height * t / FLASH_RISE_MINUTES,
        t => 1.0 + height * 0.5f64.powf((t - FLASH_RISE_MINUTES) / FLASH_HALF_LIFE_MINUTES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_has_its_days_its_weekend_its_growth_and_its_crowd() {
        let week = days(7, Timestamp::UNIX_EPOCH, 7, 3);
        let peak = |day: usize| {
            week.minutes[day * DAY_MINUTES..(day + 1) * DAY_MINUTES]
                .iter()
                .map(|m| m.load().get())
                .fold(0.0, f64::max)
        };
        assert!(peak(2) > peak(0) * 1.01, "growth: {} {}", peak(0), peak(2));
        assert!(peak(3) > 2.0 * peak(2), "crowd: {} {}", peak(2), peak(3));
        assert!(peak(5) < 0.8 * peak(4), "weekend: {} {}", peak(4), peak(5));
        assert_eq!(week, days(7, Timestamp::UNIX_EPOCH, 7, 3));
        assert_ne!(week, days(8, Timestamp::UNIX_EPOCH, 7, 3));
    }
}
