//! The clamps: every limit between the wanted and the allowed size, in one documented order.
//!
//! 1. bounds of the policy, its known events among them; 2. what AWS allows one call (2x, half, 10,000 shards); 3. the account's
//!    quota; 4. the day's calls; 5. only where shards would be taken away: data missing or stale,
//!    throttling, a drop that looks like an outage, a consumer behind or silent, the ledger, the reserve, and
//!    the calls that known events need. Each clamp sees the size the one before it left.

use super::{Clamp, Sight};
use crate::demand::Demand;
use crate::limits;
use crate::reasons::Reason;
use crate::reshard;
use crate::units::{ShardLoad, Shards, Share};

/// Data older than this is too old to take shards away on, seconds.
const STALE_AFTER_SECONDS: i64 = 600;
/// Minutes after a refused write in which nothing is taken away.
const THROTTLED_LATELY_MINUTES: usize = 10;
/// A fall below this share of the level before it looks like an outage.
const OUTAGE_LEVEL: f64 = 0.10;
/// Minutes that must have been so low: a single one may be a late datapoint.
const OUTAGE_MINUTES: usize = 5;
/// Calls on the way back to the last day's peak that may fall short of doubling.
const WAY_BACK_SPARE_CALLS: u32 = 1;
/// Minutes without a consumer's position after which it counts as silent.
const CONSUMER_SILENT_MINUTES: usize = 10;

type Rule = fn(&Sight<'_>, Shards) -> Option<(Shards, Reason)>;

const RULES: [Rule; 18] = [
    policy_minimum,
    schedule_minimum,
    policy_maximum,
    above_double,
    below_half,
    stream_limit,
    account_quota,
    budget_spent,
    data_stale,
    data_missing,
    writes_throttled,
    drop_looks_like_outage,
    consumer_lagging,
    consumer_silent,
    ledger_unavailable,
    budget_reserved,
    schedule_reserved,
    way_back,
];

/// Leads `wanted` through every clamp.
pub(super) fn apply(sight: &Sight<'_>, wanted: Shards) -> (Shards, Vec<Clamp>) {
    let mut clamps = Vec::new();
    let mut size = wanted;
    for rule in RULES {
        if let Some((to, reason)) = rule(sight, size)
            && to != size
        {
            clamps.push(Clamp { reason, from: size, to });
            size = to;
        }
    }
    (size, clamps)
}

fn policy_minimum(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    Some((size.max(sight.policy.bounds.min()), Reason::PolicyMinimum))
}

fn schedule_minimum(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    Some((size.max(sight.timetable.due(sight.now)), Reason::ScheduleMinimum))
}

fn policy_maximum(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    Some((size.min(sight.policy.bounds.max()), Reason::PolicyMaximum))
}

fn above_double(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    Some((size.min(sight.open().doubled()), Reason::AboveDouble))
}

fn below_half(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    Some((size.max(sight.open().halved()), Reason::BelowHalf))
}

fn stream_limit(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    let most = Shards::at_least_one(limits::SHARDS_PER_STREAM_MAX).max(sight.open());
    Some((size.min(most), Reason::StreamLimit))
}

fn account_quota(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    let quota = sight.observation.quota.known()?;
    let open = sight.open();
    let elsewhere = quota.open.saturating_sub(open.get());
    let room = quota.limit.saturating_sub(elsewhere);
    if reshard::peak_open_shards(open, size) <= room {
        return None;
    }
    let most = Shards::at_least_one(room.saturating_sub(limits::RESHARD_TEMPORARY_SHARDS));
    // Too little room even for the temporary shards of a merge: stay.
    let fits = if most > open { most.min(size) } else { open };
    Some((fits, Reason::AccountQuota))
}

fn budget_spent(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    let budget = sight.evidence.budget?;
    (size != sight.open() && budget.reshards_left() == 0)
        .then(|| (sight.open(), Reason::BudgetSpent))
}

/// Keeps the size where shards would be taken away and `hindered` holds.
fn keep_if(
    sight: &Sight<'_>,
    size: Shards,
    reason: Reason,
    hindered: impl FnOnce() -> bool,
) -> Option<(Shards, Reason)> {
    (size < sight.open() && hindered()).then(|| (sight.open(), reason))
}

fn data_stale(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::DataStale, || {
        sight.evidence.newest_data_age_seconds.is_none_or(|age| age > STALE_AFTER_SECONDS)
    })
}

fn data_missing(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::DataMissing, || sight.evidence.unknown_minutes > 0)
}

fn writes_throttled(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::WritesThrottled, || {
        sight.refused_within(THROTTLED_LATELY_MINUTES) > crate::tune::k().clamp
    })
}

fn drop_looks_like_outage(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::DropLooksLikeOutage, || sight.evidence.looks_like_outage)
}

/// Whether the newest minutes are far below the level of the hours before. So it is from the first minutes of
/// an outage until the quiet has become the rule, about two hours.
pub(super) fn looks_like_outage(sight: &Sight<'_>) -> bool {
    let window = super::window(sight.policy.scale_in_after_minutes);
    let before = &sight.minutes[..sight.minutes.len().saturating_sub(window)];
    let level = median(before);
    level > ShardLoad::new(1.0) && sight.peak_of_newest(OUTAGE_MINUTES) < level.times(OUTAGE_LEVEL)
}

fn consumer_lagging(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::ConsumerLagging, || {
        let most = sight.policy.hold_scale_in_at_lag_minutes.saturating_mul(60);
        sight.evidence.consumer_lag_seconds.is_some_and(|lag| lag >= most)
    })
}

fn consumer_silent(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::ConsumerSilent, || {
        let Some(series) = sight.raw else { return false };
        let seen = &series.points[..sight.minutes.len().min(series.points.len())];
        let reports = |points: &[crate::series::TrafficPoint]| {
            points.iter().any(|point| point.iterator_age_millis.is_some())
        };
        let (before, lately) = seen.split_at(seen.len().saturating_sub(CONSUMER_SILENT_MINUTES));
        reports(before) && !reports(lately)
    })
}

fn ledger_unavailable(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::LedgerUnavailable, || sight.evidence.budget.is_none())
}

fn budget_reserved(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::BudgetReserved, || {
        sight
            .evidence
            .budget
            .is_some_and(|budget| budget.reshards_left() <= sight.policy.reserved_calls)
    })
}

fn schedule_reserved(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    keep_if(sight, size, Reason::ScheduleReserved, || {
        let actions = sight.history.actions.as_deref().unwrap_or_default();
        sight.timetable.short_of_calls(size, actions, sight.now)
    })
}

/// What went up once today may do so again: a size is not given up that the calls left could not bring back.
fn way_back(sight: &Sight<'_>, size: Shards) -> Option<(Shards, Reason)> {
    let left = sight.evidence.budget?.reshards_left();
    let doublings = left.saturating_sub(1 + WAY_BACK_SPARE_CALLS);
    let factor = f64::from(limits::RESHARD_FACTOR_MAX).powf(f64::from(doublings));
    let least = Shards::for_load(sight.outlook.highest_of_day().times(1.0 / factor), Share::WHOLE);
    (size < sight.open()).then(|| (size.max(least.min(sight.open())), Reason::WayBack))
}

fn median(demands: &[Demand]) -> ShardLoad {
    let mut loads: Vec<f64> = demands.iter().filter_map(|d| d.load()).map(ShardLoad::get).collect();
    loads.sort_by(f64::total_cmp);
    ShardLoad::new(loads.get(loads.len() / 2).copied().unwrap_or(0.0))
}
