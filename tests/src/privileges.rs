//! What a function did, as IAM sees it, against what its role grants.
//!
//! Here: the actions and resources of a recorded call, and the comparison, which tells of grants
//! that are missing and of grants that nothing needs. Not here: conditions of grants, and which
//! runs are recorded (`tests/e2e/privileges.rs`).

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::wire::{Call, Service};

/// An action on a resource. As a grant, the resource may have `*` for any characters; as a use, it
/// is `*` where IAM knows no resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Privilege {
    /// `kinesis:UpdateShardCount` and the like.
    pub action: String,
    /// An ARN.
    pub resource: String,
}

impl Privilege {
    /// This action on this resource.
    #[must_use]
    pub fn new(action: &str, resource: &str) -> Self {
        Self { action: action.to_owned(), resource: resource.to_owned() }
    }

    /// Whether this grant allows that use.
    fn allows(&self, used: &Privilege) -> bool {
        self.action == used.action && like(&self.resource, &used.resource)
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)
    }
}

/// Where a role and its function differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The function does it, and would be refused.
    NotGranted(Privilege),
    /// The role allows it, and the function never does it.
    NotUsed(Privilege),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted(used) => write!(f, "grant {used}: the function calls it"),
            Self::NotUsed(grant) => write!(f, "take back {grant}: the function never calls it"),
        }
    }
}

/// All differences, missing grants first.
#[must_use]
pub fn compare(grants: &BTreeSet<Privilege>, used: &BTreeSet<Privilege>) -> Vec<Difference> {
    let missing = used.iter().filter(|used| !grants.iter().any(|grant| grant.allows(used)));
    let idle = grants.iter().filter(|grant| !used.iter().any(|used| grant.allows(used)));
    let missing = missing.cloned().map(Difference::NotGranted);
    missing.chain(idle.cloned().map(Difference::NotUsed)).collect()
}

/// The grants of a policy's statements, in which no name is left to be filled in.
#[must_use]
pub fn grants(statements: &Value) -> BTreeSet<Privilege> {
    let mut granted = BTreeSet::new();
    for statement in statements.as_array().into_iter().flatten() {
        for action in texts(&statement["Action"]) {
            let of_service =
                |resource: &&str| *resource == "*" || service(resource) == service_of(action);
            for resource in texts(&statement["Resource"]).into_iter().filter(of_service) {
                granted.insert(Privilege::new(action, resource));
            }
        }
    }
    granted
}

/// What a call needs.
#[must_use]
pub fn uses(call: &Call, account: &str, region: &str) -> BTreeSet<Privilege> {
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{account}:{rest}");
    let named = |key: &str| call.body[key].as_str().unwrap_or_default().to_owned();
    let Some(service) = prefix(call.service) else {
        return BTreeSet::from([Privilege::new(&call.operation, "?")]);
    };
    let mut actions = vec![call.operation.clone()];
    let mut resources = vec!["*".to_owned()];
    match (call.service, call.operation.as_str()) {
        (Service::Kinesis, "ListStreams" | "DescribeLimits") => {}
        (Service::Kinesis, _) => resources = vec![stream_arn(call, &arn)],
        (Service::CloudWatch, "GetMetricData") => {}
        (Service::CloudWatch, "DescribeAlarms") => resources = vec![arn(service, "alarm:*")],
        (Service::CloudWatch, "DeleteAlarms") => {
            let names = texts(&call.body["AlarmNames"]);
            resources = names.iter().map(|name| arn(service, &format!("alarm:{name}"))).collect();
        }
        (Service::CloudWatch, operation) => {
            if operation == "PutMetricAlarm" && call.body["Tags"].is_array() {
                actions.push("TagResource".to_owned());
            }
            resources = match call.body["ResourceARN"].as_str() {
                Some(arn) => vec![arn.to_owned()],
                None => vec![arn(service, &format!("alarm:{}", named("AlarmName")))],
            };
        }
        (Service::DynamoDb, "TransactWriteItems") => {
            let parts = call.body["TransactItems"].as_array().into_iter().flatten();
            let parts = parts.filter_map(Value::as_object).flatten();
            let mut needed = BTreeSet::new();
            for (kind, part) in parts {
                let action = if kind == "ConditionCheck" {
                    "ConditionCheckItem".into()
                } else {
                    format!("{kind}Item")
                };
                let table = part["TableName"].as_str().unwrap_or_default();
                needed.insert(Privilege::new(
                    &format!("{service}:{action}"),
                    &arn(service, &format!("table/{table}")),
                ));
            }
            return needed;
        }
        (Service::DynamoDb, _) => {
            let index = call.body["IndexName"].as_str();
            let index = index.map(|index| format!("/index/{index}")).unwrap_or_default();
            resources = vec![arn(service, &format!("table/{}{index}", named("TableName")))];
        }
        // Of nothing, to connect: no bus is named.
        (Service::EventBridge, _) => {
            let buses = call.body["Entries"].as_array().into_iter().flatten();
            let buses = buses.map(|entry| entry["EventBusName"].as_str().unwrap_or("default"));
            resources = buses.map(|bus| arn(service, &format!("event-bus/{bus}"))).collect();
        }
        (Service::Firehose, "DescribeDeliveryStream") => {
            resources =
                vec![arn(service, &format!("deliverystream/{}", named("DeliveryStreamName")))];
        }
        (Service::Lambda, path) if path.contains("/event-source-mappings") => {
            actions = vec!["ListEventSourceMappings".to_owned()];
        }
        (Service::Sns, _) => resources = vec![named("TopicArn")],
        _ => {}
    }
    let each = |action: &String| {
        let action = format!("{service}:{action}");
        resources.iter().map(move |resource| Privilege::new(&action, resource)).collect::<Vec<_>>()
    };
    actions.iter().flat_map(each).collect()
}

fn stream_arn(call: &Call, arn: &impl Fn(&str, &str) -> String) -> String {
    match call.body["StreamARN"].as_str() {
        Some(arn) => arn.to_owned(),
        None => {
            let name = call.body["StreamName"].as_str().unwrap_or_default();
            arn("kinesis", &format!("stream/{name}"))
        }
    }
}

/// A service's name before the colon of its actions.
fn prefix(service: Service) -> Option<&'static str> {
    match service {
        Service::Kinesis => Some("kinesis"),
        Service::CloudWatch => Some("cloudwatch"),
        Service::DynamoDb => Some("dynamodb"),
        Service::EventBridge => Some("events"),
        Service::Firehose => Some("firehose"),
        Service::Lambda => Some("lambda"),
        Service::Sns => Some("sns"),
        Service::Sqs => Some("sqs"),
        Service::Ssm => Some("ssm"),
        Service::Other => None,
    }
}

fn service_of(action: &str) -> &str {
    action.split(':').next().unwrap_or_default()
}

/// The service in an ARN.
fn service(arn: &str) -> &str {
    arn.split(':').nth(2).unwrap_or_default()
}

/// One text, or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

/// Whether `*` in the pattern can be filled in so that it is the text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|from| rest.get(from..).is_some_and(|rest| like(after, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:1:table/ledger";
    const STREAM: &str = "arn:aws:kinesis:us-east-1:1:stream/orders";

    fn policy() -> Value {
        json!([
            { "Action": "kinesis:UpdateShardCount", "Resource": "arn:aws:kinesis:us-east-1:1:stream/*" },
            { "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": TABLE },
        ])
    }

    fn used() -> BTreeSet<Privilege> {
        BTreeSet::from([
            Privilege::new("kinesis:UpdateShardCount", STREAM),
            Privilege::new("dynamodb:GetItem", TABLE),
            Privilege::new("dynamodb:PutItem", TABLE),
        ])
    }

    #[test]
    fn what_is_granted_and_used_is_no_difference() {
        assert_eq!(compare(&grants(&policy()), &used()), []);
    }

    #[test]
    fn a_grant_too_few_is_told() {
        let mut policy = policy();
        policy[1]["Action"] = json!("dynamodb:GetItem");
        let missing = Privilege::new("dynamodb:PutItem", TABLE);
        assert_eq!(compare(&grants(&policy), &used()), [Difference::NotGranted(missing)]);
    }

    #[test]
    fn a_grant_too_many_is_told() {
        let mut policy = policy();
        policy[0]["Action"] = json!(["kinesis:UpdateShardCount", "kinesis:DeleteStream"]);
        let idle = Privilege::new("kinesis:DeleteStream", "arn:aws:kinesis:us-east-1:1:stream/*");
        assert_eq!(compare(&grants(&policy), &used()), [Difference::NotUsed(idle)]);
    }

    #[test]
    fn a_grant_on_something_else_is_told_twice() {
        let mut policy = policy();
        policy[0]["Resource"] = json!("arn:aws:kinesis:us-east-1:1:stream/payments");
        assert_eq!(compare(&grants(&policy), &used()).len(), 2);
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(like("*", STREAM) && like("arn:*:stream/*ers", STREAM));
        assert!(!like("arn:*:stream/*x", STREAM) && !like("stream", STREAM));
    }
}
