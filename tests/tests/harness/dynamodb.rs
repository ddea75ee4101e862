//! The ledger table through the proxy: conditional writes and the index of due streams.

use serde_json::json;
use weir_tests::{Result, Service, World};

use crate::{error_code, function_client};

#[test]
fn a_conditional_write_happens_once() -> Result<()> {
    let world = World::start()?;
    world.create_ledger()?;
    let client = function_client(&world);
    let claim = json!({
        "TableName": "weir-ledger",
        "Item": { "pk": { "S": "stream#orders" }, "sk": { "S": "action#1" }, "to": { "N": "4" } },
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    client.call(Service::DynamoDb, "PutItem", claim.clone())?;
    let again = client.call(Service::DynamoDb, "PutItem", claim);
    assert_eq!(error_code(again), "ConditionalCheckFailedException");

    let item = json!({ "pk": "stream#orders", "sk": "action#1", "to": 4 });
    let items = world.ledger_items()?;
    assert_eq!(items, [item]);
    assert_eq!(world.ledger_items_under("stream#orders", "action#")?, items);
    let puts = world.proxy().calls_of("PutItem");
    assert_eq!(puts.iter().map(|call| call.succeeded()).collect::<Vec<_>>(), [true, false]);
    Ok(())
}

#[test]
fn due_streams_are_found_by_the_index() -> Result<()> {
    let world = World::start()?;
    world.create_ledger()?;
    for (stream, revisit_at) in [("late", "2026-01-01T00:10:00Z"), ("due", "2026-01-01T00:00:00Z")]
    {
        world.put_ledger_item(&json!({
            "pk": format!("stream#{stream}"), "sk": "state", "due": "yes",
            "revisit_at": revisit_at, "paused": false,
        }))?;
    }
    let query = json!({
        "TableName": "weir-ledger",
        "IndexName": "due-streams",
        "KeyConditionExpression": "due = :due AND revisit_at <= :now",
        "ExpressionAttributeValues": {
            ":due": { "S": "yes" }, ":now": { "S": "2026-01-01T00:05:00Z" },
        },
    });
    let found = function_client(&world).call(Service::DynamoDb, "Query", query)?;
    assert_eq!(found["Count"], 1, "{found}");
    assert_eq!(found["Items"][0]["pk"]["S"], "stream#due");
    Ok(())
}
