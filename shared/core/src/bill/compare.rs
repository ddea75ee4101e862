//! One capacity mode against the other: whether it can carry the traffic, what is cheaper, and from
//! which use on. Not here: when to switch (`plan`), which is a matter of what is to come.

use super::{Readers, Setup, Written};
use crate::limits::{self, prices::Prices};
use crate::observation::CapacityMode;
use crate::units::{BytesPerSecond, RecordsPerSecond, ShardLoad, Shards};

/// Traffic per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Bytes, data and partition keys.
    pub bytes: BytesPerSecond,
    /// Records.
    pub records: RecordsPerSecond,
}

impl Rates {
    /// In shards: what binds first, writing or being read by all who poll.
    pub fn load(self, readers: Readers) -> ShardLoad {
        let read = self.bytes.0 * f64::from(readers.polling) / limits::SHARD_READ_BYTES_PER_SECOND;
        ShardLoad::of_rates(self.bytes, self.records).max(ShardLoad::new(read))
    }

    /// Whether a provisioned stream can be made large enough.
    pub fn fits_provisioned(self, readers: Readers) -> bool {
        self.load(readers).get() <= f64::from(limits::SHARDS_PER_STREAM_MAX)
    }

    /// Whether a stream on demand can take it in that region, once it has grown.
    pub fn fits_on_demand(self, region: &str) -> bool {
        let most = match limits::LARGEST_REGIONS.contains(&region) {
            true => limits::ON_DEMAND_WRITE_BYTES_PER_SECOND_MAX,
            false => limits::ON_DEMAND_WRITE_BYTES_PER_SECOND_MAX_ELSEWHERE,
        };
        self.bytes.0 <= most
    }
}

/// What a mode would cost for the same stretch of time, all in: its bill, and the price the policy
/// sets on what it would throttle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Offer {
    /// It can carry the traffic, at this many dollars.
    Usd(f64),
    /// It cannot: AWS's limits are in the way.
    Impossible,
}

/// The mode to be in, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It costs less; provisioned, where both cost the same.
    Cheaper(CapacityMode),
    /// The other cannot carry the traffic.
    Only(CapacityMode),
    /// Neither can.
    Neither,
}

impl Choice {
    /// The mode, if there is one.
    pub fn mode(self) -> Option<CapacityMode> {
        match self {
            Choice::Cheaper(mode) | Choice::Only(mode) => Some(mode),
            Choice::Neither => None,
        }
    }
}

/// The cheaper of two offers.
pub fn cheaper(provisioned: Offer, on_demand: Offer) -> Choice {
    match (provisioned, on_demand) {
        (Offer::Usd(ours), Offer::Usd(theirs)) if theirs < ours => {
            Choice::Cheaper(CapacityMode::OnDemand)
        }
        (Offer::Usd(_), Offer::Usd(_)) => Choice::Cheaper(CapacityMode::Provisioned),
        (Offer::Usd(_), Offer::Impossible) => Choice::Only(CapacityMode::Provisioned),
        (Offer::Impossible, Offer::Usd(_)) => Choice::Only(CapacityMode::OnDemand),
        (Offer::Impossible, Offer::Impossible) => Choice::Neither,
    }
}

/// The mean use of so many open shards below which on-demand Standard is cheaper, as a factor of
/// their capacity for records of `record_bytes`. `None` where it never is; above 1 where it always
/// is.
pub fn break_even_use(
    prices: &Prices,
    shards: Shards,
    record_bytes: f64,
    setup: Setup,
) -> Option<f64> {
    // Bills are straight lines over use: two points of each say where they cross.
    let records_per_second = limits::SHARD_WRITE_RECORDS_PER_SECOND
        .min(limits::SHARD_WRITE_BYTES_PER_SECOND / record_bytes.max(1.0))
        * f64::from(shards.get());
    let full_hour =
        Written { bytes: record_bytes, records: 1.0 }.times(records_per_second * 3600.0);
    let shard_hours = f64::from(shards.get());
    let dearer = |written| {
        prices.standard.bill(1.0, written, setup).total().get()
            - prices.provisioned.bill(shard_hours, written, setup).total().get()
    };
    let (idle, full) = (dearer(Written::default()), dearer(full_hour));
    if idle >= 0.0 {
        return None;
    }
    Some(if full <= idle { f64::INFINITY } else { idle / (idle - full) })
}
