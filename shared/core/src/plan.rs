//! The planner: what size and mode a stream should have, what may be done, and why.
//!
//! Stages in order: demand → forecast → sizing → clamps → mode → action → revisit. Pure: the same
//! inputs give the same plan. Not here: reading, acting, or the words of messages.

mod capacity_mode;
#[cfg(test)]
mod case;
mod clamps;
mod context;
mod explain;
mod horizon;
mod report;
mod sizing;
mod throttling_history;
mod timetable;

use jiff::{SignedDuration, Timestamp};

use self::context::Context;
pub use self::report::{
    Action, Basis, Clamp, Motive, Plan, QuotaSeen, Sizing, Throttling, WantedMode,
};
pub use self::timetable::Event;
use crate::history::History;
use crate::observation::Observation;
use crate::policy::{OperatingMode, Policy};
use crate::reasons::{HoldReason, Reporting};

/// Minutes of traffic a plan looks at: an hour of quiet, and the level before it.
pub const MINUTES_OBSERVED: u32 = 240;
// A minute that no plan looks at any more must have been learnt from.
const _: () = assert!(crate::profile::FITTED_EVERY_MINUTES < MINUTES_OBSERVED);
// A longer window of scale-in would leave too little to compare it with.
const _: () = assert!(crate::policy::keys::SCALE_IN_AFTER_MINUTES_MAX < MINUTES_OBSERVED);
/// Days of coarser traffic a plan looks at.
pub const DAYS_OBSERVED: u32 = 15;
/// Period of that coarser traffic, seconds.
pub const DAYS_PERIOD_SECONDS: u32 = 300;

/// A plan older than this is not carried out: the world has moved on.
pub const EXPIRES_AFTER_MINUTES: i64 = 5;
/// Until a calm stream is looked at again. From 5 to 10 the mean result does not change by more
/// than its noise, and each look costs.
const CALM_MINUTES: i64 = 7;
/// Share of capacity in use from which on a stream is looked at every minute, however evenly it is
/// written to.
const NEAR_CAPACITY: f64 = 0.85;

/// Plans for one stream: the size and the mode it should have, what is to be done, and why.
///
/// ```
/// use jiff::Timestamp;
/// use weir_core::history::History;
/// use weir_core::observation::{
///     CapacityMode, Observation, Signal, StreamState, StreamStatus,
/// };
/// use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, plan};
/// use weir_core::policy::Policy;
/// use weir_core::reasons::HoldReason;
/// use weir_core::series::Series;
/// use weir_core::units::{Shards, StreamName};
///
/// let now: Timestamp = "2026-11-23T06:00:00Z".parse()?;
/// let observation = Observation {
///     stream: StreamName::new("orders")?,
///     observed_at: now,
///     state: StreamState {
///         mode: CapacityMode::Provisioned,
///         status: StreamStatus::Active,
///         open_shards: Shards::at_least_one(4),
///         retention_hours: 24,
///         held_on_demand_by: None,
///         created_at: None,
///     },
///     minutes: Signal::Missing("CloudWatch could not be reached".to_owned()),
///     quota: Signal::Missing("not read".to_owned()),
/// };
/// let days = Series::empty(now, DAYS_PERIOD_SECONDS);
/// let history = History { days, actions: Some(Vec::new()), profile: None, paused: false };
/// let plan = plan(&Policy::DEFAULT, &observation, &history, now);
/// assert_eq!(plan.action, Action::Hold(HoldReason::MetricsUnreadable));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan(policy: &Policy, observation: &Observation, history: &History, now: Timestamp) -> Plan {
    let context = Context::of(policy, observation, history, now);
    let open = context.open();
    let sizing = sizing::size(&context);
    let standstill = sizing::standstill(&context);
    let wanted_mode = match standstill {
        Some(_) => None,
        None => capacity_mode::wanted(&context),
    };
    let action = action(&context, standstill, wanted_mode, &sizing);
    let minutes = |minutes| now.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(now);
    let learnt = context.learnt();
    let next_call = context.timetable.next_call(open, now).unwrap_or(Timestamp::MAX);
    Plan {
        stream: observation.stream.clone(),
        operating_mode: policy.operating_mode,
        planned_at: now,
        expires_at: minutes(EXPIRES_AFTER_MINUTES),
        revisit_at: minutes(revisit_minutes(&context, action)).min(next_call),
        open,
        sizing,
        wanted_mode,
        action,
        basis: context.basis,
        events: context.timetable.events,
        learnt,
    }
}

/// The options in order of preference: a mode switch that may be made, then a reshard, then
/// nothing.
fn action(
    context: &Context<'_>,
    standstill: Option<HoldReason>,
    wanted_mode: Option<WantedMode>,
    sizing: &Sizing,
) -> Action {
    let open = context.open();
    if let Some(reason) = standstill {
        return Action::Hold(reason);
    }
    let withheld = match wanted_mode {
        Some(WantedMode { to, withheld: None, .. }) => {
            return Action::SwitchMode { from: context.observation.state.mode, to };
        }
        Some(WantedMode { withheld, .. }) => withheld,
        None => None,
    };
    match sizing {
        Sizing::Sized { allowed, .. } if *allowed != open => {
            Action::Reshard { from: open, to: *allowed }
        }
        Sizing::Sized { clamps, .. } => {
            Action::Hold(withheld.unwrap_or_else(|| sizing::kept(context, clamps)))
        }
        Sizing::NotOurs(reason) => Action::Hold(withheld.unwrap_or(*reason)),
        // Without a view of demand a withheld mode is the lesser news.
        Sizing::Blind(reason) => Action::Hold(*reason),
    }
}

/// Minutes until the stream is due again. Each look costs API calls, so a calm stream is looked at
/// less often; a surge in between wakes the planner by its alarm. Metrics that cannot be read are
/// tried again at once, as a call that fails costs nothing; where there are none, each look would
/// cost. A reshard that does not end is waited for by the minute.
fn revisit_minutes(context: &Context<'_>, action: Action) -> i64 {
    let used = context.basis.forecast.now.get() / context.open().capacity().get();
    let acting = context.policy.operating_mode == OperatingMode::Act;
    match action {
        _ if context.basis.emergency || context.is_nearly_short() || used >= NEAR_CAPACITY => 1,
        Action::Reshard { .. } | Action::SwitchMode { .. } if acting => 1,
        Action::Hold(HoldReason::MetricsUnreadable | HoldReason::ReshardStalled) => 1,
        Action::Hold(reason) if reason.reporting() == Reporting::Momentary => 1,
        _ => CALM_MINUTES,
    }
}
