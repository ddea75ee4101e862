//! What demand to expect over the day ahead, and how far it may stray.
//!
//! Seven simple experts (as now, rising on, as yesterday, as last week, as usual, with today's level
//! carried over) are mixed by how well each did lately at the lead in question; how far demand strayed from
//! that mixture in the past week says how far it may stray again. Everything comes from the stream's own
//! past. The idea of weighting seasonal experts by recent loss is that of the online-learning literature
//! (Hedge, and its use in capacity planning); empirical quantiles of past errors in place of a bell curve are
//! conformal prediction. Not here: what size to have (`plan`).

mod experts;
mod levels;
mod past;
mod profile;
mod signs;
mod spread;

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

pub use past::Past;
pub use profile::Profile;
pub use signs::{Leader, LevelChange};
pub use spread::{Amount, Straying};

use self::experts::{COUNT, View};
use self::levels::{BLOCK_MINUTES, DAY, Levels, load_of};
use self::spread::Spread;
use crate::demand::{Demand, Gaps};
use crate::limits;
use crate::series::Series;
use crate::throttling::attempts::Attempts;
use crate::throttling::learnt::{Refusals, Seen};
use crate::units::{ShardLoad, Shards};

/// A reshard takes about five minutes at the sizes most streams have; twice that leaves one replan.
const SOON_BLOCKS: usize = 2;
/// Ten calls in 24 hours are one every 2.4 hours.
const LATER_BLOCKS: usize = 29;
/// What was learnt of refusals is kept anew after so many minutes, fewer than a plan looks at.
const REFUSALS_KEPT_MINUTES: i64 = 180;
/// Newest minutes whose peak is "now".
const NOW_MINUTES: usize = 3;
/// Blocks of past that a forecast rests on, besides what was learnt: experts look back a week, those of the
/// last hours too. Learning looks at all there is.
const LOOKED_BACK: usize = 8 * DAY;
/// Steps of the horizon: single blocks for an hour, a quarter of an hour each up to six, then half hours.
const FINE_UNTIL: usize = 12;
const MEDIUM_UNTIL: usize = 72;
/// The weights by which a leader is named: those for leads of about an hour.
const LEADING: usize = 2;

/// Expected peaks in shards, and what they rest on: the outlook in short, for people.
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
pub struct Step {
    /// Blocks from now to its beginning.
    pub(crate) lead: usize,
    pub(crate) blocks: usize,
    /// Highest level expected within it, in shards.
    pub load: f64,
}

impl Step {
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

/// The day ahead.
pub struct Outlook<'a> {
    steps: Vec<Step>,
    profile: Cow<'a, Profile>,
    missing: f64,
    refusals: Refusals,
    spreads: [Spread; 2],
    now: f64,
    highest_seen: f64,
    highest_of_day: f64,
    days_known: usize,
    leader: Option<Leader>,
    level_change: Option<LevelChange>,
}

impl<'a> Outlook<'a> {
    /// Looks ahead from `now`. `minutes` is demand minute by minute up to now, `days` is coarser and older,
    /// `known` is what was learnt before, if it was kept.
    pub fn from(
        minutes: &[Demand],
        days: &Series,
        known: Option<&'a Profile>,
        gaps: Gaps,
        seen: &[(Timestamp, Seen)],
        attempts: Attempts,
        now: Timestamp,
    ) -> Outlook<'a> {
        let past = |most| Levels::of(minutes, days, most, gaps, attempts.missing(), now);
        let levels = past(LOOKED_BACK);
        let profile = match known {
            Some(profile) if !profile.is_stale(&levels, now) => Cow::Borrowed(profile),
            _ => Cow::Owned(Profile::learn(&past(usize::MAX), minutes, now)),
        };
        let learnt = known.map(|profile| &profile.refusals).filter(|known| known.is_sound());
        let (profile, refusals) = taken_in(profile, learnt, seen, attempts, now);
        let spreads = profile.of_seconds(&refusals.parts());
        let newest = &minutes[minutes.len().saturating_sub(NOW_MINUTES)..];
        let peak = newest.iter().filter_map(|d| d.load()).fold(ShardLoad::ZERO, ShardLoad::max);
        let weights = if levels.len() == 0 { Vec::new() } else { profile.attuned(&levels) };
        let highest_of_day = levels.peak(DAY);
        Outlook {
            leader: weights.get(LEADING).and_then(Leader::of),
            level_change: LevelChange::of(&levels),
            steps: steps(&levels, &weights),
            now: peak.get(),
            // A profile is kept for hours: what came since is within the day.
            highest_seen: profile.highest.max(highest_of_day),
            highest_of_day,
            days_known: profile.blocks.max(levels.len()) / DAY,
            profile,
            missing: attempts.missing(),
            refusals,
            spreads,
        }
    }

    /// The stretches of the horizon, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How far demand strays from what is expected of a step.
    pub fn straying(&self, step: &Step) -> Straying<'_> {
        self.spreads[Profile::reach(step.lead)].around(step.load)
    }

    /// Whether so many shards are fewer than demand now takes: more of it is refused than matters little, and more
    /// shards would cure that.
    pub fn above(&self, open: Shards) -> bool {
        self.refusals.curable(self.now, open.capacity().get()) > crate::tune::k().emerg
    }

    /// Whether a sixth more demand would be refused to a degree that matters.
    pub fn near_refusal(&self, open: Shards) -> bool {
        self.refusals.curable(self.now / 0.85, open.capacity().get()) > crate::tune::k().emerg
    }

    /// The part of refused writes that is taken for missing demand.
    pub fn missing(&self) -> f64 {
        self.missing
    }

    /// How the stream refuses writes.
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
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

    /// What was learnt on the way and should be kept; `None` when the kept one still serves, or there was nothing
    /// to learn from: metrics that cannot be read now may be there in a minute.
    pub fn newly_learnt(self) -> Option<Profile> {
        match self.profile {
            Cow::Owned(profile) if profile.blocks > 0 => Some(profile),
            Cow::Owned(_) | Cow::Borrowed(_) => None,
        }
    }
}

/// The profile, and how the stream refuses writes with the newest minutes taken in. What is kept is brought up now and
/// then: settled minutes only, each once.
fn taken_in<'a>(
    profile: Cow<'a, Profile>,
    known: Option<&Refusals>,
    seen: &[(Timestamp, Seen)],
    attempts: Attempts,
    now: Timestamp,
) -> (Cow<'a, Profile>, Refusals) {
    let mut kept = known.cloned().unwrap_or_else(|| Refusals::prior(Timestamp::MIN));
    let settled = now
        .checked_sub(SignedDuration::from_secs(limits::METRIC_SETTLE_SECONDS))
        .unwrap_or(Timestamp::MIN);
    let after = kept.until;
    let fresh = seen.iter().filter(|(end, _)| *end > after);
    let due = matches!(profile, Cow::Owned(_))
        || attempts.until != profile.attempts.until
        || settled.duration_since(after) > SignedDuration::from_mins(REFUSALS_KEPT_MINUTES);
    if !due {
        let fresh: Vec<Seen> = fresh.map(|(_, seen)| *seen).collect();
        kept.learn(&fresh, 0.0, false);
        return (profile, kept);
    }
    let (old, new): (Vec<_>, Vec<_>) = fresh.partition(|(end, _)| *end <= settled);
    let days = if after == Timestamp::MIN {
        0.0
    } else {
        settled.duration_since(after).as_secs_f64() / 86_400.0
    };
    let only = |minutes: Vec<&(Timestamp, Seen)>| -> Vec<Seen> {
        minutes.into_iter().map(|(_, seen)| *seen).collect()
    };
    kept.learn(&only(old), days, true);
    kept.until = settled;
    let mut profile = profile.into_owned();
    profile.refusals = kept.clone();
    profile.attempts = attempts;
    profile.attempts.fade(days);
    kept.learn(&only(new), 0.0, false);
    (Cow::Owned(profile), kept)
}

fn steps(levels: &Levels, weights: &[[f64; COUNT]]) -> Vec<Step> {
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
        steps.push(Step { lead, blocks, load: load_of(highest) });
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
        let look = |known| Outlook::from(&minutes, &days, known, Gaps::Unknown, &[], Attempts::default(), now);
        let learnt = look(None).newly_learnt().expect("a profile");
        let again = look(Some(&learnt));
        assert_eq!((again.highest_seen(), again.days_known()), (40.0, 14));
        assert_eq!(again.highest_of_day(), ShardLoad::new(2.0));
        assert_eq!(again.steps(), look(None).steps());
        assert_eq!(again.newly_learnt(), None);
    }
}
