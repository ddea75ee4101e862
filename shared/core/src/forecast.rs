//! Forecast of demand over the day ahead, with the distribution of its errors.
//!
//! Nine simple experts (as now, rising on, as yesterday, as last week, as usual, with today's level
//! carried over) are mixed by how well each did lately at the lead in question; the errors that
//! mixture made in the past week are the distribution of those to come. Everything comes from the
//! stream's own past. The idea of weighting seasonal experts by recent loss is that of the
//! online-learning literature (Hedge, and its use in capacity planning); empirical quantiles of
//! past errors in place of a bell curve are conformal prediction. Not here: what size to have
//! (`plan`).

mod errors;
mod experts;
mod levels;
mod past;
mod profile;
mod signs;

use std::borrow::Cow;

use jiff::Timestamp;

pub use errors::{ForecastError, LogShards};
pub use past::Past;
pub use profile::Profile;
pub use signs::{Leader, LevelChange};

use self::experts::{COUNT, View};
use self::levels::{BLOCK_MINUTES, DAY, Levels, load_of};
use self::profile::ErrorsByLead;
use crate::demand::{Demand, Gaps};
use crate::series::Series;
use crate::throttling::model::SecondsGroup;
use crate::units::ShardLoad;

/// A reshard takes about five minutes at the sizes most streams have; twice that leaves one replan.
const SOON_BLOCKS: usize = 2;
/// Ten calls in 24 hours are one every 2.4 hours.
const LATER_BLOCKS: usize = 29;
/// Newest minutes whose peak is "now".
const NOW_MINUTES: usize = 3;
/// Blocks of past that a forecast rests on, besides what was learnt: experts look back a week,
/// those of the last hours too. Learning looks at all there is.
const LOOKED_BACK: usize = 8 * DAY;
/// Steps of the horizon: single blocks for an hour, a quarter of an hour each up to six, then half
/// hours.
const FINE_UNTIL: usize = 12;
const MEDIUM_UNTIL: usize = 72;
/// The weights by which a leader is named: those for leads of about an hour.
const LEADING: usize = 2;

/// Expected peaks, in shards of load, and what they rest on: the forecast in short, for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// The newest minutes' peak.
    pub now: ShardLoad,
    /// Highest level expected until a reshard decided now is in force.
    pub soon: ShardLoad,
    /// Highest level expected for as long as that reshard should last.
    pub later: ShardLoad,
    /// How many whole days of past there are. None means little history.
    pub days_known: u32,
    /// What the next hours are mostly taken to be like.
    pub leader: Option<Leader>,
    /// The last half hour is unlike any earlier day's.
    pub level_change: Option<LevelChange>,
}

/// A stretch of the horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForecastStep {
    /// Blocks from now to its beginning.
    pub(crate) lead: usize,
    pub(crate) blocks: usize,
    /// Highest level expected within it, in shards.
    pub load: f64,
}

impl ForecastStep {
    /// How long it is.
    #[allow(clippy::cast_precision_loss)] // six at most
    pub fn hours(&self) -> f64 {
        (self.blocks * BLOCK_MINUTES) as f64 / 60.0
    }

    /// Minutes from now to its beginning and to its end.
    pub(crate) fn minutes(&self) -> std::ops::Range<i64> {
        let minutes = |blocks| i64::try_from(blocks * BLOCK_MINUTES).unwrap_or(i64::MAX);
        minutes(self.lead)..minutes(self.lead + self.blocks)
    }
}

/// What a forecast is made from.
#[derive(Clone, Copy)]
pub struct PastDemand<'a> {
    /// Demand minute by minute up to now, or a little before it.
    pub minutes: &'a [Demand],
    /// Traffic that is coarser and older.
    pub days: &'a Series,
    /// What a gap in it means.
    pub gaps: Gaps,
    /// The part of what it refused that was missing, 0 to 1.
    pub missing_share: f64,
    /// When the forecast is made.
    pub now: Timestamp,
}

/// Demand forecast over the next 24 hours, step by step, in shards of load.
pub struct DemandForecast<'a> {
    steps: Vec<ForecastStep>,
    profile: Cow<'a, Profile>,
    errors: ErrorsByLead,
    now: f64,
    highest_seen: f64,
    highest_of_day: f64,
    days_known: usize,
    leader: Option<Leader>,
    level_change: Option<LevelChange>,
}

impl<'a> DemandForecast<'a> {
    /// Looks ahead from `past.now`. `known` is what was learnt before, if it was kept; `seconds` is
    /// how traffic lies over the seconds of a minute.
    pub fn from(
        past: &PastDemand<'_>,
        known: Option<&'a Profile>,
        seconds: &[SecondsGroup],
    ) -> DemandForecast<'a> {
        let PastDemand { minutes, days, gaps, missing_share, now } = *past;
        let past = |most| Levels::of(minutes, days, most, gaps, missing_share, now);
        let levels = past(LOOKED_BACK);
        let profile = match known {
            Some(profile) if !profile.is_stale(&levels, now) => Cow::Borrowed(profile),
            _ => Cow::Owned(Profile::learn(&past(usize::MAX), minutes, now)),
        };
        let newest = &minutes[minutes.len().saturating_sub(NOW_MINUTES)..];
        let peak = newest.iter().filter_map(|d| d.load()).fold(ShardLoad::ZERO, ShardLoad::max);
        let weights = if levels.len() == 0 {
            Vec::new()
        } else {
            profile.reweighted_by_last_minutes(&levels)
        };
        let highest_of_day = levels.peak(DAY);
        DemandForecast {
            leader: weights.get(LEADING).and_then(Leader::of),
            level_change: LevelChange::of(&levels),
            steps: steps(&levels, &weights),
            now: peak.get(),
            // A profile is kept for hours: what came since is within the day.
            highest_seen: profile.highest.max(highest_of_day),
            highest_of_day,
            days_known: profile.blocks.max(levels.len()) / DAY,
            errors: profile.errors_of_seconds(seconds),
            profile,
        }
    }

    /// The stretches of the horizon, in order.
    pub fn steps(&self) -> &[ForecastStep] {
        &self.steps
    }

    /// The distribution of the forecast's error at a step, second by second.
    pub fn forecast_error(&self, step: &ForecastStep) -> ForecastError<'_> {
        self.errors.around(step.lead, step.load)
    }

    /// The newest minutes' peak, in shards.
    pub fn now(&self) -> f64 {
        self.now
    }

    /// The highest level of all the past that is known, in shards.
    pub fn highest_seen(&self) -> f64 {
        self.highest_seen.max(self.now)
    }

    /// The highest level of the last day.
    pub fn highest_of_day(&self) -> ShardLoad {
        ShardLoad::new(self.highest_of_day.max(self.now))
    }

    /// How high demand was in the days that are known.
    pub fn past(&self) -> &Past {
        self.profile.past()
    }

    /// Whole days of past that are known.
    pub fn days_known(&self) -> usize {
        self.days_known
    }

    /// Mean expected load over the horizon, in shards.
    pub fn mean_load(&self) -> f64 {
        let (sum, hours) = self.steps.iter().fold((0.0, 0.0), |(sum, hours), step| {
            (sum + step.load * step.hours(), hours + step.hours())
        });
        if hours > 0.0 { sum / hours } else { 0.0 }
    }

    /// In short, for people.
    pub fn summary(&self) -> Forecast {
        let peak_until = |lead: usize| {
            let within = self.steps.iter().take_while(|step| step.lead < lead);
            ShardLoad::new(within.fold(0.0, |peak, step| step.load.max(peak)))
        };
        Forecast {
            now: ShardLoad::new(self.now),
            soon: peak_until(SOON_BLOCKS),
            later: peak_until(LATER_BLOCKS),
            days_known: u32::try_from(self.days_known).unwrap_or(u32::MAX),
            leader: self.leader,
            level_change: self.level_change,
        }
    }

    /// What was learnt on the way and should be kept; `None` when the kept one still serves, or
    /// there was nothing to learn from: metrics that cannot be read now may be there in a minute.
    pub fn newly_learnt(&self) -> Option<&Profile> {
        match &self.profile {
            Cow::Owned(profile) if profile.blocks > 0 => Some(profile),
            Cow::Owned(_) | Cow::Borrowed(_) => None,
        }
    }
}

fn steps(levels: &Levels, weights: &[[f64; COUNT]]) -> Vec<ForecastStep> {
    if levels.len() == 0 {
        return Vec::new();
    }
    let view = View::from(levels, levels.len());
    let mut steps = Vec::with_capacity(72);
    let mut lead = 0;
    while lead < DAY {
        let blocks = match lead {
            lead if lead < FINE_UNTIL => 1,
            lead if lead < MEDIUM_UNTIL => 3,
            _ => 6,
        };
        let highest = (lead..lead + blocks)
            .map(|lead| profile::expect(weights, &view, lead))
            .fold(f64::NEG_INFINITY, f64::max);
        steps.push(ForecastStep { lead, blocks, load: load_of(highest) });
        lead += blocks;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::TrafficPoint;

    const PERIOD_SECONDS: u32 = 300;

    /// Two weeks of two shards of load, but for one block on the third day.
    fn two_weeks(now: Timestamp, on_the_third_day: f64) -> Series {
        let point = |load: f64| TrafficPoint {
            accepted_bytes: Some(load * 1_048_576.0 * f64::from(PERIOD_SECONDS)),
            accepted_records: Some(load),
            ..TrafficPoint::default()
        };
        let mut points = vec![point(2.0); 14 * DAY];
        points[2 * DAY] = point(on_the_third_day);
        let start = now - jiff::SignedDuration::from_hours(14 * 24);
        Series { start, period_seconds: PERIOD_SECONDS, points }
    }

    #[test]
    fn what_was_learnt_stands_for_the_past_that_is_not_looked_at_again() {
        let now = Timestamp::from_second(1_800_000_000).expect("a timestamp");
        let minutes = vec![Demand::Measured(ShardLoad::new(2.0)); 240];
        let days = two_weeks(now, 40.0);
        let past = PastDemand {
            minutes: &minutes,
            days: &days,
            gaps: Gaps::Unknown,
            missing_share: 1.0,
            now,
        };
        let seconds = [SecondsGroup { share: 1.0, factor: 1.0 }];
        let look = |known| DemandForecast::from(&past, known, &seconds);
        let learnt = look(None).newly_learnt().cloned().expect("a profile");
        let again = look(Some(&learnt));
        assert_eq!((again.highest_seen(), again.days_known()), (40.0, 14));
        assert_eq!(again.highest_of_day(), ShardLoad::new(2.0));
        assert_eq!(again.steps(), look(None).steps());
        assert_eq!(again.newly_learnt(), None);
    }
}
