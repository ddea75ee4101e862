//! Carrying out one plan: what resize-stream and switch-mode have in common.
//!
//! Claim → look again → intent → call → outcome → event. It never repeats a call; a refusal is an
//! outcome with a reason, not an error. What comes in is an event and not trusted. Not here: which
//! call it is (`resize_stream`, `switch_mode`), or what is right for the stream
//! (`weir_core::plan`).

use jiff::{SignedDuration, Timestamp};
use weir_core::action::{ActionRecord, Change, ChangeKind, Outcome, settling};
use weir_core::budget::Budget;
use weir_core::laws::{self, Finding};
use weir_core::observation::{CapacityMode, StreamState, StreamStatus};
use weir_core::plan::EXPIRES_AFTER_MINUTES;
use weir_core::policy::OperatingMode;
use weir_core::reasons::{FailureReason, RefusalReason};
use weir_core::units::StreamName;

use crate::answer::{Answer, RedeliverOn};
use crate::event::{ActionFailed, ActionRefused, CapacityPlanned, VERSION, WeirEvent};
use crate::ledger::{Claimed, StreamRecord};
use crate::plan_id::PlanId;
use crate::ports::{
    Clock, DescribeStream, Failure, PortError, PortResult, PublishEvents, ReadRecord, RecordAction,
    RecordOutcome,
};
use crate::recovery::{self, Found};

/// Everything both loops need, besides the one call that each may make.
pub trait ActionPorts:
    Clock + DescribeStream + PublishEvents + ReadRecord + RecordAction + RecordOutcome
{
}

impl<P> ActionPorts for P where
    P: Clock + DescribeStream + PublishEvents + ReadRecord + RecordAction + RecordOutcome
{
}

/// What an executor did with one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionReport {
    /// The plan's stream.
    pub stream: StreamName,
    /// The plan.
    pub plan_id: PlanId,
    /// What became of it.
    pub result: ActionResult,
}

impl ActionReport {
    pub(crate) fn of(planned: &CapacityPlanned, result: ActionResult) -> ActionReport {
        let CapacityPlanned { stream, plan_id, .. } = planned;
        ActionReport { stream: stream.clone(), plan_id: plan_id.clone(), result }
    }
}

/// What became of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionResult {
    /// AWS took the call.
    Accepted,
    /// It was turned down.
    Refused(RefusalReason),
    /// The call was sent and its answer was lost.
    Lost,
    /// The event came again; there was nothing left to do.
    Repeated,
    /// The plan asks for nothing, or for nothing of this loop's.
    NothingToDo,
}

/// The plan being carried out.
struct Order<'a> {
    stream: &'a StreamName,
    plan: &'a PlanId,
    change: Change,
}

/// A refusal: why, and what was said.
struct Refusal(RefusalReason, Option<String>);

impl Refusal {
    fn because(reason: RefusalReason) -> Refusal {
        Refusal(reason, None)
    }

    fn of(error: &PortError) -> Refusal {
        Refusal(error.failure.refusal(), Some(error.to_string()))
    }

    fn ledger(error: &PortError) -> Refusal {
        Refusal(RefusalReason::LedgerUnavailable, Some(error.to_string()))
    }

    fn unlawful(broken: &Finding) -> Refusal {
        Refusal(RefusalReason::LawBroken, Some(broken.to_string()))
    }

    fn changed(planned: impl std::fmt::Display, found: impl std::fmt::Display) -> Refusal {
        Refusal(
            RefusalReason::StreamChanged,
            Some(format!("planned from {planned}, found {found}")),
        )
    }
}

/// Carries out the plan that asks for `change`, by `call`. A redelivery is worth it where the
/// outcome stands in the ledger but could not be published; it makes no call twice.
pub(crate) async fn carry_out<P: ActionPorts>(
    ports: &P,
    planned: &CapacityPlanned,
    change: Change,
    call: impl AsyncFnOnce() -> PortResult<()>,
) -> Answer<ActionReport> {
    match attempt(ports, planned, change, call).await {
        Ok(result) => Answer::done(ActionReport::of(planned, result), None),
        Err(error) => Answer::failed(error, RedeliverOn::Retryable),
    }
}

async fn attempt<P: ActionPorts>(
    ports: &P,
    planned: &CapacityPlanned,
    change: Change,
    call: impl AsyncFnOnce() -> PortResult<()>,
) -> PortResult<ActionResult> {
    let order = Order { stream: &planned.stream, plan: &planned.plan_id, change };
    if let Some(refusal) = refused_unread(ports, planned, change) {
        return refuse(ports, &order, refusal).await;
    }
    let record = ports.read_record(order.stream, Budget::window_start(ports.now())).await;
    match record {
        Ok(record) => with_ledger(ports, &order, record, call).await,
        // Without the ledger nobody knows what is left, so the mode stays and nothing is taken
        // away; adding shards is left to AWS's own limit.
        Err(error) if !change.is_scale_out() => {
            refuse(ports, &order, Refusal::ledger(&error)).await
        }
        Err(_) => match look_again(ports, &order).await {
            Err(refusal) => refuse(ports, &order, refusal).await,
            // Nothing was claimed, so what is written must neither close another run's claim nor
            // take the place of its action: it goes under an id of its own.
            Ok(_) => {
                let action = action_of(ports, &order);
                let unclaimed = PlanId::without_ledger(action.at);
                conclude(ports, &order, &unclaimed, action, made(call).await).await
            }
        },
    }
}

/// What can be refused before anything is read.
fn refused_unread<P: ActionPorts>(
    ports: &P,
    planned: &CapacityPlanned,
    change: Change,
) -> Option<Refusal> {
    match () {
        () if planned.mode == OperatingMode::Observe => {
            Some(Refusal::because(RefusalReason::ObserveMode))
        }
        () if planned.expires_at <= ports.now() => {
            Some(Refusal::because(RefusalReason::PlanExpired))
        }
        () => laws::of_change(change).first().map(Refusal::unlawful),
    }
}

async fn with_ledger<P: ActionPorts>(
    ports: &P,
    order: &Order<'_>,
    record: Option<StreamRecord>,
    call: impl AsyncFnOnce() -> PortResult<()>,
) -> PortResult<ActionResult> {
    let now = ports.now();
    let Some(record) = record else {
        return refuse(ports, order, Refusal::because(RefusalReason::PlanSuperseded)).await;
    };
    // The event may say what it likes; the ledger knows the id, and the id says what and when.
    if record.latest_plan.as_ref() == Some(order.plan) {
        let forged = !order.plan.orders(order.change);
        let reason = if forged { Some(RefusalReason::PlanForged) } else { is_old(order.plan, now) };
        if let Some(reason) = reason {
            return refuse(ports, order, Refusal::because(reason)).await;
        }
    }
    if record.pause.as_ref().is_some_and(|pause| pause.holds(now)) {
        return refuse(ports, order, Refusal::because(RefusalReason::Paused)).await;
    }
    match ports.claim(order.stream, order.plan, now).await {
        Ok(Claimed::Ours) => {}
        Ok(Claimed::Before) => return again(ports, order, record).await,
        Ok(Claimed::OtherInFlight) => {
            return refuse(ports, order, Refusal::because(RefusalReason::ActionInFlight)).await;
        }
        Ok(Claimed::Superseded) => {
            return refuse(ports, order, Refusal::because(RefusalReason::PlanSuperseded)).await;
        }
        Err(error) => return refuse(ports, order, Refusal::ledger(&error)).await,
    }
    let action = action_of(ports, order);
    let made = match prepare(ports, order, &action).await {
        Ok(()) => made(call).await.map_err(|failure| failure.told_apart(order.change, &record)),
        Err(refusal) => Err(CallFailure::Refused(refusal)),
    };
    conclude(ports, order, order.plan, action, made).await
}

/// Looks again and writes down what is about to be done. The actions are read once more under the
/// claim: another plan may have been carried out since this one was made, and the stream need not
/// show it yet.
async fn prepare<P: ActionPorts>(
    ports: &P,
    order: &Order<'_>,
    action: &ActionRecord,
) -> Result<(), Refusal> {
    let state = look_again(ports, order).await?;
    let now = ports.now();
    let record = ports
        .read_record(order.stream, Budget::window_start(now))
        .await
        .map_err(|error| Refusal::ledger(&error))?;
    let mut record = record.unwrap_or_else(|| StreamRecord::new(now));
    record.forget_older_stream(&state);
    let actions = record.action_records();
    let settles = || settling(&actions, &state, now).map(settling_reason);
    let spent = Budget::at(now, &actions).spent_on(order.change);
    if let Some(reason) = spent.or_else(settles) {
        return Err(Refusal::because(reason));
    }
    // What none of the looks above has a name for is not done either.
    if let Some(broken) = laws::of_order(order.change, &state, &actions, now).first() {
        return Err(Refusal::unlawful(broken));
    }
    ports
        .record_intent(order.stream, order.plan, action)
        .await
        .map_err(|error| Refusal::ledger(&error))
}

fn settling_reason(kind: ChangeKind) -> RefusalReason {
    match kind {
        ChangeKind::Reshard => RefusalReason::ReshardSettling,
        ChangeKind::SwitchMode => RefusalReason::ModeSwitchSettling,
    }
}

fn is_old(plan: &PlanId, now: Timestamp) -> Option<RefusalReason> {
    let lasts = SignedDuration::from_mins(EXPIRES_AFTER_MINUTES);
    let young = plan.planned_at().is_some_and(|at| now.duration_since(at) < lasts);
    (!young).then_some(RefusalReason::PlanExpired)
}

fn action_of<P: ActionPorts>(ports: &P, order: &Order<'_>) -> ActionRecord {
    ActionRecord { at: ports.now(), change: order.change, outcome: Outcome::Intended }
}

/// The second look, just before acting.
async fn look_again<P: ActionPorts>(ports: &P, order: &Order<'_>) -> Result<StreamState, Refusal> {
    let state = ports.describe_stream(order.stream).await.map_err(|error| Refusal::of(&error))?;
    let StreamState { mode, status, open_shards, held_on_demand_by, .. } = state;
    match status {
        StreamStatus::Creating | StreamStatus::Deleting => {
            return Err(Refusal::because(RefusalReason::StreamNotActive));
        }
        StreamStatus::Updating => return Err(Refusal::because(RefusalReason::StreamBusy)),
        StreamStatus::Active => {}
    }
    match (order.change, held_on_demand_by) {
        (Change::Reshard { .. }, _) if mode == CapacityMode::OnDemand => {
            Err(Refusal::because(RefusalReason::StreamOnDemand))
        }
        (Change::Reshard { from, .. }, _) if open_shards != from => {
            Err(Refusal::changed(format_args!("{from} shards"), open_shards))
        }
        (Change::SwitchMode { to }, _) if mode == to => Err(Refusal::changed(to.other(), mode)),
        (Change::SwitchMode { to: CapacityMode::Provisioned }, Some(feature)) => {
            Err(Refusal(RefusalReason::HeldOnDemand, Some(format!("the stream uses {feature}"))))
        }
        _ => Ok(state),
    }
}

/// What a call came to, when it did not succeed.
enum CallFailure {
    Refused(Refusal),
    Lost(String),
}

impl CallFailure {
    /// AWS says the same of the day's calls, of the calls per second and of the account's quota.
    /// The ledger has just shown that the day's reshards are not used up by anybody it knows of, so
    /// it is taken for too many calls at once; but only once, for others may have been here before
    /// the ledger.
    fn told_apart(self, change: Change, record: &StreamRecord) -> CallFailure {
        let CallFailure::Refused(Refusal(RefusalReason::LimitReached, detail)) = self else {
            return self;
        };
        let said = detail.as_deref().unwrap_or_default().to_ascii_lowercase();
        let once = Outcome::Refused { reason: RefusalReason::CallsPerSecond };
        let known = record
            .actions
            .iter()
            .any(|action| action.plan.is_external_change() || action.record.outcome == once);
        let reason = match change {
            _ if names_quota(&said) => RefusalReason::AccountQuota,
            Change::Reshard { .. } if !known => RefusalReason::CallsPerSecond,
            Change::Reshard { .. } | Change::SwitchMode { .. } => RefusalReason::LimitReached,
        };
        CallFailure::Refused(Refusal(reason, detail))
    }
}

/// Whether AWS speaks of a quota of the account and not of how many calls there were. Its words are
/// nowhere written down, so none of them alone decides.
fn names_quota(said: &str) -> bool {
    !said.contains("rate exceeded")
        && ["account", "shard limit", "shard count"].iter().any(|words| said.contains(words))
}

async fn made(call: impl AsyncFnOnce() -> PortResult<()>) -> Result<(), CallFailure> {
    call().await.map_err(|error| match error.failure {
        Failure::AnswerLost => CallFailure::Lost(error.to_string()),
        _ => CallFailure::Refused(Refusal::of(&error)),
    })
}

/// Writes down what became of the action, under `id`, and tells.
async fn conclude<P: ActionPorts>(
    ports: &P,
    order: &Order<'_>,
    id: &PlanId,
    mut action: ActionRecord,
    made: Result<(), CallFailure>,
) -> PortResult<ActionResult> {
    let (outcome, detail) = match made {
        Ok(()) => (Outcome::Accepted, None),
        Err(CallFailure::Refused(Refusal(reason, detail))) => (Outcome::Refused { reason }, detail),
        Err(CallFailure::Lost(detail)) => (Outcome::Unknown, Some(detail)),
    };
    action.outcome = outcome;
    // A ledger that fails now leaves the intent standing: it counts, and the next look clears it
    // up.
    let written = ports.record_outcome(order.stream, id, &action).await;
    ports.publish(&[event_of(ports, order, &action, detail)]).await?;
    if written.is_ok() {
        // Lost, this note costs one more event to whoever asks again; nothing else.
        let _ = ports.record_published(order.stream, id, &action).await;
    }
    Ok(result_of(outcome))
}

fn result_of(outcome: Outcome) -> ActionResult {
    match outcome {
        Outcome::Accepted => ActionResult::Accepted,
        Outcome::Refused { reason } => ActionResult::Refused(reason),
        Outcome::Unknown | Outcome::Intended => ActionResult::Lost,
    }
}

/// Turns the plan down before it was claimed: nothing of it is remembered.
async fn refuse<P: ActionPorts>(
    ports: &P,
    order: &Order<'_>,
    refusal: Refusal,
) -> PortResult<ActionResult> {
    let Refusal(reason, detail) = refusal;
    let outcome = Outcome::Refused { reason };
    let action = ActionRecord { outcome, ..action_of(ports, order) };
    ports.publish(&[event_of(ports, order, &action, detail)]).await?;
    Ok(ActionResult::Refused(reason))
}

/// The event came before. What the first delivery left undone is done now.
async fn again<P: ActionPorts>(
    ports: &P,
    order: &Order<'_>,
    mut record: StreamRecord,
) -> PortResult<ActionResult> {
    let state = match ports.describe_stream(order.stream).await {
        Ok(state) => state,
        Err(_) => return Ok(ActionResult::Repeated),
    };
    let cleared = recovery::clear_up(ports, order.stream, &mut record, &state, ports.now()).await?;
    let action = match cleared {
        Found::InFlight => return Ok(ActionResult::Repeated),
        Found::Cleared(Some((_, action))) => Some(action),
        Found::Cleared(None) | Found::Nothing => record
            .action_of(order.plan)
            .filter(|action| !action.published && !action.record.outcome.is_open())
            .map(|action| action.record),
    };
    let Some(action) = action else { return Ok(ActionResult::Repeated) };
    ports.publish(&[event_of(ports, order, &action, None)]).await?;
    let _ = ports.record_published(order.stream, order.plan, &action).await;
    Ok(result_of(action.outcome))
}

fn event_of<P: ActionPorts>(
    ports: &P,
    order: &Order<'_>,
    action: &ActionRecord,
    detail: Option<String>,
) -> WeirEvent {
    let (plan_id, stream) = (order.plan.clone(), order.stream.clone());
    match action.outcome {
        Outcome::Accepted => WeirEvent::of_accepted(plan_id, stream, action),
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
            let reason = FailureReason::OutcomeUnknown;
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

#[cfg(test)]
mod tests;
