//! Laws 1, 4 and 6, which count calls: never more than ten reshards or two switches of mode in 24
//! hours, the last reshards kept from scale-in, and every call that AWS counts counted by the
//! ledger.
//!
//! AWS itself takes no call too many; so what is checked is that Weir does not ask for one.
//! Reshards made while the ledger was down, and other people's calls, are AWS's to refuse. Without
//! the ledger no mode is switched at all.

use std::collections::VecDeque;

use weir_control::ledger::StoredAction;
use weir_core::action::Change;
use weir_core::limits::{BUDGET_WINDOW_SECONDS, MODE_SWITCHES_PER_DAY_MAX, RESHARDS_PER_DAY_MAX};

use super::{Asked, Broken};
use crate::clock::Seconds;
use crate::stream::Caller;

/// Calls on one stream that AWS counts.
#[derive(Default)]
pub(crate) struct CountedCalls {
    reshards: Counted,
    switches: Counted,
}

/// Calls of one kind.
#[derive(Default)]
struct Counted {
    all: VecDeque<Seconds>,
    /// Those that Weir made with the ledger at hand.
    remembered: VecDeque<Seconds>,
}

fn in_window(calls: &mut VecDeque<Seconds>, now: Seconds) -> u32 {
    while calls.front().is_some_and(|at| at + BUDGET_WINDOW_SECONDS <= now) {
        calls.pop_front();
    }
    u32::try_from(calls.len()).unwrap_or(u32::MAX)
}

impl Counted {
    /// AWS took a call, of `most` that it takes.
    fn accepted(&mut self, now: Seconds, remembered: bool, most: u32) -> Option<Broken> {
        self.all.push_back(now);
        if remembered {
            self.remembered.push_back(now);
        }
        let taken = in_window(&mut self.all, now);
        (taken > most).then(|| (1, format!("AWS took {taken} calls in 24 hours")))
    }

    /// What the ledger counts is never less than what AWS counts of the calls made with it.
    fn check_ledger(
        &mut self,
        actions: &[StoredAction],
        now: Seconds,
        of_kind: fn(&Change) -> bool,
    ) -> Option<Broken> {
        let made = in_window(&mut self.remembered, now);
        let counted = actions
            .iter()
            .filter(|action| {
                of_kind(&action.record.change)
                    && action.record.outcome.counts()
                    && action.record.at.as_second() + BUDGET_WINDOW_SECONDS + 60 > now
            })
            .count();
        let counted = u32::try_from(counted).unwrap_or(u32::MAX);
        (counted < made).then(|| (6, format!("the ledger counts {counted} calls of {made}")))
    }
}

impl CountedCalls {
    /// Before AWS sees a reshard.
    pub(crate) fn check(&mut self, asked: &Asked<'_>) -> Option<Broken> {
        if !asked.with_ledger {
            return None;
        }
        let made = in_window(&mut self.reshards.remembered, asked.now);
        let left = RESHARDS_PER_DAY_MAX.saturating_sub(made);
        match () {
            () if left == 0 => Some((1, "an eleventh call in 24 hours".to_owned())),
            () if asked.to < asked.open && left <= asked.policy.reserved_calls => {
                Some((4, format!("a scale-in with {left} calls left")))
            }
            () => None,
        }
    }

    /// Before AWS sees a switch of mode by Weir.
    pub(crate) fn check_switch(&mut self, by: Caller, now: Seconds) -> Option<Broken> {
        if by == Caller::WeirWithoutLedger {
            return Some((1, "a switch of mode without the ledger".to_owned()));
        }
        (in_window(&mut self.switches.remembered, now) >= MODE_SWITCHES_PER_DAY_MAX)
            .then(|| (1, "a third switch of mode in 24 hours".to_owned()))
    }

    /// AWS took a reshard.
    pub(crate) fn resharded(&mut self, now: Seconds, remembered: bool) -> Option<Broken> {
        self.reshards.accepted(now, remembered, RESHARDS_PER_DAY_MAX)
    }

    /// AWS took a switch of mode.
    pub(crate) fn switched(&mut self, now: Seconds, remembered: bool) -> Option<Broken> {
        self.switches.accepted(now, remembered, MODE_SWITCHES_PER_DAY_MAX)
    }

    /// Whether the ledger counts every call that AWS counts.
    pub(crate) fn check_ledger(
        &mut self,
        actions: &[StoredAction],
        now: Seconds,
    ) -> Option<Broken> {
        let reshards = |change: &Change| matches!(change, Change::Reshard { .. });
        let switches = |change: &Change| matches!(change, Change::SwitchMode { .. });
        let reshards = self.reshards.check_ledger(actions, now, reshards);
        reshards.or_else(|| self.switches.check_ledger(actions, now, switches))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Call, START, checked};
    use super::*;
    use crate::clock::timestamp;
    use crate::metrics::Metrics;
    use weir_control::plan_id::PlanId;
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
            assert_eq!(calls.resharded(START + 3_600 * hour, true), None);
        }
        assert_eq!(law(&mut calls, 20, 23, true), Some(1));
        assert_eq!(law(&mut calls, 20, 23, false), None); // AWS refuses it
        assert_eq!(law(&mut calls, 20, 24, true), None);
        assert_eq!(calls.resharded(START + 3_600 * 23, true).map(|(law, _)| law), Some(1));
    }

    #[test]
    fn a_call_that_the_ledger_does_not_count_is_found() {
        let mut calls = CountedCalls::default();
        assert_eq!(calls.resharded(START, true), None);
        let stored = |outcome| StoredAction {
            plan: PlanId::of(timestamp(START), 1, None),
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
        let reason = weir_core::reasons::RefusalReason::StreamBusy;
        assert_eq!(law(&[stored(Outcome::Refused { reason })], 1), Some(6));
        assert_eq!(law(&[], 25), None);
    }

    #[test]
    fn a_third_switch_is_unlawful_and_so_is_one_without_the_ledger() {
        let mut calls = CountedCalls::default();
        let at = |hour: i64| START + 3_600 * hour;
        let law = |calls: &mut CountedCalls, by, hour| {
            calls.check_switch(by, at(hour)).map(|(law, _)| law)
        };
        assert_eq!(law(&mut calls, Caller::WeirWithoutLedger, 0), Some(1));
        for hour in [0, 10] {
            assert_eq!(law(&mut calls, Caller::Weir, hour), None);
            assert_eq!(calls.switched(at(hour), true), None);
        }
        assert_eq!(law(&mut calls, Caller::Weir, 23), Some(1));
        assert_eq!(law(&mut calls, Caller::Weir, 24), None);
        assert_eq!(calls.check_ledger(&[], at(24)).map(|(law, _)| law), Some(6));
        assert_eq!(calls.switched(at(23), false).map(|(law, _)| law), Some(1));
    }
}
