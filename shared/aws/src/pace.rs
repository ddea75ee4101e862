//! Calls per second, held below what the account may make.
//!
//! Even spacing: a bucket that holds one token. A call too early waits; nothing is ever dropped.
//! The budget is one process's own; when many functions run at once, AWS's answer and the SDK's
//! retries see to the rest. Not here: the quotas themselves (`weir_core::limits`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use weir_control::routing::Loop;
use weir_core::limits::calls_per_second as quota;

/// The share of each quota that Weir uses; the rest is left to everybody else in the account.
const SHARE_OF_QUOTA: f64 = 2.0 / 3.0;
/// The share of sync-alarms in looks at streams, which plans need more: an hour has room for
/// 16,000.
const SHARE_OF_SYNC: f64 = SHARE_OF_QUOTA / 3.0;
/// The same of calls that nobody else makes by the dozen.
const SHARE_OF_RARE: f64 = 0.9;

/// The pace of one operation.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// Weir's share of so many calls per second.
    fn of(calls_per_second: u32) -> Pace {
        Pace::at(f64::from(calls_per_second) * SHARE_OF_QUOTA)
    }

    fn at(calls_per_second: f64) -> Pace {
        Pace { gap: Duration::from_secs_f64(1.0 / calls_per_second), next: Mutex::new(None) }
    }

    /// A part of the calls that nobody else makes, where so many functions are at it at a time.
    fn shared(calls_per_second: u32, functions: u32) -> Pace {
        Pace::at(f64::from(calls_per_second) * SHARE_OF_RARE / f64::from(functions))
    }

    /// Waits until the next call may be made, and takes its place.
    pub(crate) async fn turn(&self) {
        self.turns(1).await;
    }

    /// The same for a call that counts as so many.
    pub(crate) async fn turns(&self, count: u32) {
        sleep_until(self.reserve(Instant::now(), count)).await;
    }

    fn reserve(&self, now: Instant, count: u32) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.gap * count);
        turn
    }
}

/// The paces of all operations that have a quota worth minding.
#[derive(Debug)]
pub(crate) struct Paces {
    pub(crate) put_metric_alarm: Pace,
    pub(crate) set_alarm_state: Pace,
    pub(crate) delete_alarms: Pace,
    pub(crate) describe_alarms: Pace,
    pub(crate) describe_stream_summary: Pace,
    pub(crate) describe_limits: Pace,
    pub(crate) list_streams: Pace,
    pub(crate) update_shard_count: Pace,
    pub(crate) update_stream_mode: Pace,
    pub(crate) list_event_source_mappings: Pace,
    pub(crate) list_delivery_streams: Pace,
    pub(crate) describe_delivery_stream: Pace,
    pub(crate) get_metric_data: Pace,
    pub(crate) list_metrics: Pace,
    pub(crate) metric_points: Pace,
}

impl Paces {
    /// Those of a function that shares an account with the others.
    pub(crate) fn of(runs: Loop) -> Paces {
        let looks = f64::from(quota::DESCRIBE_STREAM_SUMMARY);
        let describe_stream_summary = match runs {
            Loop::SyncAlarms => Pace::at(looks * SHARE_OF_SYNC),
            _ => Pace::of(quota::DESCRIBE_STREAM_SUMMARY),
        };
        Paces { describe_stream_summary, ..Paces::new() }
    }

    pub(crate) fn new() -> Paces {
        Paces {
            put_metric_alarm: Pace::of(quota::PUT_METRIC_ALARM),
            set_alarm_state: Pace::of(quota::SET_ALARM_STATE),
            delete_alarms: Pace::of(quota::DELETE_ALARMS),
            describe_alarms: Pace::of(quota::DESCRIBE_ALARMS),
            describe_stream_summary: Pace::of(quota::DESCRIBE_STREAM_SUMMARY),
            describe_limits: Pace::of(quota::DESCRIBE_LIMITS),
            list_streams: Pace::of(quota::LIST_STREAMS),
            update_shard_count: Pace::shared(
                quota::UPDATE_SHARD_COUNT,
                quota::UPDATE_SHARD_COUNT_SHARERS,
            ),
            update_stream_mode: Pace::of(quota::UPDATE_STREAM_MODE),
            list_event_source_mappings: Pace::of(quota::LIST_EVENT_SOURCE_MAPPINGS),
            list_delivery_streams: Pace::of(quota::LIST_DELIVERY_STREAMS),
            describe_delivery_stream: Pace::of(quota::DESCRIBE_DELIVERY_STREAM),
            get_metric_data: Pace::of(quota::GET_METRIC_DATA),
            list_metrics: Pace::of(quota::LIST_METRICS),
            metric_points: Pace::of(quota::METRIC_POINTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn calls_are_spaced_and_stay_below_the_quota() {
        let pace = Pace::of(3);
        let start = Instant::now();
        let mut turns = Vec::new();
        for _ in 0..10 {
            pace.turn().await;
            turns.push(start.elapsed());
        }
        assert_eq!(turns[0], Duration::ZERO, "the first call does not wait");
        let busiest = turns
            .iter()
            .map(|from| {
                let second = *from..*from + Duration::from_secs(1);
                turns.iter().filter(|at| second.contains(*at)).count()
            })
            .max();
        assert_eq!(busiest, Some(2), "two thirds of three");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_counts_as_many_takes_as_long() {
        let pace = Pace::of(396_000);
        let start = Instant::now();
        for _ in 0..5 {
            pace.turns(90_720).await;
        }
        // Four times 90,720 in at least this long are no more than two thirds of the quota.
        assert!(start.elapsed() >= Duration::from_millis(1_374), "{:?}", start.elapsed());
        assert!(start.elapsed() <= Duration::from_millis(1_400), "{:?}", start.elapsed());
    }

    /// Each of the executors keeps its own pace; together they stay below the account's quota.
    #[tokio::test(start_paused = true)]
    async fn functions_at_the_same_time_share_a_quota() {
        let paces: Vec<Pace> = (0..10).map(|_| Pace::shared(10, 10)).collect();
        let start = Instant::now();
        for _ in 0..10 {
            for pace in &paces {
                pace.turn().await;
            }
        }
        // After the first call of each, nine rounds of ten at nine a second.
        assert_eq!(start.elapsed().as_millis() / 100, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_is_not_saved_up() {
        let pace = Pace::of(10);
        pace.turn().await;
        advance(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..3 {
            pace.turn().await;
        }
        assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn callers_at_the_same_time_take_turns() {
        let pace = Pace::of(1);
        let start = Instant::now();
        tokio::join!(pace.turn(), pace.turn(), pace.turn());
        assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
    }
}
