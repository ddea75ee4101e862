//! The loop raise-alerts: what alarms and Weir's own failures say becomes incidents, and incidents
//! become messages.
//!
//! Level-triggered: events are hints, and every minute the alarms themselves are read, so that a
//! lost event costs a minute. A message is written down before it is sent and marked as sent after:
//! what was written and not marked is sent again, so none is lost, and one is sent twice only if
//! its sender died, or its answer got lost, in between. Not here: when something is told
//! (`weir_core::incident`), in which words (`notification`).

pub mod facts;
mod test_alert;

use std::collections::{BTreeMap, BTreeSet};

use weir_core::alarms::{AlarmPrefix, AlarmState};
use weir_core::incident::{Evidence, Fact, Incident, Message, Subject, step, wants_evidence};
use weir_core::policy::{AlertPolicy, Governance, PolicySet};
use weir_core::reasons::{SilenceReason, SkipReason};

use crate::answer::{Answer, RedeliverOn};
use crate::incoming::{AlarmEvent, Incoming};
use crate::installation::{Installation, Place};
use crate::ledger::StoredIncident;
use crate::notification::MessageContext;
use crate::ports::{
    Clock, Failure, PortError, PortResult, ReadAlarmStates, ReadEvidence, ReadIncidents,
    RecordIncident, SendNotification,
};
use facts::Finding;
pub use test_alert::test_alert;

/// Two runs on one incident are rare, three are chance; more than this is a fault, and the tick
/// comes again.
const TRIES: u32 = 4;

/// Everything this loop needs.
pub trait AlertPorts:
    Clock + ReadAlarmStates + ReadEvidence + ReadIncidents + RecordIncident + SendNotification
{
}

impl<P> AlertPorts for P where
    P: Clock + ReadAlarmStates + ReadEvidence + ReadIncidents + RecordIncident + SendNotification
{
}

/// What a run did.
#[derive(Debug, Default)]
pub struct AlertReport {
    /// Messages sent.
    pub sent: Vec<(Subject, Message)>,
    /// Failures of which nothing is said on purpose.
    pub held: Vec<(Subject, SilenceReason)>,
    /// Calls that failed; the next tick tries them again.
    pub failed_calls: Vec<PortError>,
}

/// What this loop knows of the installation, its place included.
#[derive(Clone, Copy)]
struct Context<'a> {
    policies: &'a PolicySet,
    prefix: &'a AlarmPrefix,
    place: &'a Place,
}

/// Handles one event. What an event leaves undone is done by the next tick. A tick that leaves
/// something undone fails as a whole: if no tick gets it done, only the alarm on failing ticks is
/// left to say so.
pub async fn on_event<P: AlertPorts>(
    ports: &P,
    installation: &Installation,
    event: &Incoming,
) -> Answer<AlertReport> {
    if !event.is_here(installation.place.as_ref()) {
        return Answer::skipped(SkipReason::NotForUs);
    }
    let ticked = *event == Incoming::Tick;
    match run(ports, installation, event).await {
        Ok(report) => {
            let redeliver = if ticked { RedeliverOn::AnyFailure } else { RedeliverOn::Nothing }
                .first(&report.failed_calls);
            Answer::done(report, redeliver)
        }
        Err(error) => {
            let redeliver = if ticked { RedeliverOn::AnyFailure } else { RedeliverOn::Retryable };
            Answer::failed(error, redeliver)
        }
    }
}

async fn run<P: AlertPorts>(
    ports: &P,
    installation: &Installation,
    event: &Incoming,
) -> PortResult<AlertReport> {
    let Installation { policies, alarm_prefix: prefix, .. } = installation;
    let place = installation.place.as_ref().ok_or_else(no_place)?;
    let context = Context { policies, prefix, place };
    let finding = match event {
        Incoming::Tick => return on_tick(ports, context).await,
        Incoming::Alarm(alarm) => facts::of_alarm(prefix, alarm),
        Incoming::CapacityPlanned(planned) => facts::of_plan(prefix, planned),
        Incoming::ActionRefused(refused) => facts::of_refusal(prefix, refused),
        Incoming::ActionFailed(failed) => Some(facts::of_failure(prefix, failed)),
        Incoming::StreamResized(_) | Incoming::ModeSwitched(_) | Incoming::OperatorRequest(_) => {
            None
        }
    };
    let mut report = AlertReport::default();
    if let Some((subject, fact)) = finding {
        process(ports, context, &subject, &[fact], &mut report).await?;
    }
    Ok(report)
}

/// Reads what alarms say, and looks at every open incident: what was missed, what is due. One
/// incident's failure is its own; the next tick is the retry.
async fn on_tick<P: AlertPorts>(ports: &P, context: Context<'_>) -> PortResult<AlertReport> {
    let mut report = AlertReport::default();
    let open = ports.open_incidents().await?;
    let mut findings = match alarm_findings(ports, context, &open).await {
        Ok(findings) => findings,
        // Reminders and what was not sent are due all the same.
        Err(error) => {
            report.failed_calls.push(error);
            Vec::new()
        }
    };
    if context.policies.has_faults() {
        findings.push(facts::of_faulty_policies(context.prefix, ports.now()));
    }
    let mut by_subject: BTreeMap<Subject, Vec<Fact>> =
        open.into_iter().map(|stored| (stored.incident.subject, Vec::new())).collect();
    for (subject, fact) in findings {
        by_subject.entry(subject).or_default().push(fact);
    }
    for (subject, facts) in by_subject {
        if let Err(error) = process(ports, context, &subject, &facts, &mut report).await {
            report.failed_calls.push(error);
        }
    }
    Ok(report)
}

/// What every alarm says that is in ALARM, or that holds an incident open.
async fn alarm_findings<P: AlertPorts>(
    ports: &P,
    context: Context<'_>,
    open: &[StoredIncident],
) -> PortResult<Vec<Finding>> {
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
    // An alarm that was deleted says nothing any more: its consumer is gone, or nobody wants to
    // hear of it.
    let gone = silent.iter().filter(|(_, fact)| !exist.contains(fact.alarm.as_str())).map(
        |(subject, fact)| {
            let over = Fact { state: AlarmState::Ok, state_at: asked_at, ..(*fact).clone() };
            ((*subject).clone(), over)
        },
    );
    let told = |alarm: &AlarmEvent| facts::of_alarm(context.prefix, alarm);
    let mut findings: Vec<Finding> = gone.collect();
    findings.extend(failing.iter().chain(&states).filter_map(told));
    Ok(findings)
}

/// Processes facts about one subject: decides, records, sends.
async fn process<P: AlertPorts>(
    ports: &P,
    context: Context<'_>,
    subject: &Subject,
    facts: &[Fact],
    report: &mut AlertReport,
) -> PortResult<()> {
    let policy = &policy_of(context.policies, subject);
    let mut evidence = None;
    for _ in 0..TRIES {
        let stored = ports.newest_incident(subject).await?;
        let now = ports.now();
        let before = stored.as_ref().map(|stored| &stored.incident);
        if evidence.is_none() && wants_evidence(before, subject, facts, policy, now) {
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
        let outbox = Outbox { context, policy, evidence: &known };
        return outbox.send(ports, incident, version, &send, report).await;
    }
    Err(too_many_at_once(subject))
}

/// The policy of the subject's stream; the usual one where there is none.
fn policy_of(policies: &PolicySet, subject: &Subject) -> AlertPolicy {
    match subject.stream().map(|stream| policies.governing(stream)) {
        Some(Governance::By(policy)) => policy.alerting(),
        Some(Governance::None | Governance::Faulty) | None => AlertPolicy::DEFAULT,
    }
}

struct Outbox<'a> {
    context: Context<'a>,
    policy: &'a AlertPolicy,
    evidence: &'a Evidence,
}

impl Outbox<'_> {
    /// Sends what was written down, and marks each as sent before the next: a run that dies makes
    /// one message come again, not all.
    async fn send<P: AlertPorts>(
        &self,
        ports: &P,
        mut incident: Incident,
        mut version: u64,
        messages: &[Message],
        report: &mut AlertReport,
    ) -> PortResult<()> {
        for message in messages {
            let sent = match self.send_one(ports, &incident, message).await {
                Ok(()) => {
                    report.sent.push((incident.subject.clone(), *message));
                    true
                }
                // It may have arrived; it is sent again when its time is up.
                Err(error) if error.failure == Failure::AnswerLost => {
                    report.failed_calls.push(error);
                    continue;
                }
                Err(error) => {
                    report.failed_calls.push(error);
                    false
                }
            };
            let noted = mark_sent(ports, incident, version, message.number, sent).await?;
            let Some((newest, at)) = noted else { return Ok(()) };
            (incident, version) = (newest, at);
        }
        Ok(())
    }

    async fn send_one<P: AlertPorts>(
        &self,
        ports: &P,
        incident: &Incident,
        message: &Message,
    ) -> PortResult<()> {
        let context = MessageContext {
            incident,
            message,
            evidence: self.evidence,
            place: self.context.place,
            repeat_minutes: self.policy.repeat_page_minutes,
        };
        let alert = context.render().map_err(unwritten)?;
        ports.send_notification(&alert).await
    }
}

/// Writes down whether a message was sent. What somebody else wrote meanwhile is kept; `None` when
/// the incident is not the newest any more.
async fn mark_sent<P: AlertPorts>(
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

fn unwritten(error: serde_json::Error) -> PortError {
    PortError {
        operation: "writing a message",
        failure: Failure::Invalid,
        message: error.to_string(),
        source: Some(Box::new(error)),
    }
}

fn no_place() -> PortError {
    PortError {
        operation: "reading the installation's place",
        failure: Failure::Invalid,
        message: "no topics are set, so account and region are not known".to_owned(),
        source: None,
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
