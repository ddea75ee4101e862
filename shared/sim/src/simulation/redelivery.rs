//! Events come again after runs that could not do what they were asked, as in production.

use weir_control::event::Request;
use weir_core::policy::Policy;

use super::*;
use crate::trace::Minute;

fn orders() -> StreamName {
    StreamName::new("orders").expect("a name")
}

/// GetMetricData calls of a calm stream, which is looked at every few minutes, after an operator
/// asked for a plan in a minute in which every call fails, or did not ask.
fn looks(asked: Option<StreamName>) -> u64 {
    let minute = Minute { bytes: 60.0 * 1_048_576.0, records: 60.0 };
    let start = "2026-03-02T00:00:00Z".parse().expect("a time");
    let trace = Trace { name: "test".to_owned(), start, minutes: vec![minute; 60] };
    let policies = PolicySet::of_all_streams(Policy::DEFAULT);
    let streams = vec![(orders(), trace, Shards::at_least_one(5))];
    let mut simulation = Simulation::new(Settings::bench(), policies, streams);
    let fails = |simulation: &Simulation, share| {
        simulation.world.borrow_mut().settings.faults.failing = share;
    };
    // Until the ticks have no reason to look at it for a while.
    let due_in_minutes = |simulation: &Simulation| {
        let now = timestamp(simulation.world.borrow().clock.now());
        let due = simulation.remembered(&orders()).map(|record| record.revisit_at);
        due.map_or(0, |at| at.duration_since(now).as_mins())
    };
    while due_in_minutes(&simulation) < 3 {
        simulation.step_minute().expect("a calm stream");
    }
    fails(&simulation, 1.0);
    if let Some(stream) = asked {
        simulation.ask(Request::Plan, Some(stream));
    }
    simulation.step_minute();
    fails(&simulation, 0.0);
    simulation.step_minute();
    let run = simulation.finish().pop().expect("one stream");
    run.calls.get("GetMetricData").copied().unwrap_or_default()
}

#[test]
fn a_look_that_failed_is_made_again() {
    assert_eq!(looks(Some(orders())), looks(None) + 1);
}
