//! Kinesis streams, as an operator or another tool would handle them.
//!
//! Here: creating, describing, resharding, switching. Not here: their traffic (`traffic`).

use serde_json::{Value, json};

use super::{PATIENCE, REGION, World};
use crate::failure::{Failure, Result};
use crate::time::wait_until;
use crate::wire::Service::Kinesis;

/// DescribeStreamSummary, as far as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSummary {
    /// `ACTIVE`, `UPDATING` and so on.
    pub status: String,
    /// `PROVISIONED` or `ON_DEMAND`.
    pub mode: String,
    /// Open shards.
    pub open_shards: u64,
}

impl World {
    /// Creates a provisioned stream and waits until it is active.
    pub fn create_stream(&self, name: &str, shards: u64) -> Result<()> {
        self.call(Kinesis, "CreateStream", json!({ "StreamName": name, "ShardCount": shards }))?;
        self.wait_until_active(name).map(drop)
    }

    /// Creates an on-demand stream and waits until it is active.
    pub fn create_on_demand_stream(&self, name: &str) -> Result<()> {
        let mode = json!({ "StreamMode": "ON_DEMAND" });
        self.call(
            Kinesis,
            "CreateStream",
            json!({ "StreamName": name, "StreamModeDetails": mode }),
        )?;
        self.wait_until_active(name).map(drop)
    }

    /// Switches a stream to on-demand and waits until it is active.
    pub fn put_on_demand(&self, name: &str) -> Result<()> {
        let mode = json!({ "StreamMode": "ON_DEMAND" });
        let body = json!({ "StreamARN": self.stream_arn(name), "StreamModeDetails": mode });
        self.call(Kinesis, "UpdateStreamMode", body)?;
        self.wait_until_active(name).map(drop)
    }

    /// Starts a reshard behind Weir's back; the stream is `UPDATING` afterwards.
    pub fn start_reshard(&self, name: &str, to: u64) -> Result<()> {
        let body = json!({
            "StreamName": name,
            "TargetShardCount": to,
            "ScalingType": "UNIFORM_SCALING",
        });
        self.call(Kinesis, "UpdateShardCount", body).map(drop)
    }

    /// Reshards behind Weir's back and waits until the stream is active.
    pub fn reshard(&self, name: &str, to: u64) -> Result<()> {
        self.start_reshard(name, to)?;
        self.wait_until_active(name).map(drop)
    }

    /// Deletes a stream and waits until it is gone.
    pub fn delete_stream(&self, name: &str) -> Result<()> {
        self.call(Kinesis, "DeleteStream", json!({ "StreamName": name }))?;
        wait_until(&format!("end of stream {name}"), PATIENCE, || match self.stream(name) {
            Ok(_) => Ok(None),
            Err(failure) => match failure.aws_error() {
                Some(error) if error.code == "ResourceNotFoundException" => Ok(Some(())),
                _ => Err(failure),
            },
        })
    }

    /// The stream as it is now.
    pub fn stream(&self, name: &str) -> Result<StreamSummary> {
        let answer = self.call(Kinesis, "DescribeStreamSummary", json!({ "StreamName": name }))?;
        let summary = &answer["StreamDescriptionSummary"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let read = || {
            Some(StreamSummary {
                status: text(&summary["StreamStatus"])?,
                mode: text(&summary["StreamModeDetails"]["StreamMode"])?,
                open_shards: summary["OpenShardCount"].as_u64()?,
            })
        };
        read().ok_or_else(|| Failure::new(format!("DescribeStreamSummary answered {answer}")))
    }

    /// Waits for `ACTIVE` and returns the stream as it is then.
    pub fn wait_until_active(&self, name: &str) -> Result<StreamSummary> {
        wait_until(&format!("stream {name} to be ACTIVE"), PATIENCE, || {
            let stream = self.stream(name)?;
            Ok((stream.status == "ACTIVE").then_some(stream))
        })
    }

    /// The stream's ARN.
    #[must_use]
    pub fn stream_arn(&self, name: &str) -> String {
        format!("arn:aws:kinesis:{REGION}:{}:stream/{name}", self.account)
    }
}
