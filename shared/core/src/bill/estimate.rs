//! What a month of some traffic comes to in every way a stream can be paid for, and which capacity
//! mode to be in. Not here: playing recorded traffic (`weir-bench`), which tells how Weir would
//! size a stream.

use super::{Bill, Choice, Offer, Rates, Readers, Setup, Written, break_even_use, cheaper};
use crate::limits::prices::{MONTH_HOURS, Prices};
use crate::units::{BytesPerSecond, RecordsPerSecond, Shards, Share, Usd};

/// The mean use of a stream that follows its traffic, where nothing was measured.
const FOLLOWING_USE: Share = match Share::percent(80) {
    Some(share) => share,
    None => Share::WHOLE,
};

/// Steady traffic for some hours; recorded traffic is a row of these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// How long, hours.
    pub hours: f64,
    /// What was written.
    pub written: Written,
}

impl Stretch {
    fn rates(&self) -> Rates {
        let seconds = (self.hours * 3_600.0).max(f64::MIN_POSITIVE);
        Rates {
            bytes: BytesPerSecond(self.written.bytes / seconds),
            records: RecordsPerSecond(self.written.records / seconds),
        }
    }
}

/// What was found by playing the traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Open shards that Weir kept, mean over time.
    pub mean_open_shards: f64,
    /// Share of billable bytes that was throttled with them, 0 to 1.
    pub throttled: f64,
    /// The same on demand.
    pub throttled_on_demand: f64,
}

/// A month of 730 hours, all in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The fewest shards that carry the highest stretch, to write and to read.
    pub shards_at_peak: Shards,
    /// Open shards of a stream that follows its traffic, mean over time.
    pub shards_right_sized: f64,
    /// Provisioned, sized for the highest stretch.
    pub at_peak: Bill,
    /// Provisioned, following the traffic.
    pub right_sized: Bill,
    /// On-demand Standard.
    pub standard: Bill,
    /// On-demand Advantage, for an account with no other stream.
    pub advantage: Bill,
    /// Mean load over the shards of a stream that follows its traffic.
    pub mean_use: f64,
    /// The mean use of these shards below which on-demand Standard is cheaper, if it ever is.
    pub break_even_use: Option<f64>,
    /// What was measured of a month's throttling, priced: provisioned, and on demand.
    pub throttled: [Usd; 2],
    /// The mode to be in.
    pub choice: Choice,
}

/// Estimates a month of such traffic. Without anything measured, a stream that follows its traffic
/// is taken to be in use by 80 % in the mean, and never larger than its peak needs.
pub fn estimate(
    prices: &Prices,
    stretches: &[Stretch],
    setup: Setup,
    measured: Option<Measured>,
    throttled_gib_usd: Usd,
) -> Estimate {
    let all = stretches.iter().fold(Stretch { hours: 0.0, written: Written::default() }, |a, b| {
        Stretch { hours: a.hours + b.hours, written: a.written + b.written }
    });
    let readers = setup.readers;
    let peak = stretches
        .iter()
        .map(Stretch::rates)
        .max_by(|a, b| a.load(readers).get().total_cmp(&b.load(readers).get()));
    let peak = peak.unwrap_or(all.rates());
    let busiest = stretches.iter().map(|s| s.rates().bytes.0).fold(0.0, f64::max);
    let shards_at_peak = Shards::for_load(peak.load(readers), Share::WHOLE);
    let shards_right_sized = match measured {
        Some(measured) => measured.mean_open_shards,
        None => following(all.rates(), readers, shards_at_peak),
    };
    let month = |bill: &dyn Fn(&Stretch) -> Bill| {
        let bill: Bill = stretches.iter().map(bill).sum();
        bill.times(MONTH_HOURS / all.hours.max(f64::MIN_POSITIVE))
    };
    let provisioned =
        |shards: f64| month(&|s| prices.provisioned.bill(shards * s.hours, s.written, setup));
    let right_sized = provisioned(shards_right_sized);
    let standard = month(&|s| prices.standard.bill(s.hours, s.written, setup));
    let measured = measured.unwrap_or_default();
    let billable_gb: f64 = stretches.iter().map(|s| s.written.billable_gb()).sum();
    let month_gb = billable_gb * MONTH_HOURS / all.hours.max(f64::MIN_POSITIVE);
    let throttled = [measured.throttled, measured.throttled_on_demand]
        .map(|share| Usd::new(share * month_gb * throttled_gib_usd.get()));
    let offer = |possible, bill: &Bill, throttled: Usd| match possible {
        true => Offer::Usd(bill.total().get() + throttled.get()),
        false => Offer::Impossible,
    };
    let busiest = Rates { bytes: BytesPerSecond(busiest), ..peak };
    let record_bytes = all.written.bytes / all.written.records.max(f64::MIN_POSITIVE);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a mean of shard counts
    let whole_shards = Shards::at_least_one(shards_right_sized.round() as u32);
    Estimate {
        shards_at_peak,
        shards_right_sized,
        at_peak: provisioned(shards_at_peak.capacity().get()),
        right_sized,
        standard,
        advantage: month(&|s| prices.advantage.bill(s.hours, s.written, setup)),
        mean_use: all.rates().load(Readers::default()).get() / shards_right_sized,
        break_even_use: break_even_use(prices, whole_shards, record_bytes, setup),
        throttled,
        choice: cheaper(
            offer(peak.fits_provisioned(readers), &right_sized, throttled[0]),
            offer(busiest.fits_on_demand(prices.region), &standard, throttled[1]),
        ),
    }
}

fn following(mean: Rates, readers: Readers, at_peak: Shards) -> f64 {
    Shards::for_load(mean.load(readers), FOLLOWING_USE).min(at_peak).capacity().get()
}
