//! The loop plan-capacity: observe the streams that are due, plan, remember, publish.
//!
//! It has no right to change a stream. One stream's failure never costs another its plan. Not here:
//! the decision (`weir_core::plan`), carrying it out (`carry_out`).

use jiff::Timestamp;
use weir_core::action::Outcome;
use weir_core::alarms::AlarmState;
use weir_core::budget::Budget;
use weir_core::history::History;
use weir_core::observation::{Observation, ShardQuota, Signal, StreamState};
use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, Plan, plan};
use weir_core::policy::{Governance, Policy, PolicySet};
use weir_core::reasons::SkipReason;
use weir_core::series::Series;
use weir_core::units::StreamName;

use crate::answer::{Answer, RedeliverOn};
use crate::event::{CapacityPlanned, OperatorRequest, Request, WeirEvent};
use crate::incoming::Incoming;
use crate::installation::Installation;
use crate::ledger::{LastSeen, Planned, StoredAction, StreamRecord};
use crate::plan_id::PlanId;
use crate::ports::{
    Clock, DescribeStream, Failure, FindDue, ListStreams, PortError, PortResult, PublishEvents,
    ReadQuota, ReadRecord, ReadTraffic, RecordOutcome, RecordPlan, Traffic,
};
use crate::recovery::{self, Found};
use crate::skipped::SkippedStream;

/// Which streams to plan for.
#[derive(Clone, Debug, PartialEq)]
enum Wake {
    /// The tick: all streams that are due.
    Due,
    /// An alarm or an operator: this stream, due or not.
    Stream(StreamName),
    /// An operator: every managed stream, due or not.
    All,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct PlanReport {
    /// Plans made, with their ids.
    pub plans: Vec<(PlanId, Plan)>,
    /// Streams without a plan.
    pub skipped: Vec<SkippedStream>,
    /// Failures that cost no stream its plan: quota unread, ledger down, events unpublished.
    pub failed_calls: Vec<PortError>,
}

/// Everything this loop needs.
pub trait PlanPorts:
    Clock
    + DescribeStream
    + ListStreams
    + ReadTraffic
    + ReadQuota
    + PublishEvents
    + FindDue
    + ReadRecord
    + RecordPlan
    + RecordOutcome
{
}

impl<P> PlanPorts for P where
    P: Clock
        + DescribeStream
        + ListStreams
        + ReadTraffic
        + ReadQuota
        + PublishEvents
        + FindDue
        + ReadRecord
        + RecordPlan
        + RecordOutcome
{
}

/// A stream on its way to a plan.
struct Candidate<'a> {
    stream: StreamName,
    policy: &'a Policy,
    record: Option<StreamRecord>,
    state: StreamState,
    /// The stream to remember; `None` where it is not at rest, or a change of it not yet written
    /// down.
    last_seen: Option<LastSeen>,
}

/// Handles one event. What a tick leaves undone is done by the next one, which comes sooner than a
/// redelivery; but a tick that planned nothing at all for calls that failed has failed, or nobody
/// would see that all do. Any other event is delivered again where that may help: the stream may
/// not be due for minutes, and its alarm does not go off twice.
pub async fn on_event<P: PlanPorts>(
    ports: &P,
    installation: &Installation,
    event: &Incoming,
) -> Answer<PlanReport> {
    let wake = match wake(event) {
        Ok(wake) => wake,
        Err(reason) => return Answer::skipped(reason),
    };
    let ticked = wake == Wake::Due;
    let redeliver = if ticked { RedeliverOn::AnyFailure } else { RedeliverOn::Retryable };
    match run(ports, &installation.policies, wake).await {
        Ok(report) => {
            let redeliver = match (ticked, report.plans.is_empty()) {
                (true, false) => None,
                (true, true) => {
                    redeliver.first(report.streams_missed().chain(&report.failed_calls))
                }
                // What failed besides cost the stream nothing: it was planned.
                (false, _) => redeliver.first(report.streams_missed()),
            };
            Answer::done(report, redeliver)
        }
        Err(error) => Answer::failed(error, redeliver),
    }
}

impl PlanReport {
    /// Why streams were not planned, but for those that are not there: of them nothing is left to
    /// do.
    fn streams_missed(&self) -> impl Iterator<Item = &PortError> {
        let errors = self.skipped.iter().filter_map(|skipped| skipped.error.as_ref());
        errors.filter(|error| error.failure != Failure::Missing)
    }
}

/// What to plan for, or why the event asks for no plan.
fn wake(event: &Incoming) -> Result<Wake, SkipReason> {
    match event {
        Incoming::Tick => Ok(Wake::Due),
        // Calm needs no plan of its own: the tick sees to scale-in.
        Incoming::Alarm(alarm) if alarm.state == AlarmState::Alarm => {
            alarm.stream.clone().map(Wake::Stream).ok_or(SkipReason::NotForUs)
        }
        Incoming::Alarm(_) => Err(SkipReason::AlarmNotFiring),
        Incoming::OperatorRequest(OperatorRequest { request: Request::Plan, stream, .. }) => {
            Ok(stream.clone().map_or(Wake::All, Wake::Stream))
        }
        Incoming::OperatorRequest(_)
        | Incoming::CapacityPlanned(_)
        | Incoming::StreamResized(_)
        | Incoming::ModeSwitched(_)
        | Incoming::ActionRefused(_)
        | Incoming::ActionFailed(_) => Err(SkipReason::NotForUs),
    }
}

/// Runs the loop once.
async fn run<P: PlanPorts>(ports: &P, policies: &PolicySet, wake: Wake) -> PortResult<PlanReport> {
    let mut report = PlanReport::default();
    let mut events = Vec::new();
    let mut candidates = Vec::new();
    for stream in streams(ports, policies, wake, &mut report).await? {
        match look(ports, policies, &stream, &mut report, &mut events).await {
            Ok(candidate) => candidates.push(candidate),
            Err((reason, error)) => report.skipped.push(SkippedStream { stream, reason, error }),
        }
    }
    if !candidates.is_empty() {
        let quota = quota(ports, &mut report).await;
        let names: Vec<StreamName> = candidates.iter().map(|c| c.stream.clone()).collect();
        let traffic = ports.read_traffic(&names, ports.now()).await;
        for (candidate, traffic) in candidates.into_iter().zip(traffic) {
            decide(ports, candidate, traffic, &quota, &mut report, &mut events).await;
        }
    }
    if !events.is_empty() {
        ports.publish(&events).await?;
    }
    Ok(report)
}

/// Which streams to plan for. A ledger that cannot say what is due must not stop scale-out, so then
/// all managed streams are looked at.
async fn streams<P: PlanPorts>(
    ports: &P,
    policies: &PolicySet,
    wake: Wake,
    report: &mut PlanReport,
) -> PortResult<Vec<StreamName>> {
    let managed = async || -> PortResult<Vec<StreamName>> {
        let mut streams = ports.list_streams().await?;
        streams.retain(|stream| policies.governing(stream) != Governance::None);
        Ok(streams)
    };
    match wake {
        Wake::Stream(stream) => Ok(vec![stream]),
        Wake::All => managed().await,
        Wake::Due => match ports.due_streams(ports.now()).await {
            Ok(streams) => Ok(streams),
            Err(error) => {
                report.failed_calls.push(error);
                managed().await
            }
        },
    }
}

/// Reads what is needed before traffic is worth reading.
async fn look<'a, P: PlanPorts>(
    ports: &P,
    policies: &'a PolicySet,
    stream: &StreamName,
    report: &mut PlanReport,
    events: &mut Vec<WeirEvent>,
) -> Result<Candidate<'a>, (SkipReason, Option<PortError>)> {
    let policy = match policies.governing(stream) {
        Governance::By(policy) => policy,
        Governance::Faulty => return Err((SkipReason::PolicyInvalid, None)),
        Governance::None => return Err((SkipReason::Unmanaged, None)),
    };
    let state =
        ports.describe_stream(stream).await.map_err(|error| (error.failure.skip(), Some(error)))?;
    let now = ports.now();
    let mut record = match ports.read_record(stream, Budget::window_start(now)).await {
        Ok(record) => Some(record.unwrap_or_else(|| StreamRecord::new(now))),
        Err(error) => {
            report.failed_calls.push(error);
            None
        }
    };
    if let Some(record) = &mut record {
        record.forget_older_stream(&state);
        match recovery::clear_up(ports, stream, record, &state, now).await {
            Ok(Found::Nothing | Found::Cleared(None)) => {}
            Ok(Found::InFlight) => return Err((SkipReason::ActionInFlight, None)),
            Ok(Found::Cleared(Some((plan_id, action)))) => {
                // The event that an executor died before publishing.
                if action.outcome == Outcome::Accepted {
                    events.push(WeirEvent::of_accepted(plan_id, stream.clone(), &action));
                }
            }
            Err(error) => return Err((SkipReason::LedgerUnavailable, Some(error))),
        }
    }
    let mut last_seen = LastSeen::of(&state);
    if let (Some(record), Some(seen)) = (&mut record, last_seen)
        && let Err(error) = record_external_change(ports, stream, record, seen, now).await
    {
        // The next look must find the change again, or the call would never be counted.
        last_seen = None;
        report.failed_calls.push(error);
    }
    Ok(Candidate { stream: stream.clone(), policy, record, state, last_seen })
}

/// A change that somebody else made counts against the same daily limit, so it is written down like
/// ours. This plan counts it even if that fails.
async fn record_external_change<P: PlanPorts>(
    ports: &P,
    stream: &StreamName,
    record: &mut StreamRecord,
    seen: LastSeen,
    now: Timestamp,
) -> PortResult<()> {
    let Some(action) = record.unexplained_change(seen, now) else { return Ok(()) };
    let plan = PlanId::of_external_change(now);
    let written = ports.record_outcome(stream, &plan, &action).await;
    record.actions.push(StoredAction { plan, record: action, published: true });
    written
}

async fn quota<P: PlanPorts>(ports: &P, report: &mut PlanReport) -> Signal<ShardQuota> {
    match ports.read_quota().await {
        Ok(value) => Signal::Known { value, read_at: ports.now() },
        Err(error) => {
            let missing = Signal::Missing(error.to_string());
            report.failed_calls.push(error);
            missing
        }
    }
}

/// Plans for one stream, remembers the plan, and puts its event with the others.
async fn decide<P: PlanPorts>(
    ports: &P,
    candidate: Candidate<'_>,
    traffic: PortResult<Traffic>,
    quota: &Signal<ShardQuota>,
    report: &mut PlanReport,
    events: &mut Vec<WeirEvent>,
) {
    let Candidate { stream, policy, mut record, state, last_seen } = candidate;
    let now = ports.now();
    let (minutes, days) = match traffic {
        Ok(Traffic { minutes, days }) => (Signal::Known { value: minutes, read_at: now }, days),
        Err(error) => (Signal::Missing(error.to_string()), Err(error)),
    };
    // Days that are not known are none: the plan says so itself.
    let days = days.unwrap_or_else(|error| {
        report.failed_calls.push(error);
        Series::empty(now, DAYS_PERIOD_SECONDS)
    });
    let observation = Observation {
        stream: stream.clone(),
        observed_at: now,
        state,
        minutes,
        quota: quota.clone(),
    };
    let history = History {
        days,
        actions: record.as_ref().map(StreamRecord::action_records),
        profile: record.as_mut().and_then(|r| r.profile.take()),
        paused: record.as_ref().and_then(|r| r.pause.as_ref()).is_some_and(|p| p.holds(now)),
    };
    let plan = plan(policy, &observation, &history, now);
    let id = match &record {
        Some(record) => PlanId::of(now, record.version + 1, plan.order()),
        None => PlanId::without_ledger(now),
    };
    let event = worth_telling(&plan).then(|| CapacityPlanned::new(id.clone(), &plan));
    if let Some(record) = &record {
        let planned = Planned {
            id: id.clone(),
            from_version: record.version,
            revisit_at: plan.revisit_at,
            last_seen,
            learnt: plan.learnt.clone(),
            event: event.clone(),
        };
        match ports.record_plan(&stream, &planned).await {
            Ok(true) => {}
            Ok(false) => {
                let reason = SkipReason::PlanSuperseded;
                report.skipped.push(SkippedStream { stream, reason, error: None });
                return;
            }
            // Nobody can claim an unrecorded plan by its id; the executor treats it as one made
            // while the ledger was down.
            Err(error) => report.failed_calls.push(error),
        }
    }
    events.extend(event.map(WeirEvent::CapacityPlanned));
    report.plans.push((id, plan));
}

/// What asks for something, or withholds something wanted. Plans that hold because all is well, or
/// because a change is just under way, are kept to the log: they would be a thousand events a day.
fn worth_telling(plan: &Plan) -> bool {
    !matches!(plan.action, Action::Hold(_)) || plan.withheld().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incoming::Incoming;
    use serde_json::json;

    #[test]
    fn an_alarm_that_asks_for_no_plan_says_which_way() {
        let woken = |state: &str, alarm: &str| {
            let event = json!({
                "source": "aws.cloudwatch",
                "detail-type": "CloudWatch Alarm State Change",
                "detail": {
                    "alarmName": alarm,
                    "state": { "value": state, "timestamp": "2026-11-20T18:44:51.412+0000" },
                    "configuration": { "metrics": [] },
                },
            });
            wake(&Incoming::read(&event).expect("an alarm"))
        };
        for calm in ["OK", "INSUFFICIENT_DATA"] {
            assert_eq!(woken(calm, "weir-surge-orders"), Err(SkipReason::AlarmNotFiring));
        }
        assert_eq!(woken("ALARM", "of-nobody"), Err(SkipReason::NotForUs));
    }
}
