//! What the loops need from the world: one trait per verb, so that each loop asks for the least.
//!
//! The same loops run on AWS and on the simulator; both implement these traits. Not here: the
//! ledger's own types (`ledger`).

use jiff::Timestamp;
use thiserror::Error;
use weir_core::action::ActionRecord;
use weir_core::alarms::{ActualAlarm, AlarmName, AlarmSpec, MetricId};
use weir_core::consumer::Consumer;
use weir_core::incident::{Evidence, Incident, Subject};
use weir_core::observation::{CapacityMode, ShardQuota, StreamState};
use weir_core::reasons::{RefusalReason, SkipReason};
use weir_core::series::Series;
use weir_core::units::{Shards, StreamName};

use crate::event::WeirEvent;
use crate::incoming::AlarmEvent;
use crate::ledger::{Claimed, Planned, StoredIncident, StreamRecord};
use crate::notification::Notification;
use crate::plan_id::PlanId;

/// Why a call on the world failed, in the terms a loop decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// What the call is about does not exist.
    Missing,
    /// It is being changed and takes no other change now.
    Busy,
    /// A limit: of the day, of the account, or of calls per second. AWS does not say which.
    Limit,
    /// The stream is in the other capacity mode.
    WrongMode,
    /// AWS takes this request for wrong.
    Invalid,
    /// No right to make this call.
    Denied,
    /// The service failed or could not be reached; the call certainly changed nothing.
    Unavailable,
    /// The call was sent and no answer came: it may have taken effect.
    AnswerLost,
}

impl Failure {
    /// Whether the same call may succeed later.
    pub fn retryable(self) -> bool {
        match self {
            Failure::Busy | Failure::Limit | Failure::Unavailable | Failure::AnswerLost => true,
            Failure::Missing | Failure::WrongMode | Failure::Invalid | Failure::Denied => false,
        }
    }

    /// The reason that is given where it keeps an order from being carried out.
    pub fn refusal(self) -> RefusalReason {
        match self {
            Failure::Missing => RefusalReason::StreamMissing,
            Failure::Busy => RefusalReason::StreamBusy,
            Failure::Limit => RefusalReason::LimitReached,
            Failure::WrongMode => RefusalReason::StreamOnDemand,
            Failure::Invalid => RefusalReason::TargetRefused,
            Failure::Denied => RefusalReason::AccessDenied,
            Failure::Unavailable | Failure::AnswerLost => RefusalReason::ServiceFailed,
        }
    }

    /// The reason that is given where it costs a stream its plan.
    pub fn skip(self) -> SkipReason {
        match self {
            Failure::Missing => SkipReason::StreamMissing,
            Failure::Busy => SkipReason::StreamBusy,
            Failure::Limit => SkipReason::LimitReached,
            Failure::WrongMode => SkipReason::StreamOnDemand,
            Failure::Invalid => SkipReason::TargetRefused,
            Failure::Denied => SkipReason::AccessDenied,
            Failure::Unavailable | Failure::AnswerLost => SkipReason::ServiceFailed,
        }
    }
}

/// A call on the world that failed.
#[derive(Debug, Error)]
#[error("{operation} failed: {message}")]
pub struct PortError {
    /// The operation, as AWS names it.
    pub operation: &'static str,
    /// What a loop decides by.
    pub failure: Failure,
    /// What the service said.
    pub message: String,
    /// What lies below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of a call on the world. A loop decides by [`PortError::failure`] alone: whether a
/// call may have taken effect, and whether the same call may succeed later.
pub type PortResult<T> = Result<T, PortError>;

/// Traffic of one stream.
#[derive(Debug)]
pub struct Traffic {
    /// The last [`weir_core::plan::MINUTES_OBSERVED`] minutes, by the minute.
    pub minutes: Series,
    /// The last [`weir_core::plan::DAYS_OBSERVED`] days, in coarser periods. They fail by
    /// themselves: what was written in the last minutes is enough to add shards by.
    pub days: PortResult<Series>,
}

/// The time.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// DescribeStreamSummary.
#[allow(async_fn_in_trait)] // one executor per program; no caller needs Send
pub trait DescribeStream {
    /// The stream as it is.
    async fn describe_stream(&self, stream: &StreamName) -> PortResult<StreamState>;
}

/// ListStreams.
#[allow(async_fn_in_trait)]
pub trait ListStreams {
    /// Every stream of the account and region.
    async fn list_streams(&self) -> PortResult<Vec<StreamName>>;
}

/// GetMetricData.
#[allow(async_fn_in_trait)]
pub trait ReadTraffic {
    /// Traffic of each stream, in the order asked for, up to `now`. One stream's failure is its
    /// own.
    async fn read_traffic(
        &self,
        streams: &[StreamName],
        now: Timestamp,
    ) -> Vec<PortResult<Traffic>>;
}

/// The account's quota, and when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaReading {
    /// What AWS said.
    pub quota: ShardQuota,
    /// When.
    pub read_at: Timestamp,
}

/// DescribeLimits.
#[allow(async_fn_in_trait)]
pub trait ReadQuota {
    /// The account's shard quota. A kept answer will do, if it says its age.
    async fn read_quota(&self) -> PortResult<QuotaReading>;
}

/// UpdateShardCount.
#[allow(async_fn_in_trait)]
pub trait Reshard {
    /// Asks once; never repeats the call.
    async fn reshard(&self, stream: &StreamName, to: Shards) -> PortResult<()>;
}

/// UpdateStreamMode.
#[allow(async_fn_in_trait)]
pub trait SwitchMode {
    /// Asks once; never repeats the call.
    async fn switch_mode(&self, stream: &StreamName, to: CapacityMode) -> PortResult<()>;
}

/// PutEvents.
#[allow(async_fn_in_trait)]
pub trait PublishEvents {
    /// Publishes all of them, or fails.
    async fn publish(&self, events: &[WeirEvent]) -> PortResult<()>;
}

/// DescribeAlarms.
#[allow(async_fn_in_trait)]
pub trait ReadAlarms {
    /// These alarms, as far as they exist. `desired` is what each is compared with.
    async fn read_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>>;
    /// Every alarm under Weir's prefix, compared likewise.
    async fn read_all_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>>;
}

/// PutMetricAlarm, SetAlarmState, DeleteAlarms.
#[allow(async_fn_in_trait)]
pub trait WriteAlarms {
    /// Creates or overwrites one alarm; its state stays.
    async fn put_alarm(&self, spec: &AlarmSpec) -> PortResult<()>;
    /// Sets one alarm to "insufficient data", from where it can go off again.
    async fn rearm_alarm(&self, name: &AlarmName) -> PortResult<()>;
    /// Deletes alarms by name.
    async fn delete_alarms(&self, names: &[String]) -> PortResult<()>;
}

/// Streams that are due.
#[allow(async_fn_in_trait)]
pub trait FindDue {
    /// Registered streams whose `revisit_at` has come, those first that have been due for longest;
    /// `most` of them.
    async fn due_streams(&self, now: Timestamp, most: usize) -> PortResult<Vec<StreamName>>;
}

/// Changing when a stream is due, without a plan.
#[allow(async_fn_in_trait)]
pub trait Reschedule {
    /// Makes a registered stream due as of `since`, unless it has been planned for after
    /// `asked_at`. A plan on its way into the ledger is then no longer the newest. `false` when the
    /// stream is not registered.
    async fn hasten(
        &self,
        stream: &StreamName,
        asked_at: Timestamp,
        since: Timestamp,
    ) -> PortResult<bool>;
    /// Makes a registered stream due at `at` and not before.
    async fn postpone(&self, stream: &StreamName, at: Timestamp) -> PortResult<()>;
}

/// One run at a time over a fleet, so that runs do not share its quotas unevenly.
#[allow(async_fn_in_trait)]
pub trait TakeTurns {
    /// Whether this run may go through the streams that are due, until it says that it is done or
    /// until `until`.
    async fn begin_turn(&self, now: Timestamp, until: Timestamp) -> PortResult<bool>;
    /// The turn that lasts until `until` is over.
    async fn end_turn(&self, until: Timestamp) -> PortResult<()>;
}

/// What is remembered of a stream.
#[allow(async_fn_in_trait)]
pub trait ReadRecord {
    /// The stream's record with its actions since `since`, read consistently; `None` when the
    /// stream was never registered.
    async fn read_record(
        &self,
        stream: &StreamName,
        since: Timestamp,
    ) -> PortResult<Option<StreamRecord>>;
}

/// Remembering a plan.
#[allow(async_fn_in_trait)]
pub trait RecordPlan {
    /// Writes the plan and moves the record on, if the record still has the version the plan was
    /// made from. `false` when it has not: somebody else planned meanwhile.
    async fn record_plan(&self, stream: &StreamName, planned: &Planned) -> PortResult<bool>;
}

/// Carrying out a plan.
#[allow(async_fn_in_trait)]
pub trait RecordAction {
    /// Claims a plan for carrying out, if it is still the newest and no other is in flight.
    async fn claim(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        now: Timestamp,
    ) -> PortResult<Claimed>;
    /// Writes down that an action is about to be made. The plan must be claimed.
    async fn record_intent(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> PortResult<()>;
    /// Writes down that the event of the action's outcome was published.
    async fn record_published(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> PortResult<()>;
}

/// Closing what was begun.
#[allow(async_fn_in_trait)]
pub trait RecordOutcome {
    /// Writes down what became of an action (new or intended), and gives the plan's claim back.
    async fn record_outcome(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> PortResult<()>;
    /// Gives the plan's claim back without an action.
    async fn release(&self, stream: &StreamName, plan: &PlanId) -> PortResult<()>;
}

/// Which streams are registered.
#[allow(async_fn_in_trait)]
pub trait Register {
    /// Every registered stream.
    async fn registered(&self) -> PortResult<Vec<StreamName>>;
    /// Makes sure the stream has a record; a new one is due at `due_at`.
    async fn register(&self, stream: &StreamName, due_at: Timestamp) -> PortResult<()>;
    /// Takes the stream out of the due ones; what was remembered stays until it expires.
    async fn retire(&self, stream: &StreamName) -> PortResult<()>;
}

/// Pausing.
#[allow(async_fn_in_trait)]
pub trait Pause {
    /// Pauses Weir for a stream, or resumes it with `None`.
    async fn set_pause(
        &self,
        stream: &StreamName,
        pause: Option<&crate::ledger::PauseNote>,
    ) -> PortResult<()>;
}

/// ListEventSourceMappings, ListStreamConsumers, ListDeliveryStreams.
#[allow(async_fn_in_trait)]
pub trait FindConsumers {
    /// The consumers of a stream that AWS knows of.
    ///
    /// # Errors Something that reads streams could not be looked for: the list would look complete
    /// and not be.
    async fn find_consumers(&self, stream: &StreamName) -> PortResult<Vec<Consumer>>;
}

/// ListMetrics.
#[allow(async_fn_in_trait)]
pub trait FindMetric {
    /// Whether the metric had any datapoint of late (CloudWatch forgets which there are after two
    /// weeks).
    ///
    /// # Errors
    /// The call failed; nothing is known of the metric then.
    async fn metric_exists(&self, metric: &MetricId) -> PortResult<bool>;
}

/// DescribeAlarms, for what alarms say and not for what they are.
#[allow(async_fn_in_trait)]
pub trait ReadAlarmStates {
    /// Every alarm under Weir's prefix that is in ALARM.
    async fn failing_alarms(&self) -> PortResult<Vec<AlarmEvent>>;
    /// These alarms, as far as they exist.
    async fn alarm_states(&self, names: &[String]) -> PortResult<Vec<AlarmEvent>>;
}

/// GetMetricData and the like, about one failing consumer.
#[allow(async_fn_in_trait)]
pub trait ReadEvidence {
    /// What is known of it. What cannot be read is left out: a message never waits for its
    /// evidence.
    async fn read_evidence(&self, subject: &Subject, now: Timestamp) -> Evidence;
}

/// What is remembered of incidents.
#[allow(async_fn_in_trait)]
pub trait ReadIncidents {
    /// The newest incident of a subject, open or closed, read consistently.
    async fn newest_incident(&self, subject: &Subject) -> PortResult<Option<StoredIncident>>;
    /// Every incident about which something is left to be done.
    async fn open_incidents(&self) -> PortResult<Vec<StoredIncident>>;
}

/// Remembering an incident.
#[allow(async_fn_in_trait)]
pub trait RecordIncident {
    /// Writes the newest incident of its subject, if nobody has written one since
    /// `read_at_version`; `None` there means that none was found. Gives the new version, or `None`
    /// when somebody else was sooner.
    async fn record_incident(
        &self,
        incident: &Incident,
        read_at_version: Option<u64>,
    ) -> PortResult<Option<u64>>;
}

/// Publish, to the topic of the alert's severity and to the one for chat, where there is one.
#[allow(async_fn_in_trait)]
pub trait SendNotification {
    /// Sends one message.
    async fn send_notification(&self, alert: &Notification) -> PortResult<()>;
}
