//! What happens in a scenario: traffic, consumers, the failures put into them, and everything that
//! goes wrong around Weir meanwhile. Not here: what Weir makes of it.

use std::ops::Range;

use fastrand::Rng;
use jiff::Timestamp;
use weir_core::consumer::ConsumerName;
use weir_core::policy::{AlertPolicy, Telling};
use weir_core::units::{Share, StreamName};

use super::consumer::{Failure, Kind};
use super::world::{consumer_name, stream};
use crate::clock::{Seconds, timestamp};
use crate::settings::{BusSettings, Settings};

/// When scenarios begin that do not say so.
const START: Seconds = 1_800_000_000;
/// Minutes of a scenario from a seed.
const MINUTES: usize = 900;
/// Records written in a minute, on average.
const RECORDS: f64 = 1_000.0;

/// A failure put into a consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct Injected {
    /// Which consumer.
    pub consumer: usize,
    /// What happens to it.
    pub failure: Failure,
    /// In which minutes.
    pub span: Range<usize>,
}

/// Minutes in which a service does not answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outages {
    /// The ledger.
    pub ledger: Vec<Range<usize>>,
    /// SNS.
    pub sns: Vec<Range<usize>>,
    /// CloudWatch, when it is asked. Alarms are judged all the same.
    pub cloudwatch: Vec<Range<usize>>,
}

/// A consumer as a scenario has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub(crate) stream: StreamName,
    pub(crate) name: ConsumerName,
    pub(crate) kind: Kind,
    pub(crate) speed: f64,
    pub(crate) failures: Vec<(Failure, Range<usize>)>,
}

/// Everything that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Where all chance comes from.
    pub seed: u64,
    /// When it begins.
    pub start: Timestamp,
    /// How long it lasts.
    pub minutes: usize,
    /// Records written, by the minute.
    pub written: Vec<f64>,
    /// The consumers, and how many records a minute each can read.
    pub consumers: Vec<(Kind, f64)>,
    /// The failures.
    pub injected: Vec<Injected>,
    /// The policy.
    pub policy: AlertPolicy,
    /// What happens to events.
    pub bus: BusSettings,
    /// Probability that a call fails and certainly changed nothing.
    pub failing: f64,
    /// Probability that a call takes effect and its answer is lost.
    pub answer_lost: f64,
    /// Probability that a call takes seconds.
    pub slow: f64,
    /// Probability that a run dies at an await.
    pub crash: f64,
    /// The one await, counted from the start, at which a run dies in any case.
    pub crash_at_await: Option<u64>,
    /// Services that are down.
    pub outages: Outages,
    /// The minute of a reshard.
    pub resharded_at: Option<usize>,
}

impl Scenario {
    /// Nothing goes wrong but what is put in: consumers of these kinds, two and a half times as
    /// fast as need be.
    pub fn calm(kinds: &[Kind], injected: Vec<Injected>) -> Scenario {
        let speed = 3.0 * RECORDS;
        let mut policy = AlertPolicy { lag_alarm: share(1), ..AlertPolicy::DEFAULT };
        policy.kcl_applications = kcl_names(kinds.iter().copied());
        Scenario {
            seed: 0,
            start: timestamp(START),
            minutes: MINUTES,
            written: vec![RECORDS; MINUTES],
            consumers: kinds.iter().map(|kind| (*kind, speed)).collect(),
            injected,
            policy,
            bus: BusSettings::PERFECT,
            failing: 0.0,
            answer_lost: 0.0,
            slow: 0.0,
            crash: 0.0,
            crash_at_await: None,
            outages: Outages::default(),
            resharded_at: None,
        }
    }

    /// Everything goes wrong, but not in every scenario.
    pub fn of_seed(seed: u64) -> Scenario {
        let mut rng = Rng::with_seed(seed);
        let mut written = wave(&mut rng);
        let consumers: Vec<(Kind, f64)> = (0..rng.usize(1..4))
            .map(|_| {
                let kinds = [Kind::Lambda, Kind::FanOut, Kind::Firehose, Kind::Kcl];
                (kinds[rng.usize(0..kinds.len())], RECORDS * (3.0 + 2.0 * rng.f64()))
            })
            .collect();
        let resharded_at = (rng.u8(0..4) == 0).then(|| rng.usize(60..90));
        let mut injected = Vec::new();
        for (consumer, (kind, _)) in consumers.iter().enumerate() {
            if let Some(at) = resharded_at {
                let span = at..at + 20;
                injected.push(Injected { consumer, failure: Failure::Drain, span });
            } else if rng.u8(0..4) > 0 {
                injected.extend(failures(&mut rng, consumer, *kind));
            }
        }
        // A stream falls silent in the end, and nobody fails by that.
        if rng.bool() {
            let silent = rng.usize(MINUTES - 90..MINUTES - 30);
            written[silent..].fill(0.0);
        }
        let mut often = |most: f64| if rng.f64() < 0.6 { rng.f64() * most } else { 0.0 };
        let bus = BusSettings {
            delay_seconds: 0..=3,
            late: often(0.3),
            late_seconds: 20..=900,
            twice: often(0.5),
            lost: often(0.3),
        };
        let (failing, answer_lost) = (often(0.04), often(0.08));
        let (slow, crash) = (often(0.3), often(0.05));
        let outages = Outages {
            ledger: outage(&mut rng),
            sns: outage(&mut rng),
            cloudwatch: outage(&mut rng),
        };
        let policy = AlertPolicy {
            telling: [Telling::Escalate, Telling::Escalate, Telling::Page][rng.usize(0..3)],
            lag_alarm: share(rng.u32(1..3)),
            page_at_life: share(rng.u32(10..90)),
            page_after_minutes: rng.u32(0..40),
            repeat_page_minutes: rng.u32(10..90),
            kcl_applications: kcl_names(consumers.iter().map(|(kind, _)| *kind)),
            ..AlertPolicy::DEFAULT
        };
        Scenario {
            seed,
            start: timestamp(START),
            minutes: MINUTES,
            written,
            consumers,
            injected,
            policy,
            bus,
            failing,
            answer_lost,
            slow,
            crash,
            crash_at_await: None,
            outages,
            resharded_at,
        }
    }

    /// Healthy consumers on recorded traffic, records a minute; the world is as it is on an
    /// ordinary day.
    pub fn healthy(seed: u64, kinds: &[Kind], written: Vec<f64>) -> Scenario {
        let most = written.iter().copied().fold(0.0, f64::max);
        let mut scenario = Scenario::calm(kinds, Vec::new());
        scenario.consumers = kinds.iter().map(|kind| (*kind, 1.2 * most)).collect();
        scenario.policy = AlertPolicy {
            kcl_applications: scenario.policy.kcl_applications,
            ..AlertPolicy::DEFAULT
        };
        Scenario { seed, minutes: written.len(), written, ..scenario }
    }

    /// An ordinary world, in which the first of these consumers fails: recorded or made-up traffic,
    /// late metrics, events that come twice or out of order.
    pub fn failing_once(
        seed: u64,
        start: Timestamp,
        kinds: &[Kind],
        written: Vec<f64>,
        (failure, span): (Failure, Range<usize>),
    ) -> Scenario {
        let bus = Settings::realistic(seed).bus;
        let injected = vec![Injected { consumer: 0, failure, span }];
        Scenario { start, injected, bus, ..Scenario::healthy(seed, kinds, written) }
    }

    pub(crate) fn written(&self, minute: usize) -> f64 {
        self.written.get(minute).copied().unwrap_or(0.0)
    }

    pub(crate) fn readers(&self) -> impl Iterator<Item = Reading> {
        self.consumers.iter().enumerate().filter_map(|(number, (kind, speed))| {
            let own = self.injected.iter().filter(move |injected| injected.consumer == number);
            Some(Reading {
                stream: stream()?,
                name: consumer_name(number)?,
                kind: *kind,
                speed: *speed,
                failures: own.map(|one| (one.failure, one.span.clone())).collect(),
            })
        })
    }
}

fn share(percent: u32) -> Share {
    Share::percent(percent).unwrap_or(Share::WHOLE)
}

/// Nobody but the operator knows of KCL applications.
fn kcl_names(kinds: impl Iterator<Item = Kind>) -> Vec<ConsumerName> {
    let kcl = kinds.enumerate().filter(|(_, kind)| *kind == Kind::Kcl);
    kcl.filter_map(|(number, _)| consumer_name(number)).collect()
}

/// Traffic that rises and falls by half.
#[allow(clippy::cast_precision_loss)] // minutes
fn wave(rng: &mut Rng) -> Vec<f64> {
    let shift = rng.f64() * std::f64::consts::TAU;
    let wave = |minute| (shift + minute as f64 / 180.0).sin();
    (0..MINUTES)
        .map(|minute| RECORDS * (1.0 + 0.5 * wave(minute)) * (0.9 + 0.2 * rng.f64()))
        .collect()
}

/// A failure, and in one case of three another one long after.
fn failures(rng: &mut Rng, consumer: usize, kind: Kind) -> Vec<Injected> {
    let how = |rng: &mut Rng| {
        let own = match kind {
            Kind::Lambda => Failure::Poison,
            Kind::Firehose => Failure::Undelivered,
            Kind::FanOut | Kind::Kcl => Failure::Gone,
        };
        [Failure::Gone, Failure::Slow, own][rng.usize(0..3)]
    };
    let start = rng.usize(60..150);
    let first = start..start + rng.usize(20..150);
    let mut found = vec![Injected { consumer, failure: how(rng), span: first }];
    if rng.u8(0..3) == 0 {
        let start = rng.usize(600..620);
        let second = start..start + rng.usize(40..90);
        found.push(Injected { consumer, failure: how(rng), span: second });
    }
    found
}

/// In one scenario of three.
fn outage(rng: &mut Rng) -> Vec<Range<usize>> {
    let span = |rng: &mut Rng| {
        let start = rng.usize(30..600);
        start..start + rng.usize(2..20)
    };
    (rng.u8(0..3) == 0).then(|| span(rng)).into_iter().collect()
}
