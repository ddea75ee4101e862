//! The consumers of a stream that AWS knows of: Lambda functions, fan-out consumers, Firehose.
//!
//! Not here: those that only the operator knows of (`weir_control::sync_consumers`), finding out
//! how a failing one does (`evidence`).

mod firehose;

use std::collections::BTreeSet;

use aws_sdk_lambda::types::{EventSourceMappingConfiguration, EventSourceMappingMetric};
use tracing::warn;
use weir_control::ports::{Failure, FindConsumers, PortResult};
use weir_core::consumer::{Consumer, ConsumerName, Mapping, Reader};
use weir_core::units::StreamName;

use crate::Aws;
use crate::errors::Call;

pub(crate) use firehose::DeliveryStream;

const LIST_EVENT_SOURCE_MAPPINGS: Call = Call::read("ListEventSourceMappings");
const LIST_STREAM_CONSUMERS: Call = Call::read("ListStreamConsumers");

impl FindConsumers for Aws {
    async fn find_consumers(&self, stream: &StreamName) -> PortResult<Vec<Consumer>> {
        let arn = self.summary(stream).await?.stream_arn;
        let mut consumers = self.mapped_functions(stream, &arn).await?;
        for (name, consumer_arn) in self.fan_out_consumers(&arn).await? {
            // Where a function reads by it, the function is the consumer.
            let functions = self.mapped_functions(stream, &consumer_arn).await?;
            match functions.is_empty() {
                true => consumers.extend(consumer(stream, &name, Reader::FanOut)),
                false => consumers.extend(functions),
            }
        }
        for delivery in self.delivery_streams().await?.iter().filter(|d| d.reads == arn) {
            let reader = Reader::Firehose(delivery.destination);
            consumers.extend(consumer(stream, &delivery.name, reader));
        }
        Ok(consumers)
    }
}

impl Aws {
    /// The functions that are mapped to a source: to the stream, or to a fan-out consumer of it.
    pub(crate) async fn mapped_functions(
        &self,
        stream: &StreamName,
        source_arn: &str,
    ) -> PortResult<Vec<Consumer>> {
        let mappings = self.mappings(Some(source_arn), None).await?;
        Ok(mappings.iter().filter_map(|mapping| mapped_function(stream, mapping)).collect())
    }

    /// The mappings of a function to a stream: to the stream itself, or to fan-out consumers of it.
    pub(crate) async fn mappings_of(
        &self,
        function: &str,
        stream: &StreamName,
        stream_arn: &str,
    ) -> PortResult<Vec<Consumer>> {
        let mappings = self.mappings(None, Some(function)).await?;
        let reads = |mapping: &&EventSourceMappingConfiguration| {
            let below = mapping.event_source_arn().and_then(|arn| arn.strip_prefix(stream_arn));
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with("/consumer/"))
        };
        let mappings = mappings.iter().filter(reads);
        Ok(mappings.filter_map(|mapping| mapped_function(stream, mapping)).collect())
    }

    /// Every mapping of this source, or of this function.
    async fn mappings(
        &self,
        source_arn: Option<&str>,
        function: Option<&str>,
    ) -> PortResult<Vec<EventSourceMappingConfiguration>> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        let mut seen = BTreeSet::new();
        loop {
            self.paces.list_event_source_mappings.turn().await;
            let request = self.clients.lambda().list_event_source_mappings();
            let request = request
                .set_event_source_arn(source_arn.map(str::to_owned))
                .set_function_name(function.map(str::to_owned))
                .set_marker(marker.take());
            let page = request.send().await.map_err(|e| LIST_EVENT_SOURCE_MAPPINGS.failed(e))?;
            found.extend(page.event_source_mappings.unwrap_or_default());
            match page.next_marker.filter(|next| !next.is_empty()) {
                None => return Ok(found),
                Some(next) if !seen.insert(next.clone()) => {
                    return Err(twice(LIST_EVENT_SOURCE_MAPPINGS));
                }
                Some(next) => marker = Some(next),
            }
        }
    }

    /// Name and ARN of each registered consumer.
    async fn fan_out_consumers(&self, stream_arn: &str) -> PortResult<Vec<(String, String)>> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        let mut seen = BTreeSet::new();
        loop {
            self.paces.list_stream_consumers.turn().await;
            let request = self.clients.kinesis().list_stream_consumers().stream_arn(stream_arn);
            let request = request.set_next_token(token.take());
            let page = request.send().await.map_err(|e| LIST_STREAM_CONSUMERS.failed(e))?;
            let of = |c: &aws_sdk_kinesis::types::Consumer| {
                (c.consumer_name().to_owned(), c.consumer_arn().to_owned())
            };
            found.extend(page.consumers().iter().map(of));
            match page.next_token {
                None => return Ok(found),
                Some(next) if !seen.insert(next.clone()) => {
                    return Err(twice(LIST_STREAM_CONSUMERS));
                }
                Some(next) => token = Some(next),
            }
        }
    }
}

fn twice(call: Call) -> weir_control::ports::PortError {
    call.refused(Failure::Unavailable, "the same page came twice")
}

fn mapped_function(
    stream: &StreamName,
    mapping: &EventSourceMappingConfiguration,
) -> Option<Consumer> {
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME or …:NAME:ALIAS
    let function = mapping.function_arn()?.splitn(7, ':').nth(6)?;
    let metrics = mapping.metrics_config().map_or(&[][..], |config| config.metrics());
    let reader = Reader::Lambda(Mapping {
        uuid: mapping.uuid()?.to_owned(),
        enabled: !matches!(mapping.state(), Some("Disabled" | "Disabling" | "Deleting")),
        filters: mapping.filter_criteria().is_some_and(|criteria| !criteria.filters().is_empty()),
        counts_events: metrics.contains(&EventSourceMappingMetric::EventCount),
    });
    consumer(stream, function, reader)
}

fn consumer(stream: &StreamName, name: &str, reader: Reader) -> Option<Consumer> {
    match ConsumerName::new(name) {
        Ok(name) => Some(Consumer { stream: stream.clone(), name, reader }),
        Err(error) => {
            warn!(%error, %stream, "a consumer is not watched");
            None
        }
    }
}

#[cfg(test)]
mod tests;
