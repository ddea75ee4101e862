//! The past of a stream as one row of five-minute levels, newest last: minutes where there are
//! minutes, coarser periods before them, gaps filled with the level before them. Sums make any mean
//! cheap.

use jiff::{SignedDuration, Timestamp};

use crate::demand::{Demand, Gaps, demand_within};
use crate::series::Series;
use crate::units::ShardLoad;

/// Minutes in a block.
pub(super) const BLOCK_MINUTES: usize = 5;
/// Blocks in a day.
pub(super) const DAY: usize = 24 * 60 / BLOCK_MINUTES;
/// Added to every level before a logarithm or a ratio is taken, in shards: below a twentieth of a
/// shard differences mean nothing for a stream whose smallest size is one.
pub(super) const FLOOR: f64 = 0.05;

/// The row. Index 0 is the oldest block; the newest ends where the known minutes end.
pub(super) struct Levels {
    /// Mean load of each block.
    blocks: Vec<f64>,
    /// `sums[i]` is the sum of the first `i` blocks.
    sums: Vec<f64>,
}

impl Levels {
    /// Puts the newest `most` blocks together. `minutes` end at `now`, or a little before it.
    pub(super) fn of(
        minutes: &[Demand],
        days: &Series,
        most: usize,
        gaps: Gaps,
        missing_share: f64,
        now: Timestamp,
    ) -> Levels {
        let recent: Vec<Option<f64>> = minutes.rchunks(BLOCK_MINUTES).rev().map(mean).collect();
        let recent = match minutes.len() % BLOCK_MINUTES {
            // A first chunk that is no full block would be noisier than the rest.
            0 => &recent[..],
            _ => recent.get(1..).unwrap_or_default(),
        };
        let span = i64::try_from(recent.len() * BLOCK_MINUTES).unwrap_or(i64::MAX);
        let recent_start =
            now.checked_sub(SignedDuration::from_mins(span)).unwrap_or(Timestamp::MIN);
        let earlier_seconds = recent_start.as_second().saturating_sub(days.start.as_second());
        let earlier = earlier_seconds / i64::from(days.period_seconds.max(1));
        let earlier = usize::try_from(earlier).unwrap_or(0).min(days.points.len());
        let first = earlier.saturating_sub(most.saturating_sub(recent.len()));
        let before = demand_within(days, first..earlier, gaps, missing_share, now)
            .map(|demand| demand.load().map(ShardLoad::get));
        Levels::of_blocks(filled(before.chain(recent.iter().copied())))
    }

    /// A row of known blocks.
    pub(super) fn of_blocks(blocks: Vec<f64>) -> Levels {
        let mut sums = Vec::with_capacity(blocks.len() + 1);
        let mut sum = 0.0;
        sums.push(sum);
        sums.extend(blocks.iter().map(|block| {
            sum += block;
            sum
        }));
        Levels { blocks, sums }
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Mean load of a block, with the floor.
    pub(super) fn floored(&self, block: usize) -> f64 {
        self.blocks[block] + FLOOR
    }

    /// Mean load of a block and its neighbours, with the floor: what an earlier day looked like.
    pub(super) fn smooth(&self, block: usize) -> f64 {
        let (from, to) = (block.saturating_sub(1), (block + 2).min(self.blocks.len()));
        mean_of(&self.sums, from, to) + FLOOR
    }

    /// Logarithm of the mean of the `count` blocks before `end`.
    pub(super) fn level(&self, end: usize, count: usize) -> f64 {
        logarithm(mean_of(&self.sums, end.saturating_sub(count), end))
    }

    /// The newest `count` blocks, or as many as there are.
    pub(super) fn newest(&self, count: usize) -> &[f64] {
        &self.blocks[self.blocks.len().saturating_sub(count)..]
    }

    /// The highest of the newest `count` blocks.
    pub(super) fn peak(&self, count: usize) -> f64 {
        self.newest(count).iter().copied().fold(0.0, f64::max)
    }
}

/// A load from its logarithm.
pub(super) fn load_of(logarithm: f64) -> f64 {
    (logarithm.exp() - FLOOR).max(0.0)
}

fn logarithm(load: f64) -> f64 {
    (load + FLOOR).ln()
}

#[allow(clippy::cast_precision_loss)] // blocks of a few weeks
fn mean_of(sums: &[f64], from: usize, to: usize) -> f64 {
    if from < to { (sums[to] - sums[from]) / (to - from) as f64 } else { 0.0 }
}

fn mean(minutes: &[Demand]) -> Option<f64> {
    let (sum, count) = minutes
        .iter()
        .filter_map(|demand| demand.load())
        .fold((0.0, 0u32), |(sum, count), load| (sum + load.get(), count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Unknown blocks take the level before them; those before the first known one are left out.
fn filled(blocks: impl Iterator<Item = Option<f64>>) -> Vec<f64> {
    let mut filled = Vec::with_capacity(blocks.size_hint().0);
    blocks.for_each(|block| filled.extend(block.or_else(|| filled.last().copied())));
    filled
}
