//! A stream in on-demand mode (Standard) from the first minute to the last. AWS promises twice the highest
//! traffic of the last 30 days, a quarter of an hour late, and never less than it had at the switch. How it
//! comes down is not documented; here a peak counts for all of its 30 days. It keeps no shard count that
//! anyone pays for: `open_shards` of its run is what it can take.
//!
//! Not here: its bill (`score`).

use std::collections::VecDeque;

use super::{blank_run, initial_shards, offer};
use crate::record::StreamRun;
use crate::trace::Trace;

/// What a stream on demand takes at least, in shards.
const LEAST: f64 = 4.0;
const OF_PEAK: f64 = 2.0;
const PEAK_MINUTES: usize = 30 * 24 * 60;
const LATE_MINUTES: usize = 15;

/// Runs it.
pub fn on_demand(trace: &Trace) -> StreamRun {
    let initial = initial_shards(trace);
    let least = LEAST.max(initial.capacity().get());
    let loads: Vec<f64> = trace.loads().map(|load| load.get()).collect();
    // Minutes that may yet be the highest of the window, highest first.
    let mut highest: VecDeque<usize> = VecDeque::new();
    let mut run = blank_run(trace, initial);
    for (index, minute) in trace.minutes.iter().enumerate() {
        if let Some(newest) = index.checked_sub(LATE_MINUTES) {
            while highest.back().is_some_and(|last| loads[*last] <= loads[newest]) {
                highest.pop_back();
            }
            highest.push_back(newest);
            while highest.front().is_some_and(|first| first + PEAK_MINUTES < newest) {
                highest.pop_front();
            }
        }
        let peak = highest.front().map_or(0.0, |first| loads[*first]);
        run.minutes.push(offer(minute, least.max(OF_PEAK * peak)));
    }
    run
}
