//! How a stream changes its capacity mode, and what becomes of its shards on demand. Not here:
//! whether AWS takes the call (`account`), and how much a stream on demand takes
//! (`weir_core::on_demand`).

use std::ops::RangeInclusive;

use weir_core::observation::CapacityMode;

use crate::chance::Dice;
use crate::clock::Seconds;

/// What is not documented of streams on demand.
#[derive(Clone, Debug, PartialEq)]
pub struct OnDemandModel {
    /// Seconds from the call until the other mode is in force.
    pub switch_seconds: RangeInclusive<i64>,
    /// Whether AWS opens shards to carry what the stream takes. They stay, and are paid for, when
    /// the stream goes back to provisioned.
    pub opens_shards: bool,
}

/// A stream on its way from one mode to the other, or arrived. Meanwhile the old mode holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch {
    pub(crate) from: CapacityMode,
    pub(crate) to: CapacityMode,
    /// The new mode is in force.
    pub(crate) ends_at: Seconds,
    /// Whether Weir asked for it with the ledger at hand.
    pub(crate) remembered: bool,
}

impl OnDemandModel {
    pub(crate) fn switch(&self, to: CapacityMode, now: Seconds, dice: &mut Dice) -> Switch {
        let from = match to {
            CapacityMode::Provisioned => CapacityMode::OnDemand,
            CapacityMode::OnDemand => CapacityMode::Provisioned,
        };
        let seconds = dice.seconds(&self.switch_seconds);
        Switch { from, to, ends_at: now + seconds, remembered: false }
    }
}
