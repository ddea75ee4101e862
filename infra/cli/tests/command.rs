//! The `weir` command as a person types it: what it prints, and what it leaves in files.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::{folder_with, recording, text, weir};

const BACKTEST_PAGE: &str = include_str!("../../../docs/backtest.md");

#[test]
fn whoever_stops_reading_ends_the_command_quietly() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("demo")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(demo.stdout.take());
    let output = demo.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(141), String::new()));
}

#[test]
fn check_draws_every_fault_under_its_line() {
    let faulty = "version = 1\n[defaults]\nreserved_calls = 12\n\n[[streams]]\nmatch = \"orders\"\n\
                  min_shards = 9\nmax_shards = 4\nmod = \"act\"\n";
    let folder = folder_with(&[("orders.toml", faulty)]);
    let output = weir(folder.path(), &["check", "orders.toml"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("faulty_policy", text(&output.stderr));
}

#[test]
fn check_says_what_it_read() {
    let folder = folder_with(&[("a.toml", "version = 1\n[[streams]]\nmatch = \"*\"\n")]);
    let output = weir(folder.path(), &["check", "."]);
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(0), "./a.toml: 1 entry, no fault\n")
    );
}

#[test]
fn check_warns_of_entries_that_can_never_hold_and_says_which_holds() {
    let all = "version = 1\n[[streams]]\nmatch = \"*\"\nmode = \"act\"\nmax_shards = 9\n";
    let payments = "version = 1\n[[streams]]\nmatch = \"payments\"\nmode = \"observe\"\n";
    let folder = folder_with(&[("a.toml", all), ("b.toml", payments)]);
    let output = weir(folder.path(), &["check", ".", "--for", "payments"]);
    assert_eq!(output.status.code(), Some(0), "the functions load it, so it is no fault");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    insta::assert_snapshot!("hidden_entry", said);
    let strict = weir(folder.path(), &["check", ".", "--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    let none = folder_with(&[("b.toml", payments)]);
    let said = text(&weir(none.path(), &["check", ".", "--for", "orders", "--strict"]).stdout);
    assert!(said.contains("orders: no entry names it"), "{said}");
}

#[test]
fn schema_prints_what_an_editor_needs() {
    let folder = folder_with(&[]);
    let output = weir(folder.path(), &["schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(schema["$defs"]["mode"]["enum"], serde_json::json!(["observe", "act"]));
}

#[test]
fn a_faulty_recording_is_told_with_file_line_and_fix() {
    let gap = "timestamp,incoming_bytes,incoming_records\n2026-01-01T00:00:00Z,1,1\n\
               2026-01-01T00:01:00Z,1,1\n2026-01-01T00:03:00Z,1,1\n";
    let folder = folder_with(&[("gap.csv", gap), ("short.csv", &recording(600))]);
    let told = |trace: &str| {
        let output = weir(folder.path(), &["backtest", "--trace", trace]);
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    let all = ["gap.csv", "short.csv", "none.csv"].map(told).concat();
    insta::assert_snapshot!("faulty_recordings", all);
}

/// What a policy sees is the past alone: a recording cut short gives the same actions up to the
/// cut.
#[test]
fn the_same_past_gives_the_same_actions() {
    let folder = folder_with(&[("whole.csv", &recording(4_320)), ("part.csv", &recording(3_000))]);
    let actions = |trace: &str| {
        let output = weir(
            folder.path(),
            &["backtest", "--trace", trace, "--actions", "actions.csv", "--format", "json"],
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("one JSON object");
        let keys: Vec<&String> = report.as_object().expect("an object").keys().collect();
        for key in keys {
            assert!(BACKTEST_PAGE.contains(&format!("`{key}`")), "{key} is documented");
        }
        assert_eq!(report["violations"], 0);
        fs::read_to_string(folder.path().join("actions.csv")).expect("the actions")
    };
    let (whole, part) = (actions("whole.csv"), actions("part.csv"));
    assert!(whole.starts_with("called_at,effective_at,action,from,to,wanted,reasons,why\n"));
    assert!(part.lines().count() > 4, "{part}");
    assert!(whole.starts_with(&part), "{whole}\n---\n{part}");
}

#[test]
fn a_policy_that_names_another_stream_is_told() {
    let other = "version = 1\n[[streams]]\nmatch = \"clicks\"\n";
    let folder = folder_with(&[("p.toml", other), ("orders.csv", &recording(3_000))]);
    let output =
        weir(folder.path(), &["backtest", "--trace", "orders.csv", "--policies", "p.toml"]);
    assert_eq!(
        text(&output.stderr),
        "error: no policy names a stream \"orders\", which is the name of the trace\n"
    );
}

/// Arguments of `weir estimate`, as they are typed.
fn estimate(folder: &Path, arguments: &str) -> Output {
    let arguments: Vec<&str> =
        std::iter::once("estimate").chain(arguments.split_whitespace()).collect();
    weir(folder, &arguments)
}

#[test]
fn estimate_says_what_a_month_costs_in_every_mode() {
    let folder = folder_with(&[]);
    let told = |arguments: &str| {
        let output = estimate(folder.path(), arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        format!("$ weir estimate {arguments}\n{}", text(&output.stdout))
    };
    let all = [
        "--mib-per-second 40 --record-bytes 5000 --peak-factor 2 --consumers 2 \
         --fan-out-consumers 1 --retention-hours 168",
        "--records-per-second 20 --record-bytes 900",
        "--records-per-second 20000000 --record-bytes 400 --format json",
    ];
    insta::assert_snapshot!("estimates", all.map(told).join("\n"));
}

#[test]
fn estimate_says_what_it_was_not_told() {
    let folder = folder_with(&[]);
    let told = |arguments: &str| {
        let output = estimate(folder.path(), arguments);
        assert!(!output.status.success());
        text(&output.stderr)
    };
    let all = [
        "--mib-per-second 1",
        "--mib-per-second 1 --record-bytes 1 --region mars-east-1",
        "--mib-per-second 1 --record-bytes 0",
        "--mib-per-second 1 --trace a.csv",
    ];
    insta::assert_snapshot!("estimate_faults", all.map(told).join("\n"));
}

/// A recording is played; its bills are those of the sizes Weir gave it.
#[test]
fn estimate_plays_a_recording() {
    let folder = folder_with(&[("whole.csv", &recording(4_320))]);
    let output = estimate(folder.path(), "--trace whole.csv --consumers 0 --format json");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let number = |path: &str| said.pointer(path).and_then(serde_json::Value::as_f64);
    let of = |path: &str| number(path).unwrap_or_else(|| panic!("{path} in {said}"));
    let shards = of("/shards_right_sized");
    assert!(shards > 1.0 && shards < of("/shards_at_peak"), "{said}");
    let capacity = of("/month_usd/provisioned_right_sized/capacity");
    assert!((capacity - shards * 0.015 * 730.0).abs() < 0.1, "{said}");
    assert_eq!(of("/month_usd/on_demand_standard/capacity"), 29.2);
    assert_eq!(said["chosen_mode"], "provisioned");
}
