//! Weir itself, all of its loops on the simulated AWS, looking after one stream.

use weir_core::policy::{Policy, PolicySet};
use weir_core::units::StreamName;
use weir_sim::record::StreamRun;
use weir_sim::settings::Settings;
use weir_sim::simulation::Simulation;
use weir_sim::trace::Trace;

use crate::baseline::initial_shards;

/// Replays a trace to Weir, from the size that every contender starts with. `on_minute` hears of
/// each minute as it is done.
pub fn replay(
    trace: &Trace,
    policy: Policy,
    settings: Settings,
    mut on_minute: impl FnMut(),
) -> StreamRun {
    let open = initial_shards(trace);
    let stream = StreamName::new("orders").map(|name| (name, trace.clone(), open));
    let policies = PolicySet::of_all_streams(policy);
    let streams = stream.into_iter().collect();
    let runs = Simulation::new(settings, policies, streams).run(|_| on_minute());
    // One stream, one run: the name above is one.
    runs.into_iter().next().unwrap_or_else(|| StreamRun::new(trace.start, open, 0))
}
