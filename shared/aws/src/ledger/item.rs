//! Items to types and back. Reading is tolerant of what is missing, strict about what is wrong; a
//! fault names table, key and attribute.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use weir_control::ledger::{Claim, LastSeen, PauseNote, StoredAction, StreamRecord};
use weir_control::plan_id::PlanId;
use weir_control::ports::{Failure, PortError, PortResult};
use weir_core::action::ActionRecord;
use weir_core::observation::CapacityMode;
use weir_core::units::{Shards, StreamName};

use super::{
    ACTION_KEPT_DAYS, Item, SCHEMA, STATE, TURN, action_key, expiry, fixed_width, partition_of,
};
use crate::errors::Call;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn time(at: Timestamp) -> AttributeValue {
    text(fixed_width(at))
}

/// What has a shape of its own is stored as its JSON.
pub(super) fn json<T: Serialize>(call: Call, value: &T) -> PortResult<AttributeValue> {
    serde_json::to_string(value)
        .map(AttributeValue::S)
        .map_err(|error| call.refused(Failure::Invalid, error.to_string()))
}

pub(super) fn key(stream: &StreamName, sort: &str) -> Item {
    HashMap::from([("pk".to_owned(), text(partition_of(stream))), ("sk".to_owned(), text(sort))])
}

pub(super) fn state_key(stream: &StreamName) -> Item {
    key(stream, STATE)
}

/// The one item that says which run has the turn.
pub(super) fn turn_key() -> Item {
    [("pk".to_owned(), text(TURN)), ("sk".to_owned(), text(STATE))].into()
}

/// An action as an item; its event is not published yet.
pub(super) fn action(
    call: Call,
    stream: &StreamName,
    plan: &PlanId,
    action: &ActionRecord,
) -> PortResult<Item> {
    let mut item = key(stream, &action_key(action.at, plan));
    item.extend([
        ("schema".to_owned(), number(SCHEMA)),
        ("plan_id".to_owned(), text(plan.as_str())),
        ("at".to_owned(), time(action.at)),
        ("change".to_owned(), json(call, &action.change)?),
        ("outcome".to_owned(), json(call, &action.outcome)?),
        ("published".to_owned(), AttributeValue::Bool(false)),
        ("ttl_epoch_seconds".to_owned(), number(expiry(action.at, ACTION_KEPT_DAYS))),
    ]);
    Ok(item)
}

/// An item being read.
pub(super) struct Reading<'a> {
    call: Call,
    table: &'a str,
    item: &'a Item,
}

impl<'a> Reading<'a> {
    /// Refuses an item that a newer Weir wrote.
    pub(super) fn of(call: Call, table: &'a str, item: &'a Item) -> PortResult<Reading<'a>> {
        let reading = Reading { call, table, item };
        match reading.number::<u32>("schema")? {
            Some(schema) if schema > SCHEMA => Err(reading.fault(
                "schema",
                &format!("is {schema}, and this Weir knows {SCHEMA}: deploy one release"),
            )),
            _ => Ok(reading),
        }
    }

    /// The state item, with its stream's actions.
    pub(super) fn record(&self, actions: Vec<StoredAction>) -> PortResult<StreamRecord> {
        let claimed = self.text("claimed_plan")?.map(PlanId::from);
        let claim = match (claimed, self.time("claim_at")?) {
            (Some(plan), Some(at)) => Some(Claim { plan, at }),
            _ => None,
        };
        let until = self.time("pause_until")?;
        Ok(StreamRecord {
            version: self.number("version")?.unwrap_or(0),
            // What has no time is due.
            revisit_at: self.time("revisit_at")?.unwrap_or(Timestamp::UNIX_EPOCH),
            pause: self.text("pause_note")?.map(|note| PauseNote { note, until }),
            latest_plan: self.text("latest_plan")?.map(PlanId::from),
            claim,
            last_seen: self.last_seen()?,
            profile: None,
            actions,
        })
    }

    /// Releases before mode switches wrote no mode, and no stream that was on demand.
    fn last_seen(&self) -> PortResult<Option<LastSeen>> {
        let open = self.number("open_shards")?.and_then(Shards::new);
        let provisioned = open.map(|open| LastSeen::Provisioned { open });
        Ok(match self.json("mode")? {
            Some(CapacityMode::OnDemand) => Some(LastSeen::OnDemand),
            Some(CapacityMode::Provisioned) | None => provisioned,
        })
    }

    /// An action's item.
    pub(super) fn action(&self) -> PortResult<StoredAction> {
        let missing = |attribute| move || self.fault(attribute, "is missing");
        Ok(StoredAction {
            plan: self.text("plan_id")?.map(PlanId::from).ok_or_else(missing("plan_id"))?,
            record: ActionRecord {
                at: self.time("at")?.ok_or_else(missing("at"))?,
                change: self.json("change")?.ok_or_else(missing("change"))?,
                outcome: self.json("outcome")?.ok_or_else(missing("outcome"))?,
            },
            published: matches!(self.item.get("published"), Some(AttributeValue::Bool(true))),
        })
    }

    pub(super) fn text(&self, attribute: &str) -> PortResult<Option<String>> {
        match self.item.get(attribute) {
            None | Some(AttributeValue::Null(_)) => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.fault(attribute, "is no text")),
        }
    }

    pub(super) fn time(&self, attribute: &str) -> PortResult<Option<Timestamp>> {
        self.parsed(attribute, |text| text.parse().map_err(|_| "is no time"))
    }

    pub(super) fn json<T: DeserializeOwned>(&self, attribute: &str) -> PortResult<Option<T>> {
        self.parsed(attribute, |text| {
            serde_json::from_str(text).map_err(|_| "is nothing Weir wrote")
        })
    }

    fn parsed<T>(
        &self,
        attribute: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> PortResult<Option<T>> {
        let text = self.text(attribute)?;
        text.map(|text| {
            parse(&text).map_err(|what| self.fault(attribute, &format!("{what}: {text:?}")))
        })
        .transpose()
    }

    pub(super) fn number<T: std::str::FromStr>(&self, attribute: &str) -> PortResult<Option<T>> {
        match self.item.get(attribute) {
            None | Some(AttributeValue::Null(_)) => Ok(None),
            Some(AttributeValue::N(digits)) => digits
                .parse()
                .map(Some)
                .map_err(|_| self.fault(attribute, &format!("is out of range: {digits}"))),
            Some(_) => Err(self.fault(attribute, "is no number")),
        }
    }

    fn fault(&self, attribute: &str, what: &str) -> PortError {
        let part = |name: &str| match self.item.get(name) {
            Some(AttributeValue::S(part)) => part.as_str(),
            _ => "?",
        };
        let (table, pk, sk) = (self.table, part("pk"), part("sk"));
        let message = format!("table {table}, item {pk} / {sk}, attribute {attribute}: {what}");
        self.call.refused(Failure::Invalid, message)
    }
}
