//! What a simulated run leaves behind, minute by minute, call by call and message by message. Not
//! here: judging it (`weir-bench`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_core::consumer::ConsumerId;
use weir_core::incident::Trouble;
use weir_core::observation::CapacityMode;
use weir_core::plan::Plan;
use weir_core::units::{Shards, StreamName};

pub use crate::api::{ApiUse, CallUse, RunUse};
use crate::clock::Seconds;
use crate::consumer::InjectedFailure;
use crate::topics::SentMessage;
use crate::trace::Minute;

/// One simulated minute of a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinuteRecord {
    /// Bytes producers tried to write.
    pub offered_bytes: f64,
    /// Records producers tried to write.
    pub offered_records: f64,
    /// Share of them that was refused, 0 to 1.
    pub refused_share: f64,
    /// The capacity mode in force, for the bill.
    pub mode: CapacityMode,
    /// Open shards, for the bill of a provisioned stream (a mean where they changed within the
    /// minute).
    pub open_shards: f64,
    /// What the stream took at most, in shards.
    pub capacity_shards: f64,
}

impl MinuteRecord {
    /// What producers tried to write.
    pub fn offered(&self) -> Minute {
        Minute { bytes: self.offered_bytes, records: self.offered_records }
    }
}

/// One accepted change of the shard count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppliedReshard {
    /// When it was called.
    pub called_at: Timestamp,
    /// When it was in force.
    pub effective_at: Timestamp,
    /// Open shards before.
    pub from: u32,
    /// Open shards after.
    pub to: u32,
}

/// One accepted change of the capacity mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppliedSwitch {
    /// When it was called.
    pub called_at: Timestamp,
    /// When it was in force.
    pub effective_at: Timestamp,
    /// The mode before.
    pub from: CapacityMode,
    /// The mode after.
    pub to: CapacityMode,
}

/// A law broken, with the minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Number of the law in the design.
    pub law: u32,
    /// When.
    pub at: Timestamp,
    /// What was seen.
    pub what: String,
}

/// What people were told in a run, and what there was to tell. Not by stream: an incident may be
/// about none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertRecord {
    /// Every message that SNS took, repetitions too, in order.
    pub sent: Vec<SentMessage>,
    /// What may make a message come twice: runs that died, answers that were lost, writes to the
    /// ledger that failed.
    pub mishaps: u64,
    /// Every failure that was put into a consumer, and how soon it was told.
    pub detections: Vec<Detection>,
    /// When Weir itself said of a stream that it was withheld from, refused or lost something.
    pub(crate) own_causes: Vec<OwnCause>,
}

/// A reason to tell people of Weir itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnCause {
    pub(crate) at: Seconds,
    pub(crate) trouble: Trouble,
    /// None where it is about none.
    pub(crate) stream: Option<StreamName>,
}

/// How soon a consumer's failure was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// Whose failure.
    pub consumer: ConsumerId,
    /// Of which stream.
    pub stream: StreamName,
    /// What failed, when.
    pub failure: InjectedFailure,
    /// Seconds from its start to the first message.
    pub told_after: Option<i64>,
    /// Seconds from its start to the first page.
    pub paged_after: Option<i64>,
    /// Seconds from its end to the recovery.
    pub recovered_after: Option<i64>,
}

/// Everything a run left behind for one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRun {
    /// Start of the first minute.
    pub start: Timestamp,
    /// Open shards at the start.
    pub initial_shards: u32,
    /// Every minute.
    pub minutes: Vec<MinuteRecord>,
    /// Every accepted reshard, in order.
    pub reshards: Vec<AppliedReshard>,
    /// Every accepted switch of the capacity mode, in order.
    pub switches: Vec<AppliedSwitch>,
    /// Plans that asked for something, or were kept from it.
    pub plans: Vec<Plan>,
    /// Laws broken. None, it is hoped.
    pub violations: Vec<Violation>,
    /// API calls made, by operation.
    pub calls: BTreeMap<&'static str, u64>,
    /// API calls refused, by operation.
    pub refused_calls: BTreeMap<&'static str, u64>,
}

impl StreamRun {
    /// One that begins now, with room for so many minutes.
    pub fn new(start: Timestamp, initial: Shards, minutes: usize) -> StreamRun {
        StreamRun {
            start,
            initial_shards: initial.get(),
            minutes: Vec::with_capacity(minutes),
            reshards: Vec::new(),
            switches: Vec::new(),
            plans: Vec::new(),
            violations: Vec::new(),
            calls: BTreeMap::new(),
            refused_calls: BTreeMap::new(),
        }
    }
}
