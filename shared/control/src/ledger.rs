//! What the ledger remembers, as types: the record of a stream, plans, claims, actions, pauses.
//!
//! Not here: storing them; `weir-aws` does so in DynamoDB, `weir-twin` in memory, both with the same
//! conditional writes.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::forecast::Profile;
use weir_core::incident::Incident;
use weir_core::units::Shards;

use crate::event::CapacityPlanned;

/// Names a plan of a stream: when it was made, and from which version of the record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanId(String);

impl PlanId {
    /// The id of the plan made at `planned_at` from version `version`; no two plans share it, as only one
    /// can move the record on from a version.
    pub fn of(planned_at: Timestamp, version: u64) -> PlanId {
        PlanId(format!("{planned_at}-v{version}"))
    }

    /// The id of a plan made while the ledger could not be read.
    pub fn without_ledger(planned_at: Timestamp) -> PlanId {
        PlanId(format!("{planned_at}-unrecorded"))
    }

    /// The id under which a change that somebody else made is written down.
    pub fn of_stranger(seen_at: Timestamp) -> PlanId {
        PlanId(format!("{seen_at}-not-ours"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PlanId {
    fn from(id: String) -> PlanId {
        PlanId(id)
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
    /// Open shards when the stream was last seen active and provisioned.
    pub open_shards: Option<Shards>,
    /// What plans have learnt of the stream.
    pub profile: Option<Profile>,
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
            open_shards: None,
            profile: None,
            actions: Vec::new(),
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

    /// A change of the shard count that no action of ours explains: somebody else's call, which AWS counts
    /// against the same daily limit.
    pub fn unexplained_change(&self, open: Shards, now: Timestamp) -> Option<ActionRecord> {
        let before = self.open_shards.filter(|before| *before != open)?;
        // Our newest counted call says what size we left it at; any other is not of our making.
        let newest = self.actions.iter().rfind(|action| action.record.outcome.counts());
        let explained = newest.is_some_and(
            |action| matches!(action.record.change, Change::Reshard { to, .. } if to == open),
        );
        let change = Change::Reshard { from: before, to: open };
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
    /// Open shards, where the stream was seen active and provisioned.
    pub open_shards: Option<Shards>,
    /// What the plan learnt of the stream, where that is new.
    pub learnt: Option<Profile>,
    /// The plan's event, kept where it says more than "as before".
    pub event: Option<CapacityPlanned>,
}

/// The newest incident of a subject, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredIncident {
    /// The incident.
    pub incident: Incident,
    /// The subject's version: grows by one with every write about it, so that two runs that each take a
    /// failure for a new one cannot both open an incident.
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

    #[test]
    fn a_size_that_our_newest_call_did_not_ask_for_is_a_strangers() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).expect("a time");
        let action = |minute, from, to, outcome| StoredAction {
            plan: PlanId::of(at(minute), 1),
            record: ActionRecord {
                at: at(minute),
                change: Change::Reshard { from: shards(from), to: shards(to) },
                outcome,
            },
            published: true,
        };
        let seen = |open, actions| StreamRecord {
            open_shards: Some(shards(open)),
            actions,
            ..StreamRecord::new(at(0))
        };
        let ours = vec![action(1, 4, 6, Outcome::Accepted)];
        assert_eq!(seen(4, ours.clone()).unexplained_change(shards(6), at(9)), None);
        // Somebody put it back to where we had it before.
        let back =
            seen(6, ours.clone()).unexplained_change(shards(4), at(9)).expect("a stranger's");
        assert_eq!(back.change, Change::Reshard { from: shards(6), to: shards(4) });
        // A refused call of ours asked for that size, and explains nothing.
        let refused = Outcome::Refused { reason: weir_core::reasons::Reason::StreamBusy };
        let mut actions = ours;
        actions.push(action(2, 6, 8, refused));
        assert!(seen(6, actions).unexplained_change(shards(8), at(9)).is_some());
    }
}
