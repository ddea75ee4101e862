//! Law 9, and law 7 for messages: every page has a cause, is not repeated within its interval, and
//! is followed by a recovery; every failure of a consumer is told in bounded time.
//!
//! Judged when a run is over, by what was put into it and what SNS took, not by what Weir says of
//! itself; but for Weir's own troubles, whose cause is the event that it published, held to the
//! capacity mode the stream was in. Not here: alarms upon Weir itself (dead letters, a missing
//! tick), which are not simulated: nothing may be told of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use weir_core::consumer::ConsumerId;
use weir_core::incident::{Message, Occasion, Subject, Trouble};
use weir_core::laws;
use weir_core::policy::{AlertPolicy, AlertRouting, Governance, PolicySet, Severity};
use weir_core::units::StreamName;

use super::Broken;
use crate::clock::{Seconds, count, index};
use crate::consumer::{FailureKind, InjectedFailure};
use crate::record::{AlertRecord, Detection, StreamRun};
use crate::topics::SentMessage;

/// Alarms and ticks take a minute each, and a run may take one to send.
const SENDING_MINUTES: i64 = 3;
/// What crashes, failing calls and lost events may cost beyond that.
const MISHAP_MINUTES: i64 = 20;
/// A consumer's failure explains what is told for so long after its end: it has to catch up, and
/// metrics and alarms come later still.
const AFTERMATH_MINUTES: usize = 270;
/// What an alarm watches lies within these minutes before it goes off.
const WATCHED_MINUTES: usize = 45;
/// A reshard explains lag for so long.
const DRAIN_MINUTES: i64 = 60;
/// Recovery is told when all was well for so long at most, and longer where nobody knows.
const SETTLED_MINUTES: i64 = 60 + 15;
/// What Weir says of itself counts for so long at most.
const HOLDS_MINUTES: i64 = 60;

/// A consumer, as it was in truth.
pub(crate) struct ConsumerTruth<'a> {
    pub(crate) stream: &'a StreamName,
    pub(crate) id: &'a ConsumerId,
    pub(crate) failures: &'a [InjectedFailure],
    /// By minute, how far behind it was, seconds.
    pub(crate) behind: &'a [f64],
    /// Its stream.
    pub(crate) run: &'a StreamRun,
}

/// Everything that is judged by.
pub(crate) struct Evidenced<'a> {
    pub(crate) record: &'a AlertRecord,
    pub(crate) consumers: Vec<ConsumerTruth<'a>>,
    pub(crate) policies: &'a PolicySet,
    /// Seconds records are kept.
    pub(crate) retention_seconds: f64,
    pub(crate) start: Seconds,
    pub(crate) minutes: usize,
    /// How late metrics are at most, minutes.
    pub(crate) late_minutes: i64,
    /// Whether chance has a hand in calls, events or runs, and minutes in which services were out.
    pub(crate) troubled: bool,
    /// Whether none of that could hinder the first sync of alarms.
    pub(crate) calm_start: bool,
    pub(crate) outage_minutes: i64,
}

fn is_page(sent: &SentMessage) -> bool {
    sent.message.severity == Severity::Page
}

/// What is wrong, and about whom.
pub(crate) type BrokenOf = (Subject, Broken);

impl Evidenced<'_> {
    /// Judges a run.
    pub(crate) fn judge(&self) -> (Vec<BrokenOf>, Vec<Detection>) {
        let mut broken = Vec::new();
        let mut told: BTreeMap<&Subject, Vec<&SentMessage>> = BTreeMap::new();
        let (mut seen, mut repeated) = (BTreeSet::new(), 0);
        for sent in &self.record.sent {
            if seen.insert((&sent.incident, sent.message.number)) {
                told.entry(&sent.subject).or_default().push(sent);
            } else {
                repeated += 1;
                if repeated > self.record.mishaps {
                    let what =
                        format!("{repeated} messages came again, {} mishaps", self.record.mishaps);
                    broken.push((sent.subject.clone(), (9, what)));
                }
            }
        }
        for (subject, told) in &told {
            let law = |what: String| ((*subject).clone(), (9, self.with_messages(what, told)));
            broken.extend(self.incidents(subject, told).into_iter().map(law));
            broken.extend(self.causes(subject, told).into_iter().map(law));
        }
        let mut detections = Vec::new();
        for consumer in &self.consumers {
            let subject = Subject::Consumer {
                stream: consumer.stream.clone(),
                consumer: consumer.id.clone(),
            };
            let told = told.remove(&subject).unwrap_or_default();
            for failure in self.judged_failures(consumer) {
                let (detection, late) = self.detection(consumer, failure, &told);
                detections.push(detection);
                let law = |what: String| (subject.clone(), (7, self.with_messages(what, &told)));
                broken.extend(late.into_iter().map(law));
            }
        }
        (broken, detections)
    }

    fn at(&self, minute: usize) -> Seconds {
        self.start + 60 * count(minute)
    }

    fn minute_of(&self, at: Seconds) -> usize {
        index((at - self.start).div_euclid(60))
    }

    fn policy(&self, subject: &Subject) -> &AlertPolicy {
        const USUAL: &AlertPolicy = &AlertPolicy::DEFAULT;
        match subject.stream().map(|stream| self.policies.governing(stream)) {
            Some(Governance::By(policy)) => &policy.alerts,
            _ => USUAL,
        }
    }

    fn with_messages(&self, what: String, told: &[&SentMessage]) -> String {
        let one = |sent: &&SentMessage| {
            let Message { severity, occasion, .. } = sent.message;
            format!("{} {severity} {occasion:?}", self.minute_of(sent.at.as_second()))
        };
        let told: Vec<String> = told.iter().map(one).collect();
        format!("{what}; told in minutes: {}", told.join(", "))
    }

    /// What is wrong with the messages of each incident by themselves; an end is owed where there
    /// has long been no cause.
    fn incidents(&self, subject: &Subject, told: &[&SentMessage]) -> Vec<String> {
        let over_by = self.last_cause(subject) + 60 * self.recovery_minutes();
        let is_over = over_by < self.at(self.minutes);
        let mut incidents: BTreeMap<&str, Vec<Message>> = BTreeMap::new();
        for sent in told {
            incidents.entry(&sent.incident).or_default().push(sent.message);
        }
        let repeat = self.policy(subject).repeat_page();
        let found = |(incident, mut messages): (&str, Vec<Message>)| {
            messages.sort_by_key(|message| message.number);
            let found = laws::of_messages(&messages, repeat, is_over).into_iter();
            found.map(|finding| format!("{incident}: {}", finding.what)).collect::<Vec<_>>()
        };
        incidents.into_iter().flat_map(found).collect()
    }

    fn recovery_minutes(&self) -> i64 {
        // Where a stream is deleted, its alarms go with the next hourly sync.
        60 + SETTLED_MINUTES + self.late_minutes + SENDING_MINUTES + self.trouble_minutes()
    }

    fn trouble_minutes(&self) -> i64 {
        self.outage_minutes
            + if self.troubled || self.outage_minutes > 0 { MISHAP_MINUTES } else { 0 }
    }

    /// When there was last a reason to tell of this.
    fn last_cause(&self, subject: &Subject) -> Seconds {
        match subject {
            Subject::Consumer { .. } => {
                let Some(consumer) = self.consumer(subject) else { return self.start };
                let last = (0..self.minutes).rev().find(|minute| self.unwell(consumer, *minute));
                last.map_or(self.start, |minute| self.at(minute + 1))
            }
            Subject::Weir { .. } => {
                let last = self.own_causes(subject).max().unwrap_or(self.start);
                last + 60 * HOLDS_MINUTES
            }
        }
    }

    fn own_causes(&self, subject: &Subject) -> impl Iterator<Item = Seconds> {
        let of = match subject {
            Subject::Weir { trouble, stream } => Some((*trouble, stream.as_ref())),
            Subject::Consumer { .. } => None,
        };
        let causes = self.record.own_causes.iter();
        causes.filter(move |c| of == Some((c.trouble, c.stream.as_ref()))).map(|cause| cause.at)
    }

    fn consumer(&self, subject: &Subject) -> Option<&ConsumerTruth<'_>> {
        let Subject::Consumer { stream, consumer } = subject else { return None };
        self.consumers.iter().find(|known| known.id == consumer && known.stream == stream)
    }

    /// Whether it fails in this minute, or is as far behind as its alarm allows.
    fn unwell(&self, consumer: &ConsumerTruth<'_>, minute: usize) -> bool {
        let subject =
            Subject::Consumer { stream: consumer.stream.clone(), consumer: consumer.id.clone() };
        let allowed = 0.9 * self.policy(&subject).lag_alarm.get() * self.retention_seconds;
        consumer.failures.iter().any(|failure| failure.minutes.contains(&minute))
            || consumer.behind.get(minute).is_some_and(|behind| *behind >= allowed)
    }

    /// Nothing is told without a cause.
    fn causes(&self, subject: &Subject, told: &[&SentMessage]) -> Vec<String> {
        let opened = told.iter().filter(|sent| sent.message.occasion == Occasion::Opened);
        let baseless = opened.filter(|sent| {
            let at = sent.opened_at.as_second();
            match subject {
                Subject::Consumer { .. } => {
                    self.consumer(subject).is_none_or(|known| !self.is_failing(known, at))
                }
                Subject::Weir {
                    trouble:
                        Trouble::Withheld
                        | Trouble::Blind
                        | Trouble::NoMetrics
                        | Trouble::Refused
                        | Trouble::Lost,
                    ..
                } => {
                    let since = at - 60 * HOLDS_MINUTES;
                    !self.own_causes(subject).any(|cause| (since..=at + 60).contains(&cause))
                }
                Subject::Weir { .. } => true,
            }
        });
        let what = |sent: &&SentMessage| format!("told of {} without a cause", sent.incident);
        baseless.map(what).collect()
    }

    /// Whether a consumer fails at `at`, or failed so shortly before that it shows; lag that a
    /// reshard explains is no failure.
    fn is_failing(&self, consumer: &ConsumerTruth<'_>, at: Seconds) -> bool {
        let minute = self.minute_of(at);
        let before = |minutes: usize| minute.saturating_sub(minutes)..=minute;
        let failed = |failure: &InjectedFailure| {
            failure.minutes.start <= minute && minute <= failure.minutes.end + AFTERMATH_MINUTES
        };
        if consumer.failures.iter().any(failed) {
            return true;
        }
        // Where the ledger or the events are troubled, nobody may know of the reshard.
        let drains = !self.troubled
            && self.outage_minutes == 0
            && self.reshards(consumer, at - 60 * DRAIN_MINUTES..at + 1);
        !drains && before(WATCHED_MINUTES).any(|minute| self.unwell(consumer, minute))
    }

    fn reshards(&self, consumer: &ConsumerTruth<'_>, within: Range<Seconds>) -> bool {
        let mut reshards = consumer.run.reshards.iter();
        reshards.any(|reshard| within.contains(&reshard.effective_at.as_second()))
    }

    /// Failures that can be judged by themselves: long after the one before, on a stream that is
    /// written to and whose traffic does not hide how fast a consumer falls behind.
    fn judged_failures<'b>(
        &self,
        consumer: &ConsumerTruth<'b>,
    ) -> impl Iterator<Item = &'b InjectedFailure> {
        let (failures, run) = (consumer.failures, consumer.run);
        let managed = match self.policies.governing(consumer.stream) {
            Governance::By(policy) => policy.alerting().routing != AlertRouting::Off,
            Governance::Faulty | Governance::None => false,
        };
        // Alarms are there a few minutes after the start; where chance may hinder that, after
        // another sync.
        let from = if self.calm_start { 5 } else { 65 };
        failures.iter().filter(move |failure| {
            let Range { start, end } = failure.minutes;
            let alone = failures.iter().all(|other| {
                other == *failure
                    || other.minutes.end + AFTERMATH_MINUTES < start
                    || end + AFTERMATH_MINUTES < other.minutes.start
            });
            let Some(taken) = run.minutes.get(start..end) else { return false };
            let taken =
                taken.iter().map(|minute| minute.offered_records * (1.0 - minute.refused_share));
            let (least, most) =
                taken.fold((f64::MAX, 0.0_f64), |(least, most), n| (least.min(n), most.max(n)));
            managed && alone && start >= from && least > 0.0 && most <= 4.0 * least
        })
    }

    /// How soon a failure was told, and what was wrong with that.
    fn detection(
        &self,
        consumer: &ConsumerTruth<'_>,
        failure: &InjectedFailure,
        told: &[&SentMessage],
    ) -> (Detection, Vec<String>) {
        let (start, end) = (self.at(failure.minutes.start), self.at(failure.minutes.end));
        let until = self.at(failure.minutes.end + AFTERMATH_MINUTES);
        let during = || {
            let window = start..until;
            told.iter().filter(move |sent| window.contains(&sent.at.as_second()))
        };
        let after = |sent: Option<&&SentMessage>, from| sent.map(|sent| sent.at.as_second() - from);
        let detection = Detection {
            consumer: consumer.id.clone(),
            stream: consumer.stream.clone(),
            failure: failure.clone(),
            told_after: after(during().next(), start),
            paged_after: after(during().find(|sent| is_page(sent)), start),
            recovered_after: after(
                during().find(|sent| sent.message.occasion == Occasion::Recovered),
                end,
            ),
        };
        let mut broken = Vec::new();
        let (tell, page) = self.bounds(consumer, failure);
        let lasts = end - start;
        if lasts >= tell && detection.told_after.is_none_or(|after| after > tell) {
            broken.push(format!("{failure:?} not told within {tell} s"));
        }
        if lasts >= page && detection.paged_after.is_none_or(|after| after > page) {
            broken.push(format!("{failure:?} not paged within {page} s"));
        }
        let opens = |sent: &&&SentMessage| {
            let occasion = sent.message.occasion;
            is_page(sent) && matches!(occasion, Occasion::Opened | Occasion::Escalated)
        };
        let pages = during().filter(opens).count();
        if lasts >= page && pages > 1 {
            broken.push(format!("{failure:?} paged {pages} times"));
        }
        let over = |sent: &&&SentMessage| {
            let at = sent.at.as_second();
            sent.message.occasion == Occasion::Recovered && at < end && at > start + tell
        };
        if during().any(|sent| over(&sent)) {
            broken.push(format!("{failure:?} called over while it lasts"));
        }
        (detection, broken)
    }

    /// Seconds within which a failure is to be told, and to be paged.
    fn bounds(
        &self,
        consumer: &ConsumerTruth<'_>,
        failure: &InjectedFailure,
    ) -> (Seconds, Seconds) {
        let subject =
            Subject::Consumer { stream: consumer.stream.clone(), consumer: consumer.id.clone() };
        let policy = self.policy(&subject);
        #[allow(clippy::cast_possible_truncation)] // minutes of a day
        let seen = match failure.kind {
            // Three empty periods of five minutes.
            FailureKind::Gone | FailureKind::Stalled => 15,
            // It falls behind by 48 seconds a minute while traffic is even, and must be for five.
            FailureKind::Slow => {
                (policy.lag_alarm.get() * self.retention_seconds / 60.0 / 0.8 * 1.5) as i64 + 6
            }
            // Five of ten minutes with errors; a consumer without errors only falls behind.
            FailureKind::Poison => {
                (policy.lag_alarm.get() * self.retention_seconds / 60.0) as i64 + 6
            }
            // A quarter of an hour, for five minutes.
            FailureKind::Undelivered => 15 + 5,
        };
        let from = self.at(failure.minutes.start);
        let first = 60 * (seen + self.late_minutes + SENDING_MINUTES + self.trouble_minutes());
        // Lag is held back while a reshard explains it.
        let held = match self.reshards(consumer, from - 60 * DRAIN_MINUTES..from + first) {
            true => 60 * (DRAIN_MINUTES + SENDING_MINUTES),
            false => 0,
        };
        let told = first + held;
        let escalates = match policy.routing {
            AlertRouting::WhenActing | AlertRouting::Escalate => {
                i64::from(policy.page_after_minutes) + 1 + self.trouble_minutes()
            }
            AlertRouting::Page | AlertRouting::Notice | AlertRouting::Off => 0,
        };
        (told, told + 60 * escalates)
    }
}

#[cfg(test)]
mod tests;
