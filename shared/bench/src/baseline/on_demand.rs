//! A stream in on-demand mode (Standard) from the first minute to the last. AWS promises twice the
//! highest traffic of the last 30 days, a quarter of an hour late, and never less than it had at
//! the switch. It keeps the shards it came with; nobody pays for them.
//!
//! Not here: its bill (`score`).

use weir_core::observation::CapacityMode;
use weir_core::on_demand::{self, Peaks};

use super::{initial_shards, offer};
use crate::setting::Setting;
use weir_sim::record::{AppliedSwitch, MinuteRecord, StreamRun};
use weir_sim::trace::Trace;

/// Runs it.
pub fn on_demand(trace: &Trace, setting: &Setting) -> StreamRun {
    let initial = initial_shards(trace);
    let mut peaks = Peaks::default();
    let mut run = StreamRun::new(trace.start, initial, trace.minutes.len());
    run.switches.push(AppliedSwitch {
        called_at: trace.start,
        effective_at: trace.start,
        from: CapacityMode::Provisioned,
        to: CapacityMode::OnDemand,
    });
    for (index, minute) in trace.minutes.iter().enumerate() {
        let takes = on_demand::capacity(initial, peaks.highest()).get();
        run.minutes.push(MinuteRecord {
            mode: CapacityMode::OnDemand,
            open_shards: initial.capacity().get(),
            ..offer(minute, takes, setting.evenness.at(index))
        });
        peaks.push(minute.load());
    }
    run
}
