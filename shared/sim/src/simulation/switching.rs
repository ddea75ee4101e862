//! The loop switch-mode under everything that goes wrong. Plans to switch are put on the bus by the
//! test, as the planner would record and publish them.

use weir_control::event::{CapacityPlanned, PlannedAction, PlannedForecast, VERSION};
use weir_control::ledger::{Planned, StoredAction};
use weir_control::plan_id::PlanId;
use weir_core::action::{Change, Outcome};
use weir_core::observation::CapacityMode::{self, OnDemand, Provisioned};
use weir_core::policy::{OperatingMode, Policy};
use weir_core::reasons::RefusalReason;

use super::*;
use crate::faults::{CallTimes, CrashPoint, ExternalAction, ExternalChange};
use crate::settings::BusSettings;
use crate::trace::{Minute, Recorded};

fn orders() -> StreamName {
    StreamName::new("orders").expect("a name")
}

/// A stream of four shards with the load of two.
fn simulation(settings: Settings, minutes: usize) -> Simulation {
    let minute = Minute { bytes: 120.0 * 1_048_576.0, records: 60_000.0 };
    let start = "2026-03-02T00:00:00Z".parse().expect("a time");
    let trace = Trace {
        name: "test".to_owned(),
        start,
        minutes: vec![minute; minutes],
        recorded: Recorded::default(),
    };
    let policies = PolicySet::of_all_streams(Policy::default());
    Simulation::new(settings, policies, vec![(orders(), trace, Shards::at_least_one(4))])
}

impl Simulation {
    /// A plan to switch, recorded and published.
    fn plan_switch(&mut self, to: CapacityMode) {
        self.publish(Some(Change::SwitchMode { to }), to);
    }

    /// A plan that orders one thing, recorded, and published as asking for a switch.
    fn publish(&mut self, order: Option<Change>, to: CapacityMode) {
        let mut world = self.world.borrow_mut();
        let now = timestamp(world.clock.now());
        let record = world.ledger.read(&orders(), Timestamp::MIN);
        let from_version = record.map_or(0, |record| record.version);
        let id = PlanId::of(now, from_version + 1, order);
        let in_minutes = |n| now + jiff::SignedDuration::from_mins(n);
        let planned = Planned {
            id: id.clone(),
            from_version,
            revisit_at: in_minutes(1),
            last_seen: None,
            learnt: None,
            event: None,
        };
        assert!(world.ledger.record_plan(&orders(), &planned));
        let event = WeirEvent::CapacityPlanned(CapacityPlanned {
            version: VERSION,
            plan_id: id,
            stream: orders(),
            mode: OperatingMode::Act,
            planned_at: now,
            expires_at: in_minutes(5),
            revisit_at: in_minutes(1),
            open_shards: Shards::at_least_one(4),
            wanted_shards: Shards::at_least_one(4),
            allowed_shards: Shards::at_least_one(4),
            action: PlannedAction::SwitchMode { from: to.other(), to },
            clamps: Vec::new(),
            forecast: PlannedForecast { now: 2.0, soon: 2.0, later: 2.0 },
            emergency: false,
            budget: None,
            explanation: Vec::new(),
        });
        let detail = event.detail(&world.alarm_prefix).expect("JSON");
        world.put_event(SOURCE, event.detail_type(), &[], detail);
    }

    fn steps(&mut self, minutes: usize) {
        for _ in 0..minutes {
            self.step_minute();
        }
    }

    fn mode(&self) -> CapacityMode {
        let world = self.world.borrow();
        world.account.streams[0].mode_at(world.clock.now())
    }

    /// What became of switches, oldest first.
    fn switches(&self) -> Vec<Outcome> {
        let is_switch = |a: &&StoredAction| matches!(a.record.change, Change::SwitchMode { .. });
        let world = self.world.borrow();
        world.ledger.actions(&orders()).iter().filter(is_switch).map(|a| a.record.outcome).collect()
    }

    fn alarms(&self) -> Vec<String> {
        let alarms = self.world.borrow().alarms.beginning("weir-");
        alarms.into_iter().map(|alarm| alarm.name).collect()
    }

    fn lawful_calls(self) -> u64 {
        let run = self.finish().remove(0);
        assert_eq!(run.violations, []);
        run.calls.get("UpdateStreamMode").copied().unwrap_or(0)
    }
}

#[test]
fn a_stream_goes_there_and_back_with_its_alarms_and_the_third_switch_is_refused() {
    let mut simulation = simulation(Settings::bench(), 60);
    simulation.steps(10);
    assert_eq!(simulation.alarms(), ["weir-surge-orders", "weir-throttle-orders"]);
    simulation.plan_switch(OnDemand);
    simulation.steps(5);
    assert_eq!(simulation.mode(), OnDemand);
    assert_eq!(simulation.alarms(), ["weir-throttle-orders"]);
    simulation.plan_switch(Provisioned);
    simulation.steps(5);
    assert_eq!(simulation.mode(), Provisioned);
    assert_eq!(simulation.alarms(), ["weir-surge-orders", "weir-throttle-orders"]);
    simulation.plan_switch(OnDemand);
    simulation.steps(5);
    let refused = Outcome::Refused { reason: RefusalReason::ModeSwitchesSpent };
    assert_eq!(simulation.switches(), [Outcome::Accepted, Outcome::Accepted, refused]);
    assert_eq!((simulation.mode(), simulation.lawful_calls()), (Provisioned, 2));
}

/// Whoever can send events and read a plan's id has no say in what is done.
#[test]
fn an_event_that_asks_for_more_than_its_plan_is_turned_down() {
    let reshard = Change::Reshard { from: Shards::at_least_one(4), to: Shards::at_least_one(5) };
    for order in [None, Some(reshard), Some(Change::SwitchMode { to: Provisioned })] {
        let mut simulation = simulation(Settings::bench(), 60);
        simulation.steps(10);
        simulation.publish(order, OnDemand);
        simulation.steps(5);
        assert_eq!(
            (simulation.mode(), simulation.switches()),
            (Provisioned, Vec::new()),
            "{order:?}"
        );
        assert_eq!(simulation.lawful_calls(), 0);
    }
}

#[test]
fn what_others_switch_counts() {
    let mut settings = Settings::bench();
    let change =
        |minute, to| ExternalChange { minute, stream: 0, action: ExternalAction::Switch(to) };
    settings.faults.external_changes = vec![change(5, OnDemand), change(15, Provisioned)];
    let mut simulation = simulation(settings, 60);
    simulation.steps(25);
    assert_eq!(simulation.switches(), [Outcome::Accepted; 2]);
    simulation.plan_switch(OnDemand);
    simulation.steps(5);
    let refused = Outcome::Refused { reason: RefusalReason::ModeSwitchesSpent };
    assert_eq!(simulation.switches().last(), Some(&refused));
    assert_eq!(simulation.lawful_calls(), 0);
}

/// At every await of the executor: one call at most, counted if it was made, and an end of it.
#[test]
fn an_executor_may_die_anywhere() {
    let mut made = [0; 2];
    for point in 0..24 {
        let mut settings = Settings::bench();
        let crash = CrashPoint { victim: Loop::SwitchMode, from_minute: 10, run: 0, point };
        settings.faults.crash = Crash::Once(crash);
        let mut simulation = simulation(settings, 90);
        simulation.steps(11);
        simulation.plan_switch(OnDemand);
        simulation.steps(20);
        let record = simulation.remembered(&orders()).expect("a record");
        assert_eq!(record.claim, None, "at await {point}");
        let (mode, switches) = (simulation.mode(), simulation.switches());
        assert!(switches.len() <= 1, "at await {point}: {switches:?}");
        let arrived = mode == OnDemand;
        let counted = switches.first().is_some_and(|outcome| outcome.counts());
        assert!(counted || !arrived, "at await {point}: {switches:?}");
        assert!(!switches.contains(&Outcome::Intended), "at await {point}");
        let surge = simulation.alarms().contains(&"weir-surge-orders".to_owned());
        assert_eq!(surge, !arrived, "at await {point}: the event was lost");
        let calls = simulation.lawful_calls();
        assert_eq!(calls, u64::from(arrived), "at await {point}");
        made[usize::from(arrived)] += 1;
    }
    assert!(made.iter().all(|n| *n > 0), "{made:?}: the crashes miss the call");
}

/// Orders to switch every quarter of an hour for two days, while everything fails at times.
#[test]
fn no_day_has_a_third_switch_whatever_goes_wrong() {
    let (mut calls, mut spent, mut crashes) = (0, 0, 0);
    for seed in 0..40 {
        let mut settings = Settings::realistic(seed);
        settings.bus = BusSettings {
            delay_seconds: 0..=3,
            late: 0.2,
            late_seconds: 20..=900,
            twice: 0.3,
            lost: 0.03,
        };
        settings.calls = CallTimes { slow: 0.3, slow_seconds: 1..=12 };
        settings.faults.failing = 0.03;
        settings.faults.answer_lost = 0.08;
        settings.faults.crash = Crash::Chance(0.05);
        settings.faults.ledger_down = vec![300..340, 1_600..1_660];
        let mut simulation = simulation(settings, 2 * 24 * 60);
        let mut to = OnDemand;
        for _ in 0..2 * 24 * 4 {
            simulation.plan_switch(to);
            simulation.steps(15);
            to = simulation.mode().other();
        }
        let refused = Outcome::Refused { reason: RefusalReason::ModeSwitchesSpent };
        spent += simulation.switches().iter().filter(|outcome| **outcome == refused).count();
        crashes += simulation.crashes();
        let run = simulation.finish().remove(0);
        assert_eq!(run.violations, [], "seed {seed}");
        calls += run.calls.get("UpdateStreamMode").copied().unwrap_or(0);
    }
    // Chaos that hinders everything would prove nothing.
    assert!(calls >= 80 && spent > 1_000 && crashes > 500, "{calls}, {spent}, {crashes}");
}
