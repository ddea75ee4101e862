//! Every event shape that can wake a function, read from fixtures: what is understood of it, or the
//! fault.

#![allow(clippy::expect_used, clippy::print_stdout)] // the lint's own exception reaches test functions only

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use weir_control::incoming::Incoming;
use weir_control::installation::Place;

fn fixtures(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut found: Vec<(String, Value)> = fs::read_dir(&folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a fixture");
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn every_real_shape_is_understood() {
    for (name, event) in fixtures("incoming") {
        let incoming = Incoming::read(&event).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        insta::assert_debug_snapshot!(name, incoming);
    }
}

/// What is null is what is not there: neither makes an alarm unreadable.
#[test]
fn a_field_that_is_null_is_one_that_is_not_there() {
    let pointers = [
        "/resources",
        "/account",
        "/region",
        "/detail/alarmTags",
        "/detail/configuration",
        "/detail/configuration/metrics",
        "/detail/configuration/metrics/0/id",
        "/detail/configuration/metrics/1/metricStat",
        "/detail/configuration/metrics/1/metricStat/stat",
        "/detail/configuration/metrics/1/metricStat/period",
        "/detail/configuration/metrics/1/metricStat/metric/dimensions",
        "/detail/configuration/metrics/1/metricStat/metric/namespace",
        "/detail/previousState",
        "/detail/state/reasonData",
    ];
    let (_, whole) = fixtures("incoming")
        .into_iter()
        .find(|(name, _)| name == "metric_math_with_tags")
        .expect("the fixture");
    for pointer in pointers {
        let mut event = whole.clone();
        let field = event.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
        *field = Value::Null;
        let incoming = Incoming::read(&event).unwrap_or_else(|fault| panic!("{pointer}: {fault}"));
        assert!(matches!(incoming, Incoming::Alarm(_)), "{pointer}: {incoming:?}");
    }
}

/// Buses hand on what happens in other accounts and regions, where alarms may have the same names.
#[test]
fn an_alarm_is_of_here_only_if_all_it_says_is() {
    let here = Place {
        partition: "aws".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "444455556666".to_owned(),
    };
    let arn = |region: &str, account: &str| {
        json!([format!(
            "arn:aws:cloudwatch:{region}:{account}:alarm:weir-lag-lambda-billing@orders"
        )])
    };
    let (ours, theirs) = ("444455556666", "999988887777");
    let cases = [
        (
            json!({"account": ours, "region": "eu-west-1", "resources": arn("eu-west-1", ours)}),
            true,
        ),
        (
            json!({"account": theirs, "region": "eu-west-1", "resources": arn("eu-west-1", theirs)}),
            false,
        ),
        (
            json!({"account": ours, "region": "eu-west-2", "resources": arn("eu-west-2", ours)}),
            false,
        ),
        // Whoever forwards by a rule of their own may leave one or the other out.
        (json!({"resources": arn("eu-west-1", theirs)}), false),
        (json!({"account": theirs, "resources": []}), false),
        (json!({"resources": []}), true),
    ];
    for (origin, expected) in cases {
        let mut event = json!({
            "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
            "detail": {
                "alarmName": "weir-lag-lambda-billing@orders",
                "state": {"value": "ALARM", "timestamp": "2026-11-21T02:14:51.412+0000"},
            },
        });
        for (member, value) in origin.as_object().expect("an object") {
            event[member] = value.clone();
        }
        let Ok(Incoming::Alarm(alarm)) = Incoming::read(&event) else { panic!("{event}") };
        assert_eq!(alarm.is_here(&here), expected, "{origin}");
    }
}

#[test]
fn what_cannot_be_read_says_where_and_why() {
    let faults: Vec<String> = fixtures("incoming/faulty")
        .into_iter()
        .map(|(name, event)| {
            let fault = Incoming::read(&event).expect_err(&name);
            format!("{name}\n    {fault}")
        })
        .collect();
    insta::assert_snapshot!("faults", faults.join("\n"));
}

/// Shapes kept outside the repo, where they are there: the same reader must take them all.
#[test]
fn recorded_events_outside_the_repo_are_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sample_events");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no ../shared/sample_events here");
        return;
    };
    let mut read = 0;
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let text = fs::read_to_string(&path).expect("an event");
        let event: Value = serde_json::from_str(&text).expect("JSON");
        if event.get("NewStateValue").is_some() {
            continue; // an SNS message: what pagers receive, not what wakes a function
        }
        let incoming = Incoming::read(&event).unwrap_or_else(|f| panic!("{}: {f}", path.display()));
        assert!(matches!(incoming, Incoming::Alarm(_)), "{}: {incoming:?}", path.display());
        read += 1;
    }
    assert!(read > 0, "no events in {}", folder.display());
}
