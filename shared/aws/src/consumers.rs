//! The consumers of a stream that AWS knows of: Lambda functions, fan-out consumers, Firehose.
//!
//! Not here: those that only the operator knows of (`weir_control::sync_consumers`), finding out
//! how a failing one does (`evidence`).

mod firehose;

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use aws_sdk_lambda::types::{EventSourceMappingConfiguration, EventSourceMappingMetric};
use jiff::SignedDuration;
use tracing::warn;
use weir_control::ports::{Clock, Failure, FindConsumers, PortResult};
use weir_core::consumer::{Consumer, ConsumerName, Mapping, Reader};
use weir_core::units::StreamName;

use crate::Aws;
use crate::errors::Call;

pub(crate) use firehose::DeliveryStream;

const LIST_EVENT_SOURCE_MAPPINGS: Call = Call::read("ListEventSourceMappings");
const LIST_STREAM_CONSUMERS: Call = Call::read("ListStreamConsumers");

/// Mappings may be this old: long enough for a run over many streams, shorter than anybody waits
/// who changed one and asks again.
const MAPPINGS_KEPT: SignedDuration = SignedDuration::from_mins(5);

impl FindConsumers for Aws {
    async fn find_consumers(&self, stream: &StreamName) -> PortResult<Vec<Consumer>> {
        let arn = self.stream_arn(stream).await?;
        let mappings = self.all_mappings().await?;
        let mut consumers = mapped_functions(stream, &arn, &mappings);
        for (name, consumer_arn) in self.fan_out_consumers(&arn).await? {
            // Where a function reads by it, the function is the consumer.
            let reads = |mapping: &EventSourceMappingConfiguration| {
                mapping.event_source_arn() == Some(&consumer_arn)
            };
            if !mappings.iter().any(reads) {
                consumers.extend(consumer(stream, &name, Reader::FanOut));
            }
        }
        for delivery in self.delivery_streams().await?.iter().filter(|d| d.reads == arn) {
            let reader = Reader::Firehose(delivery.delivery);
            consumers.extend(consumer(stream, &delivery.name, reader));
        }
        Ok(consumers)
    }
}

impl Aws {
    /// Every mapping of the account, kept for a while: one list for all streams takes fewer calls
    /// than one for each, and only all of them tell which function is called by several.
    async fn all_mappings(&self) -> PortResult<Arc<[EventSourceMappingConfiguration]>> {
        let kept = self.mappings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, mappings)) = kept
            && self.now().duration_since(read_at).abs() < MAPPINGS_KEPT
        {
            return Ok(mappings);
        }
        let mappings: Arc<[_]> = self.mappings(None).await?.into();
        let mut kept = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((self.now(), Arc::clone(&mappings)));
        Ok(mappings)
    }

    /// The mappings of a function to a stream: to the stream itself, or to fan-out consumers of it.
    /// With how many mappings the function has in all.
    pub(crate) async fn mappings_of(
        &self,
        function: &str,
        stream: &StreamName,
        stream_arn: &str,
    ) -> PortResult<(Vec<Consumer>, usize)> {
        let mappings = self.mappings(Some(function)).await?;
        Ok((mapped_functions(stream, stream_arn, &mappings), mappings.len()))
    }

    /// Every mapping of this function, or of all.
    async fn mappings(
        &self,
        function: Option<&str>,
    ) -> PortResult<Vec<EventSourceMappingConfiguration>> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        let mut seen = BTreeSet::new();
        loop {
            self.paces.list_event_source_mappings.turn().await;
            let request = self.clients.lambda().list_event_source_mappings();
            let request =
                request.set_function_name(function.map(str::to_owned)).set_marker(marker.take());
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
            // Its calls are counted for each stream, and a stream is asked once.
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

/// The functions that read the stream, directly or by a fan-out consumer of it. `mappings` are all
/// there are of these functions.
fn mapped_functions(
    stream: &StreamName,
    stream_arn: &str,
    mappings: &[EventSourceMappingConfiguration],
) -> Vec<Consumer> {
    let reads = |mapping: &EventSourceMappingConfiguration| {
        let below = mapping.event_source_arn().and_then(|arn| arn.strip_prefix(stream_arn));
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with("/consumer/"))
    };
    let mut consumers = Vec::new();
    for mapping in mappings.iter().filter(|mapping| reads(mapping)) {
        let Some((function, uuid)) = function(mapping).zip(mapping.uuid()) else { continue };
        let others = || {
            let others = mappings.iter().filter(|other| other.uuid() != Some(uuid));
            others.filter(|other| is_measured_with(function, other))
        };
        let same_stream = |other: &EventSourceMappingConfiguration| {
            reads(other) && self::function(other) == Some(function)
        };
        let metrics = mapping.metrics_config().map_or(&[][..], |config| config.metrics());
        let reader = Mapping {
            uuid: uuid.to_owned(),
            enabled: !matches!(mapping.state(), Some("Disabled" | "Disabling" | "Deleting")),
            filters: may_filter(mapping),
            counts_events: metrics.contains(&EventSourceMappingMetric::EventCount),
            shares_function: others().next().is_some(),
            one_of_several: others().any(same_stream),
        };
        if reader.shares_function && !reader.counts_events {
            let fix = "let the mapping count its events (MetricsConfig EventCount)";
            warn!(function, %stream, uuid, fix, "metrics of the function are not the mapping's alone");
        }
        consumers.extend(consumer(stream, function, Reader::Lambda(reader)));
    }
    consumers
}

/// The function that a mapping calls, with its alias or version.
fn function(mapping: &EventSourceMappingConfiguration) -> Option<&str> {
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME or …:NAME:ALIAS
    let function = mapping.function_arn()?.splitn(7, ':').nth(6)?;
    // What is called without an alias is the newest version, whose metrics bear no name of it.
    Some(function.strip_suffix(":$LATEST").unwrap_or(function))
}

/// Whether the metrics of the function count what this mapping calls: those of the function as a
/// whole count what its aliases do.
fn is_measured_with(measured: &str, mapping: &EventSourceMappingConfiguration) -> bool {
    let called = function(mapping);
    called.is_some_and(|called| {
        let whole = called.split(':').next().unwrap_or(called);
        called == measured || whole == measured
    })
}

/// Whether it filters, or may: filters that are encrypted with a key of the owner's (which a
/// mapping has for nothing else), or that Lambda could not read, are not shown.
fn may_filter(mapping: &EventSourceMappingConfiguration) -> bool {
    mapping.filter_criteria().is_some_and(|criteria| !criteria.filters().is_empty())
        || mapping.kms_key_arn().is_some()
        || mapping.filter_criteria_error().is_some()
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
