//! `weir plan`: what Weir would do is said in the words of the plan that it then makes, and nothing
//! is written.

use serde_json::Value;
use weir_tests::Result;

use crate::installation::{Installation, STREAM};

/// Calls that change something.
const CHANGES: [&str; 7] = [
    "PutItem",
    "UpdateItem",
    "TransactWriteItems",
    "PutEvents",
    "UpdateShardCount",
    "UpdateStreamMode",
    "PutMetricAlarm",
];

#[test]
fn what_weir_would_do_is_what_it_then_does_and_nothing_is_written() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    let world = &installation.world;
    world.proxy().forget_calls();
    let ledger = world.ledger_items()?;
    let said = world.weir(&["plan", STREAM], &[])?;
    assert!(said.starts_with("orders:\n  demand: "), "{said}");
    assert!(said.contains("action: reshard 4 → "), "{said}");
    let changes: Vec<String> =
        world.proxy().calls().into_iter().map(|call| call.operation).collect();
    assert!(changes.iter().all(|call| !CHANGES.contains(&&**call)), "{changes:?}");
    assert_eq!(world.ledger_items()?, ledger);

    let without =
        world.weir(&["plan", "--all", "--format", "json"], &[("WEIR_LEDGER_TABLE", "")])?;
    let plan: Value = serde_json::from_str(&without).expect("one object");
    assert_eq!((&plan["stream"], &plan["plan"]["open"]), (&STREAM.into(), &4.into()));

    installation.surge()?;
    let planned = installation.newest_plan()?;
    let action = &planned.envelope["detail"]["action"];
    let reshard = format!("reshard {} → {}", action["from"], action["to"]);
    assert!(said.contains(&reshard), "{reshard} in {said}");
    Ok(())
}

#[test]
fn other_policies_are_told_as_a_difference() -> Result<()> {
    let installation = Installation::with_stream(4, 1.2)?;
    let folder = tempfile::tempdir().expect("a folder");
    let small = folder.path().join("small.toml");
    let policy = "version = 1\n[[streams]]\nmatch = \"*\"\nmax_shards = 5\n";
    std::fs::write(&small, policy).expect("a policy");
    let small = small.display().to_string();
    let said = installation.world.weir(&["plan", STREAM, "--against", &small], &[])?;
    assert!(said.contains("+ clamp: ") && said.contains("policy_maximum"), "{said}");
    assert!(said.contains("- action: reshard 4 → ") && said.contains("+ action: "), "{said}");
    let missing = installation.world.weir(&["plan", "ordrs"], &[]).expect_err("no such stream");
    assert!(missing.to_string().contains("ordrs: "), "{missing}");
    Ok(())
}
