//! The Terraform module against the template: the same functions, rules, permissions, alarms,
//! ledger and dashboard.
//!
//! Both are read as data, and the module's references are put into the template's words (`NAMES`).
//! Not here: whether Terraform takes the module, which `.ci/run` asks Terraform.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use weir_control::routing::REDELIVERY_DELAYS_SECONDS;

use crate::deployment::{functions, template};
use crate::files::{files, read, root, text};
use crate::pages::same_or_bless;

/// What the template makes one by one, and where the module makes it. What a function brings along
/// (its role, log group, rules) is made for each of `local.functions`, `local.grants` and
/// `local.rules`.
const RESOURCES: [(&str, &str); 17] = [
    ("AlertsKey", "aws_kms_key.alerts"),
    ("Chat", "aws_sns_topic.chat"),
    ("ChatPolicy", "aws_sns_topic_policy.chat"),
    ("Dashboard", "aws_cloudwatch_dashboard.weir"),
    ("DeadLetters", "aws_cloudwatch_metric_alarm.dead_letters"),
    ("FailedInvocations", "aws_sqs_queue.failed_invocations"),
    ("FailedInvocationsPolicy", "aws_sqs_queue_policy.failed_invocations"),
    ("Ledger", "aws_dynamodb_table.ledger"),
    ("Notices", "aws_sns_topic.notices"),
    ("NoticesPolicy", "aws_sns_topic_policy.notices"),
    ("Pages", "aws_sns_topic.pages"),
    ("PagesPolicy", "aws_sns_topic_policy.pages"),
    ("Policies", "aws_lambda_layer_version.policies"),
    ("TickMissing", "aws_cloudwatch_metric_alarm.tick_missing"),
    ("UndeliveredEvents", "aws_sqs_queue.undelivered_events"),
    ("UndeliveredEventsPolicy", "aws_sqs_queue_policy.undelivered_events"),
    // CloudFormation tells EventBridge when a deployment is done, and a rule wakes sync-alarms;
    // Terraform calls it.
    (DEPLOYED, "aws_lambda_invocation.deployed"),
];
pub(crate) const DEPLOYED: &str = "SyncAlarmsDeployed";

/// What is made for each of something, and of what.
const FOR_EACH: [(&str, &str); 8] = [
    ("aws_cloudwatch_event_rule.events", "${local.rules}"),
    ("aws_cloudwatch_event_target.events", "${local.rules}"),
    ("aws_cloudwatch_log_group.functions", "${local.functions}"),
    ("aws_iam_role.functions", "${local.grants}"),
    ("aws_iam_role_policy.functions", "${local.grants}"),
    ("aws_lambda_function.functions", "${local.functions}"),
    ("aws_lambda_function_event_invoke_config.functions", "${local.functions}"),
    ("aws_lambda_permission.events", "${local.rules}"),
];

/// The module's references in the template's words.
const NAMES: [(&str, &str); 27] = [
    ("local.partition", "AWS::Partition"),
    ("local.region", "AWS::Region"),
    ("local.account", "AWS::AccountId"),
    ("local.alarm_prefix", "AlarmPrefix"),
    ("var.resizable_streams", "ResizableStreams"),
    ("var.plan_capacity_concurrency", "PlanCapacityConcurrency"),
    ("var.resize_stream_concurrency", "ResizeStreamConcurrency"),
    ("var.switch_mode_concurrency", "SwitchModeConcurrency"),
    ("aws_dynamodb_table.ledger.arn", "Ledger.Arn"),
    ("aws_dynamodb_table.ledger.name", "Ledger"),
    ("aws_kms_key.alerts.arn", "AlertsKey.Arn"),
    ("aws_sns_topic.notices.arn", "Notices"),
    ("aws_sns_topic.pages.arn", "Pages"),
    ("aws_sns_topic.chat[0].arn", "Chat"),
    ("aws_sqs_queue.failed_invocations.arn", "FailedInvocations.Arn"),
    ("aws_sqs_queue.failed_invocations.name", "FailedInvocations.QueueName"),
    ("aws_sqs_queue.undelivered_events.arn", "UndeliveredEvents.Arn"),
    ("aws_sqs_queue.undelivered_events.name", "UndeliveredEvents.QueueName"),
    ("aws_lambda_function.functions[\"plan-capacity\"].function_name", "PlanCapacity"),
    ("aws_lambda_function.functions[\"raise-alerts\"].function_name", "RaiseAlerts"),
    ("local.logs[\"plan-capacity\"]", "PlanCapacityLogs.Arn"),
    ("local.logs[\"resize-stream\"]", "ResizeStreamLogs.Arn"),
    ("local.logs[\"switch-mode\"]", "SwitchModeLogs.Arn"),
    ("local.logs[\"sync-alarms\"]", "SyncAlarmsLogs.Arn"),
    ("local.logs[\"raise-alerts\"]", "RaiseAlertsLogs.Arn"),
    (
        "concat([aws_sns_topic.notices.arn, aws_sns_topic.pages.arn], aws_sns_topic.chat[*].arn)",
        "Notices, Pages, Chat",
    ),
    ("values(aws_cloudwatch_event_rule.events)[*].arn", "every rule"),
];

#[test]
fn both_make_the_same_resources() {
    let (template, module) = (template(), Module::read());
    let of_functions = |id: &str| {
        let owner = id.trim_end_matches("Role").trim_end_matches("Logs");
        functions(&template).any(|(function, _)| function == owner)
    };
    let ids = template["Resources"].as_object().into_iter().flatten().map(|(id, _)| id.as_str());
    let made: BTreeSet<&str> = ids.filter(|id| !of_functions(id)).chain([DEPLOYED]).collect();
    assert_eq!(made, RESOURCES.iter().map(|(id, _)| *id).collect(), "infra/template.yaml");

    let types = module.0["resource"].as_object().into_iter().flatten();
    let made: BTreeSet<String> = types
        .flat_map(|(kind, named)| {
            named.as_object().into_iter().flatten().map(move |(name, _)| format!("{kind}.{name}"))
        })
        .collect();
    let known = RESOURCES.iter().chain(&FOR_EACH);
    let known: BTreeSet<String> = known
        .map(|(id, address)| if address.starts_with("aws") { *address } else { *id })
        .map(str::to_owned)
        .collect();
    assert_eq!(made, known, "infra/terraform");
    for (address, each) in FOR_EACH {
        assert_eq!(module.resource(address)["for_each"], each, "{address}");
    }
}

#[test]
fn both_make_the_same_functions() {
    let (template, module) = (template(), Module::read());
    let (mut deployed, mut in_module) = (Map::new(), Map::new());
    for (_, function) in functions(&template) {
        let reserved = &function["ReservedConcurrentExecutions"];
        let invoked = &function["EventInvokeConfig"];
        assert_eq!(reserved[0], "ReservesConcurrency", "every function can do without");
        assert_eq!(
            invoked["DestinationConfig"]["OnFailure"]["Destination"],
            "FailedInvocations.Arn"
        );
        let settings = json!({
            "description": function["Description"],
            "timeout_seconds": function["Timeout"],
            "memory_mib": function["MemorySize"],
            "concurrency": reserved[1],
            "max_age_seconds": invoked["MaximumEventAgeInSeconds"],
        });
        deployed.insert(text(&function["Handler"]), in_words(&settings));
    }
    for (handler, settings) in module.local("functions") {
        in_module.insert(handler.clone(), in_words(settings));
    }
    assert_eq!(deployed, in_module);

    let variables = &module.resource("aws_lambda_function.functions")["environment"]["variables"];
    let names = |variables: &Value| -> BTreeSet<String> {
        variables.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let in_template = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(names(in_template), names(variables));
    let invoked = module.resource("aws_lambda_function_event_invoke_config.functions");
    let destination = &invoked["destination_config"]["on_failure"]["destination"];
    assert_eq!(in_words(destination), "FailedInvocations.Arn");
    assert_eq!(invoked["maximum_retry_attempts"], REDELIVERY_DELAYS_SECONDS.len());
}

#[test]
fn both_make_the_same_rules() {
    let (template, module) = (template(), Module::read());
    let (mut in_template, mut in_module) = (Map::new(), Map::new());
    for (id, function) in functions(&template) {
        for (event, rule) in function["Events"].as_object().into_iter().flatten() {
            let rule = &rule["Properties"];
            assert_eq!(rule["DeadLetterConfig"]["Arn"], "UndeliveredEvents.Arn", "{id}{event}");
            let wakes = json!({
                "function": function["Handler"],
                "schedule": rule["Schedule"],
                "pattern": rule["Pattern"],
                "max_age_seconds": rule["RetryPolicy"]["MaximumEventAgeInSeconds"],
                "description": rule["Description"],
            });
            in_template.insert(format!("{id}{event}"), in_words(&wakes));
        }
    }
    in_template.remove(DEPLOYED);
    for (id, rule) in module.local("rules") {
        let mut wakes = json!({ "schedule": null, "pattern": null, "description": null });
        for (key, value) in in_words(rule).as_object().into_iter().flatten() {
            wakes[key] = value.clone();
        }
        in_module.insert(id.clone(), wakes);
    }
    assert_eq!(in_template, in_module);
    let stopped =
        |rule: &Value| rule["Properties"]["State"] == json!(["Executes", "ENABLED", "DISABLED"]);
    let mut executing: Vec<String> = Vec::new();
    for (id, function) in functions(&template) {
        let events = function["Events"].as_object().into_iter().flatten();
        executing.extend(
            events.filter(|(_, rule)| stopped(rule)).map(|(event, _)| format!("{id}{event}")),
        );
    }
    assert_eq!(json!(executing), module.0["locals"]["executing"]);
    assert_eq!(
        module.resource("aws_cloudwatch_event_rule.events")["state"],
        "${contains(local.executing, each.key) && !var.executors_enabled ? \"DISABLED\" : \"ENABLED\"}"
    );
    let permission = module.resource("aws_lambda_permission.events");
    assert_eq!(permission["source_arn"], "${aws_cloudwatch_event_rule.events[each.key].arn}");
    assert_eq!(permission["source_account"], "${local.account}");
    let target = module.resource("aws_cloudwatch_event_target.events");
    assert_eq!(in_words(&target["dead_letter_config"]["arn"]), "UndeliveredEvents.Arn");
}

#[test]
fn both_grant_the_same() {
    let (template, module) = (template(), Module::read());
    let grants = module.local("grants");
    for (id, function) in functions(&template) {
        let role = &template["Resources"][format!("{id}Role")]["Properties"];
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].clone();
        let granted = in_words(&grants[&text(&function["Handler"])]);
        assert_eq!(in_words(&statements), with_effect(granted), "{id}");
    }
    for (id, address) in RESOURCES.iter().filter(|(id, _)| id.ends_with("Policy")) {
        let document = &template["Resources"][id]["Properties"]["PolicyDocument"];
        assert_eq!(in_words(document), in_words(&module.resource(address)["policy"]), "{id}");
    }
    // CloudFormation's ARN of a log group ends in `:*`, so that it holds its streams; the provider
    // takes that off.
    let logs = &module.0["locals"]["logs"];
    let with_streams = "${{for function, group in aws_cloudwatch_log_group.functions : function => \"${group.arn}:*\"}}";
    assert_eq!(logs, with_streams, "a right to a log group is none to write to it");
    let key = &template["Resources"]["AlertsKey"]["Properties"]["KeyPolicy"];
    assert_eq!(in_words(key), in_words(&module.resource("aws_kms_key.alerts")["policy"]));
}

#[test]
fn both_watch_weir_by_the_same_alarms() {
    let (template, module) = (template(), Module::read());
    for id in ["TickMissing", "DeadLetters"] {
        let address = RESOURCES.iter().find(|(known, _)| *known == id).map_or("", |(_, at)| *at);
        let alarm = in_words(module.resource(address));
        let in_module = json!({
            "AlarmName": alarm["alarm_name"],
            "AlarmDescription": alarm["alarm_description"],
            "ComparisonOperator": alarm["comparison_operator"],
            "Threshold": alarm["threshold"],
            "EvaluationPeriods": alarm["evaluation_periods"],
            "DatapointsToAlarm": alarm["datapoints_to_alarm"],
            "TreatMissingData": alarm["treat_missing_data"],
            "AlarmActions": alarm["alarm_actions"],
            "OKActions": alarm["ok_actions"],
            "Metrics": alarm["metric_query"].as_array().into_iter().flatten().map(query).collect::<Value>(),
        });
        let mut in_template = json!({ "AlarmActions": null, "OKActions": null });
        let properties = in_words(&template["Resources"][id]["Properties"]);
        let properties = properties.as_object().into_iter().flatten();
        // The provider knows no warm-up; infra/terraform/README.md says what follows.
        for (key, value) in properties.filter(|(key, _)| *key != "WarmUpConfiguration") {
            in_template[key] = value.clone();
        }
        assert_eq!(in_template, in_module, "{id}");
    }
}

#[test]
fn both_keep_the_same_ledger() {
    let (template, module) = (template(), Module::read());
    let table = &template["Resources"]["Ledger"]["Properties"];
    let ours = module.resource("aws_dynamodb_table.ledger");
    let keys = |of: &Value| [of[0]["AttributeName"].clone(), of[1]["AttributeName"].clone()];
    assert_eq!(keys(&table["KeySchema"]), [ours["hash_key"].clone(), ours["range_key"].clone()]);
    let (index, our_index) = (&table["GlobalSecondaryIndexes"][0], &ours["global_secondary_index"]);
    assert_eq!(index["IndexName"], our_index["name"]);
    assert_eq!(
        keys(&index["KeySchema"]),
        [our_index["hash_key"].clone(), our_index["range_key"].clone()]
    );
    assert_eq!(index["Projection"]["ProjectionType"], our_index["projection_type"]);
    assert_eq!(table["BillingMode"], ours["billing_mode"]);
    assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], ours["ttl"]["attribute_name"]);
    assert_eq!(table["DeletionProtectionEnabled"], true);
    for protection in [
        &ours["deletion_protection_enabled"],
        &ours["point_in_time_recovery"]["enabled"],
        &ours["lifecycle"]["prevent_destroy"],
    ] {
        assert_eq!(protection, &json!(true));
    }
}

#[test]
fn both_show_the_same_dashboard() {
    let template = template();
    let body = text(&template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]);
    assert!(serde_json::from_str::<Value>(&body).is_ok(), "DashboardBody is no JSON");
    // Terraform's templates take no `:` and no `.` in a name.
    let mut named = String::new();
    for (place, part) in body.split("${").enumerate() {
        let (name, rest) = part.split_once('}').filter(|_| place > 0).unwrap_or(("", part));
        let name = name.replace("AWS::", "").replace('.', "_");
        named += &if place > 0 { format!("${{{name}}}{rest}") } else { rest.to_owned() };
    }
    same_or_bless("infra/terraform/dashboard.json.tftpl", &named);
}

/// All files of the module as one.
struct Module(Value);

impl Module {
    fn read() -> Module {
        let mut whole = json!({ "locals": {}, "resource": {} });
        let folder = root().join("infra/terraform");
        for file in files(&folder).iter().filter(|file| file.extension().is_some_and(|e| e == "tf"))
        {
            let parsed: Result<Value, _> = hcl::from_str(&read(file));
            let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            merge(&mut whole, parsed);
        }
        Module(whole)
    }

    fn local(&self, name: &str) -> &Map<String, Value> {
        self.0["locals"][name].as_object().unwrap_or_else(|| panic!("no local.{name}"))
    }

    fn resource(&self, address: &str) -> &Value {
        let (kind, name) = address.split_once('.').unwrap_or_default();
        &self.0["resource"][kind][name]
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// A value in the template's words, whichever of the two it is from.
fn in_words(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), in_words(value))).collect()
        }
        // Topics of which one may not be there.
        Value::Array(values) if *values == [json!("Notices"), json!("Pages"), chat()] => {
            json!("Notices, Pages, Chat")
        }
        Value::Array(values) if values.iter().any(|value| value == "PlanCapacityTick.Arn") => {
            json!("every rule")
        }
        Value::Array(values) => values.iter().map(in_words).collect(),
        Value::String(text) => words(text),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

fn chat() -> Value {
    json!(["HasChat", "Chat", "AWS::NoValue"])
}

fn words(text: &str) -> Value {
    if let Some(inner) = text.strip_prefix("${jsonencode(").and_then(|t| t.strip_suffix(")}")) {
        let parsed: Result<Value, _> = hcl::from_str(&format!("value = {inner}"));
        return in_words(&parsed.unwrap_or_else(|error| panic!("{inner}: {error}"))["value"]);
    }
    let whole = NAMES.iter().find(|(ours, _)| text == format!("${{{ours}}}"));
    if let Some((_, name)) = whole {
        return json!(name);
    }
    let mut said = text.to_owned();
    for (ours, name) in NAMES {
        said = said.replace(&format!("${{{ours}}}"), &format!("${{{name}}}"));
    }
    json!(said.replace("${AlarmPrefix}", "weir-"))
}

fn with_effect(mut grants: Value) -> Value {
    for grant in grants.as_array_mut().into_iter().flatten() {
        grant["Effect"] = json!("Allow");
    }
    grants
}

/// One metric of an alarm, as CloudFormation writes it.
fn query(query: &Value) -> Value {
    let metric = &query["metric"];
    if metric.is_null() {
        let (label, expression) = (&query["label"], &query["expression"]);
        return json!({ "Id": query["id"], "Label": label, "Expression": expression });
    }
    let dimensions: Value = metric["dimensions"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect();
    json!({
        "Id": query["id"],
        "ReturnData": false,
        "MetricStat": {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metric_name"],
                "Dimensions": dimensions,
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        },
    })
}
