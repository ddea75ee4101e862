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
use weir_core::consumer::{Delivery, Destination};

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
    pub(super) delivery: Delivery,
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
    let delivery = described.destinations().first().map(delivery);
    let delivery =
        delivery.unwrap_or(Delivery { destination: Destination::Unknown, buffering_seconds: 0 });
    if delivery.destination == Destination::Unknown {
        warn!(name, "what it delivers is not watched: no metric of its destination is known");
    }
    Some(DeliveryStream { name, reads, delivery })
}

/// S3 comes last: others have it besides, as a backup or to stage in.
fn delivery(described: &DestinationDescription) -> Delivery {
    let redshift = described.redshift_destination_description();
    let elasticsearch = described.elasticsearch_destination_description();
    let open_search = described.amazonopensearchservice_destination_description();
    let serverless = described.amazon_open_search_serverless_destination_description();
    let splunk = described.splunk_destination_description();
    let http = described.http_endpoint_destination_description();
    let snowflake = described.snowflake_destination_description();
    let iceberg = described.iceberg_destination_description();
    let extended = described.extended_s3_destination_description();
    let s3 = described.s3_destination_description();
    let destination = match () {
        () if redshift.is_some() => Destination::Redshift,
        () if elasticsearch.is_some() || open_search.is_some() => Destination::OpenSearch,
        () if serverless.is_some() => Destination::OpenSearchServerless,
        () if splunk.is_some() => Destination::Splunk,
        () if http.is_some() => Destination::HttpEndpoint,
        () if snowflake.is_some() => Destination::Snowflake,
        () if iceberg.is_some() => Destination::Iceberg,
        () if extended.is_some() || s3.is_some() => Destination::S3,
        () => Destination::Unknown,
    };
    // Each destination has its own type of the same hint; Redshift's is that of its staging area.
    let staging = redshift.and_then(|to| to.s3_destination_description());
    let hints = [
        staging.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        elasticsearch.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        open_search.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        serverless.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        splunk.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        http.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        snowflake.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        iceberg.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        extended.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
        s3.and_then(|to| to.buffering_hints()?.interval_in_seconds()),
    ];
    let seconds = hints.into_iter().flatten().next().and_then(|hint| u32::try_from(hint).ok());
    Delivery { destination, buffering_seconds: seconds.unwrap_or(0) }
}
