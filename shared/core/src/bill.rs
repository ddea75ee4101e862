//! What a stream costs: the whole bill of a stretch of time in either capacity mode, part by part.
//!
//! Records are rounded as AWS bills them: provisioned streams pay for started PUT payload units of
//! 25 KB, streams on demand for started KB, each record for itself. Everything is proportional to
//! its time and traffic, so bills may be made of minutes and added, or of a month at mean rates.
//! Here: bills. In files of their own: comparing them (`compare`) and what a month would come to
//! (`estimate`). Not here: prices (`limits::prices`), and what it costs to throttle (`policy`); AWS
//! does not bill that.

mod compare;
mod estimate;

use std::iter::Sum;
use std::ops::Add;

pub use compare::{Choice, Offer, Rates, break_even_use, cheaper};
pub use estimate::{Estimate, Measured, Stretch, estimate};

use crate::limits::RETENTION_DEFAULT_HOURS;
use crate::limits::prices::{
    BILLED_RECORD_STEP_BYTES, EXTENDED_RETENTION_HOURS, GB_BYTES, MONTH_HOURS, OnDemandPrices,
    PUT_UNIT_BYTES, ProvisionedPrices,
};
use crate::units::{BytesPerSecond, RecordsPerSecond, ShardLoad, Usd};

/// What was written in a stretch of time, as sums. Records are taken to be of one size, their mean:
/// CloudWatch tells no more. Where sizes differ much, the bill is a little higher.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Written {
    /// Bytes, data and partition keys.
    pub bytes: f64,
    /// Records.
    pub records: f64,
}

impl Written {
    /// GB as they are.
    pub fn gb(self) -> f64 {
        self.bytes / GB_BYTES
    }

    /// GB as they are billed on demand: each record rounded up to whole KB.
    pub fn billable_gb(self) -> f64 {
        self.records * self.steps_per_record(BILLED_RECORD_STEP_BYTES) * BILLED_RECORD_STEP_BYTES
            / GB_BYTES
    }

    /// PUT payload units on a provisioned stream.
    pub fn put_units(self) -> f64 {
        self.records * self.steps_per_record(PUT_UNIT_BYTES)
    }

    /// The same mix of records, as much of it as one shard takes in an hour. `None` where there is
    /// none.
    pub(crate) fn of_one_load_hour(self) -> Option<Written> {
        let load = ShardLoad::of_rates(BytesPerSecond(self.bytes), RecordsPerSecond(self.records));
        (self.records > 0.0 && load.get() > 0.0).then(|| self.times(3600.0 / load.get()))
    }

    fn steps_per_record(self, step_bytes: f64) -> f64 {
        if self.records <= 0.0 {
            return 0.0;
        }
        // A hair of tolerance: 1024.0000001 bytes of rounding noise are one KB.
        (self.bytes / self.records / step_bytes - 1e-9).ceil()
    }

    fn times(self, factor: f64) -> Written {
        Written { bytes: self.bytes * factor, records: self.records * factor }
    }
}

impl Add for Written {
    type Output = Written;
    fn add(self, other: Written) -> Written {
        Written { bytes: self.bytes + other.bytes, records: self.records + other.records }
    }
}

/// Who reads a stream: every one of them reads all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    /// Consumers that poll and share what a shard gives.
    pub polling: u32,
    /// Consumers with enhanced fan-out.
    pub fan_out: u32,
}

/// How a stream is set up, apart from its capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Who reads it.
    pub readers: Readers,
    /// How long it keeps records.
    pub retention_hours: u32,
}

impl Setup {
    /// Nobody reads, records are kept for the day that costs nothing.
    pub const PLAIN: Setup = Setup {
        readers: Readers { polling: 0, fan_out: 0 },
        retention_hours: RETENTION_DEFAULT_HOURS,
    };

    fn is_extended(self) -> bool {
        self.retention_hours > RETENTION_DEFAULT_HOURS
    }

    /// Months that each record spends between its first day and its seventh, and beyond that.
    fn months_kept(self) -> (f64, f64) {
        let kept = self.retention_hours.max(RETENTION_DEFAULT_HOURS);
        let extended = kept.min(EXTENDED_RETENTION_HOURS) - RETENTION_DEFAULT_HOURS;
        let long_term = kept.saturating_sub(EXTENDED_RETENTION_HOURS);
        (f64::from(extended) / MONTH_HOURS, f64::from(long_term) / MONTH_HOURS)
    }
}

/// What a stretch of time costs, by what AWS bills. Retention is billed as records are written: in
/// the long run that is the same, and it does not depend on what was written before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bill {
    /// Shard-hours, stream-hours, or what traffic falls short of a commitment.
    pub capacity: Usd,
    /// PUT payload units, or GB in.
    pub writes: Usd,
    /// GB out to polling consumers.
    pub reads: Usd,
    /// Enhanced fan-out: consumer-shard-hours and GB out.
    pub fan_out: Usd,
    /// Keeping records longer than a day. Reading records older than seven days is not counted.
    pub retention: Usd,
}

impl Bill {
    /// Its parts, in the order of the fields.
    pub fn parts(&self) -> [Usd; 5] {
        [self.capacity, self.writes, self.reads, self.fan_out, self.retention]
    }

    /// All of it.
    pub fn total(&self) -> Usd {
        self.parts().into_iter().sum()
    }

    /// The bill of so many times the time and traffic.
    pub fn times(self, factor: f64) -> Bill {
        self.each(Bill::default(), |part, _| part * factor)
    }

    fn each(self, other: Bill, of: impl Fn(f64, f64) -> f64) -> Bill {
        let of = |a: Usd, b: Usd| Usd::new(of(a.get(), b.get()));
        Bill {
            capacity: of(self.capacity, other.capacity),
            writes: of(self.writes, other.writes),
            reads: of(self.reads, other.reads),
            fan_out: of(self.fan_out, other.fan_out),
            retention: of(self.retention, other.retention),
        }
    }
}

impl Add for Bill {
    type Output = Bill;
    fn add(self, other: Bill) -> Bill {
        self.each(other, |a, b| a + b)
    }
}

impl Sum for Bill {
    fn sum<I: Iterator<Item = Bill>>(bills: I) -> Bill {
        bills.fold(Bill::default(), Add::add)
    }
}

impl ProvisionedPrices {
    /// A provisioned stream that had `shard_hours` of open shards.
    pub fn bill(&self, shard_hours: f64, written: Written, setup: Setup) -> Bill {
        let fan_out = f64::from(setup.readers.fan_out);
        let extended = if setup.is_extended() { shard_hours } else { 0.0 };
        let (_, long_term_months) = setup.months_kept();
        Bill {
            capacity: Usd::new(shard_hours * self.shard_hour_usd),
            writes: Usd::new(written.put_units() * self.put_unit_usd),
            reads: Usd::default(),
            fan_out: Usd::new(
                fan_out
                    * (shard_hours * self.fan_out_shard_hour_usd
                        + written.gb() * self.fan_out_gb_usd),
            ),
            retention: Usd::new(
                extended * self.extended_retention_shard_hour_usd
                    + written.gb() * long_term_months * self.long_term_retention_gb_month_usd,
            ),
        }
    }
}

impl OnDemandPrices {
    /// A stream on demand over `hours`. A commitment is the account's; its shortfall is billed here
    /// as if this stream were its only one.
    pub fn bill(&self, hours: f64, written: Written, setup: Setup) -> Bill {
        let (polling, fan_out) =
            (f64::from(setup.readers.polling), f64::from(setup.readers.fan_out));
        let committed_gb = self.committed_gb_per_hour * hours;
        let short_in = (committed_gb - written.billable_gb()).max(0.0);
        let short_out = (committed_gb - written.gb() * (polling + fan_out)).max(0.0);
        let (extended_months, long_term_months) = setup.months_kept();
        Bill {
            capacity: Usd::new(
                hours * self.stream_hour_usd
                    + short_in * self.in_gb_usd
                    + short_out * self.out_gb_usd,
            ),
            writes: Usd::new(written.billable_gb() * self.in_gb_usd),
            reads: Usd::new(written.gb() * polling * self.out_gb_usd),
            fan_out: Usd::new(written.gb() * fan_out * self.fan_out_gb_usd),
            retention: Usd::new(
                written.gb()
                    * (extended_months * self.extended_retention_gb_month_usd
                        + long_term_months * self.long_term_retention_gb_month_usd),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
