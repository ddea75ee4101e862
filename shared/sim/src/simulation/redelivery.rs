//! Events come again after runs that could not do what they were asked, as in production.

use weir_control::event::Request;
use weir_core::policy::Policy;

use super::*;
use crate::bus::Payload;
use crate::faults::Faults;
use crate::trace::{Minute, Recorded};

fn orders() -> StreamName {
    StreamName::new("orders").expect("a name")
}

fn calm_stream() -> Simulation {
    let minute = Minute { bytes: 60.0 * 1_048_576.0, records: 60.0 };
    let start = "2026-03-02T00:00:00Z".parse().expect("a time");
    let trace = Trace {
        name: "test".to_owned(),
        start,
        minutes: vec![minute; 60],
        recorded: Recorded::default(),
    };
    let policies = PolicySet::of_all_streams(Policy::DEFAULT);
    let streams = vec![(orders(), trace, Shards::at_least_one(5))];
    Simulation::new(Settings::bench(), policies, streams)
}

/// GetMetricData calls that AWS answered, of a calm stream, which is looked at every few minutes,
/// after an operator asked for a plan in a minute in which every call fails, or did not ask.
fn looks(asked: Option<StreamName>) -> u64 {
    let mut simulation = calm_stream();
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
    let counted = |calls: &BTreeMap<&str, u64>| calls.get("GetMetricData").copied().unwrap_or(0);
    counted(&run.calls) - counted(&run.refused_calls)
}

#[test]
fn a_look_that_failed_is_made_again() {
    assert_eq!(looks(Some(orders())), looks(None) + 1);
}

/// Whether plan-capacity fails the tick of a minute with these faults, in which a stream is due.
fn tick_fails(faults: Faults) -> bool {
    let mut simulation = calm_stream();
    simulation.step_minute();
    simulation.world.borrow_mut().settings.faults = faults;
    let now = simulation.world.borrow().clock.now();
    let run = Rc::new(Run::new(Loop::PlanCapacity, now, None, Rc::default()));
    let ports = SimulatedPorts { world: Rc::clone(&simulation.world), run: Rc::clone(&run) };
    let installation = Rc::clone(&simulation.installation);
    let tick = simulation.tick.clone();
    let deadline = Deadline::at(timestamp(run.deadline));
    let future = Box::pin(work::run(Loop::PlanCapacity, ports, installation, tick, deadline));
    let delivery = Delivery::new(Loop::PlanCapacity, Payload::Schedule);
    match (Process { run, delivery, future }).step() {
        Step::Ended(ended) => ended.redeliver,
        Step::Waits(_) | Step::Died => panic!("calls take no time here"),
    }
}

/// Only failed runs are counted where the last-resort alarm looks. A ledger that is down costs no
/// stream its plan.
#[test]
fn a_tick_that_plans_nothing_for_calls_that_fail_has_failed() {
    assert!(tick_fails(Faults { failing: 1.0, ..Faults::default() }));
    assert!(!tick_fails(Faults::default()));
    let ledger_down = std::iter::once(0..60).collect();
    assert!(!tick_fails(Faults { ledger_down, ..Faults::default() }));
}
