//! The size to have now, seen over the day ahead: the cheapest way through expected demand, with a price on
//! every reshard.
//!
//! An exact dynamic programme over (step, size). The day's few calls are not counted within it but priced:
//! the price rises until the way through needs no more calls than there are. Sizes are as good as reached
//! one step after the call. Later steps are charged only for what a later plan could not mend (see
//! `forecast`). Not here: limits on a single call beyond the factor of two (`clamps`).

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::timetable::Timetable;
use crate::forecast::{Amount, Outlook, Step, Straying};
use crate::limits;
use crate::reshard;
use crate::throttling::learnt::Refusals;
use crate::units::{Shards, Share};

/// Sizes that are compared.
const SIZES_MAX: u32 = 36;
/// Least price of a reshard, in hours of the mean load: one that saves less than this is not worth its
/// risk. Derived by trial on recorded traffic; results hardly change from half to twice of it.
const CALL_PRICE_MIN: f64 = 0.3;
/// The price rises by this factor with each call of the last 24 hours: the fewer are left, the likelier they are
/// to be missing later.
const PRICE_PER_CALL_USED: f64 = 1.2;
/// Reshards a day that a way through may plan for; the others are for what it did not foresee.
const PLANNED_CALLS: u32 = 6;
/// The price rises by this factor, at most so often.
const PRICE_STEP: f64 = 1.8;
const PRICE_STEPS_MAX: u32 = 6;
/// The part of an expected overflow that is charged: a size is not left to itself until it overflows. What a later
/// plan sees coming, or mends within minutes, is not lost. What overflows now is.
#[allow(dead_code)]
const NOT_MENDED: f64 = 0.45;
/// Steps for which demand that is above capacity now is taken to stay so, whatever the forecast: until a
/// reshard called now is in force, and five minutes after. A stream that throttles is brought to the
/// computed size in one call.
const EMERGENCY_STEPS: usize = 2;
/// Within its first day nobody knows how high a stream will rise, and its ten calls must last: each call that
/// adds shards adds half of them.
const LEAST_STEP_YOUNG: f64 = 1.5;
/// Room above the highest load ever seen that is still considered.
const ABOVE_SEEN: f64 = 1.3;

/// What a shard costs, in shard-hours, that a known event asks for and does not find: more than any call.
const MISSING_SHARD: f64 = 1e6;

/// What a decision is weighed by.
pub(super) struct Terms<'a> {
    /// What an hour's overflow of one shard's load costs, in shard-hours.
    pub(super) overflow_shard_hours: f64,
    /// Reshards left, and how many of them are kept for emergencies.
    pub(super) calls_left: u32,
    pub(super) calls_reserved: u32,
    /// The known events, and the time they are seen from.
    pub(super) timetable: &'a Timetable,
    pub(super) now: Timestamp,
}

/// The size to have, as far as expected demand says.
pub(super) fn size_to_have(outlook: &Outlook<'_>, open: Shards, terms: &Terms<'_>) -> Shards {
    let ways = Ways::lay_out(outlook, open, terms);
    let planned = PLANNED_CALLS + terms.timetable.calls_needed(open);
    let allowance = planned.min((terms.calls_left + 2).saturating_sub(terms.calls_reserved)).max(1);
    let used = limits::RESHARDS_PER_DAY_MAX.saturating_sub(terms.calls_left);
    let rising = PRICE_PER_CALL_USED.powf(f64::from(used));
    let mut price = CALL_PRICE_MIN * rising * outlook.mean_load().max(1.0);
    let mut way = ways.cheapest(price);
    for _ in 0..PRICE_STEPS_MAX {
        if way.calls <= allowance {
            break;
        }
        price *= PRICE_STEP;
        way = ways.cheapest(price);
    }
    // What is kept for emergencies is dearer, not forbidden: waiting too long with it costs more.
    let scarce = (terms.calls_reserved + 1).saturating_sub(terms.calls_left);
    if scarce > 0 {
        way = ways.cheapest(price * f64::from(1 + scarce));
    }
    let young = outlook.days_known() == 0;
    let shrunk = way.first.capacity().get() * LEAST_STEP_YOUNG;
    match way.first.cmp(&open) {
        Ordering::Greater => least_step(outlook, open, terms.calls_left).max(way.first),
        // What a step of half brought is not taken back for less than such a step.
        Ordering::Less if young && shrunk > open.capacity().get() => open,
        Ordering::Less | Ordering::Equal => way.first,
    }
}

/// The smallest size worth a call that adds shards. A rise that has begun often goes on, and calls spent on
/// small steps are missing when it does: the fewer are left, the further each has to lead.
fn least_step(outlook: &Outlook<'_>, open: Shards, calls_left: u32) -> Shards {
    let young = outlook.days_known() == 0;
    let least = if young { LEAST_STEP_YOUNG } else { 1.0 + 1.4 / f64::from(calls_left.max(1)) };
    Shards::for_load(open.capacity().times(least), Share::WHOLE)
}

impl Terms<'_> {
    /// Fewest shards that known events ask for within a step.
    fn floor(&self, step: &Step) -> f64 {
        if self.timetable.events.is_empty() {
            return Shards::ONE.capacity().get();
        }
        let at = |minutes| {
            let ahead = SignedDuration::from_mins(minutes);
            self.now.checked_add(ahead).unwrap_or(Timestamp::MAX)
        };
        let minutes = step.minutes();
        self.timetable.floor(at(minutes.start), at(minutes.end)).capacity().get()
    }
}

/// A size, and the capacities beside which demand is laid to tell what it refuses.
struct Compared {
    shards: f64,
    /// Traffic that is on no hot key: its share, and the capacity that it finds, over that share.
    rest: f64,
    even: Amount,
    /// Shards with a hot key: how many, what they carry of the traffic, the capacity over it; and the same without
    /// the key.
    hot: Vec<(f64, [(f64, Amount); 2])>,
}

impl Compared {
    fn of(size: u32, refusals: &Refusals) -> Compared {
        let (shards, rest) = (f64::from(size), refusals.rest());
        let base = rest / shards;
        let part = |share: f64| (share, Amount::of(1.0 / share));
        let hot = refusals.hot_keys().map(|(share, count)| (count, [part(share + base), part(base)]));
        Compared { shards, rest, even: Amount::of(shards / rest), hot: hot.collect() }
    }

    /// Expected load, in shards, that is refused and charged.
    fn overflow(&self, straying: &Straying<'_>, lost: f64) -> f64 {
        let even = self.rest * straying.overflow(self.even);
        let over = |(share, capacity): (f64, Amount)| share * straying.overflow(capacity);
        let hot: f64 =
            self.hot.iter().map(|(count, [with, without])| count * (over(*with) - over(*without))).sum();
        lost * even + crate::tune::k().hot * hot.max(0.0)
    }
}

/// All ways through the horizon.
struct Ways {
    sizes: Vec<u32>,
    /// Where in `sizes` the stream stands.
    open: usize,
    /// For each size, which others one call can reach.
    reach: Vec<std::ops::Range<usize>>,
    /// `cost[step * sizes + size]`, in shard-hours.
    cost: Vec<f64>,
    /// For each size, what it costs more to come to it from where the stream stands, because that takes long.
    late: Vec<f64>,
    /// Whether the first call may lead anywhere.
    leaps: bool,
}

/// The cheapest of them.
struct Way {
    first: Shards,
    calls: u32,
}

impl Ways {
    fn lay_out(outlook: &Outlook<'_>, open: Shards, terms: &Terms<'_>) -> Ways {
        let mut sizes = sizes(outlook, open);
        sizes.extend(terms.timetable.sizes().map(Shards::get));
        let above = outlook.above(open);
        if above {
            // Sizes that take the fewest splits and merges on the way to double.
            sizes.extend(
                [open.get() * 5 / 4, open.get() * 3 / 2]
                    .map(|size| size.min(limits::SHARDS_PER_STREAM_MAX).max(open.get())),
            );
        }
        sizes.sort_unstable();
        sizes.dedup();
        let reach = sizes
            .iter()
            .map(|size| {
                let size = Shards::at_least_one(*size);
                let from = sizes.partition_point(|other| *other < size.halved().get());
                from..sizes.partition_point(|other| *other <= size.doubled().get())
            })
            .collect();
        let steps = expected_steps(outlook, open);
        let compared: Vec<Compared> =
            sizes.iter().map(|size| Compared::of(*size, outlook.refusals())).collect();
        let mut cost = Vec::with_capacity(steps.len() * sizes.len());
        for (index, step) in steps.iter().enumerate() {
            let lost = if above && index < EMERGENCY_STEPS { 1.0 } else { crate::tune::k().mended };
            let (hours, straying, floor) =
                (step.hours(), outlook.straying(step), terms.floor(step));
            let mut overflow = f64::INFINITY;
            cost.extend(compared.iter().map(|size| {
                let missing = (floor - size.shards).max(0.0) * MISSING_SHARD;
                // Where one size lets nothing through, no larger one does.
                if overflow > 0.0 {
                    overflow = size.overflow(&straying, lost);
                }
                hours * (size.shards + terms.overflow_shard_hours * overflow) + missing
            }));
        }
        let stands = sizes.partition_point(|size| *size < open.get());
        let leaps = terms.timetable.events.is_empty();
        let late = if above { late(&steps, &sizes, stands, &cost) } else { vec![0.0; sizes.len()] };
        Ways { open: stands, reach, cost, sizes, late, leaps }
    }

    /// The cheapest way at this price of a call. The first call may ask for any size: what one call cannot
    /// do is a clamp's to say. Not so where an event is ahead: a leap would look like a way to save calls.
    fn cheapest(&self, price: f64) -> Way {
        let count = self.sizes.len();
        // For each size, what the way on from it costs, and how many calls it takes.
        let mut ahead = vec![(0.0, 0u32); count];
        let mut now = ahead.clone();
        let mut window = Vec::with_capacity(count);
        for costs in self.cost.chunks_exact(count).skip(1).rev() {
            // Every call costs the same, so the best one leads to the cheapest size within reach. Both ends
            // of the reach rise with the size: one pass with a queue of candidates finds them all.
            window.clear();
            let (mut oldest, mut entered) = (0, 0);
            for (size, reach) in self.reach.iter().enumerate() {
                for candidate in entered..reach.end {
                    let cost = ahead[candidate].0;
                    while window.len() > oldest
                        && window.last().is_some_and(|last: &usize| ahead[*last].0 > cost)
                    {
                        window.pop();
                    }
                    window.push(candidate);
                }
                entered = reach.end;
                while window[oldest] < reach.start {
                    oldest += 1;
                }
                let ((stay, calls_staying), (other, calls)) = (ahead[size], ahead[window[oldest]]);
                now[size] = if other + price < stay {
                    (costs[size] + (other + price), calls + 1)
                } else {
                    (costs[size] + stay, calls_staying)
                };
            }
            std::mem::swap(&mut ahead, &mut now);
        }
        let reach = if self.leaps { 0..count } else { self.reach[self.open].clone() };
        let after = |size: usize| ahead[size].0 + self.late[size];
        let best = reach.min_by(|a, b| after(*a).total_cmp(&after(*b)));
        let best = best.filter(|best| after(*best) + price < after(self.open));
        let (first, call) = best.map_or((self.open, 0), |best| (best, 1));
        Way { first: Shards::at_least_one(self.sizes[first]), calls: ahead[first].1 + call }
    }
}

/// Where demand is above capacity now: what each larger size costs more because others are reached sooner. A size
/// is as good as reached one step after the call; one of many splits and merges takes longer, and until then the
/// stream throttles as it does at the size at hand. Only sizes are compared, never whether to call: a later call
/// would take as long.
fn late(steps: &[Step], sizes: &[u32], open: usize, cost: &[f64]) -> Vec<f64> {
    let shards = |size: usize| Shards::at_least_one(sizes[size]);
    let assumed = steps.first().map_or(0.0, Step::hours);
    let reached = |size: usize| {
        let hours = reshard::expected(shards(open), shards(size)).as_secs_f64() / 3600.0;
        hours.max(assumed)
    };
    let soonest = (open + 1..sizes.len()).map(reached).fold(f64::INFINITY, f64::min);
    let lateness = |size: usize| {
        let (mut begins, mut late) = (0.0, 0.0);
        for (step, costs) in steps.iter().zip(cost.chunks_exact(sizes.len())) {
            let ends = begins + step.hours();
            let waited = (reached(size).min(ends) - soonest.max(begins)).max(0.0);
            late += waited / step.hours() * (costs[open] - costs[size]).max(0.0);
            begins = ends;
        }
        late
    };
    (0..sizes.len()).map(|size| if size > open { lateness(size) } else { 0.0 }).collect()
}

/// The steps of the outlook, the first of them raised where demand is above capacity now.
fn expected_steps(outlook: &Outlook<'_>, open: Shards) -> Vec<Step> {
    let above = outlook.above(open);
    let floor = |index| if above && index < EMERGENCY_STEPS { outlook.now() } else { 0.0 };
    let raised =
        |(index, step): (usize, &Step)| Step { load: step.load.max(floor(index)), ..*step };
    outlook.steps().iter().enumerate().map(raised).collect()
}

/// The sizes worth comparing: from below the least to above the highest expected load, evenly in their
/// ratio where there are many, and always the size at hand, its double and its half.
fn sizes(outlook: &Outlook<'_>, open: Shards) -> Vec<u32> {
    let loads = || outlook.steps().iter().map(|step| step.load);
    let highest = loads().fold(outlook.now(), f64::max) * 2.0 + 1.0;
    let believable = (outlook.highest_seen() * ABOVE_SEEN + 1.0).max(outlook.now() * 1.5);
    let most = f64::from(limits::SHARDS_PER_STREAM_MAX);
    let top = highest.min(believable).max(open.capacity().get()).max(2.0).min(most).ceil();
    let lowest = loads().fold(outlook.now().max(0.1), f64::min) * 0.8;
    let bottom = lowest.min(open.capacity().get() / 2.0).floor().max(1.0);
    // Truncation cannot happen: both are whole and between 1 and 10,000.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = |size: f64| size.round().clamp(1.0, most) as u32;
    let mut sizes: Vec<u32> = if top - bottom <= f64::from(SIZES_MAX) {
        (whole(bottom)..=whole(top)).collect()
    } else {
        (0..=SIZES_MAX)
            .map(|i| whole(bottom * (top / bottom).powf(f64::from(i) / f64::from(SIZES_MAX))))
            .collect()
    };
    sizes.extend([open.get(), open.halved().get(), open.doubled().get().min(whole(top))]);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}
