//! What is known of a failing consumer besides its alarms: how far behind, how fast that grows, how
//! long until records expire unread, and the likeliest cause.
//!
//! Anything may be missing; then less is said. Not here: reading it (`weir-control`), its words
//! (`weir-control`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::symptom::Symptom;

/// Lag after a reshard is held back for this long at most.
pub(super) const DRAIN_AT_MOST: SignedDuration = SignedDuration::from_mins(60);

/// How far behind a consumer was at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LagPoint {
    /// When.
    pub at: Timestamp,
    /// Age of what it read last, seconds.
    pub seconds: f64,
}

/// What was read of a consumer and its stream. `None` where it could not be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// How long the stream keeps records, hours.
    pub retention_hours: Option<u32>,
    /// How far behind it was of late, oldest first; empty when its metric is silent.
    pub lag: Vec<LagPoint>,
    /// When it last read anything, where that is known.
    pub last_read_at: Option<Timestamp>,
    /// Calls of its function in the last ten minutes.
    pub invocations: Option<f64>,
    /// Those that failed.
    pub errors: Option<f64>,
    /// Those that were turned away for want of concurrency, or reads that were throttled.
    pub throttles: Option<f64>,
    /// Whether its mapping polls at all.
    pub enabled: Option<bool>,
    /// Other mappings that call its function: what is known of the function may be theirs.
    pub also_called_by: Option<usize>,
    /// Records written in the last ten minutes, and in the same time an hour before.
    pub written: Option<(f64, f64)>,
    /// When the stream was last resharded.
    pub resharded_at: Option<Timestamp>,
}

/// Where a consumer stands, and where that leads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// How far behind it is.
    pub lag: SignedDuration,
    /// Whether that is a lower bound: the consumer no longer says where it is.
    pub at_least: bool,
    /// How much that grows, seconds a second; below zero it catches up. `None` when too little is
    /// known.
    pub growth: Option<f64>,
    /// The stream's retention.
    pub retention: Option<SignedDuration>,
    /// Whether the reading is not believed yet: no consumer falls behind faster than the clock
    /// runs, but the position of one that opens new shards may read so for minutes.
    pub doubted: bool,
}

impl Outlook {
    /// Share of the retention that is used up, from 0; above 1 records have expired. `None` too for
    /// a reading that is not believed.
    pub fn used(&self) -> Option<f64> {
        if self.doubted {
            return None;
        }
        let retention = self.retention?.as_secs_f64();
        (retention > 0.0).then(|| self.lag.as_secs_f64() / retention)
    }

    /// Share of the retention that is left, 0 to 1.
    pub fn life_left(&self) -> Option<f64> {
        self.used().map(|used| (1.0 - used).clamp(0.0, 1.0))
    }

    /// How long until records expire unread if it goes on like this. `None` when it does not come
    /// to that, or nobody knows.
    pub fn expires_in(&self) -> Option<SignedDuration> {
        if self.doubted {
            return None;
        }
        let left = (self.retention? - self.lag).max(SignedDuration::ZERO);
        // A consumer that reads nothing falls behind by a second a second; nothing falls behind
        // faster for long. Where the trend is not known, that worst is assumed.
        let growth = self.growth.unwrap_or(1.0).min(1.0);
        (growth > 0.01).then(|| SignedDuration::from_secs_f64(left.as_secs_f64() / growth))
    }
}

/// What is likeliest behind a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Somebody switched the mapping off.
    MappingDisabled,
    /// One shard is stuck and the function fails: a record that it cannot take.
    PoisonRecord,
    /// The function fails on most calls.
    FunctionErrors,
    /// Calls or reads are throttled.
    Throttled,
    /// Nobody runs.
    NotRunning,
    /// A reshard moved records to new shards, which are read after their parents.
    DrainAfterReshard,
    /// Far more is written than before.
    UpstreamSurge,
    /// What it delivers to does not take it.
    DestinationFails,
    /// The consumer is slower than what is written.
    TooSlow,
    /// The metric by which it would be watched does not exist.
    MetricMissing,
}

/// How far back a trend goes.
const TREND: SignedDuration = SignedDuration::from_mins(10);
/// A reading that cannot be true is believed when it is still there after so long. A reader that
/// goes over a stream's shards anew was seen to settle within ten minutes.
const BELIEVED_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Seconds by which readings of one position stray: batches, and minutes that were not full.
const STRAYS_SECONDS: f64 = 120.0;
/// Share of calls that fail from which on errors are the cause and not an accompaniment.
const MOSTLY_FAILING: f64 = 0.5;
/// Growth of the lag, seconds a second, from which on nothing is read at all: 1, and metrics are
/// not that even.
const STANDING_STILL: f64 = 0.95;
/// Growth of traffic from which on it is the cause.
const SURGE_FACTOR: f64 = 1.5;

impl Evidence {
    /// Where the consumer stands. `since` is when it began to fail; a consumer that is silent has
    /// read nothing since then at least.
    pub fn outlook(&self, since: Timestamp, now: Timestamp) -> Outlook {
        let retention = self.retention_hours.map(|h| SignedDuration::from_hours(i64::from(h)));
        match (self.recent_lag().first(), self.lag.last()) {
            (Some(first), Some(last)) => {
                let between = last.at.duration_since(first.at).as_secs_f64();
                // What it was behind at its last word, and the time since then in which it says
                // nothing.
                let unsaid = now.duration_since(last.at).max(SignedDuration::ZERO);
                let silent = unsaid > SignedDuration::from_mins(5);
                let lag = SignedDuration::from_secs_f64(last.seconds.clamp(0.0, 1e9));
                let doubted = self.leapt();
                Outlook {
                    lag: if silent { lag + unsaid } else { lag },
                    at_least: silent,
                    growth: (between >= 120.0 && !silent && !doubted)
                        .then(|| (last.seconds - first.seconds) / between),
                    retention,
                    doubted,
                }
            }
            _ => {
                let since = self.last_read_at.unwrap_or(since);
                let lag = now.duration_since(since).max(SignedDuration::ZERO);
                Outlook { lag, at_least: true, growth: None, retention, doubted: false }
            }
        }
    }

    /// Whether the newest reading is further behind than any clock brings a consumer from where it
    /// was of late.
    fn leapt(&self) -> bool {
        let Some(last) = self.lag.last() else { return false };
        self.lag.iter().rev().any(|point| {
            let between = last.at.duration_since(point.at);
            between <= BELIEVED_AFTER
                && last.seconds > point.seconds + between.as_secs_f64() + STRAYS_SECONDS
        })
    }

    /// The newest points: a trend over more would blend what was before the failure into it.
    fn recent_lag(&self) -> &[LagPoint] {
        let Some(last) = self.lag.last() else { return &[] };
        let recent = |point: &LagPoint| last.at.duration_since(point.at) <= TREND;
        let first = self.lag.iter().position(recent).unwrap_or(0);
        &self.lag[first..]
    }

    /// The likeliest cause of a failure with these symptoms. The surer signs come first.
    pub fn cause(&self, symptoms: &[Symptom], now: Timestamp) -> Option<Cause> {
        let shows = |symptom| symptoms.contains(&symptom);
        let some = |count: Option<f64>| count.is_some_and(|count| count > 0.0);
        let failing = match (self.errors, self.invocations) {
            (Some(errors), Some(calls)) if calls > 0.0 => errors / calls >= MOSTLY_FAILING,
            (Some(errors), None) => errors > 0.0,
            _ => false,
        };
        // Some shard has not moved at all, while calls for the others succeed.
        let stuck = self.stands_still(now) && some(self.errors) && some(self.invocations);
        let surged =
            self.written.is_some_and(|(now, before)| before > 0.0 && now > SURGE_FACTOR * before);
        let drains = self.drains_since(now).is_some();
        let causes = [
            (self.enabled == Some(false), Cause::MappingDisabled),
            (failing, Cause::FunctionErrors),
            (stuck, Cause::PoisonRecord),
            (shows(Symptom::Delivery), Cause::DestinationFails),
            (some(self.throttles) || shows(Symptom::Throttles), Cause::Throttled),
            (shows(Symptom::Errors) || some(self.errors), Cause::FunctionErrors),
            (shows(Symptom::Silence), Cause::NotRunning),
            (drains && shows(Symptom::Lag), Cause::DrainAfterReshard),
            (surged, Cause::UpstreamSurge),
            (shows(Symptom::Lag), Cause::TooSlow),
            (shows(Symptom::Unwatched), Cause::MetricMissing),
        ];
        causes.into_iter().find_map(|(holds, cause)| holds.then_some(cause))
    }

    /// Whether what it read last is the same as ten minutes ago: its age grows by the clock.
    fn stands_still(&self, now: Timestamp) -> bool {
        self.outlook(now, now).growth.is_some_and(|growth| growth >= STANDING_STILL)
    }

    /// When the reshard was whose drain may still be under way.
    pub(super) fn drains_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.resharded_at.filter(|at| *at <= now && now.duration_since(*at) < DRAIN_AT_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).expect("a time")
    }

    fn lag(points: &[(i64, f64)]) -> Vec<LagPoint> {
        points
            .iter()
            .map(|(minute, seconds)| LagPoint { at: at(*minute), seconds: *seconds })
            .collect()
    }

    fn hours(outlook: &Outlook) -> Option<f64> {
        outlook.expires_in().map(|left| left.as_secs_f64() / 3600.0)
    }

    #[test]
    fn the_time_left_follows_the_trend() {
        let evidence = |points: &[(i64, f64)]| Evidence {
            retention_hours: Some(24),
            lag: lag(points),
            ..Evidence::default()
        };
        let outlook = |points: &[(i64, f64)]| evidence(points).outlook(at(0), at(10));
        let hour = 3600.0;
        let stuck = outlook(&[(0, 12.0 * hour - 600.0), (10, 12.0 * hour)]);
        assert_eq!((stuck.life_left(), hours(&stuck)), (Some(0.5), Some(12.0)));
        let slow = outlook(&[(0, 12.0 * hour - 150.0), (10, 12.0 * hour)]);
        assert_eq!(hours(&slow), Some(48.0));
        let catching_up = outlook(&[(0, 12.0 * hour + 600.0), (10, 12.0 * hour)]);
        assert_eq!(hours(&catching_up), None);
        let expired = outlook(&[(0, 26.0 * hour), (10, 26.2 * hour)]);
        assert_eq!((expired.life_left(), hours(&expired)), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn a_consumer_that_says_nothing_falls_behind_by_the_clock() {
        let evidence = Evidence { retention_hours: Some(24), ..Evidence::default() };
        let outlook = evidence.outlook(at(-60), at(0));
        assert!(outlook.at_least && hours(&outlook) == Some(23.0), "{outlook:?}");
        let fell_silent = Evidence { lag: lag(&[(-70, 30.0), (-60, 60.0)]), ..evidence };
        let outlook = fell_silent.outlook(at(-60), at(0));
        assert!(outlook.at_least && outlook.lag.as_secs() == 3_660, "{outlook:?}");
    }

    /// A position that reads as the whole retention minutes after it was near the tip.
    #[test]
    fn what_no_clock_explains_is_not_believed_until_it_lasts() {
        let day = 86_390.0;
        let leapt_at = |minutes_ago: i64| {
            let before = (-60..-minutes_ago).map(|minute| (minute, 0.4));
            let points: Vec<(i64, f64)> =
                before.chain((-minutes_ago..=0).map(|minute| (minute, day))).collect();
            let retention_hours = Some(24);
            Evidence { retention_hours, lag: lag(&points), ..Evidence::default() }
        };
        let outlook = |minutes_ago| leapt_at(minutes_ago).outlook(at(-5), at(0));
        let leap = outlook(5);
        assert!(leap.doubted && leap.lag.as_secs() == 86_390, "{leap:?}");
        assert_eq!((leap.life_left(), leap.expires_in(), leap.growth), (None, None, None));
        let lasts = outlook(20);
        assert!(!lasts.doubted && lasts.life_left().is_some_and(|left| left < 0.001), "{lasts:?}");
        // By a second a second anybody may fall behind, and stray a little.
        let stuck: Vec<(i64, f64)> = (0..=30)
            .map(|minute| (minute, 60.0 * minute as f64 + 90.0 * (minute % 2) as f64))
            .collect();
        let stuck = Evidence { lag: lag(&stuck), ..leapt_at(5) };
        assert!(!stuck.outlook(at(0), at(30)).doubted);
    }

    #[test]
    fn the_surest_sign_names_the_cause() {
        let none = Evidence::default;
        let stuck = lag(&[(-10, 600.0), (-5, 900.0), (0, 1_200.0)]);
        let slow = lag(&[(-10, 600.0), (-5, 700.0), (0, 800.0)]);
        let cases: [(Evidence, &[Symptom], Option<Cause>); 10] = [
            (
                Evidence {
                    lag: stuck.clone(),
                    errors: Some(38.0),
                    invocations: Some(612.0),
                    ..none()
                },
                &[Symptom::Lag],
                Some(Cause::PoisonRecord),
            ),
            (
                Evidence { lag: slow, errors: Some(38.0), invocations: Some(612.0), ..none() },
                &[Symptom::Lag],
                Some(Cause::FunctionErrors),
            ),
            (
                Evidence { lag: stuck, errors: Some(612.0), invocations: Some(612.0), ..none() },
                &[Symptom::Lag],
                Some(Cause::FunctionErrors),
            ),
            (
                Evidence { enabled: Some(false), errors: Some(9.0), ..none() },
                &[Symptom::Silence],
                Some(Cause::MappingDisabled),
            ),
            (
                Evidence { errors: Some(80.0), invocations: Some(90.0), ..none() },
                &[Symptom::Errors],
                Some(Cause::FunctionErrors),
            ),
            (none(), &[Symptom::Delivery], Some(Cause::DestinationFails)),
            (Evidence { throttles: Some(3.0), ..none() }, &[Symptom::Lag], Some(Cause::Throttled)),
            (none(), &[Symptom::Silence], Some(Cause::NotRunning)),
            (
                Evidence { written: Some((300.0, 100.0)), ..none() },
                &[Symptom::Lag],
                Some(Cause::UpstreamSurge),
            ),
            (none(), &[], None),
        ];
        for (evidence, symptoms, cause) in cases {
            assert_eq!(evidence.cause(symptoms, at(0)), cause, "{symptoms:?} {evidence:?}");
        }
        let drain = Evidence { resharded_at: Some(at(-10)), ..none() };
        assert_eq!(drain.cause(&[Symptom::Lag], at(0)), Some(Cause::DrainAfterReshard));
        assert_eq!(drain.cause(&[Symptom::Lag], at(600)), Some(Cause::TooSlow));
    }
}
