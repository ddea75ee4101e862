//! The ledger in memory, with the conditions that the real one puts on its writes.
//!
//! Not here: when it is down, or loses an answer (`faults`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use weir_control::ledger::{
    Claim, Claimed, PauseNote, Planned, StoredAction, StoredIncident, StreamRecord,
};
use weir_control::plan_id::PlanId;
use weir_core::action::ActionRecord;
use weir_core::incident::{Incident, Subject};
use weir_core::units::StreamName;

/// What is no longer in any budget's window is forgotten.
const KEPT: SignedDuration = SignedDuration::from_hours(72);

struct Row {
    record: StreamRecord,
    registered: bool,
    /// The plan that was claimed last, whether or not its claim was given back.
    claimed: Option<PlanId>,
}

/// Everything Weir remembers.
#[derive(Default)]
pub(crate) struct Ledger {
    rows: BTreeMap<StreamName, Row>,
    due: BTreeSet<(Timestamp, StreamName)>,
    /// Until when a run has the turn.
    turn: Option<Timestamp>,
    /// The newest of each subject.
    incidents: BTreeMap<Subject, StoredIncident>,
}

/// A write whose condition did not hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConditionFailed;

impl Ledger {
    /// Those that are due, longest first.
    pub(crate) fn due(&self, now: Timestamp, most: usize) -> Vec<StreamName> {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        due.take(most).map(|(_, name)| name.clone()).collect()
    }

    /// Makes a registered stream due as of `since`, unless it was planned for after `asked_at`;
    /// whether it is registered.
    pub(crate) fn hasten(
        &mut self,
        stream: &StreamName,
        asked_at: Timestamp,
        since: Timestamp,
    ) -> bool {
        let Some(row) = self.rows.get_mut(stream).filter(|row| row.registered) else {
            return false;
        };
        let planned_at = row.record.latest_plan.as_ref().and_then(PlanId::planned_at);
        if row.record.revisit_at > since && planned_at.is_none_or(|at| at < asked_at) {
            row.record.version += 1;
            self.reschedule(stream, since);
        }
        true
    }

    /// Makes a registered stream due at `at`.
    pub(crate) fn postpone(&mut self, stream: &StreamName, at: Timestamp) {
        if self.rows.get(stream).is_some_and(|row| row.registered) {
            self.reschedule(stream, at);
        }
    }

    fn reschedule(&mut self, stream: &StreamName, at: Timestamp) {
        if let Some(row) = self.rows.get_mut(stream) {
            let before = std::mem::replace(&mut row.record.revisit_at, at);
            self.due.remove(&(before, stream.clone()));
            self.due.insert((at, stream.clone()));
        }
    }

    pub(crate) fn read(&self, stream: &StreamName, since: Timestamp) -> Option<StreamRecord> {
        let record = &self.rows.get(stream)?.record;
        Some(StreamRecord {
            version: record.version,
            revisit_at: record.revisit_at,
            pause: record.pause.clone(),
            latest_plan: record.latest_plan.clone(),
            claim: record.claim.clone(),
            last_seen: record.last_seen,
            profile: record.profile.clone(),
            actions: record.actions.iter().filter(|a| a.record.at >= since).cloned().collect(),
        })
    }

    /// Whether a run may have the turn until `until`.
    pub(crate) fn begin_turn(&mut self, now: Timestamp, until: Timestamp) -> bool {
        let free = self.turn.is_none_or(|held_until| held_until <= now);
        if free {
            self.turn = Some(until);
        }
        free
    }

    /// The turn that lasts until `until` is over.
    pub(crate) fn end_turn(&mut self, until: Timestamp) {
        self.turn.take_if(|held_until| *held_until == until);
    }

    /// When the newest plan of a stream was made.
    pub(crate) fn planned_at(&self, stream: &StreamName) -> Option<Timestamp> {
        self.rows.get(stream)?.record.latest_plan.as_ref()?.planned_at()
    }

    /// The actions of a stream, none left out.
    pub(crate) fn actions(&self, stream: &StreamName) -> &[StoredAction] {
        self.rows.get(stream).map_or(&[], |row| &row.record.actions)
    }

    pub(crate) fn record_plan(&mut self, stream: &StreamName, planned: &Planned) -> bool {
        let row = self.row(stream, planned.revisit_at);
        if row.record.version != planned.from_version {
            return false;
        }
        row.record.version += 1;
        row.record.latest_plan = Some(planned.id.clone());
        if planned.last_seen.is_some() {
            row.record.last_seen = planned.last_seen;
        }
        if planned.learnt.is_some() {
            row.record.profile.clone_from(&planned.learnt);
        }
        row.registered = true;
        let before = std::mem::replace(&mut row.record.revisit_at, planned.revisit_at);
        self.due.remove(&(before, stream.clone()));
        self.due.insert((planned.revisit_at, stream.clone()));
        true
    }

    pub(crate) fn claim(&mut self, stream: &StreamName, plan: &PlanId, now: Timestamp) -> Claimed {
        let row = self.row(stream, now);
        if row.claimed.as_ref() == Some(plan) {
            return Claimed::Before;
        }
        if row.record.claim.is_some() {
            return Claimed::OtherInFlight;
        }
        if row.record.latest_plan.as_ref() != Some(plan) {
            return Claimed::Superseded;
        }
        row.record.claim = Some(Claim { plan: plan.clone(), at: now });
        row.claimed = Some(plan.clone());
        Claimed::Ours
    }

    pub(crate) fn record_intent(
        &mut self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> Result<(), ConditionFailed> {
        let row = self.rows.get_mut(stream).ok_or(ConditionFailed)?;
        if row.record.claim.as_ref().is_none_or(|claim| claim.plan != *plan) {
            return Err(ConditionFailed);
        }
        row.upsert(plan, action);
        Ok(())
    }

    /// The first half of writing an outcome down; the claim is given back by [`Ledger::release`].
    pub(crate) fn record_action(
        &mut self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) {
        self.row(stream, action.at).upsert(plan, action);
    }

    pub(crate) fn record_published(&mut self, stream: &StreamName, plan: &PlanId) {
        let row = self.rows.get_mut(stream);
        let action = row.and_then(|r| r.record.actions.iter_mut().find(|a| a.plan == *plan));
        if let Some(action) = action {
            action.published = true;
        }
    }

    pub(crate) fn release(&mut self, stream: &StreamName, plan: &PlanId) {
        if let Some(row) = self.rows.get_mut(stream) {
            row.record.claim.take_if(|claim| claim.plan == *plan);
        }
    }

    pub(crate) fn registered(&self) -> Vec<StreamName> {
        self.rows.iter().filter(|(_, row)| row.registered).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn register(&mut self, stream: &StreamName, due_at: Timestamp) {
        let row = self.row(stream, due_at);
        if !row.registered {
            row.registered = true;
            row.record.revisit_at = due_at;
            self.due.insert((due_at, stream.clone()));
        }
    }

    pub(crate) fn retire(&mut self, stream: &StreamName) {
        if let Some(row) = self.rows.get_mut(stream) {
            row.registered = false;
            self.due.remove(&(row.record.revisit_at, stream.clone()));
        }
    }

    pub(crate) fn set_pause(
        &mut self,
        stream: &StreamName,
        pause: Option<PauseNote>,
        now: Timestamp,
    ) {
        self.row(stream, now).record.pause = pause;
    }

    /// The newest incident of a subject.
    pub(crate) fn newest_incident(&self, subject: &Subject) -> Option<&StoredIncident> {
        self.incidents.get(subject)
    }

    /// Those about which something is left to be done.
    pub(crate) fn open_incidents(&self) -> Vec<StoredIncident> {
        let all = self.incidents.values();
        all.filter(|stored| stored.incident.is_open()).cloned().collect()
    }

    /// Writes an incident down, and gives the version it then has; `None` where its subject is not
    /// at the version it was read at.
    pub(crate) fn record_incident(
        &mut self,
        incident: &Incident,
        read_at_version: Option<u64>,
    ) -> Option<u64> {
        let held = self.incidents.get(&incident.subject).map(|stored| stored.version);
        if held != read_at_version {
            return None;
        }
        let version = held.unwrap_or(0) + 1;
        let stored = StoredIncident { incident: incident.clone(), version };
        self.incidents.insert(incident.subject.clone(), stored);
        Some(version)
    }

    fn row(&mut self, stream: &StreamName, now: Timestamp) -> &mut Row {
        self.rows.entry(stream.clone()).or_insert_with(|| Row {
            record: StreamRecord::new(now),
            registered: false,
            claimed: None,
        })
    }
}

impl Row {
    fn upsert(&mut self, plan: &PlanId, action: &ActionRecord) {
        let actions = &mut self.record.actions;
        match actions.iter_mut().find(|stored| stored.plan == *plan) {
            Some(stored) => stored.record = *action,
            None => {
                actions.push(StoredAction {
                    plan: plan.clone(),
                    record: *action,
                    published: false,
                });
                actions.sort_by_key(|stored| stored.record.at);
            }
        }
        actions.retain(|stored| action.at.duration_since(stored.record.at) < KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::ledger::LastSeen;
    use weir_core::action::{Change, Outcome};
    use weir_core::units::Shards;

    fn stream() -> StreamName {
        StreamName::new("orders").expect("a name")
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).expect("a timestamp")
    }

    /// A ledger with one plan more than it had.
    fn plan(ledger: &mut Ledger, version: u64, minute: i64) -> PlanId {
        let id = PlanId::of(at(minute), version + 1, None);
        let planned = Planned {
            id: id.clone(),
            from_version: version,
            revisit_at: at(minute + 10),
            last_seen: Some(LastSeen::Provisioned { open: Shards::ONE }),
            learnt: None,
            event: None,
        };
        assert!(ledger.record_plan(&stream(), &planned));
        id
    }

    fn action(minute: i64, outcome: Outcome) -> ActionRecord {
        let change = Change::Reshard { from: Shards::ONE, to: Shards::ONE.doubled() };
        ActionRecord { at: at(minute), change, outcome }
    }

    #[test]
    fn only_one_plan_can_be_made_from_a_version() {
        let mut ledger = Ledger::default();
        plan(&mut ledger, 0, 0);
        let late = Planned {
            id: PlanId::of(at(1), 1, None),
            from_version: 0,
            revisit_at: at(9),
            last_seen: None,
            learnt: None,
            event: None,
        };
        assert!(!ledger.record_plan(&stream(), &late));
        assert_eq!((ledger.due(at(9), 9), ledger.due(at(10), 9)), (vec![], vec![stream()]));
    }

    #[test]
    fn a_plan_is_claimed_once_and_only_the_newest_while_nothing_is_in_flight() {
        let mut ledger = Ledger::default();
        let first = plan(&mut ledger, 0, 0);
        let second = plan(&mut ledger, 1, 1);
        let claim = |ledger: &mut Ledger, plan| ledger.claim(&stream(), plan, at(2));
        assert_eq!(claim(&mut ledger, &first), Claimed::Superseded);
        assert_eq!(claim(&mut ledger, &second), Claimed::Ours);
        assert_eq!(claim(&mut ledger, &second), Claimed::Before);
        let third = plan(&mut ledger, 2, 3);
        assert_eq!(claim(&mut ledger, &third), Claimed::OtherInFlight);
        ledger.release(&stream(), &first); // not its claim to give back
        assert_eq!(claim(&mut ledger, &third), Claimed::OtherInFlight);
        ledger.release(&stream(), &second);
        assert_eq!(claim(&mut ledger, &second), Claimed::Before);
        assert_eq!(claim(&mut ledger, &third), Claimed::Ours);
        ledger.release(&stream(), &third);
        assert_eq!(claim(&mut ledger, &third), Claimed::Before);
        assert_eq!(claim(&mut ledger, &second), Claimed::Superseded);
    }

    #[test]
    fn an_intent_needs_the_claim_and_an_outcome_takes_its_place() {
        let mut ledger = Ledger::default();
        let plan = plan(&mut ledger, 0, 0);
        let intend = |ledger: &mut Ledger| {
            ledger.record_intent(&stream(), &plan, &action(1, Outcome::Intended))
        };
        assert_eq!(intend(&mut ledger), Err(ConditionFailed));
        assert_eq!(ledger.claim(&stream(), &plan, at(1)), Claimed::Ours);
        assert_eq!(intend(&mut ledger), Ok(()));
        ledger.record_action(&stream(), &plan, &action(1, Outcome::Unknown));
        ledger.release(&stream(), &plan);
        let record = ledger.read(&stream(), at(0)).expect("a record");
        assert_eq!(record.claim, None);
        assert_eq!(record.action_records(), [action(1, Outcome::Unknown)]);
        assert_eq!(ledger.read(&stream(), at(2)).expect("a record").actions, []);
        assert_eq!(intend(&mut ledger), Err(ConditionFailed));
    }

    #[test]
    fn a_retired_stream_is_not_due_and_keeps_what_was_remembered() {
        let mut ledger = Ledger::default();
        ledger.register(&stream(), at(0));
        plan(&mut ledger, 0, 0);
        ledger.retire(&stream());
        assert_eq!((ledger.due(at(99), 9), ledger.registered()), (vec![], vec![]));
        ledger.register(&stream(), at(100));
        assert_eq!(ledger.due(at(100), 9), [stream()]);
        assert_eq!(ledger.read(&stream(), at(0)).map(|r| r.version), Some(1));
    }
}
