//! A stream in on-demand mode (Standard) from the first minute to the last. AWS promises twice the highest
//! traffic of the last 30 days, a quarter of an hour late, and never less than it had at the switch. It
//! keeps the shards it came with; nobody pays for them.
//!
//! Not here: its bill (`score`).

use weir_core::observation::CapacityMode;
use weir_core::on_demand::{self, Peaks};

use weir_core::throttling::Evenness;

use super::{blank_run, initial_shards, offer};
use crate::record::{AppliedSwitch, MinuteRecord, StreamRun};
use crate::trace::Trace;

/// Runs it.
pub fn on_demand(trace: &Trace) -> StreamRun {
    let initial = initial_shards(trace);
    let mut peaks = Peaks::default();
    let mut run = blank_run(trace, initial);
    run.switches.push(AppliedSwitch {
        called_at: trace.start,
        effective_at: trace.start,
        from: CapacityMode::Provisioned,
        to: CapacityMode::OnDemand,
    });
    for minute in &trace.minutes {
        run.minutes.push(MinuteRecord {
            mode: CapacityMode::OnDemand,
            open_shards: initial.capacity().get(),
            ..offer(minute, on_demand::capacity(initial, peaks.highest()).get(), &Evenness::default())
        });
        peaks.push(minute.load());
    }
    run
}
