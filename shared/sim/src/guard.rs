//! A second simulated world, in which consumers fail: their metrics, the alarms upon them, an
//! unreliable bus, a ledger of incidents, topics, and the loops sync-alarms (its consumers' half)
//! and raise-alerts.
//!
//! Here: a scenario, running it, and what it leaves behind. In files of their own: how consumers
//! read and fail (`consumer`), what there is (`world`), how calls come in (`ports`), the laws
//! (`verdict`), scenarios from seeds (`scenario`). Not here: resizing (`simulation`).

mod consumer;
mod ports;
mod scenario;
mod verdict;
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};
use weir_control::incoming::Incoming;
use weir_control::installation::{Installation, Place};
use weir_control::raise_alerts;
use weir_control::routing::REDELIVERY_DELAYS_SECONDS;
use weir_control::sync_alarms::consumers;
use weir_core::alarms::AlarmPrefix;
use weir_core::policy::PolicySet;

pub use consumer::{Failure, Kind};
pub use scenario::{Injected, Outages, Reading, Scenario};
pub use verdict::{Detection, Verdict};

use crate::alarms::{ACCOUNT, REGION};
use crate::clock::{Seconds, count};
use ports::{Hands, Run};
use world::{Cargo, Event, World};

/// Minutes between two runs of sync-alarms.
const SYNC_MINUTES: usize = 60;

struct Process {
    cargo: Cargo,
    attempt: usize,
    run: Rc<Run>,
    future: Pin<Box<dyn Future<Output = bool>>>,
}

/// Runs a scenario to its end and judges it.
pub fn run(scenario: &Scenario) -> Verdict {
    let world = Rc::new(RefCell::new(World::new(scenario.clone())));
    let mut guard = Guard { world: Rc::clone(&world), processes: BTreeMap::new(), started: 0 };
    for minute in 0..scenario.minutes {
        guard.minute(minute);
    }
    let world = world.borrow();
    verdict::judge(scenario, &world)
}

struct Guard {
    world: Rc<RefCell<World>>,
    processes: BTreeMap<u64, Process>,
    started: u64,
}

impl Guard {
    fn minute(&mut self, minute: usize) {
        {
            let mut world = self.world.borrow_mut();
            if minute.is_multiple_of(SYNC_MINUTES) {
                world.clock.after(1, Event::Deliver(Cargo::Sync, 0));
            }
            world.judge_alarms();
            world.carry(Cargo::Tick);
        }
        let end = self.world.borrow().start + 60 * (count(minute) + 1);
        loop {
            let event = self.world.borrow_mut().clock.next_before(end);
            match event {
                None => break,
                Some(Event::Deliver(cargo, attempt)) => self.deliver(cargo, attempt),
                Some(Event::Resume(id)) => {
                    if let Some(process) = self.processes.remove(&id) {
                        self.step(id, process);
                    }
                }
                Some(Event::Publish(point)) => self.world.borrow_mut().publish(point),
            }
        }
        let mut world = self.world.borrow_mut();
        world.clock.move_to(end);
        world.end_minute(minute);
    }

    fn deliver(&mut self, cargo: Cargo, attempt: usize) {
        let run = Rc::new(Run::new(self.world.borrow().clock.now()));
        let hands = Hands { world: Rc::clone(&self.world), run: Rc::clone(&run) };
        let future = Box::pin(work(cargo.clone(), hands));
        self.started += 1;
        self.step(self.started, Process { cargo, attempt, run, future });
    }

    fn step(&mut self, id: u64, mut process: Process) {
        let mut context = Context::from_waker(Waker::noop());
        let failed = match process.future.as_mut().poll(&mut context) {
            Poll::Ready(redeliver) => redeliver,
            Poll::Pending => match process.run.resume_at.take() {
                Some(at) if !process.run.died.get() => {
                    self.world.borrow_mut().clock.at(at, Event::Resume(id));
                    self.processes.insert(id, process);
                    return;
                }
                _ => true,
            },
        };
        if failed && let Some(seconds) = REDELIVERY_DELAYS_SECONDS.get(process.attempt) {
            let again = Event::Deliver(process.cargo, process.attempt + 1);
            self.world.borrow_mut().clock.after(i64::from(*seconds), again);
        }
    }
}

/// The function that an event wakes; whether its event is to be delivered again.
async fn work(cargo: Cargo, hands: Hands) -> bool {
    let place = Place {
        partition: "aws".to_owned(),
        region: REGION.to_owned(),
        account: ACCOUNT.to_owned(),
    };
    let installation = Installation {
        policies: PolicySet::clone(&hands.world.borrow().policies),
        alarm_prefix: AlarmPrefix::default(),
        place: Some(place),
    };
    let Installation { policies, alarm_prefix, .. } = &installation;
    let incoming = match cargo {
        Cargo::Sync => return consumers::run(&hands, policies, alarm_prefix).await.is_err(),
        Cargo::Tick => Incoming::Tick,
        Cargo::Event(text) => {
            let event: Value = serde_json::from_str(&text).unwrap_or_default();
            match Incoming::read(&event) {
                Ok(incoming) => incoming,
                // The twin writes such events itself: an unreadable one is lost, and the checks
                // tell.
                Err(_) => return false,
            }
        }
    };
    raise_alerts::on_event(&hands, &installation, &incoming).await.redeliver.is_some()
}

/// An alarm's event, as EventBridge carries it.
fn envelope(resource: &str, detail: &Value, at: Seconds) -> Value {
    json!({
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "account": ACCOUNT,
        "region": REGION,
        "time": crate::clock::timestamp(at).to_string(),
        "resources": [resource],
        "detail": detail,
    })
}
