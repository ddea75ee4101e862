//! What a newcomer meets on the way to AWS: each failure with its next step. Nothing here leaves
//! the machine: credentials are missing, or the endpoint is closed.

#![cfg(feature = "aws")]
#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use std::path::Path;
use std::process::Command;

use support::{folder_with, text};

/// Profiles as people have them.
const PROFILES: &str = "\
[profile sso]
sso_session = me
sso_account_id = 111122223333
sso_role_name = ReadOnly
region = eu-central-1

[sso-session me]
sso_region = eu-central-1
sso_start_url = https://d-1.awsapps.com/start

[profile process]
region = eu-central-1
credential_process = cat credentials.json

[profile web]
region = eu-central-1
role_arn = arn:aws:iam::111122223333:role/reader
web_identity_token_file = none.jwt
";
const CREDENTIALS: &str = "{\"Version\": 1, \"AccessKeyId\": \"AKIDEXAMPLE\", \
                           \"SecretAccessKey\": \"not-a-secret\"}";
/// Nobody listens there.
const CLOSED: &str = "http://127.0.0.1:9";

/// What the command says to standard error, as somebody without anything set.
fn said(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("AWS_CONFIG_FILE", "profiles")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", CLOSED)
        .envs(settings.iter().copied())
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    let settings: String =
        settings.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    format!("$ {settings}weir {}\n{}\n", arguments.join(" "), text(&output.stderr))
}

#[test]
fn every_failure_on_the_way_to_aws_has_its_next_step() {
    let folder = folder_with(&[("profiles", PROFILES), ("credentials.json", CREDENTIALS)]);
    let said =
        |arguments: &[&str], settings: &[(&str, &str)]| said(folder.path(), arguments, settings);
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "not-a-secret")];
    let all = [
        said(&["record", "orders", "--region", "eu-central-1"], &[]),
        said(&["record", "orders", "--profile", "sso"], &[]),
        said(&["record", "orders"], &[("AWS_PROFILE", "nobody")]),
        said(&["record", "orders", "--profile", "web"], &[]),
        said(&["record", "orders"], &keys),
        said(&["record", "orders", "--region", "eu-central-1"], &keys),
        said(&["record", "not a stream"], &keys),
        said(&["pause", "orders", "--note", "me"], &keys),
    ];
    insta::assert_snapshot!("on_the_way_to_aws", all.concat());
}

/// The process is asked: it is the closed endpoint that stops the call, and no missing feature.
#[test]
fn a_credential_process_is_asked() {
    let folder = folder_with(&[("profiles", PROFILES), ("credentials.json", CREDENTIALS)]);
    let said = said(folder.path(), &["record", "orders", "--profile", "process"], &[]);
    assert!(said.contains("next: see whether the network"), "{said}");
    // A profile that is named wins over keys that lie about: they may be of another account.
    let none = folder_with(&[("profiles", PROFILES)]);
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "not-a-secret")];
    let said = self::said(none.path(), &["record", "orders", "--profile", "process"], &keys);
    assert!(said.contains("external process exited"), "{said}");
}
