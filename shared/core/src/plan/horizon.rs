//! The size demand needs, seen over the day ahead: the cheapest path through expected demand, with
//! a price on every reshard.
//!
//! An exact dynamic programme over (step, size). The day's few calls are not counted within it but
//! priced: the price rises until the path needs no more calls than there are. A size is taken to be
//! in force one step after the call. Later steps are charged only for what a later plan could not
//! mend (see `forecast`). Not here: how far one call must lead or may (`clamps`).

use jiff::{SignedDuration, Timestamp};

use super::timetable::Timetable;
use crate::forecast::{DemandForecast, ForecastError, ForecastStep, LogShards};
use crate::limits;
use crate::reshard;
use crate::throttling::model::ThrottlingModel;
use crate::units::Shards;

/// Sizes that are compared.
const SIZES_MAX: u32 = 36;
/// Least price of a reshard, in hours of the mean load: one that saves less than this is not worth
/// its risk. Derived by trial on recorded traffic; results hardly change from half to twice of it.
const CALL_PRICE_MIN: f64 = 0.3;
/// The price rises by this factor with each call of the last 24 hours: the fewer are left, the
/// likelier they are to be missing later.
const PRICE_PER_CALL_USED: f64 = 1.2;
/// Reshards a day that a path may plan for; the others are for what it did not foresee.
const PLANNED_CALLS: u32 = 6;
/// The price rises by this factor, at most so often.
const PRICE_STEP: f64 = 1.8;
const PRICE_STEPS_MAX: u32 = 6;
/// The part of an expected overflow that is charged: a size is not left to itself until it
/// overflows. What a later plan sees coming, or mends within minutes, is not lost. What overflows
/// now is.
const NOT_MENDED: f64 = 0.38;
/// Steps for which demand that a stream is short of shards for now is taken to stay so, whatever
/// the forecast: until a reshard called now is in force, and five minutes after. A stream that
/// throttles is brought to the computed size in one call.
const EMERGENCY_STEPS: usize = 2;
/// Room above the highest load ever seen that is still considered.
const ABOVE_SEEN: f64 = 1.3;
/// The same above the load of now, which may be the highest ever.
const ABOVE_NOW: f64 = 1.5;

/// No larger size is compared: a hundred times what AWS takes one stream to.
const SIZE_MAX: f64 = 1e6;

/// What a shard costs, in shard-hours, that a known event asks for and does not find: more than any
/// call.
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
    /// Whether more shards would take what is refused now.
    pub(super) is_short: bool,
}

/// What expected demand asks for.
pub(super) struct Size {
    /// The first size on the cheapest path.
    pub(super) wanted: Shards,
    /// The same with the time of each reshard counted: another one only where demand is above
    /// capacity.
    pub(super) reached_sooner: Shards,
}

/// The size to have, as far as expected demand says.
pub(super) fn size(
    forecast: &DemandForecast<'_>,
    model: &ThrottlingModel,
    open: Shards,
    terms: &Terms<'_>,
) -> Size {
    let mut table = CostTable::of(forecast, model, open, terms);
    let price = |table: &CostTable| table.first_size(forecast.mean_load(), open, terms);
    let reached_sooner = price(&table);
    // What is not worth a call once its time counts is not wanted; and without an emergency time
    // counts for nothing.
    let wanted = match table.late.iter().any(|late| *late > 0.0) && reached_sooner > open {
        true => {
            table.late.fill(0.0);
            price(&table)
        }
        false => reached_sooner,
    };
    Size { wanted, reached_sooner }
}

impl Terms<'_> {
    /// Fewest shards that known events ask for within a step.
    fn floor(&self, step: &ForecastStep) -> f64 {
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

/// A size, and the capacities that its parts have for the part of the load that comes to each.
struct ComparedSize {
    shards: f64,
    /// Traffic on no hot key: its share of the load, and all shards.
    spread: PartOfLoad,
    /// Shards that a hot key is on: how many there likely are of each, and how many in all.
    hot: Vec<(f64, PartOfLoad)>,
    hot_count: f64,
    /// One of them, were it without its key.
    without_key: PartOfLoad,
}

/// A part of the load, and what takes it.
#[derive(Clone, Copy)]
struct PartOfLoad {
    /// Its share of the load, 0 to 1.
    share: f64,
    /// The shards for it, over that share.
    capacity: LogShards,
}

impl PartOfLoad {
    fn of(share: f64, shards: f64) -> PartOfLoad {
        PartOfLoad { share, capacity: LogShards::of(shards / share) }
    }

    fn overflow(self, error: &ForecastError<'_>) -> f64 {
        self.share * error.expected_overflow(self.capacity)
    }
}

impl ComparedSize {
    fn of(shards: f64, model: &ThrottlingModel) -> ComparedSize {
        let spread = model.spread();
        let elsewhere = spread / shards;
        let with_key = |share: f64| PartOfLoad::of(share + elsewhere, 1.0);
        ComparedSize {
            shards,
            spread: PartOfLoad::of(spread, shards),
            hot: model.hot_keys().map(|keys| (keys.count, with_key(keys.share))).collect(),
            hot_count: model.hot_keys().map(|keys| keys.count).sum(),
            without_key: PartOfLoad::of(elsewhere, 1.0),
        }
    }

    /// Load that it is expected to refuse, in shards, as far as it is charged: of what busy seconds
    /// bring the part that is lost, of what keys bring all.
    fn expected_refusals(&self, error: &ForecastError<'_>, lost: f64) -> f64 {
        let of_seconds = lost * self.spread.overflow(error);
        if self.hot.is_empty() {
            return of_seconds;
        }
        let with_keys: f64 = self.hot.iter().map(|(count, one)| count * one.overflow(error)).sum();
        let of_keys = with_keys - self.hot_count * self.without_key.overflow(error);
        of_seconds + of_keys.max(0.0)
    }
}

/// The cost of every size at every step of the horizon.
struct CostTable {
    sizes: Vec<u32>,
    /// Where in `sizes` the stream stands.
    open: usize,
    /// For each size, which others one call can reach.
    reach: Vec<std::ops::Range<usize>>,
    /// `cost[step * sizes + size]`, in shard-hours.
    cost: Vec<f64>,
    /// For each size, what it costs more to come to it from where the stream stands, because that
    /// takes long.
    late: Vec<f64>,
    /// Whether the first call may lead to any size, or only to what one call can reach.
    first_call_is_free: bool,
}

/// The cheapest row of sizes through the horizon.
struct Path {
    first: Shards,
    calls: u32,
}

impl CostTable {
    fn of(
        forecast: &DemandForecast<'_>,
        model: &ThrottlingModel,
        open: Shards,
        terms: &Terms<'_>,
    ) -> CostTable {
        let mut sizes = sizes(forecast, open);
        sizes.extend(terms.timetable.sizes().map(Shards::get));
        let short = terms.is_short;
        if short {
            // Sizes that take the fewest splits and merges on the way to double.
            sizes.extend([open.get() * 5 / 4, open.get() * 3 / 2].map(|size| size.max(open.get())));
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
        let steps = expected_steps(forecast, short);
        let compared: Vec<ComparedSize> =
            sizes.iter().map(|size| ComparedSize::of(f64::from(*size), model)).collect();
        let mut cost = Vec::with_capacity(steps.len() * sizes.len());
        for (index, step) in steps.iter().enumerate() {
            let lost = if short && index < EMERGENCY_STEPS { 1.0 } else { NOT_MENDED };
            let (hours, error, floor) =
                (step.hours(), forecast.forecast_error(step), terms.floor(step));
            let mut overflow = f64::INFINITY;
            cost.extend(compared.iter().map(|size| {
                let missing = (floor - size.shards).max(0.0) * MISSING_SHARD;
                // Where one size lets nothing through, no larger one does.
                if overflow > 0.0 {
                    overflow = size.expected_refusals(&error, lost);
                }
                hours * (size.shards + terms.overflow_shard_hours * overflow) + missing
            }));
        }
        let stands = sizes.partition_point(|size| *size < open.get());
        let first_call_is_free = terms.timetable.events.is_empty();
        let late = if short { late(&steps, &sizes, stands, &cost) } else { vec![0.0; sizes.len()] };
        CostTable { open: stands, reach, cost, sizes, late, first_call_is_free }
    }

    /// The first size of the cheapest path that needs no more calls than there are.
    fn first_size(&self, mean_load: f64, open: Shards, terms: &Terms<'_>) -> Shards {
        let planned = PLANNED_CALLS + terms.timetable.calls_needed(open);
        let allowance =
            planned.min((terms.calls_left + 2).saturating_sub(terms.calls_reserved)).max(1);
        let used = limits::RESHARDS_PER_DAY_MAX.saturating_sub(terms.calls_left);
        let rising = PRICE_PER_CALL_USED.powf(f64::from(used));
        let mut price = CALL_PRICE_MIN * rising * mean_load.max(1.0);
        let mut path = self.cheapest(price);
        for _ in 0..PRICE_STEPS_MAX {
            if path.calls <= allowance {
                break;
            }
            price *= PRICE_STEP;
            path = self.cheapest(price);
        }
        // What is kept for emergencies is dearer, not forbidden: waiting too long with it costs
        // more.
        let scarce = (terms.calls_reserved + 1).saturating_sub(terms.calls_left);
        if scarce > 0 {
            path = self.cheapest(price * f64::from(1 + scarce));
        }
        path.first
    }

    /// The cheapest path at this price of a call. The first call may ask for any size: what one
    /// call cannot do is a clamp's to say. Not so where an event is ahead: a leap would look like a
    /// way to save calls.
    fn cheapest(&self, price: f64) -> Path {
        let count = self.sizes.len();
        // For each size, what the path on from it costs, and how many calls it takes.
        let mut ahead = vec![(0.0, 0u32); count];
        let mut now = ahead.clone();
        let mut window = Vec::with_capacity(count);
        for costs in self.cost.chunks_exact(count).skip(1).rev() {
            // Every call costs the same, so the best one leads to the cheapest size within reach.
            // Both ends of the reach rise with the size: one pass with a queue of candidates finds
            // them all.
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
        let reach = if self.first_call_is_free { 0..count } else { self.reach[self.open].clone() };
        let after = |size: usize| ahead[size].0 + self.late[size];
        let best = reach.min_by(|a, b| after(*a).total_cmp(&after(*b)));
        let best = best.filter(|best| after(*best) + price < after(self.open));
        let (first, call) = best.map_or((self.open, 0), |best| (best, 1));
        Path { first: Shards::at_least_one(self.sizes[first]), calls: ahead[first].1 + call }
    }
}

/// Where demand is above capacity now: what each larger size costs more because others are reached
/// sooner. A size is as good as reached one step after the call; one of many splits and merges
/// takes longer, and until then the stream throttles as it does at the size at hand. Only sizes are
/// compared, never whether to call: a later call would take as long.
fn late(steps: &[ForecastStep], sizes: &[u32], open: usize, cost: &[f64]) -> Vec<f64> {
    let shards = |size: usize| Shards::at_least_one(sizes[size]);
    let assumed = steps.first().map_or(0.0, ForecastStep::hours);
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

/// The steps of the forecast, the first of them raised where the stream is short of shards now.
fn expected_steps(forecast: &DemandForecast<'_>, short: bool) -> Vec<ForecastStep> {
    let floor = |index| if short && index < EMERGENCY_STEPS { forecast.now() } else { 0.0 };
    let raised = |(index, step): (usize, &ForecastStep)| ForecastStep {
        load: step.load.max(floor(index)),
        ..*step
    };
    forecast.steps().iter().enumerate().map(raised).collect()
}

/// The highest load that the past makes believable, in shards.
pub(super) fn believable(forecast: &DemandForecast<'_>) -> f64 {
    (forecast.highest_seen() * ABOVE_SEEN + 1.0).max(forecast.now() * ABOVE_NOW)
}

/// The sizes worth comparing: from below the least to above the highest expected load, evenly in
/// their ratio where there are many, and always the size at hand, its double and its half.
fn sizes(forecast: &DemandForecast<'_>, open: Shards) -> Vec<u32> {
    let loads = || forecast.steps().iter().map(|step| step.load);
    let highest = loads().fold(forecast.now(), f64::max) * 2.0 + 1.0;
    let top = highest.min(believable(forecast)).max(open.capacity().get()).max(2.0);
    let top = top.min(SIZE_MAX).ceil();
    let lowest = loads().fold(forecast.now().max(0.1), f64::min) * 0.8;
    let bottom = lowest.min(open.capacity().get() / 2.0).floor().max(1.0);
    // Truncation cannot happen: both are whole and between 1 and a million.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = |size: f64| size.round().clamp(1.0, SIZE_MAX) as u32;
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

#[cfg(test)]
mod tests;
