//! That each thing wrong with messages is found.

use jiff::Timestamp;
use weir_control::notification::Notification;
use weir_core::consumer::{ConsumerKind, ConsumerName};
use weir_core::observation::CapacityMode;
use weir_core::policy::{OperatingMode, Policy};
use weir_core::units::Shards;

use super::*;
use crate::clock::timestamp;
use crate::record::{MinuteRecord, OwnCause};

const START: Seconds = 1_800_000_000;
const MINUTES: usize = 1_000;

fn stream() -> StreamName {
    StreamName::new("orders").expect("a name")
}

fn id() -> ConsumerId {
    ConsumerId::of(ConsumerKind::Lambda, &ConsumerName::new("billing").expect("a name"))
}

fn at(minute: i64) -> Timestamp {
    timestamp(START + 60 * minute)
}

/// Message `number` of the incident of minute 120, at a minute.
fn sent(number: u32, minute: i64, occasion: Occasion, severity: Severity) -> SentMessage {
    SentMessage {
        at: at(minute),
        subject: Subject::Consumer { stream: stream(), consumer: id() },
        incident: "lambda-billing@orders#120".to_owned(),
        opened_at: at(120),
        message: Message { number, occasion, severity, at: at(minute) },
        alert: Notification {
            severity,
            subject: String::new(),
            text: String::new(),
            body: String::new(),
            attributes: BTreeMap::new(),
            chat: String::new(),
        },
    }
}

fn own(trouble: Trouble) -> SentMessage {
    SentMessage {
        subject: Subject::Weir { trouble, stream: Some(stream()) },
        ..sent(1, 120, Occasion::Opened, Severity::Notice)
    }
}

/// What is found of these messages, where a consumer was gone from minute 100 to 300, or was not.
fn found(record: AlertRecord, failed: bool) -> Vec<(u32, String)> {
    let mut run = StreamRun::new(timestamp(START), Shards::ONE, MINUTES);
    let minute = MinuteRecord {
        offered_bytes: 1.0,
        offered_records: 1.0,
        refused_share: 0.0,
        mode: CapacityMode::Provisioned,
        open_shards: 1.0,
        capacity_shards: 1.0,
    };
    run.minutes = vec![minute; MINUTES];
    let failure = InjectedFailure { kind: FailureKind::Gone, minutes: 100..300 };
    let (failures, behind) = (if failed { vec![failure] } else { Vec::new() }, vec![0.0; MINUTES]);
    let (stream, id) = (stream(), id());
    let truth =
        ConsumerTruth { stream: &stream, id: &id, failures: &failures, behind: &behind, run: &run };
    let evidenced = Evidenced {
        record: &record,
        consumers: vec![truth],
        policies: &PolicySet::of_all_streams(Policy {
            operating_mode: OperatingMode::Act,
            ..Policy::DEFAULT
        }),
        retention_seconds: 86_400.0,
        start: START,
        minutes: MINUTES,
        late_minutes: 0,
        troubled: false,
        calm_start: true,
        outage_minutes: 0,
    };
    let (broken, _) = evidenced.judge();
    broken.into_iter().map(|(_, (law, what))| (law, what)).collect()
}

fn told(messages: Vec<SentMessage>) -> AlertRecord {
    AlertRecord { sent: messages, ..AlertRecord::default() }
}

/// As it should be.
fn whole() -> Vec<SentMessage> {
    use Occasion::{Escalated, Opened, Recovered, Reminder};
    use Severity::{Notice, Page};
    vec![
        sent(1, 117, Opened, Notice),
        sent(2, 147, Escalated, Page),
        sent(3, 207, Reminder, Page),
        sent(4, 310, Recovered, Page),
        sent(5, 310, Recovered, Notice),
    ]
}

#[track_caller]
fn check(record: AlertRecord, failed: bool, expected: &[(u32, &str)]) {
    let found = found(record, failed);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((law, what), (expected_law, part)) in found.iter().zip(expected) {
        assert!(law == expected_law && what.contains(part), "{law} {what}");
    }
}

#[test]
fn messages_as_they_should_be_are_found_lawful() {
    check(told(whole()), true, &[]);
    check(told(Vec::new()), false, &[]);
}

#[test]
fn a_page_too_soon_and_an_end_that_is_not_told_are_found() {
    let mut hasty = whole();
    hasty[2] = sent(3, 206, Occasion::Reminder, Severity::Page);
    check(told(hasty), true, &[(9, "paged again after 59 min")]);
    let mut endless = whole();
    endless.truncate(4);
    check(told(endless), true, &[(9, "a notice without a recovery")]);
}

#[test]
fn what_comes_again_needs_a_mishap() {
    let mut twice = whole();
    twice.push(twice[4].clone());
    check(told(twice.clone()), true, &[(9, "came again")]);
    check(AlertRecord { mishaps: 1, ..told(twice) }, true, &[]);
}

#[test]
fn what_has_no_cause_is_found() {
    check(told(whole()), false, &[(9, "without a cause")]);
    let cause = |trouble| OwnCause { at: START + 60 * 110, trouble, stream: Some(stream()) };
    for (trouble, causes, lawful) in [
        (Trouble::Refused, vec![cause(Trouble::Refused)], true),
        (Trouble::Refused, vec![cause(Trouble::Lost)], false),
        (Trouble::Refused, Vec::new(), false),
        (Trouble::TickMissing, vec![cause(Trouble::TickMissing)], false),
    ] {
        let mut record = told(vec![own(trouble)]);
        record.own_causes = causes;
        let found = found(record, false);
        let baseless = found.iter().any(|(_, what)| what.contains("without a cause"));
        assert_eq!(baseless, !lawful, "{trouble}: {found:?}");
    }
}

#[test]
fn a_failure_told_late_or_never_or_called_over_is_found() {
    check(told(Vec::new()), true, &[(7, "not told"), (7, "not paged")]);
    let mut late = whole();
    late[0] = sent(1, 119, Occasion::Opened, Severity::Notice);
    check(told(late), true, &[(7, "not told within 1080 s")]);
    let mut over = whole();
    over[3] = sent(4, 250, Occasion::Recovered, Severity::Page);
    check(told(over), true, &[(7, "called over")]);
}
