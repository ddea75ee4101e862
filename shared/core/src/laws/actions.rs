//! Laws of calls: never too many in 24 hours (1), never beyond what one call may change (2), one at
//! a time (5).

use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::action::{ActionRecord, Change, ChangeKind, settling};
use crate::budget::Budget;
use crate::limits;
use crate::observation::{CapacityMode, StreamState, StreamStatus};

/// What is wrong with a change, whatever the stream: it asks one call for more than one call does.
pub fn of_change(change: Change) -> Vec<Finding> {
    let Change::Reshard { from, to } = change else { return Vec::new() };
    let broken = match () {
        () if to == from => Some("is no change"),
        () if to < from.halved() || to > from.doubled() => Some("is beyond half or double"),
        () if to.get() > limits::SHARDS_PER_STREAM_MAX && to > from => {
            Some("is more than one stream can have")
        }
        () => None,
    };
    let found = |what| Finding::fatal(2, format!("{from} to {to} shards {what}"));
    broken.map(found).into_iter().collect()
}

/// What is wrong with a change that is about to be asked of this stream, after these actions of the
/// last 24 hours: besides [`of_change`], no call left for it, or another one under way.
pub fn of_order(
    change: Change,
    state: &StreamState,
    actions: &[ActionRecord],
    now: Timestamp,
) -> Vec<Finding> {
    let mut found = of_change(change);
    if let Some(reason) = Budget::at(now, actions).spent_on(change) {
        found.push(Finding::fatal(1, reason.meaning()));
    }
    if state.status != StreamStatus::Active || settling(actions, state, now).is_some() {
        found.push(Finding::fatal(5, "another change of the stream is under way"));
    }
    if actions.iter().any(|action| action.outcome.is_open()) {
        found.push(Finding::fatal(5, "nobody knows yet what became of the last call"));
    }
    let pointless = match change {
        Change::Reshard { from, .. } => {
            state.mode == CapacityMode::OnDemand || from != state.open_shards
        }
        Change::SwitchMode { to } => to == state.mode,
    };
    if pointless {
        found.push(Finding::fatal(5, "the stream is not what the order starts from"));
    }
    found
}

/// What is wrong with a row of actions on one stream, in any order: more calls counted in some 24
/// hours than AWS takes, or two at once of which nobody knows what became.
pub fn of_actions(actions: &[ActionRecord]) -> Vec<Finding> {
    let mut found = Vec::new();
    let kinds = [
        (ChangeKind::Reshard, limits::RESHARDS_PER_DAY_MAX, "reshards"),
        (ChangeKind::SwitchMode, limits::MODE_SWITCHES_PER_DAY_MAX, "mode switches"),
    ];
    let day = SignedDuration::from_secs(limits::BUDGET_WINDOW_SECONDS);
    for (kind, most, what) in kinds {
        let counted = actions.iter().filter(|a| a.change.kind() == kind && a.outcome.counts());
        let mut times: Vec<Timestamp> = counted.map(|action| action.at).collect();
        times.sort_unstable();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let too_many = times.windows(most + 1).find(|w| w[most].duration_since(w[0]) < day);
        found.extend(too_many.map(|window| {
            Finding::fatal(1, format!("{} {what} in the 24 hours from {}", window.len(), window[0]))
        }));
    }
    let open = actions.iter().filter(|action| action.outcome.is_open()).count();
    if open > 1 {
        found.push(Finding::fatal(5, format!("{open} actions are in flight at once")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Outcome;
    use crate::units::Shards;

    fn shards(count: u32) -> Shards {
        Shards::at_least_one(count)
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).expect("a time")
    }

    fn laws(found: &[Finding]) -> Vec<u32> {
        found.iter().map(|finding| finding.law).collect()
    }

    const SWITCH: Change = Change::SwitchMode { to: CapacityMode::OnDemand };

    fn actions(minutes: impl IntoIterator<Item = i64>, change: Change) -> Vec<ActionRecord> {
        let record = |minute| ActionRecord { at: at(minute), change, outcome: Outcome::Accepted };
        minutes.into_iter().map(record).collect()
    }

    #[test]
    fn one_call_changes_by_half_or_double_at_most() {
        let found = |from, to| of_change(Change::Reshard { from: shards(from), to: shards(to) });
        for (from, to) in [(10, 20), (11, 6), (6_000, 10_000), (12_000, 11_000)] {
            assert_eq!(found(from, to), [], "{from} to {to}");
        }
        for (from, to) in [(10, 21), (11, 5), (10, 10), (6_000, 10_001)] {
            assert_eq!(laws(&found(from, to)), [2], "{from} to {to}");
        }
        assert_eq!(of_change(SWITCH), []);
    }

    #[test]
    fn calls_are_counted_in_any_24_hours_and_each_kind_for_itself() {
        let reshard = Change::Reshard { from: shards(4), to: shards(8) };
        let hourly = |count: i64| actions((0..count).map(|hour| 60 * hour), reshard);
        assert_eq!(of_actions(&hourly(10)), []);
        assert_eq!(laws(&of_actions(&hourly(11))), [1]);
        // Eleven of which the first has left the window when the last comes.
        let mut spread = hourly(10);
        spread.extend(actions([24 * 60], reshard));
        assert_eq!(of_actions(&spread), []);
        spread.extend(actions([10, 20], SWITCH));
        assert_eq!(of_actions(&spread), []);
        spread.extend(actions([30], SWITCH));
        assert_eq!(laws(&of_actions(&spread)), [1]);
        spread[12].outcome = Outcome::Refused { reason: crate::reasons::RefusalReason::StreamBusy };
        assert_eq!(of_actions(&spread), []);
    }

    #[test]
    fn two_calls_are_never_in_flight_at_once() {
        let mut two = actions([0, 1], SWITCH);
        two[0].outcome = Outcome::Intended;
        assert_eq!(of_actions(&two), []);
        two[1].outcome = Outcome::Intended;
        assert_eq!(laws(&of_actions(&two)), [5]);
    }

    #[test]
    fn an_order_starts_from_what_the_stream_is_and_from_a_call_that_is_left() {
        let state = StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Active,
            open_shards: shards(10),
            retention_hours: 24,
            held_on_demand_by: None,
            created_at: None,
        };
        let reshard = |from, to| Change::Reshard { from: shards(from), to: shards(to) };
        let found = |change, state: &StreamState, actions: &[ActionRecord]| {
            laws(&of_order(change, state, actions, at(1_000)))
        };
        assert_eq!(found(reshard(10, 20), &state, &[]), []);
        assert_eq!(found(SWITCH, &state, &[]), []);
        assert_eq!(found(reshard(9, 18), &state, &[]), [5]);
        let ten = actions(100..110, reshard(10, 20));
        assert_eq!(found(reshard(10, 20), &state, &ten), [1]);
        assert_eq!(found(SWITCH, &state, &ten), []);
        assert_eq!(found(SWITCH, &state, &actions([100, 200], SWITCH)), [1]);
        let just_asked = actions([1_000], reshard(10, 5));
        assert_eq!(found(reshard(10, 20), &state, &just_asked), [5]);
        let mut in_flight = actions([900], reshard(20, 10));
        in_flight[0].outcome = Outcome::Intended;
        assert_eq!(found(reshard(10, 20), &state, &in_flight), [5]);
        let updating = StreamState { status: StreamStatus::Updating, ..state.clone() };
        assert_eq!(found(reshard(10, 20), &updating, &[]), [5]);
        let on_demand = StreamState { mode: CapacityMode::OnDemand, ..state };
        assert_eq!(found(reshard(10, 20), &on_demand, &[]), [5]);
        assert_eq!(found(SWITCH, &on_demand, &[]), [5]);
    }
}
