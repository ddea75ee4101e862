//! EventBridge: carries events to loops as JSON text, at least once, in any order.
//!
//! Here: the envelope, and what chance does to deliveries. Not here: which event wakes which loop
//! (`weir_control::routing`), running the loop, and trying again after it failed (`simulation`).

use std::ops::RangeInclusive;
use std::rc::Rc;

use serde_json::{Value, json};

use weir_control::routing::{Loop, woken_by};
use weir_core::alarms::AlarmPrefix;

use crate::alarms::{ACCOUNT, REGION};
use crate::chance::Dice;
use crate::clock::{Seconds, timestamp};

/// What the bus does to deliveries.
#[derive(Clone, Debug, PartialEq)]
pub struct BusSettings {
    /// Seconds until an event arrives.
    pub delay_seconds: RangeInclusive<i64>,
    /// Probability that an event takes far longer, and others overtake it.
    pub late: f64,
    /// Seconds such an event takes.
    pub late_seconds: RangeInclusive<i64>,
    /// Probability that an event arrives twice, each time by itself.
    pub twice: f64,
    /// Probability that an event is lost. EventBridge loses none; this is a fault.
    pub lost: f64,
}

impl BusSettings {
    /// Once, in order, at once.
    pub const PERFECT: BusSettings =
        BusSettings { delay_seconds: 0..=0, late: 0.0, late_seconds: 0..=0, twice: 0.0, lost: 0.0 };
}

/// What is brought to a loop.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) target: Loop,
    pub(crate) payload: Payload,
    /// 0 the first time.
    pub(crate) attempt: usize,
    /// How often there was no room for it.
    pub(crate) no_room: u32,
    /// When it first arrived; `None` before.
    pub(crate) arrived_at: Option<Seconds>,
}

impl Delivery {
    pub(crate) fn new(target: Loop, payload: Payload) -> Delivery {
        Delivery { target, payload, attempt: 0, no_room: 0, arrived_at: None }
    }
}

/// What a delivery holds.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// An event, as text.
    Event(Rc<str>),
    /// A schedule's event. Its text is the same every time, so it is not written out.
    Schedule,
}

pub(crate) struct Bus {
    settings: BusSettings,
    alarm_prefix: AlarmPrefix,
    /// Whether raise-alerts is there to be woken.
    alerts: bool,
    dice: Dice,
    events: u64,
}

impl Bus {
    pub(crate) fn new(
        settings: BusSettings,
        alarm_prefix: AlarmPrefix,
        alerts: bool,
        dice: Dice,
    ) -> Bus {
        Bus { settings, alarm_prefix, alerts, dice, events: 0 }
    }

    /// Takes an event, and says which deliveries it makes and in how many seconds.
    pub(crate) fn carry(
        &mut self,
        source: &str,
        detail_type: &str,
        resources: &[String],
        detail: Value,
        now: Seconds,
    ) -> Vec<(i64, Delivery)> {
        let targets: Vec<Loop> = woken_by(&self.alarm_prefix, source, detail_type, &detail)
            .filter(|woken| self.alerts || *woken != Loop::RaiseAlerts)
            .collect();
        if targets.is_empty() {
            return Vec::new();
        }
        self.events += 1;
        let event = json!({
            "version": "0",
            "id": format!("00000000-0000-4000-8000-{:012x}", self.events),
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT,
            "time": timestamp(now).to_string(),
            "region": REGION,
            "resources": resources,
            "detail": detail,
        });
        let payload = Payload::Event(event.to_string().into());
        let delivery = |target| Delivery::new(target, payload.clone());
        targets.into_iter().flat_map(|target| self.deliveries(delivery(target))).collect()
    }

    /// A schedule fires; chance has no hand in it where `calm`.
    pub(crate) fn schedule(&mut self, target: Loop, calm: bool) -> Vec<(i64, Delivery)> {
        let delivery = Delivery::new(target, Payload::Schedule);
        if calm { vec![(0, delivery)] } else { self.deliveries(delivery) }
    }

    fn deliveries(&mut self, delivery: Delivery) -> Vec<(i64, Delivery)> {
        let BusSettings { delay_seconds, late, late_seconds, twice, lost } = &self.settings;
        if self.dice.happens(*lost) {
            return Vec::new();
        }
        let copies = if self.dice.happens(*twice) { 2 } else { 1 };
        (0..copies)
            .map(|_| {
                let far = self.dice.happens(*late);
                let delay = self.dice.seconds(if far { late_seconds } else { delay_seconds });
                (delay, delivery.clone())
            })
            .collect()
    }
}

/// What a schedule's event looks like.
pub(crate) fn scheduled_event() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/weir-tick")],
        "detail": {},
    })
}
