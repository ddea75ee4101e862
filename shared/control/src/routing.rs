//! Which event wakes which loop, how long a loop may run, and when a failed event is delivered
//! again: the one table that the simulator routes by and that the templates of `infra/` are held
//! to.
//!
//! Not here: what a loop makes of an event (its `on_event`). The template's rule on its own
//! deployment is not here either: it sends an operator's request, which is.

use serde_json::Value;
use weir_core::alarms::AlarmPrefix;

use crate::event::INSTALLATION;

/// A control loop: what one function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loop {
    /// Observes streams and plans their size and capacity mode.
    PlanCapacity,
    /// Carries out a plan by UpdateShardCount.
    ResizeStream,
    /// Carries out a plan by UpdateStreamMode.
    SwitchMode,
    /// Reconciles alarms, and registers streams.
    SyncAlarms,
    /// Opens and closes incidents, and notifies.
    RaiseAlerts,
}

impl Loop {
    /// All of them.
    pub const ALL: [Loop; 5] = [
        Loop::PlanCapacity,
        Loop::ResizeStream,
        Loop::SwitchMode,
        Loop::SyncAlarms,
        Loop::RaiseAlerts,
    ];

    /// The name of its function, which is the `Handler` of the templates.
    pub fn name(self) -> &'static str {
        match self {
            Loop::PlanCapacity => "plan-capacity",
            Loop::ResizeStream => "resize-stream",
            Loop::SwitchMode => "switch-mode",
            Loop::SyncAlarms => "sync-alarms",
            Loop::RaiseAlerts => "raise-alerts",
        }
    }

    /// Seconds after which a run is stopped: `Timeout` of the templates.
    pub fn timeout_seconds(self) -> u32 {
        match self {
            Loop::ResizeStream | Loop::SwitchMode => 30,
            Loop::PlanCapacity | Loop::RaiseAlerts => 60,
            Loop::SyncAlarms => 900,
        }
    }

    /// Seconds after which an event that it had no room for is given up: `MaximumEventAgeInSeconds`
    /// of the templates.
    pub fn event_age_seconds(self) -> u32 {
        match self {
            // No stream of a fleet that it keeps up with goes without a look for longer.
            Loop::PlanCapacity => 600,
            // The next hour does what an older event asks for. A plan expires after five minutes,
            // and its executor says so, where an event given up would end in a queue that pages.
            Loop::ResizeStream | Loop::SwitchMode | Loop::SyncAlarms | Loop::RaiseAlerts => 3_600,
        }
    }
}

/// Seconds after a failed run until its event is delivered again: the first time, the second time.
/// After that it goes to the dead-letter queue. These are Lambda's for asynchronous invocations
/// (developer guide, "How Lambda handles errors and retries with asynchronous invocation"); their
/// number is `MaximumRetryAttempts` of the templates.
pub const REDELIVERY_DELAYS_SECONDS: [u32; 2] = [60, 120];

/// One rule: what wakes a loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    /// The rule's name within a stack.
    pub rule: &'static str,
    /// What it wakes.
    pub wakes: Loop,
    /// By what.
    pub trigger: Trigger,
}

/// What makes a rule fire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trigger {
    /// A schedule, every so many minutes.
    EveryMinutes(u32),
    /// An event on the default bus.
    Event(EventPattern),
}

/// Which events a rule is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventPattern {
    /// `source`.
    pub source: &'static str,
    /// `detail-type`: one of these.
    pub detail_types: &'static [&'static str],
    /// What must hold within `detail`, all of it.
    pub detail: &'static [FieldMatch],
}

/// A field of `detail` and the values it may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldMatch {
    /// The way to the field.
    pub path: &'static [&'static str],
    /// Its values.
    pub values: FieldValues,
}

/// The values a field may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValues {
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// The name of an alarm of this installation: its prefix, followed by one of these.
    AlarmsNamed(&'static [&'static str]),
    /// This installation.
    This,
    /// This installation, or none: for all.
    ThisOrAll,
}

use FieldValues::{AlarmsNamed, OneOf, This, ThisOrAll};

const OURS: FieldMatch = field(&[INSTALLATION], This);
const FOR_US: FieldMatch = field(&[INSTALLATION], ThisOrAll);

/// Every rule of an installation. A plan made in observe mode has no way to an executor.
pub const ROUTES: [Route; 13] = [
    every("PlanCapacityTick", Loop::PlanCapacity, 1),
    alarms(
        "PlanCapacityAlarmWentOff",
        Loop::PlanCapacity,
        &[
            field(&["alarmName"], AlarmsNamed(&["surge-", "throttle-"])),
            field(&["state", "value"], OneOf(&["ALARM"])),
        ],
    ),
    own(
        "PlanCapacityPlanRequested",
        Loop::PlanCapacity,
        &["Weir Operator Request"],
        &[FOR_US, field(&["request"], OneOf(&["plan"]))],
    ),
    own(
        "ResizeStreamReshardPlanned",
        Loop::ResizeStream,
        &["Weir Capacity Planned"],
        &[OURS, field(&["mode"], OneOf(&["act"])), field(&["action", "kind"], OneOf(&["reshard"]))],
    ),
    own(
        "SwitchModeSwitchPlanned",
        Loop::SwitchMode,
        &["Weir Capacity Planned"],
        &[
            OURS,
            field(&["mode"], OneOf(&["act"])),
            field(&["action", "kind"], OneOf(&["switch_mode"])),
        ],
    ),
    every("SyncAlarmsHourly", Loop::SyncAlarms, 60),
    own("SyncAlarmsStreamResized", Loop::SyncAlarms, &["Weir Stream Resized"], &[OURS]),
    own("SyncAlarmsModeSwitched", Loop::SyncAlarms, &["Weir Mode Switched"], &[OURS]),
    own(
        "SyncAlarmsSyncRequested",
        Loop::SyncAlarms,
        &["Weir Operator Request"],
        &[FOR_US, field(&["request"], OneOf(&["sync_alarms"]))],
    ),
    every("RaiseAlertsTick", Loop::RaiseAlerts, 1),
    alarms(
        "RaiseAlertsConsumerAlarm",
        Loop::RaiseAlerts,
        &[
            field(
                &["alarmName"],
                AlarmsNamed(&[
                    "lag-",
                    "silence-",
                    "errors-",
                    "throttles-",
                    "delivery-",
                    "dropped-",
                    "unwatched-",
                    "self-",
                ]),
            ),
            field(&["state", "value"], OneOf(&["ALARM", "OK"])),
        ],
    ),
    own(
        "RaiseAlertsOwnFailure",
        Loop::RaiseAlerts,
        &["Weir Action Refused", "Weir Action Failed"],
        &[OURS],
    ),
    own(
        "RaiseAlertsPlanned",
        Loop::RaiseAlerts,
        &["Weir Capacity Planned"],
        &[OURS, field(&["mode"], OneOf(&["act"]))],
    ),
];

const fn every(rule: &'static str, wakes: Loop, minutes: u32) -> Route {
    Route { rule, wakes, trigger: Trigger::EveryMinutes(minutes) }
}

/// On alarms that change their state. Never on all events of CloudWatch: Weir's own PutMetricAlarm
/// makes some.
const fn alarms(rule: &'static str, wakes: Loop, detail: &'static [FieldMatch]) -> Route {
    let detail_types = &["CloudWatch Alarm State Change"];
    let pattern = EventPattern { source: "aws.cloudwatch", detail_types, detail };
    Route { rule, wakes, trigger: Trigger::Event(pattern) }
}

const fn own(
    rule: &'static str,
    wakes: Loop,
    detail_types: &'static [&'static str],
    detail: &'static [FieldMatch],
) -> Route {
    let pattern = EventPattern { source: crate::event::SOURCE, detail_types, detail };
    Route { rule, wakes, trigger: Trigger::Event(pattern) }
}

const fn field(path: &'static [&'static str], values: FieldValues) -> FieldMatch {
    FieldMatch { path, values }
}

/// The loops that an event on the bus wakes, in the order of [`ROUTES`].
pub fn woken_by(
    prefix: &AlarmPrefix,
    source: &str,
    detail_type: &str,
    detail: &Value,
) -> impl Iterator<Item = Loop> {
    ROUTES.into_iter().filter_map(move |route| match route.trigger {
        Trigger::Event(pattern) => {
            pattern.matches(prefix, source, detail_type, detail).then_some(route.wakes)
        }
        Trigger::EveryMinutes(_) => None,
    })
}

/// The loops that a schedule wakes in this minute, counted from any hour's begin.
pub fn scheduled_in(minute: usize) -> impl Iterator<Item = Loop> {
    ROUTES.into_iter().filter_map(move |route| match route.trigger {
        Trigger::EveryMinutes(every) => usize::try_from(every)
            .is_ok_and(|every| minute.is_multiple_of(every))
            .then_some(route.wakes),
        Trigger::Event(_) => None,
    })
}

impl EventPattern {
    /// Whether EventBridge would hand this event to the rule.
    fn matches(
        &self,
        prefix: &AlarmPrefix,
        source: &str,
        detail_type: &str,
        detail: &Value,
    ) -> bool {
        self.source == source
            && self.detail_types.contains(&detail_type)
            && self.detail.iter().all(|field| field.matches(prefix, detail))
    }
}

impl FieldMatch {
    fn matches(&self, prefix: &AlarmPrefix, detail: &Value) -> bool {
        let value = self.path.iter().fold(detail, |inner, name| &inner[*name]);
        if self.values == ThisOrAll && value.is_null() {
            return true;
        }
        let Some(text) = value.as_str() else { return false };
        match self.values {
            This | ThisOrAll => text == prefix.as_str(),
            FieldValues::OneOf(texts) => texts.contains(&text),
            FieldValues::AlarmsNamed(kinds) => text
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| kinds.iter().any(|kind| rest.starts_with(kind))),
        }
    }
}
