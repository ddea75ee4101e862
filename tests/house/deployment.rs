//! The template against the code: rules and the events they are for, functions, the queue.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_control::event::{
    self, ActionFailed, ActionRefused, CapacityPlanned, ModeSwitched, OperatorRequest,
    PlannedAction, PlannedForecast, Request, StreamResized, WeirEvent,
};
use weir_control::incoming::Incoming;
use weir_control::plan_id::PlanId;
use weir_control::recovery;
use weir_core::incident::Symptom;
use weir_core::observation::CapacityMode;
use weir_core::policy::OperatingMode;
use weir_core::reasons::{FailureReason, HoldReason, RefusalReason};
use weir_core::units::{Shards, StreamName};

use crate::crates::packages;
use crate::files::{files, read, root, shown, text};

#[test]
fn each_event_reaches_the_functions_it_should() {
    let rules = rules();
    let plan = |mode, action| WeirEvent::CapacityPlanned(planned(mode, action));
    let (from, to) = (Shards::at_least_one(4), Shards::at_least_one(6));
    let reshard = PlannedAction::Reshard { from, to };
    let (provisioned, on_demand) = (CapacityMode::Provisioned, CapacityMode::OnDemand);
    let switch = PlannedAction::SwitchMode { from: provisioned, to: on_demand };
    let hold = PlannedAction::Hold { reason: HoldReason::BudgetSpent };
    let request = |request| {
        WeirEvent::OperatorRequest(OperatorRequest {
            version: event::VERSION,
            request,
            stream: None,
        })
    };
    let resized = WeirEvent::StreamResized(StreamResized {
        version: event::VERSION,
        plan_id: PlanId::without_ledger(Timestamp::UNIX_EPOCH),
        stream: stream(),
        from,
        to,
        accepted_at: Timestamp::UNIX_EPOCH,
    });
    let switched = WeirEvent::ModeSwitched(ModeSwitched {
        version: event::VERSION,
        plan_id: PlanId::without_ledger(Timestamp::UNIX_EPOCH),
        stream: stream(),
        from: provisioned,
        to: on_demand,
        accepted_at: Timestamp::UNIX_EPOCH,
    });
    let refused = WeirEvent::ActionRefused(ActionRefused {
        version: event::VERSION,
        plan_id: PlanId::without_ledger(Timestamp::UNIX_EPOCH),
        stream: stream(),
        reason: RefusalReason::AccessDenied,
        meaning: String::new(),
        remedy: String::new(),
        detail: None,
        refused_at: Timestamp::UNIX_EPOCH,
    });
    let failed = WeirEvent::ActionFailed(ActionFailed {
        version: event::VERSION,
        plan_id: PlanId::without_ledger(Timestamp::UNIX_EPOCH),
        stream: stream(),
        reason: FailureReason::OutcomeUnknown,
        meaning: String::new(),
        remedy: String::new(),
        detail: None,
        failed_at: Timestamp::UNIX_EPOCH,
    });
    let alarm = |name: &str, state: &str| {
        let state = json!({ "value": state, "timestamp": "2026-11-20T18:44:51.412+0000" });
        let detail = json!({ "alarmName": name, "state": state });
        envelope("aws.cloudwatch", "CloudWatch Alarm State Change", detail)
    };
    let cases: [(&str, Value, &[&str]); 19] = [
        (
            "a plan to reshard",
            sent(&plan(OperatingMode::Act, reshard)),
            &["raise-alerts", "resize-stream"],
        ),
        (
            "a plan to switch",
            sent(&plan(OperatingMode::Act, switch)),
            &["raise-alerts", "switch-mode"],
        ),
        ("a plan in observe mode", sent(&plan(OperatingMode::Observe, reshard)), &[]),
        ("a switch in observe mode", sent(&plan(OperatingMode::Observe, switch)), &[]),
        ("a plan to hold", sent(&plan(OperatingMode::Act, hold)), &["raise-alerts"]),
        ("a resize", sent(&resized), &["sync-alarms"]),
        ("a mode switch", sent(&switched), &["sync-alarms"]),
        ("a request to plan", sent(&request(Request::Plan)), &["plan-capacity"]),
        ("a request to sync", sent(&request(Request::SyncAlarms)), &["sync-alarms"]),
        ("an alarm of Weir's", alarm("weir-surge-orders", "ALARM"), &["plan-capacity"]),
        ("an alarm that is over", alarm("weir-surge-orders", "OK"), &[]),
        ("a throttled stream", alarm("weir-throttle-orders", "ALARM"), &["plan-capacity"]),
        (
            "a throttled consumer",
            alarm("weir-throttles-kcl-app@orders", "ALARM"),
            &["raise-alerts"],
        ),
        ("a consumer's recovery", alarm("weir-lag-kcl-app@orders", "OK"), &["raise-alerts"]),
        ("an alarm on Weir itself", alarm("weir-self-dead-letters", "ALARM"), &["raise-alerts"]),
        ("a refusal", sent(&refused), &["raise-alerts"]),
        ("a lost answer", sent(&failed), &["raise-alerts"]),
        ("somebody else's alarm", alarm("orders-surge", "ALARM"), &[]),
        (
            "an alarm that Weir wrote",
            envelope(
                "aws.cloudwatch",
                "CloudWatch Alarm Configuration Change",
                alarm("weir-surge-orders", "ALARM")["detail"].clone(),
            ),
            &[],
        ),
    ];
    for (what, event, functions) in cases {
        assert_eq!(
            reached(&rules, &event),
            functions,
            "infra/template.yaml sends {what} to the wrong functions"
        );
        if !functions.is_empty() {
            assert!(Incoming::read(&event).is_ok(), "{what} cannot be read: {event}");
        }
    }
    for symptom in Symptom::ALL {
        let name = format!("weir-{symptom}-lambda-billing@orders");
        let reaches = |event: Value| reached(&rules, &event);
        for state in ["ALARM", "OK"] {
            assert_eq!(reaches(alarm(&name, state)), ["raise-alerts"], "{name} goes {state}");
        }
        assert_eq!(reaches(alarm(&name, "INSUFFICIENT_DATA")), [""; 0], "{name} says nothing");
        let mut written = alarm(&name, "ALARM");
        written["detail-type"] = json!("CloudWatch Alarm Configuration Change");
        assert_eq!(reaches(written), [""; 0], "Weir would wake itself by writing {name}");
    }
    for rule in &rules {
        assert!(lists_only(&rule.pattern), "{}: EventBridge wants values in [ ]", rule.name);
        if let Some(input) = &rule.input {
            let event = serde_json::from_str(input).unwrap_or(Value::Null);
            assert!(Incoming::read(&event).is_ok(), "{}: no function reads its Input", rule.name);
        }
    }
}

#[test]
fn the_template_deploys_the_functions_there_are() {
    let template = template();
    let deployed: BTreeSet<String> =
        functions(&template).map(|(_, function)| text(&function["Handler"])).collect();
    let written: BTreeSet<String> = packages()
        .iter()
        .filter_map(|package| package.folder.strip_prefix("functions/").map(str::to_owned))
        .filter(|name| name != "bootstrap")
        .collect();
    assert_eq!(
        deployed, written,
        "a Handler of infra/template.yaml is the name of a functions/ folder"
    );

    for executor in ["ResizeStream", "SwitchMode"] {
        let timeout = &template["Resources"][executor]["Properties"]["Timeout"];
        assert!(
            timeout.as_i64().is_some_and(|seconds| 2 * seconds < recovery::ABANDONED_AFTER_SECONDS),
            "{executor} may run {timeout} s, but after {} s its claim is taken for abandoned",
            recovery::ABANDONED_AFTER_SECONDS
        );
    }
    let queue = &template["Resources"]["UndeliveredEventsPolicy"]["Properties"]["PolicyDocument"];
    let sources = queue["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"].to_string();
    for (logical_id, function) in functions(&template) {
        for (event, _) in function["Events"].as_object().into_iter().flatten() {
            let rule = format!("\"{logical_id}{event}.Arn\"");
            assert!(
                sources.contains(&rule),
                "UndeliveredEventsPolicy: let {rule} send to the queue"
            );
        }
    }
    let whole = template.to_string();
    let as_weir = format!("\"events:source\":\"{}\"", event::SOURCE);
    assert_eq!(
        whole.matches("events:PutEvents").count(),
        whole.matches(&as_weir).count(),
        "whoever may PutEvents may do so only with {as_weir}"
    );
}

#[test]
fn the_template_sets_what_the_functions_read() {
    let variables = &template()["Globals"]["Function"]["Environment"]["Variables"];
    let set: BTreeSet<String> =
        variables.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let rooms = ["functions", "shared/aws/src"];
    let code: String = rooms
        .iter()
        .flat_map(|room| files(&root().join(room)))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| read(&file))
        .collect();
    let in_name = |c: &char| c.is_ascii_uppercase() || *c == '_';
    let named: BTreeSet<String> = code
        .split("WEIR_")
        .skip(1)
        .map(|after| format!("WEIR_{}", after.chars().take_while(in_name).collect::<String>()))
        .collect();
    assert_eq!(set, named, "infra/template.yaml sets other variables than the code names");
}

/// The functions that an event wakes, by name.
fn reached<'a>(rules: &'a [Rule], event: &Value) -> Vec<&'a str> {
    let reached = rules.iter().filter(|rule| matches(&rule.pattern, event));
    let mut functions: Vec<&str> = reached.map(|rule| rule.function.as_str()).collect();
    functions.sort_unstable();
    functions
}

#[test]
fn the_dashboard_asks_for_what_is_logged() {
    let template = template();
    let body = text(&template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]);
    let page: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}"));
    let code: String = ["functions", "shared/aws/src"]
        .iter()
        .flat_map(|room| files(&root().join(room)))
        .map(|file| read(&file))
        .collect();
    let widgets = page["widgets"].as_array().into_iter().flatten();
    let mut asked = 0;
    for query in widgets.filter_map(|widget| widget["properties"]["query"].as_str()) {
        let after_dedup = query.split(" | dedup ").nth(1).and_then(|rest| rest.split_once(" | "));
        let allowed = after_dedup.is_none_or(|(_, next)| next.starts_with("limit "));
        assert!(allowed, "CloudWatch takes only a limit after dedup: {query}");
        for step in query.split(" | ").map(str::trim) {
            let list = step.strip_prefix("display ").or_else(|| step.strip_prefix("fields "));
            let fields = list.into_iter().flat_map(|list| list.split(", "));
            let fields = fields.filter_map(|field| field.split(' ').next());
            for field in fields.filter(|field| !field.starts_with('@')) {
                // `tracing` names these two itself.
                let known = ["level", "message"].contains(&field) || code.contains(field);
                assert!(known, "no function logs {field}: {step}");
                asked += 1;
            }
            for message in step.split("message = '").skip(1) {
                let message = message.split('\'').next().unwrap_or_default();
                assert!(
                    code.contains(&format!("\"{message}\"")),
                    "nobody logs {message:?}: {step}"
                );
            }
        }
    }
    assert!(asked > 20, "the queries are read in another way than they are written: {asked}");
}

/// A rule of the template, with what it sends where.
struct Rule {
    name: String,
    function: String,
    pattern: Value,
    input: Option<String>,
}

fn rules() -> Vec<Rule> {
    let template = template();
    let mut rules = Vec::new();
    for (logical_id, function) in functions(&template) {
        for (event, rule) in function["Events"].as_object().into_iter().flatten() {
            if rule["Type"] == "EventBridgeRule" {
                rules.push(Rule {
                    name: format!("{logical_id}.{event}"),
                    function: text(&function["Handler"]),
                    pattern: rule["Properties"]["Pattern"].clone(),
                    input: rule["Properties"]["Input"].as_str().map(str::to_owned),
                });
            }
        }
    }
    rules
}

/// The template with its tags (`!Ref`, `!GetAtt`) gone: what they name is left as text.
pub(crate) fn template() -> Value {
    let path = root().join("infra/template.yaml");
    let whole = read(&path).replace("!Sub ${AlarmPrefix}", "weir-");
    let template: Result<Value, _> = serde_saphyr::from_str(&whole);
    template.unwrap_or_else(|error| panic!("{}: {error}", shown(&path)))
}

pub(crate) fn functions(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources
        .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function")
        .map(|(logical_id, resource)| (logical_id, &resource["Properties"]))
}

/// Whether EventBridge would take the event for the pattern, as far as the template's patterns go.
fn matches(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(fields) => fields.iter().all(|(name, inner)| matches(inner, &event[name])),
        Value::Array(values) => values.iter().any(|value| match value["prefix"].as_str() {
            Some(prefix) => event.as_str().is_some_and(|text| text.starts_with(prefix)),
            None => value == event,
        }),
        _ => false,
    }
}

fn lists_only(pattern: &Value) -> bool {
    match pattern {
        Value::Object(fields) => fields.values().all(lists_only),
        other => other.is_array(),
    }
}

fn stream() -> StreamName {
    StreamName::new("orders").unwrap_or_else(|error| panic!("{error}"))
}

fn planned(mode: OperatingMode, action: PlannedAction) -> CapacityPlanned {
    let (at, open) = (Timestamp::UNIX_EPOCH, Shards::at_least_one(4));
    CapacityPlanned {
        version: event::VERSION,
        plan_id: PlanId::without_ledger(at),
        stream: stream(),
        mode,
        planned_at: at,
        expires_at: at,
        revisit_at: at,
        open_shards: open,
        wanted_shards: open,
        allowed_shards: open,
        action,
        clamps: Vec::new(),
        forecast: PlannedForecast { now: 3.0, soon: 4.0, later: 4.0 },
        emergency: false,
        budget: None,
        explanation: Vec::new(),
    }
}

fn sent(event: &WeirEvent) -> Value {
    let detail = event.detail().unwrap_or_else(|error| panic!("{error}"));
    envelope(event::SOURCE, event.detail_type(), detail)
}

fn envelope(source: &str, detail_type: &str, detail: Value) -> Value {
    json!({ "source": source, "detail-type": detail_type, "detail": detail })
}
