//! A program behind the Runtime API: answers, errors, crashes, timeouts, its log and its end.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use weir_tests::time::{now, wait_until};
use weir_tests::{FunctionError, FunctionSpec, Result, World};

const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/harness/fake_bootstrap.py");

fn fake(world: &World) -> FunctionSpec {
    world.function("plan-capacity").program("python3", &[FAKE])
}

fn told(what: &str) -> Value {
    json!({ "do": what })
}

fn runs(pid: &Value) -> bool {
    Path::new("/proc").join(pid.to_string()).join("fd").exists()
}

#[test]
fn a_function_is_started_once_and_told_where_it_is() -> Result<()> {
    let world = World::start()?;
    let function = fake(&world).env("WEIR_EVENT_BUS", "other").deploy()?;
    let first = function.invoke(told("answer"))?;
    let second = function.invoke(told("answer"))?;
    assert_eq!(first["handler"], "plan-capacity");
    assert_eq!(first["pid"], second["pid"]);
    assert_eq!(second["invocations"], 2);
    let left_ms = second["deadline_ms"].as_i64().unwrap_or(0) - now().as_millisecond();
    assert!((20_000..=30_000).contains(&left_ms), "{left_ms} ms left of 30 s");
    let environment = &first["environment"];
    assert_eq!(environment["AWS_ENDPOINT_URL"], world.proxy().url());
    assert_eq!(environment["WEIR_LEDGER_TABLE"], "weir-ledger");
    assert_eq!(environment["WEIR_EVENT_BUS"], "other");
    assert!(environment.get("HOME").is_none(), "nothing of the test's surroundings leaks in");
    Ok(())
}

#[test]
fn a_reported_error_is_the_caller_s() -> Result<()> {
    let world = World::start()?;
    let function = fake(&world).deploy()?;
    match function.invoke(told("fail")) {
        Err(FunctionError::Reported { error_type, message }) => {
            assert_eq!((error_type.as_str(), message.as_str()), ("Told", "to fail"));
        }
        other => panic!("{other:?}"),
    }
    function.invoke(told("answer"))?;
    Ok(())
}

#[test]
fn a_function_that_ends_by_itself_has_crashed() -> Result<()> {
    let world = World::start()?;
    let function = fake(&world).deploy()?;
    match function.invoke(told("exit")) {
        Err(FunctionError::Crashed { status: 3, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(function.invoke(told("answer"))?["invocations"], 1, "a new sandbox");
    Ok(())
}

#[test]
fn a_function_can_be_killed_in_the_middle() -> Result<()> {
    let world = World::start()?;
    let function = fake(&world).deploy()?;
    let pid = function.invoke(told("answer"))?["pid"].clone();
    let invocation = function.invoke_later(told("sleep"))?;
    wait_until("the sleep to begin", Duration::from_secs(10), || {
        Ok(function.log().iter().any(|line| line["did"] == "sleep").then_some(()))
    })?;
    function.crash();
    assert!(matches!(invocation.wait(), Err(FunctionError::Crashed { status: 137, .. })));
    assert!(!runs(&pid));
    assert_ne!(function.invoke(told("answer"))?["pid"], pid);
    Ok(())
}

#[test]
fn a_function_out_of_time_is_ended() -> Result<()> {
    let world = World::start()?;
    let function = fake(&world).timeout(Duration::from_secs(2)).deploy()?;
    let pid = function.invoke(told("answer"))?["pid"].clone();
    assert!(matches!(function.invoke(told("sleep")), Err(FunctionError::TimedOut { .. })));
    assert!(!runs(&pid));
    Ok(())
}

#[test]
fn a_function_that_cannot_start_says_why() -> Result<()> {
    let world = World::start()?;
    let function = fake(&world).env("FAIL_AT_START", "no policy").deploy()?;
    match function.invoke(told("answer")) {
        Err(FunctionError::FailedToStart { message }) => assert_eq!(message, "no policy"),
        other => panic!("{other:?}"),
    }
    Ok(())
}

#[test]
fn what_a_function_writes_is_kept() -> Result<()> {
    let world = World::start()?;
    let function = fake(&world).deploy()?;
    function.invoke(told("answer"))?;
    function.crash();
    wait_until("the second line", Duration::from_secs(10), || {
        Ok((function.lines().len() == 2).then_some(()))
    })?;
    assert_eq!(function.log(), [json!({ "level": "INFO", "did": "answer" })]);
    Ok(())
}
