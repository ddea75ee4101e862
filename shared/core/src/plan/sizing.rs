//! The size a stream should have, or why it is given none; and why a size that stays is the right
//! one.
//!
//! Not here: what demand needs (`horizon`), or the rules that bend it (`clamps`).

use super::clamps;
use super::context::Context;
use super::horizon::{self, Terms};
use super::report::{Clamp, Sizing};
use super::throttling_history;
use crate::action::{self, ChangeKind};
use crate::bill::Written;
use crate::limits;
use crate::observation::{CapacityMode, StreamStatus};
use crate::reasons::{ClampReason, HoldReason};
use crate::units::Shards;

/// Billable GiB in an hour of one shard's load, where traffic does not tell: full shards of whole
/// KiB.
const SHARD_HOUR_GIB: f64 = 3.515_625;

/// Sizes the stream.
pub(super) fn size(context: &Context<'_>) -> Sizing {
    if let Some(reason) = standstill(context).or_else(|| on_demand(context)) {
        return Sizing::NotOurs(reason);
    }
    let open = context.open();
    let floor = context.policy.bounds.min().max(context.timetable.due(context.now));
    let (wanted, mut clamps) = match blind(context) {
        Some(reason) if floor <= open => return Sizing::Blind(reason),
        Some(_) => (open, Vec::new()),
        None => needed(context),
    };
    let size = clamps.last().map_or(wanted, |clamp| clamp.to);
    let allowed = clamps::apply(context, size, &mut clamps);
    Sizing::Sized { wanted, allowed, clamps }
}

/// Why nothing may be done now, neither to the size nor to the mode.
pub(super) fn standstill(context: &Context<'_>) -> Option<HoldReason> {
    let state = &context.observation.state;
    if context.history.paused {
        return Some(HoldReason::Paused);
    }
    match state.status {
        StreamStatus::Creating | StreamStatus::Deleting => Some(HoldReason::StreamNotActive),
        // On demand it lacks no shards that a reshard could bring.
        StreamStatus::Updating
            if state.mode == CapacityMode::Provisioned && context.is_throttled_for_long() =>
        {
            Some(HoldReason::ReshardStalled)
        }
        StreamStatus::Updating => Some(HoldReason::ReshardInProgress),
        StreamStatus::Active => {
            let actions = context.history.actions.as_deref().unwrap_or_default();
            action::settling(actions, state, context.now).map(|kind| match kind {
                ChangeKind::Reshard => HoldReason::ReshardSettling,
                ChangeKind::SwitchMode => HoldReason::ModeSwitchSettling,
            })
        }
    }
}

/// On demand AWS sets the size.
fn on_demand(context: &Context<'_>) -> Option<HoldReason> {
    (context.observation.state.mode == CapacityMode::OnDemand).then_some(HoldReason::StreamOnDemand)
}

/// Why nobody knows the demand, where nobody does.
fn blind(context: &Context<'_>) -> Option<HoldReason> {
    match context.raw {
        None => Some(HoldReason::MetricsUnreadable),
        Some(_) if context.forecast.steps().is_empty() => Some(HoldReason::NoMetrics),
        Some(_) => None,
    }
}

/// The size demand needs, and the one that comes close to it sooner where the time of a reshard
/// tells.
fn needed(context: &Context<'_>) -> (Shards, Vec<Clamp>) {
    let policy = context.policy;
    let gib = context.load_hour().map_or(SHARD_HOUR_GIB, Written::billable_gb);
    let terms = Terms {
        overflow_shard_hours: policy.throttled_gib_usd.get() * gib
            / policy.prices.provisioned.shard_hour_usd
            * throttling_history::overflow_weight(context.basis.throttled_share),
        calls_left: context
            .basis
            .budget
            .map_or(limits::RESHARDS_PER_DAY_MAX, |budget| budget.reshards_left()),
        calls_reserved: policy.reserved_calls,
        timetable: &context.timetable,
        now: context.now,
        is_short: context.is_short(),
    };
    let horizon::Size { wanted, reached_sooner } =
        horizon::size(&context.forecast, &context.refusals.model, context.open(), &terms);
    let sooner = Clamp { reason: ClampReason::ReachedSooner, from: wanted, to: reached_sooner };
    (wanted, if reached_sooner == wanted { Vec::new() } else { vec![sooner] })
}

/// Why a stream that was sized keeps the size it has: a finding, whatever it is.
pub(super) fn kept(context: &Context<'_>, clamps: &[Clamp]) -> HoldReason {
    let spent = context.basis.budget.is_some_and(|budget| budget.reshards_left() == 0);
    match clamps.last() {
        Some(clamp) => clamp.reason.into(),
        None if clamps::is_stale(context) => HoldReason::DataStale,
        None if context.is_short() && spent => HoldReason::BudgetSpent,
        None if context.is_short() => HoldReason::NotWorthACall,
        None if context.basis.emergency => HoldReason::WritesThrottled,
        None => HoldReason::OnTarget,
    }
}

#[cfg(test)]
mod tests;
