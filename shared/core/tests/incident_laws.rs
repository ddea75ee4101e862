//! The laws of an incident, for any facts in any order, repeated or late: random cases, the seed of
//! a failure is printed and kept by the test runner.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use weir_core::alarms::AlarmState;
use weir_core::consumer::{ConsumerId, ConsumerKind, ConsumerName};
use weir_core::incident::{
    Evidence, Fact, Incident, LagPoint, Message, Occasion, Sign, Subject, Symptom, step,
    wants_evidence,
};
use weir_core::policy::{AlertPolicy, AlertRouting, Severity};
use weir_core::units::{Share, StreamName};

const MINUTE: i64 = 60;
/// Long enough after the last fact for every settling and every reminder to have come.
const AFTERWARDS_MINUTES: i64 = 3 * 60;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}

fn subject() -> Subject {
    let name = ConsumerName::new("billing").expect("a name");
    Subject::Consumer {
        stream: StreamName::new("orders").expect("a name"),
        consumer: ConsumerId::of(ConsumerKind::Lambda, &name),
    }
}

fn fact(alarm: usize, state: AlarmState, second: i64) -> Fact {
    let symptom = Symptom::ALL[alarm % Symptom::ALL.len()];
    Fact {
        alarm: format!("weir-{symptom}-lambda-billing@orders"),
        sign: Sign::Consumer(symptom),
        state,
        state_at: at(second),
        holds_until: None,
        watched: None,
    }
}

fn states() -> impl Strategy<Value = AlarmState> {
    prop_oneof![
        4 => Just(AlarmState::Alarm),
        4 => Just(AlarmState::Ok),
        1 => Just(AlarmState::InsufficientData),
    ]
}

/// State changes over some hours, by the time they happened.
fn changes() -> impl Strategy<Value = Vec<Fact>> {
    vec((0usize..4, states(), 0i64..240), 0..24).prop_map(|changes| {
        let mut facts: Vec<Fact> = changes
            .into_iter()
            .map(|(alarm, state, minute)| fact(alarm, state, minute * MINUTE))
            .collect();
        facts.sort_by_key(|fact| fact.state_at);
        facts
    })
}

fn policies() -> impl Strategy<Value = AlertPolicy> {
    let routings = prop_oneof![
        4 => Just(AlertRouting::Escalate), 2 => Just(AlertRouting::Page), 1 => Just(AlertRouting::Notice)
    ];
    (routings, 0u32..90, 5u32..120, 1u32..99).prop_map(|(routing, after, repeat, life)| {
        AlertPolicy {
            routing,
            page_after_minutes: after,
            repeat_page_minutes: repeat,
            page_at_life: Share::percent(life).expect("a percentage"),
            ..AlertPolicy::DEFAULT
        }
    })
}

fn evidence() -> impl Strategy<Value = Evidence> {
    (prop::option::of(0.0f64..90_000.0), prop::option::of(0i64..300)).prop_map(|(lag, reshard)| {
        Evidence {
            retention_hours: Some(24),
            lag: lag.map(|seconds| LagPoint { at: at(0), seconds }).into_iter().collect(),
            resharded_at: reshard.map(|minute| at(minute * MINUTE)),
            ..Evidence::default()
        }
    })
}

/// Weir with one incident at a time, told to nobody but this list.
struct Pager {
    policy: AlertPolicy,
    evidence: Evidence,
    newest: Option<Incident>,
    sent: Vec<(Timestamp, Message)>,
}

impl Pager {
    fn new(policy: AlertPolicy, evidence: Evidence) -> Pager {
        Pager { policy, evidence, newest: None, sent: Vec::new() }
    }

    fn take(&mut self, facts: &[Fact], now: Timestamp) {
        let step = step(self.newest.as_ref(), &subject(), facts, &self.evidence, &self.policy, now);
        self.newest = step.incident;
        for message in step.send {
            let incident = self.newest.as_mut().expect("an incident");
            incident.note_sent(message.number);
            self.sent.push((incident.opened_at, message));
        }
    }

    /// Ticks from `from` on, one a minute.
    fn tick(&mut self, from: i64, minutes: i64) {
        for minute in 0..minutes {
            self.take(&[], at(from + minute * MINUTE));
        }
    }

    fn is_open(&self) -> bool {
        self.newest.as_ref().is_some_and(Incident::is_open)
    }
}

/// Each change is delivered some minutes after it happened, perhaps a second time, and a tick comes
/// every minute.
fn deliver(pager: &mut Pager, facts: &[Fact], delays: &[(i64, Option<i64>)]) {
    let mut deliveries: Vec<(i64, &Fact)> = Vec::new();
    for (fact, (delay, again)) in facts.iter().zip(delays.iter().cycle()) {
        let happened = fact.state_at.as_second() - at(0).as_second();
        deliveries.push((happened + delay, fact));
        deliveries.extend(again.map(|more| (happened + delay + more, fact)));
    }
    deliveries.sort_by_key(|(second, _)| *second);
    let mut next = deliveries.into_iter().peekable();
    for minute in 0..(240 + 60 + AFTERWARDS_MINUTES) {
        let end = (minute + 1) * MINUTE;
        while let Some((second, fact)) = next.next_if(|(second, _)| *second < end) {
            pager.take(std::slice::from_ref(fact), at(second));
        }
        pager.take(&[], at(end));
    }
}

fn delays() -> impl Strategy<Value = Vec<(i64, Option<i64>)>> {
    vec((0i64..1_800, prop::option::of(0i64..1_500)), 1..12)
}

proptest! {
    /// Law 9, first half: within one incident no page comes sooner after another than the policy
    /// says.
    #[test]
    fn no_page_is_repeated_within_its_reminder_interval(
        facts in changes(), delays in delays(), policy in policies(), evidence in evidence(),
    ) {
        let repeat = policy.repeat_page();
        let mut pager = Pager::new(policy, evidence);
        deliver(&mut pager, &facts, &delays);
        let mut last: Option<(Timestamp, Timestamp)> = None;
        let of_failure = |m: &Message| m.severity == Severity::Page && m.occasion != Occasion::Recovered;
        for (incident, message) in pager.sent.iter().filter(|(_, m)| of_failure(m)) {
            if let Some((same, before)) = last && same == *incident {
                prop_assert!(message.at.duration_since(before) >= repeat, "{:?}", pager.sent);
            }
            last = Some((*incident, message.at));
        }
    }

    /// Law 9, second half: whoever was told that it began is told that it is over, and only then.
    #[test]
    fn every_message_is_followed_by_a_recovery_and_every_recovery_follows_one(
        facts in changes(), delays in delays(), policy in policies(), evidence in evidence(),
    ) {
        let mut pager = Pager::new(policy, evidence);
        // Whatever it was, it is over in the end.
        let over: Vec<Fact> = (0..4).map(|alarm| fact(alarm, AlarmState::Ok, 240 * MINUTE)).collect();
        deliver(&mut pager, &facts, &delays);
        pager.take(&over, at((240 + 60 + AFTERWARDS_MINUTES) * MINUTE));
        pager.evidence = caught_up();
        pager.tick((241 + 60 + AFTERWARDS_MINUTES) * MINUTE, 70);
        prop_assert!(!pager.is_open(), "{:?}", pager.newest);
        for severity in [Severity::Notice, Severity::Page] {
            let mut told = false;
            for (_, message) in pager.sent.iter().filter(|(_, m)| m.severity == severity) {
                match message.occasion {
                    Occasion::Recovered => {
                        prop_assert!(told, "recovered from nothing: {:?}", pager.sent);
                        told = false;
                    }
                    _ => told = true,
                }
            }
            prop_assert!(!told, "{severity} without recovery: {:?}", pager.sent);
        }
    }

    /// Duplicates, delays and another order end where one delivery in order ends.
    #[test]
    fn the_order_of_events_does_not_matter_in_the_end(
        facts in changes(), delays in delays(), policy in policies(), evidence in evidence(),
    ) {
        let run = |delays: &[(i64, Option<i64>)]| {
            let mut pager = Pager::new(policy.clone(), evidence.clone());
            deliver(&mut pager, &facts, delays);
            pager
        };
        let (straight, crooked) = (run(&[(0, None)]), run(&delays));
        // What was told on the way may differ, as what was known did; what fails in the end may
        // not.
        let failing = |pager: &Pager| -> Vec<Fact> {
            let incident = pager.newest.iter().filter(|incident| incident.is_open());
            incident.flat_map(|incident| incident.failing(Timestamp::MAX)).cloned().collect()
        };
        prop_assert_eq!(straight.is_open(), crooked.is_open());
        prop_assert_eq!(failing(&straight), failing(&crooked));
    }

    /// A step taken again with the same facts, at once, says nothing more.
    #[test]
    fn a_repeated_event_says_nothing_twice(
        facts in changes(), policy in policies(), evidence in evidence(),
    ) {
        let mut pager = Pager::new(policy, evidence);
        for fact in &facts {
            pager.take(std::slice::from_ref(fact), fact.state_at);
            let (told, incident) = (pager.sent.len(), pager.newest.clone());
            pager.take(std::slice::from_ref(fact), fact.state_at);
            prop_assert_eq!(told, pager.sent.len());
            prop_assert_eq!(incident, pager.newest.clone());
        }
    }
}

/// A consumer that says it has read all there is, whenever it is asked.
fn caught_up() -> Evidence {
    Evidence {
        retention_hours: Some(24),
        lag: vec![LagPoint { at: at(1_000 * MINUTE), seconds: 0.0 }],
        ..Evidence::default()
    }
}

/// The messages of a run, in words: minute, occasion, severity.
fn told(pager: &Pager) -> Vec<(i64, Occasion, Severity)> {
    let minute = |message: &Message| (message.at.as_second() - at(0).as_second()) / MINUTE;
    pager.sent.iter().map(|(_, m)| (minute(m), m.occasion, m.severity)).collect()
}

fn run(policy: AlertPolicy, evidence: Evidence, facts: &[Fact]) -> Vec<(i64, Occasion, Severity)> {
    let mut pager = Pager::new(policy, evidence);
    deliver(&mut pager, facts, &[(0, None)]);
    told(&pager)
}

/// Most steps of an incident that lasts say nothing whatever is known, and evidence costs each
/// time.
#[test]
fn evidence_is_asked_for_only_where_something_may_be_said() {
    let policy = AlertPolicy::DEFAULT;
    let (mut newest, mut asked): (Option<Incident>, Vec<i64>) = (None, Vec::new());
    for minute in 0..=24 * 60 {
        let now = at(minute * MINUTE);
        let fact = [fact(1, AlarmState::Alarm, 0)];
        let wanted = wants_evidence(newest.as_ref(), &subject(), &fact, &policy, now);
        let evidence = if wanted { caught_up() } else { Evidence::default() };
        let step = step(newest.as_ref(), &subject(), &fact, &evidence, &policy, now);
        let mut incident = step.incident.expect("an incident");
        for message in &step.send {
            assert!(wanted, "told without evidence: {message:?}");
            incident.note_sent(message.number);
        }
        asked.extend(wanted.then_some(minute));
        newest = Some(incident);
    }
    // When it is told, now and then while it may become a page, and with each reminder after that.
    assert_eq!(asked[..8], [0, 1, 10, 11, 20, 21, 30, 90]);
    assert_eq!(asked.len(), 30, "{asked:?}");
    // Its end is told as soon as evidence allows.
    let well = at(24 * 60 * MINUTE + 30);
    let over = [Fact { state: AlarmState::Ok, state_at: well, ..fact(1, AlarmState::Alarm, 0) }];
    let settled = |minutes| {
        let now = well + SignedDuration::from_mins(minutes);
        wants_evidence(newest.as_ref(), &subject(), &over, &policy, now)
    };
    assert_eq!([4, 5, 15].map(settled), [false, true, true]);
}

/// That a consumer cannot be watched changes only when somebody does something about it.
#[test]
fn what_cannot_be_watched_is_a_notice_told_once() {
    let sign = Sign::Consumer(Symptom::Unwatched);
    let alarm = Fact { sign, ..fact(1, AlarmState::Alarm, 0) };
    let mut pager = Pager::new(AlertPolicy::DEFAULT, Evidence::default());
    for hour in 0..72 {
        pager.take(std::slice::from_ref(&alarm), at(hour * 60 * MINUTE));
    }
    assert_eq!(told(&pager), [(0, Occasion::Opened, Severity::Notice)]);
}

#[test]
fn a_failure_is_a_notice_then_a_page_then_a_reminder_each_hour_then_a_recovery() {
    let facts = [fact(1, AlarmState::Alarm, 0), fact(1, AlarmState::Ok, 170 * MINUTE)];
    use Occasion::{Escalated, Opened, Recovered, Reminder};
    use Severity::{Notice, Page};
    let expected = [
        (0, Opened, Notice),
        (30, Escalated, Page),
        (90, Reminder, Page),
        (150, Reminder, Page),
        (175, Recovered, Page),
        (175, Recovered, Notice),
    ];
    assert_eq!(run(AlertPolicy::DEFAULT, caught_up(), &facts), expected);
    // Where it does not say how far behind it is, recovery is told a quarter of an hour later.
    let unknown = run(AlertPolicy::DEFAULT, Evidence::default(), &facts);
    assert_eq!(unknown.last(), Some(&(190, Recovered, Notice)));
    // Where it is still behind, it is not told at all.
    let behind = Evidence {
        lag: vec![LagPoint { at: at(1_000 * MINUTE), seconds: 5_000.0 }],
        ..caught_up()
    };
    assert_eq!(run(AlertPolicy::DEFAULT, behind, &facts).last(), Some(&(150, Reminder, Page)));
}

#[test]
fn little_life_left_or_records_already_dropped_page_at_once() {
    let facts = [fact(0, AlarmState::Alarm, 0), fact(0, AlarmState::Ok, 10 * MINUTE)];
    let half_gone = Evidence {
        retention_hours: Some(24),
        lag: vec![LagPoint { at: at(0), seconds: 13.0 * 3600.0 }],
        ..Evidence::default()
    };
    let first = run(AlertPolicy::DEFAULT, half_gone, &facts)[0];
    assert_eq!(first, (0, Occasion::Opened, Severity::Page));
    let dropped = run(AlertPolicy::DEFAULT, Evidence::default(), &[fact(5, AlarmState::Alarm, 0)]);
    assert_eq!(dropped[0], (0, Occasion::Opened, Severity::Page));
}

#[test]
fn throttles_alone_are_never_paged() {
    let told = run(AlertPolicy::DEFAULT, Evidence::default(), &[fact(3, AlarmState::Alarm, 0)]);
    assert_eq!(told, [(0, Occasion::Opened, Severity::Notice)]);
}

#[test]
fn flapping_is_one_incident_and_each_relapse_settles_longer() {
    // On for two minutes, off for two, for an hour: one notice, one page, one recovery.
    let fast: Vec<Fact> = (0..15)
        .flat_map(|i| {
            let on = i * 4 * MINUTE;
            [fact(0, AlarmState::Alarm, on), fact(0, AlarmState::Ok, on + 2 * MINUTE)]
        })
        .collect();
    let occasions: Vec<Occasion> = run(AlertPolicy::DEFAULT, caught_up(), &fast)
        .into_iter()
        .map(|(_, occasion, _)| occasion)
        .collect();
    use Occasion::{Escalated, Opened, Recovered};
    assert_eq!(occasions, [Opened, Escalated, Recovered, Recovered]);
    // On for two minutes, off for eight: the second time it must be well for ten minutes, so it is
    // one incident from then on.
    let slow: Vec<Fact> = (0..12)
        .flat_map(|i| {
            let on = i * 10 * MINUTE;
            [fact(0, AlarmState::Alarm, on), fact(0, AlarmState::Ok, on + 2 * MINUTE)]
        })
        .collect();
    let told = run(AlertPolicy::DEFAULT, caught_up(), &slow);
    let opened = told.iter().filter(|(_, occasion, _)| *occasion == Opened).count();
    assert_eq!(opened, 2, "{told:?}");
}

#[test]
fn lag_after_a_reshard_is_held_back_for_an_hour_and_no_longer() {
    let evidence = Evidence {
        retention_hours: Some(24),
        lag: vec![LagPoint { at: at(0), seconds: 4_000.0 }],
        resharded_at: Some(at(-10 * MINUTE)),
        ..Evidence::default()
    };
    let lag = |off: i64| [fact(0, AlarmState::Alarm, 0), fact(0, AlarmState::Ok, off * MINUTE)];
    // The drain is over in time: nobody hears of it.
    assert_eq!(run(AlertPolicy::DEFAULT, evidence.clone(), &lag(40)), []);
    // It lasts: told when the hour after the reshard is over.
    let told = run(AlertPolicy::DEFAULT, evidence.clone(), &lag(200));
    assert_eq!(told.first().map(|(minute, ..)| *minute), Some(50));
    // Something else is wrong too: told at once.
    let mut facts = lag(40).to_vec();
    facts.push(fact(2, AlarmState::Alarm, 5 * MINUTE));
    assert_eq!(run(AlertPolicy::DEFAULT, evidence.clone(), &facts)[0].0, 5);
    // Little time is left: told at once.
    let late = Evidence { lag: vec![LagPoint { at: at(0), seconds: 50_000.0 }], ..evidence };
    assert_eq!(run(AlertPolicy::DEFAULT, late, &lag(40))[0].0, 0);
}

#[test]
fn a_message_nobody_said_was_sent_is_sent_again_and_only_then() {
    let alarm = [fact(0, AlarmState::Alarm, 0)];
    let policy = AlertPolicy::DEFAULT;
    let first = step(None, &subject(), &alarm, &Evidence::default(), &policy, at(0));
    let mut incident = first.incident.expect("an incident");
    assert_eq!(first.send.len(), 1);
    // Its sender may still be at it.
    assert_eq!(incident.take_overdue(at(60)), []);
    assert_eq!(incident.take_overdue(at(120)), first.send);
    assert_eq!(incident.take_overdue(at(180)), []);
    incident.note_sent(first.send[0].number);
    assert_eq!(incident.take_overdue(at(600)), []);
    assert!(incident.opened_at + SignedDuration::ZERO == at(0) && incident.is_open());
}

#[test]
fn an_end_that_overtakes_its_beginning_opens_nothing() {
    let mut pager = Pager::new(AlertPolicy::DEFAULT, Evidence::default());
    pager.take(&[fact(0, AlarmState::Ok, 20 * MINUTE)], at(20 * MINUTE));
    pager.take(&[fact(0, AlarmState::Alarm, 0)], at(21 * MINUTE));
    assert_eq!((told(&pager), pager.is_open()), (vec![], false));
}
