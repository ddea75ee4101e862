//! A row for every rule of a step: where it holds, where it does not, and what goes before it.

use super::super::{LagPoint, Trouble};
use super::*;
use crate::alarms::AlarmState;
use crate::consumer::{ConsumerId, ConsumerKind, ConsumerName};
use crate::units::{Share, StreamName};

use Occasion::{Escalated, Opened, Recovered, Reminder};
use Severity::{Notice, Page};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).expect("a time")
}

fn consumer() -> Subject {
    let name = ConsumerName::new("billing").expect("a name");
    let stream = StreamName::new("orders").expect("a name");
    Subject::Consumer { stream, consumer: ConsumerId::of(ConsumerKind::Lambda, &name) }
}

/// A consumer of a stream that keeps records for a day, so many hours behind.
fn behind(hours: f64) -> Evidence {
    Evidence {
        retention_hours: Some(24),
        lag: vec![LagPoint { at: at(100_000), seconds: hours * 3_600.0 }],
        ..Evidence::default()
    }
}

/// What was put in: an alarm of this kind since minute 0 until it ends, and what is known beside
/// it.
#[derive(Clone)]
struct Row {
    subject: Subject,
    sign: Sign,
    evidence: Evidence,
    policy: AlertPolicy,
    ends: Option<i64>,
}

fn row(symptom: Symptom) -> Row {
    Row {
        subject: consumer(),
        sign: Sign::Consumer(symptom),
        evidence: behind(1.0),
        policy: AlertPolicy::DEFAULT,
        ends: None,
    }
}

impl Row {
    fn routing(mut self, routing: AlertRouting) -> Row {
        self.policy.routing = routing;
        self
    }

    fn evidence(mut self, evidence: Evidence) -> Row {
        self.evidence = evidence;
        self
    }

    fn ends(mut self, minute: i64) -> Row {
        self.ends = Some(minute);
        self
    }

    fn fact(&self, state: AlarmState, minute: i64) -> Fact {
        Fact {
            alarm: "alarm".to_owned(),
            sign: self.sign,
            state,
            state_at: at(minute),
            holds_until: None,
            watched: None,
        }
    }

    /// What each of these minutes tells, and what is held back at the last of them.
    fn told(&self, minutes: &[i64]) -> (Vec<(i64, Occasion, Severity)>, Option<SilenceReason>) {
        let (mut incident, mut told, mut held): (Option<Incident>, _, _) = (None, Vec::new(), None);
        for minute in minutes {
            let mut facts = vec![self.fact(AlarmState::Alarm, 0)];
            facts.extend(
                self.ends.filter(|end| end <= minute).map(|end| self.fact(AlarmState::Ok, end)),
            );
            let (before, now) = (incident.as_ref(), at(*minute));
            let step = step(before, &self.subject, &facts, &self.evidence, &self.policy, now);
            told.extend(step.send.iter().map(|m| (*minute, m.occasion, m.severity)));
            (incident, held) = (step.incident, step.held);
            for message in &step.send {
                incident.as_mut().expect("an incident").note_sent(message.number);
            }
        }
        (told, held)
    }
}

fn check(
    what: &str,
    row: Row,
    minutes: &[i64],
    expected: &[(i64, Occasion, Severity)],
    held: Option<SilenceReason>,
) {
    assert_eq!(row.told(minutes), (expected.to_vec(), held), "{what}");
}

#[test]
fn what_is_held_back() {
    use SilenceReason::{AlertsOff, DrainAfterReshard};
    let drains = |hours| Evidence { resharded_at: Some(at(-10)), ..behind(hours) };
    let off = row(Symptom::Lag).routing(AlertRouting::Off);
    check("nothing is to be told", off.clone(), &[0, 40], &[], Some(AlertsOff));
    let lag = || row(Symptom::Lag).evidence(drains(1.0));
    check("off, before the drain", off.evidence(drains(1.0)), &[0], &[], Some(AlertsOff));
    check("a drain", lag(), &[0, 49], &[], Some(DrainAfterReshard));
    check("an hour after the reshard", lag(), &[0, 50], &[(50, Opened, Page)], None);
    check(
        "errors are no drain",
        row(Symptom::Errors).evidence(drains(1.0)),
        &[0],
        &[(0, Opened, Notice)],
        None,
    );
    let little_left = row(Symptom::Lag).evidence(drains(12.0));
    check("no drain where time is short", little_left, &[0], &[(0, Opened, Page)], None);
    let before = Evidence { resharded_at: Some(at(1)), ..behind(1.0) };
    check(
        "lag from before the reshard",
        row(Symptom::Lag).evidence(before),
        &[2],
        &[(2, Opened, Notice)],
        None,
    );
}

#[test]
fn how_urgent_it_is() {
    let first = |row: Row, minute| row.told(&[minute]).0.first().map(|(_, _, severity)| *severity);
    let urgency = |what: &str, row: Row, minute, expected| {
        assert_eq!(first(row, minute), Some(expected), "{what}");
    };
    urgency("just begun", row(Symptom::Lag), 0, Notice);
    urgency("lasts", row(Symptom::Lag), 30, Page);
    urgency("not yet", row(Symptom::Lag), 29, Notice);
    urgency("half of the records' life is gone", row(Symptom::Lag).evidence(behind(12.0)), 0, Page);
    urgency("nearly", row(Symptom::Lag).evidence(behind(11.9)), 0, Notice);
    urgency("records are lost", row(Symptom::Dropped), 0, Page);
    urgency("throttles alone, however long", row(Symptom::Throttles), 300, Notice);
    urgency("told to page at once", row(Symptom::Lag).routing(AlertRouting::Page), 0, Page);
    urgency("notices only", row(Symptom::Dropped).routing(AlertRouting::Notice), 300, Notice);
    let throttled = row(Symptom::Throttles).routing(AlertRouting::Page);
    urgency("what is only noticed, before that", throttled, 0, Notice);
    let own = |trouble, reason| Row {
        subject: Subject::Weir { trouble, stream: None },
        sign: Sign::Weir(reason),
        ..row(Symptom::Lag)
    };
    use crate::reasons::Reason::MetricsUnreadable;
    urgency("a blind planner that lasts", own(Trouble::Blind, MetricsUnreadable), 30, Page);
}

#[test]
fn what_is_told_again() {
    let long = row(Symptom::Lag);
    check(
        "a notice, a page, no more",
        long.clone(),
        &[0, 29, 30, 89],
        &[(0, Opened, Notice), (30, Escalated, Page)],
        None,
    );
    check(
        "each hour of a page",
        long,
        &[0, 30, 89, 90, 149, 150],
        &[(0, Opened, Notice), (30, Escalated, Page), (90, Reminder, Page), (150, Reminder, Page)],
        None,
    );
    check(
        "each day of a notice",
        row(Symptom::Throttles),
        &[0, 1_439, 1_440],
        &[(0, Opened, Notice), (1_440, Reminder, Notice)],
        None,
    );
    // Less urgent later: the pager holds it open until it is over.
    let mut eased = row(Symptom::Lag).evidence(behind(13.0));
    eased.policy.page_at_life = Share::percent(50).expect("a share");
    check(
        "once paged, always paged",
        eased,
        &[0, 60],
        &[(0, Opened, Page), (60, Reminder, Page)],
        None,
    );
}

#[test]
fn when_it_is_over() {
    let ended = || row(Symptom::Lag).ends(10);
    let caught_up = behind(0.0);
    let opened = (0, Opened, Notice);
    check(
        "well for five minutes",
        ended().evidence(caught_up.clone()),
        &[0, 14, 15],
        &[opened, (15, Recovered, Notice)],
        None,
    );
    check(
        "where nothing says how far behind",
        ended().evidence(Evidence::default()),
        &[0, 29, 30],
        &[opened, (30, Recovered, Notice)],
        None,
    );
    let still = ended().evidence(behind(2.0));
    check("not while it is behind all the same", still, &[0, 15, 300], &[opened], None);
    let paged = ended().ends(40).evidence(caught_up);
    check(
        "to all who were told",
        paged,
        &[0, 30, 45],
        &[opened, (30, Escalated, Page), (45, Recovered, Page), (45, Recovered, Notice)],
        None,
    );
    let silent = row(Symptom::Lag).routing(AlertRouting::Off).ends(10);
    check("to nobody who was not", silent, &[0, 15, 300], &[], None);
}

#[test]
fn a_stream_without_metrics_is_told_of_when_it_stays_so() {
    let stream = StreamName::new("orders").ok();
    let subject = Subject::Weir { trouble: Trouble::NoMetrics, stream };
    // A plan that finds no metrics counts for twenty minutes.
    let told = |plans: &[i64], now: i64| {
        let fact = |minute: &i64| Fact {
            alarm: "alarm".to_owned(),
            sign: Sign::Weir(crate::reasons::Reason::NoMetrics),
            state: AlarmState::Alarm,
            state_at: at(*minute),
            holds_until: Some(at(minute + 20)),
            watched: None,
        };
        let (mut incident, mut told) = (None, 0);
        for minute in plans.iter().chain([&now]) {
            let seen: Vec<Fact> = plans.iter().filter(|at| *at <= minute).map(fact).collect();
            let (evidence, policy) = (Evidence::default(), AlertPolicy::DEFAULT);
            let step = step(incident.as_ref(), &subject, &seen, &evidence, &policy, at(*minute));
            told += step.send.len();
            assert!(step.send.iter().all(|message| message.severity == Notice), "whatever lasts");
            incident = step.incident;
        }
        (told, incident.is_some_and(|incident| incident.closed_at.is_some()))
    };
    assert_eq!(told(&[0], 19), (0, false), "a new stream, looked at once");
    assert_eq!(told(&[0, 5], 31), (0, true), "and well since");
    assert_eq!(told(&[0, 5, 10, 15], 15), (1, false), "a quarter of an hour");
    let day: Vec<i64> = (0..300).step_by(5).collect();
    assert_eq!(told(&day, 300), (1, false), "and however long");
}
