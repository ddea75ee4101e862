//! What raise-alerts alone needs: the states of alarms, evidence, incidents, topics. Evidence is
//! what `weir-aws` can read of a consumer and no more.

use jiff::Timestamp;
use serde_json::json;
use weir_control::incoming::{AlarmEvent, Incoming};
use weir_control::ledger::StoredIncident;
use weir_control::notification::Notification;
use weir_control::ports::{
    Failure, FindConsumers, FindMetric, PortResult, ReadAlarmStates, ReadEvidence, ReadIncidents,
    RecordIncident, SendNotification,
};
use weir_core::action::{Change, Outcome};
use weir_core::alarms::{AlarmState, MetricId};
use weir_core::consumer::{Consumer, ConsumerId, ConsumerKind};
use weir_core::incident::{Evidence, Incident, LagPoint, Subject};
use weir_core::units::StreamName;

use super::SimulatedPorts;
use crate::alarms::StateChange;
use crate::clock::{Seconds, count, timestamp};
use crate::consumer::ConsumerMinute;
use crate::operation::Operation;
use crate::topics::SentMessage;
use crate::world::World;

/// What is counted is counted over these minutes.
const COUNTED_MINUTES: usize = 10;
/// Traffic now is held against traffic so many minutes before; so far back metrics are read.
const BEFORE_MINUTES: usize = 60;

impl ReadAlarmStates for SimulatedPorts {
    async fn failing_alarms(&self) -> PortResult<Vec<AlarmEvent>> {
        self.call(Operation::DescribeAlarms, None, |world| {
            Ok(events(world, |_, state| state == AlarmState::Alarm))
        })
        .await
    }

    async fn alarm_states(&self, names: &[String]) -> PortResult<Vec<AlarmEvent>> {
        self.call(Operation::DescribeAlarms, None, |world| {
            Ok(events(world, |name, _| names.iter().any(|wanted| wanted == name)))
        })
        .await
    }
}

/// What alarms say, in the words of an event.
fn events(world: &World, wanted: impl Fn(&str, AlarmState) -> bool) -> Vec<AlarmEvent> {
    let states =
        world.alarms.states().filter(|(spec, state, _)| wanted(spec.name.as_str(), *state));
    states
        .filter_map(|(spec, state, since)| {
            let change = StateChange {
                spec,
                from: state,
                from_since: since,
                to: state,
                at: since,
                values: &[],
                with_tags: false,
            };
            let event = json!({ "alarmData": change.detail(), "alarmArn": change.arn() });
            match Incoming::read(&event) {
                Ok(Incoming::Alarm(alarm)) => Some(*alarm),
                _ => None,
            }
        })
        .collect()
}

impl ReadEvidence for SimulatedPorts {
    async fn read_evidence(&self, subject: &Subject, _now: Timestamp) -> Evidence {
        let Subject::Consumer { stream, consumer } = subject else { return Evidence::default() };
        let state = Operation::DescribeStreamSummary;
        let retention = self.call(state, Some(stream), |world| {
            let missing = || (Failure::Missing, format!("Stream {stream} not found."));
            let place = world.account.find(stream).ok_or_else(missing)?;
            Ok(world.account.streams[place].retention_hours)
        });
        let retention = retention.await;
        let resharded =
            self.call(Operation::LedgerRead, Some(stream), |world| Ok(resharded_at(world, stream)));
        let resharded = resharded.await;
        let metrics = self.call(Operation::GetMetricData, Some(stream), |world| {
            Ok(metrics_of(world, stream, consumer))
        });
        Evidence {
            retention_hours: retention.ok(),
            resharded_at: resharded.ok().flatten(),
            ..metrics.await.ok().flatten().unwrap_or_default()
        }
    }
}

/// When the stream was last resharded, as the ledger knows it.
fn resharded_at(world: &World, stream: &StreamName) -> Option<Timestamp> {
    let actions = world.ledger.actions(stream).iter().map(|action| action.record);
    let reshards = actions.filter(|action| {
        matches!(action.change, Change::Reshard { .. })
            && matches!(action.outcome, Outcome::Accepted | Outcome::Unknown)
    });
    reshards.map(|action| action.at).max()
}

/// What its published metrics tell of a consumer, and its mapping, where it has one.
fn metrics_of(world: &World, stream: &StreamName, consumer: &ConsumerId) -> Option<Evidence> {
    let known = world.consumers().iter().find(|known| known.is(stream, consumer))?;
    let (minute, lambda) = (world.minute(), consumer.kind() == Some(ConsumerKind::Lambda));
    let recent = minute.saturating_sub(COUNTED_MINUTES)..minute;
    let at = |minute: usize| -> Seconds { world.start + 60 * count(minute) };
    let points = |from: usize| known.published.iter().enumerate().take(minute).skip(from);
    let sum = |of: fn(&ConsumerMinute) -> Option<f64>| {
        points(recent.start).filter_map(|(_, point)| of(point)).reduce(|sum, value| sum + value)
    };
    let from = minute.saturating_sub(BEFORE_MINUTES + COUNTED_MINUTES);
    let lag = points(from).filter_map(|(minute, point)| {
        let seconds = point.lag_seconds?;
        Some(LagPoint { at: timestamp(at(minute + 1)), seconds })
    });
    let mut read = points(from).filter(|(_, point)| point.reads.is_some_and(|reads| reads > 0.0));
    let written = |minutes: std::ops::Range<usize>| {
        let metrics = &world.metrics[known.place];
        let values = minutes.filter_map(|minute| metrics.minute(minute).accepted_records);
        values.reduce(|sum, value| sum + value)
    };
    let before = recent.start.checked_sub(BEFORE_MINUTES)?..recent.end - BEFORE_MINUTES;
    Some(Evidence {
        lag: lag.collect(),
        last_read_at: read.next_back().map(|(minute, _)| timestamp(at(minute))),
        invocations: if lambda { sum(|point| point.reads) } else { None },
        errors: sum(|point| point.errors),
        enabled: lambda.then(|| match known.described(minute).reader {
            weir_core::consumer::Reader::Lambda(mapping) => mapping.enabled,
            _ => true,
        }),
        written: written(recent).zip(written(before)),
        ..Evidence::default()
    })
}

impl FindConsumers for SimulatedPorts {
    async fn find_consumers(&self, stream: &StreamName) -> PortResult<Vec<Consumer>> {
        self.call(Operation::ListEventSourceMappings, Some(stream), |world| {
            // KCL applications and other pollers are declared in the policy: AWS does not know
            // them.
            let declared = [Some(ConsumerKind::Kcl), Some(ConsumerKind::Polling)];
            let known = world
                .consumers()
                .iter()
                .filter(|known| known.stream == *stream && !declared.contains(&known.id.kind()));
            Ok(known.map(|known| known.described(world.minute())).collect())
        })
        .await
    }
}

impl FindMetric for SimulatedPorts {
    async fn metric_exists(&self, _: &MetricId) -> PortResult<bool> {
        Ok(true)
    }
}

impl ReadIncidents for SimulatedPorts {
    async fn newest_incident(&self, subject: &Subject) -> PortResult<Option<StoredIncident>> {
        self.call(Operation::LedgerRead, None, |world| {
            Ok(world.ledger.newest_incident(subject).cloned())
        })
        .await
    }

    async fn open_incidents(&self) -> PortResult<Vec<StoredIncident>> {
        self.call(Operation::LedgerRead, None, |world| Ok(world.ledger.open_incidents())).await
    }
}

impl RecordIncident for SimulatedPorts {
    async fn record_incident(
        &self,
        incident: &Incident,
        read_at_version: Option<u64>,
    ) -> PortResult<Option<u64>> {
        self.call(Operation::LedgerWrite, None, |world| {
            Ok(world.ledger.record_incident(incident, read_at_version))
        })
        .await
    }
}

impl SendNotification for SimulatedPorts {
    async fn send_notification(&self, alert: &Notification) -> PortResult<()> {
        self.call(Operation::Publish, None, |world| {
            let at = timestamp(world.clock.now());
            let unreadable = || (Failure::Invalid, "a message that no program can read".to_owned());
            let sent = SentMessage::read(at, alert).ok_or_else(unreadable)?;
            world.alerts.sent.push(sent);
            Ok(())
        })
        .await
    }
}
