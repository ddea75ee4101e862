//! The simulated world: everything there is, and what the calls of loops do to it.
//!
//! Here: what there is, and the calls. In files of their own: time going by (`time`), what checkers
//! are shown (`watch`). Not here: the loops upon it (`simulation`) and the way calls come in
//! (`ports`).

mod reading;
mod time;
mod watch;

use serde_json::Value;
use weir_core::alarms::{AlarmName, AlarmPrefix};
use weir_core::observation::CapacityMode;
use weir_core::policy::PolicySet;
use weir_core::series::TrafficPoint;
use weir_core::units::{Shards, StreamName};

use crate::alarms::Alarms;
use crate::api::Api;
use crate::bus::{Bus, Delivery};
use crate::chance::Dice;
use crate::clock::{Clock, Millis, Seconds, timestamp};
use crate::consumer::ConsumerMinute;
use crate::faults::{Crash, ExternalChange, Fate};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::operation::Operation;
use crate::process::Run;
use crate::record::{AlertRecord, AppliedReshard, AppliedSwitch, StreamRun};
use crate::settings::Settings;
use crate::stream::{Account, Caller, Motion, Refused, Stream, minutes_between};
use crate::trace::{Minute, Trace};
use reading::KnownConsumer;
use time::tell_alarm;
use watch::Watch;

/// What can happen.
pub(crate) enum Event {
    /// A minute begins.
    Minute,
    /// Alarms are judged.
    JudgeAlarms,
    /// Datapoints come out.
    Publish { stream: usize, minute: usize, point: TrafficPoint },
    /// Datapoints of a consumer come out.
    PublishConsumer { consumer: usize, minute: usize, point: ConsumerMinute },
    /// An event reaches a loop.
    Deliver(Delivery),
    /// A run goes on.
    Resume(u64),
    /// Somebody else does something.
    ExternalChange(ExternalChange),
}

pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) policies: PolicySet,
    pub(crate) alarm_prefix: AlarmPrefix,
    pub(crate) start: Seconds,
    pub(crate) clock: Clock<Event>,
    pub(crate) account: Account,
    pub(crate) metrics: Vec<Metrics>,
    pub(crate) alarms: Alarms,
    pub(crate) ledger: Ledger,
    pub(crate) runs: Vec<StreamRun>,
    pub(crate) crashes: u64,
    /// Runs that died, answers that were lost, writes to the ledger that failed: what may make a
    /// message come twice.
    pub(crate) mishaps: u64,
    pub(crate) alerts: AlertRecord,
    pub(crate) api: Api,
    bus: Bus,
    /// Offered traffic, and the minute of the simulation with which it begins.
    traces: Vec<(usize, Vec<Minute>)>,
    consumers: Vec<KnownConsumer>,
    watches: Vec<Watch>,
    account_calls: Watch,
    metric_dice: Dice,
    call_dice: Dice,
    crash_dice: Dice,
    alarm_dice: Dice,
    consumer_dice: Dice,
}

impl World {
    pub(crate) fn new(
        settings: Settings,
        policies: PolicySet,
        streams: Vec<(StreamName, Trace, Shards)>,
        start: Seconds,
        minutes: usize,
    ) -> World {
        let dice = |part| Dice::new(settings.seed, part);
        let run = |(_, _, open): &(_, _, Shards)| StreamRun::new(timestamp(start), *open, minutes);
        let runs: Vec<StreamRun> = streams.iter().map(run).collect();
        let kept: Vec<Stream> =
            streams.iter().map(|(name, _, open)| Stream::new(name.clone(), *open)).collect();
        let (model, on_demand) = (settings.reshard.clone(), settings.on_demand.clone());
        let quota = settings.shard_quota;
        let account = Account::new(kept, model, on_demand, quota, dice("reshards"));
        let traces = streams
            .into_iter()
            .map(|(_, trace, _)| (minutes_between(start, trace.start.as_second()), trace.minutes))
            .collect();
        World {
            metrics: runs.iter().map(|_| Metrics::new(start, minutes)).collect(),
            consumers: reading::consumers(&settings.consumers, &account, minutes),
            watches: runs.iter().map(|_| Watch::default()).collect(),
            account_calls: Watch::default(),
            bus: Bus::new(
                settings.bus.clone(),
                AlarmPrefix::default(),
                settings.alerts,
                dice("bus"),
            ),
            api: Api::new(settings.api.clone(), dice("api")),
            metric_dice: dice("metrics"),
            call_dice: dice("calls"),
            crash_dice: dice("crashes"),
            alarm_dice: dice("alarms"),
            consumer_dice: dice("consumers"),
            clock: Clock::new(start),
            alarms: Alarms::default(),
            ledger: Ledger::default(),
            alarm_prefix: AlarmPrefix::default(),
            crashes: 0,
            mishaps: 0,
            alerts: AlertRecord::default(),
            policies,
            start,
            account,
            traces,
            runs,
            settings,
        }
    }

    /// Everything that reads a stream.
    pub(crate) fn consumers(&self) -> &[KnownConsumer] {
        &self.consumers
    }

    /// The minute that is running.
    pub(crate) fn minute(&self) -> usize {
        minutes_between(self.start, self.clock.now())
    }

    /// What becomes of a call.
    pub(crate) fn fate(&mut self, operation: Operation) -> Fate {
        let minute = self.minute();
        self.settings.faults.fate(operation, minute, &mut self.call_dice)
    }

    /// Whether AWS takes one more request now.
    pub(crate) fn take_request(&mut self, operation: Operation) -> bool {
        let now = self.clock.now();
        self.api.take(operation, now)
    }

    /// How long the SDK waits after the attempt of this number.
    pub(crate) fn back_off(&mut self, attempt: u32) -> Millis {
        self.api.back_off(attempt)
    }

    /// Whether the run dies at this await, or how long it waits.
    pub(crate) fn chance_at_await(&mut self, run: &Run, awaits: u32) -> (bool, Seconds) {
        let calls = &self.settings.calls;
        let mut seconds = 0;
        if self.call_dice.happens(calls.slow) {
            seconds = self.call_dice.seconds(&calls.slow_seconds) / 2;
        }
        let dies = match self.settings.faults.crash {
            Crash::Never => false,
            Crash::Chance(_) if self.minute() < self.settings.faults.calm_minutes => false,
            Crash::Chance(probability) => self.crash_dice.happens(probability),
            Crash::Once(_) => run.doomed_at == Some(awaits),
        };
        (dies || self.clock.now() + seconds > run.deadline, seconds)
    }

    /// PutEvents, for one event.
    pub(crate) fn put_event(
        &mut self,
        source: &str,
        detail_type: &str,
        resources: &[String],
        detail: Value,
    ) {
        let now = self.clock.now();
        for (delay, delivery) in self.bus.carry(source, detail_type, resources, detail, now) {
            self.clock.after(delay, Event::Deliver(delivery));
        }
    }

    /// SetAlarmState.
    pub(crate) fn forget_alarm_state(&mut self, name: &AlarmName) -> Option<()> {
        let now = self.clock.now();
        let (bus, clock, dice) = (&mut self.bus, &mut self.clock, &mut self.alarm_dice);
        self.alarms.forget_state(name, now, |change| tell_alarm(bus, clock, dice, change))
    }

    /// UpdateShardCount, as Weir calls it.
    pub(crate) fn weir_reshards(
        &mut self,
        name: &StreamName,
        to: Shards,
        run: &Run,
    ) -> Result<(), Refused> {
        let now = self.clock.now();
        if let Some(place) = self.account.find(name) {
            self.check_call(place, to, run);
        }
        let answer = self.account.update_shard_count(name, to.get(), run.caller(), now);
        if let (Ok(motion), Some(place)) = (&answer, self.account.place(name)) {
            self.note_accepted(place, *motion);
        }
        answer.map(|_| ())
    }

    /// UpdateStreamMode, whoever calls it.
    pub(crate) fn update_stream_mode(
        &mut self,
        name: &StreamName,
        to: CapacityMode,
        by: Caller,
    ) -> Result<(), Refused> {
        let now = self.clock.now();
        let place = self.account.find(name);
        if let Some(place) = place
            && by != Caller::Other
        {
            self.check_switch(place, by);
        }
        let switch = self.account.update_stream_mode(name, to, by, now)?;
        if let Some(place) = place {
            self.runs[place].switches.push(AppliedSwitch {
                called_at: timestamp(now),
                effective_at: timestamp(switch.ends_at),
                from: switch.from,
                to: switch.to,
            });
            let broken = self.watches[place].calls.switched(now, switch.remembered);
            self.note_broken(place, broken);
            self.check_ledger(place);
        }
        Ok(())
    }

    fn note_accepted(&mut self, place: usize, motion: Motion) {
        let now = self.clock.now();
        self.runs[place].reshards.push(AppliedReshard {
            called_at: timestamp(now),
            effective_at: timestamp(motion.ends_at),
            from: motion.from,
            to: motion.to,
        });
        let broken = self.watches[place].calls.resharded(now, motion.remembered);
        self.note_broken(place, broken);
        self.check_ledger(place);
    }
}
