//! Laws 1, 4 and 6, which count calls: never more than ten reshards and two mode switches in 24 hours, the last reshards kept from scale-in,
//! and every call that AWS counts counted by the ledger.
//!
//! AWS itself takes no eleventh call; so what is checked is that Weir does not ask for one. Calls made
//! while the ledger was down, and strangers' calls, are AWS's to refuse.

use std::collections::VecDeque;

use weir_control::ledger::StoredAction;
use weir_core::action::Change;
use weir_core::limits::{BUDGET_WINDOW_SECONDS, MODE_SWITCHES_PER_DAY_MAX, RESHARDS_PER_DAY_MAX};

use super::{Asked, Broken};
use crate::clock::Seconds;

/// Calls on one stream that AWS counts.
#[derive(Default)]
pub(crate) struct CountedCalls {
    all: VecDeque<Seconds>,
    /// Those that Weir made with the ledger at hand.
    remembered: VecDeque<Seconds>,
    /// Weir's mode switches; it makes none without the ledger.
    switches: VecDeque<Seconds>,
}

fn in_window(calls: &mut VecDeque<Seconds>, now: Seconds) -> u32 {
    while calls.front().is_some_and(|at| at + BUDGET_WINDOW_SECONDS <= now) {
        calls.pop_front();
    }
    u32::try_from(calls.len()).unwrap_or(u32::MAX)
}

impl CountedCalls {
    /// Before AWS sees the call.
    pub(crate) fn check(&mut self, asked: &Asked<'_>) -> Option<Broken> {
        if !asked.with_ledger {
            return None;
        }
        let left = RESHARDS_PER_DAY_MAX.saturating_sub(in_window(&mut self.remembered, asked.now));
        match () {
            () if left == 0 => Some((1, "an eleventh call in 24 hours".to_owned())),
            () if asked.to < asked.open && left <= asked.policy.reserved_calls => {
                Some((4, format!("a scale-in with {left} calls left")))
            }
            () => None,
        }
    }

    /// AWS took a call.
    pub(crate) fn accepted(&mut self, now: Seconds, remembered: bool) -> Option<Broken> {
        self.all.push_back(now);
        if remembered {
            self.remembered.push_back(now);
        }
        let taken = in_window(&mut self.all, now);
        (taken > RESHARDS_PER_DAY_MAX).then(|| (1, format!("AWS took {taken} calls in 24 hours")))
    }

    /// Before AWS sees a mode switch of Weir's.
    pub(crate) fn check_switch(&mut self, now: Seconds) -> Option<Broken> {
        let taken = in_window(&mut self.switches, now);
        (taken >= MODE_SWITCHES_PER_DAY_MAX)
            .then(|| (1, format!("a mode switch after {taken} in 24 hours")))
    }

    /// AWS took a mode switch of Weir's.
    pub(crate) fn switched(&mut self, now: Seconds) {
        self.switches.push_back(now);
    }

    /// What the ledger counts is never less than what AWS counts of the calls made with it.
    pub(crate) fn check_ledger(
        &mut self,
        actions: &[StoredAction],
        now: Seconds,
    ) -> Option<Broken> {
        let counted = |matching: fn(&Change) -> bool| {
            let counted = actions.iter().map(|action| &action.record).filter(|record| {
                matching(&record.change)
                    && record.outcome.counts()
                    && record.at.as_second() + BUDGET_WINDOW_SECONDS + 60 > now
            });
            u32::try_from(counted.count()).unwrap_or(u32::MAX)
        };
        let reshards = counted(|change| matches!(change, Change::Reshard { .. }));
        let switches = counted(|change| matches!(change, Change::SwitchMode { .. }));
        let made = in_window(&mut self.remembered, now);
        let switched = in_window(&mut self.switches, now);
        match () {
            () if reshards < made => {
                Some((6, format!("the ledger counts {reshards} reshards of {made}")))
            }
            () if switches < switched => {
                Some((6, format!("the ledger counts {switches} mode switches of {switched}")))
            }
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Call, START, checked};
    use super::*;
    use crate::clock::timestamp;
    use crate::metrics::Metrics;
    use weir_control::ledger::PlanId;
    use weir_core::action::{ActionRecord, Outcome};
    use weir_core::units::Shards;

    fn law(calls: &mut CountedCalls, to: u32, hour: i64, with_ledger: bool) -> Option<u32> {
        let call = Call { to, with_ledger, now: START + 3_600 * hour, ..Call::default() };
        let broken = checked(call, &Metrics::new(START, 0), |asked| calls.check(asked));
        broken.map(|(law, _)| law)
    }

    #[test]
    fn the_eleventh_call_is_unlawful_and_so_is_a_scale_in_that_takes_a_reserved_one() {
        let mut calls = CountedCalls::default();
        for hour in 0..10 {
            assert_eq!(law(&mut calls, 20, hour, true), None);
            assert_eq!(law(&mut calls, 9, hour, true), (hour >= 7).then_some(4));
            assert_eq!(calls.accepted(START + 3_600 * hour, true), None);
        }
        assert_eq!(law(&mut calls, 20, 23, true), Some(1));
        assert_eq!(law(&mut calls, 20, 23, false), None); // AWS refuses it
        assert_eq!(law(&mut calls, 20, 24, true), None);
        assert_eq!(calls.accepted(START + 3_600 * 23, true).map(|(law, _)| law), Some(1));
    }

    #[test]
    fn a_call_that_the_ledger_does_not_count_is_found() {
        let mut calls = CountedCalls::default();
        assert_eq!(calls.accepted(START, true), None);
        let stored = |outcome| StoredAction {
            plan: PlanId::of(timestamp(START), 1),
            record: ActionRecord {
                at: timestamp(START),
                change: Change::Reshard { from: Shards::ONE, to: Shards::ONE.doubled() },
                outcome,
            },
            published: true,
        };
        let mut law = |actions: &[StoredAction], hour: i64| {
            calls.check_ledger(actions, START + 3_600 * hour).map(|(law, _)| law)
        };
        assert_eq!(law(&[stored(Outcome::Unknown)], 1), None);
        assert_eq!(law(&[], 1), Some(6));
        let reason = weir_core::reasons::Reason::StreamBusy;
        assert_eq!(law(&[stored(Outcome::Refused { reason })], 1), Some(6));
        assert_eq!(law(&[], 25), None);
    }
}
