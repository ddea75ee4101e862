//! What a reshard does to a stream: how many splits and merges, how long, how many shards for a
//! moment. Not here: whether to reshard (`plan`).
//!
//! For n → m uniform shards with g = gcd(n, m), a uniform reshard takes m − g splits and n − g
//! merges. Checked against two real reshards: 2→3 leaves 3 open and 4 closed shards, 4→3 leaves 3
//! and 8.

use jiff::SignedDuration;

use crate::limits;
use crate::units::Shards;

/// The operations of one UpdateShardCount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operations {
    /// Shards split in two.
    pub splits: u32,
    /// Pairs of shards merged.
    pub merges: u32,
}

impl Operations {
    /// What it takes to bring `from` uniform shards to `to`.
    pub fn between(from: Shards, to: Shards) -> Operations {
        let g = greatest_common_divisor(from.get(), to.get());
        Operations { splits: to.get() - g, merges: from.get() - g }
    }

    /// All of them.
    pub fn count(self) -> u32 {
        self.splits + self.merges
    }

    /// Shards closed by the time the reshard is done.
    pub fn closed_shards(self) -> u32 {
        self.splits + 2 * self.merges
    }
}

/// Estimated seconds until a reshard is in force, at `parallelism` operations at once.
pub fn duration_seconds(from: Shards, to: Shards, parallelism: u32) -> f64 {
    let rounds = Operations::between(from, to).count().div_ceil(parallelism.max(1));
    limits::RESHARD_START_SECONDS + f64::from(rounds) * limits::RESHARD_OPERATION_SECONDS
}

/// The same at the parallelism Weir assumes: nobody outside AWS knows it, and nothing tells when an
/// earlier reshard was done, so that it cannot be learnt.
pub fn expected(from: Shards, to: Shards) -> SignedDuration {
    // Truncation cannot happen: 20,000 operations are a day.
    #[allow(clippy::cast_possible_truncation)]
    let seconds = duration_seconds(from, to, limits::RESHARD_PARALLELISM).ceil() as i64;
    SignedDuration::from_secs(seconds)
}

/// Most shards open at one time during the reshard; all of them count towards the account's quota.
/// Where it takes splits and merges both, they interleave; splits alone never pass the size they
/// lead to, and merges alone never that they start from.
pub fn peak_open_shards(from: Shards, to: Shards) -> u32 {
    let Operations { splits, merges } = Operations::between(from, to);
    let temporary = if splits > 0 && merges > 0 { limits::RESHARD_TEMPORARY_SHARDS } else { 0 };
    from.max(to).get().saturating_add(temporary)
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(from: u32, to: u32) -> Operations {
        Operations::between(Shards::at_least_one(from), Shards::at_least_one(to))
    }

    #[test]
    fn agrees_with_reshards_seen_on_aws() {
        for (from, to, open_after, closed_after) in [(2, 3, 3, 4), (4, 3, 3, 8), (2, 4, 4, 2)] {
            let ops = operations(from, to);
            assert_eq!(from + ops.splits - ops.merges, open_after, "{from}→{to}");
            assert_eq!(ops.closed_shards(), closed_after, "{from}→{to}");
        }
    }

    #[test]
    fn doubling_and_halving_are_the_quickest_ways() {
        let counts: Vec<u32> = [(10, 12), (10, 13), (100, 101), (100, 125), (100, 200), (100, 50)]
            .map(|(from, to)| operations(from, to).count())
            .into();
        assert_eq!(counts, [18, 21, 199, 175, 100, 50]);
    }

    #[test]
    fn only_a_mixture_of_splits_and_merges_needs_room_for_a_temporary_shard() {
        let peak =
            |from, to| peak_open_shards(Shards::at_least_one(from), Shards::at_least_one(to));
        assert_eq!([peak(100, 200), peak(40, 20), peak(4, 3), peak(100, 150)], [200, 40, 5, 151]);
    }

    #[test]
    fn a_larger_parallelism_is_never_slower() {
        let (from, to) = (Shards::at_least_one(40), Shards::at_least_one(61));
        let seconds = [1, 8, 50].map(|p| duration_seconds(from, to, p));
        assert!(seconds[0] > seconds[1] && seconds[1] > seconds[2], "{seconds:?}");
    }
}
