//! A stream that somebody sized for its highest minute and left alone. It knows the future; its cost is
//! what every other is set against. Not here: how anyone would know that minute.

use weir_core::units::{ShardLoad, Shards, Share};

use super::{blank_run, offer};
use crate::evenness::Unevenness;
use crate::record::StreamRun;
use crate::score::scored_minutes;
use crate::trace::Trace;

/// Runs it.
pub fn fixed_at_peak(trace: &Trace, evenness: Option<&Unevenness>) -> StreamRun {
    let scored = trace.minutes.get(scored_minutes(trace.minutes.len())).unwrap_or_default();
    let peak = scored.iter().map(|minute| minute.load()).fold(ShardLoad::ZERO, ShardLoad::max);
    let size = Shards::for_load(peak, Share::WHOLE);
    let mut run = blank_run(trace, size);
    let even = Unevenness::default();
    let evenness = evenness.unwrap_or(&even);
    run.minutes.extend(
        (0..).zip(&trace.minutes).map(|(index, minute)| offer(minute, size.capacity().get(), evenness.at(index))),
    );
    run
}
