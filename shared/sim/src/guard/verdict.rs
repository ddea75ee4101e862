//! Whether the messages of a scenario were right: law 9, and that every failure was told in time,
//! once, and to its end. Judged by what was put in and by what SNS got, not by what Weir says of
//! itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;
use weir_control::message::Alert;
use weir_core::incident::Subject;
use weir_core::policy::Telling;

use super::consumer::{Failure, Kind};
use super::scenario::{Injected, Scenario};
use super::world::{Sent, World};
use crate::clock::{Seconds, count, timestamp};

/// Metrics come ten minutes late at most; alarms and ticks take a minute each.
const LATE_MINUTES: i64 = 10 + 3;
/// What crashes, failing calls and lost events may cost beyond that.
const MISHAP_MINUTES: i64 = 20;
/// After a failure's end its alarms may still go off for as long as it takes to catch up.
const AFTERMATH_MINUTES: usize = 270;

/// How soon a failure was told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Whose failure.
    pub kind: Kind,
    /// What failed.
    pub failure: Failure,
    /// Seconds from its start to the first message.
    pub told_after: Option<Seconds>,
    /// Seconds from its start to the first page.
    pub paged_after: Option<Seconds>,
    /// Seconds from its end to the recovery.
    pub recovered_after: Option<Seconds>,
}

/// What a scenario came to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What was wrong.
    pub violations: Vec<String>,
    /// Every failure that was put in, drains left out.
    pub detections: Vec<Detection>,
    /// Everything that SNS got, in order.
    pub sent: Vec<(Timestamp, Alert)>,
    /// Messages, each counted once.
    pub messages: usize,
    /// Pages among them.
    pub pages: usize,
    /// Messages that came again.
    pub repeated: u64,
    /// Runs that died, answers that were lost, writes that failed: what excuses a repetition.
    pub mishaps: u64,
    /// Awaits of all runs.
    pub awaits: u64,
}

/// A message as its subscriber reads it.
struct Told {
    at: Seconds,
    incident: String,
    opened_at: Seconds,
    number: u64,
    page: bool,
    occasion: String,
}

pub(super) fn judge(scenario: &Scenario, world: &World) -> Verdict {
    let mut verdict = Verdict {
        sent: world.sent.iter().map(|sent| (timestamp(sent.at), sent.alert.clone())).collect(),
        mishaps: world.mishaps,
        awaits: world.awaits,
        ..Verdict::default()
    };
    let mut by_subject: BTreeMap<Subject, Vec<Told>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for sent in &world.sent {
        let told = read(sent);
        if seen.insert((told.incident.clone(), told.number)) {
            verdict.messages += 1;
            verdict.pages += usize::from(told.page);
            by_subject.entry(sent.subject.clone()).or_default().push(told);
        } else {
            verdict.repeated += 1;
        }
    }
    if verdict.repeated > verdict.mishaps {
        let (repeated, mishaps) = (verdict.repeated, verdict.mishaps);
        verdict.violations.push(format!("{repeated} messages came twice, {mishaps} mishaps"));
    }
    for (number, (consumer, reader)) in world.consumers.iter().enumerate() {
        let subject =
            Subject::Consumer { stream: consumer.stream.clone(), consumer: consumer.id() };
        let told = by_subject.remove(&subject).unwrap_or_default();
        let court = Court {
            scenario,
            world,
            kind: reader.kind,
            failures: scenario.injected.iter().filter(|one| one.consumer == number).collect(),
            told,
        };
        court.judge(&mut verdict);
    }
    verdict
}

fn read(sent: &Sent) -> Told {
    let forms: Value = serde_json::from_str(&sent.alert.body).unwrap_or_default();
    let own: Value =
        serde_json::from_str(forms["sqs"].as_str().unwrap_or_default()).unwrap_or_default();
    let text = |key: &str| own[key].as_str().unwrap_or_default().to_owned();
    Told {
        at: sent.at,
        incident: text("incident"),
        opened_at: text("opened_at").parse().map_or(0, |at: Timestamp| at.as_second()),
        number: own["message"].as_u64().unwrap_or(0),
        page: own["severity"] == "page",
        occasion: text("occasion"),
    }
}

struct Court<'a> {
    scenario: &'a Scenario,
    world: &'a World,
    kind: Kind,
    failures: Vec<&'a Injected>,
    told: Vec<Told>,
}

impl Court<'_> {
    fn judge(&self, verdict: &mut Verdict) {
        self.law_nine(verdict);
        self.nothing_false(verdict);
        for (i, injected) in self.failures.iter().enumerate() {
            let until =
                self.failures.get(i + 1).map_or(self.scenario.minutes, |next| next.span.start);
            if injected.failure != Failure::Drain {
                self.told_in_time(injected, until, verdict);
            }
        }
    }

    fn at(&self, minute: usize) -> Seconds {
        self.world.start + 60 * count(minute)
    }

    fn broken(&self, verdict: &mut Verdict, what: impl std::fmt::Display) {
        let told: Vec<String> = self
            .told
            .iter()
            .map(|t| {
                let minute = (t.at - self.world.start) / 60;
                format!("{minute} {} {}", if t.page { "page" } else { "notice" }, t.occasion)
            })
            .collect();
        let kind = self.kind;
        verdict
            .violations
            .push(format!("{kind:?}: {what}; failures {:?}; told {told:?}", self.failures));
    }

    /// No page again within its reminder interval, and a recovery after each message.
    fn law_nine(&self, verdict: &mut Verdict) {
        // A run may wait for seconds between deciding and sending.
        let repeat = self.scenario.policy.repeat_page().as_secs() - 60;
        let mut last: BTreeMap<&str, Seconds> = BTreeMap::new();
        for told in self.told.iter().filter(|told| told.page && told.occasion != "recovered") {
            if let Some(before) = last.insert(&told.incident, told.at)
                && told.at - before < repeat
            {
                self.broken(verdict, format!("paged again after {} s", told.at - before));
            }
        }
        let incidents: BTreeSet<&str> =
            self.told.iter().map(|told| told.incident.as_str()).collect();
        for incident in incidents {
            for page in [true, false] {
                let of = || self.told.iter().filter(|t| t.incident == incident && t.page == page);
                let over = of().filter(|t| t.occasion == "recovered").count();
                if of().next().is_some() && over != 1 {
                    self.broken(verdict, format!("{over} recoveries of {incident}"));
                }
            }
        }
    }

    /// Nothing is told of a consumer that does not fail.
    fn nothing_false(&self, verdict: &mut Verdict) {
        for told in self.told.iter().filter(|told| told.occasion == "opened") {
            let real = self.failures.iter().any(|injected| {
                let end = injected.span.end + AFTERMATH_MINUTES;
                let within = self.at(injected.span.start)..self.at(end);
                // Without the ledger nobody knows of the reshard.
                let known = self.scenario.failing == 0.0 && self.scenario.outages.ledger.is_empty();
                let counts = injected.failure != Failure::Drain || !known;
                counts && within.contains(&told.opened_at)
            });
            if !real {
                self.broken(verdict, "told of a failure that was none");
            }
        }
    }

    /// Told within its bound, paged once, and not called over while it lasts.
    fn told_in_time(&self, injected: &Injected, until: usize, verdict: &mut Verdict) {
        let (start, end) = (self.at(injected.span.start), self.at(injected.span.end));
        let during = || {
            let window = start..self.at(until);
            self.told.iter().filter(move |told| window.contains(&told.at))
        };
        let first = |told: Option<&Told>| told.map(|told| told.at - start);
        let detection = Detection {
            kind: self.kind,
            failure: injected.failure,
            told_after: first(during().next()),
            paged_after: first(during().find(|told| told.page)),
            recovered_after: during()
                .find(|told| told.occasion == "recovered")
                .map(|told| told.at - end),
        };
        verdict.detections.push(detection);
        let lasts = end - start;
        let (tell, page) = self.bounds(injected.failure);
        if lasts >= tell && detection.told_after.is_none_or(|after| after > tell) {
            self.broken(verdict, format!("{:?} not told within {tell} s", injected));
        }
        if lasts >= page {
            if detection.paged_after.is_none_or(|after| after > page) {
                self.broken(verdict, format!("{:?} not paged within {page} s", injected));
            }
            let new_page = |told: &&Told| {
                told.page && told.occasion != "reminder" && told.occasion != "recovered"
            };
            let pages = during().filter(new_page).count();
            if pages != 1 {
                self.broken(verdict, format!("{:?} paged {pages} times", injected));
            }
        }
        let too_soon =
            during().find(|t| t.occasion == "recovered" && t.at < end && t.at > start + tell);
        if too_soon.is_some() {
            self.broken(verdict, format!("{:?} called over while it lasts", injected));
        }
    }

    /// Seconds within which a failure is to be told and to be paged.
    fn bounds(&self, failure: Failure) -> (Seconds, Seconds) {
        let lag_minutes = self.scenario.policy.lag_alarm.get() * 24.0 * 60.0;
        #[allow(clippy::cast_possible_truncation)] // minutes of a day
        let seen = match failure {
            // Three empty periods of five minutes.
            Failure::Gone => 15,
            // It falls behind by 48 seconds a minute, and must be behind for five.
            Failure::Slow | Failure::Drain => (lag_minutes / 0.8) as i64 + 6,
            // Five of ten minutes with errors.
            Failure::Poison => 6,
            // A quarter of an hour, for five minutes.
            Failure::Undelivered => 15 + 5,
        };
        let trouble =
            if self.is_troubled() { MISHAP_MINUTES + self.scenario.outage().as_mins() } else { 0 };
        let told = seen + LATE_MINUTES + trouble;
        let policy = &self.scenario.policy;
        let escalates = match policy.telling {
            Telling::Escalate => i64::from(policy.page_after_minutes) + 1 + trouble,
            Telling::Page | Telling::Notice | Telling::Off => 0,
        };
        (60 * told, 60 * (told + escalates))
    }

    /// Whether anything is wrong around Weir.
    fn is_troubled(&self) -> bool {
        let Scenario { bus, failing, answer_lost, slow, crash, crash_at_await, .. } = self.scenario;
        [bus.lost, bus.late, *failing, *answer_lost, *slow, *crash].iter().any(|p| *p > 0.0)
            || crash_at_await.is_some()
            || !self.scenario.outage().is_zero()
    }
}
