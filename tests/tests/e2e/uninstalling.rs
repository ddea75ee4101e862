//! Taking Weir out: its alarms go, and nobody else's; while it is deployed, none does. After a
//! change of the prefix, those under the old one go.

use serde_json::{Value, json};
use weir_tests::{Result, Service, World};

use crate::installation::{Installation, STREAM, schedule};

fn put_alarm(world: &World, name: &str) -> Result<()> {
    let alarm = json!({
        "AlarmName": name,
        "Namespace": "AWS/Kinesis",
        "MetricName": "IncomingBytes",
        "Dimensions": [{ "Name": "StreamName", "Value": STREAM }],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    world.call(Service::CloudWatch, "PutMetricAlarm", alarm)?;
    world.set_alarm_state(name, "OK")
}

fn names(world: &World) -> Result<Vec<String>> {
    let mut names: Vec<String> = world
        .alarms()?
        .iter()
        .filter_map(|alarm| alarm["AlarmName"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

#[test]
fn what_weir_made_goes_once_weir_is_gone() -> Result<()> {
    let installation = Installation::with_stream(4, 0.5)?;
    let world = &installation.world;
    let made = installation.sync_alarms.invoke(schedule())?;
    assert_eq!(made["put"], Value::from(2));
    let strangers = ["orders-high", "weir-self-tick", "weir-somebody-elses"];
    for name in strangers {
        put_alarm(world, name)?;
    }

    let before = names(world)?;
    let refused = world.weir(&["uninstall"], &[]).expect_err("the stack is still there");
    assert!(refused.to_string().contains("Delete the stack first"), "{refused}");
    assert_eq!(names(world)?, before);

    let stack = json!({ "AlarmNames": ["weir-self-tick"] });
    world.call(Service::CloudWatch, "DeleteAlarms", stack)?;
    let ledger = world.ledger_items()?;
    let said = world.weir(&["uninstall"], &[])?;
    for line in
        ["deleted alarm weir-surge-orders", "2 alarms deleted", "kept: the ledger weir-ledger"]
    {
        assert!(said.contains(line), "{said}");
    }
    assert_eq!(names(world)?, ["orders-high", "weir-somebody-elses"]);
    assert_eq!(world.ledger_items()?, ledger);
    assert!(world.weir(&["uninstall"], &[])?.contains("0 alarms deleted"), "again changes nothing");
    Ok(())
}

#[test]
fn alarms_under_an_old_prefix_go_while_weir_stands_under_a_new_one() -> Result<()> {
    let installation = Installation::with_stream(4, 0.5)?;
    let world = &installation.world;
    installation.sync_alarms.invoke(schedule())?;
    let renamed = world.function("sync-alarms").env("WEIR_ALARM_PREFIX", "fleet-").deploy()?;
    assert_eq!(renamed.invoke(schedule())?["put"], Value::from(2));
    put_alarm(world, "fleet-self-tick")?;

    let ours = ["fleet-self-tick", "fleet-surge-orders", "fleet-throttle-orders"];
    let said = world.weir(&["uninstall"], &[("WEIR_ALARM_PREFIX", "weir-")])?;
    assert!(said.contains("2 alarms deleted"), "{said}");
    assert_eq!(names(world)?, ours);
    let refused = world.weir(&["uninstall"], &[("WEIR_ALARM_PREFIX", "fleet-")]);
    assert!(refused.is_err(), "the stack is still there");
    assert_eq!(names(world)?, ours);
    Ok(())
}
