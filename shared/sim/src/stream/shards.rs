//! A stream's open shards as individuals: which part of the hash range each carries, and from which
//! shards it came.
//!
//! UpdateShardCount leaves shards with equal parts of the hash range, and closes all there were: a
//! shard that begins and ends where an old one did would need equal counts. Its splits and merges
//! go through shards that live for seconds; here a new shard's parents are the old ones whose part
//! it takes over, and all change places when the reshard is in force. Not here: capacity meanwhile,
//! which moves split by split (`motion`), and closed shards, which live on as what consumers have
//! yet to read of them.

use std::ops::Range;

use weir_core::units::Shards;

use crate::clock::Seconds;

/// Names a shard within its stream; younger shards have larger ones.
pub(crate) type ShardId = u64;

/// A shard that takes records.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shard {
    pub(crate) id: ShardId,
    /// Its part of the hash range, which is taken as 0 to 1.
    pub(crate) range: Range<f64>,
    /// The shards it came from; their records come before its own.
    pub(crate) parents: Vec<ShardId>,
    pub(crate) opened_at: Seconds,
}

/// The open shards, and those that take their place when a reshard is in force.
#[derive(Clone, Debug)]
pub(crate) struct ShardSet {
    open: Vec<Shard>,
    coming: Option<Vec<Shard>>,
    next_id: ShardId,
}

impl ShardSet {
    /// A new stream's.
    pub(crate) fn new(count: Shards) -> ShardSet {
        let mut shards = ShardSet { open: Vec::new(), coming: None, next_id: 0 };
        shards.open = shards.successors(count, 0);
        shards
    }

    /// Those that are open at `now`.
    pub(crate) fn open_at(&mut self, now: Seconds) -> &[Shard] {
        let arrived = |shards: &mut Vec<Shard>| shards.iter().all(|shard| shard.opened_at <= now);
        if let Some(arrived) = self.coming.take_if(arrived) {
            self.open = arrived;
        }
        &self.open
    }

    /// From `at` on there are so many. One that is on its way still must be in force by then.
    pub(crate) fn reshard(&mut self, count: Shards, at: Seconds) {
        self.open_at(at);
        self.coming = Some(self.successors(count, at));
    }

    fn successors(&mut self, count: Shards, at: Seconds) -> Vec<Shard> {
        let (all, count) = (f64::from(count.get()), count.get());
        // Bounds that are the same point may differ by a rounding error.
        let overlap = |a: &Range<f64>, b: &Range<f64>| a.end.min(b.end) - a.start.max(b.start);
        let first = self.next_id;
        self.next_id += u64::from(count);
        (0..count)
            .map(|i| {
                let range = f64::from(i) / all..f64::from(i + 1) / all;
                let parents = self.open.iter().filter(|old| overlap(&old.range, &range) > 1e-9);
                let parents = parents.map(|old| old.id).collect();
                Shard { id: first + u64::from(i), range, parents, opened_at: at }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parents(shards: &[Shard]) -> Vec<Vec<ShardId>> {
        shards.iter().map(|shard| shard.parents.clone()).collect()
    }

    #[test]
    fn splits_and_merges_hand_the_hash_range_on() {
        let mut shards = ShardSet::new(Shards::at_least_one(2));
        assert_eq!(parents(shards.open_at(0)), [[0_u64; 0], []]);
        shards.reshard(Shards::at_least_one(4), 100);
        assert_eq!(shards.open_at(99).len(), 2);
        assert_eq!(parents(shards.open_at(100)), [[0], [0], [1], [1]]);
        shards.reshard(Shards::at_least_one(3), 200);
        assert_eq!(parents(shards.open_at(200)), [[2, 3], [3, 4], [4, 5]]);
        let ids: Vec<ShardId> = shards.open_at(200).iter().map(|shard| shard.id).collect();
        assert_eq!(ids, [6, 7, 8]);
    }

    #[test]
    fn every_key_has_one_shard() {
        let mut shards = ShardSet::new(Shards::at_least_one(7));
        for (count, at) in [(11, 10), (6, 20), (12, 30), (97, 40)] {
            shards.reshard(Shards::at_least_one(count), at);
            let open = shards.open_at(at);
            assert!(open.windows(2).all(|pair| pair[0].range.end == pair[1].range.start));
            assert_eq!((open[0].range.start, open[open.len() - 1].range.end), (0.0, 1.0));
            assert!(open.iter().all(|shard| !shard.parents.is_empty()));
        }
    }
}
