//! Firehose delivery streams that read a Kinesis stream.
//!
//! Firehose lists names only, of the whole account; what each reads takes a call. So all are read
//! at once and kept for a run of sync-alarms. Not here: whose consumer one is (`consumers`).

use std::sync::PoisonError;

use aws_sdk_firehose::types::{
    DeliveryStreamDescription, DeliveryStreamType, DestinationDescription,
};
use jiff::SignedDuration;
use tracing::warn;
use weir_control::ports::{Clock, Failure, PortResult};
use weir_core::consumer::Destination;

use crate::Aws;
use crate::errors::Call;

const LIST_DELIVERY_STREAMS: Call = Call::read("ListDeliveryStreams");
const DESCRIBE_DELIVERY_STREAM: Call = Call::read("DescribeDeliveryStream");

/// The longest sync-alarms may run; the next run is an hour later.
const KEPT: SignedDuration = SignedDuration::from_mins(15);

/// A delivery stream that reads a Kinesis stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryStream {
    pub(super) name: String,
    /// ARN of the stream it reads.
    pub(super) reads: String,
    pub(super) destination: Destination,
}

impl Aws {
    pub(super) async fn delivery_streams(&self) -> PortResult<Vec<DeliveryStream>> {
        let kept = self.delivery_streams.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, streams)) = kept
            && self.now().duration_since(read_at).abs() < KEPT
        {
            return Ok(streams);
        }
        let mut streams = Vec::new();
        for name in self.delivery_stream_names().await? {
            streams.extend(self.describe_delivery_stream(&name).await?);
        }
        let mut kept = self.delivery_streams.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((self.now(), streams.clone()));
        Ok(streams)
    }

    async fn delivery_stream_names(&self) -> PortResult<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        loop {
            self.paces.list_delivery_streams.turn().await;
            let request = self
                .clients
                .firehose()
                .list_delivery_streams()
                .delivery_stream_type(DeliveryStreamType::KinesisStreamAsSource)
                .set_exclusive_start_delivery_stream_name(names.last().cloned());
            let page = request.send().await.map_err(|e| LIST_DELIVERY_STREAMS.failed(e))?;
            names.extend_from_slice(page.delivery_stream_names());
            if !page.has_more_delivery_streams() || page.delivery_stream_names().is_empty() {
                return Ok(names);
            }
        }
    }

    /// `None` for one that is gone since it was listed, or of which too little is known to watch
    /// it.
    async fn describe_delivery_stream(&self, name: &str) -> PortResult<Option<DeliveryStream>> {
        self.paces.describe_delivery_stream.turn().await;
        let request = self.clients.firehose().describe_delivery_stream();
        let answer = request.delivery_stream_name(name).send().await;
        match answer.map_err(|e| DESCRIBE_DELIVERY_STREAM.failed(e)) {
            Ok(answer) => Ok(answer.delivery_stream_description.as_ref().and_then(read)),
            Err(error) if error.failure == Failure::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn read(described: &DeliveryStreamDescription) -> Option<DeliveryStream> {
    let name = described.delivery_stream_name().to_owned();
    let source = described.source().and_then(|source| source.kinesis_stream_source_description());
    let reads = source.and_then(|source| source.kinesis_stream_arn())?.to_owned();
    match described.destinations().iter().find_map(destination) {
        Some(destination) => Some(DeliveryStream { name, reads, destination }),
        None => {
            warn!(name, "a delivery stream is not watched: no metric of its destination is known");
            None
        }
    }
}

/// S3 comes last: others have it besides, as a backup.
fn destination(described: &DestinationDescription) -> Option<Destination> {
    let open_search = described.elasticsearch_destination_description().is_some()
        || described.amazonopensearchservice_destination_description().is_some();
    let serverless = described.amazon_open_search_serverless_destination_description().is_some();
    let s3 = described.extended_s3_destination_description().is_some()
        || described.s3_destination_description().is_some();
    let known = [
        (described.redshift_destination_description().is_some(), Destination::Redshift),
        (open_search, Destination::OpenSearch),
        (serverless, Destination::OpenSearchServerless),
        (described.splunk_destination_description().is_some(), Destination::Splunk),
        (described.http_endpoint_destination_description().is_some(), Destination::HttpEndpoint),
        (described.snowflake_destination_description().is_some(), Destination::Snowflake),
        (s3, Destination::S3),
    ];
    known.into_iter().find_map(|(is, destination)| is.then_some(destination))
}
