//! The template itself, deployed into an emulator: the loop runs in the functions, on the rules and
//! with the ledger that it made.
//!
//! Here: what is there after a deployment, and one way round the loop, woken through EventBridge
//! alone. Not here: what the emulator leaves out of the template, so that nothing is seen of it:
//! reserved concurrency, on-failure destinations, alarms on metric math (`tests/deploy.py`), and
//! what roles allow (`privileges`).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use weir_tests::time::wait_until;
use weir_tests::world::{Minute, REGION};
use weir_tests::{Failure, Result, Service, World, bootstrap_binary, python};

use crate::installation::{Installation, PATIENCE, STREAM, schedule};

/// Deploys the template into this world's account; what `deploy.py` says of it.
fn deploy(world: &World, parameters: Value) -> Result<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy.py");
    let environment = json!({
        "AWS_ENDPOINT_URL": world.proxy().url(),
        "AWS_ACCESS_KEY_ID": world.account(),
        "WEIR_POLICY_DIR": world.policies(),
    });
    let output = python()?
        .args([script, world.emulator_url(), world.account(), REGION])
        .args([&bootstrap_binary()?, &world.folder().join("package")])
        .args([environment.to_string(), parameters.to_string()])
        .output()
        .map_err(|error| Failure::new(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last)
        .map_err(|_| Failure::new(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// An operator's request, by way of the bus and the deployed rule.
fn ask(world: &World, what: &str) -> Result<()> {
    let entry = json!({
        "Source": "weir",
        "DetailType": "Weir Operator Request",
        "Detail": json!({ "version": 1, "request": what }).to_string(),
    });
    world.call(Service::EventBridge, "PutEvents", json!({ "Entries": [entry] })).map(drop)
}

#[test]
fn what_the_template_makes_keeps_a_stream_at_its_size() -> Result<()> {
    let world = World::start()?;
    world.write_policy("streams", "version = 1\n[[streams]]\nmatch = \"*\"\nmode = \"act\"\n")?;
    world.create_stream(STREAM, 4)?;
    world.put_traffic(STREAM, &vec![Minute::using(1.2, 4); 240])?;

    let stack = deploy(&world, json!({}))?;
    assert!(is_whole(&stack).contains("Ledger"));

    ask(&world, "sync_alarms")?;
    let surge = || world.alarm("weir-surge-orders");
    let threshold = |alarm: Option<Value>| alarm.and_then(|alarm| alarm["Threshold"].as_f64());
    wait_until("the alarms of a new stream", PATIENCE, || {
        Ok((threshold(surge()?) == Some(3.6)).then_some(()))
    })?;
    ask(&world, "plan")?;
    let resized = world.wait_for_events("Weir Stream Resized", 1, PATIENCE)?;
    let to = resized[0].detail["to"].as_u64().unwrap_or_default();
    assert!(to > 4, "{resized:?}");
    assert_eq!(world.wait_until_active(STREAM)?.open_shards, to);
    // sync-alarms heard of it, by the template's rule.
    wait_until("alarms for the new size", PATIENCE, || {
        Ok((threshold(surge()?) == Some(0.9 * to as f64)).then_some(()))
    })?;
    Ok(())
}

/// What was made, which must be all that was to be.
fn is_whole(stack: &Value) -> BTreeSet<&str> {
    assert_eq!(stack["status"], "CREATE_COMPLETE", "{}", stack["events"]);
    let made = stack["resources"].as_object().into_iter().flatten();
    let made: BTreeSet<&str> = made.map(|(id, _)| id.as_str()).collect();
    let wanted = stack["wanted"].as_array().into_iter().flatten();
    let wanted: BTreeSet<&str> = wanted.filter_map(Value::as_str).collect();
    assert_eq!(wanted.difference(&made).collect::<Vec<_>>(), Vec::<&&str>::new());
    let handlers = stack["functions"].as_array().into_iter().flatten();
    let handlers: BTreeSet<&str> = handlers.filter_map(|f| f["Handler"].as_str()).collect();
    let functions =
        ["plan-capacity", "raise-alerts", "resize-stream", "switch-mode", "sync-alarms"];
    assert_eq!(handlers, BTreeSet::from(functions));
    made
}

/// Taken out and put in again, from the files of a release: the ledger that was left is taken over,
/// and the day's calls stay counted.
#[test]
fn a_later_installation_goes_on_counting() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    installation.sync_alarms.invoke(schedule())?;
    installation.spend_reshards()?;
    let world = &installation.world;
    let parameters = json!({
        "ArtefactBuckets": format!("release-{}", world.account()),
        "ExistingLedger": "weir-ledger",
    });
    let stack = deploy(world, parameters)?;
    assert!(!is_whole(&stack).contains("Ledger"), "{stack}");

    ask(world, "plan")?;
    let planned = world.wait_for_events("Weir Capacity Planned", 1, PATIENCE)?;
    assert_eq!(planned[0].detail["action"]["reason"], "budget_spent", "{planned:?}");
    assert_eq!(installation.reshard_calls(), 0);
    Ok(())
}

/// As installed: the policies of the repository, which observe.
#[test]
fn a_new_installation_observes() -> Result<()> {
    let world = World::start()?;
    let sample = include_str!("../../../infra/policies/weir/policies/streams.toml");
    world.write_policy("streams", sample)?;
    world.create_stream(STREAM, 4)?;
    world.put_traffic(STREAM, &vec![Minute::using(1.2, 4); 240])?;
    assert_eq!(deploy(&world, json!({}))?["status"], "CREATE_COMPLETE");

    ask(&world, "plan")?;
    let planned = world.wait_for_events("Weir Capacity Planned", 1, PATIENCE)?;
    assert_eq!(planned[0].detail["mode"], "observe");
    assert_eq!(planned[0].detail["action"]["kind"], "reshard");
    // An event to a rule that comes later: had the plan woken an executor, it would have called by
    // now.
    ask(&world, "sync_alarms")?;
    wait_until("alarms", PATIENCE, || world.alarm("weir-surge-orders"))?;
    assert_eq!(world.proxy().calls_of("UpdateShardCount").len(), 0);
    assert_eq!(world.stream(STREAM)?.open_shards, 4);
    Ok(())
}
