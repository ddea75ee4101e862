//! Actions: the calls that change a stream, as the ledger remembers them.
//!
//! Not here: how many are left (`budget`), or making them (`weir-control`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::observation::{CapacityMode, StreamState};
use crate::reasons::RefusalReason;
use crate::units::Shards;

/// One call that changes a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// One UpdateShardCount.
    Reshard {
        /// Open shards before.
        from: Shards,
        /// Open shards asked for.
        to: Shards,
    },
    /// One UpdateStreamMode.
    SwitchMode {
        /// The mode asked for.
        to: CapacityMode,
    },
}

/// Which API call a change is: each has a budget of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// UpdateShardCount.
    Reshard,
    /// UpdateStreamMode.
    SwitchMode,
}

impl Change {
    /// Which call it is.
    pub fn kind(self) -> ChangeKind {
        match self {
            Change::Reshard { .. } => ChangeKind::Reshard,
            Change::SwitchMode { .. } => ChangeKind::SwitchMode,
        }
    }

    /// Whether it adds shards.
    pub fn is_scale_out(self) -> bool {
        matches!(self, Change::Reshard { from, to } if to > from)
    }
}

/// What became of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Written down, perhaps sent: nobody knows yet.
    Intended,
    /// AWS took it.
    Accepted,
    /// It was not made, or AWS refused it.
    Refused {
        /// Why.
        reason: RefusalReason,
    },
    /// Sent, and the answer was lost.
    Unknown,
}

impl Outcome {
    /// Whether the action counts against the day's budget. What nobody knows counts. A call that
    /// AWS refused is taken not to count; AWS does not say.
    pub fn counts(self) -> bool {
        !matches!(self, Outcome::Refused { .. })
    }

    /// Whether the ledger still waits to hear what became of it.
    pub fn is_open(self) -> bool {
        matches!(self, Outcome::Intended)
    }
}

/// An action as remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// When it was intended: never later than the call itself.
    pub at: Timestamp,
    /// The call.
    pub change: Change,
    /// What became of it.
    pub outcome: Outcome,
}

/// The kind of the change that was just asked for and that the stream does not show yet: until it
/// does it takes no further one. What came before that was waited for when it was made.
pub fn settling(
    actions: &[ActionRecord],
    state: &StreamState,
    now: Timestamp,
) -> Option<ChangeKind> {
    let counted = actions.iter().filter(|action| action.outcome.counts());
    let newest = counted.max_by_key(|action| action.at)?;
    let (hidden, visible_after) = match newest.change {
        Change::Reshard { from, .. } => {
            (state.open_shards == from, limits::RESHARD_VISIBLE_AFTER_SECONDS)
        }
        Change::SwitchMode { to } => (state.mode != to, limits::MODE_SWITCH_VISIBLE_AFTER_SECONDS),
    };
    let until = newest.at.checked_add(SignedDuration::from_secs(visible_after));
    (hidden && until.is_ok_and(|until| until > now)).then_some(newest.change.kind())
}
