//! Least privilege, proven: everything Weir does happens once, and what each function then called
//! is held against what the template grants its role. A grant too few fails, and so does a grant
//! too many.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use weir_tests::privileges::{Privilege, compare, grants, uses};
use weir_tests::world::REGION;
use weir_tests::{LambdaFunction, Result, Service};

use crate::installation::{Installation, PATIENCE, STREAM, schedule};

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");
const LAG: &str = include_str!("../../../shared/control/fixtures/alerts/lambda_lag.json");
const DROPPED: &str = include_str!("../../../shared/control/fixtures/alerts/lambda_dropped.json");

/// What AWS does for a function, with the function's role, and no proxy sees. A log is written to a
/// stream of its group.
const BY_LAMBDA: [(&str, &str); 3] = [
    ("logs:CreateLogStream", "LOGS:log-stream:2026/11/25/[$LATEST]7f3a"),
    ("logs:PutLogEvents", "LOGS:log-stream:2026/11/25/[$LATEST]7f3a"),
    ("sqs:SendMessage", "arn:aws:sqs:us-east-1:ACCOUNT:failed-invocations"),
];
/// The topics are encrypted.
const BY_SNS: [(&str, &str); 2] = [
    ("kms:GenerateDataKey", "arn:aws:kms:us-east-1:ACCOUNT:key/alerts"),
    ("kms:Decrypt", "arn:aws:kms:us-east-1:ACCOUNT:key/alerts"),
];

#[test]
fn each_role_grants_what_its_function_calls_and_nothing_else() -> Result<()> {
    let acting = "mode = \"act\"\nkcl_applications = [\"search\"]";
    let installation = Installation::with_policy(acting)?.and_stream(4, 1.2)?;
    everything_happens_once(&installation)?;
    let account = installation.world.account();
    let mut used: BTreeMap<String, BTreeSet<Privilege>> = BTreeMap::new();
    for call in installation.world.proxy().calls() {
        let function = call.function.clone().unwrap_or_else(|| panic!("who calls? {call:?}"));
        used.entry(function).or_default().extend(uses(&call, account, REGION));
    }
    let roles = roles(account);
    assert_eq!(used.keys().collect::<Vec<_>>(), roles.keys().collect::<Vec<_>>());
    let mut differences = Vec::new();
    for (function, statements) in &roles {
        let used = used.entry(function.clone()).or_default();
        let by_sns = BY_SNS.iter().filter(|_| function == "raise-alerts");
        for (action, resource) in BY_LAMBDA.iter().chain(by_sns) {
            let resource = resource.replace("ACCOUNT", account);
            used.insert(Privilege::new(
                action,
                &resource.replace("LOGS", &logs(function, account)),
            ));
        }
        let found = compare(&grants(statements), used);
        differences.extend(found.iter().map(|difference| format!("{function}: {difference}")));
    }
    assert!(differences.is_empty(), "infra/template.yaml:\n{}", differences.join("\n"));
    Ok(())
}

/// Every kind of event for every function, and every way to a call of its own.
fn everything_happens_once(installation: &Installation) -> Result<()> {
    let world = &installation.world;
    let delivery = json!({
        "DeliveryStreamName": "archive",
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {
            "KinesisStreamARN": format!("arn:aws:kinesis:{REGION}:{}:stream/{STREAM}", world.account()),
            "RoleARN": format!("arn:aws:iam::{}:role/reads", world.account()),
        },
        "ExtendedS3DestinationConfiguration": {
            "BucketARN": "arn:aws:s3:::archive",
            "RoleARN": format!("arn:aws:iam::{}:role/writes", world.account()),
        },
    });
    world.call(Service::Firehose, "CreateDeliveryStream", delivery)?;

    // A consumer is late, before there is a reshard to excuse it: a notice.
    let raise_alerts = raise_alerts(installation)?;
    raise_alerts.invoke(just_now(LAG))?;

    // Alarms are made, a plan follows from one, from the tick and from an operator, and is carried
    // out.
    installation.sync_alarms.invoke(schedule())?;
    world.set_alarm_state("weir-surge-orders", "ALARM")?;
    let plan = installation.surge_and_deliver()?;
    installation.shards_at_rest()?;
    let resized = world.wait_for_events("Weir Stream Resized", 1, PATIENCE)?;
    installation.sync_alarms.invoke(resized[0].envelope.clone())?;
    installation.plan_capacity.invoke(request("plan"))?;
    installation.plan_capacity.invoke(schedule())?;
    let mut switch = plan;
    let action = json!({ "kind": "switch_mode", "from": "provisioned", "to": "on_demand" });
    installation.order_instead(&mut switch, action, "on_demand")?;
    installation.switch_mode.invoke(switch.envelope)?;
    world.wait_until_active(STREAM)?;
    let switched = world.wait_for_events("Weir Mode Switched", 1, PATIENCE)?;
    installation.sync_alarms.invoke(switched[0].envelope.clone())?;

    // With more streams than one round has, a run that is nearly over asks for the rest.
    for number in 0..20 {
        world.create_stream(&format!("other-{number}"), 1)?;
    }
    let quiet = "version = 1\n[[streams]]\nmatch = \"*\"\nconsumer_alerts = \"off\"\n";
    world.write_policy("streams", quiet)?;
    let short = world.function("sync-alarms").timeout(Duration::from_secs(100)).deploy()?;
    short.invoke(schedule())?;
    let rest = world.wait_for_events("Weir Operator Request", 1, PATIENCE)?;
    assert!(rest[0].detail["after"].is_string(), "{:?}", rest[0].detail);

    // Then it drops records, and what Weir did to the stream is evidence: a page.
    raise_alerts.invoke(just_now(DROPPED))?;
    raise_alerts.invoke(schedule())?;
    Ok(())
}

fn raise_alerts(installation: &Installation) -> Result<LambdaFunction> {
    let topics = ["notices", "pages", "chat"].map(|name| installation.world.create_topic(name));
    let [notices, pages, chat] = topics;
    installation
        .world
        .function("raise-alerts")
        .env("WEIR_NOTICES_TOPIC", notices?)
        .env("WEIR_PAGES_TOPIC", pages?)
        .env("WEIR_CHAT_TOPIC", chat?)
        .deploy()
}

/// A recorded alarm, as if it had gone off now, and here.
fn just_now(recording: &str) -> Value {
    let mut event: Value = serde_json::from_str(recording).unwrap_or_default();
    for origin in ["account", "region", "resources"] {
        event[origin] = Value::Null;
    }
    let now = weir_tests::time::now().strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string();
    event["detail"]["state"] = json!({ "value": "ALARM", "timestamp": now });
    event
}

fn request(what: &str) -> Value {
    json!({
        "source": "weir",
        "detail-type": "Weir Operator Request",
        "detail": { "version": 1, "request": what },
    })
}

fn logs(function: &str, account: &str) -> String {
    format!("arn:aws:logs:{REGION}:{account}:log-group:/aws/lambda/weir/{function}")
}

/// The statements of each function's role, with this account's names filled in.
fn roles(account: &str) -> BTreeMap<String, Value> {
    let template: std::result::Result<Value, _> = serde_saphyr::from_str(TEMPLATE);
    let resources = template.unwrap_or_else(|error| panic!("infra/template.yaml: {error}"));
    let resources = resources["Resources"].as_object().cloned().unwrap_or_default();
    let mut roles = BTreeMap::new();
    for (id, resource) in &resources {
        if resource["Type"] == "AWS::Serverless::Function" {
            let function = resource["Properties"]["Handler"].as_str().unwrap_or_default();
            let role = &resources[&format!("{id}Role")]["Properties"];
            let statements = &role["Policies"][0]["PolicyDocument"]["Statement"];
            roles.insert(function.to_owned(), filled_in(statements, function, account));
        }
    }
    roles
}

fn filled_in(value: &Value, function: &str, account: &str) -> Value {
    match value {
        Value::Object(fields) => {
            let filled = |(name, value): (&String, &Value)| {
                (name.clone(), filled_in(value, function, account))
            };
            fields.iter().map(filled).collect()
        }
        // !If [condition, …, …]: this account has a chat topic, and a ledger of the stack.
        Value::Array(values)
            if values.first().is_some_and(|first| {
                ["HasChat", "MakesLedger"].map(|c| json!(c)).contains(first)
            }) =>
        {
            filled_in(&values[1], function, account)
        }
        Value::Array(values) => {
            values.iter().map(|value| filled_in(value, function, account)).collect()
        }
        Value::String(text) => json!(name(text, function, account)),
        other => other.clone(),
    }
}

fn name(text: &str, function: &str, account: &str) -> String {
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{REGION}:{account}:{rest}");
    match text {
        "Ledger.Arn" => arn("dynamodb", "table/weir-ledger"),
        "FailedInvocations.Arn" => arn("sqs", "failed-invocations"),
        "AlertsKey.Arn" => arn("kms", "key/alerts"),
        "Notices" | "Pages" | "Chat" => arn("sns", &text.to_lowercase()),
        logs_of if logs_of.ends_with("Logs.Arn") => format!("{}:*", logs(function, account)),
        other => other
            .replace("${AWS::Partition}", "aws")
            .replace("${AWS::Region}", REGION)
            .replace("${AWS::AccountId}", account)
            .replace("${Ledger.Arn}", &arn("dynamodb", "table/weir-ledger"))
            .replace("${AlarmPrefix}", "weir-")
            .replace("${ResizableStreams}", "*"),
    }
}
