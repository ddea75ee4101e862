//! Law 5: one action in flight per stream.

use weir_control::ledger::StoredAction;
use weir_core::action::ActionRecord;
use weir_core::laws;

use super::{Asked, Broken, first};
use crate::clock::Seconds;
use crate::stream::{Caller, Stream};

/// No call on a stream that Weir itself is changing. Somebody else's reshard may come in between
/// the look and the call; and where either call was made without the ledger, AWS's refusal is what
/// keeps them apart.
pub(crate) fn check(asked: &Asked<'_>) -> Option<Broken> {
    if asked.switching.is_some_and(|switch| switch.remembered && asked.with_ledger) {
        return Some((5, "called while a switch of mode is under way".to_owned()));
    }
    let moving = asked.moving.filter(|moving| moving.remembered && asked.with_ledger)?;
    Some((5, format!("called while {} to {} shards is under way", moving.from, moving.to)))
}

/// The same for a switch of mode.
pub(crate) fn check_switch(stream: &Stream, by: Caller, now: Seconds) -> Option<Broken> {
    let moving = stream.moving(now).is_some_and(|motion| motion.remembered);
    let switching = stream.switching(now).is_some_and(|switch| switch.remembered);
    (by == Caller::Weir && (moving || switching))
        .then(|| (5, "a switch of mode while another change is under way".to_owned()))
}

/// What the ledger holds: never two actions of which nobody knows what became of them.
pub(crate) fn check_actions(actions: &[StoredAction]) -> Option<Broken> {
    let records: Vec<ActionRecord> = actions.iter().map(|action| action.record).collect();
    let found = laws::of_actions(&records).into_iter();
    // Calls made without the ledger, and other people's, may be more than a day has.
    first(found.filter(|found| found.law == 5).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Call, START, checked};
    use super::*;
    use crate::metrics::Metrics;
    use crate::stream::Motion;

    #[test]
    fn a_call_on_a_stream_that_weir_is_changing_is_unlawful() {
        let lawful = |remembered, with_ledger| {
            let moving = Motion {
                from: 10,
                to: 20,
                visible_at: START,
                begins_at: START,
                ends_at: START + 86_400,
                steps: false,
                remembered,
            };
            let call = Call { moving: Some(moving), with_ledger, ..Call::default() };
            checked(call, &Metrics::new(START, 0), check).is_none()
        };
        assert!(!lawful(true, true));
        assert!(lawful(false, true) && lawful(true, false));
    }
}
