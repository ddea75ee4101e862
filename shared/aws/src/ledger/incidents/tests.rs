//! Incidents as items, and the conditions they are written under.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weir_core::incident::Trouble;

use super::*;
use crate::testing::{Answer, answering, bodies, json as answer};

fn incident(closed: bool) -> Incident {
    let at: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    Incident {
        subject: Subject::Weir { trouble: Trouble::DeadLetters, stream: None },
        opened_at: at,
        lead: "weir-self-dead-letters".to_owned(),
        facts: BTreeMap::new(),
        noticed_at: None,
        paged_at: None,
        messages: 0,
        unsent: Vec::new(),
        held_since: None,
        flaps: 0,
        closed_at: closed.then_some(at),
    }
}

fn item(version: u64, incident: &Incident) -> Value {
    json!({
        "pk": {"S": "incident#weir-dead-letters"}, "sk": {"S": "newest"}, "schema": {"N": "1"},
        "version": {"N": version.to_string()},
        "incident": {"S": serde_json::to_string(incident).expect("JSON")}
    })
}

fn refused(stands: Value) -> Answer {
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    answer(
        400,
        &json!({"__type": code, "message": "The conditional request failed", "Item": stands}),
    )
}

#[tokio::test(start_paused = true)]
async fn the_first_is_written_where_none_stands_and_the_next_over_the_one_that_was_read() {
    let done = || answer(200, &json!({}));
    let (aws, replay) = answering(vec![done(), done()]);
    assert_eq!(aws.record_incident(&incident(false), None).await.ok(), Some(Some(1)));
    assert_eq!(aws.record_incident(&incident(true), Some(7)).await.ok(), Some(Some(8)));
    let [first, next] = &bodies(&replay)[..] else { panic!("two writes") };
    assert_eq!(first["ConditionExpression"], "attribute_not_exists(#pk)");
    assert_eq!(first["ExpressionAttributeValues"][":due"], json!({"S": "incidents"}));
    assert_eq!(next["ConditionExpression"], "#version = :read_at");
    let values = &next["ExpressionAttributeValues"];
    assert_eq!(
        (&values[":read_at"], &values[":version"]),
        (&json!({"N": "7"}), &json!({"N": "8"}))
    );
    assert_eq!(values[":due"], json!({"S": "past-incidents"}), "no tick looks at a closed one");
}

#[tokio::test(start_paused = true)]
async fn who_comes_second_is_told_and_who_tries_again_is_not() {
    let (aws, _) =
        answering(vec![refused(item(1, &incident(true))), refused(item(1, &incident(false)))]);
    let others = aws.record_incident(&incident(false), None).await;
    assert_eq!(others.ok(), Some(None), "another run was sooner");
    let own = aws.record_incident(&incident(false), None).await;
    assert_eq!(own.ok(), Some(Some(1)), "the first attempt's answer was lost");
}

#[tokio::test(start_paused = true)]
async fn open_ones_are_found_by_the_index_and_read_from_the_table() {
    let keys = json!({"Items": [{
        "pk": {"S": "incident#weir-dead-letters"}, "sk": {"S": "newest"},
        "due": {"S": "incidents"}, "revisit_at": {"S": "x"}
    }]});
    let open = answer(200, &json!({"Item": item(3, &incident(false))}));
    let closed = answer(200, &json!({"Item": item(4, &incident(true))}));
    let (aws, replay) = answering(vec![answer(200, &keys), open, answer(200, &keys), closed]);
    let found = aws.open_incidents().await.expect("incidents");
    assert_eq!(found, [StoredIncident { incident: incident(false), version: 3 }]);
    assert_eq!(aws.open_incidents().await.expect("incidents"), [], "closed since it was indexed");
    assert_eq!(bodies(&replay)[1]["ConsistentRead"], true);
}

#[tokio::test(start_paused = true)]
async fn recent_ones_are_those_that_are_open_and_those_that_were_over_since() {
    let key = json!({"Items": [{
        "pk": {"S": "incident#weir-dead-letters"}, "sk": {"S": "newest"},
        "due": {"S": "past-incidents"}, "revisit_at": {"S": "x"}
    }]});
    let closed = answer(200, &json!({"Item": item(4, &incident(true))}));
    let none = answer(200, &json!({"Items": []}));
    let (aws, replay) = answering(vec![answer(200, &key), closed, none]);
    let found = aws.incidents_since(incident(true).opened_at).await.expect("incidents");
    assert_eq!(found, [incident(true)]);
    let asked = &bodies(&replay)[0]["ExpressionAttributeValues"];
    assert_eq!(asked[":since"], json!({"S": "2026-11-20T12:00:00.000000000Z"}));
}
