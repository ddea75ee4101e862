//! Recorded alarm events, and every form of the message that each leads to. Read them as somebody
//! would who was just woken.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_control::incoming::{AlarmEvent, Incoming};
use weir_control::installation::Place;
use weir_control::notification::{MessageContext, Notification};
use weir_control::raise_alerts::{facts, test_alert};
use weir_core::alarms::{AlarmPrefix, AlarmState};
use weir_core::consumer::{ConsumerId, ConsumerKind, ConsumerName};
use weir_core::incident::{Evidence, Fact, Incident, LagPoint, Sign, Subject, Symptom, step};
use weir_core::limits;
use weir_core::policy::{AlertPolicy, AlertRouting, Severity};
use weir_core::reasons::{ClampReason, HoldReason, RefusalReason, SilenceReason};
use weir_core::units::StreamName;

fn place() -> Place {
    Place {
        partition: "aws".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "444455556666".to_owned(),
    }
}

fn recorded(name: &str) -> AlarmEvent {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/alerts").join(name);
    let text = fs::read_to_string(path.with_extension("json")).expect("a fixture");
    let event: Value = serde_json::from_str(&text).expect("JSON");
    match Incoming::read(&event) {
        Ok(Incoming::Alarm(alarm)) => *alarm,
        other => panic!("{name}: {other:?}"),
    }
}

/// An incident that began with this alarm, `minutes` ago, and its newest message.
fn told(said: (Subject, Fact), evidence: &Evidence, minutes: i64) -> (Incident, Notification) {
    let (subject, fact) = said;
    let began = fact.state_at;
    let policy = AlertPolicy::DEFAULT;
    let at = |minutes| began + SignedDuration::from_mins(minutes);
    let mut first = step(None, &subject, std::slice::from_ref(&fact), evidence, &policy, at(0));
    if first.send.is_empty() {
        // What is told when it lasts is said anew.
        let again = Fact { state_at: at(15), ..fact };
        first = step(first.incident.as_ref(), &subject, &[again], evidence, &policy, at(15));
    }
    let opened = first.incident.expect("an incident");
    let later = step(Some(&opened), &subject, &[], evidence, &policy, at(minutes));
    let message = later.send.first().or(first.send.first()).expect("a message");
    let incident = later.incident.expect("an incident");
    let alert = tell(&incident, message, evidence);
    (incident, alert)
}

fn tell(
    incident: &Incident,
    message: &weir_core::incident::Message,
    evidence: &Evidence,
) -> Notification {
    let context =
        MessageContext { incident, message, evidence, place: &place(), repeat_minutes: 60 };
    let alert = context.render().expect("a message");
    fits(&alert);
    alert
}

/// What every channel demands, whatever is told.
fn fits(alert: &Notification) {
    // SNS: "less than 100 characters long".
    assert!(alert.subject.is_ascii() && alert.subject.len() < 100, "{}", alert.subject);
    assert!(!alert.subject.contains(['\n', '\r']), "{}", alert.subject);
    let attributes: usize = alert.attributes.iter().map(|(k, v)| k.len() + v.len()).sum();
    assert!(alert.body.len() + attributes <= limits::SNS_MESSAGE_BYTES_MAX);
    let forms: Value = serde_json::from_str(&alert.body).expect("JSON");
    let form = |name: &str| forms[name].as_str().expect("a form").to_owned();
    let sms = form("sms");
    assert!(sms.len() <= limits::SMS_CHARS_MAX && sms.is_ascii(), "{sms}");
    assert!(!form("default").is_empty());
    for machine in ["http", "https", "sqs", "lambda"] {
        serde_json::from_str::<Value>(&form(machine)).expect(machine);
    }
    let chat: Value = serde_json::from_str(&alert.chat).expect("JSON");
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    assert!(length(&chat["content"]["title"]) <= limits::CHAT_TITLE_CHARS_MAX);
    assert!(
        (1..=limits::CHAT_DESCRIPTION_CHARS_MAX).contains(&length(&chat["content"]["description"]))
    );
}

fn shown(alert: &Notification) -> String {
    let forms: Value = serde_json::from_str(&alert.body).expect("JSON");
    let text = |name: &str| forms[name].as_str().expect("a form").to_owned();
    let pretty = |json: &str| {
        let value: Value = serde_json::from_str(json).expect("JSON");
        serde_json::to_string_pretty(&value).expect("JSON")
    };
    format!(
        "to {}s\nsubject ({}): {}\nattributes: {:?}\n\n-- e-mail\n{}\n\n-- SMS ({})\n{}\n\n-- HTTPS\n{}\n\n\
         -- SQS, Lambda\n{}\n\n-- chat\n{}\n",
        alert.severity,
        alert.subject.len(),
        alert.subject,
        alert.attributes,
        text("email"),
        text("sms").len(),
        text("sms"),
        pretty(&text("https")),
        pretty(&text("sqs")),
        pretty(&alert.chat),
    )
}

/// What a pager gets.
fn https(alert: &Notification) -> Value {
    let forms: Value = serde_json::from_str(&alert.body).expect("JSON");
    serde_json::from_str(forms["https"].as_str().expect("a form")).expect("JSON")
}

/// What was read of the consumer of each recorded alarm.
fn evidence(name: &str, at: Timestamp) -> Evidence {
    let lag = |hours_before: f64, hours: f64, minutes: i64| {
        let point = |at, hours: f64| LagPoint { at, seconds: hours * 3600.0 };
        let now = at + SignedDuration::from_mins(minutes);
        vec![point(now - SignedDuration::from_mins(10), hours_before), point(now, hours)]
    };
    let known = Evidence { retention_hours: Some(24), ..Evidence::default() };
    match name {
        // Stuck: the record it tries is 13 h old and grows older by the clock.
        "lambda_lag" => Evidence {
            lag: lag(12.833_333, 13.0, 0),
            invocations: Some(612.0),
            errors: Some(38.0),
            ..known
        },
        "lambda_errors" => Evidence {
            lag: lag(0.27, 0.4, 30),
            invocations: Some(120.0),
            errors: Some(117.0),
            ..known
        },
        "lambda_silence" => Evidence { enabled: Some(false), ..known },
        "lambda_throttles" => Evidence { throttles: Some(48.0), lag: lag(0.0, 0.05, 0), ..known },
        "fan_out_lag" => Evidence {
            retention_hours: Some(168),
            lag: lag(9.43, 9.5, 30),
            written: Some((900_000.0, 300_000.0)),
            ..known
        },
        "firehose_delivery" => Evidence { lag: lag(0.0, 0.01, 30), ..known },
        _ => known,
    }
}

#[test]
fn every_kind_of_alarm_is_told_in_every_form() {
    let all = [
        ("lambda_lag", 0),
        ("lambda_errors", 30),
        ("lambda_silence", 30),
        ("lambda_dropped", 0),
        ("lambda_throttles", 0),
        ("fan_out_lag", 30),
        ("firehose_delivery", 30),
        ("kcl_silence", 0),
        ("self_dead_letters", 0),
    ];
    for (name, minutes) in all {
        let alarm = recorded(name);
        let said = facts::of_alarm(&AlarmPrefix::default(), &alarm).expect(name);
        let (_, alert) = told(said, &evidence(name, alarm.state_at), minutes);
        insta::assert_snapshot!(name, shown(&alert));
    }
}

#[test]
fn a_recovery_says_how_long_it_lasted_and_closes_what_was_opened() {
    let alarm = recorded("lambda_silence");
    let said = facts::of_alarm(&AlarmPrefix::default(), &alarm).expect("a fact");
    let (incident, opened) = told(said.clone(), &evidence("lambda_silence", alarm.state_at), 30);
    let (subject, fact) = said;
    let well = fact.state_at + SignedDuration::from_mins(47);
    let over = Fact { state: AlarmState::Ok, state_at: well, ..fact };
    let known = Evidence {
        retention_hours: Some(24),
        lag: vec![LagPoint { at: well + SignedDuration::from_mins(5), seconds: 180.0 }],
        ..Evidence::default()
    };
    let now = well + SignedDuration::from_mins(5);
    let recovered = step(Some(&incident), &subject, &[over], &known, &AlertPolicy::DEFAULT, now);
    let incident = recovered.incident.expect("an incident");
    assert_eq!(recovered.send.len(), 2, "to whom it was told: pager and mailbox");
    let alert = tell(&incident, &recovered.send[0], &known);
    insta::assert_snapshot!("recovery", shown(&alert));
    let (before, after) = (https(&opened), https(&alert));
    assert_eq!(before["AlarmName"], after["AlarmName"]);
    assert_eq!(before["AlarmArn"], after["AlarmArn"]);
    assert_eq!(
        (&before["NewStateValue"], &after["NewStateValue"]),
        (&"ALARM".into(), &"OK".into())
    );
}

/// An id holds the beginning of a long name, and no colon; the command needs all of it.
#[test]
fn a_command_names_a_kcl_application_by_its_whole_name() {
    let name = format!("{}:orders", "c".repeat(249));
    let consumer = ConsumerId::of(ConsumerKind::Kcl, &ConsumerName::new(&name).expect("a name"));
    let mut alarm = recorded("kcl_silence");
    alarm.alarm_name = format!("weir-silence-{consumer}@orders");
    alarm.watched.as_mut().expect("a metric").namespace = name.clone();
    let said = facts::of_alarm(&AlarmPrefix::default(), &alarm).expect("a fact");
    let (_, alert) = told(said, &Evidence::default(), 0);
    assert!(alert.text.contains(&format!("--table-name {name} ")), "{}", alert.text);
}

/// An event of Weir's own as it is published, with these members otherwise.
fn published(name: &str, detail_type: &str, otherwise: Value) -> Incoming {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/events").join(name);
    let text = fs::read_to_string(path.with_extension("v1.json")).expect("a fixture");
    let mut detail: Value = serde_json::from_str(&text).expect("JSON");
    for (member, value) in otherwise.as_object().expect("an object") {
        detail[member] = value.clone();
    }
    let event = json!({ "source": "weir", "detail-type": detail_type, "detail": detail });
    Incoming::read(&event).expect(name)
}

/// A plan that holds still at four shards, where nine are wanted, for this reason.
fn withheld(reason: ClampReason) -> Option<(Subject, Fact)> {
    let otherwise = json!({
        "action": { "kind": "hold", "reason": reason },
        "clamps": [{ "from": 9, "reason": reason, "to": 4 }],
    });
    match published("capacity_planned", "Weir Capacity Planned", otherwise) {
        Incoming::CapacityPlanned(planned) => facts::of_plan(&AlarmPrefix::default(), &planned),
        other => panic!("{other:?}"),
    }
}

/// A plan that knows nothing of the demand.
fn blind(reason: HoldReason) -> Option<(Subject, Fact)> {
    let action = json!({ "kind": "hold", "reason": reason });
    let otherwise =
        json!({ "action": action, "wanted_shards": 4, "allowed_shards": 4, "clamps": [] });
    match published("capacity_planned", "Weir Capacity Planned", otherwise) {
        Incoming::CapacityPlanned(planned) => facts::of_plan(&AlarmPrefix::default(), &planned),
        other => panic!("{other:?}"),
    }
}

fn refused(reason: RefusalReason) -> Option<(Subject, Fact)> {
    let otherwise = json!({ "reason": reason });
    match published("action_refused", "Weir Action Refused", otherwise) {
        Incoming::ActionRefused(refused) => facts::of_refusal(&AlarmPrefix::default(), &refused),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_that_cannot_be_given_its_size_is_told_with_reason_and_remedy() {
    let said = withheld(ClampReason::BudgetSpent).expect("a failure");
    let (_, alert) = told(said, &Evidence::default(), 0);
    insta::assert_snapshot!("withheld", shown(&alert));
}

/// What Weir cannot do is told as what a consumer cannot: what happened, why, what to do.
#[test]
fn each_failure_of_weir_s_own_is_told_with_reason_and_remedy() {
    let prefix = AlarmPrefix::default();
    let Incoming::ActionFailed(lost) = published("action_failed", "Weir Action Failed", json!({}))
    else {
        panic!("not a failure");
    };
    let mut silent = recorded("self_dead_letters");
    silent.alarm_name = "weir-self-tick".to_owned();
    let all = [
        ("plan wanted but impossible: quota", withheld(ClampReason::AccountQuota)),
        ("plan wanted but impossible: policy", withheld(ClampReason::PolicyMaximum)),
        ("metrics unreadable", blind(HoldReason::MetricsUnreadable)),
        ("no metrics", blind(HoldReason::NoMetrics)),
        ("action refused", refused(RefusalReason::AccessDenied)),
        ("action failed", Some(facts::of_failure(&prefix, &lost))),
        ("policy invalid", Some(facts::of_faulty_policies(&prefix, lost.failed_at))),
        ("dead-letter queue", facts::of_alarm(&prefix, &recorded("self_dead_letters"))),
        ("tick missing", facts::of_alarm(&prefix, &silent)),
    ];
    let shown = all.map(|(what, said)| {
        let (_, alert) = told(said.expect(what), &Evidence::default(), 0);
        format!("== {what}, to {}s\n{}\n\n{}\n", alert.severity, alert.subject, alert.text)
    });
    insta::assert_snapshot!("own_failures", shown.join("\n"));
}

/// The ordinary course of things is no failure.
#[test]
fn what_passes_by_itself_is_told_to_nobody() {
    assert_eq!(withheld(ClampReason::DataMissing), None);
    assert_eq!(refused(RefusalReason::StreamBusy), None);
}

#[test]
fn a_test_message_is_marked_and_closes_what_it_opens() {
    let now: Timestamp = "2026-11-21T02:14:00Z".parse().expect("a time");
    let prefix = AlarmPrefix::default();
    for severity in [Severity::Notice, Severity::Page] {
        let alerts = test_alert(&prefix, &place(), severity, now).expect("two messages");
        let [begun, over] = &alerts[..] else { panic!("{alerts:?}") };
        for alert in [begun, over] {
            fits(alert);
            assert_eq!(alert.severity, severity);
            assert!(alert.subject.starts_with("TEST ") && alert.text.starts_with("TEST "));
        }
        assert_eq!(https(begun)["AlarmArn"], https(over)["AlarmArn"]);
        assert_eq!(https(over)["NewStateValue"], "OK");
        if severity == Severity::Page {
            insta::assert_snapshot!("test_page", format!("{}\n{}", shown(begun), over.text));
        }
    }
}

#[test]
fn what_others_wrote_into_an_alarm_reaches_nobody() {
    let alarm = recorded("poisoned");
    let (subject, fact) = facts::of_alarm(&AlarmPrefix::default(), &alarm).expect("a fact");
    let (_, alert) = told((subject, fact), &Evidence::default(), 0);
    let everything =
        format!("{} {} {} {:?}", alert.subject, alert.body, alert.chat, alert.attributes);
    for poison in ["<!channel>", "evil.example", "Bcc", "Cc:", "all is well", "rm -rf", "\u{202e}"]
    {
        assert!(!everything.contains(poison), "{poison} in {everything}");
    }
}

/// SNS hands no attributes to whoever gets one of several forms, so the message itself says what a
/// filter on its body chooses by, whichever body SNS looks at.
#[test]
fn every_form_for_machines_says_what_filters_choose_by() {
    let alarm = recorded("lambda_lag");
    let said = facts::of_alarm(&AlarmPrefix::default(), &alarm).expect("a fact");
    let (_, alert) = told(said, &evidence("lambda_lag", alarm.state_at), 0);
    let whole: Value = serde_json::from_str(&alert.body).expect("JSON");
    let form = |name: &str| -> Value {
        serde_json::from_str(whole[name].as_str().expect("a form")).expect("JSON")
    };
    for form in [whole.clone(), form("https"), form("sqs")] {
        let said = ["severity", "occasion", "kind", "stream"].map(|name| form[name].as_str());
        let expected = ["page", "opened", "lambda", "orders"].map(Some);
        assert_eq!(said, expected, "{form}");
    }
}

/// A link leads to the console of the partition, or is not there.
#[test]
fn a_link_leads_to_the_partitions_own_console_or_is_left_out() {
    let alarm = recorded("lambda_lag");
    let (subject, fact) = facts::of_alarm(&AlarmPrefix::default(), &alarm).expect("a fact");
    let (known, policy) = (evidence("lambda_lag", alarm.state_at), AlertPolicy::DEFAULT);
    let opened = step(None, &subject, &[fact], &known, &policy, alarm.state_at);
    let (incident, message) = (opened.incident.expect("an incident"), opened.send[0]);
    let told = |partition: &str, region: &str| {
        let place = Place { partition: partition.to_owned(), region: region.to_owned(), ..place() };
        let (incident, message, evidence) = (&incident, &message, &known);
        let context =
            MessageContext { incident, message, evidence, place: &place, repeat_minutes: 60 };
        let alert = context.render().expect("a message");
        fits(&alert);
        alert
    };
    let hosts = [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("aws-eusc", "eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ];
    for (partition, region, host) in hosts {
        let alert = told(partition, region);
        assert!(alert.text.contains(&format!("https://{host}/lambda/")), "{}", alert.text);
    }
    let isolated = told("aws-iso", "us-iso-east-1");
    assert!(!isolated.text.contains("https://"), "{}", isolated.text);
}

/// A position that reads as the whole retention while the shards of a reshard are opened.
#[test]
fn a_reading_that_cannot_be_true_pages_nobody_at_once() {
    let alarm = recorded("lambda_lag");
    let (subject, fact) = facts::of_alarm(&AlarmPrefix::default(), &alarm).expect("a fact");
    let began = fact.state_at;
    let at = |minutes| began + SignedDuration::from_mins(minutes);
    // What is read `minutes` after the alarm went off; the leap was six minutes before it.
    let known = |minutes: i64| Evidence {
        retention_hours: Some(24),
        lag: (-55..=minutes)
            .map(|minute| LagPoint {
                at: at(minute),
                seconds: if minute < -6 { 0.4 } else { 86_390.0 },
            })
            .collect(),
        ..Evidence::default()
    };
    let policy = AlertPolicy::DEFAULT;
    let opened = step(None, &subject, std::slice::from_ref(&fact), &known(0), &policy, began);
    let incident = opened.incident.expect("an incident");
    assert_eq!(opened.send[0].severity, Severity::Notice);
    let alert = tell(&incident, &opened.send[0], &known(0));
    assert!(alert.text.contains("it is believed if it lasts"), "{}", alert.text);
    assert!(!alert.subject.contains("left"), "{}", alert.subject);
    // A quarter of an hour after the leap it is believed.
    let later = step(Some(&incident), &subject, &[], &known(10), &policy, at(10));
    assert_eq!(later.send[0].severity, Severity::Page);
    // After a reshard nothing is said while it may be the shards that are being opened.
    let resharded = Evidence { resharded_at: Some(at(-8)), ..known(0) };
    let held = step(None, &subject, &[fact], &resharded, &policy, began);
    assert_eq!((held.send, held.held), (Vec::new(), Some(SilenceReason::DrainAfterReshard)));
}

#[test]
fn the_longest_names_fit_every_form() {
    let stream = StreamName::new(&"s".repeat(128)).expect("a name");
    let name = ConsumerName::new(&"c".repeat(128)).expect("a name");
    let at: Timestamp = "2026-11-21T02:14:00Z".parse().expect("a time");
    for kind in ConsumerKind::ALL {
        for symptom in Symptom::ALL {
            let consumer = ConsumerId::of(kind, &name);
            let fact = Fact {
                alarm: format!("weir-{symptom}-{consumer}@{stream}"),
                sign: Sign::Consumer(symptom),
                state: AlarmState::Alarm,
                state_at: at,
                holds_until: None,
                watched: None,
            };
            let subject = Subject::Consumer { stream: stream.clone(), consumer };
            let known = Evidence { retention_hours: Some(8_760), ..Evidence::default() };
            let (_, alert) = told((subject, fact), &known, 45);
            fits(&alert);
            assert!(matches!(alert.severity, Severity::Notice | Severity::Page));
        }
    }
    assert_ne!(AlertPolicy::DEFAULT.routing, AlertRouting::Off);
}
