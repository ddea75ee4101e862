//! What a plan remembers: earlier traffic and earlier actions.
//!
//! Not here: where it is kept (`weir-control` ports), or what it says about tomorrow (`forecast`).

use crate::action::ActionRecord;
use crate::profile::StreamProfile;
use crate::series::Series;

/// What is remembered of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Earlier days in coarser periods; may be empty for a young stream.
    pub days: Series,
    /// Actions of the budget window; `None` when the ledger could not be read.
    pub actions: Option<Vec<ActionRecord>>,
    /// What an earlier plan learnt of the stream, if it was kept.
    pub profile: Option<StreamProfile>,
    /// Whether an operator has paused Weir for the stream.
    pub paused: bool,
}
