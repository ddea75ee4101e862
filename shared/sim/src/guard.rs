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
use weir_control::message::Place;
use weir_control::ports::PortResult;
use weir_control::raise_alerts::{self, Installation};
use weir_control::sync_consumers;
use weir_core::alarms::AlarmPrefix;

pub use consumer::{Failure, Kind};
pub use scenario::{Injected, Outages, Reading, Scenario};
pub use verdict::{Detection, Verdict};

use crate::alarms::{ACCOUNT, REGION};
use crate::clock::{Seconds, count};
use ports::{Hands, Run};
use world::{Cargo, Event, World};

/// Seconds after which Lambda tries a failed event again: the first time, the second time.
const RETRY_SECONDS: [i64; 2] = [60, 120];
/// Minutes between two runs of sync-alarms.
const SYNC_MINUTES: usize = 60;

type Ended = PortResult<()>;

struct Process {
    cargo: Cargo,
    attempt: usize,
    run: Rc<Run>,
    future: Pin<Box<dyn Future<Output = Ended>>>,
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
            Poll::Ready(ended) => ended.is_err(),
            Poll::Pending => match process.run.resume_at.take() {
                Some(at) if !process.run.died.get() => {
                    self.world.borrow_mut().clock.at(at, Event::Resume(id));
                    self.processes.insert(id, process);
                    return;
                }
                _ => true,
            },
        };
        if failed && let Some(seconds) = RETRY_SECONDS.get(process.attempt) {
            let again = Event::Deliver(process.cargo, process.attempt + 1);
            self.world.borrow_mut().clock.after(*seconds, again);
        }
    }
}

/// The function that an event wakes.
async fn work(cargo: Cargo, hands: Hands) -> Ended {
    let (policies, prefix) = (Rc::clone(&hands.world.borrow().policies), AlarmPrefix::default());
    let place = Place {
        partition: "aws".to_owned(),
        region: REGION.to_owned(),
        account: ACCOUNT.to_owned(),
    };
    let installation = Installation { policies: &policies, prefix: &prefix, place: &place };
    match cargo {
        Cargo::Sync => sync_consumers::run(&hands, &policies, &prefix).await.map(|_| ()),
        Cargo::Tick => raise_alerts::on_tick(&hands, installation).await.map(|_| ()),
        Cargo::Event(text) => {
            let event: Value = serde_json::from_str(&text).unwrap_or_default();
            match Incoming::read(&event) {
                Ok(incoming) => {
                    raise_alerts::on_event(&hands, installation, &incoming).await.map(|_| ())
                }
                // The twin writes such events itself: an unreadable one is lost, and the checks
                // tell.
                Err(_) => Ok(()),
            }
        }
    }
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
