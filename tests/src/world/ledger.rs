//! The ledger table, created as the deployment creates it, and read from outside.
//!
//! Here: the table and its items as plain JSON. Not here: what the items mean.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{PATIENCE, World};
use crate::failure::Result;
use crate::time::wait_until;
use crate::wire::Service::DynamoDb;

pub(super) const TABLE: &str = "weir-ledger";

impl World {
    /// Creates the ledger table with its index and its time to live.
    pub fn create_ledger(&self) -> Result<()> {
        let text = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let body = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [text("pk"), text("sk"), text("due"), text("revisit_at")],
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "GlobalSecondaryIndexes": [{
                "IndexName": "due-streams",
                "KeySchema": [key("due", "HASH"), key("revisit_at", "RANGE")],
                "Projection": { "ProjectionType": "KEYS_ONLY" },
            }],
        });
        self.call(DynamoDb, "CreateTable", body)?;
        wait_until("the ledger to be ACTIVE", PATIENCE, || {
            let table = self.call(DynamoDb, "DescribeTable", json!({ "TableName": TABLE }))?;
            Ok((table["Table"]["TableStatus"] == "ACTIVE").then_some(()))
        })?;
        let ttl = json!({ "Enabled": true, "AttributeName": "ttl_epoch_seconds" });
        let body = json!({ "TableName": TABLE, "TimeToLiveSpecification": ttl });
        self.call(DynamoDb, "UpdateTimeToLive", body).map(drop)
    }

    /// Every item of the ledger, by key.
    pub fn ledger_items(&self) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut body = json!({ "TableName": TABLE, "ConsistentRead": true });
        loop {
            let page = self.call(DynamoDb, "Scan", body.clone())?;
            items.extend(page["Items"].as_array().into_iter().flatten().map(plain_item));
            match page.get("LastEvaluatedKey") {
                Some(key) if key.is_object() => body["ExclusiveStartKey"] = key.clone(),
                _ => break,
            }
        }
        let part = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
        items.sort_by_key(|item| (part(item, "pk"), part(item, "sk")));
        Ok(items)
    }

    /// The items under one partition key whose sort key begins so: `("stream#orders", "plan#")`.
    pub fn ledger_items_under(&self, pk: &str, sk_prefix: &str) -> Result<Vec<Value>> {
        let mut items = self.ledger_items()?;
        items.retain(|item| {
            item["pk"] == pk && item["sk"].as_str().is_some_and(|sk| sk.starts_with(sk_prefix))
        });
        Ok(items)
    }

    /// Waits until there is such an item.
    pub fn wait_for_ledger_item(
        &self,
        pk: &str,
        sk_prefix: &str,
        limit: Duration,
    ) -> Result<Value> {
        wait_until(&format!("ledger item {pk} {sk_prefix}"), limit, || {
            Ok(self.ledger_items_under(pk, sk_prefix)?.into_iter().next())
        })
    }

    /// Writes an item over whatever is there.
    pub fn put_ledger_item(&self, item: &Value) -> Result<()> {
        let body = json!({ "TableName": TABLE, "Item": dynamo_item(item) });
        self.call(DynamoDb, "PutItem", body).map(drop)
    }
}

fn plain_item(item: &Value) -> Value {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// `{"S": "x"}` becomes `"x"`.
fn plain(attribute: &Value) -> Value {
    let Some((kind, value)) = attribute.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "N" => number(value),
        "NULL" => Value::Null,
        "M" => plain_item(value),
        "L" => value.as_array().into_iter().flatten().map(plain).collect(),
        "NS" => value.as_array().into_iter().flatten().map(number).collect(),
        _ => value.clone(),
    }
}

fn number(digits: &Value) -> Value {
    digits.as_str().and_then(|digits| serde_json::from_str(digits).ok()).unwrap_or(Value::Null)
}

fn dynamo_item(item: &Value) -> Value {
    let members = item.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), dynamo(value))).collect::<Map<_, _>>().into()
}

fn dynamo(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(boolean) => json!({ "BOOL": boolean }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(items) => json!({ "L": items.iter().map(dynamo).collect::<Value>() }),
        Value::Object(_) => json!({ "M": dynamo_item(value) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_survives_the_way_through_dynamodb_s_notation() {
        let item = json!({
            "pk": "stream#orders", "shards": 4, "share": 0.5, "paused": false,
            "clamps": [{ "reason": "budget", "to": null }],
        });
        assert_eq!(plain_item(&dynamo_item(&item)), item);
    }
}
