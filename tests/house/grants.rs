//! The conditions on who may publish as Weir, decided as IAM decides them.
//!
//! A call to PutEvents carries up to ten events, so `events:source` is a set: IAM compares sets
//! only with `ForAllValues` and `ForAnyValue`, and holds an empty set equal to anything. Not here:
//! actions and resources (`e2e/privileges.rs`), that both templates grant the same (`terraform`).

use serde_json::Value;

use crate::deployment::{functions, template};
use crate::files::{read, root};

#[test]
fn a_function_publishes_as_weir_however_many_events_and_as_nobody_else() {
    let template = template();
    let mut publishing = Vec::new();
    for (id, _) in functions(&template) {
        let role = &template["Resources"][format!("{id}Role")]["Properties"];
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array();
        for grant in statements.into_iter().flatten() {
            if grant["Action"] == "events:PutEvents" {
                let allows = |sources: &[&str]| holds(&grant["Condition"], "", sources);
                assert!(allows(&["weir"]), "{id}: one plan of a tick");
                assert!(allows(&["weir", "weir"]), "{id}: two plans of a tick");
                assert!(!allows(&["weir", "orders"]), "{id} speaks for another service");
                assert!(!allows(&[]), "{id}: an event without a source");
                publishing.push(id.as_str());
            }
        }
    }
    assert_eq!(publishing, ["PlanCapacity", "ResizeStream", "SwitchMode", "SyncAlarms"]);
}

#[test]
fn the_documented_denial_stops_strangers_and_nobody_else() {
    let page = read(&root().join("docs/security.md"));
    let block = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
    let denial: Value = serde_json::from_str(block.unwrap_or_default())
        .unwrap_or_else(|error| panic!("docs/security.md: {error}"));
    assert_eq!(denial["Effect"], "Deny");
    let denied = |who: &str, sources: &[&str]| {
        let principal = format!("arn:aws-us-gov:iam::123456789012:role/{who}");
        holds(&denial["Condition"], &principal, sources)
    };
    assert!(denied("orders", &["weir"]));
    assert!(denied("orders", &["orders", "weir"]), "a plan goes through beside an honest event");
    assert!(!denied("orders", &["orders"]));
    assert!(!denied("weir-PlanCapacityRole-1A2B", &["weir", "weir"]), "Weir is stopped");
    assert!(!denied("STREAM-OPERATORS", &["weir"]), "nobody could ask for a plan");
}

/// Whether a condition block holds for a call with these sources.
fn holds(conditions: &Value, principal: &str, sources: &[&str]) -> bool {
    let operators = conditions.as_object().into_iter().flatten();
    operators.fold(true, |all, (operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.fold(all, |all, (key, wanted)| {
            let wanted = texts(wanted);
            let equal = |source: &&str| wanted.contains(source);
            all && match (operator.as_str(), key.as_str()) {
                ("ForAllValues:StringEquals", "events:source") => sources.iter().all(equal),
                ("ForAnyValue:StringEquals", "events:source") => sources.iter().any(equal),
                ("Null", "events:source") => {
                    wanted == [if sources.is_empty() { "true" } else { "false" }]
                }
                ("ArnNotLike", "aws:PrincipalArn") => {
                    !wanted.iter().any(|pattern| arn_like(pattern, principal))
                }
                other => panic!("IAM compares sets otherwise, or this test knows less: {other:?}"),
            }
        })
    })
}

/// Part by part, `*` at the end of a part for any characters.
fn arn_like(pattern: &str, arn: &str) -> bool {
    let (pattern, arn) = (pattern.split(':'), arn.split(':'));
    pattern.clone().count() == arn.clone().count()
        && pattern.zip(arn).all(|(wanted, part)| match wanted.strip_suffix('*') {
            Some(beginning) => part.starts_with(beginning),
            None => wanted == part,
        })
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}
