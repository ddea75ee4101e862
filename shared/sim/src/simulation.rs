//! A simulation: streams, their traffic, and Weir's loops upon them, minute by minute.
//!
//! At the start of a minute the one before is over and published; then alarms are judged, events
//! arrive and the tick fires. Here: what happens when, and running the loops. Not here: what there
//! is (`world`).

#[cfg(test)]
mod redelivery;
#[cfg(test)]
mod switching;
#[cfg(test)]
mod syncing;
mod work;

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;
use weir_control::deadline::Deadline;
use weir_control::event::{OperatorRequest, Request, SOURCE, WeirEvent};
use weir_control::incoming::Incoming;
use weir_control::installation::{Installation, Place};
use weir_control::ledger::{PauseNote, StreamRecord};
use weir_control::routing::{Loop, REDELIVERY_DELAYS_SECONDS, scheduled_in};
use weir_core::plan::{Action, Plan};
use weir_core::policy::{Governance, PolicySet};
use weir_core::reasons::HoldReason;
use weir_core::units::{Shards, StreamName};

use crate::alarms::{ACCOUNT, REGION};
use crate::api::Environment;
use crate::bus::{Delivery, scheduled_event};
use crate::checkers::same_plan::{Seen, check_clamps};
use crate::clock::{Seconds, count, timestamp};
use crate::faults::Crash;
use crate::ports::SimulatedPorts;
use crate::process::{Ended, Process, Run, Step};
use crate::record::{AlertRecord, ApiUse, StreamRun};
use crate::settings::Settings;
use crate::trace::Trace;
use crate::world::{Event, World};

/// Where the simulated installation lives.
fn place() -> Place {
    Place { partition: "aws".to_owned(), region: REGION.to_owned(), account: ACCOUNT.to_owned() }
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Minutes done.
    pub minute: usize,
    /// Minutes in all.
    pub minutes: usize,
    /// The virtual time: the end of the minute that was just done.
    pub now: Timestamp,
}

/// A world under way.
pub struct Simulation {
    world: Rc<RefCell<World>>,
    installation: Rc<Installation>,
    processes: BTreeMap<u64, Process>,
    started: u64,
    looks: u64,
    victims_seen: u32,
    tick: Incoming,
    start: Seconds,
    minute: usize,
    minutes: usize,
}

impl Simulation {
    /// A world that begins with the earliest trace and ends with the latest.
    pub fn new(
        settings: Settings,
        policies: PolicySet,
        streams: Vec<(StreamName, Trace, Shards)>,
    ) -> Simulation {
        let policies = match settings.mode {
            Some(mode) => policies.in_mode(mode),
            None => policies,
        };
        let begins = |trace: &Trace| trace.start.as_second();
        let ends = |trace: &Trace| begins(trace) + 60 * count(trace.minutes.len());
        let start = streams.iter().map(|(_, trace, _)| begins(trace)).min().unwrap_or(0);
        let end = streams.iter().map(|(_, trace, _)| ends(trace)).max().unwrap_or(start);
        let minutes = crate::stream::minutes_between(start, end);
        let mut world = World::new(settings, policies.clone(), streams, start, minutes);
        let installation = Installation {
            policies,
            alarm_prefix: world.alarm_prefix.clone(),
            place: Some(place()),
        };
        world.clock.at(start, Event::Minute);
        for change in world.settings.faults.external_changes.clone() {
            world.clock.at(start + 60 * count(change.minute), Event::ExternalChange(change));
        }
        Simulation {
            world: Rc::new(RefCell::new(world)),
            installation: Rc::new(installation),
            processes: BTreeMap::new(),
            started: 0,
            looks: 0,
            victims_seen: 0,
            // The one event that arrives every minute is read once; it never changes.
            tick: Incoming::read(&scheduled_event()).unwrap_or(Incoming::Tick),
            start,
            minute: 0,
            minutes,
        }
    }

    /// What has been recorded so far, in the order the streams were given; calls are counted at the
    /// end.
    pub fn runs(&self) -> Ref<'_, [StreamRun]> {
        Ref::map(self.world.borrow(), |world| world.runs.as_slice())
    }

    /// What has been made of the account's quotas so far.
    pub fn api_use(&self) -> ApiUse {
        self.world.borrow().api.used.clone()
    }

    /// Runs that died so far.
    pub fn crashes(&self) -> u64 {
        self.world.borrow().crashes
    }

    /// When a stream was last planned for.
    pub fn planned_at(&self, stream: &StreamName) -> Option<Timestamp> {
        self.world.borrow().ledger.planned_at(stream)
    }

    /// Alarms that there are.
    pub fn alarm_count(&self) -> usize {
        self.world.borrow().alarms.len()
    }

    /// What the ledger remembers of a stream.
    pub fn remembered(&self, stream: &StreamName) -> Option<StreamRecord> {
        self.world.borrow().ledger.read(stream, Timestamp::MIN)
    }

    /// An operator pauses Weir for a stream, or resumes it.
    pub fn pause(&mut self, stream: &StreamName, pause: Option<PauseNote>) {
        let mut world = self.world.borrow_mut();
        let now = timestamp(world.clock.now());
        world.ledger.set_pause(stream, pause, now);
    }

    /// An operator asks for something.
    pub fn ask(&mut self, request: Request, stream: Option<StreamName>) {
        let version = weir_control::event::VERSION;
        let event =
            WeirEvent::OperatorRequest(OperatorRequest { version, request, stream, after: None });
        let mut world = self.world.borrow_mut();
        if let Ok(detail) = event.detail(&world.alarm_prefix) {
            world.put_event(SOURCE, event.detail_type(), &[], detail);
        }
    }

    /// Simulates one minute; `None` when the last one is done.
    pub fn step_minute(&mut self) -> Option<Progress> {
        if self.minute >= self.minutes {
            return None;
        }
        let end = self.start + 60 * (count(self.minute) + 1);
        loop {
            let event = self.world.borrow_mut().clock.next_before(end);
            let Some(event) = event else { break };
            self.happen(event);
        }
        let mut world = self.world.borrow_mut();
        world.clock.move_to(end);
        world.end_minute(self.minute);
        self.minute += 1;
        Some(Progress { minute: self.minute, minutes: self.minutes, now: timestamp(end) })
    }

    /// Simulates all that is left.
    pub fn run(mut self, mut on_minute: impl FnMut(Progress)) -> Vec<StreamRun> {
        while let Some(progress) = self.step_minute() {
            on_minute(progress);
        }
        self.finish()
    }

    /// Everything recorded of the streams; violations of laws 7 and 9 stand there too.
    pub fn finish(self) -> Vec<StreamRun> {
        self.finish_with_alerts().0
    }

    /// Everything recorded, of the streams and of what people were told.
    pub fn finish_with_alerts(self) -> (Vec<StreamRun>, AlertRecord) {
        let mut world = self.world.borrow_mut();
        let alerts = world.judge_alerts(self.minute);
        (world.take_records(), alerts)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Minute => self.begin_minute(),
            Event::JudgeAlarms => self.world.borrow_mut().judge_alarms(),
            Event::Publish { stream, minute, point } => {
                let mut world = self.world.borrow_mut();
                let now = world.clock.now();
                world.metrics[stream].publish(minute, point, now);
            }
            Event::Deliver(delivery) => self.arrive(delivery),
            Event::Resume(id) => self.go_on(id),
            Event::PublishConsumer { consumer, minute, point } => {
                self.world.borrow_mut().publish_consumer(consumer, minute, point);
            }
            Event::ExternalChange(change) => self.world.borrow_mut().change_externally(change),
        }
    }

    fn begin_minute(&mut self) {
        let mut world = self.world.borrow_mut();
        world.clock.after(60, Event::Minute);
        let due: Vec<Loop> = scheduled_in(self.minute).collect();
        // First, so that the same minute's tick finds the streams it registers.
        if due.contains(&Loop::SyncAlarms) {
            world.schedule(Loop::SyncAlarms);
            for place in 0..world.runs.len() {
                world.check_ledger(place);
            }
        }
        match world.settings.alarms_at_second {
            0 => world.judge_alarms(),
            second => world.clock.after(second, Event::JudgeAlarms),
        }
        if due.contains(&Loop::PlanCapacity) {
            world.schedule(Loop::PlanCapacity);
        }
        if world.settings.alerts && due.contains(&Loop::RaiseAlerts) {
            world.schedule(Loop::RaiseAlerts);
        }
    }

    /// Lets an event in where its function has room, and has Lambda ask again where not.
    fn arrive(&mut self, mut delivery: Delivery) {
        let mut world = self.world.borrow_mut();
        let (now, of) = (world.clock.now(), delivery.target);
        let arrived_at = *delivery.arrived_at.get_or_insert(now);
        if now - arrived_at > i64::from(of.event_age_seconds()) {
            world.api.expire(of);
            return;
        }
        match world.api.enter(of, delivery.no_room) {
            Ok(environment) => {
                drop(world);
                self.deliver(delivery, environment);
            }
            Err(after) => {
                delivery.no_room += 1;
                let again = world.clock.now_millis() + after;
                world.clock.at_millis(again, Event::Deliver(delivery));
            }
        }
    }

    /// Starts a loop on what was delivered.
    fn deliver(&mut self, delivery: Delivery, environment: Rc<Environment>) {
        match work::event(&delivery, &self.tick) {
            Ok(event) => self.start(delivery, event, environment),
            Err(fault) => {
                self.world.borrow_mut().api.leave(delivery.target, environment, 0);
                let broken = (5, format!("an event could not be read: {fault}"));
                self.world.borrow_mut().note_broken(0, Some(broken));
            }
        }
    }

    fn start(&mut self, delivery: Delivery, event: Incoming, environment: Rc<Environment>) {
        let now = self.world.borrow().clock.now();
        let target = delivery.target;
        let mut run = Run::new(target, now, self.doom(target), environment);
        if let Incoming::CapacityPlanned(planned) = &event {
            run.order = Some((planned.plan_id.clone(), planned.planned_at.as_second()));
        }
        if target == Loop::PlanCapacity {
            run.seen = RefCell::new(self.look_closely().then(Seen::default));
        }
        let run = Rc::new(run);
        let ports = SimulatedPorts { world: Rc::clone(&self.world), run: Rc::clone(&run) };
        let deadline = Deadline::at(timestamp(run.deadline));
        let installation = Rc::clone(&self.installation);
        let future = Box::pin(work::run(target, ports, installation, event, deadline));
        self.started += 1;
        let id = self.started;
        self.step(id, Process { run, delivery, future });
    }

    /// At which await this run is to die, if it is the one.
    fn doom(&mut self, of: Loop) -> Option<u32> {
        let Crash::Once(point) = self.world.borrow().settings.faults.crash else { return None };
        if point.victim != of || self.minute < point.from_minute {
            return None;
        }
        self.victims_seen += 1;
        (self.victims_seen == point.run + 1).then_some(point.point)
    }

    /// Whether this run's plans are made a second time.
    fn look_closely(&mut self) -> bool {
        self.looks += 1;
        self.looks.is_multiple_of(self.world.borrow().settings.replan_every.max(1))
    }

    fn go_on(&mut self, id: u64) {
        if let Some(process) = self.processes.remove(&id) {
            self.step(id, process);
        }
    }

    fn step(&mut self, id: u64, mut process: Process) {
        match process.step() {
            Step::Waits(at) => {
                self.world.borrow_mut().clock.at_millis(at, Event::Resume(id));
                self.processes.insert(id, process);
            }
            Step::Died => {
                self.leave(&process);
                let mut world = self.world.borrow_mut();
                world.api.stop(process.delivery.target);
                world.crashes += 1;
                world.mishaps += 1;
                drop(world);
                self.try_again(process.delivery);
            }
            Step::Ended(ended) => {
                self.leave(&process);
                self.ended(process, ended);
            }
        }
    }

    /// Its function has room again.
    fn leave(&mut self, process: &Process) {
        let mut world = self.world.borrow_mut();
        let of = process.delivery.target;
        let lasted = world.clock.now() - (process.run.deadline - i64::from(of.timeout_seconds()));
        world.api.leave(of, Rc::clone(&process.run.environment), lasted);
    }

    /// An event whose run failed is delivered again, as Lambda does it.
    fn try_again(&mut self, delivery: Delivery) {
        if let Some(seconds) = REDELIVERY_DELAYS_SECONDS.get(delivery.attempt) {
            let again = Delivery { attempt: delivery.attempt + 1, no_room: 0, ..delivery };
            self.world.borrow_mut().clock.after(i64::from(*seconds), Event::Deliver(again));
        }
    }

    fn ended(&mut self, process: Process, ended: Ended) {
        for plan in ended.plans {
            self.note_plan(&process.run, plan);
        }
        if ended.redeliver {
            self.try_again(process.delivery);
        }
    }

    /// Checks a plan, and keeps it if it says anything.
    fn note_plan(&mut self, run: &Run, plan: Plan) {
        let mut world = self.world.borrow_mut();
        let Some(place) = world.account.place(&plan.stream) else { return };
        world.note_broken(place, check_clamps(&plan));
        if let Some(seen) = &*run.seen.borrow()
            && let Governance::By(policy) = self.installation.policies.governing(&plan.stream)
        {
            let broken = seen.check_again(&plan, policy, &world.metrics[place]);
            world.note_broken(place, broken);
        }
        if !matches!(plan.action, Action::Hold(HoldReason::OnTarget | HoldReason::StreamOnDemand)) {
            world.runs[place].plans.push(plan);
        }
    }
}
