//! Units as types: shard counts, load in shards, stream names, shares.
//!
//! A number that has passed through here needs no second check. Not here: the limits AWS puts on
//! these numbers (`limits`).

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits;

/// A number of open shards: at least one, because a stream never has none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shards(NonZeroU32);

impl Shards {
    /// The smallest stream there is.
    pub const ONE: Shards = Shards(NonZeroU32::MIN);

    /// `None` for zero.
    pub const fn new(count: u32) -> Option<Shards> {
        match NonZeroU32::new(count) {
            Some(count) => Some(Shards(count)),
            None => None,
        }
    }

    /// The count, or one shard where it is zero.
    pub const fn at_least_one(count: u32) -> Shards {
        match Shards::new(count) {
            Some(shards) => shards,
            None => Shards::ONE,
        }
    }

    /// The count as a plain number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The largest size one call may ask for: twice this one.
    pub fn doubled(self) -> Shards {
        Shards::at_least_one(self.get().saturating_mul(limits::RESHARD_FACTOR_MAX))
    }

    /// The smallest size one call may ask for: half of this one, rounded up. AWS does not say how
    /// it rounds an odd count; rounding up is allowed under every reading.
    pub fn halved(self) -> Shards {
        Shards::at_least_one(self.get().div_ceil(limits::RESHARD_FACTOR_MAX))
    }

    /// The fewest shards that carry `load` with no more than `use_share` of their capacity in use.
    /// A load beyond what a stream can have gives [`limits::SHARDS_PER_STREAM_MAX`].
    pub fn for_load(load: ShardLoad, use_share: Share) -> Shards {
        // A hair of tolerance, so that 4.0000000001 shards of rounding noise are four shards.
        let needed = (load.get() / use_share.get() - 1e-9).ceil();
        let most = f64::from(limits::SHARDS_PER_STREAM_MAX);
        // Truncation cannot happen: the value is whole and within 1..=SHARDS_PER_STREAM_MAX.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Shards::at_least_one(needed.clamp(1.0, most) as u32)
    }

    /// What these shards can take, as a load.
    pub fn capacity(self) -> ShardLoad {
        ShardLoad(f64::from(self.get()))
    }
}

impl fmt::Display for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} shards", self.0)
    }
}

/// A write load measured in shards: 1.0 is what one shard can take. Never negative, never NaN.
#[derive(Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
pub struct ShardLoad(f64);

impl ShardLoad {
    /// No load.
    pub const ZERO: ShardLoad = ShardLoad(0.0);

    /// Anything that is not a positive number is no load.
    pub fn new(shards: f64) -> ShardLoad {
        if shards.is_finite() && shards > 0.0 { ShardLoad(shards) } else { ShardLoad::ZERO }
    }

    /// The load of traffic in bytes and records per second: the limit that binds, AWS's two
    /// limits of a shard being independent.
    pub fn of_rates(bytes: BytesPerSecond, records: RecordsPerSecond) -> ShardLoad {
        let by_bytes = bytes.0 / limits::SHARD_WRITE_BYTES_PER_SECOND;
        let by_records = records.0 / limits::SHARD_WRITE_RECORDS_PER_SECOND;
        ShardLoad::new(by_bytes.max(by_records))
    }

    /// In shards.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The larger of two loads.
    pub fn max(self, other: ShardLoad) -> ShardLoad {
        ShardLoad(self.0.max(other.0))
    }

    /// This load times `factor`.
    pub fn times(self, factor: f64) -> ShardLoad {
        ShardLoad::new(self.0 * factor)
    }
}

impl fmt::Display for ShardLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

impl fmt::Debug for ShardLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} shards of load", self.0)
    }
}

/// Bytes written per second: record data plus partition keys, as Kinesis counts them.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct BytesPerSecond(pub f64);

/// Records written per second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct RecordsPerSecond(pub f64);

/// A share of something, above 0 and up to 1; written in policies as a whole percentage.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Share(f64);

impl Share {
    /// `None` outside 1..=100.
    pub const fn percent(percent: u32) -> Option<Share> {
        // `as` is exact for u32, and `f64::from` is not const.
        if percent >= 1 && percent <= 100 { Some(Share(percent as f64 / 100.0)) } else { None }
    }

    /// All of it.
    pub const WHOLE: Share = Share(1.0);

    /// As a factor.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}%", self.0 * 100.0)
    }
}

/// An amount of money, US dollars; not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Usd(f64);

impl Usd {
    /// Anything that is not a positive number is nothing.
    pub fn new(dollars: f64) -> Usd {
        Usd(if dollars.is_finite() && dollars > 0.0 { dollars } else { 0.0 })
    }

    /// Whole cents.
    pub const fn cents(cents: u32) -> Usd {
        Usd(cents as f64 / 100.0) // `as` is exact for u32, and `f64::from` is not const
    }

    /// In dollars.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl std::iter::Sum for Usd {
    fn sum<I: Iterator<Item = Usd>>(amounts: I) -> Usd {
        Usd::new(amounts.map(Usd::get).sum())
    }
}

/// The name of a stream, as Kinesis allows it: 1 to 128 of `a-z A-Z 0-9 _ . -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(Arc<str>);

/// A name that Kinesis would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a stream name: 1 to 128 letters, digits, '_', '.' or '-' are")]
pub struct NotAStreamName(pub String);

impl StreamName {
    /// Checks what came from outside.
    ///
    /// # Errors
    ///
    /// On a name no stream can have: 1 to 128 of `a-z A-Z 0-9 _ . -` are allowed.
    pub fn new(name: &str) -> Result<StreamName, NotAStreamName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if (1..=128).contains(&name.len()) && name.chars().all(allowed) {
            Ok(StreamName(name.into()))
        } else {
            Err(NotAStreamName(name.chars().take(200).collect()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for StreamName {
    type Error = NotAStreamName;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        StreamName::new(&name)
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> String {
        name.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_round_up_and_never_reach_zero() {
        let at = |load, percent| {
            Shards::for_load(ShardLoad::new(load), Share::percent(percent).expect("a percentage"))
                .get()
        };
        assert_eq!(at(0.0, 80), 1);
        assert_eq!(at(4.0, 100), 4);
        assert_eq!(at(4.000_000_000_01, 100), 4);
        assert_eq!(at(4.01, 100), 5);
        assert_eq!(at(8.0, 80), 10);
        assert_eq!(at(1e12, 80), limits::SHARDS_PER_STREAM_MAX);
    }

    #[test]
    fn halving_an_odd_count_rounds_up() {
        let halved = |n| Shards::at_least_one(n).halved().get();
        assert_eq!([halved(1), halved(2), halved(5), halved(64)], [1, 1, 3, 32]);
    }

    #[test]
    fn the_binding_limit_sets_the_load() {
        let load = |bytes, records| {
            ShardLoad::of_rates(BytesPerSecond(bytes), RecordsPerSecond(records)).get()
        };
        assert_eq!(load(2.0 * 1_048_576.0, 500.0), 2.0);
        assert_eq!(load(1_048_576.0, 3_000.0), 3.0);
        assert_eq!(load(f64::NAN, f64::NAN), 0.0);
    }

    #[test]
    fn names_from_outside_are_checked() {
        assert!(StreamName::new("orders-prod_1.eu").is_ok());
        for bad in ["", "a b", "straße", "x\n", &"x".repeat(129)] {
            assert!(StreamName::new(bad).is_err(), "{bad:?}");
        }
    }
}
