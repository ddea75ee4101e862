//! The routing table: each real event wakes the loops it should, and no other.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use std::fs;

use serde_json::{Value, json};
use weir_control::incoming::Incoming;
use weir_control::routing::{Loop, ROUTES, Route, Trigger, scheduled_in, woken_by};
use weir_core::alarms::AlarmPrefix;
use weir_core::incident::Symptom;

use Loop::{PlanCapacity, RaiseAlerts, ResizeStream, SwitchMode, SyncAlarms};

fn woken(event: &Value) -> Vec<Loop> {
    let part = |name: &str| event[name].as_str().unwrap_or_default();
    let prefix = AlarmPrefix::default();
    let woken = woken_by(&prefix, part("source"), part("detail-type"), &event["detail"]);
    woken.collect()
}

/// An event of Weir's, from its recorded detail.
fn own(detail_type: &str, recorded: &str, changes: &[(&str, Value)]) -> Value {
    let path = format!("{}/fixtures/events/{recorded}.json", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).expect("a recorded event");
    let mut detail: Value = serde_json::from_str(&text).expect("JSON");
    for (field, value) in changes {
        detail[*field] = value.clone();
    }
    json!({ "source": "weir", "detail-type": detail_type, "detail": detail })
}

fn alarm(name: &str, state: &str) -> Value {
    let state = json!({ "value": state, "timestamp": "2026-11-20T18:44:51.412+0000" });
    let detail = json!({ "alarmName": name, "state": state });
    json!({
        "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
        "detail": detail,
    })
}

#[test]
fn each_event_wakes_the_loops_it_is_for() {
    let planned = "Weir Capacity Planned";
    let (reshard, switch) = ("capacity_planned.v1", "capacity_planned.switch_mode.v1");
    let in_mode = |mode: &str| [("mode", json!(mode))];
    let hold =
        [("mode", json!("act")), ("action", json!({ "kind": "hold", "reason": "budget_spent" }))];
    let request = |what: &str| {
        own("Weir Operator Request", "operator_request.v1", &[("request", json!(what))])
    };
    let mut written = alarm("weir-surge-orders", "ALARM");
    written["detail-type"] = json!("CloudWatch Alarm Configuration Change");
    let cases: [(Value, &[Loop]); 19] = [
        (own(planned, reshard, &in_mode("act")), &[ResizeStream, RaiseAlerts]),
        (own(planned, switch, &in_mode("act")), &[SwitchMode, RaiseAlerts]),
        (own(planned, reshard, &in_mode("observe")), &[]),
        (own(planned, switch, &in_mode("observe")), &[]),
        (own(planned, reshard, &hold), &[RaiseAlerts]),
        (own("Weir Stream Resized", "stream_resized.v1", &[]), &[SyncAlarms]),
        (own("Weir Mode Switched", "mode_switched.v1", &[]), &[SyncAlarms]),
        (own("Weir Action Refused", "action_refused.v1", &[]), &[RaiseAlerts]),
        (own("Weir Action Failed", "action_failed.v1", &[]), &[RaiseAlerts]),
        (request("plan"), &[PlanCapacity]),
        (request("sync_alarms"), &[SyncAlarms]),
        (alarm("weir-surge-orders", "ALARM"), &[PlanCapacity]),
        (alarm("weir-throttle-orders", "ALARM"), &[PlanCapacity]),
        (alarm("weir-surge-orders", "OK"), &[]),
        (alarm("weir-throttles-kcl-app@orders", "ALARM"), &[RaiseAlerts]),
        (alarm("weir-lag-kcl-app@orders", "OK"), &[RaiseAlerts]),
        (alarm("weir-self-dead-letters", "ALARM"), &[RaiseAlerts]),
        // Somebody else's alarm, and one that Weir has just written.
        (alarm("orders-surge", "ALARM"), &[]),
        (written, &[]),
    ];
    for (event, loops) in cases {
        assert_eq!(woken(&event), loops, "{event}");
        if !loops.is_empty() {
            assert!(Incoming::read(&event).is_ok(), "it cannot be read: {event}");
        }
    }
    for symptom in Symptom::ALL {
        let name = format!("weir-{symptom}-lambda-billing@orders");
        for state in ["ALARM", "OK"] {
            assert_eq!(woken(&alarm(&name, state)), [RaiseAlerts], "{name} goes {state}");
        }
        assert_eq!(woken(&alarm(&name, "INSUFFICIENT_DATA")), [], "{name} says nothing");
    }
}

#[test]
fn another_installations_alarms_wake_nothing() {
    let prefix = AlarmPrefix::new("blue-").expect("a prefix");
    for (name, loops) in [("blue-surge-orders", 1), ("weir-surge-orders", 0)] {
        let event = alarm(name, "ALARM");
        let (source, kind) = ("aws.cloudwatch", "CloudWatch Alarm State Change");
        assert_eq!(woken_by(&prefix, source, kind, &event["detail"]).count(), loops, "{name}");
    }
}

/// Both see every event on the account's bus. What people ask without saying whom, all hear.
#[test]
fn two_installations_on_one_bus_never_hear_each_other() {
    let prefix = |prefix: &str| AlarmPrefix::new(prefix).expect("a prefix");
    let (weir, blue) = (prefix("weir-"), prefix("blue-"));
    let acting = [("mode", json!("act"))];
    let published = [
        own("Weir Capacity Planned", "capacity_planned.v1", &acting),
        own("Weir Capacity Planned", "capacity_planned.switch_mode.v1", &acting),
        own("Weir Stream Resized", "stream_resized.v1", &[]),
        own("Weir Mode Switched", "mode_switched.v1", &[]),
        own("Weir Action Refused", "action_refused.v1", &[]),
        own("Weir Action Failed", "action_failed.v1", &[]),
        own("Weir Operator Request", "operator_request.v1", &[]),
    ];
    let heard_by = |prefix: &AlarmPrefix, event: &Value| {
        let part = |name: &str| event[name].as_str().unwrap_or_default();
        woken_by(prefix, part("source"), part("detail-type"), &event["detail"]).count()
    };
    for mut event in published {
        assert!(heard_by(&weir, &event) > 0 && heard_by(&blue, &event) == 0, "{event}");
        event["detail"]["installation"] = json!("blue-");
        assert!(heard_by(&weir, &event) == 0 && heard_by(&blue, &event) > 0, "{event}");
        let detail = event["detail"].as_object_mut().expect("a detail");
        detail.shift_remove("installation");
        let asked = event["detail-type"] == "Weir Operator Request";
        let heard = [&weir, &blue].map(|prefix| heard_by(prefix, &event) > 0);
        assert_eq!(heard, [asked, asked], "{event}");
    }
}

#[test]
fn ticks_come_each_minute_and_each_hour() {
    let in_minute = |minute| scheduled_in(minute).collect::<Vec<_>>();
    assert_eq!(in_minute(0), [PlanCapacity, SyncAlarms, RaiseAlerts]);
    assert_eq!(in_minute(59), [PlanCapacity, RaiseAlerts]);
    assert_eq!(in_minute(120), [PlanCapacity, SyncAlarms, RaiseAlerts]);
}

#[test]
fn every_loop_is_woken_by_something_and_rules_have_names_of_their_own() {
    for of in Loop::ALL {
        assert!(ROUTES.iter().any(|route| route.wakes == of), "{of:?}");
    }
    let mut rules: Vec<&str> = ROUTES.iter().map(|route| route.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    assert_eq!(rules.len(), ROUTES.len());
    let scheduled = |route: &&Route| matches!(route.trigger, Trigger::EveryMinutes(_));
    assert_eq!(ROUTES.iter().filter(scheduled).count(), 3);
}
