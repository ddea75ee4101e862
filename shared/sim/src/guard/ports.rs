//! The ports of raise-alerts and sync-consumers on the guard's world. Every call may take time,
//! fail, lose its answer, or be the last thing a run did.
//!
//! Not here: what a call does to the world (`world`).

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use jiff::Timestamp;
use serde_json::json;
use weir_control::incoming::{AlarmEvent, Incoming};
use weir_control::ledger::StoredIncident;
use weir_control::message::Alert;
use weir_control::ports::{
    Clock, DescribeStream, Failure, FindConsumers, ListStreams, PortError, PortResult,
    ReadAlarmStates, ReadAlarms, ReadEvidence, ReadIncidents, RecordIncident, SendAlert,
    WriteAlarms,
};
use weir_core::alarms::{ActualAlarm, AlarmName, AlarmSpec, AlarmState};
use weir_core::consumer::{Consumer, ConsumerKind};
use weir_core::incident::{Evidence, Incident, Subject};
use weir_core::observation::{CapacityMode, StreamState, StreamStatus};
use weir_core::units::{Shards, StreamName};

use super::world::{RETENTION_HOURS, World};
use crate::alarms::StateChange;
use crate::clock::{Seconds, timestamp};

/// Chance leaves the first sync alone: what is judged is whether alarms are told of, and there must
/// be some.
const PEACEFUL_MINUTES: usize = 5;
/// Seconds after which Lambda stops raise-alerts.
const TIMEOUT_SECONDS: Seconds = 60;

/// One run of a function.
pub(crate) struct Run {
    deadline: Seconds,
    pub(crate) died: Cell<bool>,
    pub(crate) resume_at: Cell<Option<Seconds>>,
}

impl Run {
    pub(crate) fn new(now: Seconds) -> Run {
        Run { deadline: now + TIMEOUT_SECONDS, died: Cell::new(false), resume_at: Cell::new(None) }
    }
}

#[derive(Clone)]
pub(crate) struct Hands {
    pub(crate) world: Rc<RefCell<World>>,
    pub(crate) run: Rc<Run>,
}

/// Which service a call is to.
#[derive(Clone, Copy, PartialEq)]
enum Service {
    CloudWatch,
    Ledger,
    Sns,
    Other,
}

impl Hands {
    async fn call<T>(
        &self,
        operation: &'static str,
        service: Service,
        writes: bool,
        effect: impl FnOnce(&mut World) -> T,
    ) -> PortResult<T> {
        self.pause().await;
        let answer = {
            let mut world = self.world.borrow_mut();
            let minute = world.minute();
            let outages = &world.scenario.outages;
            let down = match service {
                Service::CloudWatch => &outages.cloudwatch[..],
                Service::Ledger => &outages.ledger[..],
                Service::Sns => &outages.sns[..],
                Service::Other => &[],
            };
            let down = down.iter().any(|span| span.contains(&minute));
            let trouble = if minute < PEACEFUL_MINUTES { 0.0 } else { 1.0 };
            let failing = trouble * world.scenario.failing;
            let losing = trouble * world.scenario.answer_lost;
            if down || world.call_dice.happens(failing) {
                // A message that was sent cannot be struck off: it will come again.
                world.mishaps += u64::from(writes && service == Service::Ledger);
                Err((Failure::Unavailable, "the service did not answer"))
            } else if writes && world.call_dice.happens(losing) {
                world.mishaps += 1;
                let _ = effect(&mut world);
                Err((Failure::AnswerLost, "the connection broke"))
            } else {
                Ok(effect(&mut world))
            }
        };
        self.pause().await;
        answer.map_err(|(failure, message)| PortError {
            operation,
            failure,
            message: message.to_owned(),
            source: None,
        })
    }

    /// An await: time may pass, or the run die.
    fn pause(&self) -> Pause<'_> {
        let mut world = self.world.borrow_mut();
        world.awaits += 1;
        let slow = world.scenario.slow;
        let waits = world.call_dice.happens(slow);
        let seconds = if waits { world.call_dice.seconds(&(1..=8)) } else { 0 };
        let peace = world.minute() < PEACEFUL_MINUTES;
        let crash = if peace { 0.0 } else { world.scenario.crash };
        let dies = world.scenario.crash_at_await == Some(world.awaits)
            || world.call_dice.happens(crash)
            || world.clock.now() + seconds > self.run.deadline;
        if dies {
            world.mishaps += 1;
        }
        Pause { hands: self, dies, seconds }
    }
}

struct Pause<'a> {
    hands: &'a Hands,
    dies: bool,
    seconds: Seconds,
}

impl Future for Pause<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.dies {
            self.hands.run.died.set(true);
            return Poll::Pending;
        }
        match std::mem::take(&mut self.seconds) {
            0 => Poll::Ready(()),
            seconds => {
                let now = self.hands.world.borrow().clock.now();
                self.hands.run.resume_at.set(Some(now + seconds));
                Poll::Pending
            }
        }
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        timestamp(self.world.borrow().clock.now())
    }
}

impl ReadAlarmStates for Hands {
    async fn failing_alarms(&self) -> PortResult<Vec<AlarmEvent>> {
        self.call("DescribeAlarms", Service::CloudWatch, false, |world| {
            events(world, |_, state| state == AlarmState::Alarm)
        })
        .await
    }

    async fn alarm_states(&self, names: &[String]) -> PortResult<Vec<AlarmEvent>> {
        self.call("DescribeAlarms", Service::CloudWatch, false, |world| {
            events(world, |name, _| names.iter().any(|wanted| wanted == name))
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
            let (to, at) = (state, since);
            let change = StateChange {
                spec,
                from: to,
                from_since: at,
                to,
                at,
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

impl ReadEvidence for Hands {
    async fn read_evidence(&self, subject: &Subject, _now: Timestamp) -> Evidence {
        let reshard = |world: &mut World| world.resharded_at();
        let resharded_at = self.call("ledger read", Service::Ledger, false, reshard).await;
        let read = |world: &mut World| world.evidence(subject);
        let evidence = self.call("GetMetricData", Service::CloudWatch, false, read).await;
        Evidence { resharded_at: resharded_at.unwrap_or_default(), ..evidence.unwrap_or_default() }
    }
}

impl ReadIncidents for Hands {
    async fn newest_incident(&self, subject: &Subject) -> PortResult<Option<StoredIncident>> {
        let read = |world: &mut World| world.incidents.get(subject).cloned();
        self.call("ledger read", Service::Ledger, false, read).await
    }

    async fn open_incidents(&self) -> PortResult<Vec<StoredIncident>> {
        let read = |world: &mut World| {
            let all = world.incidents.values();
            all.filter(|stored| stored.incident.is_open()).cloned().collect()
        };
        self.call("ledger read", Service::Ledger, false, read).await
    }
}

impl RecordIncident for Hands {
    async fn record_incident(
        &self,
        incident: &Incident,
        read_at_version: Option<u64>,
    ) -> PortResult<Option<u64>> {
        let write = |world: &mut World| world.record(incident, read_at_version);
        self.call("ledger write", Service::Ledger, true, write).await
    }
}

impl SendAlert for Hands {
    async fn send_alert(&self, alert: &Alert) -> PortResult<()> {
        self.call("Publish", Service::Sns, true, |world| world.deliver_alert(alert)).await
    }
}

impl ListStreams for Hands {
    async fn list_streams(&self) -> PortResult<Vec<StreamName>> {
        let list = |_: &mut World| super::world::stream().into_iter().collect();
        self.call("ListStreams", Service::Other, false, list).await
    }
}

impl DescribeStream for Hands {
    async fn describe_stream(&self, _stream: &StreamName) -> PortResult<StreamState> {
        let state = StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Active,
            open_shards: Shards::at_least_one(8),
            retention_hours: RETENTION_HOURS,
            held_on_demand_by: None,
        };
        self.call("DescribeStreamSummary", Service::Other, false, |_| state).await
    }
}

impl FindConsumers for Hands {
    async fn find_consumers(&self, stream: &StreamName) -> PortResult<Vec<Consumer>> {
        // KCL applications are declared in the policy: AWS does not know them.
        let found = |world: &mut World| {
            let consumers = world.consumers.iter().map(|(consumer, _)| consumer);
            let known = |c: &&Consumer| c.stream == *stream && c.kind() != ConsumerKind::Kcl;
            consumers.filter(known).cloned().collect()
        };
        self.call("ListEventSourceMappings", Service::Other, false, found).await
    }
}

impl ReadAlarms for Hands {
    async fn read_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        let names = || desired.iter().map(|spec| &spec.name);
        let read = |world: &mut World| world.alarms.named(names());
        self.call("DescribeAlarms", Service::CloudWatch, false, read).await
    }

    async fn read_all_alarms(&self, _desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        let read = |world: &mut World| world.alarms.beginning("weir-");
        self.call("DescribeAlarms", Service::CloudWatch, false, read).await
    }
}

impl WriteAlarms for Hands {
    async fn put_alarm(&self, spec: &AlarmSpec) -> PortResult<()> {
        let put = |world: &mut World| world.alarms.put(spec, world.clock.now());
        self.call("PutMetricAlarm", Service::CloudWatch, true, put).await
    }

    async fn rearm_alarm(&self, name: &AlarmName) -> PortResult<()> {
        let set = |world: &mut World| {
            let now = world.clock.now();
            world.alarms.forget_state(name, now, |_| ());
        };
        self.call("SetAlarmState", Service::CloudWatch, true, set).await
    }

    async fn delete_alarms(&self, names: &[String]) -> PortResult<()> {
        let delete = |world: &mut World| world.alarms.delete(names);
        self.call("DeleteAlarms", Service::CloudWatch, true, delete).await
    }
}
