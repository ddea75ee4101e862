//! Everything read about a stream at one time. Each signal says when it was read, or why it is missing.
//!
//! Not here: reading it (`weir-control`, `weir-aws`), or judging it (`demand`, `plan`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::series::Series;
use crate::units::{Shards, StreamName};

/// How a stream is paid for and sized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapacityMode {
    /// The owner sets the shard count.
    Provisioned,
    /// AWS sets it.
    OnDemand,
}

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamStatus {
    /// Not usable yet.
    Creating,
    /// Usable, and may be changed.
    Active,
    /// Usable; a change is under way (a reshard, a mode switch, an encryption change).
    Updating,
    /// Going away.
    Deleting,
}

/// A stream as `DescribeStreamSummary` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamState {
    /// Provisioned or on demand.
    pub mode: CapacityMode,
    /// Whether it may be changed now.
    pub status: StreamStatus,
    /// Open shards: what counts for every limit, and what is billed.
    pub open_shards: Shards,
    /// How long unread records are kept.
    pub retention_hours: u32,
}

/// A value with the time it was read, or the reason it is not there.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal<T> {
    /// The value as it was at `read_at`.
    Known {
        /// The value.
        value: T,
        /// When it was read.
        read_at: Timestamp,
    },
    /// It could not be read.
    Missing(String),
}

impl<T> Signal<T> {
    /// The value, if it was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Signal::Known { value, .. } => Some(value),
            Signal::Missing(_) => None,
        }
    }
}

/// The account's shards in this region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardQuota {
    /// Shards the account may have open.
    pub limit: u32,
    /// Shards it has open in all provisioned streams, this one included.
    pub open: u32,
}

/// One look at a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Which stream.
    pub stream: StreamName,
    /// When the look was taken.
    pub observed_at: Timestamp,
    /// The stream itself.
    pub state: StreamState,
    /// The last hours, minute by minute.
    pub minutes: Signal<Series>,
    /// The account's shard quota.
    pub quota: Signal<ShardQuota>,
}
