//! The loop resize-stream: carry out one plan, or say why not.
//!
//! Claim → look again → intent → call → outcome → event. It never repeats a call; a refusal is an
//! outcome with a reason, not an error. What comes in is an event and not trusted. Not here: what
//! size is right (`weir_core::plan`).

use weir_core::action::{ActionRecord, Change, Outcome, is_settling};
use weir_core::budget::Budget;
use weir_core::observation::{CapacityMode, StreamState, StreamStatus};
use weir_core::policy::OperatingMode;
use weir_core::reasons::Reason;
use weir_core::units::{Shards, StreamName};

use crate::event::{
    ActionFailed, ActionRefused, CapacityPlanned, PlannedAction, StreamResized, VERSION, WeirEvent,
};
use crate::ledger::{Claimed, PlanId, StreamRecord};
use crate::ports::{
    Clock, DescribeStream, Failure, PortError, PortResult, PublishEvents, ReadRecord, RecordAction,
    RecordOutcome, Reshard,
};
use crate::recovery::{self, Found};

/// Everything this loop needs.
pub trait Ports:
    Clock + DescribeStream + Reshard + PublishEvents + ReadRecord + RecordAction + RecordOutcome
{
}

impl<P> Ports for P where
    P: Clock + DescribeStream + Reshard + PublishEvents + ReadRecord + RecordAction + RecordOutcome
{
}

/// What became of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// AWS took the reshard.
    Resized,
    /// It was turned down.
    Refused(Reason),
    /// The call was sent and its answer was lost.
    Lost,
    /// The event came again; there was nothing left to do.
    Repeated,
    /// The plan asks for nothing.
    NothingToDo,
}

/// The plan being carried out.
struct Order<'a> {
    stream: &'a StreamName,
    plan: &'a PlanId,
    from: Shards,
    to: Shards,
}

/// A refusal: why, and what was said.
struct Refusal(Reason, Option<String>);

impl Refusal {
    fn because(reason: Reason) -> Refusal {
        Refusal(reason, None)
    }

    fn of(error: &PortError) -> Refusal {
        Refusal(error.failure.reason(), Some(error.to_string()))
    }

    fn ledger(error: &PortError) -> Refusal {
        Refusal(Reason::LedgerUnavailable, Some(error.to_string()))
    }
}

/// Carries out one plan. An error means the event should be delivered again: its outcome stands in the
/// ledger but could not be published.
pub async fn run<P: Ports>(ports: &P, planned: &CapacityPlanned) -> PortResult<Done> {
    let PlannedAction::Reshard { from, to } = planned.action else { return Ok(Done::NothingToDo) };
    let order = Order { stream: &planned.stream, plan: &planned.plan_id, from, to };
    if let Some(refusal) = refuse_unread(ports, planned, &order) {
        return refuse(ports, &order, refusal).await;
    }
    let record = ports.read_record(order.stream, Budget::window_start(ports.now())).await;
    match record {
        Ok(record) => with_ledger(ports, &order, record).await,
        // Without the ledger nobody knows what is left, so nothing is taken away; adding shards is left to
        // AWS's own limit.
        Err(error) if order.to < order.from => refuse(ports, &order, Refusal::ledger(&error)).await,
        Err(_) => match look_again(ports, &order).await {
            Err(refusal) => refuse(ports, &order, refusal).await,
            // Nothing was claimed, so what is written must neither close another run's claim nor take the
            // place of its action: it goes under an id of its own.
            Ok(()) => {
                let action = action_of(ports, &order);
                let unclaimed = PlanId::without_ledger(action.at);
                conclude(ports, &order, &unclaimed, action, call(ports, &order).await).await
            }
        },
    }
}

/// What can be refused before anything is read.
fn refuse_unread<P: Ports>(
    ports: &P,
    planned: &CapacityPlanned,
    order: &Order<'_>,
) -> Option<Refusal> {
    let within = order.to != order.from
        && order.to <= order.from.doubled()
        && order.to >= order.from.halved();
    match () {
        () if planned.mode == OperatingMode::Observe => Some(Reason::ObserveMode),
        () if planned.expires_at <= ports.now() => Some(Reason::PlanExpired),
        () if !within => Some(Reason::TargetRefused),
        () => None,
    }
    .map(Refusal::because)
}

async fn with_ledger<P: Ports>(
    ports: &P,
    order: &Order<'_>,
    record: Option<StreamRecord>,
) -> PortResult<Done> {
    let now = ports.now();
    let Some(record) = record else {
        return refuse(ports, order, Refusal::because(Reason::PlanSuperseded)).await;
    };
    if record.pause.as_ref().is_some_and(|pause| pause.holds(now)) {
        return refuse(ports, order, Refusal::because(Reason::Paused)).await;
    }
    match ports.claim(order.stream, order.plan, now).await {
        Ok(Claimed::Ours) => {}
        Ok(Claimed::Before) => return again(ports, order, record).await,
        Ok(Claimed::OtherInFlight) => {
            return refuse(ports, order, Refusal::because(Reason::ActionInFlight)).await;
        }
        Ok(Claimed::Superseded) => {
            return refuse(ports, order, Refusal::because(Reason::PlanSuperseded)).await;
        }
        Err(error) => return refuse(ports, order, Refusal::ledger(&error)).await,
    }
    let action = action_of(ports, order);
    let answer = match prepare(ports, order, &action).await {
        Ok(()) => call(ports, order).await,
        Err(refusal) => Err(Answer::Refused(refusal)),
    };
    conclude(ports, order, order.plan, action, answer).await
}

/// Looks again and writes down what is about to be done. The actions are read once more under the claim:
/// another plan may have been carried out since this one was made, and the stream need not show it yet.
async fn prepare<P: Ports>(
    ports: &P,
    order: &Order<'_>,
    action: &ActionRecord,
) -> Result<(), Refusal> {
    look_again(ports, order).await?;
    let now = ports.now();
    let record = ports
        .read_record(order.stream, Budget::window_start(now))
        .await
        .map_err(|error| Refusal::ledger(&error))?;
    let actions = record.map(|record| record.action_records()).unwrap_or_default();
    if Budget::at(now, &actions).reshards_left() == 0 {
        return Err(Refusal::because(Reason::BudgetSpent));
    }
    if is_settling(&actions, order.from, now) {
        return Err(Refusal::because(Reason::ReshardSettling));
    }
    ports
        .record_intent(order.stream, order.plan, action)
        .await
        .map_err(|error| Refusal::ledger(&error))
}

fn action_of<P: Ports>(ports: &P, order: &Order<'_>) -> ActionRecord {
    let change = Change::Reshard { from: order.from, to: order.to };
    ActionRecord { at: ports.now(), change, outcome: Outcome::Intended }
}

/// The second look, just before acting.
async fn look_again<P: Ports>(ports: &P, order: &Order<'_>) -> Result<(), Refusal> {
    let StreamState { mode, status, open_shards, retention_hours: _ } =
        ports.describe_stream(order.stream).await.map_err(|error| Refusal::of(&error))?;
    match (mode, status) {
        (_, StreamStatus::Creating | StreamStatus::Deleting) => {
            Err(Refusal::because(Reason::StreamNotActive))
        }
        (_, StreamStatus::Updating) => Err(Refusal::because(Reason::StreamBusy)),
        (CapacityMode::OnDemand, _) => Err(Refusal::because(Reason::StreamOnDemand)),
        _ if open_shards != order.from => Err(Refusal(
            Reason::StreamChanged,
            Some(format!("planned from {} shards, found {open_shards}", order.from)),
        )),
        _ => Ok(()),
    }
}

/// What a call came to, when it did not succeed.
enum Answer {
    Refused(Refusal),
    Lost(String),
}

async fn call<P: Ports>(ports: &P, order: &Order<'_>) -> Result<(), Answer> {
    ports.reshard(order.stream, order.to).await.map_err(|error| match error.failure {
        Failure::AnswerLost => Answer::Lost(error.to_string()),
        _ => Answer::Refused(Refusal::of(&error)),
    })
}

/// Writes down what became of the action, under `id`, and tells.
async fn conclude<P: Ports>(
    ports: &P,
    order: &Order<'_>,
    id: &PlanId,
    mut action: ActionRecord,
    answer: Result<(), Answer>,
) -> PortResult<Done> {
    let (outcome, detail) = match answer {
        Ok(()) => (Outcome::Accepted, None),
        Err(Answer::Refused(Refusal(reason, detail))) => (Outcome::Refused { reason }, detail),
        Err(Answer::Lost(detail)) => (Outcome::Unknown, Some(detail)),
    };
    action.outcome = outcome;
    // A ledger that fails now leaves the intent standing: it counts, and the next look clears it up.
    let written = ports.record_outcome(order.stream, id, &action).await;
    ports.publish(&[event_of(ports, order, &action, detail)]).await?;
    if written.is_ok() {
        // Lost, this note costs one more event to whoever asks again; nothing else.
        let _ = ports.record_published(order.stream, id, &action).await;
    }
    Ok(done(outcome))
}

fn done(outcome: Outcome) -> Done {
    match outcome {
        Outcome::Accepted => Done::Resized,
        Outcome::Refused { reason } => Done::Refused(reason),
        Outcome::Unknown | Outcome::Intended => Done::Lost,
    }
}

/// Turns the plan down before it was claimed: nothing of it is remembered.
async fn refuse<P: Ports>(ports: &P, order: &Order<'_>, refusal: Refusal) -> PortResult<Done> {
    let Refusal(reason, detail) = refusal;
    let change = Change::Reshard { from: order.from, to: order.to };
    let action = ActionRecord { at: ports.now(), change, outcome: Outcome::Refused { reason } };
    ports.publish(&[event_of(ports, order, &action, detail)]).await?;
    Ok(Done::Refused(reason))
}

/// The event came before. What the first delivery left undone is done now.
async fn again<P: Ports>(
    ports: &P,
    order: &Order<'_>,
    mut record: StreamRecord,
) -> PortResult<Done> {
    let state = match ports.describe_stream(order.stream).await {
        Ok(state) => state,
        Err(_) => return Ok(Done::Repeated),
    };
    let cleared = recovery::clear_up(ports, order.stream, &mut record, &state, ports.now()).await?;
    let action = match cleared {
        Found::InFlight => return Ok(Done::Repeated),
        Found::Cleared(Some((_, action))) => Some(action),
        Found::Cleared(None) | Found::Nothing => record
            .action_of(order.plan)
            .filter(|action| !action.published && !action.record.outcome.is_open())
            .map(|action| action.record),
    };
    let Some(action) = action else { return Ok(Done::Repeated) };
    ports.publish(&[event_of(ports, order, &action, None)]).await?;
    let _ = ports.record_published(order.stream, order.plan, &action).await;
    Ok(done(action.outcome))
}

fn event_of<P: Ports>(
    ports: &P,
    order: &Order<'_>,
    action: &ActionRecord,
    detail: Option<String>,
) -> WeirEvent {
    let (plan_id, stream) = (order.plan.clone(), order.stream.clone());
    match action.outcome {
        Outcome::Accepted => WeirEvent::StreamResized(StreamResized {
            version: VERSION,
            plan_id,
            stream,
            from: order.from,
            to: order.to,
            accepted_at: action.at,
        }),
        Outcome::Refused { reason } => WeirEvent::ActionRefused(ActionRefused {
            version: VERSION,
            plan_id,
            stream,
            reason,
            meaning: reason.meaning().to_owned(),
            remedy: reason.remedy().to_owned(),
            detail,
            refused_at: ports.now(),
        }),
        Outcome::Unknown | Outcome::Intended => {
            let reason = Reason::OutcomeUnknown;
            WeirEvent::ActionFailed(ActionFailed {
                version: VERSION,
                plan_id,
                stream,
                reason,
                meaning: reason.meaning().to_owned(),
                remedy: reason.remedy().to_owned(),
                detail,
                failed_at: ports.now(),
            })
        }
    }
}
