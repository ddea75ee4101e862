//! A stream that somebody sized for its highest minute and left alone. It knows the future; its
//! cost is what every other is set against. Not here: how anyone would know that minute.

use weir_core::units::{ShardLoad, Shards, Share};

use super::offer;
use crate::score::scored_minutes;
use crate::setting::Setting;
use weir_sim::record::StreamRun;
use weir_sim::trace::Trace;

/// Runs it.
pub fn fixed_at_peak(trace: &Trace, setting: &Setting) -> StreamRun {
    let scored = trace.minutes.get(scored_minutes(trace.minutes.len())).unwrap_or_default();
    let peak = scored.iter().map(|minute| minute.load()).fold(ShardLoad::ZERO, ShardLoad::max);
    fixed_at(trace, Shards::for_load(peak, Share::WHOLE), setting)
}

/// A stream that has this size all the time.
pub fn fixed_at(trace: &Trace, size: Shards, setting: &Setting) -> StreamRun {
    let mut run = StreamRun::new(trace.start, size, trace.minutes.len());
    let minutes = trace.minutes.iter().enumerate();
    run.minutes.extend(
        minutes.map(|(index, minute)| {
            offer(minute, size.capacity().get(), setting.evenness.at(index))
        }),
    );
    run
}
