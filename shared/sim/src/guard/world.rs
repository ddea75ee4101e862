//! What there is in the guard's world: consumers and their metrics as CloudWatch has published
//! them, alarms, the bus, the ledger of incidents, topics.
//!
//! Not here: the consumers themselves (`consumer`), how calls come in (`ports`), judging
//! (`verdict`).

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use weir_control::ledger::StoredIncident;
use weir_control::message::Alert;
use weir_core::alarms::{AlarmName, AlarmPrefix, AlarmQuery, AlarmSpec};
use weir_core::consumer::{Consumer, ConsumerName, Destination, Mapping, Reader as How};
use weir_core::incident::{Evidence, Incident, LagPoint, Subject};
use weir_core::policy::{Policy, PolicySet};
use weir_core::units::StreamName;

use super::consumer::{Kind, Minute, Reader};
use super::scenario::Scenario;
use crate::alarms::Alarms;
use crate::chance::Dice;
use crate::clock::{Clock, Seconds, count, index, timestamp};

/// Hours the streams keep their records.
pub(crate) const RETENTION_HOURS: u32 = 24;

/// What is brought to a function.
#[derive(Clone)]
pub(crate) enum Cargo {
    Event(Rc<str>),
    Tick,
    Sync,
}

pub(crate) enum Event {
    Deliver(Cargo, usize),
    Resume(u64),
    Publish(Publication),
}

/// A datapoint on its way into CloudWatch.
pub(crate) struct Publication {
    consumer: usize,
    minute: usize,
    point: Minute,
}

/// A message as SNS got it.
pub(crate) struct Sent {
    pub(crate) at: Seconds,
    pub(crate) subject: Subject,
    pub(crate) alert: Alert,
}

pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) policies: Rc<PolicySet>,
    pub(crate) start: Seconds,
    pub(crate) clock: Clock<Event>,
    pub(crate) consumers: Vec<(Consumer, Reader)>,
    /// What is published, by consumer and minute.
    metrics: Vec<Vec<Minute>>,
    pub(crate) alarms: Alarms,
    pub(crate) incidents: BTreeMap<Subject, StoredIncident>,
    pub(crate) sent: Vec<Sent>,
    /// Runs that died, and answers that were lost: what may make a message come twice.
    pub(crate) mishaps: u64,
    pub(crate) awaits: u64,
    /// When each consumer last had something to catch up with.
    pub(crate) behind_until: Vec<usize>,
    bus_dice: Dice,
    metric_dice: Dice,
    reader_dice: Dice,
    pub(crate) call_dice: Dice,
}

impl World {
    pub(crate) fn new(scenario: Scenario) -> World {
        let dice = |part| Dice::new(scenario.seed, part);
        let policy = Policy { alerts: scenario.policy.clone(), ..Policy::DEFAULT };
        let consumers: Vec<(Consumer, Reader)> = scenario.readers().map(of_reading).collect();
        World {
            policies: Rc::new(PolicySet::of_all_streams(policy)),
            start: scenario.start.as_second(),
            clock: Clock::new(scenario.start.as_second()),
            metrics: consumers.iter().map(|_| vec![Minute::default(); scenario.minutes]).collect(),
            behind_until: consumers.iter().map(|_| 0).collect(),
            consumers,
            alarms: Alarms::default(),
            incidents: BTreeMap::new(),
            sent: Vec::new(),
            mishaps: 0,
            awaits: 0,
            bus_dice: dice("bus"),
            metric_dice: dice("metrics"),
            reader_dice: dice("readers"),
            call_dice: dice("calls"),
            scenario,
        }
    }

    pub(crate) fn minute(&self) -> usize {
        index((self.clock.now() - self.start) / 60)
    }

    /// A minute is over: records came in, consumers read, CloudWatch is told.
    pub(crate) fn end_minute(&mut self, minute: usize) {
        let written = self.scenario.written(minute);
        for (place, (_, reader)) in self.consumers.iter_mut().enumerate() {
            let point = reader.minute(minute, written, &mut self.reader_dice);
            if !reader.caught_up() {
                self.behind_until[place] = minute;
            }
            let delay = self.metric_dice.around(50.0, 180.0, 600.0);
            let publication = Publication { consumer: place, minute, point };
            self.clock.after(delay, Event::Publish(publication));
        }
    }

    pub(crate) fn publish(&mut self, publication: Publication) {
        let Publication { consumer, minute, point } = publication;
        self.metrics[consumer][minute] = point;
    }

    /// Every alarm is judged by what is published.
    pub(crate) fn judge_alarms(&mut self) {
        let (now, minute) = (self.clock.now(), self.minute());
        let mut told = Vec::new();
        let (metrics, consumers) = (&self.metrics, &self.consumers);
        self.alarms.judge(
            now,
            |spec, periods| values(spec, consumers, metrics, minute, periods),
            |change| told.push(super::envelope(&change.arn(), &change.detail(), now).to_string()),
        );
        for text in told {
            self.carry(Cargo::Event(text.into()));
        }
    }

    /// The bus: at least once, late, in any order; and sometimes not at all.
    pub(crate) fn carry(&mut self, cargo: Cargo) {
        let bus = &self.scenario.bus;
        if self.bus_dice.happens(bus.lost) {
            return;
        }
        let copies = if self.bus_dice.happens(bus.twice) { 2 } else { 1 };
        for _ in 0..copies {
            let late = self.bus_dice.happens(bus.late);
            let delay =
                self.bus_dice.seconds(if late { &bus.late_seconds } else { &bus.delay_seconds });
            self.clock.after(delay, Event::Deliver(cargo.clone(), 0));
        }
    }

    /// What GetMetricData and others tell of a consumer.
    pub(crate) fn evidence(&self, subject: &Subject) -> Evidence {
        let Subject::Consumer { consumer: id, .. } = subject else { return Evidence::default() };
        let Some(place) = self.consumers.iter().position(|(c, _)| c.id() == *id) else {
            return Evidence::default();
        };
        let minute = self.minute();
        let window = minute.saturating_sub(30)..minute;
        let lag = window
            .filter_map(|m| {
                let seconds = self.metrics[place][m].lag_seconds?;
                Some(LagPoint { at: timestamp(self.start + 60 * (count(m) + 1)), seconds })
            })
            .collect();
        let (_, reader) = &self.consumers[place];
        Evidence {
            retention_hours: Some(RETENTION_HOURS),
            lag,
            enabled: (reader.kind == Kind::Lambda).then(|| reader.enabled(minute)),
            shards_behind: Some(reader.shards_behind()).filter(|(behind, _)| *behind > 0),
            errors: self.metrics[place][minute.saturating_sub(10)..minute]
                .iter()
                .filter_map(|point| point.errors)
                .reduce(|sum, errors| sum + errors),
            ..Evidence::default()
        }
    }

    /// When the stream was last resharded, as the ledger knows it.
    pub(crate) fn resharded_at(&self) -> Option<Timestamp> {
        let minute = self.scenario.resharded_at.filter(|at| *at <= self.minute())?;
        Some(timestamp(self.start + 60 * count(minute)))
    }

    /// A conditional write of an incident.
    pub(crate) fn record(&mut self, incident: &Incident, read_at: Option<u64>) -> Option<u64> {
        let held = self.incidents.get(&incident.subject).map(|stored| stored.version);
        if held != read_at {
            return None;
        }
        let version = held.unwrap_or(0) + 1;
        let stored = StoredIncident { incident: incident.clone(), version };
        self.incidents.insert(incident.subject.clone(), stored);
        Some(version)
    }

    /// SNS takes a message. Its incident is read from the alarm's name, as a pager would.
    pub(crate) fn deliver_alert(&mut self, alert: &Alert) {
        let forms: serde_json::Value = serde_json::from_str(&alert.body).unwrap_or_default();
        let https: serde_json::Value =
            serde_json::from_str(forms["https"].as_str().unwrap_or_default()).unwrap_or_default();
        let name = https["AlarmName"].as_str().unwrap_or_default();
        let Some((_, stream, consumer)) = AlarmName::read_consumer(&AlarmPrefix::default(), name)
        else {
            return;
        };
        let subject = Subject::Consumer { stream, consumer };
        self.sent.push(Sent { at: self.clock.now(), subject, alert: alert.clone() });
    }
}

/// The stream of every scenario.
pub(crate) fn stream() -> Option<StreamName> {
    StreamName::new("orders").ok()
}

fn of_reading(reading: super::scenario::Reading) -> (Consumer, Reader) {
    let how = match reading.kind {
        Kind::Lambda => How::Lambda(Mapping {
            uuid: "3f1c8a52-7a64-4e0b-9a55-0c6f0e6ab901".to_owned(),
            enabled: true,
            filters: false,
            counts_events: false,
        }),
        Kind::FanOut => How::FanOut,
        Kind::Firehose => How::Firehose(Destination::S3),
        Kind::Kcl => How::Kcl,
    };
    let reader = Reader::new(reading.kind, reading.speed, reading.failures);
    let consumer = Consumer { stream: reading.stream, name: reading.name, reader: how };
    (consumer, reader)
}

/// What an alarm sees in its newest periods, oldest first. A period slides with the minutes.
fn values(
    spec: &AlarmSpec,
    consumers: &[(Consumer, Reader)],
    metrics: &[Vec<Minute>],
    minute: usize,
    periods: usize,
) -> Vec<Option<f64>> {
    let Some(place) = consumers.iter().position(|(c, _)| Some(c.id()) == spec.consumer) else {
        return Vec::new();
    };
    let length = usize::try_from(spec.period_seconds / 60).unwrap_or(1).max(1);
    (0..periods)
        .rev()
        .map(|back| {
            let end = minute.checked_sub(back * length)?;
            let start = end.checked_sub(length)?;
            period(spec, metrics[place].get(start..end)?)
        })
        .collect()
}

fn period(spec: &AlarmSpec, minutes: &[Minute]) -> Option<f64> {
    let all = |of: fn(&Minute) -> Option<f64>| minutes.iter().filter_map(of);
    let most = |of| all(of).fold(None, |most: Option<f64>, v| Some(most.map_or(v, |m| m.max(v))));
    let sum = |of| all(of).fold(None, |sum: Option<f64>, v| Some(sum.unwrap_or(0.0) + v));
    if let Some(AlarmQuery::Expression { .. }) = spec.queries.last() {
        // Silence: what was written while nothing was read.
        let read = sum(|m| m.read).unwrap_or(0.0);
        return sum(|m| m.written).map(|written| if read > 0.0 { 0.0 } else { written });
    }
    let Some(AlarmQuery::Metric { metric, .. }) = spec.queries.first() else { return None };
    match metric.name.as_str() {
        "IteratorAge"
        | "KinesisMillisBehindLatest"
        | "MillisBehindLatest"
        | "SubscribeToShardEvent.MillisBehindLatest" => {
            most(|m| m.lag_seconds).map(|seconds| seconds * 1000.0)
        }
        "Errors" => sum(|m| m.errors),
        "DeliveryToS3.DataFreshness" => most(|m| m.undelivered_seconds),
        _ => None,
    }
}

impl Scenario {
    /// How long the ledger and SNS are out in all.
    pub(crate) fn outage(&self) -> SignedDuration {
        let spans =
            self.outages.ledger.iter().chain(&self.outages.sns).chain(&self.outages.cloudwatch);
        SignedDuration::from_mins(spans.map(|span| count(span.len())).sum())
    }
}

/// The name of the n-th consumer.
pub(crate) fn consumer_name(number: usize) -> Option<ConsumerName> {
    const NAMES: [&str; 4] = ["billing", "fraud-check", "archive", "search"];
    NAMES.get(number).and_then(|name| ConsumerName::new(name).ok())
}
