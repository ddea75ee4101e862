//! Which capacity mode a stream should be in, where its policy lets Weir choose.
//!
//! To on-demand for three reasons: a known event needs it, demand has outgrown what reshards can
//! reach in time, or the past days would have been cheaper there. Back when the surge is over and
//! provisioned is cheaper. Two switches are all AWS gives in 24 hours: saving money never takes the
//! last of them on the way out.
//!
//! Money is rent or buy: nobody knows how long a cheaper time lasts, so a switch waits until
//! staying has cost as much as the pair of switches is worth. One such decision costs at most twice
//! what somebody pays who knows the future (Karlin, Manasse, Rudolph and Sleator, "Competitive
//! snoopy caching", Algorithmica 1988); what that says of a stream that goes to and fro, and where
//! the constants are from, stands in docs/decisions/0008. Not here: the bill (`bill`), what
//! on-demand takes (`on_demand`), and the size while provisioned (`horizon`).

use super::context::{self, Context};
use super::report::{Motive, WantedMode};
use crate::action::ChangeKind;
use crate::bill::{Readers, Setup, Written};
use crate::observation::CapacityMode;
use crate::on_demand;
use crate::policy::{AccountPrices, ModeSwitches};
use crate::reasons::HoldReason;
use crate::units::ShardLoad;

/// What a pair of switches is worth, in hours of the bill on demand: a third of the day in which no
/// other can follow.
const PAIR_HOURS: f64 = 8.0;
/// Hours for which a surge is taken to last, by trial on recorded crowds: from 12 minutes to an
/// hour makes no odds.
const SURGE_HOURS: f64 = 0.35;
/// Hours until a change is in force, about.
const CHANGE_HOURS: f64 = 5.0 / 60.0;
/// Minutes in which demand must have stayed within the shards that wait on the way back, and by how
/// much.
const CALM_MINUTES: usize = 20;
const CALM_USE: f64 = 0.8;
/// Hours over which paying for on-demand is weighed against growing back shard by shard.
const RETURN_HOURS: f64 = 6.0;

/// The mode to switch to; `None` where the one it is in is right, or not Weir's to choose.
pub(super) fn wanted(context: &Context<'_>) -> Option<WantedMode> {
    let state = &context.observation.state;
    if context.policy.mode_switches == ModeSwitches::Never {
        return None;
    }
    // Without the ledger nobody knows what is left.
    let budget = context.basis.budget?;
    let left = budget.mode_switches_left();
    let scheduled = context.timetable.needs_on_demand(context.now);
    let motive = match state.mode {
        CapacityMode::Provisioned if state.held_on_demand_by.is_some() => return None,
        CapacityMode::Provisioned if scheduled => Motive::Scheduled,
        CapacityMode::OnDemand if scheduled => return None,
        CapacityMode::Provisioned => {
            let prices = HourlyPrices::of(context)?;
            let hours = match budget.next_mode_switch_freed_at.filter(|_| left == 1) {
                // The way back is blocked until then.
                Some(freed_at) => freed_at.duration_since(context.now).as_secs_f64() / 3600.0,
                None => SURGE_HOURS,
            };
            let saved = prices.saved_on_demand(context);
            if prices.outgrown(context, hours) {
                Motive::Outgrown
            } else if saved > PAIR_HOURS * prices.on_demand(mean(context)) {
                Motive::Cheaper
            } else {
                return None;
            }
        }
        CapacityMode::OnDemand if HourlyPrices::of(context)?.is_time_to_return(context) => {
            Motive::Calm
        }
        CapacityMode::OnDemand => return None,
    };
    let withheld = match (motive, left) {
        (Motive::Calm, _) if state.held_on_demand_by.is_some() => Some(HoldReason::HeldOnDemand),
        (_, 0) => Some(HoldReason::ModeSwitchesSpent),
        (Motive::Cheaper, 1) => Some(HoldReason::ModeSwitchReserved),
        // An event ahead would find it provisioned, and no switch left.
        (Motive::Calm, 1) if context.timetable.will_need_on_demand() => {
            Some(HoldReason::ModeSwitchReserved)
        }
        (Motive::Scheduled | Motive::Outgrown | Motive::Cheaper, _) if is_full(context) => {
            Some(HoldReason::OnDemandQuota)
        }
        _ => context.refused_lately(ChangeKind::SwitchMode),
    };
    Some(WantedMode { to: state.mode.other(), motive, withheld })
}

/// Whether the account has as many streams on demand as it may have.
fn is_full(context: &Context<'_>) -> bool {
    let quota = context.observation.quota.known();
    quota.is_some_and(|quota| quota.on_demand_streams_left == Some(0))
}

fn mean(context: &Context<'_>) -> f64 {
    context.forecast.past().mean
}

/// What the account pays for an hour, in dollars.
struct HourlyPrices {
    /// A shard.
    shard: f64,
    /// A stream on demand.
    stream: f64,
    /// One shard's load, written to a provisioned stream; on demand; lost.
    written: f64,
    taken_in: f64,
    lost: f64,
}

impl HourlyPrices {
    /// By the records of late. `None` where nothing was written: then there is nothing to decide
    /// by.
    fn of(context: &Context<'_>) -> Option<HourlyPrices> {
        let load_hour = context.load_hour()?;
        let alerts = &context.policy.alerts;
        let polling = alerts.kcl_applications.len() + alerts.polling_consumers.len();
        let setup = Setup {
            readers: Readers { polling: u32::try_from(polling).unwrap_or(u32::MAX), fan_out: 0 },
            retention_hours: context.observation.state.retention_hours,
        };
        let AccountPrices { provisioned, on_demand } = &context.policy.prices;
        let nothing = Written::default();
        Some(HourlyPrices {
            shard: provisioned.bill(1.0, nothing, setup).total().get(),
            stream: on_demand.bill(1.0, nothing, setup).total().get(),
            written: provisioned.bill(0.0, load_hour, setup).total().get(),
            taken_in: on_demand.bill(0.0, load_hour, setup).total().get(),
            lost: context.policy.throttled_gib_usd.get() * load_hour.billable_gb(),
        })
    }

    /// An hour of this load on demand.
    fn on_demand(&self, load: f64) -> f64 {
        self.stream + load * self.taken_in
    }

    /// An hour of the past week, provisioned at the size that turned out best.
    fn provisioned(&self, context: &Context<'_>) -> f64 {
        context.forecast.past().best_fixed(self.shard, self.lost) + mean(context) * self.written
    }

    /// What on-demand would have saved over the days that are known.
    fn saved_on_demand(&self, context: &Context<'_>) -> f64 {
        if context.forecast.days_known() == 0 {
            return 0.0;
        }
        let saved = self.provisioned(context) - self.on_demand(mean(context));
        saved * context.forecast.past().hours
    }

    /// Whether demand is so far above capacity that going on demand, for some hours, costs less
    /// than what is lost while the stream doubles its way up.
    fn outgrown(&self, context: &Context<'_>, hours: f64) -> bool {
        let (now, usable) = (context.forecast.now(), context.usable());
        let open = usable * context.open().capacity().get();
        if now <= open {
            return false;
        }
        let calls = context.basis.budget.map_or(0, |budget| budget.reshards_left());
        let most = usable * context.policy.bounds.max().capacity().get();
        let highest = ShardLoad::new(context.forecast.highest_seen());
        let takes = usable * on_demand::capacity(context.open(), highest).get();
        let lost_waiting = (now - open) * CHANGE_HOURS + (now - takes).max(0.0) * SURGE_HOURS;
        let saved = (lost_doubling(now, open, calls, most) - lost_waiting) * self.lost;
        saved > (self.on_demand(now) - now * (self.shard + self.written)).max(0.0) * hours
    }

    /// Whether provisioned is the cheaper mode and the shards that wait there are enough, or soon
    /// will be.
    fn is_time_to_return(&self, context: &Context<'_>) -> bool {
        let window = context::window(context.policy.scale_in_after_minutes);
        // Its bill grows with traffic, so what looks like calm and is none costs nothing to wait
        // out.
        if context.unknown_within(CALM_MINUTES.max(window)) > 0 || context.basis.looks_like_outage {
            return false;
        }
        // A surge is over when it is over; who is here to save money stays until that has not paid
        // for as long.
        if self.saved_on_demand(context) > -PAIR_HOURS * self.on_demand(mean(context)) {
            return false;
        }
        let usable = context.usable();
        let waiting = usable * context.open().capacity().get();
        let peak = context.peak_of_newest(CALM_MINUTES).get();
        if peak <= CALM_USE * waiting {
            return true;
        }
        let calls = context.basis.budget.map_or(0, |budget| budget.reshards_left());
        let most = usable * context.policy.bounds.max().capacity().get();
        let lost = lost_doubling(peak, waiting, calls, most) * self.lost;
        let dearer = self.on_demand(peak) - peak * (self.shard + self.written);
        context.forecast.now() < peak && lost < dearer * RETURN_HOURS
    }
}

/// Load-hours lost while a stream doubles from `open` to `load`, or for as long as a surge lasts
/// where it cannot.
fn lost_doubling(load: f64, open: f64, calls: u32, most: f64) -> f64 {
    let (mut size, mut lost, mut left) = (open, 0.0, calls);
    while size < load {
        if left == 0 || size >= most {
            return lost + (load - size) * SURGE_HOURS;
        }
        lost += (load - size) * CHANGE_HOURS;
        size = (2.0 * size).min(most);
        left -= 1;
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_loses_what_it_lags_behind() {
        let lost = |load, open, calls| (lost_doubling(load, open, calls, 1000.0) * 12.0).round();
        assert_eq!([lost(8.0, 8.0, 9), lost(16.0, 8.0, 9), lost(40.0, 5.0, 9)], [0.0, 8.0, 85.0]);
        // Two calls lead to 20; what is missing then is missing for as long as the surge lasts.
        assert_eq!(lost(40.0, 5.0, 2), 35.0 + 30.0 + (12.0 * SURGE_HOURS * 20.0).round());
    }
}
