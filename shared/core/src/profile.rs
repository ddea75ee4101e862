//! What plans have learnt of one stream and keep for the next: how its demand is forecast, how it
//! refuses writes, and how much of what it refuses is tried again.
//!
//! Not here: where it is kept (`weir-control` ports).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::action::ActionRecord;
use crate::forecast;
use crate::limits;
use crate::observation::StreamState;
use crate::series::Series;
use crate::throttling::evidence::{ObservedMinute, observed_minutes};
use crate::throttling::model::ThrottlingModel;
use crate::throttling::retries::RetryModel;

/// What a stream refuses is fitted again after so many minutes, fewer than a plan looks at.
pub(crate) const FITTED_EVERY_MINUTES: u32 = 180;
/// Sooner where it refuses more than was expected.
const NEWS_KEPT_AFTER_MINUTES: u32 = 15;

/// What is kept of one stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamProfile {
    /// How its demand is forecast.
    #[serde(flatten)]
    pub forecast: forecast::Profile,
    /// How it refuses writes. Releases before it was learnt have none.
    #[serde(default)]
    pub refusals: Refusals,
}

/// How a stream refuses writes, and what that rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusals {
    /// When the first minute ended that is in it; `None` where none is.
    pub since: Option<Timestamp>,
    /// Minutes up to here are in it.
    pub until: Timestamp,
    /// The refused share by load and size.
    pub model: ThrottlingModel,
    /// The part of it that is tried again.
    pub retries: RetryModel,
}

/// Nothing is known yet.
impl Default for Refusals {
    fn default() -> Refusals {
        Refusals {
            since: None,
            until: Timestamp::MIN,
            model: ThrottlingModel::default(),
            retries: RetryModel::default(),
        }
    }
}

impl Refusals {
    /// What was kept, if this version can use it.
    pub(crate) fn kept(profile: Option<&StreamProfile>) -> Refusals {
        let sound = profile.filter(|profile| profile.refusals.model.is_sound());
        sound.map_or_else(Refusals::default, |profile| profile.refusals.clone())
    }

    /// Whole days it was learnt from; `None` where nothing was seen, and all is assumed.
    pub fn days(&self) -> Option<u32> {
        let days = self.until.duration_since(self.since?).as_hours() / 24;
        Some(u32::try_from(days).unwrap_or(0))
    }

    /// What was kept, brought up to now by what was seen since; and what of it is to be kept, where
    /// it is time for that.
    pub(crate) fn at(
        now: Timestamp,
        profile: Option<&StreamProfile>,
        minutes: Option<&Series>,
        state: &StreamState,
        actions: Option<&[ActionRecord]>,
    ) -> (Refusals, Option<Refusals>) {
        let kept = Refusals::kept(profile);
        let (Some(minutes), Some(actions)) = (minutes, actions) else {
            // Nobody knows what size refused them.
            let retries = kept.retries;
            return kept.brought_up(&[], retries, now);
        };
        let mut retries = kept.retries;
        retries.learn(minutes, actions, now);
        let missing_share = retries.missing_share();
        let seen = observed_minutes(minutes, state, actions, missing_share, kept.until, now);
        kept.brought_up(&seen, retries, now)
    }

    /// What is kept rests on settled minutes alone, each taken in once.
    fn brought_up(
        mut self,
        minutes: &[ObservedMinute],
        retries: RetryModel,
        now: Timestamp,
    ) -> (Refusals, Option<Refusals>) {
        let fresh = &minutes[minutes.partition_point(|minute| minute.ended_at <= self.until)..];
        let settle = SignedDuration::from_secs(limits::METRIC_SETTLE_SECONDS);
        let settled = now.checked_sub(settle).unwrap_or(Timestamp::MIN);
        let age = settled.duration_since(self.until);
        let judged = retries.until != self.retries.until;
        self.retries = retries;
        let older_than = |minutes: u32| age > SignedDuration::from_mins(i64::from(minutes));
        let (old, new) = fresh.split_at(fresh.partition_point(|m| m.ended_at <= settled));
        let is_due = judged
            || older_than(FITTED_EVERY_MINUTES)
            || older_than(NEWS_KEPT_AFTER_MINUTES) && self.model.is_news(old);
        if !is_due {
            self.model.hear_news(fresh);
            return (self, None);
        }
        let begins = self.until == Timestamp::MIN;
        let days = if begins { 0.0 } else { age.as_secs_f64() / 86_400.0 };
        self.since = self.since.or(old.first().map(|first| first.ended_at));
        self.model.learn(old, days);
        self.retries.fade(days);
        self.until = settled;
        let kept = self.clone();
        self.model.hear_news(new);
        (self, Some(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_fit_without_a_minute_does_not_leave_all_assumed_for_ever() {
        let at = |hour| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
        let minute = |ended_at| ObservedMinute { ended_at, load: 1.0, shards: 2.0, refused: 0.0 };
        let retries = RetryModel::default();
        let (_, kept) = Refusals::default().brought_up(&[], retries, at(0));
        let kept = kept.expect("it is kept from the first plan on");
        assert_eq!(kept.days(), None);
        let (later, _) = kept.brought_up(&[minute(at(3))], retries, at(4));
        assert_eq!(later.days(), Some(0));
    }
}
