//! Weir itself, all of its loops on the simulated AWS, looking after one stream.

use weir_core::policy::{Policy, PolicySet};
use weir_core::units::{Shards, StreamName};
use weir_sim::record::{AlertRecord, StreamRun};
use weir_sim::settings::Settings;
use weir_sim::simulation::Simulation;
use weir_sim::trace::Trace;

use crate::baseline::initial_shards;

/// What came of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The stream.
    pub run: StreamRun,
    /// What people were told.
    pub alerts: AlertRecord,
}

/// Replays a trace to Weir, from the size that every contender starts with. `on_minute` hears of
/// each minute as it is done.
pub fn replay(
    trace: &Trace,
    policy: Policy,
    settings: Settings,
    on_minute: impl FnMut(),
) -> Replayed {
    replay_from(trace, initial_shards(trace), policy, settings, on_minute)
}

/// The same from a size of somebody's choice.
pub fn replay_from(
    trace: &Trace,
    open: Shards,
    policy: Policy,
    settings: Settings,
    mut on_minute: impl FnMut(),
) -> Replayed {
    let stream = StreamName::new("orders").map(|name| (name, trace.clone(), open));
    let policies = PolicySet::of_all_streams(policy);
    let streams = stream.into_iter().collect();
    let mut simulation = Simulation::new(settings, policies, streams);
    while simulation.step_minute().is_some() {
        on_minute();
    }
    let (runs, alerts) = simulation.finish_with_alerts();
    // One stream, one run: the name above is one.
    let run = runs.into_iter().next();
    Replayed { run: run.unwrap_or_else(|| StreamRun::new(trace.start, open, 0)), alerts }
}
