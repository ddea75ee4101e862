//! Kinesis: looking at streams, the account's shard quota, and the two calls that change a stream.
//!
//! Not here: traffic; Kinesis reports it to CloudWatch (`metrics`).

use std::sync::PoisonError;
use std::time::Duration;

use aws_sdk_kinesis::config::Config;
use aws_sdk_kinesis::types::{self, RecordDistributionStrategy, ScalingType};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::{SignedDuration, Timestamp};
use weir_control::installation::Place;
use weir_control::ports::{
    Clock, DescribeStream, Failure, ListStreams, PortError, PortResult, QuotaReading, ReadQuota,
    Reshard, SwitchMode,
};
use weir_core::observation::{
    CapacityMode, OnDemandFeature, ShardQuota, StreamState, StreamStatus,
};
use weir_core::units::{Shards, StreamName};

use crate::Aws;
use crate::config::Clients;
use crate::errors::Call;
use crate::pace::Paces;
use crate::settings::place;

const DESCRIBE_STREAM_SUMMARY: Call = Call::read("DescribeStreamSummary");
const LIST_STREAMS: Call = Call::read("ListStreams");
const DESCRIBE_LIMITS: Call = Call::read("DescribeLimits");
const UPDATE_SHARD_COUNT: Call = Call::change("UpdateShardCount");
const UPDATE_STREAM_MODE: Call = Call::change("UpdateStreamMode");

/// Streams in one ListStreams page: what AWS gives at most.
const STREAMS_PER_PAGE: i32 = 100;
/// The account's open shards may be this old: shorter than a tick, so that each tick reads them
/// anew, and long enough for alarms that come together. An account may ask once a second.
const QUOTA_KEPT: SignedDuration = SignedDuration::from_secs(45);
/// A change is waited for longer than a read: a lost answer counts as one of ten, or of two.
const UPDATE_TIMEOUT: Duration = Duration::from_secs(10);

impl DescribeStream for Aws {
    async fn describe_stream(&self, stream: &StreamName) -> PortResult<StreamState> {
        state(&self.summary(stream).await?)
    }
}

impl Aws {
    pub(crate) async fn summary(
        &self,
        stream: &StreamName,
    ) -> PortResult<types::StreamDescriptionSummary> {
        self.paces.describe_stream_summary.turn().await;
        let request = self.clients.kinesis().describe_stream_summary().stream_name(stream.as_str());
        let answer = request.send().await.map_err(|e| DESCRIBE_STREAM_SUMMARY.failed(e))?;
        let summary = answer.stream_description_summary.ok_or_else(|| {
            DESCRIBE_STREAM_SUMMARY.refused(Failure::Invalid, "the answer holds no stream")
        })?;
        let mut arns = self.stream_arns.lock().unwrap_or_else(PoisonError::into_inner);
        arns.insert(stream.clone(), summary.stream_arn.clone());
        drop(arns);
        Ok(summary)
    }

    /// The stream's ARN, asked for once: a name never gets another one.
    pub(crate) async fn stream_arn(&self, stream: &StreamName) -> PortResult<String> {
        let known = {
            let arns = self.stream_arns.lock().unwrap_or_else(PoisonError::into_inner);
            arns.get(stream).cloned()
        };
        match known {
            Some(arn) => Ok(arn),
            None => Ok(self.summary(stream).await?.stream_arn),
        }
    }
}

impl Aws {
    /// In which account and region a stream is.
    ///
    /// # Errors
    /// Where there is no such stream, or it cannot be asked for.
    pub async fn stream_place(&self, stream: &StreamName) -> PortResult<Place> {
        let arn = self.summary(stream).await?.stream_arn;
        place("kinesis", &arn).ok_or_else(|| {
            let message = format!("{arn:?} is no stream's ARN");
            DESCRIBE_STREAM_SUMMARY.refused(Failure::Invalid, message)
        })
    }
}

fn state(summary: &types::StreamDescriptionSummary) -> PortResult<StreamState> {
    let mode = summary.stream_mode_details().map(types::StreamModeDetails::stream_mode);
    Ok(StreamState {
        mode: match mode {
            // What streams were before there were modes.
            None | Some(types::StreamMode::Provisioned) => CapacityMode::Provisioned,
            Some(types::StreamMode::OnDemand) => CapacityMode::OnDemand,
            Some(other) => return Err(unheard_of("mode", other.as_str())),
        },
        status: match summary.stream_status() {
            types::StreamStatus::Active => StreamStatus::Active,
            types::StreamStatus::Creating => StreamStatus::Creating,
            types::StreamStatus::Deleting => StreamStatus::Deleting,
            types::StreamStatus::Updating => StreamStatus::Updating,
            other => return Err(unheard_of("status", other.as_str())),
        },
        // A stream that is being created has no shards yet.
        open_shards: Shards::at_least_one(u32::try_from(summary.open_shard_count()).unwrap_or(0)),
        retention_hours: u32::try_from(summary.retention_period_hours()).unwrap_or(0),
        held_on_demand_by: held_on_demand_by(summary),
        created_at: Timestamp::from_second(summary.stream_creation_timestamp().secs()).ok(),
    })
}

/// A stream with a queue or with warm throughput is held on demand too, but this SDK tells of no
/// queues, and its warm throughput may be what AWS gave by itself: there AWS's refusal tells.
fn held_on_demand_by(summary: &types::StreamDescriptionSummary) -> Option<OnDemandFeature> {
    let automatic = Some(&RecordDistributionStrategy::Auto);
    match () {
        () if summary.channel_count().is_some_and(|n| n > 0) => Some(OnDemandFeature::Channels),
        () if summary.record_distribution_strategy() == automatic => {
            Some(OnDemandFeature::AutomaticDistribution)
        }
        () => None,
    }
}

fn unheard_of(what: &str, value: &str) -> PortError {
    let message = format!("the stream's {what} is {value:?}, of which Weir never heard");
    DESCRIBE_STREAM_SUMMARY.refused(Failure::Invalid, message)
}

impl ListStreams for Aws {
    async fn list_streams(&self) -> PortResult<Vec<StreamName>> {
        list_streams(&self.clients, &self.paces).await
    }
}

pub(crate) async fn list_streams(clients: &Clients, paces: &Paces) -> PortResult<Vec<StreamName>> {
    let mut streams = Vec::new();
    let mut after: Option<String> = None;
    loop {
        paces.list_streams.turn().await;
        // By name rather than by token: a token goes out of date while others are served.
        let request = clients.kinesis().list_streams().limit(STREAMS_PER_PAGE);
        let request = request.set_exclusive_start_stream_name(after.take());
        let page = request.send().await.map_err(|e| LIST_STREAMS.failed(e))?;
        for name in page.stream_names() {
            let name = StreamName::new(name)
                .map_err(|e| LIST_STREAMS.refused(Failure::Invalid, e.to_string()))?;
            streams.push(name);
        }
        after = page.stream_names().last().cloned();
        if !page.has_more_streams() || after.is_none() {
            return Ok(streams);
        }
    }
}

impl ReadQuota for Aws {
    async fn read_quota(&self) -> PortResult<QuotaReading> {
        let kept = *self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reading) = kept
            && self.now().duration_since(reading.read_at).abs() < QUOTA_KEPT
        {
            return Ok(reading);
        }
        self.paces.describe_limits.turn().await;
        let answer = self.clients.kinesis().describe_limits().send().await;
        let answer = answer.map_err(|e| DESCRIBE_LIMITS.failed(e))?;
        let count = |n: i32| u32::try_from(n).unwrap_or(0);
        let (limit, open) = (count(answer.shard_limit), count(answer.open_shard_count));
        let streams = count(answer.on_demand_stream_count_limit);
        let left = streams.saturating_sub(count(answer.on_demand_stream_count));
        // An account that may have none is one of which nothing was said.
        let on_demand_streams_left = (streams > 0).then_some(left);
        let quota = ShardQuota { limit, open, on_demand_streams_left };
        let reading = QuotaReading { quota, read_at: self.now() };
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        Ok(reading)
    }
}

impl Reshard for Aws {
    async fn reshard(&self, stream: &StreamName, to: Shards) -> PortResult<()> {
        let target = i32::try_from(to.get())
            .map_err(|e| UPDATE_SHARD_COUNT.refused(Failure::Invalid, e.to_string()))?;
        self.paces.update_shard_count.turn().await;
        self.clients
            .kinesis()
            .update_shard_count()
            .stream_name(stream.as_str())
            .target_shard_count(target)
            .scaling_type(ScalingType::UniformScaling)
            .customize()
            .config_override(once())
            .send()
            .await
            .map(|_| ())
            .map_err(|e| UPDATE_SHARD_COUNT.failed(e))
    }
}

impl SwitchMode for Aws {
    async fn switch_mode(&self, stream: &StreamName, to: CapacityMode) -> PortResult<()> {
        // The one call on streams that takes no name.
        let summary = self.summary(stream).await?;
        let to = match to {
            CapacityMode::Provisioned => types::StreamMode::Provisioned,
            CapacityMode::OnDemand => types::StreamMode::OnDemand,
        };
        let mode = types::StreamModeDetails::builder().stream_mode(to).build();
        self.paces.update_stream_mode.turn().await;
        self.clients
            .kinesis()
            .update_stream_mode()
            .stream_arn(summary.stream_arn())
            .stream_mode_details(
                mode.map_err(|e| UPDATE_STREAM_MODE.refused(Failure::Invalid, e.to_string()))?,
            )
            .customize()
            .config_override(once())
            .send()
            .await
            .map(|_| ())
            .map_err(|e| UPDATE_STREAM_MODE.failed(e))
    }
}

/// For a change: never repeated. The SDK takes LimitExceededException for throttling and would send
/// it again; here it mostly means that the day's calls are used, and a repeated call could be one
/// too many.
fn once() -> aws_sdk_kinesis::config::Builder {
    Config::builder().retry_config(RetryConfig::disabled()).timeout_config(
        TimeoutConfig::builder()
            .operation_attempt_timeout(UPDATE_TIMEOUT)
            .operation_timeout(UPDATE_TIMEOUT)
            .build(),
    )
}

#[cfg(test)]
mod tests;
