//! How high demand was in the days that are known: enough to tell what any fixed size would have
//! cost in them.
//!
//! Kept as the mean overflow above some sizes, so that it stays small however long the past is.

use serde::{Deserialize, Serialize};

use super::levels::{DAY, Levels};

/// Blocks looked at: two weeks, as bursts are rare and weekends are calm.
const LOOKED_BACK: usize = 14 * DAY;
/// Sizes that are compared, evenly in their ratio from one shard to the highest level.
const SIZES: i32 = 24;

/// Demand of the past days, as the mean overflow above some sizes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Hours looked at.
    pub(crate) hours: f64,
    /// Mean load, in shards.
    pub(crate) mean: f64,
    /// Sizes in shards, smallest first, each with the mean demand above it.
    overflow: Vec<(f64, f64)>,
}

impl Past {
    #[allow(clippy::cast_precision_loss)] // blocks of two weeks
    pub(super) fn learn(levels: &Levels) -> Past {
        let seen = levels.newest(LOOKED_BACK);
        let count = seen.len().max(1) as f64;
        let mean_of =
            |of: &dyn Fn(f64) -> f64| seen.iter().map(|level| of(*level)).sum::<f64>() / count;
        let highest = levels.peak(LOOKED_BACK).max(1.0);
        let mut sizes: Vec<f64> = (0..=SIZES)
            .map(|index| highest.powf(f64::from(index) / f64::from(SIZES)).ceil())
            .collect();
        sizes.dedup();
        let overflow = sizes.iter().map(|size| (*size, mean_of(&|level| (level - size).max(0.0))));
        Past {
            hours: seen.len() as f64 * 24.0 / DAY as f64,
            mean: mean_of(&|level| level),
            overflow: overflow.collect(),
        }
    }

    /// What an hour would have cost at the best fixed size, at these prices of a shard and of an
    /// hour's overflow of one shard's load.
    pub(crate) fn best_fixed(&self, shard_hour_usd: f64, lost_usd: f64) -> f64 {
        let cost = |(size, overflow): &(f64, f64)| size * shard_hour_usd + overflow * lost_usd;
        self.overflow.iter().map(cost).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_fixed_size_weighs_shards_against_what_is_lost() {
        // An hour of 16 shards a day, else 2.
        let levels = (0..15 * DAY).map(|block| if block % DAY < 12 { 16.0 } else { 2.0 }).collect();
        let past = Past::learn(&Levels::of_blocks(levels));
        assert!(
            (past.hours - 336.0).abs() < 1e-9 && (past.mean - (2.0 + 14.0 / 24.0)).abs() < 1e-9
        );
        // 14 more shards for the day, or 14 shard-hours lost in it.
        assert!((past.best_fixed(1.0, 10.0) - (2.0 + 140.0 / 24.0)).abs() < 1e-9);
        assert!((past.best_fixed(1.0, 100.0) - 16.0).abs() < 1e-9);
    }
}
