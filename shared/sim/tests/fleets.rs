//! Rounds over many streams: nobody waits behind those for whom nothing can be done, and what a run
//! has no time left for is asked for anew.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use jiff::Timestamp;
use support::{name, policies, shards, trace};
use weir_control::event::Request;
use weir_core::units::StreamName;
use weir_sim::settings::{ExternalAction, ExternalChange, Faults, Settings};
use weir_sim::simulation::Simulation;

/// Calm streams under the quotas of an account.
fn fleet(streams: usize, minutes: usize, faults: Faults) -> (Simulation, Vec<StreamName>) {
    let names: Vec<StreamName> = (0..streams).map(|n| name(&format!("stream-{n:04}"))).collect();
    let world = names.iter().map(|name| (name.clone(), trace(minutes, |_| 1.0), shards(2)));
    let settings = Settings { faults, ..Settings::fleet(3) };
    let simulation = Simulation::new(settings, policies("mode = \"act\""), world.collect());
    (simulation, names)
}

fn step(simulation: &mut Simulation, minutes: usize) -> Timestamp {
    let mut now = Timestamp::MIN;
    for _ in 0..minutes {
        now = simulation.step_minute().expect("a minute").now;
    }
    now
}

/// 600 streams were deleted, so that a look at each fails, and before the next hour nobody takes
/// them out. They are due first in each minute, and more than a minute's looks.
#[test]
fn streams_that_cannot_be_planned_for_keep_nobody_waiting() {
    let (streams, gone, at) = (700, 600, 12);
    let delete = |stream| ExternalChange { minute: at, stream, action: ExternalAction::Delete };
    let external_changes = (0..gone).map(delete).collect();
    let faults = Faults { external_changes, ..Faults::default() };
    let (mut simulation, names) = fleet(streams, 40, faults);
    let deleted_at = step(&mut simulation, at + 1);
    step(&mut simulation, 14);
    let looked_at = |name| simulation.planned_at(name).expect("a plan");
    let waiting = names[gone..].iter().filter(|name| looked_at(name) < deleted_at).count();
    assert_eq!(waiting, 0, "of {} that are there", streams - gone);
}

#[test]
fn an_operators_request_reaches_all_however_many_there_are() {
    let (mut simulation, names) = fleet(900, 30, Faults::default());
    let asked_at = step(&mut simulation, 8);
    simulation.ask(Request::Plan, None);
    step(&mut simulation, 4);
    let planned = |name: &&StreamName| simulation.planned_at(name).is_some_and(|at| at >= asked_at);
    assert_eq!(names.iter().filter(planned).count(), names.len());
}
