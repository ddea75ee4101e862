//! One step of an incident: facts are taken in, then it is decided what to tell.
//!
//! Facts only ever replace older ones, so their order and repetition do not matter; what is told is
//! decided from what is known and when it was told last, so a step may be repeated at will. Not
//! here: the words.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::evidence::DRAIN_AT_MOST;
use super::{Evidence, Fact, Incident, Message, Occasion, Sign, Subject, Symptom, Trouble, Unsent};
use crate::policy::{AlertPolicy, AlertRouting, Severity};
use crate::reasons::SilenceReason;

/// Everything must have been well for so long before recovery is told; twice as long with each
/// relapse.
const SETTLE_MINUTES: i64 = 5;
const SETTLE_MINUTES_MAX: i64 = 60;
/// What a lag alarm takes to go off, late metrics included: where a consumer does not say how far
/// behind it is, this much longer is waited.
const LAG_ALARM: SignedDuration = SignedDuration::from_mins(15);
/// An incident that begins within this time after another of the same subject is a relapse.
const RELAPSE_WITHIN: SignedDuration = SignedDuration::from_hours(6);
/// A stream without metrics is told of when it has been so for this long: a new one has none in its
/// first minutes.
const NO_METRICS_MINUTES: i64 = 15;
/// A failure that is no more than a notice is told again once a day.
const REPEAT_NOTICE: SignedDuration = SignedDuration::from_hours(24);

/// Where nothing is said in any case, evidence is read this often: little time left makes a page of
/// a notice, and a consumer that has caught up ends the incident sooner.
const EVIDENCE_EVERY_SECONDS: i64 = 600;
/// Steps come a minute apart, or a little more.
const STEP_SECONDS: i64 = 90;

/// What a step came to.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The incident after it; `None` when there is and was none.
    pub incident: Option<Incident>,
    /// What is to be sent now. It stands in the incident too, until it is known to be sent.
    pub send: Vec<Message>,
    /// Why nothing is said of a failure that lasts, where that is on purpose.
    pub held: Option<SilenceReason>,
}

/// Takes in `facts` about `subject`, all of them about it, and decides what to tell. `before` is
/// its newest incident, open or closed.
pub fn step(
    before: Option<&Incident>,
    subject: &Subject,
    facts: &[Fact],
    evidence: &Evidence,
    policy: &AlertPolicy,
    now: Timestamp,
) -> Step {
    let Some(mut incident) = apply_facts(before, subject, facts, now) else {
        return Step { incident: None, send: Vec::new(), held: None };
    };
    if incident.closed_at.is_some() {
        return Step { incident: Some(incident), send: Vec::new(), held: None };
    }
    let (tell, held) = match incident.well_since(now) {
        Some(well_since) => (recovery(&mut incident, well_since, evidence, policy, now), None),
        None => failure(&mut incident, evidence, policy, now),
    };
    let send: Vec<Message> = tell
        .into_iter()
        .map(|(occasion, severity)| incident.tell(occasion, severity, now))
        .collect();
    Step { incident: Some(incident), send, held }
}

/// Whether evidence can make a difference to what `step` says now. Reading it costs, and most steps
/// of an incident that lasts say nothing: without evidence they are the same.
pub fn wants_evidence(
    before: Option<&Incident>,
    subject: &Subject,
    facts: &[Fact],
    policy: &AlertPolicy,
    now: Timestamp,
) -> bool {
    let blind = step(before, subject, facts, &Evidence::default(), policy, now);
    let Some(incident) = blind.incident else { return false };
    if !incident.unsent.is_empty() {
        return true; // something is said, now or again, and its words need it
    }
    let waits_since = match incident.well_since(now) {
        _ if incident.closed_at.is_some() => None,
        Some(well_since) => Some(well_since + settle(&incident)),
        None if policy.routing == AlertRouting::Notice
            || incident.told() != Some(Severity::Notice) =>
        {
            None
        }
        None => incident.noticed_at,
    };
    let waited = waits_since.map(|since| now.duration_since(since).as_secs());
    waited.is_some_and(|waited| waited >= 0 && waited % EVIDENCE_EVERY_SECONDS < STEP_SECONDS)
}

/// The incident with these facts taken in: the one there is, or a new one if a closed one or none
/// was there and something fails.
fn apply_facts(
    before: Option<&Incident>,
    subject: &Subject,
    facts: &[Fact],
    now: Timestamp,
) -> Option<Incident> {
    let mut known = before.map(|incident| incident.facts.clone()).unwrap_or_default();
    for fact in facts.iter().filter(|fact| fact.speaks()) {
        match known.get(&fact.alarm) {
            Some(held) if !held.gives_way_to(fact) => {}
            _ => {
                known.insert(fact.alarm.clone(), fact.clone());
            }
        }
    }
    // One whose end is not yet told goes first: a new one would take its place in the ledger.
    if let Some(open) = before.filter(|incident| incident.is_open()) {
        return Some(Incident { facts: known, ..open.clone() });
    }
    let first = known
        .values()
        .filter(|fact| fact.failing(now))
        .min_by_key(|fact| (fact.state_at, &fact.alarm))
        .map(|fact| (fact.alarm.clone(), fact.state_at));
    let Some((lead, opened_at)) = first else {
        return remembered(before, subject, known, now);
    };
    let relapse = before.filter(|closed| {
        closed.told().is_some()
            && closed.closed_at.is_some_and(|at| opened_at.duration_since(at) < RELAPSE_WITHIN)
    });
    let flaps = relapse.map_or(0, |closed| closed.flaps + 1);
    Some(Incident { flaps, ..Incident::new(subject, lead, opened_at, known) })
}

/// What is kept when nothing fails: an end that overtook its beginning must be known when that
/// comes in.
fn remembered(
    before: Option<&Incident>,
    subject: &Subject,
    known: BTreeMap<String, Fact>,
    now: Timestamp,
) -> Option<Incident> {
    if let Some(closed) = before {
        return Some(Incident { facts: known, ..closed.clone() });
    }
    let (alarm, at) = known.values().next().map(|fact| (fact.alarm.clone(), fact.state_at))?;
    Some(Incident { closed_at: Some(now), ..Incident::new(subject, alarm, at, known) })
}

type Tell = Vec<(Occasion, Severity)>;

/// Recovery is always told, to all who were told of the failure; and not while a consumer whose
/// alarms are quiet is hours behind all the same, because its lag alarm takes minutes to go off.
fn recovery(
    incident: &mut Incident,
    well_since: Timestamp,
    evidence: &Evidence,
    policy: &AlertPolicy,
    now: Timestamp,
) -> Tell {
    let settle = match standing(incident, evidence, policy, now) {
        Standing::Behind => return Tell::new(),
        Standing::CaughtUp => settle(incident),
        Standing::Unknown => settle(incident) + LAG_ALARM,
    };
    if now.duration_since(well_since) < settle {
        return Tell::new();
    }
    incident.closed_at = Some(now);
    let told = [
        (incident.paged_at.is_some(), Severity::Page),
        (incident.noticed_at.is_some(), Severity::Notice),
    ];
    told.into_iter().filter(|(told, _)| *told).map(|(_, s)| (Occasion::Recovered, s)).collect()
}

/// How long everything must have been well.
fn settle(incident: &Incident) -> SignedDuration {
    let minutes = (SETTLE_MINUTES << incident.flaps.min(8)).min(SETTLE_MINUTES_MAX);
    SignedDuration::from_mins(minutes)
}

/// What a consumer whose alarms are quiet says of itself.
enum Standing {
    CaughtUp,
    Behind,
    Unknown,
}

fn standing(
    incident: &Incident,
    evidence: &Evidence,
    policy: &AlertPolicy,
    now: Timestamp,
) -> Standing {
    if incident.told().is_none() || matches!(incident.subject, Subject::Weir { .. }) {
        return Standing::CaughtUp; // nobody waits for it, or there is nothing to catch up with
    }
    let outlook = evidence.outlook(incident.opened_at, now);
    match outlook.used().filter(|_| !outlook.at_least) {
        None => Standing::Unknown,
        Some(used) if used >= policy.lag_alarm.get() => Standing::Behind,
        Some(_) => Standing::CaughtUp,
    }
}

/// What is told of a failure that lasts, or why nothing is.
fn failure(
    incident: &mut Incident,
    evidence: &Evidence,
    policy: &AlertPolicy,
    now: Timestamp,
) -> (Tell, Option<SilenceReason>) {
    if policy.routing == AlertRouting::Off {
        return (Tell::new(), Some(SilenceReason::AlertsOff));
    }
    if is_draining(incident, evidence, policy, now) {
        incident.held_since.get_or_insert(now);
        return (Tell::new(), Some(SilenceReason::DrainAfterReshard));
    }
    if incident.told().is_none() && incident.may_be_new_stream() {
        return (Tell::new(), None);
    }
    let since = |told: Option<Timestamp>| told.map(|at| now.duration_since(at));
    let tell = match (incident.severity(evidence, policy, now), incident.told()) {
        (severity, None) => Some((Occasion::Opened, severity)),
        (Severity::Page, Some(Severity::Notice)) => Some((Occasion::Escalated, Severity::Page)),
        // Once paged, always paged: the pager holds the incident open until it is over.
        (_, Some(Severity::Page)) => since(incident.paged_at)
            .filter(|_| incident.unsent.is_empty())
            .filter(|since| *since >= policy.repeat_page())
            .map(|_| (Occasion::Reminder, Severity::Page)),
        (Severity::Notice, Some(Severity::Notice)) => since(incident.noticed_at)
            .filter(|since| *since >= REPEAT_NOTICE && !incident.failing(now).all(unwatched))
            .map(|_| (Occasion::Reminder, Severity::Notice)),
    };
    (tell.into_iter().collect(), None)
}

/// What never changes by itself is told once.
fn unwatched(fact: &Fact) -> bool {
    fact.sign == Sign::Consumer(Symptom::Unwatched)
}

/// Whether the consumer does nothing but read through what a reshard left in the parent shards.
/// Held back only before anything was said, only while there is time, and not for ever.
fn is_draining(
    incident: &Incident,
    evidence: &Evidence,
    policy: &AlertPolicy,
    now: Timestamp,
) -> bool {
    let Some(resharded_at) = evidence.drains_since(now) else { return false };
    let only_behind = incident
        .failing(now)
        .all(|fact| fact.sign == Sign::Consumer(Symptom::Lag) && fact.state_at >= resharded_at);
    let held_long = incident.held_since.is_some_and(|at| now.duration_since(at) >= DRAIN_AT_MOST);
    let time_left = evidence
        .outlook(incident.opened_at, now)
        .life_left()
        .is_none_or(|left| left > policy.page_at_life.get());
    incident.told().is_none() && only_behind && !held_long && time_left
}

impl Incident {
    /// How urgent it is at `now`.
    fn severity(&self, evidence: &Evidence, policy: &AlertPolicy, now: Timestamp) -> Severity {
        let only_noticed = |fact: &Fact| match (fact.sign, &self.subject) {
            // Nothing is lost by throttling alone; if it hurts, lag follows. Nor by not being
            // watched.
            (Sign::Consumer(symptom), _) => {
                matches!(symptom, Symptom::Throttles | Symptom::Unwatched)
            }
            (Sign::Weir(_), Subject::Weir { trouble, .. }) => trouble.only_noticed(),
            (Sign::Weir(_), Subject::Consumer { .. }) => false,
        };
        if policy.routing == AlertRouting::Notice || self.failing(now).all(only_noticed) {
            return Severity::Notice;
        }
        let loses = |fact: &Fact| fact.sign == Sign::Consumer(Symptom::Dropped);
        let little_left = || {
            matches!(self.subject, Subject::Consumer { .. })
                && evidence
                    .outlook(self.opened_at, now)
                    .life_left()
                    .is_some_and(|left| left <= policy.page_at_life.get())
        };
        let lasts = || now.duration_since(self.opened_at) >= policy.page_after();
        if policy.routing == AlertRouting::Page
            || self.failing(now).any(loses)
            || lasts()
            || little_left()
        {
            Severity::Page
        } else {
            Severity::Notice
        }
    }

    /// Whether nothing more is known than that a stream had no metrics for a few minutes.
    fn may_be_new_stream(&self) -> bool {
        let about = matches!(self.subject, Subject::Weir { trouble: Trouble::NoMetrics, .. });
        let newest = self.facts.values().map(|fact| fact.state_at).max();
        let confirmed = newest.is_some_and(|at| {
            at.duration_since(self.opened_at) >= SignedDuration::from_mins(NO_METRICS_MINUTES)
        });
        about && !confirmed
    }

    fn tell(&mut self, occasion: Occasion, severity: Severity, now: Timestamp) -> Message {
        self.messages += 1;
        let message = Message { number: self.messages, occasion, severity, at: now };
        self.unsent.push(Unsent { message, begun_at: Some(now) });
        match severity {
            Severity::Page => self.paged_at = Some(now),
            Severity::Notice => self.noticed_at = Some(now),
        }
        message
    }
}

#[cfg(test)]
mod tests;
