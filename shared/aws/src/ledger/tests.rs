//! The ledger's items and conditions, against recorded-looking answers of DynamoDB.

use serde_json::{Value, json};
use weir_control::ledger::{
    Claim, Claimed, LastSeen, PauseNote, Planned, StoredAction, StreamRecord,
};
use weir_control::ports::{
    Failure, FindDue, Pause, ReadRecord, RecordAction, RecordOutcome, RecordPlan, Register,
    Reschedule, TakeTurns,
};
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::observation::CapacityMode;
use weir_core::reasons::RefusalReason;
use weir_core::units::Shards;

use super::item::{Reading, action};
use super::*;
use crate::errors::Call;
use crate::testing::{Answer, answering, bodies, json as answer, sent};

const READ: Call = Call::read("GetItem");

fn orders() -> StreamName {
    StreamName::new("orders").expect("a name")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn noon() -> Timestamp {
    at("2026-11-20T12:00:00.000000001Z")
}

fn plan() -> PlanId {
    PlanId::of(noon(), 7, None)
}

fn reshard(outcome: Outcome) -> ActionRecord {
    let to = Shards::ONE.doubled();
    ActionRecord { at: noon(), change: Change::Reshard { from: Shards::ONE, to }, outcome }
}

fn ok(body: Value) -> Answer {
    answer(200, &body)
}

/// The condition did not hold; this is what stands there.
fn not(item: Value) -> Answer {
    let mut body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
    });
    if item != Value::Null {
        body["Item"] = item;
    }
    answer(400, &body)
}

#[test]
fn times_sort_as_text() {
    let times =
        ["2026-11-20T12:00:00Z", "2026-11-20T12:00:00.1Z", "2026-11-20T12:00:00.123456789Z"];
    let texts: Vec<String> = times.map(|time| fixed_width(at(time))).into();
    assert!(texts.is_sorted(), "{texts:?}");
    assert!(texts.iter().all(|text| text.len() == "2026-11-20T12:00:00.000000000Z".len()));
    for (time, text) in times.iter().zip(&texts) {
        assert_eq!(at(text), at(time), "nothing is lost");
    }
}

#[test]
fn actions_are_found_from_a_time_on_and_nothing_else_is() {
    let (first, last) = actions_since(noon());
    let within = |key: &str| first.as_str() <= key && key <= last.as_str();
    assert!(within(&action_key(noon(), &plan())));
    assert!(within(&action_key(at("2099-01-01T00:00:00Z"), &plan())));
    assert!(!within(&action_key(at("2026-11-20T12:00:00Z"), &plan())));
    assert!(!within(STATE) && !within(&plan_key(noon(), &plan())));
}

#[test]
fn every_kind_of_action_comes_back_as_it_was() {
    let changes = [
        Change::Reshard { from: Shards::ONE.doubled(), to: Shards::ONE },
        Change::SwitchMode { to: CapacityMode::OnDemand },
    ];
    let outcomes = [
        Outcome::Intended,
        Outcome::Accepted,
        Outcome::Unknown,
        Outcome::Refused { reason: RefusalReason::LimitReached },
    ];
    for (change, outcome) in changes.iter().flat_map(|c| outcomes.iter().map(move |o| (*c, *o))) {
        let record = ActionRecord { at: noon(), change, outcome };
        let item = action(READ, &orders(), &plan(), &record).expect("an item");
        let expiry = AttributeValue::N((noon().as_second() + 63 * 86_400).to_string());
        assert_eq!(item.get("ttl_epoch_seconds"), Some(&expiry));
        let read = Reading::of(READ, "ledger", &item).and_then(|reading| reading.action());
        let stored = StoredAction { plan: plan(), record, published: false };
        assert_eq!(read.expect("an action"), stored);
    }
}

fn state(attributes: Value) -> Value {
    let mut item = json!({"pk": {"S": "stream#orders"}, "sk": {"S": "state"}});
    for (name, value) in attributes.as_object().expect("attributes") {
        item[name] = value.clone();
    }
    item
}

#[tokio::test(start_paused = true)]
async fn a_record_is_read_consistently_with_all_pages_of_its_actions() {
    let full = state(json!({
        "schema": {"N": "1"}, "version": {"N": "7"}, "due": {"S": "streams"},
        "revisit_at": {"S": "2026-11-20T12:05:00.000000000Z"}, "latest_plan": {"S": "p7"},
        "claimed_plan": {"S": "p7"}, "claim_at": {"S": "2026-11-20T12:00:01.000000000Z"},
        "pause_note": {"S": "ada: launch"}, "pause_until": {"S": "2026-11-21T00:00:00.000000000Z"},
        "open_shards": {"N": "4"}, "of_a_later_release": {"BOOL": true}
    }));
    let stored = |plan: &str| {
        json!({
            "pk": {"S": "stream#orders"}, "sk": {"S": format!("action#{plan}")}, "plan_id": {"S": plan},
            "at": {"S": "2026-11-20T11:00:00.000000000Z"},
            "change": {"S": r#"{"kind":"reshard","from":2,"to":4}"#},
            "outcome": {"S": r#"{"outcome":"accepted"}"#}, "published": {"BOOL": true}
        })
    };
    let (aws, replay) = answering(vec![
        ok(json!({"Item": full})),
        ok(json!({"Items": [stored("p5")], "LastEvaluatedKey": {"pk": {"S": "x"}}})),
        ok(json!({"Items": [stored("p6")]})),
    ]);
    let record = aws.read_record(&orders(), noon()).await.expect("read").expect("a record");
    let plans: Vec<_> = record.actions.iter().map(|action| action.plan.as_str()).collect();
    assert_eq!(plans, ["p5", "p6"]);
    assert!(record.actions[0].published);
    assert_eq!(
        StreamRecord { actions: Vec::new(), ..record },
        StreamRecord {
            version: 7,
            revisit_at: at("2026-11-20T12:05:00Z"),
            pause: Some(PauseNote {
                note: "ada: launch".to_owned(),
                until: Some(at("2026-11-21T00:00:00Z")),
            }),
            latest_plan: Some(PlanId::from("p7".to_owned())),
            claim: Some(Claim {
                plan: PlanId::from("p7".to_owned()),
                at: at("2026-11-20T12:00:01Z"),
            }),
            last_seen: Some(LastSeen::Provisioned { open: Shards::ONE.doubled().doubled() }),
            profile: None,
            actions: Vec::new(),
        }
    );
    let asked = bodies(&replay);
    assert_eq!(
        (&asked[0]["ConsistentRead"], &asked[1]["ConsistentRead"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(asked[2]["ExclusiveStartKey"], json!({"pk": {"S": "x"}}));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_borne_and_what_is_wrong_is_not() {
    let read = async |item: Value| {
        let (aws, _) = answering(vec![ok(item), ok(json!({"Items": []}))]);
        aws.read_record(&orders(), noon()).await
    };
    assert_eq!(read(json!({})).await.expect("read"), None);
    let bare = read(json!({"Item": state(json!({}))})).await.expect("read").expect("a record");
    assert_eq!(bare, StreamRecord::new(Timestamp::UNIX_EPOCH));
    // A claim that was given back leaves its plan behind.
    let released = json!({"Item": state(json!({"claimed_plan": {"S": "p7"}}))});
    assert_eq!(read(released).await.expect("read").expect("a record").claim, None);
    let faults = [
        (json!({"schema": {"N": "2"}}), "attribute schema: is 2, and this Weir knows 1"),
        (json!({"version": {"S": "7"}}), "attribute version: is no number"),
        (json!({"open_shards": {"N": "-4"}}), "attribute open_shards: is out of range"),
        (json!({"revisit_at": {"S": "soon"}}), "attribute revisit_at: is no time"),
    ];
    for (attributes, fault) in faults {
        let error = read(json!({"Item": state(attributes)})).await.expect_err(fault);
        let place = "table ledger, item stream#orders / state, ";
        assert!(error.message.starts_with(&format!("{place}{fault}")), "{error}");
        assert_eq!(error.failure, Failure::Invalid);
    }
}

fn planned(from_version: u64) -> Planned {
    let id = plan();
    Planned {
        id,
        from_version,
        revisit_at: noon(),
        last_seen: Some(LastSeen::Provisioned { open: Shards::ONE.doubled().doubled() }),
        learnt: None,
        event: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_moves_its_own_version_on_and_no_other() {
    let ours = json!({"latest_plan": {"S": plan().as_str()}, "version": {"N": "7"}});
    let other = json!({"latest_plan": {"S": "another"}, "version": {"N": "7"}});
    let (aws, replay) = answering(vec![ok(json!({})), not(other), not(ours), ok(json!({}))]);
    assert!(aws.record_plan(&orders(), &planned(6)).await.expect("recorded"));
    assert!(!aws.record_plan(&orders(), &planned(6)).await.expect("another was first"));
    assert!(
        aws.record_plan(&orders(), &planned(6)).await.expect("recorded"),
        "our own write, whose answer was lost"
    );
    assert!(aws.record_plan(&orders(), &planned(0)).await.expect("recorded"));
    let asked = bodies(&replay);
    assert_eq!(asked[0]["ConditionExpression"], "#version = :from");
    assert_eq!(asked[0]["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    assert_eq!(asked[0]["ExpressionAttributeValues"][":next"], json!({"N": "7"}));
    assert_eq!(
        asked[3]["ConditionExpression"],
        "attribute_not_exists(#version) OR #version = :from"
    );
}

#[tokio::test(start_paused = true)]
async fn the_mode_a_stream_was_seen_in_is_written_and_read_back() {
    let on_demand = Some(LastSeen::OnDemand);
    let four = planned(6).last_seen;
    let mut written = Vec::new();
    for last_seen in [four, on_demand, None] {
        let (aws, replay) = answering(vec![ok(json!({}))]);
        let planned = Planned { last_seen, ..planned(6) };
        assert!(aws.record_plan(&orders(), &planned).await.expect("recorded"));
        let values = &bodies(&replay)[0]["ExpressionAttributeValues"];
        written.push((values[":mode"].clone(), values[":open_shards"].clone()));
    }
    let (mode, shards) = (|mode: &str| json!({"S": format!("\"{mode}\"")}), json!({"N": "4"}));
    let nothing = Value::Null;
    assert_eq!(
        written,
        [
            (mode("provisioned"), shards.clone()),
            (mode("on_demand"), nothing.clone()),
            (nothing.clone(), nothing)
        ]
    );
    // The shards of the last provisioned time may still stand beside the mode.
    for (mode, seen) in [("provisioned", four), ("on_demand", on_demand)] {
        let item = state(json!({"mode": {"S": format!("\"{mode}\"")}, "open_shards": shards}));
        let (aws, _) = answering(vec![ok(json!({"Item": item})), ok(json!({"Items": []}))]);
        let record = aws.read_record(&orders(), noon()).await.expect("read").expect("a record");
        assert_eq!(record.last_seen, seen);
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_claim_says_why_not() {
    let now = fixed_width(noon());
    let earlier = "2026-11-20T11:00:00.000000000Z";
    let ours = plan();
    let ours = ours.as_str();
    let cases = [
        (json!({"latest_plan": {"S": ours}, "claimed_plan": {"S": ours}}), Claimed::Before),
        (json!({"claimed_plan": {"S": ours}, "claim_at": {"S": earlier}}), Claimed::Before),
        (json!({"claimed_plan": {"S": ours}, "claim_at": {"S": now}}), Claimed::Ours),
        (
            json!({"latest_plan": {"S": ours}, "claimed_plan": {"S": "x"}, "claim_at": {"S": earlier}}),
            Claimed::OtherInFlight,
        ),
        (json!({"latest_plan": {"S": "newer"}, "claimed_plan": {"S": "x"}}), Claimed::Superseded),
        (json!({"latest_plan": {"S": "newer"}}), Claimed::Superseded),
        (Value::Null, Claimed::Superseded),
    ];
    for (item, claimed) in cases {
        let (aws, _) = answering(vec![not(item.clone())]);
        assert_eq!(
            aws.claim(&orders(), &plan(), noon()).await.expect("an answer"),
            claimed,
            "{item}"
        );
    }
    let (aws, _) = answering(vec![ok(json!({}))]);
    assert_eq!(aws.claim(&orders(), &plan(), noon()).await.expect("an answer"), Claimed::Ours);
}

fn canceled(codes: [&str; 2]) -> Answer {
    let reasons = codes.map(|code| json!({"Code": code}));
    answer(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled", "CancellationReasons": reasons,
        }),
    )
}

#[tokio::test(start_paused = true)]
async fn an_intent_needs_its_claim_and_is_written_once() {
    let intent = async |answers: Vec<Answer>| {
        let (aws, replay) = answering(answers);
        let written = aws.record_intent(&orders(), &plan(), &reshard(Outcome::Intended)).await;
        (written.map_err(|error| error.failure), sent(&replay))
    };
    let conflict = || canceled(["TransactionConflict", "None"]);
    assert_eq!(intent(vec![ok(json!({}))]).await, (Ok(()), 1));
    let no_claim = canceled(["ConditionalCheckFailed", "None"]);
    assert_eq!(intent(vec![no_claim]).await, (Err(Failure::Invalid), 1));
    let twice = canceled(["None", "ConditionalCheckFailed"]);
    assert_eq!(intent(vec![twice]).await, (Err(Failure::Invalid), 1));
    assert_eq!(intent(vec![conflict(), ok(json!({}))]).await, (Ok(()), 2));
    let conflicts = (0..4).map(|_| conflict()).collect();
    assert_eq!(intent(conflicts).await, (Err(Failure::Busy), 3));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_written_first_and_then_the_claim_given_back() {
    let (aws, replay) = answering(vec![ok(json!({})), ok(json!({}))]);
    aws.record_outcome(&orders(), &plan(), &reshard(Outcome::Accepted)).await.expect("written");
    let asked = bodies(&replay);
    assert_eq!(asked[0]["Item"]["outcome"], json!({"S": r#"{"outcome":"accepted"}"#}));
    assert_eq!(asked[1]["UpdateExpression"], "REMOVE #claim_at");
    assert_eq!(asked[1]["ConditionExpression"], "#claimed_plan = :plan");

    // A stranger's change has no claim.
    let (aws, replay) = answering(vec![ok(json!({})), not(Value::Null)]);
    let stranger = PlanId::of_external_change(noon());
    aws.record_outcome(&orders(), &stranger, &reshard(Outcome::Accepted)).await.expect("written");
    assert_eq!(sent(&replay), 2);
}

#[tokio::test(start_paused = true)]
async fn registering_pausing_and_retiring_twice_is_like_once() {
    let (aws, replay) = answering((0..4).map(|_| not(Value::Null)).collect());
    aws.register(&orders(), noon()).await.expect("registered already");
    aws.retire(&orders()).await.expect("retired already");
    aws.set_pause(&orders(), None).await.expect("not paused");
    let note = PauseNote { note: "ada".to_owned(), until: None };
    let error = aws.set_pause(&orders(), Some(&note)).await.expect_err("a newer record");
    assert!(error.message.contains("newer Weir"), "{error}");
    for body in bodies(&replay) {
        let given = body["ExpressionAttributeValues"].as_object();
        assert!(given.is_none_or(|values| !values.is_empty()), "{body}");
        let names = body["ExpressionAttributeNames"].as_object().expect("names");
        let text = format!("{}{}", body["UpdateExpression"], body["ConditionExpression"]);
        assert!(names.keys().all(|name| text.contains(name)), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn due_streams_come_from_the_index() {
    let entry = |pk: &str| json!({"pk": {"S": pk}, "sk": {"S": "state"}});
    let items = json!({"Items": [entry("stream#orders"), entry("consumer#x")]});
    let (aws, replay) = answering(vec![ok(items)]);
    assert_eq!(aws.due_streams(noon(), 100).await.expect("streams"), [orders()]);
    assert_eq!(bodies(&replay)[0]["Limit"], 100);
    let asked = bodies(&replay).remove(0);
    assert_eq!(asked["IndexName"], "due-streams");
    assert_eq!(asked["KeyConditionExpression"], "#due = :streams AND #revisit_at <= :now");
    assert_eq!(asked["ConsistentRead"], Value::Null, "an index cannot be");
}

/// A page may hold fewer than were asked for, and have more behind it.
#[tokio::test(start_paused = true)]
async fn no_more_due_streams_are_read_than_are_asked_for() {
    let page = |streams: &[&str]| {
        let entry = |name: &&str| json!({"pk": {"S": format!("stream#{name}")}});
        let items: Vec<Value> = streams.iter().map(entry).collect();
        ok(json!({"Items": items, "LastEvaluatedKey": {"pk": {"S": "x"}}}))
    };
    let (aws, replay) = answering(vec![page(&["a", "b"]), page(&["c"])]);
    let due = aws.due_streams(noon(), 3).await.expect("streams");
    assert_eq!(due.iter().map(StreamName::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
    let limits: Vec<Value> = bodies(&replay).iter().map(|body| body["Limit"].clone()).collect();
    assert_eq!(limits, [3, 1]);
}

/// Somebody deleted the state, or it was restored without it: the day's calls still count.
#[tokio::test(start_paused = true)]
async fn actions_without_a_state_count() {
    let action = json!({
        "pk": {"S": "stream#orders"}, "sk": {"S": "action#p5"}, "plan_id": {"S": "p5"},
        "at": {"S": "2026-11-20T11:00:00.000000000Z"},
        "change": {"S": r#"{"kind":"reshard","from":2,"to":4}"#},
        "outcome": {"S": r#"{"outcome":"accepted"}"#}, "published": {"BOOL": true}
    });
    let none = || ok(json!({"Items": []}));
    let (aws, _) = answering(vec![
        ok(json!({})),
        ok(json!({"Items": [action]})),
        ok(json!({})),
        ok(json!({})),
        none(),
    ]);
    let record = aws.read_record(&orders(), noon()).await.expect("read").expect("a record");
    assert_eq!((record.version, record.actions.len()), (0, 1));
    assert_eq!(aws.read_record(&orders(), noon()).await.expect("read"), None);
}

/// Until it is over, or has been given up, and only by whoever has it.
#[tokio::test(start_paused = true)]
async fn one_run_at_a_time_has_the_turn() {
    let (aws, replay) = answering(vec![ok(json!({})), not(json!({})), not(json!({}))]);
    let until = at("2026-11-20T12:01:00Z");
    assert!(aws.begin_turn(noon(), until).await.expect("written"));
    assert!(!aws.begin_turn(noon(), until).await.expect("written"));
    aws.end_turn(until).await.expect("somebody else has it by now");
    let asked = bodies(&replay);
    let free = "attribute_not_exists(#held_until) OR #held_until <= :now";
    assert_eq!(asked[0]["ConditionExpression"], free);
    assert_eq!(asked[2]["ConditionExpression"], "#held_until = :until");
    assert_eq!(asked[0]["Key"]["pk"], json!({"S": "turn"}));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_hastened_unless_it_is_planned_for_since() {
    let registered = json!({"due": {"S": "streams"}, "version": {"N": "7"}});
    let (aws, replay) =
        answering(vec![ok(json!({})), not(registered), not(json!({"version": {"N": "7"}}))]);
    let since = at("2026-11-20T11:50:00Z");
    for expected in [true, true, false] {
        let known = aws.hasten(&orders(), noon(), since).await.expect("written");
        assert_eq!(known, expected, "whether it is registered");
    }
    let asked = bodies(&replay).remove(0);
    let asked_at = asked["ExpressionAttributeValues"][":asked_at"]["S"].as_str().expect("a text");
    let later = |time: &str| PlanId::of(at(time), 7, None).as_str() > asked_at;
    assert!(later("2026-11-20T12:00:00.5Z") && later("2026-11-20T12:00:00Z"));
    assert!(!later("2026-11-20T11:59:59.999Z"));
}
