//! The clamps: every rule between the size demand needs and the one that is asked for, in one
//! documented order.
//!
//! 1. whether the last call's effect has been seen, and how far a call should lead; 2. bounds of
//!    the policy, its known events among them, and the 10,000 shards of AWS; 3. what AWS allows one
//!    call (2x, half); 4. the day's calls; 5. only where shards would be taken away: data missing
//!    or stale, too little of it, throttling, a drop that looks like an outage, a consumer behind
//!    or silent, the ledger, the reserve, the calls that known events need, the way back up; 6. the
//!    account's quota, which must hold of the very size that is asked for. Each clamp sees the size
//!    the one before it left. Not here: the size demand needs (`horizon`).

use super::context::{self, Context};
use super::horizon;
use super::report::Clamp;
use crate::limits;
use crate::reasons::ClampReason;
use crate::reshard;
use crate::units::{ShardLoad, Shards, Share};

/// Within its first day nobody knows how high a stream will rise, and its ten calls must last: each
/// call that adds shards adds half of them.
const LEAST_STEP_YOUNG: f64 = 1.5;
/// Later a call adds at least this share of the shards, over the calls left. By trial: 0.6 is
/// worse, 1.0 and 2.0 are within noise.
const LEAST_STEP_OVER_CALLS: f64 = 1.4;
/// Data older than this is too old to take shards away on, seconds.
const STALE_AFTER_SECONDS: i64 = 600;
/// Newest minutes in which nothing may have been refused, for something to be taken away: no more
/// than this share, of what more shards would take.
const THROTTLED_LATELY_MINUTES: usize = 10;
const THROTTLED_LATELY_SHARE: f64 = 0.0005;
/// Calls on the way back to the last day's peak that may fall short of doubling.
const WAY_BACK_SPARE_CALLS: u32 = 1;

type Rule = fn(&Context<'_>, Shards) -> Option<(Shards, ClampReason)>;

const RULES: [Rule; 21] = [
    effect_awaited,
    minimum_step,
    policy_minimum,
    schedule_minimum,
    stream_limit,
    policy_maximum,
    above_double,
    below_half,
    budget_spent,
    data_stale,
    data_missing,
    learning,
    writes_throttled,
    drop_looks_like_outage,
    consumer_lagging,
    consumer_silent,
    ledger_unavailable,
    budget_reserved,
    schedule_reserved,
    way_back,
    account_quota,
];

/// Leads `size` through every rule. Those that change it are added to `clamps`.
pub(super) fn apply(context: &Context<'_>, mut size: Shards, clamps: &mut Vec<Clamp>) -> Shards {
    for rule in RULES {
        if let Some((to, reason)) = rule(context, size)
            && to != size
        {
            clamps.push(Clamp { reason, from: size, to });
            size = to;
        }
    }
    size
}

/// Whether shards help is seen before more are added: refused writes that are tried again, or are
/// of a hot key, look like demand until then.
fn effect_awaited(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    let actions = context.history.actions.as_deref()?;
    let (open, now) = (context.open(), context.now);
    let awaited = context.refusals.retries.is_effect_awaited(context.raw?, actions, open, now);
    (size > open && awaited).then_some((open, ClampReason::EffectAwaited))
}

/// The smallest size worth a call that adds shards. A rise that has begun often goes on, and calls
/// spent on small steps are missing when it does: the fewer are left, the further each has to lead,
/// though not beyond what the past makes believable.
fn minimum_step(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    let budget = context.basis.budget;
    let calls_left = budget.map_or(limits::RESHARDS_PER_DAY_MAX, |budget| budget.reshards_left());
    let factor = match is_young(context) {
        true => LEAST_STEP_YOUNG,
        false => 1.0 + LEAST_STEP_OVER_CALLS / f64::from(calls_left.max(1)),
    };
    let least = context.open().capacity().get() * factor;
    let least = ShardLoad::new(least.min(horizon::believable(&context.forecast)));
    let step = || Shards::for_load(least, Share::WHOLE).max(size);
    (size > context.open()).then(|| (step(), ClampReason::MinimumStep))
}

/// Whether less than a day of the stream is known.
fn is_young(context: &Context<'_>) -> bool {
    context.forecast.days_known() == 0
}

fn policy_minimum(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    Some((size.max(context.policy.bounds.min()), ClampReason::PolicyMinimum))
}

fn schedule_minimum(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    Some((size.max(context.timetable.due(context.now)), ClampReason::ScheduleMinimum))
}

fn stream_limit(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    let most = Shards::at_least_one(limits::SHARDS_PER_STREAM_MAX).max(context.open());
    Some((size.min(most), ClampReason::StreamLimit))
}

/// Lowers a stream no further than what was needed in the scale-in window: a slip of the pen takes
/// no shards from under present demand.
fn policy_maximum(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    let lately = context::window(context.policy.scale_in_after_minutes);
    let needed = Shards::for_load(context.peak_of_newest(lately), Share::WHOLE);
    let most = context.policy.bounds.max().max(needed.min(context.open()));
    Some((size.min(most), ClampReason::PolicyMaximum))
}

fn above_double(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    Some((size.min(context.open().doubled()), ClampReason::AboveDouble))
}

fn below_half(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    Some((size.max(context.open().halved()), ClampReason::BelowHalf))
}

fn budget_spent(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    let budget = context.basis.budget?;
    (size != context.open() && budget.reshards_left() == 0)
        .then(|| (context.open(), ClampReason::BudgetSpent))
}

/// Keeps the size where shards would be taken away and `hindered` holds.
fn keep_if(
    context: &Context<'_>,
    size: Shards,
    reason: ClampReason,
    hindered: impl FnOnce() -> bool,
) -> Option<(Shards, ClampReason)> {
    (size < context.open() && hindered()).then(|| (context.open(), reason))
}

fn data_stale(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::DataStale, || is_stale(context))
}

/// Whether the newest data is too old to tell the demand of now.
pub(super) fn is_stale(context: &Context<'_>) -> bool {
    context.basis.newest_data_age_seconds.is_none_or(|age| age > STALE_AFTER_SECONDS)
}

fn data_missing(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::DataMissing, || context.basis.unknown_minutes > 0)
}

fn learning(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::Learning, || is_young(context))
}

fn writes_throttled(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::WritesThrottled, || {
        context.curably_refused(THROTTLED_LATELY_MINUTES) > THROTTLED_LATELY_SHARE
    })
}

fn drop_looks_like_outage(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::DropLooksLikeOutage, || context.was_an_outage_lately())
}

fn consumer_lagging(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::ConsumerLagging, || {
        let most = context.policy.hold_scale_in_at_lag_minutes.saturating_mul(60);
        context.basis.consumer_lag_seconds.is_some_and(|lag| lag >= most)
    })
}

fn consumer_silent(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::ConsumerSilent, || context.is_consumer_silent())
}

fn ledger_unavailable(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::LedgerUnavailable, || context.basis.budget.is_none())
}

fn budget_reserved(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::BudgetReserved, || {
        context
            .basis
            .budget
            .is_some_and(|budget| budget.reshards_left() <= context.policy.reserved_calls)
    })
}

fn schedule_reserved(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    keep_if(context, size, ClampReason::ScheduleReserved, || {
        let actions = context.history.actions.as_deref().unwrap_or_default();
        context.timetable.short_of_calls(size, actions, context.now)
    })
}

/// What went up once today may do so again: a size is not given up that the calls left could not
/// bring back.
fn way_back(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    let left = context.basis.budget?.reshards_left();
    let doublings = left.saturating_sub(1 + WAY_BACK_SPARE_CALLS);
    let factor = f64::from(limits::RESHARD_FACTOR_MAX).powf(f64::from(doublings));
    let least =
        Shards::for_load(context.forecast.highest_of_day().times(1.0 / factor), Share::WHOLE);
    (size < context.open()).then(|| (size.max(least.min(context.open())), ClampReason::WayBack))
}

fn account_quota(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    let Some(quota) = context.observation.quota.known() else {
        return refused_for_quota(context, size);
    };
    let open = context.open();
    let elsewhere = quota.open.saturating_sub(open.get());
    let room = quota.limit.saturating_sub(elsewhere);
    if reshard::peak_open_shards(open, size) <= room {
        return None;
    }
    let most = Shards::at_least_one(room.saturating_sub(limits::RESHARD_TEMPORARY_SHARDS));
    // Too little room even for the temporary shard of a few merges: stay.
    let fits = if most > open { most.min(size) } else { open };
    Some((fits, ClampReason::AccountQuota))
}

/// Where the quota cannot be read, AWS's refusals tell of it: half of what was refused last is
/// asked for next, until that fits or is nothing.
fn refused_for_quota(context: &Context<'_>, size: Shards) -> Option<(Shards, ClampReason)> {
    let open = context.open();
    let least = context.refused_for_quota()?.get().saturating_sub(open.get());
    let most = Shards::at_least_one(open.get() + least / 2);
    (size > most).then_some((most, ClampReason::AccountQuota))
}

#[cfg(test)]
mod tests;
