//! What stands out in the past, for people: who leads the forecast, and whether the level has
//! changed.
//!
//! Nothing is decided by these; the experts' weights and the spread already hold what follows from
//! them.

use super::experts::COUNT;
use super::levels::{DAY, Levels, load_of};
use crate::units::ShardLoad;

/// Blocks of the last half hour.
const HALF_HOUR: usize = 6;
/// Blocks by which an earlier day may have been early or late.
const SHIFT: usize = 6;
/// Days that are looked at, and fewest that say anything.
const DAYS_MAX: usize = 7;
const DAYS_MIN: usize = 3;
/// A level is unusual this far above the highest or below the lowest of those days.
const UNUSUAL: f64 = 1.5;
/// An expert leads with this share of the weights.
const LEADS_FROM: f64 = 0.5;

/// What the forecast mostly takes the next hours to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leader {
    /// The last minutes.
    Now,
    /// The last half hour's rise or fall, going on.
    Trend,
    /// The same hours of yesterday.
    Yesterday,
    /// The same hours a week ago.
    LastWeek,
    /// The mean of the last seven days.
    Week,
    /// The mean of the last three days.
    FewDays,
    /// The mean of a day.
    Usual,
}

impl Leader {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Leader::Now => "as now",
            Leader::Trend => "as it trends",
            Leader::Yesterday => "as yesterday",
            Leader::LastWeek => "as last week",
            Leader::Week => "as the mean of the week",
            Leader::FewDays => "as the last three days",
            Leader::Usual => "as usual",
        }
    }

    /// Who has most of the weights, in the order of the experts; `None` where nobody has.
    pub(super) fn of(weights: &[f64; COUNT]) -> Option<Leader> {
        let [now, fading, lasting, last_week, week, usual, trend, week_by_clock, few_days] =
            *weights;
        let all: f64 = weights.iter().sum();
        let shares = [
            (Leader::Now, now),
            (Leader::Trend, trend),
            (Leader::Yesterday, fading + lasting),
            (Leader::LastWeek, last_week),
            (Leader::Week, week + week_by_clock),
            (Leader::FewDays, few_days),
            (Leader::Usual, usual),
        ];
        let most = shares.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        most.filter(|(_, weight)| *weight >= LEADS_FROM * all && all > 0.0).map(|(who, _)| who)
    }
}

/// A level unlike that of earlier days at this hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelChange {
    /// The last half hour's.
    pub level: ShardLoad,
    /// The lowest of the earlier days at this hour.
    pub lowest: ShardLoad,
    /// The highest.
    pub highest: ShardLoad,
    /// How many days that is.
    pub days: usize,
}

impl LevelChange {
    pub(super) fn of(levels: &Levels) -> Option<LevelChange> {
        let end = levels.len();
        let level = load_of(levels.level(end, HALF_HOUR));
        let days = (end / DAY).min(DAYS_MAX);
        if days < DAYS_MIN {
            return None;
        }
        let ends = (1..=days).flat_map(|day| {
            let end = end - day * DAY;
            end.saturating_sub(SHIFT).max(HALF_HOUR)..=end + SHIFT
        });
        let (lowest, highest) = ends
            .map(|end| load_of(levels.level(end, HALF_HOUR)))
            .fold((f64::INFINITY, 0.0f64), |(low, high), level| (low.min(level), high.max(level)));
        let changed = level > highest * UNUSUAL || level * UNUSUAL < lowest;
        // Below a shard nothing follows from it.
        (changed && level.max(lowest) >= 1.0).then(|| LevelChange {
            level: ShardLoad::new(level),
            lowest: ShardLoad::new(lowest),
            highest: ShardLoad::new(highest),
            days,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days that go from 4 shards to 8 and back, then a last half hour at some level.
    fn change(days: usize, last: f64) -> Option<(f64, f64)> {
        let mut blocks: Vec<f64> =
            (0..days * DAY).map(|block| if block % DAY < DAY / 2 { 4.0 } else { 8.0 }).collect();
        let end = blocks.len();
        blocks[end - HALF_HOUR..].fill(last);
        let rounded = |load: ShardLoad| (load.get() * 10.0).round() / 10.0;
        LevelChange::of(&Levels::of_blocks(blocks)).map(|c| (rounded(c.lowest), rounded(c.highest)))
    }

    #[test]
    fn a_level_is_unusual_where_no_day_at_this_hour_was_like_it() {
        // The hour is the turn from 8 to 4, so anything between is as usual.
        assert_eq!([4.0, 8.0, 11.0, 3.0].map(|last| change(5, last)), [None; 4]);
        assert_eq!(change(5, 13.0), Some((4.0, 8.0)));
        assert_eq!(change(5, 2.0), Some((4.0, 8.0)));
        assert_eq!(change(2, 13.0), None);
    }

    #[test]
    fn whoever_has_most_of_the_weights_leads() {
        assert_eq!(
            Leader::of(&[1.0, 2.0, 2.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
            Some(Leader::Yesterday)
        );
        assert_eq!(Leader::of(&[1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]), None);
        assert_eq!(Leader::of(&[0.0; COUNT]), None);
    }
}
