//! Everything read about a stream at one time. Each signal says when it was read, or why it is
//! missing.
//!
//! Not here: reading it (`weir-control`, `weir-aws`), or judging it (`demand`, `plan`).

use std::fmt;

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

impl CapacityMode {
    /// The other one.
    pub fn other(self) -> CapacityMode {
        match self {
            CapacityMode::Provisioned => CapacityMode::OnDemand,
            CapacityMode::OnDemand => CapacityMode::Provisioned,
        }
    }
}

impl fmt::Display for CapacityMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CapacityMode::Provisioned => "provisioned",
            CapacityMode::OnDemand => "on demand",
        })
    }
}

/// Something only on-demand streams have, as far as AWS tells of it. A stream that uses one cannot
/// go back to provisioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDemandFeature {
    /// Delivery to S3 by channels of the stream's own.
    Channels,
    /// Records are spread by AWS, not by their keys.
    AutomaticDistribution,
}

impl fmt::Display for OnDemandFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnDemandFeature::Channels => "channels",
            OnDemandFeature::AutomaticDistribution => "automatic record distribution",
        })
    }
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
    /// What forbids it to leave on-demand mode, where something does.
    pub held_on_demand_by: Option<OnDemandFeature>,
    /// When it was created, where that is known: a stream that was deleted and made anew has the
    /// name of the old one and nothing else of it.
    pub created_at: Option<Timestamp>,
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

/// The account's shards, and its streams on demand, in this region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardQuota {
    /// Shards the account may have open.
    pub limit: u32,
    /// Shards it has open in all provisioned streams, this one included.
    pub open: u32,
    /// Streams on demand it may have besides those it has; `None` where that is not known.
    pub on_demand_streams_left: Option<u32>,
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
