//! The events Weir publishes: versioned, public interface.
//!
//! `source` is always `weir`; `detail-type` is [`WeirEvent::detail_type`]; `detail` is the JSON of
//! the struct. A change that would break a reader gets a new version. Not here: events that come in
//! from outside (`incoming`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use weir_core::action::{ActionRecord, Change};
use weir_core::alarms::AlarmPrefix;
use weir_core::budget::Budget;
use weir_core::observation::CapacityMode;
use weir_core::plan::{Action, Plan};
use weir_core::policy::OperatingMode;
use weir_core::reasons::{ClampReason, FailureReason, HoldReason, RefusalReason};
use weir_core::units::{ShardLoad, Shards, StreamName};

use crate::plan_id::PlanId;

/// `source` of every event of Weir's.
pub const SOURCE: &str = "weir";
/// The field of every detail that says which installation published it: by the prefix of its
/// alarms, which no two of an account and region share. An operator's request need not have it:
/// then all hear it.
pub const INSTALLATION: &str = "installation";
/// The version of all details below.
pub const VERSION: u32 = 1;

/// A plan was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacityPlanned {
    /// Version of this detail.
    pub version: u32,
    /// The plan.
    pub plan_id: PlanId,
    /// The stream.
    pub stream: StreamName,
    /// `observe` plans are carried out by nobody.
    pub mode: OperatingMode,
    /// When it was made.
    pub planned_at: Timestamp,
    /// When it is too old to carry out.
    pub expires_at: Timestamp,
    /// When the stream is looked at again.
    pub revisit_at: Timestamp,
    /// Open shards when it was made.
    pub open_shards: Shards,
    /// The size the demand needs; the open shards where the stream is not sized.
    pub wanted_shards: Shards,
    /// The size after all clamps.
    pub allowed_shards: Shards,
    /// What is to be done.
    pub action: PlannedAction,
    /// Every clamp, in order.
    pub clamps: Vec<PlannedClamp>,
    /// Expected demand in shards.
    pub forecast: PlannedForecast,
    /// Demand is above capacity or writes are throttled.
    pub emergency: bool,
    /// Calls left; absent when the ledger could not be read.
    pub budget: Option<Budget>,
    /// The plan in words, a line per stage.
    pub explanation: Vec<String>,
}

/// What a plan asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlannedAction {
    /// Nothing.
    Hold {
        /// Why.
        reason: HoldReason,
    },
    /// One UpdateShardCount.
    Reshard {
        /// Open shards the plan starts from.
        from: Shards,
        /// Open shards to ask for.
        to: Shards,
    },
    /// One UpdateStreamMode.
    SwitchMode {
        /// The mode the plan starts from.
        from: CapacityMode,
        /// The mode to ask for.
        to: CapacityMode,
    },
}

/// A clamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedClamp {
    /// Which.
    pub reason: ClampReason,
    /// The size before it.
    pub from: Shards,
    /// The size after it.
    pub to: Shards,
}

/// Demand in shards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedForecast {
    /// In the newest minutes.
    pub now: f64,
    /// Until a reshard decided now is in force.
    pub soon: f64,
    /// For as long as that reshard should last.
    pub later: f64,
}

impl CapacityPlanned {
    /// The event of a plan.
    pub fn new(plan_id: PlanId, plan: &Plan) -> CapacityPlanned {
        let forecast = plan.basis.forecast;
        CapacityPlanned {
            version: VERSION,
            plan_id,
            stream: plan.stream.clone(),
            mode: plan.operating_mode,
            planned_at: plan.planned_at,
            expires_at: plan.expires_at,
            revisit_at: plan.revisit_at,
            open_shards: plan.open,
            wanted_shards: plan.wanted(),
            allowed_shards: plan.allowed(),
            action: match plan.action {
                Action::Hold(reason) => PlannedAction::Hold { reason },
                Action::Reshard { from, to } => PlannedAction::Reshard { from, to },
                Action::SwitchMode { from, to } => PlannedAction::SwitchMode { from, to },
            },
            clamps: plan
                .clamps()
                .iter()
                .map(|clamp| PlannedClamp { reason: clamp.reason, from: clamp.from, to: clamp.to })
                .collect(),
            forecast: PlannedForecast {
                now: thousandths(forecast.now),
                soon: thousandths(forecast.soon),
                later: thousandths(forecast.later),
            },
            emergency: plan.basis.emergency,
            budget: plan.basis.budget,
            explanation: plan.explain(),
        }
    }
}

/// Digits beyond these mean nothing, and make events hard to read.
fn thousandths(load: ShardLoad) -> f64 {
    (load.get() * 1000.0).round() / 1000.0
}

/// AWS took a reshard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamResized {
    /// Version of this detail.
    pub version: u32,
    /// The plan that was carried out.
    pub plan_id: PlanId,
    /// The stream.
    pub stream: StreamName,
    /// Open shards before.
    pub from: Shards,
    /// Open shards asked for; the stream reaches them within minutes.
    pub to: Shards,
    /// When AWS took it.
    pub accepted_at: Timestamp,
}

/// AWS took a mode switch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeSwitched {
    /// Version of this detail.
    pub version: u32,
    /// The plan that was carried out.
    pub plan_id: PlanId,
    /// The stream.
    pub stream: StreamName,
    /// The mode before.
    pub from: CapacityMode,
    /// The mode asked for; the stream has it within minutes. Its open shards stay.
    pub to: CapacityMode,
    /// When AWS took it.
    pub accepted_at: Timestamp,
}

/// A plan was turned down, by Weir or by AWS; nothing was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionRefused {
    /// Version of this detail.
    pub version: u32,
    /// The plan that was turned down.
    pub plan_id: PlanId,
    /// The stream.
    pub stream: StreamName,
    /// Why.
    pub reason: RefusalReason,
    /// What that means.
    pub meaning: String,
    /// What a person can do about it.
    pub remedy: String,
    /// What AWS or the ledger said, where it said something.
    pub detail: Option<String>,
    /// When.
    pub refused_at: Timestamp,
}

/// A call was sent and nobody knows whether it took effect; it counts as used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionFailed {
    /// Version of this detail.
    pub version: u32,
    /// The plan that was being carried out.
    pub plan_id: PlanId,
    /// The stream.
    pub stream: StreamName,
    /// Why.
    pub reason: FailureReason,
    /// What that means.
    pub meaning: String,
    /// What a person can do about it.
    pub remedy: String,
    /// What was heard last.
    pub detail: Option<String>,
    /// When.
    pub failed_at: Timestamp,
}

/// An operator asks for something now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatorRequest {
    /// Version of this detail.
    pub version: u32,
    /// What is asked for.
    pub request: Request,
    /// For which stream; absent for all.
    pub stream: Option<StreamName>,
    /// Of all streams, those that come after this one by name: what Weir asks of itself where a run
    /// had no time left for the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<StreamName>,
}

/// What an operator can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// A plan, whether due or not.
    Plan,
    /// Alarms as they should be.
    SyncAlarms,
}

/// Everything Weir publishes.
#[derive(Clone, Debug, PartialEq)]
pub enum WeirEvent {
    /// See [`CapacityPlanned`].
    CapacityPlanned(CapacityPlanned),
    /// See [`StreamResized`].
    StreamResized(StreamResized),
    /// See [`ModeSwitched`].
    ModeSwitched(ModeSwitched),
    /// See [`ActionRefused`].
    ActionRefused(ActionRefused),
    /// See [`ActionFailed`].
    ActionFailed(ActionFailed),
    /// See [`OperatorRequest`].
    OperatorRequest(OperatorRequest),
}

impl WeirEvent {
    /// The event of an action that AWS took.
    pub fn of_accepted(plan_id: PlanId, stream: StreamName, action: &ActionRecord) -> WeirEvent {
        let (version, accepted_at) = (VERSION, action.at);
        match action.change {
            Change::Reshard { from, to } => WeirEvent::StreamResized(StreamResized {
                version,
                plan_id,
                stream,
                from,
                to,
                accepted_at,
            }),
            Change::SwitchMode { to } => WeirEvent::ModeSwitched(ModeSwitched {
                version,
                plan_id,
                stream,
                from: to.other(),
                to,
                accepted_at,
            }),
        }
    }

    /// `detail-type` on the bus.
    pub fn detail_type(&self) -> &'static str {
        match self {
            WeirEvent::CapacityPlanned(_) => "Weir Capacity Planned",
            WeirEvent::StreamResized(_) => "Weir Stream Resized",
            WeirEvent::ModeSwitched(_) => "Weir Mode Switched",
            WeirEvent::ActionRefused(_) => "Weir Action Refused",
            WeirEvent::ActionFailed(_) => "Weir Action Failed",
            WeirEvent::OperatorRequest(_) => "Weir Operator Request",
        }
    }

    /// `detail` on the bus: what the event says, and which installation says it.
    ///
    /// # Errors
    ///
    /// On what JSON cannot hold.
    pub fn detail(&self, installation: &AlarmPrefix) -> Result<Value, serde_json::Error> {
        let mut detail = match self {
            WeirEvent::CapacityPlanned(detail) => serde_json::to_value(detail),
            WeirEvent::StreamResized(detail) => serde_json::to_value(detail),
            WeirEvent::ModeSwitched(detail) => serde_json::to_value(detail),
            WeirEvent::ActionRefused(detail) => serde_json::to_value(detail),
            WeirEvent::ActionFailed(detail) => serde_json::to_value(detail),
            WeirEvent::OperatorRequest(detail) => serde_json::to_value(detail),
        }?;
        detail[INSTALLATION] = Value::from(installation.as_str());
        Ok(detail)
    }
}
