//! `weir check --against-aws` over the wire: what it says is what sync-alarms then writes, and it
//! writes nothing itself.

use weir_tests::Result;

use crate::installation::{Installation, STREAM, schedule};

#[test]
fn a_preview_writes_nothing_and_says_what_would_be_written() -> Result<()> {
    let installation = Installation::with_policy("polling_consumers = [\"etl\"]")?;
    let world = &installation.world;
    world.create_stream(STREAM, 2)?;
    let policies = world.policies().display().to_string();
    let preview = || world.weir(&["check", &policies, "--against-aws"], &[]);
    // While it observes, a consumer costs nothing.
    let said = preview()?;
    assert!(said.contains("would write 2 alarms and delete 0"), "{said}");
    assert!(said.contains("cost $0.30 a month"), "{said}");
    for write in ["PutMetricAlarm", "DeleteAlarms", "UpdateItem", "PutItem", "PutEvents"] {
        assert_eq!(world.proxy().calls_of(write).len(), 0, "{write}");
    }
    let escalate = "polling_consumers = [\"etl\"]\nconsumer_alerts = \"escalate\"";
    let toml = format!("version = 1\n[[streams]]\nmatch = \"*\"\n{escalate}\n");
    world.write_policy("streams", &toml)?;
    let said = preview()?;
    // Its lag, its throttling, and its silence, which is two metrics.
    assert!(said.contains("cost $0.70 a month"), "{said}");
    let sync_alarms = world.function("sync-alarms").deploy()?;
    sync_alarms.invoke(schedule())?;
    let written = world.proxy().calls_of("PutMetricAlarm").len();
    assert!(said.contains(&format!("would write {written} alarms")), "{written}: {said}");
    let said = preview()?;
    assert!(said.contains("would write 0 alarms"), "{said}");
    Ok(())
}
