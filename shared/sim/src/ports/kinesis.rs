//! Kinesis: DescribeStreamSummary, ListStreams, DescribeLimits, UpdateShardCount, UpdateStreamMode.

use weir_control::ports::{
    Clock, DescribeStream, Failure, ListStreams, PortResult, QuotaReading, ReadQuota, Reshard,
    SwitchMode,
};
use weir_core::observation::{CapacityMode, StreamState};
use weir_core::units::{Shards, StreamName};

use super::SimulatedPorts;
use crate::operation::Operation;

impl DescribeStream for SimulatedPorts {
    async fn describe_stream(&self, stream: &StreamName) -> PortResult<StreamState> {
        let operation = Operation::DescribeStreamSummary;
        let state = self
            .call(operation, Some(stream), |world| {
                let now = world.clock.now();
                let missing = || (Failure::Missing, format!("Stream {stream} not found."));
                let found = world.account.find(stream).ok_or_else(missing)?;
                Ok(world.account.streams[found].state_at(now))
            })
            .await?;
        if let Some(seen) = &mut *self.run.seen.borrow_mut() {
            seen.described(stream, &state);
        }
        Ok(state)
    }
}

impl ListStreams for SimulatedPorts {
    async fn list_streams(&self) -> PortResult<Vec<StreamName>> {
        self.call(Operation::ListStreams, None, |world| Ok(world.account.names())).await
    }
}

impl ReadQuota for SimulatedPorts {
    async fn read_quota(&self) -> PortResult<QuotaReading> {
        let quota = self
            .call(Operation::DescribeLimits, None, |world| {
                Ok(world.account.quota(world.clock.now()))
            })
            .await?;
        self.run.quota_seen.set(Some(quota));
        Ok(QuotaReading { quota, read_at: self.now() })
    }
}

impl Reshard for SimulatedPorts {
    async fn reshard(&self, stream: &StreamName, to: Shards) -> PortResult<()> {
        self.call(Operation::UpdateShardCount, Some(stream), |world| {
            world.weir_reshards(stream, to, &self.run)
        })
        .await
    }
}

impl SwitchMode for SimulatedPorts {
    async fn switch_mode(&self, stream: &StreamName, to: CapacityMode) -> PortResult<()> {
        self.call(Operation::UpdateStreamMode, Some(stream), |world| {
            world.update_stream_mode(stream, to, self.run.caller())
        })
        .await
    }
}
