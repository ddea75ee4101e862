//! What an estimate takes from a recording: its traffic, minute by minute, and how Weir and
//! on-demand did on it. Not here: what a month of it costs (`weir_core::bill`).

use weir_core::bill::{Measured, Stretch};
use weir_core::limits::prices::SHARD_HOUR_USD;
use weir_sim::trace::Trace;

use crate::contender::Contender;
use crate::score::{NotScored, scored_minutes};
use crate::setting::Setting;

/// A recording, played.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// Days scored; the day before them warms up.
    pub days: f64,
    /// Traffic of the scored minutes.
    pub stretches: Vec<Stretch>,
    /// How Weir without mode switches, and on-demand, did on them.
    pub measured: Measured,
}

/// Plays a recording in the bench setting. `on_minutes` hears of minutes as they are done.
///
/// # Errors
/// Where it is too short to be scored, or has no traffic.
pub fn play(trace: &Trace, on_minutes: impl FnMut(usize)) -> Result<Played, NotScored> {
    let weir = Contender::WeirProvisioned.play(trace, &Setting::BENCH, on_minutes);
    let weir = Contender::WeirProvisioned.judge(&weir, &Setting::BENCH)?.score;
    let on_demand = Contender::OnDemand.play(trace, &Setting::BENCH, |_| ());
    let on_demand = Contender::OnDemand.judge(&on_demand, &Setting::BENCH)?.score;
    let scored = trace.minutes.get(scored_minutes(trace.minutes.len())).unwrap_or_default();
    let stretch =
        |minute: &weir_sim::trace::Minute| Stretch { hours: 1.0 / 60.0, written: minute.written() };
    Ok(Played {
        days: weir.days,
        stretches: scored.iter().map(stretch).collect(),
        measured: Measured {
            mean_open_shards: weir.bill.capacity.get() / SHARD_HOUR_USD / weir.days / 24.0,
            throttled: weir.throttled_percent / 100.0,
            throttled_on_demand: on_demand.throttled_percent / 100.0,
        },
    })
}
