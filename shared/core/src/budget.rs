//! What is left of the calls AWS allows in 24 hours.
//!
//! AWS answers the daily limit with the same error as a momentary throttle, so the ledger's own
//! count is the only way to know. Not here: what the remaining calls are spent on (`plan`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::action::{ActionRecord, Change};
use crate::limits;
use crate::reasons::RefusalReason;

/// Seconds added to AWS's window. An action is dated before its call is made, so AWS's clock for it
/// starts a little later than ours; two minutes cover a slow call and a skewed clock.
const WINDOW_MARGIN_SECONDS: i64 = 120;

/// Calls used and left for one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// UpdateShardCount calls that AWS would count.
    pub reshards_used: u32,
    /// UpdateStreamMode calls that AWS would count.
    pub mode_switches_used: u32,
    /// When the oldest counted reshard leaves the window; `None` when none is counted.
    pub next_reshard_freed_at: Option<Timestamp>,
    /// When the older counted mode switch leaves the window; `None` when none is counted.
    pub next_mode_switch_freed_at: Option<Timestamp>,
}

impl Budget {
    /// Counts the actions that still lie in the window at `now`. An action dated in the future (a
    /// clock that jumped back) counts too.
    ///
    /// ```
    /// use weir_core::budget::Budget;
    ///
    /// let budget = Budget::at("2026-11-21T12:00:00Z".parse()?, &[]);
    /// assert_eq!((budget.reshards_left(), budget.mode_switches_left()), (10, 2));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn at(now: Timestamp, actions: &[ActionRecord]) -> Budget {
        let window =
            SignedDuration::from_secs(limits::BUDGET_WINDOW_SECONDS + WINDOW_MARGIN_SECONDS);
        let counted = || {
            actions
                .iter()
                .filter(|a| a.outcome.counts() && a.at.checked_add(window).is_ok_and(|t| t > now))
        };
        let of_kind = |matching: fn(&Change) -> bool| {
            let freed: Vec<Timestamp> = counted()
                .filter(|a| matching(&a.change))
                .map(|a| a.at.checked_add(window).unwrap_or(Timestamp::MAX))
                .collect();
            (u32::try_from(freed.len()).unwrap_or(u32::MAX), freed.into_iter().min())
        };
        let (reshards_used, next_reshard_freed_at) =
            of_kind(|change| matches!(change, Change::Reshard { .. }));
        let (mode_switches_used, next_mode_switch_freed_at) =
            of_kind(|change| matches!(change, Change::SwitchMode { .. }));
        Budget {
            reshards_used,
            mode_switches_used,
            next_reshard_freed_at,
            next_mode_switch_freed_at,
        }
    }

    /// Reshards that may still be made.
    pub fn reshards_left(&self) -> u32 {
        limits::RESHARDS_PER_DAY_MAX.saturating_sub(self.reshards_used)
    }

    /// Mode switches that may still be made.
    pub fn mode_switches_left(&self) -> u32 {
        limits::MODE_SWITCHES_PER_DAY_MAX.saturating_sub(self.mode_switches_used)
    }

    /// Why no call is left for this change, where none is.
    pub fn spent_on(&self, change: Change) -> Option<RefusalReason> {
        let (left, reason) = match change {
            Change::Reshard { .. } => (self.reshards_left(), RefusalReason::BudgetSpent),
            Change::SwitchMode { .. } => {
                (self.mode_switches_left(), RefusalReason::ModeSwitchesSpent)
            }
        };
        (left == 0).then_some(reason)
    }

    /// How long before `now` an action may lie and still matter: what the ledger must be asked for.
    pub fn window_start(now: Timestamp) -> Timestamp {
        let window = limits::BUDGET_WINDOW_SECONDS + WINDOW_MARGIN_SECONDS;
        now.checked_sub(SignedDuration::from_secs(window)).unwrap_or(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Outcome;
    use crate::reasons::RefusalReason;
    use crate::units::Shards;

    fn reshard(at: &str, outcome: Outcome) -> ActionRecord {
        let change = Change::Reshard { from: Shards::ONE, to: Shards::ONE.doubled() };
        ActionRecord { at: at.parse().expect("a timestamp"), change, outcome }
    }

    #[test]
    fn unknown_and_unanswered_calls_count_and_refused_ones_do_not() {
        let now = "2026-11-21T12:00:00Z".parse().expect("a timestamp");
        let actions = [
            reshard("2026-11-20T11:57:00Z", Outcome::Accepted), // just left the window
            reshard("2026-11-20T11:59:00Z", Outcome::Accepted), // kept by the margin
            reshard("2026-11-21T01:00:00Z", Outcome::Intended),
            reshard("2026-11-21T02:00:00Z", Outcome::Unknown),
            reshard("2026-11-21T03:00:00Z", Outcome::Refused { reason: RefusalReason::StreamBusy }),
            reshard("2026-11-21T12:05:00Z", Outcome::Accepted), // a clock that jumped back
        ];
        let budget = Budget::at(now, &actions);
        assert_eq!((budget.reshards_used, budget.reshards_left()), (4, 6));
        assert_eq!(
            budget.next_reshard_freed_at.map(|t| t.to_string()).as_deref(),
            Some("2026-11-21T12:01:00Z")
        );
    }
}
