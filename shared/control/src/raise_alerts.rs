//! The loop raise-alerts: what alarms and Weir's own failures say becomes incidents, and incidents become
//! messages.
//!
//! An event makes it soon, the tick makes it sure: every minute the alarms themselves are read, so that a lost
//! event costs a minute. A message is written down before it is sent and struck off after: what was written
//! and not struck off is sent again, so none is lost, and one is sent twice only if its sender died, or its
//! answer got lost, in between. Not here: when something is told (`weir_core::incident`), in which words
//! (`message`).

pub mod facts;
mod rehearsal;

use std::collections::{BTreeMap, BTreeSet};

use weir_core::alarms::{AlarmPrefix, AlarmState};
use weir_core::incident::{Evidence, Fact, Incident, Message, Subject, step};
use weir_core::policy::{AlertPolicy, Governance, PolicySet};
use weir_core::reasons::SilenceReason;

use crate::incoming::{AlarmEvent, Incoming};
use crate::ledger::StoredIncident;
use crate::message::{Place, Story};
use crate::ports::{
    Clock, Failure, PortError, PortResult, ReadAlarmStates, ReadEvidence, ReadIncidents,
    RecordIncident, SendAlert,
};
use facts::Said;
pub use rehearsal::rehearsal;

/// Two runs on one incident are rare, three are chance; more than this is a fault, and the tick comes again.
const TRIES: u32 = 4;

/// Everything this loop needs.
pub trait Ports:
    Clock + ReadAlarmStates + ReadEvidence + ReadIncidents + RecordIncident + SendAlert
{
}

impl<P> Ports for P where
    P: Clock + ReadAlarmStates + ReadEvidence + ReadIncidents + RecordIncident + SendAlert
{
}

/// What an installation is set to.
#[derive(Clone, Copy, Debug)]
pub struct Installation<'a> {
    /// What the operators want.
    pub policies: &'a PolicySet,
    /// What its alarms' names begin with.
    pub prefix: &'a AlarmPrefix,
    /// Where it lives.
    pub place: &'a Place,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Report {
    /// Messages sent.
    pub sent: Vec<(Subject, Message)>,
    /// Failures of which nothing is said on purpose.
    pub held: Vec<(Subject, SilenceReason)>,
    /// Calls that failed; the next tick tries them again.
    pub troubles: Vec<PortError>,
}

/// Takes in one event. An error means it should be delivered again.
pub async fn on_event<P: Ports>(
    ports: &P,
    installation: Installation<'_>,
    event: &Incoming,
) -> PortResult<Report> {
    let mut report = Report::default();
    let prefix = installation.prefix;
    let said = match event {
        Incoming::Tick => return on_tick(ports, installation).await,
        Incoming::Alarm(alarm) => facts::of_alarm(prefix, alarm),
        Incoming::CapacityPlanned(planned) => facts::of_plan(prefix, planned),
        Incoming::ActionRefused(refused) => facts::of_refusal(prefix, refused),
        Incoming::ActionFailed(failed) => Some(facts::of_failure(prefix, failed)),
        Incoming::StreamResized(_) | Incoming::ModeSwitched(_) | Incoming::OperatorRequest(_) => {
            None
        }
    };
    if let Some((subject, fact)) = said {
        attend(ports, installation, &subject, &[fact], &mut report).await?;
    }
    Ok(report)
}

/// Reads what alarms say, and looks at every open incident: what was missed, what is due. One incident's
/// failure is its own; the next tick is the retry.
pub async fn on_tick<P: Ports>(ports: &P, installation: Installation<'_>) -> PortResult<Report> {
    let mut report = Report::default();
    let open = ports.open_incidents().await?;
    let mut said = match all_said(ports, installation, &open).await {
        Ok(said) => said,
        // Reminders and what was not sent are due all the same.
        Err(error) => {
            report.troubles.push(error);
            Vec::new()
        }
    };
    if installation.policies.has_faults() {
        said.push(facts::of_faulty_policies(installation.prefix, ports.now()));
    }
    let mut by_subject: BTreeMap<Subject, Vec<Fact>> =
        open.into_iter().map(|stored| (stored.incident.subject, Vec::new())).collect();
    for (subject, fact) in said {
        by_subject.entry(subject).or_default().push(fact);
    }
    for (subject, facts) in by_subject {
        if let Err(error) = attend(ports, installation, &subject, &facts, &mut report).await {
            report.troubles.push(error);
        }
    }
    Ok(report)
}

/// What every alarm says that is in ALARM, or that holds an incident open.
async fn all_said<P: Ports>(
    ports: &P,
    installation: Installation<'_>,
    open: &[StoredIncident],
) -> PortResult<Vec<Said>> {
    let asked_at = ports.now();
    let failing = ports.failing_alarms().await?;
    let seen: BTreeSet<&str> = failing.iter().map(|alarm| alarm.alarm_name.as_str()).collect();
    let silent: Vec<(&Subject, &Fact)> = open
        .iter()
        .flat_map(|stored| {
            let facts = stored.incident.facts.values();
            facts.map(|fact| (&stored.incident.subject, fact))
        })
        .filter(|(_, fact)| fact.state == AlarmState::Alarm && fact.holds_until.is_none())
        .filter(|(_, fact)| !seen.contains(fact.alarm.as_str()))
        .collect();
    let names: Vec<String> = silent.iter().map(|(_, fact)| fact.alarm.clone()).collect();
    let states = if names.is_empty() { Vec::new() } else { ports.alarm_states(&names).await? };
    let exist: BTreeSet<&str> = states.iter().map(|alarm| alarm.alarm_name.as_str()).collect();
    // An alarm that was deleted says nothing any more: its consumer is gone, or nobody wants to hear of it.
    let gone = silent.iter().filter(|(_, fact)| !exist.contains(fact.alarm.as_str())).map(
        |(subject, fact)| {
            let over = Fact { state: AlarmState::Ok, state_at: asked_at, ..(*fact).clone() };
            ((*subject).clone(), over)
        },
    );
    let told = |alarm: &AlarmEvent| facts::of_alarm(installation.prefix, alarm);
    let mut said: Vec<Said> = gone.collect();
    said.extend(failing.iter().chain(&states).filter_map(told));
    Ok(said)
}

/// Takes facts in, decides, remembers, sends.
async fn attend<P: Ports>(
    ports: &P,
    installation: Installation<'_>,
    subject: &Subject,
    facts: &[Fact],
    report: &mut Report,
) -> PortResult<()> {
    let policy = policy_of(installation.policies, subject);
    let mut evidence = None;
    for _ in 0..TRIES {
        let stored = ports.newest_incident(subject).await?;
        let now = ports.now();
        let before = stored.as_ref().map(|stored| &stored.incident);
        let open = before.is_some_and(|incident| incident.closed_at.is_none());
        let alarming = facts.iter().any(|fact| fact.failing(now));
        if evidence.is_none() && (open || alarming) {
            evidence = Some(ports.read_evidence(subject, now).await);
        }
        let known = evidence.clone().unwrap_or_default();
        let decided = step(before, subject, facts, &known, policy, now);
        let Some(mut incident) = decided.incident else { return Ok(()) };
        let mut send = incident.take_overdue(now);
        send.extend(decided.send);
        if before == Some(&incident) {
            report.held.extend(decided.held.map(|reason| (subject.clone(), reason)));
            return Ok(());
        }
        let read_at = stored.as_ref().map(|stored| stored.version);
        let Some(version) = ports.record_incident(&incident, read_at).await? else { continue };
        report.held.extend(decided.held.map(|reason| (subject.clone(), reason)));
        let outbox = Outbox { installation, policy, evidence: &known };
        return outbox.send(ports, incident, version, &send, report).await;
    }
    Err(too_many_at_once(subject))
}

/// The policy of the subject's stream; the usual one where there is none.
fn policy_of<'a>(policies: &'a PolicySet, subject: &Subject) -> &'a AlertPolicy {
    const USUAL: &AlertPolicy = &AlertPolicy::DEFAULT;
    match subject.stream().map(|stream| policies.governing(stream)) {
        Some(Governance::By(policy)) => &policy.alerts,
        Some(Governance::None | Governance::Faulty) | None => USUAL,
    }
}

struct Outbox<'a> {
    installation: Installation<'a>,
    policy: &'a AlertPolicy,
    evidence: &'a Evidence,
}

impl Outbox<'_> {
    /// Sends what was written down, and strikes each off before the next: a run that dies makes one message
    /// come again, not all.
    async fn send<P: Ports>(
        &self,
        ports: &P,
        mut incident: Incident,
        mut version: u64,
        messages: &[Message],
        report: &mut Report,
    ) -> PortResult<()> {
        for message in messages {
            let sent = match self.send_one(ports, &incident, message).await {
                Ok(()) => {
                    report.sent.push((incident.subject.clone(), *message));
                    true
                }
                // It may have arrived; it is sent again when its time is up.
                Err(error) if error.failure == Failure::AnswerLost => {
                    report.troubles.push(error);
                    continue;
                }
                Err(error) => {
                    report.troubles.push(error);
                    false
                }
            };
            let noted = strike_off(ports, incident, version, message.number, sent).await?;
            let Some((newest, at)) = noted else { return Ok(()) };
            (incident, version) = (newest, at);
        }
        Ok(())
    }

    async fn send_one<P: Ports>(
        &self,
        ports: &P,
        incident: &Incident,
        message: &Message,
    ) -> PortResult<()> {
        let story = Story {
            incident,
            message,
            evidence: self.evidence,
            place: self.installation.place,
            repeat_minutes: self.policy.repeat_page_minutes,
        };
        let alert = story.tell().map_err(untold)?;
        ports.send_alert(&alert).await
    }
}

/// Writes down whether a message was sent. What somebody else wrote meanwhile is kept; `None` when the incident
/// is not the newest any more.
async fn strike_off<P: Ports>(
    ports: &P,
    mut incident: Incident,
    mut version: u64,
    number: u32,
    sent: bool,
) -> PortResult<Option<(Incident, u64)>> {
    for _ in 0..TRIES {
        match sent {
            true => incident.note_sent(number),
            false => incident.note_failed(number),
        }
        if let Some(version) = ports.record_incident(&incident, Some(version)).await? {
            return Ok(Some((incident, version)));
        }
        let newest = ports.newest_incident(&incident.subject).await?;
        let same = newest.filter(|stored| stored.incident.opened_at == incident.opened_at);
        let Some(stored) = same else { return Ok(None) };
        (incident, version) = (stored.incident, stored.version);
    }
    Err(too_many_at_once(&incident.subject))
}

fn untold(error: serde_json::Error) -> PortError {
    PortError {
        operation: "writing a message",
        failure: Failure::Invalid,
        message: error.to_string(),
        source: Some(Box::new(error)),
    }
}

fn too_many_at_once(subject: &Subject) -> PortError {
    PortError {
        operation: "recording an incident",
        failure: Failure::Busy,
        message: format!("{subject} was changed by others {TRIES} times over"),
        source: None,
    }
}
