//! The trial on a real account, tried on a command that stands for the AWS CLI: both answers to
//! each question, and nothing left behind. Not here: what AWS answers, which only an account knows.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/trial-on-aws.md");

/// What is made, and how it is taken away: both with the field that names it.
const UNDONE: [(&str, &str, &str, &str); 6] = [
    ("create-stream", "StreamName", "delete-stream", "StreamName"),
    ("create-role", "RoleName", "delete-role", "RoleName"),
    ("put-role-policy", "RoleName", "delete-role-policy", "RoleName"),
    ("create-topic", "Name", "delete-topic", "TopicArn"),
    ("create-queue", "QueueName", "delete-queue", "QueueUrl"),
    ("create-stack", "StackName", "delete-stack", "StackName"),
];

/// A run, and the calls it made.
fn run(name: &str, settings: &[(&str, &str)]) -> (Output, Vec<Value>) {
    let log = env::temp_dir().join(format!("weir-trial-{name}-{}", std::process::id()));
    let _ = fs::remove_file(&log);
    let output = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/trial.py"))
        .args(["--minute-seconds", "0", "--bill", "--delivery-stream", "archive", "--aws"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/stub_aws.py"))
        .env("STUB_LOG", &log)
        .envs(settings.iter().copied())
        .output()
        .unwrap_or_else(|error| panic!("python3: {error}"));
    let calls = fs::read_to_string(&log).unwrap_or_default();
    let calls = calls.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
    let _ = fs::remove_file(&log);
    (output, calls)
}

/// Asserts that all that was made is gone.
fn nothing_is_left(calls: &[Value]) {
    let named = |operation: &str, field: &str| -> BTreeSet<String> {
        let called = calls.iter().filter(|call| call["operation"] == operation);
        let names = called.filter_map(|call| call[field].as_str());
        names.map(|name| name.rsplit([':', '/']).next().unwrap_or_default().to_owned()).collect()
    };
    for (made, by_name, deleted, by) in UNDONE {
        assert_eq!(named(made, by_name), named(deleted, by), "{made} and {deleted}");
    }
}

#[test]
fn the_trial_says_yes_or_no_to_each_question_and_leaves_nothing() {
    let mut asked = BTreeSet::new();
    for answer in ["yes", "no"] {
        let (output, calls) = run(answer, &[("STUB_SAYS", answer)]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        for line in said.lines() {
            let mut words = line.split_whitespace();
            let (first, question) = (words.next(), words.next().unwrap_or_default());
            // The stub grants that one in either account: two other questions need it.
            assert_eq!(
                first,
                Some(answer).filter(|_| question != "switch-arn").or(Some("yes")),
                "{line}"
            );
            assert!(PAGE.contains(&format!("| `{question}` ")), "docs/trial-on-aws.md: {question}");
            asked.insert(question.to_owned());
        }
        nothing_is_left(&calls);
    }
    assert_eq!(asked.len(), PAGE.matches("\n| `").count(), "{asked:?}");
}

#[test]
fn a_trial_that_cannot_begin_leaves_nothing_either() {
    let (output, calls) = run("failing", &[("STUB_SAYS", "yes"), ("STUB_FAILS", "create-stack")]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the trial cannot be prepared"), "{said}");
    let calls: Vec<Value> =
        calls.into_iter().filter(|call| call["operation"] != "create-stack").collect();
    assert!(calls.iter().any(|call| call["operation"] == "create-topic"));
    nothing_is_left(&calls);
}
