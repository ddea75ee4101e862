//! The template against the code: rules and the events they are for, functions, the queue.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use weir_control::incoming::Incoming;
use weir_control::recovery;
use weir_control::routing::{
    EventPattern, FieldMatch, FieldValues, Loop, REDELIVERY_DELAYS_SECONDS, ROUTES, Route, Trigger,
    woken_by,
};
use weir_core::alarms::AlarmPrefix;

use crate::crates::packages;
use crate::files::{files, read, root, shown, text};
use crate::terraform::DEPLOYED;

#[test]
fn the_rules_are_those_of_the_routing_table() {
    let mut expected = Map::new();
    for Route { rule, wakes, trigger } in ROUTES {
        let (schedule, pattern) = match trigger {
            Trigger::EveryMinutes(1) => (json!("rate(1 minute)"), Value::Null),
            Trigger::EveryMinutes(60) => (json!("rate(1 hour)"), Value::Null),
            Trigger::EveryMinutes(n) => (json!(format!("rate({n} minutes)")), Value::Null),
            Trigger::Event(pattern) => (Value::Null, eventbridge(&pattern)),
        };
        let wakes = json!({
            "function": wakes.name(), "schedule": schedule, "pattern": pattern, "input": null,
        });
        expected.insert(rule.to_owned(), wakes);
    }
    let template = template();
    let mut in_template = Map::new();
    for (logical_id, function) in functions(&template) {
        for (event, rule) in function["Events"].as_object().into_iter().flatten() {
            let wakes = json!({
                "function": function["Handler"],
                "schedule": rule["Properties"]["Schedule"],
                "pattern": rule["Properties"]["Pattern"],
                "input": rule["Properties"]["Input"],
            });
            in_template.insert(format!("{logical_id}{event}"), wakes);
        }
    }
    // The one rule that only CloudFormation has. It sends what an operator sends after a change.
    let deployed = in_template.remove(DEPLOYED).unwrap_or_default();
    let sent: Value = serde_json::from_str(&text(&deployed["input"])).unwrap_or_default();
    let part = |name: &str| text(&sent[name]);
    let prefix = AlarmPrefix::default();
    let (source, detail_type) = (part("source"), part("detail-type"));
    let woken = woken_by(&prefix, &source, &detail_type, &sent["detail"]);
    let woken: Vec<&str> = woken.map(Loop::name).collect();
    assert_eq!(woken, [text(&deployed["function"])], "{DEPLOYED} sends {sent}");
    assert!(Incoming::read(&sent).is_ok(), "{DEPLOYED}: no function reads its Input");
    assert_eq!(
        in_template, expected,
        "infra/template.yaml: its rules are those of shared/control/src/routing.rs"
    );
}

/// A pattern as EventBridge takes it.
fn eventbridge(pattern: &EventPattern) -> Value {
    let mut detail = Map::new();
    for FieldMatch { path, values } in pattern.detail {
        let values = match values {
            FieldValues::OneOf(texts) => json!(texts),
            FieldValues::AlarmsNamed(kinds) => {
                let prefix = AlarmPrefix::default();
                kinds.iter().map(|kind| json!({ "prefix": format!("{prefix}{kind}") })).collect()
            }
            FieldValues::This => json!(["AlarmPrefix"]),
            FieldValues::ThisOrAll => json!(["AlarmPrefix", { "exists": false }]),
        };
        let (first, rest) = path.split_first().unwrap_or_else(|| panic!("no way to a field"));
        let inner = rest.iter().rev().fold(values, |inner, name| json!({ *name: inner }));
        assert!(detail.insert((*first).to_owned(), inner).is_none(), "one way through {first}");
    }
    // Other accounts and regions may send their events on to this bus.
    let mut whole = json!({
        "source": [pattern.source],
        "account": ["AWS::AccountId"],
        "region": ["AWS::Region"],
        "detail-type": pattern.detail_types,
    });
    if !detail.is_empty() {
        whole["detail"] = Value::Object(detail);
    }
    whole
}

#[test]
fn functions_are_run_and_tried_again_as_the_simulator_does_it() {
    let template = template();
    for (_, function) in functions(&template) {
        let handler = text(&function["Handler"]);
        let Some(runs) = Loop::ALL.into_iter().find(|of| of.name() == handler) else {
            panic!("{handler} is no loop of shared/control/src/routing.rs");
        };
        assert_eq!(function["Timeout"], runs.timeout_seconds(), "{handler}: Timeout");
        let invoked = &function["EventInvokeConfig"];
        let retries = REDELIVERY_DELAYS_SECONDS.len();
        assert_eq!(invoked["MaximumRetryAttempts"], retries, "{handler}: MaximumRetryAttempts");
        // A retry that came too late to be made would be one that the simulator makes and AWS does
        // not.
        let last = REDELIVERY_DELAYS_SECONDS.iter().sum::<u32>() + 2 * runs.timeout_seconds();
        let kept = invoked["MaximumEventAgeInSeconds"].as_u64();
        assert_eq!(
            kept,
            Some(runs.event_age_seconds().into()),
            "{handler}: MaximumEventAgeInSeconds"
        );
        assert!(kept >= Some(last.into()), "{handler}: MaximumEventAgeInSeconds is below {last}");
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
}

#[test]
fn the_template_sets_what_the_functions_read() {
    let variables = &template()["Globals"]["Function"]["Environment"]["Variables"];
    let set: BTreeSet<String> =
        variables.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let rooms = ["functions", "shared/aws/src", "shared/lambda/src"];
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

#[test]
fn the_dashboard_asks_for_what_is_logged() {
    let template = template();
    let body = text(&template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]);
    let page: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}"));
    let code: String = ["functions", "shared/aws/src", "shared/lambda/src"]
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

/// The template with its tags (`!Ref`, `!GetAtt`) gone: what they name is left as text.
pub(crate) fn template() -> Value {
    let path = root().join("infra/template.yaml");
    let whole = read(&path).replace("!Sub ${AlarmPrefix}", "weir-");
    let template: Result<Value, _> = serde_saphyr::from_str(&whole);
    as_installed(&template.unwrap_or_else(|error| panic!("{}: {error}", shown(&path))))
}

/// As it is for a first installation, which makes its own ledger.
fn as_installed(value: &Value) -> Value {
    match value {
        Value::Array(either) if either.first() == Some(&json!("MakesLedger")) => either[1].clone(),
        Value::Array(values) => values.iter().map(as_installed).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), as_installed(value))).collect()
        }
        other => other.clone(),
    }
}

pub(crate) fn functions(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources
        .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function")
        .map(|(logical_id, resource)| (logical_id, &resource["Properties"]))
}
