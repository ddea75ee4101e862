//! What the ledger remembers, as types: the record of a stream, plans, claims, actions, pauses.
//!
//! Not here: storing them; `weir-aws` does so in DynamoDB, `weir-sim` in memory, both with the same
//! conditional writes.

use std::mem;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::incident::Incident;
use weir_core::observation::{CapacityMode, StreamState, StreamStatus};
use weir_core::profile::StreamProfile;
use weir_core::units::Shards;

use crate::event::CapacityPlanned;
use crate::plan_id::PlanId;

/// An operator's pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseNote {
    /// Who paused, and why.
    pub note: String,
    /// When it ends by itself; `None` when only a resume ends it.
    pub until: Option<Timestamp>,
}

impl PauseNote {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// A plan that an executor has taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which plan.
    pub plan: PlanId,
    /// Since when.
    pub at: Timestamp,
}

/// An action as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAction {
    /// The plan it carries out; one plan has at most one action.
    pub plan: PlanId,
    /// The action.
    pub record: ActionRecord,
    /// Whether its event has been published.
    pub published: bool,
}

/// A stream at rest. On demand AWS sets the open shards, so a change of them means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastSeen {
    /// It was provisioned.
    Provisioned {
        /// With so many shards.
        open: Shards,
    },
    /// It was on demand.
    OnDemand,
}

impl LastSeen {
    /// The stream as it is now; `None` while it is being changed.
    pub fn of(state: &StreamState) -> Option<LastSeen> {
        let seen = match state.mode {
            CapacityMode::Provisioned => LastSeen::Provisioned { open: state.open_shards },
            CapacityMode::OnDemand => LastSeen::OnDemand,
        };
        (state.status == StreamStatus::Active).then_some(seen)
    }

    /// Its mode.
    pub fn mode(self) -> CapacityMode {
        match self {
            LastSeen::Provisioned { .. } => CapacityMode::Provisioned,
            LastSeen::OnDemand => CapacityMode::OnDemand,
        }
    }
}

/// What is remembered of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRecord {
    /// Grows by one with every recorded plan.
    pub version: u64,
    /// When the stream is due.
    pub revisit_at: Timestamp,
    /// Whether Weir is paused for it.
    pub pause: Option<PauseNote>,
    /// The newest plan; only this one may be carried out.
    pub latest_plan: Option<PlanId>,
    /// The plan being carried out.
    pub claim: Option<Claim>,
    /// The stream when it was last seen active.
    pub last_seen: Option<LastSeen>,
    /// What plans have learnt of the stream.
    pub profile: Option<StreamProfile>,
    /// Actions of the budget window, oldest first.
    pub actions: Vec<StoredAction>,
}

impl StreamRecord {
    /// A stream that was just registered.
    pub fn new(now: Timestamp) -> StreamRecord {
        StreamRecord {
            version: 0,
            revisit_at: now,
            pause: None,
            latest_plan: None,
            claim: None,
            last_seen: None,
            profile: None,
            actions: Vec::new(),
        }
    }

    /// Forgets what was of an older stream of this name: AWS counts no call on it, and a size that
    /// it had is no change of this one's.
    pub fn forget_older_stream(&mut self, state: &StreamState) {
        let Some(created_at) = state.created_at else { return };
        self.actions.retain(|action| action.record.at >= created_at);
        let seen_at = self.latest_plan.as_ref().and_then(PlanId::planned_at);
        if seen_at.is_some_and(|at| at < created_at) {
            self.last_seen = None;
        }
    }

    /// The action that carries out `plan`.
    pub fn action_of(&self, plan: &PlanId) -> Option<&StoredAction> {
        self.actions.iter().find(|action| action.plan == *plan)
    }

    /// The actions as the planner takes them.
    pub fn action_records(&self) -> Vec<ActionRecord> {
        self.actions.iter().map(|action| action.record).collect()
    }

    /// A change of the stream that no action of ours explains: somebody else's call, which AWS
    /// counts against the same daily limits.
    pub fn unexplained_change(&self, seen: LastSeen, now: Timestamp) -> Option<ActionRecord> {
        let change = match (self.last_seen?, seen) {
            (LastSeen::Provisioned { open: from }, LastSeen::Provisioned { open: to }) => {
                (from != to).then_some(Change::Reshard { from, to })
            }
            // The shards that a stream brings back from on-demand mode are AWS's doing.
            (before, after) => {
                (before.mode() != after.mode()).then_some(Change::SwitchMode { to: after.mode() })
            }
        }?;
        // Our newest counted call of the kind says how we left the stream; anything else is not of
        // our making.
        let same_kind = |ours: &Change| mem::discriminant(ours) == mem::discriminant(&change);
        let newest = self
            .actions
            .iter()
            .map(|action| action.record)
            .rfind(|ours| ours.outcome.counts() && same_kind(&ours.change));
        let explained = newest.is_some_and(|ours| match (ours.change, change) {
            // AWS may come to rest on the way to what it was asked for.
            (Change::Reshard { from: left, to: left_at }, Change::Reshard { from, to }) => {
                let on_the_way = left.min(left_at) < to && to < left.max(left_at);
                left_at == to || (from == left && on_the_way)
            }
            (left_in, change) => left_in == change,
        });
        (!explained).then_some(ActionRecord { at: now, change, outcome: Outcome::Accepted })
    }
}

/// A plan on its way into the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its id.
    pub id: PlanId,
    /// The version of the record it was made from.
    pub from_version: u64,
    /// When the stream is due again.
    pub revisit_at: Timestamp,
    /// The stream, where it was seen active.
    pub last_seen: Option<LastSeen>,
    /// What the plan learnt of the stream, where that is new.
    pub learnt: Option<StreamProfile>,
    /// The plan's event, kept where it says more than "as before".
    pub event: Option<CapacityPlanned>,
}

/// The newest incident of a subject, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredIncident {
    /// The incident.
    pub incident: Incident,
    /// The subject's version: grows by one with every write about it, so that two runs that each
    /// take a failure for a new one cannot both open an incident.
    pub version: u64,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The plan is ours to carry out.
    Ours,
    /// This very plan was claimed before.
    Before,
    /// Another plan is being carried out.
    OtherInFlight,
    /// It is not the newest plan.
    Superseded,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(count: u32) -> Shards {
        Shards::at_least_one(count)
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(60 * minute).expect("a time")
    }

    fn action(minute: i64, change: Change, outcome: Outcome) -> StoredAction {
        let record = ActionRecord { at: at(minute), change, outcome };
        StoredAction {
            plan: PlanId::of(at(minute), 1, Some(record.change)),
            record,
            published: true,
        }
    }

    fn reshard(from: u32, to: u32) -> Change {
        Change::Reshard { from: shards(from), to: shards(to) }
    }

    fn provisioned(open: u32) -> LastSeen {
        LastSeen::Provisioned { open: shards(open) }
    }

    /// What is made of a stream that was `before`, with these actions behind it, and is `after`.
    fn unexplained(before: LastSeen, actions: &[StoredAction], after: LastSeen) -> Option<Change> {
        let record = StreamRecord {
            last_seen: Some(before),
            actions: actions.to_vec(),
            ..StreamRecord::new(at(0))
        };
        record.unexplained_change(after, at(9)).map(|stranger| stranger.change)
    }

    #[test]
    fn a_size_that_our_newest_call_did_not_ask_for_is_a_strangers() {
        let ours = action(1, reshard(4, 6), Outcome::Accepted);
        let from_to = |from, to, actions: &[StoredAction]| {
            unexplained(provisioned(from), actions, provisioned(to))
        };
        assert_eq!(from_to(4, 6, std::slice::from_ref(&ours)), None);
        // Somebody put it back to where we had it before.
        assert_eq!(from_to(6, 4, std::slice::from_ref(&ours)), Some(reshard(6, 4)));
        // A refused call of ours asked for that size, and explains nothing.
        let reason = weir_core::reasons::RefusalReason::StreamBusy;
        let refused = action(2, reshard(6, 8), Outcome::Refused { reason });
        assert_eq!(from_to(6, 8, &[ours.clone(), refused]), Some(reshard(6, 8)));
        // A switch that came to nothing does not hide the reshard before it.
        let to_on_demand = Change::SwitchMode { to: CapacityMode::OnDemand };
        let lost = action(2, to_on_demand, Outcome::Unknown);
        assert_eq!(from_to(4, 6, &[ours, lost]), None);
    }

    /// AWS took a reshard to 46 shards and came to rest at 41.
    #[test]
    fn a_reshard_that_ends_short_is_ours() {
        let ours = [action(1, reshard(32, 46), Outcome::Accepted)];
        let seen = |before, after| unexplained(provisioned(before), &ours, provisioned(after));
        assert_eq!(seen(32, 41), None);
        assert_eq!(seen(41, 46), None, "and went on later");
        // What lies beyond, or begins elsewhere, is somebody else's.
        assert_eq!(seen(32, 47), Some(reshard(32, 47)));
        assert_eq!(seen(41, 38), Some(reshard(41, 38)));
        let fewer = [action(1, reshard(46, 32), Outcome::Unknown)];
        assert_eq!(unexplained(provisioned(46), &fewer, provisioned(41)), None);
    }

    /// Deleted and made anew under its name: no call of the old stream's counts, and no size of
    /// its.
    #[test]
    fn nothing_is_left_of_an_older_stream_of_the_name() {
        let old = action(1, reshard(32, 54), Outcome::Accepted);
        let new = action(8, reshard(1, 2), Outcome::Accepted);
        let state = |created_at| StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Active,
            open_shards: shards(1),
            retention_hours: 24,
            held_on_demand_by: None,
            created_at,
        };
        let record = StreamRecord {
            last_seen: Some(provisioned(54)),
            latest_plan: Some(PlanId::of(at(3), 7, None)),
            actions: vec![old, new.clone()],
            ..StreamRecord::new(at(0))
        };
        let after = |created_at| {
            let mut record = record.clone();
            record.forget_older_stream(&state(created_at));
            record
        };
        let anew = after(Some(at(5)));
        assert_eq!((anew.last_seen, &anew.actions[..]), (None, &[new][..]));
        assert_eq!(anew.unexplained_change(provisioned(1), at(9)), None);
        for the_same in [Some(at(0)), None] {
            assert_eq!(after(the_same), record);
        }
    }

    #[test]
    fn a_mode_that_our_newest_switch_did_not_ask_for_is_a_strangers() {
        let to = |to| Change::SwitchMode { to };
        let (there, back) = (to(CapacityMode::OnDemand), to(CapacityMode::Provisioned));
        let switched = action(1, there, Outcome::Unknown);
        assert_eq!(unexplained(provisioned(4), &[], LastSeen::OnDemand), Some(there));
        let ours = [switched.clone()];
        assert_eq!(unexplained(provisioned(4), &ours, LastSeen::OnDemand), None);
        assert_eq!(unexplained(LastSeen::OnDemand, &ours, provisioned(4)), Some(back));
        let ours = [switched, action(2, back, Outcome::Accepted)];
        assert_eq!(unexplained(LastSeen::OnDemand, &ours, provisioned(4)), None);
    }

    #[test]
    fn the_shards_that_a_stream_brings_back_from_on_demand_are_no_strangers_reshard() {
        let back = Change::SwitchMode { to: CapacityMode::Provisioned };
        let ours =
            [action(1, reshard(2, 4), Outcome::Accepted), action(2, back, Outcome::Accepted)];
        assert_eq!(unexplained(LastSeen::OnDemand, &ours, provisioned(67)), None);
        assert_eq!(unexplained(LastSeen::OnDemand, &[], LastSeen::OnDemand), None);
        // From here on it is ours again.
        assert_eq!(unexplained(provisioned(67), &ours, provisioned(34)), Some(reshard(67, 34)));
    }
}
