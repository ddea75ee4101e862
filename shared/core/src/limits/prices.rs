//! What AWS asks for Kinesis data streams: prices by region, each with its source and date, and the
//! steps in which it counts.
//!
//! All fields are plain numbers, so that whoever knows better prices (a discount, another region)
//! can state them. Not here: what a stream costs with them (`bill`).

/// A metric in a standard alarm, for a month, US dollars. CloudWatch billing guide, us-east-1; the
/// first ten alarms of an account are free.
pub const ALARM_METRIC_MONTH_USD: f64 = 0.10;

/// Bytes in a PUT payload unit; each record starts its own. Kinesis pricing page.
pub const PUT_UNIT_BYTES: f64 = 25_600.0;
/// On demand, each record is billed rounded up to this many bytes; throttled bytes are weighed so
/// too. Kinesis pricing page: a record of 4.5 KB counts as 5 KB, a KB being 1,024 bytes.
pub const BILLED_RECORD_STEP_BYTES: f64 = 1_024.0;
/// Bytes in the GB that AWS bills. Not said by AWS; its worked examples come out with it.
pub const GB_BYTES: f64 = 1_073_741_824.0;
/// Hours in the month of a GB-month, as AWS's calculator counts.
pub const MONTH_HOURS: f64 = 730.0;
/// Up to this age, retention beyond the first day is extended; beyond, it is long-term. Kinesis
/// pricing page.
pub const EXTENDED_RETENTION_HOURS: u32 = 7 * 24;

/// One provisioned shard for an hour in us-east-1: what the benchmark counts with.
pub const SHARD_HOUR_USD: f64 = US_EAST_1.provisioned.shard_hour_usd;

/// The prices of a region, US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// AWS's code of the region.
    pub region: &'static str,
    /// The month the prices are of.
    pub as_of: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// Capacity mode provisioned.
    pub provisioned: ProvisionedPrices,
    /// Capacity mode on-demand as every account has it.
    pub standard: OnDemandPrices,
    /// Capacity mode on-demand for accounts that commit to a minimum.
    pub advantage: OnDemandPrices,
}

/// Prices of provisioned streams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProvisionedPrices {
    /// An open shard, for an hour.
    pub shard_hour_usd: f64,
    /// A PUT payload unit.
    pub put_unit_usd: f64,
    /// A consumer with enhanced fan-out, for an hour and an open shard.
    pub fan_out_shard_hour_usd: f64,
    /// A GB that such a consumer reads.
    pub fan_out_gb_usd: f64,
    /// Keeping records longer than a day, for an hour and an open shard.
    pub extended_retention_shard_hour_usd: f64,
    /// A GB older than seven days, for a month.
    pub long_term_retention_gb_month_usd: f64,
}

/// Prices of streams on demand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnDemandPrices {
    /// A stream, for an hour.
    pub stream_hour_usd: f64,
    /// A GB written, records rounded up.
    pub in_gb_usd: f64,
    /// A GB that a polling consumer reads.
    pub out_gb_usd: f64,
    /// A GB that a consumer with enhanced fan-out reads.
    pub fan_out_gb_usd: f64,
    /// A GB older than a day, for a month.
    pub extended_retention_gb_month_usd: f64,
    /// A GB older than seven days, for a month.
    pub long_term_retention_gb_month_usd: f64,
    /// GB an hour, each of in and out, that the account pays for at least, over all its streams.
    pub committed_gb_per_hour: f64,
}

/// The regions whose prices are known. Others are not guessed.
pub const REGIONS: [&Prices; 1] = [&US_EAST_1];

/// US East (N. Virginia). The prices of Advantage agree with the savings AWS announced for it in
/// November 2025; whether a shortfall of its commitment is billed for each direction is not
/// confirmed.
pub const US_EAST_1: Prices = Prices {
    region: "us-east-1",
    as_of: "2026-09",
    source: "the AWS price list of September 2026, as quoted by third parties",
    provisioned: ProvisionedPrices {
        shard_hour_usd: 0.015,
        put_unit_usd: 0.014e-6,
        fan_out_shard_hour_usd: 0.015,
        fan_out_gb_usd: 0.013,
        extended_retention_shard_hour_usd: 0.020,
        long_term_retention_gb_month_usd: 0.023,
    },
    standard: OnDemandPrices {
        stream_hour_usd: 0.04,
        in_gb_usd: 0.08,
        out_gb_usd: 0.04,
        fan_out_gb_usd: 0.05,
        extended_retention_gb_month_usd: 0.10,
        long_term_retention_gb_month_usd: 0.023,
        committed_gb_per_hour: 0.0,
    },
    advantage: OnDemandPrices {
        stream_hour_usd: 0.0,
        in_gb_usd: 0.032,
        out_gb_usd: 0.016,
        fan_out_gb_usd: 0.016,
        extended_retention_gb_month_usd: 0.023,
        long_term_retention_gb_month_usd: 0.023,
        committed_gb_per_hour: 25.0 * 3_600.0 / 1_024.0, // 25 MiB a second
    },
};

impl Prices {
    /// The prices of a region; `None` where they are not known.
    pub fn of_region(region: &str) -> Option<&'static Prices> {
        REGIONS.into_iter().find(|prices| prices.region == region)
    }
}
