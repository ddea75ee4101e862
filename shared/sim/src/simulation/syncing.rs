//! What sync-alarms writes while something else is under way.

use weir_core::alarms::AlarmKind;
use weir_core::policy::Policy;

use super::*;
use crate::faults::{ExternalAction, ExternalChange};
use crate::settings::ReshardModel;
use crate::trace::{Minute, Recorded};

/// The threshold of the stream's surge alarm, in shards of load.
fn surge(simulation: &Simulation) -> f64 {
    let world = simulation.world.borrow();
    let mut specs = world.alarms.states().map(|(spec, ..)| spec);
    specs.find(|spec| spec.kind == AlarmKind::Surge).expect("an alarm").threshold
}

/// From 20 shards to 10 the count goes down merge by merge. The hour that passes meanwhile leaves
/// the alarm at the size it knows, and the next one writes that of the end.
#[test]
fn an_hour_that_passes_within_a_reshard_leaves_the_surge_alarm_alone() {
    let minute = Minute { bytes: 60.0 * 1_048_576.0, records: 60_000.0 };
    let start = "2026-03-02T00:00:00Z".parse().expect("a time");
    let minutes = vec![minute; 130];
    let trace = Trace { name: "test".to_owned(), start, minutes, recorded: Recorded::default() };
    let mut settings = Settings::bench();
    settings.mode = None;
    settings.reshard = ReshardModel::ByOperation {
        start_seconds: 10..=10,
        operation_seconds: 60.0,
        parallelism: 2,
        visible_after_seconds: 1..=1,
    };
    settings.faults.external_changes =
        vec![ExternalChange { minute: 58, stream: 0, action: ExternalAction::Reshard(10) }];
    let name = StreamName::new("orders").expect("a name");
    let streams = vec![(name, trace, Shards::at_least_one(20))];
    let policies = PolicySet::of_all_streams(Policy::default());
    let mut simulation = Simulation::new(settings, policies, streams);
    let mut at = |minutes: usize| {
        for _ in 0..minutes {
            simulation.step_minute();
        }
        surge(&simulation)
    };
    assert_eq!([at(58), at(4), at(60)], [18.0, 18.0, 9.0]);
}
