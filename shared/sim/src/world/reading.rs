//! What reads the streams: a minute of it, and what CloudWatch has published of each consumer.
//!
//! Not here: one consumer's reading (`consumer`), alarms upon it (`alarms`).

use weir_core::consumer::{
    Consumer, ConsumerId, ConsumerKind, Delivery, Destination, KclMetrics, Mapping, Reader,
};
use weir_core::units::StreamName;

use super::{Event, World};
use crate::clock::count;
use crate::consumer::{ConsumerMinute, ConsumerSettings, FailureKind, Reading, ShardWrites};
use crate::metrics::MetricDelay;
use crate::stream::Account;

/// A consumer of one stream.
pub(crate) struct KnownConsumer {
    /// The stream's place.
    pub(crate) place: usize,
    pub(crate) stream: StreamName,
    pub(crate) id: ConsumerId,
    pub(crate) reading: Reading,
    /// By minute, what is published.
    pub(crate) published: Vec<ConsumerMinute>,
    /// By minute, how far behind it was, seconds: the truth, for checkers.
    pub(crate) behind: Vec<f64>,
}

/// What a stream took in a minute.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    pub(super) bytes: f64,
    pub(super) records: f64,
}

/// Every stream's own.
pub(super) fn consumers(
    settings: &[ConsumerSettings],
    account: &Account,
    minutes: usize,
) -> Vec<KnownConsumer> {
    let streams = || account.streams.iter().enumerate();
    let of = |one: &ConsumerSettings, place: usize, stream: &StreamName| KnownConsumer {
        place,
        stream: stream.clone(),
        id: ConsumerId::of(one.kind, &one.name),
        reading: Reading::new(one.clone()),
        published: vec![ConsumerMinute::default(); minutes],
        behind: Vec::with_capacity(minutes),
    };
    settings
        .iter()
        .flat_map(|one| {
            let read = streams().filter(|(place, _)| one.stream.is_none_or(|own| own == *place));
            read.map(move |(place, stream)| of(one, place, &stream.name))
        })
        .collect()
}

impl KnownConsumer {
    pub(crate) fn is(&self, stream: &StreamName, id: &ConsumerId) -> bool {
        self.id == *id && self.stream == *stream
    }

    /// As AWS describes it in this minute.
    pub(crate) fn described(&self, minute: usize) -> Consumer {
        let settings = self.reading.settings();
        let reader = match settings.kind {
            ConsumerKind::Lambda => Reader::Lambda(Mapping {
                uuid: "3f1c8a52-7a64-4e0b-9a55-0c6f0e6ab901".to_owned(),
                enabled: !self.reading.fails(FailureKind::Gone, minute),
                filters: false,
                counts_events: false,
                shares_function: false,
                one_of_several: false,
            }),
            ConsumerKind::FanOut => Reader::FanOut,
            ConsumerKind::Firehose => {
                Reader::Firehose(Delivery { destination: Destination::S3, buffering_seconds: 300 })
            }
            ConsumerKind::Kcl => Reader::Kcl(KclMetrics::Application),
            ConsumerKind::Polling => Reader::Polling,
        };
        Consumer { stream: self.stream.clone(), name: settings.name.clone(), reader }
    }
}

impl World {
    /// The consumers of a stream read for a minute that is over. How far behind the last of those
    /// is that ask for records, milliseconds, as the stream's own metric has it.
    pub(super) fn read(&mut self, place: usize, minute: usize, taken: Taken) -> Option<f64> {
        let ends_at = self.start + 60 * (count(minute) + 1);
        let shards = self.account.streams[place].open_shards(ends_at - 60);
        let (first, _) = self.traces[place];
        let evenness = self.settings.evenness.at(minute.saturating_sub(first));
        let shares: Vec<f64> =
            shards.iter().map(|shard| evenness.share_of(shard.range.clone())).collect();
        let mut age_millis: Option<f64> = None;
        let mut points = Vec::new();
        let own = self.consumers.iter_mut().enumerate().filter(|(_, one)| one.place == place);
        for (number, consumer) in own {
            let writes = shards.iter().zip(&shares).map(|(shard, share)| ShardWrites {
                shard,
                bytes: taken.bytes * share,
                records: taken.records * share,
            });
            let point = consumer.reading.minute(minute, ends_at, writes, &mut self.consumer_dice);
            points.push((number, point));
            let behind = consumer.reading.behind_seconds(minute);
            consumer.behind.push(behind);
            if consumer.reading.polls(minute) {
                age_millis = Some(age_millis.unwrap_or(0.0).max(1_000.0 * behind));
            }
        }
        for (consumer, mut point) in points {
            if self.consumers[consumer].id.kind() == Some(ConsumerKind::Polling) {
                // It has no metric but the stream's own, in which the slowest hides the others.
                point.lag_seconds = age_millis.map(|millis| millis / 1_000.0);
                point.reads = age_millis.map(|_| 1.0);
            }
            self.tell_consumer_metrics(consumer, minute, point);
        }
        age_millis
    }

    fn tell_consumer_metrics(&mut self, consumer: usize, minute: usize, point: ConsumerMinute) {
        if self.consumer_dice.happens(self.settings.faults.lost_minutes) {
            return;
        }
        let delay = match &self.settings.metrics {
            MetricDelay::None => 0,
            delay => delay.seconds(&mut self.consumer_dice),
        };
        let at = self.published_at(delay);
        if at <= self.clock.now() {
            self.publish_consumer(consumer, minute, point);
        } else {
            self.clock.at(at, Event::PublishConsumer { consumer, minute, point });
        }
    }

    /// A consumer's datapoints come out.
    pub(crate) fn publish_consumer(
        &mut self,
        consumer: usize,
        minute: usize,
        point: ConsumerMinute,
    ) {
        if let Some(known) = self.consumers[consumer].published.get_mut(minute) {
            *known = point;
        }
    }
}
