//! How closely capacity followed demand: the elasticity metrics of the SPEC Research Group ("Ready
//! for Rain?", SPEC-RG-2016-01). Demand is the fewest whole shards that carry a minute; supply is
//! capacity.
//!
//! Provisioning accuracy is the mean of what is missing (or left over) as a share of demand;
//! timeshare is the share of time in which anything is. Not here: what that costs (`score`).

use super::load;
use weir_sim::record::MinuteRecord;

/// See the module; all in percent, and less is better.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Elasticity {
    /// Under-provisioning accuracy: shards missing, over shards needed, mean over time.
    pub under_accuracy: f64,
    /// Over-provisioning accuracy: shards left over, over shards needed, mean over time.
    pub over_accuracy: f64,
    /// Under-provisioning timeshare.
    pub under_time: f64,
    /// Over-provisioning timeshare.
    pub over_time: f64,
}

impl Elasticity {
    #[allow(clippy::cast_precision_loss)] // a count of minutes, far below 2^52
    pub(super) fn of(minutes: &[MinuteRecord]) -> Elasticity {
        let mut sums = Elasticity::default();
        for minute in minutes {
            let needed = (load(minute) - 1e-9).ceil().max(1.0);
            let over = minute.capacity_shards - needed;
            sums.under_accuracy += (-over).max(0.0) / needed;
            sums.over_accuracy += over.max(0.0) / needed;
            sums.under_time += f64::from(u8::from(over < 0.0));
            sums.over_time += f64::from(u8::from(over > 0.0));
        }
        let percent = 100.0 / minutes.len().max(1) as f64;
        Elasticity {
            under_accuracy: sums.under_accuracy * percent,
            over_accuracy: sums.over_accuracy * percent,
            under_time: sums.under_time * percent,
            over_time: sums.over_time * percent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::observation::CapacityMode;

    #[test]
    fn missing_and_left_over_shards_are_shares_of_what_was_needed() {
        let minute = |load: f64, open_shards: f64| MinuteRecord {
            offered_bytes: 0.0,
            offered_records: load * 60_000.0,
            refused_share: 0.0,
            mode: CapacityMode::Provisioned,
            open_shards,
            capacity_shards: open_shards,
        };
        // Needed: 4, 2, 1 (never none), 2. Supply: 2, 2, 2, 2.
        let all = [minute(3.2, 2.0), minute(2.0, 2.0), minute(0.0, 2.0), minute(1.5, 2.0)];
        let found = Elasticity::of(&all);
        assert_eq!(found.under_accuracy, 12.5);
        assert_eq!(found.over_accuracy, 25.0);
        assert_eq!((found.under_time, found.over_time), (25.0, 25.0));
    }
}
